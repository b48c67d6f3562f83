//! JSON patch (RFC 6902) and JSON merge patch (RFC 7386).

use json::{Map, Value};
use json_patch::{PatchErrorKind, PatchOperation};
use serde::Deserialize;

use super::PatchError;

/// Operations in one JSON patch (`maxJSONPatchOperations`).
pub const JSON_PATCH_OPERATIONS_MAX: usize = 10_000;

/// Bytes that the copies of one patch may add up to (`JSONPatchMaxCopyBytes`): thirty of them double an object thirty times.
const COPIED_BYTES_MAX: usize = 3 * 1024 * 1024;
/// How deep an object may become, as deep as one may be read.
const DEPTH_MAX: usize = 128;

/// Applies a JSON patch.
///
/// # Errors
/// `Decode` if it is not a list of operations, `Apply` if one of them does not fit.
pub fn json_patch(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Some(list) = patch.as_array() else {
        let kind = match patch {
            Value::Object(_) => "object",
            Value::String(_) => "string",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        let what = "into Go value of type []handlers.jsonPatchOp";
        return Err(PatchError::Decode(format!("error decoding patch: json: cannot unmarshal {kind} {what}")));
    };
    if list.len() > JSON_PATCH_OPERATIONS_MAX {
        let message = format!(
            "The allowed maximum operations in a JSON patch is {JSON_PATCH_OPERATIONS_MAX}, got {}",
            list.len()
        );
        return Err(PatchError::Decode(message));
    }
    // The library works on trees of its own.
    let own = |error: json::Error| PatchError::Apply(error.to_string());
    let mut result = serde_json::to_value(document).map_err(own)?;
    let mut copied = 0;
    for operation in list {
        let parsed = PatchOperation::deserialize(operation).map_err(|_| unreadable(operation))?;
        check_growth(&result, &parsed, &mut copied)?;
        let path = parsed.path().to_string();
        json_patch::patch(&mut result, std::slice::from_ref(&parsed))
            .map_err(|error| PatchError::Apply(refusal(operation, &path, &error.kind)))?;
    }
    json::to_value(result).map_err(own)
}

/// Refuses an operation by which the document would become too large or too deep. What does not apply at all is told later.
fn check_growth(
    document: &serde_json::Value,
    operation: &PatchOperation,
    copied: &mut usize,
) -> Result<(), PatchError> {
    let value = match operation {
        PatchOperation::Add(add) => Some(&add.value),
        PatchOperation::Replace(replace) => Some(&replace.value),
        PatchOperation::Move(r#move) => document.pointer(r#move.from.as_str()),
        PatchOperation::Copy(copy) => document.pointer(copy.from.as_str()),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
    };
    let Some(value) = value else { return Ok(()) };
    if matches!(operation, PatchOperation::Copy(_)) {
        *copied += value.to_string().len();
        if *copied > COPIED_BYTES_MAX {
            let why = "Unable to complete the copy, the accumulated size increase of copy is";
            return Err(PatchError::Apply(format!("{why} {copied}, exceeding the limit {COPIED_BYTES_MAX}")));
        }
    }
    if is_deeper(value, DEPTH_MAX.saturating_sub(operation.path().count())) {
        return Err(PatchError::Apply("exceeded max depth".to_owned()));
    }
    Ok(())
}

/// Whether values are inside each other more than so many times.
fn is_deeper(value: &serde_json::Value, most: usize) -> bool {
    let below = |inner: &serde_json::Value| most == 0 || is_deeper(inner, most - 1);
    match value {
        serde_json::Value::Array(list) => most == 0 || list.iter().any(below),
        serde_json::Value::Object(fields) => most == 0 || fields.values().any(below),
        _ => false,
    }
}

fn unreadable(operation: &Value) -> PatchError {
    let op = operation["op"].as_str().unwrap_or("");
    let known = ["add", "remove", "replace", "move", "copy", "test"].contains(&op);
    PatchError::Apply(if known {
        format!("{op} operation does not apply: missing or malformed member: missing value")
    } else {
        format!("Unexpected kind: {}", if op.is_empty() { "unknown" } else { op })
    })
}

fn refusal(operation: &Value, path: &str, kind: &PatchErrorKind) -> String {
    let op = operation["op"].as_str().unwrap_or("");
    match kind {
        PatchErrorKind::TestFailed => format!("testing value {path} failed: test failed"),
        _ => format!("{op} operation does not apply: doc is missing path: \"{path}\": missing value"),
    }
}

/// Applies a JSON merge patch: null deletes, objects merge, everything else replaces.
pub fn merge_patch(document: &Value, patch: &Value) -> Value {
    let mut result = document.clone();
    merge(&mut result, patch);
    result
}

fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(fields) = document else { return };
    if patch.values().any(Value::is_null) {
        fields.retain(|name, _| !patch.get(name).is_some_and(Value::is_null));
    }
    let mut new = Vec::new();
    for (name, value) in patch.iter().filter(|(_, value)| !value.is_null()) {
        match fields.get_mut(name) {
            Some(old) => merge(old, value),
            None => {
                let mut made = Value::Null;
                merge(&mut made, value);
                new.push((name.clone(), made));
            }
        }
    }
    fields.extend(new);
}

/// The JSON merge patch from one value to another (`jsonpatch.CreateMergePatch`).
pub fn create_merge_patch(original: &Value, modified: &Value) -> Value {
    let (Some(from), Some(to)) = (original.as_object(), modified.as_object()) else { return modified.clone() };
    let mut patch = Map::new();
    for (key, new) in to {
        match from.get(key) {
            Some(old) if old == new => {}
            Some(old) if old.is_object() && new.is_object() => {
                patch.insert(key.clone(), create_merge_patch(old, new));
            }
            _ => {
                patch.insert(key.clone(), new.clone());
            }
        }
    }
    for key in from.keys().filter(|k| !to.contains_key(*k)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// The JSON merge patch that `kubectl apply` sends for kinds without a schema: what differs from the live object, and
/// deletions of what the last applied configuration had (`jsonmergepatch.CreateThreeWayJSONMergePatch`).
///
/// # Errors
/// `Precondition` if apiVersion, kind or name would change.
pub fn three_way_json(original: &Value, modified: &Value, current: &Value) -> Result<Value, PatchError> {
    let mut changes = create_merge_patch(current, modified);
    keep(&mut changes, false);
    let mut deletions = create_merge_patch(original, modified);
    keep(&mut deletions, true);
    combine(&mut changes, deletions);
    super::diff::preconditions(&changes)?;
    Ok(changes)
}

/// Keeps only the nulls of a merge patch, or everything but them.
fn keep(patch: &mut Value, nulls: bool) {
    let Some(map) = patch.as_object_mut() else { return };
    map.retain(|_, value| {
        if value.is_object() {
            keep(value, nulls);
            return value.as_object().is_some_and(|m| !m.is_empty());
        }
        value.is_null() == nulls
    });
}

/// Adds the nulls of `deletions` to a patch; changes win.
fn combine(patch: &mut Value, deletions: Value) {
    let (Some(map), Value::Object(deletions)) = (patch.as_object_mut(), deletions) else { return };
    for (key, value) in deletions {
        match map.get_mut(&key) {
            Some(existing) => combine(existing, value),
            None => {
                map.insert(key, value);
            }
        }
    }
}
