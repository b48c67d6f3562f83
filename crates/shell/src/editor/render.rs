//! Drawing prompt and text on a terminal of some width, over as many rows as they need.

use crate::text::char_width;

/// Where a text ends on a screen of `columns`, counted from where it began in the first column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// Rows below the first.
    pub row: usize,
    /// Column.
    pub column: usize,
}

impl Spot {
    /// Where the cursor stands after `text`; escape sequences take no room.
    #[must_use]
    pub fn after(mut self, text: &str, columns: usize) -> Spot {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\x1b' => {
                    // A control sequence ends with a letter.
                    for next in chars.by_ref() {
                        if next.is_ascii_alphabetic() {
                            break;
                        }
                    }
                }
                '\n' => self = Spot { row: self.row + 1, column: 0 },
                '\r' => self.column = 0,
                _ => {
                    let width = shown_width(c);
                    if self.column + width > columns {
                        self = Spot { row: self.row + 1, column: 0 };
                    }
                    self.column += width;
                }
            }
        }
        self
    }

    /// A full row: the terminal waits with the wrap, we do not.
    fn wrapped(self, columns: usize) -> Spot {
        if self.column >= columns { Spot { row: self.row + 1, column: 0 } } else { self }
    }
}

/// Control characters are shown as `^X`.
fn shown_width(c: char) -> usize {
    if c.is_control() { 2 } else { char_width(c) }
}

/// The text as it is sent to the terminal.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\r\n"),
            c if c.is_control() => {
                out.push('^');
                out.push(char::from_u32(u32::from(c) ^ 0x40).unwrap_or('?'));
            }
            c => out.push(c),
        }
    }
    out
}

/// What is on the screen.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    cursor: Spot,
    drawn: Option<(String, String)>,
}

impl Screen {
    /// The bytes that bring the screen from what is drawn to prompt and text, cursor behind `before`.
    pub fn draw(&mut self, prompt: &str, text: &str, before: &str, columns: usize) -> String {
        let columns = columns.max(1);
        if let Some(quick) = self.append(prompt, text, before, columns) {
            return quick;
        }
        let mut out = self.to_start();
        out.push_str("\x1b[J");
        out.push_str(&prompt.replace('\n', "\r\n"));
        out.push_str(&shown(text));
        let start = Spot::default().after(prompt, columns).wrapped(columns);
        let mut end = start.after(text, columns);
        if end.column >= columns {
            out.push_str(" \r\x1b[K");
            end = end.wrapped(columns);
        }
        let cursor = start.after(before, columns).wrapped(columns);
        if end.row > cursor.row {
            out.push_str(&format!("\x1b[{}A", end.row - cursor.row));
        }
        if end != cursor {
            out.push('\r');
            if cursor.column > 0 {
                out.push_str(&format!("\x1b[{}C", cursor.column));
            }
        }
        self.cursor = cursor;
        self.drawn = Some((prompt.to_owned(), text.to_owned()));
        out
    }

    /// One more character at the end, with room for it: only that is sent.
    fn append(&mut self, prompt: &str, text: &str, before: &str, columns: usize) -> Option<String> {
        let (old_prompt, old_text) = self.drawn.as_ref()?;
        let added = text.strip_prefix(old_text.as_str())?;
        let plain = !added.is_empty() && added.chars().all(|c| !c.is_control() && char_width(c) > 0);
        let at_end =
            self.cursor == Spot::default().after(old_prompt, columns).wrapped(columns).after(old_text, columns);
        if old_prompt != prompt || before != text || !plain || !at_end {
            return None;
        }
        let end = self.cursor.after(added, columns);
        if end.row != self.cursor.row || end.column >= columns {
            return None;
        }
        self.cursor = end;
        let added = added.to_owned();
        self.drawn = Some((prompt.to_owned(), text.to_owned()));
        Some(added)
    }

    fn to_start(&self) -> String {
        match self.cursor.row {
            0 => "\r".into(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }

    /// Leaves the drawing as it is: cursor below it, in the first column.
    pub fn leave(&mut self, columns: usize) -> String {
        let Some((prompt, text)) = self.drawn.take() else { return String::new() };
        let end = Spot::default().after(&prompt, columns).wrapped(columns).after(&text, columns).wrapped(columns);
        let down = end.row.saturating_sub(self.cursor.row);
        let empty_row = end.column == 0 && end.row > 0 && !text.ends_with('\n');
        self.cursor = Spot::default();
        let mut out = String::new();
        if down > 0 {
            out.push_str(&format!("\x1b[{down}B"));
        }
        out.push_str(if empty_row { "\r" } else { "\r\n" });
        out
    }

    /// Forgets what is drawn: the screen was cleared, cursor at its top.
    pub fn forget(&mut self) {
        *self = Screen::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns() {
        let start = Spot::default();
        assert_eq!(start.after("abc", 10), Spot { row: 0, column: 3 });
        assert_eq!(start.after("\x1b[01;32mab\x1b[0m", 10), Spot { row: 0, column: 2 });
        assert_eq!(start.after("abcdefghijk", 10), Spot { row: 1, column: 1 });
        assert_eq!(start.after("123456789あ", 10), Spot { row: 1, column: 2 }, "a wide character does not split");
        assert_eq!(start.after("a\nbc", 10), Spot { row: 1, column: 2 });
    }

    #[test]
    fn typing_at_the_end_sends_only_what_is_new() {
        let mut screen = Screen::default();
        screen.draw("$ ", "l", "l", 80);
        assert_eq!(screen.draw("$ ", "ls", "ls", 80), "s");
        assert_eq!(screen.draw("$ ", "ls", "l", 80), "\r\x1b[J$ ls\r\x1b[3C");
    }
}
