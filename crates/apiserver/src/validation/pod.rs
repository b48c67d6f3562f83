//! Pods (`ValidatePodCreate`, `ValidatePodSpec`, `ValidatePodUpdate`).

use std::collections::BTreeSet;

use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

use super::{container, one_of, volume};
use crate::value::{at, fields, list, map_mut, text};

/// A pod.
pub fn validate(object: &Value, errors: &mut FieldErrors) {
    spec(at(object, "spec"), "spec", errors);
    super::ephemeral::validate(at(object, "spec"), errors);
}

/// A pod spec, of a pod or of a template.
pub fn spec(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let volumes = volume::volumes(list(spec, "volumes"), &format!("{path}.volumes"), errors);
    containers(spec, path, &volumes, errors);
    volume::file_key_volumes(spec, path, errors);
    one_of(text(spec, "restartPolicy"), &format!("{path}.restartPolicy"), &["Always", "OnFailure", "Never"], errors);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    one_of(text(spec, "dnsPolicy"), &format!("{path}.dnsPolicy"), &dns, errors);
    super::metadata::labels(at(spec, "nodeSelector"), &format!("{path}.nodeSelector"), errors);
    for (field, rule) in [
        ("serviceAccountName", names::dns1123_subdomain as fn(&str) -> Vec<String>),
        ("nodeName", names::dns1123_subdomain),
        ("hostname", names::dns1123_label),
        ("subdomain", names::dns1123_label),
    ] {
        let value = text(spec, field);
        if !value.is_empty() {
            errors.invalid_all(&format!("{path}.{field}"), value, rule(value));
        }
    }
    affinity(at(spec, "affinity"), &format!("{path}.affinity"), errors);
    tolerations(list(spec, "tolerations"), &format!("{path}.tolerations"), errors);
    if let Some(deadline) = at(spec, "activeDeadlineSeconds").as_i64()
        && deadline < 1
    {
        let detail = "must be between 1 and 2147483647, inclusive";
        errors.push(FieldError::invalid(format!("{path}.activeDeadlineSeconds"), deadline, detail));
    }
}

fn containers(spec: &Value, path: &str, volumes: &BTreeSet<String>, errors: &mut FieldErrors) {
    let all = list(spec, "containers");
    if all.is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    let host_network = at(spec, "hostNetwork").as_bool() == Some(true);
    let cx = container::PodFacts { volumes, host_network, restarts: text(spec, "restartPolicy") };
    let mut names = BTreeSet::new();
    for (field, init) in [("containers", false), ("initContainers", true)] {
        for (i, one) in list(spec, field).iter().enumerate() {
            let path = format!("{path}.{field}[{i}]");
            let name = text(one, "name");
            if !name.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), name));
            }
            container::validate(one, &path, init, &cx, errors);
        }
    }
}

fn tolerations(tolerations: &[Value], path: &str, errors: &mut FieldErrors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let (key, value) = (text(toleration, "key"), text(toleration, "value"));
        if !key.is_empty() {
            errors.invalid_all(&format!("{path}.key"), key, names::qualified_name(key));
        }
        match text(toleration, "operator") {
            "" | "Equal" => {
                if key.is_empty() {
                    let detail =
                        "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
                    errors.push(FieldError::invalid(format!("{path}.operator"), text(toleration, "operator"), detail));
                }
                errors.invalid_all(&format!("{path}.operator"), value, names::label_value(value));
            }
            "Exists" => {
                if !value.is_empty() {
                    let detail = "value must be empty when `operator` is 'Exists'";
                    errors.push(FieldError::invalid(format!("{path}.operator"), value, detail));
                }
            }
            "Lt" | "Gt" => {}
            other => errors.push(FieldError::not_supported(format!("{path}.operator"), other, &["Equal", "Exists"])),
        }
        let effect = text(toleration, "effect");
        if !at(toleration, "tolerationSeconds").is_null() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.push(FieldError::invalid(format!("{path}.effect"), effect, detail));
        }
        if !effect.is_empty() {
            one_of(effect, &format!("{path}.effect"), &["NoSchedule", "PreferNoSchedule", "NoExecute"], errors);
        }
    }
}

