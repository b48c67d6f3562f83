//! `kubonsai check`: lessons are tests.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cluster::{Input, World, WorldConfig};
use lesson::{Block, Lesson, Outcome, Progress};
use simulation::{Step, Time};

use catalogue::{Catalogue, Selection};
use kubonsai::drive;

/// The moment at which lessons are played: fixed, so that a failure can be played again.
const PLAYED_AT: Time = Time::from_unix_seconds(1_790_000_000);
/// A solution may end while the cluster still works on it: virtual time that it is given.
const SETTLING: Duration = Duration::from_secs(60);
/// Virtual time that a learner takes to read what a command answered.
const READING: Duration = Duration::from_secs(20);
/// The cluster's time after which a script is taken for one that never ends: no lesson takes a learner longer.
const SCRIPT_MINUTES_MAX: u64 = 30;
/// Polls of tasks after which it is too. A loop that waits for nothing hardly uses time; a script that rolls out an app
/// takes some thousands.
const SCRIPT_POLLS_MAX: u64 = 2_000_000;
/// Lines that are shown of what such a script said last.
const LAST_LINES: usize = 5;
/// Of what a script says so much is kept, the last: one that never ends may say a lot.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;

#[derive(Args)]
pub(crate) struct Options {
    /// The folder with index.yaml, a course in it, or a lesson in that.
    #[arg(default_value = "tutorials")]
    path: PathBuf,
    /// Play each script under so many seeds.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
}

/// What was counted.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

/// Reads and plays everything below the path; the value is the exit code.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    let selection = Selection::find(&options.path)?;
    let catalogue = Catalogue::read(&selection.root)?;
    let mut tally = Tally::default();
    tally.add("glossary.yaml", &catalogue.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    for id in catalogue.courses.iter().filter(|id| selection.course.as_ref().is_none_or(|c| c == *id)) {
        match catalogue.course(id)? {
            Err(problems) => {
                tally.add(&format!("{id}/"), &problems.iter().map(ToString::to_string).collect::<Vec<_>>());
            }
            Ok(course) => {
                for lesson in course.lessons.iter().filter(|l| selection.lesson.as_ref().is_none_or(|s| *s == l.id)) {
                    tally.play(id, lesson, options.seeds);
                }
            }
        }
    }
    anyhow::ensure!(tally.passed + tally.failed > 1, "{}: no such course or lesson", options.path.display());
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(u8::from(tally.failed > 0))
}

impl Tally {
    fn add(&mut self, what: &str, problems: &[String]) {
        let verdict = if problems.is_empty() { "ok  " } else { "FAIL" };
        println!("{verdict}  {what}");
        problems.iter().for_each(|p| println!("      {p}"));
        if problems.is_empty() { self.passed += 1 } else { self.failed += 1 }
    }

    fn play(&mut self, course: &str, lesson: &Lesson, seeds: u64) {
        let alternative = lesson.alternative.as_deref().map(|script| ("alternative.sh", script));
        for (name, script) in [("solution.sh", lesson.solution.as_str())].into_iter().chain(alternative) {
            for seed in 1..=seeds {
                self.add(&format!("{course}/{}/{name} seed={seed}", lesson.id), &play(lesson, name, script, seed));
            }
        }
        for seed in 1..=seeds {
            self.add(&format!("{course}/{}/lesson.*.md seed={seed}", lesson.id), &play_text(lesson, seed));
        }
    }
}

/// Plays a script of a lesson; gives what is wrong.
fn play(lesson: &Lesson, name: &str, script: &str, seed: u64) -> Vec<String> {
    let mut world = match set_up(lesson, seed) {
        Ok(world) => world,
        Err(problem) => return vec![format!("setup.yaml: {problem}")],
    };
    let mut problems = match play_nothing(lesson, seed) {
        Ok(problems) => problems,
        Err(problem) => return vec![format!("setup.yaml: {problem}")],
    };
    let mut progress = Progress::starting_at(world.trace_last_seq());
    // The checks are looked at all the way: some hold for a while only, and are reached then.
    let played = run_script(&mut world, script, &mut |world| drop(outcomes(lesson, &mut progress, world)));
    if let Err(failure) = played {
        problems.push(format!("{name} {}", failure.message));
        if failure.is_endless {
            return problems;
        }
    }
    problems.extend(settle(lesson, name, &mut progress, &mut world));
    problems
}

