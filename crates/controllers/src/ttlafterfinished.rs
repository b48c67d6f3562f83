//! Deletes jobs some time after they have ended, if they ask for it (`pkg/controller/ttlafterfinished`).

use std::time::Duration;

use api::{Kind, kinds};
use client::{DeleteOptions, Event, Propagation};
use simulation::Time;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::job;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "ttl-after-finished-controller",
    component: "ttl-after-finished-controller",
    follows: Follows::Kinds(&[&kinds::JOBS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(_: &View<'_>, _: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Deleted(_) => Vec::new(),
        Event::Added(job) | Event::Modified { new: job, .. } => vec![Wake::now(job)],
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(job) = view.get(&kinds::JOBS, key).filter(|job| !job.is_deleting()) else { return Ok(Vec::new()) };
    let seconds = job.int("spec.ttlSecondsAfterFinished").and_then(|seconds| u64::try_from(seconds).ok());
    let end = job::ended(job).and_then(|c| c["lastTransitionTime"].as_str()).and_then(Time::parse_rfc3339);
    let (Some(seconds), Some(end)) = (seconds, end) else { return Ok(Vec::new()) };
    let rest = (end + Duration::from_secs(seconds)).saturating_since(view.now);
    if !rest.is_zero() {
        return Ok(vec![Change::After(rest)]);
    }
    let options = DeleteOptions {
        propagation: Some(Propagation::Foreground),
        precondition_uid: Some(job.uid().to_owned()),
        ..DeleteOptions::default()
    };
    Ok(vec![Write::delete_with(&kinds::JOBS, job, options).into()])
}
