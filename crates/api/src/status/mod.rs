//! `metav1.Status`: how the API server says no (and, for deletes, yes).
//!
//! Upstream: `k8s.io/apimachinery/pkg/api/errors`, `k8s.io/apimachinery/pkg/util/validation/field`.

mod field;

pub use field::{ErrorKind, FieldError, FieldErrors};

use json::{Map, Value};

use crate::Object;
use crate::http::{Response, StatusCode, header};

/// One cause in `details.causes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldManagerConflict`, ... (on the wire: `reason`).
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// The field, e.g. `spec.ports[0].port`.
    pub field: String,
}

/// `details`: the object and the causes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Name of the object.
    pub name: String,
    /// API group.
    pub group: String,
    /// Resource (`deployments`), or kind (`Deployment`) for Invalid.
    pub kind: String,
    /// Uid of the object.
    pub uid: String,
    /// Why.
    pub causes: Vec<Cause>,
    /// When to try again, in seconds.
    pub retry_after_seconds: u32,
}

/// A Status object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether this reports success.
    pub success: bool,
    /// HTTP code.
    pub code: u16,
    /// `NotFound`, `AlreadyExists`, ...; empty where upstream has none.
    pub reason: String,
    /// The sentence that clients print.
    pub message: String,
    /// Details; `None` leaves the field out. Boxed, so that a `Result` stays small.
    pub details: Option<Box<Details>>,
    /// Where an expired list can go on (`metadata.continue`); empty everywhere else.
    pub continue_token: String,
}

/// A failed call's answer.
pub type Result<T> = std::result::Result<T, Status>;

