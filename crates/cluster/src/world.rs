//! The world: what the page's worker and the native shell drive.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::Object;
use api::http::Transport;
use bytes::Bytes;
use machine::{EditEvent, Reader, Writer};
use network::journey::Journey;
use network::{Fabric, NetNs, Role};
use runtime::cri::Shared;
use runtime::engine::{Engine, WasmiEngine};
use simulation::{ExternalError, ExternalRequest, Sim, SimConfig, Step, StepLimits, Time, TraceEvent};

use crate::browser::{Browser, Visit};
use crate::desktop::{Effect, Windows};
use crate::follow::{Follow, LogPiece};
use crate::input::{Input, LogEntry, Outbox, Output, Stream};
use crate::learner::{LANG, Learner};
use crate::lifecycle::Clusters;
use crate::lines::Lines;
use crate::probe::Probes;
use crate::profile::{PROBE_ADDRESS, Profile};
use crate::revision::Revision;
use crate::script::ScriptRun;

/// What a world is made from. Together with the log of inputs it is the whole of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldConfig {
    /// Seed of everything random.
    pub seed: u64,
    /// Virtual time at the beginning.
    pub start: Time,
    /// A cluster of this profile is running (it still has to boot); none: there is no cluster yet.
    pub profile: Option<String>,
    /// Nodes of that cluster; 0 for as many as the profile has.
    pub nodes: u32,
}

/// A world with a learner's machine and perhaps a cluster.
pub struct World {
    sim: Sim,
    outbox: Outbox,
    windows: Windows,
    learner: Learner,
    pub(crate) clusters: Clusters,
    terminals: BTreeMap<u8, shell::Terminal>,
    browser: Browser,
    follow: Follow,
    log: Vec<LogEntry>,
    revision: Revision,
    probes: Probes,
    fabric: Fabric,
    /// Somebody on the internet, once somebody asked from there.
    pub(crate) internet: Option<NetNs>,
    waiting: bool,
}

impl World {
    /// A new world.
    ///
    /// # Errors
    /// The profile is not known, or cannot have so many nodes.
    pub fn new(config: WorldConfig) -> Result<World, String> {
        World::build(config, Lines::default(), Rc::new(WasmiEngine::new()))
    }

