//! Storage that a pod limits itself to (`localStorageEviction`). Pure.

use api::Object;
use api::pod_resources::{Counted, limits};
use api::quantity::Quantity;
use json::Value;

use super::STORAGE;
use super::usage::PodUsage;
use crate::spec;

/// Why the pod has to go: the first of its limits that it exceeds, in upstream's order and words; none if it keeps them all.
pub(crate) fn excess(pod: &Object, usage: &PodUsage) -> Option<String> {
    volume_excess(pod, usage).or_else(|| pod_excess(pod, usage)).or_else(|| container_excess(pod, usage))
}

fn exceeds(bytes: u64, limit: Quantity) -> bool {
    i64::try_from(bytes).unwrap_or(i64::MAX) > limit.value()
}

fn volume_excess(pod: &Object, usage: &PodUsage) -> Option<String> {
    let over = |volume: &Value| {
        let limit = &volume["emptyDir"]["sizeLimit"];
        let limit = Quantity::from_value(limit).ok().filter(|l| l.value() > 0)?;
        let name = spec::name(volume);
        let used = usage.volumes.iter().find(|v| v.name == name)?;
        exceeds(used.bytes, limit)
            .then(|| format!("Usage of EmptyDir volume \"{name}\" exceeds the limit \"{limit}\". "))
    };
    pod.list("spec.volumes").iter().find_map(over)
}

fn pod_excess(pod: &Object, usage: &PodUsage) -> Option<String> {
    let limit = *limits(pod.value(), Counted::default()).get(STORAGE)?;
    exceeds(usage.disk_bytes(), limit)
        .then(|| format!("Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "))
}

fn container_excess(pod: &Object, usage: &PodUsage) -> Option<String> {
    usage.containers.iter().find_map(|used| {
        // Init containers have limits, but upstream looks at these only.
        let container = spec::containers(pod).iter().find(|c| spec::name(c) == used.name)?;
        let limit = Quantity::from_value(&spec::api_at(container, "resources.limits")[STORAGE]).ok()?;
        (!limit.is_zero() && exceeds(used.layer_bytes + used.log_bytes, limit))
            .then(|| format!("Container {} exceeded its local ephemeral storage limit \"{limit}\". ", used.name))
    })
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::super::usage::{ContainerUsage, VolumeUsage, limits_storage};
    use super::*;

    const MIB: u64 = 1 << 20;

    fn container(name: &str, layer_mib: u64, log_mib: u64) -> ContainerUsage {
        let (layer_bytes, log_bytes) = (layer_mib * MIB, log_mib * MIB);
        ContainerUsage { name: name.into(), layer_bytes, log_bytes, ..ContainerUsage::default() }
    }

    fn pod(limits: &[(&str, &str)], volumes: Value) -> Object {
        let limited = |(name, limit): &(&str, &str)| {
            let mut container = json!({"name": *name});
            if !limit.is_empty() {
                container["resources"] = json!({"limits": {"ephemeral-storage": *limit}});
            }
            container
        };
        let containers: Vec<Value> = limits.iter().map(limited).collect();
        Object::new(json!({"spec": {"containers": containers, "volumes": volumes}}))
    }

    #[test]
    fn each_limit_has_its_words_and_its_turn() {
        let volumes = json!([{"name": "v", "emptyDir": {"sizeLimit": "10Mi"}}, {"name": "w", "emptyDir": {}}]);
        let usage = |v: u64, containers: &[ContainerUsage]| PodUsage {
            containers: containers.to_vec(),
            volumes: vec![
                VolumeUsage { name: "v".into(), bytes: v * MIB, is_ephemeral: true, ..VolumeUsage::default() },
                VolumeUsage { name: "w".into(), bytes: 30 * MIB, is_ephemeral: true, ..VolumeUsage::default() },
            ],
        };
        let two = pod(&[("a", "20Mi"), ("b", "50Mi")], volumes);
        let words = |usage: PodUsage| excess(&two, &usage).unwrap_or_default();
        assert_eq!(words(usage(10, &[container("a", 15, 5)])), "", "as much as the limit is not more");
        assert_eq!(words(usage(11, &[])), "Usage of EmptyDir volume \"v\" exceeds the limit \"10Mi\". ");
        assert_eq!(
            words(usage(1, &[container("a", 15, 6)])),
            "Container a exceeded its local ephemeral storage limit \"20Mi\". ",
        );
        assert_eq!(
            words(usage(5, &[container("a", 15, 4), container("b", 10, 7)])),
            "Pod ephemeral local storage usage exceeds the total limit of containers 70Mi. ",
            "volumes count for the pod"
        );
    }

    #[test]
    fn a_pod_without_limits_is_not_measured() {
        assert!(!limits_storage(&pod(&[("a", "")], json!([{"name": "w", "emptyDir": {}}]))));
        assert!(limits_storage(&pod(&[("a", "1Gi")], json!([]))));
        assert!(limits_storage(&pod(&[("a", "")], json!([{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]))));
        let one = pod(&[("a", "")], json!([]));
        assert_eq!(excess(&one, &PodUsage { containers: vec![container("a", 999, 0)], ..PodUsage::default() }), None);
    }
}
