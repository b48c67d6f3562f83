//! The kinds of the group apps, and ReplicationControllers, which are like them (pkg/apis/apps/validation).

use api::selector::LabelSelector;
use api::status::{FieldError, FieldErrors};
use json::{Map, Value};

use super::{metadata, non_negative, one_of, pod};
use crate::value::{at, fields, list, text};

/// A Deployment.
pub fn deployment(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    non_negative(spec, "replicas", "spec.replicas", errors);
    selector_and_template(spec, "deployment", "ReplicaSet", errors);
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
    selector_and_template(spec, "deployment", "ReplicaSet", errors);
}

/// A DaemonSet.
pub fn daemon_set(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    selector_and_template(spec, "daemonset", "DaemonSet", errors);
    non_negative(spec, "minReadySeconds", "spec.minReadySeconds", errors);
    non_negative(spec, "revisionHistoryLimit", "spec.revisionHistoryLimit", errors);
    match text(spec, "updateStrategy.type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let path = "spec.updateStrategy.rollingUpdate";
            let zero = int_or_percents(at(spec, "updateStrategy.rollingUpdate"), path, errors);
            if zero == [true, true] {
                let detail = "cannot be 0 when maxUnavailable is 0";
                errors.push(FieldError::required(format!("{path}.maxSurge"), detail));
            } else if zero == [false, false] {
                let shown = at(spec, "updateStrategy.rollingUpdate.maxSurge").clone();
                let detail = "may not be set when maxUnavailable is non-zero";
                errors.push(FieldError::invalid(format!("{path}.maxSurge"), shown, detail));
            }
        }
        other => {
            errors.push(FieldError::not_supported("spec.updateStrategy.type", other, &["RollingUpdate", "OnDelete"]))
        }
    }
}

/// A StatefulSet.
pub fn stateful_set(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let policy = text(spec, "podManagementPolicy");
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        errors.push(FieldError::invalid("spec.podManagementPolicy", policy, detail));
    }
    let rolling = at(spec, "updateStrategy.rollingUpdate");
    match text(spec, "updateStrategy.type") {
        "RollingUpdate" => {
            non_negative(rolling, "partition", "spec.updateStrategy.rollingUpdate.partition", errors);
        }
        "OnDelete" if rolling.is_null() => {}
        "OnDelete" => {
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            errors.push(FieldError::invalid("spec.updateStrategy.rollingUpdate", rolling.clone(), detail));
        }
        _ => {
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            errors.push(FieldError::invalid("spec.updateStrategy", at(spec, "updateStrategy").clone(), detail));
        }
    }
    let retention = at(spec, "persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"].into_iter().filter(|_| retention.is_object()) {
        let path = format!("spec.persistentVolumeClaimRetentionPolicy.{field}");
        one_of(text(retention, field), &path, &["Retain", "Delete"], errors);
    }
    for (i, claim) in list(spec, "volumeClaimTemplates").iter().enumerate() {
        super::storage::claim_spec(at(claim, "spec"), &format!("spec.volumeClaimTemplates[{i}].spec"), errors);
    }
    non_negative(spec, "replicas", "spec.replicas", errors);
    non_negative(spec, "minReadySeconds", "spec.minReadySeconds", errors);
    non_negative(at(spec, "ordinals"), "start", "spec.ordinals.start", errors);
    let service = text(spec, "serviceName");
    if !service.is_empty() {
        errors.invalid_all("spec.serviceName", service, api::names::dns1123_label(service));
    }
    selector_and_template(&with_claimed_volumes(spec), "statefulset", "StatefulSet", errors);
}

/// The controller adds a volume for each claim; containers may mount it.
fn with_claimed_volumes(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for claim in list(&spec.clone(), "volumeClaimTemplates") {
        let name = text(claim, "metadata.name");
        let volume = json::json!({"name": name, "persistentVolumeClaim": {"claimName": name}});
        let template = crate::strategy::child(crate::strategy::child(&mut spec, "template"), "spec");
        match template.get_mut("volumes").and_then(Value::as_array_mut) {
            Some(volumes) => {
                volumes.retain(|v| v["name"] != name);
                volumes.push(volume);
            }
            None => template["volumes"] = Value::Array(vec![volume].into()),
        }
    }
    spec
}

