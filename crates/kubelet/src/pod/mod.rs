//! One pod on this node: its worker task and what it holds (`pkg/kubelet/pod_workers.go`).
//!
//! A worker sleeps until the pod changes in the API, the runtime or a probe reports something, or a back-off ends.

mod admit;
mod evict;
mod hooks;
mod kill;
mod publish;
mod resize;
mod start;
mod sync;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Poll;

use api::Object;
use client::{Client, EventRecorder, Informer};
use json::Value;
use simulation::notify::{Signal, Waiters};
use simulation::{Sim, Time, TraceKind};
use vfs::Vfs;

use crate::NodeConfig;
use crate::actions::{Existing, View};
use crate::backoff::BackOff;
use crate::cri::{Id, Runtime, Sandbox};
use crate::eviction::{self, Pressure};
use crate::images::Images;
use crate::limits::STATUS_RECONCILE_PERIOD;
use crate::probes::{Prober, Probing, Results};
use crate::spec;
use crate::static_pods::identity;
use crate::status::{self, Reasons};
use crate::volumes::Volumes;
use evict::Eviction;
use resize::Resizing;

pub(crate) use admit::{Budget, is_critical};
pub(crate) use evict::EVICTED;
pub(crate) use resize::{Amounts, IN_PROGRESS, PENDING};

/// What the pods other than the one with a given uid ask for.
pub(crate) type Others = Rc<dyn Fn(&str) -> Vec<Budget>>;

/// What all the pods of a node share.
pub(crate) struct Shared {
    pub(crate) sim: Sim,
    pub(crate) client: Client,
    pub(crate) config: NodeConfig,
    pub(crate) runtime: Rc<dyn Runtime>,
    pub(crate) recorder: EventRecorder,
    pub(crate) images: Images,
    pub(crate) prober: Prober,
    pub(crate) results: Results,
    pub(crate) restarts: BackOff,
    pub(crate) services: Informer,
    pub(crate) host: Vfs,
    /// Which pod a container belongs to.
    pub(crate) owners: RefCell<BTreeMap<Id, String>>,
    /// Asks for a look at a pod at the next relist.
    pub(crate) relist: Rc<dyn Fn(&str)>,
    /// Tells that the API may hold another status of the node than it was told.
    pub(crate) doubt_node: Rc<dyn Fn()>,
    /// What the other pods of the node ask for.
    pub(crate) admitted: Others,
    /// What the node is short of.
    pub(crate) pressure: Rc<Pressure>,
    /// Has pods looked at again that want more than there was room for.
    pub(crate) retry_resizes: Rc<dyn Fn()>,
}

/// A container that the worker made.
struct Record {
    name: String,
    id: Id,
    attempt: u32,
    spec_image: String,
    /// What it was made with, or has been given since.
    resources: Value,
    /// Holds the termination message.
    message_file: Option<Vfs>,
    /// The termination message, once the container has ended.
    message: Option<String>,
}

/// One pod.
pub(crate) struct Worker {
    pub(crate) shared: Rc<Shared>,
    /// What names the pod on this node: not the API's uid if the pod is a static one.
    pub(crate) uid: String,
    /// With the resources that were granted, which may be others than the API asks for.
    pod: RefCell<Object>,
    /// What it asks of the node: every pod that comes is held against all of them.
    pub(crate) budget: Cell<Budget>,
    /// While the pod is being resized.
    resizing: RefCell<Option<Box<Resizing>>>,
    /// Whether it says how much storage it may take.
    pub(crate) limits_storage: bool,
    /// Once the node has ended it for its own sake.
    evicted: RefCell<Option<Box<Eviction>>>,
    /// The API has it no more.
    deleted: Cell<bool>,
    /// The API was told that nothing is left.
    released: Cell<bool>,
    dirty: Cell<bool>,
    waiters: Waiters,
    /// Raised when the pod is to end: cancels pulls.
    ending: Signal,
    /// Nothing is started any more.
    terminal: Cell<bool>,
    /// Nothing is started any more, but containers that ran then are still being stopped, or their sandbox is.
    stopping: Cell<bool>,
    sandbox: RefCell<Option<Sandbox>>,
    pod_ip: Cell<Option<Ipv4Addr>>,
    sandboxes: Cell<u32>,
    records: RefCell<Vec<Record>>,
    status: RefCell<Value>,
    published: RefCell<Value>,
    /// Revision of the newest status of ours that the API has answered for.
    told: Cell<u64>,
    /// The API has another status than ours; when that is looked into.
    doubt: Cell<Option<Time>>,
    reasons: RefCell<Reasons>,
    volumes: Volumes,
    mount_pause: Cell<Option<simulation::Duration>>,
    /// When volumes were last refreshed, and what they showed of the pod.
    refreshed: RefCell<Option<(Time, sync::Shown)>>,
    probing: RefCell<BTreeMap<Id, Probing>>,
}

