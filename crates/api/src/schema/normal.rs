//! What storing an object does to its JSON: decoding into the type and encoding again.

use json::{Array, Map, Text, Value};

use super::table::{Definition, Property, Type};
use crate::quantity::Quantity;

/// Fills the published defaults that say something (`"TCP"`, not `""`, `0` or `{}`) where their object is present.
/// Defaults that depend on other fields are the API server's business.
pub fn apply_defaults(root: &'static Definition, value: &mut Value) {
    if let Some(filled) = value.as_object().and_then(|map| defaults(root, map)) {
        *value = filled;
    }
}

/// The object with its defaults; none if it has them: what needs no change is neither copied nor unshared.
fn defaults(root: &'static Definition, map: &Map) -> Option<Value> {
    let mut filled: Option<Map> = None;
    for property in &root.properties {
        let meaning = property.default.filter(|d| !matches!(*d, "\"\"" | "0" | "{}" | "false" | "null"));
        let given = map.get(property.name);
        let default = match given {
            Some(value) if !value.is_null() => None,
            _ => meaning.map(|_| property.default_value().unwrap_or(Value::Null)),
        };
        let inside = default.as_ref().or(given).zip(property.definition());
        let inside = inside.and_then(|(value, definition)| {
            each(&property.ty, value, &|value| defaults(definition, value.as_object()?))
        });
        if let Some(value) = inside.or(default) {
            filled.get_or_insert_with(|| map.clone()).insert(property.name.into(), value);
        }
    }
    filled.map(Value::Object)
}

/// A value with `f` applied to each object at the end of lists and maps; none if that changes nothing.
fn each(ty: &Type, value: &Value, f: &dyn Fn(&Value) -> Option<Value>) -> Option<Value> {
    match (ty, value) {
        (Type::List(inner), Value::Array(items)) => items_with(items, |_, item| each(inner, item, f)),
        (Type::Map(inner), Value::Object(map)) => fields_with(map, |_, value| each(inner, value, f)),
        (Type::Ref(_), value) => f(value),
        _ => None,
    }
}

/// A list with what `f` makes of its items; none if it makes nothing of any.
fn items_with(items: &Array, mut f: impl FnMut(usize, &Value) -> Option<Value>) -> Option<Value> {
    let mut changed: Option<Array> = None;
    for (index, item) in items.iter().enumerate() {
        if let Some(new) = f(index, item) {
            changed.get_or_insert_with(|| items.clone())[index] = new;
        }
    }
    changed.map(Value::Array)
}

/// A map with what `f` makes of its values; none if it makes nothing of any.
fn fields_with(map: &Map, mut f: impl FnMut(&Text, &Value) -> Option<Value>) -> Option<Value> {
    let mut changed: Option<Map> = None;
    for (name, value) in map {
        if let Some(new) = f(name, value) {
            changed.get_or_insert_with(|| map.clone()).insert(name.clone(), new);
        }
    }
    changed.map(Value::Object)
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
    normalize_change(root, value, None, |_, _, _| false);
}

/// The same, and what `omitted` says of a definition's property with its value goes too. What an object shares with the one that it
/// was made from, which has this form, is not looked at again.
pub fn normalize_change(root: &'static Definition, value: &mut Value, known: Option<&Value>, omitted: Omitted) {
    if let Some(normal) = normal(root, value, known, omitted) {
        *value = normal;
    }
}

/// Which optional values are not written.
pub type Omitted = fn(&Definition, &Property, &Value) -> bool;

/// The normal form of an object; none if it has it: what needs no change is neither copied nor unshared.
fn normal(root: &'static Definition, value: &Value, known: Option<&Value>, omitted: Omitted) -> Option<Value> {
    if root.properties.is_empty() {
        return None;
    }
    let map = value.as_object()?;
    let mut changed = kept(root, map, known, omitted);
    for Written { place, null } in &root.written {
        let property = &root.properties[*place];
        if changed.as_ref().unwrap_or(map).contains_key(property.name) {
            continue;
        }
        let value = if *null { Value::Null } else { property.default_value().unwrap_or(Value::Null) };
        let value = inner(property, &property.ty, &value, None, omitted).unwrap_or(value);
        changed.get_or_insert_with(|| map.clone()).insert(property.name.into(), value);
    }
    changed.map(Value::Object)
}

/// The fields that are written, in their normal form; none if that changes nothing.
fn kept(root: &'static Definition, map: &Map, known: Option<&Value>, omitted: Omitted) -> Option<Map> {
    let mut properties = root.in_order();
    let mut before = known.and_then(Value::as_object).map(Map::in_order).unwrap_or_default();
    // What is kept, from the first change on.
    let mut kept: Option<Vec<(Text, Value)>> = None;
    for (index, (name, value)) in map.iter().enumerate() {
        let is_written = |property: &&Property| {
            let may_go = !property.required && omitted(root, property, value);
            !may_go && !is_left_out(root, property, value)
        };
        let property = properties.property(name).filter(is_written);
        let known = before.get(name);
        let new = property.and_then(|property| inner(property, &property.ty, value, known, omitted));
        if kept.is_none() && (property.is_none() || new.is_some()) {
            kept = Some(map.iter().take(index).map(|(name, value)| (name.clone(), value.clone())).collect());
        }
        if let (Some(kept), Some(_)) = (&mut kept, property) {
            kept.push((name.clone(), new.unwrap_or_else(|| value.clone())));
        }
    }
    kept.map(Map::from_iter)
}

/// Whether a value is not written: null, or empty where empty means absent.
fn is_left_out(owner: &Definition, property: &Property, value: &Value) -> bool {
    match (&property.ty, value) {
        (_, Value::Null) => !is_kept_null(owner.name, property.name),
        (Type::List(_), Value::Array(items)) => items.is_empty() && !property.required,
        (Type::Map(_), Value::Object(map)) => map.is_empty() && !property.required,
        (Type::String, Value::String(text)) => text.is_empty() && owner.name == OBJECT_META,
        _ => false,
    }
}

fn inner(
    property: &'static Property,
    ty: &Type,
    value: &Value,
    known: Option<&Value>,
    omitted: Omitted,
) -> Option<Value> {
    if known.is_some_and(|known| known.is_same(value)) {
        return None;
    }
    match (ty, value) {
        (Type::List(of), Value::Array(items)) => items_with(items, |index, item| {
            inner(property, of, item, known.and_then(|known| known.get(index)), omitted)
        }),
        (Type::Map(of), Value::Object(map)) => {
            fields_with(map, |name, value| inner(property, of, value, known.and_then(|known| known.get(name)), omitted))
        }
        (Type::Quantity, value) => quantity(value),
        (Type::Ref(_), value) => normal(property.definition()?, value, known, omitted),
        _ => None,
    }
}

/// The canonical form of a quantity; none if it has it or is none.
fn quantity(value: &Value) -> Option<Value> {
    let canonical = Quantity::from_value(value).ok()?.to_string();
    (*value != canonical).then(|| canonical.into())
}
