//! Kinds of clusters, as data.

use std::net::Ipv4Addr;

use runtime::pace::Pace;
use simulation::Duration;

use crate::system::System;

/// A kind of cluster.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name on command lines.
    pub name: &'static str,
    /// Nodes unless told otherwise.
    pub nodes: u32,
    /// CPUs of a node.
    pub cpus: u32,
    /// Memory of a node, in KiB.
    pub memory_kib: u64,
    /// Disk of a node, in KiB.
    pub disk_kib: u64,
    /// Port of the API server on its node.
    pub api_port: u16,
    /// Whether the learner's machine reaches the API server at that port of its own, as with minikube's docker driver on
    /// a desktop, instead of at the node's address.
    pub is_published: bool,
    /// How fast its machines are.
    pub pace: Pace,
    /// What it runs in kube-system.
    pub system: System,
}

/// Port of the API server in minikube.
const MINIKUBE_PORT: u16 = 8443;

/// The recorded kubelets were stand-ins: a pod was there 700 ms after it was bound, whatever the image, or 200 ms if the
/// node had the image, and gone 600 ms after it was deleted.
const STAND_IN: Pace = Pace {
    pull_bytes_per_second: u64::MAX,
    registry: Duration::from_millis(500),
    sandbox: Duration::from_millis(110),
    create: Duration::from_millis(20),
    start: Duration::from_millis(30),
    signal: Duration::from_millis(250),
    teardown: Duration::from_millis(250),
};

/// Every profile; the next is a row.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "minikube",
        nodes: 1,
        cpus: 2,
        memory_kib: 4_194_304,
        disk_kib: 20_971_520,
        api_port: MINIKUBE_PORT,
        is_published: false,
        pace: Pace::ORDINARY,
        system: System::Minikube,
    },
    Profile {
        name: "three-node",
        nodes: 3,
        cpus: 2,
        memory_kib: 4_194_304,
        disk_kib: 20_971_520,
        api_port: MINIKUBE_PORT,
        is_published: false,
        pace: Pace::ORDINARY,
        system: System::Minikube,
    },
    // The cluster of tests/oracle: the machines on which real Kubernetes was recorded.
    Profile {
        name: "recorded",
        nodes: 3,
        cpus: 2,
        memory_kib: 24_684_132,
        disk_kib: 263_112_772,
        api_port: 16_443,
        is_published: true,
        pace: STAND_IN,
        system: System::Recorded,
    },
];

impl Profile {
    /// The profile of that name.
    pub fn find(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|p| p.name == name)
    }
}

/// The learner's machine as seen from the nodes: the gateway of their network.
pub(crate) const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 49, 1);

/// The place outside the cluster from which lessons' checks ask, beside the learner's machine.
pub(crate) const PROBE_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 49, 254);

/// Nodes that a network of this shape can hold.
pub(crate) const NODES_MAX: u32 = 200;

/// Name of the `index`-th node (from 0) of the minikube profile `cluster`: `minikube`, `minikube-m02`, ...
pub(crate) fn node_name(cluster: &str, index: u32) -> String {
    if index == 0 { cluster.to_owned() } else { format!("{cluster}-m{:02}", index + 1) }
}

/// Address of the `index`-th node of the `network`-th cluster (each has a /24: 192.168.49.0, 192.168.58.0, ...).
pub(crate) fn node_address(network: u8, index: u32) -> Ipv4Addr {
    let last = u8::try_from(index + 2).unwrap_or(u8::MAX);
    Ipv4Addr::new(192, 168, 49_u8.saturating_add(network.saturating_mul(9)), last)
}
