//! Whether the node takes a pod (`pkg/kubelet/lifecycle/predicate.go`).

use api::Object;
use api::pod_resources::{Counted, requests};
use api::quantity::Quantity;

use super::{EVICTED, Worker};
use crate::static_pods::is_static;
use crate::status;

/// What pods ask of a node: milli-CPUs, bytes of memory, and their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) cpu_milli: i64,
    pub(crate) memory_bytes: i64,
    pub(crate) pods: i64,
}

impl Budget {
    /// Of one pod, by what its spec says.
    pub(crate) fn of(pod: &Object) -> Budget {
        let requests = requests(pod.value(), Counted::default());
        let amount = |name: &str| requests.get(name).copied().unwrap_or(Quantity::ZERO);
        Budget { cpu_milli: amount("cpu").milli_value(), memory_bytes: amount("memory").value(), pods: 1 }
    }

    /// Whether this is more than another of what can be resized.
    pub(crate) fn exceeds(self, other: Budget) -> bool {
        self.cpu_milli > other.cpu_milli || self.memory_bytes > other.memory_bytes
    }

    fn add(self, other: Budget) -> Budget {
        Budget {
            cpu_milli: self.cpu_milli + other.cpu_milli,
            memory_bytes: self.memory_bytes + other.memory_bytes,
            pods: self.pods + other.pods,
        }
    }
}

/// Priorities from here on are those of system pods (`SystemCriticalPriority`).
const CRITICAL_PRIORITY_MIN: i64 = 2_000_000_000;

/// Whether the node needs the pod more than room (`IsCriticalPod`): a static one, or one of a system's priority.
pub(crate) fn is_critical(pod: &Object) -> bool {
    is_static(pod) || pod.int("spec.priority").is_some_and(|priority| priority >= CRITICAL_PRIORITY_MIN)
}

impl Worker {
    /// Why the node refuses the pod: reason and message.
    pub(super) fn refusal(&self) -> Option<(String, String)> {
        let pressed = self.shared.pressure.refusal(&self.pod.borrow()).map(|message| (EVICTED.to_owned(), message));
        let (reason, message) = pressed.or_else(|| self.shortage(self.budget.get()))?;
        Some((reason, format!("Pod was rejected: {message}")))
    }

    /// What the node has too little of for a pod that asks for so much: reason and message.
    pub(super) fn shortage(&self, wanted: Budget) -> Option<(String, String)> {
        let others = (self.shared.admitted)(&self.uid);
        let used = others.into_iter().fold(Budget::default(), Budget::add);
        let capacity = self.shared.config.budget();
        let short = |name: &str, requested: i64, used: i64, capacity: i64| {
            (requested > 0 && used + requested > capacity).then(|| {
                let message = format!(
                    "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
                );
                (format!("OutOf{name}"), message)
            })
        };
        short("pods", 1, used.pods, capacity.pods)
            .or_else(|| short("cpu", wanted.cpu_milli, used.cpu_milli, capacity.cpu_milli))
            .or_else(|| short("memory", wanted.memory_bytes, used.memory_bytes, capacity.memory_bytes))
    }

    /// Fails the pod without starting anything.
    pub(super) async fn reject(&self, reason: &str, message: &str) {
        self.pod_event("Warning", reason, message.trim_start_matches("Pod was rejected: "));
        self.terminal.set(true);
        // It was counted until now.
        (self.shared.retry_resizes)();
        let made = status::rejected(&self.pod(), reason, message, self.shared.sim.now());
        self.write_status(made).await;
    }
}
