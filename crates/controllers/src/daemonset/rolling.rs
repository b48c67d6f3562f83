//! Replaces old pods as fast as the update strategy allows (`rollingUpdate`).

use std::collections::{BTreeMap, BTreeSet};

use api::Object;
use json::Value;

use super::nodes::Place;
use crate::history::POD_HASH;
use crate::pods;
use crate::view::View;

/// What a step of an update does.
#[derive(Default)]
pub(super) struct Step<'a> {
    /// Old pods that go.
    pub(super) victims: Vec<&'a Object>,
    /// Nodes that get a new pod beside the old one.
    pub(super) surge: Vec<String>,
}

/// A number, or a percentage of the nodes, rounded up.
pub(super) fn scaled(value: &Value, of: usize) -> usize {
    match value {
        Value::String(text) => {
            let percent: usize = text.trim_end_matches('%').parse().unwrap_or(0);
            (of * percent).div_ceil(100)
        }
        other => other.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
    }
}

/// The new and the old pod on a node; none if there are several of a kind.
fn pair<'a>(all: &[&'a Object], hash: &str) -> Option<(Option<&'a Object>, Option<&'a Object>)> {
    let living = || all.iter().copied().filter(|pod| !pod.is_deleting());
    let of = |new: bool| living().filter(move |pod| (pod.label(POD_HASH) == Some(hash)) == new);
    (of(true).count() <= 1 && of(false).count() <= 1).then(|| (of(true).next(), of(false).next()))
}

/// The next step of an update.
pub(super) fn step<'a>(
    view: &View<'_>,
    set: &Object,
    places: &[Place<'_>],
    pods_of: &BTreeMap<String, Vec<&'a Object>>,
    hash: &str,
) -> Step<'a> {
    let wanted: BTreeSet<&str> = places.iter().filter(|place| place.fate.should_run).map(|place| place.name).collect();
    let desired = wanted.len();
    let limit = |field: &str| scaled(set.at(&format!("spec.updateStrategy.rollingUpdate.{field}")), desired);
    let surge_max = limit("maxSurge");
    let mut unavailable_max = limit("maxUnavailable");
    if surge_max == 0 && unavailable_max == 0 {
        unavailable_max = 1;
    }
    let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
    let is_available = |pod: &Object| pods::is_available(pod, minimum, view.now);
    if surge_max == 0 {
        return by_deletion(pods_of, hash, unavailable_max, is_available);
    }
    let mut step = Step::default();
    let (mut surging, mut candidates) = (0, Vec::new());
    for (node, pods) in pods_of {
        match pair(pods, hash) {
            None => surging += 1,
            Some((_, None)) => {}
            Some((None, Some(old))) => {
                let should_run = wanted.contains(node.as_str());
                match (is_available(old), should_run) {
                    (false, false) => step.victims.push(old),
                    (false, true) => step.surge.push(node.clone()),
                    (true, true) => candidates.push(node.clone()),
                    (true, false) => {}
                }
            }
            Some((Some(new), Some(_))) if !is_available(new) => surging += 1,
            Some((Some(_), Some(old))) => step.victims.push(old),
        }
    }
    step.surge.extend(candidates.into_iter().take(surge_max.saturating_sub(surging)));
    step
}

/// Without surge: old pods go first, and the next look makes the new ones.
fn by_deletion<'a>(
    pods_of: &BTreeMap<String, Vec<&'a Object>>,
    hash: &str,
    unavailable_max: usize,
    is_available: impl Fn(&Object) -> bool,
) -> Step<'a> {
    let mut step = Step::default();
    let (mut unavailable, mut candidates) = (0, Vec::new());
    for pods in pods_of.values() {
        match pair(pods, hash) {
            None | Some((None, None) | (Some(_), Some(_))) => unavailable += 1,
            Some((Some(new), None)) => unavailable += usize::from(!is_available(new)),
            Some((None, Some(old))) if !is_available(old) => {
                step.victims.push(old);
                unavailable += 1;
            }
            Some((None, Some(old))) => candidates.push(old),
        }
    }
    step.victims.extend(candidates.into_iter().take(unavailable_max.saturating_sub(unavailable)));
    step
}
