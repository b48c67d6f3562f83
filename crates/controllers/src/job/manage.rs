//! Starts and stops pods towards what the job asks for (`manageJob`).

use api::{Object, kinds};
use serde_json::Value;

use super::indexes::{self, Indexes};
use super::tracking::{Facts, has_failed, release};
use super::{FINALIZER, backoff};
use crate::change::{Change, Note, Plan, Write};
use crate::pods;
use crate::replicaset::ranking;
use crate::view::View;

/// Pods created or deleted in one look, at most (`MaxPodCreateDeletePerSync`).
const BURST_PODS_MAX: usize = 500;

/// What has become of the active pods.
pub(super) struct Managed {
    pub(super) active: usize,
    /// Pods that were stopped just now.
    pub(super) stopped: usize,
    /// Those of them that were ready.
    pub(super) stopped_ready: usize,
}

/// Deletes pods and gives their numbers. Those that end before their time are let go at once.
fn stop(plan: &mut Plan, job: &Object, victims: &[&Object], let_go: bool) -> (usize, usize) {
    for pod in victims {
        if let_go {
            plan.write(release(pod));
        }
        plan.write(
            Write::delete_with(&kinds::PODS, pod, client::DeleteOptions::default())
                .on_success(Note::normal("SuccessfulDelete", format!("Deleted pod: {}", pod.name())), job)
                .on_failure(Note::warning("FailedDelete", "Error deleting: {error}"), job),
        );
    }
    (victims.len(), victims.iter().filter(|pod| pods::is_ready(pod)).count())
}

/// Stops every active pod of a job that is over.
pub(super) fn stop_all(plan: &mut Plan, facts: &Facts<'_>) -> Managed {
    let (stopped, stopped_ready) = stop(plan, facts.job, &facts.active, false);
    Managed { active: 0, stopped, stopped_ready }
}

/// Moves the number of active pods towards what it should be.
pub(super) fn manage(view: &View<'_>, plan: &mut Plan, facts: &Facts<'_>) -> Managed {
    let job = facts.job;
    let mut managed = Managed { active: facts.active.len(), stopped: 0, stopped_ready: 0 };
    let wanted = if job.bool("spec.suspend") { 0 } else { wanted(facts) };
    let victims = to_stop(view, facts, managed.active.saturating_sub(wanted));
    if !victims.is_empty() {
        (managed.stopped, managed.stopped_ready) = stop(plan, job, &victims, true);
        managed.active -= managed.stopped;
        return managed;
    }
    let only_failed = job.str("spec.podReplacementPolicy") == "Failed";
    let busy = managed.active + if only_failed { facts.terminating } else { 0 };
    let missing = wanted.saturating_sub(busy).min(BURST_PODS_MAX);
    if missing == 0 {
        return managed;
    }
    let pause = pause(view, facts);
    if !pause.is_zero() {
        plan.push(Change::After(pause));
        managed.active = 0;
        return managed;
    }
    let new: Vec<Write> = match &facts.indexes {
        None => (0..missing).map(|_| create(job, None)).collect(),
        Some((_, done)) => pending(facts, done, missing).into_iter().map(|i| create(job, Some(i))).collect(),
    };
    managed.active += new.len();
    let mut new = new.into_iter();
    // Each batch is twice as large as the one before: a refusal costs few requests.
    let mut batch = 1;
    loop {
        let writes: Vec<Write> = new.by_ref().take(batch).collect();
        if writes.is_empty() {
            return managed;
        }
        plan.push(Change::Batch(writes));
        batch *= 2;
    }
}

fn wanted(facts: &Facts<'_>) -> usize {
    let size = |n: i64| usize::try_from(n).unwrap_or(0);
    let parallelism = size(facts.job.int("spec.parallelism").unwrap_or(1));
    match facts.job.int("spec.completions") {
        None if facts.succeeded > 0 => facts.active.len(),
        None => parallelism,
        Some(completions) => size(completions - facts.succeeded).min(parallelism),
    }
}

fn pause(view: &View<'_>, facts: &Facts<'_>) -> std::time::Duration {
    let of = |keep: &dyn Fn(&Object) -> bool| -> Vec<&Object> {
        facts.pods.iter().copied().filter(|pod| keep(pod)).collect()
    };
    let succeeded = of(&|pod| pod.str("status.phase") == "Succeeded");
    let failed = of(&|pod| has_failed(facts.job, pod));
    backoff::rest(&succeeded, &failed, view.now)
}

/// The pods to stop: second ones of an index first, then the smallest losses (`activePodsForRemoval`).
fn to_stop<'a>(view: &View<'_>, facts: &Facts<'a>, surplus: usize) -> Vec<&'a Object> {
    let mut rest = facts.active.clone();
    rest.sort_by(|a, b| ranking::compare(a, b, (0, 0), view.now));
    let mut victims = Vec::new();
    if facts.indexes.is_some() {
        let completions = facts.job.int("spec.completions").unwrap_or(0);
        let mut seen = Indexes::new();
        // The greatest loss comes last: it is the one that stays.
        rest.reverse();
        let (kept, doubled): (Vec<&Object>, Vec<&Object>) =
            rest.into_iter().partition(|pod| indexes::of(pod).is_some_and(|i| i < completions && seen.insert(i)));
        victims = doubled;
        rest = kept.into_iter().rev().collect();
    }
    victims.extend(rest.into_iter().take(surplus.saturating_sub(victims.len())));
    victims.truncate(BURST_PODS_MAX);
    victims
}

/// The first indexes that are neither done nor under way.
fn pending(facts: &Facts<'_>, done: &Indexes, count: usize) -> Vec<i64> {
    let busy: Indexes = facts.active.iter().filter_map(|pod| indexes::of(pod)).collect();
    let completions = facts.job.int("spec.completions").unwrap_or(0);
    (0..completions).filter(|index| !done.contains(index) && !busy.contains(index)).take(count).collect()
}

fn create(job: &Object, index: Option<i64>) -> Write {
    let mut pod = pods::from_template((&kinds::JOBS, job), job.at("spec.template"));
    let mut finalizers = pod.list("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == FINALIZER) {
        finalizers.push(FINALIZER.into());
    }
    pod.set("metadata.finalizers", Value::Array(finalizers));
    if let Some(index) = index {
        indexes::assign(&mut pod, job, index);
    }
    Write::create(&kinds::PODS, pod)
        .on_success(Note::normal("SuccessfulCreate", "Created pod: {name}"), job)
        .on_failure(Note::warning("FailedCreate", "Error creating: {error}"), job)
}
