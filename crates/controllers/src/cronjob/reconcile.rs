//! One look at one CronJob (`syncCronJob`).

use std::time::Duration;

use api::{Object, kinds};
use client::{DeleteOptions, Propagation};
use json::{Value, json};
use simulation::Time;

use super::SCHEDULED_AT;
use super::times::Times;
use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::claim::controller_reference;
use crate::job::ended;
use crate::view::View;

pub(crate) fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(cron_job) = view.get(&kinds::CRON_JOBS, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let mut next = cron_job.clone();
    let mut active = cron_job.list("status.active").to_vec();
    let jobs: Vec<&Object> = view
        .of(&kinds::JOBS)
        .controlled_by(cron_job.namespace(), cron_job.uid())
        .filter(|j| !j.is_deleting())
        .collect();
    clean_up(&mut plan, cron_job, &jobs, &mut active);
    follow_jobs(&mut plan, cron_job, &jobs, &mut active, &mut next);
    if !cron_job.is_deleting() && !cron_job.bool("spec.suspend") {
        start(view, &mut plan, &next, &mut active);
    }
    let result = write_status(&mut plan, cron_job, next, active);
    Ok(plan.finish(result))
}

fn write_status(plan: &mut Plan, old: &Object, mut next: Object, active: Vec<Value>) -> Result<(), Conflict> {
    if active.is_empty() {
        next.remove("status.active");
    } else {
        next.set("status.active", active);
    }
    if next.at("status") == old.at("status") {
        return Ok(());
    }
    plan.update_status(&kinds::CRON_JOBS, &next).map(|_| ())
}

/// Deletes ended jobs beyond what is to be kept.
fn clean_up(plan: &mut Plan, cron_job: &Object, jobs: &[&Object], active: &mut Vec<Value>) {
    for (end, field) in [("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")] {
        let Some(limit) = cron_job.int(&format!("spec.{field}")).and_then(|l| usize::try_from(l).ok()) else {
            continue;
        };
        let mut done: Vec<&Object> =
            jobs.iter().copied().filter(|job| ended(job).is_some_and(|c| c["type"] == end)).collect();
        done.sort_by_key(|job| {
            let start = job.str("status.startTime");
            (start.is_empty(), start.to_owned(), job.name().to_owned())
        });
        let surplus = done.len().saturating_sub(limit);
        done.truncate(surplus);
        for job in done {
            delete(plan, cron_job, job.namespace(), job.name());
            active.retain(|one| one["uid"] != job.uid());
        }
    }
}

fn delete(plan: &mut Plan, cron_job: &Object, namespace: &str, name: &str) {
    let job = Object::new(json!({"metadata": {"namespace": namespace, "name": name}}));
    let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    plan.write(
        Write::delete_with(&kinds::JOBS, &job, options)
            .on_success(Note::normal("SuccessfulDelete", format!("Deleted job {name}")), cron_job)
            .on_failure(Note::warning("FailedDelete", "Deleted job: {error}"), cron_job),
    );
}

/// Brings the list of active jobs up to date.
fn follow_jobs(plan: &mut Plan, cron_job: &Object, jobs: &[&Object], active: &mut Vec<Value>, next: &mut Object) {
    for job in jobs {
        let is_known = active.iter().any(|one| one["uid"] == job.uid());
        let scheduled = job.annotation(SCHEDULED_AT).and_then(Time::parse_rfc3339);
        // A job of the last look: its time counts as served.
        if let Some(time) = scheduled
            && Time::parse_rfc3339(next.str("status.lastScheduleTime")).is_none_or(|last| last < time)
        {
            next.set("status.lastScheduleTime", time.rfc3339());
        }
        match ended(job) {
            None if is_known => {}
            None if scheduled.is_some() => active.push(reference(job)),
            None => {
                let message = format!("Saw a job that the controller did not create or forgot: {}", job.name());
                plan.event(cron_job, Note::warning("UnexpectedJob", message));
            }
            Some(end) => {
                if is_known {
                    active.retain(|one| one["uid"] != job.uid());
                    let end = end["type"].as_str().unwrap_or("");
                    let message = format!("Saw completed job: {}, condition: {end}", job.name());
                    plan.event(cron_job, Note::normal("SawCompletedJob", message));
                }
                let time = job.str("status.completionTime");
                if end["type"] == "Complete" && time > next.str("status.lastSuccessfulTime") {
                    next.set("status.lastSuccessfulTime", time);
                }
            }
        }
    }
    active.retain(|one| {
        let is_there = jobs.iter().any(|job| one["uid"] == job.uid());
        if !is_there {
            let message = format!("Active job went missing: {}", one["name"].as_str().unwrap_or(""));
            plan.event(cron_job, Note::normal("MissingJob", message));
        }
        is_there
    });
}

