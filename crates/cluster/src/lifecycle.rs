//! Clusters coming to be, running, stopping and going.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use api::Object;
use api::http::{Transport, TransportError};
use apiserver::{ApiServer, Config};
use client::Client;
use kubelet::EvictionHard;
use machine::{Host, Programs};
use network::{Fabric, NetNs};
use runtime::cri::Shared;
use simulation::{Duration, Sim};
use vfs::Vfs;

use crate::control_plane::{ControlPlane, Far, Hold, Roads, Wires};
use crate::engines::Engines;
use crate::fronts::Fronts;
use crate::guest_program;
use crate::host::WorldHost;
use crate::learner::HOME;
use crate::lines::Lines;
use crate::node::{Nodes, Spec};
use crate::profile::{Machine, Profile};
use crate::revision::Revision;
use crate::seats::Floor;
use crate::view::{USER_AGENT, View};

/// Virtual time after which its other machines join, as they do after `kubeadm init`: what runs in kube-system is on the
/// first machine then.
const JOIN_TIME: Duration = Duration::from_secs(3);

/// A cluster, running or stopped. Its store outlives a stop, as minikube's does.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) profile: &'static Profile,
    /// The machines it has, by their number: one that is deleted leaves a gap.
    machines: RefCell<Vec<u32>>,
    /// Below what its machines evict pods.
    eviction_hard: Cell<EvictionHard>,
    api: ApiServer,
    nodes: Nodes,
    hold: Hold,
    fronts: Fronts,
    running: RefCell<Option<Running>>,
}

/// What exists only while a cluster runs.
struct Running {
    plane: ControlPlane,
    view: View,
}

struct Inner {
    sim: Sim,
    fabric: Fabric,
    revision: Revision,
    clusters: RefCell<BTreeMap<String, Rc<Cluster>>>,
    machine: RefCell<Option<Vfs>>,
    containers: Shared,
    lines: Lines,
}

/// All clusters of a world, by minikube profile.
#[derive(Clone)]
pub(crate) struct Clusters(Rc<Inner>);

impl Clusters {
    pub(crate) fn new(sim: &Sim, fabric: &Fabric, revision: &Revision, lines: Lines, containers: Shared) -> Clusters {
        Clusters(Rc::new(Inner {
            sim: sim.clone(),
            fabric: fabric.clone(),
            revision: revision.clone(),
            clusters: RefCell::default(),
            machine: RefCell::default(),
            containers,
            lines,
        }))
    }

    /// What the machines of the world have in common.
    pub(crate) fn containers(&self) -> Shared {
        self.0.containers.clone()
    }

    /// The container engine of the machine with an address, if it is switched on.
    pub(crate) fn engine_at(&self, address: Ipv4Addr) -> Option<docker::Daemon> {
        let cluster = self.running()?;
        let (_, name, _) = cluster.machines().into_iter().find(|(_, _, own)| *own == address)?;
        cluster.nodes.engine(&self.0.sim, &name)
    }

    /// The simulation.
    pub(crate) fn sim(&self) -> &Sim {
        &self.0.sim
    }

    /// The way from the learner's machine to API servers.
    pub(crate) fn host(&self) -> Rc<dyn Host> {
        Rc::new(WorldHost { clusters: self.clone() })
    }

    /// What is installed on the learner's machine.
    pub(crate) fn programs(&self) -> Programs {
        let mut programs = Programs::new();
        shell::install(&mut programs);
        guest_program::install(&mut programs, &self.0.containers);
        programs.install(Rc::new(kubectl::place::Kubectl::new()));
        programs.install(Rc::new(docker::Docker::new(Rc::new(Engines::new(self.clone())))));
        minikube::install(&mut programs, Rc::new(crate::minikube_host::MinikubeHost::new(self.clone())));
        programs
    }

    /// Says where the learner's files are: the kubeconfig goes there.
    pub(crate) fn set_machine(&self, fs: &Vfs) {
        *self.0.machine.borrow_mut() = Some(fs.clone());
    }

    /// The learner's files.
    pub(crate) fn machine(&self) -> Option<Vfs> {
        self.0.machine.borrow().clone()
    }

    /// A cluster by name.
    pub(crate) fn get(&self, name: &str) -> Option<Rc<Cluster>> {
        self.0.clusters.borrow().get(name).cloned()
    }

