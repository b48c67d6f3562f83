//! SELECT, and what changes rows.

use super::{LEVELS_MAX, Parser};
use crate::ast::{Change, Expr, From, Insert, Item, Join, Query, Select, Source};
use crate::error::{Error, Result};
use crate::lexer::Tok;

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Result<Query> {
        self.deeper(Self::query_here)
    }

    fn query_here(&mut self) -> Result<Query> {
        let first = self.select()?;
        let mut unions = Vec::new();
        while self.take("UNION") {
            let all = self.take("ALL");
            let _ = !all && self.take("DISTINCT");
            if matches!(self.peek(), Tok::Sign("(")) {
                return Err(Error::refused(
                    "kubonsai does not support parentheses around a SELECT of a UNION (mysql) yet",
                ));
            }
            unions.push((self.select()?, all));
        }
        if self.comes("INTERSECT") || self.comes("EXCEPT") {
            return Err(Error::refused("kubonsai does not support INTERSECT and EXCEPT (mysql) yet"));
        }
        let order = self.order_by()?;
        let (limit, offset) = self.limit()?;
        if self.comes("INTO") {
            return Err(Error::refused("kubonsai does not support SELECT INTO (mysql) yet"));
        }
        // Rows are changed by one session at a time, so that there is nothing to lock.
        let _ = self.take("FOR UPDATE") || self.take("FOR SHARE") || self.take("LOCK IN SHARE MODE");
        Ok(Query { first, unions, order, limit, offset })
    }

    fn order_by(&mut self) -> Result<Vec<(Expr, bool)>> {
        if self.take("ORDER BY") { self.list(Self::order_item) } else { Ok(Vec::new()) }
    }

    /// An expression, and whether the largest comes first.
    pub(super) fn order_item(&mut self) -> Result<(Expr, bool)> {
        let expr = self.expr()?;
        let down = self.take("DESC");
        let _ = !down && self.take("ASC");
        Ok((expr, down))
    }

    fn limit(&mut self) -> Result<(Option<u64>, u64)> {
        if !self.take("LIMIT") {
            return Ok((None, 0));
        }
        let first = self.whole()?;
        if self.sign(",") {
            return Ok((Some(self.whole()?), first));
        }
        let offset = if self.take("OFFSET") { self.whole()? } else { 0 };
        Ok((Some(first), offset))
    }

    fn select(&mut self) -> Result<Select> {
        let (sources, below) = (std::mem::take(&mut self.sources), std::mem::take(&mut self.below));
        let select = self.select_here()?;
        let levels = self.sources + self.below;
        if levels > LEVELS_MAX {
            return Err(Error::refused(format!(
                "kubonsai does not support more than {LEVELS_MAX} tables in queries within queries (mysql) yet"
            )));
        }
        (self.sources, self.below) = (sources, below.max(levels));
        Ok(select)
    }

    fn select_here(&mut self) -> Result<Select> {
        self.expect("SELECT")?;
        let distinct = self.take("DISTINCT") || self.take("DISTINCTROW");
        let _ = !distinct && self.take("ALL");
        let items = self.list(Self::item)?;
        let mut select = Select { distinct, items, ..Select::default() };
        if self.take("FROM") && !self.take("DUAL") {
            select.from = Some(self.from()?);
        }
        if self.take("WHERE") {
            select.filter = Some(self.expr()?);
        }
        if self.take("GROUP BY") {
            select.group = self.list(Self::expr)?;
            if self.comes("WITH ROLLUP") {
                return Err(Error::refused("kubonsai does not support WITH ROLLUP (mysql) yet"));
            }
        }
        if self.take("HAVING") {
            select.having = Some(self.expr()?);
        }
        if self.comes("WINDOW") {
            return Err(Error::refused("kubonsai does not support window functions (mysql) yet"));
        }
        Ok(select)
    }

    fn item(&mut self) -> Result<Item> {
        if self.sign("*") {
            return Ok(Item::All(None));
        }
        if self.is_name(0) && matches!(self.peek_at(1), Tok::Sign(".")) && matches!(self.peek_at(2), Tok::Sign("*")) {
            let table = self.name()?;
            self.at += 2;
            return Ok(Item::All(Some(table)));
        }
        let from = self.at;
        let expr = self.expr()?;
        let written = self.written(from);
        Ok(Item::Expr(expr, written, self.alias(true)?))
    }

    /// `AS name`, `name`; a text as well where columns are named.
    fn alias(&mut self, text: bool) -> Result<Option<String>> {
        let named = self.take("AS");
        if text && matches!(self.peek(), Tok::Text(_)) {
            return self.text().map(Some);
        }
        if named || self.is_name(0) { self.name().map(Some) } else { Ok(None) }
    }

    fn from(&mut self) -> Result<From> {
        let mut left = self.joined()?;
        while self.sign(",") {
            let right = Box::new(self.joined()?);
            left = From::Join { left: Box::new(left), right, kind: Join::Inner, on: None, using: Vec::new() };
        }
        Ok(left)
    }

    fn joined(&mut self) -> Result<From> {
        let mut left = self.one_source()?;
        loop {
            if self.comes("NATURAL") {
                return Err(Error::refused("kubonsai does not support NATURAL JOIN (mysql) yet"));
            }
            let kind = if self.take("JOIN")
                || self.take("INNER JOIN")
                || self.take("CROSS JOIN")
                || self.take("STRAIGHT_JOIN")
            {
                Join::Inner
            } else if self.take("LEFT JOIN") || self.take("LEFT OUTER JOIN") {
                Join::Left
            } else if self.take("RIGHT JOIN") || self.take("RIGHT OUTER JOIN") {
                Join::Right
            } else {
                return Ok(left);
            };
            let right = Box::new(self.one_source()?);
            let (mut on, mut using) = (None, Vec::new());
            if self.take("ON") {
                on = Some(self.expr()?);
            } else if self.take("USING") {
                using = self.names()?;
            } else if kind != Join::Inner {
                return Err(self.wrong());
            }
            left = From::Join { left: Box::new(left), right, kind, on, using };
        }
    }

    fn one_source(&mut self) -> Result<From> {
        if self.sign("(") {
            if self.comes("SELECT") {
                self.source()?;
                let query = Box::new(self.query()?);
                self.expect_sign(")")?;
                return match self.alias(false)? {
                    Some(alias) => Ok(From::Derived(query, alias)),
                    None => Err(Error::new(1248, "42000", "Every derived table must have its own alias")),
                };
            }
            let inside = self.deeper(Self::from)?;
            self.expect_sign(")")?;
            return Ok(inside);
        }
        self.source()?;
        let name = self.table_name()?;
        Ok(From::Table(name, self.alias(false)?))
    }

    pub(super) fn insert(&mut self, replace: bool) -> Result<Insert> {
        let ignore = self.take("IGNORE");
        let _ = self.take("INTO");
        let table = self.table_name()?;
        let mut columns = None;
        if matches!(self.peek(), Tok::Sign("("))
            && !matches!(self.peek_at(1), Tok::Word(w) if w.eq_ignore_ascii_case("SELECT"))
        {
            self.advance();
            columns = Some(if matches!(self.peek(), Tok::Sign(")")) { Vec::new() } else { self.list(Self::name)? });
            self.expect_sign(")")?;
        }
        let source = if self.take("VALUES") || self.take("VALUE") {
            Source::Rows(self.list(Self::row)?)
        } else if self.take("SET") {
            let (names, values) = self.list(Self::assignment)?.into_iter().unzip();
            columns = Some(names);
            Source::Rows(vec![values])
        } else if self.comes("SELECT") {
            Source::Query(Box::new(self.query()?))
        } else {
            return Err(self.wrong());
        };
        let on_duplicate = if self.take("ON DUPLICATE KEY UPDATE") { self.list(Self::assignment)? } else { Vec::new() };
        Ok(Insert { table, columns, source, ignore, replace, on_duplicate })
    }

    fn row(&mut self) -> Result<Vec<Expr>> {
        self.expect_sign("(")?;
        let row = if matches!(self.peek(), Tok::Sign(")")) { Vec::new() } else { self.list(Self::expr)? };
        self.expect_sign(")")?;
        Ok(row)
    }

    fn assignment(&mut self) -> Result<(String, Expr)> {
        let mut name = self.name()?;
        while self.sign(".") {
            name = self.any_name()?;
        }
        self.expect_sign("=")?;
        Ok((name, self.expr()?))
    }

    pub(super) fn update(&mut self) -> Result<Change> {
        let table = self.table_name()?;
        let alias = self.alias(false)?;
        if matches!(self.peek(), Tok::Sign(",")) || self.comes("JOIN") || self.comes("INNER") || self.comes("LEFT") {
            return Err(Error::refused("kubonsai does not support UPDATE of several tables (mysql) yet"));
        }
        self.expect("SET")?;
        let set = self.list(Self::assignment)?;
        self.change(table, alias, set)
    }

    pub(super) fn delete(&mut self) -> Result<Change> {
        if self.is_name(0) {
            return Err(Error::refused("kubonsai does not support DELETE from several tables (mysql) yet"));
        }
        self.expect("FROM")?;
        let table = self.table_name()?;
        let alias = self.alias(false)?;
        self.change(table, alias, Vec::new())
    }

    fn change(&mut self, table: crate::ast::Name, alias: Option<String>, set: Vec<(String, Expr)>) -> Result<Change> {
        let filter = if self.take("WHERE") { Some(self.expr()?) } else { None };
        let order = self.order_by()?;
        let limit = if self.take("LIMIT") { Some(self.whole()?) } else { None };
        Ok(Change { table, alias, set, filter, order, limit })
    }
}
