//! One look at one Job (`syncJob`).

use std::time::Duration;

use api::{Object, kinds};
use json::{Value, json};
use simulation::Time;

use super::controller::ORPHAN;
use super::manage::{self, Managed};
use super::policy::{self, Verdict};
use super::tracking::{Facts, Ledger, has_failed, release, release_all};
use super::{ended, is_tracked, per_index};
use crate::change::{Change, Conflict, Note, Plan, Retry};
use crate::claim::claim;
use crate::view::View;

/// Who manages a job that does not say.
const SELF: &str = "kubernetes.io/job-controller";

pub(crate) fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    if let Some(pod) = key.strip_prefix(ORPHAN) {
        return Ok(let_go(view, pod));
    }
    let Some(job) = view.get(&kinds::JOBS, key) else { return Ok(Vec::new()) };
    if ended(job).is_some() || !matches!(job.str("spec.managedBy"), "" | SELF) {
        return Ok(Vec::new());
    }
    let mut plan = Plan::default();
    let result = sync(view, &mut plan, job);
    Ok(plan.finish(result))
}

/// A pod that no job will count any more.
fn let_go(view: &View<'_>, key: &str) -> Vec<Change> {
    let Some(pod) = view.get(&kinds::PODS, key).filter(|pod| is_tracked(pod)) else { return Vec::new() };
    match view.owner(&kinds::JOBS, pod) {
        Some(job) if ended(job).is_none() => Vec::new(),
        _ => vec![release(pod).into()],
    }
}

fn sync(view: &View<'_>, plan: &mut Plan, job: &Object) -> Result<(), Conflict> {
    let pods = view.of(&kinds::PODS);
    let of = |uid: &str| pods.controlled_by(job.namespace(), uid);
    let facts = Facts::gather(job, claim(plan, (&kinds::JOBS, job), &kinds::PODS, of(job.uid()), of("")));
    let mut ledger = Ledger::open(&facts);
    let suspended = job.bool("spec.suspend");
    if !suspended && !ledger.status.contains_key("startTime") {
        ledger.status.insert("startTime".into(), view.now_text().into());
    }
    let mut outcome = outcome(view, plan, &facts, &ledger);
    let mut managed = Managed { active: facts.active.len(), stopped: 0, stopped_ready: 0 };
    if outcome.is_some() {
        managed = manage::stop_all(plan, &facts);
    } else {
        let manages = view.failure.is_none() && !job.is_deleting();
        if manages {
            managed = manage::manage(view, plan, &facts);
        }
        let is_complete = match job.int("spec.completions") {
            None => facts.succeeded > 0 && managed.active == 0,
            Some(completions) => facts.succeeded >= completions && managed.active == 0,
        };
        if is_complete {
            let message = "Reached expected number of succeeded pods";
            outcome = Some(condition(view, "SuccessCriteriaMet", "CompletionsReached", message));
        } else if manages {
            tell_suspension(view, plan, job, &mut ledger);
        }
    }
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let terminating = facts.terminating + managed.stopped;
    ledger.count("active", count(managed.active), false);
    ledger.count("ready", count(facts.ready - managed.stopped_ready), true);
    ledger.count("terminating", count(terminating), true);
    record(view, plan, &facts, ledger, outcome, terminating)?;
    if view.failure.is_some() {
        plan.push(Change::Again);
    }
    Ok(())
}

/// Whether, and how, the job has come to its end.
fn outcome(view: &View<'_>, plan: &mut Plan, facts: &Facts<'_>, ledger: &Ledger) -> Option<Value> {
    let job = facts.job;
    for name in ["SuccessCriteriaMet", "FailureTarget"] {
        let earlier = job.list("status.conditions").iter().find(|c| c["type"] == name && c["status"] == "True");
        if let Some(condition) = earlier {
            return Some(condition.clone());
        }
    }
    let failed = |reason: &str, message: &str| Some(condition(view, "FailureTarget", reason, message));
    let failures = facts.pods.iter().filter(|pod| has_failed(job, pod));
    if let Some(message) = failures.map(|pod| policy::judge(job, pod)).find_map(|verdict| match verdict {
        Verdict::FailJob(message) => Some(message),
        _ => None,
    }) {
        return failed("PodFailurePolicy", &message);
    }
    if facts.failed > job.int("spec.backoffLimit").unwrap_or(6) || restarted_too_often(facts) {
        return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    }
    if let Some(limit) = job.int("spec.activeDeadlineSeconds").filter(|_| !job.bool("spec.suspend")) {
        let start = ledger.status.get("startTime").and_then(Value::as_str).and_then(Time::parse_rfc3339);
        let deadline = start.unwrap_or(view.now) + Duration::from_secs(u64::try_from(limit).unwrap_or(0));
        let rest = deadline.saturating_since(view.now);
        if rest.is_zero() {
            return failed("DeadlineExceeded", "Job was active longer than specified deadline");
        }
        plan.push(Change::After(rest));
    }
    if let Some((reason, message)) = per_index::verdict(facts) {
        return failed(reason, message);
    }
    let message = policy::success(job, &facts.indexes.as_ref()?.1)?;
    Some(condition(view, "SuccessCriteriaMet", "SuccessPolicy", &message))
}

