//! One look at one claim (`syncClaim`).

use api::selector::LabelSelector;
use api::{Object, Quantity, kinds};
use json::{Value, json};

use super::{BIND_COMPLETED, BOUND_BY_CONTROLLER, TO_PROVISION, TO_PROVISION_BETA, class_of, is_for, mounted_claims};
use crate::change::{Conflict, Note, Op, Plan, Write};
use crate::view::View;

pub(super) fn sync(view: &View<'_>, plan: &mut Plan, claim: &Object) -> Result<(), Conflict> {
    if claim.is_deleting() {
        return Ok(());
    }
    let volume = view.get(&kinds::PERSISTENT_VOLUMES, claim.str("spec.volumeName"));
    if claim.annotation(BIND_COMPLETED).is_some() {
        return match volume {
            Some(volume) if is_for(volume, claim) => bind(view, plan, claim, volume),
            None | Some(_) => lost(plan, claim),
        };
    }
    if !claim.str("spec.volumeName").is_empty() {
        return match volume {
            Some(volume) if volume.at("spec.claimRef").is_null() || is_for(volume, claim) => {
                bind(view, plan, claim, volume)
            }
            Some(_) => {
                let text = "volume already bound to a different claim.";
                plan.event(
                    claim,
                    Note::warning("FailedBinding", format!("volume {:?} {text}", claim.str("spec.volumeName"))),
                );
                Ok(())
            }
            None => Ok(()),
        };
    }
    let class = view.get(&kinds::STORAGE_CLASSES, class_of(claim));
    let waits = class.is_some_and(|c| c.str("volumeBindingMode") == "WaitForFirstConsumer");
    if waits && !has_consumer(view, claim) && best_volume(view, claim).is_none_or(|v| v.at("spec.claimRef").is_null()) {
        let text = "waiting for first consumer to be created before binding";
        plan.event(claim, Note::normal("WaitForFirstConsumer", text));
        return Ok(());
    }
    match best_volume(view, claim) {
        Some(volume) => bind(view, plan, claim, volume),
        None => provision(plan, claim, class),
    }
}

/// Whether a pod that mounts the claim has a node.
fn has_consumer(view: &View<'_>, claim: &Object) -> bool {
    let mut pods = view.of(&kinds::PODS).in_namespace(claim.namespace());
    pods.any(|pod| !pod.str("spec.nodeName").is_empty() && mounted_claims(pod).any(|name| name == claim.name()))
}

fn lost(plan: &mut Plan, claim: &Object) -> Result<(), Conflict> {
    if claim.str("status.phase") == "Lost" {
        return Ok(());
    }
    let mut updated = claim.clone();
    updated.set("status", json!({"phase": "Lost"}));
    plan.update_status(&kinds::PERSISTENT_VOLUME_CLAIMS, &updated)?;
    let text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    plan.event(claim, Note::warning("ClaimLost", text));
    Ok(())
}

fn amount(value: &Value) -> Option<Quantity> {
    Quantity::from_value(value).ok()
}

/// The volume that is reserved for the claim, or else the smallest that will do (`findBestMatchForClaim`).
fn best_volume<'a>(view: &View<'a>, claim: &Object) -> Option<&'a Object> {
    let all = || view.of(&kinds::PERSISTENT_VOLUMES).list().filter(|v| !v.is_deleting());
    if let Some(reserved) = all().find(|volume| is_for(volume, claim)) {
        return Some(reserved);
    }
    let wanted = amount(claim.at("spec.resources.requests.storage"))?;
    let selector = match claim.at("spec.selector") {
        Value::Null => LabelSelector::everything(),
        selector => LabelSelector::from_value(selector).ok()?,
    };
    let will_do = |volume: &&Object| {
        let modes = volume.list("spec.accessModes");
        volume.at("spec.claimRef").is_null()
            && volume.str("status.phase") == "Available"
            && class_of(volume) == class_of(claim)
            && volume.str("spec.volumeMode") == claim.str("spec.volumeMode")
            && claim.list("spec.accessModes").iter().all(|mode| modes.contains(mode))
            && amount(volume.at("spec.capacity.storage")).is_some_and(|size| size >= wanted)
            && selector.matches_object(volume)
    };
    all().filter(will_do).min_by_key(|volume| amount(volume.at("spec.capacity.storage")))
}

