//! What minikube needs from the world.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use futures_util::future::LocalBoxFuture;
use network::NetNs;
use vfs::Vfs;

/// A cluster to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSpec {
    /// Name of the profile.
    pub name: String,
    /// Machines.
    pub nodes: u32,
    /// What the kubelets are told besides, by the names of their flags.
    pub kubelet: BTreeMap<String, String>,
}

/// A machine of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Name.
    pub name: String,
    /// Address.
    pub address: Ipv4Addr,
    /// The first machine runs the control plane.
    pub control_plane: bool,
    /// It is switched on, and its kubelet runs.
    pub running: bool,
}

/// A cluster as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterStatus {
    /// Name of the profile.
    pub name: String,
    /// The API server answers.
    pub running: bool,
    /// The control plane and the kubelets are held; containers run.
    pub paused: bool,
    /// As a kubeconfig names the server.
    pub server: String,
    /// CPUs of a machine.
    pub cpus: u32,
    /// Memory of a machine, in MiB.
    pub memory_mib: u64,
    /// The machines, the first one first.
    pub nodes: Vec<NodeStatus>,
}

/// The world's clusters. Each step completes when it is really done.
pub trait ClusterHost {
    /// The names of all clusters.
    fn profiles(&self) -> Vec<String>;

    /// How a cluster stands; none if there is none of that name.
    fn status(&self, name: &str) -> Option<ClusterStatus>;

    /// Whether the kubelets of a cluster can be told what `kubelet` says, by the names of their flags.
    ///
    /// # Errors
    /// What is wrong with it, or that kubelets run which were told something else.
    fn check_kubelet(&self, name: &str, kubelet: &BTreeMap<String, String>) -> Result<(), String>;

    /// Makes the machines of a cluster (or leaves those that are there).
    ///
    /// # Errors
    /// Why the world cannot have it, as a sentence.
    fn create(&self, spec: &ClusterSpec) -> LocalBoxFuture<'static, Result<(), String>>;

    /// Starts the control plane; completes when the API server answers.
    fn start_control_plane(&self, name: &str) -> LocalBoxFuture<'static, ()>;

    /// Switches a machine on (counted from 0 among those that are there); completes when its kubelet has registered it.
    fn start_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()>;

    /// Switches one machine off, as if the plug were pulled.
    fn stop_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()>;

    /// Adds a machine to a cluster, switched off; its name.
    ///
    /// # Errors
    /// Why the world cannot have it, as a sentence.
    fn add_node(&self, name: &str) -> LocalBoxFuture<'static, Result<String, String>>;

    /// Switches a machine off (counted from 0 among those that are there) and forgets it.
    fn delete_node(&self, name: &str, index: u32) -> LocalBoxFuture<'static, ()>;

    /// Completes when every node is Ready and pods can be created; false if that took more than six minutes.
    fn verify(&self, name: &str) -> LocalBoxFuture<'static, bool>;

    /// Switches a cluster off; its objects stay.
    fn stop(&self, name: &str) -> LocalBoxFuture<'static, ()>;

    /// Holds the control plane and the kubelets, or lets them go on.
    fn pause(&self, name: &str, is_on: bool) -> LocalBoxFuture<'static, ()>;

    /// The files and the network of a machine (counted from 0 among those that are there) that is switched on.
    fn log_in(&self, name: &str, index: u32) -> Option<(Vfs, NetNs)>;

    /// Switches a cluster off and forgets it.
    fn delete(&self, name: &str) -> LocalBoxFuture<'static, ()>;
}
