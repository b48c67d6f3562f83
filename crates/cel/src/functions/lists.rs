//! Lists and lists as sets (k8s.io/apiserver/pkg/cel/library/lists.go, cel-go/ext/{lists,sets}.go).

use std::cmp::Ordering;

use super::Found;
use super::operators;
use crate::value::Value;

/// How long a list may be that is made of nothing but a number.
const RANGE_ITEMS_MAX: i64 = 100_000;
/// How long a list may be that is made of the lists in a list.
const FLAT_ITEMS_MAX: usize = 1_000_000;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let list = match args {
        [Value::List(list), ..] => &list.items,
        [Value::Int(n)] if name == "lists.range" => {
            return Some(match *n <= RANGE_ITEMS_MAX {
                true => Ok(Value::list((0..*n).map(Value::Int).collect())),
                false => Err(format!("lists.range of {n} is more than {RANGE_ITEMS_MAX}")),
            });
        }
        _ => return None,
    };
    let position = |found: Option<usize>| Value::Int(found.map_or(-1, |i| i64::try_from(i).unwrap_or(i64::MAX)));
    let found = match (name, &args[1..]) {
        ("isSorted", []) => {
            let in_order = |pair: &[Value]| pair[0].compare(&pair[1]).is_some_and(|o| o != Ordering::Greater);
            Value::Bool(list.windows(2).all(in_order))
        }
        ("sum", rest) if rest.len() <= 1 => return Some(sum(list, rest.first())),
        ("min" | "max", []) => return Some(extreme(name, list)),
        ("indexOf", [item]) => position(list.iter().position(|i| i == item)),
        ("lastIndexOf", [item]) => position(list.iter().rposition(|i| i == item)),
        ("sets.contains", [Value::List(sub)]) => Value::Bool(sub.items.iter().all(|i| list.contains(i))),
        ("sets.intersects", [Value::List(other)]) => Value::Bool(other.items.iter().any(|i| list.contains(i))),
        ("sets.equivalent", [Value::List(other)]) => {
            let within = |a: &[Value], b: &[Value]| a.iter().all(|i| b.contains(i));
            Value::Bool(within(list, &other.items) && within(&other.items, list))
        }
        ("slice", [Value::Int(from), Value::Int(to)]) => return Some(slice(list, *from, *to)),
        ("flatten", rest) if rest.len() <= 1 => {
            let levels = match rest {
                [Value::Int(levels)] => u32::try_from(*levels).ok(),
                _ => Some(1),
            };
            let Some(levels) = levels else { return Some(Err("level must be non-negative".into())) };
            let mut found = Vec::new();
            return Some(flatten(list, levels, &mut found).map(|()| Value::list(found)));
        }
        ("reverse", []) => Value::list(list.iter().rev().cloned().collect()),
        ("distinct", []) => {
            let mut found: Vec<Value> = Vec::new();
            for item in list {
                if !found.contains(item) {
                    found.push(item.clone());
                }
            }
            Value::list(found)
        }
        ("sort", []) => return Some(sort(list, list)),
        ("@sortByAssociatedKeys", [Value::List(keys)]) => return Some(sort(list, &keys.items)),
        _ => return None,
    };
    Some(Ok(found))
}

/// `zero` is what there is to say of an empty list; the checker, who knows its type, puts it there.
fn sum(list: &[Value], zero: Option<&Value>) -> Found {
    let Some((first, rest)) = list.split_first() else { return Ok(zero.cloned().unwrap_or(Value::Int(0))) };
    let add = |total: Value, item: &Value| {
        operators::call("_+_", &[total, item.clone()]).unwrap_or_else(|| Err("no such overload".into()))
    };
    rest.iter().try_fold(first.clone(), add)
}

fn extreme(name: &str, list: &[Value]) -> Found {
    let Some((first, rest)) = list.split_first() else { return Err(format!("{name} called on empty list")) };
    let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
    rest.iter()
        .try_fold(first, |best, item| match item.compare(best) {
            Some(order) if order == wanted => Ok(item),
            Some(_) => Ok(best),
            None => Err("no such overload".into()),
        })
        .cloned()
}

fn slice(list: &[Value], from: i64, to: i64) -> Found {
    let fail = |why: String| Err(format!("cannot slice({from}, {to}), {why}"));
    let (Ok(start), Ok(end)) = (usize::try_from(from), usize::try_from(to)) else {
        return fail("negative indexes not supported".into());
    };
    if start > end {
        return fail("start index must be less than or equal to end index".into());
    }
    match list.get(start..end) {
        Some(part) => Ok(Value::list(part.to_vec())),
        None => fail(format!("list is length {}", list.len())),
    }
}

fn flatten(list: &[Value], levels: u32, found: &mut Vec<Value>) -> Result<(), String> {
    for item in list {
        match item {
            Value::List(inner) if levels > 0 => flatten(&inner.items, levels - 1, found)?,
            other if found.len() < FLAT_ITEMS_MAX => found.push(other.clone()),
            _ => return Err(format!("list of more than {FLAT_ITEMS_MAX} elements")),
        }
    }
    Ok(())
}

/// A list in the order of its keys.
fn sort(list: &[Value], keys: &[Value]) -> Found {
    if keys.iter().any(|key| key.compare(key).is_none()) {
        return Err("list elements must be comparable".into());
    }
    if keys.windows(2).any(|pair| pair[0].type_of() != pair[1].type_of()) {
        return Err("list elements must have the same type".into());
    }
    let mut sorted: Vec<(&Value, &Value)> = keys.iter().zip(list).collect();
    sorted.sort_by(|(a, _), (b, _)| a.compare(b).unwrap_or(Ordering::Equal));
    Ok(Value::list(sorted.into_iter().map(|(_, item)| item.clone()).collect()))
}
