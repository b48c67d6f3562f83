//! `[[ expression ]]`.

use super::ast::{Compound, Cond, Part, Word};
use super::error::{Incomplete, SyntaxError};
use super::parser::{Parsed, Parser, is_meta};

/// Operators with an operand on each side.
const BINARY: &[&str] =
    &["=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "<", ">"];

impl Parser<'_> {
    pub(super) fn cond_command(&mut self) -> Parsed<Compound> {
        self.pos += 2;
        self.extglob = true;
        let result = self.cond_or().and_then(|cond| {
            self.skip_newlines()?;
            if self.at_end() {
                return Err(SyntaxError::Incomplete(Incomplete::End));
            }
            if !self.eat_keyword("]]") {
                return Err(self.cond_error());
            }
            Ok(Compound::Cond(cond))
        });
        self.extglob = false;
        result
    }

    fn cond_error(&mut self) -> SyntaxError {
        match self.unexpected() {
            SyntaxError::Unexpected(token, line) => SyntaxError::Message(
                format!("syntax error in conditional expression: unexpected token `{token}'"),
                line,
            ),
            other => other,
        }
    }

    fn cond_or(&mut self) -> Parsed<Cond> {
        let mut left = self.cond_and()?;
        loop {
            self.skip_newlines()?;
            if !self.eat("||") {
                return Ok(left);
            }
            left = Cond::Or(Box::new(left), Box::new(self.cond_and()?));
        }
    }

    fn cond_and(&mut self) -> Parsed<Cond> {
        let mut left = self.nested(Self::cond_term)?;
        loop {
            self.skip_newlines()?;
            if !self.eat("&&") {
                return Ok(left);
            }
            left = Cond::And(Box::new(left), Box::new(self.nested(Self::cond_term)?));
        }
    }

    fn cond_term(&mut self) -> Parsed<Cond> {
        self.skip_newlines()?;
        if self.at_end() {
            return Err(SyntaxError::Incomplete(Incomplete::End));
        }
        if self.eat_keyword("!") {
            return Ok(Cond::Not(Box::new(self.nested(Self::cond_term)?)));
        }
        if self.eat("(") {
            let inner = self.cond_or()?;
            self.skip_newlines()?;
            if !self.eat(")") {
                return Err(self.cond_error());
            }
            return Ok(inner);
        }
        if self.peek().is_some_and(is_meta) || self.keyword() == Some("]]") {
            return Err(self.cond_error());
        }
        let first = self.word()?;
        self.skip_blank();
        if let Some(op) = first.as_literal().filter(|t| t.len() == 2 && t.starts_with('-')).map(str::to_owned)
            && !self.at_cond_end()
        {
            let operand = self.word()?;
            return Ok(Cond::Unary(op, operand));
        }
        if self.at_cond_end() {
            return Ok(Cond::Unary("-n".into(), first));
        }
        let line = self.line();
        let Some(op) = self.cond_operator() else {
            return Err(SyntaxError::Message("conditional binary operator expected".into(), line));
        };
        self.skip_blank();
        let right = if op == "=~" { self.regex_word()? } else { self.word()? };
        if right.0.is_empty() {
            return Err(self.cond_error());
        }
        Ok(Cond::Binary(first, op, right))
    }

    fn at_cond_end(&self) -> bool {
        self.keyword() == Some("]]")
            || matches!(self.peek(), None | Some('\n' | ')'))
            || self.looking_at("&&")
            || self.looking_at("||")
    }

    fn cond_operator(&mut self) -> Option<String> {
        let mut end = self.pos;
        while self.src.get(end).is_some_and(|c| !matches!(c, ' ' | '\t' | '\n')) {
            end += 1;
        }
        let text: String = self.src[self.pos..end].iter().collect();
        let op = BINARY.iter().find(|b| **b == text)?;
        self.pos = end;
        Some((*op).to_owned())
    }

    /// The right side of `=~`: parentheses and bars belong to it.
    fn regex_word(&mut self) -> Parsed<Word> {
        let mut parts: Vec<Part> = Vec::new();
        let mut depth = 0;
        while let Some(c) = self.peek() {
            if c == '\n' || (depth == 0 && matches!(c, ' ' | '\t')) || (depth == 0 && self.looking_at("&&")) {
                break;
            }
            if self.quoting(&mut parts)? {
                continue;
            }
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => break,
                ')' => depth -= 1,
                _ => {}
            }
            match parts.last_mut() {
                Some(Part::Literal(text)) => text.push(c),
                _ => parts.push(Part::Literal(c.into())),
            }
            self.pos += 1;
        }
        Ok(Word(parts))
    }
}
