//! Every recording, played with the real kubectl against `kubonsai serve`; then the page that says how close that is.
//!
//! Not part of a plain `cargo test`, because it needs kubectl and helm, which `cargo xtask setup` brings, and as long as
//! the recordings took: `cargo xtask test` runs it, or with both on PATH and the workspace built
//! `cargo test --workspace --test real -- --ignored`. `UPDATE_EXPECT=1` writes docs/fidelity-real.md.

#![allow(clippy::disallowed_methods, reason = "a native test writes a page and reads a switch from the environment")]

mod checks;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use oracle::real::{self, Programs};
use oracle::{Outcome, Reasons, Recording};

/// Recordings that are played at once: each waits most of the time.
const AT_ONCE: usize = 3;

/// How many answers of a recording must at least be identical: what runs on a busy machine reached, less one or two where
/// milliseconds count. They only rise.
const AT_LEAST: &[(&str, usize)] = &[
    ("01", 98),
    ("02", 9),
    ("03", 62),
    ("04", 50),
    ("05", 56),
    ("06", 39),
    ("07", 65),
    ("08", 33),
    ("09", 71),
    ("10", 107),
    ("11", 47),
    ("12", 53),
    ("13", 30),
    ("14", 46),
    ("15", 68),
    ("16", 44),
    ("18", 58),
    ("19", 19),
    ("20", 18),
    ("21", 80),
    ("22", 113),
    ("23", 28),
    ("24", 19),
    ("25", 19),
    ("26", 42),
];

type Outcomes = Arc<Mutex<BTreeMap<String, Outcome>>>;

fn play(programs: &Programs, recording: &Recording, outcomes: &Outcomes) -> Result<(), Failed> {
    let sequence = recording.name.get(..2).unwrap_or_default();
    let least = AT_LEAST.iter().find(|(name, _)| *name == sequence).map_or(0, |(_, least)| *least);
    let mut outcome = real::play(programs, recording).map_err(|e| format!("{e:#}"))?;
    if outcome.same() < least {
        // The clock on the wall has its say in what is seen: a busy machine gets a second chance, a mistake does not.
        println!("recording {}: {} identical, played again", outcome.name, outcome.same());
        outcome = real::play(programs, recording).map_err(|e| format!("{e:#}"))?;
    }
    let same = outcome.same();
    println!("recording {}: {same} of {} identical, {} refused", outcome.name, outcome.played, outcome.refused());
    for difference in &outcome.different {
        println!("  [{}] {}", difference.index, difference.command);
    }
    outcomes.lock().map_err(|_| "a test panicked")?.insert(outcome.name.clone(), outcome);
    if same < least { Err(format!("{same} identical, at least {least} expected").into()) } else { Ok(()) }
}

/// Says what came out in all, and writes the page if asked. What differs varies from run to run, so the page shows one.
fn report(outcomes: &Outcomes) -> Result<(), Failed> {
    let outcomes: Vec<Outcome> = outcomes.lock().map_err(|_| "a test panicked")?.values().cloned().collect();
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let (same, played) = (sum(Outcome::same), sum(|o| o.played));
    println!("real kubectl: {same} of {played} commands identical, {} refused", sum(Outcome::refused));
    if std::env::var("UPDATE_EXPECT").is_ok() {
        let reasons = Reasons::read_real().map_err(|e| format!("{e:#}"))?;
        let path = oracle::root().join("../../docs/fidelity-real.md");
        std::fs::write(path, oracle::page::real(&outcomes, &reasons))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let is_wanted = !arguments.list && (arguments.ignored || arguments.include_ignored);
    let found = oracle::all().and_then(|all| Ok((all, is_wanted.then(Programs::find).transpose()?)));
    let (mut recordings, programs) = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    // The longest first, so that none is alone at the end.
    recordings.sort_by_key(|recording| std::cmp::Reverse(recording.length()));
    let (count, outcomes) = (recordings.len(), Outcomes::default());
    let trials = recordings.into_iter().map(|recording| {
        let (programs, outcomes) = (programs.clone(), Arc::clone(&outcomes));
        let name = recording.name.clone();
        let run = move || play(programs.as_ref().ok_or("no programs")?, &recording, &outcomes);
        Trial::test(name, run).with_ignored_flag(true)
    });
    let checks = checks::GROUPS.iter().map(|group| {
        let programs = programs.clone();
        let run = move || group.run(programs.as_ref().ok_or("no programs")?);
        Trial::test(group.name, run).with_ignored_flag(true)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.chain(checks).collect());
    if outcomes.lock().is_ok_and(|outcomes| outcomes.len() == count)
        && let Err(failed) = report(&outcomes)
    {
        eprintln!("{failed:?}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
