//! Accounts and what they may do.

use super::Parser;
use crate::ast::{Account, Statement};
use crate::error::{Error, Result};
use crate::lexer::Tok;

impl Parser<'_> {
    /// `'name'@'host'`, `name`, `CURRENT_USER()`.
    pub(super) fn account(&mut self) -> Result<Account> {
        let name = match self.peek() {
            Tok::Text(_) => self.text()?,
            _ => self.name()?,
        };
        let host = match self.peek().clone() {
            Tok::Var(host) => {
                self.advance();
                host
            }
            _ => "%".to_owned(),
        };
        Ok(Account { name, host })
    }

    pub(super) fn accounts_with_passwords(&mut self) -> Result<Vec<(Account, Option<String>)>> {
        let all = self.list(|parser| {
            let account = parser.account()?;
            let mut password = None;
            if parser.take("IDENTIFIED") {
                if parser.take("WITH") {
                    let plugin = match parser.peek() {
                        Tok::Text(_) => parser.text()?,
                        _ => parser.any_name()?,
                    };
                    if plugin != "caching_sha2_password" {
                        return Err(Error::refused(format!(
                            "kubonsai does not support the authentication plugin {plugin} (mysql) yet"
                        )));
                    }
                }
                if parser.take("BY") {
                    password = Some(parser.text()?);
                }
            }
            Ok((account, password))
        })?;
        if matches!(self.peek(), Tok::Word(_)) {
            return Err(Error::refused("kubonsai does not support options of accounts (mysql) yet"));
        }
        Ok(all)
    }

    /// `SET PASSWORD [FOR account] = 'text'`.
    pub(super) fn set_password(&mut self) -> Result<Statement> {
        self.expect("PASSWORD")?;
        if !self.take("FOR") {
            return Err(Error::refused("kubonsai does not support SET PASSWORD without FOR (mysql) yet"));
        }
        let account = self.account()?;
        self.expect_sign("=")?;
        Ok(Statement::AlterUser(vec![(account, Some(self.text()?))]))
    }

    pub(super) fn grant(&mut self) -> Result<Statement> {
        let revoke = self.take("REVOKE");
        if !revoke {
            self.expect("GRANT")?;
        }
        let privileges = self.list(|parser| {
            let mut words = vec![parser.any_name()?.to_ascii_uppercase()];
            while !parser.comes("ON") && !matches!(parser.peek(), Tok::Sign(_) | Tok::End) {
                words.push(parser.any_name()?.to_ascii_uppercase());
            }
            if matches!(parser.peek(), Tok::Sign("(")) {
                return Err(Error::refused("kubonsai does not support privileges of columns (mysql) yet"));
            }
            let words = words.join(" ");
            Ok(if words == "ALL PRIVILEGES" { "ALL".to_owned() } else { words })
        })?;
        if !self.take("ON") {
            return Err(Error::refused("kubonsai does not support roles (mysql) yet"));
        }
        let _ = self.take("TABLE");
        let (db, table) = self.grant_place()?;
        self.expect(if revoke { "FROM" } else { "TO" })?;
        let accounts = self.list(Self::account)?;
        if self.comes("IDENTIFIED") {
            return Err(self.wrong());
        }
        let option = self.take("WITH GRANT OPTION");
        Ok(Statement::Grant { privileges, db, table, accounts, option, revoke })
    }

    /// `*.*`, `db.*`, `db.t`: the database and the table, none for all.
    fn grant_place(&mut self) -> Result<(Option<String>, Option<String>)> {
        let all = self.sign("*");
        let first = if all { None } else { Some(self.name()?) };
        if !self.sign(".") {
            return Err(Error::refused("kubonsai does not support GRANT without a database (mysql) yet"));
        }
        if self.sign("*") {
            return Ok((first, None));
        }
        if all { Err(self.wrong()) } else { Ok((first, Some(self.any_name()?))) }
    }
}
