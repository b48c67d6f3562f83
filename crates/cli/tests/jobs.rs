//! Jobs on a whole cluster: limits for each index, rules about failures, rules about successes.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let text = common::sh(&["--seed", "5", "--profile", "minikube"], &format!("exec 2>&1\n{script}"));
    common::in_order(&text, expected);
}

/// Makes an Indexed job of busybox pods that run this script; `spec` is the beginning of the manifest's spec.
fn indexed(spec: &str, script: &str) -> String {
    format!(
        "kubectl apply -f - <<'END'
apiVersion: batch/v1
kind: Job
metadata: {{name: j}}
spec:
  completionMode: Indexed
{spec}
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: c, image: busybox, args: [sh, -c, {script:?}]}}]
END
"
    )
}

const CONDITIONS: &str = r#"kubectl get job j -o jsonpath='{range .status.conditions[*]}{.type} {.status} {.reason}: {.message}{"\n"}{end}'"#;
const STATUS: &str = r#"kubectl get job j -o jsonpath='{.status.succeeded} ok ({.status.completedIndexes}), {.status.failed} failed ({.status.failedIndexes}){"\n"}'"#;

#[test]
fn an_index_that_fails_does_not_stop_the_others() {
    let job =
        indexed("  completions: 4\n  parallelism: 4\n  backoffLimitPerIndex: 1", "test $JOB_COMPLETION_INDEX -ne 2");
    check(
        &format!(
            "{job}sleep 8
             kubectl get pods --no-headers -l batch.kubernetes.io/job-completion-index=2 | awk '{{print $3}}'
             {STATUS}
             kubectl wait --for=condition=Failed job/j --timeout=60s
             {STATUS}
             {CONDITIONS}
             kubectl get pods -l batch.kubernetes.io/job-completion-index=2 --sort-by=.metadata.creationTimestamp \\
                 -o jsonpath='{{range .items[*]}}{{.metadata.annotations.batch\\.kubernetes\\.io/job-index-failure-count}} {{.status.phase}}{{\"\\n\"}}{{end}}'
             kubectl get job j --no-headers | awk '{{print $2, $3}}'
             kubectl describe job j
             kubectl get job j -o jsonpath='{{.spec.backoffLimit}}'"
        ),
        &[
            "job.batch/j created\n",
            "Error\n",
            "3 ok (0,1,3),  failed ()\n",
            "job.batch/j condition met\n",
            "3 ok (0,1,3), 2 failed (2)\n",
            "FailureTarget True FailedIndexes: Job has failed indexes\nFailed True FailedIndexes: Job has failed indexes\n",
            "0 Failed\n1 Failed\n",
            "Failed 3/4\n",
            "Completion Mode:    Indexed\n",
            "Backoff Limit:      2147483647\n",
            "Pods Statuses:      0 Active (0 Ready) / 3 Succeeded / 2 Failed\nCompleted Indexes:  0,1,3\n",
            "Warning  FailedIndexes     ",
            "job-controller  Job has failed indexes\n",
            "2147483647",
        ],
    );
}

#[test]
fn too_many_failed_indexes_end_the_job() {
    let job = indexed(
        "  completions: 10\n  parallelism: 2\n  backoffLimitPerIndex: 0\n  maxFailedIndexes: 1",
        "test $JOB_COMPLETION_INDEX -ge 2 && sleep 1000; exit 1",
    );
    check(
        &format!(
            "{job}kubectl wait --for=condition=Failed job/j --timeout=120s
             {STATUS}
             {CONDITIONS}
             kubectl events --for job/j | grep -c SuccessfulDelete"
        ),
        &[
            "job.batch/j condition met\n",
            "failed (0,1)\n",
            "Failed True MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes\n",
        ],
    );
}

#[test]
fn a_rule_fails_an_index_at_once() {
    let job = indexed(
        "  completions: 2\n  parallelism: 2\n  backoffLimitPerIndex: 3
  podFailurePolicy:
    rules:
    - action: FailIndex
      onExitCodes: {containerName: c, operator: In, values: [42]}",
        "test $JOB_COMPLETION_INDEX -eq 0 || exit 42",
    );
    check(
        &format!(
            "{job}kubectl wait --for=condition=Failed job/j --timeout=30s
             {STATUS}
             {CONDITIONS}
             kubectl get pods --no-headers | wc -l
             kubectl get job j -o jsonpath='{{.spec.podReplacementPolicy}}'"
        ),
        &["1 ok (0), 1 failed (1)\n", "Failed True FailedIndexes: Job has failed indexes\n", "2\n", "Failed"],
    );
}

#[test]
fn the_leader_is_enough() {
    let job = indexed(
        "  completions: 3\n  parallelism: 3
  successPolicy:
    rules:
    - {succeededIndexes: '0', succeededCount: 1}",
        "test $JOB_COMPLETION_INDEX -eq 0 || sleep 10000",
    );
    check(
        &format!(
            "{job}kubectl wait --for=condition=SuccessCriteriaMet job/j --timeout=30s
             kubectl get job j --no-headers | awk '{{print $2, $3}}'
             kubectl wait --for=condition=Complete job/j --timeout=60s
             {STATUS}
             {CONDITIONS}
             kubectl get pods --no-headers -l job-name=j | awk '{{print $3}}'
             kubectl get job j --no-headers | awk '{{print $2, $3}}'"
        ),
        &[
            "job.batch/j condition met\nSuccessCriteriaMet 1/3\njob.batch/j condition met\n",
            "1 ok (0),",
            "SuccessCriteriaMet True SuccessPolicy: Matched rules at index 0\nComplete True SuccessPolicy: Matched rules at index 0\n",
            "Complete 1/3\n",
        ],
    );
}

#[test]
fn what_a_job_may_not_ask_for() {
    let job = indexed("  completions: 2\n  maxFailedIndexes: 3", "true");
    check(
        &job,
        &[
            "The Job \"j\" is invalid: \n* spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified\n* spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions\n",
        ],
    );
}

#[test]
fn a_pod_that_ends_is_replaced_when_the_policy_says() {
    let job = |policy: &str| {
        format!(
            "kubectl apply -f - <<'END' > /dev/null
apiVersion: batch/v1
kind: Job
metadata: {{name: j}}
spec:
  podReplacementPolicy: {policy}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 30
      containers: [{{name: c, image: busybox, args: [sh, -c, \"trap '' TERM; while true; do sleep 1; done\"]}}]
END
sleep 5; kubectl wait --for=condition=Ready pod -l job-name=j --timeout=30s > /dev/null
kubectl delete pod -l job-name=j --wait=false > /dev/null; sleep 15
kubectl get job j -o jsonpath='{policy} {{.status.active}} active, {{.status.terminating}} terminating{{\"\\n\"}}'
sleep 30; kubectl get job j -o jsonpath='later {{.status.active}} active, {{.status.failed}} failed{{\"\\n\"}}'
kubectl delete job j > /dev/null; sleep 40
"
        )
    };
    check(
        &format!("{}{}", job("TerminatingOrFailed"), job("Failed")),
        &[
            "TerminatingOrFailed 1 active, 1 terminating\nlater 1 active, 1 failed\n",
            "Failed  active, 1 terminating\nlater 1 active, 1 failed\n",
        ],
    );
}
