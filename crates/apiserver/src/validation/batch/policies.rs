//! The policies of a Job: which failures end it, and which successes are enough (`validatePodFailurePolicy`,
//! `validateSuccessPolicy`).

use api::status::{FieldError, FieldErrors};
use json::Value;

use crate::validation::{non_negative, one_of};
use crate::value::{at, int, list, text};

/// Rules of a pod failure policy, at most.
const FAILURE_RULES_MAX: usize = 20;
/// Exit codes in a rule, at most.
const EXIT_CODES_MAX: usize = 255;
/// Conditions in a rule, at most.
const CONDITIONS_MAX: usize = 20;
/// Rules of a success policy, at most.
const SUCCESS_RULES_MAX: usize = 20;
/// Length of the indexes of a rule, at most.
const SUCCEEDED_INDEXES_BYTES_MAX: usize = 64 * 1024;

/// `spec.podFailurePolicy` of a `JobSpec`.
pub(super) fn failure_policy(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let rules = list(spec, "podFailurePolicy.rules");
    let path = format!("{path}.podFailurePolicy.rules");
    if rules.len() > FAILURE_RULES_MAX {
        errors.push(FieldError::too_many(&path, rules.len(), FAILURE_RULES_MAX));
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = format!("{path}[{i}]");
        action(spec, text(rule, "action"), &format!("{path}.action"), errors);
        let (codes, conditions) = (at(rule, "onExitCodes"), list(rule, "onPodConditions"));
        if codes.is_object() {
            exit_codes(spec, codes, &format!("{path}.onExitCodes"), errors);
        }
        pod_conditions(conditions, &format!("{path}.onPodConditions"), errors);
        match (codes.is_object(), conditions.is_empty()) {
            (true, false) => {
                let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
                errors.push(FieldError::invalid(&path, Value::Null, detail));
            }
            (false, true) => {
                let detail = "specifying one of OnExitCodes and OnPodConditions is required";
                errors.push(FieldError::invalid(&path, Value::Null, detail));
            }
            _ => {}
        }
    }
}

fn action(spec: &Value, action: &str, path: &str, errors: &mut FieldErrors) {
    match action {
        "" => {
            let detail = "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]";
            errors.push(FieldError::required(path, detail));
        }
        "FailIndex" if at(spec, "backoffLimitPerIndex").is_null() => {
            let detail = "requires the backoffLimitPerIndex to be set";
            errors.push(FieldError::invalid(path, action, detail));
        }
        _ => one_of(action, path, &["Count", "FailIndex", "FailJob", "Ignore"], errors),
    }
}

fn exit_codes(spec: &Value, codes: &Value, path: &str, errors: &mut FieldErrors) {
    let operator = text(codes, "operator");
    let operator_path = format!("{path}.operator");
    if operator.is_empty() {
        errors.push(FieldError::required(operator_path, "valid values: [\"In\" \"NotIn\"]"));
    } else {
        one_of(operator, &operator_path, &["In", "NotIn"], errors);
    }
    if let Some(name) = at(codes, "containerName").as_str() {
        let containers =
            list(spec, "template.spec.containers").iter().chain(list(spec, "template.spec.initContainers"));
        if containers.into_iter().all(|container| text(container, "name") != name) {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.push(FieldError::invalid(format!("{path}.containerName"), name, detail));
        }
    }
    let path = format!("{path}.values");
    let values: Vec<i64> = list(codes, "values").iter().filter_map(Value::as_i64).collect();
    if values.is_empty() {
        errors.push(FieldError::invalid(&path, at(codes, "values").clone(), "at least one value is required"));
    } else if values.len() > EXIT_CODES_MAX {
        errors.push(FieldError::too_many(&path, values.len(), EXIT_CODES_MAX));
    }
    for (i, value) in values.iter().enumerate() {
        let path = format!("{path}[{i}]");
        if operator == "In" && *value == 0 {
            errors.push(FieldError::invalid(&path, 0, "must not be 0 for the In operator"));
        }
        if values[..i].contains(value) {
            errors.push(FieldError::duplicate(&path, *value));
        }
    }
    if !values.is_sorted() {
        errors.push(FieldError::invalid(&path, at(codes, "values").clone(), "must be ordered"));
    }
}

