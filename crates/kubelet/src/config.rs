//! What a node is like.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::quantity::Quantity;

use crate::eviction::{EvictionHard, Threshold};
use crate::pod::Budget;

/// The facts of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// Node name.
    pub name: String,
    /// Its InternalIP.
    pub ip: Ipv4Addr,
    /// Its other addresses: type and address, in the order in which they are told.
    pub more_addresses: Vec<(&'static str, String)>,
    /// Addresses of its pods, e.g. `10.244.0.0/24`; empty if they are nobody's business.
    pub pod_cidr: String,
    /// Capacity in thousandths of a CPU.
    pub cpu_milli: i64,
    /// Capacity in bytes.
    pub memory_bytes: i64,
    /// Capacity in bytes.
    pub ephemeral_storage_bytes: i64,
    /// Pods at most.
    pub pods_max: i64,
    /// Processes at most (`kernel.pid_max`).
    pub pids_max: i64,
    /// Below what the node evicts pods.
    pub eviction_hard: EvictionHard,
    /// Labels besides those that every kubelet sets.
    pub labels: BTreeMap<String, String>,
    /// Taints with which it registers: key and effect.
    pub taints: Vec<(&'static str, &'static str)>,
    /// What a cloud calls the machine; empty for none.
    pub provider_id: String,
    /// `Debian GNU/Linux 12 (bookworm)`
    pub os_image: &'static str,
    /// `docker://28.4.0`
    pub container_runtime: &'static str,
    /// The address of the cluster's DNS.
    pub cluster_dns: Ipv4Addr,
    /// `cluster.local`
    pub cluster_domain: String,
    /// `v1.36.3`
    pub version: String,
}

impl NodeConfig {
    /// A node in minikube's shape.
    pub fn minikube(name: &str, ip: Ipv4Addr, pod_cidr: &str) -> NodeConfig {
        NodeConfig {
            name: name.to_owned(),
            ip,
            more_addresses: vec![("Hostname", name.to_owned())],
            pod_cidr: pod_cidr.to_owned(),
            cpu_milli: 2_000,
            memory_bytes: 8 << 30,
            ephemeral_storage_bytes: 64 << 30,
            pods_max: 110,
            pids_max: 4_194_304,
            eviction_hard: EvictionHard::MINIKUBE,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            provider_id: String::new(),
            os_image: "Debian GNU/Linux 12 (bookworm)",
            container_runtime: "docker://28.4.0",
            cluster_dns: Ipv4Addr::new(10, 96, 0, 10),
            cluster_domain: "cluster.local".to_owned(),
            version: "v1.36.3".to_owned(),
        }
    }

    /// The first address of the pod network and how many there are; none if [`NodeConfig::pod_cidr`] is malformed.
    pub fn pod_network(&self) -> Option<(Ipv4Addr, u32)> {
        let (first, bits) = self.pod_cidr.split_once('/')?;
        let bits: u32 = bits.parse().ok().filter(|b| (1..=30).contains(b))?;
        Some((first.parse().ok()?, 1 << (32 - bits)))
    }

    /// The runtime's name alone: `docker` or `containerd`.
    pub(crate) fn runtime(&self) -> &'static str {
        self.container_runtime.split(':').next().unwrap_or_default()
    }

    /// Milli-CPUs and bytes of memory for pods: without what is to be available (`GetNodeAllocatableReservation`).
    pub(crate) fn allocatable(&self) -> (i64, i64) {
        (self.cpu_milli, rest(self.memory_bytes, self.eviction_hard.memory))
    }

    /// Bytes of the disk for pods.
    pub(crate) fn allocatable_storage_bytes(&self) -> i64 {
        rest(self.ephemeral_storage_bytes, self.eviction_hard.nodefs)
    }

    pub(crate) fn budget(&self) -> Budget {
        let (cpu_milli, memory_bytes) = self.allocatable();
        Budget { cpu_milli, memory_bytes, pods: self.pods_max }
    }

    /// `status.capacity`
    pub(crate) fn capacity(&self) -> json::Value {
        self.amounts(self.memory_bytes, self.ephemeral_storage_bytes)
    }

    /// `status.allocatable`
    pub(crate) fn allocatable_amounts(&self) -> json::Value {
        self.amounts(self.allocatable().1, self.allocatable_storage_bytes())
    }

    fn amounts(&self, memory_bytes: i64, storage_bytes: i64) -> json::Value {
        let shown = |bytes: i64| if bytes % 1024 == 0 { format!("{}Ki", bytes / 1024) } else { bytes.to_string() };
        json::json!({
            "cpu": Quantity::from_milli(self.cpu_milli).to_string(),
            "memory": shown(memory_bytes),
            "ephemeral-storage": shown(storage_bytes),
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "pods": self.pods_max.to_string(),
        })
    }
}

/// What a hard threshold leaves (`hardEvictionReservation`).
fn rest(capacity: i64, threshold: Option<Threshold>) -> i64 {
    let kept_back = threshold.map_or(0, |threshold| threshold.of(capacity).value());
    capacity.saturating_sub(kept_back).max(0)
}