/// Only some fields of a StatefulSet may change.
pub fn stateful_set_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let mut changed = new.clone();
    for field in [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ] {
        crate::strategy::keep(&mut changed["spec"], at(old, "spec"), field);
    }
    if changed["spec"] != *at(old, "spec") {
        let detail = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        errors.push(FieldError::forbidden("spec", detail));
    }
}

/// A ControllerRevision.
pub fn controller_revision(object: &Value, errors: &mut FieldErrors) {
    non_negative(object, "revision", "revision", errors);
    if !at(object, "data").is_object() {
        errors.push(FieldError::required("data", "data is mandatory"));
    }
}

/// What a ControllerRevision holds may not change.
pub fn controller_revision_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "data") != at(old, "data") {
        errors.push(FieldError::invalid("data", at(new, "data").clone(), super::IMMUTABLE));
    }
}

/// A ReplicationController.
pub fn replication_controller(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    non_negative(spec, "minReadySeconds", "spec.minReadySeconds", errors);
    let selector = at(spec, "selector");
    if fields(selector).next().is_none() {
        errors.push(FieldError::required("spec.selector", ""));
    }
    non_negative(spec, "replicas", "spec.replicas", errors);
    let template = at(spec, "template");
    let labels = at(template, "metadata.labels");
    if fields(selector).any(|(key, value)| labels.get(key) != Some(value)) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", labels.clone(), detail));
    }
    pod_template(template, "spec.template", errors);
    always_restarts(template, "ReplicationController", errors);
}

/// `spec.selector` may not change.
pub fn selector_is_immutable(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "spec.selector") != at(old, "spec.selector") {
        errors.push(FieldError::invalid("spec.selector", at(new, "spec.selector").clone(), super::IMMUTABLE));
    }
}

fn selector_and_template(spec: &Value, owner: &str, kind: &str, errors: &mut FieldErrors) {
    let selector = at(spec, "selector");
    let empty = fields(at(selector, "matchLabels")).next().is_none() && list(selector, "matchExpressions").is_empty();
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(selector, "spec.selector", errors);
        if empty {
            let detail = format!("empty selector is invalid for {owner}");
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
    pod_template(template, "spec.template", errors);
    always_restarts(template, kind, errors);
}

fn always_restarts(template: &Value, kind: &str, errors: &mut FieldErrors) {
    let restart = text(template, "spec.restartPolicy");
    if restart != "Always" && matches!(restart, "OnFailure" | "Never") {
        errors.push(FieldError::not_supported("spec.template.spec.restartPolicy", restart, &["Always"]));
    }
    if !at(template, "spec.activeDeadlineSeconds").is_null() {
        let detail = format!("activeDeadlineSeconds in {kind} is not Supported");
        errors.push(FieldError::forbidden("spec.template.spec.activeDeadlineSeconds", detail));
    }
}

/// A `PodTemplateSpec`.
pub fn pod_template(template: &Value, path: &str, errors: &mut FieldErrors) {
    metadata::labels(at(template, "metadata.labels"), &format!("{path}.labels"), errors);
    metadata::annotations(at(template, "metadata.annotations"), &format!("{path}.annotations"), errors);
    pod::spec(at(template, "spec"), &format!("{path}.spec"), errors);
    if !list(template, "spec.ephemeralContainers").is_empty() {
        let detail = "ephemeral containers not allowed in pod template";
        errors.push(FieldError::forbidden(format!("{path}.spec.ephemeralContainers"), detail));
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
            let known = ["Recreate", "RollingUpdate"];
            let error = FieldError::not_supported("spec.strategy", Value::Object(shown), &known);
            errors.push(error.in_order(&["Type", "RollingUpdate"]));
        }
    }
}

fn rolling_update(rolling: &Value, errors: &mut FieldErrors) {
    let path = "spec.strategy.rollingUpdate";
    let zero = int_or_percents(rolling, path, errors);
    if zero == [true, true] {
        let shown = at(rolling, "maxUnavailable").clone();
        let detail = "may not be 0 when `maxSurge` is 0";
        errors.push(FieldError::invalid(format!("{path}.maxUnavailable"), shown, detail));
    }
}

/// Checks `maxUnavailable` and `maxSurge`; says which of them are zero.
fn int_or_percents(rolling: &Value, path: &str, errors: &mut FieldErrors) -> [bool; 2] {
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
    zero
}