/// Containers that are started again in their pod count as well (`pastBackoffLimitOnFailure`).
fn restarted_too_often(facts: &Facts<'_>) -> bool {
    if facts.job.str("spec.template.spec.restartPolicy") != "OnFailure" {
        return false;
    }
    let running = facts.pods.iter().filter(|pod| matches!(pod.str("status.phase"), "Running" | "Pending"));
    let statuses =
        running.flat_map(|p| p.list("status.initContainerStatuses").iter().chain(p.list("status.containerStatuses")));
    let restarts: i64 = statuses.filter_map(|s| s["restartCount"].as_i64()).sum();
    match facts.job.int("spec.backoffLimit").unwrap_or(6) {
        0 => restarts > 0,
        limit => restarts >= limit,
    }
}

fn condition(view: &View<'_>, name: &str, reason: &str, message: &str) -> Value {
    condition_with(view, name, "True", reason, message)
}

fn condition_with(view: &View<'_>, name: &str, status: &str, reason: &str, message: &str) -> Value {
    let now = view.now_text();
    json!({"type": name, "status": status, "reason": reason, "message": message, "lastProbeTime": now,
        "lastTransitionTime": now})
}

fn tell_suspension(view: &View<'_>, plan: &mut Plan, job: &Object, ledger: &mut Ledger) {
    let (status, word) = if job.bool("spec.suspend") { ("True", "Suspended") } else { ("False", "Resumed") };
    let message = format!("Job {}", word.to_lowercase());
    if !ledger.condition(condition_with(view, "Suspended", status, &format!("Job{word}"), &message)) {
        return;
    }
    plan.event(job, Note::normal(word, message));
    if word == "Suspended" {
        ledger.status.remove("startTime");
    } else {
        ledger.status.insert("startTime".into(), view.now_text().into());
    }
}

/// Writes the status: first what is about to be counted, then, when the pods are let go, the counts.
fn record(
    view: &View<'_>,
    plan: &mut Plan,
    facts: &Facts<'_>,
    mut ledger: Ledger,
    outcome: Option<Value>,
    terminating: usize,
) -> Result<(), Conflict> {
    let (leaving, were_all) = ledger.note_ends(facts, outcome.as_ref());
    if let Some(condition) = &outcome {
        let known = facts.job.list("status.conditions").iter().any(|c| c["type"] == condition["type"]);
        if !known {
            ledger.condition(condition.clone());
        }
    }
    let mut job = facts.job.clone();
    if ledger.is_dirty {
        job.set("status", Value::Object(ledger.status.clone()));
        job = plan.update_status(&kinds::JOBS, &job)?;
        ledger.is_dirty = false;
    }
    plan.push_all(release_all(&leaving));
    let tracked = facts.pods.iter().filter(|p| is_tracked(p) && !leaving.iter().any(|l| l.uid() == p.uid()));
    ledger.count_released(&tracked.map(|p| p.uid().to_owned()).collect());
    let end = outcome.filter(|_| were_all && terminating == 0 && ledger.is_settled());
    let end = end.map(|interim| end_of(view, &interim));
    if let Some(end) = &end {
        ledger.condition(end.clone());
        if end["type"] == "Complete" {
            ledger.status.insert("completionTime".into(), end["lastTransitionTime"].clone());
        }
    }
    if ledger.is_dirty {
        job.set("status", Value::Object(ledger.status));
        plan.update_status(&kinds::JOBS, &job)?;
    }
    if let Some(end) = end {
        tell_end(plan, facts, &job, &end);
    }
    Ok(())
}

/// The condition that an interim one becomes when nothing is left to wait for.
fn end_of(view: &View<'_>, interim: &Value) -> Value {
    let text = |field: &str| interim[field].as_str().unwrap_or("");
    let name = if interim["type"] == "FailureTarget" { "Failed" } else { "Complete" };
    condition(view, name, text("reason"), text("message"))
}

fn tell_end(plan: &mut Plan, facts: &Facts<'_>, job: &Object, end: &Value) {
    if end["type"] == "Complete" {
        if job.int("spec.completions").is_some_and(|completions| facts.succeeded > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            plan.event(job, Note::warning("TooManySucceededPods", message));
        }
        plan.event(job, Note::normal("Completed", "Job completed"));
        return;
    }
    let reason = match end["reason"].as_str() {
        Some("DeadlineExceeded") => "DeadlineExceeded",
        Some("PodFailurePolicy") => "PodFailurePolicy",
        Some("MaxFailedIndexesExceeded") => "MaxFailedIndexesExceeded",
        Some("FailedIndexes") => "FailedIndexes",
        _ => "BackoffLimitExceeded",
    };
    plan.event(job, Note::warning(reason, end["message"].as_str().unwrap_or("")));
}
