//! Deployments and ReplicaSets (pkg/apis/apps/validation).

use api::selector::LabelSelector;
use api::status::{FieldError, FieldErrors};
use serde_json::{Map, Value};

use super::{metadata, non_negative, pod};
use crate::value::{at, fields, list, text};

/// A Deployment.
pub fn deployment(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    non_negative(spec, "replicas", "spec.replicas", errors);
    selector_and_template(spec, errors);
    rollout_strategy(at(spec, "strategy"), errors);
    non_negative(spec, "minReadySeconds", "spec.minReadySeconds", errors);
    non_negative(spec, "revisionHistoryLimit", "spec.revisionHistoryLimit", errors);
    if let Some(deadline) = at(spec, "progressDeadlineSeconds").as_i64() {
        non_negative(spec, "progressDeadlineSeconds", "spec.progressDeadlineSeconds", errors);
        if deadline <= at(spec, "minReadySeconds").as_i64().unwrap_or(0) {
            let detail = "must be greater than minReadySeconds";
            errors.push(FieldError::invalid("spec.progressDeadlineSeconds", deadline, detail));
        }
    }
}

/// A ReplicaSet.
pub fn replica_set(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    non_negative(spec, "replicas", "spec.replicas", errors);
    non_negative(spec, "minReadySeconds", "spec.minReadySeconds", errors);
    selector_and_template(spec, errors);
}

/// `spec.selector` may not change.
pub fn selector_is_immutable(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "spec.selector") != at(old, "spec.selector") {
        errors.push(FieldError::invalid("spec.selector", at(new, "spec.selector").clone(), super::IMMUTABLE));
    }
}

fn selector_and_template(spec: &Value, errors: &mut FieldErrors) {
    let selector = at(spec, "selector");
    let empty = fields(at(selector, "matchLabels")).next().is_none() && list(selector, "matchExpressions").is_empty();
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(selector, "spec.selector", errors);
        if empty {
            let detail = "empty selector is invalid for deployment";
            errors.push(FieldError::invalid("spec.selector", selector.clone(), detail));
        }
    }
    let template = at(spec, "template");
    let labels = at(template, "metadata.labels");
    let matches = LabelSelector::from_value(selector).is_ok_and(|s| !empty && s.matches_value(labels));
    if !matches {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", labels.clone(), detail));
    }
    metadata::labels(labels, "spec.template.labels", errors);
    metadata::annotations(at(template, "metadata.annotations"), "spec.template.annotations", errors);
    pod::spec(at(template, "spec"), "spec.template.spec", errors);
    let restart = text(template, "spec.restartPolicy");
    if restart != "Always" && matches!(restart, "OnFailure" | "Never") {
        errors.push(FieldError::not_supported("spec.template.spec.restartPolicy", restart, &["Always"]));
    }
    if let Some(deadline) = at(template, "spec.activeDeadlineSeconds").as_i64() {
        let _ = deadline;
        let detail = "activeDeadlineSeconds in ReplicaSet is not Supported";
        errors.push(FieldError::forbidden("spec.template.spec.activeDeadlineSeconds", detail));
    }
}

/// A `metav1.LabelSelector`.
pub fn label_selector(selector: &Value, path: &str, errors: &mut FieldErrors) {
    metadata::labels(at(selector, "matchLabels"), &format!("{path}.matchLabels"), errors);
    for (i, expression) in list(selector, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{i}]");
        let values = list(expression, "values");
        match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                errors.push(FieldError::required(format!("{path}.values"), detail));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.push(FieldError::forbidden(format!("{path}.values"), detail));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                errors.push(FieldError::invalid(format!("{path}.operator"), other, "not a valid selector operator"));
            }
        }
        let key = text(expression, "key");
        errors.invalid_all(&format!("{path}.key"), key, api::names::qualified_name(key));
    }
}

fn rollout_strategy(strategy: &Value, errors: &mut FieldErrors) {
    let rolling = at(strategy, "rollingUpdate");
    match text(strategy, "type") {
        "Recreate" if !rolling.is_null() => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            errors.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
        }
        "Recreate" => {}
        "RollingUpdate" => rolling_update(rolling, errors),
        other => {
            let mut shown = Map::new();
            shown.insert("Type".into(), other.into());
            shown.insert("RollingUpdate".into(), rolling.clone());
            errors.push(FieldError::not_supported(
                "spec.strategy",
                Value::Object(shown),
                &["Recreate", "RollingUpdate"],
            ));
        }
    }
}

fn rolling_update(rolling: &Value, errors: &mut FieldErrors) {
    let path = "spec.strategy.rollingUpdate";
    let mut zero = [false; 2];
    for (i, field) in ["maxUnavailable", "maxSurge"].into_iter().enumerate() {
        let path = format!("{path}.{field}");
        match at(rolling, field) {
            Value::Number(number) => {
                let number = number.as_i64().unwrap_or(0);
                zero[i] = number == 0;
                if number < 0 {
                    errors.push(FieldError::invalid(&path, number, "must be greater than or equal to 0"));
                }
            }
            Value::String(text) => {
                let percent = text.strip_suffix('%').filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
                match percent.and_then(|d| d.parse::<u32>().ok()) {
                    None => {
                        let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
                        errors.push(FieldError::invalid(&path, text.as_str(), detail));
                    }
                    Some(percent) => {
                        zero[i] = percent == 0;
                        if i == 0 && percent > 100 {
                            errors.push(FieldError::invalid(&path, text.as_str(), "must not be greater than 100%"));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    if zero == [true, true] {
        let shown = at(rolling, "maxUnavailable").clone();
        let detail = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(format!("{path}.maxUnavailable"), shown, detail));
    }
}
