//! Rules that objects keep, in upstream's words (pkg/apis/*/validation).

pub mod admission_policy;
pub mod apps;
pub mod autoscaling;
pub mod batch;
pub mod config;
pub mod container;
pub mod ephemeral;
pub mod metadata;
pub mod networking;
pub mod pod;
pub mod policy;
pub mod probe;
pub mod rbac;
pub mod resize;
pub mod resource;
pub mod service;
pub mod storage;
pub mod volume;

use api::status::{FieldError, FieldErrors};
use json::Value;

use crate::value::at;

/// What an immutable field says.
pub const IMMUTABLE: &str = "field is immutable";

/// An integer that may not be negative.
pub fn non_negative(object: &Value, field: &str, path: &str, errors: &mut FieldErrors) {
    if let Some(value) = at(object, field).as_i64()
        && value < 0
    {
        errors.push(FieldError::invalid(path, value, "must be greater than or equal to 0"));
    }
}

/// A text out of a closed set.
pub fn one_of(value: &str, path: &str, known: &[&str], errors: &mut FieldErrors) {
    if !known.contains(&value) {
        errors.push(FieldError::not_supported(path, value, known));
    }
}
