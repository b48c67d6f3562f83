//! What is planned for StatefulSets in certain states.

use api::Object;
use json::{Value, json};
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

/// A set of this size with one claim a pod and a policy, and its claims with these owners.
fn set_with_claims(replicas: i64, when_deleted: &str, when_scaled: &str) -> Object {
    set(json!({"replicas": replicas,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": when_deleted, "whenScaled": when_scaled},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {}}]}))
}

fn claim(number: i64, owners: Value) -> Object {
    Object::new(
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": format!("data-db-{number}"),
        "namespace": "d", "uid": format!("c{number}"), "resourceVersion": "7", "ownerReferences": owners}}),
    )
}

fn by_set() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true, "blockOwnerDeletion": true})
}

fn by_pod(number: i64) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "name": format!("db-{number}"), "uid": number.to_string(), "controller": true,
        "blockOwnerDeletion": true})
}

/// The owners that a look at a set of two pods, of which `replicas` stay, gives to the second's claim; none if it writes none.
fn owners_after(set: &Object, owners: Value) -> Option<Value> {
    let revision = revision(set);
    let pods = [0, 1].map(|n| pod(n, revision.name(), true));
    let first = claim(
        0,
        if set.str("spec.persistentVolumeClaimRetentionPolicy.whenDeleted") == "Delete" {
            json!([by_set()])
        } else {
            json!([])
        },
    );
    let mut all = vec![set.clone(), revision, first, claim(1, owners)];
    all.extend(pods);
    let caches = Caches::with(&all);
    let changes = reconcile(&View::new(&caches, Time::from_unix_seconds(1_795_230_500)), "d/db").unwrap();
    changes.into_iter().find_map(|change| match change {
        crate::change::Change::Write(write) => match write.op {
            crate::change::Op::Update(object) if object.name() == "data-db-1" => {
                Some(object.at("metadata.ownerReferences").clone())
            }
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn claims_belong_to_who_takes_them_along() {
    let after = |replicas, deleted, scaled, owners| owners_after(&set_with_claims(replicas, deleted, scaled), owners);
    let (set, pod) = (by_set, || by_pod(1));
    for (replicas, deleted, scaled, wanted) in [
        (2, "Retain", "Retain", json!([])),
        (2, "Delete", "Retain", json!([set()])),
        (2, "Retain", "Delete", json!([])),
        (2, "Delete", "Delete", json!([set()])),
        (1, "Retain", "Retain", json!([])),
        (1, "Delete", "Retain", json!([set()])),
        (1, "Retain", "Delete", json!([pod()])),
        (1, "Delete", "Delete", json!([pod()])),
    ] {
        let shown = if wanted == json!([]) { Value::Null } else { wanted.clone() };
        assert_eq!(after(replicas, deleted, scaled, wanted), None, "{replicas} {deleted} {scaled}: nothing to do");
        for other in [json!([]), json!([set()]), json!([pod()]), json!([set(), pod()])] {
            if let Some(found) = after(replicas, deleted, scaled, other) {
                assert_eq!(found, shown, "{replicas} {deleted} {scaled}");
            }
        }
    }
}

#[test]
fn claims_of_others_are_left_alone() {
    let set = set_with_claims(2, "Delete", "Delete");
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "x", "controller": true});
    assert_eq!(owners_after(&set, json!([other.clone()])), None);
    assert_eq!(owners_after(&set, json!([other.clone(), by_set()])), Some(json!([other])));
    let mut earlier = by_set();
    earlier["uid"] = "before".into();
    assert_eq!(owners_after(&set, json!([earlier])), None);
    let mut no_controller = by_set();
    no_controller["controller"] = false.into();
    assert_eq!(owners_after(&set, json!([no_controller])), Some(json!([by_set()])));
}

#[test]
fn a_changed_policy_is_told() {
    let set = set_with_claims(1, "Delete", "Retain");
    let revision = revision(&set);
    let ready = pod(0, revision.name(), true);
    let told = "update PersistentVolumeClaim data-db-0 replicas=null\nevent StatefulSet db Normal SuccessfulUpdate: Update Pod db-0 in StatefulSet db successful";
    assert_eq!(plan(&set, &[revision.clone(), ready.clone(), claim(0, json!([]))]), told);
    assert_eq!(plan(&set, &[revision, ready, claim(0, json!([by_set()]))]), "");
}

#[test]
fn a_pod_waits_for_the_claim_of_an_earlier_one() {
    let set = set_with_claims(1, "Retain", "Delete");
    let revision = revision(&set);
    assert_eq!(plan(&set, &[revision.clone(), claim(0, json!([by_pod(0)]))]), "");
    assert_eq!(plan(&set, &[revision.clone(), claim(0, json!([]))]), create(0));
    let mut going = claim(0, json!([]));
    going.set("metadata.deletionTimestamp", "2026-11-21T03:04:45Z");
    let told = "event StatefulSet db Warning FailedCreate: Create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted\nagain";
    assert_eq!(plan(&set, &[revision, going]), told);
}
