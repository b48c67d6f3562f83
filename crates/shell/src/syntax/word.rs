//! Words: quoting, and the expansions inside them.

use std::rc::Rc;

use super::ast::{List, Part, Word};
use super::error::{Incomplete, SyntaxError};
use super::parser::{Parsed, Parser, is_meta};

/// Adds text to the last part if it is of the same sort.
fn push_text(parts: &mut Vec<Part>, quoted: bool, c: char) {
    match (parts.last_mut(), quoted) {
        (Some(Part::Literal(text)), false) | (Some(Part::Quoted(text)), true) => text.push(c),
        (_, false) => parts.push(Part::Literal(c.into())),
        (_, true) => parts.push(Part::Quoted(c.into())),
    }
}

/// Whether the word so far is `name=`, after which `~` is special even in an argument.
fn names_only(parts: &[Part]) -> bool {
    matches!(parts, [Part::Literal(text)] if text.strip_suffix('=').is_some_and(super::is_name))
}

impl Parser<'_> {
    /// The word at the cursor.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.nested(|p| p.word_parts(false))
    }

    /// A word that is assigned: `~` is also special after `=` and `:`.
    pub(super) fn word_with_tildes(&mut self) -> Parsed<Word> {
        self.nested(|p| p.word_parts(true))
    }

    fn word_parts(&mut self, assigned: bool) -> Parsed<Word> {
        let mut parts = Vec::new();
        let mut tilde_next = true;
        while let Some(c) = self.peek() {
            let tilde_here = std::mem::replace(&mut tilde_next, false);
            match c {
                '~' if tilde_here => parts.push(self.tilde()),
                '<' | '>' if parts.is_empty() && self.peek_at(1) == Some('(') => {
                    self.pos += 2;
                    self.maybe_empty_list(&[")"])?;
                    self.pos += 1;
                    parts.push(Part::Process(c == '>'));
                }
                '?' | '*' | '+' | '@' | '!' if self.extglob && self.peek_at(1) == Some('(') => {
                    self.extended_pattern(&mut parts)?;
                }
                c if is_meta(c) => break,
                _ => {
                    if !self.quoting(&mut parts)? {
                        push_text(&mut parts, false, c);
                        self.pos += 1;
                        tilde_next = (assigned && c == ':') || (c == '=' && names_only(&parts));
                    }
                }
            }
        }
        Ok(Word(parts))
    }

    /// `@(a|b)` and its kin: the text goes into the word as it stands, quoting inside is kept.
    pub(super) fn extended_pattern(&mut self, parts: &mut Vec<Part>) -> Parsed<()> {
        let line = self.line();
        let mut depth = 0;
        loop {
            let Some(c) = self.peek() else {
                return Err(SyntaxError::Incomplete(Incomplete::Quote(')', line)));
            };
            if self.quoting(parts)? {
                continue;
            }
            push_text(parts, false, c);
            self.pos += 1;
            match c {
                '(' => depth += 1,
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }

    fn tilde(&mut self) -> Part {
        let start = self.pos + 1;
        let mut end = start;
        while self.src.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')) {
            end += 1;
        }
        let ends = self.src.get(end).is_none_or(|c| is_meta(*c) || matches!(c, '/' | ':' | '}'));
        if !ends {
            self.pos += 1;
            return Part::Literal("~".into());
        }
        self.pos = end;
        Part::Tilde(self.slice(start))
    }

    /// A quote, escape or expansion at the cursor; false if there is none.
    pub(super) fn quoting(&mut self, parts: &mut Vec<Part>) -> Parsed<bool> {
        match self.peek() {
            Some('\\') => {
                match self.peek_at(1) {
                    Some('\n') => {}
                    Some(c) => push_text(parts, true, c),
                    None => push_text(parts, false, '\\'),
                }
                self.pos = (self.pos + 2).min(self.src.len());
            }
            Some('\'') => parts.push(Part::Quoted(self.single_quoted()?)),
            Some('"') => {
                self.pos += 1;
                let line = self.line();
                parts.push(Part::Double(self.double_parts(Some(line))?));
            }
            Some('`') => parts.push(self.backticks(false)?),
            Some('$') => match self.dollar(false)? {
                Some(part) => parts.push(part),
                None => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn single_quoted(&mut self) -> Parsed<String> {
        let line = self.line();
        self.pos += 1;
        let start = self.pos;
        while let Some(c) = self.peek() {
            if c == '\'' {
                let text = self.slice(start);
                self.pos += 1;
                return Ok(text);
            }
            self.pos += 1;
        }
        Err(SyntaxError::Incomplete(Incomplete::Quote('\'', line)))
    }

    /// The inside of double quotes; `opened` is their line. Without it, a here-document's body up to the end of the text.
    pub(super) fn double_parts(&mut self, opened: Option<usize>) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            match (self.peek(), opened) {
                (None, None) => return Ok(parts),
                (None, Some(line)) => return Err(SyntaxError::Incomplete(Incomplete::Quote('"', line))),
                (Some('"'), Some(_)) => {
                    self.pos += 1;
                    return Ok(parts);
                }
                (Some('\\'), _) => match self.peek_at(1) {
                    Some('\n') => self.pos += 2,
                    Some(c) if matches!(c, '$' | '`' | '\\') || (c == '"' && opened.is_some()) => {
                        push_text(&mut parts, true, c);
                        self.pos += 2;
                    }
                    _ => {
                        push_text(&mut parts, true, '\\');
                        self.pos += 1;
                    }
                },
                (Some('`'), _) => parts.push(self.backticks(opened.is_some())?),
                (Some('$'), _) => match self.dollar(true)? {
                    Some(part) => parts.push(part),
                    None => {
                        push_text(&mut parts, true, '$');
                        self.pos += 1;
                    }
                },
                (Some(c), _) => {
                    push_text(&mut parts, true, c);
                    self.pos += 1;
                }
            }
        }
    }

    fn backticks(&mut self, in_double: bool) -> Parsed<Part> {
        let line = self.line();
        self.pos += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(SyntaxError::Incomplete(Incomplete::Quote('`', line))),
                Some('`') => {
                    self.pos += 1;
                    break;
                }
                Some('\\') => match self.peek_at(1) {
                    Some(c) if matches!(c, '$' | '`' | '\\') || (c == '"' && in_double) => {
                        text.push(c);
                        self.pos += 2;
                    }
                    _ => {
                        text.push('\\');
                        self.pos += 1;
                    }
                },
                Some(c) => {
                    text.push(c);
                    self.pos += 1;
                }
            }
        }
        let mut inner = Parser::new(&text, self.aliases, false);
        inner.depth = self.depth;
        let mut items = Vec::new();
        while let Some(list) = inner.next_command()? {
            items.extend(list.0);
        }
        Ok(Part::Command(Rc::new(List(items))))
    }

    /// The expansion at a `$`; none if the dollar stands for itself.
    pub(super) fn dollar(&mut self, in_double: bool) -> Parsed<Option<Part>> {
        match self.peek_at(1) {
            Some('(') => self.nested(Self::parenthesised).map(Some),
            Some('{') => self.nested(|p| p.braced_param(in_double)).map(Some),
            Some('\'') if !in_double => {
                self.pos += 1;
                self.ansi_quoted().map(Some)
            }
            Some('"') if !in_double => {
                self.pos += 2;
                let line = self.line();
                Ok(Some(Part::Double(self.double_parts(Some(line))?)))
            }
            _ => Ok(self.bare_param()),
        }
    }

    /// `$((...))`, or `$(...)` that begins with a subshell.
    fn parenthesised(&mut self) -> Parsed<Part> {
        if self.peek_at(2) == Some('(') {
            let start = self.pos;
            self.pos += 3;
            if let Some(word) = self.arith_word()? {
                return Ok(Part::Arith(word));
            }
            self.second_try()?;
            self.pos = start;
        }
        self.command_substitution()
    }

    fn command_substitution(&mut self) -> Parsed<Part> {
        let line = self.line();
        self.pos += 2;
        let list = self.nested(|p| p.maybe_empty_list(&[")"])).map_err(|e| match e {
            SyntaxError::Incomplete(Incomplete::End) => SyntaxError::Incomplete(Incomplete::Quote(')', line)),
            other => other,
        })?;
        self.pos += 1;
        Ok(Part::Command(Rc::new(list)))
    }

    /// `$'...'`, the cursor at the quote.
    fn ansi_quoted(&mut self) -> Parsed<Part> {
        let line = self.line();
        self.pos += 1;
        let start = self.pos;
        loop {
            match self.peek() {
                None => return Err(SyntaxError::Incomplete(Incomplete::Quote('\'', line))),
                Some('\'') => {
                    let text = self.slice(start);
                    self.pos += 1;
                    return Ok(Part::Quoted(crate::text::unescape(&text, crate::text::Escapes::AnsiC).0));
                }
                Some('\\') => self.pos += 2,
                Some(_) => self.pos += 1,
            }
        }
    }

    /// Text up to `))`, with expansions; none (cursor anywhere) if the parentheses turn out not to be arithmetic.
    pub(super) fn arith_word(&mut self) -> Parsed<Option<Word>> {
        let line = self.line();
        let mut parts = Vec::new();
        let mut depth = 0;
        loop {
            match self.peek() {
                None => return Err(SyntaxError::Incomplete(Incomplete::Quote(')', line))),
                Some(')') if depth == 0 => {
                    if self.peek_at(1) != Some(')') {
                        return Ok(None);
                    }
                    self.pos += 2;
                    return Ok(Some(Word(parts)));
                }
                Some(_) => depth += self.arith_piece(&mut parts)?,
            }
        }
    }

    /// One part of `for ((a; b; c))`, up to and with the character that ends it.
    pub(super) fn arith_part(&mut self, end: char) -> Parsed<Word> {
        let line = self.line();
        let mut parts = Vec::new();
        let mut depth = 0;
        loop {
            match self.peek() {
                None => return Err(SyntaxError::Incomplete(Incomplete::Quote(')', line))),
                Some(c) if c == end && depth == 0 => {
                    self.pos += 1;
                    return Ok(Word(parts));
                }
                Some(_) => depth += self.arith_piece(&mut parts)?,
            }
        }
    }

    /// One piece of an arithmetic text; gives the change of parenthesis depth.
    fn arith_piece(&mut self, parts: &mut Vec<Part>) -> Parsed<i32> {
        let Some(c) = self.peek() else { return Ok(0) };
        match c {
            '$' => {
                if let Some(part) = self.dollar(true)? {
                    parts.push(part);
                    return Ok(0);
                }
            }
            '`' => {
                parts.push(self.backticks(true)?);
                return Ok(0);
            }
            '"' => {
                self.pos += 1; // quotes mean nothing here
                return Ok(0);
            }
            _ => {}
        }
        push_text(parts, true, c);
        self.pos += 1;
        Ok(match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        })
    }
}
