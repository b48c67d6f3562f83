//! What is planned for jobs in certain states.

use api::Object;
use json::{Value, json};
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

/// An Indexed job of three indexes that may each fail `limit` times.
fn per_index(limit: i64, spec: Value) -> Object {
    let mut job = job(spec, started());
    job.set("spec.completionMode", "Indexed");
    job.set("spec.completions", 3);
    job.set("spec.parallelism", 3);
    job.set("spec.backoffLimit", i32::MAX);
    job.set("spec.backoffLimitPerIndex", limit);
    job
}

fn of_index(index: i64, phase: &str, seconds_ago: i64, failures: i64) -> Object {
    let mut pod = pod(&format!("{phase}-{index}-{failures}").to_lowercase(), phase, seconds_ago);
    pod.set_annotation("batch.kubernetes.io/job-completion-index", &index.to_string());
    pod.set_annotation("batch.kubernetes.io/job-index-failure-count", &failures.to_string());
    pod
}

/// The failure counts of the pods that are created: by prefix of the name, counted and ignored ones.
fn counts(job: &Object, pods: &[Object]) -> Vec<String> {
    let mut all = pods.to_vec();
    all.push(job.clone());
    let caches = Caches::with(&all);
    let changes = reconcile(&View::new(&caches, NOW), "d/j").unwrap();
    let writes = changes.iter().flat_map(|change| match change {
        crate::change::Change::Batch(writes) => writes.as_slice(),
        _ => &[],
    });
    let pods = writes.filter_map(|write| match &write.op {
        crate::change::Op::Create(pod) => Some(pod),
        _ => None,
    });
    let count = |pod: &Object, what: &str| {
        pod.annotation(&format!("batch.kubernetes.io/job-index-{what}failure-count")).unwrap_or("-").to_owned()
    };
    pods.map(|p| format!("{} {} {}", p.str("metadata.generateName"), count(p, ""), count(p, "ignored-"))).collect()
}

#[test]
fn each_index_counts_its_failures() {
    let job = per_index(1, json!({}));
    assert_eq!(counts(&job, &[]), ["j-0- 0 -", "j-1- 0 -", "j-2- 0 -"]);
    let others = [of_index(0, "Running", 0, 0), of_index(2, "Running", 0, 0)];
    // The failed pod stays, and is not counted yet, until it is replaced after its pause.
    let waits = plan(&job, &[&others[..], &[of_index(1, "Failed", 3, 0)]].concat());
    check(&waits, &["after 7s", "update Job/status j: …failedIndexes=\"\" ready=0"]);
    assert_eq!(counts(&job, &[&others[..], &[of_index(1, "Failed", 10, 0)]].concat()), ["j-1- 1 -"]);
    let replaced = [&others[..], &[of_index(1, "Failed", 10, 0), of_index(1, "Running", 0, 1)]].concat();
    check(&plan(&job, &replaced), &["\"failed\":[\"failed-1-0\"]", "patch Pod failed-1-0", "failed=1"]);
}

#[test]
fn the_pauses_of_an_index_double() {
    let job = per_index(5, json!({}));
    let others = [of_index(0, "Running", 0, 0), of_index(2, "Running", 0, 0)];
    let third = plan(&job, &[&others[..], &[of_index(1, "Failed", 3, 2)]].concat());
    assert!(third.starts_with("after 37s"), "{third}");
    // Another index does not wait for this one.
    let pods = [of_index(0, "Running", 0, 0), of_index(1, "Failed", 3, 2)];
    assert_eq!(counts(&job, &pods), ["j-2- 0 -"]);
}