fn affinity(affinity: &Value, path: &str, errors: &mut FieldErrors) {
    let node = format!("{path}.nodeAffinity");
    let required = at(affinity, "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    if !required.is_null() {
        let path = format!("{node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
        let terms = list(required, "nodeSelectorTerms");
        if terms.is_empty() {
            errors.push(FieldError::required(&path, "must have at least one node selector term"));
        }
        for (i, term) in terms.iter().enumerate() {
            node_term(term, &format!("{path}[{i}]"), errors);
        }
    }
    for (i, preferred) in
        list(affinity, "nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution").iter().enumerate()
    {
        let path = format!("{node}.preferredDuringSchedulingIgnoredDuringExecution[{i}]");
        weight(preferred, &path, errors);
        node_term(at(preferred, "preference"), &format!("{path}.preference"), errors);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let one = at(affinity, kind);
        for (i, term) in list(one, "requiredDuringSchedulingIgnoredDuringExecution").iter().enumerate() {
            pod_term(term, &format!("{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{i}]"), errors);
        }
        for (i, term) in list(one, "preferredDuringSchedulingIgnoredDuringExecution").iter().enumerate() {
            let path = format!("{path}.{kind}.preferredDuringSchedulingIgnoredDuringExecution[{i}]");
            weight(term, &path, errors);
            pod_term(at(term, "podAffinityTerm"), &format!("{path}.podAffinityTerm"), errors);
        }
    }
}

fn weight(term: &Value, path: &str, errors: &mut FieldErrors) {
    let weight = at(term, "weight").as_i64().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(format!("{path}.weight"), weight, "must be in the range 1-100"));
    }
}

fn pod_term(term: &Value, path: &str, errors: &mut FieldErrors) {
    if text(term, "topologyKey").is_empty() {
        errors.push(FieldError::required(format!("{path}.topologyKey"), "can not be empty"));
    }
    super::apps::label_selector(at(term, "labelSelector"), &format!("{path}.labelSelector"), errors);
}

fn node_term(term: &Value, path: &str, errors: &mut FieldErrors) {
    for (i, expression) in list(term, "matchExpressions").iter().enumerate() {
        let path = format!("{path}.matchExpressions[{i}]");
        let values = list(expression, "values");
        match text(expression, "operator") {
            "In" | "NotIn" => {
                if values.is_empty() {
                    let detail = "must be specified when `operator` is 'In' or 'NotIn'";
                    errors.push(FieldError::required(format!("{path}.values"), detail));
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    errors.push(FieldError::forbidden(format!("{path}.values"), detail));
                }
            }
            "Gt" | "Lt" => {
                if values.len() != 1 {
                    let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                    errors.push(FieldError::required(format!("{path}.values"), detail));
                }
            }
            other => {
                errors.push(FieldError::invalid(format!("{path}.operator"), other, "not a valid selector operator"));
            }
        }
        let key = text(expression, "key");
        errors.invalid_all(&format!("{path}.key"), key, names::qualified_name(key));
    }
}

/// What an update of a pod may change, as the message names it.
const MUTABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A change of a pod.
///
/// Difference: upstream appends a comparison of the two specs in the form of its Go structs; ours says which fields
/// changed.
pub fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let mutable = |pod: &Value| {
        let mut spec = at(pod, "spec").clone();
        let map = map_mut(&mut spec);
        for field in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
            map.remove(field);
        }
        for field in ["containers", "initContainers"] {
            for container in crate::value::list_mut(&mut spec, field) {
                map_mut(container).remove("image");
            }
        }
        spec
    };
    let (new_spec, old_spec) = (mutable(new), mutable(old));
    if new_spec != old_spec {
        let mut paths = Vec::new();
        changed(&new_spec, &old_spec, "spec", &mut paths);
        let detail = format!("{MUTABLE}\nchanged: {}\n", paths.join(", "));
        errors.push(FieldError::forbidden("spec", detail));
    }
    let (new_tolerations, old_tolerations) = (list(new, "spec.tolerations"), list(old, "spec.tolerations"));
    if !old_tolerations.iter().all(|t| {
        let same = |n: &&Value| ["key", "operator", "value", "effect"].iter().all(|f| text(n, f) == text(t, f));
        new_tolerations.iter().any(|n| same(&n))
    }) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        errors.push(FieldError::forbidden("spec.tolerations", detail));
    }
    let grace = |pod: &Value| at(pod, "spec.terminationGracePeriodSeconds").as_i64();
    if grace(new) != grace(old) && !(grace(old).is_some_and(|g| g < 0) && grace(new) == Some(1)) {
        errors.push(FieldError::forbidden("spec", format!("{MUTABLE}\nchanged: spec.terminationGracePeriodSeconds\n")));
    }
}

/// The paths at which two values differ.
fn changed(new: &Value, old: &Value, path: &str, out: &mut Vec<String>) {
    if new == old {
        return;
    }
    match (new, old) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&json::Text> = a.keys().chain(b.keys()).collect();
            for key in keys {
                changed(
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    &format!("{path}.{key}"),
                    out,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                changed(x, y, &format!("{path}[{i}]"), out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

/// Names of resources in a map that break the rules of names.
pub fn resource_names(map: &Value, path: &str, errors: &mut FieldErrors) {
    for (name, _) in fields(map) {
        let standard =
            matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        if !standard && !name.contains('/') {
            let path = format!("{path}[{name}]");
            errors.push(FieldError::invalid(
                &path,
                name.as_str(),
                "must be a standard resource type or fully qualified",
            ));
            errors.push(FieldError::invalid(path, name.as_str(), "must be a standard resource for containers"));
        }
    }
}
