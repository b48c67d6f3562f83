//! What makes and removes databases and tables.

use std::rc::Rc;

use crate::ast::{CreateTable, Name, Statement};
use crate::catalog::{Action, Catalog, Change, Column, Default, ForeignKey, Index, PRIMARY, SYSTEM_DATABASES, Table};
use crate::error::{Error, Result};
use crate::eval::cast;
use crate::exec;
use crate::plan;
use crate::session::{Env, Outcome, Session, Work};
use crate::types::{Place, Type, store};
use crate::value::Value;

/// Characters of a name, as in MySQL.
const NAME_CHARS_MAX: usize = 64;

/// Runs a definition.
///
/// # Errors
/// 1007, 1008, 1050, 1051, 1060, 1061, 1068, 1072, 1075, ...
pub(crate) fn run(work: &mut Work, session: &mut Session, statement: &Statement) -> Result<Outcome> {
    match statement {
        Statement::CreateDatabase { name, if_not_exists } => create_database(work, session, name, *if_not_exists),
        Statement::DropDatabase { name, if_exists } => drop_database(work, session, name, *if_exists),
        Statement::CreateTable(table) => create_table(work, session, table),
        Statement::DropTable { names, if_exists } => drop_tables(work, session, names, *if_exists),
        Statement::RenameTable(pairs) => {
            for (old, new) in pairs {
                rename(work, session, old, new)?;
            }
            Ok(Outcome::done(0))
        }
        Statement::Truncate(name) => {
            let db = session.db(name)?;
            session.check(&work.catalog, "DROP", &db, Some(&name.name))?;
            let table = work.catalog.table(&db, &name.name)?;
            if let Some((child, key)) = referrer(&work.catalog, &db, &name.name) {
                let text = format!(
                    "Cannot truncate a table referenced in a foreign key constraint (`{db}`.`{child}`, CONSTRAINT `{}`)",
                    key.name
                );
                return Err(Error::new(1701, "42000", text));
            }
            let mut empty =
                Table::new(table.columns.clone(), table.indexes.clone(), table.foreign.clone(), table.created);
            empty.comment.clone_from(&table.comment);
            work.change(Change::Table(db, name.name.clone(), Some(Rc::new(empty))));
            Ok(Outcome::done(0))
        }
        _ => Ok(Outcome::done(0)),
    }
}

fn check_name(name: &str, kind: &str) -> Result<()> {
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::new(1059, "42000", format!("Identifier name '{name}' is too long")));
    }
    if name.is_empty() || name.ends_with(' ') {
        let code = if kind == "database" { 1102 } else { 1103 };
        return Err(Error::new(code, "42000", format!("Incorrect {kind} name '{name}'")));
    }
    Ok(())
}

fn create_database(work: &mut Work, session: &mut Session, name: &str, if_not_exists: bool) -> Result<Outcome> {
    session.check(&work.catalog, "CREATE", name, None)?;
    check_name(name, "database")?;
    if work.catalog.has_database(name) {
        let error = Error::new(1007, "HY000", format!("Can't create database '{name}'; database exists"));
        if !if_not_exists {
            return Err(error);
        }
        session.warnings.push(("Note", error));
        return Ok(Outcome::done(1));
    }
    work.change(Change::Database(name.to_owned(), true));
    Ok(Outcome::done(1))
}

fn drop_database(work: &mut Work, session: &mut Session, name: &str, if_exists: bool) -> Result<Outcome> {
    session.check(&work.catalog, "DROP", name, None)?;
    if SYSTEM_DATABASES.contains(&name) {
        let text = format!("Access to system schema '{name}' is rejected.");
        return Err(Error::new(3552, "HY000", text));
    }
    let Ok(tables) = work.catalog.tables(name) else {
        let error = Error::new(1008, "HY000", format!("Can't drop database '{name}'; database doesn't exist"));
        if !if_exists {
            return Err(error);
        }
        session.warnings.push(("Note", error));
        return Ok(Outcome::done(0));
    };
    let count = tables.len() as u64;
    work.change(Change::Database(name.to_owned(), false));
    Ok(Outcome::done(count))
}

