//! What the rules of a definition say of an object (apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go).
//!
//! Difference: fields are gone through by name, where upstream's follow each other by chance.

use std::collections::BTreeMap;

use api::status::{ErrorKind, FieldError, FieldErrors};
use api::text::go_quote;
use cel::Failure;
use cel::schema::{declare, with_meta};
use json::Value;

use super::compile::{Rule, SELF_TYPE, Text, compile, rules_of};
use super::correlate::{Correlated, Ratchet, old_element};
use crate::custom::has_rules;

/// What all rules of an object may cost together (`RuntimeCELCostBudget`).
const OBJECT_COST_MAX: u64 = 10_000_000;
/// How long a message may be that an expression makes (`MaxEvaluatedMessageExpressionSizeBytes`).
const MESSAGE_BYTES_MAX: usize = 5 * 1024;

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";
/// Values that hold others are not repeated in complaints.
const NOT_CHECKED: &str = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

/// The rules of a schema and of the schemas inside it.
#[derive(Debug)]
pub struct Validator {
    schema: Value,
    rules: Vec<Rule>,
    items: Option<Box<Validator>>,
    properties: BTreeMap<String, Validator>,
    additional: Option<Box<Validator>>,
    all_of: Vec<Validator>,
}

/// A validation under way.
struct Run {
    budget: Option<u64>,
    errors: Vec<FieldError>,
    warnings: Vec<String>,
}

/// Where a validation is.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    new: &'a Value,
    old: Option<&'a Value>,
    ratchet: Ratchet<'a>,
}

impl Validator {
    /// Compiles the rules of a version; `None` if it has none.
    pub fn new(schema: &Value) -> Option<Validator> {
        if has_rules(schema) { Validator::of(schema, schema, true) } else { None }
    }

    /// `rules` says the rules of what `schema` describes: itself, or a part of its `allOf`.
    fn of(rules: &Value, schema: &Value, is_root: bool) -> Option<Validator> {
        let inner = |word: &str| {
            let of = &schema[word];
            let validator = || Validator::of(&rules[word], of, of["x-kubernetes-embedded-resource"] == true);
            (rules[word].is_object() && of.is_object()).then(validator).flatten().map(Box::new)
        };
        let declared = declare(schema, is_root, SELF_TYPE)?;
        let mut found = Validator {
            schema: if is_root { with_meta(schema) } else { schema.clone() },
            rules: rules_of(rules).into_iter().map(|text| compile(text, schema, &declared)).collect(),
            items: inner("items"),
            properties: BTreeMap::new(),
            additional: inner("additionalProperties"),
            all_of: Vec::new(),
        };
        for (name, rules) in rules["properties"].as_object().into_iter().flatten() {
            let Some(of) = schema["properties"].get(name) else { continue };
            if let Some(validator) = Validator::of(rules, of, of["x-kubernetes-embedded-resource"] == true) {
                found.properties.insert(name.to_string(), validator);
            }
        }
        let parts = rules["allOf"].as_array().into_iter().flatten();
        found.all_of = parts.filter_map(|part| Validator::of(part, schema, is_root)).collect();
        let says_something = !found.rules.is_empty()
            || found.items.is_some()
            || found.additional.is_some()
            || !found.properties.is_empty()
            || !found.all_of.is_empty();
        says_something.then_some(found)
    }

    /// Asks all rules about an object; complaints about what was so before come back as warnings.
    pub fn validate(&self, new: &Value, old: Option<&Value>, errors: &mut FieldErrors) -> Vec<String> {
        let blocks = |e: &FieldError| {
            use ErrorKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
            matches!(e.kind, NotSupported | Required | TooLong | TooMany | TypeInvalid)
        };
        if errors.iter().any(blocks) {
            errors.push(FieldError::invalid("<nil>", Value::Null, NOT_CHECKED));
            return Vec::new();
        }
        let mut run = Run { budget: Some(OBJECT_COST_MAX), errors: Vec::new(), warnings: Vec::new() };
        let current = old.map(|old| Correlated { new, old, schema: &self.schema });
        self.walk(&mut run, Place { path: "", new, old, ratchet: Ratchet { current, nearest: None } });
        errors.extend(run.errors);
        run.warnings
    }

