//! The objects that the scenarios make.

use api::{Kind, Object, kinds};
use json::{Value, json};

use crate::images::{SERVER, WORKER};
use crate::scenario::{Item, Shape, What};

/// The kind of an item.
pub fn kind(what: What) -> &'static Kind {
    match what {
        What::Deployment => &kinds::DEPLOYMENTS,
        What::StatefulSet => &kinds::STATEFUL_SETS,
        What::DaemonSet => &kinds::DAEMON_SETS,
        What::Job => &kinds::JOBS,
        What::Service => &kinds::SERVICES,
        What::ConfigMap => &kinds::CONFIG_MAPS,
    }
}

fn template(item: &Item, version: u32) -> Value {
    let image = if item.what == What::Job { WORKER } else { SERVER };
    let restart = if item.what == What::Job { "Never" } else { "Always" };
    json!({
        "metadata": { "labels": { "app": item.name, "kind": format!("{:?}", item.what).to_lowercase() } },
        "spec": {
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": 3,
            "containers": [{ "name": "main", "image": format!("{image}:v{version}") }],
        },
    })
}

/// An item as it is created.
pub fn object(item: &Item, shape: Shape) -> Object {
    let Shape { replicas, version, variant } = shape;
    let labels = json!({ "app": item.name, "kind": format!("{:?}", item.what).to_lowercase() });
    let selector = json!({ "matchLabels": labels });
    let template = template(item, version);
    let (field, value) = match item.what {
        What::Deployment => {
            let mut spec = json!({ "replicas": replicas, "selector": selector, "template": template });
            match variant {
                0 => spec["strategy"] = json!({ "type": "Recreate" }),
                1 => spec["minReadySeconds"] = 5.into(),
                2 => spec["strategy"] = json!({ "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } }),
                _ => {}
            }
            ("spec", spec)
        }
        What::StatefulSet => {
            let policy = if variant % 2 == 0 { "Parallel" } else { "OrderedReady" };
            let spec = json!({ "replicas": replicas, "selector": selector, "template": template,
                "serviceName": item.name, "podManagementPolicy": policy });
            ("spec", spec)
        }
        What::DaemonSet => ("spec", json!({ "selector": selector, "template": template })),
        What::Job => {
            let completions = 1 + replicas % 3;
            let mut spec = json!({ "completions": completions, "parallelism": 1 + variant % 3, "template": template,
                // Machines are lost: that must not be what ends a Job.
                "backoffLimit": 1_000 });
            if variant == 3 {
                spec["completionMode"] = "Indexed".into();
            }
            ("spec", spec)
        }
        What::Service => {
            let mut spec = json!({ "selector": { "app": item.name }, "ports": [{ "port": 80, "targetPort": 8080 }] });
            if variant == 0 {
                spec["clusterIP"] = "None".into();
            }
            ("spec", spec)
        }
        What::ConfigMap => ("data", json!({ "version": version.to_string() })),
    };
    let kind = kind(item.what);
    Object::new(json!({ "apiVersion": kind.api_version(), "kind": kind.kind,
        "metadata": { "name": item.name, "namespace": item.namespace }, field: value }))
}

/// The strategic merge patch that brings a version; none where that cannot be changed.
pub fn update(item: &Item, version: u32) -> Option<Value> {
    match item.what {
        What::Job | What::Service => None,
        What::ConfigMap => Some(json!({ "data": { "version": version.to_string() } })),
        What::Deployment | What::StatefulSet | What::DaemonSet => {
            let container = json!({ "name": "main", "image": format!("{SERVER}:v{version}") });
            Some(json!({ "spec": { "template": { "spec": { "containers": [container] } } } }))
        }
    }
}

/// The version that an object has.
pub fn version_of(object: &Object) -> &str {
    if object.kind() == "ConfigMap" {
        return object.str("data.version");
    }
    let image = object.list("spec.template.spec.containers").first().and_then(|container| container["image"].as_str());
    image.and_then(|image| image.rsplit_once(":v")).map_or("", |(_, version)| version)
}
