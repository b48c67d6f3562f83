//! ValidatingAdmissionPolicies and their bindings (pkg/apis/admissionregistration/validation).

use std::collections::BTreeSet;

use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::apps::label_selector;
use super::one_of;
use crate::admission::policy::compile::{Environment, Fault, Returns, compile};
use crate::value::{at, list, text};

/// Conditions of a policy.
const CONDITIONS_MAX: usize = 64;
/// Annotations of a policy.
const ANNOTATIONS_MAX: usize = 20;
/// How long the expression of an annotation may be.
const ANNOTATION_BYTES_MAX: usize = 5 * 1024;

const NO_VALIDATIONS: &str = "validations or auditAnnotations must contain at least one item";
const NOT_SPECIFIED: &str = "expression is not specified";
const NOT_EMPTY: &str = "must be non-empty if specified";

/// A ValidatingAdmissionPolicy.
pub fn policy(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    one_of(text(spec, "failurePolicy"), "spec.failurePolicy", &["Fail", "Ignore"], errors);
    let has_params = spec["paramKind"].is_object();
    if has_params {
        param_kind(&spec["paramKind"], errors);
    }
    if spec["matchConstraints"].is_object() {
        let constraints = &spec["matchConstraints"];
        match_resources(constraints, "spec.matchConstraints", errors);
        if list(constraints, "resourceRules").is_empty() {
            errors.push(FieldError::required("spec.matchConstraints.resourceRules", ""));
        }
    } else {
        errors.push(FieldError::required("spec.matchConstraints", ""));
    }
    match_conditions(list(spec, "matchConditions"), has_params, errors);
    let variables = list(spec, "variables");
    let mut environment = Environment::dynamic(has_params, !variables.is_empty());
    for (i, one) in variables.iter().enumerate() {
        variable(one, &format!("spec.variables[{i}]"), &mut environment, errors);
    }
    let (validations, annotations) = (list(spec, "validations"), list(spec, "auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        errors.push(FieldError::required("spec.validations", NO_VALIDATIONS));
        errors.push(FieldError::required("spec.auditAnnotations", NO_VALIDATIONS));
    }
    for (i, one) in validations.iter().enumerate() {
        validation(one, &format!("spec.validations[{i}]"), &environment, errors);
    }
    audit_annotations(text(object, "metadata.name"), annotations, &environment, errors);
}

/// A ValidatingAdmissionPolicyBinding.
pub fn binding(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    match text(spec, "policyName") {
        "" => errors.push(FieldError::required("spec.policyName", "")),
        name => errors.invalid_all("spec.policyName", name, api::names::dns1123_subdomain(name)),
    }
    if spec["paramRef"].is_object() {
        param_ref(&spec["paramRef"], errors);
    }
    if spec["matchResources"].is_object() {
        match_resources(&spec["matchResources"], "spec.matchResources", errors);
    }
    validation_actions(list(spec, "validationActions"), errors);
}

fn param_kind(kind: &Value, errors: &mut FieldErrors) {
    let (version, name) = (text(kind, "apiVersion"), text(kind, "kind"));
    let path = "spec.paramKind.apiVersion";
    let mut wrong = |value: &str, why: String| errors.push(FieldError::invalid(path, value, why));
    match (version, version.matches('/').count()) {
        ("", _) => errors.push(FieldError::required(path, "")),
        (_, 0 | 1) => {
            let (group, number) = version.split_once('/').unwrap_or(("", version));
            let bad = if group.is_empty() { Vec::new() } else { api::names::dns1123_subdomain(group) };
            if !bad.is_empty() {
                wrong(group, bad.join(","));
            }
            let bad = api::names::dns1035_label(number);
            if number.is_empty() {
                wrong(version, "version must be specified".into());
            } else if !bad.is_empty() {
                wrong(number, bad.join(","));
            }
        }
        _ => wrong(version, format!("unexpected GroupVersion string: {version}")),
    }
    let bad = api::names::dns1035_label(&name.to_lowercase());
    if name.is_empty() {
        errors.push(FieldError::required("spec.paramKind.kind", ""));
    } else if !bad.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {}", bad.join(","));
        errors.push(FieldError::invalid("spec.paramKind.kind", name, why));
    }
}

fn param_ref(reference: &Value, errors: &mut FieldErrors) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    let path = "spec.paramRef";
    let (name, selector) = (text(reference, "name"), &reference["selector"]);
    if !name.is_empty() {
        errors.invalid_all(&format!("{path}.name"), name, api::names::path_segment(name));
        if selector.is_object() {
            errors.push(FieldError::forbidden(format!("{path}.name"), EXCLUSIVE));
        }
    }
    if selector.is_object() {
        label_selector(selector, &format!("{path}.selector"), errors);
        if !name.is_empty() {
            errors.push(FieldError::forbidden(format!("{path}.selector"), EXCLUSIVE));
        }
    } else if name.is_empty() {
        errors.push(FieldError::required(path, "one of name or selector must be specified"));
    }
    match text(reference, "parameterNotFoundAction") {
        "" => errors.push(FieldError::required(format!("{path}.parameterNotFoundAction"), "")),
        action => one_of(action, &format!("{path}.parameterNotFoundAction"), &["Deny", "Allow"], errors),
    }
}

