//! What Jobs and StatefulSets may ask for (pkg/apis/batch/validation, pkg/apis/apps/validation).

use json::{Value, json};

use crate::harness::Harness;

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const SETS: &str = "/apis/apps/v1/namespaces/default/statefulsets";

fn job(name: &str, spec: Value) -> Value {
    let mut job = json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "busybox"}]}}}});
    for (field, value) in spec.as_object().cloned().unwrap_or_default() {
        job["spec"][field] = value;
    }
    job
}

fn indexed(spec: Value) -> Value {
    let mut job = job("j", spec);
    job["spec"]["completionMode"] = "Indexed".into();
    if job["spec"]["completions"].is_null() {
        job["spec"]["completions"] = 5.into();
    }
    job
}

/// What is wrong, without the words that every refusal begins with.
#[track_caller]
fn check(h: &Harness, path: &str, body: Value, expected: &str) {
    let (code, answer) = h.call("POST", path, body);
    assert_eq!(code, 422, "{answer}");
    let message = answer["message"].as_str().unwrap_or("");
    let (_, what) = message.split_once(" is invalid: ").unwrap_or(("", message));
    assert_eq!(what, expected);
}

#[test]
fn limits_of_each_index() {
    let h = Harness::new();
    let limits = json!({"backoffLimitPerIndex": 1, "maxFailedIndexes": 2});
    check(
        &h,
        JOBS,
        job("j", limits),
        "[spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode, spec.maxFailedIndexes: Invalid value: 2: requires indexed completion mode]",
    );
    let lonely = indexed(json!({"maxFailedIndexes": 6}));
    check(
        &h,
        JOBS,
        lonely,
        "[spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified, spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions]",
    );
    let negative = indexed(json!({"backoffLimitPerIndex": -1}));
    check(&h, JOBS, negative, "spec.backoffLimitPerIndex: Invalid value: -1: must be greater than or equal to 0");
    let many = indexed(json!({"completions": 100_001, "parallelism": 10_001, "backoffLimitPerIndex": 1}));
    check(
        &h,
        JOBS,
        many,
        "[spec.maxFailedIndexes: Required value: must be specified when completions is above 100000, spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index]",
    );
    let (_, made) = h.call("POST", JOBS, indexed(json!({"backoffLimitPerIndex": 1, "maxFailedIndexes": 2})));
    assert_eq!(made["spec"]["backoffLimit"], i32::MAX, "{made}");
    let patch = json!({"spec": {"backoffLimitPerIndex": 2}});
    let (_, answer) = h.call_with("PATCH", &format!("{JOBS}/j"), patch, &[MERGE]);
    let message = "spec.backoffLimitPerIndex: Invalid value: 2: field is immutable";
    assert!(answer["message"].as_str().unwrap_or("").ends_with(message), "{answer}");
}

