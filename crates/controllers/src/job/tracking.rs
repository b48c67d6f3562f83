//! The facts about a job's pods, and the bookkeeping of their ends (`trackJobStatusAndRemoveFinalizers`).

use std::collections::{BTreeMap, BTreeSet};

use api::{Object, kinds};
use client::PatchType;
use json::{Map, Value, json};

use super::indexes::{self, Indexes};
use super::policy::{self, Verdict};
use super::{FINALIZER, is_tracked, per_index};
use crate::change::{Change, Write};
use crate::pods;

/// Ends that are counted in one look, at most: their uids are kept in the status meanwhile.
const UNCOUNTED_PODS_MAX: usize = 500;

/// What is known of a job before anything is decided.
pub(super) struct Facts<'a> {
    pub(super) job: &'a Object,
    /// Its pods.
    pub(super) pods: Vec<&'a Object>,
    /// Those that have not ended and are not being deleted.
    pub(super) active: Vec<&'a Object>,
    /// Pods that are being deleted and still run.
    pub(super) terminating: usize,
    /// Active pods that are ready.
    pub(super) ready: usize,
    /// Uids whose ends the status names and does not count yet.
    pub(super) uncounted: Uncounted,
    /// Pods that ended well, counted ones with them.
    pub(super) succeeded: i64,
    /// Pods that failed, counted ones with them.
    pub(super) failed: i64,
    /// Of an Indexed job: what the status says, and with the new ones.
    pub(super) indexes: Option<(Indexes, Indexes)>,
    /// Of a job with a limit for each index: those that have failed for good.
    pub(super) failed_indexes: Option<Indexes>,
    /// Of such a job: failed pods that stay until they are replaced, by index.
    pub(super) delayed: BTreeMap<i64, &'a Object>,
}

/// `status.uncountedTerminatedPods`
#[derive(Clone, Default)]
pub(super) struct Uncounted {
    succeeded: Vec<String>,
    failed: Vec<String>,
}

impl Uncounted {
    fn of(job: &Object) -> Uncounted {
        let list = |field: &str| {
            let uids = job.list(&format!("status.uncountedTerminatedPods.{field}")).iter();
            uids.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Uncounted { succeeded: list("succeeded"), failed: list("failed") }
    }

    fn to_value(&self) -> Value {
        let mut value = Map::new();
        for (field, uids) in [("succeeded", &self.succeeded), ("failed", &self.failed)] {
            if !uids.is_empty() {
                value.insert(field.into(), json!(uids));
            }
        }
        Value::Object(value)
    }

    fn len(&self) -> usize {
        self.succeeded.len() + self.failed.len()
    }
}

impl<'a> Facts<'a> {
    pub(super) fn gather(job: &'a Object, all: Vec<&'a Object>) -> Facts<'a> {
        let active: Vec<&Object> = all.iter().copied().filter(|pod| pods::is_active(pod)).collect();
        let uncounted = Uncounted::of(job);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let is_new = |pod: &&&Object, known: &[String]| is_tracked(pod) && !known.iter().any(|uid| uid == pod.uid());
        let done = |pod: &&&Object| pod.str("status.phase") == "Succeeded";
        let new_succeeded = all.iter().filter(|p| is_new(p, &uncounted.succeeded)).filter(done).count();
        let new_failed = all.iter().filter(|p| is_new(p, &uncounted.failed) && has_failed(job, p));
        let new_failed = new_failed.filter(|p| policy::judge(job, p) != Verdict::Ignore);
        let new_failed = new_failed.filter(|p| has_valid_index(job, p)).count();
        let status = |field: &str| job.int(&format!("status.{field}")).unwrap_or(0);
        let mut facts = Facts {
            job,
            terminating: all.iter().filter(|pod| pods::is_terminating(pod)).count(),
            ready: active.iter().filter(|pod| pods::is_ready(pod)).count(),
            succeeded: status("succeeded") + count(new_succeeded + uncounted.succeeded.len()),
            failed: status("failed") + count(new_failed + uncounted.failed.len()),
            indexes: None,
            failed_indexes: per_index::failed(job, &all),
            delayed: BTreeMap::new(),
            active,
            pods: all,
            uncounted,
        };
        if job.str("spec.completionMode") == "Indexed" {
            let completions = job.int("spec.completions").unwrap_or(0);
            let before = indexes::parse(job.str("status.completedIndexes"), completions);
            let new = facts.pods.iter().filter(|p| is_tracked(p)).filter(done);
            let new = new.filter_map(|p| indexes::of(p)).filter(|index| *index < completions);
            let after: Indexes = before.iter().copied().chain(new).collect();
            facts.succeeded = count(after.len());
            facts.indexes = Some((before, after));
            facts.delayed = per_index::delayed(&facts);
        }
        facts
    }

