//! What is planned for jobs in certain states.

use api::Object;
use serde_json::{Value, json};
use simulation::Time;

use super::reconcile::reconcile;
use crate::cache::Caches;
use crate::change::describe;
use crate::view::View;

const NOW: Time = Time::from_unix_seconds(1_795_230_500);

fn job(spec: Value, status: Value) -> Object {
    let mut job = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "j", "namespace": "d", "uid": "u", "resourceVersion": "5"},
        "spec": {"parallelism": 1, "completions": 1, "backoffLimit": 1, "completionMode": "NonIndexed",
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [], "restartPolicy": "Never"}}},
        "status": status}));
    for (field, value) in spec.as_object().cloned().unwrap_or_default() {
        job.set(&format!("spec.{field}"), value);
    }
    job
}

fn pod(name: &str, phase: &str, seconds_ago: i64) -> Object {
    let end = Time::from_unix_seconds(NOW.unix_seconds() - seconds_ago).rfc3339();
    let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": true}]);
    Object::new(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "d", "uid": name, "labels": {"a": "b"}, "ownerReferences": owner,
            "finalizers": [super::FINALIZER]},
        "status": {"phase": phase, "containerStatuses": [
            {"name": "c", "restartCount": 0, "state": {"terminated": {"exitCode": 2, "finishedAt": end}}}]}}))
}

fn plan(job: &Object, pods: &[Object]) -> String {
    let mut all = pods.to_vec();
    all.push(job.clone());
    let caches = Caches::with(&all);
    describe(&reconcile(&View::new(&caches, NOW), "d/j").unwrap())
}

fn started() -> Value {
    json!({"startTime": "2026-11-21T03:00:00Z", "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}})
}

/// A plan has a line for each of these, in this order.
fn check(plan: &str, lines: &[&str]) {
    let found: Vec<&str> = plan.lines().collect();
    assert_eq!(found.len(), lines.len(), "{plan}");
    for (found, wanted) in found.iter().zip(lines) {
        assert!(wanted.split('…').all(|part| found.contains(part)), "{wanted}\nis not in\n{plan}");
    }
}

#[test]
fn a_new_job_starts_its_pods() {
    let plan = plan(&job(json!({"parallelism": 2, "completions": 5}), json!({})), &[]);
    let create = "batch [create Pod j- then SuccessfulCreate: Created pod: {name}]";
    check(&plan, &[create, create, "update Job/status j: …active=2…"]);
}

#[test]
fn an_end_is_noted_then_the_pod_let_go_then_counted() {
    let plan = plan(&job(json!({}), started()), &[pod("p", "Succeeded", 1)]);
    let lines = [
        "\"succeeded\":[\"p\"]…SuccessCriteriaMet:True:CompletionsReached",
        "patch Pod p …deleteFromPrimitiveList",
        "succeeded=1…Complete:True:CompletionsReached",
        "event Job j Normal Completed: Job completed",
    ];
    check(&plan, &lines);
}

#[test]
fn a_failure_is_followed_by_a_pause_and_too_many_by_the_end() {
    let one = plan(&job(json!({}), started()), &[pod("p", "Failed", 3)]);
    check(&one, &["after 7s", "\"failed\":[\"p\"]", "patch Pod p", "failed=1"]);
    let two = plan(&job(json!({}), started()), &[pod("p", "Failed", 3), pod("q", "Failed", 20)]);
    let lines = [
        "FailureTarget:True:BackoffLimitExceeded",
        "batch [patch Pod p…patch Pod q",
        "failed=2…Failed:True:BackoffLimitExceeded",
        "event Job j Warning BackoffLimitExceeded: Job has reached the specified backoff limit",
    ];
    check(&two, &lines);
}

#[test]
fn a_suspended_job_stops_its_pods() {
    let plan = plan(&job(json!({"suspend": true}), started()), &[pod("p", "Running", 3)]);
    let lines = [
        "patch Pod p",
        "delete Pod p then SuccessfulDelete: Deleted pod: p",
        "event Job j Normal Suspended: Job suspended",
        "terminating=1…Suspended:True:JobSuspended",
    ];
    check(&plan, &lines);
}

#[test]
fn a_deadline_ends_the_job() {
    let late = plan(&job(json!({"activeDeadlineSeconds": 60}), started()), &[]);
    assert!(late.contains("Failed:True:DeadlineExceeded"), "{late}");
    let spec = json!({"activeDeadlineSeconds": 600});
    let early = plan(&job(spec, json!({"startTime": NOW.rfc3339()})), &[pod("p", "Running", 0)]);
    assert!(early.contains("after 600s"), "{early}");
}

#[test]
fn an_indexed_job_starts_the_indexes_that_are_missing() {
    let spec = json!({"completionMode": "Indexed", "completions": 4, "parallelism": 4});
    let mut status = started();
    status["completedIndexes"] = "1".into();
    status["succeeded"] = 1.into();
    let mut running = pod("r", "Running", 0);
    running.set_annotation("batch.kubernetes.io/job-completion-index", "0");
    let plan = plan(&job(spec, status), &[running]);
    check(&plan, &["create Pod j-2-", "create Pod j-3-", "active=3"]);
}

#[test]
fn a_failure_policy_decides() {
    let rule = |action: &str| {
        json!({"podReplacementPolicy": "Failed", "podFailurePolicy": {"rules": [
            {"action": action, "onExitCodes": {"operator": "In", "values": [2]}}]}})
    };
    let failed = plan(&job(rule("FailJob"), started()), &[pod("p", "Failed", 3)]);
    assert!(failed.contains("Container c for pod d/p failed with exit code 2 matching FailJob rule at index 0"));
    let ignored = plan(&job(rule("Ignore"), started()), &[pod("p", "Failed", 30)]);
    assert!(ignored.contains("create Pod j-") && !ignored.contains("failed="), "{ignored}");
}
