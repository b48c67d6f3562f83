//! Which pod goes first when its node is short of something, and the words that it hears (`rankMemoryPressure`,
//! `rankDiskPressureFunc`, `rankPIDPressure`, `evictionMessage`). Pure.

use std::cmp::Reverse;

use api::Object;
use api::pod_resources::{Counted, requests};
use api::quantity::Quantity;

use super::pressure::{Met, Resource};
use super::usage::{ContainerUsage, PodUsage};
use crate::spec;

/// What decides a pod's turn: the smallest goes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// Of a pod that nothing is known of nothing is lost; then those that take more than they asked for.
    is_unknown: Reverse<bool>,
    exceeds: Reverse<bool>,
    priority: i64,
    /// By how much it takes more than it asked for.
    beyond: Reverse<i64>,
}

/// The turn of a pod when `resource` is scarce.
pub(crate) fn turn(resource: Resource, pod: &Object, usage: Option<&PodUsage>) -> Turn {
    let priority = pod.int("spec.priority").unwrap_or(0);
    let Some(usage) = usage else {
        return Turn { is_unknown: Reverse(true), exceeds: Reverse(true), priority, beyond: Reverse(0) };
    };
    let asked = requests(pod.value(), Counted::default());
    let asked = |name: &str| asked.get(name).map_or(0, |quantity| quantity.value());
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (used, request) = match resource {
        Resource::Memory => (signed(usage.memory_bytes()), asked("memory")),
        Resource::Storage => (signed(usage.disk_bytes()), asked(super::STORAGE)),
        // Nobody can ask for inodes, but what is beyond is reckoned against the storage that was asked for, as upstream.
        Resource::Inodes => (signed(usage.inodes()), 0),
        Resource::Pids => (signed(usage.containers.iter().map(|c| c.processes).sum()), 0),
    };
    let beyond = if resource == Resource::Inodes { used - asked(super::STORAGE) } else { used - request };
    // Processes are not asked for: priority alone decides, then the number.
    let exceeds = resource != Resource::Pids && used > request;
    Turn { is_unknown: Reverse(false), exceeds: Reverse(exceeds), priority, beyond: Reverse(beyond) }
}

/// What an evicted pod hears, and the annotations of the event.
pub(crate) fn words(pod: &Object, usage: Option<&PodUsage>, met: &Met) -> (String, Vec<(&'static str, String)>) {
    let resource = met.resource.name();
    let mut message = format!("The node was low on resource: {resource}. ");
    message += &format!("Threshold quantity: {}, available: {}. ", met.threshold, met.available);
    let (mut names, mut amounts) = (Vec::new(), Vec::new());
    for container in usage.map_or(&[][..], |usage| &usage.containers) {
        let mut all = spec::containers(pod).iter().chain(spec::init_containers(pod));
        let Some(known) = all.find(|c| spec::name(c) == container.name) else { continue };
        let Some(used) = used(met.resource, container) else { continue };
        let request = Quantity::from_value(&spec::api_at(known, "resources.requests")[resource]);
        let request = request.unwrap_or(Quantity::ZERO);
        if used.value() > request.value() {
            let name = &container.name;
            message += &format!(
                "Container {name} was using {used}, request is {request}, has larger consumption of {resource}. "
            );
            names.push(name.clone());
            amounts.push(used.to_string());
        }
    }
    let annotations = vec![
        ("offending_containers", names.join(",")),
        ("offending_containers_usage", amounts.join(",")),
        ("starved_resource", resource.to_owned()),
    ];
    (message, annotations)
}

fn used(resource: Resource, container: &ContainerUsage) -> Option<Quantity> {
    let bytes = match resource {
        Resource::Memory => container.memory_bytes,
        Resource::Storage => container.layer_bytes + container.log_bytes,
        Resource::Inodes | Resource::Pids => return None,
    };
    Some(Quantity::from_bytes(i64::try_from(bytes).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    /// A pod of a name, a request of memory, a priority, and what it uses in MiB.
    fn pod(name: &str, request: &str, priority: i64, used_mib: u64) -> (Object, PodUsage) {
        let container = json!({"name": "c", "resources": {"requests": {"memory": request}}});
        let object = json!({"metadata": {"name": name}, "spec": {"priority": priority, "containers": [container]}});
        let container = ContainerUsage { name: "c".into(), memory_bytes: used_mib << 20, ..ContainerUsage::default() };
        (Object::new(object), PodUsage { containers: vec![container], ..PodUsage::default() })
    }

    #[test]
    fn who_exceeds_goes_first_then_who_matters_less_then_who_takes_most() {
        let pods = [
            pod("modest", "200Mi", 0, 100),
            pod("greedy-important", "10Mi", 100, 500),
            pod("greedy", "10Mi", 0, 100),
            pod("greedier", "10Mi", 0, 101),
            pod("modest-important", "500Mi", 100, 10),
        ];
        let mut ranked: Vec<_> = pods.iter().collect();
        ranked.sort_by_key(|(pod, usage)| turn(Resource::Memory, pod, Some(usage)));
        let names: Vec<_> = ranked.iter().map(|(pod, _)| pod.name()).collect();
        assert_eq!(names, ["greedier", "greedy", "greedy-important", "modest", "modest-important"]);
        let (unknown, _) = pod("unknown", "1Gi", 1_000, 0);
        assert!(turn(Resource::Memory, &unknown, None) < turn(Resource::Memory, &pods[3].0, Some(&pods[3].1)));
    }

    #[test]
    fn the_words_name_who_took_more_than_was_asked_for() {
        let (mut object, mut usage) = pod("p", "10Mi", 0, 20);
        let met = |resource| Met {
            resource,
            threshold: Quantity::from_bytes(100 << 20),
            available: Quantity::from_bytes((98 << 20) + 1024),
        };
        let (message, annotations) = words(&object, Some(&usage), &met(Resource::Memory));
        let expected = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 100353Ki. Container c \
                        was using 20Mi, request is 10Mi, has larger consumption of memory. ";
        assert_eq!(message, expected);
        assert_eq!(annotations[1], ("offending_containers_usage", "20Mi".to_owned()));
        object.set("spec.containers", json!([{"name": "c"}]));
        usage.containers[0].log_bytes = 5000;
        let (message, _) = words(&object, Some(&usage), &met(Resource::Storage));
        let expected = "Container c was using 5000, request is 0, has larger consumption of ephemeral-storage. ";
        assert!(message.ends_with(expected), "{message}");
    }
}
