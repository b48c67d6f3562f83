//! Spreads the pods of a workload over nodes and zones (`plugins/podtopologyspread`): as the pod asks for, or else a
//! little over nodes and zones, by the selectors of its Services and its ReplicaSet.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Object;
use api::selector::LabelSelector;
use json::{Map, Value, json};

use crate::framework::{Change, ClusterEvent, Cycle, Plugin, SCORE_MAX, Score, Verdict};
use crate::node_info::NodeInfo;
use crate::tally::{Clause, Matcher, Tally};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "PodTopologySpread",
    pre_filter: None,
    filter: Some(filter),
    score: Some(Score { weight: 2, score }),
    wakes: &[
        ClusterEvent::NodeAdded,
        ClusterEvent::NodeRemoved,
        ClusterEvent::NodeLabels,
        ClusterEvent::NodeTaints,
        ClusterEvent::PodAssigned,
        ClusterEvent::PodRemoved,
        ClusterEvent::PodLabels,
    ],
    helps,
};

/// A pod that counts has come or gone, or the nodes that count are others.
fn helps(pod: &Object, change: &Change) -> bool {
    let constraints: Vec<&Value> = pod
        .list("spec.topologySpreadConstraints")
        .iter()
        .filter(|c| c["whenUnsatisfiable"] == "DoNotSchedule")
        .collect();
    let counts = |constraint: &Value, other: &Object| {
        let selector = LabelSelector::from_value(&constraint["labelSelector"]);
        let selector = selector.unwrap_or_else(|_| LabelSelector::nothing());
        [vec![selector], match_label_keys(pod, constraint)].concat().iter().all(|s| s.matches_object(other))
    };
    let key = |constraint: &&Value| constraint["topologyKey"].as_str().unwrap_or("").to_owned();
    let eligible = |node: &Object| constraints.iter().all(|c| node.label(&key(c)).is_some());
    match (change.event, &change.old, &change.new) {
        (ClusterEvent::PodLabels, Some(old), Some(new)) => {
            old.namespace() == pod.namespace() && constraints.iter().any(|c| counts(c, old) != counts(c, new))
        }
        (ClusterEvent::PodAssigned, _, Some(other)) | (ClusterEvent::PodRemoved, Some(other), _) => {
            other.namespace() == pod.namespace() && constraints.iter().any(|c| counts(c, other))
        }
        (ClusterEvent::NodeAdded, _, Some(node)) | (ClusterEvent::NodeRemoved, Some(node), _) => eligible(node),
        (_, Some(old), Some(new)) => {
            let moved = || constraints.iter().any(|c| old.label(&key(c)) != new.label(&key(c)));
            eligible(old) != eligible(new)
                || (eligible(new) && (moved() || old.at("spec.taints") != new.at("spec.taints")))
        }
        _ => true,
    }
}

/// Something that is asked for, and how many pods there are by node that it speaks of.
struct Constraint {
    key: String,
    max_skew: i64,
    min_domains: Option<usize>,
    tally: Rc<Tally>,
    /// Whether its selectors mean the pod itself.
    own: bool,
}

/// The selectors of a constraint, of pods in the pod's namespace that are not being deleted.
fn tally(cycle: &Cycle<'_>, selectors: Vec<LabelSelector>) -> Rc<Tally> {
    let namespaces = Some(vec![cycle.pod.namespace().to_owned()]);
    let clause = |selector| Clause { namespaces: namespaces.clone(), selector };
    cycle.cluster.tally(&Matcher { clauses: selectors.into_iter().map(clause).collect(), leaving: false })
}

