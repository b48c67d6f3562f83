//! `commonLabels`, `labels` and `commonAnnotations`.

use json::{Map, Value};

use super::load::items;
use super::{Resource, visit};

/// Where selectors and templates have labels: kinds (none: all), path, whether it is made when it is not there.
type Row = (&'static [&'static str], &'static str, bool);

const SELECTORS: &[Row] = &[
    (&["Service"], "spec/selector", true),
    (&["ReplicationController"], "spec/selector", true),
    (&["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"], "spec/selector/matchLabels", true),
    (&["Job", "PodDisruptionBudget"], "spec/selector/matchLabels", false),
    (&["CronJob"], "spec/jobTemplate/spec/selector/matchLabels", false),
    (&["NetworkPolicy"], "spec/podSelector/matchLabels", false),
    (&["NetworkPolicy"], "spec/ingress/from/podSelector/matchLabels", false),
    (&["NetworkPolicy"], "spec/egress/to/podSelector/matchLabels", false),
    (
        &["Deployment", "StatefulSet"],
        "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
        false,
    ),
    (
        &["Deployment", "StatefulSet"],
        "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
        false,
    ),
    (
        &["Deployment", "StatefulSet"],
        "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
        false,
    ),
    (
        &["Deployment", "StatefulSet"],
        "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
        false,
    ),
    (&["Deployment", "StatefulSet"], "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false),
];

const TEMPLATES: &[Row] = &[
    (
        &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"],
        "spec/template/metadata/labels",
        true,
    ),
    (&["CronJob"], "spec/jobTemplate/metadata/labels", true),
    (&["CronJob"], "spec/jobTemplate/spec/template/metadata/labels", true),
    (&["StatefulSet"], "spec/volumeClaimTemplates[]/metadata/labels", true),
];

const ANNOTATIONS: &[Row] = &[
    (&[], "metadata/annotations", true),
    (
        &["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"],
        "spec/template/metadata/annotations",
        true,
    ),
    (&["CronJob"], "spec/jobTemplate/metadata/annotations", true),
    (&["CronJob"], "spec/jobTemplate/spec/template/metadata/annotations", true),
];

const OWN: &[Row] = &[(&[], "metadata/labels", true)];

/// Adds labels and annotations.
pub fn run(kustomization: &Value, all: &mut [Resource]) {
    for entry in items(kustomization, "labels") {
        let Some(pairs) = entry["pairs"].as_object() else { continue };
        add(all, pairs, OWN);
        if entry["includeSelectors"] == true {
            add(all, pairs, SELECTORS);
        }
        if entry["includeSelectors"] == true || entry["includeTemplates"] == true {
            add(all, pairs, TEMPLATES);
        }
    }
    if let Some(pairs) = kustomization["commonLabels"].as_object() {
        [OWN, SELECTORS, TEMPLATES].iter().for_each(|rows| add(all, pairs, rows));
    }
    if let Some(pairs) = kustomization["commonAnnotations"].as_object() {
        add(all, pairs, ANNOTATIONS);
    }
}

fn add(all: &mut [Resource], pairs: &Map, rows: &[Row]) {
    for resource in all {
        let kind = resource.kind().to_owned();
        for (_, path, create) in rows.iter().filter(|(kinds, ..)| kinds.is_empty() || kinds.contains(&kind.as_str())) {
            visit(&mut resource.value, path, *create, &mut |map| {
                for (key, value) in pairs {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    map[key] = text.into();
                }
            });
        }
    }
}