/// A table whose foreign key refers to this one.
fn referrer(catalog: &Catalog, db: &str, name: &str) -> Option<(String, ForeignKey)> {
    let others = catalog.tables(db).ok()?.iter().filter(|(other, _)| *other != name);
    others
        .flat_map(|(other, t)| t.foreign.iter().map(move |key| (other, key)))
        .find(|(_, key)| key.parent == name)
        .map(|(o, k)| (o.clone(), k.clone()))
}

fn drop_tables(work: &mut Work, session: &mut Session, names: &[Name], if_exists: bool) -> Result<Outcome> {
    let mut missing = Vec::new();
    for name in names {
        let db = session.db(name)?;
        session.check(&work.catalog, "DROP", &db, Some(&name.name))?;
        if SYSTEM_DATABASES.contains(&db.as_str()) {
            return Err(Error::new(3552, "HY000", format!("Access to system schema '{db}' is rejected.")));
        }
        if work.catalog.table(&db, &name.name).is_err() {
            missing.push(format!("{db}.{}", name.name));
        } else if let Some((child, key)) = referrer(&work.catalog, &db, &name.name)
            && !names.iter().any(|n| n.name == child)
        {
            let text = format!(
                "Cannot drop table '{}' referenced by a foreign key constraint '{}' on table '{child}'.",
                name.name, key.name
            );
            return Err(Error::new(3730, "HY000", text));
        }
    }
    if !missing.is_empty() {
        let error = Error::new(1051, "42S02", format!("Unknown table '{}'", missing.join(",")));
        if !if_exists {
            return Err(error);
        }
        session.warnings.push(("Note", error));
    }
    for name in names {
        let db = session.db(name)?;
        if work.catalog.table(&db, &name.name).is_ok() {
            work.change(Change::Table(db, name.name.clone(), None));
        }
    }
    Ok(Outcome::done(0))
}

/// Gives a table another name, in any database.
pub(crate) fn rename(work: &mut Work, session: &Session, old: &Name, new: &Name) -> Result<()> {
    let (db, to) = (session.db(old)?, session.db(new)?);
    session.check(&work.catalog, "ALTER", &db, Some(&old.name))?;
    session.check(&work.catalog, "CREATE", &to, Some(&new.name))?;
    let table = Rc::clone(work.catalog.table(&db, &old.name)?);
    if work.catalog.tables(&to)?.contains_key(&new.name) {
        return Err(Error::new(1050, "42S01", format!("Table '{}' already exists", new.name)));
    }
    if !table.foreign.is_empty() || referrer(&work.catalog, &db, &old.name).is_some() {
        return Err(Error::refused("kubonsai does not support renaming a table with foreign keys (mysql) yet"));
    }
    work.change(Change::Table(db, old.name.clone(), None));
    work.change(Change::Table(to, new.name.clone(), Some(table)));
    Ok(())
}

fn create_table(work: &mut Work, session: &mut Session, create: &CreateTable) -> Result<Outcome> {
    let db = session.db(&create.name)?;
    let name = &create.name.name;
    session.check(&work.catalog, "CREATE", &db, Some(name))?;
    check_name(name, "table")?;
    if SYSTEM_DATABASES.contains(&db.as_str()) {
        return Err(Error::new(3552, "HY000", format!("Access to system schema '{db}' is rejected.")));
    }
    if work.catalog.tables(&db)?.contains_key(name) {
        let error = Error::new(1050, "42S01", format!("Table '{name}' already exists"));
        if !create.if_not_exists {
            return Err(error);
        }
        session.warnings.push(("Note", error));
        return Ok(Outcome::done(0));
    }
    let mut affected = 0;
    let table = if let Some(like) = &create.like {
        let from = session.db(like)?;
        session.check(&work.catalog, "SELECT", &from, Some(&like.name))?;
        let other = work.catalog.table(&from, &like.name)?;
        let mut table = Table::new(other.columns.clone(), other.indexes.clone(), Vec::new(), session.now);
        table.comment.clone_from(&other.comment);
        table
    } else if let Some(query) = &create.query {
        let env = Env { catalog: &work.catalog, session };
        let plan = plan::query(&env, query, None)?;
        let rows = exec::run(&plan, &env, None)?;
        let columns = plan.columns.iter().map(|c| Column {
            name: c.name.clone(),
            ty: c.ty.clone(),
            not_null: !c.nullable,
            default: None,
            auto_increment: false,
            on_update_now: false,
            comment: String::new(),
        });
        let mut table = complete(work, &db, name, columns.collect(), Vec::new(), Vec::new(), session.now)?;
        affected = rows.len() as u64;
        for row in rows {
            let row = row.iter().zip(&table.columns).map(|(value, column)| cast(value.clone(), &column.ty)).collect();
            table.put(table.counters.row.get(), Some(row));
        }
        table
    } else {
        let (columns, indexes) = (create.columns.clone(), create.indexes.clone());
        complete(work, &db, name, columns, indexes, create.foreign.clone(), session.now)?
    };
    let mut table = table;
    if create.like.is_none() {
        table.comment.clone_from(&create.comment);
    }
    table.counters.auto.set(create.auto_increment.max(1));
    work.change(Change::Table(db, name.clone(), Some(Rc::new(table))));
    Ok(Outcome::done(affected))
}

