//! What storing an object does to its JSON: decoding into the type and encoding again.

use serde_json::Value;

use super::table::{Definition, Property, Type};
use crate::quantity::Quantity;

/// Fills the published defaults that say something (`"TCP"`, not `""`, `0` or `{}`) where their object is present.
/// Defaults that depend on other fields are the API server's business.
pub fn apply_defaults(root: &'static Definition, value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    for property in &root.properties {
        let meaning = property.default.filter(|d| !matches!(*d, "\"\"" | "0" | "{}" | "false" | "null"));
        if meaning.is_some() && map.get(property.name).is_none_or(Value::is_null) {
            map.insert(property.name.to_owned(), property.default_value().unwrap_or(Value::Null));
        }
        if let (Some(value), Some(definition)) = (map.get_mut(property.name), property.definition()) {
            each(&property.ty, value, &mut |value| apply_defaults(definition, value));
        }
    }
}

/// Calls `f` for each object at the end of lists and maps.
fn each(ty: &Type, value: &mut Value, f: &mut dyn FnMut(&mut Value)) {
    match (ty, value) {
        (Type::List(inner), Value::Array(items)) => items.iter_mut().for_each(|v| each(inner, v, f)),
        (Type::Map(inner), Value::Object(map)) => map.values_mut().for_each(|v| each(inner, v, f)),
        (Type::Ref(_), value) => f(value),
        _ => {}
    }
}

/// Fields that are written as null when they are not set, as Go writes them.
const KEPT_NULLS: [(&str, &str); 5] = [
    ("api.core.v1.PodCondition", "lastProbeTime"),
    ("api.core.v1.Event", "eventTime"),
    ("api.core.v1.Event", "firstTimestamp"),
    ("api.core.v1.Event", "lastTimestamp"),
    ("api.storage.v1.CSINodeSpec", "drivers"),
];

/// The definition whose empty strings are never written.
const OBJECT_META: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// A property that is written also when nobody set it: its place among the properties of its definition, and whether
/// null is written in the place of its default.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    place: usize,
    null: bool,
}

/// Which of the properties of a definition are written also when nobody set them.
pub(super) fn written(definition: &str, properties: &[Property]) -> Vec<Written> {
    let one = |(place, property): (usize, &Property)| {
        let always = match property.default {
            Some("{}") => matches!(property.ty, Type::Ref(_)),
            Some(_) => property.required,
            None => false,
        };
        let null = is_kept_null(definition, property.name);
        (always || null).then_some(Written { place, null: !always })
    };
    properties.iter().enumerate().filter_map(one).collect()
}

fn is_kept_null(definition: &str, field: &str) -> bool {
    KEPT_NULLS.iter().any(|(owner, name)| *name == field && *owner == definition)
}

/// Puts an object into the form in which the API server answers it: unknown fields, nulls and empty optional lists and
/// maps go, quantities become canonical, and what Go always writes (`status: {}`, `resources: {}`) is there.
pub fn normalize(root: &'static Definition, value: &mut Value) {
    if root.properties.is_empty() {
        return;
    }
    let Some(map) = value.as_object_mut() else { return };
    let mut properties = root.in_order();
    map.retain(|name, value| {
        let Some(property) = properties.property(name) else { return false };
        let empty = match (&property.ty, &*value) {
            (_, Value::Null) => !is_kept_null(root.name, name),
            (Type::List(_), Value::Array(items)) => items.is_empty() && !property.required,
            (Type::Map(_), Value::Object(map)) => map.is_empty() && !property.required,
            (Type::String, Value::String(text)) => text.is_empty() && root.name == OBJECT_META,
            _ => false,
        };
        if !empty {
            inner(property, &property.ty, value);
        }
        !empty
    });
    for Written { place, null } in &root.written {
        let property = &root.properties[*place];
        if map.contains_key(property.name) {
            continue;
        }
        let mut value = if *null { Value::Null } else { property.default_value().unwrap_or(Value::Null) };
        inner(property, &property.ty, &mut value);
        map.insert(property.name.to_owned(), value);
    }
}

fn inner(property: &'static Property, ty: &Type, value: &mut Value) {
    match (ty, value) {
        (Type::List(of), Value::Array(items)) => items.iter_mut().for_each(|v| inner(property, of, v)),
        (Type::Map(of), Value::Object(map)) => map.values_mut().for_each(|v| inner(property, of, v)),
        (Type::Quantity, value) => quantity(value),
        (Type::Ref(_), value) => {
            if let Some(definition) = property.definition() {
                normalize(definition, value);
            }
        }
        _ => {}
    }
}

fn quantity(value: &mut Value) {
    if let Ok(quantity) = Quantity::from_value(value) {
        *value = quantity.to_string().into();
    }
}
