//! Databases, tables and accounts, and the changes that lead from one state to the next.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::ast::Account;
use crate::error::{Error, Result};
use crate::types::Type;
use crate::value::{Key, Row, Value, key};

/// The name of every primary key.
pub(crate) const PRIMARY: &str = "PRIMARY";

/// Databases that the server makes and nobody may change.
pub(crate) const SYSTEM_DATABASES: &[&str] = &["information_schema", "mysql", "performance_schema", "sys"];

/// What a column has where nothing is said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Default {
    Value(Value),
    /// CURRENT_TIMESTAMP.
    Now,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) not_null: bool,
    pub(crate) default: Option<Default>,
    pub(crate) auto_increment: bool,
    pub(crate) on_update_now: bool,
    pub(crate) comment: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) unique: bool,
}

/// What happens to children when a parent goes or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Restrict,
    Cascade,
    SetNull,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) parent: String,
    pub(crate) parent_columns: Vec<String>,
    pub(crate) on_delete: Action,
    pub(crate) on_update: Action,
}

/// Numbers that no transaction takes back, shared by all copies of a table.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The number of the next row.
    pub(crate) row: Cell<u64>,
    /// The next AUTO_INCREMENT.
    pub(crate) auto: Cell<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) foreign: Vec<ForeignKey>,
    pub(crate) comment: String,
    /// Microseconds since 1970.
    pub(crate) created: i64,
    pub(crate) counters: Rc<Counters>,
    rows: BTreeMap<u64, Row>,
    /// For each unique index, the rows by their keys; keys with NULL are not in it.
    unique: Vec<BTreeMap<Vec<Key>, u64>>,
}

impl Table {
    pub(crate) fn new(columns: Vec<Column>, indexes: Vec<Index>, foreign: Vec<ForeignKey>, created: i64) -> Table {
        let unique = indexes.iter().map(|_| BTreeMap::new()).collect();
        let counters = Rc::new(Counters { row: Cell::new(1), auto: Cell::new(1) });
        Table { columns, indexes, foreign, comment: String::new(), created, counters, rows: BTreeMap::new(), unique }
    }

    /// The same rows under another definition; `convert` makes each row fit.
    ///
    /// # Errors
    /// Of `convert`; 1062 if a new key finds equal rows.
    pub(crate) fn rebuilt(
        &self,
        mut table: Table,
        name: &str,
        mut convert: impl FnMut(&Row, usize) -> Result<Row>,
    ) -> Result<Table> {
        table.comment = self.comment.clone();
        table.counters = Rc::new(Counters { row: self.counters.row.clone(), auto: self.counters.auto.clone() });
        for (at, (id, row)) in self.rows.iter().enumerate() {
            let row = convert(row, at + 1)?;
            if let Some((index, _)) = table.conflicts(&row, None).first() {
                return Err(table.duplicate(name, *index, &row));
            }
            table.put(*id, Some(row));
        }
        Ok(table)
    }

    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The places of an index's columns.
    pub(crate) fn places(&self, index: &Index) -> Vec<usize> {
        index.columns.iter().filter_map(|name| self.column(name)).collect()
    }

    pub(crate) fn primary(&self) -> Option<usize> {
        self.indexes.iter().position(|index| index.name == PRIMARY)
    }

    pub(crate) fn primary_columns(&self) -> Vec<usize> {
        self.primary().map(|at| self.places(&self.indexes[at])).unwrap_or_default()
    }

    fn key_of(&self, index: &Index, row: &Row) -> Option<Vec<Key>> {
        let places = self.places(index);
        if !index.unique || places.iter().any(|at| row[*at].is_null()) {
            return None;
        }
        Some(places.iter().map(|at| key(&row[*at])).collect())
    }