fn validation_actions(actions: &[Value], errors: &mut FieldErrors) {
    let path = "spec.validationActions";
    let mut seen = BTreeSet::new();
    for (i, action) in actions.iter().enumerate() {
        let action = action.as_str().unwrap_or("");
        one_of(action, &format!("{path}[{i}]"), &["Audit", "Deny", "Warn"], errors);
        if !seen.insert(action) {
            errors.push(FieldError::duplicate(format!("{path}[{i}]"), action));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        errors.push(FieldError::invalid(path, json!(actions), why));
    }
    if seen.is_empty() {
        errors.push(FieldError::required(path, "at least one validation action is required"));
    }
}

// --- which requests ---

fn match_resources(resources: &Value, path: &str, errors: &mut FieldErrors) {
    one_of(text(resources, "matchPolicy"), &format!("{path}.matchPolicy"), &["Equivalent", "Exact"], errors);
    for field in ["namespaceSelector", "objectSelector"] {
        label_selector(&resources[field], &format!("{path}.{field}"), errors);
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        for (i, rule) in list(resources, field).iter().enumerate() {
            named_rule(rule, &format!("{path}.{field}[{i}]"), errors);
        }
    }
}

fn named_rule(rule: &Value, path: &str, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (i, name) in list(rule, "resourceNames").iter().enumerate() {
        let (name, path) = (name.as_str().unwrap_or(""), format!("{path}.resourceNames[{i}]"));
        errors.invalid_all(&path, name, api::names::path_segment(name));
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(path, name));
        }
    }
    not_among_others(rule, "operations", "operations", path, errors);
    for (i, operation) in list(rule, "operations").iter().enumerate() {
        let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
        one_of(operation.as_str().unwrap_or(""), &format!("{path}.operations[{i}]"), &known, errors);
    }
    not_among_others(rule, "apiGroups", "API groups", path, errors);
    not_among_others(rule, "apiVersions", "API versions", path, errors);
    for (i, _) in list(rule, "apiVersions").iter().enumerate().filter(|(_, version)| *version == "") {
        errors.push(FieldError::required(format!("{path}.apiVersions[{i}]"), ""));
    }
    resources(list(rule, "resources"), &format!("{path}.resources"), errors);
    if let Some(scope) = rule["scope"].as_str() {
        one_of(scope, &format!("{path}.scope"), &["*", "Cluster", "Namespaced"], errors);
    }
}

/// A list that is there, in which `*` is alone.
fn not_among_others(rule: &Value, field: &str, what: &str, path: &str, errors: &mut FieldErrors) {
    let (items, path) = (list(rule, field), format!("{path}.{field}"));
    if items.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if items.len() > 1 && items.iter().any(|item| item == "*") {
        let why = format!("if '*' is present, must not specify other {what}");
        errors.push(FieldError::invalid(path, json!(items), why));
    }
}

fn resources(resources: &[Value], path: &str, errors: &mut FieldErrors) {
    if resources.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
    let (mut whole, mut everywhere) = (BTreeSet::new(), BTreeSet::new());
    let mut has_plain = false;
    for (i, resource) in resources.iter().filter_map(Value::as_str).enumerate() {
        let path = format!("{path}[{i}]");
        if resource.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        let Some((name, sub)) = resource.split_once('/') else {
            has_plain = resource != "*";
            continue;
        };
        if whole.contains(name) {
            let why = format!("if '{name}/*' is present, must not specify {resource}");
            errors.push(FieldError::invalid(&path, resource, why));
        }
        if everywhere.contains(sub) {
            let why = format!("if '*/{sub}' is present, must not specify {resource}");
            errors.push(FieldError::invalid(&path, resource, why));
        }
        if sub == "*" {
            whole.insert(name);
        }
        if name == "*" {
            everywhere.insert(sub);
        }
    }
    let has = |wanted: &str| resources.iter().any(|resource| resource == wanted);
    if resources.len() > 1 && has("*/*") {
        let why = "if '*/*' is present, must not specify other resources";
        errors.push(FieldError::invalid(path, json!(resources), why));
    }
    if has("*") && has_plain {
        let why = "if '*' is present, must not specify other resources without subresources";
        errors.push(FieldError::invalid(path, json!(resources), why));
    }
}

// --- expressions ---

/// Complains about an expression that makes no program.
fn complain(path: &str, shown: &str, fault: Fault, errors: &mut FieldErrors) {
    errors.push(match fault {
        Fault::Invalid(detail) => FieldError::invalid(path, shown, detail),
        Fault::Internal(detail) => FieldError::internal(path, detail),
    });
}

