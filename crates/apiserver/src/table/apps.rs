//! Deployments and ReplicaSets (`printDeployment`, `printReplicaSet`).

use api::selector::{LabelSelector, format_label_selector};
use api::{Object, kinds};
use serde_json::Value;

use super::{AGE, NAME, Printer, age, number, shown, wide};
use crate::value::text;

pub static DEPLOYMENTS: Printer = Printer {
    kind: &kinds::DEPLOYMENTS,
    columns: &[
        NAME,
        shown("Ready"),
        shown("Up-to-date"),
        shown("Available"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        let selector = LabelSelector::from_value(object.at("spec.selector"));
        vec![
            object.name().into(),
            format!("{}/{}", count(object, "status.readyReplicas"), count(object, "spec.replicas")).into(),
            count(object, "status.updatedReplicas").into(),
            count(object, "status.availableReplicas").into(),
            age(object, now),
            containers(object, "name").into(),
            containers(object, "image").into(),
            selector.map_or_else(|_| "<invalid>".to_owned(), |s| s.to_string()).into(),
        ]
    },
};

pub static REPLICA_SETS: Printer = Printer {
    kind: &kinds::REPLICA_SETS,
    columns: &[
        NAME,
        number("Desired"),
        number("Current"),
        number("Ready"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        vec![
            object.name().into(),
            count(object, "spec.replicas").into(),
            count(object, "status.replicas").into(),
            count(object, "status.readyReplicas").into(),
            age(object, now),
            containers(object, "name").into(),
            containers(object, "image").into(),
            format_label_selector(object.at("spec.selector")).into(),
        ]
    },
};

fn count(object: &Object, path: &str) -> i64 {
    object.int(path).unwrap_or(0)
}

fn containers(object: &Object, field: &str) -> String {
    let all: Vec<&str> = object.list("spec.template.spec.containers").iter().map(|c: &Value| text(c, field)).collect();
    all.join(",")
}
