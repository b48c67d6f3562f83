//! INSERT, REPLACE, UPDATE and DELETE.

use std::rc::Rc;

use crate::ast::{self, Expr, Insert, Name, Source};
use crate::bind::{Binder, Node, Scope};
use crate::catalog::{Catalog, Change, Default, SYSTEM_DATABASES, Table};
use crate::error::{Error, Result};
use crate::eval::{Rows, eval};
use crate::exec;
use crate::foreign;
use crate::plan::{self, SourcePlan};
use crate::session::{Env, Outcome, Session, Work};
use crate::types::{Place, Type, store};
use crate::value::{Row, Value, order};

/// A table that is to change: its database and name.
pub(crate) struct Target {
    pub(crate) db: String,
    pub(crate) name: String,
}

impl Target {
    pub(crate) fn table<'a>(&self, catalog: &'a Catalog) -> Result<&'a Rc<Table>> {
        catalog.table(&self.db, &self.name)
    }
}

fn target(work: &Work, session: &Session, name: &Name, privilege: &str) -> Result<Target> {
    let db = session.db(name)?;
    if SYSTEM_DATABASES.contains(&db.as_str()) {
        return Err(Error::refused("kubonsai does not support changes of system tables (mysql) yet"));
    }
    session.check(&work.catalog, privilege, &db, Some(&name.name))?;
    work.catalog.table(&db, &name.name)?;
    Ok(Target { db, name: name.name.clone() })
}

/// Puts a row into a table, or takes one away.
pub(crate) fn put(work: &mut Work, target: &Target, id: u64, new: Option<Row>) -> Result<()> {
    let old = target.table(&work.catalog)?.row(id).cloned();
    work.change(Change::Row { db: target.db.clone(), table: target.name.clone(), id, old, new });
    Ok(())
}

/// What a column has where a statement names none.
fn default_of(table: &Table, at: usize, session: &Session) -> Result<Value> {
    let column = &table.columns[at];
    match &column.default {
        Some(Default::Value(value)) => Ok(value.clone()),
        Some(Default::Now) => {
            store(&column.ty, Value::DateTime(session.now, 6), Place { column: &column.name, row: 1 })
        }
        None if column.not_null && !column.auto_increment => {
            Err(Error::new(1364, "HY000", format!("Field '{}' doesn't have a default value", column.name)))
        }
        None => Ok(Value::Null),
    }
}

/// What INSERT computes before it changes anything.
struct Inserting {
    /// The places of the named columns.
    places: Vec<usize>,
    /// A row of values each; none is DEFAULT.
    rows: Vec<Vec<Option<Value>>>,
    /// Columns and what they become if the key is there already.
    on_duplicate: Vec<(usize, Node)>,
}

fn prepare(work: &Work, session: &Session, target: &Target, insert: &Insert) -> Result<Inserting> {
    let table = target.table(&work.catalog)?;
    let env = Env { catalog: &work.catalog, session };
    let unknown = |name: &String| table.column(name).ok_or_else(|| Error::unknown_column(name, "field list"));
    let places: Vec<usize> = match &insert.columns {
        Some(names) if !names.is_empty() => names.iter().map(unknown).collect::<Result<_>>()?,
        _ => (0..table.columns.len()).collect(),
    };
    for (at, place) in places.iter().enumerate() {
        if places[..at].contains(place) {
            let text = format!("Column '{}' specified twice", table.columns[*place].name);
            return Err(Error::new(1110, "42000", text));
        }
    }
    let count = |row: usize| Error::new(1136, "21S01", format!("Column count doesn't match value count at row {row}"));
    let mut rows = Vec::new();
    match &insert.source {
        Source::Rows(all) => {
            let mut binder = Binder::new(&env, Rc::default(), "field list");
            for (at, exprs) in all.iter().enumerate() {
                let empty = exprs.is_empty() && insert.columns.as_ref().is_none_or(Vec::is_empty);
                if exprs.len() != places.len() && !empty {
                    return Err(count(at + 1));
                }
                let mut row = Vec::new();
                for expr in exprs {
                    row.push(match expr {
                        Expr::Default => None,
                        other => Some(eval(&binder.bind(other)?.node, &Rows::of(&[], None), &env)?),
                    });
                }
                row.resize(places.len(), None);
                rows.push(row);
            }
        }
        Source::Query(query) => {
            let plan = plan::query(&env, query, None)?;
            if plan.columns.len() != places.len() {
                return Err(count(1));
            }
            rows.extend(exec::run(&plan, &env, None)?.iter().map(|row| row.iter().cloned().map(Some).collect()));
        }
    }
    let mut on_duplicate = Vec::new();
    if !insert.on_duplicate.is_empty() {
        let scope = scope_of(&env, &insert.table, None)?;
        let mut binder = Binder::new(&env, scope, "field list");
        binder.inserted = table.columns.iter().map(|c| c.name.clone()).collect();
        for (name, expr) in &insert.on_duplicate {
            on_duplicate.push((unknown(name)?, binder.bind(expr)?.node));
        }
    }
    Ok(Inserting { places, rows, on_duplicate })
}

