//! A world on which a scenario is played, and the hands that play it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::{Kind, Object, kinds};
use client::{Client, DeleteOptions, Error, ListOptions, PatchType, Propagation};
use cluster::{World, WorldConfig};
use futures_util::FutureExt as _;
use json::json;
use simulation::{Duration, Sim, Step as Ran, StepLimits, Time};

use crate::lines::Lines;
use crate::observer::Observer;
use crate::scenario::{Act, Item, NAMESPACES, NODES, Shape, Step};
use crate::{images, objects};

/// When the worlds begin.
const START: Time = Time::from_unix_seconds(1_795_000_000);
/// The cluster comes up.
const BOOT: Duration = Duration::from_secs(60);
/// Peace after the last fault. Long enough for the longest pause of a kubelet (5 min), of a Job (6 min) and of a queue that
/// a storm of conflicts has made patient.
const QUIET: Duration = Duration::from_secs(15 * 60);
/// Pause of a rival between two rounds of writes.
const STORM_PAUSE: Duration = Duration::from_millis(70);

/// What an object must be like in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub uid: String,
    pub shape: Shape,
}

/// A world with what it is expected to be like.
pub struct Stage {
    pub world: World,
    lines: Rc<Lines>,
    pub client: Client,
    pub wanted: BTreeMap<Item, Wanted>,
    pub namespaces: BTreeSet<&'static str>,
    pub observers: Vec<Observer>,
}

impl Stage {
    /// A cluster that has come up.
    pub fn new(seed: u64) -> Stage {
        let lines = Rc::new(Lines::default());
        let leads = Rc::clone(&lines);
        let config = WorldConfig { seed, start: START, profile: Some("three-node".to_owned()), nodes: NODES };
        let world = World::with_lines(config, Rc::new(move |part, way| leads.lead(part, way)));
        let world = world.expect("the profile exists");
        lines.set_sim(world.sim());
        let client = Client::new(world.transport().expect("the cluster runs"), "learner");
        let (wanted, namespaces, observers) = Default::default();
        let mut stage = Stage { world, lines, client, wanted, namespaces, observers };
        stage.pass(BOOT);
        assert!(stage.world.is_ready(), "the cluster comes up");
        stage.observe();
        stage
    }

    /// Plays a scenario, then heals everything and lets quiet time pass.
    pub fn play(&mut self, steps: &[Step]) {
        for step in steps {
            self.pass(step.after);
            self.poll(step.polls);
            self.act(&step.act);
        }
        self.lines.heal_all();
        (0..NODES).for_each(|node| self.world.start_machine(node));
        self.pass(QUIET);
    }

    // --- time ---

    fn step(&mut self, until: Time, polls_max: u32) -> Ran {
        let ran = self.world.step(until, StepLimits { polls_max });
        if ran == Ran::Waiting {
            for request in self.world.external_requests() {
                self.world.external_reply(request.id, images::read(&request.path));
            }
        }
        ran
    }

    pub fn pass(&mut self, time: Duration) {
        let until = self.world.now() + time;
        while !matches!(self.step(until, 10_000), Ran::Idle { .. }) {}
        self.world.advance_to(until);
    }

    /// Stops in the midst of things: tasks may be ready that have not run.
    fn poll(&mut self, polls: u32) {
        let until = self.world.now() + Duration::from_millis(500);
        for _ in 0..polls {
            if let Ran::Idle { .. } = self.step(until, 1) {
                return;
            }
        }
    }

