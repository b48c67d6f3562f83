//! Do the parts of a lesson fit together, and its languages?

use std::collections::BTreeMap;

use crate::document::{Document, outline};
use crate::places::Places;
use crate::{Check, Problem};

/// Every check is shown exactly once, and only checks that exist are.
pub(crate) fn checks(file: &str, places: &Places, checks: &[Check], problems: &mut Vec<Problem>) {
    let mut problem = |line: usize, message: String| problems.push(Problem { file: file.to_owned(), line, message });
    for (id, line) in &places.shown {
        if !checks.iter().any(|c| c.id == *id) {
            problem(*line, format!("shows the check {id:?}, which is not in checks.yaml"));
        }
    }
    for check in checks {
        let mut shown = places.shown.iter().filter(|(id, _)| *id == check.id).map(|(_, line)| *line);
        match (shown.next(), shown.next()) {
            (Some(_), None) => {}
            (None, _) => problem(0, format!("does not show the check {:?}", check.id)),
            (_, Some(again)) => problem(again, format!("shows the check {:?} more than once", check.id)),
        }
    }
}

/// The languages have the same steps with the same commands, checks, questions and directives.
pub(crate) fn languages(
    stem: &str,
    text: &BTreeMap<String, Document>,
    places: &BTreeMap<String, Places>,
    problems: &mut Vec<Problem>,
) {
    let (Some(ja), Some(en)) = (text.get("ja"), text.get("en")) else { return };
    let (Some(in_ja), Some(in_en)) = (places.get("ja"), places.get("en")) else { return };
    let mut report =
        |line: usize, message: String| problems.push(Problem { file: format!("{stem}.ja.md"), line, message });
    let parts = in_ja.parts.iter().zip(&in_en.parts).enumerate();
    for (index, (here, there)) in parts {
        let (ours, theirs, what) = match index.checked_sub(1).map(|step| (&ja.steps[step], &en.steps[step])) {
            None => {
                (outline(&ja.intro), outline(&en.intro), "the introduction differs from the English one".to_owned())
            }
            Some((a, b)) => {
                let what = format!("step {:?} differs from step {:?} of the English text", a.id, b.id);
                // A step without an id has been complained about.
                if a.id != b.id && !a.id.is_empty() && !b.id.is_empty() {
                    report(
                        here.line,
                        format!("{what} (line {}): steps have the same ids in the same order", there.line),
                    );
                    return;
                }
                (outline(&a.blocks), outline(&b.blocks), what)
            }
        };
        // What could not be read has been complained about, and is missing from the outline.
        if here.is_broken || there.is_broken {
            continue;
        }
        let length = ours.len().max(theirs.len());
        if let Some(at) = (0..length).find(|at| ours.get(*at) != theirs.get(*at)) {
            let said = |outline: &[String]| outline.get(at).map_or("nothing".to_owned(), |mark| format!("`{mark}`"));
            let line = here.marks.get(at).unwrap_or(&here.line);
            let line_there = there.marks.get(at).unwrap_or(&there.line);
            report(*line, format!("{what}: {} here, {} there (line {line_there})", said(&ours), said(&theirs)));
        }
    }
    if ja.steps.len() != en.steps.len() {
        let line = in_ja.parts.last().map_or(0, |part| part.line);
        report(line, format!("has {} steps, the English text has {}", ja.steps.len(), en.steps.len()));
    }
}
