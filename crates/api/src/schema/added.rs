//! Definitions that are added to the table while the program runs: those of custom resources.
//!
//! What the table says of them is what server-side apply needs: fields, lists and their keys. Rules about values stay in
//! the published schema, which the API server reads itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use json::{Text, Value};

use super::table::{Definition, ListType, Property, Type};
use crate::custom::{PREFIX, kept};
use crate::kinds::Kind;

static ADDED: Mutex<BTreeMap<&'static str, &'static Definition>> = Mutex::new(BTreeMap::new());

/// An added definition.
pub(super) fn find(name: &str) -> Option<&'static Definition> {
    if !name.starts_with(PREFIX) {
        return None;
    }
    ADDED.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
}

/// Adds the definition of a kind from its published schema, under the name that the row gives; gives the name back.
pub(crate) fn add(kind: &Kind, schema: &Value) -> &'static str {
    let mut properties = properties(kind.schema, schema);
    for (name, ty) in [
        ("apiVersion", Type::String),
        ("kind", Type::String),
        ("metadata", Type::Ref("apimachinery.pkg.apis.meta.v1.ObjectMeta")),
    ] {
        properties.retain(|p| p.name != name);
        properties.push(Property::new(name, ty));
    }
    define(kind.schema, Some((kind.group, kind.version, kind.kind)), schema, properties)
}

/// The definition of a kind (group, version, kind) by its published schema, for clients; made once for each.
pub fn describe((group, version, kind): (&str, &str, &str), schema: &Value) -> &'static Definition {
    static KNOWN: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let count = known.len();
    let name = *known.entry(format!("{group}/{version}/{kind} {schema}")).or_insert_with(|| {
        let row = Kind {
            group: kept(group),
            version: kept(version),
            kind: kept(kind),
            plural: "",
            singular: "",
            short_names: &[],
            categories: &[],
            namespaced: false,
            subresources: &[],
            schema: kept(&format!("{PREFIX}described.{count}")),
        };
        add(&row, schema)
    });
    find(name).expect("it has just been added")
}

fn define(
    name: &'static str,
    gvk: Option<(&'static str, &'static str, &'static str)>,
    schema: &Value,
    properties: Vec<Property>,
) -> &'static str {
    let definition = Definition {
        gvk,
        atomic: schema["x-kubernetes-map-type"] == "atomic",
        open: schema["x-kubernetes-preserve-unknown-fields"] == true,
        ..Definition::new(name, properties)
    };
    ADDED.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Box::leak(Box::new(definition)));
    name
}

fn properties(owner: &str, schema: &Value) -> Vec<Property> {
    let texts = |list: &Value| -> Vec<&'static str> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(kept).collect()
    };
    let required = texts(&schema["required"]);
    let one = |(name, schema): (&Text, &Value)| {
        let mut made = Property::new(kept(name), type_of(&format!("{owner}.{name}"), schema));
        made.list_type = match schema["x-kubernetes-list-type"].as_str() {
            Some("map") => ListType::Map,
            Some("set") => ListType::Set,
            _ => ListType::Atomic,
        };
        made.map_keys = texts(&schema["x-kubernetes-list-map-keys"]);
        made.atomic = schema["x-kubernetes-map-type"] == "atomic";
        made.required = required.iter().any(|r| *r == name);
        made.enumeration = texts(&schema["enum"]);
        // Two elements without the key are the same element: what it defaults to must be known.
        made.default = schema.get("default").map(|d| kept(&d.to_string()));
        made
    };
    schema["properties"].as_object().into_iter().flatten().map(one).collect()
}

fn type_of(name: &str, schema: &Value) -> Type {
    if schema["x-kubernetes-int-or-string"] == true {
        return Type::IntOrString;
    }
    match schema["type"].as_str() {
        Some("string") => Type::String,
        Some("boolean") => Type::Boolean,
        Some("integer") => Type::Int64,
        Some("number") => Type::Float,
        Some("array") => Type::List(Box::new(type_of(&format!("{name}[]"), &schema["items"]))),
        Some("object") if schema["properties"].is_object() => {
            let name = kept(name);
            Type::Ref(define(name, None, schema, properties(name, schema)))
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            Type::Map(Box::new(type_of(&format!("{name}{{}}"), &schema["additionalProperties"])))
        }
        _ => Type::Any,
    }
}
