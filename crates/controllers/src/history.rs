//! Earlier templates of DaemonSets and StatefulSets, kept as ControllerRevisions (`pkg/controller/history`).

use api::hash::{fnv1_32, safe_encode};
use api::{Kind, Object, kinds};
use json::{Value, json};

use crate::change::{Op, Plan, Write};
use crate::claim::{claim, controller_reference};
use crate::view::View;

/// The label that a pod, or the revision of a DaemonSet, carries.
pub(crate) const POD_HASH: &str = "controller-revision-hash";
/// The label that the revision of a StatefulSet carries.
pub(crate) const HASH: &str = "controller.kubernetes.io/hash";

/// The revisions of an owner, oldest first.
pub(crate) fn revisions(view: &View<'_>, plan: &mut Plan, (kind, owner): (&Kind, &Object)) -> Vec<Object> {
    let all = view.of(&kinds::CONTROLLER_REVISIONS);
    let owned = all.controlled_by(owner.namespace(), owner.uid());
    let orphans = all.controlled_by(owner.namespace(), "");
    let claimed = claim(plan, (kind, owner), &kinds::CONTROLLER_REVISIONS, owned, orphans);
    let mut revisions: Vec<Object> = claimed.into_iter().cloned().collect();
    revisions.sort_by_key(|r| (number(r), r.str("metadata.creationTimestamp").to_owned(), r.name().to_owned()));
    revisions
}

/// The number of a revision.
pub(crate) fn number(revision: &Object) -> i64 {
    revision.int("revision").unwrap_or(0)
}

/// The patch that brings a template back: what a revision keeps.
pub(crate) fn patch(owner: &Object) -> Value {
    let mut template = owner.at("spec.template").clone();
    template["$patch"] = "replace".into();
    json!({"spec": {"template": template}})
}

/// The template that a revision keeps.
pub(crate) fn template(revision: &Object) -> Value {
    let mut template = revision.at("data.spec.template").clone();
    if let Some(map) = template.as_object_mut() {
        map.remove("$patch");
    }
    template
}

/// The hash in the name of a StatefulSet's revision: over the bytes of the patch and the number of collisions.
pub(crate) fn hash(patch: &Value, collisions: i64) -> String {
    // Go escapes these three in JSON.
    let text = patch.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    safe_encode(&fnv1_32(format!("{text}{collisions}").as_bytes()).to_string())
}

/// A new revision of an owner, with a label that carries its hash.
pub(crate) fn new((kind, owner): (&Kind, &Object), data: Value, number: i64, (label, hash): (&str, &str)) -> Object {
    let mut revision = Object::new(json!({
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": format!("{}-{hash}", owner.name()),
            "namespace": owner.namespace(),
            "ownerReferences": [controller_reference(kind, owner)],
        },
        "data": data,
        "revision": number,
    }));
    for (field, path) in [("labels", "spec.template.metadata.labels"), ("annotations", "metadata.annotations")] {
        if owner.at(path).is_object() {
            revision.set(&format!("metadata.{field}"), owner.at(path).clone());
        }
    }
    revision.set_label(label, hash);
    revision
}

/// Gives a revision another number.
pub(crate) fn renumber(revision: &Object, number: i64) -> Write {
    let mut revision = revision.clone();
    revision.set("revision", number);
    Write::new(&kinds::CONTROLLER_REVISIONS, Op::Update(revision))
}

/// Deletes the oldest of the revisions that nobody uses, beyond what the owner keeps.
pub(crate) fn truncate(plan: &mut Plan, owner: &Object, unused: &[&Object]) {
    let keep = owner.int("spec.revisionHistoryLimit").and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
    for revision in unused.iter().take(unused.len().saturating_sub(keep)) {
        plan.write(Write::delete(&kinds::CONTROLLER_REVISIONS, revision));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_kubernetes() {
        // A StatefulSet of the recordings and the name that Kubernetes v1.36.3 gave to its revision.
        let owner = Object::new(json!({"spec": {"template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"image": "nginx:1.25", "imagePullPolicy": "IfNotPresent", "name": "web",
                    "resources": {}, "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File"}],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30}}}}));
        assert_eq!(hash(&patch(&owner), 0), "5cb7d4b9d7");
    }
}