fn match_conditions(conditions: &[Value], has_params: bool, errors: &mut FieldErrors) {
    let path = "spec.matchConditions";
    if conditions.len() > CONDITIONS_MAX {
        errors.push(FieldError::too_many(path, conditions.len(), CONDITIONS_MAX));
    }
    // Here, and only here, upstream knows no `variables`.
    let declared = Environment::dynamic(has_params, false).declarations(true);
    let mut seen = BTreeSet::new();
    for (i, condition) in conditions.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let expression = text(condition, "expression").trim();
        if expression.is_empty() {
            errors.push(FieldError::required(format!("{path}.expression"), ""));
        } else if let Err(fault) = compile(expression, Returns::Bool, &declared) {
            complain(&format!("{path}.expression"), expression, fault, errors);
        }
        let (name, path) = (text(condition, "name"), format!("{path}.name"));
        if name.is_empty() {
            errors.push(FieldError::required(path, ""));
            continue;
        }
        errors.invalid_all(&path, name, api::names::qualified_name(name));
        if !seen.insert(name) {
            errors.push(FieldError::duplicate(path, name));
        }
    }
}

fn variable(variable: &Value, path: &str, environment: &mut Environment, errors: &mut FieldErrors) {
    let (name, expression) = (text(variable, "name"), text(variable, "expression"));
    if name.trim().is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), "name is not specified"));
    } else if !is_identifier(name) {
        errors.push(FieldError::invalid(format!("{path}.name"), name, "must be a valid CEL identifier"));
    }
    if expression.trim().is_empty() {
        errors.push(FieldError::required(format!("{path}.expression"), NOT_SPECIFIED));
        return;
    }
    match compile(expression, Returns::Anything, &environment.declarations(true)) {
        Ok(program) => environment.add_variable(name, Some(program.output())),
        Err(fault) => {
            environment.add_variable(name, None);
            complain(&format!("{path}.expression"), expression, fault, errors);
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_word) && !name.starts_with(|c: char| c.is_ascii_digit()) && !cel::schema::is_reserved(name)
}

fn validation(validation: &Value, path: &str, environment: &Environment, errors: &mut FieldErrors) {
    let expression = text(validation, "expression");
    if expression.trim().is_empty() {
        errors.push(FieldError::required(format!("{path}.expression"), NOT_SPECIFIED));
    } else if let Err(fault) = compile(expression, Returns::Bool, &environment.declarations(true)) {
        complain(&format!("{path}.expression"), expression, fault, errors);
    }
    let (expression, own) = (text(validation, "messageExpression"), format!("{path}.messageExpression"));
    if !expression.is_empty() && expression.trim().is_empty() {
        errors.push(FieldError::invalid(own, expression, NOT_EMPTY));
    } else if !expression.is_empty()
        && let Err(fault) = compile(expression, Returns::String, &environment.declarations(false))
    {
        complain(&own, expression, fault, errors);
    }
    let (message, own) = (text(validation, "message"), format!("{path}.message"));
    if !message.is_empty() && message.trim().is_empty() {
        errors.push(FieldError::invalid(own, message, NOT_EMPTY));
    } else if message.trim().contains(['\n', '\r']) {
        errors.push(FieldError::invalid(own, message, "must not contain line breaks"));
    }
    if let Some(reason) = validation["reason"].as_str() {
        one_of(reason, &format!("{path}.reason"), &["Forbidden", "Invalid", "RequestEntityTooLarge"], errors);
    }
}

fn audit_annotations(policy: &str, annotations: &[Value], environment: &Environment, errors: &mut FieldErrors) {
    let path = "spec.auditAnnotations";
    if annotations.len() > ANNOTATIONS_MAX {
        let why = format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations");
        errors.push(FieldError::invalid(path, json!(annotations), why));
    }
    let mut seen = BTreeSet::new();
    for (i, annotation) in annotations.iter().enumerate() {
        let (key, path) = (text(annotation, "key"), format!("{path}[{i}]"));
        let own = format!("{path}.key");
        if policy.is_empty() {
            errors.push(FieldError::invalid(&own, key, "requires metadata.name be non-empty"));
        } else {
            let name = format!("{policy}/{key}");
            errors.invalid_all(&own, &name, api::names::qualified_name(&name));
        }
        annotation_value(text(annotation, "valueExpression"), &format!("{path}.valueExpression"), environment, errors);
        if !seen.insert(key) {
            errors.push(FieldError::duplicate(own, key));
        }
    }
}

fn annotation_value(expression: &str, path: &str, environment: &Environment, errors: &mut FieldErrors) {
    let trimmed = expression.trim();
    if trimmed.is_empty() {
        errors.push(FieldError::required(path, "valueExpression is not specified"));
    } else if trimmed.len() > ANNOTATION_BYTES_MAX {
        let why = format!("must not exceed {ANNOTATION_BYTES_MAX} bytes in length");
        errors.push(FieldError::required(path, &why));
    } else if let Err(fault) = compile(trimmed, Returns::StringOrNull, &environment.declarations(true)) {
        complain(path, expression, fault, errors);
    }
}
