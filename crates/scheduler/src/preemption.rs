//! Which pods have to go so that a more important one finds room (`framework/preemption/preemption.go`,
//! `plugins/defaultpreemption`). Pure: it only says so, [`crate::executor`] does it.

use std::cmp::Reverse;
use std::rc::Rc;

use api::Object;
use api::selector::LabelSelector;
use simulation::Time;

use crate::cluster::Cluster;
use crate::filter::{Refusal, filter_as};
use crate::framework::{Verdict, histogram};
use crate::node_info::NodeInfo;
use crate::pod_info::{PodInfo, priority};

/// Candidates below which all nodes are tried (`minCandidateNodesAbsolute`).
const CANDIDATES_ALWAYS_FOUND: usize = 100;
/// Of more nodes, this part has to give a candidate (`minCandidateNodesPercentage`).
const CANDIDATES_PERCENTAGE: usize = 10;
/// Added to every priority before a sum is taken, so that a further victim never makes a sum smaller.
const PRIORITY_OFFSET: i64 = 1 << 31;

/// What becomes of a pod's nomination to a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Nomination {
    /// It stays as it was.
    Unchanged,
    /// There is none any more.
    Withdrawn,
    /// The node will have room when the victims are gone.
    Given { node: String, victims: Vec<Object> },
}

/// What was found for a pod that fits nowhere.
pub(crate) struct Preemption {
    /// Why nobody gives way; empty if somebody does.
    pub(crate) message: String,
    pub(crate) nomination: Nomination,
    /// The nodes where it would help.
    pub(crate) candidates: Vec<Candidate>,
}

/// A node, and who would have to leave it.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) node: String,
    /// The most important first.
    pub(crate) victims: Vec<Object>,
    /// Victims that a PodDisruptionBudget speaks for.
    pub(crate) violations: usize,
}

impl Candidate {
    /// What decides between candidates, the first criterion first (`pickOneNodeForPreemption`).
    fn cost(&self) -> (usize, i64, i64, usize, Reverse<Time>) {
        let highest = self.victims.iter().map(priority).max().unwrap_or(0);
        let sum = self.victims.iter().map(|victim| priority(victim) + PRIORITY_OFFSET).sum();
        let most_important = self.victims.iter().filter(|victim| priority(victim) == highest);
        let earliest = most_important.map(started).min().unwrap_or_default();
        (self.violations, highest, sum, self.victims.len(), Reverse(earliest))
    }
}

