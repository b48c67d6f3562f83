//! A control plane with nodes that only pretend to run pods.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use api::http::{Body, Request, Response, Transport, TransportError};
use api::{Object, kinds};
use apiserver::{ApiServer, Config};
use client::{Client, DeleteOptions, Event, Informer, ListOptions, PatchType};
use controllers::ControllerManager;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use json::{Value, json};
use scheduler::Scheduler;
use simulation::notify::Waiters;
use simulation::{Sim, SimConfig, Step, StepLimits, Time};

/// How long a pretended container takes to start and to stop.
const START: Duration = Duration::from_millis(300);
const STOP: Duration = Duration::from_millis(600);
/// Nodes answer one after another, never in the same moment.
const STAGGER: Duration = Duration::from_millis(40);

pub struct World {
    pub sim: Sim,
    pub client: Client,
    pub namespace: String,
    _manager: ControllerManager,
    _scheduler: Scheduler,
    kubelet: Informer,
    pods_held: Hold,
}

/// Whether the controllers hear nothing of pods for now.
#[derive(Clone, Default)]
struct Hold(Rc<(Cell<bool>, Waiters)>);

/// The API server for the controllers.
struct Held(ApiServer, Hold);

impl Transport for Held {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let (concerned, hold) = (request.uri().path() == "/api/v1/pods", self.1.clone());
        let answer = self.0.call(request);
        Box::pin(async move {
            Ok(answer.await?.map(|body| match body {
                Body::Stream(mut chunks) if concerned => Body::Stream(
                    futures_util::stream::poll_fn(move |cx| {
                        if hold.0.0.get() {
                            hold.0.1.register(cx);
                            return Poll::Pending;
                        }
                        chunks.poll_next_unpin(cx)
                    })
                    .boxed_local(),
                ),
                other => other,
            }))
        })
    }
}

impl World {
    /// Three ready nodes and the namespace `test`.
    pub fn new(seed: u64) -> World {
        let sim = Sim::new(SimConfig { seed, start: Time::from_unix_seconds(1_795_230_000) });
        let server = ApiServer::new(sim.clone(), Config::default());
        let client = Client::new(Rc::new(server.clone()), "kubectl");
        let factory = |agent: &str| Client::new(Rc::new(server.clone()), agent);
        let pods_held = Hold::default();
        let to_controllers = |agent: &str| Client::new(Rc::new(Held(server.clone(), pods_held.clone())), agent);
        let manager = controllers::start(&sim, &to_controllers, controllers::Options::default());
        let scheduler = Scheduler::start(&sim, factory("kube-scheduler"), scheduler::Options::default());
        let kubelet = pretend_kubelet(&sim, &factory("kubelet"));
        let (namespace, _manager, _scheduler) = ("test".into(), manager, scheduler);
        let world = World { sim, client, namespace, _manager, _scheduler, kubelet, pods_held };
        for name in ["minikube", "minikube-m02", "minikube-m03"] {
            world.create(&kinds::NODES, node(name));
        }
        world
            .create(&kinds::NAMESPACES, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "test"}}));
        world.run(Duration::from_secs(1));
        world
    }

    /// Lets the world run.
    pub fn run(&self, duration: Duration) {
        let until = self.sim.now() + duration;
        loop {
            match self.sim.step(until, StepLimits::default()) {
                Step::Idle { .. } => break,
                Step::Busy => {}
                Step::Waiting => panic!("nothing is fetched here"),
            }
            assert!(self.sim.steps() < 3_000_000, "the control plane does not come to rest");
        }
        self.sim.advance_to(until);
    }

    /// Runs one request to its end.
    pub fn call<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let slot = Rc::new(RefCell::new(None));
        let inner = Rc::clone(&slot);
        self.sim.spawn(async move { *inner.borrow_mut() = Some(future.await) });
        self.run(Duration::ZERO);
        slot.borrow_mut().take().expect("requests are answered at once")
    }

    pub fn create(&self, kind: &'static api::Kind, object: Value) -> Object {
        let (client, object) = (self.client.clone(), Object::new(object));
        let namespace = if kind.namespaced { self.namespace.clone() } else { String::new() };
        self.call(async move { client.create(kind, &namespace, object).await }).expect("created")
    }

    pub fn patch(&self, kind: &'static api::Kind, name: &str, patch: Value) -> Object {
        let (client, name) = (self.client.clone(), name.to_owned());
        let namespace = if kind.namespaced { self.namespace.clone() } else { String::new() };
        self.call(async move { client.patch(kind, &namespace, &name, "", PatchType::Strategic, &patch).await })
            .expect("patched")
    }

    pub fn delete(&self, kind: &'static api::Kind, name: &str, options: DeleteOptions) {
        let (client, name) = (self.client.clone(), name.to_owned());
        let namespace = if kind.namespaced { self.namespace.clone() } else { String::new() };
        self.call(async move { client.delete(kind, &namespace, &name, &options).await.map(|_| ()) }).expect("deleted");
    }

    pub fn get(&self, kind: &'static api::Kind, name: &str) -> Option<Object> {
        let (client, name) = (self.client.clone(), name.to_owned());
        let namespace = if kind.namespaced { self.namespace.clone() } else { String::new() };
        self.call(async move { client.get(kind, &namespace, &name).await }).ok()
    }

    pub fn list(&self, kind: &'static api::Kind) -> Vec<Object> {
        let (client, namespace) = (self.client.clone(), self.namespace.clone());
        self.call(async move { client.list(kind, &namespace, &ListOptions::default()).await }).expect("listed").items
    }

    /// Reasons and messages of the events about an object, in the order of their names.
    pub fn events(&self, name: &str) -> Vec<String> {
        let events = self.list(&kinds::EVENTS);
        let about = events.iter().filter(|event| event.str("involvedObject.name") == name);
        about.map(|event| format!("{}: {}", event.str("reason"), event.str("message"))).collect()
    }

    /// Keeps from the controllers what happens to pods, or lets them hear it.
    pub fn hold_pods(&self, is_on: bool) {
        self.pods_held.0.0.set(is_on);
        self.pods_held.0.1.wake_all();
    }

    /// Switches the pretended kubelets off.
    pub fn silence_kubelets(&self) {
        self.kubelet.stop();
    }
}

