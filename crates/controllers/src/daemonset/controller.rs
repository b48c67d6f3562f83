//! What wakes the controller.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;

use super::nodes;
use crate::controller::{Controller, Follows, Wake};
use crate::pods;
use crate::selector;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "daemonset-controller",
    component: "daemonset-controller",
    follows: Follows::Kinds(&[&kinds::DAEMON_SETS, &kinds::CONTROLLER_REVISIONS, &kinds::PODS, &kinds::NODES]),
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::DAEMON_SETS {
        return vec![Wake::now(event.object())];
    }
    if *kind == kinds::NODES {
        return of_node(view, event);
    }
    match event {
        Event::Added(one) | Event::Deleted(one) => of(view, kind, one),
        Event::Modified { old, new } if old.controller_ref() == new.controller_ref() => of(view, kind, new),
        Event::Modified { old, new } => [of(view, kind, old), of(view, kind, new)].concat(),
    }
}

fn of(view: &View<'_>, kind: &Kind, one: &Object) -> Vec<Wake> {
    let sets = view.of(&kinds::DAEMON_SETS);
    match one.controller_ref() {
        Some(_) => match view.owner(&kinds::DAEMON_SETS, one) {
            None => Vec::new(),
            Some(set) => {
                let minimum = set.int("spec.minReadySeconds").and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
                let later = *kind == kinds::PODS && minimum > 0 && pods::is_ready(one);
                let later = later.then(|| Wake::after(set, Duration::from_secs(minimum)));
                let count = set.int("status.desiredNumberScheduled").unwrap_or(0);
                std::iter::once(Wake::after(set, pods::gathering(count))).chain(later).collect()
            }
        },
        None => {
            let all = sets.in_namespace(one.namespace());
            all.filter(|set| selector::of(set).matches_object(one)).map(Wake::now).collect()
        }
    }
}

/// The sets for which a node matters more, less or otherwise than before.
fn of_node(view: &View<'_>, event: &Event) -> Vec<Wake> {
    let all = view.of(&kinds::DAEMON_SETS).list();
    match event {
        Event::Added(_) | Event::Deleted(_) => all.map(Wake::now).collect(),
        Event::Modified { old, new } => {
            let same = ["metadata.labels", "spec"].iter().all(|path| old.at(path) == new.at(path));
            if same {
                return Vec::new();
            }
            all.filter(|set| nodes::fate(set, old) != nodes::fate(set, new)).map(Wake::now).collect()
        }
    }
}
