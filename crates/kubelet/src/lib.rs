//! The kubelet: makes a node of a container runtime and runs the pods that are bound to it.
//!
//! Invariants: it acts on what the API server says and tells it what became of that, and nothing else; it sees containers
//! only through [`cri::Runtime`]; what other parts of the cluster ask of it comes through its HTTP API ([`Kubelet`] is a
//! `Transport`).
//!
//! Differences from upstream: no device plugins. Containers are programs of their own memory: one never sees the processes of another, so a shared PID or IPC namespace changes nothing.

mod actions;
mod backoff;
mod config;
pub mod cri;
mod env;
mod env_file;
mod eviction;
mod images;
mod keyring;
pub mod limits;
mod node;
mod pod;
mod probes;
mod server;
mod spec;
mod static_pods;
mod status;
mod volumes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::http::{Request, Response, Transport, TransportError};
use api::{Object, kinds};
use client::{Client, Event, EventRecorder, Informer, ListOptions};
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use network::{Fabric, NetNs, Role};
use simulation::{Sim, Task, Time};
use vfs::Vfs;

pub use config::NodeConfig;
pub use eviction::{EvictionHard, Threshold};

use crate::backoff::BackOff;
use crate::cri::Runtime;
use crate::eviction::{Manager, Pressure};
use crate::images::Images;
use crate::limits::PLEG_RELIST_PERIOD;
use crate::node::Node;
use crate::pod::{Others, Shared, Worker};
use crate::probes::{Prober, Results};
use crate::static_pods::{StaticPods, identity};

/// Pod workers and their tasks by what names the pod here, see [`identity`].
type Workers = Rc<RefCell<BTreeMap<String, (Rc<Worker>, Task<()>)>>>;

/// A running kubelet. Clones are handles to the same one; it runs until [`Kubelet::stop`].
#[derive(Clone)]
pub struct Kubelet(Rc<Inner>);

struct Inner {
    sim: Sim,
    shared: Rc<Shared>,
    net: NetNs,
    pods: Informer,
    static_pods: Rc<StaticPods>,
    workers: Workers,
    tasks: RefCell<Vec<Task<()>>>,
    relist: Rc<Relist>,
    eviction: Rc<Manager>,
    stopped: Cell<bool>,
}

/// Pods whose containers changed since the last look, and when the next look is.
struct Relist {
    sim: Sim,
    origin: Time,
    pending: RefCell<BTreeSet<String>>,
    scheduled: Cell<bool>,
    workers: Workers,
}

impl Relist {
    fn add(self: &Rc<Self>, uid: &str) {
        self.pending.borrow_mut().insert(uid.to_owned());
        if self.scheduled.replace(true) {
            return;
        }
        let relist = Rc::clone(self);
        let period = u64::try_from(PLEG_RELIST_PERIOD.as_nanos()).unwrap_or(1);
        let elapsed = u64::try_from(self.sim.now().saturating_since(self.origin).as_nanos()).unwrap_or(0);
        let next = self.origin + simulation::Duration::from_nanos((elapsed / period + 1) * period);
        self.sim.spawn(async move {
            relist.sim.sleep_until(next).await;
            relist.scheduled.set(false);
            let pending = std::mem::take(&mut *relist.pending.borrow_mut());
            let workers: Vec<Rc<Worker>> = {
                let all = relist.workers.borrow();
                pending.iter().filter_map(|uid| all.get(uid)).map(|(w, _)| Rc::clone(w)).collect()
            };
            workers.iter().for_each(|worker| worker.wake());
        });
    }
}

impl Kubelet {
    /// The files of the machine, as pods see them through hostPath volumes.
    pub fn files(&self) -> Vfs {
        self.0.shared.host.clone()
    }

