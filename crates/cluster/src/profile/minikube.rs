//! `minikube start`: one node that does everything. What the other profiles share with it is here, too.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use runtime::pace::Pace;
use simulation::Time;

use super::{Birth, Machine, Profile};

/// The profile.
pub(super) static PROFILE: Profile = BASE;

/// What the profiles in minikube's shape begin with.
pub(super) const BASE: Profile = Profile {
    name: "minikube",
    cluster: minikube::DEFAULT_PROFILE,
    nodes: 1,
    nodes_max: 200,
    control_planes: 1,
    is_control_plane_tainted: false,
    cpus: 2,
    memory_kib: 4_194_304,
    disk_kib: 20_971_520,
    eviction_hard: kubelet::EvictionHard::MINIKUBE,
    pods_max: 110,
    host: "192.168.49.2",
    api_port: 8443,
    managed_at: None,
    is_published: false,
    is_minikube: true,
    context: str::to_owned,
    namespace: Some("default"),
    version: "v1.36.3",
    kubelet_version: "v1.36.3",
    os_image: "Debian GNU/Linux 12 (bookworm)",
    container_runtime: "docker://28.4.0",
    services: (Ipv4Addr::new(10, 96, 0, 0), 12),
    dns: Ipv4Addr::new(10, 96, 0, 10),
    dns_replicas: 1,
    has_pod_ranges: true,
    machine,
    labels,
    pace: Pace::ORDINARY,
    coredns_image: "registry.k8s.io/coredns/coredns:v1.14.2",
    kube_proxy_image: "registry.k8s.io/kube-proxy:v1.36.3",
    system: &["all", "kubeadm", "minikube"],
    storage_class: STORAGE_CLASS,
    without: &["service-lb-controller"],
    cloud: None,
};

/// minikube's class: a folder of the node for each claim.
pub(super) const STORAGE_CLASS: &str = apiserver::MINIKUBE_STORAGE_CLASS;

/// Addresses of one node's pods.
const PODS_PER_NODE: u32 = 256;

/// Name of the `index`-th node: `minikube`, `minikube-m02`, ... Nodes are in 192.168.49.0/24, each with a /24 of pods.
pub(super) fn machine(cluster: &str, index: u32) -> Machine {
    let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    Machine {
        name: if index == 0 { cluster.to_owned() } else { format!("{cluster}-m{:02}", index + 1) },
        address: Ipv4Addr::new(192, 168, 49, byte(index + 2)),
        external: None,
        pods: Ipv4Addr::new(10, 244, byte(index), 0),
        pod_addresses: PODS_PER_NODE,
        provider_id: String::new(),
        names: None,
    }
}

/// The moment as minikube writes it into a label, where colons may not be: `2026_11_21T02_38_28_0700`. Its layout ends in a
/// time zone without the sign that would make it one, so the digits are always the same.
fn updated_at(now: Time) -> String {
    let now = now.rfc3339();
    format!("{}_0700", now.trim_end_matches('Z').replace(['-', ':'], "_"))
}

pub(super) fn labels(birth: &Birth<'_>) -> BTreeMap<String, String> {
    let updated_at = updated_at(birth.now);
    let mut labels: BTreeMap<String, String> = [
        ("minikube.k8s.io/commit", minikube::COMMIT),
        ("minikube.k8s.io/updated_at", &updated_at),
        ("minikube.k8s.io/name", "minikube"),
        ("minikube.k8s.io/primary", if birth.index == 0 { "true" } else { "false" }),
        ("minikube.k8s.io/version", minikube::VERSION),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    if birth.is_control_plane {
        for role in ["node-role.kubernetes.io/control-plane", "node.kubernetes.io/exclude-from-external-load-balancers"]
        {
            labels.insert(role.to_owned(), String::new());
        }
    }
    labels
}
