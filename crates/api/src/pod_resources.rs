//! What the containers of a pod ask for and are limited to, together (`k8s.io/component-helpers/resource`).
//!
//! The scheduler keeps a faster copy of the same rule for requests, in whole numbers; a test there holds both together.
//! Difference from upstream: amounts of the pod as a whole (`spec.resources`) are not looked at.

use json::Value;

use crate::object_at as at;
use crate::quota::{Amounts, amounts};

/// What is counted (`PodResourcesOptions`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Of a container that is being resized not only what its spec says, but the most of that, what was granted and what it
    /// has (`UseStatusResources`).
    pub with_status: bool,
    /// Leaves out what running the pod itself takes (`ExcludeOverhead`).
    pub without_overhead: bool,
}

/// What a pod asks for, by resource: its containers together with its sidecars, or what one of its init containers needs
/// while it runs beside the sidecars before it, whichever is more; and the overhead.
pub fn requests(pod: &Value, counted: Counted) -> Amounts {
    let mut sum = of_containers(pod, "requests", counted.with_status);
    if !counted.without_overhead {
        add(&mut sum, &amounts(at(pod, "spec.overhead")));
    }
    sum
}

/// What a pod is limited to, by resource: like [`requests`], but the overhead only where there is a limit.
pub fn limits(pod: &Value, counted: Counted) -> Amounts {
    let mut sum = of_containers(pod, "limits", counted.with_status);
    if !counted.without_overhead {
        let mut overhead = amounts(at(pod, "spec.overhead"));
        overhead.retain(|name, _| sum.get(name).is_some_and(|limit| !limit.is_zero()));
        add(&mut sum, &overhead);
    }
    sum
}

fn items<'a>(pod: &'a Value, path: &str) -> &'a [Value] {
    at(pod, path).as_array().map_or(&[][..], json::Array::as_slice)
}

fn of_containers(pod: &Value, which: &str, with_status: bool) -> Amounts {
    let pending = items(pod, "status.conditions").iter().find(|condition| condition["type"] == "PodResizePending");
    let infeasible = pending.is_some_and(|condition| condition["reason"] == "Infeasible");
    let amounts_of = |container: &Value, field: &str| {
        let own = amounts(at(&container["resources"], which));
        let mut statuses = items(pod, field).iter().filter(|_| with_status);
        match statuses.find(|status| status["name"] == container["name"]) {
            Some(status) if !status["resources"].is_null() => effective(own, status, which, infeasible),
            _ => own,
        }
    };
    let mut sum = Amounts::new();
    for container in items(pod, "spec.containers") {
        add(&mut sum, &amounts_of(container, "status.containerStatuses"));
    }
    let (mut sidecars, mut at_start) = (Amounts::new(), Amounts::new());
    for container in items(pod, "spec.initContainers") {
        if container["restartPolicy"] == "Always" {
            let own = amounts_of(container, "status.initContainerStatuses");
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            raise(&mut at_start, &sidecars);
        } else {
            let mut own = amounts(at(&container["resources"], which));
            add(&mut own, &sidecars);
            raise(&mut at_start, &own);
        }
    }
    raise(&mut sum, &at_start);
    sum
}

/// The most of what a container's spec says, unless the node can never give it, what was granted, and what it has.
fn effective(own: Amounts, status: &Value, which: &str, infeasible: bool) -> Amounts {
    let mut most = if infeasible { Amounts::new() } else { own };
    raise(&mut most, &amounts(at(&status["resources"], which)));
    if which == "requests" {
        raise(&mut most, &amounts(&status["allocatedResources"]));
    }
    most
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(sum) => *sum += *amount,
            None => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

fn raise(most: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        match most.get_mut(name) {
            Some(most) => *most = (*most).max(*amount),
            None => drop(most.insert(name.clone(), *amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn shown(all: &Amounts) -> String {
        all.iter().map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn sidecars_run_beside_what_starts_after_them() {
        let asks =
            |cpu: &str, memory: &str| json!({"resources": {"requests": {"cpu": cpu}, "limits": {"memory": memory}}});
        let mut sidecar = asks("100m", "10Mi");
        sidecar["restartPolicy"] = "Always".into();
        let pod = json!({"spec": {"containers": [asks("200m", "20Mi"), asks("100m", "20Mi")],
            "initContainers": [asks("1", "30Mi"), sidecar, asks("950m", "60Mi")],
            "overhead": {"cpu": "50m", "memory": "1Mi"}}});
        assert_eq!(shown(&requests(&pod, Counted::default())), "cpu=1100m,memory=1Mi");
        assert_eq!(shown(&limits(&pod, Counted::default())), "memory=71Mi", "no limit of cpu gets an overhead");
        let without = Counted { without_overhead: true, ..Counted::default() };
        assert_eq!(shown(&requests(&pod, without)), "cpu=1050m");
        assert_eq!(shown(&limits(&pod, without)), "memory=70Mi");
    }

    #[test]
    fn of_a_resize_the_most_counts() {
        let container = |name: &str, cpu: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}});
        let status = |name: &str, granted: &str, has: &str| json!({"name": name, "allocatedResources": {"cpu": granted}, "resources": {"requests": {"cpu": has}, "limits": {"cpu": has}}});
        let mut sidecar = container("s", "100m");
        sidecar["restartPolicy"] = "Always".into();
        let mut pod = json!({"spec": {"containers": [container("c", "100m")], "initContainers": [sidecar]},
            "status": {"containerStatuses": [status("c", "400m", "300m")],
                "initContainerStatuses": [status("s", "1", "2")]}});
        let all = Counted { with_status: true, ..Counted::default() };
        assert_eq!(shown(&requests(&pod, Counted::default())), "cpu=200m");
        assert_eq!((shown(&requests(&pod, all)), shown(&limits(&pod, all))), ("cpu=2400m".into(), "cpu=2300m".into()));
        pod["spec"]["containers"] = json!([container("c", "5")]);
        assert_eq!((shown(&requests(&pod, all)), shown(&limits(&pod, all))), ("cpu=7".into(), "cpu=7".into()));
        pod["status"]["conditions"] = json!([{"type": "PodResizePending", "reason": "Infeasible"}]);
        assert_eq!((shown(&requests(&pod, all)), shown(&limits(&pod, all))), ("cpu=2400m".into(), "cpu=2300m".into()));
    }
}
