//! minikube's storage provisioner: a folder of the node for each claim.

use api::{Kind, Object, kinds};
use client::Event;
use json::json;

use super::{PROVISIONED_BY, TO_PROVISION};
use crate::change::{Change, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// The provisioner that minikube's class names.
const NAME: &str = "k8s.io/minikube-hostpath";
/// The identity of this one.
const IDENTITY: &str = "1f0f1d3c-2b5e-4f46-9f34-6b1ab1d7c9a7";
/// Where the folders are.
const FOLDER: &str = "/tmp/hostpath-provisioner";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "minikube-hostpath",
    component: "k8s.io/minikube-hostpath_minikube_1f0f1d3c-2b5e-4f46-9f34-6b1ab1d7c9a7",
    follows: Follows::Kinds(&[&kinds::PERSISTENT_VOLUME_CLAIMS, &kinds::PERSISTENT_VOLUMES, &kinds::STORAGE_CLASSES]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// Begins the key of a volume; other keys are claims.
const VOLUME: &str = "volume:";

fn wake(_: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    if *kind == kinds::PERSISTENT_VOLUMES {
        return vec![Wake::key(format!("{VOLUME}{}", object.name()))];
    }
    if *kind == kinds::PERSISTENT_VOLUME_CLAIMS { vec![Wake::now(object)] } else { Vec::new() }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    if let Some(name) = key.strip_prefix(VOLUME) {
        let released = view.get(&kinds::PERSISTENT_VOLUMES, name).filter(|volume| {
            volume.annotation(PROVISIONED_BY) == Some(NAME)
                && volume.str("status.phase") == "Released"
                && volume.str("spec.persistentVolumeReclaimPolicy") == "Delete"
                && !volume.is_deleting()
        });
        return Ok(released
            .map(|volume| Write::delete(&kinds::PERSISTENT_VOLUMES, volume).into())
            .into_iter()
            .collect());
    }
    let claim = view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, key).filter(|claim| {
        claim.annotation(TO_PROVISION) == Some(NAME) && claim.str("spec.volumeName").is_empty() && !claim.is_deleting()
    });
    let Some(claim) = claim else { return Ok(Vec::new()) };
    let name = format!("pvc-{}", claim.uid());
    if view.get(&kinds::PERSISTENT_VOLUMES, &name).is_some() {
        return Ok(Vec::new());
    }
    let class = view.get(&kinds::STORAGE_CLASSES, claim.str("spec.storageClassName"));
    let policy = class.map_or("Delete", |class| class.str("reclaimPolicy"));
    let mut plan = Plan::default();
    let text = format!("External provisioner is provisioning volume for claim \"{}\"", claim.key());
    plan.event(claim, Note::normal("Provisioning", text));
    let done = Note::normal("ProvisioningSucceeded", format!("Successfully provisioned volume {name}"));
    plan.write(Write::create(&kinds::PERSISTENT_VOLUMES, volume(claim, &name, policy)).on_success(done, claim));
    Ok(plan.finish(Ok(())))
}

fn volume(claim: &Object, name: &str, policy: &str) -> Object {
    Object::new(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"hostPathProvisionerIdentity": IDENTITY, (PROVISIONED_BY): NAME}},
        "spec": {
            "accessModes": claim.at("spec.accessModes"),
            "capacity": {"storage": claim.at("spec.resources.requests.storage")},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim.namespace(),
                "name": claim.name(), "uid": claim.uid(), "resourceVersion": claim.resource_version()},
            "hostPath": {"path": format!("{FOLDER}/{}/{}", claim.namespace(), claim.name()), "type": ""},
            "persistentVolumeReclaimPolicy": policy,
            "storageClassName": claim.at("spec.storageClassName"),
            "volumeMode": claim.at("spec.volumeMode"),
        },
    }))
}
