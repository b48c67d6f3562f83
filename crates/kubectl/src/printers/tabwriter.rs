//! Go's `text/tabwriter` with its elastic columns, as kubectl uses it: spaces only, no alignment to the right.
//!
//! A cell ends with a tab; a column is a run of consecutive lines that have a cell there. Text after a line's last tab is
//! no cell and does not widen anything.

/// Lays out text whose cells end in tabs.
#[derive(Clone, Copy, Debug)]
pub struct TabWriter {
    /// Narrowest column.
    pub min_width: usize,
    /// Spaces after the widest cell.
    pub padding: usize,
    /// Whether an empty column takes no room (`tabwriter.DiscardEmptyColumns`).
    pub discard_empty: bool,
}

/// `printers.GetNewTabWriter`: tables of `kubectl get`.
pub const TABLE: TabWriter = TabWriter { min_width: 6, padding: 3, discard_empty: false };
/// `describe`'s writer: `tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)`.
pub const DESCRIBE: TabWriter = TabWriter { min_width: 0, padding: 2, discard_empty: false };

/// The columns that are known while lines are laid out.
struct Columns<'a> {
    widths: Vec<usize>,
    keep: bool,
    widest: &'a mut Vec<usize>,
}

impl Columns<'_> {
    fn push(&mut self, mut width: usize) {
        let column = self.widths.len();
        if self.keep {
            match self.widest.get_mut(column) {
                Some(widest) => {
                    width = width.max(*widest);
                    *widest = width;
                }
                None => self.widest.push(width),
            }
        }
        self.widths.push(width);
    }
}

impl TabWriter {
    /// The laid-out text.
    pub fn layout(&self, text: &str) -> String {
        self.layout_with(text, None)
    }

    /// As [`TabWriter::layout`], where columns never become narrower than in earlier calls with the same `widths`.
    pub fn layout_remembering(&self, text: &str, widths: &mut Vec<usize>) -> String {
        self.layout_with(text, Some(widths))
    }

    fn layout_with(&self, text: &str, remembered: Option<&mut Vec<usize>>) -> String {
        let ends_with_newline = text.ends_with('\n');
        let body = if ends_with_newline { &text[..text.len() - 1] } else { text };
        let lines: Vec<Vec<&str>> = body.split('\n').map(|line| line.split('\t').collect()).collect();
        let mut out = String::new();
        let mut unused = Vec::new();
        let mut columns =
            Columns { widths: Vec::new(), keep: remembered.is_some(), widest: remembered.unwrap_or(&mut unused) };
        self.format(&lines, 0, lines.len(), &mut columns, &mut out);
        if !ends_with_newline {
            out.pop();
        }
        out
    }

    /// Go's recursion: prints lines `from..to`, whose first `widths.len()` columns are known.
    fn format(&self, lines: &[Vec<&str>], from: usize, to: usize, columns: &mut Columns<'_>, out: &mut String) {
        let column = columns.widths.len();
        let mut printed = from;
        let mut line = from;
        while line < to {
            if column + 1 >= lines[line].len() {
                line += 1;
                continue;
            }
            self.print(&lines[printed..line], &columns.widths, out);
            printed = line;
            let mut width = self.min_width;
            let mut discardable = true;
            while line < to && column + 1 < lines[line].len() {
                let cell = lines[line][column].chars().count();
                width = width.max(cell + self.padding);
                discardable &= cell == 0;
                line += 1;
            }
            if discardable && self.discard_empty {
                width = 0;
            }
            columns.push(width);
            self.format(lines, printed, line, columns, out);
            columns.widths.pop();
            printed = line;
        }
        self.print(&lines[printed..to], &columns.widths, out);
    }

    fn print(&self, lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
        for cells in lines {
            let last = cells.len() - 1;
            for (j, cell) in cells.iter().enumerate() {
                out.push_str(cell);
                if j < last
                    && let Some(width) = widths.get(j)
                {
                    let pad = width.saturating_sub(cell.chars().count());
                    out.extend(std::iter::repeat_n(' ', pad));
                }
            }
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_run_of_lines_needs() {
        assert_eq!(TABLE.layout("NAME\tREADY\tAGE\nweb\t1/1\t4s\n"), "NAME   READY   AGE\nweb    1/1     4s\n");
        assert_eq!(
            DESCRIBE.layout("Name:\tweb\nLabels:\tapp=web\n\ta=b\nPod Template:\n  Labels:\tapp=web\n"),
            "Name:    web\nLabels:  app=web\n         a=b\nPod Template:\n  Labels:  app=web\n"
        );
    }

    #[test]
    fn trailing_cells_end_in_spaces() {
        assert_eq!(DESCRIBE.layout("A\tB\t\nlong\tx\t\n"), "A     B  \nlong  x  \n");
    }
}
