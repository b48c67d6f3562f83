//! From what a client sent to the normal form that is stored.

use api::Kind;
use api::http::{Body, header};
use api::kinds::{EVENTS, HORIZONTAL_POD_AUTOSCALERS};
use api::schema::{self, Definition, Property, Type};
use api::status::{FieldError, FieldErrors, Status};
use json::Value;

use super::Context;
use super::strict::{Complaints, Text};
use crate::custom;
use crate::patch::go_json_error;
use crate::protobuf;
use crate::request::Head;
use crate::strategy::Strategy;
use crate::value::{map_mut, text};

/// What can be read, as messages name it.
const READ: &[&str] = &["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/// The longest body that is read, in bytes (`MaxRequestBodyBytes`).
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// The body of a request as a value; null if there is none.
pub fn any(head: &Head, body: Body) -> Result<Value, Status> {
    let bytes = match body {
        // Clients inside the cluster send what they were given: the stored managed fields are meant.
        Body::Object(object) => return Ok(object.into_bare()),
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
        "" | "application/json" => json::from_slice(&bytes).map_err(|e| unreadable(&go_json_error(&e, &bytes), &bytes)),
        "application/yaml" => {
            let text = std::str::from_utf8(&bytes).map_err(|e| unreadable(&e.to_string(), &bytes))?;
            api::yaml::parse_document(text).map_err(|e| unreadable(&e.to_string(), &bytes))
        }
        "application/vnd.kubernetes.protobuf" => {
            protobuf::decode(&bytes).map_err(|e| Status::bad_request(e.to_string()))
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

/// What happens to fields that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and the answer warns of them.
    Warn,
    /// The request is refused.
    Strict,
}

impl FieldValidation {
    /// From the parameter `fieldValidation`.
    pub fn of(head: &Head) -> Result<Self, Status> {
        match head.query.get("fieldValidation") {
            "" | "Warn" => Ok(FieldValidation::Warn),
            "Ignore" => Ok(FieldValidation::Ignore),
            "Strict" => Ok(FieldValidation::Strict),
            other => {
                let mut errors = FieldErrors::new();
                let known = ["", "Ignore", "Strict", "Warn"];
                errors.push(FieldError::not_supported("fieldValidation", other, &known));
                Err(Status::invalid("meta.k8s.io", crate::managed::options_kind(head), "", &errors))
            }
        }
    }
}

/// The object in the body of a POST or PUT, checked to be of the kind that the URL names.
pub fn object(cx: &Context<'_>, head: &Head, body: Body, kind: &Kind) -> Result<Value, Status> {
    let sent = match &body {
        // Shared, not copied.
        Body::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    };
    let mut object = any(head, body)?;
    let what = format!("the object provided is unrecognized (must be of type {})", kind.kind);
    if !object.is_object() {
        return Err(Status::bad_request(format!(
            "{what}: couldn't get version/kind; json parse error: unexpected end of JSON input"
        )));
    }
    let (own_version, own_kind) = (text(&object, "apiVersion"), text(&object, "kind"));
    if !own_version.is_empty() && own_version != kind.api_version() {
        return Err(Status::bad_request(format!(
            "the API version in the data ({own_version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if !own_kind.is_empty() && own_kind != kind.kind {
        let version = kind.api_version();
        return Err(Status::bad_request(format!(
            "{own_kind} in version {:?} cannot be handled as a {}: converting ({version}.{own_kind}) to ({version}.{}): unknown conversion",
            kind.version, kind.kind, kind.kind
        )));
    }
    let sent = match (media_type(head), &sent) {
        ("" | "application/json", Some(bytes)) => Text::Json(bytes),
        ("application/yaml", Some(bytes)) => Text::Yaml(bytes),
        _ => Text::None,
    };
    let warnings = check(&object, kind, FieldValidation::of(head)?, sent)?;
    cx.warnings.borrow_mut().extend(warnings);
    normalise(&mut object, kind, None);
    Ok(object)
}

/// Decodes against the schema; returns warnings.
fn check(object: &Value, kind: &Kind, validation: FieldValidation, sent: Text<'_>) -> Result<Vec<String>, Status> {
    let Some(checked) = checked(object, kind, None) else { return Ok(Vec::new()) };
    let refuse = |why: &str| {
        let name = kind.kind;
        Err(Status::bad_request(format!("{name} in version {:?} cannot be handled as a {name}: {why}", kind.version)))
    };
    if let Some(why) = &checked.error {
        return refuse(why);
    }
    if validation == FieldValidation::Ignore {
        return Ok(Vec::new());
    }
    let complaints = match custom::of(kind) {
        Some(_) => Complaints::of_custom(sent, &checked.unknown),
        None => Complaints::of_object(sent, &checked.unknown),
    };
    match complaints.error() {
        Some(why) if validation == FieldValidation::Strict => refuse(&why),
        _ => Ok(complaints.warnings()),
    }
}

/// An object that was read, if it is known to have been checked and brought into normal form when it was written. What is
/// served in several versions may have been written in another one, and was converted after that.
pub fn known_form<'a>(strategy: &Strategy, stored: &'a Value) -> Option<&'a Value> {
    let is_converted = [&HORIZONTAL_POD_AUTOSCALERS, &EVENTS].contains(&strategy.kind);
    (strategy.conversion.is_none() && !is_converted).then_some(stored)
}

/// What an object of a kind has that its schema does not know, and what cannot be read; what it shares with the stored one, of
/// which it is made, is known.
pub fn checked(object: &Value, kind: &Kind, stored: Option<&Value>) -> Option<schema::Checked> {
    if let Some(custom) = custom::of(kind) {
        return Some(schema::Checked { unknown: custom.unknown(object), error: None });
    }
    schema::definition(kind.schema).map(|definition| schema::check_change(definition, object, stored))
}

/// Brings an object into the form in which upstream would write it back: `apiVersion` and `kind` as the URL says, and
/// of the fields those and only those that Go's encoder would write. What it shares with the stored object has that form.
pub fn normalise(object: &mut Value, kind: &Kind, stored: Option<&Value>) {
    let map = map_mut(object);
    map.insert("apiVersion".into(), kind.api_version().into());
    map.insert("kind".into(), kind.kind.into());
    if let Some(custom) = custom::of(kind) {
        custom.normalise(object);
    } else if let Some(definition) = schema::definition(kind.schema) {
        schema::normalize_change(definition, object, stored, is_omitted);
    }
}

/// Optional numbers and booleans that upstream keeps as plain values and therefore omits when they are zero. All others
/// are pointers, whose zero is written.
const ZERO_OMITTED: &[&str] = &[
    "availableReplicas",
    "chapAuthDiscovery",
    "chapAuthSession",
    "count",
    "deprecated",
    "failureThreshold",
    "fullyLabeledReplicas",
    "generation",
    "healthCheckNodePort",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "nullable",
    "observedGeneration",
    "paused",
    "periodSeconds",
    "publishNotReadyAddresses",
    "readOnly",
    "readyReplicas",
    "signal",
    "sizeBytes",
    "sslEnabled",
    "stdin",
    "stdinOnce",
    "successThreshold",
    "tty",
    "unavailableReplicas",
    "unschedulable",
    "updatedReplicas",
];

/// Optional texts that upstream keeps as pointers, whose empty text is written: definition, field.
const EMPTY_KEPT: &[(&str, &str)] = &[
    ("api.core.v1.GRPCAction", "service"),
    ("api.core.v1.HostPathVolumeSource", "type"),
    ("api.core.v1.Event", "reportingComponent"),
    ("api.core.v1.Event", "reportingInstance"),
    ("api.core.v1.PersistentVolumeClaimSpec", "storageClassName"),
    ("api.coordination.v1.LeaseSpec", "holderIdentity"),
    ("api.discovery.v1.EndpointPort", "name"),
];

/// Whether upstream omits an optional field with this value (`omitempty`).
fn is_omitted(definition: &Definition, property: &Property, value: &Value) -> bool {
    let name = property.name;
    match value {
        Value::String(text) => {
            text.is_empty() && property.ty == Type::String && !EMPTY_KEPT.contains(&(definition.name, name))
        }
        Value::Bool(false) => ZERO_OMITTED.contains(&name),
        Value::Number(number) if number.as_i64() == Some(0) => {
            let status = name == "replicas" && definition.name == "api.apps.v1.DeploymentStatus";
            let scale = name == "replicas" && definition.name == "api.autoscaling.v1.ScaleSpec";
            ZERO_OMITTED.contains(&name) || status || scale
        }
        _ => false,
    }
}
