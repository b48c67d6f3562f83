//! What is planned for StatefulSets in certain states.

use api::Object;
use serde_json::{Value, json};
use simulation::Time;

use super::reconcile::reconcile;
use crate::cache::Caches;
use crate::change::describe;
use crate::view::View;

fn set(spec: Value) -> Object {
    let mut set = Object::new(json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "d", "uid": "u", "resourceVersion": "5", "generation": 1},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"a": "b"}}, "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}}));
    for (field, value) in spec.as_object().cloned().unwrap_or_default() {
        set.set(&format!("spec.{field}"), value);
    }
    set
}

fn owner() -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}])
}

/// The revision of a set's template.
fn revision(set: &Object) -> Object {
    let data = crate::history::patch(set);
    let name = format!("db-{}", crate::history::hash(&data, 0));
    Object::new(json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1, "data": data,
        "metadata": {"name": name, "namespace": "d", "uid": name, "labels": {"a": "b"}, "ownerReferences": owner()}}))
}

fn pod(number: i64, revision: &str, is_ready: bool) -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("db-{number}"), "namespace": "d", "uid": number.to_string(),
            "labels": {"a": "b", "controller-revision-hash": revision}, "ownerReferences": owner()},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if is_ready { "True" } else { "False" }}]}}))
}

fn plan(set: &Object, others: &[Object]) -> String {
    let mut all = others.to_vec();
    all.push(set.clone());
    let caches = Caches::with(&all);
    let view = View::new(&caches, Time::from_unix_seconds(1_795_230_500));
    let lines = describe(&reconcile(&view, "d/db").unwrap());
    lines.lines().filter(|l| !l.starts_with("update StatefulSet")).collect::<Vec<_>>().join("\n")
}

fn create(number: i64) -> String {
    format!("create Pod db-{number} then SuccessfulCreate: Create Pod db-{number} in StatefulSet db successful")
}

#[test]
fn pods_come_one_after_another() {
    let set = set(json!({}));
    let revision = revision(&set);
    let made = format!("create ControllerRevision {}", revision.name());
    assert_eq!(plan(&set, &[]), format!("{made}\n{}", create(0)));
    let one = pod(0, revision.name(), false);
    assert_eq!(plan(&set, &[revision.clone(), one]), "");
    let one = pod(0, revision.name(), true);
    assert_eq!(plan(&set, &[revision, one]), create(1));
}

#[test]
fn parallel_pods_come_at_once() {
    let set = set(json!({"podManagementPolicy": "Parallel"}));
    let revision = revision(&set);
    assert_eq!(plan(&set, &[revision]), [create(0), create(1), create(2)].join("\n"));
}

#[test]
fn the_highest_number_goes_first() {
    let set = set(json!({"replicas": 1}));
    let revision = revision(&set);
    let pods = [0, 1, 2].map(|n| pod(n, revision.name(), true));
    let deleted = "delete Pod db-2 then SuccessfulDelete: Delete Pod db-2 in StatefulSet db successful";
    assert_eq!(plan(&set, &[&[revision][..], &pods].concat()), deleted);
}

#[test]
fn an_update_stops_at_the_partition() {
    let set = set(json!({}));
    let revision = revision(&set);
    let update = |ready: bool, partition: i64, news: usize| {
        let mut set = set.clone();
        set.set("spec.updateStrategy.rollingUpdate.partition", partition);
        let version = |n: usize| if n >= 3 - news { revision.name() } else { "db-old" };
        let pods = [0, 1, 2].map(|n| pod(n, version(usize::try_from(n).unwrap()), ready || n < 2));
        plan(&set, &[&[revision.clone()][..], &pods].concat())
    };
    assert!(update(true, 0, 0).starts_with("delete Pod db-2"));
    assert!(update(true, 0, 1).starts_with("delete Pod db-1"));
    assert_eq!(update(false, 0, 1), "");
    assert_eq!(update(true, 2, 1), "");
    assert_eq!(update(true, 0, 3), "");
}

#[test]
fn claims_come_before_their_pod() {
    let set = set(json!({"replicas": 1, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}));
    let claim = "create PersistentVolumeClaim data-db-0 then SuccessfulCreate: Create Claim data-db-0 Pod db-0 in StatefulSet db success";
    assert_eq!(plan(&set, &[revision(&set)]), format!("{claim}\n{}", create(0)));
}
