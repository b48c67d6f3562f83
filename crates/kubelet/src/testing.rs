//! A container runtime in memory, and a cluster of one API server and one kubelet around it.
//!
//! What a container does follows from its arguments: `exit N` ends with that code after 10 ms, `stay` runs and ignores
//! SIGTERM, `serve PORT` answers HTTP with the status in [`Fake::status`], anything else runs until SIGTERM.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::http::{Body, Request, Response, StatusCode, Transport as _, TransportError};
use api::{Object, kinds};
use apiserver::{ApiServer, Config, NodeProxy};
use bytes::Bytes;
use client::{Client, ListOptions};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use json::{Value, json};
use network::{Fabric, NetNs, http1};
use simulation::notify::Signal;
use simulation::{Duration, Sim, SimConfig, StepLimits, Time};

use crate::cri::*;
use crate::{Kubelet, NodeConfig};

type Notify = Rc<dyn Fn(&Id)>;

struct Container {
    config: ContainerConfig,
    net: NetNs,
    status: ContainerStatus,
    ended: Signal,
    servers: Vec<http1::Server>,
}

pub(crate) struct Fake {
    sim: Sim,
    fabric: Fabric,
    next: Cell<u64>,
    containers: RefCell<BTreeMap<Id, Container>>,
    sandboxes: RefCell<BTreeMap<Id, NetNs>>,
    present: RefCell<BTreeMap<String, ImageInfo>>,
    notify: RefCell<Option<Notify>>,
    me: RefCell<std::rc::Weak<Fake>>,
    /// With what the last image was pulled.
    pub(crate) logins: RefCell<Vec<Login>>,
    /// What `serve` answers.
    pub(crate) status: Rc<Cell<u16>>,
    /// The memory that every container uses.
    pub(crate) used_bytes: Cell<u64>,
    /// What every container has written to its own layer.
    pub(crate) written_bytes: Cell<u64>,
    /// What exec exits with.
    pub(crate) exec_code: Cell<i32>,
}

impl Fake {
    fn new(sim: &Sim, fabric: &Fabric) -> Rc<Fake> {
        let fake = Rc::new(Fake {
            sim: sim.clone(),
            fabric: fabric.clone(),
            next: Cell::new(1),
            containers: RefCell::default(),
            sandboxes: RefCell::default(),
            present: RefCell::default(),
            notify: RefCell::default(),
            me: RefCell::default(),
            logins: RefCell::default(),
            status: Rc::new(Cell::new(200)),
            used_bytes: Cell::new(0),
            written_bytes: Cell::new(0),
            exec_code: Cell::new(0),
        });
        *fake.me.borrow_mut() = Rc::downgrade(&fake);
        fake
    }

    fn id(&self) -> Id {
        let n = self.next.replace(self.next.get() + 1);
        format!("{n:064x}")
    }

    fn tell(&self, id: &Id) {
        let notify = self.notify.borrow().clone();
        if let Some(notify) = notify {
            notify(id);
        }
    }

    fn end(&self, id: &Id, code: i32) {
        let servers = {
            let mut all = self.containers.borrow_mut();
            let Some(container) = all.get_mut(id) else { return };
            if container.status.state != State::Running {
                return;
            }
            container.status.state = State::Exited;
            container.status.exit_code = code;
            container.status.reason = if code == 0 { "Completed" } else { "Error" }.into();
            container.status.finished_at = self.sim.now();
            container.ended.raise();
            std::mem::take(&mut container.servers)
        };
        drop(servers);
        self.tell(id);
    }

    /// The configuration a running container was made with.
    pub(crate) fn config_of(&self, name: &str) -> ContainerConfig {
        let all = self.containers.borrow();
        all.values().find(|c| c.config.name == name).map(|c| c.config.clone()).unwrap()
    }

    /// Containers that run.
    pub(crate) fn running(&self) -> usize {
        self.containers.borrow().values().filter(|c| c.status.state == State::Running).count()
    }
}

