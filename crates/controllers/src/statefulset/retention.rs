//! What becomes of the claims of pods when a StatefulSet shrinks or goes: owner references say it, and the garbage
//! collector acts on them (`stateful_set_utils.go`, `stateful_pod_control.go`).
//!
//! A claim belongs to the set while it has to go with the set, and to its pod once that pod is beyond the range and the claim has
//! to go with it. Claims that somebody else controls are left alone.

use api::{Object, kinds};
use json::Value;

use super::pod;
use crate::change::{Change, Conflict, Note, Op, Plan, Write};
use crate::claim::controller_reference;
use crate::view::View;

/// Whether claims go with pods that are beyond the range.
pub(super) fn goes_when_scaled(set: &Object) -> bool {
    set.str("spec.persistentVolumeClaimRetentionPolicy.whenScaled") == "Delete"
}

fn goes_when_deleted(set: &Object) -> bool {
    set.str("spec.persistentVolumeClaimRetentionPolicy.whenDeleted") == "Delete"
}

/// A pod, which may not be there yet, and its set.
#[derive(Clone, Copy)]
struct Owners<'a> {
    set: &'a Object,
    pod: &'a Object,
}

impl Owners<'_> {
    /// The owner that a reference names, whatever uid it gives (`matchesRef`).
    fn named(&self, reference: &Value) -> Option<&Object> {
        let names = |owner: &Object, kind: &api::Kind| {
            reference["apiVersion"] == *kind.api_version()
                && reference["kind"] == kind.kind
                && reference["name"] == owner.name()
        };
        let set = names(self.set, &kinds::STATEFUL_SETS).then_some(self.set);
        set.or_else(|| names(self.pod, &kinds::PODS).then_some(self.pod))
    }

    /// Which of the two a claim must belong to: the set, the pod.
    fn wanted(&self) -> (bool, bool) {
        let (first, last) = pod::range(self.set);
        let is_beyond = pod::ordinal(self.set, self.pod).is_none_or(|n| n < first || n > last);
        let of_pod = goes_when_scaled(self.set) && is_beyond;
        (goes_when_deleted(self.set) && !of_pod, of_pod)
    }
}

fn references(claim: &Object) -> &[Value] {
    claim.list("metadata.ownerReferences")
}

fn is_owned_by(claim: &Object, owner: &Object) -> bool {
    references(claim).iter().any(|r| r["uid"] == owner.uid())
}

/// Whether the first reference to something called like the owner means one that is gone (`hasStaleOwnerRef`).
fn is_stale(claim: &Object, owners: Owners<'_>, owner: &Object) -> bool {
    let named = |r: &&Value| owners.named(r).is_some_and(|found| std::ptr::eq(found, owner));
    references(claim).iter().find(named).is_some_and(|r| r["uid"] != owner.uid())
}

/// Whether somebody else controls the claim of a set that means to (`hasUnexpectedController`).
fn has_other_controller(claim: &Object, owners: Owners<'_>) -> bool {
    let manages = goes_when_scaled(owners.set) || goes_when_deleted(owners.set);
    let is_other = |r: &Value| match owners.named(r) {
        Some(owner) => r["uid"] != owner.uid(),
        None => r["controller"] == true,
    };
    manages && references(claim).iter().any(is_other)
}

/// Whether the references of a claim are as the policy wants them, or must not be touched (`isClaimOwnerUpToDate`).
fn is_up_to_date(claim: &Object, owners: Owners<'_>) -> bool {
    let Owners { set, pod } = owners;
    if is_stale(claim, owners, set) || is_stale(claim, owners, pod) {
        return true;
    }
    let (of_set, of_pod) = (is_owned_by(claim, set), is_owned_by(claim, pod));
    if has_other_controller(claim, owners) {
        return !of_set && !of_pod;
    }
    let is_ours = |r: &&Value| r["uid"] == set.uid() || r["uid"] == pod.uid();
    if references(claim).iter().filter(is_ours).any(|r| r["controller"] != true) {
        return false;
    }
    (of_set, of_pod) == owners.wanted()
}

/// The claim with the references that the policy wants (`updateClaimOwnerRefForSetAndPod`).
fn updated(claim: &Object, owners: Owners<'_>) -> Object {
    let mut kept: Vec<Value> = references(claim).iter().filter(|r| owners.named(r).is_none()).cloned().collect();
    let (of_set, of_pod) = owners.wanted();
    if !has_other_controller(claim, owners) {
        let ours = [(of_set, &kinds::STATEFUL_SETS, owners.set), (of_pod, &kinds::PODS, owners.pod)];
        for (_, kind, owner) in ours.into_iter().filter(|(is_wanted, _, _)| *is_wanted) {
            if kept.iter().all(|r| r["uid"] != owner.uid()) {
                kept.push(controller_reference(kind, owner));
            }
        }
    }
    let mut claim = claim.clone();
    if kept.is_empty() {
        claim.remove("metadata.ownerReferences");
    } else {
        claim.set("metadata.ownerReferences", kept);
    }
    claim
}

fn existing<'a>(view: &View<'a>, set: &Object, number: i64) -> Vec<&'a Object> {
    let claims = pod::claims(set, number);
    claims.iter().filter_map(|(_, claim)| view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &claim.key())).collect()
}

/// Whether a claim still goes with an earlier pod of this name: a new one has to wait for that (`PodClaimIsStale`).
pub(super) fn blocks(view: &View<'_>, set: &Object, pod: &Object, number: i64) -> bool {
    let owners = Owners { set, pod };
    goes_when_scaled(set) && existing(view, set, number).into_iter().any(|claim| is_stale(claim, owners, pod))
}

/// Whether the claims of a pod are as the policy wants them (`ClaimsMatchRetentionPolicy`).
pub(super) fn matches(view: &View<'_>, set: &Object, pod: &Object, number: i64) -> bool {
    existing(view, set, number).into_iter().all(|claim| is_up_to_date(claim, Owners { set, pod }))
}

/// Makes the claims of a pod what the policy wants (`UpdatePodClaimForRetentionPolicy`).
pub(super) fn update(
    view: &View<'_>,
    plan: &mut Plan,
    (set, pod): (&Object, &Object),
    number: i64,
) -> Result<(), Conflict> {
    let owners = Owners { set, pod };
    for claim in existing(view, set, number) {
        if has_other_controller(claim, owners) {
            // The word "manging" is upstream's.
            let message = format!(
                "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim",
                claim.name()
            );
            plan.push(Change::Event(Note::warning("ConflictingController", message), set.clone()));
        }
        if is_up_to_date(claim, owners) {
            continue;
        }
        let told = format!(
            "Update Pod {} in StatefulSet {} failed error: could not update claim {} for delete policy ownerRefs: {{error}}",
            pod.name(),
            set.name(),
            claim.name()
        );
        let write = Write::new(&kinds::PERSISTENT_VOLUME_CLAIMS, Op::Update(updated(claim, owners)));
        plan.update(write.on_failure(Note::warning("FailedUpdate", told), set))?;
    }
    Ok(())
}
