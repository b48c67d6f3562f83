use expect_test::{Expect, expect};
use json::{Value, json};

use super::*;
use crate::schedule::{Outcome, schedule};

fn node(name: &str, cpu: &str) -> Object {
    Object::new(json!({"metadata": {"name": name}, "spec": {},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}}))
}

fn pod(name: &str, priority: i64, cpu: &str) -> Object {
    let container = json!({"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}});
    Object::new(json!({"metadata": {"name": name, "namespace": "d", "uid": name, "labels": {"name": name}},
        "spec": {"priority": priority, "containers": [container]}, "status": {}}))
}

/// A pod's name, its priority, the hour in which it started.
type Row<'a> = (&'a str, i64, u8);

/// Nodes with as much CPU as the pods on them ask for, a core each.
fn cluster(nodes: &[(&str, &[Row<'_>])]) -> Cluster {
    let mut cluster = Cluster::default();
    for (name, pods) in nodes {
        cluster.set_node(&node(name, &pods.len().to_string()));
        for (pod_name, priority, hour) in *pods {
            let mut placed = pod(pod_name, *priority, "1");
            placed.set("spec.nodeName", *name);
            placed.set("status.startTime", format!("2026-11-22T{hour:02}:00:00Z"));
            cluster.place(&placed);
        }
    }
    cluster
}

fn protect(cluster: &mut Cluster, name: &str, allowed: i64) {
    let budget = json!({"metadata": {"name": name, "namespace": "d"},
        "spec": {"selector": {"matchLabels": {"name": name}}}, "status": {"disruptionsAllowed": allowed}});
    cluster.budgets.insert(format!("d/{name}"), Object::new(budget));
}

/// The node; or the message, and who has to go from where.
fn outcome(cluster: &Cluster, pod: &Object) -> String {
    match schedule(cluster, pod, &mut 0, &mut |_| 0).outcome {
        Outcome::Node(node) => node,
        Outcome::Unschedulable { message, nomination, .. } => match nomination {
            Nomination::Unchanged => format!("{message} (unchanged)"),
            Nomination::Withdrawn => message,
            Nomination::Given { node, victims } => {
                let names: Vec<&str> = victims.iter().map(Object::name).collect();
                format!("{message} From {node}: {}", names.join(" "))
            }
        },
    }
}

fn check(cluster: &Cluster, pod: &Object, expected: Expect) {
    expected.assert_eq(&outcome(cluster, pod));
}

/// The node whose pods have to go for a pod of priority 10 that needs so many cores.
fn chosen(cluster: &Cluster, cpu: &str) -> String {
    let text = outcome(cluster, &pod("p", 10, cpu));
    text.split_once(" From ").map_or(text.clone(), |(_, victims)| victims.to_owned())
}

#[test]
fn who_gives_way_is_said_by_the_nomination_alone() {
    let cluster = cluster(&[("n1", &[("a", 0, 1)])]);
    check(&cluster, &pod("p", 10, "1"), expect!["0/1 nodes are available: 1 Insufficient cpu. From n1: a"]);
}

#[test]
fn nobody_gives_way_to_equals_or_for_nothing() {
    let one = cluster(&[("n1", &[("a", 10, 1)]), ("n2", &[("b", 10, 1), ("c", 0, 1)])]);
    check(
        &one,
        &pod("p", 10, "2"),
        expect![
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 1 Insufficient cpu, 1 Preemption is not helpful for scheduling."
        ],
    );
    check(
        &one,
        &pod("p", 0, "1"),
        expect![
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
        ],
    );
    let mut polite = pod("p", 10, "1");
    polite.set("spec.preemptionPolicy", "Never");
    check(
        &one,
        &polite,
        expect![
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never. (unchanged)"
        ],
    );
}

#[test]
fn the_important_and_the_protected_are_spared() {
    let pods: &[Row<'_>] = &[("low", 1, 1), ("mid", 2, 1), ("young", 3, 5), ("old", 3, 2), ("high", 11, 1)];
    let mut cluster = cluster(&[("n1", pods)]);
    assert_eq!(chosen(&cluster, "1"), "n1: low");
    assert_eq!(chosen(&cluster, "2"), "n1: mid low");
    assert_eq!(chosen(&cluster, "3"), "n1: young mid low");
    assert_eq!(chosen(&cluster, "4"), "n1: old young mid low");
    protect(&mut cluster, "low", 0);
    assert_eq!(chosen(&cluster, "1"), "n1: mid", "a budget is worth more than a priority");
    assert_eq!(chosen(&cluster, "4"), "n1: old young mid low", "but no pod is safe by it");
    protect(&mut cluster, "low", 1);
    assert_eq!(chosen(&cluster, "1"), "n1: low", "the budget allows one");
}

#[test]
fn criteria_in_their_order() {
    // Each pair of nodes differs in one criterion and, the other way round, in a later one.
    let mut budget = cluster(&[("n1", &[("a", 1, 1)]), ("n2", &[("b", 5, 1)])]);
    assert_eq!(chosen(&budget, "1"), "n1: a");
    protect(&mut budget, "a", 0);
    assert_eq!(chosen(&budget, "1"), "n2: b", "no broken budget");
    let highest = cluster(&[("n1", &[("a", 5, 1), ("b", 1, 1)]), ("n2", &[("c", 4, 1), ("d", 4, 1)])]);
    assert_eq!(chosen(&highest, "2"), "n2: c d", "the lowest of the highest priorities");
    let sum = cluster(&[("n1", &[("a", 5, 9), ("b", 2, 9)]), ("n2", &[("c", 5, 1), ("d", 1, 1)])]);
    assert_eq!(chosen(&sum, "2"), "n2: c d", "the smallest sum");
    let mut count = cluster(&[("n1", &[("a", 5, 9), ("b", -PRIORITY_OFFSET, 9)])]);
    count.set_node(&node("n2", "2"));
    let mut large = pod("c", 5, "2");
    large.set("spec.nodeName", "n2");
    large.set("status.startTime", "2026-11-22T01:00:00Z");
    count.place(&large);
    assert_eq!(chosen(&count, "2"), "n2: c", "the fewest victims");
    let time = cluster(&[("n1", &[("a", 5, 2), ("b", 1, 9)]), ("n2", &[("c", 5, 3), ("d", 1, 1)])]);
    assert_eq!(chosen(&time, "2"), "n2: c d", "the shortest run of the most important");
    let same = cluster(&[("n1", &[("a", 5, 2)]), ("n2", &[("b", 5, 2)])]);
    assert_eq!(chosen(&same, "1"), "n1: a", "the first");
}

#[test]
fn only_what_is_refused_for_now_is_looked_at() {
    let mut cluster = cluster(&[("n1", &[("a", 0, 1)]), ("n2", &[("b", 5, 1)])]);
    let mut cordoned = node("n1", "1");
    cordoned.set("spec.unschedulable", true);
    cluster.set_node(&cordoned);
    check(
        &cluster,
        &pod("p", 10, "1"),
        expect!["0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. From n2: b"],
    );
}

#[test]
fn room_that_was_made_is_kept() {
    let mut cluster = Cluster::default();
    cluster.set_node(&node("n1", "1"));
    let mut waiting = pod("waiting", 10, "1");
    cluster.nominate(&waiting, "n1");
    check(
        &cluster,
        &pod("low", 0, "1"),
        expect![
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        ],
    );
    check(&cluster, &pod("high", 11, "1"), expect!["n1"]);
    // The pod itself takes it, though another node is as good.
    cluster.set_node(&node("n0", "1"));
    waiting.set("status.nominatedNodeName", "n1");
    check(&cluster, &waiting, expect!["n1"]);
    let names = |pods: Vec<Object>| pods.iter().map(|pod| pod.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(cluster.nominated_after(&pod("high", 11, "1"), "n1")), ["waiting"]);
    cluster.assume(&waiting, "n1");
    assert!(names(cluster.nominated_before(&pod("low", 0, "1"), "n1")).is_empty(), "it is there now");
}

#[test]
fn a_nomination_outlives_news_that_are_older() {
    let mut cluster = Cluster::default();
    let mut waiting = pod("waiting", 10, "1");
    let before = |cluster: &Cluster| cluster.nominated_before(&pod("low", 0, "1"), "n1").len();
    cluster.nominate(&waiting, "n1");
    cluster.renominate(&waiting, "");
    assert_eq!(before(&cluster), 1, "the status has not been written yet");
    waiting.set("status.nominatedNodeName", "n1");
    cluster.renominate(&waiting, "");
    assert_eq!(before(&cluster), 1);
    waiting.remove("status.nominatedNodeName");
    cluster.renominate(&waiting, "n1");
    assert_eq!(before(&cluster), 0, "somebody took it away");
}

#[test]
fn victims_that_still_end_are_waited_for() {
    let mut cluster = cluster(&[("n1", &[("a", 0, 1)]), ("n2", &[("b", 0, 1)])]);
    let mut waiting = pod("waiting", 10, "1");
    waiting.set("status.nominatedNodeName", "n1");
    check(&cluster, &waiting, expect!["0/2 nodes are available: 2 Insufficient cpu. From n1: a"]);
    let mut leaving = pod("a", 0, "1");
    leaving.set("spec.nodeName", "n1");
    leaving.set("metadata.deletionTimestamp", "2026-11-22T03:00:00Z");
    let why = |reason: &str| json!([{"type": "DisruptionTarget", "status": "True", "reason": reason}]);
    leaving.set("status.conditions", why("PreemptionByScheduler"));
    cluster.place(&leaving);
    check(
        &cluster,
        &waiting,
        expect![
            "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node. (unchanged)"
        ],
    );
    leaving.set("status.conditions", why("EvictionByEvictionAPI"));
    cluster.place(&leaving);
    check(&cluster, &waiting, expect!["0/2 nodes are available: 2 Insufficient cpu. From n1: a"]);
}

#[test]
fn the_explanation_names_the_victims() {
    let mut cluster = cluster(&[("n1", &[("a", 0, 1)]), ("n2", &[("b", 1, 1)])]);
    protect(&mut cluster, "b", 0);
    let decision = schedule(&cluster, &pod("p", 10, "1"), &mut 0, &mut |_| 0);
    let told: Value = json::to_value(&decision.explanation).unwrap();
    let nodes: Vec<String> =
        told["nodes"].as_array().unwrap().iter().map(|n| format!("{}: {}", n["name"], n["preemption"])).collect();
    expect![[r#"
        nominated "n1"
        "n1": {"victims":["d/a"],"violations":0}
        "n2": {"victims":["d/b"],"violations":1}"#]]
    .assert_eq(&format!("nominated {}\n{}", told["nominated"], nodes.join("\n")));
}
