//! Foreign keys: no child without its parent.

use std::rc::Rc;

use crate::catalog::{Action, Catalog, Change, ForeignKey, Table};
use crate::error::{Error, Result};
use crate::session::Work;
use crate::value::{Row, Value, key};
use crate::write::{Target, put};

/// How far a deletion goes from parent to child, as in MySQL.
const DEPTH_MAX: usize = 15;

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The definition as SHOW CREATE TABLE writes it.
pub(crate) fn definition(key: &ForeignKey) -> String {
    let action = |what: &str, action: Action| match action {
        Action::Restrict => String::new(),
        Action::Cascade => format!(" ON {what} CASCADE"),
        Action::SetNull => format!(" ON {what} SET NULL"),
    };
    format!(
        "CONSTRAINT `{}` FOREIGN KEY ({}) REFERENCES `{}` ({}){}{}",
        key.name,
        quoted(&key.columns),
        key.parent,
        quoted(&key.parent_columns),
        action("DELETE", key.on_delete),
        action("UPDATE", key.on_update)
    )
}

fn places(table: &Table, names: &[String]) -> Vec<usize> {
    names.iter().filter_map(|name| table.column(name)).collect()
}

fn values(row: &Row, places: &[usize]) -> Vec<Value> {
    places.iter().map(|at| row[*at].clone()).collect()
}

fn equal(a: &[Value], b: &[Value]) -> bool {
    a.iter().map(key).eq(b.iter().map(key))
}

/// Whether a table has a row with these values of a unique key, as every key that others refer to is.
fn has(parent: &Table, columns: &[String], wanted: &[Value]) -> bool {
    let index = parent.indexes.iter().position(|index| index.unique && index.columns == columns);
    index.is_some_and(|index| parent.find(index, wanted).is_some())
}