impl Runtime for Fake {
    fn pull(&self, image: &str, logins: &[Login]) -> LocalBoxFuture<'static, Result<ImageInfo, String>> {
        self.logins.replace(logins.to_vec());
        let (fake, image, sim) = (self.me.borrow().upgrade().unwrap(), image.to_owned(), self.sim.clone());
        async move {
            sim.sleep(Duration::from_millis(700)).await;
            if image.starts_with("nope") {
                return Err(format!("Error response from daemon: pull access denied for {image}"));
            }
            let info = ImageInfo {
                name: if image.contains(':') { image.clone() } else { format!("{image}:latest") },
                reference: format!("docker-pullable://{image}@sha256:{:064x}", 7),
                names: vec![image.clone()],
                size_bytes: 1234,
            };
            fake.present.borrow_mut().insert(image, info.clone());
            Ok(info)
        }
        .boxed_local()
    }

    fn image_status(&self, image: &str) -> Option<ImageInfo> {
        self.present.borrow().get(image).cloned()
    }

    fn image_files(&self, image: &str) -> Option<vfs::Vfs> {
        let files = vfs::Vfs::new(self.sim.clone());
        files.mkdir_all("/dir").ok()?;
        files.write("/dir/name", image.to_owned()).ok()?;
        Some(files)
    }

    fn images(&self) -> Vec<ImageInfo> {
        self.present.borrow().values().cloned().collect()
    }

    fn run_sandbox(&self, config: SandboxConfig) -> LocalBoxFuture<'static, Result<Sandbox, String>> {
        let id = self.id();
        let last = u8::try_from(self.sandboxes.borrow().len() + 2).unwrap();
        let ip = Ipv4Addr::new(10, 244, 0, last);
        let net = self.fabric.attach(&format!("pod/{}/{}", config.namespace, config.name), &[ip]);
        self.sandboxes.borrow_mut().insert(id.clone(), net.clone());
        std::future::ready(Ok(Sandbox { id, ip, net })).boxed_local()
    }

    fn stop_sandbox(&self, id: &Id) -> LocalBoxFuture<'static, ()> {
        if let Some(net) = self.sandboxes.borrow().get(id) {
            net.detach();
        }
        std::future::ready(()).boxed_local()
    }

    fn remove_sandbox(&self, _: &Id) {}

    fn create_container(&self, sandbox: &Id, config: ContainerConfig) -> LocalBoxFuture<'static, Result<Id, String>> {
        let id = self.id();
        let image = self.present.borrow().get(&config.image).cloned().unwrap();
        let status = ContainerStatus {
            state: State::Created,
            exit_code: 0,
            reason: String::new(),
            message: String::new(),
            started_at: self.sim.now(),
            finished_at: self.sim.now(),
            image: image.name,
            image_ref: image.reference,
            user: (0, 0),
            groups: vec![0],
        };
        let net = self.sandboxes.borrow()[sandbox].clone();
        let container = Container { config, net, status, ended: Signal::new(), servers: Vec::new() };
        self.containers.borrow_mut().insert(id.clone(), container);
        std::future::ready(Ok(id)).boxed_local()
    }

    fn start_container(&self, id: &Id) -> LocalBoxFuture<'static, Result<(), String>> {
        let (args, net) = {
            let mut all = self.containers.borrow_mut();
            let container = all.get_mut(id).unwrap();
            container.status.state = State::Running;
            container.status.started_at = self.sim.now();
            (container.config.args.clone(), container.net.clone())
        };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match args[..] {
            ["exit", code] => {
                let (fake, id, code) = (self.me.borrow().upgrade().unwrap(), id.clone(), code.parse().unwrap());
                self.sim.spawn(async move {
                    fake.sim.sleep(Duration::from_millis(10)).await;
                    fake.end(&id, code);
                });
            }
            ["serve", port] => {
                let listener = net.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port.parse().unwrap())).unwrap();
                let status = Rc::clone(&self.status);
                let server = http1::serve(
                    &self.sim,
                    listener,
                    Rc::new(move |_| {
                        let mut response = Response::new(Body::Bytes("hi".into()));
                        *response.status_mut() = StatusCode::from_u16(status.get()).unwrap();
                        std::future::ready(response).boxed_local()
                    }),
                );
                self.containers.borrow_mut().get_mut(id).unwrap().servers.push(server);
            }
            _ => {}
        }
        self.tell(id);
        std::future::ready(Ok(())).boxed_local()
    }

    fn stop_container(&self, id: &Id, grace: Duration) -> LocalBoxFuture<'static, ()> {
        let fake = self.me.borrow().upgrade().unwrap();
        let id = id.clone();
        async move {
            let (stays, ended) = {
                let all = fake.containers.borrow();
                let container = &all[&id];
                (container.config.args == ["stay"], container.ended.clone())
            };
            if stays {
                let _ = fake.sim.timeout(grace, ended.wait()).await;
                fake.end(&id, 137);
            } else {
                fake.end(&id, 0);
            }
        }
        .boxed_local()
    }

    fn remove_container(&self, id: &Id) {
        let gone = self.containers.borrow_mut().remove(id);
        drop(gone);
    }

    fn container_status(&self, id: &Id) -> Option<ContainerStatus> {
        self.containers.borrow().get(id).map(|c| c.status.clone())
    }

    fn container_stats(&self, id: &Id) -> Option<ContainerStats> {
        let (memory_bytes, file_bytes) = (self.used_bytes.get(), self.written_bytes.get());
        // One that has ended is measured, too, as by the real runtime.
        self.container_status(id).map(|_| ContainerStats { memory_bytes, file_bytes, ..ContainerStats::default() })
    }

    fn usage(&self) -> NodeUsage {
        let (running, known) = (self.running() as u64, self.containers.borrow().len() as u64);
        NodeUsage {
            memory_bytes: running * self.used_bytes.get(),
            // What has ended keeps its layer.
            disk_bytes: known * self.written_bytes.get() + self.images().iter().map(|i| i.size_bytes).sum::<u64>(),
            ..NodeUsage::default()
        }
    }

    fn remove_unused_images(&self, mounted: &BTreeSet<String>) {
        let all = self.containers.borrow();
        let is_used = |name: &String| mounted.contains(name) || all.values().any(|c| c.config.image == *name);
        self.present.borrow_mut().retain(|name, _| is_used(name));
    }

    fn update_container(&self, id: &Id, cpu_limit_milli: Option<i64>, memory_limit_bytes: Option<i64>) {
        if let Some(container) = self.containers.borrow_mut().get_mut(id) {
            container.config.cpu_limit_milli = cpu_limit_milli;
            container.config.memory_limit_bytes = memory_limit_bytes;
        }
    }

    fn exec(&self, _: &Id, argv: Vec<String>, _: bool, _: bool) -> Result<ExecSession, String> {
        if argv == ["missing"] {
            return Err("executable file not found".into());
        }
        let output = Bytes::from(format!("ran {}", argv.join(" ")));
        Ok(ExecSession {
            stdin: None,
            stdout: futures_util::stream::iter([output]).boxed_local(),
            stderr: futures_util::stream::empty().boxed_local(),
            exit: std::future::ready(self.exec_code.get()).boxed_local(),
            resize: Rc::new(|_, _| {}),
            kill: Rc::new(|| {}),
        })
    }

    fn attach(&self, id: &Id, stdin: bool) -> Result<ExecSession, String> {
        self.exec(id, Vec::new(), false, stdin)
    }

    fn logs(&self, id: &Id, _: LogOptions) -> Result<LocalBoxStream<'static, Bytes>, String> {
        self.container_status(id).ok_or("No such container")?;
        let text = Bytes::from(format!("log of {}\n", &id[60..]));
        Ok(futures_util::stream::iter([text]).boxed_local())
    }

    fn on_change(&self, notify: Rc<dyn Fn(&Id)>) {
        *self.notify.borrow_mut() = Some(notify);
    }

    fn kill_all(&self) {
        let ids: Vec<Id> = self.containers.borrow().keys().cloned().collect();
        ids.iter().for_each(|id| self.end(id, 137));
    }
}

