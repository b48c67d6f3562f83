//! Adoption and release of dependents by their controller reference (`pkg/controller/controller_ref_manager.go`).

use api::{Kind, Object};
use client::PatchType;
use json::{Value, json};

use crate::cache::Labelled;
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

/// Of what `owner` controls and of the orphans, those that are its own by controller reference and labels. Orphans that match
/// are adopted, dependents that no longer match are released.
pub(crate) fn claim<'a, C: Labelled>(
    plan: &mut Plan,
    (owner_kind, owner): (&Kind, &Object),
    kind: &'static Kind,
    controlled: impl Iterator<Item = &'a C>,
    orphans: impl Iterator<Item = &'a C>,
) -> Vec<&'a C> {
    let selector = selector::of(owner);
    let mut matches = of_labels(|labels| selector.matches_value(labels));
    let mut claimed = Vec::new();
    for candidate in controlled {
        if matches(candidate) {
            claimed.push(candidate);
        } else if !owner.is_deleting() {
            let references = json!([{ "$patch": "delete", "uid": owner.uid() }]);
            plan.write(reference_patch(kind, candidate.object(), references));
        }
    }
    for candidate in orphans {
        let orphan = candidate.object();
        if !owner.is_deleting() && matches(candidate) && !orphan.is_deleting() {
            let references = json!([controller_reference(owner_kind, owner)]);
            plan.write(reference_patch(kind, orphan, references));
            claimed.push(candidate);
        }
    }
    claimed
}

/// What a question about labels comes to for one object after another. What one template made shares its labels, so the question
/// is asked once for all of it.
pub(crate) fn of_labels<'a, L: Labelled>(ask: impl Fn(&Value) -> bool) -> impl FnMut(&'a L) -> bool {
    let mut last: Option<(&Value, bool)> = None;
    move |labelled| {
        let labels = labelled.labels();
        let answer = match last {
            Some((same, answer)) if same.is_same(labels) => answer,
            _ => ask(labels),
        };
        last = Some((labels, answer));
        answer
    }
}

fn reference_patch(kind: &'static Kind, of: &Object, references: Value) -> Write {
    let patch = json!({ "metadata": { "ownerReferences": references, "uid": of.uid() } });
    Write::patch(kind, of, "", PatchType::Strategic, patch)
}
