//! Jobs (pkg/registry/batch/job, pkg/apis/batch/v1/defaults.go).

use api::kinds::JOBS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::validation;
use crate::value::{at, fields, int, list, list_mut, map_mut, text};

/// Labels that tell a pod's job, by its name and by its uid, each in its old and its new spelling.
const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];
const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({});
        if at(object, "spec.manualSelector") != true {
            generate_selector(object);
        }
        labels_from_template(object);
        Ok(())
    },
    validate: validation::batch::job,
    validate_update: validation::batch::job_update,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    warnings: |object| {
        let problems = api::names::dns1123_label(text(object, "metadata.name"));
        if problems.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [{}]",
            problems.join(" ")
        )]
    },
    fields: |object| {
        let succeeded = int(object, "status.succeeded").unwrap_or(0);
        vec![("status.successful", succeeded.to_string())]
    },
    ..plain(&JOBS)
};

fn defaults(object: &mut Value) {
    spec_defaults(child(object, "spec"));
    if let Some(status) = object.get_mut("status").filter(|s| s.is_object()) {
        map_mut(status).retain(|field, value| field == "uncountedTerminatedPods" || !value.is_null());
    }
}

/// Defaults of a `JobSpec` that belongs to a Job.
fn spec_defaults(spec: &mut Value) {
    if at(spec, "completions").is_null() && at(spec, "parallelism").is_null() {
        default_to(spec, "completions", 1);
    }
    default_to(spec, "parallelism", 1);
    let is_by_index = !at(spec, "backoffLimitPerIndex").is_null();
    default_to(spec, "backoffLimit", if is_by_index { i32::MAX } else { 6 });
    default_to(spec, "completionMode", "NonIndexed");
    default_to(spec, "suspend", false);
    let has_policy = at(spec, "podFailurePolicy").is_object();
    default_to(spec, "podReplacementPolicy", if has_policy { "Failed" } else { "TerminatingOrFailed" });
    default_to(spec, "manualSelector", false);
    template_defaults(spec);
}

/// Defaults of what a `JobSpec` nests, which also hold in the template of a CronJob.
pub fn template_defaults(spec: &mut Value) {
    pod_spec::template_defaults(child(spec, "template"));
    for rule in list_mut(spec, "podFailurePolicy.rules") {
        for pattern in list_mut(rule, "onPodConditions") {
            default_to(pattern, "status", "True");
        }
    }
}

/// The selector that no other job has, and the labels that its pods need for it (`generateSelector`).
fn generate_selector(object: &mut Value) {
    let (name, uid) = (at(object, "metadata.name").clone(), at(object, "metadata.uid").clone());
    let spec = child(object, "spec");
    let labels = map_mut(child(child(child(spec, "template"), "metadata"), "labels"));
    for (keys, value) in [(NAME_LABELS, name), (UID_LABELS, uid.clone())] {
        for key in keys {
            labels.entry(key).or_insert_with(|| value.clone());
        }
    }
    let selected = map_mut(child(child(spec, "selector"), "matchLabels"));
    selected.entry(UID_LABELS[1]).or_insert(uid);
}

/// A job without labels takes those of its pods.
fn labels_from_template(object: &mut Value) {
    if fields(at(object, "metadata.labels")).next().is_some()
        || list(object, "spec.template.spec.containers").is_empty()
    {
        return;
    }
    let labels = at(object, "spec.template.metadata.labels").clone();
    if labels.is_object() {
        object["metadata"]["labels"] = labels;
    }
}