    /// The index of a pod, if it is one of the job's.
    pub(super) fn index_of(&self, pod: &Object) -> Option<i64> {
        index_of(self.job, pod)
    }
}

fn index_of(job: &Object, pod: &Object) -> Option<i64> {
    indexes::of(pod).filter(|index| *index < job.int("spec.completions").unwrap_or(0))
}

/// Of an Indexed job only pods with an index count.
fn has_valid_index(job: &Object, pod: &Object) -> bool {
    job.str("spec.completionMode") != "Indexed" || index_of(job, pod).is_some()
}

/// Whether the pod counts as failed: one that is being deleted does, unless only failed ones are replaced.
pub(super) fn has_failed(job: &Object, pod: &Object) -> bool {
    match pod.str("status.phase") {
        "Failed" => true,
        "Succeeded" => false,
        _ => pod.is_deleting() && job.str("spec.podReplacementPolicy") != "Failed",
    }
}

/// The write that lets a pod go.
pub(super) fn release(pod: &Object) -> Write {
    let patch = json!({"metadata": {"uid": pod.uid(), "$deleteFromPrimitiveList/finalizers": [FINALIZER]}});
    Write::patch(&kinds::PODS, pod, "", PatchType::Strategic, patch)
}

/// The status of a job while it is worked on.
pub(super) struct Ledger {
    pub(super) status: Map,
    uncounted: Uncounted,
    /// Whether the status must be written.
    pub(super) is_dirty: bool,
}

impl Ledger {
    pub(super) fn open(facts: &Facts<'_>) -> Ledger {
        let status = facts.job.at("status").as_object().cloned().unwrap_or_default();
        Ledger { status, uncounted: facts.uncounted.clone(), is_dirty: false }
    }

    /// Sets a number; 0 is left out unless it is told in any case.
    pub(super) fn count(&mut self, field: &str, count: i64, show_zero: bool) {
        let old = self.status.get(field).and_then(Value::as_i64);
        if count == 0 && !show_zero {
            self.is_dirty |= old.is_some_and(|old| old != 0);
            self.status.remove(field);
        } else {
            self.is_dirty |= old != Some(count);
            self.status.insert(field.into(), count.into());
        }
    }

    fn text(&mut self, field: &str, text: &str) {
        self.is_dirty |= self.status.get(field).and_then(Value::as_str) != Some(text);
        self.status.insert(field.into(), text.into());
    }

    /// Puts a condition in its place; says whether that changed anything (`ensureJobConditionStatus`).
    pub(super) fn condition(&mut self, condition: Value) -> bool {
        let conditions = self.status.entry("conditions").or_insert_with(|| Value::Array(Vec::new().into()));
        let Some(conditions) = conditions.as_array_mut() else { return false };
        match conditions.iter_mut().find(|c| c["type"] == condition["type"]) {
            Some(old) if ["status", "reason", "message"].iter().all(|f| old[f] == condition[f]) => return false,
            Some(old) => *old = condition,
            None if condition["status"] == "False" => {
                if conditions.is_empty() {
                    self.status.remove("conditions");
                }
                return false;
            }
            None => conditions.push(condition),
        }
        self.is_dirty = true;
        true
    }

    /// Whether every end is counted.
    pub(super) fn is_settled(&self) -> bool {
        self.uncounted.len() == 0
    }

