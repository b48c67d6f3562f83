//! What an object takes from a ResourceQuota, and which quotas it falls under (`pkg/quota/v1/evaluator/core`).

use std::collections::BTreeMap;

use json::Value;

use crate::object_at as at;
use crate::pod_resources::{Counted, limits, requests};
use crate::{Kind, Quantity};

/// Amounts by the name of what is limited.
pub type Amounts = BTreeMap<String, Quantity>;

/// Kinds of the core group that are counted under their own name.
const COUNTED: &[&str] = &[
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
];
/// What containers ask for and are limited to.
const COMPUTE: &[&str] = &["cpu", "memory", "ephemeral-storage"];

fn one() -> Quantity {
    Quantity::from_milli(1000)
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    at(object, path).as_str().unwrap_or("")
}

fn items<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    at(object, path).as_array().map_or(&[][..], json::Array::as_slice)
}

fn amount(value: Option<&Value>) -> Option<Quantity> {
    Quantity::from_value(value?).ok()
}

/// The amounts of a map of quantities.
pub fn amounts(map: &Value) -> Amounts {
    let fields = map.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.to_string(), Quantity::from_value(value).ok()?))).collect()
}

/// What an object takes.
pub fn usage(kind: &Kind, object: &Value) -> Amounts {
    let mut used = Amounts::new();
    used.insert(format!("count/{}", kind.group_resource()), one());
    if !kind.group.is_empty() {
        return used;
    }
    match kind.plural {
        "pods" => pod(object, &mut used),
        plural if COUNTED.contains(&plural) => {
            used.insert(plural.to_owned(), one());
        }
        _ => {}
    }
    match kind.plural {
        "services" => service(object, &mut used),
        "persistentvolumeclaims" => {
            if let Some(size) = amount(at(object, "spec.resources.requests").get("storage")) {
                let class = text(object, "spec.storageClassName");
                used.insert("requests.storage".to_owned(), size);
                if !class.is_empty() {
                    let of_class = format!("{class}.storageclass.storage.k8s.io");
                    used.insert(format!("{of_class}/requests.storage"), size);
                    used.insert(format!("{of_class}/persistentvolumeclaims"), one());
                }
            }
        }
        _ => {}
    }
    used
}

/// A pod that has ended takes nothing but its place among the objects. One that is being resized takes what it still has,
/// or will have, whichever is more (`PodUsageFunc`).
fn pod(object: &Value, used: &mut Amounts) {
    if matches!(text(object, "status.phase"), "Succeeded" | "Failed") {
        return;
    }
    used.insert("pods".to_owned(), one());
    let counted = Counted { with_status: true, ..Counted::default() };
    let (requests, limits) = (requests(object, counted), limits(object, counted));
    for name in COMPUTE {
        if let Some(total) = requests.get(*name) {
            used.insert((*name).to_owned(), *total);
            used.insert(format!("requests.{name}"), *total);
        }
        if let Some(total) = limits.get(*name) {
            used.insert(format!("limits.{name}"), *total);
        }
    }
}

fn service(object: &Value, used: &mut Amounts) {
    let kind = text(object, "spec.type");
    if kind == "LoadBalancer" {
        used.insert("services.loadbalancers".to_owned(), one());
    }
    if matches!(kind, "NodePort" | "LoadBalancer") {
        let allocates = at(object, "spec.allocateLoadBalancerNodePorts") != false || kind == "NodePort";
        let ports = i64::try_from(items(object, "spec.ports").len()).unwrap_or(0);
        if allocates && ports > 0 {
            used.insert("services.nodeports".to_owned(), one().times(ports));
        }
    }
}

/// Whether a quota is about an object: its scopes are those of the pod. Other kinds have no scopes.
pub fn is_about(quota: &Value, kind: &Kind, object: &Value) -> bool {
    let scopes = items(quota, "spec.scopes").iter().filter_map(Value::as_str);
    let selected = items(quota, "spec.scopeSelector.matchExpressions");
    let is_pod = kind.group.is_empty() && kind.plural == "pods";
    let is_scoped = scopes.clone().next().is_some() || !selected.is_empty();
    if !is_scoped || !is_pod {
        return !is_scoped;
    }
    scopes.into_iter().all(|scope| in_scope(scope, object)) && selected.iter().all(|e| is_selected(e, object))
}

