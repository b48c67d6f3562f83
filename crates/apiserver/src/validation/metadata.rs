//! `metadata` (k8s.io/apimachinery/pkg/api/validation/objectmeta.go).

use api::Kind;
use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

use crate::value::{at, fields, list, text};

/// All annotations of an object together, in bytes (`TotalAnnotationSizeLimitB`).
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

/// Checks the metadata of an object that is to be stored.
pub fn validate(object: &Value, kind: &Kind, name_rule: fn(&str) -> Vec<String>, errors: &mut FieldErrors) {
    let generate_name = text(object, "metadata.generateName");
    if !generate_name.is_empty() {
        let complaints = names::prefix(name_rule, generate_name);
        errors.invalid_all("metadata.generateName", generate_name, complaints);
    }
    match text(object, "metadata.name") {
        "" => errors.push(FieldError::required("metadata.name", "name or generateName is required")),
        name => errors.invalid_all("metadata.name", name, name_rule(name)),
    }
    let namespace = text(object, "metadata.namespace");
    if kind.namespaced {
        errors.invalid_all("metadata.namespace", namespace, names::dns1123_label(namespace));
    }
    labels(at(object, "metadata.labels"), "metadata.labels", errors);
    annotations(at(object, "metadata.annotations"), "metadata.annotations", errors);
    owner_references(list(object, "metadata.ownerReferences"), errors);
    finalizers(list(object, "metadata.finalizers"), errors);
}

/// Checks a change of metadata.
pub fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(old, "metadata.deletionTimestamp").is_null() {
        return;
    }
    let old = list(old, "metadata.finalizers");
    let extra: Vec<&Value> = list(new, "metadata.finalizers").iter().filter(|f| !old.contains(f)).collect();
    if !extra.is_empty() {
        let names: Vec<String> = extra.iter().map(|f| format!("{:?}", f.as_str().unwrap_or(""))).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            names.join(", ")
        );
        errors.push(FieldError::forbidden("metadata.finalizers", detail));
    }
}

/// Checks a map of labels.
pub fn labels(map: &Value, path: &str, errors: &mut FieldErrors) {
    for (key, value) in fields(map) {
        errors.invalid_all(path, key, names::qualified_name(key));
        let value = value.as_str().unwrap_or("");
        errors.invalid_all(path, value, names::label_value(value));
    }
}

/// Checks a map of annotations.
pub fn annotations(map: &Value, path: &str, errors: &mut FieldErrors) {
    let mut size = 0;
    for (key, value) in fields(map) {
        errors.invalid_all(path, key, names::qualified_name(&key.to_lowercase()));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS_BYTES_MAX {
        errors.push(FieldError::too_long(path, ANNOTATIONS_BYTES_MAX));
    }
}

fn owner_references(owners: &[Value], errors: &mut FieldErrors) {
    let mut controller = "";
    for (i, owner) in owners.iter().enumerate() {
        let path = "metadata.ownerReferences";
        for (field, what) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "kind must not be empty"),
            ("name", "name must not be empty"),
            ("uid", "uid must not be empty"),
        ] {
            if text(owner, field).is_empty() {
                errors.push(FieldError::invalid(format!("{path}.{field}"), "", what));
            }
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            if controller.is_empty() {
                controller = text(owner, "name");
            } else {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {controller} and {}",
                    text(owner, "name")
                );
                errors.push(FieldError::invalid(format!("{path}[{i}]"), owner.clone(), detail));
            }
        }
    }
}

fn finalizers(finalizers: &[Value], errors: &mut FieldErrors) {
    let mut both = [false; 2];
    for finalizer in finalizers.iter().filter_map(Value::as_str) {
        errors.invalid_all("metadata.finalizers", finalizer, names::qualified_name(finalizer));
        both[0] |= finalizer == "orphan";
        both[1] |= finalizer == "foregroundDeletion";
    }
    if both == [true, true] {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid("metadata.finalizers", Value::from(finalizers), detail));
    }
}