fn scope_of(env: &Env<'_>, name: &Name, alias: Option<&str>) -> Result<Rc<Scope>> {
    let from = ast::From::Table(name.clone(), alias.map(str::to_owned));
    let (_, columns) = plan::source(env, Some(&from), None)?;
    Ok(Rc::new(Scope { columns, ..Scope::default() }))
}

/// A whole row of the values that were said, and the AUTO_INCREMENT that was made for it.
fn complete(table: &Table, inserting: &Inserting, at: usize, session: &Session) -> Result<(Row, Option<i64>)> {
    let mut said: Vec<Option<Value>> = vec![None; table.columns.len()];
    for (place, value) in inserting.places.iter().zip(&inserting.rows[at]) {
        said[*place] = value.clone();
    }
    let mut made = None;
    let mut row = Vec::new();
    for (place, value) in said.into_iter().enumerate() {
        let column = &table.columns[place];
        let explicit = value.is_some();
        let value = match value {
            Some(value) => value,
            None => default_of(table, place, session)?,
        };
        let mut value = store(&column.ty, value, Place { column: &column.name, row: at + 1 })?;
        if column.auto_increment && (value.is_null() || value == Value::Int(0)) {
            let next = table.counters.auto.get();
            table.counters.auto.set(next.saturating_add(1));
            made = Some(next);
            value = store(&column.ty, Value::Int(next), Place { column: &column.name, row: at + 1 })?;
        } else if let (true, Value::Int(n)) = (column.auto_increment, &value) {
            table.counters.auto.set(table.counters.auto.get().max(n.saturating_add(1)));
        }
        if value.is_null() && column.not_null {
            let _ = explicit;
            return Err(Error::new(1048, "23000", format!("Column '{}' cannot be null", column.name)));
        }
        row.push(value);
    }
    Ok((row.into(), made))
}

