//! Parameter expansions.

use super::ast::{Param, ParamOp, Part, Word};
use super::error::{Incomplete, SyntaxError};
use super::parser::{Parsed, Parser};

const SPECIAL: &str = "@*#?-$!";

fn plain(name: String, text: String) -> Part {
    Part::Param(Box::new(Param { name, index: None, indirect: false, op: ParamOp::Plain, text }))
}

impl Parser<'_> {
    /// `$name`, `$1`, `$?`: none if the dollar stands for itself.
    pub(super) fn bare_param(&mut self) -> Option<Part> {
        let start = self.pos;
        let first = self.peek_at(1)?;
        let mut end = self.pos + 2;
        if first.is_ascii_alphabetic() || first == '_' {
            while self.src.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                end += 1;
            }
        } else if !first.is_ascii_digit() && !SPECIAL.contains(first) {
            return None;
        }
        self.pos = end;
        Some(plain(self.slice(start + 1), self.slice(start)))
    }

    /// `${...}`, the cursor at the dollar.
    pub(super) fn braced_param(&mut self, in_double: bool) -> Parsed<Part> {
        let start = self.pos;
        let line = self.line();
        self.pos += 2;
        let mut param =
            Param { name: String::new(), index: None, indirect: false, op: ParamOp::Plain, text: String::new() };
        let length = self.peek() == Some('#') && !matches!(self.peek_at(1), Some('}' | ':' | '%' | '/' | '='));
        if length {
            self.pos += 1;
        } else if self.peek() == Some('!') && self.peek_at(1).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.pos += 1;
            param.indirect = true;
        }
        param.name = self.param_name();
        if self.peek() == Some('[') && !param.name.is_empty() {
            self.pos += 1;
            param.index = Some(self.param_word(&[']'], false)?);
            self.pos += 1;
        }
        param.op = if param.name.is_empty() {
            ParamOp::Bad
        } else if length {
            if self.peek() == Some('}') { ParamOp::Length } else { ParamOp::Bad }
        } else {
            self.param_op(&mut param, in_double)?
        };
        if self.peek() != Some('}') {
            param.op = ParamOp::Bad;
            self.param_word(&['}'], in_double)?;
        }
        if self.at_end() {
            return Err(SyntaxError::Incomplete(Incomplete::Quote('}', line)));
        }
        self.pos += 1;
        param.text = self.slice(start);
        Ok(Part::Param(Box::new(param)))
    }

    fn param_name(&mut self) -> String {
        let start = self.pos;
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.pos += 1;
                }
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.pos += 1;
                }
            }
            Some(c) if SPECIAL.contains(c) => self.pos += 1,
            _ => {}
        }
        self.slice(start)
    }

    fn param_op(&mut self, param: &mut Param, in_double: bool) -> Parsed<ParamOp> {
        let Some(c) = self.peek() else { return Ok(ParamOp::Plain) };
        let all = param.index.as_ref().and_then(Word::as_literal).is_some_and(|i| i == "@" || i == "*");
        if param.indirect && (all || (matches!(c, '*' | '@') && self.peek_at(1) == Some('}'))) {
            if !all {
                self.pos += 1;
            }
            return Ok(ParamOp::Names);
        }
        match c {
            '}' => Ok(ParamOp::Plain),
            ':' => match self.peek_at(1) {
                Some(op @ ('-' | '=' | '?' | '+')) => {
                    self.pos += 2;
                    Ok(ParamOp::Default(op, true, self.param_word(&['}'], in_double)?))
                }
                _ => {
                    self.pos += 1;
                    let offset = self.param_word(&[':', '}'], true)?;
                    let length = if self.eat(":") { Some(self.param_word(&['}'], true)?) } else { None };
                    Ok(ParamOp::Slice(offset, length))
                }
            },
            '-' | '=' | '?' | '+' => {
                self.pos += 1;
                Ok(ParamOp::Default(c, false, self.param_word(&['}'], in_double)?))
            }
            '#' | '%' => {
                self.pos += 1;
                let longest = self.eat(if c == '#' { "#" } else { "%" });
                Ok(ParamOp::Strip { suffix: c == '%', longest, pattern: self.param_word(&['}'], false)? })
            }
            '/' => {
                self.pos += 1;
                let all = self.eat("/");
                let anchor = self.peek().filter(|c| !all && matches!(c, '#' | '%'));
                if anchor.is_some() {
                    self.pos += 1;
                }
                let pattern = self.param_word(&['/', '}'], false)?;
                let with = if self.eat("/") { self.param_word(&['}'], false)? } else { Word::default() };
                Ok(ParamOp::Replace { all, anchor, pattern, with })
            }
            '^' | ',' => {
                self.pos += 1;
                let all = self.eat(if c == '^' { "^" } else { "," });
                Ok(ParamOp::Case(c == '^', all))
            }
            '@' => {
                let Some(letter) = self.peek_at(1).filter(char::is_ascii_alphabetic) else { return Ok(ParamOp::Bad) };
                self.pos += 2;
                Ok(ParamOp::Transform(letter))
            }
            _ => Ok(ParamOp::Bad),
        }
    }

    /// Text inside `${...}` or `[...]` up to one of `ends`, which stays unread.
    pub(super) fn param_word(&mut self, ends: &[char], in_double: bool) -> Parsed<Word> {
        let line = self.line();
        let mut parts: Vec<Part> = Vec::new();
        let mut depth = 0;
        loop {
            let Some(c) = self.peek() else {
                let close = ends.last().copied().unwrap_or('}');
                return Err(SyntaxError::Incomplete(Incomplete::Quote(close, line)));
            };
            if depth == 0 && ends.contains(&c) {
                return Ok(Word(parts));
            }
            let escaped = in_double && c == '\\' && !matches!(self.peek_at(1), Some('$' | '`' | '"' | '\\' | '}'));
            let plain_quote = in_double && c == '\'';
            if c == '~' && parts.is_empty() && !in_double && ends == ['}'] {
                parts.push(Part::Tilde(String::new()));
                self.pos += 1;
                continue;
            }
            if !escaped && !plain_quote && self.quoting(&mut parts)? {
                continue;
            }
            match c {
                '[' if ends == [']'] => depth += 1,
                ']' if ends == [']'] => depth -= 1,
                '{' if ends.contains(&'}') => depth += 1,
                '}' if ends.contains(&'}') => depth -= 1,
                _ => {}
            }
            match parts.last_mut() {
                Some(Part::Literal(text)) => text.push(c),
                _ => parts.push(Part::Literal(c.into())),
            }
            self.pos += 1;
        }
    }
}