fn reference(job: &Object) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": job.name(), "namespace": job.namespace(),
        "resourceVersion": job.resource_version(), "uid": job.uid()})
}

/// Starts the job that is due.
fn start(view: &View<'_>, plan: &mut Plan, cron_job: &Object, active: &mut Vec<Value>) {
    let Some(times) = Times::of(cron_job) else {
        let message = format!("unparseable schedule: {:?}", cron_job.str("spec.schedule"));
        return plan.event(cron_job, Note::warning("UnparseableSchedule", message));
    };
    let due = match times.due(cron_job, view.now, true) {
        Ok(due) => due,
        Err(error) => {
            let message = format!("invalid schedule: {} : {error}", cron_job.str("spec.schedule"));
            return plan.event(cron_job, Note::warning("InvalidSchedule", message));
        }
    };
    plan.push(Change::After(times.pause(cron_job, view.now)));
    let Some(at) = due.at else { return };
    if due.is_late {
        let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        plan.event(cron_job, Note::warning("TooManyMissedTimes", message));
    }
    let scheduled = Time::from_unix_seconds(at);
    if is_too_late(view, cron_job, scheduled) {
        let date = api::timezone::rfc1123(at);
        let message = format!("Missed scheduled time to start a job: {date}");
        return plan.event(cron_job, Note::warning("MissSchedule", message));
    }
    let name = format!("{}-{}", cron_job.name(), at / 60);
    let is_served = Time::parse_rfc3339(cron_job.str("status.lastScheduleTime")) == Some(scheduled);
    if is_served || active.iter().any(|one| one["name"] == name.as_str()) {
        return;
    }
    if let Some(failure) = view.failure {
        // The job is there already: whoever made it looks after it.
        if failure.reason != "AlreadyExists" {
            let message = format!("Error creating job: {}", failure.message);
            plan.event(cron_job, Note::warning("FailedCreate", message));
            plan.push(Change::Again);
        }
        return;
    }
    match cron_job.str("spec.concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            return plan.event(cron_job, Note::normal("JobAlreadyActive", message));
        }
        "Replace" => {
            for one in std::mem::take(active) {
                delete(plan, cron_job, cron_job.namespace(), one["name"].as_str().unwrap_or(""));
            }
        }
        _ => {}
    }
    let message = format!("Created job {name}");
    let job = from_template(cron_job, &name, &times.zone.rfc3339(at));
    plan.write(Write::create(&kinds::JOBS, job).on_success(Note::normal("SuccessfulCreate", message), cron_job));
}

fn is_too_late(view: &View<'_>, cron_job: &Object, scheduled: Time) -> bool {
    let deadline = cron_job.int("spec.startingDeadlineSeconds").and_then(|seconds| u64::try_from(seconds).ok());
    deadline.is_some_and(|seconds| scheduled + Duration::from_secs(seconds) < view.now)
}

fn from_template(cron_job: &Object, name: &str, scheduled_at: &str) -> Object {
    let template = |path: &str| cron_job.at(&format!("spec.jobTemplate.{path}")).clone();
    let mut job = Object::new(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": cron_job.namespace(),
            "ownerReferences": [controller_reference(&kinds::CRON_JOBS, cron_job)],
        },
        "spec": template("spec"),
    }));
    for field in ["labels", "annotations"] {
        let value = template(&format!("metadata.{field}"));
        if !value.is_null() {
            job.set(&format!("metadata.{field}"), value);
        }
    }
    job.set_annotation(SCHEDULED_AT, scheduled_at);
    job
}
