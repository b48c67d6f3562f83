//! The pods of a StatefulSet: their numbers, names, volumes and claims (`stateful_set_utils.go`).

use api::{Object, kinds};
use json::{Value, json};

use crate::history::POD_HASH;
use crate::pods;

/// The label with the name of the pod.
const NAME: &str = "statefulset.kubernetes.io/pod-name";
/// The label with its number.
const INDEX: &str = "apps.kubernetes.io/pod-index";

/// The number of a pod, if it is one of the set.
pub(super) fn ordinal(set: &Object, pod: &Object) -> Option<i64> {
    let (parent, number) = pod.name().rsplit_once('-')?;
    number.parse().ok().filter(|_| parent == set.name())
}

/// The first and the last number (the last is one less than the first when there are none).
pub(super) fn range(set: &Object) -> (i64, i64) {
    let start = set.int("spec.ordinals.start").unwrap_or(0);
    (start, start + set.int("spec.replicas").unwrap_or(1) - 1)
}

/// The revision that a pod was made from.
pub(super) fn revision(pod: &Object) -> &str {
    pod.label(POD_HASH).unwrap_or("")
}

/// A pod with a number, from a template.
pub(super) fn new(set: &Object, template: &Value, ordinal: i64, revision: &str) -> Object {
    let name = format!("{}-{ordinal}", set.name());
    let mut pod = pods::from_template((&kinds::STATEFUL_SETS, set), template);
    pod.remove("metadata.generateName");
    pod.set("metadata.name", name.as_str());
    pod.set_label(NAME, &name);
    pod.set_label(INDEX, &ordinal.to_string());
    pod.set_label(POD_HASH, revision);
    pod.set("spec.hostname", name);
    let service = set.str("spec.serviceName");
    if !service.is_empty() {
        pod.set("spec.subdomain", service);
    }
    let claims = claims(set, ordinal);
    if !claims.is_empty() {
        let mut volumes: Vec<Value> = claims
            .iter()
            .map(|(volume, claim)| json!({"name": volume, "persistentVolumeClaim": {"claimName": claim.name()}}))
            .collect();
        let own = pod.list("spec.volumes").iter();
        volumes.extend(own.filter(|v| claims.iter().all(|(name, _)| v["name"] != name.as_str())).cloned());
        pod.set("spec.volumes", volumes);
    }
    pod
}

/// The claims of a pod, each with the name of its volume.
pub(super) fn claims(set: &Object, ordinal: i64) -> Vec<(String, Object)> {
    let templates = set.list("spec.volumeClaimTemplates").iter();
    let claim = |template: &Value| {
        let volume = template["metadata"]["name"].as_str().unwrap_or("").to_owned();
        let mut claim = Object::new(json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": template["metadata"],
            "spec": template["spec"],
        }));
        claim.set("metadata.name", format!("{volume}-{}-{ordinal}", set.name()));
        claim.set("metadata.namespace", set.namespace());
        for (key, value) in set.at("spec.selector.matchLabels").as_object().into_iter().flatten() {
            claim.set_label(key, value.as_str().unwrap_or(""));
        }
        (volume, claim)
    };
    templates.map(claim).collect()
}
