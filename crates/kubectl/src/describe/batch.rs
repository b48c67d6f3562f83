//! Jobs and cron jobs.

use api::Object;
use json::Value;
use simulation::Time;

use super::workloads::selector;
use super::write::{Text, scalar, text};
use super::{Context, events, pod};
use crate::failure::Outcome;
use crate::{age, duration};

/// `kubectl describe job`.
pub async fn job(ctx: Context, job: Object) -> Outcome<String> {
    let found = events::search(&ctx, &job).await;
    let mut out = Text::new();
    out.field(0, "Name", job.name());
    out.field(0, "Namespace", job.namespace());
    out.field(0, "Selector", selector(job.at("spec.selector")));
    out.labels("Labels", job.at("metadata.labels"));
    out.annotations("Annotations", job.at("metadata.annotations"));
    if let Some(owner) = job.controller_ref() {
        out.field(0, "Controlled By", format!("{}/{}", owner.kind, owner.name));
    }
    out.field(0, "Parallelism", or_unset(job.at("spec.parallelism")));
    out.field(0, "Completions", or_unset(job.at("spec.completions")));
    for (title, path) in [
        ("Completion Mode", "spec.completionMode"),
        ("Suspend", "spec.suspend"),
        ("Backoff Limit", "spec.backoffLimit"),
        ("TTL Seconds After Finished", "spec.ttlSecondsAfterFinished"),
    ] {
        if !job.at(path).is_null() {
            out.field(0, title, scalar(job.at(path)));
        }
    }
    times(&mut out, &job);
    counts(&mut out, &job);
    pod::template(&mut out, job.at("spec.template"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn times(out: &mut Text, job: &Object) {
    let (start, end) = (job.str("status.startTime"), job.str("status.completionTime"));
    for (title, time) in [("Start Time", start), ("Completed At", end)] {
        if !time.is_empty() {
            out.field(0, title, age::rfc1123(time));
        }
    }
    if let (Some(start), Some(end)) = (Time::parse_rfc3339(start), Time::parse_rfc3339(end)) {
        out.field(0, "Duration", duration::human(end.unix_seconds() - start.unix_seconds()));
    }
    if let Some(seconds) = job.int("spec.activeDeadlineSeconds") {
        out.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
}

fn counts(out: &mut Text, job: &Object) {
    let count = |field: &str| job.int(&format!("status.{field}")).unwrap_or(0);
    let ready = job.int("status.ready").map(|ready| format!(" ({ready} Ready)")).unwrap_or_default();
    let (active, succeeded, failed) = (count("active"), count("succeeded"), count("failed"));
    out.field(0, "Pods Statuses", format!("{active} Active{ready} / {succeeded} Succeeded / {failed} Failed"));
    if job.str("spec.completionMode") == "Indexed" {
        out.field(0, "Completed Indexes", short_list(job.str("status.completedIndexes")));
    }
}

/// Bytes of a list of indexes that are shown, at most.
const INDEXES_BYTES_MAX: usize = 50;

/// A list such as `0-3,7`, cut after a whole number (`capIndexesListOrNone`).
fn short_list(indexes: &str) -> String {
    match indexes {
        "" => "<none>".to_owned(),
        short if short.len() <= INDEXES_BYTES_MAX => short.to_owned(),
        long => {
            let cut = &long[..INDEXES_BYTES_MAX];
            let end = cut.rfind(',').map_or(0, |comma| comma + 1);
            format!("{}...", &cut[..end])
        }
    }
}

fn or_unset(value: &Value) -> String {
    if value.is_null() { "<unset>".to_owned() } else { scalar(value) }
}

/// `kubectl describe cronjob`.
pub async fn cron_job(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Schedule", object.str("spec.schedule"));
    out.field(0, "Concurrency Policy", object.str("spec.concurrencyPolicy"));
    let suspend = match object.at("spec.suspend").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    out.field(0, "Suspend", suspend);
    out.field(0, "Time Zone", or_unset(object.at("spec.timeZone")));
    out.field(0, "Successful Job History Limit", or_unset(object.at("spec.successfulJobsHistoryLimit")));
    out.field(0, "Failed Job History Limit", or_unset(object.at("spec.failedJobsHistoryLimit")));
    let deadline = object.int("spec.startingDeadlineSeconds").map(|seconds| format!("{seconds}s"));
    out.field(0, "Starting Deadline Seconds", deadline.unwrap_or_else(|| "<unset>".to_owned()));
    let spec = Object::new(object.at("spec.jobTemplate.spec").clone());
    let labels = spec.at("selector");
    out.field(0, "Selector", if labels.is_null() { "<unset>".to_owned() } else { selector(labels) });
    out.field(0, "Parallelism", or_unset(spec.at("parallelism")));
    out.field(0, "Completions", or_unset(spec.at("completions")));
    if let Some(seconds) = spec.int("activeDeadlineSeconds") {
        out.field(0, "Active Deadline Seconds", format!("{seconds}s"));
    }
    pod::template(&mut out, spec.at("template"));
    let last = object.str("status.lastScheduleTime");
    out.field(0, "Last Schedule Time", if last.is_empty() { "<unset>".to_owned() } else { age::rfc1123(last) });
    let active: Vec<&str> = object.list("status.active").iter().map(|job| text(job, "name")).collect();
    out.field(0, "Active Jobs", if active.is_empty() { "<none>".to_owned() } else { active.join(", ") });
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

#[cfg(test)]
mod tests {
    use super::short_list;

    #[test]
    fn long_lists_are_cut_after_a_number() {
        assert_eq!(short_list(""), "<none>");
        assert_eq!(short_list("0-2,4"), "0-2,4");
        let long: Vec<String> = (0..40).step_by(2).map(|n| n.to_string()).collect();
        assert_eq!(short_list(&long.join(",")), "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,...");
    }
}
