//! Kinds of clusters, as data: a file each. What differs between them is a field here, so nothing else asks for a name.

mod eks;
mod ha;
mod minikube;
mod recorded;
mod thousand_node;
mod three_node;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use runtime::pace::Pace;
use simulation::Time;

/// A kind of cluster.
#[derive(Debug)]
pub struct Profile {
    /// Its name on command lines.
    pub name: &'static str,
    /// Name of the cluster that is there from the start.
    pub cluster: &'static str,
    /// Nodes unless told otherwise.
    pub nodes: u32,
    /// Nodes that its network can hold.
    pub nodes_max: u32,
    /// How many of the first nodes run the control plane; 0 when somebody else runs it, out of sight.
    pub control_planes: u32,
    /// Whether nodes of the control plane keep other pods away.
    pub is_control_plane_tainted: bool,
    /// CPUs of a node.
    pub cpus: u32,
    /// Memory of a node, in KiB.
    pub memory_kib: u64,
    /// Disk of a node, in KiB.
    pub disk_kib: u64,
    /// Below what its nodes evict pods.
    pub eviction_hard: kubelet::EvictionHard,
    /// Pods of a node at most.
    pub pods_max: i64,
    /// The host in a kubeconfig's server.
    pub host: &'static str,
    /// Port of the API server.
    pub api_port: u16,
    /// Where the API server is for the cluster's own Service, while no node runs it.
    pub managed_at: Option<Ipv4Addr>,
    /// Whether the learner's machine reaches the API server at that port of its own, as with minikube's docker driver on
    /// a desktop, instead of at the node's address.
    pub is_published: bool,
    /// Whether `minikube` on the learner's machine made it: then it knows the cluster.
    pub is_minikube: bool,
    /// What its entries in a kubeconfig are called, from the name of the cluster.
    pub context: fn(cluster: &str) -> String,
    /// The namespace that the context names, if it names one.
    pub namespace: Option<&'static str>,
    /// Version of the API server.
    pub version: &'static str,
    /// Version of the kubelets.
    pub kubelet_version: &'static str,
    /// What nodes say of their operating system.
    pub os_image: &'static str,
    /// What nodes say of their container runtime.
    pub container_runtime: &'static str,
    /// Addresses of Services and the length of their prefix.
    pub services: (Ipv4Addr, u8),
    /// Address of the cluster's DNS.
    pub dns: Ipv4Addr,
    /// Pods that serve DNS.
    pub dns_replicas: u32,
    /// Whether each node has a range of pod addresses of its own in its spec.
    pub has_pod_ranges: bool,
    /// The machine of a number (from 0) in the cluster of a name.
    pub machine: fn(cluster: &str, index: u32) -> Machine,
    /// Labels of a node besides those of every kubelet.
    pub labels: fn(birth: &Birth<'_>) -> BTreeMap<String, String>,
    /// How fast its machines are.
    pub pace: Pace,
    /// Image of CoreDNS.
    pub coredns_image: &'static str,
    /// Image of kube-proxy.
    pub kube_proxy_image: &'static str,
    /// Which of the objects of system/objects.txt it has.
    pub system: &'static [&'static str],
    /// The storage class that it comes with, as JSON.
    pub storage_class: &'static str,
    /// Controllers that it does without.
    pub without: &'static [&'static str],
    /// Who makes load balancers, if anyone does.
    pub cloud: Option<controllers::Cloud>,
}

/// A machine that a profile describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Name of the node.
    pub name: String,
    /// Address in the network of the nodes.
    pub address: Ipv4Addr,
    /// Address on the internet.
    pub external: Option<Ipv4Addr>,
    /// The first address of its pods.
    pub pods: Ipv4Addr,
    /// How many addresses its pods have.
    pub pod_addresses: u32,
    /// `spec.providerID`; empty for none.
    pub provider_id: String,
    /// Names that its addresses have besides the node's: inside and outside.
    pub names: Option<(String, String)>,
}

/// What labels of a node are made from.
pub struct Birth<'a> {
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Number of the machine, from 0.
    pub index: u32,
    /// Now.
    pub now: Time,
    /// Whether it runs the control plane.
    pub is_control_plane: bool,
}

/// Every profile; the next is a file and a row.
pub static PROFILES: &[&Profile] = &[
    &minikube::PROFILE,
    &three_node::PROFILE,
    &eks::PROFILE,
    &ha::PROFILE,
    &recorded::PROFILE,
    &thousand_node::PROFILE,
];

impl Profile {
    /// The profile of that name.
    pub fn find(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().copied().find(|p| p.name == name)
    }

    /// Refuses a number of nodes for which there are no addresses.
    pub(crate) fn check_room(&self, nodes: u32) -> Result<(), String> {
        let most = self.nodes_max;
        if nodes > most { Err(format!("a cluster has at most {most} nodes")) } else { Ok(()) }
    }

    /// Whether the machine of a number runs a control plane.
    pub fn is_control_plane(&self, index: u32) -> bool {
        index < self.control_planes
    }

    /// Whether several machines run the control plane, behind one address.
    pub fn is_highly_available(&self) -> bool {
        self.control_planes > 1
    }

    /// As a kubeconfig names the server.
    pub fn server_url(&self) -> String {
        // The port of https goes without saying.
        if self.api_port == 443 {
            format!("https://{}", self.host)
        } else {
            format!("https://{}:{}", self.host, self.api_port)
        }
    }
}

/// The learner's machine as seen from the nodes: the gateway of their network.
pub(crate) const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 49, 1);

/// The place outside the cluster from which lessons' checks ask, beside the learner's machine. Not the last address of the
/// network, where minikube puts what stands before several API servers.
pub(crate) const PROBE_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 49, 253);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_machine_has_its_own_name_and_addresses() {
        for profile in PROFILES {
            let machines: Vec<Machine> = (0..profile.nodes_max).map(|index| (profile.machine)("c", index)).collect();
            let names: BTreeSet<&str> = machines.iter().map(|m| m.name.as_str()).collect();
            assert_eq!(names.len(), machines.len(), "{}", profile.name);
            let mut taken = BTreeSet::from([HOST_ADDRESS, PROBE_ADDRESS]);
            taken.extend(profile.host.parse::<Ipv4Addr>().ok().filter(|_| profile.is_highly_available()));
            for machine in &machines {
                assert!(taken.insert(machine.address), "{}: {machine:?}", profile.name);
                let first = machine.pods.to_bits();
                for address in first..first + machine.pod_addresses {
                    assert!(taken.insert(Ipv4Addr::from(address)), "{}: {machine:?}", profile.name);
                }
            }
        }
    }

    #[test]
    fn profiles_are_found_by_name() {
        let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
        assert_eq!(names, ["minikube", "three-node", "eks", "ha", "recorded", "thousand-node"]);
        for name in names {
            assert_eq!(Profile::find(name).map(|profile| profile.name), Some(name));
        }
        assert!(Profile::find("kind").is_none());
    }
}
