//! Types and values from the schema of a custom resource (k8s.io/apiserver/pkg/cel/common/{schemas,valuesunstructured}.go).
//!
//! A schema is the JSON of an OpenAPI v3 schema that is structural. Fields whose names expressions cannot say are escaped, those
//! that cannot be escaped are left out, and so is what has no type.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use json::{Map, Value as Json, json};

use crate::parser::RESERVED;
use crate::time::{parse_duration, parse_timestamp};
use crate::types::{ObjectType, Type};
use crate::value::{Key, List, ListKind, Value};

/// How large a request may be (`MaxRequestSizeBytes`).
pub const REQUEST_BYTES_MAX: u64 = 3 * 1024 * 1024;

/// How long the texts of times and durations are at most, and at least (k8s.io/apiserver/pkg/cel/limits.go).
const TIME_CHARS_MAX: u64 = 32;
const DATE_CHARS: u64 = 12;
const DURATION_CHARS_MIN: u64 = 3;
const DATE_TIME_CHARS_MIN: u64 = 21;

/// What a schema says of the values there can be.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The type.
    pub of: Type,
    /// How many elements, entries or bytes there are at most; 0 if that is not said.
    pub elements_max: u64,
    /// How small its JSON can be.
    pub bytes_min: u64,
    /// Of the elements of a list and the values of a map.
    pub elements: Option<Box<Declaration>>,
    /// Of the fields of an object, by their names in expressions.
    pub fields: BTreeMap<String, Declaration>,
}

impl Declaration {
    fn simple(of: Type, elements_max: u64, bytes_min: u64) -> Declaration {
        Declaration { of, elements_max, bytes_min, elements: None, fields: BTreeMap::new() }
    }
}

/// Names that mean something else in expressions, with those that are kept for later (`celReservedSymbols`).
const LITERALS: [&str; 4] = ["true", "false", "null", "in"];

/// Whether a word is no name in expressions.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    LITERALS.contains(&word) || RESERVED.contains(&word)
}

/// The name of a field in expressions; `None` if it cannot be said (`Escape`).
#[must_use]
pub fn escape(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if is_reserved(name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let (escaped, length) = match c {
            '_' if rest.starts_with("__") => ("__underscores__", 2),
            '.' => ("__dot__", 1),
            '-' => ("__dash__", 1),
            '/' => ("__slash__", 1),
            c if c.is_ascii_alphanumeric() || c == '_' => (&rest[..1], 1),
            _ => return None,
        };
        out.push_str(escaped);
        rest = &rest[length..];
    }
    Some(out)
}

/// The schema of the root of a resource: what every object has is there (`WithTypeAndObjectMeta`).
#[must_use]
pub fn with_meta(schema: &Json) -> Json {
    let mut schema = schema.clone();
    let own = &schema["properties"];
    let names = &own["metadata"]["properties"];
    let texts = [&own["kind"], &own["apiVersion"], &names["name"], &names["generateName"]];
    if own["metadata"]["type"] == "object" && texts.iter().all(|field| field["type"] == "string") {
        return schema;
    }
    let text = json!({"type": "string"});
    let meta = json!({"type": "object", "properties": {"name": text, "generateName": text}});
    if let Some(map) = schema.as_object_mut() {
        let properties = map.entry("properties").or_insert_with(|| Map::new().into());
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("apiVersion".into(), text.clone());
            properties.insert("kind".into(), text);
            properties.insert("metadata".into(), meta);
        }
    }
    schema
}

fn is_embedded(schema: &Json) -> bool {
    schema["x-kubernetes-embedded-resource"] == true
}

/// What a schema says; `None` if its values are not shown to expressions. `name` is what messages call its objects.
#[must_use]
pub fn declare(schema: &Json, is_root: bool, name: &str) -> Option<Declaration> {
    let limit = |word: &str| schema[word].as_i64().map(|n| u64::try_from(n).unwrap_or(0));
    if schema["x-kubernetes-int-or-string"] == true {
        let most = limit("maxLength").map_or(REQUEST_BYTES_MAX - 2, |n| n * 4);
        return Some(Declaration::simple(Type::Dyn, most, 1));
    }
    let schema = &*if is_root { Cow::Owned(with_meta(schema)) } else { Cow::Borrowed(schema) };
    match schema["type"].as_str()? {
        "array" => {
            let items = &schema["items"];
            let inner = declare(items, is_embedded(items), &format!("{name}.@idx"))?;
            let most = limit("maxItems").unwrap_or((REQUEST_BYTES_MAX - 2) / (inner.bytes_min + 1));
            let mut list = Declaration::simple(Type::list(inner.of.clone()), most, 2);
            list.elements = Some(Box::new(inner));
            Some(list)
        }
        "object" if schema["additionalProperties"].is_object() => {
            let more = &schema["additionalProperties"];
            let inner = declare(more, is_embedded(more), &format!("{name}.@elem"))?;
            let most = limit("maxProperties").unwrap_or((REQUEST_BYTES_MAX - 2) / (inner.bytes_min + 6));
            let mut map = Declaration::simple(Type::map(Type::String, inner.of.clone()), most, 2);
            map.elements = Some(Box::new(inner));
            Some(map)
        }
        "object" => Some(object(schema, name)),
        "string" => Some(string(schema, limit("maxLength"))),
        "boolean" => Some(Declaration::simple(Type::Bool, 0, 4)),
        "number" => Some(Declaration::simple(Type::Double, 0, 1)),
        "integer" => Some(Declaration::simple(Type::Int, 0, 1)),
        _ => None,
    }
}

