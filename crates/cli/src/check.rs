//! `kubonsai check`: lessons are tests.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cluster::{Input, World, WorldConfig};
use lesson::{Block, Lesson, Outcome, Progress};
use simulation::{Step, Time};

use crate::catalogue::{Catalogue, Selection};
use kubonsai::drive;

/// The moment at which lessons are played: fixed, so that a failure can be played again.
const PLAYED_AT: Time = Time::from_unix_seconds(1_790_000_000);
/// A solution may end while the cluster still works on it: virtual time that it is given.
const SETTLING: Duration = Duration::from_secs(60);
/// Virtual time that a learner takes to read what a command answered.
const READING: Duration = Duration::from_secs(20);

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
    if let Err(problem) = played {
        problems.push(format!("{name}: {problem}"));
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
    let deadline = world.now() + SETTLING;
    drive::run_until(world, |world| {
        let missing = outcomes(lesson, progress, world).iter().any(|(_, o)| *o != Outcome::Reached);
        !missing || world.now() >= deadline
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
    run_script(&mut world, &wait, &mut |world| drop(outcomes(lesson, &mut progress, world)))?;
    let reached = outcomes(lesson, &mut progress, &mut world).into_iter().filter(|(_, o)| *o == Outcome::Reached);
    Ok(reached.map(|(id, _)| format!("check {id:?} holds although nothing was done")).collect())
}

/// The world of `setup.yaml`.
fn set_up(lesson: &Lesson, seed: u64) -> Result<World, String> {
    let setup = &lesson.setup;
    let config =
        WorldConfig { seed, start: PLAYED_AT, profile: setup.profile.clone(), nodes: setup.nodes.unwrap_or(0) };
    let mut world = World::new(config)?;
    for (path, text) in &lesson.files {
        world.put_file(path, text)?;
    }
    if setup.profile.is_some() && !drive::run_until(&mut world, |world| world.is_ready()) {
        return Err("the cluster never became ready".to_owned());
    }
    for line in &setup.run {
        run_script(&mut world, line, &mut |_| {}).map_err(|problem| format!("{line:?}: {problem}"))?;
    }
    world.ask(&lesson.checks);
    Ok(world)
}

fn outcomes(lesson: &Lesson, progress: &mut Progress, world: &mut World) -> Vec<(String, Outcome)> {
    let events = world.trace_since(progress.trace_seq());
    progress.observe(&lesson.checks, &events);
    progress.evaluate(&lesson.checks, world)
}

fn run_script(world: &mut World, script: &str, look: &mut dyn FnMut(&mut World)) -> Result<(), String> {
    let run = world.run_script(script, Vec::new());
    let mut output = String::new();
    let mut revision = world.revision();
    drive::run_until(world, |world| {
        for piece in world.take_output() {
            output.push_str(&String::from_utf8_lossy(&piece.bytes));
        }
        if std::mem::replace(&mut revision, world.revision()) != world.revision() {
            look(world);
        }
        run.exit_code().is_some()
    });
    match run.exit_code() {
        Some(0) => Ok(()),
        Some(code) => Err(format!("exit code {code}\n{output}")),
        None => Err(format!("never ended\n{output}")),
    }
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
        let checks: lesson::Checks = serde_json::from_value(value).expect("checks");
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
}
