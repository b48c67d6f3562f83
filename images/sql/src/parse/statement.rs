//! What a statement begins with.

use super::Parser;
use crate::ast::{Alter, Expr, Name, Show, Statement};
use crate::catalog::Index;
use crate::error::{Error, Result};
use crate::lexer::Tok;
use crate::value::Value;

/// Statements that MySQL has and this engine has not, by their first words.
const UNBUILT: &[&str] = &[
    "ALTER DATABASE",
    "ALTER INSTANCE",
    "ALTER SCHEMA",
    "ALTER VIEW",
    "ANALYZE",
    "BACKUP",
    "BINLOG",
    "CALL",
    "CHANGE",
    "CHECK",
    "CHECKSUM",
    "CLONE",
    "CREATE DEFINER",
    "CREATE EVENT",
    "CREATE FULLTEXT",
    "CREATE FUNCTION",
    "CREATE OR REPLACE",
    "CREATE PROCEDURE",
    "CREATE ROLE",
    "CREATE SERVER",
    "CREATE SPATIAL",
    "CREATE TABLESPACE",
    "CREATE TEMPORARY",
    "CREATE TRIGGER",
    "CREATE VIEW",
    "DEALLOCATE",
    "DO",
    "DROP EVENT",
    "DROP FUNCTION",
    "DROP PROCEDURE",
    "DROP ROLE",
    "DROP TABLESPACE",
    "DROP TRIGGER",
    "DROP VIEW",
    "EXECUTE",
    "HANDLER",
    "HELP",
    "INSTALL",
    "KILL",
    "LOAD",
    "OPTIMIZE",
    "PREPARE",
    "PURGE",
    "RELEASE",
    "REPAIR",
    "RESET",
    "RESTART",
    "SAVEPOINT",
    "SHUTDOWN",
    "SIGNAL",
    "START REPLICA",
    "START SLAVE",
    "STOP",
    "TABLE",
    "UNINSTALL",
    "VALUES",
    "WITH",
    "XA",
];

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Result<Statement> {
        if let Some(words) = UNBUILT.iter().find(|words| self.comes(words)) {
            return Err(Error::refused(format!("kubonsai does not support the statement {words} (mysql) yet")));
        }
        if matches!(self.peek(), Tok::End) {
            return Ok(Statement::Nothing);
        }
        if matches!(self.peek(), Tok::Sign("(")) {
            self.advance();
            let inside = self.query()?;
            self.expect_sign(")")?;
            return Ok(Statement::Query(Box::new(inside)));
        }
        if self.comes("SELECT") {
            return Ok(Statement::Query(Box::new(self.query()?)));
        }
        if self.take("INSERT") {
            return Ok(Statement::Insert(Box::new(self.insert(false)?)));
        }
        if self.take("REPLACE") {
            return Ok(Statement::Insert(Box::new(self.insert(true)?)));
        }
        if self.take("UPDATE") {
            return Ok(Statement::Update(self.update()?));
        }
        if self.take("DELETE") {
            return Ok(Statement::Delete(self.delete()?));
        }
        if self.take("TRUNCATE") {
            let _ = self.take("TABLE");
            return Ok(Statement::Truncate(self.table_name()?));
        }
        if self.take("USE") {
            return Ok(Statement::Use(self.any_name()?));
        }
        if self.take("CREATE") {
            return self.create();
        }
        if self.take("DROP") {
            return self.drop();
        }
        if self.take("ALTER") {
            return self.alter();
        }
        self.other()
    }

    fn other(&mut self) -> Result<Statement> {
        if self.take("RENAME TABLE") {
            let pairs = self.list(|parser| {
                let old = parser.table_name()?;
                parser.expect("TO")?;
                Ok((old, parser.table_name()?))
            })?;
            return Ok(Statement::RenameTable(pairs));
        }
        if self.comes("GRANT") || self.comes("REVOKE") {
            return self.grant();
        }
        if self.take("FLUSH") {
            self.any_name()?;
            return Ok(Statement::Flush);
        }
        if self.take("BEGIN") || self.take("START TRANSACTION") {
            let _ = self.take("WORK") || self.take("READ WRITE");
            return Ok(Statement::Begin);
        }
        if self.take("COMMIT") || self.take("ROLLBACK") {
            let commit = matches!(&self.tokens[self.at - 1].tok, Tok::Word(w) if w.eq_ignore_ascii_case("COMMIT"));
            let _ = self.take("WORK");
            if self.comes("TO") {
                return Err(Error::refused("kubonsai does not support savepoints (mysql) yet"));
            }
            return Ok(if commit { Statement::Commit } else { Statement::Rollback });
        }
        if self.take("SET") {
            return self.set();
        }
        if self.take("SHOW") {
            return self.show();
        }
        if self.take("DESCRIBE") || self.take("DESC") || self.take("EXPLAIN") {
            return self.describe();
        }
        if self.take("LOCK TABLES")
            || self.take("LOCK TABLE")
            || self.take("UNLOCK TABLES")
            || self.take("UNLOCK TABLE")
        {
            while !matches!(self.peek(), Tok::End) {
                self.advance();
            }
            return Ok(Statement::Lock);
        }
        Err(self.wrong())
    }

    fn create(&mut self) -> Result<Statement> {
        if self.take("DATABASE") || self.take("SCHEMA") {
            let if_not_exists = self.if_not_exists();
            let name = self.name()?;
            self.database_options()?;
            return Ok(Statement::CreateDatabase { name, if_not_exists });
        }
        if self.take("TABLE") {
            return self.create_table();
        }
        if self.take("USER") {
            let if_not_exists = self.if_not_exists();
            return Ok(Statement::CreateUser { accounts: self.accounts_with_passwords()?, if_not_exists });
        }
        let unique = self.take("UNIQUE");
        self.expect("INDEX")?;
        let name = self.name()?;
        self.expect("ON")?;
        let table = self.table_name()?;
        let index = Index { name, columns: self.key_columns()?, unique };
        Ok(Statement::Alter(table, vec![Alter::AddIndex(index)]))
    }

    fn drop(&mut self) -> Result<Statement> {
        if self.take("DATABASE") || self.take("SCHEMA") {
            let if_exists = self.if_exists();
            return Ok(Statement::DropDatabase { name: self.name()?, if_exists });
        }
        if self.take("TABLE") || self.take("TABLES") {
            let if_exists = self.if_exists();
            let names = self.list(Self::table_name)?;
            let _ = self.take("CASCADE") || self.take("RESTRICT");
            return Ok(Statement::DropTable { names, if_exists });
        }
        if self.take("USER") {
            let if_exists = self.if_exists();
            return Ok(Statement::DropUser { accounts: self.list(Self::account)?, if_exists });
        }
        self.expect("INDEX")?;
        let name = self.name()?;
        self.expect("ON")?;
        Ok(Statement::Alter(self.table_name()?, vec![Alter::DropIndex(name)]))
    }

    fn alter(&mut self) -> Result<Statement> {
        if self.take("TABLE") {
            return self.alter_table();
        }
        self.expect("USER")?;
        let _ = self.if_exists();
        Ok(Statement::AlterUser(self.accounts_with_passwords()?))
    }

    fn describe(&mut self) -> Result<Statement> {
        if self.comes("SELECT")
            || self.comes("UPDATE")
            || self.comes("DELETE")
            || self.comes("INSERT")
            || self.comes("ANALYZE")
        {
            return Ok(Statement::Explain);
        }
        let table = self.table_name()?;
        let column = match self.peek() {
            Tok::Text(_) => Some(self.text()?),
            _ if self.is_name(0) => Some(self.name()?),
            _ => None,
        };
        Ok(Statement::Show(Show::Columns { table, full: false }, column))
    }

    /// `SET a = 1, @b = 2, NAMES utf8mb4`.
    fn set(&mut self) -> Result<Statement> {
        if self.take("NAMES") || self.take("CHARACTER SET") {
            match self.peek() {
                Tok::Text(_) => drop(self.text()?),
                _ => drop(self.any_name()?),
            }
            if self.take("COLLATE") {
                self.any_name()?;
            }
            return Ok(Statement::Set(Vec::new()));
        }
        if self.comes("PASSWORD") {
            return self.set_password();
        }
        if self.comes("TRANSACTION") || self.comes("SESSION TRANSACTION") || self.comes("GLOBAL TRANSACTION") {
            return Err(Error::refused("kubonsai does not support SET TRANSACTION (mysql) yet"));
        }
        let all = self.list(|parser| {
            let name = match parser.peek().clone() {
                Tok::Var(name) => {
                    parser.advance();
                    format!("@{}", name.to_ascii_lowercase())
                }
                Tok::System(name) => {
                    parser.advance();
                    name.to_ascii_lowercase()
                }
                _ => {
                    let scope = ["SESSION", "GLOBAL", "LOCAL", "PERSIST"].into_iter().find(|word| parser.take(word));
                    let name = parser.name()?.to_ascii_lowercase();
                    scope.map_or(name.clone(), |scope| format!("{}.{name}", scope.to_ascii_lowercase()))
                }
            };
            if !parser.sign(":=") {
                parser.expect_sign("=")?;
            }
            let value = if parser.take("ON") { Expr::Literal(Value::text("ON")) } else { parser.bare_or_expr()? };
            Ok((name, value))
        })?;
        Ok(Statement::Set(all))
    }

    /// A setting's value may be a word that is no column: `SET sql_mode = TRADITIONAL`.
    fn bare_or_expr(&mut self) -> Result<Expr> {
        Ok(match self.expr()? {
            Expr::Column { table: None, name } => Expr::Literal(Value::text(name)),
            other => other,
        })
    }

    fn show(&mut self) -> Result<Statement> {
        let full = self.take("FULL");
        let _ = self.take("GLOBAL") || self.take("SESSION");
        let from = |parser: &mut Self| parser.take("FROM") || parser.take("IN");
        let what = if self.take("DATABASES") || self.take("SCHEMAS") {
            Show::Databases
        } else if self.take("TABLES") {
            let db = if from(self) { Some(self.name()?) } else { None };
            Show::Tables { db, full }
        } else if self.take("COLUMNS") || self.take("FIELDS") {
            Show::Columns { table: self.table_from()?, full }
        } else if self.take("INDEX") || self.take("INDEXES") || self.take("KEYS") {
            Show::Indexes(self.table_from()?)
        } else if self.take("CREATE TABLE") {
            Show::CreateTable(self.table_name()?)
        } else if self.take("CREATE DATABASE") || self.take("CREATE SCHEMA") {
            let _ = self.if_not_exists();
            Show::CreateDatabase(self.name()?)
        } else if self.take("VARIABLES") {
            Show::Variables
        } else if self.take("STATUS") {
            Show::Status
        } else if self.take("PROCESSLIST") {
            Show::ProcessList
        } else if self.take("WARNINGS") {
            Show::Warnings
        } else if self.take("ERRORS") {
            Show::Errors
        } else if self.take("ENGINES") || self.take("STORAGE ENGINES") {
            Show::Engines
        } else if self.take("GRANTS") {
            let account = if self.take("FOR") { Some(self.account()?) } else { None };
            Show::Grants(account)
        } else if let Tok::Word(word) = self.peek() {
            let word = word.to_ascii_uppercase();
            return Err(Error::refused(format!("kubonsai does not support SHOW {word} (mysql) yet")));
        } else {
            return Err(self.wrong());
        };
        if self.comes("WHERE") {
            return Err(Error::refused("kubonsai does not support SHOW with WHERE (mysql) yet"));
        }
        let like = if self.take("LIKE") { Some(self.text()?) } else { None };
        Ok(Statement::Show(what, like))
    }

    /// `FROM t`, `FROM t FROM db`.
    fn table_from(&mut self) -> Result<Name> {
        if !(self.take("FROM") || self.take("IN")) {
            return Err(self.wrong());
        }
        let mut table = self.table_name()?;
        if self.take("FROM") || self.take("IN") {
            table.db = Some(self.name()?);
        }
        Ok(table)
    }
}
