//! What is planned for claims and volumes in certain states.

use api::Object;
use json::{Value, json};
use simulation::Time;

use super::{BINDER, CLAIMS, EPHEMERAL, EXPANDER, PROVISIONER};
use crate::cache::Caches;
use crate::change::describe;
use crate::controller::Controller;
use crate::view::View;

fn claim(spec: Value) -> Object {
    let mut claim = Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": "d", "uid": "u", "resourceVersion": "5"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "standard", "volumeMode": "Filesystem"},
        "status": {"phase": "Pending"}}));
    for (field, value) in spec.as_object().cloned().unwrap_or_default() {
        claim.set(&format!("spec.{field}"), value);
    }
    claim
}

fn volume(name: &str, size: &str, phase: &str, reference: Value) -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "uid": name, "resourceVersion": "6"},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "storageClassName": "standard",
            "volumeMode": "Filesystem", "claimRef": reference, "persistentVolumeReclaimPolicy": "Retain"},
        "status": {"phase": phase}}))
}

fn class(mode: &str) -> Object {
    Object::new(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard"},
        "provisioner": "k8s.io/minikube-hostpath", "reclaimPolicy": "Delete", "volumeBindingMode": mode}))
}

fn plan(controller: &Controller, key: &str, objects: &[Object]) -> String {
    let caches = Caches::with(objects);
    let view = View::new(&caches, Time::from_unix_seconds(1_795_230_500));
    describe(&(controller.reconcile)(&view, key).unwrap())
}

#[test]
fn the_smallest_volume_that_will_do_is_bound() {
    let free = |name: &str, size: &str| volume(name, size, "Available", Value::Null);
    let volumes = [claim(json!({})), free("tiny", "1Mi"), free("large", "9Gi"), free("right", "2Gi")];
    let steps = plan(&BINDER, "d/c", &volumes);
    let lines: Vec<&str> = steps.lines().collect();
    assert_eq!(lines.len(), 4, "{steps}");
    assert!(lines[0].starts_with("update PersistentVolume right"), "{steps}");
    assert!(lines[1].starts_with("update PersistentVolume/status right") && lines[1].contains("Bound"), "{steps}");
    assert!(lines[2].starts_with("update PersistentVolumeClaim c"), "{steps}");
    assert!(lines[3].contains("capacity={\"storage\":\"2Gi\"}"), "{steps}");
}

#[test]
fn without_a_volume_the_class_decides() {
    let waiting = plan(&BINDER, "d/c", &[claim(json!({})), class("Immediate")]);
    assert!(waiting.contains("ExternalProvisioning: Waiting for a volume"), "{waiting}");
    let consumer = plan(&BINDER, "d/c", &[claim(json!({})), class("WaitForFirstConsumer")]);
    assert!(consumer.contains("WaitForFirstConsumer: waiting for first consumer"), "{consumer}");
    let nobody = plan(&BINDER, "d/c", &[claim(json!({}))]);
    assert!(nobody.ends_with("ProvisioningFailed: storageclass.storage.k8s.io \"standard\" not found"), "{nobody}");
    let none = plan(&BINDER, "d/c", &[claim(json!({"storageClassName": ""}))]);
    assert!(none.contains("no persistent volumes available for this claim and no storage class is set"), "{none}");
}

#[test]
fn the_provisioner_makes_a_folder() {
    let mut waiting = claim(json!({}));
    waiting.set_annotation(super::TO_PROVISION, "k8s.io/minikube-hostpath");
    let steps = plan(&PROVISIONER, "d/c", &[waiting, class("Immediate")]);
    assert!(steps.contains("Provisioning: External provisioner is provisioning volume for claim \"d/c\""), "{steps}");
    assert!(steps.contains("create PersistentVolume pvc-u then ProvisioningSucceeded"), "{steps}");
}

#[test]
fn a_volume_whose_claim_is_gone_is_released() {
    let reference = json!({"namespace": "d", "name": "c", "uid": "gone"});
    let steps = plan(&BINDER, "volume:v", &[volume("v", "1Gi", "Bound", reference)]);
    assert!(steps.starts_with("update PersistentVolume/status v") && steps.contains("Released"), "{steps}");
    let free = plan(&BINDER, "volume:v", &[volume("v", "1Gi", "Pending", Value::Null)]);
    assert!(free.contains("Available"), "{free}");
}

#[test]
fn a_claim_in_use_stays() {
    let mut going = claim(json!({}));
    going.set("metadata.deletionTimestamp", "2026-11-21T00:00:00Z");
    going.set("metadata.finalizers", json!(["kubernetes.io/pvc-protection"]));
    let user = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d"},
        "spec": {"nodeName": "n", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}}));
    assert_eq!(plan(&CLAIMS, "d/c", &[going.clone(), user]), "");
    assert!(plan(&CLAIMS, "d/c", &[going]).starts_with("update PersistentVolumeClaim c"));
}

#[test]
fn a_pod_gets_the_claims_that_it_describes() {
    let pod = Object::new(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d", "uid": "pu"},
        "spec": {"volumes": [{"name": "e", "emptyDir": {}}, {"name": "v", "ephemeral": {"volumeClaimTemplate": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"storageClassName": "standard"}}}}]}}),
    );
    let steps = plan(&EPHEMERAL, "d/p", std::slice::from_ref(&pod));
    assert!(steps.starts_with("create PersistentVolumeClaim p-v"), "{steps}");
    assert_eq!(steps.lines().count(), 1, "{steps}");
    let mut own = claim(json!({}));
    own.set("metadata.name", "p-v");
    let steps = plan(&EPHEMERAL, "d/p", &[pod.clone(), own.clone()]);
    let foreign = "FailedBinding: ephemeral volume v: PVC d/p-v was not created for pod d/p (pod is not owner)";
    assert!(steps.contains(foreign), "{steps}");
    own.set("metadata.ownerReferences", json!([{"uid": "pu", "controller": true}]));
    assert_eq!(plan(&EPHEMERAL, "d/p", &[pod.clone(), own]), "");
    let mut going = pod;
    going.set("metadata.deletionTimestamp", "2026-11-21T03:08:21Z");
    assert_eq!(plan(&EPHEMERAL, "d/p", &[going]), "", "nothing is made for a pod that goes");
}

#[test]
fn a_claim_that_asks_for_more_waits_for_somebody() {
    let reference = json!({"namespace": "d", "name": "c", "uid": "u"});
    let bound = volume("v", "1Gi", "Bound", reference);
    let mut grown = claim(json!({"volumeName": "v"}));
    grown.set("status.capacity", json!({"storage": "1Gi"}));
    assert_eq!(plan(&EXPANDER, "d/c", &[grown.clone(), bound.clone()]), "");
    grown.set("spec.resources.requests.storage", "2Gi");
    let steps = plan(&EXPANDER, "d/c", &[grown, bound]);
    assert!(steps.contains("ExternalExpanding: waiting for an external controller to expand this PVC"), "{steps}");
}

#[test]
fn recycling_is_refused_by_name() {
    let mut released = volume("v", "1Gi", "Bound", json!({"namespace": "d", "name": "c", "uid": "gone"}));
    released.set("spec.persistentVolumeReclaimPolicy", "Recycle");
    let steps = plan(&BINDER, "volume:v", &[released]);
    assert!(steps.contains("phase=\"Failed\""), "{steps}");
    assert!(steps.contains("VolumeFailedRecycle: kubonsai does not support recycling of volumes"), "{steps}");
}
