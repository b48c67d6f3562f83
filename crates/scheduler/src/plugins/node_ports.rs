//! Host ports that are taken (`plugins/nodeports`).

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, Verdict};
use crate::node_info::NodeInfo;
use crate::pod_info::host_ports;
use api::Object;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodePorts",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::PodRemoved],
    helps,
};

/// A new node, or one of the wanted ports that is free.
fn helps(pod: &Object, change: &Change) -> bool {
    let Some(gone) = &change.old else { return true };
    let (wanted, freed) = (host_ports(pod), host_ports(gone));
    wanted.iter().any(|port| freed.iter().any(|other| port.conflicts(other)))
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if cycle.info.host_ports.iter().any(|port| node.is_taken(port)) {
        return Verdict::Unschedulable(vec!["node(s) didn't have free ports for the requested pod ports".to_owned()]);
    }
    Verdict::Pass
}
