//! From text to statements: a parser that goes down from rule to rule. Every rule is a method of [`Parser`].

mod ddl;
mod expr;
mod query;
mod statement;
mod users;

use crate::ast::{Name, Statement};
use crate::error::{Error, Result};
use crate::lexer::{Tok, Token, syntax_error, tokens};

/// Words that are no names unless they are quoted. Sorted.
const RESERVED: &[&str] = &[
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BIGINT",
    "BINARY",
    "BLOB",
    "BOTH",
    "BY",
    "CASCADE",
    "CASE",
    "CHANGE",
    "CHAR",
    "CHARACTER",
    "CHECK",
    "COLLATE",
    "COLUMN",
    "CONSTRAINT",
    "CONVERT",
    "CREATE",
    "CROSS",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATABASE",
    "DATABASES",
    "DECIMAL",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DIV",
    "DOUBLE",
    "DROP",
    "ELSE",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FLOAT",
    "FOR",
    "FORCE",
    "FOREIGN",
    "FROM",
    "FULLTEXT",
    "GENERATED",
    "GRANT",
    "GROUP",
    "HAVING",
    "IF",
    "IGNORE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INT",
    "INTEGER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "KEYS",
    "KILL",
    "LEADING",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOAD",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOCK",
    "LONG",
    "LONGBLOB",
    "LONGTEXT",
    "MATCH",
    "MEDIUMINT",
    "MEDIUMTEXT",
    "MOD",
    "NATURAL",
    "NOT",
    "NULL",
    "NUMERIC",
    "OF",
    "ON",
    "OPTION",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRIMARY",
    "PROCEDURE",
    "RANGE",
    "RANK",
    "READ",
    "REFERENCES",
    "REGEXP",
    "RENAME",
    "REPLACE",
    "REQUIRE",
    "RESTRICT",
    "REVOKE",
    "RIGHT",
    "RLIKE",
    "ROW",
    "ROWS",
    "SCHEMA",
    "SCHEMAS",
    "SELECT",
    "SET",
    "SHOW",
    "SMALLINT",
    "STRAIGHT_JOIN",
    "SYSTEM",
    "TABLE",
    "THEN",
    "TINYINT",
    "TINYTEXT",
    "TO",
    "TRAILING",
    "TRIGGER",
    "TRUE",
    "UNION",
    "UNIQUE",
    "UNLOCK",
    "UNSIGNED",
    "UPDATE",
    "USAGE",
    "USE",
    "USING",
    "UTC_DATE",
    "UTC_TIMESTAMP",
    "VALUES",
    "VARCHAR",
    "VIRTUAL",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WRITE",
    "XOR",
    "ZEROFILL",
];

/// How deep expressions and queries may lie in each other: the stack of a guest is small.
const DEPTH_MAX: usize = 40;

/// Operators of an expression, or of a SELECT as a whole: each may be a level when it is computed.
const OPERATORS_MAX: usize = 250;

/// Tables that a SELECT joins at most, as in MySQL. Each is a level of its plan.
const SOURCES_MAX: usize = 61;

/// Levels of the plans of queries within queries: the tables of each, one below the other.
const LEVELS_MAX: usize = 250;

/// Reads one statement.
///
/// # Errors
/// 1064 where it is none, 1235 for what is known and not built.
pub(crate) fn statement(sql: &str) -> Result<Statement> {
    let mut parser = Parser { sql, tokens: tokens(sql)?, at: 0, depth: 0, operators: 0, sources: 0, below: 0 };
    let statement = parser.statement()?;
    while parser.sign(";") {}
    match parser.peek() {
        Tok::End => Ok(statement),
        _ => Err(parser.wrong()),
    }
}

