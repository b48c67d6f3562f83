//! Makes the claims of pods that describe theirs in `ephemeral` volumes (`pkg/controller/volume/ephemeral`). The garbage
//! collector takes them away with the pod.

use api::{Kind, Object, kinds};
use client::Event;
use json::{Value, json};

use super::mounted_claims;
use crate::change::{Change, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "ephemeral-volume-controller",
    component: "ephemeral_volume",
    follows: Follows::Kinds(&[&kinds::PODS, &kinds::PERSISTENT_VOLUME_CLAIMS]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// The name of the claim behind a volume of a pod.
pub(super) fn claim_name(pod: &Object, volume: &Value) -> String {
    format!("{}-{}", pod.name(), volume["name"].as_str().unwrap_or_default())
}

fn has_ephemeral(pod: &Object) -> bool {
    pod.list("spec.volumes").iter().any(|volume| !volume["ephemeral"].is_null())
}

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    if *kind == kinds::PODS {
        let is_there = !matches!(event, Event::Deleted(_));
        return if is_there && has_ephemeral(object) { vec![Wake::now(object)] } else { Vec::new() };
    }
    // A claim that somebody took away is made again for a pod that is to have it.
    let Event::Deleted(claim) = event else { return Vec::new() };
    let pods = view.of(&kinds::PODS).in_namespace(claim.namespace());
    let users = pods.filter(|pod| has_ephemeral(pod) && mounted_claims(pod).any(|name| name == claim.name()));
    users.map(Wake::now).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(pod) = view.get(&kinds::PODS, key).filter(|pod| !pod.is_deleting()) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    for volume in pod.list("spec.volumes").iter().filter(|volume| !volume["ephemeral"].is_null()) {
        let name = claim_name(pod, volume);
        let volume_name = volume["name"].as_str().unwrap_or_default();
        let known = view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &format!("{}/{name}", pod.namespace()));
        let Some(claim) = known else {
            let failed = format!("ephemeral volume {volume_name}: create PVC {name}: {{error}}");
            let write = Write::create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim(pod, volume, &name));
            plan.write(write.on_failure(Note::warning("FailedBinding", failed), pod));
            continue;
        };
        let is_own = |owner: &Value| owner["uid"] == pod.uid() && owner["controller"] == true;
        if !claim.list("metadata.ownerReferences").iter().any(is_own) {
            let (namespace, own) = (pod.namespace(), pod.name());
            let why = format!("PVC {namespace}/{name} was not created for pod {namespace}/{own} (pod is not owner)");
            plan.event(pod, Note::warning("FailedBinding", format!("ephemeral volume {volume_name}: {why}")));
            plan.push(Change::Again);
            break;
        }
    }
    Ok(plan.finish(Ok(())))
}

fn claim(pod: &Object, volume: &Value, name: &str) -> Object {
    let template = &volume["ephemeral"]["volumeClaimTemplate"];
    let mut claim = Object::new(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": pod.namespace(), "ownerReferences": [{"apiVersion": "v1", "kind": "Pod",
            "name": pod.name(), "uid": pod.uid(), "controller": true, "blockOwnerDeletion": true}]},
        "spec": template["spec"].clone(),
    }));
    for field in ["labels", "annotations"] {
        if !template["metadata"][field].is_null() {
            claim.set(&format!("metadata.{field}"), template["metadata"][field].clone());
        }
    }
    claim
}
