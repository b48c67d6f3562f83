//! Applying a strategic merge patch.

use json::{Array, Map, Text, Value};

use super::order::{arrange, same};
use super::{DELETE_PRIMITIVES, PATCH, PatchError, Place, RETAIN_KEYS, SET_ORDER, key_of};
use crate::schema::Definition;
use crate::text::go_value;

/// Applies a strategic merge patch to an object of a definition. Without one, lists are replaced.
///
/// # Errors
/// `Decode` for unknown directives, `Apply` for list elements without their merge key.
pub fn strategic_merge(
    document: &Value,
    patch: &Value,
    schema: Option<&'static Definition>,
) -> Result<Value, PatchError> {
    let Some(patch) = patch.as_object() else {
        return Err(PatchError::Decode(
            "json: cannot unmarshal the patch into Go value of type map[string]interface {}".into(),
        ));
    };
    let document = document.as_object().cloned().unwrap_or_default();
    merge_map(document, patch.clone(), Place::of(schema), Mode { parallel_lists: true, drop_unmatched_nulls: true })
        .map(Value::Object)
}

/// How to merge: an object with a patch, or two patches into one.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// Whether directives act on lists; otherwise they are carried along.
    pub parallel_lists: bool,
    /// Whether a null for what is not there is dropped.
    pub drop_unmatched_nulls: bool,
}

pub(super) fn merge_map(mut original: Map, mut patch: Map, place: Place, mode: Mode) -> Result<Map, PatchError> {
    if let Some(directive) = patch.remove(PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => Err(unknown_directive(&directive, &Value::Object(patch))),
        };
    }
    retain_keys(&mut original, &mut patch, mode)?;
    set_orders(&mut original, &mut patch, place, mode)?;
    for (key, value) in patch {
        let deletes = key.strip_prefix(DELETE_PRIMITIVES);
        if value.is_null() {
            let there = original.remove(&key).is_some();
            if !mode.drop_unmatched_nulls || (there && !mode.parallel_lists) {
                original.insert(key, Value::Null);
            }
            continue;
        }
        if let Some(field) = deletes {
            if !mode.parallel_lists {
                original.insert(key, value);
            } else if let (Some(Value::Array(list)), Value::Array(gone)) = (original.get_mut(field), &value) {
                list.retain(|item| !gone.contains(item));
            }
            continue;
        }
        let field = place.field(&key);
        let merged = match (original.get_mut(&key).map(Value::take), value) {
            (Some(Value::Object(_)), value @ Value::Object(_)) if field.replace => value,
            (Some(Value::Object(old)), Value::Object(new)) => Value::Object(merge_map(old, new, field.place, mode)?),
            (Some(Value::Array(old)), Value::Array(new)) if field.merge => {
                Value::Array(merge_list(old, new, field.place, field.merge_key, mode)?)
            }
            (_, value) if mode.parallel_lists => without_directives(value, mode),
            (_, value) => value,
        };
        original.insert(key, merged);
    }
    Ok(original)
}

fn unknown_directive(directive: &Value, map: &Value) -> PatchError {
    PatchError::Decode(format!("unknown patch type: {} in map: {}", go_value(directive), go_value(map)))
}

fn retain_keys(original: &mut Map, patch: &mut Map, mode: Mode) -> Result<(), PatchError> {
    let Some(list) = patch.get(RETAIN_KEYS).and_then(Value::as_array).cloned() else { return Ok(()) };
    if !mode.parallel_lists {
        // Two patches into one: the newer list wins when it is inserted with the other keys.
        return Ok(());
    }
    patch.remove(RETAIN_KEYS);
    let listed = |key: &str| list.iter().any(|k| k.as_str() == Some(key));
    if patch.iter().any(|(key, value)| !value.is_null() && !key.starts_with('$') && !listed(key)) {
        return Err(PatchError::Decode("invalid patch format of retainKeys".to_owned()));
    }
    original.retain(|key, _| listed(key));
    Ok(())
}

