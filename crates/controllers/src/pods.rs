//! Facts about pods that several controllers need (`pkg/controller/controller_utils.go`, `pkg/api/v1/pod`).

use std::time::Duration;

use api::{Kind, Object, kinds};
use json::{Map, Value, json};
use simulation::Time;

use crate::claim::controller_reference;

/// What a look at something takes upstream for each of its pods, requests and their limits included.
const LOOK_AT_POD: Duration = Duration::from_micros(100);

/// How long news of pods is gathered before their controller looks: what happens to a thousand pods meanwhile is looked at
/// together, and is one write of the status instead of a thousand.
pub(crate) fn gathering(pods: i64) -> Duration {
    LOOK_AT_POD * u32::try_from(pods).unwrap_or(0)
}

/// What is asked of every pod at every look at who controls it: found out once, when the pod comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// [`is_active`]
    pub(crate) active: bool,
    /// [`is_terminating`]
    pub(crate) terminating: bool,
    /// [`is_ready`]
    pub(crate) ready: bool,
}

impl Facts {
    /// The facts about a pod; of what is no pod they say nothing.
    pub(crate) fn of(pod: &Object) -> Facts {
        if pod.kind() != kinds::PODS.kind {
            return Facts::default();
        }
        Facts { active: is_active(pod), terminating: is_terminating(pod), ready: is_ready(pod) }
    }
}

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
    json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "observedGeneration": pod.generation(),
    })
}

/// The pod that a template describes, controlled by `owner` and named after it (`GetPodFromTemplate`).
pub(crate) fn from_template((kind, owner): (&Kind, &Object), template: &Value) -> Object {
    let mut metadata = Map::new();
    for field in ["labels", "annotations", "finalizers"] {
        let value = api::object_at(template, &format!("metadata.{field}"));
        if !value.is_null() {
            metadata.insert(field.into(), value.clone());
        }
    }
    metadata.insert("generateName".into(), format!("{}-", owner.name()).into());
    metadata.insert("namespace".into(), owner.namespace().into());
    metadata.insert("ownerReferences".into(), json!([controller_reference(kind, owner)]));
    Object::new(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": Value::Object(metadata),
        "spec": template["spec"],
    }))
}
