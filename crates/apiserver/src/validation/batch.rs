//! Jobs and CronJobs (pkg/apis/batch/validation).

use api::cron::Schedule;
use api::selector::LabelSelector;
use api::status::{FieldError, FieldErrors};
use api::timezone::Zone;
use json::Value;

mod policies;

use super::apps::{label_selector, pod_template};
use super::{non_negative, one_of};
use crate::value::{at, int, list, text};

/// Pods of an indexed job at the same time, at most.
const INDEXED_PARALLELISM_MAX: i64 = 100_000;
/// The name of a job made by a CronJob adds eleven characters to the CronJob's.
const CRON_JOB_NAME_LETTERS_MAX: usize = 52;
/// Failed indexes that a job may allow, at most: their list is kept in the status.
const FAILED_INDEXES_MAX: i64 = 100_000;
/// With more completions than this, jobs with a limit for each index have the two limits below.
const COMPLETIONS_SOFT_MAX: i64 = 100_000;
const PARALLELISM_OF_MANY_MAX: i64 = 10_000;
const FAILED_INDEXES_OF_MANY_MAX: i64 = 10_000;
/// Length of the name of a job's controller, at most.
const MANAGED_BY_BYTES_MAX: usize = 63;

/// A Job.
pub fn job(object: &Value, errors: &mut FieldErrors) {
    generated_selector(object, errors);
    let spec = at(object, "spec");
    job_spec(spec, "spec", errors);
    let selector = at(spec, "selector");
    if selector.is_null() {
        errors.push(FieldError::required("spec.selector", ""));
    } else {
        label_selector(selector, "spec.selector", errors);
    }
    let labels = at(spec, "template.metadata.labels");
    if LabelSelector::from_value(selector).is_ok_and(|s| !s.matches_value(labels)) {
        let detail = "`selector` does not match template `labels`";
        errors.push(FieldError::invalid("spec.template.metadata.labels", labels.clone(), detail));
    }
    if text(spec, "completionMode") == "Indexed" && int(spec, "completions").unwrap_or(0) > 0 {
        let name = text(object, "metadata.name");
        let longest = format!("{name}-{}", int(spec, "completions").unwrap_or(1) - 1);
        if !api::names::dns1123_label(&longest).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {longest}");
            errors.push(FieldError::invalid("metadata.name", name, detail));
        }
    }
}

/// The labels that select the pods of a job must be its own.
fn generated_selector(object: &Value, errors: &mut FieldErrors) {
    if at(object, "spec.manualSelector") == true || at(object, "spec.selector").is_null() {
        return;
    }
    let template = at(object, "spec.template.metadata");
    for (keys, field) in [
        (["controller-uid", "batch.kubernetes.io/controller-uid"], "metadata.uid"),
        (["job-name", "batch.kubernetes.io/job-name"], "metadata.name"),
    ] {
        let wanted = text(object, field);
        for key in keys {
            let path = "spec.template.metadata.labels";
            match template.get("labels").and_then(|l| l.get(key)).and_then(Value::as_str) {
                None => {
                    errors.push(FieldError::required(format!("{path}[{key}]"), &format!("must be '{wanted}'")));
                }
                Some(found) if found != wanted => {
                    let labels = at(template, "labels").clone();
                    errors.push(FieldError::invalid(format!("{path}[{key}]"), labels, format!("must be '{wanted}'")));
                }
                Some(_) => {}
            }
        }
    }
}

