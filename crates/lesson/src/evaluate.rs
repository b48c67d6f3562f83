//! Are the checks reached?

use std::collections::BTreeSet;

use api::Object;
use api::selector::LabelSelector;
use simulation::{TraceEvent, TraceKind};

use crate::path::{lookup, text};
use crate::{Check, Checks, Clause, Expect, HttpClause, ObjectClause, OutputClause, Text, TraceClause};

/// What checks may look at.
pub trait Facts {
    /// The objects of a kind in a namespace (`*` for all), as the API shows them; empty while there is no cluster.
    fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object>;
    /// Whether the answer that a clause hopes for has come.
    fn answered(&self, _clause: &HttpClause) -> bool {
        false
    }
}

/// How a check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Reached, now or before.
    Reached,
    /// Not yet; what is missing.
    Missing(Text),
}

/// Checks that were reached stay reached; things that happened are remembered.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    reached: BTreeSet<String>,
    /// Clauses about the past that have matched, by their serialised form: the trace itself is bounded.
    happened: BTreeSet<String>,
    trace_seq: u64,
}

impl Progress {
    /// A lesson that begins when the trace stands at `trace_seq`.
    pub fn starting_at(trace_seq: u64) -> Progress {
        Progress { trace_seq, ..Progress::default() }
    }

    /// The trace position up to which events have been taken in.
    pub fn trace_seq(&self) -> u64 {
        self.trace_seq
    }

    /// Whether a check has been reached.
    pub fn is_reached(&self, id: &str) -> bool {
        self.reached.contains(id)
    }

    /// Marks a check as reached, when a saved state is restored.
    pub fn restore(&mut self, id: &str) {
        self.reached.insert(id.to_owned());
    }

    /// Takes in new trace events.
    pub fn observe(&mut self, checks: &Checks, events: &[TraceEvent]) {
        for event in events.iter().filter(|e| e.seq > self.trace_seq) {
            for clause in checks.checks.iter().flat_map(|c| &c.all) {
                remember(clause, &event.kind, &mut self.happened);
            }
        }
        if let Some(last) = events.last() {
            self.trace_seq = self.trace_seq.max(last.seq);
        }
    }

    /// How each check stands, in order.
    pub fn evaluate(&mut self, checks: &Checks, facts: &dyn Facts) -> Vec<(String, Outcome)> {
        checks.checks.iter().map(|check| (check.id.clone(), self.outcome(check, facts))).collect()
    }

    fn outcome(&mut self, check: &Check, facts: &dyn Facts) -> Outcome {
        if self.reached.contains(&check.id) {
            return Outcome::Reached;
        }
        match check.all.iter().find(|clause| !self.holds(clause, facts)) {
            Some(missing) => Outcome::Missing(missing.hint.clone()),
            None => {
                self.reached.insert(check.id.clone());
                Outcome::Reached
            }
        }
    }

    fn holds(&self, clause: &Clause, facts: &dyn Facts) -> bool {
        if let Some(object) = &clause.object {
            return object_holds(object, facts);
        }
        if let Some(trace) = &clause.trace {
            let key = key(trace);
            return match trace.different {
                None => self.happened.contains(&key),
                Some(wanted) => self.happened.range(key.clone()..).filter(|k| k.starts_with(&key)).count() >= wanted,
            };
        }
        if let Some(http) = &clause.http {
            return facts.answered(http);
        }
        if let Some(output) = &clause.output {
            return self.happened.contains(&key(output));
        }
        clause.any.iter().any(|inner| self.holds(inner, facts))
    }
}

/// A clause about the past, as it is remembered.
fn key(clause: &impl serde::Serialize) -> String {
    json::to_string(clause).expect("strings and numbers serialise")
}

fn remember(clause: &Clause, event: &TraceKind, happened: &mut BTreeSet<String>) {
    if let Some(trace) = &clause.trace
        && trace_matches(trace, event)
    {
        let end = match (event, trace.different) {
            (TraceKind::Flow { to, .. }, Some(_)) => to.as_str(),
            _ => "",
        };
        happened.insert(key(trace) + end);
    }
    if let Some(output) = &clause.output
        && output_matches(output, event)
    {
        happened.insert(key(output));
    }
    for inner in &clause.any {
        remember(inner, event, happened);
    }
}

fn output_matches(clause: &OutputClause, event: &TraceKind) -> bool {
    let TraceKind::Command { code, output } = event else { return false };
    clause.code.is_none_or(|wanted| wanted == *code) && clause.contains.iter().all(|part| output.contains(part))
}

fn trace_matches(clause: &TraceClause, event: &TraceKind) -> bool {
    let is = |wanted: &Option<String>, got: &str| wanted.as_deref().is_none_or(|w| w == got);
    let begins = |wanted: &Option<String>, got: &str| wanted.as_deref().is_none_or(|w| got.starts_with(w));
    let ends = |wanted: &Option<String>, got: &str| wanted.as_deref().is_none_or(|w| got.ends_with(w));
    match event {
        TraceKind::Call { from, method, path, status } => {
            let bare = path.split('?').next().unwrap_or(path);
            clause.event == "call"
                && is(&clause.from, from)
                && is(&clause.method, method)
                && begins(&clause.path, path)
                && ends(&clause.suffix, bare)
                && clause.status.is_none_or(|s| s == *status)
        }
        TraceKind::Write { by, op, kind, namespace, name, .. } => {
            clause.event == "write"
                && is(&clause.from, by)
                && is(&clause.method, op)
                && is(&clause.path, kind)
                && begins(&clause.to, &format!("{namespace}/{name}"))
        }
        TraceKind::Flow { from, hops, to, outcome, .. } => {
            clause.event == "flow"
                && is(&clause.from, from)
                && is(&clause.method, outcome)
                && (begins(&clause.to, to) || hops.iter().any(|hop| begins(&clause.to, hop)))
        }
        TraceKind::Container { namespace, pod, what, .. } => {
            clause.event == "container" && is(&clause.method, what) && begins(&clause.to, &format!("{namespace}/{pod}"))
        }
        TraceKind::Learner { what } => clause.event == "learner" && begins(&clause.path, what),
        TraceKind::Decision { .. } | TraceKind::Limit { .. } | TraceKind::Command { .. } => false,
    }
}

fn object_holds(clause: &ObjectClause, facts: &dyn Facts) -> bool {
    let selector = clause.selector.as_deref().and_then(|s| LabelSelector::parse(s).ok());
    let count = facts
        .objects(&clause.api_version, &clause.kind, &clause.namespace)
        .iter()
        .filter(|o| clause.name.as_deref().is_none_or(|n| n == o.name()))
        .filter(|o| selector.as_ref().is_none_or(|s| s.matches(&o.labels())))
        .filter(|o| clause.expect.iter().all(|e| expect_holds(e, o)))
        .count();
    match clause.count {
        Some(wanted) => count == wanted,
        None => count > 0,
    }
}

/// A number, also one that is written as text, as annotations are.
fn number(value: &json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn expect_holds(expect: &Expect, object: &Object) -> bool {
    let Ok(values) = lookup(object.value(), &expect.path) else { return false };
    let values: Vec<_> = values.into_iter().filter(|v| !v.is_null()).collect();
    if let Some(wanted) = expect.exists {
        return wanted != values.is_empty();
    }
    values.into_iter().any(|value| {
        expect.equals.as_deref().is_none_or(|w| text(value) == w)
            && expect.contains.as_deref().is_none_or(|w| text(value).contains(w))
            && expect.at_least.is_none_or(|w| number(value).is_some_and(|v| v >= w))
    })
}
