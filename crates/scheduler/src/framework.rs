//! What a plugin is, and what one attempt to place one pod carries along (`framework/interface.go`).

use std::cell::OnceCell;
use std::collections::BTreeMap;

use api::Object;

use crate::cluster::Cluster;
use crate::node_info::NodeInfo;
use crate::plugins::inter_pod_affinity::Near;
use crate::plugins::node_affinity::NodeChoice;
use crate::plugins::pod_topology_spread::Spread;
use crate::plugins::volume_binding::{Claim, claims};
use crate::pod_info::{Affinity, PodInfo};
use crate::tally::Tally;

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
    /// Whether one of these did help the pod (`isSchedulableAfter...`, the queueing hints).
    pub(crate) helps: fn(&Object, &Change) -> bool,
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
    NodeRemoved,
    PodAssigned,
    PodRemoved,
    /// The labels of a pod that has a node.
    PodLabels,
    /// A pod that has a node asks for less.
    PodScaledDown,
    VolumeChanged,
    /// The waiting pod is another than it was.
    PodItself,
}

/// One of them, and the node or the pod that it is about, before and after.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) event: ClusterEvent,
    pub(crate) old: Option<Object>,
    pub(crate) new: Option<Object>,
}

impl Change {
    /// Something came to be.
    pub(crate) fn added(event: ClusterEvent, new: &Object) -> Change {
        Change { event, old: None, new: Some(new.clone()) }
    }

    /// Something is no more.
    pub(crate) fn removed(event: ClusterEvent, old: &Object) -> Change {
        Change { event, old: Some(old.clone()), new: None }
    }

    /// Something is otherwise.
    pub(crate) fn changed(event: ClusterEvent, old: &Object, new: &Object) -> Change {
        Change { event, old: Some(old.clone()), new: Some(new.clone()) }
    }

    /// Something that is not looked at closely.
    pub(crate) fn plain(event: ClusterEvent) -> Change {
        Change { event, old: None, new: None }
    }
}

/// Of a plugin that does not look closely.
pub(crate) fn always(_: &Object, _: &Change) -> bool {
    true
}

/// One attempt to place one pod.
pub(crate) struct Cycle<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) pod: &'a Object,
    /// What is read in the pod.
    pub(crate) info: &'a PodInfo,
    /// The node that it names, if it names one.
    pub(crate) node_name: &'a str,
    /// The names of the claims that it mounts.
    pub(crate) claims: Vec<Claim>,
    /// A node as it would be, in the place of the one that is there.
    supposed: Option<&'a NodeInfo>,
    choice: NodeChoice<'a>,
    /// Where the pods are that it wants near or far; counted when a filter first asks.
    pub(crate) near: OnceCell<Near<'a>>,
    /// Where the pods are among which it is to be spread; the same.
    pub(crate) spread: OnceCell<Spread<'a>>,
    /// Whether another pod uses a claim of its that is for one pod alone; the same.
    pub(crate) single_use: OnceCell<bool>,
}

impl<'a> Cycle<'a> {
    pub(crate) fn new(cluster: &'a Cluster, info: &'a PodInfo) -> Cycle<'a> {
        let pod = &info.object;
        Cycle {
            cluster,
            pod,
            info,
            node_name: pod.str("spec.nodeName"),
            claims: claims(pod).collect(),
            supposed: None,
            choice: NodeChoice::of(pod),
            near: OnceCell::new(),
            spread: OnceCell::new(),
            single_use: OnceCell::new(),
        }
    }

    /// The same if a node were so.
    pub(crate) fn supposing(cluster: &'a Cluster, info: &'a PodInfo, node: &'a NodeInfo) -> Cycle<'a> {
        Cycle { supposed: Some(node), ..Cycle::new(cluster, info) }
    }

    /// The nodes that exist, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &'a NodeInfo> + use<'a> {
        let supposed = self.supposed;
        self.cluster.nodes().map(move |node| supposed.filter(|other| other.slot == node.slot).unwrap_or(node))
    }

    /// Whether the pod's node selector and the node affinity that it requires select the node.
    pub(crate) fn selects(&self, node: &NodeInfo) -> bool {
        self.choice.selects(self.pod, node)
    }

    /// How many pods of the node a tally means.
    pub(crate) fn count(&self, tally: &Tally, node: &NodeInfo) -> i64 {
        if self.is_supposed(node.slot) {
            let meant = node.pods().filter(|pod| tally.matcher.matches(&pod.object));
            return i64::try_from(meant.count()).unwrap_or(i64::MAX);
        }
        tally.on(node.slot)
    }

    /// The placed pods that care about other pods: what they want, and where they are.
    pub(crate) fn caring(&self) -> Vec<(&'a Affinity, Vec<(&'a NodeInfo, i64)>)> {
        let cluster = self.cluster;
        let known = |(slot, count): (&usize, &i64)| {
            let node = cluster.at(*slot).filter(|node| node.exists() && !self.is_supposed(*slot));
            node.map(|node| (node, *count))
        };
        let groups = cluster.caring().map(|group| (&*group.affinity, group.nodes.iter().filter_map(known).collect()));
        let on_supposed = self.supposed.into_iter().flat_map(|node| node.pods().map(move |pod| (node, pod)));
        let alone = on_supposed.filter_map(|(node, pod)| Some((&**pod.affinity.as_ref()?, vec![(node, 1)])));
        groups.chain(alone).collect()
    }

    fn is_supposed(&self, slot: usize) -> bool {
        self.supposed.is_some_and(|node| node.slot == slot)
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
