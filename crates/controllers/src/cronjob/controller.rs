//! What wakes the controller.

use api::{Kind, kinds};
use client::Event;

use super::times::Times;
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "cronjob-controller",
    component: "cronjob-controller",
    follows: Follows::Kinds(&[&kinds::CRON_JOBS, &kinds::JOBS]),
    wake,
    reports_refusals: true,
    reconcile: super::reconcile::reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::JOBS {
        return view.owner(&kinds::CRON_JOBS, event.object()).map(Wake::now).into_iter().collect();
    }
    match event {
        Event::Deleted(_) => Vec::new(),
        Event::Added(cron_job) => vec![Wake::now(cron_job)],
        Event::Modified { old, new } => {
            let moved = ["spec.schedule", "spec.timeZone"].iter().any(|path| old.at(path) != new.at(path));
            // A new schedule begins with its next time: what it would have called for before does not count.
            match Times::of(new).filter(|_| moved) {
                Some(times) => vec![Wake::after(new, times.pause(new, view.now))],
                None => vec![Wake::now(new)],
            }
        }
    }
}
