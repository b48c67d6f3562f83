//! The machines of a cluster: each has an address, a container runtime and a kubelet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::Transport;
use client::Client;
use docker::Daemon;
use kubelet::{EvictionHard, Kubelet, NodeConfig};
use network::{Fabric, NetNs, Role};
use runtime::cri::{ContainerRuntime, Options, Shared};
use simulation::Sim;
use vfs::Vfs;

use crate::profile::{Birth, Machine, Profile};
use crate::system;

/// One machine.
struct Node {
    network: NetNs,
    kubelet: Kubelet,
    runtime: ContainerRuntime,
    /// What docker knows of it, once somebody has asked.
    engine: RefCell<Option<Daemon>>,
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
    pub(crate) eviction_hard: EvictionHard,
    pub(crate) cluster: &'a str,
    pub(crate) machine: Machine,
    pub(crate) index: u32,
}

impl Nodes {
    /// Switches a machine on; one that is on stays as it is.
    pub(crate) fn start(&self, spec: &Spec<'_>) {
        if self.is_running(&spec.machine.name) {
            return;
        }
        let network =
            spec.fabric.attach_as(&format!("node/{}", spec.machine.name), &[spec.machine.address], Role::Node);
        let client = Client::new(Rc::clone(spec.transport), "kubelet");
        let options = Options {
            node: spec.machine.name.clone(),
            node_net: network.clone(),
            pod_network: (spec.machine.pods, spec.machine.pod_addresses),
            shared: spec.shared.at_pace(spec.profile.pace),
            role: Role::Pod,
        };
        let runtime = ContainerRuntime::new(spec.sim, spec.fabric, options);
        let kubelet = Kubelet::start(spec.sim, &client, Rc::new(runtime.clone()), node_config(spec), network.clone());
        set_up(&kubelet.files(), spec);
        self.0
            .borrow_mut()
            .insert(spec.machine.name.clone(), Node { network, kubelet, runtime, engine: RefCell::default() });
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

    /// The container engine of a machine that is switched on.
    pub(crate) fn engine(&self, sim: &Sim, name: &str) -> Option<Daemon> {
        let nodes = self.0.borrow();
        let node = nodes.get(name)?;
        let mut engine = node.engine.borrow_mut();
        let machine = || docker::Machine {
            sim: sim.clone(),
            name: name.to_owned(),
            net: node.network.clone(),
            runtime: node.runtime.clone(),
        };
        Some(engine.get_or_insert_with(|| Daemon::new(machine())).clone())
    }

    /// Makes a folder that everybody may write to, on the machine of the control plane.
    pub(crate) fn make_open_folder(&self, path: &str) {
        const MODE_OPEN: u16 = 0o777;
        if let Some(node) = self.0.borrow().values().next() {
            let files = node.kubelet.files();
            // What is in the way stays, and the kubelet says so when the volume is mounted.
            let _ = files.mkdir_all(path).and_then(|()| files.chmod(path, MODE_OPEN));
        }
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
    for (path, text) in [("/etc/hostname", format!("{}\n", spec.machine.name)), ("/etc/os-release", release.to_owned())]
    {
        let _ = files.write(path, text.into_bytes());
    }
    let _ = files.mkdir_all(MANIFESTS);
    if spec.profile.is_control_plane(spec.index) {
        for (name, text) in system::files(spec.profile, spec.cluster, spec.index) {
            let _ = files.write(&format!("{MANIFESTS}/{name}"), text.into_bytes());
        }
    }
}

fn node_config(spec: &Spec<'_>) -> NodeConfig {
    let bytes = |kib: u64| i64::try_from(kib * 1024).unwrap_or(i64::MAX);
    let (profile, machine) = (spec.profile, &spec.machine);
    let is_control_plane = profile.is_control_plane(spec.index);
    let birth = Birth { cluster: spec.cluster, index: spec.index, now: spec.sim.now(), is_control_plane };
    let length = 32 - machine.pod_addresses.trailing_zeros();
    let pods = if profile.has_pod_ranges { format!("{}/{length}", machine.pods) } else { String::new() };
    let is_tainted = is_control_plane && profile.is_control_plane_tainted;
    let shape = NodeConfig::minikube(&machine.name, machine.address, &pods);
    NodeConfig {
        cpu_milli: i64::from(profile.cpus) * 1_000,
        memory_bytes: bytes(profile.memory_kib),
        ephemeral_storage_bytes: bytes(profile.disk_kib),
        pods_max: profile.pods_max,
        eviction_hard: spec.eviction_hard,
        labels: (profile.labels)(&birth),
        taints: if is_tainted { vec![(CONTROL_PLANE, "NoSchedule")] } else { Vec::new() },
        more_addresses: more_addresses(machine).unwrap_or(shape.more_addresses),
        provider_id: machine.provider_id.clone(),
        os_image: profile.os_image,
        container_runtime: profile.container_runtime,
        cluster_dns: profile.dns,
        version: profile.kubelet_version.to_owned(),
        ..shape
    }
}

/// The label and the taint of nodes with a control plane.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// The addresses of an instance besides its internal one, in the order of the AWS cloud provider.
fn more_addresses(machine: &Machine) -> Option<Vec<(&'static str, String)>> {
    let (inside, outside) = machine.names.as_ref()?;
    Some(vec![
        ("ExternalIP", machine.external?.to_string()),
        ("InternalDNS", inside.clone()),
        ("Hostname", inside.clone()),
        ("ExternalDNS", outside.clone()),
    ])
}
