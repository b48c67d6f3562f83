//! Words while they are being expanded: text with its quoting, split into fields.

use super::pattern;

/// One field: its text, the same as a pattern (quoted characters escaped), and whether anything in it was quoted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Field {
    /// The text.
    pub text: String,
    /// The text as a pattern.
    pub pattern: String,
}

/// Collects fields.
pub struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
    ifs: String,
    /// Unquoted expansions are split. Off for assignments, patterns, redirections.
    split: bool,
    /// The last field was ended by a blank of IFS, to which a following other character of IFS still belongs.
    ended_by_blank: bool,
}

impl Fields {
    /// Nothing yet.
    pub fn new(ifs: &str, split: bool) -> Self {
        Fields { done: Vec::new(), current: None, ifs: ifs.to_owned(), split, ended_by_blank: false }
    }

    fn current(&mut self) -> &mut Field {
        self.ended_by_blank = false;
        self.current.get_or_insert_with(Field::default)
    }

    /// Quoted text: kept as it is, even when empty.
    pub fn quoted(&mut self, text: &str) {
        let field = self.current();
        field.text.push_str(text);
        field.pattern.push_str(&pattern::escape(text));
    }

    /// Text as written in the command, unquoted.
    pub fn literal(&mut self, text: &str) {
        let field = self.current();
        field.text.push_str(text);
        field.pattern.push_str(text);
    }

    /// The result of an unquoted expansion.
    pub fn unquoted(&mut self, text: &str) {
        if !self.split {
            if !text.is_empty() {
                self.literal(text);
            }
            return;
        }
        let mut utf8 = [0; 4];
        for c in text.chars() {
            if !self.ifs.contains(c) {
                self.literal(c.encode_utf8(&mut utf8));
            } else if matches!(c, ' ' | '\t' | '\n') {
                if let Some(field) = self.current.take() {
                    self.done.push(field);
                    self.ended_by_blank = true;
                }
            } else if let Some(field) = self.current.take() {
                self.done.push(field);
                self.ended_by_blank = false;
            } else if !std::mem::take(&mut self.ended_by_blank) {
                self.done.push(Field::default());
            }
        }
    }

    /// Ends a field between the elements of `$@`.
    pub fn end_field(&mut self) {
        if let Some(field) = self.current.take() {
            self.done.push(field);
        }
    }

    /// Whether fields are split.
    pub fn splits(&self) -> bool {
        self.split
    }

    /// All fields.
    pub fn finish(mut self) -> Vec<Field> {
        self.end_field();
        self.done
    }

    /// Everything as one field.
    pub fn finish_one(self) -> Field {
        let mut fields = self.finish().into_iter();
        let mut one = fields.next().unwrap_or_default();
        for field in fields {
            one.text.push(' ');
            one.text.push_str(&field.text);
            one.pattern.push(' ');
            one.pattern.push_str(&field.pattern);
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, ifs: &str) -> Vec<String> {
        let mut fields = Fields::new(ifs, true);
        fields.unquoted(text);
        fields.finish().into_iter().map(|f| f.text).collect()
    }

    #[test]
    fn splitting_follows_ifs() {
        assert_eq!(split("  a  b ", " \t\n"), ["a", "b"]);
        assert_eq!(split("a::b:", ":"), ["a", "", "b"]);
        assert_eq!(split("a : b", ": "), ["a", "b"]);
        assert_eq!(split("a b", ""), ["a b"]);
    }
}
