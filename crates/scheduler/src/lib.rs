//! Gives every pod a node (`kube-scheduler`), and keeps the explanation of every decision.
//!
//! Shape: informers feed [`cluster`] and [`queue`]; one loop takes the next pod, asks [`schedule`] (pure: filters, then
//! scores, by the table of [`plugins`]), counts the pod as placed, and writes the binding in a task of its own.
//!
//! A pod that fits nowhere may make less important ones go ([`preemption`] finds whom, [`executor`] ends them), and is
//! given its node when they are gone.
//!
//! Differences from upstream: one profile; no extenders or volumes yet.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use api::{Object, kinds};
use client::{Client, Event, Informer, ListOptions};
use json::{Map, Value, json};
use simulation::notify::Waiters;
use simulation::{Sim, Task, TraceKind};

mod cluster;
mod events;
mod executor;
mod explanation;
mod filter;
mod framework;
#[cfg(test)]
mod hint_tests;
mod node_info;
mod nominated;
mod observe;
mod plugins;
mod pod_info;
mod preemption;
mod queue;
mod resources;
mod schedule;
mod tally;
#[cfg(test)]
mod work_tests;

use cluster::Cluster;
use events::Recorder;
use explanation::Explanation;
use framework::{Change, ClusterEvent};
use preemption::Nomination;
use queue::{Queue, QueuedPod};
use schedule::{Outcome, schedule};

/// What the scheduler is told at the start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Pods with this `spec.schedulerName` are its own.
    pub name: String,
    /// The machine it runs on, for the source of its events.
    pub host: String,
}

impl Default for Options {
    fn default() -> Self {
        Options { name: "default-scheduler".to_owned(), host: "minikube".to_owned() }
    }
}

struct State {
    sim: Sim,
    client: Client,
    options: Options,
    recorder: Recorder,
    cluster: RefCell<Cluster>,
    queue: RefCell<Queue>,
    changed: Waiters,
}

/// The running scheduler; it ends with it.
pub struct Scheduler {
    informers: Vec<Informer>,
    task: Task<()>,
}

impl Scheduler {
    /// Starts it. `client`'s user agent should begin with `kube-scheduler`.
    pub fn start(sim: &Sim, client: Client, options: Options) -> Scheduler {
        let recorder = Recorder::new(sim, &client, &options.name, &options.host);
        let state = Rc::new(State {
            sim: sim.clone(),
            client,
            options,
            recorder,
            cluster: RefCell::default(),
            queue: RefCell::default(),
            changed: Waiters::default(),
        });
        let informers = observe::start(&state);
        let waits = informers.clone();
        let task = sim.spawn(async move {
            for informer in &waits {
                informer.synced().await;
            }
            state.run().await;
        });
        Scheduler { informers, task }
    }

    /// Ends it.
    pub fn stop(&self) {
        self.task.abort();
        for informer in &self.informers {
            informer.stop();
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.stop();
    }
}

impl State {
    async fn run(self: Rc<State>) {
        let mut start = 0;
        loop {
            let queued = self.next().await;
            self.schedule_one(queued, &mut start).await;
            // Bindings and watches go on between two pods.
            self.sim.yield_now().await;
        }
    }

    /// Waits for the next pod that is due.
    async fn next(&self) -> QueuedPod {
        loop {
            let popped = self.queue.borrow_mut().pop(self.sim.now());
            if let Some(queued) = popped {
                return queued;
            }
            let due = self.queue.borrow().next_due();
            let changed = std::future::poll_fn(|cx| {
                if self.queue.borrow().has_due(self.sim.now()) || self.queue.borrow().next_due() != due {
                    return Poll::Ready(());
                }
                self.changed.register(cx);
                Poll::Pending
            });
            match due {
                // Either way, the loop looks again.
                Some(due) => drop(self.sim.timeout(due.saturating_since(self.sim.now()), changed).await),
                None => changed.await,
            }
        }
    }