    /// Registers the node, attaches it to the fabric as `node/<name>`, and starts to run its pods.
    ///
    /// `net` is the node's own network, see [`Kubelet::attach`].
    pub fn start(sim: &Sim, client: &Client, runtime: Rc<dyn Runtime>, config: NodeConfig, net: NetNs) -> Kubelet {
        let client = client.with_user_agent(&format!("kubelet/{}", config.name));
        let recorder = EventRecorder::new(&client, sim, "kubelet", &config.name);
        let workers = Workers::default();
        let relist = Rc::new(Relist {
            sim: sim.clone(),
            origin: sim.now(),
            pending: RefCell::default(),
            scheduled: Cell::new(false),
            workers: Rc::clone(&workers),
        });
        let pressure = Rc::new(Pressure::new(sim.now()));
        let node = Node::new(sim, &client, &config, &runtime, &recorder, &pressure);
        let shared = Rc::new(Shared {
            sim: sim.clone(),
            client: client.clone(),
            runtime: Rc::clone(&runtime),
            recorder: recorder.clone(),
            images: Images {
                sim: sim.clone(),
                node: config.name.clone(),
                runtime: Rc::clone(&runtime),
                recorder: recorder.clone(),
                keyring: keyring::Keyring { client: client.clone() },
                back_off: BackOff::default(),
                last_error: RefCell::default(),
                pulled_with: RefCell::default(),
                changed: {
                    let node = Rc::clone(&node);
                    Rc::new(move || node.touch())
                },
            },
            prober: Prober { sim: sim.clone(), runtime: Rc::clone(&runtime), recorder, net: net.for_routine() },
            results: Results::default(),
            restarts: BackOff::default(),
            services: Informer::start(sim, &client, &kinds::SERVICES, "", ListOptions::default()),
            host: Vfs::new(sim.clone()),
            owners: RefCell::default(),
            relist: {
                let relist = Rc::clone(&relist);
                Rc::new(move |uid: &str| relist.add(uid))
            },
            doubt_node: {
                let node = Rc::clone(&node);
                Rc::new(move || node.doubt())
            },
            admitted: budgets(&workers),
            pressure,
            retry_resizes: retry_resizes(&workers),
            config: config.clone(),
        });
        let selector = ListOptions::fields(format!("spec.nodeName={}", config.name));
        let pods = Informer::start(sim, &client, &kinds::PODS, "", selector);
        let static_pods = StaticPods::new(sim, &client, &config.name, &shared.host, &pods);
        let eviction = Manager::new(sim, &node, &shared, &workers);
        let tasks = vec![
            sim.spawn({
                let (node, static_pods) = (Rc::clone(&node), Rc::clone(&static_pods));
                async move {
                    // Boxed here and below: what only asking takes goes with the answer.
                    Box::pin(node.register()).await;
                    static_pods.look();
                    node.keep_status().await;
                }
            }),
            // Looking at the files with each heartbeat wakes nobody who sleeps.
            sim.spawn(node.keep_lease({
                let (static_pods, eviction) = (Rc::clone(&static_pods), Rc::clone(&eviction));
                move || {
                    static_pods.look();
                    eviction.look();
                }
            })),
        ];
        let kubelet = Kubelet(Rc::new(Inner {
            sim: sim.clone(),
            shared,
            net,
            pods,
            static_pods,
            workers,
            tasks: RefCell::new(tasks),
            relist,
            eviction,
            stopped: Cell::new(false),
        }));
        kubelet.listen();
        kubelet
    }

    /// Makes a node: attaches it to the fabric, gives it a container runtime and starts its kubelet.
    ///
    /// `machines` is what the runtimes of all nodes share. A malformed pod network leaves room for no pod.
    pub fn on_fabric(
        sim: &Sim,
        client: &Client,
        fabric: &Fabric,
        machines: &runtime::cri::Shared,
        config: NodeConfig,
    ) -> Kubelet {
        let net = Kubelet::attach(fabric, &config);
        let options = runtime::cri::Options {
            node: config.name.clone(),
            node_net: net.clone(),
            pod_network: config.pod_network().unwrap_or((std::net::Ipv4Addr::UNSPECIFIED, 0)),
            shared: machines.clone(),
            role: Role::Pod,
        };
        let runtime = runtime::cri::ContainerRuntime::new(sim, fabric, options);
        Kubelet::start(sim, client, Rc::new(runtime), config, net)
    }

    /// Attaches a node to the fabric.
    pub fn attach(fabric: &Fabric, config: &NodeConfig) -> NetNs {
        fabric.attach_as(&format!("node/{}", config.name), &[config.ip], Role::Node)
    }

    fn listen(&self) {
        let weak = Rc::downgrade(&self.0);
        self.0.pods.on_event(move |event| {
            if let Some(inner) = weak.upgrade() {
                inner.on_pod(event);
            }
        });
        let weak = Rc::downgrade(&self.0);
        self.0.shared.runtime.on_change(Rc::new(move |id| {
            if let Some(inner) = weak.upgrade() {
                let owner = inner.shared.owners.borrow().get(id).cloned();
                if let Some(uid) = owner {
                    inner.relist.add(&uid);
                }
            }
        }));
    }

