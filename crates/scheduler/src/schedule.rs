//! One attempt to place one pod: pure, so that every decision can be explained and repeated
//! (`schedule_one.go`, `schedulePod`).

use std::collections::BTreeSet;

use api::Object;
use serde::Serialize;

use crate::cluster::{Cluster, NodeInfo};
use crate::filter::{FilterExplanation, Refusal, filter};
use crate::framework::{Cycle, histogram};
use crate::plugins::PLUGINS;
use crate::preemption::{Nomination, Preemption, preempt};

/// Nodes below which all are looked at.
const NODES_ALWAYS_CHECKED: usize = 100;

/// The outcome with its explanation.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) explanation: Explanation,
}

/// Where the pod goes, or why nowhere.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Node(String),
    Unschedulable {
        message: String,
        /// Names of the plugins that refused; empty stands for "no nodes at all".
        refused_by: BTreeSet<&'static str>,
        /// Whether less important pods are to make room for it.
        nomination: Nomination,
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
    /// The node whose victims are to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    nominated: Option<String>,
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
    /// Who would have to go, where that would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    preemption: Option<PreemptionExplanation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PreemptionExplanation {
    /// `namespace/name`, the most important first.
    victims: Vec<String>,
    /// How many of them a PodDisruptionBudget speaks for.
    violations: usize,
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
        return refuse(explanation, message, BTreeSet::new(), Nomination::Withdrawn);
    }
    for plugin in PLUGINS {
        if let Some(verdict) = plugin.pre_filter.and_then(|filter| filter(&cycle)) {
            // Upstream words it so: the refusal of the pod, and then that of the step that looks for other ways.
            let message = format!("0/{} nodes are available: {}. not found", nodes.len(), verdict.reasons().join(", "));
            return refuse(explanation, message, BTreeSet::from([plugin.name]), Nomination::Unchanged);
        }
    }
    if let Some(filters) = nominated_fits(&cycle) {
        let chosen = pod.str("status.nominatedNodeName").to_owned();
        explanation.nodes.push(NodeExplanation { name: chosen.clone(), filters, ..NodeExplanation::default() });
        return assign(explanation, chosen);
    }
    let count = nodes.len();
    nodes.rotate_left(*start % count);
    let (feasible, refusals) = filter_all(&cycle, &nodes, &mut explanation);
    *start = (*start + feasible.len() + refusals.len()) % count;
    if feasible.is_empty() {
        let found = preempt(cluster, pod, count, &refusals);
        explain(&found, &mut explanation);
        let message = fit_error(count, &refusals, &found.message);
        let refused_by = refusals.iter().map(|refusal| refusal.plugin).collect();
        return refuse(explanation, message, refused_by, found.nomination);
    }
    let chosen = choose(&cycle, &feasible, &mut explanation, draw);
    assign(explanation, chosen)
}

fn assign(mut explanation: Explanation, node: String) -> Decision {
    explanation.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    explanation.node = Some(node.clone());
    Decision { outcome: Outcome::Node(node), explanation }
}

fn refuse(
    mut explanation: Explanation,
    message: String,
    refused_by: BTreeSet<&'static str>,
    nomination: Nomination,
) -> Decision {
    explanation.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    explanation.message = Some(message.clone());
    Decision { outcome: Outcome::Unschedulable { message, refused_by, nomination }, explanation }
}

/// The node that the pod waited for comes first: if it has room now, no other is looked at (`evaluateNominatedNode`).
fn nominated_fits(cycle: &Cycle<'_>) -> Option<Vec<FilterExplanation>> {
    let node = cycle.cluster.node(cycle.pod.str("status.nominatedNodeName"))?;
    let filtered = filter(cycle, node);
    filtered.refusal.is_none().then_some(filtered.told)
}

/// Notes what preemption found, node by node.
fn explain(found: &Preemption, explanation: &mut Explanation) {
    for candidate in &found.candidates {
        if let Some(told) = explanation.nodes.iter_mut().find(|told| told.name == candidate.node) {
            let victims = candidate.victims.iter().map(Object::key).collect();
            told.preemption = Some(PreemptionExplanation { victims, violations: candidate.violations });
        }
    }
    if let Nomination::Given { node, .. } = &found.nomination {
        explanation.nominated = Some(node.clone());
    }
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
        let filtered = filter(cycle, node);
        match filtered.refusal {
            Some((plugin, verdict)) => refusals.push(Refusal { node, plugin, verdict }),
            None => feasible.push(*node),
        }
        let (name, filters) = (node.name().to_owned(), filtered.told);
        explanation.nodes.push(NodeExplanation { name, filters, ..NodeExplanation::default() });
    }
    (feasible, refusals)
}

/// The sentence of the event `FailedScheduling` (`FitError.Error`). Preemption adds to it when it found nobody.
fn fit_error(count: usize, refusals: &[Refusal<'_>], preemption: &str) -> String {
    let reasons = histogram(refusals.iter().flat_map(|refusal| refusal.verdict.reasons()));
    let fit = format!("0/{count} nodes are available: {reasons}.");
    if preemption.is_empty() { fit } else { format!("{fit} no new claims to deallocate, preemption: {preemption}") }
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