    /// Rows by the primary key, as MySQL stores them; else in the order in which they came.
    pub(crate) fn rows(&self) -> Vec<(u64, Row)> {
        match self.primary() {
            Some(at) => self.unique[at].values().filter_map(|id| Some((*id, self.rows.get(id)?.clone()))).collect(),
            None => self.rows.iter().map(|(id, row)| (*id, row.clone())).collect(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// The row with this key of a unique index.
    pub(crate) fn find(&self, index: usize, values: &[Value]) -> Option<u64> {
        let keys: Vec<Key> = values.iter().map(key).collect();
        self.unique.get(index)?.get(&keys).copied()
    }

    /// Other rows with the same unique keys: the index and the row.
    pub(crate) fn conflicts(&self, row: &Row, own: Option<u64>) -> Vec<(usize, u64)> {
        let mut all = Vec::new();
        for (at, index) in self.indexes.iter().enumerate() {
            let Some(keys) = self.key_of(index, row) else { continue };
            if let Some(id) = self.unique[at].get(&keys).filter(|id| Some(**id) != own) {
                all.push((at, *id));
            }
        }
        all
    }

    /// MySQL's complaint about an equal key.
    pub(crate) fn duplicate(&self, table: &str, index: usize, row: &Row) -> Error {
        let index = &self.indexes[index];
        let entry: Vec<String> = self.places(index).into_iter().map(|at| row[at].to_string()).collect();
        let text = format!("Duplicate entry '{}' for key '{table}.{}'", entry.join("-"), index.name);
        Error::new(1062, "23000", text)
    }

    /// Puts a row, or takes one away.
    pub(crate) fn put(&mut self, id: u64, row: Option<Row>) {
        if let Some(old) = self.rows.remove(&id) {
            for at in 0..self.indexes.len() {
                if let Some(keys) = self.key_of(&self.indexes[at], &old) {
                    self.unique[at].remove(&keys);
                }
            }
        }
        let Some(row) = row else { return };
        for at in 0..self.indexes.len() {
            if let Some(keys) = self.key_of(&self.indexes[at], &row) {
                self.unique[at].insert(keys, id);
            }
        }
        self.counters.row.set(self.counters.row.get().max(id + 1));
        self.rows.insert(id, row);
    }
}

/// What an account may do: by database and table, none for all of them.
pub(crate) type Grants = BTreeMap<(Option<String>, Option<String>), BTreeSet<String>>;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct User {
    /// The digest of the digest of the password; empty for none.
    pub(crate) digest: Vec<u8>,
    pub(crate) grants: Grants,
}

/// One step from a state to the next.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Database(String, bool),
    Table(String, String, Option<Rc<Table>>),
    Row { db: String, table: String, id: u64, old: Option<Row>, new: Option<Row> },
    Auto(String, String, i64),
    User(Account, Option<User>),
}

pub(crate) type Tables = BTreeMap<String, Rc<Table>>;

/// Everything the server keeps. A copy shares the tables with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) databases: BTreeMap<String, Tables>,
    pub(crate) users: BTreeMap<Account, User>,
}

impl Catalog {
    pub(crate) fn tables(&self, db: &str) -> Result<&Tables> {
        self.databases.get(db).ok_or_else(|| Error::unknown_database(db))
    }

    pub(crate) fn table(&self, db: &str, name: &str) -> Result<&Rc<Table>> {
        self.tables(db)?.get(name).ok_or_else(|| Error::no_table(db, name))
    }

    pub(crate) fn has_database(&self, name: &str) -> bool {
        self.databases.contains_key(name) || SYSTEM_DATABASES.contains(&name)
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Database(name, true) => drop(self.databases.entry(name.clone()).or_default()),
            Change::Database(name, false) => drop(self.databases.remove(name)),
            Change::Table(db, name, table) => {
                let Some(tables) = self.databases.get_mut(db) else { return };
                match table {
                    Some(table) => drop(tables.insert(name.clone(), Rc::clone(table))),
                    None => drop(tables.remove(name)),
                }
            }
            Change::Row { db, table, id, new, .. } => {
                if let Some(table) = self.table_mut(db, table) {
                    table.put(*id, new.clone());
                }
            }
            Change::Auto(db, table, next) => {
                if let Some(table) = self.table_mut(db, table) {
                    // Others may have taken numbers since the transaction that this is of began.
                    table.counters.auto.set(table.counters.auto.get().max(*next));
                }
            }
            Change::User(account, user) => match user {
                Some(user) => drop(self.users.insert(account.clone(), user.clone())),
                None => drop(self.users.remove(account)),
            },
        }
    }

    fn table_mut(&mut self, db: &str, name: &str) -> Option<&mut Table> {
        self.databases.get_mut(db)?.get_mut(name).map(Rc::make_mut)
    }

    /// Takes back changes of rows, the last one first.
    pub(crate) fn undo(&mut self, changes: &[Change]) {
        for change in changes.iter().rev() {
            if let Change::Row { db, table, id, old, .. } = change
                && let Some(table) = self.table_mut(db, table)
            {
                table.put(*id, old.clone());
            }
        }
    }

    /// Makes the changes of a transaction that began on an older state.
    ///
    /// # Errors
    /// 1213 if somebody else has changed one of its rows since; nothing is changed then.
    pub(crate) fn merge(&mut self, changes: &[Change]) -> Result<()> {
        for (done, change) in changes.iter().enumerate() {
            if let Change::Row { db, table, id, old, new } = change {
                let there = self.table(db, table).ok();
                let same = there.is_some_and(|table| match (table.row(*id), old) {
                    (None, None) => true,
                    (Some(row), Some(old)) => Rc::ptr_eq(row, old),
                    _ => false,
                });
                let free = |row: &Row| there.is_some_and(|table| table.conflicts(row, Some(*id)).is_empty());
                if !same || !new.as_ref().is_none_or(free) {
                    self.undo(&changes[..done]);
                    return Err(Error::deadlock());
                }
            }
            self.apply(change);
        }
        Ok(())
    }

    /// A state that these changes lead to from nothing.
    pub(crate) fn as_changes(&self) -> Vec<Change> {
        let mut all = Vec::new();
        for (db, tables) in &self.databases {
            all.push(Change::Database(db.clone(), true));
            all.extend(
                tables.iter().map(|(name, table)| Change::Table(db.clone(), name.clone(), Some(Rc::clone(table)))),
            );
        }
        all.extend(self.users.iter().map(|(account, user)| Change::User(account.clone(), Some(user.clone()))));
        all
    }
}
