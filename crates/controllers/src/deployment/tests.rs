//! Single looks at Deployments; the whole sequences are in tests/ against the API server.

use api::Object;
use expect_test::{Expect, expect};
use json::{Value, json};
use simulation::Time;

use super::reconcile::reconcile;
use crate::cache::Caches;
use crate::change::describe;
use crate::view::{Failure, Verb, View};

const NOW: Time = Time::from_unix_seconds(1_795_230_229);

fn deployment(replicas: i64, image: &str) -> Object {
    Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "d", "uid": "dep", "generation": 1, "resourceVersion": "10",
            "labels": {"app": "web"}},
        "spec": {
            "replicas": replicas, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template(image, None),
        },
        "status": {},
    }))
}

fn template(image: &str, hash: Option<&str>) -> Value {
    let mut template = json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "nginx", "image": image, "resources": {}}]}});
    if let Some(hash) = hash {
        template["metadata"]["labels"]["pod-template-hash"] = hash.into();
    }
    template
}

/// A ReplicaSet of the deployment: name, revision, image, size, available pods.
fn set(name: &str, revision: i64, image: &str, replicas: i64, available: i64, sized_for: i64) -> Object {
    Object::new(json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "d", "uid": name, "generation": 1, "resourceVersion": "11",
            "creationTimestamp": format!("2026-11-21T03:03:{:02}Z", 10 + revision),
            "labels": {"app": "web", "pod-template-hash": name},
            "annotations": {
                "deployment.kubernetes.io/revision": revision.to_string(),
                "deployment.kubernetes.io/desired-replicas": sized_for.to_string(),
                "deployment.kubernetes.io/max-replicas": (sized_for + (sized_for + 3) / 4).to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "dep",
                "controller": true, "blockOwnerDeletion": true}]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web", "pod-template-hash": name}},
            "template": template(image, Some(name))},
        "status": {"replicas": replicas, "readyReplicas": available, "availableReplicas": available,
            "fullyLabeledReplicas": replicas, "observedGeneration": 1, "terminatingReplicas": 0},
    }))
}

fn look(objects: &[Object], failure: Option<&Failure>) -> String {
    let caches = Caches::with(objects);
    let view = View { failure, ..View::new(&caches, NOW) };
    let text = describe(&reconcile(&view, "d/web").expect("no retry"));
    // Conditions are told by their reasons: their shape is checked once below.
    text
}

fn check(objects: &[Object], expected: Expect) {
    expected.assert_eq(&look(objects, None));
}

fn with(mut object: Object, path: &str, value: Value) -> Object {
    object.set(path, value);
    object
}

/// A deployment that has settled at some size and revision.
fn settled(replicas: i64, image: &str, revision: &str) -> Object {
    let mut d = deployment(replicas, image);
    d.set_annotation("deployment.kubernetes.io/revision", revision);
    d.set(
        "status",
        json!({"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas, "terminatingReplicas": 0,
        "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
                "message": "Deployment has minimum availability.",
                "lastUpdateTime": "2026-11-21T03:03:49Z", "lastTransitionTime": "2026-11-21T03:03:49Z"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                "message": "ReplicaSet \"web-a\" has successfully progressed.",
                "lastUpdateTime": "2026-11-21T03:03:49Z", "lastTransitionTime": "2026-11-21T03:03:49Z"}]}),
    );
    d
}

