//! Recreate: all old pods go before the first new one comes (`recreate.go`).

use api::kinds;

use super::facts::{self, replicas};
use super::reconcile::{Sets, Sync};
use super::{progress, revision, scale};
use crate::change::Conflict;
use crate::pods;

pub(super) fn roll_out(sync: &mut Sync<'_, '_>) -> Result<(), Conflict> {
    let mut sets = revision::sets(sync, false)?;
    let mut scaled_down = false;
    for old in sets.old.iter().filter(|set| replicas(set) > 0) {
        scaled_down |= scale::set_size(sync, old, 0, false)?.0;
    }
    if scaled_down || old_pods_running(sync, &sets) {
        return progress::sync_rollout_status(sync, &sets);
    }
    if sets.new.is_none() {
        sets = revision::sets(sync, true)?;
    }
    if let Some(new) = &sets.new {
        let wanted = replicas(&sync.deployment);
        scale::set_size(sync, new, wanted, false)?;
    }
    sync.finish(&sets)
}

/// Whether a pod of an old ReplicaSet has not ended yet; one that is being deleted still counts.
fn old_pods_running(sync: &Sync<'_, '_>, sets: &Sets) -> bool {
    if facts::sum_status(&sets.old, "replicas") > 0 {
        return true;
    }
    let pods_of = |set| {
        let set: &api::Object = set;
        sync.view.of(&kinds::PODS).controlled_by(set.namespace(), set.uid())
    };
    sets.old.iter().flat_map(pods_of).any(|pod| !pods::is_terminal(pod))
}