/// INSERT and REPLACE.
///
/// # Errors
/// 1048, 1054, 1062, 1136, 1264, 1364, 1406, 1452, ...
pub(crate) fn insert(work: &mut Work, session: &mut Session, insert: &Insert) -> Result<Outcome> {
    let target = target(work, session, &insert.table, "INSERT")?;
    let inserting = prepare(work, session, &target, insert)?;
    let (mut affected, mut duplicates, mut first_made) = (0u64, 0u64, None);
    let count = inserting.rows.len();
    for at in 0..count {
        let table = Rc::clone(target.table(&work.catalog)?);
        let completed = complete(&table, &inserting, at, session);
        let (row, made) = match completed {
            Err(error) if insert.ignore && error.code != 1235 => {
                session.warnings.push(("Warning", error));
                continue;
            }
            other => other?,
        };
        first_made = first_made.or(made);
        let conflicts = table.conflicts(&row, None);
        let counters = Rc::clone(&table.counters);
        let Some((index, id)) = conflicts.first().copied() else {
            drop(table);
            let checked = foreign::check_child(&work.catalog, &target, &row);
            match checked {
                Err(error) if insert.ignore => session.warnings.push(("Warning", error)),
                other => {
                    other?;
                    put(work, &target, counters.row.get(), Some(row))?;
                    affected += 1;
                }
            }
            continue;
        };
        duplicates += 1;
        if insert.replace {
            drop(table);
            for (_, id) in conflicts {
                if target.table(&work.catalog)?.row(id).is_some() {
                    foreign::delete(work, &target, id)?;
                    affected += 1;
                }
            }
            foreign::check_child(&work.catalog, &target, &row)?;
            put(work, &target, counters.row.get(), Some(row))?;
            affected += 1;
        } else if !inserting.on_duplicate.is_empty() {
            let old = table.row(id).cloned().unwrap_or_else(|| row.clone());
            drop(table);
            affected += 2 * u64::from(update_row(work, session, &target, id, &old, &inserting.on_duplicate, &row)?);
        } else if insert.ignore {
            session.warnings.push(("Warning", table.duplicate(&target.name, index, &row)));
        } else {
            return Err(table.duplicate(&target.name, index, &row));
        }
    }
    let auto = target.table(&work.catalog)?.counters.auto.get();
    if target.table(&work.catalog)?.columns.iter().any(|c| c.auto_increment) {
        work.change(Change::Auto(target.db.clone(), target.name.clone(), auto));
    }
    let several = count > 1 || matches!(insert.source, Source::Query(_));
    let warnings = session.warnings.len();
    let info = if several {
        format!("Records: {count}  Duplicates: {duplicates}  Warnings: {warnings}")
    } else {
        String::new()
    };
    Ok(Outcome::Done { affected, last_insert_id: first_made.map_or(0, i64::cast_unsigned), info })
}

/// Changes one row; whether anything is other than before.
fn update_row(
    work: &mut Work,
    session: &Session,
    target: &Target,
    id: u64,
    old: &Row,
    set: &[(usize, Node)],
    inserted: &[Value],
) -> Result<bool> {
    let table = target.table(&work.catalog)?;
    let mut new: Vec<Value> = old.to_vec();
    for (at, node) in set {
        let column = &table.columns[*at];
        let env = Env { catalog: &work.catalog, session };
        // Assignments see those before them, as in MySQL.
        let value = eval(node, &Rows { row: &new, aggregates: &[], inserted, parent: None }, &env)?;
        let value = store(&column.ty, value, Place { column: &column.name, row: 1 })?;
        if value.is_null() && column.not_null {
            return Err(Error::new(1048, "23000", format!("Column '{}' cannot be null", column.name)));
        }
        new[*at] = value;
    }
    let same = |a: &[Value], b: &[Value]| a.iter().zip(b).all(|(a, b)| a == b);
    if same(&new, old) {
        return Ok(false);
    }
    for (at, column) in table.columns.iter().enumerate() {
        if column.on_update_now && !set.iter().any(|(place, _)| *place == at) {
            new[at] = store(&column.ty, Value::DateTime(session.now, 6), Place { column: &column.name, row: 1 })?;
        }
    }
    let new: Row = new.into();
    if let Some((index, _)) = table.conflicts(&new, Some(id)).first() {
        return Err(table.duplicate(&target.name, *index, &new));
    }
    foreign::check_child(&work.catalog, target, &new)?;
    foreign::update_parent(work, target, old, &new)?;
    put(work, target, id, Some(new))?;
    Ok(true)
}

