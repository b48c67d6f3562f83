//! Amounts of CPU, memory and the rest that pods ask for and nodes have (`framework.Resource`).

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

use api::Object;
use api::quantity::Quantity;
use json::Value;

/// CPU that a container without a request is taken to need when nodes are scored.
const DEFAULT_CPU_MILLI: i64 = 100;
/// Memory that a container without a request is taken to need when nodes are scored.
const DEFAULT_MEMORY_BYTES: i64 = 200 * 1024 * 1024;

/// Amounts by resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) cpu_milli: i64,
    pub(crate) memory_bytes: i64,
    pub(crate) ephemeral_bytes: i64,
    /// Extended resources and huge pages.
    pub(crate) others: BTreeMap<String, i64>,
}

impl Resources {
    /// Reads a resource list such as `status.allocatable`.
    pub(crate) fn from_list(list: &Value) -> Resources {
        let mut sum = Resources::default();
        for (name, value) in list.as_object().into_iter().flatten() {
            let Ok(quantity) = Quantity::from_value(value) else { continue };
            match name.as_str() {
                "cpu" => sum.cpu_milli = quantity.milli_value(),
                "memory" => sum.memory_bytes = quantity.value(),
                "ephemeral-storage" => sum.ephemeral_bytes = quantity.value(),
                "pods" => {}
                other => {
                    sum.others.insert(other.to_owned(), quantity.value());
                }
            }
        }
        sum
    }

    /// Whether nothing at all is asked for.
    pub(crate) fn is_zero(&self) -> bool {
        self.cpu_milli == 0 && self.memory_bytes == 0 && self.ephemeral_bytes == 0 && self.others.is_empty()
    }

    /// Whether something of what is wanted is more than it is in `other`.
    pub(crate) fn has_more_of(&self, wanted: &Resources, other: &Resources) -> bool {
        let extended = |all: &Resources, name: &str| all.others.get(name).copied().unwrap_or(0);
        (wanted.cpu_milli > 0 && self.cpu_milli > other.cpu_milli)
            || (wanted.memory_bytes > 0 && self.memory_bytes > other.memory_bytes)
            || (wanted.ephemeral_bytes > 0 && self.ephemeral_bytes > other.ephemeral_bytes)
            || wanted.others.iter().any(|(name, count)| *count > 0 && extended(self, name) > extended(other, name))
    }

    /// Whether all that is wanted is not more than this.
    pub(crate) fn holds(&self, wanted: &Resources) -> bool {
        wanted.cpu_milli <= self.cpu_milli
            && wanted.memory_bytes <= self.memory_bytes
            && wanted.ephemeral_bytes <= self.ephemeral_bytes
            && wanted.others.iter().all(|(name, count)| *count <= self.others.get(name).copied().unwrap_or(0))
    }

    fn at_least(&mut self, other: &Resources) {
        self.cpu_milli = self.cpu_milli.max(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.ephemeral_bytes = self.ephemeral_bytes.max(other.ephemeral_bytes);
        for (name, amount) in &other.others {
            let mine = self.others.entry(name.clone()).or_insert(0);
            *mine = (*mine).max(*amount);
        }
    }
}

impl AddAssign<&Resources> for Resources {
    fn add_assign(&mut self, other: &Resources) {
        self.cpu_milli += other.cpu_milli;
        self.memory_bytes += other.memory_bytes;
        self.ephemeral_bytes += other.ephemeral_bytes;
        for (name, amount) in &other.others {
            *self.others.entry(name.clone()).or_insert(0) += amount;
        }
    }
}

impl SubAssign<&Resources> for Resources {
    fn sub_assign(&mut self, other: &Resources) {
        self.cpu_milli -= other.cpu_milli;
        self.memory_bytes -= other.memory_bytes;
        self.ephemeral_bytes -= other.ephemeral_bytes;
        for (name, amount) in &other.others {
            *self.others.entry(name.clone()).or_insert(0) -= amount;
        }
    }
}

/// What a pod asks for (`resourcehelper.PodRequests`): its containers together with its sidecars, or what one of its
/// init containers needs while it runs, whichever is more; and the overhead. Of a container that is being resized, the most
/// of what it asks for, was granted and has. `assumed` counts containers without a
/// request as needing a little.
pub(crate) fn pod_requests(pod: &Object, assumed: bool) -> Resources {
    let mut sum = Resources::default();
    let infeasible = pod.list("status.conditions").iter().find(|c| c["type"] == "PodResizePending");
    let infeasible = infeasible.is_some_and(|condition| condition["reason"] == "Infeasible");
    let told = |field: &str, container: &Value| status_of(pod, field, container).map(|status| (status, infeasible));
    for container in pod.list("spec.containers") {
        sum += &container_requests(container, told("status.containerStatuses", container), assumed);
    }
    let mut sidecars = Resources::default();
    let mut at_start = Resources::default();
    for container in pod.list("spec.initContainers") {
        let is_sidecar = container["restartPolicy"] == "Always";
        let told = told("status.initContainerStatuses", container).filter(|_| is_sidecar);
        let mut own = container_requests(container, told, assumed);
        if is_sidecar {
            sum += &own;
            sidecars += &own;
            at_start.at_least(&sidecars);
        } else {
            own += &sidecars;
            at_start.at_least(&own);
        }
    }
    sum.at_least(&at_start);
    sum += &Resources::from_list(pod.at("spec.overhead"));
    sum
}

/// Whether two states of a pod are the same at first sight in everything that [`pod_requests`] reads: most of what kubelets
/// write is about other things, and then nothing has to be added up.
pub(crate) fn reads_same(a: &Object, b: &Object) -> bool {
    const READ: [&str; 4] = ["spec", "status.containerStatuses", "status.initContainerStatuses", "status.conditions"];
    READ.iter().all(|path| a.at(path) == b.at(path))
}

/// What the kubelet has told of a container, if it has told of its resources.
fn status_of<'a>(pod: &'a Object, field: &str, container: &Value) -> Option<&'a Value> {
    let status = pod.list(field).iter().find(|status| status["name"] == container["name"])?;
    (!status["resources"].is_null()).then_some(status)
}

