//! Nodes that were cordoned (`plugins/nodeunschedulable`).

use api::Object;
use api::taints::are_tolerated;
use json::json;

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, Verdict};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeUnschedulable",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeTaints],
    helps,
};

/// A node that takes pods now and was not there or cordoned before.
fn helps(_: &Object, change: &Change) -> bool {
    let takes = |node: &Option<Object>| node.as_ref().is_some_and(|node| node.at("spec.unschedulable") != true);
    takes(&change.new) && !takes(&change.old)
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if !node.is_cordoned() {
        return Verdict::Pass;
    }
    let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
    Verdict::resolvable_never(are_tolerated(cycle.pod.list("spec.tolerations"), &taint), "node(s) were unschedulable")
}
