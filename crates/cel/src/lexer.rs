//! Text to tokens (cel-go/parser/gen/CEL.g4, unescape.go).

use crate::issue::Issue;
use crate::value::Value;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// An operator or a bracket.
    Sign(&'static str),
    /// A name; words with a meaning of their own are names here.
    Ident(String),
    /// A number, a text, bytes.
    Literal(Value),
    /// The end.
    End,
}

/// A token and its text.
#[derive(Clone, Debug)]
pub(crate) struct Lexeme {
    pub token: Token,
    pub text: String,
    pub at: usize,
}

/// The longer first.
const SIGNS: [&str; 25] = [
    "==", "!=", "<=", ">=", "&&", "||", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*", "/", "%",
    "<", ">", "=",
];

/// Cuts a text into tokens.
pub(crate) fn lex(source: &str) -> (Vec<Lexeme>, Vec<Issue>) {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, found: Vec::new(), issues: Vec::new() };
    while lexer.next() {}
    let end = lexer.chars.len();
    lexer.found.push(Lexeme { token: Token::End, text: "<EOF>".into(), at: end });
    (lexer.found, lexer.issues)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    found: Vec<Lexeme>,
    issues: Vec<Issue>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn text(&self, from: usize) -> String {
        self.chars[from..self.at].iter().collect()
    }

    fn push(&mut self, from: usize, token: Token) {
        let text = self.text(from);
        self.found.push(Lexeme { token, text, at: from });
    }

    fn complain(&mut self, at: usize, message: impl Into<String>) {
        self.issues.push(Issue { at, message: message.into() });
    }

    fn next(&mut self) -> bool {
        let Some(&c) = self.chars.get(self.at) else { return false };
        let from = self.at;
        if c.is_whitespace() {
            self.at += 1;
        } else if c == '/' && self.peek(1) == '/' {
            while self.at < self.chars.len() && self.peek(0) != '\n' {
                self.at += 1;
            }
        } else if let Some(prefix) = self.string_prefix() {
            self.string(from, prefix);
        } else if c.is_ascii_alphabetic() || c == '_' {
            while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == '_' {
                self.at += 1;
            }
            let name = self.text(from);
            self.push(from, Token::Ident(name));
        } else if c.is_ascii_digit() || (c == '.' && self.peek(1).is_ascii_digit()) {
            self.number(from);
        } else if c == '`' {
            self.quoted_name(from);
        } else if let Some(sign) = SIGNS.iter().find(|s| s.chars().enumerate().all(|(i, c)| self.peek(i) == c))
            && *sign != "="
        {
            self.at += sign.len();
            self.push(from, Token::Sign(sign));
        } else {
            self.at += 1;
            self.complain(from, format!("Syntax error: token recognition error at: '{c}'"));
        }
        true
    }

    fn quoted_name(&mut self, from: usize) {
        self.at += 1;
        while self.at < self.chars.len() && self.peek(0) != '`' {
            self.at += 1;
        }
        let name: String = self.chars[from + 1..self.at].iter().collect();
        self.at = (self.at + 1).min(self.chars.len());
        self.push(from, Token::Ident(name));
    }

    /// Letters before a quote: raw, bytes, both.
    fn string_prefix(&self) -> Option<usize> {
        let letters = (0..3).take_while(|i| matches!(self.peek(*i), 'r' | 'R' | 'b' | 'B')).count();
        (letters < 3 && matches!(self.peek(letters), '"' | '\'')).then_some(letters)
    }

    fn string(&mut self, from: usize, prefix: usize) {
        let has = |c: char| (0..prefix).any(|i| self.peek(i).eq_ignore_ascii_case(&c));
        let (raw, bytes) = (has('r'), has('b'));
        self.at += prefix;
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        let width = if triple { 3 } else { 1 };
        self.at += width;
        let start = self.at;
        loop {
            let c = self.peek(0);
            if self.at >= self.chars.len() || (!triple && c == '\n') {
                let text = self.text(from);
                self.complain(from, format!("Syntax error: token recognition error at: '{text}'"));
                return;
            }
            if c == '\\' && !raw {
                self.at = (self.at + 2).min(self.chars.len());
            } else if (0..width).all(|i| self.peek(i) == quote) {
                break;
            } else {
                self.at += 1;
            }
        }
        let inner: Vec<char> = self.chars[start..self.at].to_vec();
        self.at += width;
        match if raw { Some(inner.iter().collect::<String>().into_bytes()) } else { unescape(&inner, bytes) } {
            Some(content) if bytes => self.push(from, Token::Literal(Value::bytes(content))),
            Some(content) => {
                let text = String::from_utf8_lossy(&content).into_owned();
                self.push(from, Token::Literal(Value::from(text)));
            }
            None => {
                let text = self.text(from);
                self.complain(from, format!("Syntax error: token recognition error at: '{text}'"));
            }
        }
    }

    fn digits(&mut self, of: fn(char) -> bool) {
        while of(self.peek(0)) {
            self.at += 1;
        }
    }

    fn number(&mut self, from: usize) {
        if self.peek(0) == '0' && matches!(self.peek(1), 'x' | 'X') && self.peek(2).is_ascii_hexdigit() {
            self.at += 2;
            self.digits(|c| c.is_ascii_hexdigit());
            let text = self.text(from + 2);
            return self.integer(from, &text, 16);
        }
        self.digits(|c| c.is_ascii_digit());
        let mut double = false;
        if self.peek(0) == '.' && self.peek(1).is_ascii_digit() {
            double = true;
            self.at += 1;
            self.digits(|c| c.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.peek(1), '+' | '-'));
        if matches!(self.peek(0), 'e' | 'E') && self.peek(1 + sign).is_ascii_digit() {
            double = true;
            self.at += 1 + sign;
            self.digits(|c| c.is_ascii_digit());
        }
        let text = self.text(from);
        match double {
            true => match text.parse() {
                Ok(number) => self.push(from, Token::Literal(Value::Double(number))),
                Err(_) => self.complain(from, "invalid double literal"),
            },
            false => self.integer(from, &text, 10),
        }
    }

    fn integer(&mut self, from: usize, digits: &str, radix: u32) {
        if matches!(self.peek(0), 'u' | 'U') {
            self.at += 1;
            match u64::from_str_radix(digits, radix) {
                Ok(number) => self.push(from, Token::Literal(Value::Uint(number))),
                Err(_) => self.complain(from, "invalid uint literal"),
            }
            return;
        }
        match i64::from_str_radix(digits, radix) {
            Ok(number) => self.push(from, Token::Literal(Value::Int(number))),
            // The parser puts the sign before it: only then is it in range.
            Err(_) if digits == "9223372036854775808" => self.push(from, Token::Literal(Value::Int(i64::MIN))),
            Err(_) => self.complain(from, "invalid int literal"),
        }
    }
}

/// The bytes that a text with escapes means; `None` if an escape is not known.
fn unescape(inner: &[char], bytes: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = inner.get(at) {
        at += 1;
        if c != '\\' {
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let escape = *inner.get(at)?;
        at += 1;
        let code = match escape {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' | '\'' | '"' | '`' | '?' => escape as u32,
            _ => {
                let (digits, radix, from) = match escape {
                    'x' | 'X' => (2, 16, at),
                    'u' => (4, 16, at),
                    'U' => (8, 16, at),
                    '0'..='3' => (3, 8, at - 1),
                    _ => return None,
                };
                at = from + digits;
                let text: String = inner.get(from..at)?.iter().collect();
                u32::from_str_radix(&text, radix).ok()?
            }
        };
        match u8::try_from(code) {
            // In bytes an escape is a byte, if it does not say that it is a character.
            Ok(byte) if bytes && !matches!(escape, 'u' | 'U') => out.push(byte),
            _ => out.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some(out)
}
