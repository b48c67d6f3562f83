//! Tells of claims that ask for more than their volume has (`pkg/controller/volume/expand`). No volume here can be expanded in
//! place, so that waits for somebody else, as upstream does for every hostPath volume.

use api::quantity::Quantity;
use api::{Kind, Object, kinds};
use client::Event;

use super::{claimed_volume, is_for};
use crate::change::{Change, Note, Plan, Retry};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "persistentvolume-expander-controller",
    component: "volume_expand",
    follows: Follows::Kinds(&[&kinds::PERSISTENT_VOLUME_CLAIMS, &kinds::PERSISTENT_VOLUMES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn size(claim: &Object, path: &str) -> Option<Quantity> {
    Quantity::from_value(claim.at(path)).ok()
}

fn wake(_: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let Event::Modified { old, new } = event else { return Vec::new() };
    let wanted = |claim: &Object| size(claim, "spec.resources.requests.storage");
    let is_larger = wanted(new) > wanted(old);
    if *kind == kinds::PERSISTENT_VOLUME_CLAIMS && is_larger { vec![Wake::now(new)] } else { Vec::new() }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let mut plan = Plan::default();
    let claim = view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, key);
    if let Some(claim) = claim
        && claimed_volume(view, claim).is_some_and(|volume| is_for(volume, claim))
        && size(claim, "spec.resources.requests.storage") > size(claim, "status.capacity.storage")
    {
        // A warning, because no plugin at all says that it can.
        let text = "waiting for an external controller to expand this PVC";
        plan.event(claim, Note::warning("ExternalExpanding", text));
    }
    Ok(plan.finish(Ok(())))
}