/// The API server's way to the one kubelet, which comes later than the server.
#[derive(Default)]
struct Late(RefCell<Option<Kubelet>>);

type Answer = LocalBoxFuture<'static, Result<Response, TransportError>>;

impl NodeProxy for Late {
    fn kubelet(&self, _: &str, request: Request) -> Answer {
        self.0.borrow().as_ref().unwrap().call(request)
    }

    fn http(&self, _: &str, _: u16, _: Request) -> Answer {
        std::future::ready(Err(TransportError::Refused)).boxed_local()
    }
}

/// A cluster of one node.
pub(crate) struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) client: Client,
    pub(crate) fake: Rc<Fake>,
    pub(crate) kubelet: Kubelet,
    fabric: Fabric,
}

impl Cluster {
    pub(crate) fn new() -> Cluster {
        Cluster::of(NodeConfig::minikube("minikube", Ipv4Addr::new(192, 168, 49, 2), "10.244.0.0/24"))
    }

    /// With another node.
    pub(crate) fn of(config: NodeConfig) -> Cluster {
        let sim = Sim::new(SimConfig { seed: 5, start: Time::from_unix_seconds(1_795_230_500) });
        let fabric = Fabric::new(sim.clone());
        let late = Rc::new(Late::default());
        let nodes = Rc::clone(&late) as Rc<dyn NodeProxy>;
        let server = ApiServer::new(sim.clone(), Config { nodes, ..Config::default() });
        let client = Client::new(Rc::new(server), "test");
        let fake = Fake::new(&sim, &fabric);
        let net = Kubelet::attach(&fabric, &config);
        let kubelet = Kubelet::start(&sim, &client, Rc::clone(&fake) as Rc<dyn Runtime>, config, net);
        *late.0.borrow_mut() = Some(kubelet.clone());
        let cluster = Cluster { sim, client, fake, kubelet, fabric };
        cluster.pass(1);
        cluster
    }

