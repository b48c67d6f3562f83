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
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::REPLICA_SETS {
        return vec![Wake::now(event.object())];
    }
    match event {
        Event::Added(pod) if pod.is_deleting() => owner(view, pod),
        Event::Added(pod) => match pod.controller_ref() {
            Some(_) => owner(view, pod),
            None => matching(view, pod),
        },
        Event::Deleted(pod) => owner(view, pod),
        Event::Modified { old, new } => pod_changed(view, old, new),
    }
}

fn pod_changed(view: &View<'_>, old: &Object, new: &Object) -> Vec<Wake> {
    if new.is_deleting() {
        return owner(view, new);
    }
    if !matters(old, new) {
        return Vec::new();
    }
    let owner_changed = controller_uid(old) != controller_uid(new);
    let mut woken = if owner_changed { owner(view, old) } else { Vec::new() };
    if new.controller_ref().is_some() {
        woken.extend(owner(view, new));
        let became_ready = !pods::is_ready(old) && pods::is_ready(new);
        let minimum = view.owner(&kinds::REPLICA_SETS, new).and_then(|rs| rs.int("spec.minReadySeconds")).unwrap_or(0);
        if became_ready && minimum > 0 {
            let pause = Duration::from_secs(u64::try_from(minimum).unwrap_or(0));
            woken.extend(view.owner(&kinds::REPLICA_SETS, new).map(|rs| Wake::after(rs, pause)));
        }
    } else if owner_changed || old.labels() != new.labels() {
        woken.extend(matching(view, new));
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

fn owner(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    view.owner(&kinds::REPLICA_SETS, pod).map(Wake::now).into_iter().collect()
}

/// The ReplicaSets that might adopt an orphan.
fn matching(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    let sets = view.of(&kinds::REPLICA_SETS).in_namespace(pod.namespace());
    sets.filter(|rs| selector::of(rs).matches_object(pod)).map(Wake::now).collect()
}
