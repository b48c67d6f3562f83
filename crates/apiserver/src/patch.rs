//! The patch types (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).

use api::http::Body;
use api::patch::PatchError;
use api::schema::{self, Definition};
use api::status::{FieldError, FieldErrors, Status};
use api::{Kind, Object};
use serde_json::Value;

use crate::registry::Context;
use crate::registry::decode::{FieldValidation, media_type, normalise};
use crate::request::Head;

/// What can be applied, as messages name it.
const PATCHES: &[&str] =
    &["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

#[derive(Clone, Copy, PartialEq)]
enum Type {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own: lists merge by key.
    Strategic,
}

/// A patch of one of the types.
pub struct Patch {
    kind: Type,
    body: Value,
    validation: FieldValidation,
}

impl Patch {
    /// Reads the body of a PATCH; the content type names the type.
    pub fn read(head: &Head, body: Body) -> Result<Self, Status> {
        let kind = match media_type(head) {
            "application/json-patch+json" => Type::Json,
            "application/merge-patch+json" => Type::Merge,
            "application/strategic-merge-patch+json" => Type::Strategic,
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                return Err(Status::not_built(simulation::stub!("kube-apiserver", "server-side apply")));
            }
            _ => return Err(Status::unsupported_media_type(PATCHES)),
        };
        let prefix = if kind == Type::Json { "error decoding patch: " } else { "" };
        let body = match body {
            Body::Object(object) => object.into_value(),
            Body::Bytes(bytes) => serde_json::from_slice(&bytes)
                .map_err(|e| Status::bad_request(format!("{prefix}{}", go_json_error(&e, &bytes))))?,
            _ => return Err(Status::bad_request(format!("{prefix}unexpected end of JSON input"))),
        };
        Ok(Patch { kind, body, validation: FieldValidation::of(head)? })
    }

    /// The patched object, in normal form.
    pub fn apply(&self, cx: &Context<'_>, kind: &'static Kind, old: &Object) -> Result<Value, Status> {
        let definition = schema::definition(kind.schema);
        let patched = match self.kind {
            Type::Json => api::patch::json_patch(old.value(), &self.body),
            Type::Merge if self.body.is_object() => Ok(api::patch::merge_patch(old.value(), &self.body)),
            Type::Merge => Err(PatchError::Decode(
                "json: cannot unmarshal the patch into Go value of type map[string]interface {}".into(),
            )),
            Type::Strategic => api::patch::strategic_merge(old.value(), &self.body, definition),
        };
        let mut patched = patched.map_err(|error| match error {
            PatchError::Decode(why) => Status::bad_request(why),
            PatchError::Apply(_) | PatchError::Precondition => rejected(),
        })?;
        if let Some(definition) = definition {
            self.check(cx, definition, &patched)?;
        }
        normalise(&mut patched, kind);
        Ok(patched)
    }

    fn check(&self, cx: &Context<'_>, definition: &'static Definition, patched: &Value) -> Result<(), Status> {
        let checked = schema::check(definition, patched);
        if let Some(why) = &checked.error {
            let (shown, why) = match self.kind {
                // The strategic patch is converted without JSON in between, in words of its own.
                Type::Strategic => (api::text::go_value(&self.body), unrecognized(why)),
                Type::Json | Type::Merge => (patched.to_string(), why.clone()),
            };
            let mut errors = FieldErrors::new();
            errors.push(FieldError::invalid("patch", shown, why));
            return Err(Status::invalid("", "", "", &errors));
        }
        match (self.validation, checked.strict_error()) {
            (FieldValidation::Strict, Some(why)) => return Err(Status::bad_request(why)),
            (FieldValidation::Warn, Some(_)) => cx.warnings.borrow_mut().extend(checked.warnings()),
            _ => {}
        }
        Ok(())
    }
}

/// `unrecognized type: int32` from the words of the JSON decoder.
fn unrecognized(why: &str) -> String {
    match why.rsplit_once(" of type ") {
        Some((_, kind)) => format!("unrecognized type: {kind}"),
        None => why.to_owned(),
    }
}

/// The patch is well formed and does not fit the object (422).
fn rejected() -> Status {
    let message = "the server rejected our request due to an error in our request";
    let mut status = Status::failure(422, "Invalid", message);
    status.details = Some(Box::default());
    status
}

/// A syntax error in the words of Go's decoder.
pub fn go_json_error(error: &serde_json::Error, bytes: &[u8]) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".to_owned();
    }
    let line = bytes.split(|b| *b == b'\n').nth(error.line().saturating_sub(1)).unwrap_or(&[]);
    match line.get(error.column().saturating_sub(1)) {
        Some(byte) => format!("invalid character '{}' looking for beginning of value", *byte as char),
        None => error.to_string(),
    }
}
