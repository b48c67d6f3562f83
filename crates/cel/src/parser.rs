//! Tokens to a tree (cel-go/parser/parser.go, gen/CEL.g4).
//!
//! Difference: parsing ends at the first error of syntax, where upstream's generated parser tries to go on.

use crate::ast::{Expr, Kind};
use crate::issue::{Issue, Issues};
use crate::lexer::{Lexeme, Token, lex};
use crate::macros;
use crate::value::Value;

/// How deep expressions may be nested. Upstream it is 250; here a thread of two megabytes is enough, without optimisation too.
const DEPTH_MAX: usize = 100;

/// How many nodes may stand above each other: chains without brackets are deep too, and checking goes down them.
const NODES_DEEP_MAX: usize = 250;

/// How many nodes there may be: `optMap` says what it is called on twice, so that a chain of it doubles each time.
const NODES_MAX: usize = 5_000;

/// How long an expression may be (`expressionSizeCodePointLimit`).
const SOURCE_CHARS_MAX: usize = 100_000;

/// What can begin a value.
const STARTS: &str =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// Words that are kept for later.
pub(crate) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Reads an expression; the number of nodes comes with it.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn parse(source: &str) -> Result<(Expr, usize), Issues> {
    let length = source.chars().count();
    if length > SOURCE_CHARS_MAX {
        let message = format!("expression code point size exceeds limit: size: {length}, limit {SOURCE_CHARS_MAX}");
        return Err(Issues::new(source, vec![Issue { at: 0, message }]));
    }
    let (tokens, issues) = lex(source);
    let mut parser = Parser { tokens, next: 0, ids: 0, depth: 0, issues };
    let parsed = parser.expr().and_then(|expr| {
        if parser.peek().token == Token::End {
            return Ok(expr);
        }
        let is_last = parser.tokens.get(parser.next + 1).is_some_and(|t| t.token == Token::End);
        let what = if is_last { "extraneous" } else { "mismatched" };
        let message = format!("Syntax error: {what} input '{}' expecting <EOF>", parser.peek().text);
        Err(parser.fail(message))
    });
    match parsed {
        Ok(expr) if parser.issues.is_empty() => Ok((expr, parser.ids)),
        _ => Err(Issues::new(source, parser.issues)),
    }
}

/// Stops parsing: what is wrong is noted already.
pub(crate) struct Stop;

pub(crate) type Parsed<T> = Result<T, Stop>;

pub(crate) struct Parser {
    tokens: Vec<Lexeme>,
    next: usize,
    ids: usize,
    depth: usize,
    issues: Vec<Issue>,
}

impl Parser {
    fn peek(&self) -> &Lexeme {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek().token, Token::Sign(s) if s == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek().text == word && matches!(self.peek().token, Token::Ident(_))
    }