    /// All clusters, by name.
    pub(crate) fn all(&self) -> Vec<Rc<Cluster>> {
        self.0.clusters.borrow().values().cloned().collect()
    }

    /// The cluster that runs. One network has room for one at a time.
    pub(crate) fn running(&self) -> Option<Rc<Cluster>> {
        self.0.clusters.borrow().values().find(|c| c.is_running()).cloned()
    }

    /// Makes a cluster of `profile` under its own name and switches it on, without the pauses of `minikube start`.
    pub(crate) fn boot(&self, profile: &'static Profile, nodes: u32) -> Result<(), String> {
        profile.check_room(nodes)?;
        let cluster = self.create(profile.cluster, profile, nodes);
        cluster.start_control_plane(self);
        cluster.start_node(self, 0);
        let (clusters, joined) = (self.clone(), Rc::downgrade(&cluster));
        self.0.sim.spawn(async move {
            clusters.sim().sleep(JOIN_TIME).await;
            if let Some(cluster) = joined.upgrade().filter(|c| c.is_running()) {
                (1..nodes).for_each(|index| cluster.start_node(&clusters, index));
            }
        });
        let fs = self.machine().ok_or("the machine has no files yet")?;
        let path = minikube::kubeconfig::path(|name| (name == "HOME").then_some(HOME));
        let context = (profile.context)(&cluster.name);
        minikube::kubeconfig::write(&fs, &path, &context, &profile.server_url(), profile.namespace)
    }

    /// Makes a cluster that is switched off. One that is there under this name stays as it is.
    pub(crate) fn create(&self, name: &str, profile: &'static Profile, nodes: u32) -> Rc<Cluster> {
        if let Some(cluster) = self.get(name) {
            return cluster;
        }
        let machines = Nodes::default();
        let config = Config {
            service_cidr: profile.services,
            address: format!(
                "{}:{}",
                profile.managed_at.unwrap_or((profile.machine)(name, 0).address),
                profile.api_port
            ),
            version: profile.version.to_owned(),
            storage_class: profile.storage_class,
            nodes: Rc::new(Wires { nodes: machines.clone() }),
        };
        let cluster = Rc::new(Cluster {
            name: name.to_owned(),
            profile,
            machines: RefCell::new((0..nodes).collect()),
            eviction_hard: Cell::new(profile.eviction_hard),
            api: ApiServer::new(self.0.sim.clone(), config),
            nodes: machines,
            hold: Hold::default(),
            fronts: Fronts::default(),
            running: RefCell::default(),
        });
        self.0.clusters.borrow_mut().insert(name.to_owned(), Rc::clone(&cluster));
        cluster
    }

    /// Switches a cluster off and forgets it.
    pub(crate) fn delete(&self, name: &str) {
        let cluster = self.0.clusters.borrow_mut().remove(name);
        if let Some(cluster) = cluster {
            cluster.stop(self);
        }
    }

    /// Switches everything off and forgets it: the world ends. What runs in a cluster reaches its API server, which reaches its
    /// machines: a circle that would keep them for ever.
    pub(crate) fn end(&self) {
        let clusters = std::mem::take(&mut *self.0.clusters.borrow_mut());
        for cluster in clusters.values() {
            cluster.stop(self);
            cluster.nodes.stop_all();
        }
        let machine = self.0.machine.take();
        drop(machine);
    }

    /// The API server at an address, as a connection from the learner's machine finds it.
    pub(crate) fn api_at(&self, address: &str, port: &str) -> Result<Rc<dyn Transport>, TransportError> {
        let running = self.running();
        // Nothing else on the learner's machine serves an API.
        if address == "localhost" || address.starts_with("127.") {
            let published = running.filter(|c| c.profile.is_published && port == c.profile.api_port.to_string());
            return published.map(|c| c.outside(self)).ok_or(TransportError::Refused);
        }
        match running {
            Some(cluster) if cluster.profile.host == address && port == cluster.profile.api_port.to_string() => {
                Ok(cluster.outside(self))
            }
            Some(cluster) if cluster.profile.host == address => Err(TransportError::Refused),
            Some(cluster) => cluster.api_on(self, address, port),
            None => Err(TransportError::Unreachable),
        }
    }