    /// Switches the node off and on again.
    pub(crate) fn restart(&mut self) {
        self.kubelet.stop();
        self.pass(30);
        let config = NodeConfig::minikube("minikube", Ipv4Addr::new(192, 168, 49, 2), "10.244.0.0/24");
        self.fake = Fake::new(&self.sim, &self.fabric);
        let net = Kubelet::attach(&self.fabric, &config);
        let runtime = Rc::clone(&self.fake) as Rc<dyn Runtime>;
        self.kubelet = Kubelet::start(&self.sim, &self.client, runtime, config, net);
        self.pass(3);
    }

    /// Lets virtual seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.pass_for(Duration::from_secs(seconds));
    }

    pub(crate) fn pass_for(&self, duration: Duration) {
        let until = self.sim.now() + duration;
        while self.sim.step(until, StepLimits::default()) == simulation::Step::Busy {}
        self.sim.advance_to(until);
    }

    pub(crate) fn run<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let task = self.sim.spawn(future);
        for _ in 0..100 {
            if task.is_finished() {
                break;
            }
            self.pass_for(Duration::from_millis(1));
        }
        let mut task = std::pin::pin!(task);
        let waker = std::task::Waker::noop();
        match task.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
            std::task::Poll::Ready(Ok(value)) => value,
            _ => panic!("not done within 100 ms"),
        }
    }

    /// Creates a pod bound to the node, without a token volume.
    pub(crate) fn create(&self, name: &str, mut spec: Value) {
        spec["nodeName"] = "minikube".into();
        spec["automountServiceAccountToken"] = false.into();
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec});
        let client = self.client.clone();
        self.run(async move {
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
            let _ = client.create(&kinds::SERVICE_ACCOUNTS, "default", Object::new(account)).await;
            client.create(&kinds::PODS, "default", Object::new(pod)).await.unwrap();
        });
    }

    pub(crate) fn get(&self, name: &str) -> Option<Object> {
        let (client, name) = (self.client.clone(), name.to_owned());
        self.run(async move { client.get(&kinds::PODS, "default", &name).await.ok() })
    }

    /// `Running, ready 1/1, restarts 0` and waiting or termination reasons, in one line.
    pub(crate) fn line(&self, name: &str) -> String {
        let Some(pod) = self.get(name) else { return "gone".into() };
        let all = pod.list("status.initContainerStatuses").iter().chain(pod.list("status.containerStatuses"));
        let containers: Vec<String> = all
            .map(|s| {
                let state = s["state"].as_object().and_then(|m| m.iter().next());
                let state = state.map_or(String::new(), |(kind, v)| match v["reason"].as_str() {
                    Some(reason) => format!("{kind}:{reason}"),
                    None => kind.to_string(),
                });
                let ready = if s["ready"] == true { "+" } else { "-" };
                format!("{}{ready}{state}x{}", s["name"].as_str().unwrap(), s["restartCount"])
            })
            .collect();
        let reason = pod.str("status.reason");
        let reason = if reason.is_empty() { String::new() } else { format!("({reason})") };
        format!("{}{reason} {}", pod.str("status.phase"), containers.join(" "))
    }

    /// Every event about an object, as `Type Reason Message (xN)`.
    pub(crate) fn events(&self, name: &str) -> String {
        let client = self.client.clone();
        let options = ListOptions::fields(format!("involvedObject.name={name}"));
        let list = self.run(async move { client.list(&kinds::EVENTS, "", &options).await.unwrap() });
        let mut items = list.items;
        items.sort_by_key(|e| e.resource_version().parse::<u64>().unwrap_or(0));
        let line = |e: &Object| {
            let count = e.int("count").filter(|c| *c > 1).map_or(String::new(), |c| format!(" (x{c})"));
            format!("{} {} {}{count}\n", e.str("type"), e.str("reason"), e.str("message"))
        };
        items.iter().map(line).collect::<String>().replace(&self.uid_of(name), "UID")
    }

    fn uid_of(&self, name: &str) -> String {
        self.get(name).map_or("no such uid".into(), |p| p.uid().to_owned())
    }
}
