//! Deployments and ReplicaSets (`printDeployment`, `printReplicaSet`).

use api::selector::{LabelSelector, format_label_selector};
use api::{Object, kinds};
use json::Value;

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

pub(super) fn count(object: &Object, path: &str) -> i64 {
    object.int(path).unwrap_or(0)
}

fn containers(object: &Object, field: &str) -> String {
    containers_at(object, "spec.template.spec.containers", field)
}

/// A field of each container.
pub(super) fn containers_at(object: &Object, path: &str, field: &str) -> String {
    let all: Vec<&str> = object.list(path).iter().map(|c: &Value| text(c, field)).collect();
    all.join(",")
}

pub static STATEFUL_SETS: Printer = Printer {
    kind: &kinds::STATEFUL_SETS,
    columns: &[NAME, shown("Ready"), AGE, wide("Containers"), wide("Images")],
    cells: |object, now| {
        vec![
            object.name().into(),
            format!("{}/{}", count(object, "status.readyReplicas"), count(object, "spec.replicas")).into(),
            age(object, now),
            containers(object, "name").into(),
            containers(object, "image").into(),
        ]
    },
};

pub static DAEMON_SETS: Printer = Printer {
    kind: &kinds::DAEMON_SETS,
    columns: &[
        NAME,
        number("Desired"),
        number("Current"),
        number("Ready"),
        number("Up-to-date"),
        number("Available"),
        shown("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |object, now| {
        let counts = [
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "numberReady",
            "updatedNumberScheduled",
            "numberAvailable",
        ];
        let mut cells = vec![Value::from(object.name())];
        cells.extend(counts.map(|field| Value::from(count(object, &format!("status.{field}")))));
        cells.extend([
            labels(object.at("spec.template.spec.nodeSelector")).into(),
            age(object, now),
            containers(object, "name").into(),
            containers(object, "image").into(),
            format_label_selector(object.at("spec.selector")).into(),
        ]);
        cells
    },
};

pub static REPLICATION_CONTROLLERS: Printer = Printer {
    kind: &kinds::REPLICATION_CONTROLLERS,
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
            labels(object.at("spec.selector")).into(),
        ]
    },
};

pub static CONTROLLER_REVISIONS: Printer = Printer {
    kind: &kinds::CONTROLLER_REVISIONS,
    columns: &[NAME, shown("Controller"), shown("Revision"), AGE],
    cells: |object, now| {
        let owner = object.controller_ref().map(|owner| {
            let group = owner.api_version.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
            format!("{}{group}/{}", owner.kind.to_lowercase(), owner.name)
        });
        vec![
            object.name().into(),
            owner.unwrap_or_else(|| "<none>".to_owned()).into(),
            object.at("revision").clone(),
            age(object, now),
        ]
    },
};

/// `a=b,c=d`, or what stands for none.
fn labels(map: &Value) -> String {
    let pairs: Vec<String> =
        crate::value::fields(map).map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}
