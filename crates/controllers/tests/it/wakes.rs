//! A pod that no node took is tried again when something happens that may help it, and not only after five minutes.

use std::time::Duration;

use api::kinds;
use client::DeleteOptions;
use json::{Value, json};

use crate::world::World;

fn pod(name: &str, app: &str, extra: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "nginx"}]});
    for (field, value) in extra.as_object().cloned().unwrap_or_default() {
        spec[field] = value;
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": app}}, "spec": spec})
}

fn place(world: &World, name: &str) -> String {
    world.get(&kinds::PODS, name).map_or_else(String::new, |pod| pod.str("spec.nodeName").to_owned())
}

/// Long enough for a pause, and too short for anything that comes by itself.
fn soon(world: &World) {
    world.run(Duration::from_secs(4));
}

#[test]
fn labels_of_a_pod_that_runs() {
    let world = World::new(1);
    world.create(&kinds::PODS, pod("db", "other", json!({})));
    let term = json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}]);
    let near = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}}});
    world.create(&kinds::PODS, pod("web", "web", near));
    soon(&world);
    assert_eq!(place(&world, "web"), "");
    world.patch(&kinds::PODS, "db", json!({"metadata": {"labels": {"app": "db"}}}));
    soon(&world);
    assert_eq!(place(&world, "web"), place(&world, "db"));
}

#[test]
fn a_node_that_is_removed_its_labels_and_its_taints() {
    let world = World::new(1);
    let zone = |name: &str, zone: &str| {
        world.patch(&kinds::NODES, name, json!({"metadata": {"labels": {"zone": zone}}}));
    };
    zone("minikube", "a");
    zone("minikube-m02", "b");
    world.patch(&kinds::NODES, "minikube-m02", json!({"spec": {"unschedulable": true}}));
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]});
    world.create(&kinds::PODS, pod("first", "web", spread.clone()));
    world.create(&kinds::PODS, pod("second", "web", spread.clone()));
    soon(&world);
    assert_eq!((place(&world, "first").as_str(), place(&world, "second").as_str()), ("minikube", ""));
    world.delete(&kinds::NODES, "minikube-m02", DeleteOptions::default());
    soon(&world);
    assert_eq!(place(&world, "second"), "minikube");
    // A node with the label that is asked for.
    world.create(&kinds::PODS, pod("picky", "x", json!({"nodeSelector": {"disk": "ssd"}})));
    soon(&world);
    assert_eq!(place(&world, "picky"), "");
    world.patch(&kinds::NODES, "minikube-m03", json!({"metadata": {"labels": {"disk": "ssd"}}}));
    soon(&world);
    assert_eq!(place(&world, "picky"), "minikube-m03");
    // A node that takes pods again.
    for name in ["minikube", "minikube-m03"] {
        world.patch(&kinds::NODES, name, json!({"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}}));
    }
    world.create(&kinds::PODS, pod("late", "x", json!({})));
    soon(&world);
    assert_eq!(place(&world, "late"), "");
    world.patch(&kinds::NODES, "minikube-m03", json!({"spec": {"taints": null}}));
    soon(&world);
    assert_eq!(place(&world, "late"), "minikube-m03");
}
