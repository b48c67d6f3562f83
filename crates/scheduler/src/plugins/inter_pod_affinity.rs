//! Pods that want to be near other pods, or away from them (`plugins/interpodaffinity`).
//!
//! Difference from upstream: of namespace selectors only the empty one, which selects all, is understood.

use std::collections::{BTreeMap, BTreeSet};

use api::Object;
use api::selector::LabelSelector;
use json::Value;

use crate::cluster::NodeInfo;
use crate::framework::{ClusterEvent, Cycle, Plugin, SCORE_MAX, Score, Verdict};

/// What a required affinity of another pod adds to the score (`hardPodAffinityWeight`).
const HARD_AFFINITY_WEIGHT: i64 = 1;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "InterPodAffinity",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeLabels, ClusterEvent::PodAssigned, ClusterEvent::PodRemoved],
};

/// One term of one pod.
struct Term {
    topology_key: String,
    selector: LabelSelector,
    /// None stands for all.
    namespaces: Option<Vec<String>>,
    weight: i64,
}

impl Term {
    fn read(owner: &Object, term: &Value, weight: i64) -> Term {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let listed: Vec<String> = term["namespaces"].as_array().into_iter().flatten().map(text).collect();
        let selects_all = term["namespaceSelector"].as_object().is_some_and(json::Map::is_empty);
        let namespaces = match (selects_all, listed.is_empty()) {
            (true, _) => None,
            (false, true) => Some(vec![owner.namespace().to_owned()]),
            (false, false) => Some(listed),
        };
        let selector = LabelSelector::from_value(&term["labelSelector"]).unwrap_or_else(|_| LabelSelector::nothing());
        Term { topology_key: text(&term["topologyKey"]), selector, namespaces, weight }
    }

    fn matches(&self, pod: &Object) -> bool {
        let here = |namespaces: &Vec<String>| namespaces.iter().any(|name| name == pod.namespace());
        self.namespaces.as_ref().is_none_or(here) && self.selector.matches_object(pod)
    }
}

/// `spec.affinity.<which>.requiredDuringSchedulingIgnoredDuringExecution`
fn required(pod: &Object, which: &str) -> Vec<Term> {
    let path = format!("spec.affinity.{which}.requiredDuringSchedulingIgnoredDuringExecution");
    pod.list(&path).iter().map(|term| Term::read(pod, term, 0)).collect()
}

/// `spec.affinity.<which>.preferredDuringSchedulingIgnoredDuringExecution`
fn preferred(pod: &Object, which: &str, sign: i64) -> Vec<Term> {
    let path = format!("spec.affinity.{which}.preferredDuringSchedulingIgnoredDuringExecution");
    let read = |weighted: &Value| {
        Term::read(pod, &weighted["podAffinityTerm"], sign * weighted["weight"].as_i64().unwrap_or(0))
    };
    pod.list(&path).iter().map(read).collect()
}

fn domain<'a>(node: &'a NodeInfo, key: &str) -> Option<&'a str> {
    node.object().label(key)
}

/// Every placed pod with its node.
fn placed<'a>(cycle: &Cycle<'a>) -> impl Iterator<Item = (&'a NodeInfo, &'a Object)> {
    cycle.cluster.nodes().flat_map(|node| node.pods.values().map(move |pod| (node, pod)))
}

/// The placed pods that care about other pods.
fn caring<'a>(cycle: &Cycle<'a>) -> impl Iterator<Item = (&'a NodeInfo, &'a Object)> {
    cycle.cluster.nodes().flat_map(|node| node.with_affinity.values().map(move |pod| (node, pod)))
}

/// What filtering needs of all placed pods, counted once for a pod and not for every node (`PreFilter`).
pub(crate) struct Near {
    /// The pod's required affinity; for each term the domains in which a pod is that all terms mean.
    near: Vec<(Term, BTreeSet<String>)>,
    /// Whether no pod is meant by the affinity but the pod itself: the first of a group may go anywhere.
    first: bool,
    /// Keys and values of the domains that the pod stays away from.
    away: BTreeSet<(String, String)>,
    /// Keys and values of the domains whose pods stay away from it.
    unwelcome: BTreeSet<(String, String)>,
}

