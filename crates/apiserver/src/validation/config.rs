//! ConfigMaps and Secrets (`ValidateConfigMap`, `ValidateSecret`).

use api::names;
use api::status::{FieldError, FieldErrors};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json::Value;

use crate::patch::go_json_error;
use crate::value::{at, fields, text};

/// All values of a ConfigMap or a Secret together, in bytes (`MaxSecretSize`).
const DATA_BYTES_MAX: usize = 1024 * 1024;

/// A ConfigMap.
pub fn config_map(object: &Value, errors: &mut FieldErrors) {
    let mut size = 0;
    for field in ["data", "binaryData"] {
        for (key, value) in fields(at(object, field)) {
            errors.invalid_all(&format!("{field}[{key}]"), key, names::config_key(key));
            if field == "binaryData" && at(object, "data").get(key).is_some() {
                let detail = format!("duplicate of key present in data: {key}");
                errors.push(FieldError::invalid(format!("data[{key}]"), key.as_str(), detail));
            }
            size += value.as_str().map_or(0, str::len);
        }
    }
    if size > DATA_BYTES_MAX {
        errors.push(FieldError::too_long("", DATA_BYTES_MAX));
    }
}

/// What Secrets of a type must have.
enum Needs {
    /// These keys.
    Keys(&'static [&'static str]),
    /// One of these keys; without, all are named.
    OneOf(&'static [&'static str]),
    /// This key, and something under it.
    Filled(&'static str),
    /// This key, with JSON under it.
    Json(&'static str),
    /// This annotation; keys come later.
    Annotation(&'static str),
}

/// The types that need something.
const TYPES: &[(&str, Needs)] = &[
    ("kubernetes.io/service-account-token", Needs::Annotation("kubernetes.io/service-account.name")),
    ("kubernetes.io/dockercfg", Needs::Json(".dockercfg")),
    ("kubernetes.io/dockerconfigjson", Needs::Json(".dockerconfigjson")),
    ("kubernetes.io/basic-auth", Needs::OneOf(&["username", "password"])),
    ("kubernetes.io/ssh-auth", Needs::Filled("ssh-privatekey")),
    ("kubernetes.io/tls", Needs::Keys(&["tls.crt", "tls.key"])),
];

/// A Secret.
pub fn secret(object: &Value, errors: &mut FieldErrors) {
    let mut size = 0;
    for (key, value) in fields(at(object, "data")) {
        errors.invalid_all(&format!("data[{key}]"), key, names::config_key(key));
        size += value.as_str().map_or(0, str::len) / 4 * 3;
    }
    if size > DATA_BYTES_MAX {
        errors.push(FieldError::too_long("data", DATA_BYTES_MAX));
    }
    if let Some((_, needs)) = TYPES.iter().find(|(kind, _)| *kind == text(object, "type")) {
        needs.check(object, errors);
    }
}

impl Needs {
    fn check(&self, object: &Value, errors: &mut FieldErrors) {
        let held = |key: &str| at(object, "data").get(key);
        let mut require = |key: &str| errors.push(FieldError::required(format!("data[{key}]"), ""));
        match self {
            Needs::Keys(keys) => keys.iter().copied().filter(|key| held(key).is_none()).for_each(require),
            Needs::OneOf(keys) if keys.iter().all(|key| held(key).is_none()) => keys.iter().copied().for_each(require),
            Needs::OneOf(_) => {}
            Needs::Filled(key) if held(key).and_then(Value::as_str).unwrap_or("").is_empty() => require(key),
            Needs::Filled(_) => {}
            Needs::Json(key) => match held(key) {
                None => require(key),
                Some(value) => {
                    let bytes = STANDARD.decode(value.as_str().unwrap_or("")).unwrap_or_default();
                    if let Err(error) = json::from_slice::<json::Map>(&bytes) {
                        let why = go_json_error(&error, &bytes);
                        errors.push(FieldError::invalid(format!("data[{key}]"), "<secret contents redacted>", why));
                    }
                }
            },
            Needs::Annotation(name) => {
                if at(object, "metadata.annotations").get(name).and_then(Value::as_str).unwrap_or("").is_empty() {
                    errors.push(FieldError::required(format!("metadata.annotations[{name}]"), ""));
                }
            }
        }
    }
}

/// Changes of what was declared immutable, and of a Secret's type.
pub fn immutable(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if text(new, "type") != text(old, "type") {
        errors.push(FieldError::invalid("type", at(new, "type").clone(), super::IMMUTABLE));
    }
    if at(old, "immutable").as_bool() != Some(true) {
        return;
    }
    let why = "field is immutable when `immutable` is set";
    if at(new, "immutable").as_bool() != Some(true) {
        errors.push(FieldError::forbidden("immutable", why));
    }
    for field in ["data", "binaryData"] {
        if at(new, field) != at(old, field) {
            errors.push(FieldError::forbidden(field, why));
        }
    }
}
