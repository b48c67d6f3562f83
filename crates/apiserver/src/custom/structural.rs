//! Whether a schema is structural: every field it speaks of has one type, said outside of `allOf` and the like
//! (apiextensions-apiserver/pkg/apiserver/schema/validation.go).

use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::{prune, validate};
use crate::value::list;

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Words that an inner schema of a junctor may not use, and why.
const OUTER: [(&str, &str); 9] = [
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
];

/// The words of a schema that have schemas inside, each with its step.
fn junctors(schema: &Value) -> Vec<(String, &Value)> {
    let mut inner = Vec::new();
    for name in ["allOf", "anyOf", "oneOf"] {
        inner.extend(list(schema, name).iter().enumerate().map(|(i, s)| (format!("{name}[{i}]"), s)));
    }
    inner.extend(schema.get("not").map(|s| ("not".to_owned(), s)));
    inner
}

/// Checks a schema at a path of the definition.
pub fn validate(schema: &Value, path: &str, errors: &mut FieldErrors) {
    if !schema.is_object() {
        return;
    }
    let mut found = FieldErrors::new();
    walk(schema, Level::Root, path, &mut found);
    found.0.sort_by_key(ToString::to_string);
    errors.extend(found.0);
    defaults(schema, path, errors);
}

fn walk(schema: &Value, level: Level, path: &str, errors: &mut FieldErrors) {
    let kind = schema["type"].as_str().unwrap_or("");
    let is_set = |name: &str| schema[name] == true;
    let must_be_object = "must be object if x-kubernetes-embedded-resource is true";
    match kind {
        "object" => {}
        "" if is_set("x-kubernetes-embedded-resource") => {
            errors.push(FieldError::required(format!("{path}.type"), must_be_object));
        }
        _ if is_set("x-kubernetes-embedded-resource") => {
            errors.push(FieldError::invalid(format!("{path}.type"), kind, must_be_object));
        }
        "" if !is_set("x-kubernetes-int-or-string") && !is_set("x-kubernetes-preserve-unknown-fields") => {
            let why = match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            };
            errors.push(FieldError::required(format!("{path}.type"), why));
        }
        "" | "array" | "boolean" | "integer" | "number" | "string" => {
            if level == Level::Root && !kind.is_empty() {
                errors.push(FieldError::invalid(format!("{path}.type"), kind, "must be object at the root"));
            }
        }
        other => {
            let known = ["array", "boolean", "integer", "number", "object", "string"];
            errors.push(FieldError::not_supported(format!("{path}.type"), other, &known));
        }
    }
    if kind == "array" && !schema["items"].is_object() {
        errors.push(FieldError::required(format!("{path}.items"), "must be specified"));
    }
    if level == Level::Root && !schema["additionalProperties"].is_null() {
        errors.push(FieldError::forbidden(format!("{path}.additionalProperties"), "must not be used at the root"));
    }
    if schema["properties"].is_object() && schema["additionalProperties"].is_object() {
        errors.push(FieldError::forbidden(
            format!("{path}.additionalProperties"),
            "additionalProperties and properties are mutual exclusive",
        ));
    }
    if schema["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.push(FieldError::forbidden(format!("{path}.uniqueItems"), why));
    }
    list_type(schema, path, errors);
    values(schema, schema, path, errors);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.properties[{name}]");
        if level == Level::Root && name == "metadata" {
            metadata(inner, &path, errors);
            continue;
        }
        walk(inner, Level::Field, &path, errors);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], Level::Item, &format!("{path}.items"), errors);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], Level::Field, &format!("{path}.additionalProperties"), errors);
    }
}

/// Only names may be spoken of: the rest of the metadata is known.
fn metadata(schema: &Value, path: &str, errors: &mut FieldErrors) {
    let fields = schema["properties"].as_object();
    let names_only = fields.is_none_or(|f| f.keys().all(|name| matches!(name.as_str(), "name" | "generateName")));
    let plain = schema
        .as_object()
        .is_some_and(|s| s.keys().all(|k| matches!(k.as_str(), "type" | "properties" | "description")));
    if schema["type"] != "object" {
        errors.push(FieldError::invalid(
            format!("{path}.type"),
            schema["type"].as_str().unwrap_or(""),
            "must be object",
        ));
    }
    if !names_only || !plain {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        errors.push(FieldError::forbidden(path, why));
    }
}

