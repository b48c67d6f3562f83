//! Taints that keep pods away, or would rather (`plugins/tainttoleration`).

use api::Object;
use api::taints::are_tolerated;
use json::Value;

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, Score, Verdict, normalize};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "TaintToleration",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 3, score }),
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeTaints],
    helps,
};

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    if node.taints().is_empty() {
        return Verdict::Pass;
    }
    Verdict::resolvable_never(tolerates(cycle.pod, node.taints()), "node(s) had untolerated taint(s)")
}

fn tolerates(pod: &Object, taints: &[Value]) -> bool {
    let tolerations = pod.list("spec.tolerations");
    let keeps_away = |taint: &&Value| taint["effect"] == "NoSchedule" || taint["effect"] == "NoExecute";
    taints.iter().filter(keeps_away).all(|taint| are_tolerated(tolerations, taint))
}

/// A node whose taints the pod tolerates now and did not before.
fn helps(pod: &Object, change: &Change) -> bool {
    let tolerated = |node: &Option<Object>| node.as_ref().is_some_and(|node| tolerates(pod, node.list("spec.taints")));
    tolerated(&change.new) && !tolerated(&change.old)
}

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let concerns = |t: &&Value| matches!(t["effect"].as_str(), None | Some("" | "PreferNoSchedule"));
    let tolerations: Vec<Value> = cycle.pod.list("spec.tolerations").iter().filter(concerns).cloned().collect();
    let untolerated = |node: &&NodeInfo| {
        let taints = node.taints().iter().filter(|taint| taint["effect"] == "PreferNoSchedule");
        i64::try_from(taints.filter(|taint| !are_tolerated(&tolerations, taint)).count()).unwrap_or(i64::MAX)
    };
    Some(normalize(nodes.iter().map(untolerated).collect(), true))
}
