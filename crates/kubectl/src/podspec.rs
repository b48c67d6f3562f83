//! Where the pod template of a workload is (`polymorphichelpers.UpdatePodSpecForObject`).

use json::Value;

/// The path of the pod spec, as a JSON pointer, for a kind that has one.
pub fn pointer(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("/spec"),
        "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job" => {
            Some("/spec/template/spec")
        }
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        _ => None,
    }
}

/// The pod spec of an object.
pub fn of(object: &Value) -> Option<&Value> {
    object.pointer(pointer(object.get("kind")?.as_str()?)?)
}

/// The pod spec of an object, to change.
pub fn of_mut(object: &mut Value) -> Option<&mut Value> {
    let pointer = pointer(object.get("kind")?.as_str()?)?;
    object.pointer_mut(pointer)
}

/// The containers of a pod spec, with init containers after the others.
pub fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"].into_iter().filter_map(|f| spec.get(f)?.as_array()).flatten()
}

/// Calls `change` with every container of a pod spec.
pub fn each_container(spec: &mut Value, mut change: impl FnMut(&mut Value)) {
    for field in ["containers", "initContainers"] {
        if let Some(list) = spec.get_mut(field).and_then(Value::as_array_mut) {
            list.iter_mut().for_each(&mut change);
        }
    }
}

/// The name of a container.
pub fn name(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or("")
}
