//! Which pods go first when there are too many (`getPodsToDelete`, `ActivePodsWithRanks`).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use api::{Object, kinds, order};
use simulation::Time;

use crate::pods;
use crate::selector;
use crate::view::View;

/// The `surplus` pods to delete.
pub(super) fn pods_to_delete<'a>(
    view: &View<'_>,
    set: &Object,
    active: &[&'a Object],
    surplus: usize,
) -> Vec<&'a Object> {
    let mut pods = active.to_vec();
    if surplus < pods.len() {
        let related = related_pods_per_node(view, set);
        let rank = |pod: &Object| related.get(pod.str("spec.nodeName")).copied().unwrap_or(0);
        order::sort_by(&mut pods, |a, b| compare(a, b, (rank(a), rank(b)), view.now));
    }
    pods.truncate(surplus);
    pods
}

/// Active pods of all ReplicaSets of the same owner, per node.
fn related_pods_per_node<'a>(view: &View<'a>, set: &Object) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    let Some(owner) = set.controller_ref() else { return counts };
    let mut seen = BTreeSet::new();
    for related in view.of(&kinds::REPLICA_SETS).controlled_by(set.namespace(), &owner.uid) {
        let selector = selector::of(related);
        for pod in view.of(&kinds::PODS).in_namespace(set.namespace()) {
            if pods::is_active(pod) && selector.matches_object(pod) && seen.insert(pod.uid()) {
                *counts.entry(pod.str("spec.nodeName")).or_insert(0) += 1;
            }
        }
    }
    counts
}

/// The pod that is the smaller loss comes first. Not an order in all cases, as upstream: times that are equal leave it to what
/// comes after them, others that are alike to the uid.
pub(crate) fn compare(a: &Object, b: &Object, (rank_a, rank_b): (usize, usize), now: Time) -> Ordering {
    let unassigned = |pod: &Object| pod.str("spec.nodeName").is_empty();
    unassigned(b)
        .cmp(&unassigned(a))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| pods::is_ready(a).cmp(&pods::is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| rank_b.cmp(&rank_a))
        .then_with(|| younger_first(pods::ready_since(a), pods::ready_since(b), (a, b), now))
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| younger_first(pods::created(a), pods::created(b), (a, b), now))
        .then_with(|| a.uid().cmp(b.uid()))
}

fn phase(pod: &Object) -> u8 {
    match pod.str("status.phase") {
        "Pending" => 0,
        "Running" => 2,
        _ => 1,
    }
}

fn deletion_cost(pod: &Object) -> i64 {
    pod.annotation("controller.kubernetes.io/pod-deletion-cost").and_then(|cost| cost.parse().ok()).unwrap_or(0)
}

fn restarts(pod: &Object) -> (i64, i64) {
    let most = |path: &str, keep: &dyn Fn(&str) -> bool| {
        let statuses = pod.list(path).iter().filter(|s| keep(s["name"].as_str().unwrap_or("")));
        statuses.filter_map(|s| s["restartCount"].as_i64()).max().unwrap_or(0)
    };
    let sidecar = |name: &str| {
        pod.list("spec.initContainers").iter().any(|c| c["name"] == name && c["restartPolicy"] == "Always")
    };
    (most("status.containerStatuses", &|_| true), most("status.initContainerStatuses", &sidecar))
}

/// Ages are compared by their power of two: pods of about the same age fall in one class and their uid decides, so
/// that it is not always the youngest that goes.
fn younger_first(a: Option<Time>, b: Option<Time>, (pod_a, pod_b): (&Object, &Object), now: Time) -> Ordering {
    match (a, b) {
        (a, b) if a == b => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(a), Some(b)) => age_class(a, now).cmp(&age_class(b, now)).then_with(|| pod_a.uid().cmp(pod_b.uid())),
    }
}

fn age_class(since: Time, now: Time) -> i32 {
    let nanos = now.saturating_since(since).as_nanos();
    if nanos == 0 { -1 } else { i32::try_from(nanos.ilog2()).unwrap_or(i32::MAX) }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;
    use crate::cache::Caches;

    const NOW: Time = Time::from_unix_seconds(1_795_230_500);

    fn pod(uid: &str, node: &str, phase: &str, ready_for: Option<i64>) -> Object {
        let since = Time::from_unix_seconds(NOW.unix_seconds() - ready_for.unwrap_or(0)).rfc3339();
        let ready = json!({"type": "Ready", "status": if ready_for.is_some() { "True" } else { "False" },
            "lastTransitionTime": since});
        Object::new(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": uid, "uid": uid, "namespace": "d", "labels": {"a": "b"},
                "creationTimestamp": "2026-11-01T00:00:00Z"},
            "spec": {"nodeName": node}, "status": {"phase": phase, "conditions": [ready]}}))
    }

    fn order(pods: Vec<Object>) -> Vec<String> {
        let owner =
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "w", "uid": "o", "controller": true}]);
        let set = Object::new(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "rs", "namespace": "d", "uid": "r", "ownerReferences": owner},
            "spec": {"selector": {"matchLabels": {"a": "b"}}}}));
        let mut all = pods.clone();
        all.push(set.clone());
        let caches = Caches::with(&all);
        let view = View::new(&caches, NOW);
        let refs: Vec<&Object> = pods.iter().collect();
        let sorted = pods_to_delete(&view, &set, &refs, pods.len() - 1);
        sorted.iter().map(|p| p.name().to_owned()).collect()
    }

    #[test]
    fn unassigned_then_pending_then_unready_then_crowded_then_young() {
        let mut costly = pod("cheap", "n3", "Running", Some(99));
        costly.set_annotation("controller.kubernetes.io/pod-deletion-cost", "-1");
        let pods = vec![
            pod("old", "n1", "Running", Some(1_000)),
            pod("young", "n2", "Running", Some(3)),
            pod("unready", "n2", "Running", None),
            pod("pending", "n1", "Pending", None),
            pod("unassigned", "", "Pending", None),
            costly,
            pod("z-last", "n9", "Running", Some(1_000)),
        ];
        assert_eq!(order(pods), ["unassigned", "pending", "unready", "cheap", "young", "old"]);
    }

    #[test]
    fn same_age_class_goes_by_uid() {
        let pods = vec![
            pod("b", "n1", "Running", Some(40)),
            pod("a", "n2", "Running", Some(45)),
            pod("c", "n3", "Running", Some(50)),
        ];
        let sorted = order(pods);
        assert_eq!(sorted, ["a", "b"]);
    }
}
