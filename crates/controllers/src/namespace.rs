//! Empties namespaces that are being deleted and then lets them go (`pkg/controller/namespace`).

use std::collections::BTreeMap;
use std::time::Duration;

use api::{Kind, Object, kinds};
use client::Event;
use json::{Value, json};

use crate::change::{Change, Conflict, Op, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

const FINALIZER: &str = "kubernetes";
/// When something remains that the copies do not show, it is looked for again after so long (`finalizerEstimateSeconds`, of
/// which upstream waits half and a second more).
const REMAINING_PAUSE: Duration = Duration::from_secs(8);

pub(crate) static CONTROLLER: Controller = Controller {
    name: "namespace-controller",
    component: "namespace-controller",
    follows: Follows::AllBut(&[&kinds::EVENTS]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// Type, and reason and message while all is well; in the order in which they are written.
const CONDITIONS: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
];

/// What is still there, by resource as messages name it.
type Remaining<'a> = BTreeMap<String, Vec<&'a Object>>;

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::NAMESPACES {
        let namespace = event.object();
        return if namespace.is_deleting() { vec![Wake::now(namespace)] } else { Vec::new() };
    }
    match event {
        Event::Added(_) => Vec::new(),
        Event::Modified { .. } | Event::Deleted(_) => {
            let namespace = view.get(&kinds::NAMESPACES, event.object().namespace());
            namespace.filter(|namespace| namespace.is_deleting()).map(Wake::now).into_iter().collect()
        }
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(namespace) = view.get(&kinds::NAMESPACES, key) else { return Ok(Vec::new()) };
    let finalized = !namespace.list("spec.finalizers").iter().any(|f| f == FINALIZER);
    if !namespace.is_deleting() || finalized {
        return Ok(Vec::new());
    }
    let mut plan = Plan::default();
    let result = empty(view, &mut plan, namespace);
    Ok(plan.finish(result))
}

/// The kinds that a namespace holds, but for pods.
fn contents<'a>(view: &View<'a>) -> impl Iterator<Item = &'static Kind> + use<'a> {
    view.caches.kinds().filter(|kind| kind.namespaced && **kind != kinds::PODS)
}

fn sweep(kind: &'static Kind, namespace: &str) -> Write {
    Write::new(kind, Op::DeleteCollection { namespace: namespace.to_owned() })
}

fn unless_any(kind: &'static Kind, namespace: &str) -> Change {
    Change::UnlessAny { kind, namespace: namespace.to_owned(), pause: REMAINING_PAUSE }
}

fn empty(view: &View<'_>, plan: &mut Plan, namespace: &Object) -> Result<(), Conflict> {
    let mut namespace = namespace.clone();
    if namespace.str("status.phase") != "Terminating" {
        namespace.set("status.phase", "Terminating");
        namespace = plan.update_status(&kinds::NAMESPACES, &namespace)?;
    }
    let name = namespace.name().to_owned();
    let pods: Vec<&Object> = view.of(&kinds::PODS).in_namespace(&name).collect();
    if !pods.is_empty() {
        // Pods first: what they use must outlive them.
        if pods.iter().any(|pod| !pod.is_deleting()) {
            plan.write(sweep(&kinds::PODS, &name));
        }
        return write_conditions(view, plan, namespace, &Remaining::new());
    }
    // The copies may lag: the server is asked before anything that a pod may use goes.
    plan.write(sweep(&kinds::PODS, &name));
    plan.push(unless_any(&kinds::PODS, &name));
    let mut remaining = Remaining::new();
    let mut empty = true;
    for kind in contents(view) {
        let objects: Vec<&Object> = view.of(kind).in_namespace(&name).collect();
        if objects.iter().any(|object| !object.is_deleting()) {
            plan.write(sweep(kind, &name));
        }
        empty &= objects.is_empty();
        let held: Vec<&Object> = objects.into_iter().filter(|o| !o.list("metadata.finalizers").is_empty()).collect();
        remaining.insert(format!("{}.{}", kind.plural, kind.group), held);
    }
    if empty {
        // A last sweep over everything, and a look at what it leaves: events are not followed, and the copies may lag.
        for kind in contents(view) {
            plan.write(sweep(kind, &name));
            plan.push(unless_any(kind, &name));
        }
        let rest: Vec<Value> = namespace.list("spec.finalizers").iter().filter(|f| *f != FINALIZER).cloned().collect();
        namespace.set("spec.finalizers", rest);
        plan.update(Write::new(&kinds::NAMESPACES, Op::UpdateSub("finalize", namespace)))?;
        return Ok(());
    }
    remaining.retain(|_, objects| !objects.is_empty());
    write_conditions(view, plan, namespace, &remaining)
}

/// Tells what holds the namespace up (`namespaceConditionUpdater`).
fn write_conditions(
    view: &View<'_>,
    plan: &mut Plan,
    mut namespace: Object,
    remaining: &Remaining<'_>,
) -> Result<(), Conflict> {
    let mut conditions = namespace.list("status.conditions").to_vec();
    let mut changed = false;
    for (condition_type, reason, message) in CONDITIONS {
        let (status, reason, message) =
            trouble(condition_type, remaining).unwrap_or(("False", reason, message.to_owned()));
        match conditions.iter_mut().find(|c| c["type"] == condition_type) {
            None => {
                changed = true;
                conditions.push(json!({ "type": condition_type, "status": status, "reason": reason,
                    "message": message, "lastTransitionTime": view.now_text() }));
            }
            Some(old) if old["status"] == status && old["reason"] == reason && old["message"] == message => {}
            Some(old) => {
                changed = true;
                if old["status"] != status {
                    old["lastTransitionTime"] = view.now_text().into();
                }
                old["status"] = status.into();
                old["reason"] = reason.into();
                old["message"] = message.into();
            }
        }
    }
    if changed {
        namespace.set("status.conditions", conditions);
        plan.update_status(&kinds::NAMESPACES, &namespace)?;
    }
    Ok(())
}

fn trouble(condition_type: &str, remaining: &Remaining<'_>) -> Option<(&'static str, &'static str, String)> {
    if remaining.is_empty() {
        return None;
    }
    match condition_type {
        "NamespaceContentRemaining" => {
            let count = |(resource, objects): (&String, &Vec<&Object>)| {
                format!("{resource} has {} resource instances", objects.len())
            };
            let mut words: Vec<String> = remaining.iter().map(count).collect();
            words.sort();
            Some(("True", "SomeResourcesRemain", format!("Some resources are remaining: {}", words.join(", "))))
        }
        "NamespaceFinalizersRemaining" => {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for finalizer in remaining.values().flatten().flat_map(|o| o.list("metadata.finalizers")) {
                *counts.entry(finalizer.as_str().unwrap_or("")).or_insert(0) += 1;
            }
            let words: Vec<String> =
                counts.into_iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
            let text = format!("Some content in the namespace has finalizers remaining: {}", words.join(", "));
            Some(("True", "SomeFinalizersRemain", text))
        }
        _ => None,
    }
}