    fn take(&mut self) -> Lexeme {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn eat(&mut self, sign: &str) -> Option<usize> {
        self.is(sign).then(|| self.take().at)
    }

    fn expect(&mut self, sign: &str) -> Parsed<usize> {
        if let Some(at) = self.eat(sign) {
            return Ok(at);
        }
        let message = format!("Syntax error: missing '{sign}' at '{}'", self.peek().text);
        Err(self.fail(message))
    }

    fn fail(&mut self, message: impl Into<String>) -> Stop {
        let at = self.peek().at;
        self.complain(at, message);
        Stop
    }

    /// Notes what is wrong and goes on.
    pub fn complain(&mut self, at: usize, message: impl Into<String>) {
        self.issues.push(Issue { at, message: message.into() });
    }

    fn limit(&mut self, expr: &Expr) -> Parsed<()> {
        if expr.depth <= NODES_DEEP_MAX {
            return Ok(());
        }
        Err(self.fail(format!("expression recursion limit exceeded: {NODES_DEEP_MAX}")))
    }

    /// Whether there is no room for saying things twice; it is complained about.
    pub fn is_full(&mut self, at: usize) -> bool {
        let is_full = self.ids > NODES_MAX;
        if is_full {
            self.complain(at, format!("expression of more than {NODES_MAX} parts"));
        }
        is_full
    }

    /// A new node.
    pub fn node(&mut self, at: usize, kind: Kind) -> Expr {
        self.ids += 1;
        let depth = 1 + kind.children().iter().map(|child| child.depth).max().unwrap_or(0);
        Expr { id: self.ids - 1, at, depth, constant: kind.is_constant(), kind }
    }

    /// A call of a function or operator.
    pub fn call(&mut self, at: usize, function: &str, args: Vec<Expr>) -> Expr {
        self.node(at, Kind::Call { target: None, function: function.into(), args })
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fail(format!("expression recursion limit exceeded: {DEPTH_MAX}")));
        }
        let condition = self.logical(0)?;
        let result = match self.eat("?") {
            Some(at) => {
                let yes = self.logical(0)?;
                self.expect(":")?;
                let no = self.expr()?;
                Ok(self.call(at, "_?_:_", vec![condition, yes, no]))
            }
            None => Ok(condition),
        };
        self.depth -= 1;
        result
    }

    /// `||` and below it `&&`: terms of one level become a balanced tree, so that long chains are not deep.
    fn logical(&mut self, level: usize) -> Parsed<Expr> {
        const SIGNS: [(&str, &str); 2] = [("||", "_||_"), ("&&", "_&&_")];
        let Some((sign, function)) = SIGNS.get(level) else { return self.binary(0) };
        let mut terms = vec![self.logical(level + 1)?];
        let mut at = Vec::new();
        while let Some(place) = self.eat(sign) {
            at.push(place);
            terms.push(self.logical(level + 1)?);
        }
        let mut terms: Vec<Option<Expr>> = terms.into_iter().map(Some).collect();
        Ok(self.balance(function, &mut terms, &at))
    }

    fn balance(&mut self, function: &str, terms: &mut [Option<Expr>], at: &[usize]) -> Expr {
        if at.is_empty() {
            return terms[0].take().expect("every term is used once");
        }
        let middle = at.len() / 2;
        let left = self.balance(function, &mut terms[..=middle], &at[..middle]);
        let right = self.balance(function, &mut terms[middle + 1..], &at[middle + 1..]);
        self.call(at[middle], function, vec![left, right])
    }

    /// Relations, sums, products: each level binds stronger than the one before.
    fn binary(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: [&[(&str, &str)]; 3] = [
            &[
                ("<=", "_<=_"),
                (">=", "_>=_"),
                ("==", "_==_"),
                ("!=", "_!=_"),
                ("<", "_<_"),
                (">", "_>_"),
                ("in", "@in"),
            ],
            &[("+", "_+_"), ("-", "_-_")],
            &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
        ];
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let found = signs.iter().find(|(sign, _)| self.is(sign) || (*sign == "in" && self.is_word("in")));
            let Some((_, function)) = found else { return Ok(left) };
            let at = self.take().at;
            let right = self.binary(level + 1)?;
            left = self.call(at, function, vec![left, right]);
            self.limit(&left)?;
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        for (sign, function) in [("!", "!_"), ("-", "-_")] {
            let Some(at) = self.eat(sign) else { continue };
            if sign == "-"
                && let Token::Literal(Value::Int(_) | Value::Double(_)) = self.peek().token
            {
                let number = match self.take().token {
                    Token::Literal(Value::Int(n)) => Value::Int(n.wrapping_neg()),
                    Token::Literal(Value::Double(d)) => Value::Double(-d),
                    _ => unreachable!("it was a number"),
                };
                let literal = self.node(at, Kind::Literal(number));
                return self.members(literal);
            }
            let mut odd = true;
            while self.eat(sign).is_some() {
                odd = !odd;
            }
            let operand = self.member()?;
            return Ok(if odd { self.call(at, function, vec![operand]) } else { operand });
        }
        self.member()
    }

    fn member(&mut self) -> Parsed<Expr> {
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, mut operand: Expr) -> Parsed<Expr> {
        loop {
            self.limit(&operand)?;
            if let Some(at) = self.eat(".") {
                let optional = self.eat("?").is_some();
                let Token::Ident(name) = self.peek().token.clone() else {
                    return Err(self.fail("Syntax error: no viable alternative at input '.'"));
                };
                if matches!(name.as_str(), "true" | "false" | "null" | "in") {
                    return Err(self.fail(format!("Syntax error: mismatched input '{name}' expecting IDENTIFIER")));
                }
                self.take();
                if optional {
                    let field = self.node(at, Kind::Literal(Value::from(name)));
                    operand = self.call(at, "_?._", vec![operand, field]);
                } else if let Some(open) = self.eat("(") {
                    let args = self.arguments(")")?;
                    operand = macros::member(self, open, name, operand, args);
                } else {
                    let select = Kind::Select { operand: Box::new(operand), field: name, test: false };
                    operand = self.node(at, select);
                }
            } else if let Some(at) = self.eat("[") {
                let function = if self.eat("?").is_some() { "_[?_]" } else { "_[_]" };
                let index = self.expr()?;
                self.expect("]")?;
                operand = self.call(at, function, vec![operand, index]);
            } else {
                return Ok(operand);
            }
        }
    }

    fn arguments(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut args = Vec::new();
        if self.eat(close).is_some() {
            return Ok(args);
        }
        loop {
            args.push(self.expr()?);
            if self.eat(",").is_none() {
                self.expect(close)?;
                return Ok(args);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let found = self.peek().clone();
        match found.token {
            Token::Literal(value) => {
                self.take();
                if value == Value::Int(i64::MIN) {
                    self.complain(found.at, "invalid int literal");
                }
                Ok(self.node(found.at, Kind::Literal(value)))
            }
            Token::Ident(name) if name != "in" => {
                self.take();
                self.named(found.at, name)
            }
            Token::Sign("(") => {
                self.take();
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("[") => {
                self.take();
                self.list(found.at)
            }
            Token::Sign("{") => {
                self.take();
                self.map(found.at)
            }
            Token::Sign(".") => {
                self.take();
                match self.take().token {
                    Token::Ident(name) => self.named(found.at, name),
                    _ => Err(self.fail("Syntax error: no viable alternative at input '.'")),
                }
            }
            _ => Err(self.fail(format!("Syntax error: mismatched input '{}' expecting {STARTS}", found.text))),
        }
    }

    fn named(&mut self, at: usize, name: String) -> Parsed<Expr> {
        let literal = match name.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = literal {
            return Ok(self.node(at, Kind::Literal(value)));
        }
        if RESERVED.contains(&name.as_str()) {
            self.complain(at, format!("reserved identifier: {name}"));
        }
        if let Some(open) = self.eat("(") {
            let args = self.arguments(")")?;
            return Ok(macros::global(self, open, name, args));
        }
        if let Some(open) = self.eat("{") {
            self.map(open)?;
            return Ok(self.node(open, Kind::Message(name)));
        }
        Ok(self.node(at, Kind::Ident(name)))
    }

    fn list(&mut self, at: usize) -> Parsed<Expr> {
        let mut items = Vec::new();
        while self.eat("]").is_none() {
            let optional = self.eat("?").is_some();
            items.push((self.expr()?, optional));
            if self.eat(",").is_none() {
                self.expect("]")?;
                break;
            }
        }
        Ok(self.node(at, Kind::List(items)))
    }

    fn map(&mut self, at: usize) -> Parsed<Expr> {
        let mut entries = Vec::new();
        while self.eat("}").is_none() {
            let optional = self.eat("?").is_some();
            let key = self.expr()?;
            self.expect(":")?;
            entries.push((key, self.expr()?, optional));
            if self.eat(",").is_none() {
                self.expect("}")?;
                break;
            }
        }
        Ok(self.node(at, Kind::Map(entries)))
    }
}
