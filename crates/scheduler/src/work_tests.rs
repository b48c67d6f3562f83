//! How much a decision looks at: what is asked of the pods that are there already must not take longer the more there are.

use std::rc::Rc;

use api::Object;
use json::{Value, json};

use crate::cluster::Cluster;
use crate::schedule::{Outcome, schedule};
use crate::tally::TALLIES_MAX;

const NODES: usize = 120;

fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for number in 0..NODES {
        let name = format!("n{number:03}");
        let labels = json!({"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": format!("z{}", number % 3)});
        cluster.set_node(&Object::new(json!({"metadata": {"name": name, "labels": labels}, "spec": {},
            "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "500"}}})));
    }
    let set =
        json!({"metadata": {"name": "web", "namespace": "d"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}});
    cluster.replica_sets.insert("d/web".into(), Object::new(set));
    cluster
}

/// A pod that asks about others in every way there is.
fn pod(name: &str) -> Object {
    let meant = json!({"matchLabels": {"app": "web"}});
    let spread = |key: &str, when: &str| json!({"maxSkew": 500, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": meant});
    let near = json!([{"topologyKey": "topology.kubernetes.io/zone", "labelSelector": meant}]);
    let away =
        json!([{"weight": 10, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": meant}}]);
    let port = json!([{"containerPort": 80, "hostPort": 9_000 + name.len()}]);
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]);
    Object::new(json!({
        "metadata": {"name": name, "namespace": "d", "uid": name, "labels": {"app": "web"}, "ownerReferences": owner},
        "spec": {"containers": [{"name": "c", "image": "nginx", "ports": if name.starts_with("port") { port } else { json!([]) }}],
            "topologySpreadConstraints": [spread("kubernetes.io/hostname", "DoNotSchedule"), spread("topology.kubernetes.io/zone", "ScheduleAnyway")],
            "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": near},
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": away}}}}))
}

/// A pod that asks for nothing: what every workload gets is asked for it.
fn plain(name: &str) -> Object {
    let mut plain = pod(name);
    plain.remove("spec.topologySpreadConstraints");
    plain.remove("spec.affinity");
    plain
}

/// At how many pods that are there a decision about this one looks, which is then placed.
fn looked(cluster: &mut Cluster, pod: &Object, start: &mut usize) -> usize {
    let before = cluster.looked.get();
    place(cluster, pod, start);
    cluster.looked.get() - before
}

fn place(cluster: &mut Cluster, pod: &Object, start: &mut usize) {
    match schedule(cluster, pod, start, &mut |_| 0).outcome {
        Outcome::Node(node) => cluster.assume(pod, &node),
        Outcome::Unschedulable { message, .. } => panic!("{message}"),
    }
}

/// Places so many pods, and says at how many pods that are there the last one looks.
fn looked_by_the_last(pods: usize, make: fn(&str) -> Object) -> usize {
    let (mut cluster, mut start) = (cluster(), 0);
    for number in 0..pods {
        place(&mut cluster, &make(&format!("p{number}")), &mut start);
    }
    looked(&mut cluster, &make("port-last"), &mut start)
}

#[test]
fn a_decision_looks_at_no_pod_that_is_there() {
    for make in [plain, pod] {
        assert_eq!(looked_by_the_last(50, make), 0);
        assert_eq!(looked_by_the_last(600, make), 0);
    }
}

#[test]
fn a_selector_that_is_new_looks_once() {
    let (mut cluster, mut start) = (cluster(), 0);
    for number in 0..30 {
        place(&mut cluster, &plain(&format!("p{number}")), &mut start);
    }
    let mut other = pod("other");
    other.set("metadata.labels.app", "other");
    other.set("spec.affinity", Value::Null);
    let spread = json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "other"}}}]);
    other.set("spec.topologySpreadConstraints", spread);
    assert_eq!(looked(&mut cluster, &other, &mut start), 30);
    other.set("metadata.name", "another");
    assert_eq!(looked(&mut cluster, &other, &mut start), 0);
}

#[test]
fn tallies_follow_what_happens_to_pods() {
    use crate::tally::{Clause, Matcher};
    let selector = api::selector::LabelSelector::parse("app=web").unwrap();
    let web = |leaving: bool| {
        let clause = Clause { namespaces: Some(vec!["d".to_owned()]), selector: selector.clone() };
        Matcher { clauses: vec![clause], leaving }
    };
    let mut cluster = cluster();
    let told = |cluster: &Cluster| {
        let count = |leaving: bool| (0..NODES).map(|slot| cluster.tally(&web(leaving)).on(slot)).sum::<i64>();
        (count(false), count(true))
    };
    assert_eq!(told(&cluster), (0, 0));
    let mut first = plain("first");
    cluster.assume(&first, "n001");
    cluster.assume(&plain("second"), "n002");
    assert_eq!(told(&cluster), (2, 2));
    first.set("spec.nodeName", "n001");
    first.set("status.phase", "Running");
    cluster.place(&first);
    assert_eq!(told(&cluster), (2, 2), "what is not asked changes nothing");
    first.set("metadata.deletionTimestamp", "2026-11-22T00:00:00Z");
    cluster.place(&first);
    assert_eq!(told(&cluster), (1, 2), "it leaves");
    first.set("metadata.labels.app", "db");
    cluster.place(&first);
    assert_eq!(told(&cluster), (1, 1), "it is another's now");
    cluster.remove("d/second");
    assert_eq!(told(&cluster), (0, 0));
    let kept = cluster.tally(&web(true));
    assert!(Rc::ptr_eq(&kept, &cluster.tally(&web(true))), "it is kept");
    for number in 0..TALLIES_MAX {
        let mut other = web(true);
        other.clauses[0].namespaces = Some(vec![number.to_string()]);
        cluster.tally(&other);
    }
    assert!(!Rc::ptr_eq(&kept, &cluster.tally(&web(true))), "others were asked for since");
}
