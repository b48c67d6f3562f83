//! What wakes the controller.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;

use super::{ended, is_tracked};
use crate::controller::{Controller, Follows, Wake};
use crate::selector;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "job-controller",
    component: "job-controller",
    follows: Follows::Kinds(&[&kinds::JOBS, &kinds::PODS]),
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

/// Changes of pods within this time are looked at together (`SyncJobBatchPeriod`).
const BATCH: Duration = Duration::from_secs(1);
/// Begins the key of a pod whose job is gone.
pub(super) const ORPHAN: &str = "orphan:";

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::PODS {
        return match event {
            Event::Added(pod) | Event::Deleted(pod) => of_pod(view, pod),
            Event::Modified { old, new } if old.controller_ref() == new.controller_ref() => of_pod(view, new),
            Event::Modified { old, new } => [of_pod(view, old), of_pod(view, new)].concat(),
        };
    }
    match event {
        Event::Added(job) => vec![Wake::now(job)],
        Event::Deleted(job) => left_behind(view, job),
        Event::Modified { new, .. } if ended(new).is_some() => left_behind(view, new),
        Event::Modified { old, new } if old.generation() == new.generation() => vec![Wake::after(new, BATCH)],
        Event::Modified { new, .. } => vec![Wake::now(new)],
    }
}

fn of_pod(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    if let Some(job) = view.owner(&kinds::JOBS, pod) {
        return match ended(job) {
            Some(_) if is_tracked(pod) => vec![orphan(pod)],
            _ => vec![Wake::after(job, BATCH)],
        };
    }
    match pod.controller_ref() {
        Some(owner) if owner.kind != kinds::JOBS.kind => Vec::new(),
        _ if is_tracked(pod) => vec![orphan(pod)],
        Some(_) => Vec::new(),
        None => {
            let jobs = view.of(&kinds::JOBS).in_namespace(pod.namespace());
            jobs.filter(|job| selector::of(job).matches_object(pod)).map(|job| Wake::after(job, BATCH)).collect()
        }
    }
}

/// Pods that nobody will count any more.
fn left_behind(view: &View<'_>, job: &Object) -> Vec<Wake> {
    let pods = view.of(&kinds::PODS).controlled_by(job.namespace(), job.uid());
    pods.filter(|pod| is_tracked(pod)).map(orphan).collect()
}

fn orphan(pod: &Object) -> Wake {
    Wake::key(format!("{ORPHAN}{}", pod.key()))
}
