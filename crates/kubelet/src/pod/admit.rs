//! Whether the node takes a pod (`pkg/kubelet/lifecycle/predicate.go`).

use api::Object;
use api::quantity::Quantity;

use super::Worker;
use crate::{spec, status};

/// What pods ask of a node: milli-CPUs, bytes of memory, and their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) cpu_milli: i64,
    pub(crate) memory_bytes: i64,
    pub(crate) pods: i64,
}

impl Budget {
    /// Of one pod: the sum over its containers, or the largest init container if that is more.
    pub(crate) fn of(pod: &Object) -> Budget {
        let amount = |container: &json::Value, name: &str, milli: bool| {
            let value = &spec::api_at(container, "resources.requests")[name];
            let quantity = Quantity::from_value(value).ok().filter(|_| !value.is_null());
            quantity.map_or(0, |q| if milli { q.milli_value() } else { q.value() })
        };
        let total = |name: &str, milli: bool| {
            let sidecars = spec::init_containers(pod).iter().filter(|c| spec::is_sidecar(c));
            let sum: i64 = spec::containers(pod).iter().chain(sidecars).map(|c| amount(c, name, milli)).sum();
            let init = spec::init_containers(pod).iter().map(|c| amount(c, name, milli)).max();
            sum.max(init.unwrap_or(0))
        };
        Budget { cpu_milli: total("cpu", true), memory_bytes: total("memory", false), pods: 1 }
    }

    fn add(self, other: Budget) -> Budget {
        Budget {
            cpu_milli: self.cpu_milli + other.cpu_milli,
            memory_bytes: self.memory_bytes + other.memory_bytes,
            pods: self.pods + other.pods,
        }
    }
}

impl Worker {
    /// Why the node refuses the pod: reason and message.
    pub(super) fn refusal(&self) -> Option<(String, String)> {
        let (reason, message) = self.shortage(self.budget.get())?;
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
        let made = status::rejected(&self.pod(), reason, message, self.shared.sim.now());
        self.write_status(made).await;
    }
}
