//! Starts and stops pods towards what the job asks for (`manageJob`).

use std::time::Duration;

use api::{Object, kinds};
use json::Value;

use super::indexes::{self, Indexes};
use super::tracking::{Facts, has_failed, release};
use super::{FINALIZER, backoff, per_index};
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
    let busy = managed.active + if only_failed_are_replaced(job) { facts.terminating } else { 0 };
    let missing = wanted.saturating_sub(busy).min(BURST_PODS_MAX);
    if missing == 0 {
        return managed;
    }
    let new = match create_now(view, facts, missing) {
        Ok(new) => new,
        Err(pause) => {
            plan.push(Change::After(pause));
            // Upstream tells that nothing is active then; the server refuses that of a job with pods that are ready.
            if facts.ready == 0 {
                managed.active = 0;
            }
            return managed;
        }
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

/// The pods to create now, or how long to wait because of failures.
fn create_now(view: &View<'_>, facts: &Facts<'_>, missing: usize) -> Result<Vec<Write>, Duration> {
    // With a limit for each index, each has its own pauses.
    let pause = if facts.failed_indexes.is_none() { pause(view, facts) } else { Duration::ZERO };
    if !pause.is_zero() {
        return Err(pause);
    }
    let Some((_, done)) = &facts.indexes else { return Ok((0..missing).map(|_| create(facts, None)).collect()) };
    let due = per_index::due(facts, pending(facts, done, missing), view.now)?;
    Ok(due.into_iter().map(|index| create(facts, Some(index))).collect())
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

fn pause(view: &View<'_>, facts: &Facts<'_>) -> Duration {
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
    api::order::sort_by(&mut rest, |a, b| ranking::compare(a, b, (0, 0), view.now));
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

/// The first indexes that are neither done, nor failed, nor under way (`firstPendingIndexes`).
fn pending(facts: &Facts<'_>, done: &Indexes, count: usize) -> Vec<i64> {
    let mut busy: Indexes = facts.active.iter().filter_map(|pod| indexes::of(pod)).collect();
    if only_failed_are_replaced(facts.job) {
        let terminating = facts.pods.iter().filter(|pod| pods::is_terminating(pod));
        busy.extend(terminating.filter_map(|pod| indexes::of(pod)));
    }
    busy.extend(facts.failed_indexes.iter().flatten());
    let completions = facts.job.int("spec.completions").unwrap_or(0);
    (0..completions).filter(|index| !done.contains(index) && !busy.contains(index)).take(count).collect()
}

fn only_failed_are_replaced(job: &Object) -> bool {
    job.str("spec.podReplacementPolicy") == "Failed"
}

fn create(facts: &Facts<'_>, index: Option<i64>) -> Write {
    let job = facts.job;
    let mut pod = pods::from_template((&kinds::JOBS, job), job.at("spec.template"));
    let mut finalizers = pod.list("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == FINALIZER) {
        finalizers.push(FINALIZER.into());
    }
    pod.set("metadata.finalizers", Value::Array(finalizers.into()));
    if let Some(index) = index {
        indexes::assign(&mut pod, job, index);
        per_index::annotate(&mut pod, facts, index);
    }
    Write::create(&kinds::PODS, pod)
        .on_success(Note::normal("SuccessfulCreate", "Created pod: {name}"), job)
        .on_failure(Note::warning("FailedCreate", "Error creating: {error}"), job)
}
