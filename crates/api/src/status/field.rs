//! Errors about one field, and lists of them.

use std::fmt;

use json::Value;

use super::Cause;
use crate::text::go_json;

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A reference to what does not exist.
    NotFound,
    /// Missing.
    Required,
    /// Must be unique.
    Duplicate,
    /// Malformed or out of range.
    Invalid,
    /// Not one of the known values.
    NotSupported,
    /// Not allowed here.
    Forbidden,
    /// Too long.
    TooLong,
    /// Too many items.
    TooMany,
    /// Another type.
    TypeInvalid,
    /// Our fault.
    Internal,
}

impl ErrorKind {
    /// The words in a message and the reason in a cause.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            ErrorKind::NotFound => ("Not found", "FieldValueNotFound"),
            ErrorKind::Required => ("Required value", "FieldValueRequired"),
            ErrorKind::Duplicate => ("Duplicate value", "FieldValueDuplicate"),
            ErrorKind::Invalid => ("Invalid value", "FieldValueInvalid"),
            ErrorKind::NotSupported => ("Unsupported value", "FieldValueNotSupported"),
            ErrorKind::Forbidden => ("Forbidden", "FieldValueForbidden"),
            ErrorKind::TooLong => ("Too long", "FieldValueTooLong"),
            ErrorKind::TooMany => ("Too many", "FieldValueTooMany"),
            ErrorKind::TypeInvalid => ("Invalid value", "FieldValueTypeInvalid"),
            ErrorKind::Internal => ("Internal error", "InternalError"),
        }
    }
}

/// One complaint about one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The path, e.g. `spec.containers[0].name`.
    pub field: String,
    /// The value at fault, as it is shown.
    pub value: Value,
    /// More words; may be empty.
    pub detail: String,
    /// Keys of the value in the order in which upstream declares them; empty: by name.
    pub order: &'static [&'static str],
    /// Whether the value at fault is left out of the message (`field.OmitValueType`).
    pub omits_value: bool,
}

impl FieldError {
    fn new(kind: ErrorKind, field: impl Into<String>, value: Value, detail: impl Into<String>) -> FieldError {
        FieldError { kind, field: field.into(), value, detail: detail.into(), order: &[], omits_value: false }
    }

    /// A struct as the value at fault: its fields are shown in the order in which upstream declares them.
    #[must_use]
    pub fn in_order(mut self, fields: &'static [&'static str]) -> FieldError {
        self.order = fields;
        self
    }

    /// The same complaint, about a value that says nothing: an object or a list.
    #[must_use]
    pub fn without_value(mut self) -> FieldError {
        self.omits_value = true;
        self
    }

    /// `FIELD: Internal error: DETAIL`.
    pub fn internal(field: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorKind::Internal, field, Value::Null, detail)
    }

    /// `FIELD: Required value[: DETAIL]`.
    pub fn required(field: impl Into<String>, detail: &str) -> FieldError {
        FieldError::new(ErrorKind::Required, field, Value::Null, detail)
    }

    /// `FIELD: Invalid value: VALUE: DETAIL`.
    pub fn invalid(field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorKind::Invalid, field, value.into(), detail)
    }

    /// As `invalid`, for a value of the wrong type.
    pub fn type_invalid(field: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorKind::TypeInvalid, field, value.into(), detail)
    }

    /// `FIELD: Duplicate value: VALUE`.
    pub fn duplicate(field: impl Into<String>, value: impl Into<Value>) -> FieldError {
        FieldError::new(ErrorKind::Duplicate, field, value.into(), "")
    }

    /// `FIELD: Not found: VALUE`.
    pub fn not_found(field: impl Into<String>, value: impl Into<Value>) -> FieldError {
        FieldError::new(ErrorKind::NotFound, field, value.into(), "")
    }

    /// `FIELD: Unsupported value: VALUE: supported values: "A", "B"`, in the order given.
    pub fn not_supported(field: impl Into<String>, value: impl Into<Value>, supported: &[&str]) -> FieldError {
        let quoted: Vec<String> = supported.iter().map(|s| crate::text::go_quote(s)).collect();
        let detail = if quoted.is_empty() { String::new() } else { format!("supported values: {}", quoted.join(", ")) };
        FieldError::new(ErrorKind::NotSupported, field, value.into(), detail)
    }

    /// `FIELD: Forbidden: DETAIL`.
    pub fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError::new(ErrorKind::Forbidden, field, Value::Null, detail)
    }

    /// `FIELD: Too long: may not be more than MAX bytes`.
    pub fn too_long(field: impl Into<String>, max_bytes: usize) -> FieldError {
        let detail = format!("may not be more than {max_bytes} bytes");
        FieldError::new(ErrorKind::TooLong, field, Value::Null, detail)
    }

    /// `FIELD: Too many: ACTUAL: must have at most MAX items`.
    pub fn too_many(field: impl Into<String>, actual: usize, max: usize) -> FieldError {
        let unit = if max == 1 { "item" } else { "items" };
        FieldError::new(ErrorKind::TooMany, field, actual.into(), format!("must have at most {max} {unit}"))
    }

    /// Everything after the field: the message of a cause.
    pub fn body(&self) -> String {
        let words = self.kind.words().0;
        let bare = self.omits_value
            || matches!(
                self.kind,
                ErrorKind::Required | ErrorKind::Forbidden | ErrorKind::TooLong | ErrorKind::Internal
            );
        let mut body = if bare { words.to_owned() } else { format!("{words}: {}", shown(&self.value, self.order)) };
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }

    /// As a cause of a Status.
    pub fn cause(&self) -> Cause {
        Cause { reason: self.kind.words().1.to_owned(), message: self.body(), field: self.field.clone() }
    }
}

/// Strings as Go quotes them, everything else as JSON; of an object the keys in `order`, if that is not empty.
fn shown(value: &Value, order: &[&str]) -> String {
    match value {
        Value::String(text) => crate::text::go_quote(text),
        Value::Object(fields) if !order.is_empty() => {
            let field = |name: &&str| format!("\"{name}\":{}", go_json(fields.get(*name).unwrap_or(&Value::Null)));
            format!("{{{}}}", order.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => go_json(other),
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A list of complaints (`field.ErrorList`). Displays as an aggregate: one as it is, several in brackets, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// No complaints.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Adds `Invalid value` once for each message.
    pub fn invalid_all(&mut self, field: &str, value: &str, messages: Vec<String>) {
        self.0.extend(messages.into_iter().map(|m| FieldError::invalid(field, value, m)));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.0.iter()
    }
}

impl Extend<FieldError> for FieldErrors {
    fn extend<T: IntoIterator<Item = FieldError>>(&mut self, iter: T) {
        self.0.extend(iter);
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut messages: Vec<String> = Vec::new();
        for message in self.0.iter().map(FieldError::to_string) {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        match messages.as_slice() {
            [one] => f.write_str(one),
            [] => Ok(()),
            many => write!(f, "[{}]", many.join(", ")),
        }
    }
}
