//! The ReplicaSet of the current template and its revision (`getAllReplicaSetsAndSyncRevision`).

use api::{Object, kinds};
use json::json;

use super::annotations::{self, HASH_LABEL};
use super::reconcile::{Sets, Sync};
use super::{facts, template_hash};
use crate::change::{Change, Conflict, Note, Op, Write};
use crate::claim::controller_reference;
use crate::view::Verb;

/// Longest name of an object (`DNS1123SubdomainMaxLength`).
const NAME_BYTES_MAX: usize = 253;

/// Finds the new ReplicaSet and the old ones, brings revisions up to date, and creates the new one if that is wanted.
pub(super) fn sets(sync: &mut Sync<'_, '_>, create: bool) -> Result<Sets, Conflict> {
    let template = sync.deployment.at("spec.template");
    let is_new = |set: &Object| facts::same_template(set.at("spec.template"), template);
    let position = sync.sets.iter().position(is_new);
    let mut old = sync.sets.clone();
    let existing = position.map(|at| old.remove(at));
    let revision = annotations::max_revision(&old) + 1;
    let new = match existing {
        Some(set) => Some(update_existing(sync, set, revision)?),
        None if create => Some(create_new(sync, &old, revision)?),
        None => None,
    };
    Ok(Sets { new, old })
}

fn update_existing(sync: &mut Sync<'_, '_>, mut set: Object, revision: i64) -> Result<Object, Conflict> {
    let minimum = sync.deployment.at("spec.minReadySeconds").clone();
    let annotated = annotations::set_new_set_annotations(&sync.deployment, &mut set, revision, true);
    if annotated || set.int("spec.minReadySeconds").unwrap_or(0) != minimum.as_i64().unwrap_or(0) {
        if !minimum.is_null() {
            set.set("spec.minReadySeconds", minimum);
        } else {
            set.remove("spec.minReadySeconds");
        }
        return sync.plan.update(Write::new(&kinds::REPLICA_SETS, Op::Update(set)));
    }
    let of_set = set.annotation(annotations::REVISION).unwrap_or("").to_owned();
    let mut write = annotations::set_deployment_revision(&mut sync.deployment, &of_set);
    let known = super::conditions::get(sync.deployment.at("status"), "Progressing").is_some();
    if facts::has_progress_deadline(&sync.deployment) && !known {
        let message = format!("Found new replica set \"{}\"", set.name());
        sync.set_condition("Progressing", "True", "FoundNewReplicaSet", &message);
        write = true;
    }
    if write {
        sync.write_status()?;
    }
    Ok(set)
}

fn create_new(sync: &mut Sync<'_, '_>, old: &[Object], revision: i64) -> Result<Object, Conflict> {
    let mut set = replica_set(&sync.deployment);
    // The new set counts with size 0 while its first size is found.
    let size = facts::new_set_replicas(&sync.deployment, old, 0);
    set.set("spec.replicas", size);
    annotations::set_new_set_annotations(&sync.deployment, &mut set, revision, false);
    let mut write = Write::create(&kinds::REPLICA_SETS, set.clone());
    if size > 0 {
        let message = format!("Scaled up replica set {} from 0 to {size}", set.name());
        write = write.on_success(Note::normal("ScalingReplicaSet", message), &sync.deployment);
    }
    let created = sync.plan.create(write);
    let mut changed = annotations::set_deployment_revision(&mut sync.deployment, &revision.to_string());
    if facts::has_progress_deadline(&sync.deployment) {
        let message = format!("Created new replica set \"{}\"", created.name());
        sync.set_condition("Progressing", "True", "NewReplicaSetCreated", &message);
        changed = true;
    }
    if changed {
        sync.write_status()?;
    }
    Ok(created)
}

/// A ReplicaSet for the current template, of size 0.
fn replica_set(deployment: &Object) -> Object {
    let hash = template_hash::of(deployment);
    let mut template = deployment.at("spec.template").clone();
    template["metadata"]["labels"][HASH_LABEL] = hash.clone().into();
    let mut selector = deployment.at("spec.selector").clone();
    selector["matchLabels"][HASH_LABEL] = hash.clone().into();
    let longest = NAME_BYTES_MAX - 1 - hash.len();
    let stem = &deployment.name()[..deployment.name().len().min(longest)];
    let mut set = Object::new(json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{stem}-{hash}"),
            "namespace": deployment.namespace(),
            "labels": template["metadata"]["labels"],
            "ownerReferences": [controller_reference(&kinds::DEPLOYMENTS, deployment)],
        },
        "spec": { "replicas": 0, "selector": selector, "template": template },
    }));
    if let Some(minimum) = deployment.int("spec.minReadySeconds").filter(|seconds| *seconds != 0) {
        set.set("spec.minReadySeconds", minimum);
    }
    set
}

/// The new ReplicaSet could not be created: count a collision of hashes, or tell the reason.
pub(super) fn after_failed_creation(sync: &mut Sync<'_, '_>) -> Result<(), Conflict> {
    let Some(failure) = sync.view.failure else { return Ok(()) };
    let creating = failure.kind == kinds::REPLICA_SETS.kind && failure.verb == Verb::Create;
    let is_there = creating && failure.reason == "AlreadyExists";
    if is_there && is_our_own(sync) {
        // Made by a look whose answer got lost, or not to be seen yet: the next look finds it.
    } else if is_there {
        let count = sync.deployment.int("status.collisionCount").unwrap_or(0) + 1;
        sync.deployment.set("status.collisionCount", count);
        sync.write_status()?;
    } else if creating {
        let name = replica_set(&sync.deployment).name().to_owned();
        let message = format!("Failed to create new replica set \"{name}\": {}", failure.message);
        if facts::has_progress_deadline(&sync.deployment) {
            sync.set_condition("Progressing", "False", "ReplicaSetCreateError", &message);
            sync.write_status()?;
        }
        let about = sync.deployment.clone();
        sync.plan.event(&about, Note::warning("ReplicaSetCreateError", message));
    }
    sync.plan.push(Change::Again);
    Ok(())
}

/// Whether the ReplicaSet that is there already is no collision of hashes: it belongs to the Deployment and has its template.
/// One that the copies do not show yet may be; counting a collision for it would make a second set for one template.
fn is_our_own(sync: &Sync<'_, '_>) -> bool {
    let key = replica_set(&sync.deployment).key();
    let Some(found) = sync.view.get(&kinds::REPLICA_SETS, &key) else { return true };
    let is_owned = found.controller_ref().is_some_and(|owner| owner.uid == sync.deployment.uid());
    is_owned && facts::same_template(found.at("spec.template"), sync.deployment.at("spec.template"))
}