/// Provisioners that were built into Kubernetes, and the drivers that took over from them (k8s.io/csi-translation-lib).
const MIGRATED: [(&str, &str); 7] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/azure-file", "file.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
    ("kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"),
];

/// No volume will do: somebody has to make one.
fn provision(plan: &mut Plan, claim: &Object, class: Option<&Object>) -> Result<(), Conflict> {
    let name = class_of(claim);
    if name.is_empty() {
        let text = "no persistent volumes available for this claim and no storage class is set";
        plan.event(claim, Note::normal("FailedBinding", text));
        return Ok(());
    }
    let Some(class) = class else {
        let text = format!("storageclass.storage.k8s.io {name:?} not found");
        plan.event(claim, Note::warning("ProvisioningFailed", text));
        return Ok(());
    };
    let provisioner = class.str("provisioner");
    if provisioner == "kubernetes.io/no-provisioner" {
        let text = "no volume plugin matched name: kubernetes.io/no-provisioner";
        plan.event(claim, Note::warning("ProvisioningFailed", text));
        return Ok(());
    }
    // What was once built in is done by drivers, under their names.
    let provisioner = MIGRATED.iter().find(|(old, _)| *old == provisioner).map_or(provisioner, |(_, driver)| driver);
    if claim.annotation(TO_PROVISION) != Some(provisioner) {
        let mut updated = claim.clone();
        updated.set_annotation(TO_PROVISION, provisioner);
        updated.set_annotation(TO_PROVISION_BETA, provisioner);
        plan.update(Write::new(&kinds::PERSISTENT_VOLUME_CLAIMS, Op::Update(updated)))?;
    }
    let text = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    plan.event(claim, Note::normal("ExternalProvisioning", text));
    Ok(())
}

/// Ties a claim and a volume together, in upstream's four steps; those that are done are left out (`bind`).
fn bind(view: &View<'_>, plan: &mut Plan, claim: &Object, volume: &Object) -> Result<(), Conflict> {
    let mut tied = volume.clone();
    if volume.str("spec.claimRef.uid") != claim.uid() {
        if volume.at("spec.claimRef").is_null() {
            tied.set_annotation(BOUND_BY_CONTROLLER, "yes");
        }
        tied.set(
            "spec.claimRef",
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim.namespace(),
                "name": claim.name(), "uid": claim.uid(), "resourceVersion": claim.resource_version()}),
        );
        tied = plan.update(Write::new(&kinds::PERSISTENT_VOLUMES, Op::Update(tied)))?;
    }
    if volume.str("status.phase") != "Bound" {
        tied.set("status.phase", "Bound");
        tied.set("status.lastPhaseTransitionTime", view.now_text());
        plan.update_status(&kinds::PERSISTENT_VOLUMES, &tied)?;
    }
    let mut bound = claim.clone();
    if claim.str("spec.volumeName").is_empty() {
        bound.set("spec.volumeName", volume.name());
        bound.set_annotation(BOUND_BY_CONTROLLER, "yes");
    }
    bound.set_annotation(BIND_COMPLETED, "yes");
    if bound.value() != claim.value() {
        bound = plan.update(Write::new(&kinds::PERSISTENT_VOLUME_CLAIMS, Op::Update(bound)))?;
    }
    let status = json!({"phase": "Bound", "accessModes": volume.at("spec.accessModes"),
        "capacity": volume.at("spec.capacity")});
    if *claim.at("status") != status {
        bound.set("status", status);
        plan.update_status(&kinds::PERSISTENT_VOLUME_CLAIMS, &bound)?;
    }
    Ok(())
}
