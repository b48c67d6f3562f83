//! Why a pod got its node, or none: what every plugin said about every node. It goes into the trace as JSON, and the page shows it.
//!
//! Upstream keeps nothing of the kind; its log says a part of it at high verbosity.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use api::Object;
use serde::Serialize;

use crate::filter::Refusal;
use crate::node_info::NodeInfo;
use crate::plugins::PLUGINS;
use crate::preemption::{Candidate, Nomination, Preemption};

/// As many nodes are all told about, when so many were looked at.
const NODES_ALL_TOLD_MAX: usize = 100;
/// Of more nodes, only these are told about, the best first: nobody reads on, and the text would be most of what a decision costs.
const NODES_TOLD_MAX: usize = 20;

/// What was said.
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
    /// How many more nodes were looked at.
    #[serde(skip_serializing_if = "is_zero")]
    nodes_left_out: usize,
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

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PreemptionExplanation {
    /// `namespace/name`, the most important first.
    victims: Vec<String>,
    /// How many of them a PodDisruptionBudget speaks for.
    violations: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What one plugin thinks of the nodes that have passed all filters, in their order.
pub(crate) struct Scores {
    pub(crate) plugin: &'static str,
    pub(crate) weight: i64,
    pub(crate) scores: Vec<i64>,
}

/// Nodes that have passed all filters, with what was thought of them.
pub(crate) struct Scored<'a> {
    pub(crate) nodes: &'a [&'a NodeInfo],
    /// Nothing if there was only one to choose from.
    pub(crate) by_plugin: Vec<Scores>,
    /// Sums of the weighted scores; nothing if no plugin was asked.
    pub(crate) totals: Vec<i64>,
    /// Places of the nodes with the highest sum, if they are several.
    pub(crate) tied: Vec<usize>,
    /// The place of the one that was chosen.
    pub(crate) chosen: usize,
}

impl Explanation {
    /// Nothing but a message.
    pub(crate) fn of_message(message: &str) -> Explanation {
        Explanation { message: Some(message.to_owned()), ..Explanation::default() }
    }

    /// The pod has a node.
    pub(crate) fn of_choice(scored: &Scored<'_>, refusals: &[Refusal<'_>]) -> Explanation {
        let total = |place: usize| scored.totals.get(place).copied();
        let mut places: Vec<usize> = (0..scored.nodes.len()).collect();
        let looked = places.len() + refusals.len();
        if looked > NODES_ALL_TOLD_MAX {
            places.sort_by_key(|place| (Reverse(total(*place)), *place != scored.chosen));
            places.truncate(NODES_TOLD_MAX);
        }
        let passed = places.iter().map(|place| scored.explain(*place, total(*place)));
        let room = if looked > NODES_ALL_TOLD_MAX { NODES_TOLD_MAX - places.len() } else { refusals.len() };
        let refused = refusals.iter().take(room).map(|refusal| explain(refusal, None));
        let mut explanation = Explanation {
            node: Some(scored.nodes[scored.chosen].name().to_owned()),
            nodes: passed.chain(refused).collect(),
            ..Explanation::default()
        };
        let told: BTreeSet<usize> = places.into_iter().collect();
        let tied = scored.tied.iter().filter(|place| told.contains(place));
        explanation.drawn_from = tied.map(|place| scored.nodes[*place].name().to_owned()).collect();
        explanation.drawn_from.sort();
        explanation.sorted(looked)
    }

    /// The pod has none.
    pub(crate) fn of_refusal(message: &str, refusals: &[Refusal<'_>], found: &Preemption) -> Explanation {
        let candidates: BTreeMap<&str, &Candidate> = found.candidates.iter().map(|c| (&*c.node, c)).collect();
        let nominated = match &found.nomination {
            Nomination::Given { node, .. } => Some(node.clone()),
            Nomination::Unchanged | Nomination::Withdrawn => None,
        };
        let mut told: Vec<&Refusal<'_>> = refusals.iter().collect();
        if told.len() > NODES_ALL_TOLD_MAX {
            let rank = |refusal: &&Refusal<'_>| {
                let name = refusal.node.name();
                (nominated.as_deref() != Some(name), !candidates.contains_key(name))
            };
            told.sort_by_key(rank);
            told.truncate(NODES_TOLD_MAX);
        }
        let one = |refusal: &&Refusal<'_>| explain(refusal, candidates.get(refusal.node.name()).copied());
        let nodes = told.iter().map(one).collect();
        let message = Some(message.to_owned());
        Explanation { message, nominated, nodes, ..Explanation::default() }.sorted(refusals.len())
    }

    fn sorted(mut self, looked: usize) -> Explanation {
        self.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        self.nodes_left_out = looked - self.nodes.len();
        self
    }
}

impl Scored<'_> {
    fn explain(&self, place: usize, total: Option<i64>) -> NodeExplanation {
        let score = |by: &Scores| ScoreExplanation { plugin: by.plugin, score: by.scores[place], weight: by.weight };
        NodeExplanation {
            name: self.nodes[place].name().to_owned(),
            filters: passed().collect(),
            scores: self.by_plugin.iter().map(score).collect(),
            total,
            preemption: None,
        }
    }
}

/// The filters that say yes, in the order in which they are asked.
fn passed() -> impl Iterator<Item = FilterExplanation> {
    let filters = PLUGINS.iter().filter(|plugin| plugin.filter.is_some());
    filters.map(|plugin| FilterExplanation { plugin: plugin.name, passed: true, reasons: Vec::new() })
}

fn explain(refusal: &Refusal<'_>, candidate: Option<&Candidate>) -> NodeExplanation {
    let no = FilterExplanation { plugin: refusal.plugin, passed: false, reasons: refusal.verdict.reasons().to_vec() };
    let preemption = candidate.map(|candidate| PreemptionExplanation {
        victims: candidate.victims.iter().map(Object::key).collect(),
        violations: candidate.violations,
    });
    NodeExplanation {
        name: refusal.node.name().to_owned(),
        filters: passed().take_while(|filter| filter.plugin != refusal.plugin).chain([no]).collect(),
        preemption,
        ..NodeExplanation::default()
    }
}