/// Whether all children have their parents after the changes of a transaction, others having changed what it did not see.
pub(crate) fn holds(catalog: &Catalog, changes: &[Change]) -> Result<bool> {
    for change in changes {
        let Change::Row { db, table, id, old, .. } = change else { continue };
        let target = Target { db: db.clone(), name: table.clone() };
        let there = target.table(catalog)?;
        if let Some(row) = there.row(*id)
            && check_child(catalog, &target, row).is_err()
        {
            return Ok(false);
        }
        let Some(old) = old else { continue };
        for (_, foreign, ..) in children(catalog, &target, old)? {
            if !has(there, &foreign.parent_columns, &values(old, &places(there, &foreign.parent_columns))) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Whether all parents of a row are there.
///
/// # Errors
/// 1452: one is not.
pub(crate) fn check_child(catalog: &Catalog, target: &Target, row: &Row) -> Result<()> {
    let table = target.table(catalog)?;
    for foreign in &table.foreign {
        let wanted = values(row, &places(table, &foreign.columns));
        if wanted.iter().any(Value::is_null) {
            continue;
        }
        let own =
            foreign.parent == target.name && equal(&values(row, &places(table, &foreign.parent_columns)), &wanted);
        let parent = catalog.table(&target.db, &foreign.parent).ok();
        let found = parent.is_some_and(|parent| has(parent, &foreign.parent_columns, &wanted));
        if !found && !own {
            let text = format!(
                "Cannot add or update a child row: a foreign key constraint fails (`{}`.`{}`, {})",
                target.db,
                target.name,
                definition(foreign)
            );
            return Err(Error::new(1452, "23000", text));
        }
    }
    Ok(())
}

/// Children of a parent's row: their table, their key, and the row.
fn children(catalog: &Catalog, target: &Target, row: &Row) -> Result<Vec<(Target, ForeignKey, u64, Row)>> {
    let parent = target.table(catalog)?;
    let mut all = Vec::new();
    for (name, table) in catalog.tables(&target.db)? {
        for foreign in table.foreign.iter().filter(|foreign| foreign.parent == target.name) {
            let wanted = values(row, &places(parent, &foreign.parent_columns));
            let at = places(table, &foreign.columns);
            for (id, child) in table.rows() {
                let own = values(&child, &at);
                if !own.iter().any(Value::is_null) && equal(&own, &wanted) {
                    all.push((Target { db: target.db.clone(), name: name.clone() }, foreign.clone(), id, child));
                }
            }
        }
    }
    Ok(all)
}

fn held(target: &Target, foreign: &ForeignKey) -> Error {
    let text = format!(
        "Cannot delete or update a parent row: a foreign key constraint fails (`{}`.`{}`, {})",
        target.db,
        target.name,
        definition(foreign)
    );
    Error::new(1451, "23000", text)
}

/// Deletes a row, and its children as their keys say.
///
/// # Errors
/// 1451: a child holds it.
pub(crate) fn delete(work: &mut Work, target: &Target, id: u64) -> Result<()> {
    delete_at(work, target, id, 0)
}

fn delete_at(work: &mut Work, target: &Target, id: u64, depth: usize) -> Result<()> {
    let Some(row) = target.table(&work.catalog)?.row(id).cloned() else { return Ok(()) };
    if depth > DEPTH_MAX {
        return Err(Error::new(
            3008,
            "HY000",
            format!("Foreign key cascade delete/update exceeds max depth of {DEPTH_MAX}."),
        ));
    }
    let children = children(&work.catalog, target, &row)?;
    let is_self = |child: &Target, child_id: u64| child.name == target.name && child_id == id;
    if let Some((child, foreign, ..)) =
        children.iter().find(|(child, f, child_id, _)| f.on_delete == Action::Restrict && !is_self(child, *child_id))
    {
        return Err(held(child, foreign));
    }
    put(work, target, id, None)?;
    for (child, foreign, child_id, child_row) in children {
        if is_self(&child, child_id) {
            continue;
        }
        match foreign.on_delete {
            Action::Cascade => delete_at(work, &child, child_id, depth + 1)?,
            _ => set(work, &child, (child_id, &child_row), &foreign, None, &mut vec![target.name.clone()])?,
        }
    }
    Ok(())
}

/// Gives a child's key other values; none are NULL. Its own children follow.
fn set(
    work: &mut Work,
    child: &Target,
    (id, row): (u64, &Row),
    foreign: &ForeignKey,
    to: Option<&[Value]>,
    above: &mut Vec<String>,
) -> Result<()> {
    let table = Rc::clone(child.table(&work.catalog)?);
    let mut new = row.to_vec();
    for (n, at) in places(&table, &foreign.columns).into_iter().enumerate() {
        new[at] = to.map_or(Value::Null, |values| values[n].clone());
    }
    let new: Row = new.into();
    if let Some((index, _)) = table.conflicts(&new, Some(id)).first() {
        return Err(table.duplicate(&child.name, *index, &new));
    }
    drop(table);
    follow(work, child, row, &new, above)?;
    put(work, child, id, Some(new))
}

/// Lets children follow a parent's changed key.
///
/// # Errors
/// 1451: a child holds it.
pub(crate) fn update_parent(work: &mut Work, target: &Target, old: &Row, new: &Row) -> Result<()> {
    follow(work, target, old, new, &mut Vec::new())
}

/// Lets children follow; `above` are the tables that have been changed on the way here. What would change one of them again
/// is held, as in MySQL.
fn follow(work: &mut Work, target: &Target, old: &Row, new: &Row, above: &mut Vec<String>) -> Result<()> {
    above.push(target.name.clone());
    for (child, foreign, id, row) in children(&work.catalog, target, old)? {
        let parent = places(target.table(&work.catalog)?, &foreign.parent_columns);
        let (before, after) = (values(old, &parent), values(new, &parent));
        if equal(&before, &after) {
            continue;
        }
        let to = match foreign.on_update {
            Action::Cascade => Some(after.as_slice()).filter(|all| !all.iter().any(Value::is_null)),
            Action::SetNull => None,
            Action::Restrict => return Err(held(&child, &foreign)),
        };
        if above.contains(&child.name) {
            return Err(held(&child, &foreign));
        }
        set(work, &child, (id, &row), &foreign, to, above)?;
    }
    above.pop();
    Ok(())
}
