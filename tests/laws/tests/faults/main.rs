//! Law 2 and the promises of the control loops, under faults: scenarios drawn from seeds are played on whole clusters whose
//! machines, lines and control plane fail; when peace has returned, everything is as it was asked for.
//!
//! A failure prints its seed and the steps. `KUBONSAI_LAWS_SEED=17` plays that seed alone, and when it fails prints what was
//! written and what is there; `KUBONSAI_LAWS_SEEDS=200` plays so
//! many instead of the few that every run plays, from `KUBONSAI_LAWS_FIRST` on.
#![allow(clippy::disallowed_methods, reason = "a test that is told by the environment which seeds to play")]

mod checks;
mod images;
mod lines;
mod objects;
mod observer;
mod quorum;
mod scenario;
mod stage;

use scenario::Step;
use simulation::TraceKind;
use stage::Stage;

/// Seeds that are played when nobody asks for more: two to three minutes of one core in the dev profile.
const SEEDS: u64 = 60;
/// Seeds of those that are played twice, to compare every byte.
const TWICE: u64 = 2;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds of this run.
fn seeds() -> Vec<u64> {
    match number("KUBONSAI_LAWS_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = number("KUBONSAI_LAWS_FIRST").unwrap_or(1);
            (first..).take(number("KUBONSAI_LAWS_SEEDS").unwrap_or(SEEDS) as usize).collect()
        }
    }
}

/// Plays a seed; gives what is wrong.
fn play(seed: u64, steps: &[Step]) -> Vec<String> {
    let mut stage = Stage::new(seed);
    stage.play(steps);
    let problems = checks::problems(&mut stage);
    if !problems.is_empty() && number("KUBONSAI_LAWS_SEED").is_some() {
        tell(&mut stage);
    }
    problems
}

/// Prints what the world looks like, and how it came about.
fn tell(stage: &mut Stage) {
    for event in stage.world.trace_since(0) {
        match &event.kind {
            TraceKind::Write { by, op, kind, namespace, name, revision } if kind != "Event" => {
                println!("{} {revision} {by} {op} {kind} {namespace}/{name}", event.time.rfc3339_micro());
            }
            TraceKind::Call { from, method, path, status } if *status >= 400 => {
                println!("{} {from} {method} {path} {status}", event.time.rfc3339_micro());
            }
            TraceKind::Limit { limit, what } => println!("{} {limit} {what}", event.time.rfc3339_micro()),
            _ => {}
        }
    }
    for kind in api::kinds::KINDS {
        for object in stage.list(kind, &client::ListOptions::default()) {
            if scenario::NAMESPACES.contains(&object.namespace()) && object.kind() != "Event" {
                println!("{}", object.value());
            }
        }
    }
}

#[test]
fn after_every_storm_the_cluster_is_as_it_was_asked_for() {
    let mut failed = Vec::new();
    for seed in seeds() {
        let steps = scenario::draw(seed);
        let problems = play(seed, &steps);
        if problems.is_empty() {
            continue;
        }
        println!("--- seed {seed} (KUBONSAI_LAWS_SEED={seed} plays it alone)");
        for (number, step) in steps.iter().enumerate() {
            println!("{:>3}. {step}", number + 1);
        }
        for problem in &problems {
            println!("  !! {problem}");
        }
        failed.push(seed);
    }
    assert!(failed.is_empty(), "{} seeds break a law: {failed:?}", failed.len());
}

/// Everything that one can know of a world afterwards.
fn bytes(seed: u64) -> (u64, String, String) {
    let mut stage = Stage::new(seed);
    stage.play(&scenario::draw(seed));
    let mut dump = String::new();
    for kind in api::kinds::KINDS {
        for object in stage.list(kind, &client::ListOptions::default()) {
            dump += &object.value().to_string();
            dump.push('\n');
        }
    }
    let trace = json::to_string(&stage.world.trace_since(0)).expect("plain data");
    (stage.world.steps(), trace, dump)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in seeds().into_iter().take(TWICE as usize) {
        let (one, again) = (bytes(seed), bytes(seed));
        assert!(one == again, "seed {seed}: {} and {} steps", one.0, again.0);
    }
}
