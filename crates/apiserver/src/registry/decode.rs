//! From what a client sent to the normal form that is stored.

use api::Kind;
use api::http::{Body, header};
use api::status::Status;
use serde_json::Value;

use crate::patch::Patch;
use crate::request::Head;
use crate::value::{map_mut, metadata_mut, text};

/// What can be read, as messages name it.
const READ: &[&str] = &["application/json", "application/yaml"];

/// The longest body that is read, in bytes (`MaxRequestBodyBytes`).
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The body of a request as a value; null if there is none.
pub fn any(head: &Head, body: Body) -> Result<Value, Status> {
    let bytes = match body {
        Body::Object(object) => return Ok(object.into_value()),
        Body::List(list) => return Ok(list.to_value()),
        Body::Bytes(bytes) => bytes,
        Body::Empty => return Ok(Value::Null),
        Body::Stream(_) | Body::Upgrade(_) => return Err(Status::unsupported_media_type(READ)),
    };
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    if bytes.len() > BODY_BYTES_MAX {
        return Err(Status::too_large(&format!("limit is {BODY_BYTES_MAX}")));
    }
    match media_type(head) {
        "" | "application/json" => serde_json::from_slice(&bytes).map_err(|e| unreadable(&e.to_string(), &bytes)),
        "application/yaml" => {
            let text = std::str::from_utf8(&bytes).map_err(|e| unreadable(&e.to_string(), &bytes))?;
            api::yaml::parse_document(text).map_err(|e| unreadable(&e.to_string(), &bytes))
        }
        _ => Err(Status::unsupported_media_type(READ)),
    }
}

fn unreadable(why: &str, bytes: &[u8]) -> Status {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type unknown): couldn't get version/kind; json parse error: {why} ({shown})"
    ))
}

/// The content type of a body without its parameters.
pub fn media_type(head: &Head) -> &str {
    head.header(header::CONTENT_TYPE).split(';').next().unwrap_or("").trim()
}

/// The object in the body of a POST or PUT, checked to be of the kind that the URL names.
pub fn object(head: &Head, body: Body, kind: &Kind) -> Result<Value, Status> {
    let mut object = any(head, body)?;
    if !object.is_object() {
        let what =
            format!("the object provided is unrecognized (must be of type {}): couldn't get version/kind", kind.kind);
        return Err(Status::bad_request(what));
    }
    let (own_version, own_kind) = (text(&object, "apiVersion"), text(&object, "kind"));
    if !own_version.is_empty() && own_version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "the API version in the data ({own_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if !own_kind.is_empty() && own_kind != kind.kind {
        return Err(Status::bad_request(format!(
            "{own_kind} in version {:?} cannot be handled as a {}: no kind \"{own_kind}\" is served here",
            kind.version, kind.kind
        )));
    }
    normalise(&mut object, kind);
    Ok(object)
}

/// The body of a PATCH.
pub fn patch(head: &Head, body: Body) -> Result<Patch, Status> {
    let kind = media_type(head).to_owned();
    Patch::new(&kind, any_json(body)?)
}

fn any_json(body: Body) -> Result<Value, Status> {
    match body {
        Body::Bytes(bytes) => {
            serde_json::from_slice(&bytes).map_err(|e| Status::bad_request(format!("error decoding patch: {e}")))
        }
        Body::Object(object) => Ok(object.into_value()),
        _ => Err(Status::bad_request("error decoding patch: unexpected end of JSON input")),
    }
}

/// Brings an object into the form in which upstream would write it back: `apiVersion` and `kind` as the URL says, no
/// nulls, no empty things where upstream omits them.
pub fn normalise(object: &mut Value, kind: &Kind) {
    let map = map_mut(object);
    map.insert("apiVersion".into(), kind.api_version().into());
    map.insert("kind".into(), kind.kind.into());
    drop_nulls(object);
    let metadata = metadata_mut(object);
    for field in ["labels", "annotations", "finalizers", "ownerReferences", "generateName", "namespace"] {
        let empty = match metadata.get(field) {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::String(text)) => text.is_empty(),
            _ => false,
        };
        if empty {
            metadata.remove(field);
        }
    }
}

/// Times that upstream writes as null when they are not set: of Events and of pod conditions.
const WRITTEN_AS_NULL: &[&str] = &["eventTime", "firstTimestamp", "lastTimestamp", "lastProbeTime"];

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, v| !v.is_null() || WRITTEN_AS_NULL.contains(&key.as_str()));
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