/// The pod's own constraints of one kind.
fn own_constraints(cycle: &Cycle<'_>, when: &str) -> Vec<Constraint> {
    let of_kind = |c: &&Value| c["whenUnsatisfiable"] == when;
    let read = |c: &Value| {
        let selector = LabelSelector::from_value(&c["labelSelector"]).unwrap_or_else(|_| LabelSelector::nothing());
        let own = selector.matches_object(cycle.pod);
        let alike = match_label_keys(cycle.pod, c);
        // A selector without a requirement counts nobody, although it matches everybody (`countPodsMatchSelector`).
        let counted = match alike.is_empty() && selector.is_everything() {
            true => vec![LabelSelector::nothing()],
            false => [vec![selector], alike].concat(),
        };
        Constraint {
            key: c["topologyKey"].as_str().unwrap_or("").to_owned(),
            max_skew: c["maxSkew"].as_i64().unwrap_or(1),
            min_domains: c["minDomains"].as_u64().and_then(|n| usize::try_from(n).ok()),
            tally: tally(cycle, counted),
            own,
        }
    };
    cycle.pod.list("spec.topologySpreadConstraints").iter().filter(of_kind).map(read).collect()
}

/// The pods that have the same values of the labels that `matchLabelKeys` names.
fn match_label_keys(pod: &Object, constraint: &Value) -> Vec<LabelSelector> {
    let keys = constraint["matchLabelKeys"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let pairs = keys.filter_map(|key| Some((key.to_owned(), pod.label(key)?.to_owned())));
    let pairs: BTreeMap<String, String> = pairs.collect();
    if pairs.is_empty() { Vec::new() } else { vec![LabelSelector::from_map(&pairs)] }
}

/// The constraints that every workload has (`systemDefaultConstraints`); none for a pod that belongs to nothing.
fn default_constraints(cycle: &Cycle<'_>) -> Vec<Constraint> {
    let selectors = default_selector(cycle);
    if selectors.is_empty() {
        return Vec::new();
    }
    let tally = tally(cycle, selectors);
    let constraint = |(key, max_skew): (&str, i64)| Constraint {
        key: key.to_owned(),
        max_skew,
        min_domains: None,
        tally: Rc::clone(&tally),
        own: true,
    };
    [(HOSTNAME, 3), (ZONE, 5)].into_iter().map(constraint).collect()
}

fn default_selector(cycle: &Cycle<'_>) -> Vec<LabelSelector> {
    let pod = cycle.pod;
    let mut selectors = Vec::new();
    let home = format!("{}/", pod.namespace());
    let services = cycle.cluster.services.range(home.clone()..).take_while(|(key, _)| key.starts_with(&home));
    for (_, service) in services {
        let pairs = service.at("spec.selector").as_object();
        let selects = |map: &Map| {
            !map.is_empty() && map.iter().all(|(key, value)| pod.at("metadata.labels").get(key) == Some(value))
        };
        if let Some(map) = pairs.filter(|map| selects(map)) {
            selectors.extend(LabelSelector::from_value(&json!({ "matchLabels": map })));
        }
    }
    let owner = pod.controller_ref().filter(|owner| owner.kind == "ReplicaSet");
    let set = owner.and_then(|owner| cycle.cluster.replica_sets.get(&format!("{home}{}", owner.name)));
    selectors.extend(set.and_then(|set| LabelSelector::from_value(set.at("spec.selector")).ok()));
    selectors
}

/// What filtering needs of all nodes, counted once for a pod and not for every node (`PreFilter`).
pub(crate) struct Spread<'a> {
    kept: Vec<Kept<'a>>,
}

/// A constraint that has to be kept.
struct Kept<'a> {
    constraint: Constraint,
    /// Pods by value of the topology key.
    counts: BTreeMap<&'a str, i64>,
    /// The least of them; 0 where there are too few domains.
    fewest: i64,
}

