//! From text to a program.

use crate::regex::Regex;

/// Nesting of expressions and blocks.
const DEPTH_MAX: usize = 60;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// `/re/`, matched with the record where it stands alone.
    Regex(Regex),
    /// A variable.
    Var(String),
    /// `a[i]`
    Item(String, Box<Expr>),
    /// `$n`
    Field(Box<Expr>),
    /// `x = y`, `x += y`, ...
    Assign(String, Box<Expr>, Box<Expr>),
    /// `++x` and `x++`: the change, and whether the value is that before it.
    Step(f64, bool, Box<Expr>),
    /// `-x`, `!x`, `+x`
    Unary(char, Box<Expr>),
    /// `x + y`, ...; a blank is concatenation.
    Binary(String, Box<Expr>, Box<Expr>),
    /// `c ? a : b`
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `k in a`
    In(Box<Expr>, String),
    /// A function of awk.
    Call(String, Vec<Expr>),
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `print`
    Print(Vec<Expr>),
    /// `printf`
    Printf(Vec<Expr>),
    /// An expression.
    Expr(Expr),
    /// `if`
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    /// `while` and `for (;;)`: condition, what follows each turn, body.
    Loop(Option<Expr>, Option<Box<Statement>>, Box<Statement>),
    /// `for (k in a)`
    Each(String, String, Box<Statement>),
    /// `{ ... }`
    Block(Vec<Statement>),
    /// `next`
    Next,
    /// `exit`
    Exit(Option<Expr>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `delete a[k]`
    Delete(String, Option<Expr>),
}

/// When a rule applies.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Before the input.
    Begin,
    /// After the input.
    End,
    /// To every record.
    Always,
    /// To records for which this is true.
    When(Expr),
}

/// A rule.
pub type Rule = (Pattern, Option<Statement>);

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Name(String),
    Sign(&'static str),
    Newline,
    End,
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "!~", "++", "--", "+=", "-=", "*=", "/=", "%=", "{", "}", "(", ")", "[", "]",
    ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "?", ":", "=", "$", "|",
];

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    /// Inside `print`'s list `>` redirects.
    no_greater: bool,
}

type Result<T> = std::result::Result<T, String>;

/// Reads a program.
pub fn parse(text: &str) -> Result<Vec<Rule>> {
    let mut parser = Parser { chars: text.chars().collect(), at: 0, depth: 0, no_greater: false };
    let mut rules = Vec::new();
    loop {
        parser.ends();
        let pattern = match parser.peek() {
            Token::End => return Ok(rules),
            Token::Name(name) if name == "BEGIN" => parser.take_as(Pattern::Begin),
            Token::Name(name) if name == "END" => parser.take_as(Pattern::End),
            Token::Name(name) if name == "function" => {
                return Err("kubonsai does not support functions (awk) yet".to_owned());
            }
            Token::Sign("{") => Pattern::Always,
            _ => Pattern::When(parser.expr()?),
        };
        let action = if parser.peek() == Token::Sign("{") { Some(parser.statement()?) } else { None };
        rules.push((pattern, action));
    }
}

impl Parser {
    fn scan(&self) -> (Token, usize) {
        let mut at = self.at;
        loop {
            match (self.chars.get(at), self.chars.get(at + 1)) {
                (Some(' ' | '\t' | '\r'), _) => at += 1,
                (Some('\\'), Some('\n')) => at += 2,
                (Some('#'), _) => {
                    while self.chars.get(at).is_some_and(|c| *c != '\n') {
                        at += 1;
                    }
                }
                _ => break,
            }
        }
        let Some(first) = self.chars.get(at).copied() else { return (Token::End, at) };
        let run = |test: fn(char) -> bool| at + self.chars[at..].iter().take_while(|c| test(**c)).count();
        if first == '\n' {
            return (Token::Newline, at + 1);
        }
        if first.is_ascii_digit() || (first == '.' && self.chars.get(at + 1).is_some_and(char::is_ascii_digit)) {
            let end = run(|c| c.is_ascii_digit() || c == '.');
            let text: String = self.chars[at..end].iter().collect();
            return (Token::Number(text.parse().unwrap_or(0.0)), end);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let end = run(|c| c.is_ascii_alphanumeric() || c == '_');
            return (Token::Name(self.chars[at..end].iter().collect()), end);
        }
        if first == '"' {
            let mut end = at + 1;
            while self.chars.get(end).is_some_and(|c| *c != '"') {
                end += if self.chars[end] == '\\' { 2 } else { 1 };
            }
            let raw: String = self.chars.get(at + 1..end.min(self.chars.len())).unwrap_or(&[]).iter().collect();
            let (bytes, _) = super::super::echo::unescape(&raw.replace("\\\"", "\""), false);
            return (Token::Text(String::from_utf8_lossy(&bytes).into_owned()), end + 1);
        }
        let found = SIGNS.iter().find(|s| s.chars().enumerate().all(|(i, c)| self.chars.get(at + i) == Some(&c)));
        match found {
            Some(sign) => (Token::Sign(sign), at + sign.len()),
            None => (Token::Name(first.to_string()), at + 1),
        }
    }