impl Near {
    fn count(cycle: &Cycle<'_>) -> Near {
        let terms = required(cycle.pod, "podAffinity");
        let meant = |pod: &Object| terms.iter().all(|term| term.matches(pod));
        let mut domains = vec![BTreeSet::new(); terms.len()];
        let mut companions = false;
        if !terms.is_empty() {
            for (node, _) in placed(cycle).filter(|(_, pod)| meant(pod)) {
                companions = true;
                for (term, domains) in terms.iter().zip(&mut domains) {
                    domains.extend(domain(node, &term.topology_key).map(str::to_owned));
                }
            }
        }
        let first = !companions && meant(cycle.pod);
        let near = terms.into_iter().zip(domains).collect();
        let place = |node: &NodeInfo, term: &Term| {
            domain(node, &term.topology_key).map(|value| (term.topology_key.clone(), value.to_owned()))
        };
        let mut away = BTreeSet::new();
        let own = required(cycle.pod, "podAntiAffinity");
        if !own.is_empty() {
            for (node, pod) in placed(cycle) {
                away.extend(own.iter().filter(|term| term.matches(pod)).filter_map(|term| place(node, term)));
            }
        }
        let mut unwelcome = BTreeSet::new();
        for (node, pod) in caring(cycle) {
            let terms = required(pod, "podAntiAffinity");
            unwelcome.extend(terms.iter().filter(|t| t.matches(cycle.pod)).filter_map(|term| place(node, term)));
        }
        Near { near, first, away, unwelcome }
    }

    /// Whether a pod that all terms mean is near, term by term.
    fn affinity_holds(&self, node: &NodeInfo) -> bool {
        let here = |(term, domains): &(Term, BTreeSet<String>)| {
            domain(node, &term.topology_key).is_some_and(|value| self.first || domains.contains(value))
        };
        self.near.iter().all(here)
    }
}

fn is_in(node: &NodeInfo, domains: &BTreeSet<(String, String)>) -> bool {
    domains.iter().any(|(key, value)| domain(node, key) == Some(value.as_str()))
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
    let mut own = preferred(cycle.pod, "podAffinity", 1);
    own.extend(preferred(cycle.pod, "podAntiAffinity", -1));
    let mut weights: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut add = |term: &Term, other: &NodeInfo, weight: i64| {
        if let Some(value) = domain(other, &term.topology_key) {
            *weights.entry((term.topology_key.clone(), value.to_owned())).or_insert(0) += weight;
        }
    };
    if !own.is_empty() {
        for (other, pod) in placed(cycle) {
            for term in own.iter().filter(|term| term.matches(pod)) {
                add(term, other, term.weight);
            }
        }
    }
    for (other, pod) in caring(cycle) {
        let hard = required(pod, "podAffinity").into_iter().map(|term| Term { weight: HARD_AFFINITY_WEIGHT, ..term });
        let soft = preferred(pod, "podAffinity", 1).into_iter().chain(preferred(pod, "podAntiAffinity", -1));
        for term in hard.chain(soft).filter(|term| term.matches(cycle.pod)) {
            add(&term, other, term.weight);
        }
    }
    if weights.is_empty() {
        return None;
    }
    let sum = |node: &&NodeInfo| {
        let here = weights.iter().filter(|((key, value), _)| domain(node, key) == Some(value.as_str()));
        here.map(|(_, weight)| weight).sum::<i64>()
    };
    let sums: Vec<i64> = nodes.iter().map(sum).collect();
    let (min, max) = (sums.iter().copied().min().unwrap_or(0), sums.iter().copied().max().unwrap_or(0));
    let normal = |sum: i64| if max > min { SCORE_MAX * (sum - min) / (max - min) } else { 0 };
    Some(sums.into_iter().map(normal).collect())
}