    /// A new world whose containers run on `engine`. Fuel differs between engines, so the engine belongs to what a session
    /// is, besides its configuration and inputs.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn with_engine(config: WorldConfig, engine: Rc<dyn Engine>) -> Result<World, String> {
        World::build(config, Lines::default(), engine)
    }

    pub(crate) fn build(config: WorldConfig, lines: Lines, engine: Rc<dyn Engine>) -> Result<World, String> {
        let sim = Sim::new(SimConfig { seed: config.seed, start: config.start });
        let fabric = Fabric::new(sim.clone());
        let revision = Revision::default();
        let clusters = Clusters::new(&sim, &fabric, &revision, lines, Shared::with_engine(&sim, engine));
        let learner = Learner::new(&sim, &fabric, clusters.programs(), clusters.host());
        clusters.set_machine(&learner.fs);
        if let Some(name) = &config.profile {
            let profile = Profile::find(name).ok_or_else(|| format!("unknown profile {name:?}"))?;
            let nodes = if config.nodes == 0 { profile.nodes } else { config.nodes.max(profile.nodes) };
            clusters.boot(profile, nodes)?;
        }
        let browser = Browser::new(&sim, &learner.net);
        Ok(World {
            windows: Windows::new(&sim),
            sim,
            outbox: Outbox::default(),
            learner,
            clusters,
            terminals: BTreeMap::new(),
            browser,
            follow: Follow::default(),
            log: Vec::new(),
            revision,
            probes: Probes::default(),
            fabric,
            internet: None,
            waiting: false,
        })
    }

    // --- the drive ---

    /// Virtual now.
    pub fn now(&self) -> Time {
        self.sim.now()
    }

    /// Tasks polled so far: the step number to print with a failure.
    pub fn steps(&self) -> u64 {
        self.sim.steps()
    }

    /// Runs what is due up to `until`.
    pub fn step(&mut self, until: Time, limits: StepLimits) -> Step {
        let step = self.sim.step(until, limits);
        self.waiting = step == Step::Waiting;
        self.terminals.retain(|_, terminal| !terminal.has_ended());
        step
    }

    /// Whether time stands still until a file arrives.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Moves the clock to a moment at which something comes in from outside; [`World::step`] said `Idle` for it.
    pub fn advance_to(&mut self, at: Time) {
        self.sim.advance_to(at);
    }

    /// Takes an input at `at` and logs it; [`World::step`] said `Idle` for that time.
    pub fn input(&mut self, at: Time, input: Input) {
        self.sim.advance_to(at);
        self.log.push(LogEntry { at: self.sim.now(), input: input.clone() });
        match input {
            Input::OpenTerminal { id, cols, rows } => self.open_terminal(id, cols, rows),
            Input::CloseTerminal { id } => {
                if let Some(terminal) = self.terminals.remove(&id) {
                    terminal.hang_up();
                }
            }
            Input::Keys { id, text } => {
                if let Some(terminal) = self.terminals.get(&id) {
                    terminal.keys(text.as_bytes());
                }
            }
            Input::Resize { id, cols, rows } => {
                if let Some(terminal) = self.terminals.get(&id) {
                    terminal.resize(machine::TtySize { cols, rows });
                }
            }
            Input::SaveEdit { id, text } => self.windows.happened(id, EditEvent::Saved(text)),
            Input::CloseEdit { id } => self.windows.happened(id, EditEvent::Closed),
            Input::RefuseEdit { id } => self.windows.happened(id, EditEvent::Unavailable),
            Input::Visit { url, every_ms } => self.browser.visit(url, every_ms.map(Duration::from_millis)),
            Input::StopVisits => self.browser.stop(),
            Input::FollowLog { pod, container } => {
                self.follow.start(&self.sim, self.clusters.transport(), &pod, &container);
            }
            Input::CloseLog => self.follow.stop(),
            Input::Language { language } => {
                self.learner.language = language;
                for terminal in self.terminals.values() {
                    terminal.export(LANG, language.locale());
                }
            }
            Input::Step { .. } => {}
        }
    }

    /// The inputs so far.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    fn open_terminal(&mut self, id: u8, cols: u16, rows: u16) {
        let screen = Writer::new(self.outbox.end(Stream::Terminal(id)));
        let mut ctx = self.learner.ctx(&self.sim, Reader::empty(), screen.clone(), screen.clone());
        ctx.host = self.windows.beside(id, ctx.host);
        let terminal = shell::Terminal::start(ctx, screen, machine::TtySize { cols, rows });
        if let Some(old) = self.terminals.insert(id, terminal) {
            old.hang_up();
        }
    }

    /// Whether a terminal is open.
    pub fn has_terminal(&self, id: u8) -> bool {
        self.terminals.contains_key(&id)
    }

    /// Whether a terminal is open in which a program runs that waits for no keys: what is typed then has to wait for its end.
    pub fn is_terminal_busy(&self, id: u8) -> bool {
        self.terminals.get(&id).is_some_and(|terminal| !terminal.waits_for_keys())
    }

    /// Runs a script on the learner's machine; its output comes through [`World::take_output`].
    pub fn run_script(&mut self, script: &str, stdin: impl Into<Bytes>) -> ScriptRun {
        let stdout = Writer::new(self.outbox.end(Stream::Stdout));
        let stderr = Writer::new(self.outbox.end(Stream::Stderr));
        let ctx = self.learner.ctx(&self.sim, Reader::from_bytes(stdin), stdout, stderr);
        let run = ScriptRun::default();
        let (script, code) = (script.to_owned(), Rc::clone(&run.0));
        self.sim.spawn(async move { code.set(Some(shell::run_script(ctx, script).await)) });
        run
    }

    /// Puts a text file into the learner's home, with the folders above it.
    ///
    /// # Errors
    /// What the file system says, with the path.
    pub fn put_file(&self, path: &str, text: &str) -> Result<(), String> {
        let path = format!("{}/{path}", crate::learner::HOME);
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let fs = &self.learner.fs;
        let put = fs.mkdir_all(folder).and_then(|()| fs.write(&path, text.to_owned()));
        put.map_err(|errno| format!("{path}: {errno}"))
    }

    /// Lets the wires between pods, nodes and machines be as they are said to be, from now on. Part of what a session is made
    /// from, as [`WorldConfig`]: it must happen at the same virtual time in every replay, best at the beginning.
    pub fn set_wire(&mut self, wire: &lesson::Wire) {
        if let Some(lesson::Latency(latency)) = wire.latency {
            self.fabric.set_hop_delay(latency);
        }
        if let Some(lesson::Loss(loss)) = wire.loss {
            self.fabric.set_loss(loss);
        }
    }

    /// Begins to ask what the HTTP clauses of a lesson's checks ask. Part of the lesson's set-up: it must happen at the
    /// same virtual time in every replay.
    pub fn ask(&mut self, checks: &lesson::Checks) {
        if checks.http_clauses().is_empty() {
            return;
        }
        let mut ctx = self.learner.ctx(&self.sim, Reader::empty(), Writer::null(), Writer::null());
        ctx.net = self.fabric.attach_as("check", &[PROBE_ADDRESS], Role::Outside);
        self.probes.start(checks, &ctx, &self.clusters, &self.revision);
    }

    // --- what comes out ---

    /// Output since the last call.
    pub fn take_output(&mut self) -> Vec<Output> {
        self.outbox.take()
    }

    /// What the screen beside the terminals should show, since the last call.
    ///
    /// A window that was opened and closed in between is not mentioned. After a replay only [`Effect::Edit`] still
    /// means something: those windows are open.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        self.windows.take()
    }

    /// Answers that the browser got since the last call.
    pub fn take_visits(&mut self) -> Vec<Visit> {
        self.browser.take()
    }

    /// What came of the log that is looked at since the last call.
    pub fn take_log(&mut self) -> Option<LogPiece> {
        self.follow.take()
    }

    /// The static files that are wanted since the last call.
    pub fn external_requests(&self) -> Vec<ExternalRequest> {
        self.sim.external_requests()
    }

    /// Supplies a file.
    pub fn external_reply(&self, id: u64, answer: Result<Bytes, ExternalError>) {
        self.sim.external_reply(id, answer);
    }

    /// The network.
    pub(crate) fn fabric(&self) -> Fabric {
        self.fabric.clone()
    }

    /// The learner's machine on it.
    pub(crate) fn learner_net(&self) -> NetNs {
        self.learner.net.clone()
    }

    /// What happened after `seq`.
    pub fn trace_since(&self, seq: u64) -> Vec<TraceEvent> {
        self.sim.trace_since(seq)
    }

    /// The newest trace position.
    pub fn trace_last_seq(&self) -> u64 {
        self.sim.trace_last_seq()
    }

    /// Requests on the network that began or changed after a revision of theirs (0 for all that are kept), oldest first.
    pub fn journeys_since(&self, revision: u64) -> Vec<Journey> {
        self.fabric.journeys_since(revision)
    }

    /// Changes whenever the objects that can be seen change.
    pub fn revision(&self) -> u64 {
        self.revision.get()
    }

    /// The objects of a kind in a namespace (`*` for all); none while no cluster runs.
    pub fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        self.clusters.objects(api_version, kind, namespace)
    }

    /// Whether a cluster runs.
    pub fn has_cluster(&self) -> bool {
        self.clusters.transport().is_some()
    }

    /// Whether the cluster is up: all its nodes are Ready and pods can be created in `default`.
    pub fn is_ready(&self) -> bool {
        self.clusters.is_ready()
    }

    /// The API server of the running cluster.
    pub fn transport(&self) -> Option<Rc<dyn Transport>> {
        self.clusters.transport()
    }

    /// The simulation, for shells that bring in requests of their own (`kubonsai serve`).
    pub fn sim(&self) -> &Sim {
        &self.sim
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.clusters.end();
        // Tasks hold handles to the world and the world holds its tasks: cut the circle.
        self.sim.shut_down();
    }
}

impl lesson::Facts for World {
    fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        World::objects(self, api_version, kind, namespace)
    }

    fn answered(&self, clause: &lesson::HttpClause) -> bool {
        self.probes.answered(clause)
    }
}
