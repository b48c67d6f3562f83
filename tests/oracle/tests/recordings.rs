//! Every recording, each a test; then the page that says how close we are.

#![allow(clippy::disallowed_methods, reason = "a native test writes a page and reads a switch from the environment")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use oracle::{Outcome, Reasons, Recording};

/// The recordings whose share of identical answers must not fall below a figure, in percent. What the others reach is in
/// docs/fidelity.md, which must be current.
const AT_LEAST: &[(&str, usize)] = &[
    ("01", 90),
    ("03", 90),
    ("04", 90),
    ("05", 90),
    ("06", 90),
    ("09", 90),
    ("11", 84),
    ("12", 80),
    ("13", 90),
    ("19", 100),
    ("22", 90),
    ("23", 90),
    ("24", 90),
    ("26", 90),
];

type Outcomes = Arc<Mutex<BTreeMap<String, Outcome>>>;

fn play(recording: &Recording, outcomes: &Outcomes) -> Result<(), Failed> {
    let outcome = oracle::play(recording).map_err(|e| format!("{e:#}"))?;
    println!("recording {}: {} of {} identical ({} %)", outcome.name, outcome.same(), outcome.played, outcome.share());
    let (ended, printed) = (outcome.same_from_containers(), outcome.from_containers);
    println!("  {ended} of {printed} whose output is a container's ended the same");
    for difference in &outcome.different {
        println!("  [{}] {}", difference.index, difference.command);
    }
    let share = outcome.share();
    outcomes.lock().map_err(|_| "a test panicked")?.insert(outcome.name.clone(), outcome);
    match AT_LEAST.iter().find(|(sequence, _)| recording.name.starts_with(sequence)) {
        Some((_, least)) if share < *least => Err(format!("{share} % identical, at least {least} % expected").into()),
        _ => Ok(()),
    }
}

/// The page says what came out, and every reason is still needed.
fn check_page(outcomes: &Outcomes) -> Result<(), Failed> {
    let outcomes: Vec<Outcome> = outcomes.lock().map_err(|_| "a test panicked")?.values().cloned().collect();
    let reasons = Reasons::read().map_err(|e| format!("{e:#}"))?;
    for (sequence, index) in reasons.commands() {
        let is_different =
            outcomes.iter().any(|o| o.name.starts_with(sequence) && o.different.iter().any(|d| d.index == index));
        if !is_different {
            return Err(format!("reasons.txt: {sequence}: {index} answers as recorded, it needs no reason").into());
        }
    }
    let path = oracle::root().join("../../docs/fidelity.md");
    let page = oracle::page::page(&outcomes, &reasons);
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::write(&path, &page)?;
    }
    let is_current = std::fs::read_to_string(&path).is_ok_and(|text| text == page);
    if is_current {
        Ok(())
    } else {
        Err("docs/fidelity.md is not current: UPDATE_EXPECT=1 cargo test -p oracle".into())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let recordings = match oracle::all() {
        Ok(recordings) => recordings,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let (count, outcomes) = (recordings.len(), Outcomes::default());
    let trials = recordings.into_iter().map(|recording| {
        let outcomes = Arc::clone(&outcomes);
        Trial::test(recording.name.clone(), move || play(&recording, &outcomes))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    let was_all_played = outcomes.lock().is_ok_and(|outcomes| outcomes.len() == count);
    if arguments.list || !was_all_played {
        return conclusion.exit_code();
    }
    let last = libtest_mimic::run(
        &Arguments { filter: None, ..arguments },
        vec![Trial::test("the page of what differs is current", move || check_page(&outcomes))],
    );
    if conclusion.has_failed() || last.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