/// Does what a learner does who clicks every command of the text, in its terminal, and looks at the answer for a while.
/// The commands are the same in every language, so one language stands for all.
fn play_text(lesson: &Lesson, seed: u64) -> Vec<String> {
    let mut world = match set_up(lesson, seed) {
        Ok(world) => world,
        Err(problem) => return vec![format!("setup.yaml: {problem}")],
    };
    let mut progress = Progress::starting_at(world.trace_last_seq());
    let mut commands = Vec::new();
    for text in lesson.text.values().take(1) {
        text.walk(&mut |block| {
            if let Block::Code(code) = block
                && code.exec
            {
                commands.push(code);
            }
        });
    }
    run_for(&mut world, Duration::ZERO);
    for code in commands {
        let id = code.terminal;
        if !world.has_terminal(id) {
            let at = world.now();
            world.input(at, Input::OpenTerminal { id, cols: 100, rows: 30 });
            run_for(&mut world, Duration::from_secs(1));
        }
        let at = world.now();
        world.input(at, Input::Keys { id, text: format!("{}\r", code.code.replace('\n', "\r")) });
        let until = at + READING;
        while world.now() < until {
            run_for(&mut world, Duration::from_millis(500));
            outcomes(lesson, &mut progress, &mut world);
        }
    }
    settle(lesson, "every command of the text", &mut progress, &mut world)
}

/// Runs everything that happens in the next while, as time passes for a learner.
fn run_for(world: &mut World, duration: Duration) {
    let until = world.now() + duration;
    while drive::step(world, until) == Step::Busy {}
    world.advance_to(until);
    world.take_output();
}

/// Waits a while for the checks that do not hold yet; those that then still do not are problems.
fn settle(lesson: &Lesson, name: &str, progress: &mut Progress, world: &mut World) -> Vec<String> {
    let limit = Limit::new(world, SETTLING);
    drive::run_until(world, |world| {
        let missing = outcomes(lesson, progress, world).iter().any(|(_, o)| *o != Outcome::Reached);
        !missing || limit.is_reached(world)
    });
    let missing = outcomes(lesson, progress, world).into_iter().filter_map(|(id, outcome)| match outcome {
        Outcome::Missing(hint) => Some(format!("check {id:?} does not hold after {name}; its hint: {}", hint.en)),
        Outcome::Reached => None,
    });
    missing.collect()
}

/// The checks that hold although nothing was done, at once or after a while.
fn play_nothing(lesson: &Lesson, seed: u64) -> Result<Vec<String>, String> {
    let mut world = set_up(lesson, seed)?;
    let mut progress = Progress::starting_at(world.trace_last_seq());
    outcomes(lesson, &mut progress, &mut world);
    let wait = format!("sleep {}", SETTLING.as_secs());
    run_script(&mut world, &wait, &mut |world| drop(outcomes(lesson, &mut progress, world)))
        .map_err(|failure| failure.message)?;
    let reached = outcomes(lesson, &mut progress, &mut world).into_iter().filter(|(_, o)| *o == Outcome::Reached);
    Ok(reached.map(|(id, _)| format!("check {id:?} holds although nothing was done")).collect())
}

/// The world of `setup.yaml`.
fn set_up(lesson: &Lesson, seed: u64) -> Result<World, String> {
    let setup = &lesson.setup;
    let config =
        WorldConfig { seed, start: PLAYED_AT, profile: setup.profile.clone(), nodes: setup.nodes.unwrap_or(0) };
    let mut world = World::new(config)?;
    world.set_wire(&setup.network);
    for (path, text) in &lesson.files {
        world.put_file(path, text)?;
    }
    if setup.profile.is_some() && !drive::run_until(&mut world, |world| world.is_ready()) {
        return Err("the cluster never became ready".to_owned());
    }
    for line in &setup.run {
        run_script(&mut world, line, &mut |_| {}).map_err(|failure| format!("run: {line:?} {}", failure.message))?;
    }
    world.ask(&lesson.checks);
    Ok(world)
}

fn outcomes(lesson: &Lesson, progress: &mut Progress, world: &mut World) -> Vec<(String, Outcome)> {
    let events = world.trace_since(progress.trace_seq());
    progress.observe(&lesson.checks, &events);
    progress.evaluate(&lesson.checks, world)
}

/// How long something may take, in the cluster's time and in work: where nothing waits, time does not pass.
struct Limit {
    until: Time,
    polls: u64,
}

impl Limit {
    fn new(world: &World, time: Duration) -> Limit {
        Limit { until: world.now() + time, polls: world.steps() + SCRIPT_POLLS_MAX }
    }

