//! Thin views on the JSON of a pod.

use api::Object;
use json::Value;

static EMPTY: Value = Value::Null;

/// A text field, empty if absent.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    api_at(value, path).as_str().unwrap_or("")
}

/// The value at a dotted path.
pub(crate) fn api_at<'a>(value: &'a Value, path: &str) -> &'a Value {
    path.split('.').try_fold(value, |v, part| v.get(part)).unwrap_or(&EMPTY)
}

/// The elements at a dotted path.
pub(crate) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    api_at(value, path).as_array().map_or(&[][..], json::Array::as_slice)
}

/// A list of texts.
pub(crate) fn texts(value: &Value, path: &str) -> Vec<String> {
    items(value, path).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `name_namespace(uid)`, as messages name a pod (`format.Pod`).
pub(crate) fn full_name(pod: &Object) -> String {
    format!("{}_{}({})", pod.name(), pod.namespace(), pod.uid())
}

/// The container's name.
pub(crate) fn name(container: &Value) -> &str {
    text(container, "name")
}

/// `spec.containers`.
pub(crate) fn containers(pod: &Object) -> &[Value] {
    pod.list("spec.containers")
}

/// `spec.initContainers`.
pub(crate) fn init_containers(pod: &Object) -> &[Value] {
    pod.list("spec.initContainers")
}

/// `spec.ephemeralContainers`.
pub(crate) fn ephemeral_containers(pod: &Object) -> &[Value] {
    pod.list("spec.ephemeralContainers")
}

/// A container of any type by name.
pub(crate) fn find<'a>(pod: &'a Object, wanted: &str) -> Option<&'a Value> {
    init_containers(pod).iter().chain(containers(pod)).chain(ephemeral_containers(pod)).find(|c| name(c) == wanted)
}

/// Where an event about a container points.
pub(crate) fn field_path(pod: &Object, container: &str) -> String {
    let has = |all: &[Value]| all.iter().any(|c| name(c) == container);
    let field = if has(init_containers(pod)) {
        "initContainers"
    } else if has(ephemeral_containers(pod)) {
        "ephemeralContainers"
    } else {
        "containers"
    };
    format!("spec.{field}{{{container}}}")
}

/// Whether an init container keeps running beside the others (`restartPolicy: Always`).
pub(crate) fn is_sidecar(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

/// The pod's restart policy.
pub(crate) fn restart_policy(pod: &Object) -> &str {
    match pod.str("spec.restartPolicy") {
        "" => "Always",
        policy => policy,
    }
}

/// Whether a container of the pod that ended with `exit_code` is to be started again.
pub(crate) fn restarts(pod: &Object, container: &Value, exit_code: i32) -> bool {
    if ephemeral_containers(pod).iter().any(|c| name(c) == name(container)) {
        return false;
    }
    let init = init_containers(pod).iter().any(|c| name(c) == name(container));
    let policy = match text(container, "restartPolicy") {
        "" => restart_policy(pod),
        own => own,
    };
    match policy {
        "Never" => false,
        "OnFailure" => exit_code != 0,
        // Ordinary init containers run to completion whatever the pod's policy is.
        _ if init && !is_sidecar(container) => exit_code != 0,
        _ => true,
    }
}

/// Whether the pod's phase is final.
pub(crate) fn is_finished(pod: &Object) -> bool {
    matches!(pod.str("status.phase"), "Succeeded" | "Failed")
}

/// `spec.terminationGracePeriodSeconds`, or what the deletion asked for.
pub(crate) fn grace_seconds(pod: &Object) -> i64 {
    let deletion = pod.int("metadata.deletionGracePeriodSeconds").filter(|_| pod.is_deleting());
    deletion.or_else(|| pod.int("spec.terminationGracePeriodSeconds")).unwrap_or(30).max(0)
}

/// Whether the pod uses the node's network.
pub(crate) fn host_network(pod: &Object) -> bool {
    pod.bool("spec.hostNetwork")
}

/// The host name inside the pod.
pub(crate) fn hostname(pod: &Object) -> String {
    const HOSTNAME_BYTES_MAX: usize = 63;
    match pod.str("spec.hostname") {
        "" => {
            let name: String = pod.name().chars().take(HOSTNAME_BYTES_MAX).collect();
            name.trim_end_matches(['-', '.']).to_owned()
        }
        own => own.to_owned(),
    }
}