    /// The node's name.
    pub fn node_name(&self) -> &str {
        &self.0.shared.config.name
    }

    /// The node's own network.
    pub fn net(&self) -> &NetNs {
        &self.0.net
    }

    /// The node's own files, as hostPath volumes see them.
    pub fn host_files(&self) -> &Vfs {
        &self.0.shared.host
    }

    /// The node stops, as when its power goes: containers are gone at once and the lease is not renewed any more.
    pub fn stop(&self) {
        if self.0.stopped.replace(true) {
            return;
        }
        self.0.pods.stop();
        self.0.shared.services.stop();
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        tasks.iter().for_each(Task::abort);
        self.0.eviction.stop();
        let workers = std::mem::take(&mut *self.0.workers.borrow_mut());
        let fabric = self.0.net.fabric();
        for (worker, task) in workers.values() {
            task.abort();
            if let Some(sandbox) = worker.sandbox() {
                fabric.unmap_host_ports(sandbox.ip);
            }
        }
        self.0.shared.runtime.kill_all();
        self.0.net.detach();
    }

    fn worker(&self, namespace: &str, name: &str) -> Option<Rc<Worker>> {
        let workers = self.0.workers.borrow();
        let mut all = workers.values().map(|(worker, _)| worker);
        let matches = |w: &&Rc<Worker>| {
            let pod = w.pod();
            pod.namespace() == namespace && pod.name() == name
        };
        all.find(matches).cloned()
    }
}

/// What the pods other than the given one ask of the node.
fn budgets(workers: &Workers) -> Others {
    let workers = Rc::downgrade(workers);
    Rc::new(move |except: &str| {
        let Some(workers) = workers.upgrade() else { return Vec::new() };
        let workers = workers.borrow();
        let others = workers.iter().filter(|(uid, (worker, _))| *uid != except && worker.is_active());
        others.map(|(_, (worker, _))| worker.budget.get()).collect()
    })
}

/// Has the pods looked at again that want more than there was room for, each at its turn.
fn retry_resizes(workers: &Workers) -> Rc<dyn Fn()> {
    let workers = Rc::downgrade(workers);
    Rc::new(move || {
        let Some(workers) = workers.upgrade() else { return };
        let mut waiting: Vec<Rc<Worker>> =
            workers.borrow().values().filter(|(w, _)| w.awaits_room()).map(|(w, _)| Rc::clone(w)).collect();
        waiting.sort_by_cached_key(|worker| worker.turn());
        waiting.iter().for_each(|worker| worker.wake());
    })
}

impl Inner {
    fn on_pod(&self, event: &Event) {
        match event {
            Event::Added(pod) => self.upsert(pod),
            Event::Modified { old, new } => {
                if identity(old) != identity(new) {
                    self.gone(old);
                }
                self.upsert(new);
            }
            Event::Deleted(pod) => self.gone(pod),
        }
    }

    fn gone(&self, pod: &Object) {
        if self.static_pods.outlives(pod) {
            return;
        }
        let worker = self.workers.borrow().get(identity(pod)).map(|(w, _)| Rc::clone(w));
        if let Some(worker) = worker {
            worker.forgotten(pod.clone());
        }
    }

    fn upsert(&self, pod: &Object) {
        if pod.is_deleting() && self.static_pods.wants(pod) {
            self.static_pods.reconcile();
            return;
        }
        let known = self.workers.borrow().get(identity(pod)).map(|(w, _)| Rc::clone(w));
        if let Some(worker) = known {
            worker.update(pod.clone());
            return;
        }
        let worker = Worker::new(&self.shared, pod.clone());
        let (uid, workers) = (worker.uid.clone(), Rc::downgrade(&self.workers));
        let task = self.sim.spawn({
            let worker = Rc::clone(&worker);
            async move {
                let uid = worker.uid.clone();
                worker.run().await;
                if let Some(workers) = workers.upgrade() {
                    let ended = workers.borrow_mut().remove(&uid);
                    drop(ended);
                }
            }
        });
        self.workers.borrow_mut().insert(uid, (worker, task));
    }
}

impl Transport for Kubelet {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        if self.0.stopped.get() {
            return std::future::ready(Err(TransportError::Unreachable)).boxed_local();
        }
        let kubelet = self.clone();
        async move { Ok(server::answer(&kubelet, request).await) }.boxed_local()
    }
}

#[cfg(test)]
mod eviction_tests;
#[cfg(test)]
mod resize_tests;
#[cfg(test)]
mod static_pods_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod volume_tests;
