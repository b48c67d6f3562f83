//! Pods that want to be near other pods, or away from them (`plugins/interpodaffinity`).
//!
//! Difference from upstream: of namespace selectors only the empty one, which selects all, is understood.

use std::collections::BTreeMap;

use api::Object;
use api::selector::LabelSelector;
use serde_json::Value;

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
        let selects_all = term["namespaceSelector"].as_object().is_some_and(serde_json::Map::is_empty);
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

fn same_domain(a: &NodeInfo, b: &NodeInfo, key: &str) -> bool {
    domain(a, key).is_some() && domain(a, key) == domain(b, key)
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let refuse = |text: &str| vec![text.to_owned()];
    if !affinity_holds(cycle, node) {
        return Verdict::Unresolvable(refuse("node(s) didn't match pod affinity rules"));
    }
    let away = required(cycle.pod, "podAntiAffinity");
    let too_near = |term: &Term| {
        placed(cycle).any(|(other, pod)| same_domain(node, other, &term.topology_key) && term.matches(pod))
    };
    if away.iter().any(too_near) {
        return Verdict::Unschedulable(refuse("node(s) didn't match pod anti-affinity rules"));
    }
    let unwelcome = |(other, pod): (&NodeInfo, &Object)| {
        required(pod, "podAntiAffinity")
            .iter()
            .any(|term| same_domain(node, other, &term.topology_key) && term.matches(cycle.pod))
    };
    if caring(cycle).any(unwelcome) {
        return Verdict::Unschedulable(refuse("node(s) didn't satisfy existing pods anti-affinity rules"));
    }
    Verdict::Pass
}

/// Whether a pod that all terms mean is near, term by term. The first of a group may go anywhere.
fn affinity_holds(cycle: &Cycle<'_>, node: &NodeInfo) -> bool {
    let near = required(cycle.pod, "podAffinity");
    if near.is_empty() {
        return true;
    }
    if near.iter().any(|term| domain(node, &term.topology_key).is_none()) {
        return false;
    }
    let meant = |pod: &Object| near.iter().all(|term| term.matches(pod));
    let companions: Vec<&NodeInfo> = placed(cycle).filter(|(_, pod)| meant(pod)).map(|(other, _)| other).collect();
    if companions.is_empty() {
        return meant(cycle.pod);
    }
    near.iter().all(|term| companions.iter().any(|other| same_domain(node, other, &term.topology_key)))
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
