//! Adoption and release of dependents by their controller reference (`pkg/controller/controller_ref_manager.go`).

use api::{Kind, Object};
use client::PatchType;
use json::{Value, json};

use crate::cache::controller_uid;
use crate::change::{Plan, Write};
use crate::selector;

/// The reference with which `owner` controls a dependent.
pub(crate) fn controller_reference(kind: &Kind, owner: &Object) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.kind,
        "name": owner.name(),
        "uid": owner.uid(),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// Of `candidates` (what `owner` controls, and orphans), those that are its own by controller reference and labels.
/// Orphans that match are adopted, dependents that no longer match are released.
pub(crate) fn claim<'a>(
    plan: &mut Plan,
    (owner_kind, owner): (&Kind, &Object),
    kind: &'static Kind,
    candidates: impl Iterator<Item = &'a Object>,
) -> Vec<&'a Object> {
    let selector = selector::of(owner);
    let mut claimed = Vec::new();
    for candidate in candidates {
        let matches = selector.matches_object(candidate);
        match controller_uid(candidate) {
            Some(uid) if uid != owner.uid() => {}
            Some(_) if matches => claimed.push(candidate),
            Some(_) if owner.is_deleting() => {}
            Some(_) => {
                let references = json!([{ "$patch": "delete", "uid": owner.uid() }]);
                plan.write(reference_patch(kind, candidate, references));
            }
            None if owner.is_deleting() || !matches || candidate.is_deleting() => {}
            None => {
                let references = json!([controller_reference(owner_kind, owner)]);
                plan.write(reference_patch(kind, candidate, references));
                claimed.push(candidate);
            }
        }
    }
    claimed
}

fn reference_patch(kind: &'static Kind, of: &Object, references: Value) -> Write {
    let patch = json!({ "metadata": { "ownerReferences": references, "uid": of.uid() } });
    Write::patch(kind, of, "", PatchType::Strategic, patch)
}
