//! Binds claims to volumes, makes volumes as minikube does, and keeps both while they are in use
//! (`pkg/controller/volume/{persistentvolume,pvcprotection,pvprotection}`, minikube's storage-provisioner).
//!
//! Differences: a claim that waits for its first consumer gets its volume when a pod that mounts it has been given a node,
//! not a moment before; volumes are not recycled, which is refused by name; nothing expands a volume, as nothing does for
//! hostPath volumes upstream.

mod claim;
mod ephemeral;
mod expand;
mod protection;
mod provisioner;
#[cfg(test)]
mod tests;
mod volume;

use api::{Kind, Object, kinds};
use client::Event;
use json::Value;

use crate::change::{Change, Plan, Retry};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) use ephemeral::CONTROLLER as EPHEMERAL;
pub(crate) use expand::CONTROLLER as EXPANDER;
pub(crate) use protection::{CLAIMS, VOLUMES};
pub(crate) use provisioner::CONTROLLER as PROVISIONER;

/// Binds claims to volumes.
pub(crate) static BINDER: Controller = Controller {
    name: "persistentvolume-binder-controller",
    component: "persistentvolume-controller",
    follows: Follows::Kinds(&[
        &kinds::PERSISTENT_VOLUME_CLAIMS,
        &kinds::PERSISTENT_VOLUMES,
        &kinds::STORAGE_CLASSES,
        &kinds::PODS,
    ]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// Begins the key of a volume; other keys are claims.
const VOLUME: &str = "volume:";

/// Who made the volume, who is to make it, and how far binding is.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const TO_PROVISION: &str = "volume.kubernetes.io/storage-provisioner";
const TO_PROVISION_BETA: &str = "volume.beta.kubernetes.io/storage-provisioner";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    let claims = || view.of(&kinds::PERSISTENT_VOLUME_CLAIMS).list();
    if *kind == kinds::PERSISTENT_VOLUME_CLAIMS {
        let named = claimed_volume(view, object).map(|volume| Wake::key(format!("{VOLUME}{}", volume.name())));
        return std::iter::once(Wake::now(object)).chain(named).collect();
    }
    if *kind == kinds::PERSISTENT_VOLUMES {
        let own = Wake::key(format!("{VOLUME}{}", object.name()));
        let claim = claim_key(object).map(Wake::key);
        let waiting = claims().filter(|claim| claim.str("spec.volumeName").is_empty()).map(Wake::now);
        return std::iter::once(own).chain(claim).chain(waiting).collect();
    }
    if *kind == kinds::STORAGE_CLASSES {
        let of_class = claims().filter(|claim| claim.str("spec.storageClassName") == object.name());
        return of_class.filter(|claim| claim.str("spec.volumeName").is_empty()).map(Wake::now).collect();
    }
    let unbound = |name: &String| {
        let claim = view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &format!("{}/{name}", object.namespace()));
        claim.is_some_and(|claim| claim.str("spec.volumeName").is_empty())
    };
    let mounted = mounted_claims(object).filter(unbound);
    mounted.map(|name| Wake::key(format!("{}/{name}", object.namespace()))).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let mut plan = Plan::default();
    let result = match key.strip_prefix(VOLUME) {
        Some(name) => match view.get(&kinds::PERSISTENT_VOLUMES, name) {
            Some(found) => volume::sync(view, &mut plan, found),
            None => Ok(()),
        },
        None => match view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, key) {
            Some(found) => claim::sync(view, &mut plan, found),
            None => Ok(()),
        },
    };
    Ok(plan.finish(result))
}

/// The names of the claims that a pod mounts, with those that are made for it.
fn mounted_claims(pod: &Object) -> impl Iterator<Item = String> {
    pod.list("spec.volumes").iter().filter_map(|volume| {
        if volume["ephemeral"].is_null() {
            return volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned);
        }
        Some(ephemeral::claim_name(pod, volume))
    })
}

/// The volume that a claim names.
fn claimed_volume<'a>(view: &View<'a>, claim: &Object) -> Option<&'a Object> {
    view.get(&kinds::PERSISTENT_VOLUMES, claim.str("spec.volumeName"))
}

/// The key of the claim that a volume names.
fn claim_key(volume: &Object) -> Option<String> {
    let reference = volume.at("spec.claimRef");
    let text = |field: &str| reference[field].as_str().unwrap_or("");
    (!reference.is_null()).then(|| format!("{}/{}", text("namespace"), text("name")))
}

/// Whether a volume is reserved for a claim, by name and, once bound, by uid.
fn is_for(volume: &Object, claim: &Object) -> bool {
    let uid = volume.str("spec.claimRef.uid");
    claim_key(volume).as_deref() == Some(&claim.key()) && (uid.is_empty() || uid == claim.uid())
}

/// The class that a claim or a volume names, in an old annotation or in the spec.
fn class_of(object: &Object) -> &str {
    object
        .at("metadata.annotations")
        .get("volume.beta.kubernetes.io/storage-class")
        .and_then(Value::as_str)
        .unwrap_or_else(|| object.str("spec.storageClassName"))
}
