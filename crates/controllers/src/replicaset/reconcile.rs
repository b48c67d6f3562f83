//! One look at one ReplicaSet or ReplicationController.

use api::{Kind, Object, kinds};

use super::{ranking, status};
use crate::cache::Member;
use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::claim::claim;
use crate::pods;
use crate::selector;
use crate::view::View;

/// Pods created or deleted in one look, at most (`BurstReplicas`).
const BURST_PODS_MAX: usize = 500;
/// Pods created in the first batch; each further batch is twice as large, so that a refusal costs few requests.
const FIRST_BATCH_PODS: usize = 1;

pub(crate) fn reconcile(kind: &'static Kind, view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(set) = view.get(kind, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let result = sync(kind, view, &mut plan, set);
    Ok(plan.finish(result))
}

fn sync(kind: &'static Kind, view: &View<'_>, plan: &mut Plan, set: &Object) -> Result<(), Conflict> {
    let pods = view.of(&kinds::PODS);
    let of = |uid: &str| pods.members(set.namespace(), uid);
    let active_of = |uid: &str| of(uid).filter(|pod| pod.facts.active);
    let active = claim(plan, (kind, set), &kinds::PODS, active_of(set.uid()), active_of(""));
    let selector = selector::of(set);
    let going = of(set.uid()).filter(|pod| pod.facts.terminating);
    let terminating = going.filter(|pod| selector.matches_object(&pod.object)).count();

    // After a refusal the status tells of it first; the next try comes with a pause.
    if view.failure.is_none() && !set.is_deleting() {
        manage(kind, view, plan, set, &active);
    }
    let new_status = status::calculate(view, set, &active, terminating);
    if status::differs(set, &new_status) {
        let mut updated = set.clone();
        updated.set("status", new_status);
        plan.update_status(kind, &updated)?;
    }
    if view.failure.is_some() {
        plan.push(Change::Again);
        return Ok(());
    }
    let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
    if minimum > 0 {
        let next = active.iter().filter_map(|pod| pods::available_in(&pod.object, minimum, view.now)).min();
        plan.push_all(next.map(Change::After));
    }
    Ok(())
}

/// Creates or deletes pods towards `spec.replicas` (`manageReplicas`).
fn manage(kind: &Kind, view: &View<'_>, plan: &mut Plan, set: &Object, active: &[&Member]) {
    let wanted = usize::try_from(set.int("spec.replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        let mut missing = (wanted - active.len()).min(BURST_PODS_MAX);
        let mut batch = FIRST_BATCH_PODS.min(missing);
        while batch > 0 {
            plan.push(Change::Batch((0..batch).map(|_| create_pod(kind, set)).collect()));
            missing -= batch;
            batch = (2 * batch).min(missing);
        }
    } else if active.len() > wanted {
        let surplus = (active.len() - wanted).min(BURST_PODS_MAX);
        let active: Vec<&Object> = active.iter().map(|pod| &pod.object).collect();
        let victims = ranking::pods_to_delete(view, set, &active, surplus);
        plan.push(Change::Batch(victims.into_iter().map(|pod| delete_pod(set, pod)).collect()));
    }
}

fn create_pod(kind: &Kind, set: &Object) -> Write {
    Write::create(&kinds::PODS, pods::from_template((kind, set), set.at("spec.template")))
        .on_success(Note::normal("SuccessfulCreate", "Created pod: {name}"), set)
        .on_failure(Note::warning("FailedCreate", "Error creating: {error}"), set)
}

fn delete_pod(set: &Object, pod: &Object) -> Write {
    // As upstream, by name alone: no precondition on the uid.
    Write::delete_with(&kinds::PODS, pod, client::DeleteOptions::default())
        .on_success(Note::normal("SuccessfulDelete", format!("Deleted pod: {}", pod.name())), set)
        .on_failure(Note::warning("FailedDelete", "Error deleting: {error}"), set)
}
