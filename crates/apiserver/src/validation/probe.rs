//! Probes and lifecycle hooks (`validateProbe`, `validateHandler`).

use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

use super::{non_negative, one_of};
use crate::value::{at, list, text};

/// A probe; `field` is its name in the container.
pub fn validate(probe: &Value, path: &str, field: &str, errors: &mut FieldErrors) {
    handler(probe, path, &["exec", "httpGet", "tcpSocket", "grpc"], errors);
    for seconds in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        non_negative(probe, seconds, &format!("{path}.{seconds}"), errors);
    }
    if field != "readinessProbe" && at(probe, "successThreshold").as_i64().is_some_and(|t| t != 1) {
        let shown = at(probe, "successThreshold").clone();
        errors.push(FieldError::invalid(format!("{path}.successThreshold"), shown, "must be 1"));
    }
}

/// What a probe or a hook does: exactly one of `kinds`.
pub fn handler(object: &Value, path: &str, kinds: &[&str], errors: &mut FieldErrors) {
    let mut count = 0;
    for kind in kinds {
        let action = at(object, kind);
        if action.is_null() {
            continue;
        }
        count += 1;
        let path = format!("{path}.{kind}");
        if count > 1 {
            errors.push(FieldError::forbidden(path, "may not specify more than 1 handler type"));
            continue;
        }
        match *kind {
            "exec" if list(action, "command").is_empty() => {
                errors.push(FieldError::required(format!("{path}.command"), ""));
            }
            "httpGet" => {
                if text(action, "path").is_empty() {
                    errors.push(FieldError::required(format!("{path}.path"), ""));
                }
                port(at(action, "port"), &format!("{path}.port"), errors);
                one_of(text(action, "scheme"), &format!("{path}.scheme"), &["HTTP", "HTTPS"], errors);
            }
            "tcpSocket" | "grpc" => port(at(action, "port"), &format!("{path}.port"), errors),
            _ => {}
        }
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

/// A port by number or name.
pub fn port(value: &Value, path: &str, errors: &mut FieldErrors) {
    match value {
        Value::String(name) => errors.invalid_all(path, name, names::port_name(name)),
        other => {
            let number = other.as_i64().unwrap_or(0);
            if !(1..=65_535).contains(&number) {
                errors.push(FieldError::invalid(path, number, "must be between 1 and 65535, inclusive"));
            }
        }
    }
}
