//! Removes what has lost its owners, and lets owners go when their dependents have gone
//! (`pkg/controller/garbagecollector`).
//!
//! Upstream keeps a graph of all objects; here the copies' index by owner is the graph. Keys are
//! `<resource> <namespace/name>`.

use api::{Kind, Object, OwnerReference, kinds};
use client::{DeleteOptions, Event, PatchType, Propagation};
use json::{Value, json};

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// Set by `--cascade=foreground`: the owner waits for its dependents.
const FOREGROUND: &str = "foregroundDeletion";
/// Set by `--cascade=orphan`: the dependents are let go first.
const ORPHAN: &str = "orphan";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "garbage-collector-controller",
    component: "garbage-collector-controller",
    follows: Follows::AllBut(&[&kinds::EVENTS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn key_of(kind: &Kind, object: &Object) -> Wake {
    Wake::key(format!("{} {}", kind.group_resource(), object.key()))
}

fn has_finalizer(object: &Object, finalizer: &str) -> bool {
    object.list("metadata.finalizers").iter().any(|f| f == finalizer)
}

/// Whether the object is being deleted and waits for its dependents.
fn waits_for_dependents(object: &Object) -> bool {
    object.is_deleting() && has_finalizer(object, FOREGROUND)
}

fn dependents<'a>(view: &View<'a>, uid: &'a str) -> impl Iterator<Item = (&'static Kind, &'a Object)> {
    let caches = view.caches;
    caches.kinds().flat_map(move |kind| caches.of(kind).owned_by(uid).map(move |object| (kind, object)))
}

/// The owner as the copies show it: same place, same uid.
fn find_owner<'a>(view: &View<'a>, kind: &Kind, dependent: &Object, owner: &OwnerReference) -> Option<&'a Object> {
    view.get(kind, &owner_key(kind, dependent, owner)).filter(|found| found.uid() == owner.uid)
}

fn owner_key(kind: &Kind, dependent: &Object, owner: &OwnerReference) -> String {
    if kind.namespaced { format!("{}/{}", dependent.namespace(), owner.name) } else { owner.name.clone() }
}

fn owner_kind(view: &View<'_>, owner: &OwnerReference) -> Option<&'static Kind> {
    view.caches.by_kind(&owner.api_version, &owner.kind)
}

fn has_absent_owner(view: &View<'_>, object: &Object) -> bool {
    let absent = |owner: &OwnerReference| {
        owner_kind(view, owner).is_some_and(|kind| find_owner(view, kind, object, owner).is_none())
    };
    object.owner_references().iter().any(absent)
}

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    let mut woken = Vec::new();
    match event {
        Event::Added(_) => {
            // One that is made while its owner already waits would hold it for ever.
            let is_late = !waiting_owners(view, object).is_empty();
            let concerned = object.is_deleting() || has_absent_owner(view, object) || is_late;
            woken.extend(concerned.then(|| key_of(kind, object)));
        }
        Event::Modified { old, new } => {
            let changed = |path: &str| old.at(path) != new.at(path);
            if changed("metadata.ownerReferences")
                || old.is_deleting() != new.is_deleting()
                || changed("metadata.finalizers")
            {
                woken.push(key_of(kind, new));
                woken.extend(waiting_owners(view, old));
            }
        }
        Event::Deleted(_) => {
            woken.extend(dependents(view, object.uid()).map(|(kind, dependent)| key_of(kind, dependent)));
            woken.extend(waiting_owners(view, object));
        }
    }
    if !matches!(event, Event::Deleted(_)) && waits_for_dependents(object) {
        woken.extend(dependents(view, object.uid()).map(|(kind, dependent)| key_of(kind, dependent)));
    }
    woken
}

fn waiting_owners(view: &View<'_>, dependent: &Object) -> Vec<Wake> {
    let waiting = |owner: OwnerReference| {
        let kind = owner_kind(view, &owner)?;
        let found = find_owner(view, kind, dependent, &owner).filter(|found| waits_for_dependents(found))?;
        Some(key_of(kind, found))
    };
    dependent.owner_references().into_iter().filter_map(waiting).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some((resource, object_key)) = key.split_once(' ') else { return Ok(Vec::new()) };
    let known = view.caches.kinds().find(|kind| kind.group_resource() == resource);
    let Some(kind) = known else { return Ok(Vec::new()) };
    let Some(object) = view.get(kind, object_key) else { return Ok(Vec::new()) };
    Ok(if waits_for_dependents(object) {
        release_when_alone(view, kind, object)
    } else if object.is_deleting() && has_finalizer(object, ORPHAN) {
        orphan(view, kind, object)
    } else if object.is_deleting() {
        Vec::new()
    } else {
        collect(view, kind, object)
    })
}

