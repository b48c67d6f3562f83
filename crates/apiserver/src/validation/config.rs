//! ConfigMaps and Secrets (`ValidateConfigMap`, `ValidateSecret`).

use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

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

/// Keys that Secrets of a type must have.
const REQUIRED_KEYS: &[(&str, &[&str])] = &[
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
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
    let required = REQUIRED_KEYS.iter().find(|(kind, _)| *kind == text(object, "type")).map_or(&[][..], |r| r.1);
    for key in required {
        if at(object, "data").get(key).is_none() {
            errors.push(FieldError::required(format!("data[{key}]"), ""));
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