impl Worker {
    pub(crate) fn new(shared: &Rc<Shared>, pod: Object) -> Rc<Worker> {
        let worker = Rc::new(Worker {
            shared: Rc::clone(shared),
            uid: identity(&pod).to_owned(),
            status: RefCell::new(pod.at("status").clone()),
            published: RefCell::new(pod.at("status").clone()),
            budget: Cell::new(Budget::of(&pod)),
            resizing: RefCell::default(),
            limits_storage: eviction::limits_storage(&pod),
            evicted: RefCell::default(),
            pod: RefCell::new(pod),
            deleted: Cell::new(false),
            released: Cell::new(false),
            dirty: Cell::new(true),
            waiters: Waiters::default(),
            ending: Signal::new(),
            terminal: Cell::new(false),
            stopping: Cell::new(false),
            sandbox: RefCell::default(),
            pod_ip: Cell::new(None),
            sandboxes: Cell::new(0),
            records: RefCell::default(),
            told: Cell::new(0),
            doubt: Cell::new(None),
            reasons: RefCell::default(),
            volumes: Volumes::default(),
            mount_pause: Cell::new(None),
            refreshed: RefCell::default(),
            probing: RefCell::default(),
        });
        worker.take_over();
        worker
    }

    pub(crate) fn pod(&self) -> Object {
        self.pod.borrow().clone()
    }

    /// The pod as the API has it now.
    pub(crate) fn update(&self, pod: Object) {
        if pod.is_deleting() {
            self.ending.raise();
        }
        let before = self.in_api();
        self.pod.replace(self.held_back(pod.clone()));
        if before.uid() != pod.uid() {
            // Another mirror of the same static pod: it has to be told everything.
            self.published.replace(pod.at("status").clone());
            self.wake();
        }
        self.compare(&pod);
        // What we wrote ourselves is no news.
        const WATCHED: [&str; 6] = [
            "spec",
            "metadata.deletionTimestamp",
            "metadata.deletionGracePeriodSeconds",
            "metadata.labels",
            "metadata.annotations",
            "metadata.generation",
        ];
        if WATCHED.iter().any(|path| before.at(path) != pod.at(path)) {
            self.wake();
        }
    }

    /// Somebody else may have written our words in the pod's status: the node controller does, for a node that falls silent.
    /// That is put right with the next round of upstream's status manager.
    fn compare(&self, pod: &Object) {
        let is_older = pod.resource_version().parse().unwrap_or(0) < self.told.get();
        if is_older || self.doubt.get().is_some() || !self.is_contradicted() {
            return;
        }
        self.doubt.set(Some(self.shared.sim.now() + STATUS_RECONCILE_PERIOD));
        self.waiters.wake_all();
    }

    fn is_contradicted(&self) -> bool {
        status::contradicts(self.pod.borrow().at("status"), &self.published.borrow())
    }

    /// When a doubt is due: whether the API has to be told anew.
    fn resolve_doubt(&self) -> bool {
        if self.doubt.get().is_none_or(|at| at > self.shared.sim.now()) {
            return false;
        }
        self.doubt.set(None);
        let is_contradicted = self.is_contradicted();
        if is_contradicted {
            self.published.replace(self.pod.borrow().at("status").clone());
            (self.shared.doubt_node)();
        }
        is_contradicted
    }

    /// The pod is gone from the API.
    pub(crate) fn forgotten(&self, last: Object) {
        self.pod.replace(last);
        self.deleted.set(true);
        self.ending.raise();
        (self.shared.retry_resizes)();
        self.wake();
    }

    /// Makes the worker look again.
    pub(crate) fn wake(&self) {
        self.dirty.set(true);
        self.waiters.wake_all();
    }

    /// Whether the pod still takes resources of the node (`filterOutInactivePods`): until what runs of it has been stopped, and
    /// not when the API has forgotten it. One whose containers ended by themselves takes nothing: the API hears of its last
    /// phase before the sandbox is stopped, unlike upstream's, and the scheduler must not be quicker than this.
    pub(crate) fn is_active(&self) -> bool {
        !self.deleted.get() && (!self.terminal.get() || self.stopping.get())
    }

    /// The status as it was last made.
    pub(crate) fn status(&self) -> Value {
        self.status.borrow().clone()
    }

    /// The pod's network, while it has one.
    pub(crate) fn sandbox(&self) -> Option<Sandbox> {
        self.sandbox.borrow().clone()
    }

