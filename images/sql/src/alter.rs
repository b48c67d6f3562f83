//! ALTER TABLE, CREATE INDEX and DROP INDEX.

use std::rc::Rc;

use crate::ast::{Alter, Name, Place};
use crate::catalog::{Change, Column, Default, Table};
use crate::ddl;
use crate::error::{Error, Result};
use crate::foreign;
use crate::session::{Outcome, Session, Work};
use crate::types::{self, store};
use crate::value::{Row, Value};
use crate::write::{Target, filler};

/// A table that is being made anew: for each column, the old one whose values it takes.
struct Draft {
    columns: Vec<(Column, Option<usize>)>,
    table: Table,
}

impl Draft {
    fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(c, _)| c.name.eq_ignore_ascii_case(name))
    }

    fn need(&self, name: &str, table: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| Error::unknown_column(name, table))
    }

    fn place(&mut self, at: usize, place: &Place, table: &str) -> Result<()> {
        let moved = match place {
            Place::Last => return Ok(()),
            Place::First => {
                let column = self.columns.remove(at);
                self.columns.insert(0, column);
                return Ok(());
            }
            Place::After(name) => {
                self.need(name, table)?;
                self.columns.remove(at)
            }
        };
        let Place::After(name) = place else { return Ok(()) };
        let after = self.need(name, table)?;
        self.columns.insert(after + 1, moved);
        Ok(())
    }

    fn rename_in_keys(&mut self, old: &str, new: &str) {
        let names = self.table.indexes.iter_mut().map(|index| &mut index.columns);
        for columns in names.chain(self.table.foreign.iter_mut().map(|key| &mut key.columns)) {
            columns.iter_mut().filter(|name| name.eq_ignore_ascii_case(old)).for_each(|name| new.clone_into(name));
        }
    }

    fn drop_column(&mut self, name: &str) -> Result<()> {
        let at = self.find(name).ok_or_else(|| Error::no_key(name))?;
        if self.columns.len() == 1 {
            let text = "You can't delete all columns with ALTER TABLE; use DROP TABLE instead";
            return Err(Error::new(1090, "42000", text));
        }
        if let Some(key) =
            self.table.foreign.iter().find(|key| key.columns.iter().any(|c| c.eq_ignore_ascii_case(name)))
        {
            let text = format!("Cannot drop column '{name}': needed in a foreign key constraint '{}'", key.name);
            return Err(Error::new(1828, "HY000", text));
        }
        self.columns.remove(at);
        self.table.indexes.iter_mut().for_each(|index| index.columns.retain(|c| !c.eq_ignore_ascii_case(name)));
        self.table.indexes.retain(|index| !index.columns.is_empty());
        Ok(())
    }

    fn change(&mut self, change: &Alter, table: &str) -> Result<()> {
        match change {
            Alter::AddColumn(column, place) => {
                self.columns.push((column.clone(), None));
                self.place(self.columns.len() - 1, place, table)
            }
            Alter::ChangeColumn(old, column, place) => {
                let at = self.need(old, table)?;
                self.columns[at].0 = column.clone();
                self.rename_in_keys(old, &column.name);
                self.place(at, place, table)
            }
            Alter::RenameColumn(old, new) => {
                let at = self.need(old, table)?;
                self.columns[at].0.name.clone_from(new);
                self.rename_in_keys(old, new);
                Ok(())
            }
            Alter::DropColumn(name) => self.drop_column(name),
            Alter::AddIndex(index) => {
                self.table.indexes.push(index.clone());
                Ok(())
            }
            Alter::AddForeignKey(key) => {
                self.table.foreign.push(key.clone());
                Ok(())
            }
            Alter::DropIndex(name) => {
                let at = self.table.indexes.iter().position(|index| index.name.eq_ignore_ascii_case(name));
                let at = at.ok_or_else(|| Error::no_key(name))?;
                if self.table.foreign.iter().any(|key| self.table.indexes[at].columns.starts_with(&key.columns)) {
                    let text = format!("Cannot drop index '{name}': needed in a foreign key constraint");
                    return Err(Error::new(1553, "HY000", text));
                }
                self.table.indexes.remove(at);
                Ok(())
            }
            Alter::DropForeignKey(name) => {
                let at = self.table.foreign.iter().position(|key| key.name.eq_ignore_ascii_case(name));
                self.table.foreign.remove(at.ok_or_else(|| Error::no_key(name))?);
                Ok(())
            }
            Alter::SetDefault(name, value) => {
                let at = self.need(name, table)?;
                self.columns[at].0.default = value.clone().map(Default::Value);
                Ok(())
            }
            Alter::AutoIncrement(_) | Alter::Rename(_) => Ok(()),
        }
    }
}

