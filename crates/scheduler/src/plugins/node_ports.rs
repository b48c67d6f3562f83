//! Host ports that are taken (`plugins/nodeports`).

use crate::framework::{ClusterEvent, Cycle, Plugin, Verdict};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodePorts",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::PodRemoved],
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if cycle.info.host_ports.iter().any(|port| node.is_taken(port)) {
        return Verdict::Unschedulable(vec!["node(s) didn't have free ports for the requested pod ports".to_owned()]);
    }
    Verdict::Pass
}