#[test]
fn first_look_creates_the_replica_set_and_ends_in_a_conflict_as_upstream() {
    check(
        &[deployment(3, "nginx:1.25")],
        expect![[r#"
            create ReplicaSet web-5648ff75b6 then ScalingReplicaSet: Scaled up replica set web-5648ff75b6 from 0 to 3
            update Deployment/status web: Progressing:True:NewReplicaSetCreated
            again"#]],
    );
}

#[test]
fn settled_is_left_alone() {
    check(&[settled(3, "nginx:1.25", "1"), set("web-a", 1, "nginx:1.25", 3, 3, 3)], expect![[""]]);
}

#[test]
fn scaling_goes_to_the_one_active_set() {
    let d = with(settled(3, "nginx:1.25", "1"), "spec.replicas", 5.into());
    check(
        &[d, set("web-a", 1, "nginx:1.25", 3, 3, 3)],
        expect![[r#"
        update ReplicaSet web-a replicas=5 then ScalingReplicaSet: Scaled up replica set web-a from 3 to 5
        update Deployment/status web: availableReplicas=3 observedGeneration=1 readyReplicas=3 replicas=3 terminatingReplicas=0 updatedReplicas=3 Progressing:True:NewReplicaSetAvailable Available:False:MinimumReplicasUnavailable"#]],
    );
}

#[test]
fn a_new_template_starts_a_rolling_update() {
    let d = with(settled(4, "nginx:1.25", "1"), "spec.template", template("nginx:1.26", None));
    check(
        &[d, set("web-a", 1, "nginx:1.25", 4, 4, 4)],
        expect![[r#"
            create ReplicaSet web-67d59c58f7 then ScalingReplicaSet: Scaled up replica set web-67d59c58f7 from 0 to 1
            update Deployment/status web: availableReplicas=4 observedGeneration=1 readyReplicas=4 replicas=4 terminatingReplicas=0 updatedReplicas=4 Available:True:MinimumReplicasAvailable Progressing:True:NewReplicaSetCreated
            update ReplicaSet web-a replicas=3 then ScalingReplicaSet: Scaled down replica set web-a from 4 to 3
            again"#]],
    );
}

#[test]
fn old_pods_go_when_new_ones_are_available() {
    let d = settled(4, "nginx:1.26", "2");
    let sets = [d, set("web-a", 1, "nginx:1.25", 3, 3, 4), set("web-b", 2, "nginx:1.26", 2, 1, 4)];
    check(
        &sets,
        expect![[r#"
        update ReplicaSet web-a replicas=2 then ScalingReplicaSet: Scaled down replica set web-a from 3 to 2
        update Deployment/status web: availableReplicas=4 observedGeneration=1 readyReplicas=4 replicas=5 terminatingReplicas=0 unavailableReplicas=1 updatedReplicas=2 Available:True:MinimumReplicasAvailable Progressing:True:NewReplicaSetAvailable"#]],
    );
}

#[test]
fn a_rollback_takes_the_old_set_and_gives_it_a_new_revision() {
    let d = settled(4, "nginx:1.25", "2");
    let mut old = set("web-a", 1, "nginx:1.25", 3, 3, 4);
    let stuck = set("web-b", 2, "nginx:nope", 2, 0, 4);
    check(
        &[d.clone(), old.clone(), stuck.clone()],
        expect![[r#"
        update ReplicaSet web-a replicas=3
        again"#]],
    );
    old.set_annotation("deployment.kubernetes.io/revision", "3");
    old.set_annotation("deployment.kubernetes.io/revision-history", "1");
    check(
        &[d, old, stuck],
        expect![[r#"
        update Deployment/status web: availableReplicas=4 observedGeneration=1 readyReplicas=4 replicas=4 terminatingReplicas=0 updatedReplicas=4 Available:True:MinimumReplicasAvailable Progressing:True:NewReplicaSetAvailable
        update ReplicaSet web-b replicas=0 then ScalingReplicaSet: Scaled down replica set web-b from 2 to 0
        again"#]],
    );
}

#[test]
fn several_active_sets_are_scaled_in_proportion() {
    let d = with(settled(4, "nginx:1.26", "2"), "spec.replicas", 10.into());
    let sets = [d, set("web-a", 1, "nginx:1.25", 3, 3, 4), set("web-b", 2, "nginx:1.26", 2, 0, 4)];
    check(
        &sets,
        expect![[r#"
        update ReplicaSet web-a replicas=8 then ScalingReplicaSet: Scaled up replica set web-a from 3 to 8
        update ReplicaSet web-b replicas=5 then ScalingReplicaSet: Scaled up replica set web-b from 2 to 5
        update Deployment/status web: availableReplicas=3 observedGeneration=1 readyReplicas=3 replicas=5 terminatingReplicas=0 unavailableReplicas=2 updatedReplicas=2 Progressing:True:NewReplicaSetAvailable Available:False:MinimumReplicasUnavailable"#]],
    );
}

#[test]
fn recreate_waits_for_the_old_pods() {
    let d = with(settled(2, "nginx:1.26", "1"), "spec.strategy", json!({"type": "Recreate"}));
    check(
        &[d.clone(), set("web-a", 1, "nginx:1.25", 2, 2, 2)],
        expect![[r#"
        update ReplicaSet web-a replicas=0 then ScalingReplicaSet: Scaled down replica set web-a from 2 to 0
        update Deployment/status web: availableReplicas=2 observedGeneration=1 readyReplicas=2 replicas=2 terminatingReplicas=0 Available:True:MinimumReplicasAvailable Progressing:True:NewReplicaSetAvailable"#]],
    );
    let mut gone = set("web-a", 1, "nginx:1.25", 0, 0, 2);
    let pod = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d",
        "uid": "p", "deletionTimestamp": "2026-11-21T03:03:49Z", "ownerReferences": [{"apiVersion": "apps/v1",
        "kind": "ReplicaSet", "name": "web-a", "uid": "web-a", "controller": true}]}, "status": {"phase": "Running"}}));
    gone.set("status", json!({"replicas": 0, "observedGeneration": 1, "terminatingReplicas": 1}));
    check(
        &[d.clone(), gone.clone(), pod],
        expect![
            "update Deployment/status web: observedGeneration=1 terminatingReplicas=1 Progressing:True:NewReplicaSetAvailable Available:False:MinimumReplicasUnavailable"
        ],
    );
    gone.set("status.terminatingReplicas", 0);
    check(
        &[d, gone],
        expect![[r#"
            create ReplicaSet web-67d59c58f7 then ScalingReplicaSet: Scaled up replica set web-67d59c58f7 from 0 to 2
            update Deployment/status web: availableReplicas=2 observedGeneration=1 readyReplicas=2 replicas=2 terminatingReplicas=0 updatedReplicas=2 Available:True:MinimumReplicasAvailable Progressing:True:NewReplicaSetCreated
            again"#]],
    );
}

#[test]
fn paused_does_not_roll_out() {
    let mut d = with(settled(4, "nginx:1.26", "1"), "spec.paused", true.into());
    check(
        &[d.clone(), set("web-a", 1, "nginx:1.25", 4, 4, 4)],
        expect![[r#"
        update Deployment/status web: availableReplicas=4 observedGeneration=1 readyReplicas=4 replicas=4 terminatingReplicas=0 updatedReplicas=4 Available:True:MinimumReplicasAvailable Progressing:Unknown:DeploymentPaused
        again"#]],
    );
    let paused = json!({"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused",
        "message": "Deployment is paused", "lastUpdateTime": "2026-11-21T03:03:49Z",
        "lastTransitionTime": "2026-11-21T03:03:49Z"});
    d.set("status.conditions", json!([d.at("status.conditions")[0].clone(), paused]));
    d.set("status.updatedReplicas", Value::Null);
    d.remove("status.updatedReplicas");
    check(&[d.clone(), set("web-a", 1, "nginx:1.25", 4, 4, 4)], expect![[""]]);
    d.set("spec.replicas", 6);
    check(
        &[d, set("web-a", 1, "nginx:1.25", 4, 4, 4)],
        expect![[r#"
        update ReplicaSet web-a replicas=6 then ScalingReplicaSet: Scaled up replica set web-a from 4 to 6
        update Deployment/status web: availableReplicas=4 observedGeneration=1 readyReplicas=4 replicas=4 terminatingReplicas=0 Progressing:Unknown:DeploymentPaused Available:False:MinimumReplicasUnavailable"#]],
    );
}

#[test]
fn the_deadline_passes() {
    let mut d = settled(4, "nginx:1.26", "2");
    d.set(
        "status",
        json!({"observedGeneration": 1, "replicas": 5, "updatedReplicas": 2, "readyReplicas": 3,
        "availableReplicas": 3, "unavailableReplicas": 2, "terminatingReplicas": 0, "conditions": [
            d.at("status.conditions")[0].clone(),
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
                "message": "ReplicaSet \"web-b\" is progressing.", "lastUpdateTime": "2026-11-21T02:55:00Z",
                "lastTransitionTime": "2026-11-21T02:50:00Z"}]}),
    );
    let sets = [set("web-a", 1, "nginx:1.25", 3, 3, 4), set("web-b", 2, "nginx:1.26", 2, 0, 4)];
    check(&[d.clone(), sets[0].clone(), sets[1].clone()], expect!["after 72s"]);
    let caches = Caches::with(&[d, sets[0].clone(), sets[1].clone()]);
    let view = View::new(&caches, NOW + std::time::Duration::from_secs(72));
    expect!["update Deployment/status web: availableReplicas=3 observedGeneration=1 readyReplicas=3 replicas=5 terminatingReplicas=0 unavailableReplicas=2 updatedReplicas=2 Available:True:MinimumReplicasAvailable Progressing:False:ProgressDeadlineExceeded"].assert_eq(&describe(&reconcile(&view, "d/web").expect("no retry")));
}

#[test]
fn history_is_kept_to_its_limit() {
    let d = with(settled(2, "nginx:4", "4"), "spec.revisionHistoryLimit", 1.into());
    let sets = [
        d,
        set("web-a", 1, "nginx:1", 0, 0, 2),
        set("web-b", 2, "nginx:2", 0, 0, 2),
        set("web-c", 3, "nginx:3", 0, 0, 2),
        set("web-d", 4, "nginx:4", 2, 2, 2),
    ];
    check(
        &sets,
        expect![[r#"
        delete ReplicaSet web-a
        delete ReplicaSet web-b"#]],
    );
}

#[test]
fn refusals_are_told() {
    let refused = |reason: &str, message: &str| Failure {
        verb: Verb::Create,
        kind: "ReplicaSet",
        code: 403,
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    let objects = [deployment(1, "nginx")];
    let forbidden = refused("Forbidden", "replicasets.apps \"web-x\" is forbidden: exceeded quota");
    expect![[r#"
        update Deployment/status web: Progressing:False:ReplicaSetCreateError
        event Deployment web Warning ReplicaSetCreateError: Failed to create new replica set "web-86bf68d978": replicasets.apps "web-x" is forbidden: exceeded quota
        again"#]].assert_eq(&look(&objects, Some(&forbidden)));
    // Another's ReplicaSet has the name.
    let exists = refused("AlreadyExists", "exists");
    let mut taken = set("web-86bf68d978", 1, "nginx", 1, 1, 1);
    taken.set("metadata.ownerReferences", json!([{"kind": "Deployment", "uid": "another", "controller": true}]));
    expect![[r#"
        update Deployment/status web: collisionCount=1
        again"#]]
    .assert_eq(&look(&[objects[0].clone(), taken], Some(&exists)));
}

#[test]
fn a_replica_set_whose_creation_was_not_heard_of_is_no_collision() {
    let exists = Failure {
        verb: Verb::Create,
        kind: "ReplicaSet",
        code: 409,
        reason: "AlreadyExists".to_owned(),
        message: "exists".to_owned(),
    };
    let web = deployment(1, "nginx");
    expect!["again"].assert_eq(&look(std::slice::from_ref(&web), Some(&exists)));
    let own = set("web-86bf68d978", 1, "nginx", 1, 1, 1);
    expect!["again"].assert_eq(&look(&[web, own], Some(&exists)));
}