/// A `JobSpec`, of a Job or of a CronJob's template.
fn job_spec(spec: &Value, path: &str, errors: &mut FieldErrors) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        non_negative(spec, field, &format!("{path}.{field}"), errors);
    }
    if !at(spec, "maxFailedIndexes").is_null() && at(spec, "backoffLimitPerIndex").is_null() {
        let detail = "when maxFailedIndexes is specified";
        errors.push(FieldError::required(format!("{path}.backoffLimitPerIndex"), detail));
    }
    managed_by(at(spec, "managedBy"), &format!("{path}.managedBy"), errors);
    completion_mode(spec, path, errors);
    if at(spec, "podFailurePolicy").is_object() {
        policies::failure_policy(spec, path, errors);
    }
    let success = at(spec, "successPolicy");
    if success.is_object() && text(spec, "completionMode") == "Indexed" {
        policies::success_policy(spec, path, errors);
    } else if success.is_object() {
        let detail = "requires indexed completion mode";
        errors.push(FieldError::invalid(format!("{path}.successPolicy"), success.clone(), detail));
    }
    if let Some(policy) = at(spec, "podReplacementPolicy").as_str() {
        let known: &[&str] =
            if at(spec, "podFailurePolicy").is_object() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        one_of(policy, &format!("{path}.podReplacementPolicy"), known, errors);
    }
    pod_template(at(spec, "template"), &format!("{path}.template"), errors);
    let restart = text(spec, "template.spec.restartPolicy");
    let restart_path = format!("{path}.template.spec.restartPolicy");
    match restart {
        "" | "Always" => {
            errors.push(FieldError::required(restart_path, "valid values: \"OnFailure\", \"Never\""));
        }
        "Never" => {}
        "OnFailure" if at(spec, "podFailurePolicy").is_object() => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.push(FieldError::invalid(restart_path, restart, detail));
        }
        "OnFailure" => {}
        other => errors.push(FieldError::not_supported(restart_path, other, &["OnFailure", "Never"])),
    }
}

/// The name of another controller: a path below a domain (`IsDomainPrefixedPath`).
fn managed_by(value: &Value, path: &str, errors: &mut FieldErrors) {
    let Some(name) = value.as_str() else { return };
    let (domain, rest) = name.split_once('/').unwrap_or((name, ""));
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if domain.is_empty() || rest.is_empty() {
        let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        errors.push(FieldError::invalid(path, name, detail));
    } else {
        errors.invalid_all(path, domain, api::names::dns1123_subdomain(domain));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b);
        if !rest.bytes().all(allowed) {
            let detail = api::names::pattern_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[]);
            errors.push(FieldError::invalid(path, rest, detail));
        }
    }
    if name.len() > MANAGED_BY_BYTES_MAX {
        errors.push(FieldError::too_long(path, MANAGED_BY_BYTES_MAX));
    }
}

fn completion_mode(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let mode = text(spec, "completionMode");
    if !mode.is_empty() {
        one_of(mode, &format!("{path}.completionMode"), &["NonIndexed", "Indexed"], errors);
    }
    match mode {
        "Indexed" => indexed(spec, path, errors),
        "" | "NonIndexed" => {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let Some(value) = int(spec, field) {
                    let detail = "requires indexed completion mode";
                    errors.push(FieldError::invalid(format!("{path}.{field}"), value, detail));
                }
            }
        }
        _ => {}
    }
}

/// What holds for Indexed jobs only.
fn indexed(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let [completions, parallelism, failed] =
        ["completions", "parallelism", "maxFailedIndexes"].map(|field| int(spec, field));
    if completions.is_none() {
        errors.push(FieldError::required(format!("{path}.completions"), "when completion mode is Indexed"));
    }
    let detail = format!("must be less than or equal to {INDEXED_PARALLELISM_MAX} when completion mode is Indexed");
    at_most(("parallelism", parallelism, INDEXED_PARALLELISM_MAX), path, &detail, errors);
    let all = ("maxFailedIndexes", failed, completions.unwrap_or(i64::MAX));
    at_most(all, path, "must be less than or equal to completions", errors);
    let detail = format!("must be less than or equal to {FAILED_INDEXES_MAX}");
    at_most(("maxFailedIndexes", failed, FAILED_INDEXES_MAX), path, &detail, errors);
    if completions.is_none_or(|n| n <= COMPLETIONS_SOFT_MAX) || at(spec, "backoffLimitPerIndex").is_null() {
        return;
    }
    if failed.is_none() {
        let detail = format!("must be specified when completions is above {COMPLETIONS_SOFT_MAX}");
        errors.push(FieldError::required(format!("{path}.maxFailedIndexes"), &detail));
    }
    for (field, value, most) in [
        ("parallelism", parallelism, PARALLELISM_OF_MANY_MAX),
        ("maxFailedIndexes", failed, FAILED_INDEXES_OF_MANY_MAX),
    ] {
        let detail = format!(
            "must be less than or equal to {most} when completions are above {COMPLETIONS_SOFT_MAX} and used with backoff limit per index"
        );
        at_most((field, value, most), path, &detail, errors);
    }
}

