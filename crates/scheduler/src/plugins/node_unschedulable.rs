//! Nodes that were cordoned (`plugins/nodeunschedulable`).

use api::taints::are_tolerated;
use json::json;

use crate::cluster::NodeInfo;
use crate::framework::{ClusterEvent, Cycle, Plugin, Verdict};

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeUnschedulable",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeTaints],
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let cordoned = node.object().bool("spec.unschedulable");
    let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    let ok = !cordoned || are_tolerated(cycle.pod.list("spec.tolerations"), &taint);
    Verdict::resolvable_never(ok, "node(s) were unschedulable")
}