/// The rows that UPDATE and DELETE are about, in their order.
fn chosen(work: &Work, session: &Session, target: &Target, change: &ast::Change) -> Result<Vec<(u64, Row)>> {
    let env = Env { catalog: &work.catalog, session };
    let scope = scope_of(&env, &change.table, change.alias.as_deref())?;
    let table = target.table(&work.catalog)?;
    let mut binder = Binder::new(&env, scope, "where clause");
    let filter = change.filter.as_ref().map(|e| binder.bind(e)).transpose()?.map(|b| b.node);
    binder.place = "order clause";
    let by = change.order.iter().map(|(e, down)| Ok((binder.bind(e)?.node, *down))).collect::<Result<Vec<_>>>()?;
    let mut source = SourcePlan::Table { table: Rc::clone(table), lookup: None };
    if let Some(filter) = &filter {
        plan::find_key(&mut source, filter);
    }
    let all: Vec<(u64, Row)> = match &source {
        SourcePlan::Table { lookup: Some((index, nodes)), .. } => {
            let keys = nodes.iter().map(|n| eval(n, &Rows::of(&[], None), &env)).collect::<Result<Vec<_>>>()?;
            let id = table.find(*index, &keys);
            id.and_then(|id| Some((id, table.row(id)?.clone()))).into_iter().collect()
        }
        _ => table.rows(),
    };
    let mut rows = Vec::new();
    for (id, row) in all {
        let here = Rows::of(&row, None);
        let fits = match &filter {
            Some(filter) => eval(filter, &here, &env)?.truth() == Some(true),
            None => true,
        };
        if fits {
            let keys = by.iter().map(|(node, _)| eval(node, &here, &env)).collect::<Result<Vec<_>>>()?;
            rows.push((keys, (id, row)));
        }
    }
    rows.sort_by(|(a, _), (b, _)| {
        let mut keys = by.iter().enumerate().map(|(at, (_, down))| {
            let o = order(&a[at], &b[at]);
            if *down { o.reverse() } else { o }
        });
        keys.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    rows.truncate(change.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// UPDATE.
///
/// # Errors
/// As INSERT, and 1451.
pub(crate) fn update(work: &mut Work, session: &Session, change: &ast::Change) -> Result<Outcome> {
    let target = target(work, session, &change.table, "UPDATE")?;
    let set = {
        let env = Env { catalog: &work.catalog, session };
        let table = target.table(&work.catalog)?;
        let scope = scope_of(&env, &change.table, change.alias.as_deref())?;
        let mut binder = Binder::new(&env, scope, "field list");
        let mut set = Vec::new();
        for (name, expr) in &change.set {
            let at = table.column(name).ok_or_else(|| Error::unknown_column(name, "field list"))?;
            let node = match expr {
                Expr::Default => Node::Const(default_of(table, at, session)?),
                other => binder.bind(other)?.node,
            };
            set.push((at, node));
        }
        set
    };
    let rows = chosen(work, session, &target, change)?;
    let (matched, mut changed) = (rows.len(), 0);
    for (id, row) in rows {
        changed += u64::from(update_row(work, session, &target, id, &row, &set, &[])?);
    }
    let info = format!("Rows matched: {matched}  Changed: {changed}  Warnings: 0");
    Ok(Outcome::Done { affected: changed, last_insert_id: 0, info })
}

/// DELETE.
///
/// # Errors
/// 1451: children refer to a row.
pub(crate) fn delete(work: &mut Work, session: &Session, change: &ast::Change) -> Result<Outcome> {
    let target = target(work, session, &change.table, "DELETE")?;
    let rows = chosen(work, session, &target, change)?;
    let mut affected = 0;
    for (id, _) in rows {
        // A row may be gone with its parent by now.
        if target.table(&work.catalog)?.row(id).is_some() {
            foreign::delete(work, &target, id)?;
            affected += 1;
        }
    }
    Ok(Outcome::done(affected))
}

/// The zero of a type where rows get a new column that may not be NULL.
pub(crate) fn filler(table: &Table, at: usize, session: &Session) -> Result<Value> {
    match default_of(table, at, session) {
        Ok(value) => Ok(value),
        Err(_) if !matches!(table.columns[at].ty, Type::Date | Type::DateTime(_) | Type::Timestamp(_)) => {
            Ok(table.columns[at].ty.zero())
        }
        Err(error) => Err(error),
    }
}
