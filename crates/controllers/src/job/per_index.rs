//! Jobs whose indexes fail one by one: each has a limit of its own (`indexed_job_utils.go`, `backoff_utils.go`).
//!
//! How often an index has failed stands in an annotation of its newest pod. A failed pod therefore keeps its finalizer until its
//! replacement is there to carry the number on.

use std::collections::BTreeMap;
use std::time::Duration;

use api::Object;
use simulation::Time;

use super::indexes::{self, Indexes};
use super::policy::{self, Verdict};
use super::tracking::{Facts, has_failed};
use super::{backoff, is_tracked};

/// How often the index of a pod had failed when the pod was made.
const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// How many failures more the pod failure policy had ignored.
const IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// The failures that an index of the job may have; none if they are not counted by index.
fn limit(job: &Object) -> Option<i64> {
    job.int("spec.backoffLimitPerIndex").filter(|_| job.str("spec.completionMode") == "Indexed")
}

fn number(pod: &Object, annotation: &str) -> u32 {
    let number = pod.annotation(annotation).and_then(|text| text.parse::<i32>().ok());
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(0)
}

/// Failures of the index before this pod, ignored ones with them.
fn all_failures(pod: &Object) -> u32 {
    number(pod, FAILURES).saturating_add(number(pod, IGNORED_FAILURES))
}

/// The failed indexes: those that the status names, and those whose pods have just failed once too often
/// (`calculateFailedIndexes`).
pub(super) fn failed(job: &Object, pods: &[&Object]) -> Option<Indexes> {
    let limit = limit(job)?;
    let completions = job.int("spec.completions").unwrap_or(0);
    let is_last = |pod: &Object| match policy::judge(job, pod) {
        Verdict::FailIndex => true,
        Verdict::Ignore => false,
        Verdict::Count | Verdict::FailJob(_) => i64::from(number(pod, FAILURES)) >= limit,
    };
    let new = pods.iter().filter(|pod| is_tracked(pod) && has_failed(job, pod) && is_last(pod));
    let new = new.filter_map(|pod| indexes::of(pod)).filter(|index| *index < completions);
    Some(indexes::parse(job.str("status.failedIndexes"), completions).into_iter().chain(new).collect())
}

/// The failed pods that wait for a replacement, by index (`getPodsWithDelayedDeletionPerIndex`).
pub(super) fn delayed<'a>(facts: &Facts<'a>) -> BTreeMap<i64, &'a Object> {
    let mut delayed: BTreeMap<i64, &Object> = BTreeMap::new();
    let (Some(failed), Some((_, succeeded))) = (&facts.failed_indexes, &facts.indexes) else { return delayed };
    let active: Indexes = facts.active.iter().filter_map(|pod| indexes::of(pod)).collect();
    for pod in facts.pods.iter().copied().filter(|pod| is_tracked(pod) && has_failed(facts.job, pod)) {
        let Some(index) = facts.index_of(pod) else { continue };
        if [failed, succeeded, &active].iter().any(|settled| settled.contains(&index)) {
            continue;
        }
        let is_newer = |other: &Object| {
            all_failures(other) <= all_failures(pod) && backoff::finished(other) <= backoff::finished(pod)
        };
        if delayed.get(&index).is_none_or(|other| is_newer(other)) {
            delayed.insert(index, pod);
        }
    }
    delayed
}

/// Of indexes that lack a pod, those that may have one now; if none may, how long the first has to wait
/// (`getPodCreationInfoForIndependentIndexes`).
pub(super) fn due(facts: &Facts<'_>, pending: Vec<i64>, now: Time) -> Result<Vec<i64>, Duration> {
    let pause = |index: &i64| {
        let failed = facts.delayed.get(index);
        failed.map_or(Duration::ZERO, |pod| backoff::pause(all_failures(pod) + 1, backoff::finished(pod), now))
    };
    let shortest = pending.iter().map(pause).min();
    match shortest {
        Some(rest) if !rest.is_zero() => Err(rest),
        _ => Ok(pending.into_iter().filter(|index| pause(index).is_zero()).collect()),
    }
}

/// Notes on a new pod how often its index has failed (`addIndexFailureCountAnnotation`).
pub(super) fn annotate(pod: &mut Object, facts: &Facts<'_>, index: i64) {
    if facts.failed_indexes.is_none() {
        return;
    }
    let (mut failures, mut ignored) = (0, 0);
    if let Some(replaced) = facts.delayed.get(&index) {
        (failures, ignored) = (number(replaced, FAILURES), number(replaced, IGNORED_FAILURES));
        match policy::judge(facts.job, replaced) {
            Verdict::Ignore => ignored += 1,
            Verdict::Count | Verdict::FailIndex | Verdict::FailJob(_) => failures += 1,
        }
    }
    pod.set_annotation(FAILURES, &failures.to_string());
    if ignored > 0 {
        pod.set_annotation(IGNORED_FAILURES, &ignored.to_string());
    }
}

/// Why the job has failed by its indexes, if it has: a reason and a message.
pub(super) fn verdict(facts: &Facts<'_>) -> Option<(&'static str, &'static str)> {
    let count = |indexes: &Indexes| i64::try_from(indexes.len()).unwrap_or(i64::MAX);
    let failed = count(facts.failed_indexes.as_ref()?);
    let succeeded = count(&facts.indexes.as_ref()?.1);
    let completions = facts.job.int("spec.completions").unwrap_or(0);
    if facts.job.int("spec.maxFailedIndexes").is_some_and(|most| failed > most) {
        return Some(("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"));
    }
    (failed > 0 && failed.saturating_add(succeeded) >= completions)
        .then_some(("FailedIndexes", "Job has failed indexes"))
}
