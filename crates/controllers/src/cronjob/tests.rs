//! What is planned for CronJobs in certain states.

use api::Object;
use json::{Value, json};
use simulation::Time;

use super::reconcile::reconcile;
use crate::cache::Caches;
use crate::change::describe;
use crate::view::View;

const NOW: &str = "2026-11-21T02:45:00Z";

fn cron_job(spec: Value, status: Value) -> Object {
    let mut object = Object::new(json!({"apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "c", "namespace": "d", "uid": "u", "resourceVersion": "5",
            "creationTimestamp": "2026-11-21T02:44:24Z"},
        "spec": {"schedule": "* * * * *", "concurrencyPolicy": "Allow", "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1, "jobTemplate": {"spec": {}}},
        "status": status}));
    for (field, value) in spec.as_object().cloned().unwrap_or_default() {
        object.set(&format!("spec.{field}"), value);
    }
    object
}

fn job(name: &str, end: &str) -> Object {
    let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u", "controller": true}]);
    let conditions = if end.is_empty() { json!([]) } else { json!([{"type": end, "status": "True"}]) };
    Object::new(json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "namespace": "d", "uid": name, "ownerReferences": owner},
        "status": {"conditions": conditions, "startTime": "2026-11-21T02:44:24Z"}}))
}

fn plan(cron_job: &Object, jobs: &[Object]) -> String {
    let mut all = jobs.to_vec();
    all.push(cron_job.clone());
    let caches = Caches::with(&all);
    let now = Time::parse_rfc3339(NOW).unwrap();
    describe(&reconcile(&View::new(&caches, now), "d/c").unwrap())
}

const CREATE: &str = "create Job c-29920485 then SuccessfulCreate: Created job c-29920485";

#[test]
fn a_job_is_made_when_it_is_due() {
    assert_eq!(plan(&cron_job(json!({}), json!({})), &[]), format!("after 60.1s\n{CREATE}"));
    assert_eq!(plan(&cron_job(json!({"suspend": true}), json!({})), &[]), "");
    let served = json!({"lastScheduleTime": NOW});
    assert_eq!(plan(&cron_job(json!({}), served), &[]), "after 60.1s");
}

#[test]
fn a_new_job_is_named_in_the_status() {
    let mut new = job("c-29920485", "");
    new.set_annotation(super::SCHEDULED_AT, NOW);
    let plan = plan(&cron_job(json!({}), json!({})), &[new]);
    assert!(plan.contains("update CronJob/status c: active=[") && plan.contains("lastScheduleTime"), "{plan}");
    assert!(!plan.contains("create"), "{plan}");
}

#[test]
fn concurrency_policies() {
    let active = json!({"active": [{"kind": "Job", "name": "old", "namespace": "d", "uid": "old"}]});
    let forbid = plan(&cron_job(json!({"concurrencyPolicy": "Forbid"}), active.clone()), &[job("old", "")]);
    assert!(forbid.contains("JobAlreadyActive") && !forbid.contains("create"), "{forbid}");
    let replace = plan(&cron_job(json!({"concurrencyPolicy": "Replace"}), active.clone()), &[job("old", "")]);
    let deleted = "delete Job old then SuccessfulDelete: Deleted job old";
    assert!(replace.contains(&format!("{deleted}\n{CREATE}")), "{replace}");
    let allow = plan(&cron_job(json!({}), active), &[job("old", "Complete")]);
    assert!(allow.contains("SawCompletedJob: Saw completed job: old, condition: Complete"), "{allow}");
    assert!(allow.contains(CREATE), "{allow}");
}

#[test]
fn old_jobs_go() {
    let jobs = [job("a", "Complete"), job("b", "Complete"), job("x", "Failed")];
    let plan = plan(&cron_job(json!({"suspend": true}), json!({})), &jobs);
    assert!(plan.starts_with("delete Job a then SuccessfulDelete: Deleted job a"), "{plan}");
    assert!(!plan.contains("delete Job b") && !plan.contains("delete Job x"), "{plan}");
}

#[test]
fn a_missed_deadline_is_told() {
    let spec = json!({"schedule": "44 2 * * *", "startingDeadlineSeconds": 5});
    let mut late = cron_job(spec, json!({}));
    late.set("metadata.creationTimestamp", "2026-11-21T02:43:00Z");
    // The deadline moves the beginning forward: the time before it is not looked at any more.
    assert!(!plan(&late, &[]).contains("create"));
}
