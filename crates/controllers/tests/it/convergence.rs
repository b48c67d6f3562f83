//! Whatever is done to a Deployment, in whatever order and at whatever moments: once left alone, it becomes what was
//! asked for last, and nothing is left over.

use std::time::Duration;

use api::kinds;
use client::DeleteOptions;
use json::json;

use crate::world::{World, deployment};

const OPERATIONS: usize = 14;
const SEEDS: std::ops::Range<u64> = 100..106;

#[test]
fn left_alone_everything_settles() {
    for seed in SEEDS {
        println!("seed={seed}");
        disturb(seed);
    }
}

fn disturb(seed: u64) {
    let world = World::new(seed);
    let draw = |bound: u64| world.sim.random_below(bound);
    world.create(&kinds::DEPLOYMENTS, deployment(3, "nginx:1"));
    world.create(
        &kinds::SERVICES,
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    let (mut replicas, mut image) = (3, "nginx:1".to_owned());
    for _ in 0..OPERATIONS {
        match draw(8) {
            0 | 1 => {
                replicas = i64::try_from(draw(8)).expect("set or small");
                println!("  scale to {replicas}");
                world.patch(&kinds::DEPLOYMENTS, "web", json!({"spec": {"replicas": replicas}}));
            }
            2 | 3 => {
                image = ["nginx:1", "nginx:2", "nginx:3", "nginx:notfound"][draw(4) as usize].to_owned();
                println!("  image {image}");
                let containers = json!([{"name": "nginx", "image": image}]);
                world.patch(
                    &kinds::DEPLOYMENTS,
                    "web",
                    json!({"spec": {"template": {"spec": {"containers": containers}}}}),
                );
            }
            4 => {
                let paused = draw(2) == 0;
                println!("  paused {paused}");
                world.patch(&kinds::DEPLOYMENTS, "web", json!({"spec": {"paused": paused}}));
            }
            5 => {
                let pods = world.list(&kinds::PODS);
                if let Some(pod) = pods.get(draw(pods.len() as u64) as usize) {
                    println!("  delete {}", pod.name());
                    world.delete(&kinds::PODS, pod.name(), DeleteOptions::default());
                }
            }
            6 => {
                let pods = world.list(&kinds::PODS);
                if let Some(pod) = pods.get(draw(pods.len() as u64) as usize) {
                    println!("  take the label of {}", pod.name());
                    world.patch(&kinds::PODS, pod.name(), json!({"metadata": {"labels": {"app": "other"}}}));
                }
            }
            _ => {
                let name = ["minikube", "minikube-m02", "minikube-m03"][draw(3) as usize];
                let cordoned = draw(2) == 0;
                println!("  cordon {name} {cordoned}");
                world.patch(&kinds::NODES, name, json!({"spec": {"unschedulable": cordoned}}));
            }
        }
        world.run(Duration::from_millis(draw(700)));
    }
    for name in ["minikube", "minikube-m02", "minikube-m03"] {
        world.patch(&kinds::NODES, name, json!({"spec": {"unschedulable": false}}));
    }
    if image == "nginx:notfound" {
        image = "nginx:1".to_owned();
    }
    let containers = json!([{"name": "nginx", "image": image}]);
    let last = json!({"spec": {"paused": false, "template": {"spec": {"containers": containers}}}});
    world.patch(&kinds::DEPLOYMENTS, "web", last);
    world.run(Duration::from_secs(25));
    check(&world, replicas, &image);
}

fn check(world: &World, replicas: i64, image: &str) {
    let deployment = world.get(&kinds::DEPLOYMENTS, "web").expect("still there");
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(
            deployment.int(&format!("status.{field}")).unwrap_or(0),
            replicas,
            "{field}: {:?}",
            deployment.at("status")
        );
    }
    assert_eq!(deployment.int("status.observedGeneration"), Some(deployment.generation()));
    assert_eq!(deployment.int("status.unavailableReplicas"), None);
    assert_eq!(deployment.int("status.terminatingReplicas"), Some(0));
    let pods = world.list(&kinds::PODS);
    let own: Vec<_> = pods.iter().filter(|pod| pod.label("app") == Some("web")).collect();
    assert_eq!(own.len(), usize::try_from(replicas).expect("set or small"));
    for pod in &own {
        assert_eq!(pod.list("spec.containers")[0]["image"], image);
        assert_eq!(pod.str("status.phase"), "Running");
    }
    for pod in pods.iter().filter(|pod| pod.label("app") != Some("web")) {
        assert!(pod.owner_references().is_empty(), "a pod without the labels has been let go");
    }
    for set in world.list(&kinds::REPLICA_SETS) {
        let count = set.int("spec.replicas").expect("set or small");
        assert_eq!(set.int("status.replicas").unwrap_or(0), count, "{}", set.name());
        let current = set.list("spec.template.spec.containers")[0]["image"] == image;
        assert_eq!(count, if current { replicas } else { 0 }, "{}", set.name());
    }
    let slices = world.list(&kinds::ENDPOINT_SLICES);
    let endpoints: usize = slices.iter().map(|slice| slice.list("endpoints").len()).sum();
    assert_eq!(endpoints, own.len());
    let steps = world.sim.steps();
    // Before the pretended nodes, which send no leases, count as silent.
    world.run(Duration::from_secs(12));
    assert!(world.sim.steps() - steps < 60, "it does not come to rest: {} steps", world.sim.steps() - steps);
}

/// A watch that says nothing for a while is no reason to make everything once more (upstream: expectations).
#[test]
fn pods_that_are_not_seen_yet_are_not_made_again() {
    let world = World::new(1);
    world.hold_pods(true);
    world.create(&kinds::DEPLOYMENTS, deployment(3, "nginx:1"));
    world.run(Duration::from_secs(120));
    assert_eq!(world.list(&kinds::PODS).len(), 3);
    world.hold_pods(false);
    world.run(Duration::from_secs(60));
    let deployment = world.get(&kinds::DEPLOYMENTS, "web").expect("it is there");
    assert_eq!((world.list(&kinds::PODS).len(), deployment.int("status.readyReplicas")), (3, Some(3)));
}

/// What one key has written may stay unseen for long; the others do not wait for it (upstream: `ConsistencyStore`).
#[test]
fn a_key_that_waits_holds_up_no_other() {
    let world = World::new(1);
    world.hold_pods(true);
    for number in 0..12 {
        let mut deployment = deployment(1, "nginx:1");
        deployment["metadata"]["name"] = format!("web-{number}").into();
        let labels = json!({"app": format!("web-{number}")});
        deployment["spec"]["selector"]["matchLabels"] = labels.clone();
        deployment["spec"]["template"]["metadata"]["labels"] = labels;
        world.create(&kinds::DEPLOYMENTS, deployment);
    }
    world.run(Duration::from_secs(2));
    assert_eq!(world.list(&kinds::PODS).len(), 12);
    world.hold_pods(false);
    world.run(Duration::from_secs(15));
    let deployments = world.list(&kinds::DEPLOYMENTS);
    assert!(deployments.iter().all(|d| d.int("status.readyReplicas") == Some(1)), "all of them are ready");
    assert_eq!(world.list(&kinds::PODS).len(), 12);
}
