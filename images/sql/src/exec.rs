//! Answers queries by their plans.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::ast::Join;
use crate::bind::{Aggregate, Kind};
use crate::error::{Error, Result};
use crate::eval::{Rows, arithmetic, divide, eval};
use crate::plan::{Plan, SelectPlan, SourcePlan};
use crate::session::Env;
use crate::types::Type;
use crate::value::{Key, Row, Value, key, order};

/// Characters that GROUP_CONCAT gives at most: group_concat_max_len.
const CONCAT_CHARS_MAX: usize = 1024;
/// Rows that lie in memory for one query at most; a join of everything with everything ends there.
const ROWS_MAX: usize = 2_000_000;

/// The rows of a query.
///
/// # Errors
/// Of its expressions.
pub(crate) fn run(plan: &Plan, env: &Env<'_>, parent: Option<&Rows<'_>>) -> Result<Vec<Row>> {
    let mut all: Vec<Row> = Vec::new();
    for (at, (select, keep)) in plan.selects.iter().enumerate() {
        all.extend(run_select(select, env, parent)?);
        if at > 0 && !keep {
            distinct(&mut all);
        }
    }
    if !plan.order.is_empty() {
        all.sort_by(|a, b| {
            let mut columns = plan.order.iter().map(|(at, down)| directed(order(&a[*at], &b[*at]), *down));
            columns.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    let offset = usize::try_from(plan.offset).unwrap_or(usize::MAX).min(all.len());
    all.drain(..offset);
    if let Some(limit) = plan.limit {
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(all)
}

/// The rows of a query within another: computed once if they are the same for every row around them.
///
/// # Errors
/// Of its expressions.
pub(crate) fn inner(plan: &Plan, env: &Env<'_>, parent: Option<&Rows<'_>>) -> Result<Rc<Vec<Row>>> {
    if let Some(rows) = plan.once.get() {
        return Ok(Rc::clone(rows));
    }
    let rows = Rc::new(run(plan, env, parent)?);
    if !plan.selects.iter().any(|(select, _)| select.correlated) {
        // Nothing else has filled it: a query is not within itself.
        let _ = plan.once.set(Rc::clone(&rows));
    }
    Ok(rows)
}

fn directed(order: std::cmp::Ordering, down: bool) -> std::cmp::Ordering {
    if down { order.reverse() } else { order }
}

fn distinct(rows: &mut Vec<Row>) {
    let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
    rows.retain(|row| seen.insert(row.iter().map(key).collect()));
}

fn run_select(plan: &SelectPlan, env: &Env<'_>, parent: Option<&Rows<'_>>) -> Result<Vec<Row>> {
    let mut rows = read(&plan.source, env, parent)?;
    if let Some(filter) = &plan.filter {
        let mut kept = Vec::new();
        for row in rows {
            if eval(filter, &Rows::of(&row, parent), env)?.truth() == Some(true) {
                kept.push(row);
            }
        }
        rows = kept;
    }
    let groups: Vec<(Row, Vec<Value>)> = if plan.grouped {
        group(plan, env, &rows, parent)?
    } else {
        rows.into_iter().map(|row| (row, Vec::new())).collect()
    };
    let mut results: Vec<(Vec<Value>, Row)> = Vec::new();
    for (row, aggregates) in &groups {
        let rows = Rows { row, aggregates, inserted: &[], parent };
        if let Some(having) = &plan.having
            && eval(having, &rows, env)?.truth() != Some(true)
        {
            continue;
        }
        let keys = plan.order.iter().map(|(node, _)| eval(node, &rows, env)).collect::<Result<Vec<_>>>()?;
        let items = plan.items.iter().map(|node| eval(node, &rows, env)).collect::<Result<Vec<_>>>()?;
        results.push((keys, items.into()));
    }
    if plan.distinct {
        let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
        results.retain(|(_, row)| seen.insert(row.iter().map(key).collect()));
    }
    results.sort_by(|(a, _), (b, _)| {
        let mut keys = plan.order.iter().enumerate().map(|(at, (_, down))| directed(order(&a[at], &b[at]), *down));
        keys.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(results.into_iter().map(|(_, row)| row).collect())
}

fn read(source: &SourcePlan, env: &Env<'_>, parent: Option<&Rows<'_>>) -> Result<Vec<Row>> {
    Ok(match source {
        SourcePlan::One => vec![Rc::from([])],
        SourcePlan::Rows(rows) => rows.to_vec(),
        SourcePlan::Derived(plan) => inner(plan, env, None)?.to_vec(),
        SourcePlan::Table { table, lookup: None } => table.rows().into_iter().map(|(_, row)| row).collect(),
        SourcePlan::Table { table, lookup: Some((index, nodes)) } => {
            let nothing = Rows::of(&[], parent);
            let keys = nodes.iter().map(|node| eval(node, &nothing, env)).collect::<Result<Vec<_>>>()?;
            table.find(*index, &keys).and_then(|id| table.row(id)).cloned().into_iter().collect()
        }
        SourcePlan::Join { left, right, kind, on, widths } => {
            let (left, right) = (read(left, env, parent)?, read(right, env, parent)?);
            join(&left, &right, *kind, on.as_ref(), *widths, env, parent)?
        }
    })
}

fn join(
    left: &[Row],
    right: &[Row],
    kind: Join,
    on: Option<&crate::bind::Node>,
    widths: (usize, usize),
    env: &Env<'_>,
    parent: Option<&Rows<'_>>,
) -> Result<Vec<Row>> {
    let (outer, inner) = if kind == Join::Right { (right, left) } else { (left, right) };
    let mut all = Vec::new();
    for a in outer {
        let mut found = false;
        for b in inner {
            let (l, r) = if kind == Join::Right { (b, a) } else { (a, b) };
            let row: Row = l.iter().chain(r.iter()).cloned().collect();
            let fits = match on {
                Some(on) => eval(on, &Rows::of(&row, parent), env)?.truth() == Some(true),
                None => true,
            };
            if fits {
                found = true;
                all.push(row);
                if all.len() > ROWS_MAX {
                    return Err(Error::refused(format!(
                        "kubonsai does not support joins of more than {ROWS_MAX} rows (mysql) yet"
                    )));
                }
            }
        }
        let none = |count: usize| std::iter::repeat_n(Value::Null, count);
        if !found && kind == Join::Left {
            all.push(a.iter().cloned().chain(none(widths.1)).collect());
        } else if !found && kind == Join::Right {
            all.push(none(widths.0).chain(a.iter().cloned()).collect());
        }
    }
    Ok(all)
}

/// One row of each group, in the order in which groups were first seen, and their aggregates.
fn group(plan: &SelectPlan, env: &Env<'_>, rows: &[Row], parent: Option<&Rows<'_>>) -> Result<Vec<(Row, Vec<Value>)>> {
    let mut places: BTreeMap<Vec<Key>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let values =
            plan.group.iter().map(|node| eval(node, &Rows::of(row, parent), env)).collect::<Result<Vec<_>>>()?;
        let at = *places.entry(values.iter().map(key).collect()).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(Rc::clone(row));
    }
    // Without GROUP BY there is one group, of no rows if there are none.
    if groups.is_empty() && plan.group.is_empty() {
        groups.push(Vec::new());
    }
    let mut all = Vec::new();
    for rows in groups {
        let aggregates =
            plan.aggregates.iter().map(|a| aggregate(a, &rows, env, parent)).collect::<Result<Vec<_>>>()?;
        all.push((rows.first().cloned().unwrap_or_else(|| Rc::from([])), aggregates));
    }
    Ok(all)
}

fn aggregate(a: &Aggregate, rows: &[Row], env: &Env<'_>, parent: Option<&Rows<'_>>) -> Result<Value> {
    if a.kind == Kind::CountAll {
        return Ok(Value::Int(rows.len() as i64));
    }
    let mut values: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for row in rows {
        let rows = Rows::of(row, parent);
        let args = a.args.iter().map(|node| eval(node, &rows, env)).collect::<Result<Vec<_>>>()?;
        if args.iter().any(Value::is_null) {
            continue;
        }
        let keys = a.order.iter().map(|(node, _)| eval(node, &rows, env)).collect::<Result<Vec<_>>>()?;
        values.push((keys, args));
    }
    if a.distinct {
        let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
        values.retain(|(_, args)| seen.insert(args.iter().map(key).collect()));
    }
    values.sort_by(|(x, _), (y, _)| {
        let mut keys = a.order.iter().enumerate().map(|(at, (_, down))| directed(order(&x[at], &y[at]), *down));
        keys.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let firsts = || values.iter().map(|(_, args)| &args[0]);
    if a.kind == Kind::Count {
        return Ok(Value::Int(values.len() as i64));
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    Ok(match a.kind {
        Kind::Min => firsts().min_by(|x, y| order(x, y)).cloned().unwrap_or(Value::Null),
        Kind::Max => firsts().max_by(|x, y| order(x, y)).cloned().unwrap_or(Value::Null),
        Kind::Concat => {
            // Only what is shown is put together: all of it may be more than there is room for.
            let (mut text, mut left) = (String::new(), CONCAT_CHARS_MAX);
            for (at, (_, args)) in values.iter().enumerate() {
                let parts = (at > 0).then(|| a.separator.clone()).into_iter().chain(args.iter().map(Value::to_string));
                for part in parts {
                    let before = text.len();
                    text.extend(part.chars().take(left));
                    left -= text[before..].chars().count();
                }
                if left == 0 {
                    break;
                }
            }
            Value::text(text)
        }
        _ => {
            let exact = matches!(a.ty, Type::Decimal(..));
            let mut sum = if exact { Value::Decimal(0, 0) } else { Value::Double(0.0) };
            for value in firsts() {
                sum = arithmetic(crate::ast::Op::Add, &sum, value)?;
            }
            match (a.kind, &sum) {
                (Kind::Average, Value::Decimal(n, scale)) => {
                    let (n, scale) = divide(*n, *scale, values.len() as i128, 0).unwrap_or((0, 0));
                    Value::Decimal(n, scale)
                }
                (Kind::Average, _) => Value::Double(sum.number() / values.len() as f64),
                _ => sum,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::Statement;
    use crate::bind::Node;
    use crate::catalog::Catalog;
    use crate::session::Session;
    use crate::{parse, plan};

    #[test]
    fn what_is_the_same_for_every_row_is_computed_once() {
        let sql = "SELECT (SELECT 2), (SELECT a), (SELECT 1 FROM (SELECT 1 AS b) x JOIN (SELECT 2 AS c) y ON a = b),
            (SELECT (SELECT a)), (SELECT (SELECT d FROM (SELECT 1 AS d) z)) FROM (SELECT 1 AS a UNION SELECT 2) t";
        let (catalog, session) = (Catalog::default(), Session::default());
        let env = Env { catalog: &catalog, session: &session };
        let Ok(Statement::Query(query)) = parse::statement(sql) else { panic!("no query") };
        let plan = plan::query(&env, &query, None).expect("valid");
        let rows = run(&plan, &env, None).expect("computed");
        let values = |row: &Row| row.iter().map(Value::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(rows.iter().map(values).collect::<Vec<_>>(), ["2 1 1 1 1", "2 2 NULL 2 1"]);
        let kept = plan.selects[0].0.items.iter().map(|item| match item {
            Node::Scalar(plan) => plan.once.get().is_some(),
            other => panic!("{other:?}"),
        });
        assert_eq!(kept.collect::<Vec<_>>(), [true, false, false, false, true]);
    }
}