    async fn schedule_one(self: &Rc<State>, queued: QueuedPod, start: &mut usize) {
        let pod = queued.pod.clone();
        let key = pod.key();
        if pod.is_deleting() {
            let message = format!("skip schedule deleting pod: {key}");
            self.queue.borrow_mut().done(&key);
            return self.recorder.event(&pod, None, "Warning", "FailedScheduling", "Scheduling", &message).await;
        }
        if self.cluster.borrow().is_assumed(&key) {
            return self.queue.borrow_mut().done(&key);
        }
        let decision = {
            let mut draw = |bound: usize| self.sim.random_below(bound as u64) as usize;
            schedule(&self.cluster.borrow(), &pod, start, &mut draw)
        };
        self.tell(&pod, &decision.outcome, &decision.explanation);
        match decision.outcome {
            Outcome::Node(node) => {
                self.cluster.borrow_mut().assume(&pod, &node);
                self.queue.borrow_mut().done(&key);
                let state = Rc::clone(self);
                self.sim.spawn(async move { state.bind(queued, &node).await });
            }
            Outcome::Unschedulable { message, refused_by, nomination } => {
                // Before anything is written, so that the pods whose turn comes meanwhile leave room.
                match &nomination {
                    Nomination::Unchanged => {}
                    Nomination::Withdrawn => self.cluster.borrow_mut().nominate(&pod, ""),
                    Nomination::Given { node, .. } => self.cluster.borrow_mut().nominate(&pod, node),
                }
                let now = self.sim.now();
                self.queue.borrow_mut().refused(queued, refused_by, now);
                self.refuse(&pod, "Unschedulable", &message, &nomination).await;
                if let Nomination::Given { node, victims } = &nomination {
                    self.end_victims(&pod, node, victims).await;
                }
            }
        }
    }

    fn tell(&self, pod: &Object, outcome: &Outcome, explanation: &Explanation) {
        let node = match outcome {
            Outcome::Node(node) => Some(node.clone()),
            Outcome::Unschedulable { .. } => None,
        };
        self.sim.trace(TraceKind::Decision {
            namespace: pod.namespace().to_owned(),
            pod: pod.name().to_owned(),
            node,
            explanation: json::to_string(explanation).expect("plain data serialises"),
        });
    }

    async fn bind(&self, queued: QueuedPod, node: &str) {
        let pod = &queued.pod;
        let binding = Object::new(json!({
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": { "name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid() },
            "target": { "kind": "Node", "name": node },
        }));
        let result = self.client.create_sub(&kinds::PODS, pod.namespace(), pod.name(), "binding", binding).await;
        match result {
            Ok(_) => {
                let message = format!("Successfully assigned {} to {node}", pod.key());
                self.recorder.event(pod, None, "Normal", "Scheduled", "Binding", &message).await;
            }
            Err(error) => {
                // The informer has seen the pod placed after all, or gone.
                if !self.cluster.borrow().is_assumed(&pod.key()) {
                    return;
                }
                self.cluster.borrow_mut().remove(&pod.key());
                self.happened(Change::removed(ClusterEvent::PodRemoved, pod));
                if error.is_not_found() {
                    return; // the pod is gone
                }
                let (pod, now) = (pod.clone(), self.sim.now());
                self.queue.borrow_mut().failed(queued, now);
                self.changed.wake_all();
                let message = format!("binding rejected: {error}");
                self.refuse(&pod, "SchedulerError", &message, &Nomination::Withdrawn).await;
            }
        }
    }

    /// Tells why a pod has no node: an event and the condition `PodScheduled`; and which node it is to have later.
    async fn refuse(&self, pod: &Object, reason: &str, message: &str, nomination: &Nomination) {
        self.recorder.event(pod, None, "Warning", "FailedScheduling", "Scheduling", message).await;
        let mut status = Map::new();
        if let Some(condition) = self.condition(pod, reason, message) {
            status.insert("conditions".into(), json!([condition]));
        }
        let nominated = pod.str("status.nominatedNodeName");
        match nomination {
            Nomination::Given { node, .. } if node != nominated => {
                status.insert("nominatedNodeName".into(), node.as_str().into());
            }
            Nomination::Withdrawn if !nominated.is_empty() => {
                status.insert("nominatedNodeName".into(), Value::Null);
            }
            _ => {}
        }
        if !status.is_empty() {
            let patch = json!({ "metadata": { "uid": pod.uid() }, "status": status });
            // A refused patch is made up for at the next attempt.
            let _ = self.patch_status(pod, &patch).await;
        }
    }

    /// The condition `PodScheduled` of a pod without a node, unless it has it already.
    fn condition(&self, pod: &Object, reason: &str, message: &str) -> Option<Value> {
        let old = pod.list("status.conditions").iter().find(|c| c["type"] == "PodScheduled");
        let same = |field: &str, value: &str| old.is_some_and(|c| c[field] == value);
        if same("status", "False") && same("reason", reason) && same("message", message) {
            return None;
        }
        let since = match old.filter(|c| c["status"] == "False") {
            Some(old) => old["lastTransitionTime"].clone(),
            None => self.sim.now().rfc3339().into(),
        };
        Some(json!({
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "lastProbeTime": null,
            "lastTransitionTime": since,
            "observedGeneration": pod.generation(),
        }))
    }

    fn happened(&self, change: Change) {
        self.queue.borrow_mut().happened(change, self.sim.now());
        self.changed.wake_all();
    }
}
