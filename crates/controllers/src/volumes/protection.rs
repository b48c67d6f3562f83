//! Keeps claims while pods use them, and volumes while they are bound.

use api::{Kind, Object, kinds};
use client::Event;
use json::Value;

use super::mounted_claims;
use crate::change::{Change, Op, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// `pvc-protection-controller`
pub(crate) static CLAIMS: Controller = Controller {
    name: "persistentvolumeclaim-protection-controller",
    component: "pvc-protection-controller",
    follows: Follows::Kinds(&[&kinds::PERSISTENT_VOLUME_CLAIMS, &kinds::PODS]),
    wake: |view, kind, event| {
        let object = event.object();
        if *kind == kinds::PERSISTENT_VOLUME_CLAIMS {
            return going(object);
        }
        let claim =
            |name: String| view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &format!("{}/{name}", object.namespace()));
        mounted_claims(object).filter_map(claim).flat_map(going).collect()
    },
    reports_refusals: false,
    reconcile: |view, key| {
        let kind = &kinds::PERSISTENT_VOLUME_CLAIMS;
        let Some(claim) = view.get(kind, key) else { return Ok(Vec::new()) };
        let mut pods = view.of(&kinds::PODS).in_namespace(claim.namespace());
        let uses =
            |pod: &Object| !pod.str("spec.nodeName").is_empty() && mounted_claims(pod).any(|name| name == claim.name());
        release(kind, claim, "kubernetes.io/pvc-protection", pods.any(uses))
    },
};

/// `pv-protection-controller`
pub(crate) static VOLUMES: Controller = Controller {
    name: "persistentvolume-protection-controller",
    component: "pv-protection-controller",
    follows: Follows::Kinds(&[&kinds::PERSISTENT_VOLUMES]),
    wake: volume_wake,
    reports_refusals: false,
    reconcile: |view, key| {
        let kind = &kinds::PERSISTENT_VOLUMES;
        let Some(volume) = view.get(kind, key) else { return Ok(Vec::new()) };
        release(kind, volume, "kubernetes.io/pv-protection", volume.str("status.phase") == "Bound")
    },
};

fn volume_wake(_: &View<'_>, _: &Kind, event: &Event) -> Vec<Wake> {
    going(event.object())
}

fn going(object: &Object) -> Vec<Wake> {
    if object.is_deleting() { vec![Wake::now(object)] } else { Vec::new() }
}

/// Takes the finalizer away from an object that is to go and that nobody uses.
fn release(kind: &'static Kind, object: &Object, finalizer: &str, in_use: bool) -> Result<Vec<Change>, Retry> {
    let mut finalizers = object.list("metadata.finalizers").to_vec();
    let before = finalizers.len();
    finalizers.retain(|f| f != finalizer);
    if in_use || !object.is_deleting() || finalizers.len() == before {
        return Ok(Vec::new());
    }
    let mut updated = object.clone();
    updated.set("metadata.finalizers", Value::Array(finalizers.into()));
    let mut plan = Plan::default();
    let result = plan.update(Write::new(kind, Op::Update(updated))).map(|_| ());
    Ok(plan.finish(result))
}
