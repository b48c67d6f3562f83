//! What is wrong with the rules of a definition (`ValidateCustomResourceDefinitionOpenAPISchema` of
//! apiextensions-apiserver/pkg/apis/apiextensions/validation).

use api::status::{FieldError, FieldErrors};
use cel::schema::{REQUEST_BYTES_MAX, declare};
use json::Value;

use super::compile::{FIELDS, SELF_TYPE, Text, compile, rules_of};
use crate::custom::field_path;
use crate::value::list;

const REASONS: [&str; 4] = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// What a rule may cost in the worst case (`StaticEstimatedCostLimit`), and all rules of a schema together.
const RULE_COST_MAX: u64 = 10_000_000;
const SCHEMA_COST_MAX: u64 = 100_000_000;
/// How many of the most expensive rules are named.
const EXPENSIVE_SHOWN: usize = 4;

/// What was found: complaints about how rules are written, and about what they say, and what rules cost.
#[derive(Default)]
struct Found {
    schema: Vec<FieldError>,
    rules: Vec<FieldError>,
    costs: Vec<(String, u64)>,
}

impl Found {
    /// Notes what an expression costs; too much is a complaint.
    fn cost(&mut self, path: String, name: &str, cost: u64) {
        if cost > RULE_COST_MAX {
            self.rules.push(FieldError::forbidden(path.clone(), too_costly(name, cost, RULE_COST_MAX)));
        }
        self.costs.push((path, cost));
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn too_costly(name: &str, cost: u64, limit: u64) -> String {
    let factor = match cost as f64 / limit as f64 {
        factor if factor > 100.0 => "more than 100x".to_owned(),
        factor if factor < 1.5 => format!("{factor:.6}x"),
        factor => format!("{factor:.1}x"),
    };
    format!(
        "{name} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    is_root: bool,
    /// Whether what the rules say is looked at.
    compiles: bool,
    /// The first place above whose parts cannot be told to be the same after a change.
    uncorrelatable: Option<&'a str>,
    /// How many values there can be of the schema; `None` if nothing limits that.
    count_max: Option<u64>,
}

/// How many values inside there are of one that the schema describes.
fn inner_max(schema: &Value) -> Option<u64> {
    match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => schema["maxProperties"].as_u64(),
        Some("array") => schema["maxItems"].as_u64(),
        _ => Some(1),
    }
}

/// Checks the rules of a schema and of those inside it; what they say only if nothing is wrong with the schema so far.
pub fn validate(schema: &Value, path: &str, errors: &mut FieldErrors) {
    let mut found = Found::default();
    let compiles = errors.is_empty() && schema.is_object();
    walk(schema, path, Place { is_root: true, compiles, uncorrelatable: None, count_max: Some(1) }, &mut found);
    total(path, &mut found);
    errors.extend(found.schema);
    errors.extend(found.rules);
}

/// Complains about rules that cost too much together.
fn total(path: &str, found: &mut Found) {
    let all = found.costs.iter().fold(0u64, |sum, (_, cost)| sum.saturating_add(*cost));
    if all <= SCHEMA_COST_MAX {
        return;
    }
    found.costs.retain(|(_, cost)| *cost >= SCHEMA_COST_MAX / 100);
    found.costs.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    for (path, _) in found.costs.iter().take(EXPENSIVE_SHOWN) {
        let why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
        found.rules.push(FieldError::forbidden(path.clone(), why));
    }
    let name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    found.rules.push(FieldError::forbidden(path, too_costly(name, all, SCHEMA_COST_MAX)));
}

fn walk(schema: &Value, path: &str, place: Place<'_>, found: &mut Found) {
    let before = found.schema.len();
    let count_max = place.count_max.and_then(|count| Some(count.saturating_mul(inner_max(schema)?)));
    let inner = Place { is_root: false, count_max, ..place };
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
        said(texts, schema, path, place, found);
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
fn said(texts: Vec<Text>, schema: &Value, path: &str, place: Place<'_>, found: &mut Found) {
    let is_root = place.is_root || schema["x-kubernetes-embedded-resource"] == true;
    let Some(declared) = declare(schema, is_root, SELF_TYPE) else {
        let why = "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
        found.rules.push(FieldError::internal(format!("{path}.x-kubernetes-validations"), why));
        return;
    };
    // As many as a request has room for, if nothing else limits it.
    let count_max = place.count_max.unwrap_or(REQUEST_BYTES_MAX / (declared.bytes_min + 1));
    for (i, text) in texts.into_iter().enumerate() {
        let path = format!("{path}.x-kubernetes-validations[{i}]");
        let rule = compile(text, schema, &declared);
        if let Some(program) = &rule.program {
            let cost = program.cost_max(&declared).saturating_mul(count_max);
            found.cost(format!("{path}.rule"), "estimated rule cost", cost);
        }
        // The expression of a message is made once, for the first value that is wrong.
        if let Some(program) = &rule.message {
            let cost = program.cost_max(&declared);
            found.cost(format!("{path}.messageExpression"), "estimated messageExpression cost", cost);
        }
        let errors = &mut found.rules;
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
