//! What a plugin is, and what one attempt to place one pod carries along (`framework/interface.go`).

use std::cell::OnceCell;
use std::collections::BTreeMap;

use api::Object;

use crate::cluster::{Cluster, NodeInfo};
use crate::plugins::inter_pod_affinity::Near;
use crate::resources::{Resources, pod_requests};

/// The best score of one plugin for one node.
pub(crate) const SCORE_MAX: i64 = 100;

/// A row in the table of plugins. A plugin has a part in filtering, in scoring, or in both.
pub(crate) struct Plugin {
    /// As in the scheduler's configuration.
    pub(crate) name: &'static str,
    /// Refuses the pod whatever the node.
    pub(crate) pre_filter: Option<fn(&Cycle<'_>) -> Option<Verdict>>,
    /// Whether the pod may run on the node.
    pub(crate) filter: Option<fn(&Cycle<'_>, &NodeInfo) -> Verdict>,
    /// How good each of the feasible nodes is.
    pub(crate) score: Option<Score>,
    /// What may make a pod schedulable that this plugin refused.
    pub(crate) wakes: &'static [ClusterEvent],
}

/// The scoring part of a plugin.
pub(crate) struct Score {
    /// Factor in the sum of all plugins.
    pub(crate) weight: i64,
    /// Scores from 0 to [`SCORE_MAX`], one for each node in order; nothing if the plugin has nothing to say.
    pub(crate) score: fn(&Cycle<'_>, &[&NodeInfo]) -> Option<Vec<i64>>,
}

/// The answer of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The pod may run here.
    Pass,
    /// Not now; removing other pods could help.
    Unschedulable(Vec<String>),
    /// Not while pod and node are as they are.
    Unresolvable(Vec<String>),
}

impl Verdict {
    /// [`Verdict::Unresolvable`] with one reason, unless `ok`.
    pub(crate) fn resolvable_never(ok: bool, reason: &str) -> Verdict {
        if ok { Verdict::Pass } else { Verdict::Unresolvable(vec![reason.to_owned()]) }
    }

    /// Why not; empty if it passes.
    pub(crate) fn reasons(&self) -> &[String] {
        match self {
            Verdict::Pass => &[],
            Verdict::Unschedulable(reasons) | Verdict::Unresolvable(reasons) => reasons,
        }
    }
}

/// Things that happen in the cluster, as far as they can make a pod schedulable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ClusterEvent {
    NodeAdded,
    NodeLabels,
    NodeTaints,
    NodeAllocatable,
    PodAssigned,
    PodRemoved,
    VolumeChanged,
}

/// One attempt to place one pod.
pub(crate) struct Cycle<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) pod: &'a Object,
    pub(crate) requests: Resources,
    pub(crate) assumed_requests: Resources,
    /// Where the pods are that it wants near or far; counted when a filter first asks.
    pub(crate) near: OnceCell<Near>,
}

impl<'a> Cycle<'a> {
    pub(crate) fn new(cluster: &'a Cluster, pod: &'a Object) -> Cycle<'a> {
        Cycle {
            cluster,
            pod,
            requests: pod_requests(pod, false),
            assumed_requests: pod_requests(pod, true),
            near: OnceCell::new(),
        }
    }
}

/// Stretches scores so that the best is [`SCORE_MAX`]; `reverse` makes the lowest the best (`DefaultNormalizeScore`).
pub(crate) fn normalize(mut scores: Vec<i64>, reverse: bool) -> Vec<i64> {
    let max = scores.iter().copied().max().unwrap_or(0);
    for score in &mut scores {
        let scaled = if max == 0 { 0 } else { SCORE_MAX * *score / max };
        *score = if reverse { SCORE_MAX - scaled } else { scaled };
    }
    scores
}

/// Counts equal reasons and puts them in the order of their text, as `FitError` prints them.
pub(crate) fn histogram<'a>(reasons: impl Iterator<Item = &'a String>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_insert(0) += 1;
    }
    let mut words: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    words.sort();
    words.join(", ")
}
