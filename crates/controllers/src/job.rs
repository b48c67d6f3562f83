//! Runs pods until as many as a Job asks for have ended well (`pkg/controller/job`).
//!
//! Every pod carries a finalizer until its end is counted in the status of its job, so that no end is lost and none
//! counts twice. Upstream keeps the times of failures in memory; here they are read from the pods that are still there.

mod backoff;
mod controller;
mod indexes;
mod manage;
mod per_index;
mod policy;
mod reconcile;
#[cfg(test)]
mod tests;
mod tracking;

use api::Object;
use json::Value;

pub(crate) use controller::CONTROLLER;

/// What a pod carries until its end is counted.
pub(crate) const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

/// Whether the end of a pod is still to be counted.
pub(crate) fn is_tracked(pod: &Object) -> bool {
    pod.list("metadata.finalizers").iter().any(|f| f == FINALIZER)
}

/// The condition that says how a job has ended.
pub(crate) fn ended(job: &Object) -> Option<&Value> {
    let conditions = job.list("status.conditions");
    conditions.iter().find(|c| (c["type"] == "Complete" || c["type"] == "Failed") && c["status"] == "True")
}
