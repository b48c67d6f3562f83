//! The few facts about an object that say most, kind by kind. Labels and values are kubectl's words.

use std::collections::BTreeMap;

use api::Object;
use json::Value;

use crate::picture;

type Facts = Vec<(String, String)>;

/// A row: the kind and what is said of it.
type Row = (&'static str, fn(&Object) -> Facts);

const KINDS: &[Row] = &[
    ("Pod", pod),
    ("Node", node),
    ("Service", service),
    ("Deployment", deployment),
    ("ReplicaSet", replica_set),
    ("EndpointSlice", endpoint_slice),
];

/// The facts of an object, without those that are empty.
pub(super) fn facts(kind: &str, object: &Object, age: &str) -> Facts {
    let of_kind = KINDS.iter().find(|(of, _)| *of == kind);
    let mut facts = of_kind.map(|(_, facts)| facts(object)).unwrap_or_default();
    facts.push(fact("Labels", map(&object.labels())));
    facts.push(fact("Age", age));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn fact(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

/// An object of strings, such as a selector.
pub(super) fn string_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned()))).collect()
}

fn map(entries: &BTreeMap<String, String>) -> String {
    entries.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\n")
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    api::object_at(value, path).as_str().unwrap_or("")
}

fn lines<'a>(list: &'a [Value], line: impl Fn(&'a Value) -> String) -> String {
    list.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn pod(pod: &Object) -> Facts {
    let statuses = pod.list("status.containerStatuses");
    let ready = statuses.iter().filter(|s| api::object_at(s, "ready").as_bool() == Some(true)).count();
    let restarts: i64 = statuses.iter().filter_map(|s| s.get("restartCount")?.as_i64()).sum();
    vec![
        fact("Status", picture::pod_status(pod)),
        fact("Ready", format!("{ready}/{}", pod.list("spec.containers").len())),
        fact("Restarts", restarts.to_string()),
        fact("Node", pod.str("spec.nodeName")),
        fact("IP", pod.str("status.podIP")),
        fact("Images", lines(pod.list("spec.containers"), |c| text(c, "image").to_owned())),
    ]
}

fn node(node: &Object) -> Facts {
    let condition = |c: &Value| match text(c, "message") {
        "" => format!("{}={}", text(c, "type"), text(c, "status")),
        message => format!("{}={} ({message})", text(c, "type"), text(c, "status")),
    };
    let taint = |t: &Value| match text(t, "value") {
        "" => format!("{}:{}", text(t, "key"), text(t, "effect")),
        value => format!("{}={value}:{}", text(t, "key"), text(t, "effect")),
    };
    vec![
        fact("Conditions", lines(node.list("status.conditions"), condition)),
        fact("Taints", lines(node.list("spec.taints"), taint)),
        fact("Unschedulable", if node.bool("spec.unschedulable") { "true" } else { "" }),
        fact("Addresses", lines(node.list("status.addresses"), |a| text(a, "address").to_owned())),
        fact("CPU", node.str("status.allocatable.cpu")),
        fact("Memory", node.str("status.allocatable.memory")),
        fact("Kubelet", node.str("status.nodeInfo.kubeletVersion")),
    ]
}

fn service(service: &Object) -> Facts {
    let number = |port: &Value, path: &str| match api::object_at(port, path) {
        Value::Number(number) => number.to_string(),
        Value::String(name) => name.to_string(),
        _ => String::new(),
    };
    let port = |port: &Value| {
        let node_port = number(port, "nodePort");
        let node_port = if node_port.is_empty() { node_port } else { format!(" (nodePort {node_port})") };
        format!("{} -> {}/{}{node_port}", number(port, "port"), number(port, "targetPort"), text(port, "protocol"))
    };
    vec![
        fact("Type", service.str("spec.type")),
        fact("IP", service.str("spec.clusterIP")),
        fact("Ports", lines(service.list("spec.ports"), port)),
        fact("Selector", map(&string_map(service.at("spec.selector")))),
    ]
}

fn deployment(deployment: &Object) -> Facts {
    let count = |path: &str| deployment.int(path).unwrap_or(0);
    vec![
        fact(
            "Replicas",
            format!(
                "{} desired | {} updated | {} total | {} available | {} unavailable",
                count("spec.replicas"),
                count("status.updatedReplicas"),
                count("status.replicas"),
                count("status.availableReplicas"),
                count("status.unavailableReplicas"),
            ),
        ),
        fact("Strategy", strategy(deployment)),
        fact("Selector", map(&string_map(deployment.at("spec.selector.matchLabels")))),
        fact("Images", images(deployment)),
    ]
}

fn strategy(deployment: &Object) -> String {
    let bound = |path: &str| match deployment.at(path) {
        Value::Number(number) => number.to_string(),
        Value::String(share) => share.to_string(),
        _ => String::new(),
    };
    let (surge, unavailable) =
        (bound("spec.strategy.rollingUpdate.maxSurge"), bound("spec.strategy.rollingUpdate.maxUnavailable"));
    match deployment.str("spec.strategy.type") {
        "RollingUpdate" => format!("RollingUpdate, {unavailable} max unavailable, {surge} max surge"),
        other => other.to_owned(),
    }
}

fn replica_set(set: &Object) -> Facts {
    let count = |path: &str| set.int(path).unwrap_or(0);
    vec![
        fact("Replicas", format!("{} current / {} desired", count("status.replicas"), count("spec.replicas"))),
        fact("Ready", count("status.readyReplicas").to_string()),
        fact("Selector", map(&string_map(set.at("spec.selector.matchLabels")))),
        fact("Images", images(set)),
    ]
}

fn images(object: &Object) -> String {
    lines(object.list("spec.template.spec.containers"), |c| text(c, "image").to_owned())
}

fn endpoint_slice(slice: &Object) -> Facts {
    let endpoint = |endpoint: &Value| {
        let address = api::object_at(endpoint, "addresses").get(0).and_then(Value::as_str).unwrap_or("");
        let ready = api::object_at(endpoint, "conditions.ready").as_bool() == Some(true);
        format!("{address} {} {}", text(endpoint, "targetRef.name"), if ready { "ready" } else { "not ready" })
    };
    vec![fact("Endpoints", lines(slice.list("endpoints"), endpoint))]
}
