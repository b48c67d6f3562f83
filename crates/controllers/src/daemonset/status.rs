//! `status` of a DaemonSet (`updateDaemonSetStatus`).

use std::collections::BTreeMap;

use api::Object;
use json::{Map, Value};

use super::nodes::Place;
use crate::history::POD_HASH;
use crate::pods;
use crate::view::View;

/// The status that follows from the pods; fields that are 0 and may be left out are.
pub(super) fn calculate(
    view: &View<'_>,
    set: &Object,
    places: &[Place<'_>],
    pods_of: &BTreeMap<String, Vec<&Object>>,
    hash: &str,
) -> Value {
    let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
    let [mut desired, mut current, mut misplaced, mut ready, mut updated, mut available] = [0_i64; 6];
    for place in places {
        let pod = pods_of.get(place.name).and_then(|pods| pods.first());
        if !place.fate.should_run {
            misplaced += i64::from(pod.is_some());
            continue;
        }
        desired += 1;
        let Some(pod) = pod else { continue };
        current += 1;
        ready += i64::from(pods::is_ready(pod));
        available += i64::from(pods::is_available(pod, minimum, view.now));
        updated += i64::from(pod.label(POD_HASH) == Some(hash));
    }
    let mut status = set.at("status").as_object().cloned().unwrap_or_else(Map::new);
    for (field, count, always) in [
        ("currentNumberScheduled", current, true),
        ("desiredNumberScheduled", desired, true),
        ("numberMisscheduled", misplaced, true),
        ("numberReady", ready, true),
        ("updatedNumberScheduled", updated, false),
        ("numberAvailable", available, false),
        ("numberUnavailable", desired - available, false),
        ("observedGeneration", set.generation(), true),
    ] {
        if always || count != 0 {
            status.insert(field.into(), count.into());
        } else {
            status.remove(field);
        }
    }
    Value::Object(status)
}
