//! Ending pods that take more storage than they said, or that a node has no room for any more (`pkg/kubelet/eviction`).
//!
//! Looked at every ten seconds as upstream, with each renewal of the lease, so that no timer is there for it. What a node takes
//! is kept by who takes it: nothing is walked through, and a pod without limits is not measured.
//!
//! Differences: there are no soft thresholds; containers of a pod that is over stay until its node needs the room or the pod goes;
//! images and containers share the node's disk; a pod that is being deleted is left to its own grace period; while the API server
//! cannot be reached nothing is evicted.

mod pressure;
mod rank;
mod storage;
mod thresholds;
mod usage;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use api::Object;
use json::{Value, json};
use simulation::{Sim, Task, Time};

use crate::limits::{POD_CLEANUP_POLL, POD_CLEANUP_TIMEOUT};
use crate::node::Node;
use crate::pod::{Shared, Worker, is_critical};

pub(crate) use pressure::{Condition, Pressure};
pub use thresholds::{EvictionHard, Threshold};
pub(crate) use usage::{ContainerUsage, PodUsage, VolumeUsage, is_ephemeral, limits_storage};

use pressure::{Met, Resource};

/// The resource that layers, logs and emptyDirs take.
pub(crate) const STORAGE: &str = "ephemeral-storage";

type Workers = RefCell<BTreeMap<String, (Rc<Worker>, Task<()>)>>;

/// Looks after one node.
pub(crate) struct Manager {
    sim: Sim,
    node: Rc<Node>,
    shared: Rc<Shared>,
    workers: Weak<Workers>,
    /// Pods that were evicted are waited for.
    is_waiting: Cell<bool>,
    /// What waits for them.
    waiting: RefCell<Option<Task<()>>>,
}

impl Manager {
    pub(crate) fn new(sim: &Sim, node: &Rc<Node>, shared: &Rc<Shared>, workers: &Rc<Workers>) -> Rc<Manager> {
        let (sim, node, shared) = (sim.clone(), Rc::clone(node), Rc::clone(shared));
        let (workers, is_waiting, waiting) = (Rc::downgrade(workers), Cell::new(false), RefCell::default());
        Rc::new(Manager { sim, node, shared, workers, is_waiting, waiting })
    }

    /// Evicts nothing any more. It may not look again.
    pub(crate) fn stop(&self) {
        if let Some(task) = self.waiting.take() {
            task.abort();
        }
    }

    /// Ten seconds have passed.
    pub(crate) fn look(self: &Rc<Self>) {
        if self.is_waiting.get() {
            return;
        }
        let evicted = self.synchronize();
        if evicted.is_empty() {
            return;
        }
        self.is_waiting.set(true);
        let manager = Rc::clone(self);
        let task = self.sim.spawn(async move { manager.go_on(evicted).await });
        self.waiting.replace(Some(task));
    }

    /// Looks again as soon as what was evicted has given back what it had, until there is enough.
    async fn go_on(self: Rc<Self>, mut evicted: Vec<Rc<Worker>>) {
        while !evicted.is_empty() {
            let deadline = self.sim.now() + POD_CLEANUP_TIMEOUT;
            while self.sim.now() < deadline && !evicted.iter().all(|worker| worker.has_stopped()) {
                self.sim.sleep(POD_CLEANUP_POLL).await;
            }
            evicted = self.synchronize();
        }
        self.is_waiting.set(false);
    }

    /// Pods that could be evicted, of those that are asked for.
    fn active(&self, is_meant: impl Fn(&Worker) -> bool) -> Vec<Rc<Worker>> {
        let Some(workers) = self.workers.upgrade() else { return Vec::new() };
        let workers = workers.borrow();
        let meant = workers.values().map(|(worker, _)| worker).filter(|worker| is_meant(worker));
        meant.filter(|worker| worker.may_be_evicted()).cloned().collect()
    }

    /// One round (`synchronize`). Gives the pods that it evicted.
    fn synchronize(&self) -> Vec<Rc<Worker>> {
        let met = self.observe();
        let evicted = self.evict_by_own_limits();
        if !evicted.is_empty() {
            return evicted;
        }
        self.relieve(&met).into_iter().collect()
    }

