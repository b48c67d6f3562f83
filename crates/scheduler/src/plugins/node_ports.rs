//! Host ports that are taken (`plugins/nodeports`).

use api::Object;

use crate::cluster::NodeInfo;
use crate::framework::{ClusterEvent, Cycle, Plugin, Verdict};

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodePorts",
    pre_filter: None,
    filter: Some(filter),
    score: None,
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::PodRemoved],
};

/// Address, protocol and number.
type HostPort = (String, String, i64);

fn host_ports(pod: &Object) -> Vec<HostPort> {
    let sidecars = pod.list("spec.initContainers").iter().filter(|c| c["restartPolicy"] == "Always");
    let containers = pod.list("spec.containers").iter().chain(sidecars);
    let ports = containers.flat_map(|c| c["ports"].as_array().map_or(&[][..], json::Array::as_slice));
    let text = |value: &json::Value, default: &str| {
        value.as_str().filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
    };
    let host_port = |port: &json::Value| {
        let number = port["hostPort"].as_i64().filter(|number| *number > 0)?;
        Some((text(&port["hostIP"], "0.0.0.0"), text(&port["protocol"], "TCP"), number))
    };
    ports.filter_map(host_port).collect()
}

fn conflict(a: &HostPort, b: &HostPort) -> bool {
    let everywhere = |port: &HostPort| port.0 == "0.0.0.0";
    a.1 == b.1 && a.2 == b.2 && (a.0 == b.0 || everywhere(a) || everywhere(b))
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let wanted = host_ports(cycle.pod);
    let taken = || node.pods.values().flat_map(host_ports);
    if wanted.iter().any(|port| taken().any(|other| conflict(port, &other))) {
        return Verdict::Unschedulable(vec!["node(s) didn't have free ports for the requested pod ports".to_owned()]);
    }
    Verdict::Pass
}
