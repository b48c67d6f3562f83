//! The text being edited and what editing keys do to it.

/// Characters that a line may have; more is not taken in.
pub const LINE_CHARS_MAX: usize = 64 * 1024;

/// A text with a cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffer {
    chars: Vec<char>,
    cursor: usize,
    /// What Ctrl-K, Ctrl-U and Ctrl-W took last, for Ctrl-Y.
    killed: Vec<char>,
}

impl Buffer {
    /// The text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// The text before the cursor.
    pub fn before(&self) -> String {
        self.chars[..self.cursor].iter().collect()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Whether the cursor is behind the last character.
    pub fn at_end(&self) -> bool {
        self.cursor == self.chars.len()
    }

    /// Replaces everything; the cursor goes to the end.
    pub fn set(&mut self, text: &str) {
        self.chars = text.chars().collect();
        self.cursor = self.chars.len();
    }

    /// Inserts at the cursor; false if the line is full.
    pub fn insert(&mut self, text: &str) -> bool {
        let new: Vec<char> = text.chars().collect();
        if self.chars.len() + new.len() > LINE_CHARS_MAX {
            return false;
        }
        let count = new.len();
        self.chars.splice(self.cursor..self.cursor, new);
        self.cursor += count;
        true
    }

    /// Replaces the `count` characters before the cursor.
    pub fn replace_before(&mut self, count: usize, text: &str) -> bool {
        let from = self.cursor.saturating_sub(count);
        self.chars.drain(from..self.cursor);
        self.cursor = from;
        self.insert(text)
    }

    /// One character to the left, with marks that combine with it.
    pub fn left(&mut self) {
        self.cursor = self.previous(self.cursor);
    }

    /// One character to the right.
    pub fn right(&mut self) {
        self.cursor = self.next(self.cursor);
    }

    fn previous(&self, mut at: usize) -> usize {
        at = at.saturating_sub(1);
        while at > 0 && crate::text::char_width(self.chars[at]) == 0 && self.chars[at] != '\n' {
            at -= 1;
        }
        at
    }

    fn next(&self, at: usize) -> usize {
        let mut at = (at + 1).min(self.chars.len());
        while at < self.chars.len() && crate::text::char_width(self.chars[at]) == 0 && self.chars[at] != '\n' {
            at += 1;
        }
        at
    }

    /// To the start.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.cursor = self.chars.len();
    }

    fn word_start(&self, blank: fn(char) -> bool) -> usize {
        let mut at = self.cursor;
        while at > 0 && blank(self.chars[at - 1]) {
            at -= 1;
        }
        while at > 0 && !blank(self.chars[at - 1]) {
            at -= 1;
        }
        at
    }

    fn word_end(&self) -> usize {
        let mut at = self.cursor;
        while at < self.chars.len() && !self.chars[at].is_alphanumeric() {
            at += 1;
        }
        while at < self.chars.len() && self.chars[at].is_alphanumeric() {
            at += 1;
        }
        at
    }

    /// To the start of the word.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start(|c| !c.is_alphanumeric());
    }

    /// Behind the end of the word.
    pub fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        let from = self.previous(self.cursor);
        self.chars.drain(from..self.cursor);
        self.cursor = from;
    }

    /// Removes the character under the cursor.
    pub fn delete(&mut self) {
        let to = self.next(self.cursor);
        self.chars.drain(self.cursor..to);
    }

    fn kill(&mut self, from: usize, to: usize) {
        let taken: Vec<char> = self.chars.drain(from..to).collect();
        if !taken.is_empty() {
            self.killed = taken;
        }
        self.cursor = from;
    }

    /// Ctrl-K.
    pub fn kill_to_end(&mut self) {
        self.kill(self.cursor, self.chars.len());
    }

    /// Ctrl-U.
    pub fn kill_to_start(&mut self) {
        self.kill(0, self.cursor);
    }

    /// Ctrl-W: back to a blank.
    pub fn kill_word(&mut self) {
        let from = self.word_start(char::is_whitespace);
        self.kill(from, self.cursor);
    }

    /// Alt-Backspace: back to the start of the word.
    pub fn kill_word_left(&mut self) {
        let from = self.word_start(|c| !c.is_alphanumeric());
        self.kill(from, self.cursor);
    }

    /// Alt-D.
    pub fn kill_word_right(&mut self) {
        let to = self.word_end();
        self.kill(self.cursor, to);
    }

    /// Ctrl-Y.
    pub fn yank(&mut self) -> bool {
        let text: String = self.killed.iter().collect();
        self.insert(&text)
    }

    /// Ctrl-T: swaps the two characters around the cursor.
    pub fn transpose(&mut self) {
        if self.chars.len() < 2 || self.cursor == 0 {
            return;
        }
        if self.cursor == self.chars.len() {
            self.cursor -= 1;
        }
        self.chars.swap(self.cursor - 1, self.cursor);
        self.cursor += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing() {
        let mut b = Buffer::default();
        b.insert("kubectl get pods");
        b.kill_word();
        assert_eq!(b.text(), "kubectl get ");
        b.home();
        b.insert("あ");
        b.right();
        assert_eq!((b.before().as_str(), b.text().as_str()), ("あk", "あkubectl get "));
        b.backspace();
        b.end();
        b.yank();
        assert_eq!(b.text(), "あubectl get pods");
        b.word_left();
        assert_eq!(b.before(), "あubectl get ");
        b.kill_to_start();
        assert_eq!(b.text(), "pods");
        assert!(!b.insert(&"x".repeat(LINE_CHARS_MAX)), "a full line takes no more");
    }
}
