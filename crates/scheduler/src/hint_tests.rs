//! What wakes a pod that was refused, and what does not: the queueing hints of each plugin (`isSchedulableAfter...`).

use std::collections::BTreeSet;

use api::Object;
use json::{Value, json};
use simulation::Time;

use crate::framework::{Change, ClusterEvent};
use crate::queue::Queue;

const NOW: Time = Time::from_unix_seconds(1_000);

fn pod(name: &str, labels: Value, spec: Value) -> Object {
    Object::new(json!({"metadata": {"name": name, "namespace": "d", "uid": name, "labels": labels}, "spec": spec}))
}

fn node(labels: Value, spec: Value, cpu: &str) -> Object {
    let allocatable = json!({"cpu": cpu, "memory": "8Gi", "pods": "110"});
    Object::new(
        json!({"metadata": {"name": "n", "labels": labels}, "spec": spec, "status": {"allocatable": allocatable}}),
    )
}

fn asks(cpu: &str) -> Value {
    json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]})
}

/// Whether a pod that one plugin refused is tried again after a change.
#[track_caller]
fn check(waiting: &Object, plugin: &'static str, change: Change, expected: bool) {
    let mut queue = Queue::default();
    queue.add(waiting, NOW);
    let tried = queue.pop(NOW).unwrap();
    queue.refused(tried, BTreeSet::from([plugin]), NOW);
    let later = NOW + std::time::Duration::from_secs(5);
    queue.happened(change, later);
    assert_eq!(queue.has_due(later), expected);
}

#[test]
fn labels_of_a_node() {
    let waiting = pod("p", json!({}), json!({"nodeSelector": {"disk": "ssd"}}));
    let (plain, ssd) = (node(json!({}), json!({}), "1"), node(json!({"disk": "ssd"}), json!({}), "1"));
    let both = node(json!({"disk": "ssd", "a": "b"}), json!({}), "1");
    let labels = |old: &Object, new: &Object| Change::changed(ClusterEvent::NodeLabels, old, new);
    check(&waiting, "NodeAffinity", labels(&plain, &ssd), true);
    check(&waiting, "NodeAffinity", labels(&ssd, &plain), false);
    check(&waiting, "NodeAffinity", labels(&ssd, &both), false);
    check(&waiting, "NodeAffinity", Change::added(ClusterEvent::NodeAdded, &ssd), true);
    check(&waiting, "NodeAffinity", Change::added(ClusterEvent::NodeAdded, &plain), false);
    check(&waiting, "NodeResourcesFit", labels(&plain, &ssd), false);
}

#[test]
fn taints_of_a_node() {
    let waiting = pod("p", json!({}), json!({"tolerations": [{"key": "gpu", "operator": "Exists"}]}));
    let tainted = |keys: &[&str]| {
        let taints: Vec<Value> = keys.iter().map(|key| json!({"key": key, "effect": "NoSchedule"})).collect();
        node(json!({}), json!({"taints": taints}), "1")
    };
    let taints = |old: &[&str], new: &[&str]| Change::changed(ClusterEvent::NodeTaints, &tainted(old), &tainted(new));
    check(&waiting, "TaintToleration", taints(&["a"], &[]), true);
    check(&waiting, "TaintToleration", taints(&["a"], &["gpu"]), true);
    check(&waiting, "TaintToleration", taints(&["a", "b"], &["a"]), false);
    check(&waiting, "TaintToleration", taints(&["gpu"], &[]), false);
    let cordoned = node(json!({}), json!({"unschedulable": true}), "1");
    let open = node(json!({}), json!({}), "1");
    check(&waiting, "NodeUnschedulable", Change::changed(ClusterEvent::NodeTaints, &cordoned, &open), true);
    check(&waiting, "NodeUnschedulable", Change::changed(ClusterEvent::NodeTaints, &open, &cordoned), false);
}

#[test]
fn room() {
    let waiting = pod("p", json!({}), asks("2"));
    let small = node(json!({}), json!({}), "1");
    let large = node(json!({}), json!({}), "2");
    let more = |old: &Object, new: &Object| Change::changed(ClusterEvent::NodeAllocatable, old, new);
    check(&waiting, "NodeResourcesFit", more(&small, &large), true);
    check(&waiting, "NodeResourcesFit", more(&large, &large), false);
    check(&waiting, "NodeResourcesFit", Change::added(ClusterEvent::NodeAdded, &small), false);
    let other = |spec: Value| pod("q", json!({}), spec);
    check(&waiting, "NodeResourcesFit", Change::removed(ClusterEvent::PodRemoved, &other(json!({}))), true);
    let less =
        |old: &str, new: &str| Change::changed(ClusterEvent::PodScaledDown, &other(asks(old)), &other(asks(new)));
    check(&waiting, "NodeResourcesFit", less("2", "1"), true);
    check(&waiting, "NodeResourcesFit", less("1", "1"), false);
    let port = |number: i64| json!({"containers": [{"name": "c", "ports": [{"hostPort": number}]}]});
    let waiting = pod("p", json!({}), port(80));
    check(&waiting, "NodePorts", Change::removed(ClusterEvent::PodRemoved, &other(port(80))), true);
    check(&waiting, "NodePorts", Change::removed(ClusterEvent::PodRemoved, &other(port(81))), false);
}