    fn walk(&self, run: &mut Run, place: Place<'_>) {
        if place.new.is_null() {
            return;
        }
        self.ask(run, place);
        for part in &self.all_of {
            // As upstream: what `allOf` says is forgiven only for what is above.
            let ratchet = Ratchet { current: None, nearest: place.ratchet.nearest };
            if run.budget.is_some() {
                part.walk(run, Place { ratchet, ..place });
            }
        }
        match place.new {
            Value::Object(map) => {
                let old = place.old.and_then(Value::as_object);
                for (name, new) in map {
                    let old = old.and_then(|old| old.get(name)).filter(|old| !old.is_null());
                    let (validator, path) = match (self.properties.get(name.as_str()), &self.additional) {
                        (Some(known), _) => (known, child(place.path, name)),
                        (None, Some(more)) => (&**more, format!("{}[{name}]", place.path)),
                        (None, None) => continue,
                    };
                    if run.budget.is_some() {
                        validator.walk(run, Place { path: &path, new, old, ratchet: place.ratchet.key(name) });
                    }
                }
            }
            Value::Array(items) => {
                let Some(validator) = &self.items else { return };
                let all = place.old.and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
                for (i, new) in items.iter().enumerate() {
                    let path = format!("{}[{i}]", place.path);
                    let old = old_element(&self.schema, all, new);
                    validator.walk(run, Place { path: &path, new, old, ratchet: place.ratchet.index(i) });
                    if run.budget.is_none() {
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    fn kind(&self) -> &str {
        self.schema["type"].as_str().unwrap_or("")
    }

    /// Asks the rules of this place.
    fn ask(&self, run: &mut Run, place: Place<'_>) {
        if self.rules.is_empty() || run.budget.is_none() {
            return;
        }
        let own = cel::schema::value(place.new, &self.schema, false);
        let asks_old = self.rules.iter().any(|rule| rule.uses_old);
        let old = place.old.filter(|_| asks_old).map(|old| cel::schema::value(old, &self.schema, false));
        for rule in &self.rules {
            let Some(budget) = run.budget else { return };
            let at = if place.path.is_empty() { "<nil>" } else { place.path };
            let complain = |detail: String| FieldError::invalid(at, self.kind(), detail);
            if budget == 0 {
                run.errors.push(complain(OUT_OF_BUDGET.into()));
                run.budget = None;
                return;
            }
            if let Some(error) = &rule.error {
                run.errors.push(complain(format!("rule compile error: {error}")));
                continue;
            }
            let Some(program) = &rule.program else { continue };
            let is_optional = rule.text.optional_old_self == Some(true);
            if rule.uses_old && place.old.is_none() && !is_optional {
                continue;
            }
            let variables = variables(&own, old.as_ref(), is_optional);
            let outcome = program.eval(&variables, cel::PER_CALL_COST_MAX);
            let Some(left) = budget.checked_sub(outcome.cost) else {
                run.errors.push(complain(OUT_OF_BUDGET.into()));
                run.budget = None;
                return;
            };
            run.budget = Some(left);
            match outcome.result {
                Ok(cel::value::Value::Bool(true)) => {}
                Ok(_) => self.complain(run, place, rule, &variables),
                Err(why) => {
                    run.errors.push(complain(failed(&rule.text, &why)));
                    if why == Failure::TooCostly {
                        run.budget = None;
                    }
                }
            }
        }
    }

    /// Says that a rule does not hold.
    fn complain(&self, run: &mut Run, place: Place<'_>, rule: &Rule, variables: &[(&str, cel::value::Value)]) {
        let mut path = place.path.to_owned();
        if !rule.field_path.is_empty() {
            path = child(&path, &rule.field_path);
        }
        let path = if path.is_empty() { "<nil>" } else { &path };
        let error = match message(run, rule, variables) {
            Ok(detail) => self.error(path, place.new, detail.unwrap_or_else(|| rule.text.complaint()), &rule.text),
            Err(fatal) => {
                run.budget = None;
                FieldError::invalid(path, self.kind(), fatal)
            }
        };
        if !rule.uses_old && place.ratchet.forgives() {
            run.warnings.push(error.to_string());
        } else {
            run.errors.push(error);
        }
    }

    /// The complaint that the rule's reason asks for (`fieldErrorForReason`).
    fn error(&self, path: &str, value: &Value, detail: String, text: &Text) -> FieldError {
        let error = match text.reason.as_deref() {
            Some("FieldValueForbidden") => FieldError::forbidden(path, detail),
            Some("FieldValueRequired") => FieldError::required(path, &detail),
            Some("FieldValueDuplicate") => FieldError::duplicate(path, value.clone()),
            _ => FieldError::invalid(path, value.clone(), detail),
        };
        if matches!(self.kind(), "object" | "array") { error.without_value() } else { error }
    }
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn variables(
    own: &cel::value::Value,
    old: Option<&cel::value::Value>,
    is_optional: bool,
) -> Vec<(&'static str, cel::value::Value)> {
    let mut found = vec![("self", own.clone())];
    match (old, is_optional) {
        (Some(old), true) => found.push(("oldSelf", cel::value::Value::some(old.clone()))),
        (None, true) => found.push(("oldSelf", cel::value::Value::Optional(None))),
        (Some(old), false) => found.push(("oldSelf", old.clone())),
        (None, false) => {}
    }
    found
}

/// What is said of a rule that could not be asked.
fn failed(text: &Text, why: &Failure) -> String {
    let name = text.name();
    match why {
        Failure::TooCostly => {
            format!("'{why}': no further validation rules will be run due to call cost exceeds limit for rule: {name}")
        }
        Failure::Failed(words) if words.starts_with("no such overload") => format!(
            "'{why}': call arguments did not match a supported operator, function or macro signature for rule: {name}"
        ),
        Failure::Failed(_) => format!("{why} evaluating rule: {name}"),
    }
}

/// What the rule's own expression says; `None` if it says nothing that can be shown (`evalMessageExpression`).
///
/// # Errors
/// The budget is used up, after which no rule is asked any more.
fn message(run: &mut Run, rule: &Rule, variables: &[(&str, cel::value::Value)]) -> Result<Option<String>, String> {
    let (Some(program), Some(budget)) = (&rule.message, run.budget) else { return Ok(None) };
    let outcome = program.eval(variables, cel::PER_CALL_COST_MAX);
    let Some(left) = budget.checked_sub(outcome.cost) else {
        let why = "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
        return Err(why.into());
    };
    run.budget = Some(left);
    match outcome.result {
        Ok(cel::value::Value::String(text)) => {
            let text = text.trim();
            let fits = !text.is_empty() && text.len() <= MESSAGE_BYTES_MAX && !text.contains('\n');
            Ok(fits.then(|| text.to_owned()))
        }
        Err(Failure::TooCostly) => Err(format!(
            "no further validation rules will be run due to call cost exceeds limit for messageExpression: {}",
            go_quote(&rule.text.message_expression)
        )),
        _ => Ok(None),
    }
}
