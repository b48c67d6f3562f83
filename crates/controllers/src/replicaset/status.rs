//! `status` of a ReplicaSet (`replica_set_utils.go`).

use api::{Object, kinds};
use json::{Map, Value, json};

use crate::cache::Member;
use crate::claim::of_labels;
use crate::pods;
use crate::selector::contains;
use crate::view::{Verb, View};

/// The status that follows from the pods.
pub(super) fn calculate(view: &View<'_>, set: &Object, active: &[&Member], terminating: usize) -> Value {
    let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
    let template_labels = set.at("spec.template.metadata.labels").as_object();
    let (mut available, mut labelled, mut ready) = (0, 0, 0);
    let mut is_labelled = of_labels(|labels| contains(labels, template_labels.into_iter().flatten()));
    for &pod in active {
        labelled += usize::from(is_labelled(pod));
        if pod.facts.ready {
            ready += 1;
            available += usize::from(minimum == 0 || pods::is_available(&pod.object, minimum, view.now));
        }
    }
    let counts = [("availableReplicas", available), ("fullyLabeledReplicas", labelled), ("readyReplicas", ready)];
    let mut status = Map::new();
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        status.insert(field.into(), count.into());
    }
    status.insert("replicas".into(), active.len().into());
    if set.kind() != "ReplicationController" {
        status.insert("terminatingReplicas".into(), terminating.into());
    }
    status.insert("observedGeneration".into(), set.generation().into());
    let conditions = conditions(view, set, active.len());
    if !conditions.is_empty() {
        status.insert("conditions".into(), conditions.into());
    }
    Value::Object(status)
}

/// `ReplicaFailure` comes with a refused write and goes with the next success.
fn conditions(view: &View<'_>, set: &Object, active: usize) -> Vec<Value> {
    let present = pods::condition(set, "ReplicaFailure").is_some();
    let mut conditions = set.list("status.conditions").to_vec();
    match view.failure.filter(|failure| failure.kind == kinds::PODS.kind && failure.verb != Verb::Change) {
        Some(failure) if !present => {
            let wanted = usize::try_from(set.int("spec.replicas").unwrap_or(1)).unwrap_or(0);
            let reason = if active < wanted { "FailedCreate" } else { "FailedDelete" };
            conditions.push(json!({
                "type": "ReplicaFailure",
                "status": "True",
                "reason": reason,
                "message": failure.message,
                "lastTransitionTime": view.now_text(),
            }));
        }
        None => conditions.retain(|c| c["type"] != "ReplicaFailure"),
        Some(_) => {}
    }
    conditions
}

/// Whether the status needs to be written.
pub(super) fn differs(set: &Object, new: &Value) -> bool {
    let fields = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    let old = set.at("status");
    let number = |status: &Value, field: &str| status.get(field).and_then(Value::as_i64).unwrap_or(0);
    fields.iter().any(|field| number(old, field) != number(new, field))
        || old.get("terminatingReplicas") != new.get("terminatingReplicas")
        || set.list("status.conditions")
            != new.get("conditions").and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}