fn list_type(schema: &Value, path: &str, errors: &mut FieldErrors) {
    let keys = list(schema, "x-kubernetes-list-map-keys");
    let keys_path = format!("{path}.x-kubernetes-list-map-keys");
    match schema["x-kubernetes-list-type"].as_str() {
        None | Some("atomic" | "set") if keys.is_empty() => {}
        Some("map") if keys.is_empty() => {
            errors.push(FieldError::required(keys_path, "must not be empty if x-kubernetes-list-type is map"));
        }
        Some("map") => {
            for (i, key) in keys.iter().filter_map(json::Value::as_str).enumerate() {
                let known = &schema["items"]["properties"][key];
                if !known.is_object() {
                    let why = "entries must all be names of item properties";
                    errors.push(FieldError::invalid(format!("{keys_path}[{i}]"), key, why));
                    continue;
                }
                let required = list(&schema["items"], "required").iter().any(|r| r == key);
                if !required && known.get("default").is_none() {
                    let why =
                        format!("this property is in {keys_path}, so it must have a default or be a required property");
                    errors.push(FieldError::required(format!("{path}.items.properties[{key}].default"), &why));
                }
            }
        }
        None | Some("atomic" | "set") => {
            let why = "must be map if x-kubernetes-list-map-keys is non-empty";
            let given = schema["x-kubernetes-list-type"].as_str().unwrap_or("");
            errors.push(FieldError::invalid(format!("{path}.x-kubernetes-list-type"), given, why));
        }
        Some(other) => {
            let path = format!("{path}.x-kubernetes-list-type");
            errors.push(FieldError::not_supported(path, other, &["atomic", "map", "set"]));
        }
    }
}

/// Rules about values: patterns that can be read, and inner schemas that say no more than they may. `outer` is the schema
/// that says the types.
fn values(schema: &Value, outer: &Value, path: &str, errors: &mut FieldErrors) {
    if let Some(pattern) = schema["pattern"].as_str()
        && let Err(why) = regex_lite::Regex::new(pattern)
    {
        let why = format!("must be a valid regular expression, but isn't: {why}");
        errors.push(FieldError::invalid(format!("{path}.pattern"), pattern, why));
    }
    // The two ways in which a number or a text has always been asked for.
    let either = json!([{"type": "integer"}, {"type": "string"}]);
    let is_either = |schema: &Value| outer["x-kubernetes-int-or-string"] == true && schema["anyOf"] == either;
    for (step, inner) in junctors(schema) {
        let skip = (step.starts_with("anyOf") && is_either(schema)) || (step == "allOf[0]" && is_either(inner));
        if !skip {
            nested(inner, outer, &format!("{path}.{step}"), errors);
        }
    }
}

fn nested(schema: &Value, outer: &Value, path: &str, errors: &mut FieldErrors) {
    for (word, why) in OUTER {
        if !matches!(&schema[word], Value::Null | Value::Bool(false)) {
            errors.push(FieldError::forbidden(format!("{path}.{word}"), why));
        }
    }
    values(schema, outer, path, errors);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if outer["properties"].get(name).is_none() && outer["x-kubernetes-preserve-unknown-fields"] != true {
            // Reported where it is missing.
            let at = path.split_once(".openAPIV3Schema").map_or(path, |(head, _)| head);
            let why = format!("because it is defined in {path}.properties[{name}]");
            errors.push(FieldError::required(format!("{at}.openAPIV3Schema.properties[{name}]"), &why));
        }
        nested(inner, &outer["properties"][name], &format!("{path}.properties[{name}]"), errors);
    }
    if schema["items"].is_object() {
        nested(&schema["items"], &outer["items"], &format!("{path}.items"), errors);
    }
}

/// Defaults are values that the schema allows.
fn defaults(schema: &Value, path: &str, errors: &mut FieldErrors) {
    if let Some(default) = schema.get("default") {
        let at = format!("{path}.default");
        let mut known = default.clone();
        if prune::prune(schema, &mut known).is_empty() {
            validate::validate_at(schema, default, &at, errors);
        } else {
            errors.push(FieldError::invalid(at, default.clone(), "must not have unknown fields"));
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        defaults(inner, &format!("{path}.properties[{name}]"), errors);
    }
    for word in ["items", "additionalProperties"] {
        if schema[word].is_object() {
            defaults(&schema[word], &format!("{path}.{word}"), errors);
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(schema: Value, expected: Expect) {
        let mut errors = FieldErrors::new();
        validate(&schema, "s", &mut errors);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn types_are_said() {
        check(
            json!({"type": "object", "properties": {"spec": {}, "list": {"type": "array"}, "x": {"type": "text"}}}),
            expect![[r#"
                s.properties[list].items: Required value: must be specified
                s.properties[spec].type: Required value: must not be empty for specified object fields
                s.properties[x].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string""#]],
        );
        check(json!({"type": "string"}), expect![[r#"s.type: Invalid value: "string": must be object at the root"#]]);
    }

    #[test]
    fn junctors_and_defaults() {
        let port = json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]});
        let count = json!({"type": "integer", "minimum": 1, "default": 0});
        check(
            json!({"type": "object", "properties": {"port": port, "n": count, "a": {"type": "string", "anyOf": [{"type": "string"}]}}}),
            expect![[r#"
                s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural
                s.properties[n].default: Invalid value: 0: s.properties[n].default in body should be greater than or equal to 1"#]],
        );
    }
}