    /// The newest container of a name, and the one before it.
    pub(crate) fn container_ids(&self, name: &str) -> (Option<Id>, Option<Id>) {
        let records = self.records.borrow();
        let mut ids = records.iter().rev().filter(|r| r.name == name).map(|r| r.id.clone());
        (ids.next(), ids.next())
    }

    /// Name and id of every container that the worker made, oldest first.
    pub(crate) fn all_containers(&self) -> Vec<(String, Id)> {
        self.records.borrow().iter().map(|r| (r.name.clone(), r.id.clone())).collect()
    }

    /// What exists now, newest container first.
    fn existing(&self) -> Existing {
        let records = self.records.borrow();
        let views = records.iter().rev().filter_map(|record| {
            let mut status = self.shared.runtime.container_status(&record.id)?;
            if let Some(message) = record.message.as_ref().filter(|m| !m.is_empty()) {
                status.message.clone_from(message);
            }
            Some(View {
                id: record.id.clone(),
                name: record.name.clone(),
                attempt: record.attempt,
                spec_image: record.spec_image.clone(),
                resources: record.resources.clone(),
                status,
            })
        });
        Existing { containers: views.collect(), has_sandbox: self.sandbox.borrow().is_some() }
    }

    /// The pod's life. Ends when nothing of it is left on the node.
    ///
    /// A pass is boxed: it holds what starting a container may hold, and a pod waits nearly all of its life.
    pub(crate) async fn run(self: Rc<Self>) {
        while !self.is_over() {
            self.dirty.set(false);
            let again = if self.is_ending() {
                Box::pin(self.terminate()).await;
                None
            } else {
                Box::pin(self.sync()).await
            };
            if !self.dirty.get() && !self.is_over() {
                self.wait(again).await;
            }
        }
        self.clean_up();
    }

    fn is_over(&self) -> bool {
        self.deleted.get() && self.terminal.get() && self.sandbox.borrow().is_none()
    }

    fn is_ending(&self) -> bool {
        let pod = self.pod.borrow();
        let settled = matches!(self.status.borrow()["phase"].as_str(), Some("Succeeded" | "Failed"));
        let evicted = self.evicted.borrow().is_some();
        self.terminal.get() || self.deleted.get() || pod.is_deleting() || settled || evicted || spec::is_finished(&pod)
    }

    async fn wait(&self, until: Option<Time>) {
        let sleep_until = |at| (at, self.shared.sim.sleep_until(at));
        let mut sleep = until.map(sleep_until);
        std::future::poll_fn(|cx| {
            use std::future::Future as _;
            if self.dirty.get() || self.resolve_doubt() || until.is_some_and(|at| at <= self.shared.sim.now()) {
                return Poll::Ready(());
            }
            self.waiters.register(cx);
            let due = until.into_iter().chain(self.doubt.get()).min();
            if sleep.as_ref().map(|(at, _)| *at) != due {
                sleep = due.map(sleep_until);
            }
            // A doubt whose time comes is looked into at the next poll, which the timer causes.
            let rings = sleep.as_mut().is_some_and(|(_, sleep)| std::pin::Pin::new(sleep).poll(cx).is_ready());
            debug_assert!(!rings, "what is due was dealt with above");
            Poll::Pending
        })
        .await;
    }

    fn clean_up(&self) {
        self.probing.borrow_mut().clear();
        let records = std::mem::take(&mut *self.records.borrow_mut());
        for record in &records {
            self.shared.runtime.remove_container(&record.id);
            self.shared.owners.borrow_mut().remove(&record.id);
        }
        self.shared.images.forget(&self.uid);
        self.shared.restarts.forget(&self.uid);
    }

    fn container_event(&self, container: &str, kind: &str, reason: &str, message: &str) {
        let pod = self.pod.borrow();
        let path = spec::field_path(&pod, container);
        self.shared.recorder.event_on_field(&pod, &path, kind, reason, message);
    }

    fn pod_event(&self, kind: &str, reason: &str, message: &str) {
        self.shared.recorder.event(&self.pod.borrow(), kind, reason, message);
    }

    fn trace(&self, container: &str, what: &str) {
        let pod = self.pod.borrow();
        self.shared.sim.trace(TraceKind::Container {
            node: self.shared.config.name.clone(),
            namespace: pod.namespace().to_owned(),
            pod: pod.name().to_owned(),
            container: container.to_owned(),
            what: what.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what an async function gives.
    fn held<A, F: Future>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_worker_that_waits_holds_little() {
        const BYTES_MAX: usize = 512;
        let bytes = held(Worker::run);
        assert!(bytes <= BYTES_MAX, "{bytes} bytes for each pod of a node");
    }
}
