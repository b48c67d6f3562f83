//! A world with a control plane, stand-in nodes and a machine on which kubectl runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::http::{Transport, TransportError};
use apiserver::{ApiServer, Config};
use client::Client;
use controllers::ControllerManager;
use futures_util::future::LocalBoxFuture;
use kubectl::session::{Place, Session};
use scheduler::Scheduler;
use simulation::notify::Signal;
use simulation::{Sim, SimConfig, Step, StepLimits, Time};

use crate::nodes;

/// What a command said.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
}

pub struct Bench {
    pub sim: Sim,
    machine: Rc<Machine>,
    discovery: Rc<RefCell<BTreeMap<String, Rc<kubectl::discovery::Discovery>>>>,
    _parts: (ControllerManager, Scheduler, ApiServer),
}

const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: minikube
clusters: [{name: minikube, cluster: {server: 'https://127.0.0.1:16443'}}]
contexts: [{name: minikube, context: {cluster: minikube, user: minikube}}]
users: [{name: minikube, user: {}}]
";

impl Bench {
    pub fn new(files: &BTreeMap<String, String>) -> Bench {
        let start = Time::parse_rfc3339("2026-11-21T02:38:27Z").expect("a date");
        let sim = Sim::new(SimConfig { seed: 1, start });
        let server = ApiServer::new(sim.clone(), Config { address: "192.168.49.2:16443".into(), ..Config::default() });
        let transport: Rc<dyn Transport> = Rc::new(server.clone());
        let client = |agent: &str| Client::new(Rc::clone(&transport), agent);
        let manager = controllers::start(&sim, &client, controllers::Options::default());
        let scheduler = Scheduler::start(&sim, client("kube-scheduler"), scheduler::Options::default());
        nodes::start(&sim, &client("kubelet"));
        let mut all: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(name, text)| (format!("/WORKDIR/{name}"), text.clone().into_bytes())).collect();
        all.insert("/home/learner/.kube/config".into(), KUBECONFIG.into());
        let machine = Rc::new(Machine {
            files: RefCell::new(all),
            out: RefCell::default(),
            err: RefCell::default(),
            stdin: RefCell::default(),
            api: transport,
        });
        let mut bench = Bench { sim, machine, discovery: Rc::default(), _parts: (manager, scheduler, server) };
        bench.pass(Duration::from_secs(12));
        bench
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        let until = self.sim.now() + time;
        while self.sim.step(until, StepLimits::default()) == Step::Busy {}
        self.sim.advance_to(until);
    }

    /// Runs kubectl; given up after `limit` with exit code 124.
    pub fn kubectl(&mut self, words: &[String], stdin: &str, limit: Duration) -> Answer {
        *self.machine.stdin.borrow_mut() = stdin.as_bytes().to_vec();
        let session = Rc::new(Session {
            sim: self.sim.clone(),
            place: Rc::clone(&self.machine) as Rc<dyn Place>,
            discovery: Rc::clone(&self.discovery),
        });
        let (words, exit) = (words.to_vec(), Rc::new(RefCell::new(None)));
        let slot = Rc::clone(&exit);
        let task = self.sim.spawn(async move {
            let code = kubectl::program::run(session, &words).await;
            *slot.borrow_mut() = Some(code);
        });
        let end = self.sim.now() + limit;
        while exit.borrow().is_none() && self.sim.now() < end {
            self.pass(Duration::from_millis(20));
        }
        task.abort();
        self.pass(Duration::from_millis(40));
        let take = |buffer: &RefCell<Vec<u8>>| {
            String::from_utf8_lossy(&std::mem::take(&mut *buffer.borrow_mut())).into_owned()
        };
        let code = exit.borrow().unwrap_or(124);
        Answer { stdout: take(&self.machine.out), stderr: take(&self.machine.err), exit: code }
    }
}

struct Machine {
    files: RefCell<BTreeMap<String, Vec<u8>>>,
    out: RefCell<Vec<u8>>,
    err: RefCell<Vec<u8>>,
    stdin: RefCell<Vec<u8>>,
    api: Rc<dyn Transport>,
}

fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Place for Machine {
    fn write_out(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool> {
        self.out.borrow_mut().extend(bytes);
        Box::pin(std::future::ready(true))
    }
    fn write_err(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool> {
        self.err.borrow_mut().extend(bytes);
        Box::pin(std::future::ready(true))
    }
    fn read_in(&self) -> LocalBoxFuture<'static, Vec<u8>> {
        Box::pin(std::future::ready(std::mem::take(&mut *self.stdin.borrow_mut())))
    }
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.borrow().get(&tidy(path)).cloned().ok_or_else(|| "no such file or directory".into())
    }
    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        self.files.borrow_mut().insert(tidy(path), bytes.to_vec());
        Ok(())
    }
    fn stat(&self, path: &str) -> Option<bool> {
        let path = tidy(path);
        if self.files.borrow().contains_key(&path) {
            return Some(false);
        }
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.files.borrow().keys().any(|k| k.starts_with(&inside)).then_some(true)
    }
    fn list(&self, path: &str) -> Vec<String> {
        let inside = format!("{}/", tidy(path).trim_end_matches('/'));
        let mut names: Vec<String> = self
            .files
            .borrow()
            .keys()
            .filter_map(|k| Some(k.strip_prefix(&inside)?.split('/').next()?.to_owned()))
            .collect();
        names.dedup();
        names
    }
    fn cwd(&self) -> String {
        "/WORKDIR".into()
    }
    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/home/learner".into())
    }
    fn tty(&self) -> Option<(u16, u16)> {
        None
    }
    fn resized(&self, _: (u16, u16)) -> LocalBoxFuture<'static, (u16, u16)> {
        Box::pin(std::future::pending())
    }
    fn set_raw(&self, _: bool) {}
    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError> {
        if server == "https://127.0.0.1:16443" { Ok(Rc::clone(&self.api)) } else { Err(TransportError::Refused) }
    }
    fn interrupt(&self) -> Signal {
        Signal::new()
    }
    fn net(&self) -> Option<network::NetNs> {
        None
    }
}
