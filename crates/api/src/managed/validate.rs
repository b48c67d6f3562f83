//! Whether a configuration fits the schema, in the words of `structured-merge-diff/typed/validate.go`.

use json::Value;

use super::path::Element;
use super::typed::{Atom, element};
use crate::schema::Type;
use crate::text::go_type;

/// What does not fit, each with its path.
pub(super) fn validate(atom: Atom, config: &Value) -> Result<(), String> {
    let mut errors = Vec::new();
    walk(atom, None, config, "", &mut errors);
    match errors.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("errors:\n{}", many.iter().map(|e| format!("  {e}")).collect::<Vec<_>>().join("\n"))),
    }
}

fn walk(atom: Atom, ty: Option<&Type>, value: &Value, path: &str, errors: &mut Vec<String>) {
    let at = |why: String| if path.is_empty() { why } else { format!("{path}: {why}") };
    match (atom, value) {
        (_, Value::Null) | (Atom::Deduced, _) => {}
        (Atom::Struct(definition), Value::Object(map)) => {
            for (key, inner) in map {
                let step = format!("{path}.{key}");
                match definition.property(key) {
                    Some(property) => walk(Atom::of_property(property), Some(&property.ty), inner, &step, errors),
                    None if definition.open => {}
                    None => errors.push(format!("{step}: field not declared in schema")),
                }
            }
        }
        (Atom::Map(inner), Value::Object(map)) => {
            for (key, value) in map {
                walk(Atom::of_type(inner), Some(inner), value, &format!("{path}.{key}"), errors);
            }
        }
        (Atom::Set | Atom::Keyed(..), Value::Array(items)) => list(atom, items, path, errors),
        (Atom::Struct(_) | Atom::Map(_), other) => {
            errors.push(at(format!("expected map, got &{{{}}}", crate::text::go_value(other))))
        }
        (Atom::Set | Atom::Keyed(..), other) => {
            errors.push(at(format!("expected list, got &{{{}}}", crate::text::go_value(other))))
        }
        (Atom::Scalar, value) => {
            if let Some(why) = ty.and_then(|ty| scalar(ty, value)) {
                errors.push(at(why));
            }
        }
        (Atom::Atomic, _) => {}
    }
}

fn list(atom: Atom, items: &[Value], path: &str, errors: &mut Vec<String>) {
    let mut seen: Vec<Element> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        match element(atom, item) {
            Err(why) => errors.push(format!("{path}: element {i}: {why}")),
            Ok(step) => {
                if seen.contains(&step) {
                    errors.push(format!("{path}: duplicate entries for key {step}"));
                }
                let ty = match atom {
                    Atom::Keyed(_, ty) => Some(ty),
                    _ => None,
                };
                walk(atom.step(&step).0, ty, item, &format!("{path}{step}"), errors);
                seen.push(step);
            }
        }
    }
}

fn scalar(ty: &Type, value: &Value) -> Option<String> {
    let shown = |value: &Value| format!("&{{{}}}", crate::text::go_value(value));
    match ty {
        Type::Boolean if !value.is_boolean() => Some(format!("expected boolean, got {}", shown(value))),
        Type::Int32 | Type::Int64 | Type::Float if !value.is_number() => {
            Some(format!("expected numeric (int or float), got {}", go_type(value)))
        }
        Type::String | Type::Bytes | Type::Time if !value.is_string() => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_syntax(value)))
        }
        _ if value.is_object() || value.is_array() => Some(format!("expected any scalar, got {}", shown(value))),
        _ => None,
    }
}

/// `%#v`.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(go_syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(k, v)| format!("{}:{}", crate::text::go_quote(k), go_syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::String(text) => crate::text::go_quote(text),
        Value::Null => "interface {}(nil)".to_owned(),
        other => other.to_string(),
    }
}
