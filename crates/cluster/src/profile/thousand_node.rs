//! A cluster of a size that nobody types into: for figures (`kubonsai bench`) and for a look at what many nodes do. As minikube's
//! nodes, in networks that are large enough for them.

use std::net::Ipv4Addr;

use super::{Machine, Profile, minikube};

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "thousand-node",
    nodes: 1_000,
    nodes_max: 5_000,
    host: "10.0.1.0",
    is_minikube: false,
    machine,
    ..minikube::BASE
};

/// The network of the nodes; the first /24 is left free.
const NODES: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);
/// The network of the pods, a /24 for each node.
const PODS: Ipv4Addr = Ipv4Addr::new(10, 128, 0, 0);
const PODS_PER_NODE: u32 = 256;

fn machine(cluster: &str, index: u32) -> Machine {
    Machine {
        name: format!("{cluster}-{index:04}"),
        address: Ipv4Addr::from(NODES.to_bits() + index),
        pods: Ipv4Addr::from(PODS.to_bits() + PODS_PER_NODE * index),
        pod_addresses: PODS_PER_NODE,
        ..minikube::machine(cluster, index)
    }
}
