//! Node selectors and node affinity (`plugins/nodeaffinity`).

use std::collections::BTreeSet;

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, Score, Verdict, normalize};
use crate::node_info::NodeInfo;
use api::Object;
use api::selector::node::{pod_selects, term_matches};
use json::Value;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeAffinity",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeLabels],
    helps,
};

/// A node that is selected now and was not before.
fn helps(pod: &Object, change: &Change) -> bool {
    let selected = |node: &Option<Object>| node.as_ref().is_some_and(|node| pod_selects(pod, node));
    selected(&change.new) && !selected(&change.old)
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    Verdict::resolvable_never(cycle.selects(node), "node(s) didn't match Pod's node affinity/selector")
}

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let preferred = cycle.pod.list("spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution");
    if preferred.is_empty() {
        return None;
    }
    let weigh = |node: &&NodeInfo| {
        let matching = preferred.iter().filter(|term| term_matches(&term["preference"], node.object()));
        matching.filter_map(|term| term["weight"].as_i64()).sum()
    };
    Some(normalize(nodes.iter().map(weigh).collect(), false))
}

/// Which nodes a pod may be on by its own words.
pub(crate) struct NodeChoice<'a> {
    /// Whether it says anything.
    chooses: bool,
    /// The nodes that it names, if it names them: a DaemonSet's pods say it so, and there are as many as nodes.
    named: Option<BTreeSet<&'a str>>,
}

impl<'a> NodeChoice<'a> {
    /// Reads it.
    pub(crate) fn of(pod: &'a Object) -> NodeChoice<'a> {
        let required = pod.at("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
        let terms = required["nodeSelectorTerms"].as_array();
        let named: Option<Vec<BTreeSet<&str>>> = terms.and_then(|terms| terms.iter().map(names).collect());
        NodeChoice {
            chooses: !required.is_null() || !pod.at("spec.nodeSelector").is_null(),
            named: named.map(|named| named.into_iter().flatten().collect()),
        }
    }

    /// Whether `pod`, whose choice this is, may be on the node.
    pub(crate) fn selects(&self, pod: &Object, node: &NodeInfo) -> bool {
        let may_be_named = self.named.as_ref().is_none_or(|named| named.contains(node.name()));
        !self.chooses || (may_be_named && pod_selects(pod, node.object()))
    }
}

/// The nodes that a term names; none if it selects them by something else.
fn names(term: &Value) -> Option<BTreeSet<&str>> {
    let fields = term["matchFields"].as_array()?;
    let by_name = fields.iter().find(|field| field["key"] == "metadata.name" && field["operator"] == "In")?;
    Some(by_name["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect())
}