/// Looks for a node where the pod would fit if less important pods were not there. `refusals` are what the filters
/// said, `count` is the number of all nodes.
pub(crate) fn preempt(cluster: &Cluster, pod: &PodInfo, count: usize, refusals: &[Refusal<'_>]) -> Preemption {
    if let Some(message) = not_eligible(cluster, pod, refusals) {
        let message = message.to_owned();
        return Preemption { message, nomination: Nomination::Unchanged, candidates: Vec::new() };
    }
    let helpless = refusals.iter().filter(|refusal| !matches!(refusal.verdict, Verdict::Unschedulable(_))).count();
    let mut reasons = vec!["Preemption is not helpful for scheduling".to_owned(); helpless];
    let candidates = find(cluster, pod, refusals, &mut reasons);
    match candidates.iter().min_by_key(|candidate| candidate.cost()) {
        Some(best) => {
            let nomination = Nomination::Given { node: best.node.clone(), victims: best.victims.clone() };
            Preemption { message: String::new(), nomination, candidates }
        }
        None => {
            let message = format!("0/{count} nodes are available: {}.", histogram(reasons.iter()));
            Preemption { message, nomination: Nomination::Withdrawn, candidates }
        }
    }
}

/// Why the pod may not look for victims (`PodEligibleToPreemptOthers`).
fn not_eligible(cluster: &Cluster, pod: &PodInfo, refusals: &[Refusal<'_>]) -> Option<&'static str> {
    if pod.object.str("spec.preemptionPolicy") == "Never" {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let node = cluster.node(pod.object.str("status.nominatedNodeName"))?;
    let is_never = |refusal: &Refusal<'_>| {
        refusal.node.name() == node.name() && matches!(refusal.verdict, Verdict::Unresolvable(_))
    };
    let leaves = |other: &Rc<PodInfo>| other.priority < pod.priority && is_leaving(&other.object);
    (!refusals.iter().any(is_never) && node.pods().any(leaves))
        .then_some("not eligible due to a terminating pod on the nominated node.")
}

/// Whether a pod ends because it was somebody's victim.
fn is_leaving(pod: &Object) -> bool {
    let why = pod.list("status.conditions").iter().find(|condition| condition["type"] == "DisruptionTarget");
    pod.is_deleting() && why.is_some_and(|c| c["status"] == "True" && c["reason"] == "PreemptionByScheduler")
}

/// Tries the nodes where it could help. `reasons` takes in why it does not.
fn find(cluster: &Cluster, pod: &PodInfo, refusals: &[Refusal<'_>], reasons: &mut Vec<String>) -> Vec<Candidate> {
    let potential: Vec<&Refusal<'_>> =
        refusals.iter().filter(|refusal| matches!(refusal.verdict, Verdict::Unschedulable(_))).collect();
    let enough = (potential.len() * CANDIDATES_PERCENTAGE / 100).max(CANDIDATES_ALWAYS_FOUND);
    let mut candidates: Vec<Candidate> = Vec::new();
    for refusal in potential {
        if candidates.len() >= enough && candidates.iter().any(|candidate| candidate.violations == 0) {
            break;
        }
        let less_important = refusal.node.pods().filter(|other| other.priority < pod.priority);
        let mut possible: Vec<Rc<PodInfo>> = less_important.cloned().collect();
        if possible.is_empty() {
            reasons.push("No preemption victims found for incoming pod".to_owned());
            continue;
        }
        possible.sort_by_key(|other| importance(&other.object));
        match without(cluster, pod, refusal.node, &possible) {
            Ok(candidate) => candidates.push(candidate),
            Err(why) => reasons.extend(why),
        }
    }
    candidates
}

/// Whether the pod fits without these others, and who of them need not go after all (`SelectVictimsOnNode`).
fn without(
    cluster: &Cluster,
    pod: &PodInfo,
    node: &NodeInfo,
    possible: &[Rc<PodInfo>],
) -> Result<Candidate, Vec<String>> {
    let mut emptier = node.clone();
    for other in possible {
        emptier.remove(&other.object.key());
    }
    match filter_as(cluster, pod, &emptier) {
        Some(refused) => Err(refused.verdict.reasons().to_vec()),
        None => reprieve(cluster, pod, emptier, possible),
    }
}

/// Puts back whoever has room beside the pod: first those whose going would break a budget, then the rest, and of both
/// the important ones first.
fn reprieve(
    cluster: &Cluster,
    pod: &PodInfo,
    mut node: NodeInfo,
    possible: &[Rc<PodInfo>],
) -> Result<Candidate, Vec<String>> {
    let (spoken_for, others) = by_budget(cluster, possible);
    let mut candidate = Candidate { node: node.name().to_owned(), victims: Vec::new(), violations: 0 };
    let all = spoken_for.into_iter().map(|other| (other, 1)).chain(others.into_iter().map(|other| (other, 0)));
    for (other, violation) in all {
        node.put(Rc::clone(other));
        if filter_as(cluster, pod, &node).is_some() {
            node.remove(&other.object.key());
            candidate.violations += violation;
            candidate.victims.push(other.object.clone());
        }
    }
    if candidate.victims.is_empty() {
        return Err(vec![format!("expected at least one victim pod on node {:?}", node.name())]);
    }
    candidate.victims.sort_by_key(importance);
    Ok(candidate)
}

/// Parts the pods whose going would break a PodDisruptionBudget from the others; the order stays
/// (`filterPodsWithPDBViolation`).
fn by_budget<'a>(cluster: &Cluster, pods: &'a [Rc<PodInfo>]) -> (Vec<&'a Rc<PodInfo>>, Vec<&'a Rc<PodInfo>>) {
    let read = |budget: &Object| {
        let selector = LabelSelector::from_value(budget.at("spec.selector")).ok()?;
        (!selector.is_everything()).then(|| (budget.clone(), selector))
    };
    let budgets: Vec<(Object, LabelSelector)> = cluster.budgets.values().filter_map(read).collect();
    let mut allowed: Vec<i64> =
        budgets.iter().map(|(budget, _)| budget.int("status.disruptionsAllowed").unwrap_or(0)).collect();
    pods.iter().partition(|info| {
        let pod = &info.object;
        let mut is_broken = false;
        for ((budget, selector), allowed) in budgets.iter().zip(&mut allowed) {
            let concerned = budget.namespace() == pod.namespace()
                && !pod.labels().is_empty()
                && selector.matches_object(pod)
                && budget.at("status.disruptedPods").get(pod.name()).is_none();
            if concerned {
                *allowed -= 1;
                is_broken |= *allowed < 0;
            }
        }
        is_broken
    })
}

/// Sorts the most important pod first: by priority, then by how long it has run (`util.MoreImportantPod`).
fn importance(pod: &Object) -> (Reverse<i64>, Time) {
    (Reverse(priority(pod)), started(pod))
}

/// When the pod's node took it up; a pod that has not come so far is younger than all others.
fn started(pod: &Object) -> Time {
    Time::parse_rfc3339(pod.str("status.startTime")).unwrap_or(Time::from_nanos(i64::MAX))
}

#[cfg(test)]
#[path = "preemption_tests.rs"]
mod tests;