    /// The answer to a request. No time passes, and nothing runs that need not run for it.
    pub fn ask<T: 'static>(&mut self, question: impl Future<Output = T> + 'static) -> T {
        let task = self.world.sim().spawn(question);
        let now = self.world.now();
        while !task.is_finished() {
            let is_idle = matches!(self.step(now, 1), Ran::Idle { .. });
            assert!(!is_idle || task.is_finished(), "the API server answers at once");
        }
        task.now_or_never().and_then(Result::ok).expect("it has finished")
    }

    pub fn list(&mut self, kind: &'static Kind, selector: &ListOptions) -> Vec<Object> {
        let (client, selector) = (self.client.clone(), selector.clone());
        self.ask(async move { client.list(kind, "", &selector).await }).expect("a list").items
    }

    // --- acts ---

    fn act(&mut self, act: &Act) {
        match act {
            Act::CreateNamespace(name) => self.create_namespace(name),
            Act::DeleteNamespace(name) => self.delete_namespace(name),
            Act::Create(item, shape) => self.create(item, *shape),
            Act::Scale(item, replicas) => self.scale(item, *replicas),
            Act::Update(item, version) => self.update(item, *version),
            Act::Delete { item, foreground } => self.delete(item, *foreground),
            Act::KillPod { nth, at_once } => self.kill_pod(*nth, *at_once),
            Act::StopMachine(node) => self.world.stop_machine(*node),
            Act::StartMachine(node) => self.world.start_machine(*node),
            Act::LoseMachine(node) => self.lose_machine(*node),
            Act::Cut(party) => self.lines.of(*party).cut(Some(self.world.now())),
            Act::Heal(party) => self.lines.of(*party).heal(),
            Act::SlowWatches(party, millis) => self.lines.of(*party).slow(Duration::from_millis(u64::from(*millis))),
            Act::ExpireWatches(party) => self.lines.of(*party).expire(),
            Act::CloseWatches(party) => self.lines.of(*party).close(),
            Act::LoseAnswers(party, count) => self.lines.of(*party).lose_answers(*count),
            Act::Storm { kind, seconds } => self.storm(kind, Duration::from_secs(u64::from(*seconds))),
            Act::RestartControllers => self.world.restart_controllers(),
            Act::RestartScheduler => self.world.restart_scheduler(),
            Act::Observe => self.observe(),
        }
    }

    /// Begins to watch.
    fn observe(&mut self) {
        let all = ListOptions::default;
        let on_node = ListOptions::fields("spec.nodeName=minikube-m02");
        let whole: [&'static Kind; 9] = [
            &kinds::PODS,
            &kinds::DEPLOYMENTS,
            &kinds::REPLICA_SETS,
            &kinds::STATEFUL_SETS,
            &kinds::JOBS,
            &kinds::ENDPOINT_SLICES,
            &kinds::NODES,
            &kinds::NAMESPACES,
            &kinds::CONFIG_MAPS,
        ];
        let wanted = whole.into_iter().map(|kind| (kind, all())).chain([(&kinds::PODS as &'static Kind, on_node)]);
        for (kind, selector) in wanted {
            self.observers.push(Observer::start(self.world.sim(), &self.client, kind, selector));
        }
    }

    fn create_namespace(&mut self, name: &'static str) {
        let client = self.client.clone();
        let object = Object::new(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        if self.ask(async move { client.create(&kinds::NAMESPACES, "", object).await }).is_ok() {
            self.namespaces.insert(name);
        }
    }

    fn delete_namespace(&mut self, name: &'static str) {
        let client = self.client.clone();
        let options = DeleteOptions::default();
        if self.ask(async move { client.delete(&kinds::NAMESPACES, "", name, &options).await }).is_ok() {
            self.namespaces.remove(name);
            self.wanted.retain(|item, _| item.namespace != name);
        }
    }

    fn create(&mut self, item: &Item, shape: Shape) {
        let (client, kind, object) = (self.client.clone(), objects::kind(item.what), objects::object(item, shape));
        let namespace = item.namespace;
        if let Ok(made) = self.ask(async move { client.create(kind, namespace, object).await }) {
            self.wanted.insert(item.clone(), Wanted { uid: made.uid().to_owned(), shape });
        }
    }

    fn patch(&mut self, item: &Item, sub: &'static str, patch: json::Value) -> bool {
        let (client, kind) = (self.client.clone(), objects::kind(item.what));
        let (namespace, name) = (item.namespace, item.name.clone());
        let kind_of_patch = if sub.is_empty() { PatchType::Strategic } else { PatchType::Merge };
        self.ask(async move { client.patch(kind, namespace, &name, sub, kind_of_patch, &patch).await }).is_ok()
    }

    fn scale(&mut self, item: &Item, replicas: u32) {
        if self.patch(item, "scale", json!({ "spec": { "replicas": replicas } }))
            && let Some(wanted) = self.wanted.get_mut(item)
        {
            wanted.shape.replicas = replicas;
        }
    }

    fn update(&mut self, item: &Item, version: u32) {
        if let Some(patch) = objects::update(item, version)
            && self.patch(item, "", patch)
            && let Some(wanted) = self.wanted.get_mut(item)
        {
            wanted.shape.version = version;
        }
    }

    fn delete(&mut self, item: &Item, foreground: bool) {
        let (client, kind) = (self.client.clone(), objects::kind(item.what));
        let (namespace, name) = (item.namespace, item.name.clone());
        let propagation = Some(if foreground { Propagation::Foreground } else { Propagation::Background });
        let options = DeleteOptions { propagation, ..DeleteOptions::default() };
        if self.ask(async move { client.delete(kind, namespace, &name, &options).await }).is_ok() {
            self.wanted.remove(item);
        }
    }

    fn kill_pod(&mut self, nth: u32, at_once: bool) {
        let pods = self.list(&kinds::PODS, &ListOptions::default());
        let ours: Vec<&Object> = pods.iter().filter(|pod| NAMESPACES.contains(&pod.namespace())).collect();
        let Some(pod) = ours.get(nth as usize % ours.len().max(1)) else { return };
        let (client, namespace, name) = (self.client.clone(), pod.namespace().to_owned(), pod.name().to_owned());
        let options = DeleteOptions { grace_period_seconds: at_once.then_some(0), ..DeleteOptions::default() };
        // That it has gone in the meantime is as well.
        let _ = self.ask(async move { client.delete(&kinds::PODS, &namespace, &name, &options).await });
    }

    fn lose_machine(&mut self, node: u32) {
        self.world.stop_machine(node);
        let Some(name) = self.world.machines().get(node as usize).cloned() else { return };
        let client = self.client.clone();
        let _ = self.ask(async move { client.delete(&kinds::NODES, "", &name, &DeleteOptions::default()).await });
    }

    fn storm(&mut self, plural: &str, time: Duration) {
        let kind = kinds::KINDS.iter().find(|kind| kind.plural == plural).expect("a kind of the table");
        let sim = self.world.sim().clone();
        sim.spawn(rival(sim.clone(), self.client.with_user_agent("rival"), kind, sim.now() + time));
    }
}

/// Writes to every object of a kind, again and again.
async fn rival(sim: Sim, client: Client, kind: &'static Kind, until: Time) {
    let mut round = 0;
    while sim.now() < until {
        round += 1;
        let objects = client.list(kind, "", &ListOptions::default()).await.map(|list| list.items).unwrap_or_default();
        for object in objects.iter().filter(|object| NAMESPACES.contains(&object.namespace())) {
            let patch = json!({ "metadata": { "annotations": { "rival": round.to_string() } } });
            let (namespace, name) = (object.namespace(), object.name());
            // It may have gone; the next round knows.
            let _: Result<Object, Error> = client.patch(kind, namespace, name, "", PatchType::Merge, &patch).await;
        }
        sim.sleep(STORM_PAUSE).await;
    }
}