#[test]
fn an_index_fails_and_with_the_last_one_the_job() {
    let job = per_index(1, json!({}));
    let failed = of_index(1, "Failed", 30, 1);
    let one = plan(&job, &[of_index(0, "Running", 0, 0), of_index(2, "Running", 0, 0), failed.clone()]);
    check(&one, &["failedIndexes=\"1\"…\"failed\":[\"failed-1-1\"]", "patch Pod failed-1-1", "failed=1"]);
    let all = plan(&job, &[of_index(0, "Succeeded", 1, 0), of_index(2, "Succeeded", 1, 0), failed.clone()]);
    let lines = [
        "completedIndexes=\"0,2\" failedIndexes=\"1\"…FailureTarget:True:FailedIndexes",
        "batch [",
        "failed=1…Failed:True:FailedIndexes",
        "event Job j Warning FailedIndexes: Job has failed indexes",
    ];
    check(&all, &lines);
    let strict = per_index(1, json!({"maxFailedIndexes": 0}));
    let over = plan(&strict, &[of_index(0, "Running", 0, 0), failed]);
    assert!(over.contains("delete Pod running-0-0"), "{over}");
    assert!(over.contains("FailureTarget:True:MaxFailedIndexesExceeded"), "{over}");
    // The end waits for the pod that is being stopped.
    assert!(!over.contains(" Failed:True"), "{over}");
}

#[test]
fn a_rule_fails_an_index_or_overlooks_its_failure() {
    let rule = |action: &str| {
        per_index(
            3,
            json!({"podReplacementPolicy": "Failed", "podFailurePolicy": {"rules": [
            {"action": action, "onExitCodes": {"operator": "In", "values": [2]}}]}}),
        )
    };
    let pods = [of_index(0, "Running", 0, 0), of_index(1, "Failed", 60, 0), of_index(2, "Running", 0, 0)];
    let failed = plan(&rule("FailIndex"), &pods);
    check(&failed, &["failedIndexes=\"1\"", "patch Pod failed-1-0", "failed=1"]);
    assert_eq!(counts(&rule("Ignore"), &pods), ["j-1- 0 1"]);
    assert_eq!(counts(&rule("Count"), &pods), ["j-1- 1 -"]);
}

#[test]
fn terminating_pods_are_replaced_when_the_policy_says() {
    let mut going = of_index(1, "Running", 60, 0);
    going.set("metadata.deletionTimestamp", NOW.rfc3339());
    let others = [of_index(0, "Running", 0, 0), of_index(2, "Running", 0, 0), going];
    let job = |policy: &str| {
        let mut job = per_index(3, json!({"podReplacementPolicy": policy}));
        job.make_mut()["spec"].as_object_mut().map(|spec| spec.remove("backoffLimitPerIndex"));
        job
    };
    assert_eq!(counts(&job("TerminatingOrFailed"), &others).len(), 1);
    assert_eq!(counts(&job("Failed"), &others).len(), 0);
    // One index is free, the other's pod is still going.
    let fewer = [others[0].clone(), others[2].clone()];
    assert_eq!(counts(&job("Failed"), &fewer), ["j-2- - -"]);
}

#[test]
fn enough_successes_end_the_job() {
    let rules = |rules: Value| {
        let mut job = per_index(1, json!({"successPolicy": {"rules": rules}}));
        job.make_mut()["spec"].as_object_mut().map(|spec| spec.remove("backoffLimitPerIndex"));
        plan(&job, &[of_index(0, "Succeeded", 1, 0), of_index(1, "Running", 0, 0), of_index(2, "Running", 0, 0)])
    };
    let met = "SuccessCriteriaMet:True:SuccessPolicy";
    for (policy, is_met) in [
        (json!([{"succeededIndexes": "0"}]), true),
        (json!([{"succeededIndexes": "1"}]), false),
        (json!([{"succeededIndexes": "0-2", "succeededCount": 1}]), true),
        (json!([{"succeededCount": 2}, {"succeededCount": 1}]), true),
    ] {
        let plan = rules(policy.clone());
        assert_eq!(plan.contains(met), is_met, "{policy}: {plan}");
        assert_eq!(plan.contains("delete Pod running-1-0"), is_met, "{policy}: {plan}");
    }
}
