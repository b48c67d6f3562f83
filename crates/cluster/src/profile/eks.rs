//! A cluster of Amazon EKS as eksctl makes one: the control plane is somebody else's, nodes are instances of a managed node group
//! in a VPC, and Services of type LoadBalancer get a name on the internet.
//!
//! Upstream: docs.aws.amazon.com/eks, the AWS cloud provider, the Amazon VPC CNI plugin.
//!
//! Differences: no program `aws`, so the kubeconfig's user needs no token; no EBS driver, as in a cluster without that add-on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use runtime::pace::Pace;

use super::{Birth, Machine, Profile, minikube};

const REGION: &str = "us-west-2";
/// The account of documentation.
const ACCOUNT: &str = "111122223333";
/// What the managed node group is called.
const NODE_GROUP: &str = "ng-1";

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "eks",
    cluster: "kubonsai",
    nodes: 2,
    control_planes: 0,
    // An m5.large.
    cpus: 2,
    memory_kib: 7_934_576,
    disk_kib: 83_873_772,
    // Those of the Amazon Linux image (nodeadm): images have none of their own.
    eviction_hard: kubelet::EvictionHard { imagefs: None, imagefs_inodes: None, ..kubelet::EvictionHard::UPSTREAM },
    pods_max: 29,
    host: "6f1c2b7a40d94e5c8a3be0d7519f24c6.gr7.us-west-2.eks.amazonaws.com",
    api_port: 443,
    managed_at: Some(Ipv4Addr::new(192, 168, 30, 117)),
    is_minikube: false,
    context,
    namespace: None,
    version: "v1.36.3-eks-5d4a308",
    kubelet_version: "v1.36.3-eks-a737599",
    os_image: "Amazon Linux 2023.8.20250721",
    container_runtime: "containerd://1.7.27",
    services: (Ipv4Addr::new(10, 100, 0, 0), 16),
    dns: Ipv4Addr::new(10, 100, 0, 10),
    dns_replicas: 2,
    has_pod_ranges: false,
    machine,
    labels,
    pace: Pace::ORDINARY,
    coredns_image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/coredns:v1.14.2-eksbuild.1",
    kube_proxy_image: "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/kube-proxy:v1.36.3-minimal-eksbuild.2",
    system: &["all", "eks"],
    storage_class: include_str!("gp2.json"),
    without: &["node-ipam-controller", "minikube-hostpath"],
    cloud: Some(controllers::Cloud { region: REGION }),
    ..minikube::BASE
};

fn context(cluster: &str) -> String {
    format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{cluster}")
}

/// A zone, its number in the account, and the third byte with which its network (/19) begins. The network in which the
/// learner's machine stands is left out.
const ZONES: [(&str, &str, u8); 3] =
    [("us-west-2a", "usw2-az1", 0), ("us-west-2b", "usw2-az2", 64), ("us-west-2c", "usw2-az3", 128)];
/// Addresses of one node's pods: more than the network interfaces of the instance hold.
const PODS_PER_NODE: u32 = 64;
/// Of a zone's network this many /24 are for nodes, the others for pods.
const NODE_NETWORKS: u32 = 8;

/// The zone of a machine and its place there.
fn place(index: u32) -> ((&'static str, &'static str, u8), u32) {
    let zones = u32::try_from(ZONES.len()).unwrap_or(1);
    (ZONES[(index % zones) as usize], index / zones)
}

/// A number that looks drawn and is always the same (FNV-1a).
fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn machine(cluster: &str, index: u32) -> Machine {
    let ((zone, _, third), place) = place(index);
    let network = Ipv4Addr::new(192, 168, third, 0).to_bits();
    // A walk with a prime number of steps comes nowhere twice.
    let host = (770 + place * 611 + u32::from(third) * 7) % 2_039 + 4;
    let address = Ipv4Addr::from(network + host);
    let [a, b, c, d] = number(&format!("{cluster}/{index}")).to_be_bytes()[..4] else { unreachable!("eight bytes") };
    let external = Ipv4Addr::new(54, 184 + a % 8, b, c.max(1) ^ (d & 1));
    let dashed = |address: Ipv4Addr| address.to_string().replace('.', "-");
    let name = format!("ip-{}.{REGION}.compute.internal", dashed(address));
    let public = format!("ec2-{}.{REGION}.compute.amazonaws.com", dashed(external));
    Machine {
        address,
        external: Some(external),
        pods: Ipv4Addr::from(network + NODE_NETWORKS * 256 + place * PODS_PER_NODE),
        pod_addresses: PODS_PER_NODE,
        provider_id: format!("aws:///{zone}/i-0{:016x}", number(&name)),
        names: Some((name.clone(), public)),
        name,
    }
}

fn labels(birth: &Birth<'_>) -> BTreeMap<String, String> {
    let ((zone, zone_id, _), _) = place(birth.index);
    [
        ("alpha.eksctl.io/cluster-name", birth.cluster),
        ("alpha.eksctl.io/nodegroup-name", NODE_GROUP),
        ("beta.kubernetes.io/instance-type", "m5.large"),
        ("eks.amazonaws.com/capacityType", "ON_DEMAND"),
        ("eks.amazonaws.com/nodegroup", NODE_GROUP),
        ("eks.amazonaws.com/nodegroup-image", "ami-0b1c2d3e4f5a60718"),
        ("eks.amazonaws.com/sourceLaunchTemplateId", "lt-07a1c5e9d3b2f4860"),
        ("eks.amazonaws.com/sourceLaunchTemplateVersion", "1"),
        ("failure-domain.beta.kubernetes.io/region", REGION),
        ("failure-domain.beta.kubernetes.io/zone", zone),
        ("node.kubernetes.io/instance-type", "m5.large"),
        ("topology.k8s.aws/zone-id", zone_id),
        ("topology.kubernetes.io/region", REGION),
        ("topology.kubernetes.io/zone", zone),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_called_by_their_addresses() {
        let node = machine("kubonsai", 1);
        assert_eq!(node.address, Ipv4Addr::new(192, 168, 68, 198));
        assert_eq!(node.name, "ip-192-168-68-198.us-west-2.compute.internal");
        assert!(node.provider_id.starts_with("aws:///us-west-2b/i-0"), "{}", node.provider_id);
        assert_eq!(node.provider_id.len(), "aws:///us-west-2b/i-0123456789abcdef0".len());
    }

    #[test]
    fn the_context_is_the_arn() {
        assert_eq!(context("kubonsai"), "arn:aws:eks:us-west-2:111122223333:cluster/kubonsai");
    }
}
