//! What is planned for DaemonSets in certain states.

use api::Object;
use json::{Value, json};
use simulation::Time;

use super::reconcile::reconcile;
use crate::cache::Caches;
use crate::change::describe;
use crate::view::View;

fn set(rolling: Value) -> Object {
    Object::new(json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "d", "uid": "u", "resourceVersion": "5", "generation": 1},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}}))
}

fn one_by_one() -> Object {
    set(json!({"maxUnavailable": 1, "maxSurge": 0}))
}

fn node(name: &str, taints: Value) -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name},
        "spec": {"taints": taints}}))
}

fn owner() -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": true}])
}

fn revision(set: &Object) -> Object {
    Object::new(json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "data": crate::history::patch(set),
        "metadata": {"name": "agent-new", "namespace": "d", "uid": "r", "ownerReferences": owner(),
            "labels": {"a": "b", "controller-revision-hash": "new"}}}))
}

fn pod(node: &str, hash: &str, phase: &str) -> Object {
    let name = format!("agent-{node}-{hash}");
    Object::new(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "d", "uid": name, "ownerReferences": owner(),
            "creationTimestamp": "2026-11-21T00:00:00Z", "labels": {"a": "b", "controller-revision-hash": hash}},
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]}}))
}

fn plan(set: &Object, others: &[Object]) -> String {
    let mut all = others.to_vec();
    all.extend([set.clone(), revision(set)]);
    let caches = Caches::with(&all);
    let view = View::new(&caches, Time::from_unix_seconds(1_795_230_500));
    let lines = describe(&reconcile(&view, "d/agent").unwrap());
    lines.lines().filter(|l| !l.starts_with("update DaemonSet")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_node_gets_a_pod_unless_it_repels_them() {
    let repelling = json!([{"key": "gpu", "effect": "NoSchedule"}]);
    let cordoned = json!([{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]);
    let nodes = [node("n1", json!([])), node("n2", repelling), node("n3", cordoned)];
    let create = "batch [create Pod agent- then SuccessfulCreate: Created pod: {name}]";
    assert_eq!(plan(&one_by_one(), &nodes), [create, create].join("\n"));
}

#[test]
fn pods_of_a_node_that_drives_them_away_go() {
    let staying = json!([{"key": "gpu", "effect": "NoSchedule"}]);
    let leaving = json!([{"key": "gpu", "effect": "NoExecute"}]);
    let pods = [pod("n1", "new", "Running"), pod("n2", "new", "Running")];
    let nodes = [node("n1", staying), node("n2", leaving)];
    let plan = plan(&one_by_one(), &[&nodes[..], &pods].concat());
    assert_eq!(plan, "batch [delete Pod agent-n2-new then SuccessfulDelete: Deleted pod: agent-n2-new]");
}

#[test]
fn failed_pods_are_told_of_and_deleted() {
    let plan = plan(&one_by_one(), &[node("n1", json!([])), pod("n1", "new", "Failed")]);
    let told = "event DaemonSet agent Warning FailedDaemonPod: Found failed daemon pod d/agent-n1-new on node n1, will try to kill it";
    assert!(plan.starts_with(told), "{plan}");
}

#[test]
fn an_update_deletes_one_pod_at_a_time_or_adds_one_first() {
    let world =
        [node("n1", json!([])), node("n2", json!([])), pod("n1", "old", "Running"), pod("n2", "old", "Running")];
    let deletion = plan(&one_by_one(), &world);
    assert_eq!(deletion, "batch [delete Pod agent-n1-old then SuccessfulDelete: Deleted pod: agent-n1-old]");
    let surge = plan(&set(json!({"maxUnavailable": 0, "maxSurge": 1})), &world);
    assert_eq!(surge, "batch [create Pod agent- then SuccessfulCreate: Created pod: {name}]");
}