/// `told` is the container's status, and whether what its spec asks for can never be had.
fn container_requests(container: &Value, told: Option<(&Value, bool)>, assumed: bool) -> Resources {
    let requests = &container["resources"]["requests"];
    let mut amounts = Resources::from_list(requests);
    if let Some((status, infeasible)) = told {
        if infeasible {
            amounts = Resources::default();
        }
        amounts.at_least(&Resources::from_list(&status["resources"]["requests"]));
        amounts.at_least(&Resources::from_list(&status["allocatedResources"]));
    }
    if assumed && requests.get("cpu").is_none() {
        amounts.cpu_milli = DEFAULT_CPU_MILLI;
    }
    if assumed && requests.get("memory").is_none() {
        amounts.memory_bytes = DEFAULT_MEMORY_BYTES;
    }
    amounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn of_a_resize_the_most_counts() {
        let container = |cpu: &str| json!({"name": "c", "resources": {"requests": {"cpu": cpu}}});
        let mut pod =
            Object::new(json!({"spec": {"containers": [container("100m")]}, "status": {"containerStatuses": [
            {"name": "c", "allocatedResources": {"cpu": "200m"}, "resources": {"requests": {"cpu": "300m"}}}]}}));
        assert_eq!(pod_requests(&pod, false).cpu_milli, 300, "it has not given it back");
        pod.set("spec.containers", json!([container("1")]));
        assert_eq!(pod_requests(&pod, false).cpu_milli, 1_000, "it is to have it");
        pod.set("status.conditions", json!([{"type": "PodResizePending", "reason": "Infeasible"}]));
        assert_eq!(pod_requests(&pod, false).cpu_milli, 300, "it never will");
    }

    #[test]
    fn what_is_added_up_is_compared() {
        let mut before = Object::new(json!({"spec": {
            "initContainers": [{"name": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}],
            "containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]}}));
        before.set("status.phase", "Pending");
        let held = |cpu: &str| json!([{"name": "i", "allocatedResources": {"cpu": cpu}, "resources": {"requests": {"cpu": cpu}}}]);
        let mut after = before.clone();
        after.set("status.phase", "Running");
        assert!(reads_same(&before, &after));
        after.set("status.initContainerStatuses", held("2"));
        assert!(!reads_same(&before, &after));
        assert_eq!((pod_requests(&before, false).cpu_milli, pod_requests(&after, false).cpu_milli), (1_100, 2_100));
        after.set("status.initContainerStatuses", held("100m"));
        let mut infeasible = after.clone();
        infeasible.set("status.conditions", json!([{"type": "PodResizePending", "reason": "Infeasible"}]));
        assert!(!reads_same(&after, &infeasible));
        assert_eq!((pod_requests(&after, false).cpu_milli, pod_requests(&infeasible, false).cpu_milli), (1_100, 200));
    }

    #[test]
    fn quotas_add_up_by_the_same_rule() {
        use api::pod_resources::{Counted, requests};
        let asks =
            |name: &str, cpu: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}});
        let told = |name: &str, granted: &str, has: &str| json!({"name": name, "allocatedResources": {"cpu": granted}, "resources": {"requests": {"cpu": has}}});
        let mut sidecar = asks("s", "300m");
        sidecar["restartPolicy"] = "Always".into();
        let mut pod = Object::new(json!({"spec": {"overhead": {"cpu": "10m"},
            "initContainers": [asks("i", "3"), sidecar, asks("j", "2800m")], "containers": [asks("a", "1"), asks("b", "1")]}}));
        let agree = |pod: &Object, cpu_milli: i64| {
            let all = requests(pod.value(), Counted { with_status: true, ..Counted::default() });
            let own = pod_requests(pod, false);
            assert_eq!((own.cpu_milli, own.memory_bytes), (all["cpu"].milli_value(), all["memory"].value()));
            assert_eq!(own.cpu_milli, cpu_milli);
        };
        agree(&pod, 3_110);
        pod.set("status.containerStatuses", json!([told("a", "2", "1"), {"name": "b"}]));
        pod.set("status.initContainerStatuses", json!([told("s", "1", "1500m"), told("j", "9", "9")]));
        agree(&pod, 4_510);
        pod.set("status.conditions", json!([{"type": "PodResizePending", "reason": "Infeasible"}]));
        pod.set("spec.containers", json!([asks("a", "7"), asks("b", "2")]));
        agree(&pod, 5_510);
    }

    #[test]
    fn init_containers_count_while_they_run() {
        let asks = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = asks("100m");
        sidecar["restartPolicy"] = "Always".into();
        let pod = Object::new(json!({"spec": {
            "containers": [asks("200m"), {}], "initContainers": [sidecar, asks("1")], "overhead": {"memory": "1Mi"}}}));
        let real = pod_requests(&pod, false);
        assert_eq!((real.cpu_milli, real.memory_bytes), (1_100, 1 << 20));
        let assumed = pod_requests(&pod, true);
        assert_eq!((assumed.cpu_milli, assumed.memory_bytes), (1_100, (601 << 20)));
    }
}
