//! One attempt to place one pod: pure, so that every decision can be explained and repeated
//! (`schedule_one.go`, `schedulePod`).

use std::collections::BTreeSet;

use api::Object;
use serde::Serialize;

use crate::cluster::{Cluster, NodeInfo};
use crate::framework::{Cycle, Verdict, histogram};
use crate::plugins::PLUGINS;

/// Nodes below which all are looked at.
const NODES_ALWAYS_CHECKED: usize = 100;

/// The outcome with its explanation.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) explanation: Explanation,
}

/// Where the pod goes, or why nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Node(String),
    Unschedulable {
        message: String,
        /// Names of the plugins that refused; empty stands for "no nodes at all".
        refused_by: BTreeSet<&'static str>,
    },
}

/// Why: what every plugin said about every node. Goes into the trace as JSON.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explanation {
    /// The chosen node.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// The message of the event when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Nodes with the highest sum, if there was more than one to draw from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drawn_from: Vec<String>,
    nodes: Vec<NodeExplanation>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeExplanation {
    name: String,
    /// Filters up to the first refusal.
    filters: Vec<FilterExplanation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scores: Vec<ScoreExplanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FilterExplanation {
    plugin: &'static str,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScoreExplanation {
    plugin: &'static str,
    score: i64,
    weight: i64,
}

/// Finds a node. `start` is where the round over the nodes begins and is moved on; `draw` gives a random number below
/// its argument, for ties.
pub(crate) fn schedule(
    cluster: &Cluster,
    pod: &Object,
    start: &mut usize,
    draw: &mut dyn FnMut(usize) -> usize,
) -> Decision {
    let cycle = Cycle::new(cluster, pod);
    let mut explanation = Explanation::default();
    let mut nodes: Vec<&NodeInfo> = cluster.nodes().collect();
    if nodes.is_empty() {
        let message = "no nodes available to schedule pods".to_owned();
        return refuse(explanation, message, BTreeSet::new());
    }
    for plugin in PLUGINS {
        if let Some(verdict) = plugin.pre_filter.and_then(|filter| filter(&cycle)) {
            // Upstream words it so: the refusal of the pod, and then that of the step that looks for other ways.
            let message = format!("0/{} nodes are available: {}. not found", nodes.len(), verdict.reasons().join(", "));
            return refuse(explanation, message, BTreeSet::from([plugin.name]));
        }
    }
    let count = nodes.len();
    nodes.rotate_left(*start % count);
    let (feasible, refusals) = filter_all(&cycle, &nodes, &mut explanation);
    *start = (*start + feasible.len() + refusals.len()) % count;
    if feasible.is_empty() {
        let message = fit_error(&cycle, count, &refusals);
        return refuse(explanation, message, refusals.iter().map(|refusal| refusal.plugin).collect());
    }
    let chosen = choose(&cycle, &feasible, &mut explanation, draw);
    explanation.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    explanation.node = Some(chosen.clone());
    Decision { outcome: Outcome::Node(chosen), explanation }
}

fn refuse(mut explanation: Explanation, message: String, refused_by: BTreeSet<&'static str>) -> Decision {
    explanation.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    explanation.message = Some(message.clone());
    Decision { outcome: Outcome::Unschedulable { message, refused_by }, explanation }
}

struct Refusal<'a> {
    node: &'a NodeInfo,
    plugin: &'static str,
    verdict: Verdict,
}

/// How many feasible nodes are enough (`numFeasibleNodesToFind`): in large clusters not all are looked for.
fn enough(nodes: usize) -> usize {
    if nodes < NODES_ALWAYS_CHECKED {
        return nodes;
    }
    let percentage = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percentage / 100).max(NODES_ALWAYS_CHECKED)
}