fn in_scope(scope: &str, pod: &Value) -> bool {
    let has_deadline = at(pod, "spec.activeDeadlineSeconds").as_i64().is_some_and(|seconds| seconds >= 0);
    let is_best_effort = || {
        let containers = items(pod, "spec.containers").iter().chain(items(pod, "spec.initContainers"));
        let asks = |container: &Value| {
            ["requests", "limits"].iter().any(|which| {
                let map = at(container, "resources").get(*which).and_then(Value::as_object);
                map.is_some_and(|map| map.contains_key("cpu") || map.contains_key("memory"))
            })
        };
        !containers.into_iter().any(asks)
    };
    match scope {
        "Terminating" => has_deadline,
        "NotTerminating" => !has_deadline,
        "BestEffort" => is_best_effort(),
        "NotBestEffort" => !is_best_effort(),
        "PriorityClass" => !text(pod, "spec.priorityClassName").is_empty(),
        _ => false,
    }
}

fn is_selected(expression: &Value, pod: &Value) -> bool {
    let scope = text(expression, "scopeName");
    if scope != "PriorityClass" {
        return in_scope(scope, pod);
    }
    let class = text(pod, "spec.priorityClassName");
    let listed = items(expression, "values").iter().any(|value| value == class);
    match text(expression, "operator") {
        "In" => !class.is_empty() && listed,
        "NotIn" => !listed,
        "Exists" => !class.is_empty(),
        "DoesNotExist" => class.is_empty(),
        _ => false,
    }
}

/// What a quota limits and a container of a pod does not say: `requests.cpu` and the names of the containers.
pub fn unsaid<'a>(hard: &'a Amounts, pod: &Value) -> BTreeMap<&'a str, Vec<String>> {
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for limited in hard.keys() {
        let (which, name) = match limited.split_once('.') {
            Some((which @ ("requests" | "limits"), name)) => (which, name),
            _ => ("requests", limited.as_str()),
        };
        if !matches!(name, "cpu" | "memory") {
            continue;
        }
        for container in items(pod, "spec.containers").iter().chain(items(pod, "spec.initContainers")) {
            if at(container, "resources").get(which).and_then(|map| map.get(name)).is_none() {
                missing.entry(limited).or_default().push(text(container, "name").to_owned());
            }
        }
    }
    for names in missing.values_mut() {
        names.sort();
        names.dedup();
    }
    missing
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;
    use crate::kinds::{PERSISTENT_VOLUME_CLAIMS, PODS, SERVICES};

    fn shown(used: &Amounts) -> String {
        used.iter().map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn pods() {
        let mut pod = json!({"spec": {
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "400m"}, "limits": {"memory": "128Mi"}}},
                {"name": "b", "resources": {"requests": {"cpu": "100m"}}}],
            "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "1"}}}]}});
        assert_eq!(shown(&usage(&PODS, &pod)), "count/pods=1,cpu=1,limits.memory=128Mi,pods=1,requests.cpu=1");
        let hard = amounts(&json!({"limits.memory": "1Gi", "pods": "2", "cpu": "1"}));
        let missing = unsaid(&hard, &pod);
        assert_eq!(missing, BTreeMap::from([("limits.memory", vec!["b".to_owned(), "i".to_owned()])]));
        pod["status"] = json!({"phase": "Running", "containerStatuses": [{"name": "a",
            "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "400m"}, "limits": {"memory": "1Gi"}}}]});
        assert_eq!(shown(&usage(&PODS, &pod)), "count/pods=1,cpu=2100m,limits.memory=1Gi,pods=1,requests.cpu=2100m");
        pod["status"] = json!({"phase": "Succeeded"});
        assert_eq!(shown(&usage(&PODS, &pod)), "count/pods=1");
    }

    #[test]
    fn services_and_claims() {
        let service = json!({"spec": {"type": "LoadBalancer", "ports": [{"port": 80}, {"port": 81}]}});
        let expected = "count/services=1,services=1,services.loadbalancers=1,services.nodeports=2";
        assert_eq!(shown(&usage(&SERVICES, &service)), expected);
        let claim = json!({"spec": {"storageClassName": "s", "resources": {"requests": {"storage": "1Gi"}}}});
        let used = shown(&usage(&PERSISTENT_VOLUME_CLAIMS, &claim));
        assert!(used.contains("requests.storage=1Gi,s.storageclass.storage.k8s.io/persistentvolumeclaims=1"), "{used}");
    }

    #[test]
    fn scopes_choose_pods() {
        let quota = |scope: &str| json!({"spec": {"scopes": [scope]}});
        let idle = json!({"spec": {"containers": [{"name": "a"}]}});
        let busy = json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]}});
        for (scope, about_idle, about_busy) in
            [("BestEffort", true, false), ("NotBestEffort", false, true), ("NotTerminating", true, true)]
        {
            assert_eq!(is_about(&quota(scope), &PODS, &idle), about_idle, "{scope}");
            assert_eq!(is_about(&quota(scope), &PODS, &busy), about_busy, "{scope}");
        }
        assert!(!is_about(&quota("BestEffort"), &SERVICES, &idle));
    }
}
