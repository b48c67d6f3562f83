//! `status` of a Deployment (`calculateStatus`).

use api::Object;
use json::{Map, Value};

use super::conditions;
use super::facts::{self, replicas, sum_status};
use super::reconcile::{Sets, Sync};
use crate::change::Conflict;

/// The status that follows from the ReplicaSets.
pub(super) fn calculate(sync: &Sync<'_, '_>, sets: &Sets) -> Value {
    let deployment = &sync.deployment;
    let available = sum_status(sets.all(), "availableReplicas");
    let counts = [
        ("observedGeneration", deployment.generation()),
        ("replicas", sum_status(sets.all(), "replicas")),
        ("updatedReplicas", sum_status(&sets.new, "replicas")),
        ("readyReplicas", sum_status(sets.all(), "readyReplicas")),
        ("availableReplicas", available),
        ("unavailableReplicas", (facts::sum_spec(sets.all()) - available).max(0)),
    ];
    let mut status = Map::new();
    for (field, count) in counts.into_iter().filter(|(_, count)| *count != 0) {
        status.insert(field.into(), count.into());
    }
    if let Some(terminating) = terminating(sets.all()) {
        status.insert("terminatingReplicas".into(), terminating.into());
    }
    for field in ["collisionCount", "conditions"] {
        if let Some(value) = deployment.at("status").get(field) {
            status.insert(field.into(), value.clone());
        }
    }
    let mut status = Value::Object(status);
    let enough = available >= replicas(deployment) - facts::max_unavailable(deployment);
    let (state, reason, message) = if enough {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    conditions::set(&mut status, conditions::new("Available", state, reason, message, &sync.view.now_text()));
    status
}

/// Pods on their way out; nothing while a ReplicaSet has not told yet.
fn terminating<'a>(sets: impl Iterator<Item = &'a Object>) -> Option<i64> {
    let mut sum = 0;
    for set in sets {
        match set.int("status.terminatingReplicas") {
            Some(count) => sum += count,
            None if set.int("status.observedGeneration").unwrap_or(0) == 0 => {}
            None => return None,
        }
    }
    Some(sum)
}

/// Writes the status if it differs (`syncDeploymentStatus`).
pub(super) fn sync(sync: &mut Sync<'_, '_>, sets: &Sets) -> Result<(), Conflict> {
    let new = calculate(sync, sets);
    if *sync.deployment.at("status") == new {
        return Ok(());
    }
    sync.deployment.set("status", new);
    sync.write_status()
}
