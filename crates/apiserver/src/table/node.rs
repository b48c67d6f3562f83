//! Nodes (`printNode`).

use std::collections::BTreeSet;

use api::{Object, kinds};
use json::Value;
use simulation::Time;

use super::{AGE, NAME, Printer, age, or, shown, wide};
use crate::value::text;

/// Begins the labels that give a node a role.
const ROLE_LABEL_PREFIX: &str = "node-role.kubernetes.io/";

pub static NODES: Printer = Printer {
    kind: &kinds::NODES,
    columns: &[
        NAME,
        shown("Status"),
        shown("Roles"),
        AGE,
        shown("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    cells,
};

fn cells(node: &Object, now: Time) -> Vec<Value> {
    let address = |kind: &str| {
        let found = node.list("status.addresses").iter().find(|a| text(a, "type") == kind);
        found.map_or("<none>", |a| text(a, "address")).to_owned()
    };
    let info = |field: &str| or(node.str(&format!("status.nodeInfo.{field}")), "<unknown>").to_owned();
    let mut kernel = info("kernelVersion");
    let architecture = node.str("status.nodeInfo.architecture");
    if !architecture.is_empty() {
        kernel.push_str(&format!(" ({architecture})"));
    }
    vec![
        node.name().into(),
        status(node).into(),
        or(&roles(node), "<none>").into(),
        age(node, now),
        node.str("status.nodeInfo.kubeletVersion").into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        info("osImage").into(),
        kernel.into(),
        info("containerRuntimeVersion").into(),
    ]
}

fn status(node: &Object) -> String {
    let ready = node.list("status.conditions").iter().find(|c| text(c, "type") == "Ready");
    let status = match ready.map(|c| text(c, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    if node.bool("spec.unschedulable") { format!("{status},SchedulingDisabled") } else { status.to_owned() }
}

fn roles(node: &Object) -> String {
    let labels = node.labels();
    let roles: BTreeSet<&str> = labels
        .iter()
        .filter_map(|(key, value)| match key.strip_prefix(ROLE_LABEL_PREFIX) {
            Some(role) => Some(role),
            None => (key == "kubernetes.io/role").then_some(value.as_str()),
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}