pub(crate) struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    operators: usize,
    /// Tables of the SELECT in hand.
    sources: usize,
    /// Levels of the queries within it so far.
    below: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Tok {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Tok {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].tok
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The complaint about where we are.
    fn wrong(&self) -> Error {
        syntax_error(self.sql, self.tokens[self.at].start)
    }

    /// Counts an operator.
    fn operator(&mut self) -> Result<()> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(Error::refused(format!(
                "kubonsai does not support more than {OPERATORS_MAX} operators in a statement (mysql) yet"
            )));
        }
        Ok(())
    }

    /// Counts a table of a SELECT.
    fn source(&mut self) -> Result<()> {
        self.sources += 1;
        if self.sources > SOURCES_MAX {
            let text = format!("Too many tables; MySQL can only use {SOURCES_MAX} tables in a join");
            return Err(Error::new(1116, "HY000", text));
        }
        Ok(())
    }

    fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::refused(format!(
                "kubonsai does not support more than {DEPTH_MAX} levels in a statement (mysql) yet"
            )));
        }
        let result = rule(self);
        self.depth -= 1;
        result
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Tok::Word(w) if w.eq_ignore_ascii_case(word))
    }

    /// Whether these words come next.
    fn comes(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(i, word)| self.is_word(i, word))
    }

    /// Takes these words if they come next.
    fn take(&mut self, words: &str) -> bool {
        let comes = self.comes(words);
        if comes {
            self.at += words.split(' ').count();
        }
        comes
    }

    fn expect(&mut self, words: &str) -> Result<()> {
        for word in words.split(' ') {
            if !self.take(word) {
                return Err(self.wrong());
            }
        }
        Ok(())
    }

    fn sign(&mut self, sign: &str) -> bool {
        let comes = matches!(self.peek(), Tok::Sign(s) if *s == sign);
        if comes {
            self.advance();
        }
        comes
    }

    fn expect_sign(&mut self, sign: &str) -> Result<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.wrong()) }
    }

    fn is_name(&self, ahead: usize) -> bool {
        match self.peek_at(ahead) {
            Tok::Quoted(_) => true,
            Tok::Word(word) => RESERVED.binary_search(&word.to_ascii_uppercase().as_str()).is_err(),
            _ => false,
        }
    }

    /// A name; keywords are none.
    fn name(&mut self) -> Result<String> {
        if self.is_name(0) { self.any_name() } else { Err(self.wrong()) }
    }

    /// A name where no keyword can stand, as after a point.
    fn any_name(&mut self) -> Result<String> {
        match self.peek() {
            Tok::Word(name) | Tok::Quoted(name) => {
                let name = name.clone();
                self.advance();
                Ok(name)
            }
            _ => Err(self.wrong()),
        }
    }

    /// `table`, `db.table`.
    fn table_name(&mut self) -> Result<Name> {
        let first = self.name()?;
        if self.sign(".") {
            return Ok(Name { db: Some(first), name: self.any_name()? });
        }
        Ok(Name { db: None, name: first })
    }

    fn text(&mut self) -> Result<String> {
        match self.peek() {
            Tok::Text(text) => {
                let text = text.clone();
                self.advance();
                Ok(text)
            }
            _ => Err(self.wrong()),
        }
    }

    fn whole<T: std::str::FromStr>(&mut self) -> Result<T> {
        match self.peek() {
            Tok::Number(text) => {
                let number = text.parse().map_err(|_| self.wrong())?;
                self.advance();
                Ok(number)
            }
            _ => Err(self.wrong()),
        }
    }

    /// One or more, with commas between them.
    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// `(a, b)`.
    fn names(&mut self) -> Result<Vec<String>> {
        self.expect_sign("(")?;
        let names = self.list(Self::name)?;
        self.expect_sign(")")?;
        Ok(names)
    }

    fn if_exists(&mut self) -> bool {
        self.take("IF EXISTS")
    }

    fn if_not_exists(&mut self) -> bool {
        self.take("IF NOT EXISTS")
    }

    /// What was written from a token on to where we are.
    fn written(&self, from: usize) -> String {
        let end = self.tokens[self.at.saturating_sub(1)].end;
        self.sql[self.tokens[from].start..end].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(sql: &str) -> String {
        let error = statement(sql).expect_err(sql);
        assert_eq!(error.code, 1064, "{sql}: {}", error.text);
        error.text.split("to use near ").nth(1).unwrap_or_default().to_owned()
    }

    #[test]
    fn complaints_begin_where_it_goes_wrong() {
        assert!(RESERVED.is_sorted());
        assert_eq!(near("SELEC 1"), "'SELEC 1' at line 1");
        assert_eq!(near("SELECT * FORM t"), "'FORM t' at line 1");
        assert_eq!(near("SELECT * FROM"), "'' at line 1");
        assert_eq!(near("SELECT\n1 +"), "'' at line 2");
        assert_eq!(near("INSERT INTO t VALUES (1,"), "'' at line 1");
        assert_eq!(near("CREATE TABLE t (id INT PRIMARY KEY, from INT)"), "'from INT)' at line 1");
        assert_eq!(near("SELECT 1 1"), "'1' at line 1");
    }

    #[test]
    fn what_is_known_is_refused_by_name() {
        for sql in
            ["CREATE VIEW v AS SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "CALL p()", "SELECT RANK() OVER ()"]
        {
            let error = statement(sql).expect_err(sql);
            assert!(
                error.code == 1235 && error.text.starts_with("kubonsai does not support "),
                "{sql}: {}",
                error.text
            );
        }
        let deep = format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500));
        assert_eq!(statement(&deep).expect_err("deep").code, 1235);
        let long = format!("SELECT 1{}", " + 1".repeat(500));
        assert_eq!(statement(&long).expect_err("long").code, 1235);
    }

    #[test]
    fn tables_of_a_join_are_counted() {
        let nested = |depth: usize| {
            let inner =
                format!("{}t{}", "(SELECT 1 FROM ".repeat(depth), format!(") t{}", ", t".repeat(40)).repeat(depth));
            statement(&format!("SELECT 1 FROM {inner}")).map(|_| ()).map_err(|error| error.code)
        };
        assert_eq!((nested(5), nested(30)), (Ok(()), Err(1235)));
        for join in [", t", " JOIN t ON 1", " LEFT JOIN (SELECT 1 FROM a, b) t ON 1"] {
            assert!(statement(&format!("SELECT 1 FROM t{}", join.repeat(60))).is_ok(), "{join}");
            let error = statement(&format!("SELECT 1 FROM t{}", join.repeat(10_000))).expect_err("too many");
            assert_eq!(
                (error.code, error.text.as_str()),
                (1116, "Too many tables; MySQL can only use 61 tables in a join")
            );
        }
    }
}