    fn peek(&self) -> Token {
        self.scan().0
    }

    fn take(&mut self) -> Token {
        let (token, end) = self.scan();
        self.at = end;
        token
    }

    fn take_as<T>(&mut self, value: T) -> T {
        self.take();
        value
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if s == sign);
        if found {
            self.take();
        }
        found
    }

    fn eat_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(n) if n == name);
        if found {
            self.take();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Token::End => "Unexpected end of string".to_owned(),
            _ => "Unexpected token".to_owned(),
        }
    }

    fn newlines(&mut self) {
        while self.peek() == Token::Newline {
            self.take();
        }
    }

    fn ends(&mut self) {
        while matches!(self.peek(), Token::Newline | Token::Sign(";")) {
            self.take();
        }
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("nested too deeply".to_owned());
        }
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn body(&mut self) -> Result<Box<Statement>> {
        self.newlines();
        self.deeper(Parser::statement).map(Box::new)
    }

    fn condition(&mut self) -> Result<Expr> {
        self.expect("(")?;
        let condition = self.expr()?;
        self.expect(")")?;
        Ok(condition)
    }

    fn at_end(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End | Token::Sign(";" | "}"))
    }

    fn statement(&mut self) -> Result<Statement> {
        if self.eat("{") {
            let mut all = Vec::new();
            loop {
                self.ends();
                if self.eat("}") {
                    return Ok(Statement::Block(all));
                }
                all.push(self.deeper(Parser::statement)?);
                if !self.at_end()
                    && !matches!(
                        all.last(),
                        Some(Statement::Block(_) | Statement::If(..) | Statement::Loop(..) | Statement::Each(..))
                    )
                {
                    return Err(self.unexpected());
                }
            }
        }
        let Token::Name(name) = self.peek() else { return Ok(Statement::Expr(self.expr()?)) };
        match name.as_str() {
            "if" => {
                self.take();
                let condition = self.condition()?;
                let then = self.body()?;
                let before = self.at;
                self.ends();
                if self.eat_name("else") {
                    return Ok(Statement::If(condition, then, Some(self.body()?)));
                }
                self.at = before;
                Ok(Statement::If(condition, then, None))
            }
            "while" => {
                self.take();
                let condition = self.condition()?;
                Ok(Statement::Loop(Some(condition), None, self.body()?))
            }
            "for" => {
                self.take();
                self.for_statement()
            }
            "print" | "printf" => {
                self.take();
                let mut list = Vec::new();
                self.no_greater = true;
                while !self.at_end() && !matches!(self.peek(), Token::Sign(">" | "|")) {
                    list.push(self.expr()?);
                    if !self.eat(",") {
                        break;
                    }
                    self.newlines();
                }
                self.no_greater = false;
                if matches!(self.peek(), Token::Sign(">" | "|")) {
                    return Err("kubonsai does not support redirected output (awk) yet".to_owned());
                }
                Ok(if name == "print" { Statement::Print(list) } else { Statement::Printf(list) })
            }
            "next" => Ok(self.take_as(Statement::Next)),
            "break" => Ok(self.take_as(Statement::Break)),
            "continue" => Ok(self.take_as(Statement::Continue)),
            "exit" => {
                self.take();
                Ok(Statement::Exit(if self.at_end() { None } else { Some(self.expr()?) }))
            }
            "delete" => {
                self.take();
                let Token::Name(array) = self.take() else { return Err(self.unexpected()) };
                let key = if self.eat("[") { Some(self.expr()?) } else { None };
                if key.is_some() {
                    self.expect("]")?;
                }
                Ok(Statement::Delete(array, key))
            }
            "do" | "getline" | "function" | "return" => Err(format!("kubonsai does not support {name} (awk) yet")),
            _ => Ok(Statement::Expr(self.expr()?)),
        }
    }

    fn for_statement(&mut self) -> Result<Statement> {
        self.expect("(")?;
        let before = self.at;
        if let (Token::Name(key), true) = (self.take(), self.eat_name("in"))
            && let Token::Name(array) = self.take()
        {
            self.expect(")")?;
            return Ok(Statement::Each(key, array, self.body()?));
        }
        self.at = before;
        let part = |parser: &mut Parser, end: &str| -> Result<Option<Expr>> {
            let expr = if parser.peek() == Token::Sign(if end == ";" { ";" } else { ")" }) {
                None
            } else {
                Some(parser.expr()?)
            };
            parser.expect(end)?;
            Ok(expr)
        };
        let (first, condition, after) = (part(self, ";")?, part(self, ";")?, part(self, ")")?);
        let body = self.body()?;
        let turn = Statement::Loop(condition, after.map(|e| Box::new(Statement::Expr(e))), body);
        Ok(Statement::Block(first.map(Statement::Expr).into_iter().chain([turn]).collect()))
    }

    fn expr(&mut self) -> Result<Expr> {
        self.deeper(|p| {
            let left = p.binary(0)?;
            if p.eat("?") {
                let yes = p.expr()?;
                p.expect(":")?;
                return Ok(Expr::Choice(Box::new(left), Box::new(yes), Box::new(p.expr()?)));
            }
            for sign in ["=", "+=", "-=", "*=", "/=", "%="] {
                if matches!(left, Expr::Var(_) | Expr::Item(..) | Expr::Field(_)) && p.eat(sign) {
                    let op = sign.trim_end_matches('=').to_owned();
                    return Ok(Expr::Assign(op, Box::new(left), Box::new(p.expr()?)));
                }
            }
            Ok(left)
        })
    }

    fn binary(&mut self, level: usize) -> Result<Expr> {
        const LEVELS: &[&[&str]] = &[
            &["||"],
            &["&&"],
            &["in"],
            &["~", "!~"],
            &["<", "<=", "==", "!=", ">", ">="],
            &[" "],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            if *signs == ["in"] {
                if !self.eat_name("in") {
                    return Ok(left);
                }
                let Token::Name(array) = self.take() else { return Err(self.unexpected()) };
                left = Expr::In(Box::new(left), array);
                continue;
            }
            let sign = if *signs == [" "] {
                // Two values side by side are one text.
                let starts = match self.peek() {
                    Token::Number(_) | Token::Text(_) | Token::Sign("$" | "(" | "!" | "-" | "+") => true,
                    Token::Name(name) => name != "in",
                    _ => false,
                };
                if !starts || matches!(self.peek(), Token::Sign("-" | "+" | "!")) {
                    return Ok(left);
                }
                " "
            } else {
                let found = signs.iter().find(|s| self.peek() == Token::Sign(s) && !(**s == ">" && self.no_greater));
                let Some(sign) = found else { return Ok(left) };
                self.take();
                sign
            };
            let right = self.binary(level + 1)?;
            left = Expr::Binary(sign.to_owned(), Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        for (sign, step) in [("++", 1.0), ("--", -1.0)] {
            if self.eat(sign) {
                return Ok(Expr::Step(step, false, Box::new(self.primary()?)));
            }
        }
        for (sign, letter) in [("!", '!'), ("-", '-'), ("+", '+')] {
            if self.eat(sign) {
                return Ok(Expr::Unary(letter, Box::new(self.deeper(Parser::unary)?)));
            }
        }
        let value = self.primary()?;
        if self.eat("^") {
            return Ok(Expr::Binary("^".to_owned(), Box::new(value), Box::new(self.deeper(Parser::unary)?)));
        }
        for (sign, step) in [("++", 1.0), ("--", -1.0)] {
            if matches!(value, Expr::Var(_) | Expr::Item(..) | Expr::Field(_)) && self.eat(sign) {
                return Ok(Expr::Step(step, true, Box::new(value)));
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Expr> {
        match self.take() {
            Token::Number(number) => Ok(Expr::Number(number)),
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Sign("$") => Ok(Expr::Field(Box::new(self.deeper(Parser::primary)?))),
            Token::Sign("/") => self.regex(),
            Token::Sign("(") => {
                let outer = std::mem::replace(&mut self.no_greater, false);
                let value = self.expr()?;
                self.no_greater = outer;
                self.expect(")")?;
                // Grouped, so that what follows is not taken for its own.
                Ok(Expr::Unary('(', Box::new(value)))
            }
            Token::Name(name) if self.eat("[") => {
                let key = self.expr()?;
                self.expect("]")?;
                Ok(Expr::Item(name, Box::new(key)))
            }
            Token::Name(name) if super::FUNCTIONS.contains(&name.as_str()) => {
                let mut list = Vec::new();
                if self.eat("(") {
                    while !self.eat(")") {
                        list.push(self.expr()?);
                        if !self.eat(",") && self.peek() != Token::Sign(")") {
                            return Err(self.unexpected());
                        }
                    }
                }
                Ok(Expr::Call(name, list))
            }
            Token::Name(name) => Ok(Expr::Var(name)),
            _ => Err(self.unexpected()),
        }
    }

    /// The rest of `/re/`.
    fn regex(&mut self) -> Result<Expr> {
        let mut text = String::new();
        loop {
            let c = self.chars.get(self.at).copied().ok_or("unterminated regex")?;
            self.at += 1;
            match c {
                '/' => return Ok(Expr::Regex(Regex::new(&text, true, false)?)),
                '\\' if self.chars.get(self.at) == Some(&'/') => {
                    self.at += 1;
                    text.push('/');
                }
                c => text.push(c),
            }
        }
    }
}
