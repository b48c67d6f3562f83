//! Pods that name their node (`plugins/nodename`).

use crate::framework::{ClusterEvent, Cycle, Plugin, Verdict, always};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeName",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded],
    helps: always,
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let wanted = cycle.node_name;
    Verdict::resolvable_never(
        wanted.is_empty() || wanted == node.name(),
        "node(s) didn't match the requested node name",
    )
}
