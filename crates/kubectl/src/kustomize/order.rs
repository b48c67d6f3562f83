//! The order of the result: what others need comes first (`legacyordertransformer`).

use super::Resource;

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Sorts by kind, then by group, version, kind, namespace and name.
pub fn sort(all: &mut [Resource]) {
    let rank = |kind: &str| match FIRST.iter().position(|k| *k == kind) {
        Some(at) => at,
        None => FIRST.len() + LAST.iter().position(|k| *k == kind).map_or(0, |at| at + 1),
    };
    all.sort_by_key(|r| {
        let (group, version) = r.group_version();
        let kind = format!("{}_{}_{}", or_none(group), version, r.kind());
        let name = format!("{}_{}", if r.namespace().is_empty() { "~X" } else { r.namespace() }, r.name());
        (rank(r.kind()), kind, name)
    });
}

fn or_none(group: &str) -> &str {
    if group.is_empty() { "~G" } else { group }
}