pub fn node(name: &str) -> Value {
    let condition = |condition_type: &str, status: &str, reason: &str| {
        json!({"type": condition_type, "status": status, "reason": reason, "message": "",
            "lastHeartbeatTime": "2026-11-21T03:00:00Z", "lastTransitionTime": "2026-11-21T03:00:00Z"})
    };
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
            "conditions": [condition("Ready", "True", "KubeletReady"),
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID")]}})
}

pub fn deployment(replicas: i64, image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "nginx", "image": image}]}}}})
}

/// Starts placed pods (unless their image is not found) and ends deleted ones.
fn pretend_kubelet(sim: &Sim, client: &Client) -> Informer {
    let informer = Informer::start(sim, client, &kinds::PODS, "", ListOptions::default());
    let (sim, client) = (sim.clone(), client.clone());
    let known: Rc<RefCell<BTreeSet<(String, bool)>>> = Rc::default();
    let turn = std::cell::Cell::new(0_u32);
    informer.on_event(move |event| {
        let pod = event.object().clone();
        let placed = !pod.str("spec.nodeName").is_empty();
        let found = !pod.list("spec.containers").iter().any(|c| c["image"] == "nginx:notfound");
        if matches!(event, Event::Deleted(_)) || !placed || (!found && !pod.is_deleting()) {
            return;
        }
        if !known.borrow_mut().insert((pod.uid().to_owned(), pod.is_deleting())) {
            return;
        }
        turn.set(turn.get() + 1);
        let (sim, client, turn) = (sim.clone(), client.clone(), turn.get());
        let task_sim = sim.clone();
        sim.spawn(async move {
            if pod.is_deleting() {
                task_sim.sleep(STOP + STAGGER * (turn % 7)).await;
                end_pod(&client, &pod).await;
            } else {
                task_sim.sleep(START + STAGGER * (turn % 7)).await;
                start_pod(&task_sim, &client, &pod, turn).await;
            }
        });
    });
    informer
}

async fn start_pod(sim: &Sim, client: &Client, pod: &Object, turn: u32) {
    let ip = format!("10.244.0.{}", turn % 250 + 2);
    let now = sim.now().rfc3339();
    let condition = |name: &str| json!({"type": name, "status": "True", "lastTransitionTime": now});
    let conditions = ["Initialized", "Ready", "ContainersReady"].map(condition);
    let status = json!({"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions});
    let patch = json!({ "status": status });
    let _ = client.patch(&kinds::PODS, pod.namespace(), pod.name(), "status", PatchType::Strategic, &patch).await;
}

async fn end_pod(client: &Client, pod: &Object) {
    let patch = json!({"status": {"phase": "Succeeded"}});
    let _ = client.patch(&kinds::PODS, pod.namespace(), pod.name(), "status", PatchType::Strategic, &patch).await;
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    let _ = client.delete(&kinds::PODS, pod.namespace(), pod.name(), &options).await;
}
