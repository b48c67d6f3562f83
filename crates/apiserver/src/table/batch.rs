//! Jobs and CronJobs (`printJob`, `printCronJob`).

use api::selector::format_label_selector;
use api::{Object, kinds};
use json::Value;
use simulation::Time;

use super::apps::{containers_at, count};
use super::{AGE, NAME, Printer, age, column, number, or, shown, since, wide};

pub static JOBS: Printer = Printer {
    kind: &kinds::JOBS,
    columns: &[
        NAME,
        shown("Status"),
        shown("Completions"),
        shown("Duration"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |job, now| {
        let containers = |field: &str| containers_at(job, "spec.template.spec.containers", field);
        vec![
            job.name().into(),
            status(job).into(),
            completions(job).into(),
            duration(job, now).into(),
            age(job, now),
            containers("name").into(),
            containers("image").into(),
            format_label_selector(job.at("spec.selector")).into(),
        ]
    },
};

pub static CRON_JOBS: Printer = Printer {
    kind: &kinds::CRON_JOBS,
    columns: &[
        NAME,
        shown("Schedule"),
        shown("Timezone"),
        column("Suspend", "boolean", "", 0),
        number("Active"),
        shown("Last Schedule"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        let containers = |field: &str| containers_at(object, "spec.jobTemplate.spec.template.spec.containers", field);
        let last = object.at("status.lastScheduleTime");
        let suspend = match object.at("spec.suspend").as_bool() {
            Some(true) => "True",
            Some(false) => "False",
            None => "<unset>",
        };
        vec![
            object.name().into(),
            object.str("spec.schedule").into(),
            or(object.str("spec.timeZone"), "<none>").into(),
            suspend.into(),
            object.list("status.active").len().into(),
            if last.is_null() { "<none>".into() } else { since(last, now).into() },
            age(object, now),
            containers("name").into(),
            containers("image").into(),
            format_label_selector(object.at("spec.jobTemplate.spec.selector")).into(),
        ]
    },
};

fn status(job: &Object) -> &'static str {
    let has =
        |name: &str| job.list("status.conditions").iter().any(|c: &Value| c["type"] == name && c["status"] == "True");
    let finished = ["Complete", "Failed"].into_iter().find(|name| has(name));
    let on_its_way = || ["Suspended", "FailureTarget", "SuccessCriteriaMet"].into_iter().find(|name| has(name));
    match finished {
        Some(name) => name,
        None if job.is_deleting() => "Terminating",
        None => on_its_way().unwrap_or("Running"),
    }
}

fn completions(job: &Object) -> String {
    let succeeded = count(job, "status.succeeded");
    match (job.int("spec.completions"), count(job, "spec.parallelism")) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration(job: &Object, now: Time) -> String {
    let start = job.at("status.startTime");
    let end = job.at("status.completionTime").as_str().and_then(Time::parse_rfc3339);
    if start.is_null() { String::new() } else { since(start, end.unwrap_or(now)) }
}
