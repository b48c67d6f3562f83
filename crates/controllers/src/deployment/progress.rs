//! The condition `Progressing` and its deadline (`progress.go`).

use std::time::Duration;

use json::{Value, json};

use super::reconcile::{Sets, Sync};
use super::{conditions, facts, status};
use crate::change::{Change, Conflict};
use crate::pods;

/// Writes status and conditions of a rollout; when nothing changed, looks again at the deadline.
pub(super) fn sync_rollout_status(sync: &mut Sync<'_, '_>, sets: &Sets) -> Result<(), Conflict> {
    let mut new = status::calculate(sync, sets);
    progressing(sync, sets, &mut new);
    match replica_failure(sets) {
        Some(condition) => conditions::set(&mut new, condition),
        None => conditions::remove(&mut new, "ReplicaFailure"),
    }
    if *sync.deployment.at("status") == new {
        look_again_at_deadline(sync, &new);
        return Ok(());
    }
    sync.deployment.set("status", new);
    sync.write_status()
}

fn progressing(sync: &Sync<'_, '_>, sets: &Sets, new: &mut Value) {
    let deployment = &sync.deployment;
    if !facts::has_progress_deadline(deployment) {
        conditions::remove(new, "Progressing");
        return;
    }
    let current = conditions::get(deployment.at("status"), "Progressing").cloned();
    let settled = new.get("replicas") == new.get("updatedReplicas")
        && current.as_ref().is_some_and(|c| c["reason"] == "NewReplicaSetAvailable");
    if settled {
        return;
    }
    let subject = match &sets.new {
        Some(set) => format!("ReplicaSet \"{}\"", set.name()),
        None => format!("Deployment \"{}\"", deployment.name()),
    };
    let now = sync.view.now_text();
    if facts::is_complete(deployment, new) {
        let message = format!("{subject} has successfully progressed.");
        conditions::set(new, conditions::new("Progressing", "True", "NewReplicaSetAvailable", &message, &now));
    } else if facts::is_progressing(deployment, new) {
        let message = format!("{subject} is progressing.");
        let mut condition = conditions::new("Progressing", "True", "ReplicaSetUpdated", &message, &now);
        if let Some(current) = current.filter(|c| c["status"] == "True") {
            condition["lastTransitionTime"] = current["lastTransitionTime"].clone();
        }
        // Replaced even if the reason is the same: the time of update is what the deadline counts from.
        conditions::remove(new, "Progressing");
        conditions::set(new, condition);
    } else if facts::is_timed_out(deployment, conditions::get(new, "Progressing"), sync.view.now) {
        let message = format!("{subject} has timed out progressing.");
        conditions::set(new, conditions::new("Progressing", "False", "ProgressDeadlineExceeded", &message, &now));
    }
}

/// The failure of the new ReplicaSet, or else of any.
fn replica_failure(sets: &Sets) -> Option<Value> {
    let failure = sets.new.iter().chain(sets.all()).find_map(|set| pods::condition(set, "ReplicaFailure"))?;
    Some(json!({
        "type": failure["type"],
        "status": failure["status"],
        "lastTransitionTime": failure["lastTransitionTime"],
        "lastUpdateTime": failure["lastTransitionTime"],
        "reason": failure["reason"],
        "message": failure["message"],
    }))
}

/// `requeueStuckDeployment`
fn look_again_at_deadline(sync: &mut Sync<'_, '_>, status: &Value) {
    let Some(current) = conditions::get(status, "Progressing") else { return };
    let over = facts::is_complete(&sync.deployment, status) || current["reason"] == "ProgressDeadlineExceeded";
    if over || !facts::has_progress_deadline(&sync.deployment) {
        return;
    }
    let Some(deadline) = facts::deadline(&sync.deployment, current) else { return };
    let rest = deadline.saturating_since(sync.view.now);
    let second = Duration::from_secs(1);
    sync.plan.push(if rest < second { Change::Again } else { Change::After(rest + second) });
}
