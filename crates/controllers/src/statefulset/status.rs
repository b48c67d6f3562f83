//! `status` of a StatefulSet (`computeReplicaStatus`, `completeRollingUpdate`).

use api::Object;
use json::{Map, Value};

use super::pod;
use crate::pods;
use crate::view::View;

/// The numbers of a set while it is worked on.
pub(super) struct Counts {
    replicas: i64,
    ready: i64,
    available: i64,
    pub(super) current: i64,
    updated: i64,
}

/// Counts the pods.
pub(super) fn count(view: &View<'_>, set: &Object, all: &[&Object], current: &str, update: &str) -> Counts {
    let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
    let of =
        |keep: &dyn Fn(&Object) -> bool| i64::try_from(all.iter().filter(|pod| keep(pod)).count()).unwrap_or(i64::MAX);
    let is_ready = |pod: &Object| pod.str("status.phase") == "Running" && pods::is_ready(pod);
    Counts {
        replicas: of(&|_| true),
        ready: of(&is_ready),
        available: of(&|pod| is_ready(pod) && pods::is_available(pod, minimum, view.now)),
        current: of(&|pod| !pod.is_deleting() && pod::revision(pod) == current),
        updated: of(&|pod| !pod.is_deleting() && pod::revision(pod) == update),
    }
}

impl Counts {
    /// The status; an update that is complete makes its revision the current one.
    pub(super) fn status(mut self, set: &Object, current: &str, update: &str) -> Value {
        let mut current = current;
        let is_rolling = set.str("spec.updateStrategy.type") == "RollingUpdate";
        if is_rolling && self.updated == self.replicas && self.ready == self.replicas {
            self.current = self.updated;
            current = update;
        }
        let mut status = Map::new();
        for (field, count, always) in [
            ("availableReplicas", self.available, true),
            ("collisionCount", set.int("status.collisionCount").unwrap_or(0), true),
            ("currentReplicas", self.current, false),
            ("observedGeneration", set.generation(), true),
            ("readyReplicas", self.ready, false),
            ("replicas", self.replicas, true),
            ("updatedReplicas", self.updated, false),
        ] {
            if always || count != 0 {
                status.insert(field.into(), count.into());
            }
        }
        status.insert("currentRevision".into(), current.into());
        status.insert("updateRevision".into(), update.into());
        Value::Object(status)
    }
}