fn at_most((field, value, most): (&str, Option<i64>, i64), path: &str, detail: &str, errors: &mut FieldErrors) {
    if let Some(value) = value.filter(|value| *value > most) {
        errors.push(FieldError::invalid(format!("{path}.{field}"), value, detail));
    }
}

/// What may not change in a Job.
pub fn job_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let immutable = |field: &str, errors: &mut FieldErrors| {
        let path = format!("spec.{field}");
        if at(new, &path) != at(old, &path) {
            errors.push(FieldError::invalid(&path, at(new, &path).clone(), super::IMMUTABLE));
        }
    };
    if text(new, "spec.completionMode") != "Indexed" {
        immutable("completions", errors);
    } else if at(new, "spec.completions") != at(old, "spec.completions")
        && at(new, "spec.completions") != at(new, "spec.parallelism")
    {
        let detail = "can only be modified in tandem with spec.parallelism";
        errors.push(FieldError::invalid("spec.completions", at(new, "spec.completions").clone(), detail));
    }
    immutable("selector", errors);
    if !template_may_change(new, old) {
        immutable("template", errors);
    }
    for field in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        immutable(field, errors);
    }
}

/// Where pods may run, and what they need, may change as long as a suspended job has none
/// (`AllowMutableSchedulingDirectives`, `AllowMutablePodResources`).
fn template_may_change(new: &Value, old: &Value) -> bool {
    if at(old, "spec.suspend") != true || int(old, "status.active").unwrap_or(0) > 0 {
        return false;
    }
    let mut old = at(old, "spec.template").clone();
    let new = at(new, "spec.template");
    for field in ["affinity", "nodeSelector", "tolerations", "schedulingGates"] {
        crate::strategy::keep(&mut old["spec"], at(new, "spec"), field);
    }
    for field in ["labels", "annotations"] {
        crate::strategy::keep_metadata(&mut old, new, field);
    }
    for field in ["containers", "initContainers"] {
        let path = format!("spec.{field}");
        for (container, other) in crate::value::list_mut(&mut old, &path).iter_mut().zip(list(new, &path)) {
            crate::strategy::keep(container, other, "resources");
        }
    }
    old == *new
}

/// A CronJob.
pub fn cron_job(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        errors.push(FieldError::required("spec.schedule", ""));
    } else {
        if let Err(error) = Schedule::parse(schedule) {
            errors.push(FieldError::invalid("spec.schedule", schedule, error));
        }
        if schedule.contains("TZ") {
            let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.push(FieldError::invalid("spec.schedule", schedule, detail));
        }
    }
    non_negative(spec, "startingDeadlineSeconds", "spec.startingDeadlineSeconds", errors);
    if let Some(zone) = at(spec, "timeZone").as_str() {
        time_zone(zone, errors);
    }
    one_of(text(spec, "concurrencyPolicy"), "spec.concurrencyPolicy", &["Allow", "Forbid", "Replace"], errors);
    let template = at(spec, "jobTemplate.spec");
    job_spec(template, "spec.jobTemplate.spec", errors);
    let selector = at(template, "selector");
    if !selector.is_null() {
        let detail = "`selector` will be auto-generated";
        errors.push(FieldError::invalid("spec.jobTemplate.spec.selector", selector.clone(), detail));
    }
    if at(template, "manualSelector") == true {
        errors.push(FieldError::not_supported("spec.jobTemplate.spec.manualSelector", true, &["nil", "false"]));
    }
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        non_negative(spec, field, &format!("spec.{field}"), errors);
    }
    let name = text(object, "metadata.name");
    // A new object has no version yet; old ones with long names may still change.
    if name.len() > CRON_JOB_NAME_LETTERS_MAX && text(object, "metadata.resourceVersion").is_empty() {
        let detail = format!("must be no more than {CRON_JOB_NAME_LETTERS_MAX} characters");
        errors.push(FieldError::invalid("metadata.name", name, detail));
    }
}

fn time_zone(zone: &str, errors: &mut FieldErrors) {
    let path = "spec.timeZone";
    if zone.is_empty() {
        errors.push(FieldError::invalid(path, zone, "timeZone must be nil or non-empty string"));
    } else if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(FieldError::invalid(path, zone, detail));
    } else if Zone::named(zone).is_none() {
        errors.push(FieldError::invalid(path, zone, format!("unknown time zone {zone}")));
    }
}
