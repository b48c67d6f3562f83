//! Bytes of answers: JSON with the fields in the order in which upstream's structs declare them, compact or indented.
//!
//! Objects are kept with sorted keys. Kubernetes' own kinds have the order of `api::structs`; what is no object of such a kind, as
//! discovery, has the order below.

use api::http::{Body, Response, StatusCode, header};
use api::status::Status;
use api::structs::Shape;
use api::{Object, ObjectList};
use bytes::Bytes;
use json::{Map, Value};

use crate::negotiate::{Encoding, Format};

/// Fields that come first, in this order.
const FIRST: &[&str] = &[
    "kind",
    "apiVersion",
    "groupVersion",
    "metadata",
    "name",
    "singularName",
    "generateName",
    "namespace",
    "namespaced",
    "group",
    "version",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "spec",
    "status",
    "message",
    "reason",
    "details",
    "code",
    "versions",
    "preferredVersion",
    "verbs",
    "shortNames",
    "categories",
];

/// Structs of discovery with an order of their own: the field by which they are known, and their fields.
const ORDERS: &[(&str, &[&str])] = &[
    (
        "singularName",
        &["name", "singularName", "namespaced", "group", "version", "kind", "verbs", "shortNames", "categories"],
    ),
    (
        "responseKind",
        &["resource", "subresource", "responseKind", "scope", "singularResource", "verbs", "shortNames", "categories"],
    ),
    ("group", &["group", "version", "kind"]),
];

/// The order in which the fields of a struct are written.
fn order(map: &Map) -> &'static [&'static str] {
    ORDERS.iter().find(|(mark, _)| map.contains_key(*mark)).map_or(FIRST, |(_, order)| order)
}

/// The fields of an object, each with what it is.
fn fields(map: &Map, shape: Shape) -> Vec<(&str, &Value, Shape)> {
    if shape != Shape::Sorted {
        return shape.fields(map);
    }
    let mut fields = shape.fields(map);
    let order = order(map);
    fields.sort_by_key(|(key, ..)| order.iter().position(|k| k == key).unwrap_or(order.len()));
    fields
}

/// JSON text. `depth` is the indentation, `None` for compact text.
fn write(value: &Value, shape: Shape, depth: Option<usize>, out: &mut String) {
    let newline = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, value, shape)) in fields(map, shape).into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if let Some(depth) = depth {
                    newline(out, depth + 1);
                }
                out.push_str(&Value::from(key).to_string());
                out.push_str(if depth.is_some() { ": " } else { ":" });
                write(value, shape, depth.map(|d| d + 1), out);
            }
            if let Some(depth) = depth {
                newline(out, depth);
            }
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if let Some(depth) = depth {
                    newline(out, depth + 1);
                }
                write(item, shape.element(), depth.map(|d| d + 1), out);
            }
            if let Some(depth) = depth {
                newline(out, depth);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// A value as upstream would send it.
pub fn json_text(value: &Value, pretty: bool) -> String {
    let mut out = String::new();
    write(value, Shape::of(value), pretty.then_some(0), &mut out);
    if !pretty {
        out.push('\n');
    }
    out
}

/// An answer with a plain body.
pub fn text(code: StatusCode, body: impl Into<Bytes>) -> Response {
    build(code, "text/plain; charset=utf-8", Body::Bytes(body.into()))
}

/// An answer with a body of the given type.
pub fn build(code: StatusCode, content_type: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    if let Ok(value) = header::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    let no_cache = header::HeaderValue::from_static("no-cache, private");
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
    response
}

/// An answer with one object in the negotiated form; shared, not copied, when nobody asked for text.
pub fn object(code: StatusCode, object: Object, format: Format) -> Response {
    match (format.encoding, format.pretty) {
        (Encoding::Json, false) => build(code, "application/json", Body::Object(object)),
        (Encoding::Json, true) => build(code, "application/json", Body::Bytes(json_text(&object.wire(), true).into())),
        (Encoding::Yaml, _) => build(code, "application/yaml", Body::Bytes(api::yaml::emit(&object.wire()).into())),
    }
}

/// An answer with a list in the negotiated form.
pub fn list(list: ObjectList, format: Format) -> Response {
    match (format.encoding, format.pretty) {
        (Encoding::Json, false) => build(StatusCode::OK, "application/json", Body::List(list)),
        _ => object(StatusCode::OK, Object::new(list.to_value()), format),
    }
}

/// A refusal, always as JSON.
pub fn failure(status: Status) -> Response {
    let mut response = status.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache, private"));
    response
}