/// Foreground deletion ends when no dependent blocks it any more.
fn release_when_alone(view: &View<'_>, kind: &'static Kind, object: &Object) -> Vec<Change> {
    let blocks = |dependent: &Object| {
        let mut owners = dependent.owner_references().into_iter();
        owners.any(|owner| owner.uid == object.uid() && owner.block_owner_deletion == Some(true))
    };
    if dependents(view, object.uid()).any(|(_, dependent)| blocks(dependent)) {
        return Vec::new();
    }
    vec![remove_finalizer(kind, object, FOREGROUND)]
}

/// Lets every dependent go, then the owner.
fn orphan(view: &View<'_>, kind: &'static Kind, object: &Object) -> Vec<Change> {
    let release = |(kind, dependent)| without_owners(kind, dependent, &[object.uid()]);
    let mut changes: Vec<Change> = dependents(view, object.uid()).map(release).collect();
    changes.push(remove_finalizer(kind, object, ORPHAN));
    changes
}

fn remove_finalizer(kind: &'static Kind, object: &Object, finalizer: &str) -> Change {
    let rest: Vec<&Value> = object.list("metadata.finalizers").iter().filter(|f| *f != finalizer).collect();
    let patch = json!({ "metadata": { "resourceVersion": object.resource_version(), "finalizers": rest } });
    Change::from(Write::patch(kind, object, "", PatchType::Merge, patch))
}

fn without_owners(kind: &'static Kind, object: &Object, uids: &[&str]) -> Change {
    if api::custom::is_added(kind) {
        // Custom resources have no strategic patches.
        let uid = |reference: &Value| reference["uid"].as_str().is_some_and(|uid| uids.contains(&uid));
        let rest: Vec<&Value> = object.list("metadata.ownerReferences").iter().filter(|r| !uid(r)).collect();
        let patch = json!({ "metadata": { "resourceVersion": object.resource_version(), "ownerReferences": rest } });
        return Change::from(Write::patch(kind, object, "", PatchType::Merge, patch));
    }
    let references: Vec<Value> = uids.iter().map(|uid| json!({ "$patch": "delete", "uid": uid })).collect();
    let patch = json!({ "metadata": { "ownerReferences": references, "uid": object.uid() } });
    Change::from(Write::patch(kind, object, "", PatchType::Strategic, patch))
}

