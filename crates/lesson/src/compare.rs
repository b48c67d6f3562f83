//! Do the parts of a lesson fit together, and its languages?

use std::collections::BTreeMap;

use crate::document::{Block, Document, outline};
use crate::{Check, Problem};

/// Every check is shown exactly once, and only checks that exist are.
pub(crate) fn checks(file: &str, document: &Document, checks: &[Check], problems: &mut Vec<Problem>) {
    let mut shown: Vec<&String> = Vec::new();
    document.walk(&mut |block| {
        if let Block::Checks { ids } = block {
            shown.extend(ids);
        }
    });
    let mut problem = |message: String| problems.push(Problem { file: file.to_owned(), line: 0, message });
    for id in &shown {
        if !checks.iter().any(|c| c.id == **id) {
            problem(format!("shows the check {id:?}, which is not in checks.yaml"));
        }
    }
    for check in checks {
        match shown.iter().filter(|id| ***id == check.id).count() {
            1 => {}
            0 => problem(format!("does not show the check {:?}", check.id)),
            _ => problem(format!("shows the check {:?} more than once", check.id)),
        }
    }
}

/// The languages have the same steps with the same commands, checks, questions and directives.
pub(crate) fn languages(stem: &str, text: &BTreeMap<String, Document>, problems: &mut Vec<Problem>) {
    let (Some(ja), Some(en)) = (text.get("ja"), text.get("en")) else { return };
    let mut report = |message: String| problems.push(Problem { file: format!("{stem}.ja.md"), line: 0, message });
    let intro = (outline(&ja.intro), outline(&en.intro));
    if intro.0 != intro.1 {
        report(format!("the introduction differs from the English one: {:?} / {:?}", intro.0, intro.1));
    }
    for (a, b) in ja.steps.iter().zip(&en.steps) {
        let (ours, theirs) = (outline(&a.blocks), outline(&b.blocks));
        if a.id != b.id || ours != theirs {
            report(format!("step {:?} differs from step {:?} of the English text: {ours:?} / {theirs:?}", a.id, b.id));
            return;
        }
    }
    if ja.steps.len() != en.steps.len() {
        report(format!("has {} steps, the English text has {}", ja.steps.len(), en.steps.len()));
    }
}
