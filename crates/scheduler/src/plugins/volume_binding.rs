//! Claims that pods mount, and the nodes that their volumes can be reached from (`plugins/volumebinding`).
//!
//! Difference: a claim that waits for its first consumer gets its volume after the pod has a node, wherever that is.

use api::Object;

use crate::framework::{ClusterEvent, Cycle, Plugin, Verdict, always};
use crate::node_info::NodeInfo;
use api::selector::node::any_term_matches;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "VolumeBinding",
    pre_filter: Some(pre_filter),
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::VolumeChanged, ClusterEvent::NodeAdded, ClusterEvent::NodeLabels],
    helps: always,
};

/// A claim that a pod mounts.
pub(crate) struct Claim {
    pub(crate) name: String,
    /// It is made for the pod alone, and goes with it.
    pub(crate) is_ephemeral: bool,
}

/// The claims of a pod.
pub(crate) fn claims(pod: &Object) -> impl Iterator<Item = Claim> {
    pod.list("spec.volumes").iter().filter_map(|volume| {
        if volume["ephemeral"].is_null() {
            let name = volume["persistentVolumeClaim"]["claimName"].as_str()?.to_owned();
            return Some(Claim { name, is_ephemeral: false });
        }
        let name = format!("{}-{}", pod.name(), volume["name"].as_str().unwrap_or_default());
        Some(Claim { name, is_ephemeral: true })
    })
}

fn pre_filter(cycle: &Cycle<'_>) -> Option<Verdict> {
    cycle.claims.iter().find_map(|claim| objection(cycle, claim)).map(|reason| Verdict::Unresolvable(vec![reason]))
}

/// What speaks against a claim.
fn objection(cycle: &Cycle<'_>, wanted: &Claim) -> Option<String> {
    let name = &wanted.name;
    let key = format!("{}/{name}", cycle.pod.namespace());
    let Some(claim) = cycle.cluster.claims.get(&key) else {
        return Some(match wanted.is_ephemeral {
            true => format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"),
            false => format!("persistentvolumeclaim {name:?} not found"),
        });
    };
    let is_own = |owner: &json::Value| owner["uid"] == cycle.pod.uid() && owner["controller"] == true;
    if wanted.is_ephemeral && !claim.list("metadata.ownerReferences").iter().any(is_own) {
        let (namespace, pod) = (cycle.pod.namespace(), cycle.pod.name());
        return Some(format!("PVC {namespace}/{name} was not created for pod {namespace}/{pod} (pod is not owner)"));
    }
    if claim.is_deleting() {
        return Some(format!("persistentvolumeclaim {name:?} is being deleted"));
    }
    if claim.str("status.phase") == "Lost" {
        let volume = claim.str("spec.volumeName");
        return Some(format!("persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"));
    }
    let is_bound = claim.annotation("pv.kubernetes.io/bind-completed").is_some();
    let class = cycle.cluster.storage_classes.get(claim.str("spec.storageClassName"));
    let waits = class.is_some_and(|class| class.str("volumeBindingMode") == "WaitForFirstConsumer");
    (!is_bound && !waits).then(|| "pod has unbound immediate PersistentVolumeClaims".to_owned())
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let reachable = cycle.claims.iter().all(|claim| {
        let claim = cycle.cluster.claims.get(&format!("{}/{}", cycle.pod.namespace(), claim.name));
        let volume = claim.and_then(|claim| cycle.cluster.volumes.get(claim.str("spec.volumeName")));
        let required = volume.map(|volume| volume.at("spec.nodeAffinity.required"));
        required.is_none_or(|r| r.is_null() || any_term_matches(&r["nodeSelectorTerms"], node.object()))
    });
    Verdict::resolvable_never(reachable, "node(s) didn't match PersistentVolume's node affinity")
}