impl Status {
    /// A failure without details.
    pub fn failure(code: u16, reason: &str, message: impl Into<String>) -> Status {
        let (reason, message) = (reason.to_owned(), message.into());
        Status { success: false, code, reason, message, details: None, continue_token: String::new() }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Status {
        let details = self.details.get_or_insert_default();
        (details.group, details.kind, details.name) = (group.to_owned(), kind.to_owned(), name.to_owned());
        self
    }

    /// `pods "web" not found` (404 NotFound). `resource` is the plural.
    pub fn not_found(group: &str, resource: &str, name: &str) -> Status {
        Status::failure(404, "NotFound", format!("{} \"{name}\" not found", qualified(resource, group)))
            .about(group, resource, name)
    }

    /// The path itself is not served (404 NotFound).
    pub fn no_such_path() -> Status {
        let mut status = Status::failure(404, "NotFound", "the server could not find the requested resource");
        status.details = Some(Box::default());
        status
    }

    /// `deployments.apps "web" already exists` (409 AlreadyExists).
    pub fn already_exists(group: &str, resource: &str, name: &str) -> Status {
        Status::failure(409, "AlreadyExists", format!("{} \"{name}\" already exists", qualified(resource, group)))
            .about(group, resource, name)
    }

    /// A generated name was taken (409 AlreadyExists).
    pub fn generate_name_conflict(group: &str, resource: &str, name: &str) -> Status {
        let of = qualified(resource, group);
        let message =
            format!("{of} \"{name}\" already exists, the server was not able to generate a unique name for the object");
        Status::failure(409, "AlreadyExists", message).about(group, resource, name)
    }

    /// `Operation cannot be fulfilled on pods "web": ...` (409 Conflict).
    pub fn conflict(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let of = qualified(resource, group);
        Status::failure(409, "Conflict", format!("Operation cannot be fulfilled on {of} \"{name}\": {why}"))
            .about(group, resource, name)
    }

    /// The conflict of an update with a stale resourceVersion.
    pub fn modified(group: &str, resource: &str, name: &str) -> Status {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Status::conflict(group, resource, name, why)
    }

    /// Server-side apply met other managers' fields (409 Conflict). Each cause names a manager and a field.
    pub fn apply_conflict(causes: Vec<Cause>, message: String) -> Status {
        let mut status = Status::failure(409, "Conflict", message);
        status.details = Some(Box::new(Details { causes, ..Details::default() }));
        status
    }

    /// `Deployment.apps "web" is invalid: ...` (422 Invalid). `kind` is the kind, not the resource.
    pub fn invalid(group: &str, kind: &str, name: &str, errors: &FieldErrors) -> Status {
        let all = errors.to_string();
        let of = qualified(kind, group);
        let message = if all.is_empty() {
            format!("{of} \"{name}\" is invalid")
        } else {
            format!("{of} \"{name}\" is invalid: {all}")
        };
        let mut status = Status::failure(422, "Invalid", message).about(group, kind, name);
        if let Some(details) = &mut status.details {
            details.causes = errors.iter().map(FieldError::cause).collect();
        }
        status
    }

    /// 400 BadRequest.
    pub fn bad_request(message: impl Into<String>) -> Status {
        Status::failure(400, "BadRequest", message)
    }

    /// 401 Unauthorized.
    pub fn unauthorized() -> Status {
        Status::failure(401, "Unauthorized", "Unauthorized")
    }

    /// `pods "web" is forbidden: why` (403 Forbidden); name and resource may be empty.
    pub fn forbidden(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let of = qualified(resource, group);
        let message = match (resource.is_empty(), name.is_empty()) {
            (_, false) => format!("{of} \"{name}\" is forbidden: {why}"),
            (false, true) => format!("{of} is forbidden: {why}"),
            (true, true) => format!("forbidden: {why}"),
        };
        Status::failure(403, "Forbidden", message).about(group, resource, name)
    }

    /// `VERB is not supported on resources of kind "PLURAL"` (405 MethodNotAllowed).
    pub fn method_not_supported(group: &str, resource: &str, verb: &str) -> Status {
        let of = qualified(resource, group);
        let message = format!("{verb} is not supported on resources of kind \"{of}\"");
        Status::failure(405, "MethodNotAllowed", message).about(group, resource, "")
    }

    /// The path is served but not with this method (405 MethodNotAllowed).
    pub fn method_not_allowed() -> Status {
        let mut status =
            Status::failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        status.details = Some(Box::default());
        status
    }

    /// 406 NotAcceptable; `accepted` are the media types.
    pub fn not_acceptable(accepted: &[&str]) -> Status {
        let message = format!("only the following media types are accepted: {}", accepted.join(", "));
        Status::failure(406, "NotAcceptable", message)
    }

    /// 415 UnsupportedMediaType; `accepted` are the media types.
    pub fn unsupported_media_type(accepted: &[&str]) -> Status {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Status::failure(415, "UnsupportedMediaType", message)
    }

    /// 410 Gone.
    pub fn gone(message: impl Into<String>) -> Status {
        Status::failure(410, "Gone", message)
    }

    /// 410 Expired: a resourceVersion or continue token that is too old.
    pub fn expired(message: impl Into<String>) -> Status {
        Status::failure(410, "Expired", message)
    }

    /// 413 RequestEntityTooLarge.
    pub fn too_large(message: &str) -> Status {
        Status::failure(413, "RequestEntityTooLarge", format!("Request entity too large: {message}"))
    }

    /// 429 TooManyRequests: evictions that a disruption budget refuses, and flow control.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: u32) -> Status {
        let mut status = Status::failure(429, "TooManyRequests", message);
        status.details = Some(Box::new(Details { retry_after_seconds, ..Details::default() }));
        status
    }

    /// 500 InternalError: `Internal error occurred: ...`.
    pub fn internal(message: &str) -> Status {
        let mut status = Status::failure(500, "InternalError", format!("Internal error occurred: {message}"));
        let cause = Cause { message: message.to_owned(), ..Cause::default() };
        status.details = Some(Box::new(Details { causes: vec![cause], ..Details::default() }));
        status
    }

    /// 503 ServiceUnavailable.
    pub fn unavailable(message: impl Into<String>) -> Status {
        Status::failure(503, "ServiceUnavailable", message)
    }

    /// 504 Timeout: `Timeout: ...`.
    pub fn timeout(message: &str, retry_after_seconds: u32) -> Status {
        let mut status = Status::failure(504, "Timeout", format!("Timeout: {message}"));
        status.details = Some(Box::new(Details { retry_after_seconds, ..Details::default() }));
        status
    }

    /// A named refusal of what is not built (501); `refusal` comes from `simulation::stub!`.
    pub fn not_built(refusal: &str) -> Status {
        Status::failure(501, "NotImplemented", refusal)
    }

