//! What wakes the controller.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;

use crate::cache::controller_uid;
use crate::controller::{Controller, Follows, Wake};
use crate::pods;
use crate::selector;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "replicaset-controller",
    component: "replicaset-controller",
    follows: Follows::Kinds(&[&kinds::REPLICA_SETS, &kinds::PODS]),
    wake: |view, kind, event| wake(&kinds::REPLICA_SETS, view, kind, event),
    reports_refusals: true,
    reconcile: |view, key| super::reconcile::reconcile(&kinds::REPLICA_SETS, view, key),
};

/// ReplicationControllers differ in name and in the form of their selector.
pub(crate) static REPLICATION_CONTROLLER: Controller = Controller {
    name: "replicationcontroller-controller",
    component: "replication-controller",
    follows: Follows::Kinds(&[&kinds::REPLICATION_CONTROLLERS, &kinds::PODS]),
    wake: |view, kind, event| wake(&kinds::REPLICATION_CONTROLLERS, view, kind, event),
    reports_refusals: true,
    reconcile: |view, key| super::reconcile::reconcile(&kinds::REPLICATION_CONTROLLERS, view, key),
};

fn wake(sets: &Kind, view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if kind == sets {
        return vec![Wake::now(event.object())];
    }
    match event {
        Event::Added(pod) if pod.is_deleting() => owner(sets, view, pod),
        Event::Added(pod) => match pod.controller_ref() {
            Some(_) => owner(sets, view, pod),
            None => matching(sets, view, pod),
        },
        Event::Deleted(pod) => owner(sets, view, pod),
        Event::Modified { old, new } => pod_changed(sets, view, old, new),
    }
}

fn pod_changed(sets: &Kind, view: &View<'_>, old: &Object, new: &Object) -> Vec<Wake> {
    if new.is_deleting() {
        return owner(sets, view, new);
    }
    if !matters(old, new) {
        return Vec::new();
    }
    let owner_changed = controller_uid(old) != controller_uid(new);
    let mut woken = if owner_changed { owner(sets, view, old) } else { Vec::new() };
    if new.controller_ref().is_some() {
        woken.extend(owner(sets, view, new));
        let became_ready = !pods::is_ready(old) && pods::is_ready(new);
        let minimum = view.owner(sets, new).and_then(|rs| rs.int("spec.minReadySeconds")).unwrap_or(0);
        if became_ready && minimum > 0 {
            let pause = Duration::from_secs(u64::try_from(minimum).unwrap_or(0));
            woken.extend(view.owner(sets, new).map(|rs| Wake::after(rs, pause)));
        }
    } else if owner_changed || old.labels() != new.labels() {
        woken.extend(matching(sets, view, new));
    }
    woken
}

/// Whether a change of a pod can change what is done about its ReplicaSet. Upstream looks anyway and finds nothing to
/// write; with many pods that is most of the work.
fn matters(old: &Object, new: &Object) -> bool {
    let changed = |path: &str| old.at(path) != new.at(path);
    changed("metadata.labels")
        || changed("metadata.ownerReferences")
        || changed("status.phase")
        || pods::condition(old, "Ready") != pods::condition(new, "Ready")
}

fn owner(sets: &Kind, view: &View<'_>, pod: &Object) -> Vec<Wake> {
    let gathered = |set: &Object| {
        // While they are being made the status has not seen them yet.
        let pods = set.int("status.replicas").max(set.int("spec.replicas")).unwrap_or(0);
        Wake::after(set, pods::gathering(pods))
    };
    view.owner(sets, pod).map(gathered).into_iter().collect()
}

/// The ReplicaSets that might adopt an orphan.
fn matching(sets: &Kind, view: &View<'_>, pod: &Object) -> Vec<Wake> {
    let all = view.of(sets).in_namespace(pod.namespace());
    all.filter(|rs| selector::of(rs).matches_object(pod)).map(Wake::now).collect()
}
