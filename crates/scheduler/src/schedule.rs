//! One attempt to place one pod: pure, so that every decision can be explained and repeated
//! (`schedule_one.go`, `schedulePod`).

use std::collections::BTreeSet;

use api::Object;

use crate::cluster::Cluster;
use crate::explanation::{Explanation, Scored, Scores};
use crate::filter::{Refusal, filter};
use crate::framework::{Cycle, histogram};
use crate::node_info::NodeInfo;
use crate::plugins::PLUGINS;
use crate::pod_info::PodInfo;
use crate::preemption::{Nomination, preempt};

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

/// Finds a node. `start` is where the round over the nodes begins and is moved on; `draw` gives a random number below
/// its argument, for ties.
pub(crate) fn schedule(
    cluster: &Cluster,
    pod: &Object,
    start: &mut usize,
    draw: &mut dyn FnMut(usize) -> usize,
) -> Decision {
    let info = PodInfo::new(pod);
    let cycle = Cycle::new(cluster, &info);
    let mut nodes: Vec<&NodeInfo> = cluster.nodes().collect();
    let count = nodes.len();
    if nodes.is_empty() {
        let message = "no nodes available to schedule pods".to_owned();
        return refuse(Explanation::of_message(&message), message, BTreeSet::new(), Nomination::Withdrawn);
    }
    for plugin in PLUGINS {
        if let Some(verdict) = plugin.pre_filter.and_then(|filter| filter(&cycle)) {
            // Upstream words it so: the refusal of the pod, and then that of the step that looks for other ways.
            let message = format!("0/{count} nodes are available: {}. not found", verdict.reasons().join(", "));
            let refused_by = BTreeSet::from([plugin.name]);
            return refuse(Explanation::of_message(&message), message, refused_by, Nomination::Unchanged);
        }
    }
    if let Some(node) = nominated_fits(&cycle) {
        return assign(&only(&[node]), &[]);
    }
    nodes.rotate_left(*start % count);
    let (feasible, refusals) = filter_all(&cycle, &nodes);
    *start = (*start + feasible.len() + refusals.len()) % count;
    if feasible.is_empty() {
        let found = preempt(cluster, &info, count, &refusals);
        let message = fit_error(count, &refusals, &found.message);
        let explanation = Explanation::of_refusal(&message, &refusals, &found);
        let refused_by = refusals.iter().map(|refusal| refusal.plugin).collect();
        return refuse(explanation, message, refused_by, found.nomination);
    }
    assign(&choose(&cycle, &feasible, draw), &refusals)
}

fn assign(scored: &Scored<'_>, refusals: &[Refusal<'_>]) -> Decision {
    let outcome = Outcome::Node(scored.nodes[scored.chosen].name().to_owned());
    Decision { outcome, explanation: Explanation::of_choice(scored, refusals) }
}

fn refuse(
    explanation: Explanation,
    message: String,
    refused_by: BTreeSet<&'static str>,
    nomination: Nomination,
) -> Decision {
    Decision { outcome: Outcome::Unschedulable { message, refused_by, nomination }, explanation }
}

/// The node that the pod waited for comes first: if it has room now, no other is looked at (`evaluateNominatedNode`).
fn nominated_fits<'a>(cycle: &Cycle<'a>) -> Option<&'a NodeInfo> {
    let node = cycle.cluster.node(cycle.pod.str("status.nominatedNodeName"))?;
    filter(cycle, node).is_none().then_some(node)
}

/// How many feasible nodes are enough (`numFeasibleNodesToFind`): in large clusters not all are looked for.
fn enough(nodes: usize) -> usize {
    if nodes < NODES_ALWAYS_CHECKED {
        return nodes;
    }
    let percentage = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percentage / 100).max(NODES_ALWAYS_CHECKED)
}

fn filter_all<'a>(cycle: &Cycle<'_>, nodes: &[&'a NodeInfo]) -> (Vec<&'a NodeInfo>, Vec<Refusal<'a>>) {
    let (mut feasible, mut refusals) = (Vec::new(), Vec::new());
    for node in nodes {
        if feasible.len() == enough(nodes.len()) {
            break;
        }
        match filter(cycle, node) {
            Some(refused) => refusals.push(Refusal { node, plugin: refused.plugin, verdict: refused.verdict }),
            None => feasible.push(*node),
        }
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
fn choose<'a>(cycle: &Cycle<'_>, feasible: &'a [&'a NodeInfo], draw: &mut dyn FnMut(usize) -> usize) -> Scored<'a> {
    if feasible.len() == 1 {
        return only(feasible);
    }
    let mut totals = vec![0; feasible.len()];
    let mut by_plugin = Vec::new();
    for plugin in PLUGINS {
        let Some(part) = &plugin.score else { continue };
        let Some(scores) = (part.score)(cycle, feasible) else { continue };
        for (total, score) in totals.iter_mut().zip(&scores) {
            *total += score * part.weight;
        }
        by_plugin.push(Scores { plugin: plugin.name, weight: part.weight, scores });
    }
    let best = totals.iter().copied().max().unwrap_or(0);
    let mut tied: Vec<usize> = (0..totals.len()).filter(|place| totals[*place] == best).collect();
    let chosen = if tied.len() > 1 { tied[draw(tied.len())] } else { tied[0] };
    if tied.len() == 1 {
        tied.clear();
    }
    Scored { nodes: feasible, by_plugin, totals, tied, chosen }
}

/// The only candidate; upstream does not score it.
fn only<'a>(nodes: &'a [&'a NodeInfo]) -> Scored<'a> {
    Scored { nodes, by_plugin: Vec::new(), totals: Vec::new(), tied: Vec::new(), chosen: 0 }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