/// A table of a definition, with its keys named and checked.
pub(crate) fn complete(
    work: &Work,
    db: &str,
    name: &str,
    mut columns: Vec<Column>,
    mut indexes: Vec<Index>,
    mut foreign: Vec<ForeignKey>,
    now: i64,
) -> Result<Table> {
    for (at, column) in columns.iter().enumerate() {
        check_name(&column.name, "column")?;
        if columns[..at].iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
            return Err(Error::new(1060, "42S21", format!("Duplicate column name '{}'", column.name)));
        }
    }
    check_indexes(&mut columns, &mut indexes)?;
    for column in &mut columns {
        check_default(column)?;
    }
    let autos: Vec<&Column> = columns.iter().filter(|c| c.auto_increment).collect();
    let keyed = |c: &&Column| {
        indexes.iter().any(|index| index.columns.first().is_some_and(|n| n.eq_ignore_ascii_case(&c.name)))
    };
    if autos.len() > 1 || !autos.iter().all(keyed) {
        let text = "Incorrect table definition; there can be only one auto column and it must be defined as a key";
        return Err(Error::new(1075, "42000", text));
    }
    name_foreign(name, &mut foreign, &mut indexes);
    let table = Table::new(columns, indexes, foreign, now);
    for key in &table.foreign {
        check_foreign(work, db, name, &table, key)?;
    }
    Ok(table)
}

fn check_indexes(columns: &mut [Column], indexes: &mut [Index]) -> Result<()> {
    // The primary key comes first, then the other unique ones.
    indexes.sort_by_key(|index| (index.name != PRIMARY, !index.unique));
    for at in 0..indexes.len() {
        for name in indexes[at].columns.clone() {
            let column = columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(&name));
            let Some(column) = column else {
                return Err(Error::new(1072, "42000", format!("Key column '{name}' doesn't exist in table")));
            };
            if matches!(column.ty, Type::Text(_)) {
                let text = format!("BLOB/TEXT column '{name}' used in key specification without a key length");
                return Err(Error::new(1170, "42000", text));
            }
            if indexes[at].name == PRIMARY {
                column.not_null = true;
            }
        }
        if indexes[at].name.is_empty() {
            let first = indexes[at].columns.first().cloned().unwrap_or_default();
            let taken = |name: &str| indexes.iter().any(|index| index.name.eq_ignore_ascii_case(name));
            let mut name = first.clone();
            let mut number = 2;
            while taken(&name) {
                name = format!("{first}_{number}");
                number += 1;
            }
            indexes[at].name = name;
        } else if indexes[..at].iter().any(|other| other.name.eq_ignore_ascii_case(&indexes[at].name)) {
            return Err(if indexes[at].name == PRIMARY {
                Error::new(1068, "42000", "Multiple primary key defined")
            } else {
                Error::new(1061, "42000", format!("Duplicate key name '{}'", indexes[at].name))
            });
        }
    }
    Ok(())
}

