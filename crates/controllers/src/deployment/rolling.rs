//! Rolling updates (`rolling.go`).

use api::Object;

use super::facts::{self, available, replicas};
use super::reconcile::{Sets, Sync};
use super::{progress, revision, scale};
use crate::change::Conflict;

/// One step: grow the new ReplicaSet, or else shrink the old ones, or else tidy up.
pub(super) fn roll_out(sync: &mut Sync<'_, '_>) -> Result<(), Conflict> {
    let sets = revision::sets(sync, true)?;
    let Some(new) = sets.new.clone() else { return Ok(()) };
    if grow_new(sync, &sets, &new)? {
        return progress::sync_rollout_status(sync, &sets);
    }
    if shrink_old(sync, &sets, &new)? {
        return progress::sync_rollout_status(sync, &sets);
    }
    sync.finish(&sets)
}

fn grow_new(sync: &mut Sync<'_, '_>, sets: &Sets, new: &Object) -> Result<bool, Conflict> {
    let wanted = replicas(&sync.deployment);
    let size = if replicas(new) > wanted {
        wanted
    } else {
        facts::new_set_replicas(&sync.deployment, sets.all(), replicas(new))
    };
    Ok(scale::set_size(sync, new, size, false)?.0)
}

/// Takes away as many old pods as availability allows: first those that are not healthy anyway. `sets` stays as it was
/// read: the status that follows is told from it, as upstream does.
fn shrink_old(sync: &mut Sync<'_, '_>, sets: &Sets, new: &Object) -> Result<bool, Conflict> {
    let mut old: Vec<Object> = sets.old.iter().filter(|set| replicas(set) > 0).cloned().collect();
    old.sort_by(facts::by_creation);
    if old.is_empty() {
        return Ok(false);
    }
    let min_available = replicas(&sync.deployment) - facts::max_unavailable(&sync.deployment);
    let new_unavailable = replicas(new) - available(new);
    let budget = facts::sum_spec(sets.all()) - min_available - new_unavailable;
    if budget <= 0 {
        return Ok(false);
    }
    let mut cleaned = 0;
    for set in &mut old {
        let unhealthy = replicas(set) - available(set);
        let count = unhealthy.min(budget - cleaned);
        if count > 0 {
            *set = scale::set_size(sync, set, replicas(set) - count, false)?.1;
            cleaned += count;
        }
    }
    let healthy = facts::sum_status(old.iter().chain([new]), "availableReplicas");
    let mut rest = healthy - min_available;
    let mut removed = 0;
    for set in old.iter().filter(|set| replicas(set) > 0) {
        let count = replicas(set).min(rest);
        if count > 0 {
            scale::set_size(sync, set, replicas(set) - count, false)?;
            rest -= count;
            removed += count;
        }
    }
    Ok(cleaned + removed > 0)
}
