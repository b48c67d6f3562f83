//! Writing strategic merge patches.

use json::{Map, Text, Value, json};

use super::order::{same, sort_by};
use super::strategic::{Mode, merge_map};
use super::{DELETE_PRIMITIVES, PATCH, PatchError, Place, RETAIN_KEYS, SET_ORDER, key_of};
use crate::schema::Definition;

/// Which differences to write.
#[derive(Clone, Copy)]
struct Which {
    deletions: bool,
    changes: bool,
    retain_keys: bool,
}

/// The strategic merge patch from one object to another (`CreateTwoWayMergePatch`).
///
/// # Errors
/// `Apply` for list elements without their merge key.
pub fn two_way_strategic(
    original: &Value,
    modified: &Value,
    schema: Option<&'static Definition>,
) -> Result<Value, PatchError> {
    let which = Which { deletions: true, changes: true, retain_keys: false };
    diff_maps(&map_of(original), &map_of(modified), Place::of(schema), which).map(Value::Object)
}

/// The strategic merge patch that `kubectl apply` sends: what differs between the live object and the wanted one, and
/// deletions of what the last applied configuration had (`CreateThreeWayMergePatch`, overwriting).
///
/// # Errors
/// `Apply` for list elements without their merge key, `Precondition` if apiVersion, kind or name would change.
pub fn three_way_strategic(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: Option<&'static Definition>,
) -> Result<Value, PatchError> {
    let (place, wanted) = (Place::of(schema), map_of(modified));
    let changes = Which { deletions: false, changes: true, retain_keys: false };
    let changes = diff_maps(&map_of(current), &wanted, place, changes)?;
    let deletions = Which { deletions: true, changes: false, retain_keys: false };
    let deletions = diff_maps(&map_of(original), &wanted, place, deletions)?;
    let mode = Mode { parallel_lists: false, drop_unmatched_nulls: false };
    let patch = Value::Object(merge_map(deletions, changes, place, mode)?);
    preconditions(&patch)?;
    Ok(patch)
}

/// A patch must not touch what identifies the object.
pub(super) fn preconditions(patch: &Value) -> Result<(), PatchError> {
    let touched = patch.get("apiVersion").is_some()
        || patch.get("kind").is_some()
        || patch.get("metadata").is_some_and(|m| m.get("name").is_some());
    if touched { Err(PatchError::Precondition) } else { Ok(()) }
}

fn map_of(value: &Value) -> Map {
    value.as_object().cloned().unwrap_or_default()
}

fn diff_maps(original: &Map, modified: &Map, place: Place, which: Which) -> Result<Map, PatchError> {
    let mut patch = Map::new();
    for (key, new) in modified {
        let Some(old) = original.get(key) else {
            if which.changes {
                patch.insert(key.clone(), new.clone());
            }
            continue;
        };
        let field = place.field(key);
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if !field.replace => {
                let which = Which { retain_keys: field.retain_keys, ..which };
                let inner = diff_maps(old, new, field.place, which)?;
                if !inner.is_empty() {
                    patch.insert(key.clone(), Value::Object(inner));
                }
            }
            (Value::Array(old), Value::Array(new)) if field.merge => {
                let which = Which { retain_keys: field.retain_keys, ..which };
                let lists = diff_lists(old, new, field.place, field.merge_key, which)?;
                let named = [
                    (String::new(), lists.patch),
                    (DELETE_PRIMITIVES.into(), lists.delete),
                    (SET_ORDER.into(), lists.order),
                ];
                for (prefix, list) in named.into_iter().filter(|(_, list)| !list.is_empty()) {
                    patch.insert(format!("{prefix}{key}").into(), Value::Array(list.into()));
                }
            }
            _ if which.changes && old != new => {
                patch.insert(key.clone(), new.clone());
            }
            _ => {}
        }
    }
    if which.deletions {
        for key in original.keys().filter(|k| !modified.contains_key(*k)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    let additional = original.keys().any(|k| !modified.contains_key(k));
    if which.retain_keys && (!patch.is_empty() || additional) {
        let keys: Vec<&Text> = modified.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k).collect();
        if !keys.is_empty() {
            patch.insert(RETAIN_KEYS.into(), json!(keys));
        }
    }
    Ok(patch)
}

#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    delete: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(
    original: &[Value],
    modified: &[Value],
    place: Place,
    key: &str,
    which: Which,
) -> Result<Lists, PatchError> {
    if original.is_empty() {
        let patch = if which.changes { modified.to_vec() } else { Vec::new() };
        return Ok(Lists { patch, ..Lists::default() });
    }
    if !original.iter().chain(modified).any(Value::is_object) {
        return Ok(diff_scalars(original, modified, which));
    }
    let mut lists = Lists::default();
    let mut deletions = Vec::new();
    for new in modified {
        key_of(new, key)?;
        match original.iter().find(|old| same(old, new, key)) {
            None if which.changes => lists.patch.push(new.clone()),
            None => {}
            Some(old) => {
                let mut inner = diff_maps(&map_of(old), &map_of(new), place, which)?;
                if !inner.is_empty() {
                    inner.insert(key.into(), key_of(new, key)?.clone());
                    lists.patch.push(Value::Object(inner));
                }
            }
        }
    }
    if which.deletions {
        for old in original.iter().filter(|old| !modified.iter().any(|new| same(old, new, key))) {
            let mut gone = Map::new();
            gone.insert(PATCH.into(), "delete".into());
            gone.insert(key.into(), key_of(old, key)?.clone());
            deletions.push(Value::Object(gone));
        }
        deletions.sort_by_key(|item| crate::text::go_value(&item[key]));
    }
    sort_by(&mut lists.patch, modified, key);
    lists.patch.extend(deletions);
    let order_same = original.len() == modified.len() && original.iter().zip(modified).all(|(a, b)| same(a, b, key));
    let changed = which.changes && (!lists.patch.is_empty() || !order_same);
    if changed || (which.deletions && !lists.patch.is_empty()) {
        for item in modified {
            let mut only = Map::new();
            only.insert(key.into(), key_of(item, key)?.clone());
            lists.order.push(Value::Object(only));
        }
    }
    Ok(lists)
}

fn diff_scalars(original: &[Value], modified: &[Value], which: Which) -> Lists {
    let missing = |from: &[Value], others: &[Value]| -> Vec<Value> {
        let mut out: Vec<Value> = Vec::new();
        for item in from.iter().filter(|i| !others.contains(i)) {
            if !out.contains(item) {
                out.push(item.clone());
            }
        }
        out
    };
    let patch = if which.changes { missing(modified, original) } else { Vec::new() };
    let mut delete = if which.deletions { missing(original, modified) } else { Vec::new() };
    delete.sort_by_key(crate::text::go_value);
    let ordered = (which.deletions && !delete.is_empty()) || (which.changes && original != modified);
    Lists { patch, delete, order: if ordered { modified.to_vec() } else { Vec::new() } }
}
