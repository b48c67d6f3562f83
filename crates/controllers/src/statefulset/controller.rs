//! What wakes the controller.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;

use super::retention;
use crate::controller::{Controller, Follows, Wake};
use crate::pods;
use crate::selector;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "statefulset-controller",
    component: "statefulset-controller",
    follows: Follows::Kinds(&[
        &kinds::STATEFUL_SETS,
        &kinds::CONTROLLER_REVISIONS,
        &kinds::PODS,
        &kinds::PERSISTENT_VOLUME_CLAIMS,
    ]),
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::STATEFUL_SETS {
        return vec![Wake::now(event.object())];
    }
    if *kind == kinds::PERSISTENT_VOLUME_CLAIMS {
        return match event {
            Event::Deleted(claim) => waiting(view, claim),
            Event::Added(_) | Event::Modified { .. } => Vec::new(),
        };
    }
    if *kind != kinds::PODS {
        return Vec::new();
    }
    match event {
        Event::Added(pod) | Event::Deleted(pod) => of(view, pod),
        Event::Modified { old, new } if old.controller_ref() == new.controller_ref() => of(view, new),
        Event::Modified { old, new } => [of(view, old), of(view, new)].concat(),
    }
}

/// The sets whose next pod may have waited until this claim of an earlier one was gone. Upstream relies on some other
/// change to wake them.
fn waiting(view: &View<'_>, claim: &Object) -> Vec<Wake> {
    let is_of = |set: &&Object| {
        let number = claim.name().rsplit_once('-').and_then(|(_, number)| number.parse().ok());
        let claims = number.map(|number| super::pod::claims(set, number)).unwrap_or_default();
        retention::goes_when_scaled(set) && claims.iter().any(|(_, one)| one.name() == claim.name())
    };
    view.of(&kinds::STATEFUL_SETS).in_namespace(claim.namespace()).filter(is_of).map(Wake::now).collect()
}

fn of(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    if pod.controller_ref().is_none() {
        let all = view.of(&kinds::STATEFUL_SETS).in_namespace(pod.namespace());
        return all.filter(|set| selector::of(set).matches_object(pod)).map(Wake::now).collect();
    }
    let Some(set) = view.owner(&kinds::STATEFUL_SETS, pod) else { return Vec::new() };
    let minimum = set.int("spec.minReadySeconds").and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
    let later = (minimum > 0 && pods::is_ready(pod)).then(|| Wake::after(set, Duration::from_secs(minimum)));
    std::iter::once(Wake::now(set)).chain(later).collect()
}
