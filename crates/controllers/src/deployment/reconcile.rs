//! One look at one Deployment (`syncDeployment`).

use api::{Object, kinds};

use super::annotations::{self, DESIRED_REPLICAS};
use super::{conditions, facts, progress, recreate, revision, rolling, scale, status};
use crate::change::{Change, Conflict, Note, Plan, Retry};
use crate::claim::claim;
use crate::selector;
use crate::view::View;

/// A reconciliation under way. `deployment` is changed as upstream changes its copy: annotations and status, but never
/// the version, so that a second write of the status ends in a conflict and a fresh look.
pub(super) struct Sync<'a, 'p> {
    pub(super) view: &'a View<'a>,
    pub(super) plan: &'p mut Plan,
    pub(super) deployment: Object,
    /// Its ReplicaSets, oldest first.
    pub(super) sets: Vec<Object>,
}

/// The ReplicaSet of the current template, if there is one, and the others, oldest first.
pub(super) struct Sets {
    pub(super) new: Option<Object>,
    pub(super) old: Vec<Object>,
}

impl Sets {
    /// The others and then the new one.
    pub(super) fn all(&self) -> impl Iterator<Item = &Object> {
        self.old.iter().chain(self.new.as_ref())
    }
}

pub(crate) fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(deployment) = view.get(&kinds::DEPLOYMENTS, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let result = sync(view, &mut plan, deployment);
    Ok(plan.finish(result))
}

fn sync(view: &View<'_>, plan: &mut Plan, deployment: &Object) -> Result<(), Conflict> {
    if selector::of(deployment).is_everything() {
        return refuse_selecting_all(plan, deployment);
    }
    let candidates = view.of(&kinds::REPLICA_SETS);
    let owned = candidates.controlled_by(deployment.namespace(), deployment.uid());
    let orphans = candidates.controlled_by(deployment.namespace(), "");
    let claimed = claim(plan, (&kinds::DEPLOYMENTS, deployment), &kinds::REPLICA_SETS, owned, orphans);
    let mut sets: Vec<Object> = claimed.into_iter().cloned().collect();
    sets.sort_by(facts::by_creation);
    let mut sync = Sync { view, plan, deployment: deployment.clone(), sets };
    sync.run()
}

fn refuse_selecting_all(plan: &mut Plan, deployment: &Object) -> Result<(), Conflict> {
    let text = "This deployment is selecting all pods. A non-empty selector is required.";
    plan.event(deployment, Note::warning("SelectingAll", text));
    if deployment.int("status.observedGeneration").unwrap_or(0) < deployment.generation() {
        let mut observed = deployment.clone();
        observed.set("status.observedGeneration", deployment.generation());
        plan.update_status(&kinds::DEPLOYMENTS, &observed)?;
    }
    Ok(())
}

impl Sync<'_, '_> {
    fn run(&mut self) -> Result<(), Conflict> {
        if self.deployment.is_deleting() {
            let sets = revision::sets(self, false)?;
            return status::sync(self, &sets);
        }
        if self.view.failure.is_some() {
            return revision::after_failed_creation(self);
        }
        self.check_paused()?;
        if self.deployment.bool("spec.paused") {
            return self.sync_sizes();
        }
        if self.is_scaling_event()? {
            return self.sync_sizes();
        }
        match self.deployment.str("spec.strategy.type") {
            "Recreate" => recreate::roll_out(self),
            _ => rolling::roll_out(self),
        }
    }

    /// Scales without rolling out (`sync`): while paused, and when only `spec.replicas` has changed.
    fn sync_sizes(&mut self) -> Result<(), Conflict> {
        let sets = revision::sets(self, false)?;
        scale::proportionally(self, &sets)?;
        if self.deployment.bool("spec.paused") {
            self.clean_up(&sets.old);
        }
        status::sync(self, &sets)
    }

    /// Whether an active ReplicaSet was sized for another `spec.replicas` (`isScalingEvent`).
    fn is_scaling_event(&mut self) -> Result<bool, Conflict> {
        let sets = revision::sets(self, false)?;
        let wanted = facts::replicas(&self.deployment);
        let mut active = sets.all().filter(|set| facts::replicas(set) > 0);
        Ok(active.any(|set| annotations::size(set, DESIRED_REPLICAS).is_some_and(|desired| desired != wanted)))
    }

    /// Tells in the condition `Progressing` that the rollout is paused or goes on (`checkPausedConditions`).
    fn check_paused(&mut self) -> Result<(), Conflict> {
        if !facts::has_progress_deadline(&self.deployment) {
            return Ok(());
        }
        let reason = conditions::get(self.deployment.at("status"), "Progressing").map(|c| c["reason"].clone());
        let reason = reason.as_ref().and_then(|r| r.as_str()).unwrap_or("");
        let paused = self.deployment.bool("spec.paused");
        let (reason, message) = match (paused, reason) {
            (_, "ProgressDeadlineExceeded") => return Ok(()),
            (true, current) if current != "DeploymentPaused" => ("DeploymentPaused", "Deployment is paused"),
            (false, "DeploymentPaused") => ("DeploymentResumed", "Deployment is resumed"),
            _ => return Ok(()),
        };
        self.set_condition("Progressing", "Unknown", reason, message);
        self.write_status()
    }

    /// Sets a condition on the copy.
    pub(super) fn set_condition(&mut self, condition_type: &str, status: &str, reason: &str, message: &str) {
        let condition = conditions::new(condition_type, status, reason, message, &self.view.now_text());
        let mut current = self.deployment.at("status").clone();
        conditions::set(&mut current, condition);
        self.deployment.set("status", current);
    }

    /// Writes the status (and the annotations, which the same write carries). The copy keeps its version.
    pub(super) fn write_status(&mut self) -> Result<(), Conflict> {
        self.plan.update_status(&kinds::DEPLOYMENTS, &self.deployment).map(|_| ())
    }

    /// Removes old ReplicaSets beyond the history limit (`cleanupDeployment`).
    pub(super) fn clean_up(&mut self, old: &[Object]) {
        let Some(limit) = facts::revision_history_limit(&self.deployment) else { return };
        let mut cleanable: Vec<&Object> = old.iter().filter(|set| !set.is_deleting()).collect();
        let surplus = cleanable.len().saturating_sub(limit);
        api::order::sort_by(&mut cleanable, |a, b| {
            let by_revision = annotations::revision(a).zip(annotations::revision(b)).map(|(a, b)| a.cmp(&b));
            by_revision.filter(|order| order.is_ne()).unwrap_or_else(|| facts::by_creation(a, b))
        });
        for set in cleanable.into_iter().take(surplus) {
            let busy = set.int("status.replicas").unwrap_or(0) != 0
                || facts::replicas(set) != 0
                || set.generation() > set.int("status.observedGeneration").unwrap_or(0);
            if !busy {
                let options = client::DeleteOptions::default();
                self.plan.write(crate::change::Write::delete_with(&kinds::REPLICA_SETS, set, options));
            }
        }
    }

    /// The end of a rollout step: history when complete, then status (`syncRolloutStatus`).
    pub(super) fn finish(&mut self, sets: &Sets) -> Result<(), Conflict> {
        if facts::is_complete(&self.deployment, self.deployment.at("status")) {
            self.clean_up(&sets.old);
        }
        progress::sync_rollout_status(self, sets)
    }
}
