//! `kubonsai check`: lessons are tests.

use std::path::Path;

use anyhow::Context as _;
use cluster::{World, WorldConfig};
use lesson::{Course, CourseFiles, Lesson, Outcome, Progress};
use simulation::Time;

use crate::drive;

/// The moment at which lessons are played: fixed, so that a failure can be played again.
const PLAYED_AT: Time = Time::from_unix_seconds(1_790_000_000);

/// Plays every lesson below `folder`; the value is the exit code.
pub(crate) fn run(folder: &Path, seeds: &[u64]) -> anyhow::Result<u8> {
    let index = read(&folder.join("index.yaml"))?;
    let index =
        api::yaml::parse(&index).map_err(|e| anyhow::anyhow!("{}: {e}", folder.join("index.yaml").display()))?;
    let courses: Vec<String> = index
        .first()
        .and_then(|v| v.get("courses"))
        .and_then(|v| serde_json::from_value(v.clone()).ok())
        .with_context(|| format!("{}: `courses` is due", folder.join("index.yaml").display()))?;
    let (mut passed, mut failed) = (0, 0);
    for id in courses {
        let files = read_folder(&folder.join(&id))?;
        match Course::parse(&id, &files) {
            Err(problems) => {
                failed += 1;
                for problem in problems {
                    println!("FAIL  {id}/{problem}");
                }
            }
            Ok(course) => {
                for lesson in &course.lessons {
                    for seed in seeds {
                        let problems = play(lesson, *seed);
                        let verdict = if problems.is_empty() { "ok  " } else { "FAIL" };
                        println!("{verdict}  {id}/{} seed={seed}", lesson.id);
                        problems.iter().for_each(|p| println!("      {p}"));
                        if problems.is_empty() { passed += 1 } else { failed += 1 }
                    }
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(u8::from(failed > 0))
}

/// Plays a lesson's solution; gives what is wrong.
fn play(lesson: &Lesson, seed: u64) -> Vec<String> {
    let config = WorldConfig { seed, start: PLAYED_AT, profile: lesson.setup.profile.clone(), nodes: 1 };
    let mut world = match World::new(config) {
        Ok(world) => world,
        Err(problem) => return vec![problem],
    };
    if lesson.setup.profile.is_some() && !drive::run_until(&mut world, |world| world.is_ready()) {
        return vec!["the cluster of setup.yaml never became ready".to_owned()];
    }
    for line in &lesson.setup.run {
        if let Err(problem) = run_script(&mut world, line) {
            return vec![format!("setup: {problem}")];
        }
    }
    let mut progress = Progress::starting_at(world.trace_last_seq());
    let mut problems: Vec<String> = outcomes(lesson, &mut progress, &mut world)
        .into_iter()
        .filter(|(_, outcome)| *outcome == Outcome::Reached)
        .map(|(id, _)| format!("check {id:?} holds before anything was done"))
        .collect();
    if let Err(problem) = run_script(&mut world, &lesson.solution) {
        problems.push(format!("solution.sh: {problem}"));
    }
    // A solution may end while the cluster still works on it; give it a minute of virtual time.
    let deadline = world.now() + std::time::Duration::from_secs(60);
    drive::run_until(&mut world, |world| {
        let missing = outcomes(lesson, &mut progress, world).iter().any(|(_, o)| *o != Outcome::Reached);
        !missing || world.now() >= deadline
    });
    for (id, outcome) in outcomes(lesson, &mut progress, &mut world) {
        if let Outcome::Missing(hint) = outcome {
            problems.push(format!("check {id:?} does not hold after the solution; its hint: {}", hint.en));
        }
    }
    problems
}

fn outcomes(lesson: &Lesson, progress: &mut Progress, world: &mut World) -> Vec<(String, Outcome)> {
    let events = world.trace_since(progress.trace_seq());
    progress.observe(&lesson.checks, &events);
    progress.evaluate(&lesson.checks, world)
}

fn run_script(world: &mut World, script: &str) -> Result<(), String> {
    let run = world.run_script(script, Vec::new());
    let mut output = String::new();
    drive::run_until(world, |world| {
        for piece in world.take_output() {
            output.push_str(&String::from_utf8_lossy(&piece.bytes));
        }
        run.exit_code().is_some()
    });
    match run.exit_code() {
        Some(0) => Ok(()),
        Some(code) => Err(format!("exit code {code}\n{output}")),
        None => Err(format!("never ended\n{output}")),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn read_folder(folder: &Path) -> anyhow::Result<CourseFiles> {
    let mut files = CourseFiles::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        for entry in std::fs::read_dir(&current).with_context(|| current.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                let name = relative.to_string_lossy().replace('\\', "/");
                // Only text belongs into a lesson; anything else is served as it is.
                if let Ok(text) = std::fs::read_to_string(&path) {
                    files.insert(name, text);
                }
            }
        }
    }
    Ok(files)
}
