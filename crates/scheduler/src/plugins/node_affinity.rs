//! Node selectors and node affinity (`plugins/nodeaffinity`).

use crate::cluster::NodeInfo;
use crate::framework::{ClusterEvent, Cycle, Plugin, Score, Verdict, normalize};
use api::selector::node::{pod_selects, term_matches};

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeAffinity",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeLabels],
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let ok = pod_selects(cycle.pod, node.object());
    Verdict::resolvable_never(ok, "node(s) didn't match Pod's node affinity/selector")
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
