//! Scalars: where they end, and what cannot stand in them. What they say is not kept.

use super::{Kind, Scanned, Scanner, ends_word, is_blank, is_break};

impl Scanner {
    pub(super) fn block_scalar(&mut self) -> Scanned {
        self.drop_key()?;
        self.key_allowed = true;
        self.indicator(Kind::Scalar, 1);
        let mut indent = 0;
        for _ in 0..2 {
            match self.char(0) {
                '+' | '-' => self.step(),
                '0' => return self.fault("found an indentation indicator equal to 0"),
                digit @ '1'..='9' if indent == 0 => {
                    indent = self.indent.max(0) + (digit as isize - '0' as isize);
                    self.step();
                }
                _ => {}
            }
        }
        while is_blank(self.char(0)) {
            self.step();
        }
        if self.char(0) == '#' {
            self.skip_comment();
        }
        if !is_break(self.char(0)) && self.char(0) != '\0' {
            return self.fault("did not find expected comment or line break");
        }
        loop {
            if is_break(self.char(0)) {
                self.next_line();
            }
            self.block_indent(&mut indent)?;
            if self.column() != indent || self.char(0) == '\0' {
                return Ok(());
            }
            self.skip_comment();
        }
    }

    /// Steps over empty lines and the indentation of the next; the first call finds how deep it is.
    fn block_indent(&mut self, indent: &mut isize) -> Scanned {
        let mut deepest = 0;
        loop {
            let within = |at: isize, indent: isize| indent == 0 || at < indent;
            while within(self.column(), *indent) && self.char(0) == ' ' {
                self.step();
            }
            deepest = deepest.max(self.column());
            if within(self.column(), *indent) && self.char(0) == '\t' {
                return self.fault("found a tab character where an indentation space is expected");
            }
            if !is_break(self.char(0)) {
                break;
            }
            self.next_line();
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }

    pub(super) fn quoted(&mut self, quote: char) -> Scanned {
        self.save_key()?;
        self.key_allowed = false;
        self.indicator(Kind::Scalar, 1);
        loop {
            if self.marker().is_some() {
                return self.fault("found unexpected document indicator");
            }
            if self.char(0) == '\0' {
                return self.fault("found unexpected end of stream");
            }
            let mut after_break = false;
            while !ends_word(self.char(0)) {
                match (self.char(0), self.char(1)) {
                    ('\'', '\'') if quote == '\'' => (0..2).for_each(|_| self.step()),
                    (c, _) if c == quote => break,
                    ('\\', next) if quote == '"' && is_break(next) => {
                        self.step();
                        self.next_line();
                        after_break = true;
                        break;
                    }
                    ('\\', _) if quote == '"' => self.escape()?,
                    _ => self.step(),
                }
            }
            if self.char(0) == quote {
                self.step();
                return Ok(());
            }
            self.skip_folded(&mut after_break, None)?;
        }
    }

    fn escape(&mut self) -> Scanned {
        let digits = match self.char(1) {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            c if "0abt\tnvfre \"'\\N_LP".contains(c) => 0,
            _ => return self.fault("found unknown escape character"),
        };
        (0..2).for_each(|_| self.step());
        let code: String = (0..digits).map(|i| self.char(i)).collect();
        if !code.chars().all(|c| c.is_ascii_hexdigit()) {
            return self.fault("did not find expected hexdecimal number");
        }
        if digits > 0 && u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).is_none() {
            return self.fault("found invalid Unicode character escape code");
        }
        (0..digits).for_each(|_| self.step());
        Ok(())
    }

    /// Steps over the blanks and breaks inside a scalar. In a plain one tabs may not come before `indent`.
    fn skip_folded(&mut self, after_break: &mut bool, indent: Option<isize>) -> Scanned {
        loop {
            let c = self.char(0);
            if is_break(c) {
                self.next_line();
                *after_break = true;
            } else if !is_blank(c) {
                return Ok(());
            } else if *after_break {
                if c == '\t' && indent.is_some_and(|indent| self.column() < indent) {
                    return self.fault("found a tab character that violates indentation");
                }
                self.idle_step();
            } else {
                self.step();
            }
        }
    }

    pub(super) fn plain(&mut self) -> Scanned {
        self.save_key()?;
        self.key_allowed = false;
        self.push(Kind::Scalar);
        let indent = self.indent + 1;
        let mut after_break = false;
        while self.marker().is_none() && self.char(0) != '#' {
            while !ends_word(self.char(0)) {
                let c = self.char(0);
                if (c == ':' && ends_word(self.char(1))) || (self.in_flow() && ",?[]{}".contains(c)) {
                    break;
                }
                after_break = false;
                self.step();
            }
            if !is_blank(self.char(0)) && !is_break(self.char(0)) {
                break;
            }
            self.skip_folded(&mut after_break, Some(indent))?;
            if !self.in_flow() && self.column() < indent {
                break;
            }
        }
        if after_break {
            self.key_allowed = true;
        }
        Ok(())
    }
}
