//! Printing a string: which style go-yaml's emitter chooses, and how it folds.

use std::fmt::Write;

use super::resolve::{Scalar, is_base60, resolve};

/// A line is folded at the first space beyond this column.
const WIDTH_COLUMNS: usize = 80;

/// Where a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// As a key on the line of its value: one line only.
    Key,
    /// As a value.
    Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Writes a string. `indent` is the column where its further lines start.
pub(super) fn write(out: &mut String, text: &str, indent: usize, place: Place) {
    let column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    let column = out[out.len() - column..].chars().count();
    let mut pen = Pen { out, column, indent, folds: place == Place::Value };
    match style(text, place) {
        Style::Plain => pen.plain(text),
        Style::Single => pen.single(text),
        Style::Double => pen.double(text),
        Style::Literal => pen.literal(text),
    }
}

fn style(text: &str, place: Place) -> Style {
    let facts = Facts::of(text);
    if text.contains('\n') {
        return if facts.literal && place == Place::Value { Style::Literal } else { Style::Double };
    }
    if resolve(text) != Scalar::Text || is_base60(text) {
        return Style::Double;
    }
    match (facts.plain, facts.single) {
        (true, _) => Style::Plain,
        (false, true) => Style::Single,
        (false, false) => Style::Double,
    }
}

/// Which styles can hold a string.
struct Facts {
    plain: bool,
    single: bool,
    literal: bool,
}

impl Facts {
    fn of(text: &str) -> Facts {
        let special = text.chars().any(|c| !is_printable(c));
        let spaced = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
        let breaks = text.contains('\n');
        let (space_break, break_space) = (text.contains(" \n"), text.contains("\n "));
        Facts {
            plain: !special && !spaced && !breaks && !has_indicator(text),
            single: !special && !space_break && !break_space,
            literal: !special && !space_break && !text.ends_with(' '),
        }
    }
}

/// Printable without escapes. A tab is not, in go-yaml.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && c != '\u{feff}'
        && c != '\u{2028}'
        && c != '\u{2029}'
}

/// Whether something in it would mean something in block context.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let mut before_is_blank = true;
    let mut chars = text.chars().enumerate().peekable();
    while let Some((i, c)) = chars.next() {
        let blank_follows = chars.peek().is_none_or(|(_, next)| matches!(next, ' ' | '\t' | '\n'));
        let found = match c {
            '#' => before_is_blank,
            ':' => blank_follows,
            '?' | '-' if i == 0 => blank_follows,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => i == 0,
            _ => false,
        };
        if found {
            return true;
        }
        before_is_blank = matches!(c, ' ' | '\t' | '\n');
    }
    false
}

struct Pen<'a> {
    out: &'a mut String,
    column: usize,
    indent: usize,
    folds: bool,
}

impl Pen<'_> {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.indent));
        self.column = self.indent;
    }

    /// Writes characters, folding at single spaces beyond the width. `edges` says whether the first and the last
    /// character may fold.
    fn folded(&mut self, text: &str, edges: bool, mut each: impl FnMut(&mut Self, char)) {
        let mut spaces = false;
        let mut chars = text.chars().enumerate().peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                let inner = edges || (i > 0 && next.is_some());
                if self.folds && !spaces && self.column > WIDTH_COLUMNS && inner && next != Some(' ') {
                    self.new_line();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                each(self, c);
                spaces = false;
            }
        }
    }

    fn plain(&mut self, text: &str) {
        self.folded(text, true, Pen::put);
    }

    fn single(&mut self, text: &str) {
        self.put('\'');
        self.folded(text, false, |pen, c| {
            if c == '\'' {
                pen.put('\'');
            }
            pen.put(c);
        });
        self.put('\'');
    }

    fn double(&mut self, text: &str) {
        self.put('"');
        let mut spaces = false;
        let mut chars = text.chars().enumerate().peekable();
        while let Some((i, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                if self.folds && !spaces && self.column > WIDTH_COLUMNS && i > 0 && next.is_some() {
                    self.new_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
                continue;
            }
            spaces = false;
            if is_printable(c) && !matches!(c, '\n' | '"' | '\\') {
                self.put(c);
            } else {
                for e in escape(c).chars() {
                    self.put(e);
                }
            }
        }
        self.put('"');
    }

    fn literal(&mut self, text: &str) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        match text.strip_suffix('\n') {
            None => self.out.push('-'),
            Some(body) if body.is_empty() || body.ends_with('\n') => self.out.push('+'),
            Some(_) => {}
        }
        self.out.push('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.out.extend(std::iter::repeat_n(' ', self.indent));
            }
            self.out.push_str(line);
        }
        if !text.ends_with('\n') {
            self.out.push('\n');
        }
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let mut out = String::new();
            let code = u32::from(c);
            match code {
                0..=0xff => write!(out, "\\x{code:02X}"),
                0x100..=0xffff => write!(out, "\\u{code:04X}"),
                _ => write!(out, "\\U{code:08X}"),
            }
            .expect("writing to a String succeeds");
            return out;
        }
    };
    format!("\\{short}")
}
