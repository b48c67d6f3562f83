//! Fields of custom resources by which lists and watches select (`selectableFields`).
//!
//! Upstream: `k8s.io/apiextensions-apiserver/pkg/{apis/apiextensions/validation,registry/customresource}`.

use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::field_path;
use crate::value::{list, text};

/// As many a version may have.
const FIELDS_MAX: usize = 8;

/// The fields of a version, as selectors name them.
pub fn names(version: &Value) -> impl Iterator<Item = &str> {
    list(version, "selectableFields").iter().map(|field| text(field, "jsonPath").trim_start_matches('.'))
}

/// What an object has there, as selectors compare it; empty if there is nothing.
pub fn value(object: &Value, name: &str) -> String {
    let found = name.split('.').try_fold(object, |value, field| value.get(field));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.to_string(),
        Some(other) => other.to_string(),
    }
}

/// What the OpenAPI documents say of them (`x-kubernetes-selectable-fields`); none if there are none.
pub fn extension(version: &Value) -> Option<Value> {
    let fields: Vec<Value> = names(version).map(|name| json!({"fieldPath": name})).collect();
    (!fields.is_empty()).then(|| fields.into())
}

/// Checks those of all versions. What all versions have in common upstream keeps, and complains about, beside them.
pub fn validate(spec: &Value, common_schema: Option<&Value>, errors: &mut FieldErrors) {
    let versions = list(spec, "versions");
    let fields = |version| list(version, "selectableFields");
    let Some(first) = versions.first().map(fields) else { return };
    if versions.iter().all(|version| fields(version) == first) {
        let path = "spec.selectableFields";
        match common_schema {
            _ if first.is_empty() => {}
            Some(schema) => each(first, schema, path, errors),
            None => errors.push(FieldError::invalid(path, "", "may only be set when validations.schema is included")),
        }
        return;
    }
    for (i, version) in versions.iter().enumerate().filter(|(_, version)| !fields(version).is_empty()) {
        let path = format!("spec.versions[{i}].selectableFields");
        match common_schema {
            None => each(fields(version), &version["schema"]["openAPIV3Schema"], &path, errors),
            // The schema is not in the version any more; the words are upstream's.
            Some(_) => {
                let why = "may only be set when `version.schema.openAPIV3Schema` is not included";
                errors.push(FieldError::invalid(path, "", why));
            }
        }
    }
}

fn each(fields: &[Value], schema: &Value, path: &str, errors: &mut FieldErrors) {
    let mut seen: Vec<String> = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let (path, given) = (format!("{path}[{i}].jsonPath"), text(field, "jsonPath"));
        if given.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        let (found, schema) = match field_path::walk(given, schema, false) {
            Ok(found) => found,
            Err(why) => {
                errors.push(FieldError::invalid(path, given, format!("is an invalid path: {why}")));
                continue;
            }
        };
        if found.split(['.', '[']).next() == Some("metadata") {
            errors.push(FieldError::invalid(path.as_str(), given, "must not point to fields in metadata"));
        }
        if !matches!(text(schema, "type"), "string" | "boolean" | "integer") {
            let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            errors.push(FieldError::invalid(path.as_str(), given, why));
        }
        if seen.contains(&found) {
            errors.push(FieldError::duplicate(path, given));
        } else {
            seen.push(found);
        }
    }
    if seen.len() > FIELDS_MAX {
        errors.push(FieldError::too_many(path, seen.len(), FIELDS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(paths: &[&str]) -> Value {
        let fields: Vec<Value> = paths.iter().map(|path| json!({"jsonPath": path})).collect();
        let schema = json!({"type": "object", "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {"type": "object", "properties": {
                "color": {"type": "string"}, "size": {"type": "integer"}, "list": {"type": "array"}}}}});
        json!({"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}, "selectableFields": fields}]})
    }

    fn said(spec: &Value) -> Vec<String> {
        let mut errors = FieldErrors::new();
        let schema = &spec["versions"][0]["schema"]["openAPIV3Schema"];
        validate(spec, Some(schema), &mut errors);
        errors.0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_lead_to_texts_numbers_and_booleans() {
        assert!(said(&spec(&[".spec.color", ".spec.size"])).is_empty());
        assert!(said(&spec(&[])).is_empty());
        assert_eq!(
            said(&spec(&[
                "",
                ".spec.nope",
                "spec.color",
                ".spec.list",
                ".spec['color']",
                ".metadata.name",
                ".spec.color",
                ".spec.color"
            ])),
            [
                "spec.selectableFields[0].jsonPath: Required value",
                "spec.selectableFields[1].jsonPath: Invalid value: \".spec.nope\": is an invalid path: does not refer to a valid field",
                "spec.selectableFields[2].jsonPath: Invalid value: \"spec.color\": is an invalid path: expected [ or . but got: spec",
                "spec.selectableFields[3].jsonPath: Invalid value: \".spec.list\": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
                "spec.selectableFields[4].jsonPath: Invalid value: \".spec['color']\": is an invalid path: array notation is not allowed",
                "spec.selectableFields[5].jsonPath: Invalid value: \".metadata.name\": must not point to fields in metadata",
                "spec.selectableFields[7].jsonPath: Duplicate value: \".spec.color\"",
            ]
        );
    }

    #[test]
    fn values_are_compared_as_texts() {
        let object = json!({"spec": {"color": "blue", "size": 3, "on": false}});
        let values = ["spec.color", "spec.size", "spec.on", "spec.none", "status.x"].map(|name| value(&object, name));
        assert_eq!(values, ["blue", "3", "false", "", ""]);
        assert_eq!(extension(&spec(&[".spec.size"])["versions"][0]), Some(json!([{"fieldPath": "spec.size"}])));
    }
}