/// Merges each list whose order the patch gives, and enforces that order.
fn set_orders(original: &mut Map, patch: &mut Map, place: Place, mode: Mode) -> Result<(), PatchError> {
    let orders: Vec<Text> = patch.keys().filter(|k| k.starts_with(SET_ORDER)).cloned().collect();
    for directive in orders {
        let field_name = directive[SET_ORDER.len()..].to_owned();
        let Some(Value::Array(order)) = patch.remove(&directive) else { continue };
        if !mode.parallel_lists {
            original.insert(directive, Value::Array(order));
            continue;
        }
        let field = place.field(&field_name);
        let key = field.merge_key;
        let gone = patch.remove(&format!("{DELETE_PRIMITIVES}{field_name}"));
        let server = match original.remove(&field_name) {
            Some(Value::Array(list)) => Some(list),
            _ => None,
        };
        let new = match patch.remove(&field_name) {
            Some(Value::Array(list)) => Some(list),
            Some(other) => {
                patch.insert(field_name.into(), other);
                continue;
            }
            None => None,
        };
        let mut merged = match (server.clone(), new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => {
                new.into_iter().filter(|i| i.get(PATCH).is_none()).map(|v| without_directives(v, mode)).collect()
            }
            (Some(old), Some(new)) => merge_list(old, new, field.place, key, mode)?,
        };
        if let Some(Value::Array(gone)) = gone {
            merged.retain(|item| !gone.contains(item));
        }
        let arranged = arrange(merged, &order, &server.unwrap_or_default(), key);
        original.insert(field_name.into(), Value::Array(arranged));
    }
    Ok(())
}

fn merge_list(original: Array, patch: Array, place: Place, key: &str, mode: Mode) -> Result<Array, PatchError> {
    let server = original.clone();
    if !original.iter().chain(&patch).any(Value::is_object) {
        let mut merged = Array::new();
        for item in original.into_iter().chain(patch.iter().cloned()) {
            if !merged.contains(&item) {
                merged.push(item);
            }
        }
        return Ok(arrange(merged, &patch, &server, ""));
    }
    if key.is_empty() {
        return Err(PatchError::Apply("cannot merge lists of maps without a merge key".to_owned()));
    }
    let (mut merged, patch) =
        if mode.parallel_lists { special_elements(original, patch, key)? } else { (original, patch) };
    for item in &patch {
        key_of(item, key)?;
        let Value::Object(new) = item else { continue };
        match merged.iter_mut().find(|old| same(old, item, key)) {
            Some(Value::Object(old)) if mode.parallel_lists || !new.contains_key(PATCH) => {
                *old = merge_map(std::mem::take(old), new.clone(), place, mode)?;
            }
            Some(old) => *old = item.clone(),
            None if mode.parallel_lists => merged.push(without_directives(item.clone(), mode)),
            None => merged.push(item.clone()),
        }
    }
    Ok(arrange(merged, &patch, &server, key))
}

/// Obeys `$patch: delete` and `$patch: replace` elements, and takes them out of the patch.
fn special_elements(mut original: Array, patch: Array, key: &str) -> Result<(Array, Array), PatchError> {
    let mut rest = Array::new();
    let mut replace = false;
    for item in patch {
        match item.get(PATCH) {
            None => rest.push(item),
            Some(directive) => match directive.as_str() {
                Some("delete") => {
                    key_of(&item, key)?;
                    original.retain(|old| !same(old, &item, key));
                }
                Some("replace") => replace = true,
                Some("merge") => return Err(PatchError::Decode("merging? not supported".to_owned())),
                _ => return Err(unknown_directive(directive, &item)),
            },
        }
    }
    if replace { Ok((rest, Array::new())) } else { Ok((original, rest)) }
}

/// A value of the patch that has no counterpart: taken without its directives (and nulls, if they mean deletion).
fn without_directives(value: Value, mode: Mode) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(key, value)| {
                    let directive = key == PATCH
                        || key == RETAIN_KEYS
                        || key.starts_with(SET_ORDER)
                        || key.starts_with(DELETE_PRIMITIVES);
                    !(directive || mode.drop_unmatched_nulls && value.is_null())
                })
                .map(|(key, value)| (key, without_directives(value, mode)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .filter(|item| item.get(PATCH).is_none())
                .map(|item| without_directives(item, mode))
                .collect(),
        ),
        other => other,
    }
}
