//! Plays a recording: each command at the moment at which it was recorded, or as soon after it as ours allow.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use cluster::{Stream, World, WorldConfig};
use simulation::{Duration, Step, StepLimits, Time};

use crate::outcome::{Answer, Outcome};
use crate::recording::{HALF_SECOND, Recorded, Recording};
use crate::registry;

/// Before the first command, what the cluster's coming up has left is cleaned away.
const CLEAN_TIME: Duration = Duration::from_secs(2);
/// The recorded clusters had so long to come up.
const BOOT_TIME: Duration = Duration::from_secs(12);
/// A command that takes longer (virtually) hangs.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(400);
/// Polls between two looks at whether a command has ended.
const POLLS_PER_SLICE: u32 = 500;
/// The folder in which the commands run.
const FOLDER: &str = "/home/learner/work";

/// Plays a recording on a fresh cluster.
///
/// # Errors
/// The cluster does not come up, or a command hangs.
pub fn play(recording: &Recording) -> Result<Outcome> {
    let mut bench = Bench::new(recording)?;
    let mut outcome = Outcome::new(&recording.name);
    for recorded in &recording.commands {
        let answer = bench.answer(recording, recorded)?;
        outcome.compare(recorded, &answer);
    }
    Ok(outcome)
}

/// What two runs of a real cluster do not agree on is drawn here: who comes first, how long a pull takes. Some seeds draw
/// a rollout that was recorded, some another one by a step.
const SEED: u64 = 11;

/// The seed of all recordings; `ORACLE_SEED` tries another.
fn seed() -> u64 {
    std::env::var("ORACLE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED)
}

struct Bench {
    world: World,
    written: BTreeSet<String>,
    /// The next command begins at the earliest then.
    next: Time,
}

impl Bench {
    fn new(recording: &Recording) -> Result<Bench> {
        let Some(first) = recording.commands.first() else { bail!("a recording has commands") };
        let start = first.at - BOOT_TIME;
        let config = WorldConfig { seed: seed(), start, profile: Some("recorded".into()), nodes: 0 };
        let world = World::new(config).map_err(anyhow::Error::msg)?;
        let mut bench = Bench { world, written: BTreeSet::new(), next: first.at };
        if !bench.run_until(|world| world.is_ready()) {
            bail!("the cluster does not come up");
        }
        // The cluster of the recordings was used for all of them; between two, everything was deleted, events too.
        bench.wait_until(first.at - CLEAN_TIME);
        bench.run(&format!("mkdir -p {FOLDER}; kubectl delete events --all"), "")?;
        for name in recording.first_files() {
            bench.write(recording, name)?;
        }
        Ok(bench)
    }

    fn write(&mut self, recording: &Recording, name: &str) -> Result<()> {
        self.written.insert(name.to_owned());
        let path = format!("{FOLDER}/{name}");
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let text = recording.files.get(name).map_or("", String::as_str);
        self.run(&format!("mkdir -p '{folder}'; cat > '{path}'"), text)?;
        Ok(())
    }

    fn answer(&mut self, recording: &Recording, recorded: &Recorded) -> Result<Answer> {
        for name in &recorded.files {
            if !self.written.contains(name) {
                self.write(recording, name)?;
            }
        }
        let pause = recording.pause_after(recorded);
        self.wait_until(self.next.max(recorded.at - HALF_SECOND));
        let earliest = self.world.now() + recorded.took;
        let answer = self.run(&format!("cd {FOLDER}\n{}\n", recorded.command), &recorded.stdin)?;
        // Where commands of ours take longer than recorded, the pauses between them stay.
        self.next = earliest.max(self.world.now()) + pause;
        Ok(answer)
    }

    fn wait_until(&mut self, until: Time) {
        if until > self.world.now() {
            while !matches!(self.step(until), Step::Idle { .. }) {}
            self.world.advance_to(until);
        }
    }

    /// Runs what is due up to `until`, and brings the files that the registry is asked for.
    fn step(&mut self, until: Time) -> Step {
        let step = self.world.step(until, StepLimits { polls_max: POLLS_PER_SLICE });
        if step == Step::Waiting {
            for request in self.world.external_requests() {
                self.world.external_reply(request.id, registry::read(&request.path));
            }
        }
        step
    }

    /// Runs event by event until `done`; false when nothing is left to happen.
    fn run_until(&mut self, done: impl Fn(&World) -> bool) -> bool {
        let mut until = self.world.now();
        loop {
            let step = self.step(until);
            if done(&self.world) {
                return true;
            }
            match step {
                Step::Busy | Step::Waiting => {}
                Step::Idle { wake_at: Some(at) } => until = at,
                Step::Idle { wake_at: None } => return false,
            }
        }
    }

    fn run(&mut self, script: &str, stdin: &str) -> Result<Answer> {
        let run = self.world.run_script(script, stdin.to_owned().into_bytes());
        let limit = self.world.now() + COMMAND_TIME_MAX;
        let ended = self.run_until(|world| run.exit_code().is_some() || world.now() > limit);
        let Some(exit) = run.exit_code().filter(|_| ended) else { bail!("never ends: {script}") };
        let mut answer = Answer { exit, ..Answer::default() };
        for piece in self.world.take_output() {
            let text = String::from_utf8_lossy(&piece.bytes);
            match piece.stream {
                Stream::Stderr => answer.stderr += &text,
                Stream::Stdout | Stream::Terminal(_) => answer.stdout += &text,
            }
        }
        Ok(answer)
    }
}
