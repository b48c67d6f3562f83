//! Facts about pods that several controllers need (`pkg/controller/controller_utils.go`, `pkg/api/v1/pod`).

use std::time::Duration;

use api::Object;
use serde_json::Value;
use simulation::Time;

/// Whether the pod has not ended and is not being deleted.
pub(crate) fn is_active(pod: &Object) -> bool {
    !is_terminal(pod) && !pod.is_deleting()
}

/// Whether every container has ended for good.
pub(crate) fn is_terminal(pod: &Object) -> bool {
    matches!(pod.str("status.phase"), "Succeeded" | "Failed")
}

/// Whether the pod is being deleted and still runs.
pub(crate) fn is_terminating(pod: &Object) -> bool {
    !is_terminal(pod) && pod.is_deleting()
}

/// A condition in `status.conditions`.
pub(crate) fn condition<'a>(object: &'a Object, condition_type: &str) -> Option<&'a Value> {
    object.list("status.conditions").iter().find(|c| c["type"] == condition_type)
}

/// Whether a condition in `status.conditions` is `True`.
pub(crate) fn condition_is_true(object: &Object, condition_type: &str) -> bool {
    condition(object, condition_type).is_some_and(|c| c["status"] == "True")
}

/// Whether the condition `Ready` is `True`.
pub(crate) fn is_ready(pod: &Object) -> bool {
    condition_is_true(pod, "Ready")
}

/// Since when the pod has been ready.
pub(crate) fn ready_since(pod: &Object) -> Option<Time> {
    let ready = condition(pod, "Ready").filter(|c| c["status"] == "True")?;
    Time::parse_rfc3339(ready["lastTransitionTime"].as_str()?)
}

/// Whether the pod has been ready for `min_ready_seconds`.
pub(crate) fn is_available(pod: &Object, min_ready_seconds: i64, now: Time) -> bool {
    is_ready(pod) && (min_ready_seconds == 0 || available_in(pod, min_ready_seconds, now).is_none())
}

/// How long a ready pod needs to become available; none when it is, or is not ready.
pub(crate) fn available_in(pod: &Object, min_ready_seconds: i64, now: Time) -> Option<Duration> {
    let minimum = Duration::from_secs(u64::try_from(min_ready_seconds).unwrap_or(0));
    let rest = (ready_since(pod)? + minimum).saturating_since(now);
    (!rest.is_zero()).then_some(rest)
}

/// When the object was created.
pub(crate) fn created(object: &Object) -> Option<Time> {
    Time::parse_rfc3339(object.str("metadata.creationTimestamp"))
}

/// The condition that tells why a pod is being taken away.
pub(crate) fn disruption_target(pod: &Object, reason: &str, message: &str, now: &str) -> Value {
    serde_json::json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "observedGeneration": pod.generation(),
    })
}
