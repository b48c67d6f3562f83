//! What may change when the containers of a pod are resized (`ValidatePodResize`).

use api::status::{FieldError, FieldErrors};
use json::{Map, Value};

use crate::strategy::pod::{is_sidecar, qos_class};
use crate::value::{at, fields, list, map_mut, text};

/// The annotation of the mirror of a static pod.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// The resources that may be resized.
const RESIZABLE: [&str; 2] = ["cpu", "memory"];

/// The change of a pod by its subresource `resize`; the new pod is known to be valid.
pub fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if fields(at(old, "metadata.annotations")).any(|(name, _)| name.as_str() == MIRROR) {
        *errors = FieldErrors::new();
        errors.push(FieldError::forbidden("[]", "static pods cannot be resized"));
        return;
    }
    if text(old, "spec.os.name") == "windows" {
        *errors = FieldErrors::new();
        errors.push(FieldError::forbidden("[]", "windows pods cannot be resized"));
        return;
    }
    let class = text(old, "status.qosClass");
    if class != qos_class(new) {
        errors.push(FieldError::invalid("spec", class, "Pod QOS Class may not change as a result of resizing"));
    }
    if !node_resizes(old) {
        errors.push(FieldError::forbidden("spec", "Pod running on node without support for resize"));
    }
    if !same_containers(new, old, errors) {
        return;
    }
    for field in ["initContainers", "containers"] {
        for (i, (new, old)) in pairs(new, old, field).enumerate() {
            nothing_removed(new, old, &format!("spec.{field}[{i}].resources"), errors);
        }
    }
    for (new, old) in pairs(new, old, "containers") {
        if !same_but_resizable(new, old) {
            errors.push(FieldError::forbidden("spec", "only cpu and memory resources are mutable"));
        }
    }
    for (i, (new, old)) in pairs(new, old, "initContainers").enumerate() {
        init_container(new, old, &format!("spec.initContainers[{i}]"), errors);
    }
}

fn init_container(new: &Value, old: &Value, path: &str, errors: &mut FieldErrors) {
    if !same_but_resizable(new, old) {
        let detail = "only cpu and memory resources for init or sidecar containers are mutable";
        errors.push(FieldError::forbidden(path, detail));
    }
    if new == old || is_sidecar(new) {
        return;
    }
    for _ in list(new, "resizePolicy").iter().filter(|policy| text(policy, "restartPolicy") == "RestartContainer") {
        let detail = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
        errors.push(FieldError::forbidden(path, detail));
    }
}

fn pairs<'a>(new: &'a Value, old: &'a Value, field: &str) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let path = format!("spec.{field}");
    list(new, &path).iter().zip(list(old, &path))
}

/// A node that resizes says of its running containers what resources they have.
fn node_resizes(pod: &Value) -> bool {
    let statuses = list(pod, "status.containerStatuses").iter();
    let running = statuses.filter(|status| !at(status, "state.running").is_null());
    running.take(1).all(|status| !at(status, "resources").is_null())
}

fn same_containers(new: &Value, old: &Value, errors: &mut FieldErrors) -> bool {
    let mut same = true;
    for field in ["containers", "initContainers"] {
        let path = format!("spec.{field}");
        if list(new, &path).len() != list(old, &path).len() {
            let detail = format!("{field} may not be added or removed on resize");
            errors.push(FieldError::forbidden(path, detail));
            same = false;
            continue;
        }
        for (i, (new, old)) in pairs(new, old, field).enumerate() {
            if text(new, "name") != text(old, "name") {
                let detail = format!("{field} may not be renamed or reordered on resize");
                errors.push(FieldError::forbidden(format!("{path}[{i}].name"), detail));
                same = false;
            }
        }
    }
    same
}

fn nothing_removed(new: &Value, old: &Value, path: &str, errors: &mut FieldErrors) {
    for which in ["requests", "limits"] {
        let of = |container| at(at(container, "resources"), which);
        let (new, old) = (of(new), of(old));
        if fields(old).any(|(name, _)| new.get(name.as_str()).is_none()) {
            let detail = format!("resource {which} cannot be removed");
            errors.push(FieldError::forbidden(format!("{path}.{which}"), detail));
        }
    }
}

/// Whether two containers are the same but for CPU and memory.
fn same_but_resizable(new: &Value, old: &Value) -> bool {
    let rest = |container: &Value| {
        let mut rest = container.clone();
        let mut resources = at(container, "resources").clone();
        for which in ["requests", "limits"] {
            let Some(amounts) = resources.get_mut(which).and_then(Value::as_object_mut) else { continue };
            amounts.retain(|name, _| !RESIZABLE.contains(&name.as_str()));
            if amounts.is_empty() {
                map_mut(&mut resources).remove(which);
            }
        }
        map_mut(&mut rest).remove("resources");
        let is_empty = resources.as_object().is_none_or(Map::is_empty);
        (rest, if is_empty { Value::Null } else { resources })
    };
    rest(new) == rest(old)
}

/// The policies of a container (`validateResizePolicy`).
pub fn policies(container: &Value, path: &str, init: bool, pod_restarts: &str, errors: &mut FieldErrors) {
    let path = format!("{path}.resizePolicy");
    let mut seen = Vec::new();
    for (i, policy) in list(container, "resizePolicy").iter().enumerate() {
        let (name, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(format!("{path}[{i}]"), name));
        }
        seen.push(name);
        for (value, supported) in [(name, RESIZABLE), (restart, ["NotRequired", "RestartContainer"])] {
            match value {
                "" => errors.push(FieldError::required(&path, "")),
                value if supported.contains(&value) => {}
                value => errors.push(FieldError::not_supported(&path, value, &supported)),
            }
        }
        if pod_restarts == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(&path, restart, detail));
        }
        if init && !is_sidecar(container) && restart == "RestartContainer" {
            let detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
            errors.push(FieldError::invalid(format!("{path}[{i}].restartPolicy"), restart, detail));
        }
    }
}
