//! Pods that want to be near other pods, or away from them (`plugins/interpodaffinity`).
//!
//! Differences from upstream: of namespace selectors only the empty one, which selects all, is understood. A pod is tried
//! again in two cases in which upstream leaves it to its round of every five minutes: a node comes, and the pod was
//! refused by what others want to be away from; a pod goes, or changes its labels, that one of several terms of an
//! anti-affinity meant (upstream asks for one that all of them meant).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::Object;

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, SCORE_MAX, Score, Verdict};
use crate::node_info::NodeInfo;
use crate::pod_info::{Affinity, Term};
use crate::tally::{Matcher, Tally};

/// What a required affinity of another pod adds to the score (`hardPodAffinityWeight`).
const HARD_AFFINITY_WEIGHT: i64 = 1;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "InterPodAffinity",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[
        ClusterEvent::NodeAdded,
        ClusterEvent::NodeLabels,
        ClusterEvent::PodAssigned,
        ClusterEvent::PodRemoved,
        ClusterEvent::PodLabels,
    ],
    helps,
};

/// A pod that it wants near has come, one that it or who itself wants to be away from it has gone, or a node has come to
/// another domain.
fn helps(pod: &Object, change: &Change) -> bool {
    let affinity = Affinity::read(pod);
    let (near, away) = affinity.as_ref().map_or((&[][..], &[][..]), |own| (&own.near[..], &own.away[..]));
    // Upstream's `podMatchesAllAffinityTerms`: no term means nobody. Of those to be near to one must be meant by all terms;
    // each term by itself says whom to be away from.
    let all = |terms: &[Term], other: &Object| !terms.is_empty() && terms.iter().all(|term| term.pods.matches(other));
    let any = |terms: &[Term], other: &Object| terms.iter().any(|term| term.pods.matches(other));
    match (change.event, &change.old, &change.new) {
        (ClusterEvent::PodLabels, Some(old), Some(new)) => {
            let let_go = |term: &Term| term.pods.matches(old) && !term.pods.matches(new);
            (!all(near, old) && all(near, new)) || away.iter().any(let_go)
        }
        (ClusterEvent::PodAssigned, _, Some(new)) => all(near, new),
        (ClusterEvent::PodRemoved, Some(old), _) => {
            any(away, old) || Affinity::read(old).is_some_and(|theirs| any(&theirs.away, pod))
        }
        (ClusterEvent::NodeAdded, _, Some(node)) => {
            near.is_empty() || !away.is_empty() || near.iter().any(|term| node.label(&term.topology_key).is_some())
        }
        (ClusterEvent::NodeLabels, Some(old), Some(new)) => {
            let labels = |term: &Term| (old.label(&term.topology_key), new.label(&term.topology_key));
            let moved = |term: &Term| matches!(labels(term), (Some(old), Some(new)) if old != new);
            let is =
                |term: &Term, old: bool, new: bool| (labels(term).0.is_some(), labels(term).1.is_some()) == (old, new);
            near.iter().any(|term| moved(term) || is(term, false, true))
                || away.iter().any(|term| moved(term) || is(term, true, false))
        }
        _ => true,
    }
}

/// Keys and values of domains.
type Domains<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn insert<'a>(domains: &mut Domains<'a>, key: &'a str, node: &'a NodeInfo) {
    if let Some(value) = node.label(key) {
        domains.entry(key).or_default().insert(value);
    }
}

fn is_in(node: &NodeInfo, domains: &Domains<'_>) -> bool {
    domains.iter().any(|(key, values)| node.label(key).is_some_and(|value| values.contains(value)))
}

/// How many of the placed pods all the terms mean, by node.
fn tally<'t>(cycle: &Cycle<'_>, terms: impl IntoIterator<Item = &'t Term>) -> Rc<Tally> {
    let clauses = terms.into_iter().map(|term| term.pods.clone()).collect();
    cycle.cluster.tally(&Matcher { clauses, leaving: true })
}

/// The nodes on which a tally means somebody, with the number of pods.
fn nodes_of<'a>(cycle: &Cycle<'a>, tally: &Tally) -> Vec<(&'a NodeInfo, i64)> {
    cycle.nodes().map(|node| (node, cycle.count(tally, node))).filter(|(_, count)| *count > 0).collect()
}