#[test]
fn rules_about_failures() {
    let h = Harness::new();
    let rule = |rule: Value| job("j", json!({"podFailurePolicy": {"rules": [rule]}}));
    let at = "spec.podFailurePolicy.rules[0]";
    for (body, expected) in [
        (
            rule(json!({"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}})),
            format!("{at}.action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set"),
        ),
        (
            rule(json!({"action": "Stop", "onExitCodes": {"operator": "In", "values": [1]}})),
            format!(
                "{at}.action: Unsupported value: \"Stop\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\""
            ),
        ),
        (
            rule(
                json!({"action": "Count", "onExitCodes": {"containerName": "x", "operator": "NotIn", "values": [3, 1, 1]}}),
            ),
            format!(
                "[{at}.onExitCodes.containerName: Invalid value: \"x\": must be one of the container or initContainer names in the pod template, {at}.onExitCodes.values[2]: Duplicate value: 1, {at}.onExitCodes.values: Invalid value: [3,1,1]: must be ordered]"
            ),
        ),
        (
            rule(json!({"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "Yes"}]})),
            format!(
                "{at}.onPodConditions[0].status: Unsupported value: \"Yes\": supported values: \"False\", \"True\", \"Unknown\""
            ),
        ),
    ] {
        check(&h, JOBS, body, &expected);
    }
    let fail_index = json!({"backoffLimitPerIndex": 1, "podFailurePolicy": {"rules": [
        {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}}]}});
    h.ok("POST", JOBS, indexed(fail_index));
}

#[test]
fn rules_about_successes() {
    let h = Harness::new();
    let rules = |rules: Value| indexed(json!({"successPolicy": {"rules": rules}}));
    let at = "spec.successPolicy.rules";
    let parsing = |what: &str, why: &str| {
        format!("{at}[0].succeededIndexes: Invalid value: {what:?}: error parsing succeededIndexes: {why}")
    };
    for (body, expected) in [
        (
            rules(json!([])),
            format!("{at}: Required value: at least one rules must be specified when the successPolicy is specified"),
        ),
        (
            rules(json!([{}])),
            format!("{at}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"),
        ),
        (rules(json!([{"succeededIndexes": "0-9"}])), parsing("0-9", "too large index: \"9\"")),
        (rules(json!([{"succeededIndexes": "2,1"}])), parsing("2,1", "non-increasing order, previous: 2, current: 1")),
        (rules(json!([{"succeededIndexes": "x"}])), parsing("x", "cannot convert string to integer for index: \"x\"")),
        (
            rules(json!([{"succeededIndexes": "0-1-2"}])),
            parsing(
                "0-1-2",
                "the fragment \"0-1-2\" violates the requirement that an index interval can have at most two parts separated by '-'",
            ),
        ),
        (
            rules(json!([{"succeededIndexes": "0,2", "succeededCount": 6}])),
            format!(
                "[{at}[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions), {at}[0].succeededCount: Invalid value: 6: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)]"
            ),
        ),
    ] {
        check(&h, JOBS, body, &expected);
    }
    h.ok("POST", JOBS, rules(json!([{"succeededIndexes": "0,2-3", "succeededCount": 1}])));
    let not_indexed = job("k", json!({"successPolicy": {"rules": [{"succeededCount": 1}]}}));
    let (_, answer) = h.call("POST", JOBS, not_indexed);
    assert!(answer["message"].as_str().unwrap_or("").ends_with("requires indexed completion mode"), "{answer}");
}

#[test]
fn replacements_and_other_controllers() {
    let h = Harness::new();
    check(
        &h,
        JOBS,
        job("j", json!({"podReplacementPolicy": "Never"})),
        "spec.podReplacementPolicy: Unsupported value: \"Never\": supported values: \"Failed\", \"TerminatingOrFailed\"",
    );
    check(
        &h,
        JOBS,
        job("j", json!({"managedBy": "me"})),
        "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")",
    );
    h.ok("POST", JOBS, job("j", json!({"managedBy": "example.com/queue", "podReplacementPolicy": "Failed"})));
}

#[test]
fn claims_of_stateful_sets_stay_or_go() {
    let h = Harness::new();
    let set = |policy: Value| {
        json!({"metadata": {"name": "db"}, "spec": {"serviceName": "db", "selector": {"matchLabels": {"a": "b"}},
            "persistentVolumeClaimRetentionPolicy": policy,
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})
    };
    check(
        &h,
        SETS,
        set(json!({"whenDeleted": "Keep", "whenScaled": "Delete"})),
        "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": supported values: \"Retain\", \"Delete\"",
    );
    let (_, made) = h.call("POST", SETS, set(json!({"whenScaled": "Delete"})));
    let policy = json!({"whenDeleted": "Retain", "whenScaled": "Delete"});
    assert_eq!(made["spec"]["persistentVolumeClaimRetentionPolicy"], policy, "{made}");
    let patch = json!({"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}});
    let (code, answer) = h.call_with("PATCH", &format!("{SETS}/db"), patch, &[MERGE]);
    assert_eq!(code, 200, "{answer}");
}