fn filter_all<'a>(
    cycle: &Cycle<'_>,
    nodes: &[&'a NodeInfo],
    explanation: &mut Explanation,
) -> (Vec<&'a NodeInfo>, Vec<Refusal<'a>>) {
    let (mut feasible, mut refusals) = (Vec::new(), Vec::new());
    for node in nodes {
        if feasible.len() == enough(nodes.len()) {
            break;
        }
        let mut told = NodeExplanation { name: node.name().to_owned(), ..NodeExplanation::default() };
        let mut refusal = None;
        for plugin in PLUGINS {
            let Some(filter) = plugin.filter else { continue };
            let verdict = filter(cycle, node);
            let passed = verdict == Verdict::Pass;
            let reasons = verdict.reasons().to_vec();
            told.filters.push(FilterExplanation { plugin: plugin.name, passed, reasons });
            if !passed {
                refusal = Some(Refusal { node, plugin: plugin.name, verdict });
                break;
            }
        }
        match refusal {
            Some(refusal) => refusals.push(refusal),
            None => feasible.push(*node),
        }
        explanation.nodes.push(told);
    }
    (feasible, refusals)
}

/// The sentence of the event `FailedScheduling` (`FitError.Error`).
fn fit_error(cycle: &Cycle<'_>, count: usize, refusals: &[Refusal<'_>]) -> String {
    let reasons = histogram(refusals.iter().flat_map(|refusal| refusal.verdict.reasons()));
    let preemption = preemption_message(cycle, count, refusals);
    format!("0/{count} nodes are available: {reasons}. no new claims to deallocate, preemption: {preemption}")
}

/// What preemption says. It is looked for as upstream does, but never carried out.
fn preemption_message(cycle: &Cycle<'_>, count: usize, refusals: &[Refusal<'_>]) -> String {
    if cycle.pod.str("spec.preemptionPolicy") == "Never" {
        return "not eligible due to preemptionPolicy=Never.".to_owned();
    }
    let priority = |pod: &Object| pod.int("spec.priority").unwrap_or(0);
    let reason = |refusal: &Refusal<'_>| match refusal.verdict {
        Verdict::Unschedulable(_) => {
            let mut pods = refusal.node.pods.values();
            if pods.any(|pod| priority(pod) < priority(cycle.pod)) {
                return simulation::stub!("scheduler", "preemption of pods with a lower priority").to_owned();
            }
            "No preemption victims found for incoming pod".to_owned()
        }
        _ => "Preemption is not helpful for scheduling".to_owned(),
    };
    let reasons: Vec<String> = refusals.iter().map(reason).collect();
    format!("0/{count} nodes are available: {}.", histogram(reasons.iter()))
}

/// Sums the weighted scores of all plugins and takes the best; ties are drawn.
fn choose(
    cycle: &Cycle<'_>,
    feasible: &[&NodeInfo],
    explanation: &mut Explanation,
    draw: &mut dyn FnMut(usize) -> usize,
) -> String {
    if let [only] = feasible {
        return only.name().to_owned(); // upstream does not score a single candidate
    }
    let mut totals = vec![0; feasible.len()];
    for plugin in PLUGINS {
        let Some(part) = &plugin.score else { continue };
        let Some(scores) = (part.score)(cycle, feasible) else { continue };
        for ((total, score), node) in totals.iter_mut().zip(scores).zip(feasible) {
            *total += score * part.weight;
            if let Some(told) = explanation.nodes.iter_mut().find(|told| told.name == node.name()) {
                told.scores.push(ScoreExplanation { plugin: plugin.name, score, weight: part.weight });
                told.total = Some(*total);
            }
        }
    }
    let best = totals.iter().copied().max().unwrap_or(0);
    let tied: Vec<&NodeInfo> = feasible.iter().zip(&totals).filter(|(_, t)| **t == best).map(|(n, _)| *n).collect();
    if tied.len() > 1 {
        explanation.drawn_from = tied.iter().map(|node| node.name().to_owned()).collect();
        explanation.drawn_from.sort();
    }
    let index = if tied.len() > 1 { draw(tied.len()) } else { 0 };
    tied[index].name().to_owned()
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
