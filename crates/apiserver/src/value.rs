//! Small readers and writers of JSON.

pub use api::object_at as at;
use json::{Map, Value};

/// The text at a path, empty if absent.
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or("")
}

/// The integer at a path.
pub fn int(value: &Value, path: &str) -> Option<i64> {
    at(value, path).as_i64()
}

/// The elements at a path, empty if absent.
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[][..], json::Array::as_slice)
}

/// The elements at a path to change, empty if absent.
pub fn list_mut<'a>(value: &'a mut Value, path: &str) -> &'a mut [Value] {
    let found = path.split('.').try_fold(value, |v, part| v.get_mut(part));
    found.and_then(Value::as_array_mut).map_or(&mut [][..], json::Array::as_mut_slice)
}

/// The fields of a struct, none if it is not one.
pub fn fields(value: &Value) -> impl Iterator<Item = (&json::Text, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The map of a struct; a value of another type becomes an empty struct.
pub fn map_mut(value: &mut Value) -> &mut Map {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("just made an object")
}

/// `metadata` to change, made if absent.
pub fn metadata_mut(object: &mut Value) -> &mut Map {
    map_mut(map_mut(object).entry("metadata").or_insert(Value::Null))
}