/// What filtering needs of all placed pods, counted once for a pod and not for every node (`PreFilter`).
pub(crate) struct Near<'a> {
    /// The pod's required affinity; for each term the domains in which a pod is that all terms mean.
    near: Vec<(&'a Term, BTreeSet<&'a str>)>,
    /// Whether no pod is meant by the affinity but the pod itself: the first of a group may go anywhere.
    first: bool,
    /// The domains that the pod stays away from.
    away: Domains<'a>,
    /// The domains whose pods stay away from it.
    unwelcome: Domains<'a>,
}

impl<'a> Near<'a> {
    fn count(cycle: &Cycle<'a>) -> Near<'a> {
        let (mut away, mut unwelcome) = (Domains::new(), Domains::new());
        for (affinity, nodes) in cycle.caring() {
            for term in affinity.away.iter().filter(|term| term.pods.matches(cycle.pod)) {
                nodes.iter().for_each(|(node, _)| insert(&mut unwelcome, &term.topology_key, node));
            }
        }
        let Some(affinity) = cycle.info.affinity.as_deref() else {
            return Near { near: Vec::new(), first: true, away, unwelcome };
        };
        for term in &affinity.away {
            for (node, _) in nodes_of(cycle, &tally(cycle, [term])) {
                insert(&mut away, &term.topology_key, node);
            }
        }
        let companions = match affinity.near.is_empty() {
            true => Vec::new(),
            false => nodes_of(cycle, &tally(cycle, &affinity.near)),
        };
        let domains =
            |term: &'a Term| companions.iter().filter_map(|(node, _)| node.label(&term.topology_key)).collect();
        Near {
            near: affinity.near.iter().map(|term| (term, domains(term))).collect(),
            first: companions.is_empty() && affinity.near.iter().all(|term| term.pods.matches(cycle.pod)),
            away,
            unwelcome,
        }
    }

    /// Whether a pod that all terms mean is near, term by term.
    fn affinity_holds(&self, node: &NodeInfo) -> bool {
        let here = |(term, domains): &(&Term, BTreeSet<&str>)| {
            node.label(&term.topology_key).is_some_and(|value| self.first || domains.contains(value))
        };
        self.near.iter().all(here)
    }
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let refuse = |text: &str| vec![text.to_owned()];
    let near = cycle.near.get_or_init(|| Near::count(cycle));
    if !near.affinity_holds(node) {
        return Verdict::Unresolvable(refuse("node(s) didn't match pod affinity rules"));
    }
    if is_in(node, &near.away) {
        return Verdict::Unschedulable(refuse("node(s) didn't match pod anti-affinity rules"));
    }
    if is_in(node, &near.unwelcome) {
        return Verdict::Unschedulable(refuse("node(s) didn't satisfy existing pods anti-affinity rules"));
    }
    Verdict::Pass
}

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    // By key and value of the domains.
    let mut weights: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    let own = cycle.info.affinity.as_deref().map_or(&[][..], |affinity| &affinity.preferred);
    let by_own = own.iter().map(|term| (term, term.weight, nodes_of(cycle, &tally(cycle, [term]))));
    let by_others = cycle.caring().into_iter().flat_map(|(affinity, nodes)| {
        let hard = affinity.near.iter().map(|term| (term, HARD_AFFINITY_WEIGHT));
        let soft = affinity.preferred.iter().map(|term| (term, term.weight));
        let meant = hard.chain(soft).filter(|(term, _)| term.pods.matches(cycle.pod));
        meant.map(move |(term, weight)| (term, weight, nodes.clone())).collect::<Vec<_>>()
    });
    for (term, weight, nodes) in by_own.chain(by_others) {
        for (node, count) in nodes {
            if let Some(value) = node.label(&term.topology_key) {
                *weights.entry(&term.topology_key).or_default().entry(value).or_insert(0) += weight * count;
            }
        }
    }
    if weights.is_empty() {
        return None;
    }
    let sum = |node: &&NodeInfo| {
        let here = weights.iter().filter_map(|(key, values)| values.get(node.label(key)?));
        here.sum::<i64>()
    };
    let sums: Vec<i64> = nodes.iter().map(sum).collect();
    let (min, max) = (sums.iter().copied().min().unwrap_or(0), sums.iter().copied().max().unwrap_or(0));
    let normal = |sum: i64| if max > min { SCORE_MAX * (sum - min) / (max - min) } else { 0 };
    Some(sums.into_iter().map(normal).collect())
}