    fn observe(&self) -> Vec<Met> {
        let config = &self.shared.config;
        let is_watched = config.eviction_hard != EvictionHard::default();
        let met = if is_watched { pressure::met(config, self.node_usage()) } else { Vec::new() };
        let changed = self.shared.pressure.observe(&met, self.sim.now());
        self.node.tell_pressure(&changed);
        if !changed.is_empty() {
            self.node.touch();
        }
        met
    }

    /// What containers, images, volumes and the node's own files take. What volumes of a pod that is over held is given back.
    fn node_usage(&self) -> crate::cri::NodeUsage {
        let mut usage = self.shared.runtime.usage();
        let host = self.shared.host.usage();
        usage.disk_bytes += host.bytes;
        usage.inodes += host.nodes as u64;
        if let Some(workers) = self.workers.upgrade() {
            for (worker, _) in workers.borrow().values().filter(|(worker, _)| !worker.has_stopped()) {
                let (bytes, inodes) = worker.volumes_usage();
                usage.disk_bytes += bytes;
                usage.inodes += inodes;
            }
        }
        usage
    }

    /// Pods that take more storage than they said they would (`localStorageEviction`).
    fn evict_by_own_limits(&self) -> Vec<Rc<Worker>> {
        let mut limited = self.active(|worker| worker.limits_storage);
        let excess = |worker: &Rc<Worker>| {
            let message = storage::excess(&worker.pod(), &worker.usage()?)?;
            self.evict(worker, message, &[], None)
        };
        limited.retain(|worker| excess(worker).is_some());
        limited
    }

    /// Makes room, if there is too little: by what the node can do without, or else by one pod.
    fn relieve(&self, met: &[Met]) -> Option<Rc<Worker>> {
        let first = met.first()?;
        let resource = first.resource;
        let message = format!("Attempting to reclaim {}", resource.name());
        self.shared.recorder.event(&self.node.reference(), "Warning", "EvictionThresholdMet", &message);
        if matches!(resource, Resource::Storage | Resource::Inodes) {
            self.remove_unused();
            self.node.touch();
            if pressure::met(&self.shared.config, self.node_usage()).is_empty() {
                return None;
            }
        }
        let mut ranked: Vec<(Rc<Worker>, Object, Option<PodUsage>)> = self
            .active(|_| true)
            .into_iter()
            .map(|worker| (Rc::clone(&worker), worker.pod(), worker.usage()))
            .collect();
        ranked.sort_by_cached_key(|(_, pod, usage)| rank::turn(resource, pod, usage.as_ref()));
        ranked.iter().find_map(|(worker, pod, usage)| {
            let (message, annotations) = rank::words(pod, usage.as_ref(), first);
            let condition = disruption(pod, &message, self.sim.now());
            self.evict(worker, message, &annotations, Some(condition)).map(|()| Rc::clone(worker))
        })
    }

    /// Removes what the node can do without: containers of pods that are over, then images
    /// (`containerGC.DeleteAllUnusedContainers`, `imageGC.DeleteUnusedImages`).
    fn remove_unused(&self) {
        let Some(workers) = self.workers.upgrade() else { return };
        let all: Vec<Rc<Worker>> = workers.borrow().values().map(|(worker, _)| Rc::clone(worker)).collect();
        all.iter().filter(|worker| worker.has_stopped()).for_each(|worker| worker.remove_containers());
        let mounted: BTreeSet<String> = all.iter().flat_map(|worker| worker.mounted_images()).collect();
        self.shared.runtime.remove_unused_images(&mounted);
    }

    /// Evicts a pod, unless the node cannot do without it.
    fn evict(
        &self,
        worker: &Rc<Worker>,
        message: String,
        annotations: &[(&str, String)],
        condition: Option<Value>,
    ) -> Option<()> {
        (!is_critical(&worker.pod())).then(|| worker.evict(message, annotations, condition))
    }
}

/// The condition that says that the pod was ended for a cause that is not its own.
fn disruption(pod: &Object, message: &str, now: Time) -> Value {
    json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "TerminationByKubelet",
        "message": message,
        "observedGeneration": pod.generation(),
        "lastProbeTime": null,
        "lastTransitionTime": now.rfc3339(),
    })
}