fn check_default(column: &mut Column) -> Result<()> {
    let invalid = |name: &str| Error::new(1067, "42000", format!("Invalid default value for '{name}'"));
    match &column.default {
        Some(Default::Value(value)) if value.is_null() && column.not_null => Err(invalid(&column.name)),
        Some(Default::Value(value)) => {
            if matches!(column.ty, Type::Text(_)) && *value != Value::Null {
                let text = format!("BLOB, TEXT, GEOMETRY or JSON column '{}' can't have a default value", column.name);
                return Err(Error::new(1101, "42000", text));
            }
            let stored = store(&column.ty, value.clone(), Place { column: &column.name, row: 1 });
            let stored = stored.map_err(|e| if e.code == 1235 { e } else { invalid(&column.name) })?;
            // NULL is what nothing said means as well.
            column.default = if stored.is_null() { None } else { Some(Default::Value(stored)) };
            Ok(())
        }
        Some(Default::Now) if !matches!(column.ty, Type::DateTime(_) | Type::Timestamp(_)) => {
            Err(invalid(&column.name))
        }
        _ => Ok(()),
    }
}

/// Names foreign keys `t_ibfk_1` and gives them the index that they need.
fn name_foreign(table: &str, foreign: &mut [ForeignKey], indexes: &mut Vec<Index>) {
    for at in 0..foreign.len() {
        if foreign[at].name.is_empty() {
            let mut number = 1;
            while foreign.iter().any(|key| key.name == format!("{table}_ibfk_{number}")) {
                number += 1;
            }
            foreign[at].name = format!("{table}_ibfk_{number}");
        }
        let columns = &foreign[at].columns;
        if !indexes.iter().any(|index| index.columns.starts_with(columns)) {
            let generated = foreign[at].name.starts_with(&format!("{table}_ibfk_"));
            let name = if generated { columns[0].clone() } else { foreign[at].name.clone() };
            indexes.push(Index { name, columns: columns.clone(), unique: false });
        }
    }
}

fn check_foreign(work: &Work, db: &str, name: &str, table: &Table, key: &ForeignKey) -> Result<()> {
    for column in &key.columns {
        let Some(at) = table.column(column) else {
            return Err(Error::new(1072, "42000", format!("Key column '{column}' doesn't exist in table")));
        };
        if table.columns[at].not_null && [key.on_delete, key.on_update].contains(&Action::SetNull) {
            let text = format!(
                "Column '{column}' cannot be NOT NULL: needed in a foreign key constraint '{}' SET NULL",
                key.name
            );
            return Err(Error::new(1830, "HY000", text));
        }
    }
    let parent = if key.parent == name { Some(table) } else { work.catalog.table(db, &key.parent).ok().map(|t| &**t) };
    let Some(parent) = parent else {
        return Err(Error::new(1824, "HY000", format!("Failed to open the referenced table '{}'", key.parent)));
    };
    for column in &key.parent_columns {
        if parent.column(column).is_none() {
            let text = format!(
                "Failed to add the foreign key constraint. Missing column '{column}' for constraint '{}' in the referenced table '{}'",
                key.name, key.parent
            );
            return Err(Error::new(3734, "HY000", text));
        }
    }
    if !parent.indexes.iter().any(|index| index.unique && index.columns == key.parent_columns) {
        let text = format!(
            "Failed to add the foreign key constraint. Missing unique key for constraint '{}' in the referenced table '{}'",
            key.name, key.parent
        );
        return Err(Error::new(6125, "HY000", text));
    }
    let ty = |table: &Table, name: &String| table.column(name).map(|at| table.columns[at].ty.clone());
    for (own, other) in key.columns.iter().zip(&key.parent_columns) {
        let (a, b) = (ty(table, own), ty(parent, other));
        let same = match (&a, &b) {
            (Some(Type::Varchar(_) | Type::Char(_)), Some(Type::Varchar(_) | Type::Char(_))) => true,
            _ => a == b,
        };
        if !same {
            let text = format!(
                "Referencing column '{own}' and referenced column '{other}' in foreign key constraint '{}' are incompatible.",
                key.name
            );
            return Err(Error::new(3780, "HY000", text));
        }
    }
    Ok(())
}
