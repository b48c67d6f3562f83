//! What is wrong with the rules of a definition (`ValidateCustomResourceDefinitionOpenAPISchema` of
//! apiextensions-apiserver/pkg/apis/apiextensions/validation).

use api::status::{FieldError, FieldErrors};
use cel::schema::declare;
use serde_json::Value;

use super::compile::{FIELDS, SELF_TYPE, Text, compile, rules_of};
use super::field_path;
use crate::value::list;

const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What was found: complaints about how rules are written, and about what they say.
#[derive(Default)]
struct Found {
    schema: Vec<FieldError>,
    rules: Vec<FieldError>,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    is_root: bool,
    /// Whether what the rules say is looked at.
    compiles: bool,
    /// The first place above whose parts cannot be told to be the same after a change.
    uncorrelatable: Option<&'a str>,
}

/// Checks the rules of a schema and of those inside it; what they say only if nothing is wrong with the schema so far.
pub fn validate(schema: &Value, path: &str, errors: &mut FieldErrors) {
    let mut found = Found::default();
    let compiles = errors.is_empty() && schema.is_object();
    walk(schema, path, Place { is_root: true, compiles, uncorrelatable: None }, &mut found);
    errors.extend(found.schema);
    errors.extend(found.rules);
}

/// Whether anything is wrong with how rules are written at this level or deeper.
fn walk(schema: &Value, path: &str, place: Place<'_>, found: &mut Found) {
    let before = found.schema.len();
    let inner = Place { is_root: false, ..place };
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &format!("{path}.additionalProperties"), inner, found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.properties[{name}]"), inner, found);
    }
    for (i, part) in list(schema, "allOf").iter().enumerate() {
        walk(part, &format!("{path}.allOf[{i}]"), Place { compiles: false, ..inner }, found);
    }
    if schema["items"].is_object() {
        let is_map = schema["x-kubernetes-list-type"] == "map";
        let uncorrelatable = place.uncorrelatable.or((!is_map).then_some(path));
        walk(&schema["items"], &format!("{path}.items"), Place { uncorrelatable, ..inner }, found);
    }
    let texts = rules_of(schema);
    for (i, text) in texts.iter().enumerate() {
        written(text, schema, &format!("{path}.x-kubernetes-validations[{i}]"), &mut found.schema);
    }
    if !texts.is_empty() && place.compiles && found.schema.len() == before {
        said(texts, schema, path, place, &mut found.rules);
    }
}

/// What is wrong with how a rule is written.
fn written(text: &Text, schema: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let has_newlines = |text: &str| text.contains(['\n', '\r']);
    let is_blank = |text: &str| !text.is_empty() && text.trim().is_empty();
    if text.rule.trim().is_empty() {
        errors.push(FieldError::required(format!("{path}.rule"), "rule is not specified"));
    } else if is_blank(&text.message) {
        let why = "must be non-empty if specified";
        errors.push(FieldError::invalid(format!("{path}.message"), text.message.as_str(), why));
    } else if has_newlines(text.message.trim()) {
        let why = "must not contain line breaks";
        errors.push(FieldError::invalid(format!("{path}.message"), text.message.as_str(), why));
    } else if has_newlines(text.rule.trim()) && text.message.trim().is_empty() {
        let why = "message must be specified if rule contains line breaks";
        errors.push(FieldError::required(format!("{path}.message"), why));
    }
    if is_blank(&text.message_expression) {
        let why = "messageExpression must be non-empty if specified";
        errors.push(FieldError::required(format!("{path}.messageExpression"), why));
    }
    if let Some(reason) = text.reason.as_deref().filter(|reason| !REASONS.contains(reason)) {
        errors.push(FieldError::not_supported(format!("{path}.reason"), reason, &REASONS));
    }
    let field = text.field_path.as_str();
    for (is_wrong, why) in [
        (is_blank(field), "must be non-empty if specified"),
        (has_newlines(field), "must not contain line breaks"),
        (!field.is_empty() && field_path::read(field, schema).is_err(), "must be a valid path"),
    ] {
        if is_wrong {
            errors.push(FieldError::invalid(format!("{path}.fieldPath"), field, why));
        }
    }
}

/// What is wrong with what rules say.
fn said(texts: Vec<Text>, schema: &Value, path: &str, place: Place<'_>, errors: &mut Vec<FieldError>) {
    let is_root = place.is_root || schema["x-kubernetes-embedded-resource"] == true;
    let Some(declared) = declare(schema, is_root, SELF_TYPE) else {
        let why = "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
        errors.push(FieldError::internal(format!("{path}.x-kubernetes-validations"), why));
        return;
    };
    for (i, text) in texts.into_iter().enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{i}]");
        let rule = compile(text, schema, &declared);
        let shown = rule.text.shown();
        if let Some(why) = rule.error {
            errors.push(FieldError::invalid(format!("{path}.rule"), shown.clone(), why).in_order(FIELDS));
        }
        if let Some(why) = rule.message_error {
            errors.push(FieldError::invalid(format!("{path}.messageExpression"), shown, why).in_order(FIELDS));
        }
        if rule.uses_old {
            if let Some(at) = place.uncorrelatable {
                let why = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {at}");
                errors.push(FieldError::invalid(format!("{path}.rule"), rule.text.rule, why));
            }
        } else if let Some(given) = rule.text.optional_old_self {
            let why = "may not be set if oldSelf is not used in rule";
            errors.push(FieldError::invalid(format!("{path}.optionalOldSelf"), given, why));
        }
    }
}
