//! The inspector's facts and relations.

use std::collections::BTreeMap;

use api::Object;
use expect_test::{Expect, expect};
use json::json;
use simulation::Time;
use web::inspect::inspect;
use web::picture::Objects;
use web::protocol::{Inspection, Subject};

struct Cluster(BTreeMap<&'static str, Vec<Object>>);

impl Objects for Cluster {
    fn all(&self, _api_version: &str, kind: &str) -> Vec<Object> {
        self.0.get(kind).cloned().unwrap_or_default()
    }
}

fn owner(kind: &str, name: &str) -> json::Value {
    json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true }])
}

fn cluster() -> Cluster {
    let created = "2026-11-21T10:00:00Z";
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "default", "uid": "web", "creationTimestamp": created },
        "spec": {
            "replicas": 2,
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 1 } },
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "spec": { "containers": [{ "name": "web", "image": "web:v1" }] } },
        },
        "status": { "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1, "unavailableReplicas": 1 },
    });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": "web-1", "namespace": "default", "uid": "web-1", "creationTimestamp": created,
            "ownerReferences": owner("Deployment", "web"),
        },
        "spec": { "replicas": 2 },
    });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-1-a", "namespace": "default", "uid": "p", "creationTimestamp": created,
            "labels": { "app": "web" }, "ownerReferences": owner("ReplicaSet", "web-1"), "managedFields": [],
        },
        "spec": { "nodeName": "minikube", "containers": [{ "name": "web", "image": "web:v1" }] },
        "status": {
            "phase": "Pending", "podIP": "10.244.0.5",
            "containerStatuses": [{ "ready": false, "restartCount": 3, "state": { "waiting": { "reason": "ImagePullBackOff" } } }],
        },
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "web", "namespace": "default", "uid": "s", "creationTimestamp": created },
        "spec": {
            "type": "NodePort", "clusterIP": "10.96.0.9", "selector": { "app": "web" },
            "ports": [{ "port": 80, "targetPort": 8080, "nodePort": 31234, "protocol": "TCP" }],
        },
    });
    let event = json!({
        "metadata": { "name": "e", "namespace": "default" }, "involvedObject": { "uid": "p" }, "type": "Warning",
        "reason": "BackOff", "message": "Back-off pulling image", "lastTimestamp": "2026-11-21T10:00:30Z", "count": 4,
        "source": { "component": "kubelet" },
    });
    let kinds = [
        ("Deployment", deployment),
        ("ReplicaSet", set),
        ("Pod", pod),
        ("Service", service),
        ("Event", event),
        (
            "Node",
            json!({ "metadata": { "name": "minikube", "uid": "n" }, "spec": { "taints": [{ "key": "k", "effect": "NoSchedule" }] } }),
        ),
    ];
    Cluster(kinds.into_iter().map(|(kind, value)| (kind, vec![Object::new(value)])).collect())
}

fn shown(api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Inspection> {
    let subject = Subject {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let now = Time::parse_rfc3339("2026-11-21T10:01:00Z").expect("a time");
    inspect(&cluster(), &subject, now)
}

fn check(inspection: Option<Inspection>, expected: &Expect) {
    let inspection = inspection.expect("the object exists");
    let mut text = String::new();
    for (label, value) in &inspection.facts {
        text += &format!("{label}: {}\n", value.replace('\n', " / "));
    }
    for (label, subjects) in [("owners", &inspection.owners), ("owned", &inspection.owned)] {
        let names: Vec<_> = subjects.iter().map(|s| format!("{} {}", s.kind, s.name)).collect();
        text += &format!("{label}: {}\n", if names.is_empty() { "none".to_owned() } else { names.join(", ") });
    }
    for event in &inspection.events {
        text += &format!("event: {} {} {} x{} {}\n", event.level, event.reason, event.age, event.count, event.from);
    }
    expected.assert_eq(&text);
}

#[test]
fn a_pod() {
    let pod = shown("v1", "Pod", "default", "web-1-a");
    assert!(pod.as_ref().is_some_and(|p| !p.yaml.contains("managedFields") && p.containers == ["web"]));
    check(
        pod,
        &expect![[r#"
        Status: ImagePullBackOff
        Ready: 0/1
        Restarts: 3
        Node: minikube
        IP: 10.244.0.5
        Images: web:v1
        Labels: app=web
        Age: 60s
        owners: ReplicaSet web-1, Deployment web
        owned: none
        event: Warning BackOff 30s x4 kubelet
    "#]],
    );
}

#[test]
fn a_deployment_and_what_it_owns() {
    check(
        shown("apps/v1", "Deployment", "default", "web"),
        &expect![[r#"
        Replicas: 2 desired | 2 updated | 2 total | 1 available | 1 unavailable
        Strategy: RollingUpdate, 1 max unavailable, 25% max surge
        Selector: app=web
        Images: web:v1
        Age: 60s
        owners: none
        owned: ReplicaSet web-1
    "#]],
    );
    check(
        shown("apps/v1", "ReplicaSet", "default", "web-1"),
        &expect![[r#"
        Replicas: 0 current / 2 desired
        Ready: 0
        Age: 60s
        owners: Deployment web
        owned: Pod web-1-a
    "#]],
    );
}

#[test]
fn a_service_leads_to_the_pods_that_it_selects() {
    check(
        shown("v1", "Service", "default", "web"),
        &expect![[r#"
        Type: NodePort
        IP: 10.96.0.9
        Ports: 80 -> 8080/TCP (nodePort 31234)
        Selector: app=web
        Age: 60s
        owners: none
        owned: Pod web-1-a
    "#]],
    );
}

#[test]
fn a_node_has_its_pods() {
    check(
        shown("v1", "Node", "", "minikube"),
        &expect![[r#"
        Taints: k:NoSchedule
        Age: <unknown>
        owners: none
        owned: Pod web-1-a
    "#]],
    );
}

#[test]
fn what_does_not_exist_is_nothing() {
    assert_eq!(shown("v1", "Pod", "default", "nosuch"), None);
    assert_eq!(shown("v1", "Pod", "other", "web-1-a"), None);
}
