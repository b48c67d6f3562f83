//! A session in the worker: a world, its lesson and the pace of its time. Platform-free: real time comes in by value,
//! messages come out as values, so it is tested natively.

use std::collections::{BTreeMap, VecDeque};

use api::Object;
use cluster::journey::Journey;
use cluster::{Effect, Input, Language, LogEntry, ScriptRun, Stream, World, WorldConfig};
use lesson::{Lesson, Outcome, Progress};
use serde::{Deserialize, Serialize};
use simulation::{Duration, Step, StepLimits, Time, TraceEvent, TraceKind};

use crate::chain::Reader;
use crate::history;
use crate::inspect;
use crate::news::is_news;
use crate::picture::{Objects, Picture};
use crate::protocol::{CheckState, Decision, FromWorker, Inspection, Subject};
use crate::requests;
use crate::saved::{BUILD, SavedSession};
use crate::screen::Utf8Joiner;
use crate::slices::Slices;

/// Polls of a step by hand, which runs what happens at one moment, and between two looks at the checks in a replay.
const POLLS_PER_STEP: u32 = 200;
/// Real time that one tick may take, in milliseconds: the worker must stay able to take keys.
const TICK_MS_MAX: f64 = 12.0;
/// Real time that one tick may take while a session is being made or played again, in milliseconds.
const RESTORE_TICK_MS_MAX: f64 = 200.0;
/// Real time by which a tick may be late before the rest is taken for sleep (a closed lid) and not made up for, in
/// milliseconds.
const GAP_MS_MAX: f64 = 2_000.0;
/// Real time in which the world should come to rest before an input, in milliseconds; if it does not, the input waits.
const INPUT_MS_MAX: f64 = 100.0;
/// Inputs that wait while the world is busy or waits for a file; more are refused.
const PENDING_INPUTS_MAX: usize = 1_000;
/// Trace events told to the page at once: what it missed is past and not worth drawing.
const TRACE_MESSAGE_EVENTS_MAX: usize = 200;
const NANOS_PER_MS: i64 = 1_000_000;
/// Shortest real time between two clock messages, in milliseconds.
const CLOCK_MESSAGE_MS: f64 = 250.0;
/// How far the page's clock, which goes on by itself, may be off before it is told the time again: real milliseconds.
const CLOCK_DRIFT_MS: f64 = 400.0;
/// Pods whose scheduling is remembered for the inspector; the first by name go first.
const DECISIONS_MAX: usize = 500;

/// What a session is made from; with the log, all that is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seed {
    /// Course and lesson.
    pub course: String,
    /// Folder of the lesson.
    pub lesson: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Virtual time at the beginning.
    pub start: Time,
}

/// When the session wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// At once: there is work left.
    Now,
    /// After so many real milliseconds.
    After(f64),
    /// After an input, or a file that was asked for.
    Never,
}

/// Time as the learner sets it.
struct Pace {
    paused: bool,
    factor: f64,
    lagging: bool,
    /// Real time of the last tick, in milliseconds.
    last_ms: Option<f64>,
    /// When the tick before asked to be called again, in milliseconds from then; none: whenever.
    planned_ms: Option<f64>,
}

/// A running session.
pub struct Session {
    seed: Seed,
    lesson: Lesson,
    world: World,
    progress: Progress,
    pace: Pace,
    /// Virtual time up to which the world was allowed to run.
    until: Time,
    /// Virtual time that the saved session had reached.
    reached: Time,
    phase: Phase,
    slices: Slices,
    /// Inputs that came while the world was not at rest.
    pending: VecDeque<Input>,
    /// What the page speaks; none until it said so.
    language: Option<Language>,
    inspected: Option<Subject>,
    /// The scheduler's last word about each pod, by `namespace/name`.
    decisions: BTreeMap<String, Decision>,
    /// What the last command set in motion.
    chain: Reader,
    screens: Vec<(u8, Utf8Joiner)>,
    seen: Seen,
    /// The revision of the world at the last look at the checks in a replay.
    evaluated: u64,
}

/// Before a session lives, the world of its set-up is made and its log is played, both as fast as they go.
enum Phase {
    /// The cluster of the lesson's set-up boots, then its commands run.
    SetUp {
        /// The command that is running.
        running: Option<ScriptRun>,
        /// The next command.
        next: usize,
        /// The log to play afterwards.
        entries: Vec<LogEntry>,
    },
    /// The saved log is played again.
    Restore { entries: Vec<LogEntry>, done: usize },
    /// The learner is at work.
    Live,
}

