//! Ephemeral containers (`validateEphemeralContainers`, `ValidatePodEphemeralContainersUpdate`).

use std::collections::BTreeSet;

use api::status::{FieldError, FieldErrors};
use json::Value;

use super::container;
use crate::value::{at, list, text};

const PATH: &str = "spec.ephemeralContainers";
const NOT_SET: &str = "cannot be set for an Ephemeral Container";
/// What only containers that are part of the pod's work may have, in the order of the struct.
const FORBIDDEN: &[&str] = &[
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

/// The ephemeral containers of a pod.
pub fn validate(spec: &Value, errors: &mut FieldErrors) {
    let all = list(spec, "ephemeralContainers");
    if all.is_empty() {
        return;
    }
    let volumes: BTreeSet<String> = list(spec, "volumes").iter().map(|v| text(v, "name").to_owned()).collect();
    let host_network = at(spec, "hostNetwork").as_bool() == Some(true);
    let facts = container::PodFacts { volumes: &volumes, host_network, restarts: text(spec, "restartPolicy") };
    let others: BTreeSet<&str> =
        ["containers", "initContainers"].iter().flat_map(|f| list(spec, f)).map(|c| text(c, "name")).collect();
    let mut names = others.clone();
    for (i, one) in all.iter().enumerate() {
        let path = format!("{PATH}[{i}]");
        let mut plain = one.clone();
        for field in FORBIDDEN {
            crate::value::map_mut(&mut plain).remove(*field);
        }
        container::validate(&plain, &path, false, &facts, errors);
        if !names.insert(text(one, "name")) {
            errors.push(FieldError::duplicate(format!("{path}.name"), text(one, "name")));
        }
        let target = text(one, "targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            errors.push(FieldError::not_found(format!("{path}.targetContainerName"), target));
        }
        for field in FORBIDDEN {
            let value = at(one, field);
            let is_empty = value.as_object().is_some_and(json::Map::is_empty)
                || value.as_array().is_some_and(json::Array::is_empty);
            if !value.is_null() && !is_empty {
                errors.push(FieldError::forbidden(format!("{path}.{field}"), NOT_SET));
            }
        }
        for (j, mount) in list(one, "volumeMounts").iter().enumerate() {
            for field in ["subPath", "subPathExpr"].into_iter().filter(|f| !text(mount, f).is_empty()) {
                errors.push(FieldError::forbidden(format!("{path}.volumeMounts[{j}].{field}"), NOT_SET));
            }
        }
    }
}

/// Ephemeral containers may be added, not changed and not removed.
pub fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    for before in list(old, PATH) {
        let name = text(before, "name");
        let why = match list(new, PATH).iter().find(|c| text(c, "name") == name) {
            None => "removed",
            Some(after) if after != before => "changed",
            Some(_) => continue,
        };
        let detail = format!("existing ephemeral containers {name:?} may not be {why}\n");
        errors.push(FieldError::forbidden(PATH, detail));
    }
}