fn affine(kind: &str) -> Value {
    let term = json!([{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}]);
    json!({"affinity": {(kind): {"requiredDuringSchedulingIgnoredDuringExecution": term}}})
}

#[test]
fn pods_that_others_want_near_or_far() {
    let (near, away) = (pod("p", json!({}), affine("podAffinity")), pod("p", json!({}), affine("podAntiAffinity")));
    let web = pod("q", json!({"app": "web"}), json!({}));
    let db = pod("q", json!({"app": "db"}), json!({}));
    let labels = |old: &Object, new: &Object| Change::changed(ClusterEvent::PodLabels, old, new);
    let plugin = "InterPodAffinity";
    check(&near, plugin, labels(&db, &web), true);
    check(&near, plugin, labels(&web, &db), false);
    check(&away, plugin, labels(&web, &db), true);
    check(&away, plugin, labels(&db, &web), false);
    check(&near, plugin, Change::added(ClusterEvent::PodAssigned, &web), true);
    check(&near, plugin, Change::added(ClusterEvent::PodAssigned, &db), false);
    check(&away, plugin, Change::removed(ClusterEvent::PodRemoved, &web), true);
    check(&away, plugin, Change::removed(ClusterEvent::PodRemoved, &db), false);
    check(&web, plugin, Change::removed(ClusterEvent::PodRemoved, &away), true);
    let mut several = away.clone();
    let field = "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let term = |app: &str| json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": app}}});
    several.set(field, json!([term("web"), term("db")]));
    let cache = pod("q", json!({"app": "cache"}), json!({}));
    check(&several, plugin, Change::removed(ClusterEvent::PodRemoved, &web), true);
    check(&several, plugin, Change::removed(ClusterEvent::PodRemoved, &db), true);
    check(&several, plugin, Change::removed(ClusterEvent::PodRemoved, &cache), false);
    check(&several, plugin, labels(&db, &cache), true);
    check(&several, plugin, labels(&cache, &db), false);
    check(&web, plugin, Change::removed(ClusterEvent::PodRemoved, &several), true);
    let zone = |value: &str| node(json!({"zone": value}), json!({}), "1");
    let none = node(json!({}), json!({}), "1");
    // One that others refused, who want to be away from it, asks for nothing itself.
    check(&web, plugin, Change::added(ClusterEvent::NodeAdded, &zone("a")), true);
    check(&near, plugin, Change::added(ClusterEvent::NodeAdded, &zone("a")), true);
    check(&near, plugin, Change::added(ClusterEvent::NodeAdded, &none), false);
    let moved = |old: &Object, new: &Object| Change::changed(ClusterEvent::NodeLabels, old, new);
    check(&near, plugin, moved(&none, &zone("a")), true);
    check(&near, plugin, moved(&zone("a"), &none), false);
    check(&away, plugin, moved(&zone("a"), &none), true);
    check(&away, plugin, moved(&zone("a"), &zone("b")), true);
    check(&away, plugin, moved(&none, &zone("a")), false);
}

#[test]
fn pods_and_nodes_among_which_others_are_spread() {
    let constraint = json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}}}]);
    let waiting = pod("p", json!({"app": "web"}), json!({"topologySpreadConstraints": constraint}));
    let (web, db) = (pod("q", json!({"app": "web"}), json!({})), pod("q", json!({"app": "db"}), json!({})));
    let mut elsewhere = web.clone();
    elsewhere.set("metadata.namespace", "e");
    let plugin = "PodTopologySpread";
    check(&waiting, plugin, Change::removed(ClusterEvent::PodRemoved, &web), true);
    check(&waiting, plugin, Change::removed(ClusterEvent::PodRemoved, &elsewhere), false);
    check(&waiting, plugin, Change::removed(ClusterEvent::PodRemoved, &db), false);
    check(&waiting, plugin, Change::changed(ClusterEvent::PodLabels, &web, &db), true);
    let (zone, none) = (node(json!({"zone": "a"}), json!({}), "1"), node(json!({}), json!({}), "1"));
    check(&waiting, plugin, Change::removed(ClusterEvent::NodeRemoved, &zone), true);
    check(&waiting, plugin, Change::removed(ClusterEvent::NodeRemoved, &none), false);
    check(&waiting, plugin, Change::changed(ClusterEvent::NodeLabels, &none, &zone), true);
    let tainted = node(json!({"zone": "a"}), json!({"taints": [{"key": "x", "effect": "NoSchedule"}]}), "1");
    check(&waiting, plugin, Change::changed(ClusterEvent::NodeTaints, &zone, &tainted), true);
}

#[test]
fn many_that_wait_are_due_in_their_order() {
    let mut queue = Queue::default();
    let names: Vec<String> = (0..200).map(|n| format!("p{n:03}")).collect();
    for (at, name) in (0_u64..).zip(&names) {
        let now = NOW + std::time::Duration::from_secs(at);
        queue.add(&pod(name, json!({}), json!({})), now);
        let tried = queue.pop(now).unwrap();
        queue.refused(tried, BTreeSet::from(["NodeResourcesFit"]), now);
    }
    for (at, name) in (300_u64..).zip(&names) {
        let now = NOW + std::time::Duration::from_secs(at);
        assert_eq!(queue.next_due(), Some(now));
        assert_eq!(queue.pop(now).map(|queued| queued.pod.name().to_owned()).as_ref(), Some(name));
    }
}
