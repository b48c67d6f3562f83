//! Spreads the pods of a workload over nodes and zones (`plugins/podtopologyspread`): as the pod asks for, or else a
//! little over nodes and zones, by the selectors of its Services and its ReplicaSet.

use std::collections::BTreeMap;

use api::Object;
use api::selector::LabelSelector;
use json::{Value, json};

use crate::cluster::NodeInfo;
use crate::framework::{ClusterEvent, Cycle, Plugin, SCORE_MAX, Score, Verdict};
use api::selector::node::pod_selects;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "PodTopologySpread",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[ClusterEvent::NodeAdded, ClusterEvent::NodeLabels, ClusterEvent::PodAssigned, ClusterEvent::PodRemoved],
};

struct Constraint {
    key: String,
    max_skew: i64,
    min_domains: Option<usize>,
    selectors: Vec<LabelSelector>,
    match_labels: Vec<(String, Value)>,
}

impl Constraint {
    /// How many of the pods on a node count.
    fn counts(&self, node: &NodeInfo, namespace: &str) -> i64 {
        let counted = |pod: &Object| {
            pod.namespace() == namespace
                && self.selectors.iter().all(|selector| selector.matches_object(pod))
                && self.match_labels.iter().all(|(key, value)| pod.at("metadata.labels").get(key) == Some(value))
        };
        node.alike.values().filter(|alike| counted(&alike.sample)).map(|alike| alike.pods).sum()
    }
}

/// The pod's own constraints of one kind.
fn own_constraints(pod: &Object, when: &str) -> Vec<Constraint> {
    let of_kind = |c: &&Value| c["whenUnsatisfiable"] == when;
    let read = |c: &Value| Constraint {
        key: c["topologyKey"].as_str().unwrap_or("").to_owned(),
        max_skew: c["maxSkew"].as_i64().unwrap_or(1),
        min_domains: c["minDomains"].as_u64().and_then(|n| usize::try_from(n).ok()),
        selectors: vec![LabelSelector::from_value(&c["labelSelector"]).unwrap_or_else(|_| LabelSelector::nothing())],
        match_labels: match_label_keys(pod, c),
    };
    pod.list("spec.topologySpreadConstraints").iter().filter(of_kind).map(read).collect()
}