/// Runs ALTER TABLE.
///
/// # Errors
/// 1054, 1060, 1062, 1091, 1146, ..., and what does not fit into a column's new type.
pub(crate) fn run(work: &mut Work, session: &mut Session, name: &Name, all: &[Alter]) -> Result<Outcome> {
    let db = session.db(name)?;
    session.check(&work.catalog, "ALTER", &db, Some(&name.name))?;
    let old = Rc::clone(work.catalog.table(&db, &name.name)?);
    let columns = old.columns.iter().cloned().enumerate().map(|(at, column)| (column, Some(at))).collect();
    let definition = Table::new(old.columns.clone(), old.indexes.clone(), old.foreign.clone(), old.created);
    let mut draft = Draft { columns, table: definition };
    for change in all {
        draft.change(change, &name.name)?;
    }
    if let Some(Alter::DropColumn(column) | Alter::RenameColumn(column, _) | Alter::ChangeColumn(column, ..)) =
        all.first()
        && parents(work, &db, &name.name, column)
    {
        return Err(Error::refused(
            "kubonsai does not support changing a column that foreign keys refer to (mysql) yet",
        ));
    }
    let from: Vec<Option<usize>> = draft.columns.iter().map(|(_, from)| *from).collect();
    let columns: Vec<Column> = draft.columns.into_iter().map(|(column, _)| column).collect();
    let (indexes, keys) = (draft.table.indexes, draft.table.foreign);
    let table = ddl::complete(work, &db, &name.name, columns, indexes, keys, old.created)?;
    let target = rebuild(&old, table, &from, session, &name.name)?;
    for change in all {
        if let Alter::AutoIncrement(next) = change {
            target.counters.auto.set(target.counters.auto.get().max(*next));
        }
    }
    let rows: Vec<Row> = target.rows().into_iter().map(|(_, row)| row).collect();
    let checks_parents = all.iter().any(|change| matches!(change, Alter::AddForeignKey(_)));
    work.change(Change::Table(db.clone(), name.name.clone(), Some(Rc::new(target))));
    if checks_parents {
        let target = Target { db, name: name.name.clone() };
        rows.iter().try_for_each(|row| foreign::check_child(&work.catalog, &target, row))?;
    }
    for change in all {
        if let Alter::Rename(new) = change {
            ddl::rename(work, session, name, new)?;
        }
    }
    // Most changes are made in place, and tell of no rows.
    Ok(Outcome::Done { affected: 0, last_insert_id: 0, info: "Records: 0  Duplicates: 0  Warnings: 0".to_owned() })
}

/// Whether another table's foreign key refers to a column.
fn parents(work: &Work, db: &str, name: &str, column: &str) -> bool {
    let refers = |table: &Rc<Table>| {
        table
            .foreign
            .iter()
            .any(|key| key.parent == name && key.parent_columns.iter().any(|c| c.eq_ignore_ascii_case(column)))
    };
    work.catalog.tables(db).is_ok_and(|tables| tables.values().any(refers))
}

fn rebuild(old: &Table, table: Table, from: &[Option<usize>], session: &Session, name: &str) -> Result<Table> {
    let definition = table.clone();
    old.rebuilt(table, name, |row, number| {
        let mut new = Vec::new();
        for (at, from) in from.iter().enumerate() {
            let column = &definition.columns[at];
            let value = match from {
                Some(from) => row[*from].clone(),
                None if column.auto_increment => Value::Int(number as i64),
                None => filler(&definition, at, session)?,
            };
            let value = store(&column.ty, value, types::Place { column: &column.name, row: number })?;
            if value.is_null() && column.not_null {
                return Err(Error::new(1138, "22004", "Invalid use of NULL value"));
            }
            new.push(value);
        }
        Ok(new.into())
    })
}
