//! Annotations and labels with which Deployments keep their history.

use api::Object;

use super::facts;

pub(super) const HASH_LABEL: &str = "pod-template-hash";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations of the Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// Length of the revision history annotation at most; the oldest revisions are dropped.
const REVISION_HISTORY_BYTES_MAX: usize = 2_000;

/// The revision of a ReplicaSet; 0 if it has none, nothing if it is no number.
pub(super) fn revision(set: &Object) -> Option<i64> {
    set.annotation(REVISION).map_or(Some(0), |text| text.parse().ok())
}

/// The highest revision of any.
pub(super) fn max_revision<'a>(sets: impl IntoIterator<Item = &'a Object>) -> i64 {
    sets.into_iter().filter_map(revision).max().unwrap_or(0).max(0)
}

fn set_if_changed(object: &mut Object, key: &str, value: &str) -> bool {
    let changed = object.annotation(key) != Some(value);
    if changed {
        object.set_annotation(key, value);
    }
    changed
}

/// Sets the revision of a Deployment; tells whether that changed it.
pub(super) fn set_deployment_revision(deployment: &mut Object, revision: &str) -> bool {
    set_if_changed(deployment, REVISION, revision)
}

/// Sets the annotations that tell the intended sizes; tells whether that changed anything.
pub(super) fn set_sizes(set: &mut Object, desired: i64, max: i64) -> bool {
    let first = set_if_changed(set, DESIRED_REPLICAS, &desired.to_string());
    let second = set_if_changed(set, MAX_REPLICAS, &max.to_string());
    first || second
}

/// A size annotation.
pub(super) fn size(set: &Object, key: &str) -> Option<i64> {
    set.annotation(key)?.parse::<i32>().ok().filter(|n| *n >= 0).map(i64::from)
}

/// Brings the annotations of the new ReplicaSet up to date (`SetNewReplicaSetAnnotations`); tells whether that changed
/// anything.
pub(super) fn set_new_set_annotations(deployment: &Object, set: &mut Object, new_revision: i64, exists: bool) -> bool {
    let mut changed = false;
    for (key, value) in deployment.annotations() {
        if !NOT_COPIED.contains(&key.as_str()) {
            changed |= set_if_changed(set, &key, &value);
        }
    }
    let old_text = set.annotation(REVISION).map(str::to_owned);
    let Some(old_revision) = revision(set) else { return false };
    if old_revision < new_revision {
        set.set_annotation(REVISION, &new_revision.to_string());
        changed = true;
        if let Some(old) = old_text {
            append_history(set, &old);
        }
    }
    if !exists {
        let desired = facts::replicas(deployment);
        changed |= set_sizes(set, desired, desired + facts::max_surge(deployment));
    }
    changed
}

/// A revision that was rolled back to keeps its earlier numbers.
fn append_history(set: &mut Object, revision: &str) {
    let history = set.annotation(REVISION_HISTORY).unwrap_or("").to_owned();
    let mut revisions: Vec<&str> = history.split(',').filter(|r| !r.is_empty()).collect();
    revisions.push(revision);
    while revisions.len() > 1 && revisions.join(",").len() > REVISION_HISTORY_BYTES_MAX {
        revisions.remove(0);
    }
    set.set_annotation(REVISION_HISTORY, &revisions.join(","));
}
