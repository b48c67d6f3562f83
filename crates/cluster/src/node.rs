//! The machines of a cluster: each has an address, a container runtime and a kubelet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use api::http::Transport;
use client::Client;
use kubelet::{Kubelet, NodeConfig};
use network::{Fabric, NetNs, Role};
use runtime::cri::{ContainerRuntime, Options, Shared};
use simulation::{Sim, Time};
use vfs::Vfs;

use crate::profile::Profile;
use crate::system;

/// One machine.
struct Node {
    network: NetNs,
    kubelet: Kubelet,
}

/// The machines that are switched on, by name.
#[derive(Clone, Default)]
pub(crate) struct Nodes(Rc<RefCell<BTreeMap<String, Node>>>);

/// What a machine is switched on with.
pub(crate) struct Spec<'a> {
    pub(crate) sim: &'a Sim,
    pub(crate) fabric: &'a Fabric,
    pub(crate) transport: &'a Rc<dyn Transport>,
    pub(crate) shared: &'a Shared,
    pub(crate) profile: &'static Profile,
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) index: u32,
}

impl Nodes {
    /// Switches a machine on; one that is on stays as it is.
    pub(crate) fn start(&self, spec: &Spec<'_>) {
        if self.is_running(&spec.name) {
            return;
        }
        let network = spec.fabric.attach_as(&format!("node/{}", spec.name), &[spec.address], Role::Node);
        let client = Client::new(Rc::clone(spec.transport), "kubelet");
        let options = Options {
            node: spec.name.clone(),
            node_net: network.clone(),
            pod_network: (pod_network(spec.index), PODS_PER_NODE),
            shared: Shared { pace: spec.profile.pace, ..spec.shared.clone() },
        };
        let runtime = Rc::new(ContainerRuntime::new(spec.sim, spec.fabric, options));
        let kubelet = Kubelet::start(spec.sim, &client, runtime, node_config(spec), network.clone());
        set_up(&kubelet.files(), spec);
        self.0.borrow_mut().insert(spec.name.clone(), Node { network, kubelet });
    }

    /// Whether a machine is switched on.
    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.0.borrow().contains_key(name)
    }

    /// Switches one machine off, as if the plug were pulled.
    pub(crate) fn stop(&self, name: &str) {
        let node = self.0.borrow_mut().remove(name);
        if let Some(node) = node {
            node.kubelet.stop();
        }
    }

    /// Switches every machine off, as if the plug were pulled.
    pub(crate) fn stop_all(&self) {
        let nodes = std::mem::take(&mut *self.0.borrow_mut());
        for node in nodes.into_values() {
            node.kubelet.stop();
        }
    }

    /// The files and the network of a machine that is switched on.
    pub(crate) fn machine(&self, name: &str) -> Option<(Vfs, NetNs)> {
        self.0.borrow().get(name).map(|node| (node.kubelet.files(), node.network.clone()))
    }

    /// Removes a folder, on every machine that has it.
    pub(crate) fn remove_folder(&self, path: &str) {
        for node in self.0.borrow().values() {
            // Most machines have no such folder.
            let _ = node.kubelet.files().remove_all(path);
        }
    }

    /// The API of a machine's kubelet.
    pub(crate) fn kubelet(&self, name: &str) -> Option<Rc<dyn Transport>> {
        let nodes = self.0.borrow();
        nodes.get(name).map(|node| Rc::new(node.kubelet.clone()) as Rc<dyn Transport>)
    }

    /// The network of the machine that the control plane runs on: the first by name.
    pub(crate) fn control_plane_network(&self) -> Option<NetNs> {
        self.0.borrow().values().next().map(|node| node.network.clone())
    }
}

/// Where the kubelet looks for static pods.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// Files and folders that every machine has.
fn set_up(files: &Vfs, spec: &Spec<'_>) {
    let release = "NAME=\"Kubonsai\"\nID=kubonsai\nPRETTY_NAME=\"Kubonsai (a simulated machine)\"\n";
    for folder in ["/data", "/etc", "/home/docker", "/lib/modules", "/mnt", "/run", "/tmp", "/var/lib", "/var/log"] {
        // An empty file system has nothing in the way.
        let _ = files.mkdir_all(folder);
    }
    for (path, text) in [("/etc/hostname", format!("{}\n", spec.name)), ("/etc/os-release", release.to_owned())] {
        let _ = files.write(path, text.into_bytes());
    }
    let _ = files.mkdir_all(MANIFESTS);
    if spec.index == 0 {
        for (name, text) in system::files(spec.address, spec.profile.api_port) {
            let _ = files.write(&format!("{MANIFESTS}/{name}"), text.into_bytes());
        }
    }
}

/// Addresses in the pod network of one node.
const PODS_PER_NODE: u32 = 256;

/// First address of the pods of the `index`-th machine: 10.244.0.0, 10.244.1.0, ...
fn pod_network(index: u32) -> Ipv4Addr {
    Ipv4Addr::new(10, 244, u8::try_from(index).unwrap_or(u8::MAX), 0)
}

/// The moment as minikube writes it into a label, where colons may not be: `2026_11_21T02_38_28_0700`. Its layout ends in a
/// time zone without the sign that would make it one, so the digits are always the same.
fn updated_at(now: Time) -> String {
    let now = now.rfc3339();
    format!("{}_0700", now.trim_end_matches('Z').replace(['-', ':'], "_"))
}

fn node_config(spec: &Spec<'_>) -> NodeConfig {
    let bytes = |kib: u64| i64::try_from(kib * 1024).unwrap_or(i64::MAX);
    let mut labels = BTreeMap::new();
    let updated_at = updated_at(spec.sim.now());
    for (key, value) in [
        ("minikube.k8s.io/commit", minikube::COMMIT),
        ("minikube.k8s.io/updated_at", &updated_at),
        ("minikube.k8s.io/name", "minikube"),
        ("minikube.k8s.io/primary", if spec.index == 0 { "true" } else { "false" }),
        ("minikube.k8s.io/version", minikube::VERSION),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    if spec.index == 0 {
        for role in ["node-role.kubernetes.io/control-plane", "node.kubernetes.io/exclude-from-external-load-balancers"]
        {
            labels.insert(role.to_owned(), String::new());
        }
    }
    NodeConfig {
        cpu_milli: i64::from(spec.profile.cpus) * 1_000,
        memory_bytes: bytes(spec.profile.memory_kib),
        ephemeral_storage_bytes: bytes(spec.profile.disk_kib),
        labels,
        ..NodeConfig::minikube(&spec.name, spec.address, &format!("{}/24", pod_network(spec.index)))
    }
}
