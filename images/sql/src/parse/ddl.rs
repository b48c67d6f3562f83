//! What makes and changes tables.

use super::Parser;
use crate::ast::{Alter, CreateTable, Expr, Place, Statement};
use crate::catalog::{Action, Column, Default, ForeignKey, Index, PRIMARY};
use crate::error::{Error, Result};
use crate::lexer::Tok;
use crate::types::Type;
use crate::value::Value;

/// What a column's own definition says about keys.
#[derive(Default)]
struct Keys {
    indexes: Vec<Index>,
    foreign: Vec<ForeignKey>,
}

/// Types that MySQL has and this engine has not.
const UNBUILT_TYPES: &[&str] = &[
    "BINARY",
    "BIT",
    "BLOB",
    "ENUM",
    "GEOMETRY",
    "JSON",
    "LONGBLOB",
    "MEDIUMBLOB",
    "POINT",
    "SET",
    "TINYBLOB",
    "VARBINARY",
    "VECTOR",
    "YEAR",
];

/// Digits of a DECIMAL without any said.
const DECIMAL_DIGITS: u8 = 10;

impl Parser<'_> {
    pub(super) fn create_table(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists();
        let name = self.table_name()?;
        let mut table = CreateTable {
            name,
            if_not_exists,
            columns: Vec::new(),
            indexes: Vec::new(),
            foreign: Vec::new(),
            auto_increment: 0,
            comment: String::new(),
            like: None,
            query: None,
        };
        if self.take("LIKE") {
            table.like = Some(self.table_name()?);
            return Ok(Statement::CreateTable(Box::new(table)));
        }
        if self.sign("(") {
            self.list(|parser| parser.table_part(&mut table))?;
            self.expect_sign(")")?;
        }
        self.table_options(&mut table)?;
        let _ = self.take("AS");
        if self.comes("SELECT") {
            if !table.columns.is_empty() {
                return Err(Error::refused(
                    "kubonsai does not support CREATE TABLE with columns and SELECT (mysql) yet",
                ));
            }
            table.query = Some(self.query()?);
        } else if table.columns.is_empty() {
            return Err(match self.peek() {
                Tok::End => Error::new(1113, "42000", "A table must have at least 1 column"),
                _ => self.wrong(),
            });
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    fn table_part(&mut self, table: &mut CreateTable) -> Result<()> {
        let mut keys = Keys::default();
        if !self.key_part(&mut keys)? {
            let column = self.column_definition(&mut keys)?;
            table.columns.push(column);
        }
        table.indexes.append(&mut keys.indexes);
        table.foreign.append(&mut keys.foreign);
        Ok(())
    }

    /// A key or a constraint; false if a column comes.
    fn key_part(&mut self, keys: &mut Keys) -> Result<bool> {
        let named = self.take("CONSTRAINT");
        let constraint = if named && self.is_name(0) { Some(self.name()?) } else { None };
        if self.take("PRIMARY KEY") {
            self.skip_using()?;
            keys.indexes.push(Index { name: PRIMARY.to_owned(), columns: self.key_columns()?, unique: true });
        } else if self.take("UNIQUE") {
            let _ = self.take("KEY") || self.take("INDEX");
            let name = if self.is_name(0) { Some(self.name()?) } else { constraint };
            self.skip_using()?;
            keys.indexes.push(Index { name: name.unwrap_or_default(), columns: self.key_columns()?, unique: true });
        } else if self.take("FOREIGN KEY") {
            let _ = if self.is_name(0) { Some(self.name()?) } else { None };
            let columns = self.names()?;
            keys.foreign.push(self.references(constraint.unwrap_or_default(), columns)?);
        } else if self.comes("CHECK") {
            return Err(Error::refused("kubonsai does not support CHECK constraints (mysql) yet"));
        } else if self.comes("FULLTEXT") || self.comes("SPATIAL") {
            return Err(Error::refused("kubonsai does not support FULLTEXT and SPATIAL keys (mysql) yet"));
        } else if !named && (self.take("KEY") || self.take("INDEX")) {
            let name = if self.is_name(0) { self.name()? } else { String::new() };
            self.skip_using()?;
            keys.indexes.push(Index { name, columns: self.key_columns()?, unique: false });
        } else if named {
            return Err(self.wrong());
        } else {
            return Ok(false);
        }
        self.skip_using()?;
        Ok(true)
    }

    /// `USING BTREE`: there is one kind of index here.
    fn skip_using(&mut self) -> Result<()> {
        if self.take("USING") {
            self.any_name()?;
        }
        Ok(())
    }

    /// `(a, b(10) DESC)`: lengths and directions change no result.
    pub(super) fn key_columns(&mut self) -> Result<Vec<String>> {
        self.expect_sign("(")?;
        let columns = self.list(|parser| {
            let name = parser.name()?;
            if matches!(parser.peek(), Tok::Sign("(")) {
                return Err(Error::refused(
                    "kubonsai does not support keys of the first characters of a column (mysql) yet",
                ));
            }
            let _ = parser.take("ASC") || parser.take("DESC");
            Ok(name)
        })?;
        self.expect_sign(")")?;
        Ok(columns)
    }

    fn references(&mut self, name: String, columns: Vec<String>) -> Result<ForeignKey> {
        self.expect("REFERENCES")?;
        let table = self.table_name()?;
        if table.db.is_some() {
            return Err(Error::refused("kubonsai does not support foreign keys into other databases (mysql) yet"));
        }
        let parent_columns = self.names()?;
        let mut key = ForeignKey {
            name,
            columns,
            parent: table.name,
            parent_columns,
            on_delete: Action::Restrict,
            on_update: Action::Restrict,
        };
        while self.take("ON") {
            let delete = self.take("DELETE");
            if !delete {
                self.expect("UPDATE")?;
            }
            let action = if self.take("CASCADE") {
                Action::Cascade
            } else if self.take("SET NULL") {
                Action::SetNull
            } else if self.take("RESTRICT") || self.take("NO ACTION") {
                Action::Restrict
            } else {
                return Err(self.wrong());
            };
            *(if delete { &mut key.on_delete } else { &mut key.on_update }) = action;
        }
        Ok(key)
    }

    fn column_definition(&mut self, keys: &mut Keys) -> Result<Column> {
        let name = self.name()?;
        let serial = self.take("SERIAL");
        let ty = if serial { Type::Int(8, true) } else { self.column_type()? };
        let mut column = Column {
            name: name.clone(),
            ty,
            not_null: serial,
            default: None,
            auto_increment: serial,
            on_update_now: false,
            comment: String::new(),
        };
        let index =
            |name: &str, key: &str, unique| Index { name: key.to_owned(), columns: vec![name.to_owned()], unique };
        if serial {
            keys.indexes.push(index(&name, "", true));
        }
        loop {
            if self.take("NOT NULL") {
                column.not_null = true;
            } else if self.take("NULL") {
                column.not_null = false;
            } else if self.take("DEFAULT") {
                column.default = Some(self.default_value()?);
            } else if self.take("ON UPDATE") {
                self.now()?;
                column.on_update_now = true;
            } else if self.take("AUTO_INCREMENT") {
                column.auto_increment = true;
            } else if self.take("PRIMARY KEY") || self.take("KEY") {
                keys.indexes.push(index(&name, PRIMARY, true));
            } else if self.take("UNIQUE") {
                let _ = self.take("KEY");
                keys.indexes.push(index(&name, "", true));
            } else if self.take("COMMENT") {
                column.comment = self.text()?;
            } else if self.take("CHARACTER SET") || self.take("CHARSET") || self.take("COLLATE") {
                self.collation()?;
            } else if self.comes("REFERENCES") {
                // MySQL reads what a column itself refers to, and forgets it, up to 9.0.
                return Err(Error::refused(
                    "kubonsai does not support REFERENCES of a column without FOREIGN KEY (mysql) yet",
                ));
            } else if self.comes("CHECK") || self.comes("CONSTRAINT") {
                return Err(Error::refused("kubonsai does not support CHECK constraints (mysql) yet"));
            } else if self.comes("GENERATED") || self.comes("AS") {
                return Err(Error::refused("kubonsai does not support generated columns (mysql) yet"));
            } else {
                return Ok(column);
            }
        }
    }

    /// `utf8mb4`, `utf8mb4_unicode_ci`, ...: the names are read, and there is one order of texts.
    fn collation(&mut self) -> Result<()> {
        let _ = self.sign("=");
        let name = match self.peek() {
            Tok::Text(_) => self.text()?,
            _ => self.any_name()?,
        };
        match name.to_ascii_lowercase() {
            n if (n.starts_with("utf8") || n.starts_with("latin1")) && !n.ends_with("_bin") && !n.ends_with("_cs") => {
                Ok(())
            }
            n => {
                Err(Error::refused(format!("kubonsai does not support the character set or collation {n} (mysql) yet")))
            }
        }
    }

    /// `CURRENT_TIMESTAMP`, `NOW()`, `CURRENT_TIMESTAMP(6)`.
    fn now(&mut self) -> Result<()> {
        if !(self.take("CURRENT_TIMESTAMP")
            || self.take("NOW")
            || self.take("LOCALTIME")
            || self.take("LOCALTIMESTAMP"))
        {
            return Err(self.wrong());
        }
        if self.sign("(") && !self.sign(")") {
            self.whole::<u8>()?;
            self.expect_sign(")")?;
        }
        Ok(())
    }

    fn default_value(&mut self) -> Result<Default> {
        if matches!(self.peek(), Tok::Sign("(")) {
            return Err(Error::refused("kubonsai does not support expressions as defaults (mysql) yet"));
        }
        if ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].iter().any(|word| self.comes(word)) {
            self.now()?;
            return Ok(Default::Now);
        }
        match self.literal()? {
            Some(value) => Ok(Default::Value(value)),
            None => Err(self.wrong()),
        }
    }

    /// A constant, with its sign.
    fn literal(&mut self) -> Result<Option<Value>> {
        let begin = self.at;
        if matches!(self.peek(), Tok::Number(_) | Tok::Text(_) | Tok::Sign("-" | "+"))
            || ["NULL", "TRUE", "FALSE"].iter().any(|word| self.comes(word))
        {
            // The rule for a sum would read on behind the constant, where ON UPDATE or COMMENT may stand.
            if let Expr::Literal(value) = self.unary_literal()? {
                return Ok(Some(value));
            }
        }
        self.at = begin;
        Ok(None)
    }

    /// Characters, digits: `(n)`.
    pub(super) fn length(&mut self) -> Result<Option<u32>> {
        if !self.sign("(") {
            return Ok(None);
        }
        let length = self.whole()?;
        self.expect_sign(")")?;
        Ok(Some(length))
    }

    pub(super) fn column_type(&mut self) -> Result<Type> {
        let at = self.at;
        let name = match self.peek() {
            Tok::Word(word) => word.to_ascii_uppercase(),
            _ => return Err(self.wrong()),
        };
        self.advance();
        let ty = match name.as_str() {
            "TINYINT" | "INT1" => match self.length()? {
                Some(1) => Type::Bool,
                _ => self.whole_type(1)?,
            },
            "BOOL" | "BOOLEAN" => Type::Bool,
            "SMALLINT" => self.whole_type(2)?,
            "MEDIUMINT" => self.whole_type(3)?,
            "INT" | "INTEGER" => self.whole_type(4)?,
            "BIGINT" => self.whole_type(8)?,
            "DECIMAL" | "NUMERIC" | "DEC" | "FIXED" => self.decimal_type()?,
            "FLOAT" | "DOUBLE" | "REAL" => {
                let _ = self.take("PRECISION");
                if self.sign("(") {
                    self.list(Self::whole::<u8>)?;
                    self.expect_sign(")")?;
                }
                if name == "FLOAT" { Type::Float } else { Type::Double }
            }
            "CHAR" | "CHARACTER" | "NCHAR" => {
                if self.take("VARYING") {
                    Type::Varchar(self.length()?.ok_or_else(|| self.wrong())?)
                } else {
                    Type::Char(self.length()?.unwrap_or(1))
                }
            }
            "VARCHAR" | "NVARCHAR" => Type::Varchar(self.length()?.ok_or_else(|| self.wrong())?),
            "TINYTEXT" => Type::Text(1),
            "TEXT" => {
                self.length()?;
                Type::Text(2)
            }
            "MEDIUMTEXT" => Type::Text(3),
            "LONGTEXT" => Type::Text(4),
            "DATE" => Type::Date,
            "DATETIME" => Type::DateTime(self.places()?),
            "TIMESTAMP" => Type::Timestamp(self.places()?),
            "TIME" => Type::Time(self.places()?),
            unbuilt if UNBUILT_TYPES.contains(&unbuilt) => {
                return Err(Error::refused(format!("kubonsai does not support the type {unbuilt} (mysql) yet")));
            }
            _ => {
                self.at = at;
                return Err(self.wrong());
            }
        };
        Ok(ty)
    }

    fn places(&mut self) -> Result<u8> {
        Ok(self.length()?.map_or(0, |n| n.min(6) as u8))
    }

    fn whole_type(&mut self, bytes: u8) -> Result<Type> {
        self.length()?;
        let unsigned = self.take("UNSIGNED");
        let _ = !unsigned && self.take("SIGNED");
        if self.comes("ZEROFILL") {
            return Err(Error::refused("kubonsai does not support ZEROFILL (mysql) yet"));
        }
        Ok(Type::Int(bytes, unsigned))
    }

    fn decimal_type(&mut self) -> Result<Type> {
        if !self.sign("(") {
            return Ok(Type::Decimal(DECIMAL_DIGITS, 0));
        }
        let precision = self.whole()?;
        let scale = if self.sign(",") { self.whole()? } else { 0 };
        self.expect_sign(")")?;
        Ok(Type::Decimal(precision, scale))
    }

    fn table_options(&mut self, table: &mut CreateTable) -> Result<()> {
        loop {
            let _ = self.sign(",");
            if self.take("AUTO_INCREMENT") {
                let _ = self.sign("=");
                table.auto_increment = self.whole()?;
            } else if self.take("COMMENT") {
                let _ = self.sign("=");
                table.comment = self.text()?;
            } else if self.take("ENGINE") {
                let _ = self.sign("=");
                let engine = self.any_name()?;
                if !engine.eq_ignore_ascii_case("InnoDB") {
                    return Err(Error::refused(format!(
                        "kubonsai does not support the storage engine {engine} (mysql) yet"
                    )));
                }
            } else if self.take("DEFAULT CHARSET")
                || self.take("DEFAULT CHARACTER SET")
                || self.take("DEFAULT COLLATE")
                || self.take("CHARSET")
                || self.take("CHARACTER SET")
                || self.take("COLLATE")
            {
                self.collation()?;
            } else if self.take("ROW_FORMAT") {
                let _ = self.sign("=");
                self.any_name()?;
            } else if self.comes("PARTITION") {
                return Err(Error::refused("kubonsai does not support partitions (mysql) yet"));
            } else {
                return Ok(());
            }
        }
    }

    /// The options of a database, which change nothing.
    pub(super) fn database_options(&mut self) -> Result<()> {
        loop {
            let _ = self.take("DEFAULT");
            if !(self.take("CHARACTER SET") || self.take("CHARSET") || self.take("COLLATE")) {
                return Ok(());
            }
            self.collation()?;
        }
    }

    pub(super) fn alter_table(&mut self) -> Result<Statement> {
        let name = self.table_name()?;
        let mut all = Vec::new();
        loop {
            self.alteration(&mut all)?;
            if !self.sign(",") {
                return Ok(Statement::Alter(name, all));
            }
        }
    }

    fn place(&mut self) -> Result<Place> {
        if self.take("FIRST") {
            return Ok(Place::First);
        }
        if self.take("AFTER") { Ok(Place::After(self.name()?)) } else { Ok(Place::Last) }
    }

    fn alteration(&mut self, all: &mut Vec<Alter>) -> Result<()> {
        let mut keys = Keys::default();
        if self.take("ADD") {
            if !self.key_part(&mut keys)? {
                let _ = self.take("COLUMN");
                let several = self.sign("(");
                loop {
                    let column = self.column_definition(&mut keys)?;
                    all.push(Alter::AddColumn(column, self.place()?));
                    if !several || !self.sign(",") {
                        break;
                    }
                }
                if several {
                    self.expect_sign(")")?;
                }
            }
        } else if self.take("MODIFY") {
            let _ = self.take("COLUMN");
            let column = self.column_definition(&mut keys)?;
            all.push(Alter::ChangeColumn(column.name.clone(), column, self.place()?));
        } else if self.take("CHANGE") {
            let _ = self.take("COLUMN");
            let old = self.name()?;
            let column = self.column_definition(&mut keys)?;
            all.push(Alter::ChangeColumn(old, column, self.place()?));
        } else if self.take("RENAME COLUMN") {
            let old = self.name()?;
            self.expect("TO")?;
            all.push(Alter::RenameColumn(old, self.name()?));
        } else if self.take("RENAME") {
            let _ = self.take("TO") || self.take("AS");
            all.push(Alter::Rename(self.table_name()?));
        } else if self.take("DROP") {
            all.push(self.drop_part()?);
        } else if self.take("ALTER") {
            let _ = self.take("COLUMN");
            let name = self.name()?;
            if self.take("DROP DEFAULT") {
                all.push(Alter::SetDefault(name, None));
            } else {
                self.expect("SET DEFAULT")?;
                let value = self.literal()?.ok_or_else(|| self.wrong())?;
                all.push(Alter::SetDefault(name, Some(value)));
            }
        } else if self.take("AUTO_INCREMENT") {
            let _ = self.sign("=");
            all.push(Alter::AutoIncrement(self.whole()?));
        } else if self.take("ENGINE") {
            let _ = self.sign("=");
            self.any_name()?;
        } else {
            return Err(self.wrong());
        }
        all.extend(keys.indexes.into_iter().map(Alter::AddIndex));
        all.extend(keys.foreign.into_iter().map(Alter::AddForeignKey));
        Ok(())
    }

    fn drop_part(&mut self) -> Result<Alter> {
        if self.take("PRIMARY KEY") {
            return Ok(Alter::DropIndex(PRIMARY.to_owned()));
        }
        if self.take("INDEX") || self.take("KEY") {
            return Ok(Alter::DropIndex(self.name()?));
        }
        if self.take("FOREIGN KEY") || self.take("CONSTRAINT") {
            return Ok(Alter::DropForeignKey(self.name()?));
        }
        let _ = self.take("COLUMN");
        Ok(Alter::DropColumn(self.name()?))
    }
}
