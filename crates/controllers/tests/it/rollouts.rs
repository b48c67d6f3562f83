use std::time::Duration;

use api::kinds;
use client::{DeleteOptions, Propagation};
use json::{Value, json};

use crate::facts::check;
use crate::record::Record;
use crate::world::{World, deployment};

/// What is recorded must not depend on chance.
const SEEDS: [u64; 3] = [1, 7, 42];
const SETTLE: Duration = Duration::from_secs(6);

struct Session {
    world: World,
    record: Record,
}

impl Session {
    fn new(seed: u64) -> Session {
        let world = World::new(seed);
        let record = Record::start(&world);
        world.run(Duration::ZERO);
        Session { world, record }
    }

    fn create(&self, replicas: i64) {
        self.record.command(&format!("kubectl create deployment web --image=nginx:1.25 --replicas={replicas}"));
        self.world.create(&kinds::DEPLOYMENTS, deployment(replicas, "nginx:1.25"));
        self.world.run(SETTLE);
    }

    fn change(&self, command: &str, patch: Value) {
        self.record.command(command);
        self.world.patch(&kinds::DEPLOYMENTS, "web", patch);
        self.world.run(SETTLE);
    }

    fn set_image(&self, image: &str) {
        let containers = json!([{"name": "nginx", "image": image}]);
        let command = format!("kubectl set image deployment/web nginx={image}");
        self.change(&command, json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    }

    fn scale(&self, replicas: i64) {
        let command = format!("kubectl scale deployment web --replicas={replicas}");
        self.change(&command, json!({"spec": {"replicas": replicas}}));
    }
}

#[test]
fn create_and_scale_as_recorded() {
    SEEDS.into_iter().for_each(create_and_scale);
}

fn create_and_scale(seed: u64) {
    let session = Session::new(seed);
    session.create(3);
    for replicas in [5, 2, 0] {
        session.scale(replicas);
    }
    check(
        &format!("create and scale, seed={seed},"),
        include_str!("facts/deployment-create-scale.txt"),
        &session.record.text(),
    );
}

#[test]
fn roll_out_and_undo_as_recorded() {
    SEEDS.into_iter().for_each(roll_out_and_undo);
}

fn roll_out_and_undo(seed: u64) {
    let session = Session::new(seed);
    session.create(4);
    session.set_image("nginx:1.26");
    session.set_image("nginx:notfound");
    let containers = json!([{"name": "nginx", "image": "nginx:1.26"}]);
    let command = "kubectl rollout undo deployment/web";
    session.change(command, json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-21T03:04:26Z"});
    let command = "kubectl rollout restart deployment/web";
    session.change(command, json!({"spec": {"template": {"metadata": {"annotations": annotations}}}}));
    check(
        &format!("roll out and undo, seed={seed},"),
        include_str!("facts/deployment-rollout-undo.txt"),
        &session.record.text(),
    );
}

#[test]
fn pods_come_back_and_foreground_deletion_waits_as_recorded() {
    SEEDS.into_iter().for_each(pods_come_back_and_foreground_deletion_waits);
}

fn pods_come_back_and_foreground_deletion_waits(seed: u64) {
    let session = Session::new(seed);
    session.create(2);
    session.record.command("kubectl delete pod -l app=web --wait=false");
    for pod in session.world.list(&kinds::PODS) {
        session.world.delete(&kinds::PODS, pod.name(), DeleteOptions::default());
    }
    session.world.run(SETTLE);
    session.record.command("kubectl delete deployment web --cascade=foreground");
    let options = DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
    session.world.delete(&kinds::DEPLOYMENTS, "web", options);
    session.world.run(SETTLE);
    check(
        &format!("self-heal and delete, seed={seed},"),
        include_str!("facts/self-heal-and-delete.txt"),
        &session.record.text(),
    );
    assert!(session.world.list(&kinds::PODS).is_empty());
}
