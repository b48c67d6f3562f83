//! Lines that were entered.

/// Lines kept, as `HISTSIZE` is by default.
pub const HISTORY_LINES_MAX: usize = 1000;

/// The history of one terminal.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: Vec<String>,
    dropped: usize,
}

impl History {
    /// Adds a line, unless it is empty or the same as the last one.
    pub fn push(&mut self, line: &str) {
        let line = line.trim_end_matches('\n');
        if line.trim().is_empty() || self.lines.last().is_some_and(|l| l == line) {
            return;
        }
        if self.lines.len() == HISTORY_LINES_MAX {
            self.lines.remove(0);
            self.dropped += 1;
        }
        self.lines.push(line.to_owned());
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The number of the oldest line.
    pub fn first_number(&self) -> usize {
        self.dropped + 1
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.dropped = 0;
    }
}