fn pod_conditions(patterns: &[Value], path: &str, errors: &mut FieldErrors) {
    if patterns.len() > CONDITIONS_MAX {
        errors.push(FieldError::too_many(path, patterns.len(), CONDITIONS_MAX));
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let (name, status) = (text(pattern, "type"), text(pattern, "status"));
        errors.invalid_all(&format!("{path}[{i}].type"), name, api::names::qualified_name(name));
        let path = format!("{path}[{i}].status");
        if status.is_empty() {
            errors.push(FieldError::required(path, "valid values: [\"False\" \"True\" \"Unknown\"]"));
        } else {
            one_of(status, &path, &["False", "True", "Unknown"], errors);
        }
    }
}

/// `spec.successPolicy` of a `JobSpec` whose mode of completion is Indexed.
pub(super) fn success_policy(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let rules = list(spec, "successPolicy.rules");
    let path = format!("{path}.successPolicy.rules");
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(&path, detail));
    }
    if rules.len() > SUCCESS_RULES_MAX {
        errors.push(FieldError::too_many(&path, rules.len(), SUCCESS_RULES_MAX));
    }
    let completions = int(spec, "completions").unwrap_or(0);
    for (i, rule) in rules.iter().enumerate() {
        success_rule(rule, completions, &format!("{path}[{i}]"), errors);
    }
}

fn success_rule(rule: &Value, completions: i64, path: &str, errors: &mut FieldErrors) {
    let (count, indexes) = (int(rule, "succeededCount"), at(rule, "succeededIndexes").as_str());
    if count.is_none() && indexes.is_none() {
        let detail = "at least one of succeededCount or succeededIndexes must be specified";
        errors.push(FieldError::required(path, detail));
    }
    let mut total = 0;
    if let Some(text) = indexes {
        let path = format!("{path}.succeededIndexes");
        if text.len() > SUCCEEDED_INDEXES_BYTES_MAX {
            errors.push(FieldError::too_long(&path, SUCCEEDED_INDEXES_BYTES_MAX));
        }
        match count_indexes(text, completions) {
            Ok(number) => total = number,
            Err(error) => {
                errors.push(FieldError::invalid(&path, text, format!("error parsing succeededIndexes: {error}")));
            }
        }
    }
    let Some(count) = count else { return };
    non_negative(rule, "succeededCount", &format!("{path}.succeededCount"), errors);
    let path = format!("{path}.succeededCount");
    if count > completions {
        let detail = format!("must be less than or equal to {completions} (the number of specified completions)");
        errors.push(FieldError::invalid(&path, count, detail));
    }
    if indexes.is_some() && count > total {
        let detail = format!(
            "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        );
        errors.push(FieldError::invalid(&path, count, detail));
    }
}

/// How many indexes a short form like `0-2,5` names (`validateIndexesFormat`).
fn count_indexes(text: &str, completions: i64) -> Result<i64, String> {
    let mut last: Option<i64> = None;
    let mut total = 0;
    for interval in text.split(',').filter(|_| !text.is_empty()) {
        let (first, end) = interval_of(interval, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

fn interval_of(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let limits: Vec<&str> = interval.split('-').collect();
    let number = |text: &str| match text.parse::<i64>() {
        Err(_) => Err(format!("cannot convert string to integer for index: {text:?}")),
        Ok(number) if number >= completions => Err(format!("too large index: {text:?}")),
        Ok(number) => Ok(number),
    };
    match limits.as_slice() {
        [one] => number(one).map(|one| (one, one)),
        [first, last] => match (number(first)?, number(last)?) {
            (first, last) if first >= last => Err(format!("non-increasing order, previous: {first}, current: {last}")),
            limits => Ok(limits),
        },
        _ => Err(format!(
            "the fragment {interval:?} violates the requirement that an index interval can have at most two parts separated by '-'"
        )),
    }
}
