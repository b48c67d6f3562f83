//! What wakes the controller.

use api::{Kind, Object, kinds};
use client::Event;

use crate::controller::{Controller, Follows, Wake};
use crate::selector;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "deployment-controller",
    component: "deployment-controller",
    follows: Follows::Kinds(&[&kinds::DEPLOYMENTS, &kinds::REPLICA_SETS, &kinds::PODS]),
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::DEPLOYMENTS {
        return vec![Wake::now(event.object())];
    }
    if *kind == kinds::PODS {
        return match event {
            Event::Deleted(pod) => last_pod_gone(view, pod),
            _ => Vec::new(),
        };
    }
    match event {
        Event::Added(set) if set.is_deleting() || set.controller_ref().is_some() => owner(view, set),
        Event::Added(set) => matching(view, set),
        Event::Deleted(set) => owner(view, set),
        Event::Modified { old, new } => {
            let owner_changed = old.controller_ref() != new.controller_ref();
            let mut woken = if owner_changed { owner(view, old) } else { Vec::new() };
            if new.controller_ref().is_some() {
                woken.extend(owner(view, new));
            } else if owner_changed || old.labels() != new.labels() {
                woken.extend(matching(view, new));
            }
            woken
        }
    }
}

fn owner(view: &View<'_>, set: &Object) -> Vec<Wake> {
    view.owner(&kinds::DEPLOYMENTS, set).map(Wake::now).into_iter().collect()
}

/// The Deployments that might adopt an orphan.
fn matching(view: &View<'_>, set: &Object) -> Vec<Wake> {
    let deployments = view.of(&kinds::DEPLOYMENTS).in_namespace(set.namespace());
    let selects = |d: &&Object| !selector::of(d).is_everything() && selector::of(d).matches_object(set);
    deployments.filter(selects).map(Wake::now).collect()
}

/// A Recreate rollout goes on when the last old pod is gone.
fn last_pod_gone(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    let Some(set) = view.owner(&kinds::REPLICA_SETS, pod) else { return Vec::new() };
    let Some(deployment) = view.owner(&kinds::DEPLOYMENTS, set) else { return Vec::new() };
    let mut sets = view.of(&kinds::REPLICA_SETS).controlled_by(set.namespace(), deployment.uid());
    let none_left = sets.all(|rs| view.of(&kinds::PODS).controlled_by(rs.namespace(), rs.uid()).next().is_none());
    if deployment.str("spec.strategy.type") == "Recreate" && none_left {
        vec![Wake::now(deployment)]
    } else {
        Vec::new()
    }
}
