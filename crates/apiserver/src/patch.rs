//! The patch types (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).

use std::borrow::Cow;

use api::http::Body;
use api::patch::PatchError;
use api::schema::{self, Checked};
use api::status::{FieldError, FieldErrors, Status};
use api::{Kind, Object};
use json::Value;

use crate::custom;
use crate::failure;
use crate::managed::{self, Changed};
use crate::registry::Context;
use crate::registry::decode::{FieldValidation, checked, media_type, normalise};
use crate::registry::strict::{Complaints, Text};
use crate::registry::update::Part;
use crate::request::Head;
use crate::strategy::Strategy;
use crate::value::{at, metadata_mut, text};

/// What can be applied, as messages name it.
const PATCHES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

#[derive(Clone, Copy, PartialEq)]
enum Type {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own: lists merge by key.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl Type {
    /// What strict decoding says of the text of a patch.
    fn complaints(self, bytes: &[u8]) -> Complaints {
        match self {
            Type::Json => Complaints::of_operations(bytes),
            Type::Merge | Type::Strategic => Complaints::of_text(Text::Json(bytes)),
            Type::Apply => Complaints::of_configuration(bytes),
        }
    }
}

/// A patch of one of the types.
pub struct Patch {
    kind: Type,
    body: Value,
    validation: FieldValidation,
    /// What strict decoding says of the text, if anybody wants to know.
    complaints: Complaints,
    force: bool,
}

impl Patch {
    /// Reads the body of a PATCH; the content type names the type.
    pub fn read(head: &Head, body: Body) -> Result<Self, Status> {
        let kind = match media_type(head) {
            "application/json-patch+json" => Type::Json,
            "application/merge-patch+json" => Type::Merge,
            "application/strategic-merge-patch+json" => Type::Strategic,
            "application/apply-patch+yaml" => Type::Apply,
            _ => return Err(Status::unsupported_media_type(PATCHES)),
        };
        check_options(head, kind == Type::Apply)?;
        let validation = FieldValidation::of(head)?;
        let complaints = match &body {
            Body::Bytes(bytes) if validation != FieldValidation::Ignore => kind.complaints(bytes),
            _ => Complaints::default(),
        };
        let prefix = if kind == Type::Json { "error decoding patch: " } else { "" };
        let body = match body {
            Body::Object(object) => object.into_bare(),
            Body::Bytes(bytes) if kind == Type::Apply => yaml(&bytes)?,
            Body::Bytes(bytes) => json::from_slice(&bytes)
                .map_err(|e| Status::bad_request(format!("{prefix}{}", go_json_error(&e, &bytes))))?,
            _ => return Err(Status::bad_request(format!("{prefix}unexpected end of JSON input"))),
        };
        Ok(Patch { kind, body, validation, complaints, force: head.query.flag("force") })
    }

    /// Whether it is a configuration for server-side apply.
    pub fn is_apply(&self) -> bool {
        self.kind == Type::Apply
    }

    /// Makes the object of which a configuration is applied and that is not there.
    pub fn create(&self, cx: &Context<'_>, strategy: &'static Strategy, place: (&str, &str)) -> Result<Object, Status> {
        self.check_configuration(strategy.kind)?;
        let uid = text(&self.body, "metadata.uid");
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(failure::conflict(strategy.kind, place.1, &why));
        }
        let mut changed = cx.apply(strategy, Part::Main, None, &self.body, self.force)?;
        self.checked(cx, strategy.kind, &mut changed.value)?;
        match text(&changed.value, "metadata.name") {
            "" => _ = metadata_mut(&mut changed.value).insert("name".into(), place.1.into()),
            name if name != place.1 => {
                return Err(Status::bad_request(format!(
                    "the name of the object ({name}) does not match the name on the URL ({})",
                    place.1
                )));
            }
            _ => {}
        }
        cx.create(strategy, place.0, changed)
    }

    /// The object with the configuration or patch.
    pub fn apply(
        &self,
        cx: &Context<'_>,
        strategy: &'static Strategy,
        part: Part,
        old: &Object,
    ) -> Result<Changed, Status> {
        if self.kind != Type::Apply {
            return self.patched(cx, strategy.kind, old).map(Changed::from);
        }
        self.check_configuration(strategy.kind)?;
        let mut changed = cx.apply(strategy, part, Some(old), &self.body, self.force)?;
        self.checked(cx, strategy.kind, &mut changed.value)?;
        Ok(changed)
    }

    /// The scale of `parent` with the configuration or patch.
    pub fn apply_to_scale(
        &self,
        cx: &Context<'_>,
        kind: &'static Kind,
        parent: &Object,
        scale: &Object,
    ) -> Result<Changed, Status> {
        if self.kind != Type::Apply {
            return self.patched(cx, kind, scale).map(Changed::from);
        }
        self.check_configuration(kind)?;
        managed::apply_scale(cx, kind, parent, scale.value(), &self.body, self.force)
    }

