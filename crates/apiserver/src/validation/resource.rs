//! Claims of devices, their classes and slices (pkg/apis/resource/validation).

use std::collections::BTreeSet;

use api::names::{dns1123_label, dns1123_subdomain};
use api::status::{FieldError, FieldErrors};
use json::Value;

use super::{IMMUTABLE, one_of};
use crate::value::{at, int, list, text};

/// A name that must be there.
fn named(name: &str, path: &str, rule: fn(&str) -> Vec<String>, errors: &mut FieldErrors) {
    match name {
        "" => errors.push(FieldError::required(path, "")),
        name => errors.invalid_all(path, name, rule(name)),
    }
}

/// The elements of a list whose names differ, each with its path.
fn set<'a>(items: &'a [Value], path: &str, errors: &mut FieldErrors) -> Vec<(&'a Value, String)> {
    let mut names = BTreeSet::new();
    let mut all = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let name = text(item, "name");
        errors.invalid_all(&format!("{path}.name"), name, dns1123_label(name));
        if !names.insert(name) {
            errors.push(FieldError::duplicate(path.as_str(), name));
        }
        all.push((item, path));
    }
    all
}

/// `selectors` of a class or of a request.
pub fn selectors(parent: &Value, path: &str, errors: &mut FieldErrors) {
    for (i, selector) in list(parent, "selectors").iter().enumerate() {
        if at(selector, "cel").is_null() {
            errors.push(FieldError::required(format!("{path}.selectors[{i}].cel"), ""));
        }
    }
}

/// The spec of a claim, also of one in a template.
pub fn claim(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let why = "exactly one of `exactly` or `firstAvailable` is required";
    for (request, path) in set(list(spec, "devices.requests"), &format!("{path}.devices.requests"), errors) {
        let (exact, first) = (at(request, "exactly"), list(request, "firstAvailable"));
        match (exact.is_object(), first.is_empty()) {
            (false, true) => errors.push(FieldError::required(path, why)),
            (true, false) => {
                let why = format!("{why}, but multiple fields are set");
                errors.push(FieldError::invalid(path, Value::Null, why));
            }
            (true, true) => one_device(exact, &format!("{path}.exactly"), errors),
            (false, false) => {
                for (sub, path) in set(first, &format!("{path}.firstAvailable"), errors) {
                    one_device(sub, &path, errors);
                }
            }
        }
    }
}

fn one_device(request: &Value, path: &str, errors: &mut FieldErrors) {
    named(text(request, "deviceClassName"), &format!("{path}.deviceClassName"), dns1123_subdomain, errors);
    selectors(request, path, errors);
    let (mode, count) = (text(request, "allocationMode"), int(request, "count").unwrap_or(0));
    let counted = match mode {
        "All" if count != 0 => "must not be specified when allocationMode is 'All'",
        "ExactCount" if count <= 0 => "must be greater than zero",
        _ => return one_of(mode, &format!("{path}.allocationMode"), &["All", "ExactCount"], errors),
    };
    errors.push(FieldError::invalid(format!("{path}.count"), count, counted));
}

/// What is claimed never changes.
pub fn fixed_spec(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "spec") != at(old, "spec") {
        errors.push(FieldError::invalid("spec", at(new, "spec").clone(), IMMUTABLE));
    }
}

/// A ResourceSlice.
pub fn slice(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    named(text(spec, "driver"), "spec.driver", dns1123_subdomain, errors);
    match text(spec, "pool.name") {
        "" => errors.push(FieldError::required("spec.pool.name", "")),
        name => name.split('/').for_each(|part| errors.invalid_all("spec.pool.name", part, dns1123_subdomain(part))),
    }
    for (field, least, why) in [
        ("resourceSliceCount", 1, "must be greater than zero"),
        ("generation", 0, "must be greater than or equal to zero"),
    ] {
        let value = int(at(spec, "pool"), field).unwrap_or(0);
        if value < least {
            errors.push(FieldError::invalid(format!("spec.pool.{field}"), value, why));
        }
    }
    let why = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    let given = [
        !text(spec, "nodeName").is_empty(),
        at(spec, "nodeSelector").is_object(),
        at(spec, "allNodes") == true,
        at(spec, "perDeviceNodeSelection") == true,
    ];
    match given.iter().filter(|given| **given).count() {
        0 => errors.push(FieldError::required("spec", why)),
        1 => {}
        _ => {
            let names = ["`nodeName`", "`nodeSelector`", "`allNodes`", "`perDeviceNodeSelection`"];
            let both: Vec<&str> =
                names.into_iter().zip(given).filter(|(_, given)| *given).map(|(name, _)| name).collect();
            let why = format!("{why}, but multiple fields are set");
            errors.push(FieldError::invalid("spec", format!("{{{}}}", both.join(", ")), why));
        }
    }
    set(list(spec, "devices"), "spec.devices", errors);
}

/// Whose devices they are never changes.
pub fn slice_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    for path in ["spec.pool.name", "spec.driver", "spec.nodeName"] {
        if at(new, path) != at(old, path) {
            errors.push(FieldError::invalid(path, at(new, path).clone(), IMMUTABLE));
        }
    }
}
