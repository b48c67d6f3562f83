//! A small model of a terminal's screen: enough of ECMA-48 for what the editor sends.
#![allow(dead_code, reason = "each test file uses its part")]

pub struct Screen {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// The last column was filled: the next character wraps.
    pending: bool,
    pub bells: usize,
}

/// The second half of a wide character.
const HALF: char = '\u{0}';

impl Screen {
    pub fn new(columns: usize) -> Screen {
        Screen { columns, rows: vec![Vec::new()], row: 0, column: 0, pending: false, bells: 0 }
    }

    fn put(&mut self, c: char, width: usize) {
        if self.pending || self.column + width > self.columns {
            self.down();
            self.column = 0;
            self.pending = false;
        }
        let line = &mut self.rows[self.row];
        while line.len() < self.column + width {
            line.push(' ');
        }
        line[self.column] = c;
        if width == 2 {
            line[self.column + 1] = HALF;
        }
        self.column += width;
        if self.column == self.columns {
            self.column -= 1;
            self.pending = true;
        }
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    fn sequence(&mut self, body: &str, end: char) {
        let n = body.parse::<usize>().unwrap_or(1).max(1);
        self.pending = false;
        match end {
            'A' => self.row = self.row.saturating_sub(n),
            'B' => (0..n).for_each(|_| self.down()),
            'C' => self.column = (self.column + n).min(self.columns - 1),
            'D' => self.column = self.column.saturating_sub(n),
            'H' => (self.row, self.column) = (0, 0),
            'K' => self.rows[self.row].truncate(self.column),
            'J' if body.is_empty() => {
                self.rows[self.row].truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            'J' => self.rows = vec![Vec::new(); self.row + 1],
            'm' | 'h' | 'l' => {}
            other => panic!("the screen does not know CSI {body} {other}"),
        }
    }

    pub fn feed(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\x1b' => {
                    assert_eq!(chars.next(), Some('['), "only control sequences");
                    let mut body = String::new();
                    loop {
                        let c = chars.next().expect("a whole sequence");
                        if c.is_ascii_alphabetic() {
                            self.sequence(&body, c);
                            break;
                        }
                        body.push(c);
                    }
                }
                '\r' => (self.column, self.pending) = (0, false),
                '\n' => {
                    self.pending = false;
                    self.down();
                }
                '\x08' => (self.column, self.pending) = (self.column.saturating_sub(1), false),
                '\x07' => self.bells += 1,
                c => self.put(c, if ('\u{1100}'..).contains(&c) && c != '…' { 2 } else { 1 }),
            }
        }
    }

    /// What is to be seen, the cursor as `█` before the character it stands on.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        for (i, row) in self.rows.iter().enumerate() {
            let mut line: Vec<char> = row.clone();
            if i == self.row {
                while line.len() < self.column {
                    line.push(' ');
                }
                line.insert(self.column, '█');
            }
            let text: String = line.into_iter().filter(|c| *c != HALF).collect();
            out.push_str(text.trim_end_matches(' '));
            out.push('\n');
        }
        out
    }
}
