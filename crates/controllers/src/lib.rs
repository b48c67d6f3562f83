//! The controllers of the cluster (`kube-controller-manager`): each follows some kinds and moves the cluster from what
//! is to what was asked for. They meet only at the API server.
//!
//! Every controller has one shape, see [`controller`]: a folder, a row in [`CONTROLLERS`], a pure `reconcile`.
//!
//! Invariants:
//! * `reconcile` reads nothing but its [`view::View`]; it never waits and never writes. The [`runner`] does both.
//! * Nothing is polled: a key is looked at after a change, or at a time that its own state names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Kind, kinds};
use client::{Client, Event, Informer, ListOptions};
use simulation::{Sim, Task};

mod cache;
mod certificates;
mod change;
mod claim;
mod clusterroleaggregation;
mod controller;
mod cronjob;
mod daemonset;
mod deployment;
mod disruption;
mod endpoints;
mod endpointslice;
mod endpointslicemirroring;
mod garbagecollector;
mod history;
mod job;
mod loadbalancer;
mod namespace;
mod nodeipam;
mod nodelifecycle;
mod podautoscaler;
mod podgc;
mod pods;
mod replicaset;
mod resourcequota;
mod root_ca;
mod runner;
mod selector;
mod serviceaccount;
mod serviceaccounttoken;
mod services;
mod statefulset;
mod tainteviction;
mod taints;
mod ttl;
mod ttlafterfinished;
mod view;
mod volumes;

use controller::Controller;
pub use loadbalancer::Cloud;
use runner::{Runner, Shared};

/// Every controller. The next one is a row here and a folder.
static CONTROLLERS: &[&Controller] = &[
    &serviceaccount::CONTROLLER,
    &serviceaccounttoken::CONTROLLER,
    &root_ca::CONTROLLER,
    &namespace::CONTROLLER,
    &garbagecollector::CONTROLLER,
    &nodeipam::CONTROLLER,
    &ttl::CONTROLLER,
    &nodelifecycle::CONTROLLER,
    &tainteviction::CONTROLLER,
    &podgc::CONTROLLER,
    &endpoints::CONTROLLER,
    &endpointslice::CONTROLLER,
    &endpointslicemirroring::CONTROLLER,
    &replicaset::CONTROLLER,
    &replicaset::REPLICATION_CONTROLLER,
    &daemonset::CONTROLLER,
    &statefulset::CONTROLLER,
    &deployment::CONTROLLER,
    &job::CONTROLLER,
    &cronjob::CONTROLLER,
    &ttlafterfinished::CONTROLLER,
    &certificates::CLEANER,
    &clusterroleaggregation::CONTROLLER,
    &resourcequota::CONTROLLER,
    &disruption::CONTROLLER,
    &podautoscaler::CONTROLLER,
    &volumes::BINDER,
    &volumes::EPHEMERAL,
    &volumes::EXPANDER,
    &volumes::CLAIMS,
    &volumes::VOLUMES,
    &volumes::PROVISIONER,
    &loadbalancer::CONTROLLER,
];

/// What the controllers are told at the start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of controllers that are not to run, as in `--controllers=*,-name`.
    pub disabled: Vec<String>,
    /// Who makes load balancers.
    pub cloud: Option<Cloud>,
}

/// The running controllers; they end with it.
pub struct ControllerManager {
    informers: Vec<Informer>,
    followed: Rc<Followed>,
    tasks: Vec<Task<()>>,
}

/// Starts every controller. `client_factory` makes a client for a user agent: one for the shared informers
/// (`kube-controller-manager`), one for each controller (`kube-controller-manager/<name>`).
pub fn start(sim: &Sim, client_factory: &dyn Fn(&str) -> Client, options: Options) -> ControllerManager {
    let shared = Rc::new(Shared { cloud: options.cloud, started: sim.now(), ..Shared::default() });
    let rows = CONTROLLERS.iter().copied().filter(|row| !options.disabled.iter().any(|name| name == row.name));
    let runners: Vec<Rc<Runner>> = rows
        .clone()
        .map(|row| Runner::new(sim, client_factory(&format!("kube-controller-manager/{}", row.name)), &shared, row))
        .collect();
    let followed = |kind: &&&'static Kind| rows.clone().any(|row| row.follows.contains(kind));
    let kinds = kinds::KINDS.iter().filter(followed).copied();
    let client = client_factory("kube-controller-manager");
    let followed =
        Rc::new(Followed { sim: sim.clone(), client, shared, runners: runners.clone(), added: RefCell::default() });
    let informers: Vec<Informer> = kinds.map(|kind| followed.follow(kind)).collect();
    let waits = informers.clone();
    let starter = sim.spawn({
        let sim = sim.clone();
        async move {
            for informer in &waits {
                informer.synced().await;
            }
            let workers: Vec<Task<()>> = runners.iter().flat_map(Runner::start).collect();
            // The workers live as long as this task: aborting it must end them too.
            let _ends = EndWorkers(workers, runners);
            let _sim = sim;
            std::future::pending::<()>().await;
        }
    });
    ControllerManager { informers, followed, tasks: vec![starter] }
}

/// Keeps the copies.
struct Followed {
    sim: Sim,
    client: Client,
    shared: Rc<Shared>,
    runners: Vec<Rc<Runner>>,
    /// Informers on kinds that definitions have added, by resource, with the path that they follow.
    added: RefCell<BTreeMap<String, (String, Informer)>>,
}

impl Followed {
    fn follow(self: &Rc<Self>, kind: &'static Kind) -> Informer {
        let informer = Informer::start(&self.sim, &self.client, kind, "", ListOptions::default());
        let this = Rc::downgrade(self);
        informer.on_event(move |event| {
            let Some(this) = this.upgrade() else { return };
            this.shared.caches.borrow_mut().apply(kind, event);
            for runner in &this.runners {
                runner.observe(kind, event);
            }
            if *kind == kinds::CUSTOM_RESOURCE_DEFINITIONS {
                this.define(event);
            }
            this.shared.changed.wake_all();
        });
        informer
    }

    /// Follows the kind of a definition while it is served.
    fn define(self: &Rc<Self>, event: &Event) {
        let definition = event.object();
        let resource = definition.name().to_owned();
        let served = match event {
            Event::Deleted(_) => None,
            Event::Added(_) | Event::Modified { .. } => api::custom::versions(definition.value()).first().copied(),
        };
        let path = served.map(|version| version.kind.collection_path(""));
        let before = self.added.borrow().get(&resource).map(|(path, _)| path.clone());
        if path == before {
            return;
        }
        if let Some((_, informer)) = self.added.borrow_mut().remove(&resource) {
            informer.stop();
        }
        if let (Some(version), Some(path)) = (served, path) {
            self.shared.caches.borrow_mut().add(version.kind);
            let informer = self.follow(version.kind);
            self.added.borrow_mut().insert(resource, (path, informer));
        } else {
            self.shared.caches.borrow_mut().remove(&resource);
        }
    }
}

struct EndWorkers(Vec<Task<()>>, Vec<Rc<Runner>>);

impl Drop for EndWorkers {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
        for runner in &self.1 {
            runner.stop();
        }
    }
}

impl ControllerManager {
    /// Ends the controllers.
    pub fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
        for informer in &self.informers {
            informer.stop();
        }
        for (_, informer) in self.followed.added.borrow().values() {
            informer.stop();
        }
    }
}

impl Drop for ControllerManager {
    fn drop(&mut self) {
        self.stop();
    }
}