    /// Notes the ends that are to be counted; gives the pods that may then go, and whether that were all.
    pub(super) fn note_ends<'a>(&mut self, facts: &Facts<'a>, outcome: Option<&Value>) -> (Vec<&'a Object>, bool) {
        self.count_released(&facts.pods.iter().filter(|p| is_tracked(p)).map(|p| p.uid().to_owned()).collect());
        let has_job_failed = outcome.is_some_and(|c| c["type"] != "SuccessCriteriaMet");
        let (mut leaving, mut new_indexes) = (Vec::new(), Indexes::new());
        for pod in facts.pods.iter().copied().filter(|pod| is_tracked(pod)) {
            let (failed, succeeded) = (has_failed(facts.job, pod), pod.str("status.phase") == "Succeeded");
            let is_over = succeeded || outcome.is_some() || facts.job.is_deleting();
            // A failure that the replacement has to know of keeps its pod.
            let is_replaceable = failed && facts.delayed.values().all(|delayed| delayed.uid() != pod.uid());
            if !is_over && !is_replaceable {
                continue;
            }
            leaving.push(pod);
            let was_failed = self.uncounted.failed.iter().any(|uid| uid == pod.uid());
            if succeeded && !was_failed {
                match &facts.indexes {
                    Some((before, after)) => {
                        let index = indexes::of(pod).filter(|i| after.contains(i) && !before.contains(i));
                        new_indexes.extend(index);
                    }
                    None if self.uncounted.succeeded.iter().any(|uid| uid == pod.uid()) => {}
                    None => self.uncounted.succeeded.push(pod.uid().to_owned()),
                }
                self.is_dirty = true;
            } else if (failed || has_job_failed)
                && !was_failed
                && has_valid_index(facts.job, pod)
                && policy::judge(facts.job, pod) != Verdict::Ignore
            {
                self.uncounted.failed.push(pod.uid().to_owned());
                self.is_dirty = true;
            }
            if new_indexes.len() + self.uncounted.len() >= UNCOUNTED_PODS_MAX {
                return (self.close_notes(facts, leaving, &new_indexes), false);
            }
        }
        (self.close_notes(facts, leaving, &new_indexes), true)
    }

    fn close_notes<'a>(
        &mut self,
        facts: &Facts<'a>,
        leaving: Vec<&'a Object>,
        new_indexes: &Indexes,
    ) -> Vec<&'a Object> {
        if let Some((before, _)) = &facts.indexes {
            let all: Indexes = before.union(new_indexes).copied().collect();
            self.count("succeeded", i64::try_from(all.len()).unwrap_or(0), false);
            let text = indexes::format(&all);
            if text.is_empty() {
                self.status.remove("completedIndexes");
            } else {
                self.text("completedIndexes", &text);
            }
            if let Some(failed) = &facts.failed_indexes {
                // Told even when there are none.
                self.text("failedIndexes", &indexes::format(failed));
            }
        }
        self.status.insert("uncountedTerminatedPods".into(), self.uncounted.to_value());
        leaving
    }

    /// Counts the noted ends of pods that carry the finalizer no more.
    pub(super) fn count_released(&mut self, tracked: &BTreeSet<String>) {
        for (field, is_success) in [("succeeded", true), ("failed", false)] {
            let uids = if is_success { &mut self.uncounted.succeeded } else { &mut self.uncounted.failed };
            let before = uids.len();
            uids.retain(|uid| tracked.contains(uid));
            let released = i64::try_from(before - uids.len()).unwrap_or(0);
            if released > 0 {
                let counted = self.status.get(field).and_then(Value::as_i64).unwrap_or(0);
                self.count(field, counted + released, false);
            }
        }
        self.status.insert("uncountedTerminatedPods".into(), self.uncounted.to_value());
    }
}

/// The writes that let pods go, all tried.
pub(super) fn release_all(leaving: &[&Object]) -> Option<Change> {
    (!leaving.is_empty()).then(|| Change::Batch(leaving.iter().map(|pod| release(pod)).collect()))
}