    /// The answer to a delete that is done (200).
    pub fn deleted(group: &str, resource: &str, name: &str, uid: &str) -> Status {
        let success = Status { success: true, code: 200, ..Status::failure(0, "", "") };
        let mut status = success.about(group, resource, name);
        if let Some(details) = &mut status.details {
            details.uid = uid.to_owned();
        }
        status
    }

    /// The wire JSON. As upstream, a successful Status carries no code.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("kind".into(), "Status".into());
        map.insert("apiVersion".into(), "v1".into());
        let mut metadata = Map::new();
        put(&mut metadata, "continue", &self.continue_token);
        map.insert("metadata".into(), metadata.into());
        map.insert("status".into(), if self.success { "Success" } else { "Failure" }.into());
        put(&mut map, "message", &self.message);
        put(&mut map, "reason", &self.reason);
        if let Some(details) = &self.details {
            map.insert("details".into(), details.to_value());
        }
        if !self.success {
            map.insert("code".into(), self.code.into());
        }
        Value::Object(map)
    }

    /// The wire JSON as a shared object.
    pub fn to_object(&self) -> Object {
        Object::new(self.to_value())
    }

    /// Reads a Status; `None` if the value is of another kind.
    pub fn from_value(value: &Value) -> Option<Status> {
        if value.get("kind")?.as_str()? != "Status" {
            return None;
        }
        let success = value.get("status").and_then(Value::as_str) == Some("Success");
        let code = value.get("code").and_then(Value::as_u64).and_then(|c| u16::try_from(c).ok());
        Some(Status {
            success,
            code: code.unwrap_or(if success { 200 } else { 500 }),
            reason: text(value, "reason"),
            message: text(value, "message"),
            details: value.get("details").map(|d| Box::new(Details::from_value(d))),
            continue_token: value.get("metadata").map(|m| text(m, "continue")).unwrap_or_default(),
        })
    }

    /// The whole HTTP answer, with `Retry-After` where the details say when to try again.
    pub fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self.details.as_ref().map_or(0, |d| d.retry_after_seconds);
        let mut response = Response::new(self.to_object().into());
        *response.status_mut() = code;
        response.headers_mut().insert(header::CONTENT_TYPE, crate::http::HeaderValue::from_static("application/json"));
        if retry > 0 {
            response.headers_mut().insert(header::RETRY_AFTER, retry.into());
        }
        response
    }

    /// Whether the reason is this one.
    pub fn is(&self, reason: &str) -> bool {
        self.reason == reason
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Status {}

impl Details {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "name", &self.name);
        put(&mut map, "group", &self.group);
        put(&mut map, "kind", &self.kind);
        put(&mut map, "uid", &self.uid);
        if !self.causes.is_empty() {
            map.insert("causes".into(), self.causes.iter().map(Cause::to_value).collect());
        }
        if self.retry_after_seconds > 0 {
            map.insert("retryAfterSeconds".into(), self.retry_after_seconds.into());
        }
        Value::Object(map)
    }

    fn from_value(value: &Value) -> Details {
        let causes = value.get("causes").and_then(Value::as_array);
        Details {
            name: text(value, "name"),
            group: text(value, "group"),
            kind: text(value, "kind"),
            uid: text(value, "uid"),
            causes: causes.into_iter().flatten().map(Cause::from_value).collect(),
            retry_after_seconds: value
                .get("retryAfterSeconds")
                .and_then(Value::as_u64)
                .and_then(|s| u32::try_from(s).ok())
                .unwrap_or(0),
        }
    }
}

impl Cause {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "reason", &self.reason);
        put(&mut map, "message", &self.message);
        put(&mut map, "field", &self.field);
        Value::Object(map)
    }

    fn from_value(value: &Value) -> Cause {
        Cause { reason: text(value, "reason"), message: text(value, "message"), field: text(value, "field") }
    }
}

/// `deployments.apps`, or `pods` in the core group.
fn qualified(resource: &str, group: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}

fn put(map: &mut Map, key: &str, text: &str) {
    if !text.is_empty() {
        map.insert(key.into(), text.into());
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests;