impl<'a> Spread<'a> {
    fn count(cycle: &Cycle<'a>) -> Spread<'a> {
        let constraints = own_constraints(cycle, "DoNotSchedule");
        if constraints.is_empty() {
            return Spread { kept: Vec::new() };
        }
        let is_counted = |node: &&NodeInfo| {
            constraints.iter().all(|constraint| node.label(&constraint.key).is_some()) && cycle.selects(node)
        };
        // The nodes that the pod could run on at all.
        let nodes: Vec<&'a NodeInfo> = cycle.nodes().filter(is_counted).collect();
        let keep = |constraint: Constraint| {
            let mut counts = BTreeMap::new();
            for node in &nodes {
                let domain = node.label(&constraint.key).unwrap_or("");
                *counts.entry(domain).or_insert(0) += cycle.count(&constraint.tally, node);
            }
            let enough_domains = constraint.min_domains.is_none_or(|min| counts.len() >= min);
            let fewest = if enough_domains { counts.values().copied().min().unwrap_or(0) } else { 0 };
            Kept { constraint, counts, fewest }
        };
        Spread { kept: constraints.into_iter().map(keep).collect() }
    }
}

fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Verdict {
    for kept in &cycle.spread.get_or_init(|| Spread::count(cycle)).kept {
        let Some(domain) = node.label(&kept.constraint.key) else {
            let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
            return Verdict::Unresolvable(vec![reason.to_owned()]);
        };
        let here = kept.counts.get(domain).copied().unwrap_or(0);
        if here + i64::from(kept.constraint.own) - kept.fewest > kept.constraint.max_skew {
            return Verdict::Unschedulable(vec!["node(s) didn't match pod topology spread constraints".to_owned()]);
        }
    }
    Verdict::Pass
}

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let own = !cycle.pod.list("spec.topologySpreadConstraints").is_empty();
    let constraints = if own { own_constraints(cycle, "ScheduleAnyway") } else { default_constraints(cycle) };
    if constraints.is_empty() {
        return None;
    }
    // With constraints of its own, a node without the labels is out of the comparison.
    let is_compared = |node: &NodeInfo| !own || constraints.iter().all(|c| node.label(&c.key).is_some());
    let mut sums = vec![0.0; nodes.len()];
    for constraint in &constraints {
        add(cycle, constraint, nodes, &is_compared, &mut sums);
    }
    let compared: Vec<bool> = nodes.iter().map(|node| is_compared(node)).collect();
    Some(normalized(&sums, &compared))
}

/// Adds what one constraint says of the nodes; the fewer pods, the less.
#[expect(clippy::cast_precision_loss, reason = "counts of pods and nodes")]
fn add(
    cycle: &Cycle<'_>,
    constraint: &Constraint,
    nodes: &[&NodeInfo],
    is_compared: &dyn Fn(&NodeInfo) -> bool,
    sums: &mut [f64],
) {
    let by_host = constraint.key == HOSTNAME;
    let compared = || nodes.iter().filter(|node| is_compared(node));
    if !nodes.iter().any(|node| node.label(&constraint.key).is_some()) {
        return;
    }
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    if !by_host {
        counts.extend(compared().map(|node| (node.label(&constraint.key).unwrap_or(""), 0)));
        for node in cycle.nodes().filter(|node| is_compared(node) && cycle.selects(node)) {
            if let Some(count) = counts.get_mut(node.label(&constraint.key).unwrap_or("")) {
                *count += cycle.count(&constraint.tally, node);
            }
        }
    }
    let domains = if by_host { compared().count() } else { counts.len() };
    let weight = ((domains + 2) as f64).ln();
    for (sum, node) in sums.iter_mut().zip(nodes) {
        let Some(domain) = node.label(&constraint.key) else { continue };
        let count =
            if by_host { cycle.count(&constraint.tally, node) } else { counts.get(domain).copied().unwrap_or(0) };
        *sum += count as f64 * weight + (constraint.max_skew - 1) as f64;
    }
}

/// Scores from sums: the least is the best, and what is not compared gets nothing.
#[expect(clippy::cast_possible_truncation, reason = "sums of counts of pods")]
fn normalized(sums: &[f64], compared: &[bool]) -> Vec<i64> {
    let raw: Vec<Option<i64>> =
        sums.iter().zip(compared).map(|(sum, compared)| compared.then_some(sum.round() as i64)).collect();
    let max = raw.iter().flatten().copied().max().unwrap_or(0);
    let min = raw.iter().flatten().copied().min().unwrap_or(0);
    let normal = |score: &Option<i64>| match score {
        None => 0,
        Some(_) if max == 0 => SCORE_MAX,
        Some(score) => SCORE_MAX * (max + min - score) / max,
    };
    raw.iter().map(normal).collect()
}