fn object(schema: &Json, name: &str) -> Declaration {
    let mut bytes_min = 2;
    let mut fields = BTreeMap::new();
    for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
        let escaped = escape(field);
        let path = format!("{name}.{}", escaped.as_deref().unwrap_or(field));
        let Some(declared) = declare(inner, is_embedded(inner), &path) else { continue };
        let required = schema["required"].as_array().is_some_and(|r| r.iter().any(|r| r == field));
        if required && inner.get("default").is_none() {
            bytes_min += field.len() as u64 + declared.bytes_min + 4;
        }
        if let Some(escaped) = escaped {
            fields.insert(escaped, declared);
        }
    }
    let types = fields.iter().map(|(name, declared)| (name.clone(), declared.of.clone())).collect();
    let of = Type::Object(Arc::new(ObjectType { name: name.to_owned(), fields: types }));
    Declaration { of, elements_max: 0, bytes_min, elements: None, fields }
}

fn string(schema: &Json, length_max: Option<u64>) -> Declaration {
    let most = REQUEST_BYTES_MAX - 2;
    match schema["format"].as_str().unwrap_or("") {
        "byte" => Declaration::simple(Type::Bytes, length_max.unwrap_or(most), 2),
        "duration" => Declaration::simple(Type::Duration, TIME_CHARS_MAX, DURATION_CHARS_MIN),
        "date" => Declaration::simple(Type::Timestamp, DATE_CHARS, DATE_CHARS),
        "date-time" => Declaration::simple(Type::Timestamp, TIME_CHARS_MAX, DATE_TIME_CHARS_MIN),
        _ => {
            let words = schema["enum"].as_array().filter(|words| !words.is_empty());
            let longest = |words: &[Json]| words.iter().filter_map(Json::as_str).map(str::len).max().unwrap_or(0);
            // A character has up to four bytes.
            let most = length_max.map_or_else(|| words.map_or(most, |w| longest(w) as u64), |n| n * 4);
            Declaration::simple(Type::String, most, 2)
        }
    }
}

/// An object, or a part of one, as expressions see it (`UnstructuredToVal`).
///
/// Difference: what does not fit the schema is shown as it is, where upstream's value is an error; such objects are refused
/// before their rules are asked.
#[must_use]
pub fn value(given: &Json, schema: &Json, is_root: bool) -> Value {
    if given.is_null() {
        return Value::Null;
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return plain(given);
    }
    let schema = &*if is_root { Cow::Owned(with_meta(schema)) } else { Cow::Borrowed(schema) };
    match (schema["type"].as_str(), given) {
        (Some("object"), Json::Object(map)) => {
            let more = &schema["additionalProperties"];
            let entry = |(name, inner): (&json::Text, &Json)| match schema["properties"].get(name) {
                // A field that is null is not there.
                Some(_) if inner.is_null() => None,
                Some(known) => {
                    let escaped = escape(name).unwrap_or_else(|| name.to_string());
                    Some((escaped, value(inner, known, is_embedded(known))))
                }
                None if more.is_object() => Some((name.to_string(), value(inner, more, is_embedded(more)))),
                // No expression can ask for it, but it counts when objects are compared.
                None => Some((name.to_string(), plain(inner))),
            };
            let entries = map.iter().filter_map(entry).map(|(name, v)| (Key::String(name.into()), v));
            Value::Map(Arc::new(entries.collect()))
        }
        (Some("array"), Json::Array(items)) => {
            let of = &schema["items"];
            let items = items.iter().map(|item| value(item, of, is_embedded(of))).collect();
            Value::List(Arc::new(List { items, kind: list_kind(schema) }))
        }
        (Some("string"), Json::String(text)) => text_value(text, schema["format"].as_str().unwrap_or("")),
        (Some("number"), Json::Number(n)) => n.as_f64().map_or(Value::Null, Value::Double),
        _ => plain(given),
    }
}

fn list_kind(schema: &Json) -> ListKind {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => ListKind::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let escaped = keys.into_iter().flatten().filter_map(|key| escape(key.as_str()?));
            ListKind::Map(escaped.map(Arc::from).collect())
        }
        _ => ListKind::Atomic,
    }
}

fn text_value(text: &str, format: &str) -> Value {
    use base64::Engine as _;
    let found = match format {
        "duration" => parse_duration(&text.replace(' ', "")).map(Value::Duration),
        "date" => parse_timestamp(&format!("{text}T00:00:00Z")).map(Value::Timestamp),
        "date-time" => parse_timestamp(text).map(Value::Timestamp),
        "byte" => base64::engine::general_purpose::STANDARD.decode(text).ok().map(Value::bytes),
        _ => None,
    };
    found.unwrap_or_else(|| Value::from(text))
}

/// JSON without a schema.
#[must_use]
pub fn plain(given: &Json) -> Value {
    match given {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Double)).unwrap_or(Value::Null),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(plain).collect()),
        Json::Object(map) => {
            let entries = map.iter().map(|(name, inner)| (Key::String(name.as_str().into()), plain(inner)));
            Value::Map(Arc::new(entries.collect()))
        }
    }
}
