//! Expressions, by the strength of their operators.

use super::Parser;
use crate::ast::{Expr, Op};
use crate::error::{Error, Result};
use crate::lexer::Tok;
use crate::types::{ANY_TEXT, BIGINT, Type};
use crate::value::{self, Value};

fn binary(op: Op, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(right))
}

/// Units of INTERVAL.
const UNITS: &[&str] = &["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];

/// Functions that are written without parentheses.
const BARE: &[&str] = &[
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_DATE",
    "UTC_TIMESTAMP",
];

/// Keywords that are functions as well.
const KEYWORD_FUNCTIONS: &[&str] =
    &["DATABASE", "SCHEMA", "IF", "LEFT", "RIGHT", "REPLACE", "MOD", "INSERT", "CHAR", "VALUES", "RANK", "INTERVAL"];

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        if self.depth == 0 {
            self.operators = 0;
        }
        self.deeper(Self::or)
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.xor()?;
        while self.take("OR") || self.sign("||") {
            self.operator()?;
            left = binary(Op::Or, left, self.xor()?);
        }
        Ok(left)
    }

    fn xor(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.take("XOR") {
            self.operator()?;
            left = binary(Op::Xor, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        while self.take("AND") || self.sign("&&") {
            self.operator()?;
            left = binary(Op::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        if self.take("NOT") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::not)?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr> {
        let mut left = self.sum()?;
        loop {
            let op = match self.peek() {
                Tok::Sign("=") => Op::Equal,
                Tok::Sign("<=>") => Op::Same,
                Tok::Sign("<>" | "!=") => Op::NotEqual,
                Tok::Sign("<") => Op::Less,
                Tok::Sign("<=") => Op::LessEqual,
                Tok::Sign(">") => Op::Greater,
                Tok::Sign(">=") => Op::GreaterEqual,
                Tok::Word(_) => match self.predicate(left)? {
                    (true, next) => {
                        self.operator()?;
                        left = next;
                        continue;
                    }
                    (false, same) => return Ok(same),
                },
                _ => return Ok(left),
            };
            self.advance();
            self.operator()?;
            left = binary(op, left, self.sum()?);
        }
    }

    /// `IS`, `IN`, `BETWEEN`, `LIKE`; whether there was one.
    fn predicate(&mut self, left: Expr) -> Result<(bool, Expr)> {
        if self.take("IS") {
            let negated = self.take("NOT");
            let left = Box::new(left);
            if self.take("NULL") || self.take("UNKNOWN") {
                return Ok((true, Expr::IsNull(left, negated)));
            }
            let truth = self.take("TRUE");
            if !truth {
                self.expect("FALSE")?;
            }
            return Ok((true, Expr::IsTrue(left, truth, negated)));
        }
        let negated = self.comes("NOT IN")
            || self.comes("NOT BETWEEN")
            || self.comes("NOT LIKE")
            || self.comes("NOT REGEXP")
            || self.comes("NOT RLIKE");
        if negated {
            self.advance();
        }
        if self.take("IN") {
            self.expect_sign("(")?;
            if self.comes("SELECT") {
                let query = self.query()?;
                self.expect_sign(")")?;
                return Ok((true, Expr::InQuery(Box::new(left), Box::new(query), negated)));
            }
            let list = self.list(Self::expr)?;
            self.expect_sign(")")?;
            return Ok((true, Expr::In(Box::new(left), list, negated)));
        }
        if self.take("BETWEEN") {
            let low = self.sum()?;
            self.expect("AND")?;
            let high = self.sum()?;
            return Ok((true, Expr::Between(Box::new(left), Box::new(low), Box::new(high), negated)));
        }
        if self.take("LIKE") {
            let pattern = self.sum()?;
            if self.take("ESCAPE") {
                return Err(Error::refused("kubonsai does not support LIKE with ESCAPE (mysql) yet"));
            }
            return Ok((true, Expr::Like(Box::new(left), Box::new(pattern), negated)));
        }
        if self.comes("REGEXP") || self.comes("RLIKE") {
            return Err(Error::refused("kubonsai does not support regular expressions (mysql) yet"));
        }
        if self.comes("COLLATE") {
            return Err(Error::refused("kubonsai does not support COLLATE in expressions (mysql) yet"));
        }
        Ok((false, left))
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        loop {
            let negative = self.sign("-");
            if !negative && !self.sign("+") {
                if matches!(self.peek(), Tok::Sign("|" | "&" | "^" | "<<" | ">>")) {
                    return Err(Error::refused("kubonsai does not support operators on bits (mysql) yet"));
                }
                return Ok(left);
            }
            self.operator()?;
            left = if self.take("INTERVAL") {
                let (count, unit) = self.interval()?;
                Expr::Interval { of: Box::new(left), count: Box::new(count), unit, negative }
            } else {
                binary(if negative { Op::Subtract } else { Op::Add }, left, self.product()?)
            };
        }
    }

    fn interval(&mut self) -> Result<(Expr, String)> {
        let count = self.expr()?;
        let unit = self.any_name()?.to_ascii_uppercase();
        match UNITS.contains(&unit.as_str()) {
            true => Ok((count, unit)),
            false => Err(Error::refused(format!("kubonsai does not support intervals of {unit} (mysql) yet"))),
        }
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.unary()?;
        loop {
            let op = if self.sign("*") {
                Op::Multiply
            } else if self.sign("/") {
                Op::Divide
            } else if self.sign("%") || self.take("MOD") {
                Op::Modulo
            } else if self.take("DIV") {
                Op::Whole
            } else {
                return Ok(left);
            };
            self.operator()?;
            left = binary(op, left, self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr> {
        if self.sign("-") {
            return Ok(match self.deeper(Self::unary)? {
                Expr::Literal(Value::Int(n)) => Expr::Literal(Value::Int(-n)),
                Expr::Literal(Value::Decimal(n, scale)) => Expr::Literal(Value::Decimal(-n, scale)),
                other => Expr::Negative(Box::new(other)),
            });
        }
        if self.sign("+") {
            return self.deeper(Self::unary);
        }
        if self.sign("!") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::unary)?)));
        }
        if self.take("BINARY") {
            return Err(Error::refused("kubonsai does not support BINARY (mysql) yet"));
        }
        self.primary()
    }

    /// A constant with its sign.
    pub(super) fn unary_literal(&mut self) -> Result<Expr> {
        self.unary()
    }

    fn primary(&mut self) -> Result<Expr> {
        let tok = self.peek().clone();
        match tok {
            Tok::Number(text) => {
                self.advance();
                number(&text).ok_or_else(|| self.wrong())
            }
            Tok::Text(mut text) => {
                self.advance();
                // Texts beside each other are one.
                while let Tok::Text(more) = self.peek() {
                    text.push_str(more);
                    self.at += 1;
                }
                Ok(Expr::Literal(Value::text(text)))
            }
            Tok::Var(name) => {
                self.advance();
                Ok(Expr::Variable(name.to_ascii_lowercase()))
            }
            Tok::System(name) => {
                self.advance();
                Ok(Expr::System(name.to_ascii_lowercase()))
            }
            Tok::Sign("(") => self.parenthesis(),
            Tok::Word(word) => self.word(&word.to_ascii_uppercase()),
            Tok::Quoted(_) => self.column(),
            _ => Err(self.wrong()),
        }
    }

    fn parenthesis(&mut self) -> Result<Expr> {
        self.expect_sign("(")?;
        let inside = if self.comes("SELECT") { Expr::Scalar(Box::new(self.query()?)) } else { self.expr()? };
        if matches!(self.peek(), Tok::Sign(",")) {
            return Err(Error::refused("kubonsai does not support rows in expressions (mysql) yet"));
        }
        self.expect_sign(")")?;
        Ok(inside)
    }

    fn word(&mut self, word: &str) -> Result<Expr> {
        let call = matches!(self.peek_at(1), Tok::Sign("("));
        match word {
            "NULL" | "TRUE" | "FALSE" => {
                self.advance();
                Ok(Expr::Literal(if word == "NULL" { Value::Null } else { Value::bool(word == "TRUE") }))
            }
            "CASE" => self.case(),
            "EXISTS" if call => {
                self.advance();
                self.expect_sign("(")?;
                let query = self.query()?;
                self.expect_sign(")")?;
                Ok(Expr::Exists(Box::new(query)))
            }
            "DEFAULT" if !call => {
                self.advance();
                Ok(Expr::Default)
            }
            "CAST" | "CONVERT" if call => self.cast(word == "CAST"),
            "DATE" | "TIME" | "TIMESTAMP" if matches!(self.peek_at(1), Tok::Text(_)) => {
                self.advance();
                let ty = match word {
                    "DATE" => Type::Date,
                    "TIME" => Type::Time(0),
                    _ => Type::DateTime(0),
                };
                Ok(Expr::Cast(Box::new(Expr::Literal(Value::text(self.text()?))), ty))
            }
            _ if call && (self.is_name(0) || KEYWORD_FUNCTIONS.contains(&word) || BARE.contains(&word)) => {
                self.function(word)
            }
            _ if BARE.contains(&word) => {
                self.advance();
                Ok(Expr::Function {
                    name: word.to_owned(),
                    args: Vec::new(),
                    distinct: false,
                    separator: None,
                    order: Vec::new(),
                })
            }
            _ => self.column(),
        }
    }

    /// `a`, `t.a`, `db.t.a`.
    fn column(&mut self) -> Result<Expr> {
        let mut parts = vec![self.name()?];
        while self.sign(".") {
            parts.push(self.any_name()?);
        }
        let name = parts.pop().unwrap_or_default();
        Ok(Expr::Column { table: parts.pop(), name })
    }

    fn case(&mut self) -> Result<Expr> {
        self.expect("CASE")?;
        let of = if self.comes("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut whens = Vec::new();
        while self.take("WHEN") {
            let when = self.expr()?;
            self.expect("THEN")?;
            whens.push((when, self.expr()?));
        }
        if whens.is_empty() {
            return Err(self.wrong());
        }
        let otherwise = if self.take("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        self.expect("END")?;
        Ok(Expr::Case { of, whens, otherwise })
    }

    fn cast(&mut self, with_as: bool) -> Result<Expr> {
        self.advance();
        self.expect_sign("(")?;
        let of = Box::new(self.expr()?);
        if with_as {
            self.expect("AS")?;
        } else if self.comes("USING") {
            return Err(Error::refused("kubonsai does not support CONVERT with USING (mysql) yet"));
        } else {
            self.expect_sign(",")?;
        }
        let ty = if self.take("SIGNED") || self.take("UNSIGNED") {
            let _ = self.take("INTEGER");
            BIGINT
        } else if self.take("CHAR") {
            match self.length()? {
                Some(n) => Type::Varchar(n),
                None => ANY_TEXT,
            }
        } else {
            self.column_type()?
        };
        self.expect_sign(")")?;
        Ok(Expr::Cast(of, ty))
    }

    fn function(&mut self, name: &str) -> Result<Expr> {
        self.advance();
        self.expect_sign("(")?;
        if name == "COUNT" && self.sign("*") {
            self.expect_sign(")")?;
            self.no_window()?;
            return Ok(Expr::CountAll);
        }
        let distinct = self.take("DISTINCT");
        let mut args = Vec::new();
        if !matches!(self.peek(), Tok::Sign(")")) && !self.comes("SEPARATOR") {
            if name == "EXTRACT" {
                return Err(Error::refused("kubonsai does not support EXTRACT (mysql) yet"));
            }
            args.push(self.expr()?);
            while self.sign(",") {
                if self.take("INTERVAL") {
                    let (count, unit) = self.interval()?;
                    self.expect_sign(")")?;
                    let of = Box::new(args.remove(0));
                    let negative = matches!(name, "DATE_SUB" | "SUBDATE");
                    return Ok(Expr::Interval { of, count: Box::new(count), unit, negative });
                }
                args.push(self.expr()?);
            }
        }
        let order = if self.take("ORDER BY") { self.list(Self::order_item)? } else { Vec::new() };
        let separator = if self.take("SEPARATOR") { Some(self.text()?) } else { None };
        self.expect_sign(")")?;
        self.no_window()?;
        if name == "VALUES"
            && let [Expr::Column { name, .. }] = args.as_slice()
        {
            return Ok(Expr::Inserted(name.clone()));
        }
        Ok(Expr::Function { name: name.to_owned(), args, distinct, separator, order })
    }

    fn no_window(&self) -> Result<()> {
        match self.comes("OVER") {
            true => Err(Error::refused("kubonsai does not support window functions (mysql) yet")),
            false => Ok(()),
        }
    }
}

fn number(text: &str) -> Option<Expr> {
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(|n| Expr::Literal(Value::Double(n)));
    }
    if let Ok(n) = text.parse() {
        return Some(Expr::Literal(Value::Int(n)));
    }
    value::parse_decimal(text).map(|(digits, scale)| Expr::Literal(Value::Decimal(digits, scale)))
}
