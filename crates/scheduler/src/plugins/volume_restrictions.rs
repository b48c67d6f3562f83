//! Claims that one pod at a time may use (`plugins/volumerestrictions`).

use api::Object;

use super::volume_binding::claims;
use crate::framework::{Change, ClusterEvent, Cycle, Plugin, Verdict};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "VolumeRestrictions",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::PodRemoved, ClusterEvent::VolumeChanged],
    helps,
};

/// A pod that is gone and used one of the claims, or a claim that has changed.
fn helps(pod: &Object, change: &Change) -> bool {
    if change.event != ClusterEvent::PodRemoved {
        return true;
    }
    let Some(gone) = &change.old else { return true };
    gone.namespace() == pod.namespace() && claims(pod).any(|wanted| claims(gone).any(|freed| freed.name == wanted.name))
}

fn filter(cycle: &Cycle<'_>, _: &NodeInfo) -> Verdict {
    if *cycle.single_use.get_or_init(|| is_in_use(cycle)) {
        let reason = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
        return Verdict::Unschedulable(vec![reason.to_owned()]);
    }
    Verdict::Pass
}

/// Whether another pod uses a claim that is for one pod alone.
fn is_in_use(cycle: &Cycle<'_>) -> bool {
    let namespace = cycle.pod.namespace();
    let is_single = |name: &str| {
        let claim = cycle.cluster.claims.get(&format!("{namespace}/{name}"));
        claim.is_some_and(|claim| claim.list("spec.accessModes").iter().any(|mode| mode == "ReadWriteOncePod"))
    };
    let single: Vec<&str> =
        cycle.claims.iter().map(|claim| claim.name.as_str()).filter(|name| is_single(name)).collect();
    if single.is_empty() {
        return false;
    }
    let uses = |pod: &Object| {
        pod.namespace() == namespace
            && pod.uid() != cycle.pod.uid()
            && claims(pod).any(|claim| single.contains(&claim.name.as_str()))
    };
    cycle.nodes().any(|node| node.pods().any(|pod| uses(&pod.object)))
}