    /// The API server of the running cluster.
    pub(crate) fn transport(&self) -> Option<Rc<dyn Transport>> {
        self.running().map(|cluster| cluster.transport())
    }

    /// The objects of a kind, as the running cluster's watches show them.
    pub(crate) fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        self.running().map(|c| c.objects(api_version, kind, namespace)).unwrap_or_default()
    }

    /// Whether the running cluster has all its nodes Ready, and pods can be created in `default`.
    pub(crate) fn is_ready(&self) -> bool {
        self.running().is_some_and(|cluster| cluster.is_ready())
    }

    /// Completes when something that can be seen has changed.
    pub(crate) async fn next_change(&self) {
        self.0.revision.next().await;
    }

    fn changed(&self) {
        self.0.revision.raise();
    }
}

impl Cluster {
    /// The machine of a number.
    fn machine(&self, index: u32) -> Machine {
        (self.profile.machine)(&self.name, index)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.borrow().is_some()
    }

    /// Number, name and address of each machine.
    pub(crate) fn machines(&self) -> Vec<(u32, String, Ipv4Addr)> {
        let described = |index: &u32| {
            let machine = self.machine(*index);
            (*index, machine.name, machine.address)
        };
        self.machines.borrow().iter().map(described).collect()
    }

    /// The number of the machine in the `place`-th place of [`Cluster::machines`].
    pub(crate) fn machine_at(&self, place: u32) -> Option<u32> {
        self.machines.borrow().get(place as usize).copied()
    }

    /// One more machine, switched off; its name, or why there is no room.
    pub(crate) fn add_machine(&self) -> Result<String, String> {
        let mut machines = self.machines.borrow_mut();
        let index = machines.last().map_or(0, |last| last + 1);
        self.profile.check_room(index + 1)?;
        machines.push(index);
        Ok(self.machine(index).name)
    }

    /// Switches a machine off and forgets it.
    pub(crate) fn remove_machine(&self, index: u32) {
        self.stop_node(index);
        self.machines.borrow_mut().retain(|other| *other != index);
    }

    pub(crate) fn transport(&self) -> Rc<dyn Transport> {
        if self.profile.is_highly_available() {
            return self.fronts.way(&self.api, None);
        }
        Rc::new(self.api.clone())
    }

    /// The ways of what runs on a machine of the control plane: to the API server beside it.
    fn roads_at(&self, clusters: &Clusters, index: u32) -> Roads {
        let server = self.fronts.way(&self.api, Some(index));
        Roads::new(&clusters.0.sim, server, &self.hold, &clusters.0.lines)
    }

    /// The API server for the learner's machine.
    fn outside(&self, clusters: &Clusters) -> Rc<dyn Transport> {
        Rc::new(Far { sim: clusters.0.sim.clone(), server: self.transport(), hold: self.hold.clone() })
    }

    /// The API server of one machine among several that have one.
    fn api_on(&self, clusters: &Clusters, address: &str, port: &str) -> Result<Rc<dyn Transport>, TransportError> {
        let found = self.machines().into_iter().find(|(_, _, own)| own.to_string() == address);
        let Some((index, name, _)) = found.filter(|_| self.profile.is_highly_available()) else {
            return Err(TransportError::Unreachable);
        };
        if !self.is_node_running(&name) {
            return Err(TransportError::Unreachable);
        }
        if !self.fronts.is_open(index) || port != self.profile.api_port.to_string() {
            return Err(TransportError::Refused);
        }
        let server = self.fronts.way(&self.api, Some(index));
        Ok(Rc::new(Far { sim: clusters.0.sim.clone(), server, hold: self.hold.clone() }))
    }

    /// Whether the control plane and the kubelets answer nothing and do nothing; containers go on.
    pub(crate) fn is_paused(&self) -> bool {
        self.hold.is_on()
    }

    /// Holds the control plane and the kubelets, or lets them go on.
    pub(crate) fn pause(&self, is_on: bool) {
        self.hold.set(is_on);
    }

    /// The files and the network of a machine that is switched on.
    pub(crate) fn node_machine(&self, index: u32) -> Option<(Vfs, NetNs)> {
        self.nodes.machine(&self.machine(index).name)
    }

    /// The ways of the parts inside to the API server.
    fn roads(&self, clusters: &Clusters) -> Roads {
        Roads::new(&clusters.0.sim, self.transport(), &self.hold, &clusters.0.lines)
    }