/// What the page has been told.
struct Seen {
    revision: u64,
    trace_seq: u64,
    /// The revision of the newest request.
    journeys: u64,
    picture: Option<Picture>,
    checks: Vec<CheckState>,
    clock: Option<ClockTold>,
    live: bool,
}

/// The clock as the page was told it last.
#[derive(Clone, Copy)]
struct ClockTold {
    /// Real time of the message, in milliseconds.
    at_ms: f64,
    /// Virtual time since the session began, in milliseconds.
    elapsed_ms: f64,
    paused: bool,
    factor: f64,
    lagging: bool,
    loading: bool,
}

impl ClockTold {
    /// Virtual milliseconds that the page shows by now.
    fn shown_ms(&self, now_ms: f64) -> f64 {
        let since = if self.runs() { (now_ms - self.at_ms) * self.factor } else { 0.0 };
        self.elapsed_ms + since
    }

    fn runs(&self) -> bool {
        !self.paused && !self.lagging && !self.loading
    }

    /// Whether the page has to hear `now`: what it shows is no longer so.
    fn outdated(&self, now: &ClockTold) -> bool {
        let kind = |clock: &ClockTold| (clock.paused, clock.factor.to_bits(), clock.lagging, clock.loading);
        if kind(self) != kind(now) {
            return true;
        }
        let shown_ms = self.shown_ms(now.at_ms);
        let off = if self.runs() {
            (shown_ms - now.elapsed_ms).abs() >= CLOCK_DRIFT_MS * self.factor.max(1.0)
        } else {
            (shown_ms / 1_000.0).floor() != (now.elapsed_ms / 1_000.0).floor()
        };
        off && now.at_ms - self.at_ms >= CLOCK_MESSAGE_MS
    }
}

impl Session {
    /// A session of `lesson`; `log` is played again first, up to the time `reached`.
    ///
    /// # Errors
    /// The profile of the lesson's set-up is not known.
    pub fn new(seed: Seed, lesson: Lesson, log: Vec<LogEntry>, reached: Option<Time>) -> Result<Session, String> {
        let config = WorldConfig {
            seed: seed.seed,
            start: seed.start,
            profile: lesson.setup.profile.clone(),
            nodes: lesson.setup.nodes.unwrap_or(0),
        };
        let mut world = World::new(config)?;
        world.set_wire(&lesson.setup.network);
        for (path, text) in &lesson.files {
            world.put_file(path, text)?;
        }
        let seen = Seen {
            revision: u64::MAX,
            trace_seq: 0,
            journeys: 0,
            picture: None,
            checks: Vec::new(),
            clock: None,
            live: false,
        };
        Ok(Session {
            until: seed.start,
            progress: Progress::starting_at(0),
            pace: Pace { paused: false, factor: 1.0, lagging: false, last_ms: None, planned_ms: None },
            phase: Phase::SetUp { running: None, next: 0, entries: log },
            slices: Slices::default(),
            reached: reached.unwrap_or(seed.start),
            pending: VecDeque::new(),
            language: None,
            inspected: None,
            decisions: BTreeMap::new(),
            chain: Reader::default(),
            screens: Vec::new(),
            seen,
            evaluated: 0,
            seed,
            lesson,
            world,
        })
    }

    /// What it was made from.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The world, for answering its requests for files.
    pub fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// Entries of the log from `from` on.
    pub fn log_since(&self, from: usize) -> &[LogEntry] {
        self.world.log().get(from..).unwrap_or(&[])
    }

    /// All that is needed to make it again.
    pub fn saved(&self) -> SavedSession {
        let log = self.world.log().to_vec();
        SavedSession { build: BUILD.to_owned(), seed: self.seed.clone(), log, reached: Some(self.reached()) }
    }

    /// The session as it was before the last command was typed; none if none was.
    pub fn before_last_command(&self) -> Option<SavedSession> {
        let begin = history::last_command(self.world.log())?;
        let reached = self.world.log().get(begin)?.at;
        let mut saved = self.saved();
        saved.log.truncate(begin);
        Some(SavedSession { reached: Some(reached), ..saved })
    }

    /// Sets the pace.
    pub fn set_pace(&mut self, paused: bool, factor: f64) {
        self.pace.paused = paused;
        self.pace.factor = factor.clamp(0.1, 1_000.0);
        self.pace.last_ms = None;
    }