/// Deletes an object whose owners are all gone or wait for it (`attemptToDeleteItem`).
fn collect(view: &View<'_>, kind: &'static Kind, object: &Object) -> Vec<Change> {
    let owners = object.owner_references();
    let (mut solid, mut gone, mut waiting, mut confirm) = (0, Vec::new(), Vec::new(), Vec::new());
    for owner in &owners {
        // A kind that is not served cannot be looked up; its objects count as being there.
        let Some(owner_kind) = owner_kind(view, owner) else {
            solid += 1;
            continue;
        };
        match find_owner(view, owner_kind, object, owner) {
            None => {
                let key = owner_key(owner_kind, object, owner);
                confirm.push(Change::Unless { kind: owner_kind, key, uid: owner.uid.clone() });
                gone.push(owner.uid.as_str());
            }
            Some(found) if waits_for_dependents(found) && owner.block_owner_deletion == Some(true) => {
                waiting.push(owner.uid.as_str());
            }
            Some(_) => solid += 1,
        }
    }
    if owners.is_empty() || (gone.is_empty() && waiting.is_empty()) {
        return Vec::new();
    }
    let mut changes = confirm;
    if solid > 0 {
        gone.extend(waiting);
        changes.push(without_owners(kind, object, &gone));
        return changes;
    }
    let has_dependents = dependents(view, object.uid()).next().is_some();
    let propagation = if has_finalizer(object, ORPHAN) {
        Propagation::Orphan
    } else if has_finalizer(object, FOREGROUND) || (!waiting.is_empty() && has_dependents) {
        Propagation::Foreground
    } else {
        Propagation::Background
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        precondition_uid: Some(object.uid().to_owned()),
        ..DeleteOptions::default()
    };
    changes.push(Change::from(Write::delete_with(kind, object, options)));
    changes
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    fn object(kind: &str, name: &str, owner: Option<(&str, &str)>) -> Object {
        let version = if kind == "Pod" { "v1" } else { "apps/v1" };
        let mut object = Object::new(json!({"apiVersion": version, "kind": kind,
            "metadata": {"name": name, "namespace": "d", "uid": name, "resourceVersion": "5"}}));
        if let Some((kind, name)) = owner {
            object.set(
                "metadata.ownerReferences",
                json!([{"apiVersion": "apps/v1", "kind": kind, "name": name,
                "uid": name, "controller": true, "blockOwnerDeletion": true}]),
            );
        }
        object
    }

    fn deleting(mut object: Object, finalizer: &str) -> Object {
        object.set("metadata.deletionTimestamp", "2026-11-21T03:04:45Z");
        object.set("metadata.finalizers", json!([finalizer]));
        object
    }

    fn check(objects: &[Object], key: &str, expected: Expect) {
        let caches = Caches::with(objects);
        let view = View::new(&caches, Time::from_unix_seconds(0));
        expected.assert_eq(&describe(&reconcile(&view, key).unwrap()));
    }

    #[test]
    fn background() {
        let pod = object("Pod", "p", Some(("ReplicaSet", "rs")));
        check(
            std::slice::from_ref(&pod),
            "pods d/p",
            expect![[r#"
            unless ReplicaSet d/rs exists
            delete Pod p"#]],
        );
        check(&[pod, object("ReplicaSet", "rs", None)], "pods d/p", expect![[""]]);
    }

    #[test]
    fn foreground() {
        let deployment = deleting(object("Deployment", "web", None), FOREGROUND);
        let set = object("ReplicaSet", "rs", Some(("Deployment", "web")));
        let pod = object("Pod", "p", Some(("ReplicaSet", "rs")));
        let all = [deployment.clone(), set.clone(), pod.clone()];
        check(&all, "deployments.apps d/web", expect![[""]]);
        check(&all, "replicasets.apps d/rs", expect!["delete ReplicaSet rs"]);
        let set = deleting(set, FOREGROUND);
        check(&[deployment.clone(), set.clone(), pod.clone()], "pods d/p", expect!["delete Pod p"]);
        check(
            &[deployment.clone(), set],
            "replicasets.apps d/rs",
            expect![[r#"patch ReplicaSet rs  {"metadata":{"finalizers":[],"resourceVersion":"5"}}"#]],
        );
        check(
            &[deployment],
            "deployments.apps d/web",
            expect![[r#"patch Deployment web  {"metadata":{"finalizers":[],"resourceVersion":"5"}}"#]],
        );
    }

    #[test]
    fn who_comes_while_the_owner_waits_has_to_go_too() {
        let woken = |owner: Object| {
            let set = object("ReplicaSet", "rs", Some(("Deployment", "web")));
            let caches = Caches::with(&[owner, set.clone()]);
            let view = View::new(&caches, Time::from_unix_seconds(0));
            wake(&view, &kinds::REPLICA_SETS, &Event::Added(set))
        };
        assert_eq!(woken(object("Deployment", "web", None)), []);
        let waiting = deleting(object("Deployment", "web", None), FOREGROUND);
        assert_eq!(woken(waiting), [Wake::key("replicasets.apps d/rs")]);
    }

    #[test]
    fn orphans_are_let_go() {
        let deployment = deleting(object("Deployment", "web", None), ORPHAN);
        let set = object("ReplicaSet", "rs", Some(("Deployment", "web")));
        check(
            &[deployment, set],
            "deployments.apps d/web",
            expect![[r#"
            patch ReplicaSet rs  {"metadata":{"ownerReferences":[{"$patch":"delete","uid":"web"}],"uid":"rs"}}
            patch Deployment web  {"metadata":{"finalizers":[],"resourceVersion":"5"}}"#]],
        );
    }
}
