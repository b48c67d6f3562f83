//! Room for what the pod asks for, and a preference for the emptier node (`plugins/noderesources/fit.go`,
//! `least_allocated.go`).

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, SCORE_MAX, Score, Verdict};
use crate::node_info::NodeInfo;
use crate::resources::{Resources, pod_requests};
use api::Object;
use api::quantity::Quantity;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeResourcesFit",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 1, score }),
    wakes: &[
        ClusterEvent::NodeAdded,
        ClusterEvent::NodeAllocatable,
        ClusterEvent::PodRemoved,
        ClusterEvent::PodScaledDown,
    ],
    helps,
};

/// Room that is there now: a pod that is gone or takes less of what is wanted, or a node that has as much and has more
/// than before.
fn helps(pod: &Object, change: &Change) -> bool {
    let wanted = pod_requests(pod, false);
    match (change.event, &change.old, &change.new) {
        (ClusterEvent::PodScaledDown, Some(old), Some(new)) => {
            pod_requests(old, false).has_more_of(&wanted, &pod_requests(new, false))
        }
        (ClusterEvent::NodeAdded | ClusterEvent::NodeAllocatable, old, Some(new)) => {
            let room = |node: &Object| Resources::from_list(node.at("status.allocatable"));
            let pods =
                |node: &Object| Quantity::from_value(node.at("status.allocatable.pods")).map_or(0, Quantity::value);
            let more = |old: &Object| pods(new) > pods(old) || room(new).has_more_of(&wanted, &room(old));
            room(new).holds(&wanted) && old.as_ref().is_none_or(more)
        }
        _ => true,
    }
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let mut reasons = Vec::new();
    let mut never = false;
    if node.pods_count() + 1 > node.pods_max {
        reasons.push("Too many pods".to_owned());
    }
    let wanted = &cycle.info.requests;
    if !wanted.is_zero() {
        let (has, used) = (&node.allocatable, &node.requested);
        let fixed = [
            ("cpu", wanted.cpu_milli, has.cpu_milli, used.cpu_milli),
            ("memory", wanted.memory_bytes, has.memory_bytes, used.memory_bytes),
            ("ephemeral-storage", wanted.ephemeral_bytes, has.ephemeral_bytes, used.ephemeral_bytes),
        ];
        let amount = |of: &crate::resources::Resources, name: &str| of.others.get(name).copied().unwrap_or(0);
        let others = wanted.others.iter().map(|(name, count)| (&**name, *count, amount(has, name), amount(used, name)));
        for (name, wanted, has, used) in fixed.into_iter().chain(others) {
            if wanted > 0 && wanted > has - used {
                reasons.push(format!("Insufficient {name}"));
                never |= wanted > has;
            }
        }
    }
    match (reasons.is_empty(), never) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Unresolvable(reasons),
        (false, false) => Verdict::Unschedulable(reasons),
    }
}

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let free = |wanted: i64, has: i64, used: i64| {
        let total = wanted + used;
        (has > 0).then(|| if total > has { 0 } else { (has - total) * SCORE_MAX / has })
    };
    let one = |node: &&NodeInfo| {
        let (wanted, has, used) = (&cycle.info.assumed_requests, &node.allocatable, &node.requested_assumed);
        let cpu = free(wanted.cpu_milli, has.cpu_milli, used.cpu_milli);
        let memory = free(wanted.memory_bytes, has.memory_bytes, used.memory_bytes);
        match (cpu, memory) {
            (Some(cpu), Some(memory)) => (cpu + memory) / 2,
            (one, other) => one.or(other).unwrap_or(0),
        }
    };
    Some(nodes.iter().map(one).collect())
}