fn match_label_keys(pod: &Object, constraint: &Value) -> Vec<(String, Value)> {
    let keys = constraint["matchLabelKeys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    keys.filter_map(|key| Some((key.to_owned(), pod.at("metadata.labels").get(key)?.clone()))).collect()
}

/// The constraints that every workload has (`systemDefaultConstraints`); none for a pod that belongs to nothing.
fn default_constraints(cycle: &Cycle<'_>) -> Vec<Constraint> {
    let selectors = default_selector(cycle);
    if selectors.is_empty() {
        return Vec::new();
    }
    let constraint = |(key, max_skew): (&str, i64)| Constraint {
        key: key.to_owned(),
        max_skew,
        min_domains: None,
        selectors: selectors.clone(),
        match_labels: Vec::new(),
    };
    [(HOSTNAME, 3), (ZONE, 5)].into_iter().map(constraint).collect()
}

fn default_selector(cycle: &Cycle<'_>) -> Vec<LabelSelector> {
    let pod = cycle.pod;
    let mut selectors = Vec::new();
    for service in cycle.cluster.services.values().filter(|service| service.namespace() == pod.namespace()) {
        let pairs = service.at("spec.selector").as_object();
        let selects = |map: &json::Map| {
            !map.is_empty() && map.iter().all(|(key, value)| pod.at("metadata.labels").get(key) == Some(value))
        };
        if let Some(map) = pairs.filter(|map| selects(map)) {
            selectors.extend(LabelSelector::from_value(&json!({ "matchLabels": map })));
        }
    }
    let owner = pod.controller_ref().filter(|owner| owner.kind == "ReplicaSet");
    let set = owner.and_then(|owner| cycle.cluster.replica_sets.get(&format!("{}/{}", pod.namespace(), owner.name)));
    selectors.extend(set.and_then(|set| LabelSelector::from_value(set.at("spec.selector")).ok()));
    selectors
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    let constraints = own_constraints(cycle.pod, "DoNotSchedule");
    for constraint in &constraints {
        let Some(domain) = node.object().label(&constraint.key) else {
            let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
            return Verdict::Unresolvable(vec![reason.to_owned()]);
        };
        let counts = counts_by_domain(cycle, constraint, &constraints);
        let own = i64::from(constraint.selectors.iter().all(|selector| selector.matches_object(cycle.pod)));
        let enough_domains = constraint.min_domains.is_none_or(|min| counts.len() >= min);
        let fewest = if enough_domains { counts.values().copied().min().unwrap_or(0) } else { 0 };
        let here = counts.get(domain).copied().unwrap_or(0);
        if here + own - fewest > constraint.max_skew {
            return Verdict::Unschedulable(vec!["node(s) didn't match pod topology spread constraints".to_owned()]);
        }
    }
    Verdict::Pass
}

/// Matching pods by value of the topology key, over the nodes that the pod could run on at all.
fn counts_by_domain(cycle: &Cycle<'_>, constraint: &Constraint, all: &[Constraint]) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for node in cycle.cluster.nodes() {
        let labelled = all.iter().all(|c| node.object().label(&c.key).is_some());
        if !labelled || !pod_selects(cycle.pod, node.object()) {
            continue;
        }
        let domain = node.object().label(&constraint.key).unwrap_or("").to_owned();
        *counts.entry(domain).or_insert(0) += constraint.counts(node, cycle.pod.namespace());
    }
    counts
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of pods and nodes")]
fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let own = !cycle.pod.list("spec.topologySpreadConstraints").is_empty();
    let constraints = if own { own_constraints(cycle.pod, "ScheduleAnyway") } else { default_constraints(cycle) };
    if constraints.is_empty() {
        return None;
    }
    // With constraints of its own, a node without the labels is out of the comparison.
    let ignored = |node: &NodeInfo| own && constraints.iter().any(|c| node.object().label(&c.key).is_none());
    let mut sums = vec![0.0; nodes.len()];
    for constraint in &constraints {
        let domain = |node: &NodeInfo| node.object().label(&constraint.key).unwrap_or("").to_owned();
        let compared = || nodes.iter().filter(|node| !ignored(node));
        let mut counts: BTreeMap<String, i64> = compared().map(|node| (domain(node), 0)).collect();
        let domains = if constraint.key == HOSTNAME { compared().count() } else { counts.len() };
        if constraint.key != HOSTNAME {
            for node in cycle.cluster.nodes().filter(|node| pod_selects(cycle.pod, node.object())) {
                if let Some(count) = counts.get_mut(&domain(node)).filter(|_| !ignored(node)) {
                    *count += constraint.counts(node, cycle.pod.namespace());
                }
            }
        }
        let weight = ((domains + 2) as f64).ln();
        for (sum, node) in sums.iter_mut().zip(nodes) {
            if node.object().label(&constraint.key).is_some() {
                let count = if constraint.key == HOSTNAME {
                    constraint.counts(node, cycle.pod.namespace())
                } else {
                    counts.get(&domain(node)).copied().unwrap_or(0)
                };
                *sum += count as f64 * weight + (constraint.max_skew - 1) as f64;
            }
        }
    }
    let raw: Vec<Option<i64>> =
        sums.iter().zip(nodes).map(|(sum, node)| (!ignored(node)).then_some(sum.round() as i64)).collect();
    let max = raw.iter().flatten().copied().max().unwrap_or(0);
    let min = raw.iter().flatten().copied().min().unwrap_or(0);
    let normal = |score: &Option<i64>| match score {
        None => 0,
        Some(_) if max == 0 => SCORE_MAX,
        Some(score) => SCORE_MAX * (max + min - score) / max,
    };
    Some(raw.iter().map(normal).collect())
}
