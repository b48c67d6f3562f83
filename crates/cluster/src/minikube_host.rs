//! What minikube asks of the world, with the time that each step takes.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use kubelet::EvictionHard;
use minikube::{ClusterHost, ClusterSpec, ClusterStatus, NodeStatus};
use network::NetNs;
use vfs::Vfs;

use crate::lifecycle::{Cluster, Clusters};
use crate::profile::Profile;

/// Virtual time that a simulated machine takes to be made.
const MACHINE_TIME: Duration = Duration::from_millis(1_500);
/// Virtual time from the start of the control plane to its first answer, as measured on a real one (2.6-3.6 s).
const CONTROL_PLANE_TIME: Duration = Duration::from_millis(2_800);
/// Virtual time that a kubelet takes to come up.
const KUBELET_TIME: Duration = Duration::from_millis(600);
/// Virtual time that a machine takes to go down in good order.
const STOP_TIME: Duration = Duration::from_millis(1_200);
/// Virtual time that holding the containers of a machine takes.
const PAUSE_TIME: Duration = Duration::from_millis(400);
/// minikube waits so long for a cluster.
const VERIFY_TIME_MAX: Duration = Duration::from_secs(360);

/// The world's clusters as minikube sees them.
pub(crate) struct MinikubeHost {
    clusters: Clusters,
}

impl MinikubeHost {
    pub(crate) fn new(clusters: Clusters) -> MinikubeHost {
        MinikubeHost { clusters }
    }

    fn done() -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Waits, then acts on a cluster if it is there (still).
    fn after(
        &self,
        time: Duration,
        name: &str,
        act: impl FnOnce(&Clusters, &Rc<Cluster>) + 'static,
    ) -> LocalBoxFuture<'static, ()> {
        let (clusters, name) = (self.clusters.clone(), name.to_owned());
        Box::pin(async move {
            clusters.sim().sleep(time).await;
            if let Some(cluster) = clusters.get(&name) {
                act(&clusters, &cluster);
            }
        })
    }
}

impl ClusterHost for MinikubeHost {
    fn profiles(&self) -> Vec<String> {
        self.clusters.all().iter().filter(|c| c.profile.is_minikube).map(|c| c.name.clone()).collect()
    }

    fn status(&self, name: &str) -> Option<ClusterStatus> {
        let cluster = self.clusters.get(name).filter(|c| c.profile.is_minikube)?;
        let nodes = cluster.machines().into_iter().map(|(index, name, address)| NodeStatus {
            running: cluster.is_node_running(&name),
            control_plane: cluster.profile.is_control_plane(index),
            name,
            address,
        });
        Some(ClusterStatus {
            name: cluster.name.clone(),
            running: cluster.is_running(),
            paused: cluster.is_paused(),
            server: cluster.profile.server_url(),
            cpus: cluster.profile.cpus,
            memory_mib: cluster.profile.memory_kib / 1024,
            nodes: nodes.collect(),
        })
    }

    fn check_kubelet(&self, name: &str, kubelet: &BTreeMap<String, String>) -> Result<(), String> {
        let Some(text) = kubelet.get("eviction-hard") else { return Ok(()) };
        let wanted = EvictionHard::parse(text)?;
        let running = self.clusters.get(name).filter(|cluster| cluster.is_running());
        if running.is_some_and(|cluster| cluster.eviction_hard() != wanted) {
            let refusal = simulation::stub!("minikube start", "--extra-config that changes kubelets that run");
            return Err(format!("{refusal}: stop \"{name}\" first"));
        }
        Ok(())
    }

    fn create(&self, spec: &ClusterSpec) -> LocalBoxFuture<'static, Result<(), String>> {
        let (clusters, spec) = (self.clusters.clone(), spec.clone());
        Box::pin(async move {
            let profile = Profile::find("minikube").ok_or("the profile minikube is gone")?;
            profile.check_room(spec.nodes)?;
            let eviction_hard = spec.kubelet.get("eviction-hard").map(|text| EvictionHard::parse(text)).transpose()?;
            if let Some(other) = clusters.running().filter(|c| c.name != spec.name) {
                let refusal = simulation::stub!("minikube start", "two clusters that run at the same time");
                return Err(format!("{refusal}: stop \"{}\" first", other.name));
            }
            if clusters.get(&spec.name).is_none_or(|c| !c.is_running()) {
                clusters.sim().sleep(MACHINE_TIME).await;
            }
            let cluster = clusters.create(&spec.name, profile, spec.nodes);
            if let Some(eviction_hard) = eviction_hard {
                cluster.set_eviction_hard(eviction_hard);
            }
            Ok(())
        })
    }

    fn start_control_plane(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        if let Some(cluster) = self.clusters.get(name).filter(|c| c.is_running()) {
            cluster.pause(false);
            return Self::done();
        }
        self.after(CONTROL_PLANE_TIME, name, |clusters, cluster| cluster.start_control_plane(clusters))
    }

    fn start_node(&self, name: &str, place: u32) -> LocalBoxFuture<'static, ()> {
        self.after(KUBELET_TIME, name, move |clusters, cluster| {
            if let Some(index) = cluster.machine_at(place) {
                cluster.start_node(clusters, index);
            }
        })
    }

    fn stop_node(&self, name: &str, place: u32) -> LocalBoxFuture<'static, ()> {
        self.after(STOP_TIME, name, move |_, cluster| {
            if let Some(index) = cluster.machine_at(place) {
                cluster.stop_node(index);
            }
        })
    }

    fn add_node(&self, name: &str) -> LocalBoxFuture<'static, Result<String, String>> {
        let (clusters, name) = (self.clusters.clone(), name.to_owned());
        Box::pin(async move {
            clusters.sim().sleep(MACHINE_TIME).await;
            let cluster = clusters.get(&name).ok_or("the cluster has gone")?;
            cluster.add_machine()
        })
    }

    fn delete_node(&self, name: &str, place: u32) -> LocalBoxFuture<'static, ()> {
        self.after(STOP_TIME, name, move |_, cluster| {
            if let Some(index) = cluster.machine_at(place) {
                cluster.remove_machine(index);
            }
        })
    }

    fn verify(&self, name: &str) -> LocalBoxFuture<'static, bool> {
        let (clusters, name) = (self.clusters.clone(), name.to_owned());
        Box::pin(async move {
            let sim = clusters.sim().clone();
            let ready = async {
                // Woken by every change that the watches bring.
                while clusters.get(&name).is_some_and(|c| !c.is_ready()) {
                    clusters.next_change().await;
                }
            };
            sim.timeout(VERIFY_TIME_MAX, ready).await.is_ok()
        })
    }

    fn stop(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        self.after(STOP_TIME, name, |clusters, cluster| cluster.stop(clusters))
    }

    fn pause(&self, name: &str, is_on: bool) -> LocalBoxFuture<'static, ()> {
        self.after(PAUSE_TIME, name, move |_, cluster| cluster.pause(is_on))
    }

    fn log_in(&self, name: &str, place: u32) -> Option<(Vfs, NetNs)> {
        let cluster = self.clusters.get(name)?;
        cluster.node_machine(cluster.machine_at(place)?)
    }

    fn delete(&self, name: &str) -> LocalBoxFuture<'static, ()> {
        let name_too = name.to_owned();
        self.after(STOP_TIME, name, move |clusters, _| clusters.delete(&name_too))
    }
}