    /// Does something to the control plane, if it runs.
    #[cfg(feature = "faults")]
    pub(crate) fn with_plane(&self, clusters: &Clusters, act: impl FnOnce(&mut ControlPlane, &Sim, &Roads)) {
        if let Some(running) = self.running.borrow_mut().as_mut() {
            act(&mut running.plane, &clusters.0.sim, &self.roads(clusters));
        }
    }

    /// Starts API server, controllers, scheduler, kube-proxy and DNS, and the page's watches.
    pub(crate) fn start_control_plane(&self, clusters: &Clusters) {
        if self.is_running() {
            return;
        }
        let Clusters(inner) = clusters;
        let floor = self.profile.is_highly_available().then(|| Floor {
            sim: inner.sim.clone(),
            api: self.api.clone(),
            fronts: self.fronts.clone(),
            profile: self.profile,
            cluster: self.name.clone(),
        });
        let roads = self.roads(clusters);
        let plane = ControlPlane::start(&inner.sim, &inner.fabric, &roads, &self.nodes, self.profile, floor);
        let client = Client::new(self.transport(), USER_AGENT);
        let view = View::start(&clusters.0.sim, &client, &clusters.0.revision);
        *self.running.borrow_mut() = Some(Running { plane, view });
        clusters.changed();
    }

    /// Below what machines that are switched on evict pods.
    pub(crate) fn eviction_hard(&self) -> EvictionHard {
        self.eviction_hard.get()
    }

    /// Machines that are switched on from now on evict pods below this.
    pub(crate) fn set_eviction_hard(&self, eviction_hard: EvictionHard) {
        self.eviction_hard.set(eviction_hard);
    }

    /// Switches the `index`-th machine on.
    pub(crate) fn start_node(&self, clusters: &Clusters, index: u32) {
        let machine = self.machine(index);
        if self.profile.is_control_plane(index)
            && let Some(running) = self.running.borrow_mut().as_mut()
            && let Some(seats) = running.plane.seats()
        {
            seats.start(index, &machine.name, &self.roads_at(clusters, index));
        }
        self.nodes.start(&Spec {
            sim: &clusters.0.sim,
            fabric: &clusters.0.fabric,
            transport: &self.roads(clusters).of(&format!("node/{}", machine.name)),
            shared: &clusters.0.containers,
            profile: self.profile,
            eviction_hard: self.eviction_hard.get(),
            cluster: &self.name,
            machine,
            index,
        });
    }

    /// Whether a machine is switched on.
    pub(crate) fn is_node_running(&self, name: &str) -> bool {
        self.nodes.is_running(name)
    }

    /// Switches the `index`-th machine off, as if the plug were pulled.
    pub(crate) fn stop_node(&self, index: u32) {
        self.nodes.stop(&self.machine(index).name);
        if let Some(running) = self.running.borrow_mut().as_mut()
            && let Some(seats) = running.plane.seats()
        {
            seats.stop(index);
        }
    }

    /// Switches everything off; the store stays.
    pub(crate) fn stop(&self, clusters: &Clusters) {
        let running = self.running.borrow_mut().take();
        if let Some(mut running) = running {
            self.nodes.stop_all();
            running.view.stop();
            running.plane.stop();
        }
        self.hold.set(false);
        clusters.changed();
    }

    pub(crate) fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        let running = self.running.borrow();
        running.as_ref().map(|r| r.view.objects(api_version, kind, namespace)).unwrap_or_default()
    }

    /// Nodes whose condition Ready is True.
    pub(crate) fn ready_nodes(&self) -> usize {
        let is_ready = |node: &Object| {
            node.list("status.conditions").iter().any(|c| {
                let field = |name: &str| c.get(name).and_then(|v| v.as_str());
                field("type") == Some("Ready") && field("status") == Some("True")
            })
        };
        self.objects("v1", "Node", "*").iter().filter(|node| is_ready(node)).count()
    }

    /// Whether every node is Ready and pods can be created in `default`.
    pub(crate) fn is_ready(&self) -> bool {
        let has_account = self.objects("v1", "ServiceAccount", "default").iter().any(|a| a.name() == "default");
        has_account && self.ready_nodes() == self.machines.borrow().len()
    }
}