    /// Chooses what the inspector shows.
    pub fn inspect(&mut self, subject: Option<Subject>) -> FromWorker {
        self.inspected = subject;
        FromWorker::Inspection { inspection: self.inspection() }
    }

    /// Whether the set-up is being made or the saved log is being played.
    pub fn is_restoring(&self) -> bool {
        !matches!(self.phase, Phase::Live)
    }

    /// The terminals that are open.
    pub fn terminals(&self) -> Vec<u8> {
        (1..=9).filter(|id| self.world.has_terminal(*id)).collect()
    }

    /// The lesson.
    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }

    /// Virtual time that the session has reached.
    pub fn reached(&self) -> Time {
        self.until.max(self.world.now())
    }

    /// Takes an input. Before the session lives, and when too many wait, inputs are refused (false).
    pub fn input(&mut self, input: Input, now_ms: f64, clock: &dyn Fn() -> f64) -> bool {
        if self.is_restoring() || self.pending.len() >= PENDING_INPUTS_MAX {
            return false;
        }
        // Time first comes to where it should be by now.
        self.tick(now_ms, clock);
        self.pending.push_back(input);
        self.take_pending(clock);
        true
    }

    /// Gives the world the inputs that wait, each when everything before it has run: a replay does the same, so both
    /// see the same order. Time moves to the next whole millisecond for that. Whether none is left.
    fn take_pending(&mut self, clock: &dyn Fn() -> f64) -> bool {
        let begun_ms = clock();
        while let Some(input) = self.pending.pop_front() {
            let at = whole_millisecond(self.reached());
            let rested = loop {
                match self.slices.run(&mut self.world, at, clock) {
                    Step::Idle { .. } => break true,
                    Step::Busy if clock() - begun_ms < INPUT_MS_MAX => {}
                    Step::Busy | Step::Waiting => break false,
                }
            };
            self.until = self.until.max(at);
            if !rested {
                self.pending.push_front(input);
                return false;
            }
            // A terminal that is open stays: the page may ask twice.
            let input = match input {
                Input::OpenTerminal { id, cols, rows } if self.world.has_terminal(id) => {
                    Input::Resize { id, cols, rows }
                }
                other => other,
            };
            self.world.input(at, input);
        }
        true
    }

    /// The page speaks a language from now on, and the learner's machine shall. Of a session that does not live yet this
    /// is taken note of: it ends in the language that its log has, and goes on in this one.
    pub fn speak(&mut self, language: Language, now_ms: f64, clock: &dyn Fn() -> f64) {
        self.language = Some(language);
        if let Some(input) = self.news_of_language() {
            self.input(input, now_ms, clock);
        }
    }

    /// The input that makes the machine speak as the page does; none if it does already.
    fn news_of_language(&self) -> Option<Input> {
        let inputs = self.world.log().iter().map(|entry| &entry.input).chain(&self.pending);
        let spoken = inputs.rev().find_map(|input| match input {
            Input::Language { language } => Some(*language),
            _ => None,
        });
        let wanted = self.language.filter(|wanted| *wanted != spoken.unwrap_or_default());
        wanted.map(|language| Input::Language { language })
    }

    /// The learner is at a step. The log remembers when that was first so.
    pub fn step_begins(&mut self, step: u16, now_ms: f64, clock: &dyn Fn() -> f64) {
        let mark = Input::Step { step };
        let known = self.pending.contains(&mark) || self.world.log().iter().any(|entry| entry.input == mark);
        if !known {
            self.input(mark, now_ms, clock);
        }
    }

    /// The session as it was when a step was first reached; none if it never was.
    pub fn until_step(&self, step: u16) -> Option<SavedSession> {
        let log = self.world.log();
        let at = log.iter().position(|entry| entry.input == Input::Step { step })?;
        let reached = Some(log[at].at);
        let mut saved = self.saved();
        saved.log.truncate(at + 1);
        Some(SavedSession { reached, ..saved })
    }

    /// Runs the next event, also while paused.
    pub fn step_event(&mut self) {
        let limits = StepLimits { polls_max: POLLS_PER_STEP };
        if let Step::Idle { wake_at: Some(at) } = self.world.step(self.until, limits) {
            self.until = self.until.max(at);
            self.world.step(self.until, limits);
        }
    }

    /// Runs what is due. `now_ms` is real time; `clock` reads it again, to end in time.
    pub fn tick(&mut self, now_ms: f64, clock: &dyn Fn() -> f64) -> Next {
        match self.phase {
            Phase::SetUp { .. } => return self.set_up(now_ms, clock),
            Phase::Restore { .. } => return self.restore(now_ms, clock),
            Phase::Live => {}
        }
        let target = self.target(now_ms);
        let next = self.run_live(target, now_ms, clock);
        self.pace.planned_ms = match next {
            Next::Now => Some(0.0),
            Next::After(ms) => Some(ms),
            Next::Never => None,
        };
        next
    }

    /// Where virtual time should be by now.
    fn target(&mut self, now_ms: f64) -> Time {
        let elapsed = self.pace.last_ms.map_or(0.0, |last| (now_ms - last).max(0.0));
        self.pace.last_ms = Some(now_ms);
        if self.pace.paused {
            return self.until;
        }
        // Late by a little is made up for; late by much was sleep. Who had nothing planned cannot be late.
        let elapsed = self.pace.planned_ms.map_or(elapsed, |planned| elapsed.min(planned + GAP_MS_MAX));
        self.until + Duration::from_secs_f64(elapsed / 1_000.0 * self.pace.factor)
    }

    fn run_live(&mut self, target: Time, now_ms: f64, clock: &dyn Fn() -> f64) -> Next {
        if !self.take_pending(clock) {
            return if self.world.is_waiting() { Next::Never } else { Next::Now };
        }
        match self.run_to(target, now_ms, clock) {
            Step::Idle { wake_at } => {
                self.pace.lagging = false;
                self.until = target;
                match wake_at {
                    _ if self.pace.paused => Next::Never,
                    None => Next::Never,
                    Some(at) => {
                        let virtual_ms = at.saturating_since(target).as_secs_f64() * 1_000.0;
                        Next::After((virtual_ms / self.pace.factor).max(1.0))
                    }
                }
            }
            Step::Busy => {
                // Could not get there in time: virtual time slows, nothing is skipped.
                self.pace.lagging = true;
                self.until = self.reached();
                Next::Now
            }
            Step::Waiting => {
                self.until = self.reached();
                Next::Never
            }
        }
    }

    fn run_to(&mut self, target: Time, begun_ms: f64, clock: &dyn Fn() -> f64) -> Step {
        loop {
            match self.slices.run(&mut self.world, target, clock) {
                Step::Busy if clock() - begun_ms < TICK_MS_MAX => {}
                other => return other,
            }
        }
    }

    /// Makes the world of the lesson's set-up. Where it ends depends on events alone, so it ends at the same virtual
    /// time in every replay.
    fn set_up(&mut self, now_ms: f64, clock: &dyn Fn() -> f64) -> Next {
        loop {
            let booted = self.lesson.setup.profile.is_none() || self.world.is_ready();
            let Phase::SetUp { running, next, entries } = &mut self.phase else { return Next::Now };
            let busy = running.as_ref().is_some_and(|run| run.exit_code().is_none());
            if booted && !busy {
                if let Some(command) = self.lesson.setup.run.get(*next) {
                    *next += 1;
                    *running = Some(self.world.run_script(command, Vec::new()));
                } else {
                    let entries = std::mem::take(entries);
                    self.phase = Phase::Restore { entries, done: 0 };
                    self.until = self.until.max(self.world.now());
                    // What happened so far is not the learner's doing.
                    self.observe();
                    self.chain = Reader::default();
                    self.progress = Progress::starting_at(self.world.trace_last_seq());
                    self.world.ask(&self.lesson.checks);
                    return Next::Now;
                }
            }
            // One poll at a time: the end must be seen at the very event that brings it.
            match self.world.step(self.until, StepLimits { polls_max: 1 }) {
                Step::Waiting => return Next::Never,
                Step::Idle { wake_at: Some(at) } => self.until = self.until.max(at),
                Step::Idle { wake_at: None } if !busy && booted => {}
                Step::Idle { wake_at: None } => return Next::Never,
                Step::Busy => {}
            }
            if clock() - now_ms >= RESTORE_TICK_MS_MAX {
                return Next::Now;
            }
        }
    }

    /// Plays the saved log as fast as it goes.
    fn restore(&mut self, now_ms: f64, clock: &dyn Fn() -> f64) -> Next {
        loop {
            let Phase::Restore { entries, done } = &self.phase else { return Next::Now };
            let entry = entries.get(*done).cloned();
            let at = entry.as_ref().map_or(self.reached, |entry| entry.at).max(self.until);
            // Of one length in every replay: the checks are looked at after each.
            match self.world.step(at, StepLimits { polls_max: POLLS_PER_STEP }) {
                Step::Busy => {
                    self.note_progress();
                    if clock() - now_ms >= RESTORE_TICK_MS_MAX {
                        return Next::Now;
                    }
                    continue;
                }
                Step::Waiting => return Next::Never,
                Step::Idle { .. } => {}
            }
            self.note_progress();
            let Some(entry) = entry else {
                self.until = at;
                self.phase = Phase::Live;
                self.pace.last_ms = None;
                // Before what the page puts in when it hears that the session lives.
                self.pending.extend(self.news_of_language());
                return Next::Now;
            };
            self.world.input(entry.at, entry.input);
            self.until = self.until.max(entry.at);
            if let Phase::Restore { done, .. } = &mut self.phase {
                *done += 1;
            }
            if clock() - now_ms >= RESTORE_TICK_MS_MAX {
                return Next::Now;
            }
        }
    }

    /// What happened since the last call, after the checks, the chain and the inspector have taken note of it.
    fn observe(&mut self) -> Vec<TraceEvent> {
        let events = self.world.trace_since(self.seen.trace_seq);
        if let Some(last) = events.last() {
            self.seen.trace_seq = last.seq;
            self.progress.observe(&self.lesson.checks, &events);
            self.chain.take_in(&events);
            self.remember_decisions(&events);
        }
        events
    }

    /// Looks at the checks in the middle of a replay: what held only for a while was reached all the same.
    fn note_progress(&mut self) {
        let revision = self.world.revision();
        let events = self.observe();
        if std::mem::replace(&mut self.evaluated, revision) != revision || !events.is_empty() {
            self.progress.evaluate(&self.lesson.checks, &self.world);
        }
    }

    /// What the page has to know by now.
    pub fn messages(&mut self, now_ms: f64) -> Vec<FromWorker> {
        let mut out = Vec::new();
        self.collect_output(&mut out);
        let events = self.observe();
        match &self.phase {
            Phase::SetUp { entries, .. } => {
                out.push(FromWorker::Restoring { done: 0, total: entries.len() });
                return out;
            }
            Phase::Restore { entries, done } => {
                out.push(FromWorker::Restoring { done: *done, total: entries.len() });
                return out;
            }
            Phase::Live => {}
        }
        let begins = !std::mem::replace(&mut self.seen.live, true);
        if begins {
            out.push(FromWorker::Live { terminals: self.terminals() });
        }
        let visits = self.world.take_visits();
        if !visits.is_empty() {
            out.push(FromWorker::Visits { visits });
        }
        if let Some(piece) = self.world.take_log() {
            out.push(FromWorker::Log { piece });
        }
        // What a replay opened long ago is seen no more, but for the windows that programs still wait for.
        let wanted = |effect: &Effect| !begins || matches!(effect, Effect::Edit { .. });
        let effects = self.world.take_effects().into_iter().filter(wanted);
        out.extend(effects.map(|effect| FromWorker::Effect { effect }));
        self.collect_requests(&mut out);
        let revision = self.world.revision();
        let changed = revision != self.seen.revision || !events.is_empty();
        if changed {
            self.seen.revision = revision;
            self.collect_picture(&mut out);
            self.collect_checks(&mut out);
            if self.inspected.is_some() {
                out.push(FromWorker::Inspection { inspection: self.inspection() });
            }
        }
        if let Some(news) = self.chain.news() {
            out.push(FromWorker::Chain { news });
        }
        let news: Vec<TraceEvent> = events.into_iter().filter(|event| is_news(&event.kind)).collect();
        if !news.is_empty() {
            let newest = news.len().saturating_sub(TRACE_MESSAGE_EVENTS_MAX);
            out.push(FromWorker::Trace { events: news.into_iter().skip(newest).collect() });
        }
        self.collect_clock(now_ms, &mut out);
        out
    }

    fn collect_output(&mut self, out: &mut Vec<FromWorker>) {
        for piece in self.world.take_output() {
            let Stream::Terminal(id) = piece.stream else { continue };
            let joiner = match self.screens.iter_mut().find(|(terminal, _)| *terminal == id) {
                Some((_, joiner)) => joiner,
                None => {
                    self.screens.push((id, Utf8Joiner::default()));
                    &mut self.screens.last_mut().expect("just pushed").1
                }
            };
            let text = joiner.push(&piece.bytes);
            if !text.is_empty() {
                out.push(FromWorker::Output { terminal: id, text });
            }
        }
        let world = &self.world;
        self.screens.retain(|(id, _)| {
            let open = world.has_terminal(*id);
            if !open {
                out.push(FromWorker::TerminalClosed { terminal: *id });
            }
            open
        });
    }

    fn collect_requests(&mut self, out: &mut Vec<FromWorker>) {
        let journeys = self.world.journeys_since(self.seen.journeys);
        let Some(newest) = journeys.iter().map(|journey| journey.revision).max() else { return };
        self.seen.journeys = newest;
        let now = self.world.now();
        let so_far =
            |journey: &Journey| u64::try_from(now.saturating_since(journey.begun).as_micros()).unwrap_or(u64::MAX);
        let requests = requests::tell(&journeys, so_far);
        if !requests.is_empty() {
            out.push(FromWorker::Requests { requests });
        }
    }

    fn collect_picture(&mut self, out: &mut Vec<FromWorker>) {
        let picture = Picture::draw(self.world.has_cluster(), &WorldObjects(&self.world));
        if self.seen.picture.as_ref() != Some(&picture) {
            self.seen.picture = Some(picture.clone());
            out.push(FromWorker::Picture { picture: Box::new(picture) });
        }
    }

    fn collect_checks(&mut self, out: &mut Vec<FromWorker>) {
        let outcomes = self.progress.evaluate(&self.lesson.checks, &self.world);
        let checks: Vec<CheckState> = self
            .lesson
            .checks
            .checks
            .iter()
            .zip(outcomes)
            .map(|(check, (id, outcome))| {
                let (reached, hint) = match outcome {
                    Outcome::Reached => (true, None),
                    Outcome::Missing(hint) => (false, Some(hint)),
                };
                CheckState { id, text: check.text.clone(), reached, hint }
            })
            .collect();
        if checks != self.seen.checks {
            self.seen.checks = checks.clone();
            out.push(FromWorker::Checks { checks });
        }
    }

    fn collect_clock(&mut self, now_ms: f64, out: &mut Vec<FromWorker>) {
        let elapsed = self.until.saturating_since(self.seed.start);
        let now = ClockTold {
            at_ms: now_ms,
            elapsed_ms: elapsed.as_secs_f64() * 1_000.0,
            paused: self.pace.paused,
            factor: self.pace.factor,
            lagging: self.pace.lagging,
            loading: self.world.is_waiting(),
        };
        if self.seen.clock.is_none_or(|told| told.outdated(&now)) {
            self.seen.clock = Some(now);
            out.push(FromWorker::Clock {
                elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                paused: now.paused,
                factor: now.factor,
                lagging: now.lagging,
                loading: now.loading,
            });
        }
    }

    fn inspection(&self) -> Option<Box<Inspection>> {
        let subject = self.inspected.as_ref()?;
        let mut inspection = inspect::inspect(&WorldObjects(&self.world), subject, self.world.now())?;
        if subject.kind == "Pod" {
            inspection.decision = self.decisions.get(&format!("{}/{}", subject.namespace, subject.name)).cloned();
        }
        Some(Box::new(inspection))
    }

    fn remember_decisions(&mut self, events: &[TraceEvent]) {
        for event in events {
            let TraceKind::Decision { namespace, pod, explanation, .. } = &event.kind else { continue };
            // The scheduler's words are of the same build; what cannot be read is not shown.
            let Ok(decision) = json::from_str(explanation) else { continue };
            self.decisions.insert(format!("{namespace}/{pod}"), decision);
            if self.decisions.len() > DECISIONS_MAX {
                self.decisions.pop_first();
            }
        }
    }
}

/// The next whole millisecond: times of inputs are short numbers in a link.
fn whole_millisecond(time: Time) -> Time {
    Time::from_nanos(time.as_nanos().saturating_add(NANOS_PER_MS - 1).div_euclid(NANOS_PER_MS) * NANOS_PER_MS)
}

struct WorldObjects<'a>(&'a World);

impl Objects for WorldObjects<'_> {
    fn all(&self, api_version: &str, kind: &str) -> Vec<Object> {
        self.0.objects(api_version, kind, "*")
    }
}