    fn check_configuration(&self, kind: &Kind) -> Result<(), Status> {
        if !self.body.is_object() {
            return Err(Status::bad_request(
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal into Go value of type map[string]interface {}",
            ));
        }
        let (version, name) = (text(&self.body, "apiVersion"), text(&self.body, "kind"));
        if version != kind.api_version() || name != kind.kind {
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            return Err(Status::bad_request(format!("invalid object type: {version}, Kind={name}")));
        }
        if !at(&self.body, "metadata.managedFields").is_null() {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        Ok(())
    }

    /// Whether it speaks of managed fields.
    fn touches_managed_fields(&self) -> bool {
        match (&self.kind, &self.body) {
            (Type::Json, Value::Array(operations)) => operations.iter().any(|operation| {
                ["path", "from"].iter().any(|field| {
                    let path = text(operation, field);
                    path.is_empty() && operation.get(field).is_some()
                        || path == "/metadata"
                        || path.starts_with("/metadata/managedFields")
                })
            }),
            (_, body) => !at(body, "metadata.managedFields").is_null(),
        }
    }

    /// The patched object, in normal form.
    fn patched(&self, cx: &Context<'_>, kind: &'static Kind, old: &Object) -> Result<Value, Status> {
        let definition = schema::definition(kind.schema);
        let whole = if self.touches_managed_fields() { old.wire() } else { Cow::Borrowed(old.value()) };
        let patched = match self.kind {
            Type::Json => api::patch::json_patch(&whole, &self.body),
            Type::Merge if self.body.is_object() => Ok(api::patch::merge_patch(&whole, &self.body)),
            Type::Merge | Type::Apply => Err(PatchError::Decode(
                "json: cannot unmarshal the patch into Go value of type map[string]interface {}".into(),
            )),
            Type::Strategic if custom::of(kind).is_some() => {
                let without = PATCHES.iter().copied().filter(|p| !p.contains("strategic")).collect::<Vec<_>>();
                return Err(Status::unsupported_media_type(&without));
            }
            Type::Strategic => api::patch::strategic_merge(&whole, &self.body, definition),
        };
        let mut patched = patched.map_err(|error| match error {
            PatchError::Decode(why) => Status::bad_request(why),
            PatchError::Apply(_) | PatchError::Precondition => rejected(),
        })?;
        self.checked(cx, kind, &mut patched)?;
        Ok(patched)
    }

    /// Checks the new object, and brings it into normal form.
    fn checked(&self, cx: &Context<'_>, kind: &'static Kind, new: &mut Value) -> Result<(), Status> {
        self.check(cx, &checked(new, kind).unwrap_or_default(), new)?;
        normalise(new, kind);
        Ok(())
    }

    fn check(&self, cx: &Context<'_>, checked: &Checked, patched: &Value) -> Result<(), Status> {
        if let Some(why) = &checked.error {
            // The strategic patch is converted without JSON in between, in words of its own.
            let why = if self.kind == Type::Strategic { unrecognized(why) } else { why.clone() };
            return Err(self.invalid(patched, why));
        }
        if self.validation == FieldValidation::Ignore {
            return Ok(());
        }
        let mut complaints = self.complaints.clone();
        if let (Type::Apply, FieldValidation::Strict, Some(why)) = (self.kind, self.validation, complaints.alone()) {
            return Err(Status::bad_request(format!("error strict decoding YAML: {why}")));
        }
        complaints.extend(checked.complaints());
        match complaints.error() {
            Some(why) if self.validation == FieldValidation::Strict => Err(self.invalid(patched, why)),
            _ => {
                cx.warnings.borrow_mut().extend(complaints.warnings());
                Ok(())
            }
        }
    }

    /// The patch makes an object that cannot be read.
    fn invalid(&self, patched: &Value, why: String) -> Status {
        let shown = match self.kind {
            Type::Strategic => api::text::go_value(&self.body),
            Type::Json | Type::Merge | Type::Apply => patched.to_string(),
        };
        let mut errors = FieldErrors::new();
        errors.push(FieldError::invalid("patch", shown, why));
        Status::invalid("", "", "", &errors)
    }
}

/// The body of a server-side apply.
fn yaml(bytes: &[u8]) -> Result<Value, Status> {
    let text = String::from_utf8_lossy(bytes);
    api::yaml::parse_document(&text).map_err(|why| Status::bad_request(format!("error decoding YAML: {why}")))
}

/// Parameters that only some patches may, or must, have (`ValidatePatchOptions`).
fn check_options(head: &Head, is_apply: bool) -> Result<(), Status> {
    let mut errors = FieldErrors::new();
    if is_apply && head.query.get("fieldManager").is_empty() {
        errors.push(FieldError::required("fieldManager", "is required for apply patch"));
    }
    if !is_apply && head.query.has("force") {
        errors.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
    }
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("meta.k8s.io", "PatchOptions", "", &errors)) }
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
pub fn go_json_error(error: &json::Error, bytes: &[u8]) -> String {
    api::gojson::of_value(bytes).unwrap_or_else(|| error.to_string())
}