    fn is_reached(&self, world: &World) -> bool {
        world.now() >= self.until || world.steps() >= self.polls
    }
}

/// Why a script is not what it should be, to be read behind its name.
#[derive(Debug)]
struct Failure {
    message: String,
    /// It runs on.
    is_endless: bool,
}

fn run_script(world: &mut World, script: &str, look: &mut dyn FnMut(&mut World)) -> Result<(), Failure> {
    let limit = Limit::new(world, Duration::from_secs(60 * SCRIPT_MINUTES_MAX));
    let run = world.run_script(script, Vec::new());
    let mut output = String::new();
    let mut revision = world.revision();
    drive::run_until(world, |world| {
        for piece in world.take_output() {
            output.push_str(&String::from_utf8_lossy(&piece.bytes));
            if output.len() > OUTPUT_BYTES_MAX {
                output.drain(..output.ceil_char_boundary(output.len() - OUTPUT_BYTES_MAX / 2));
            }
        }
        if std::mem::replace(&mut revision, world.revision()) != world.revision() {
            look(world);
        }
        run.exit_code().is_some() || limit.is_reached(world)
    });
    match run.exit_code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure { message: format!("ends with exit code {code}\n{output}"), is_endless: false }),
        None => {
            let message = format!("{}{}", never_ended(world, &limit), last_lines(&output));
            Err(Failure { message, is_endless: true })
        }
    }
}

/// What to say of a script that did not end.
fn never_ended(world: &World, limit: &Limit) -> String {
    if world.now() >= limit.until {
        format!(
            "has not ended after {SCRIPT_MINUTES_MAX} min of the cluster's time: does its last command wait for ever?"
        )
    } else if limit.is_reached(world) {
        format!("has not ended after {SCRIPT_POLLS_MAX} steps of the cluster: does a loop in it run for ever?")
    } else {
        "can never end: a command in it waits for something that cannot happen".to_owned()
    }
}

/// What a script said last, below the sentence about it.
fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if last.is_empty() { String::new() } else { format!(" Its last lines:\n{}", last.join("\n")) }
}

#[cfg(test)]
mod tests {
    use simulation::TraceKind;

    use super::*;

    const ASKING: &str = "checks:
  - id: answers
    text: {ja: x, en: x}
    all:
      - http: {url: 'http://192.168.49.2:{Service/web:spec.ports[0].nodePort}/', contains: nginx}
        hint: {ja: x, en: x}
";

    /// Plays a world in which a check asks; gives when the check's own connections were made and what came of them.
    fn play_asking() -> Vec<(Time, String)> {
        let value = api::yaml::parse(ASKING).expect("YAML").remove(0);
        let checks: lesson::Checks = json::from_value(value).expect("checks");
        let mut world = drive::new_world(5, PLAYED_AT, Some("minikube"), 0).expect("a profile");
        assert!(drive::run_until(&mut world, |world| world.is_ready()));
        world.ask(&checks);
        let answered = |world: &World| lesson::Facts::answered(world, checks.http_clauses()[0]);
        run_script(&mut world, "sleep 60", &mut |_| {}).expect("sleeps");
        assert!(!answered(&world), "there is nobody to answer yet");
        let script =
            "kubectl create deployment web --image=nginx; kubectl expose deployment/web --type=NodePort --port 80
            kubectl rollout status deployment/web; sleep 5; kubectl logs deployment/web | grep -c GET";
        run_script(&mut world, script, &mut |_| {}).expect("one request is in the log");
        assert!(answered(&world));
        let flows = world.trace_since(0).into_iter().filter_map(|event| match event.kind {
            TraceKind::Flow { from, outcome, .. } if from == "check" => Some((event.time, outcome)),
            _ => None,
        });
        flows.collect()
    }

    #[test]
    fn checks_ask_over_http_by_themselves_and_alike_in_every_replay() {
        let flows = play_asking();
        let connected = flows.iter().filter(|(_, outcome)| outcome == "connected").count();
        assert_eq!(connected, 1, "one answer is enough: {flows:?}");
        assert_eq!(flows, play_asking());
    }
    #[test]
    fn a_lesson_may_ask_for_as_many_nodes_as_a_cluster_can_have() {
        let world = |nodes| drive::new_world(1, PLAYED_AT, Some("minikube"), nodes);
        assert!(world(lesson::NODES_MAX).is_ok());
        assert!(world(lesson::NODES_MAX + 1).is_err());
    }
}
