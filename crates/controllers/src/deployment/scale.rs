//! Sizes of ReplicaSets (`scale`, `scaleReplicaSet`).

use api::{Object, kinds};

use super::annotations::{self, DESIRED_REPLICAS, MAX_REPLICAS};
use super::facts::{self, replicas};
use super::reconcile::{Sets, Sync};
use crate::change::{Conflict, Note, Op, Write};

/// Gives a ReplicaSet a size and the annotations that tell what it was sized for; tells whether the size changed.
pub(super) fn set_size(
    sync: &mut Sync<'_, '_>,
    set: &Object,
    size: i64,
    force: bool,
) -> Result<(bool, Object), Conflict> {
    let from = replicas(set);
    if !force && from == size {
        return Ok((false, set.clone()));
    }
    let desired = replicas(&sync.deployment);
    let mut resized = set.clone();
    let annotated = annotations::set_sizes(&mut resized, desired, desired + facts::max_surge(&sync.deployment));
    if from == size && !annotated {
        return Ok((false, set.clone()));
    }
    resized.set("spec.replicas", size);
    let mut write = Write::new(&kinds::REPLICA_SETS, Op::Update(resized));
    if from != size {
        let direction = if from < size { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {} from {from} to {size}", set.name());
        write = write.on_success(Note::normal("ScalingReplicaSet", message), &sync.deployment);
    }
    Ok((from != size, sync.plan.update(write)?))
}

/// Brings the sizes in line with `spec.replicas`: all of it to the one active ReplicaSet, or in proportion to several
/// in mid-rollout, so that a rollout that is stuck does not lose its balance (`scale`).
pub(super) fn proportionally(sync: &mut Sync<'_, '_>, sets: &Sets) -> Result<(), Conflict> {
    let wanted = replicas(&sync.deployment);
    if let Some(only) = active_or_latest(sets) {
        return set_size(sync, &only, wanted, false).map(|_| ());
    }
    if sets.new.as_ref().is_some_and(|new| is_saturated(&sync.deployment, new)) {
        for old in sets.old.iter().filter(|set| replicas(set) > 0) {
            set_size(sync, old, 0, false)?;
        }
        return Ok(());
    }
    if !facts::is_rolling_update(&sync.deployment) {
        return Ok(());
    }
    let mut active: Vec<&Object> = sets.all().filter(|set| replicas(set) > 0).collect();
    let allowed = if wanted > 0 { wanted + facts::max_surge(&sync.deployment) } else { 0 };
    let to_add = allowed - facts::sum_spec(active.iter().copied());
    active.sort_by(|a, b| {
        let by_age = if to_add > 0 { facts::by_creation(b, a) } else { facts::by_creation(a, b) };
        replicas(b).cmp(&replicas(a)).then(by_age)
    });
    let mut added = 0;
    let mut sizes: Vec<i64> = Vec::with_capacity(active.len());
    for set in &active {
        let share = proportion(&sync.deployment, set, to_add, added);
        added += share;
        sizes.push(replicas(set) + share);
    }
    if let Some(first) = sizes.first_mut().filter(|_| to_add != 0) {
        *first = (*first + to_add - added).max(0);
    }
    for (set, size) in active.into_iter().zip(sizes) {
        set_size(sync, set, size, true)?;
    }
    Ok(())
}

/// The only active ReplicaSet; if none is active, the new or the latest; nothing if several are (`FindActiveOrLatest`).
fn active_or_latest(sets: &Sets) -> Option<Object> {
    let mut active = sets.all().filter(|set| replicas(set) > 0);
    match (active.next(), active.next()) {
        (None, _) => sets.new.as_ref().or(sets.old.last()).cloned(),
        (only, None) => only.cloned(),
        _ => None,
    }
}

/// Whether the new ReplicaSet has all pods (`IsSaturated`).
fn is_saturated(deployment: &Object, new: &Object) -> bool {
    let wanted = replicas(deployment);
    annotations::size(new, DESIRED_REPLICAS) == Some(wanted)
        && replicas(new) == wanted
        && facts::available(new) == wanted
}

/// A ReplicaSet's share of what is to be added (or, negative, removed).
fn proportion(deployment: &Object, set: &Object, to_add: i64, added: i64) -> i64 {
    if replicas(set) == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let share = fraction(deployment, set);
    let rest = to_add - added;
    if to_add > 0 { share.min(rest) } else { share.max(rest) }
}

fn fraction(deployment: &Object, set: &Object) -> i64 {
    if replicas(deployment) == 0 {
        return -replicas(set);
    }
    let max_now = replicas(deployment) + facts::max_surge(deployment);
    let max_before = match annotations::size(set, MAX_REPLICAS) {
        Some(max) if max > 0 => max,
        _ => deployment.int("status.replicas").unwrap_or(0),
    };
    if max_before == 0 {
        return 0;
    }
    let size = (replicas(set) * max_now) as f64 / max_before as f64;
    (size + 0.5).floor() as i64 - replicas(set)
}
