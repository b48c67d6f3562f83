//! What the scheduler watches, and what each change means to it (`eventhandlers.go`).
//!
//! Difference from upstream: a pod that was to come to one node and is bound to another tells that there is room on the
//! first. Upstream forgets to (kubernetes#134859), and those who waited for that room do so for up to five minutes.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Kind, Object, kinds};

use crate::framework::{Change, ClusterEvent};
use crate::resources::{pod_requests, reads_same};
use crate::{Event, Informer, ListOptions, State};

/// Starts the informers.
pub(crate) fn start(state: &Rc<State>) -> Vec<Informer> {
    let follow = |kind: &'static Kind, handler: fn(&State, &Event)| {
        let informer = Informer::start(&state.sim, &state.client, kind, "", ListOptions::default());
        let state = Rc::clone(state);
        informer.on_event(move |event| handler(&state, event));
        informer
    };
    vec![
        follow(&kinds::NODES, node),
        follow(&kinds::PODS, pod),
        follow(&kinds::SERVICES, service),
        follow(&kinds::REPLICA_SETS, replica_set),
        follow(&kinds::PERSISTENT_VOLUME_CLAIMS, claim),
        follow(&kinds::PERSISTENT_VOLUMES, volume),
        follow(&kinds::STORAGE_CLASSES, storage_class),
        follow(&kinds::POD_DISRUPTION_BUDGETS, budget),
    ]
}

fn node(state: &State, event: &Event) {
    match event {
        Event::Added(node) => {
            state.cluster.borrow_mut().set_node(node);
            state.happened(Change::added(ClusterEvent::NodeAdded, node));
        }
        Event::Modified { old, new } => {
            state.cluster.borrow_mut().set_node(new);
            let changed = |path: &str| old.at(path) != new.at(path);
            if changed("status.allocatable") {
                state.happened(Change::changed(ClusterEvent::NodeAllocatable, old, new));
            }
            if changed("metadata.labels") {
                state.happened(Change::changed(ClusterEvent::NodeLabels, old, new));
            }
            if changed("spec.taints") || changed("spec.unschedulable") {
                state.happened(Change::changed(ClusterEvent::NodeTaints, old, new));
            }
        }
        Event::Deleted(node) => {
            state.cluster.borrow_mut().remove_node(node.name());
            state.happened(Change::removed(ClusterEvent::NodeRemoved, node));
        }
    }
}

fn is_over(pod: &Object) -> bool {
    matches!(pod.str("status.phase"), "Succeeded" | "Failed")
}

fn pod(state: &State, event: &Event) {
    let pod = event.object();
    let gone = matches!(event, Event::Deleted(_)) || is_over(pod);
    if gone {
        state.queue.borrow_mut().remove(&pod.key());
        let had_room = state.cluster.borrow_mut().remove(&pod.key()).is_some();
        let was_to_come = state.cluster.borrow_mut().forget_nomination(&pod.key());
        if had_room || was_to_come {
            state.happened(Change::removed(ClusterEvent::PodRemoved, pod));
        }
    } else if pod.str("spec.nodeName").is_empty() {
        waiting_pod(state, event, pod);
    } else {
        state.queue.borrow_mut().remove(&pod.key());
        state.cluster.borrow_mut().place(pod);
        let old = match event {
            Event::Modified { old, .. } => Some(old),
            _ => None,
        };
        placed_pod(old, pod).into_iter().for_each(|change| state.happened(change));
    }
}

/// What it means that a pod has a node, or that one that has a node is otherwise (`PodSchedulingPropertiesChange`).
fn placed_pod(old: Option<&Object>, new: &Object) -> Vec<Change> {
    let mut changes = Vec::new();
    let Some(old) = old.filter(|old| !old.str("spec.nodeName").is_empty()) else {
        changes.push(Change::added(ClusterEvent::PodAssigned, new));
        let left = |old: &&Object| {
            let nominated = old.str("status.nominatedNodeName");
            !nominated.is_empty() && nominated != new.str("spec.nodeName")
        };
        changes.extend(old.filter(left).map(|old| Change::removed(ClusterEvent::PodRemoved, old)));
        return changes;
    };
    if old.at("metadata.labels") != new.at("metadata.labels") {
        changes.push(Change::changed(ClusterEvent::PodLabels, old, new));
    }
    if !reads_same(old, new) {
        let (before, after) = (pod_requests(old, false), pod_requests(new, false));
        if before.has_more_of(&before, &after) {
            changes.push(Change::changed(ClusterEvent::PodScaledDown, old, new));
        }
    }
    changes
}

/// A pod without a node. Its own status is no news; a change of its spec or labels is a new chance.
fn waiting_pod(state: &State, event: &Event, pod: &Object) {
    if pod.str("spec.schedulerName") != state.options.name {
        return;
    }
    if pod.is_deleting() {
        state.queue.borrow_mut().remove(&pod.key());
        if state.cluster.borrow_mut().forget_nomination(&pod.key()) {
            state.happened(Change::removed(ClusterEvent::PodRemoved, pod));
        }
        return;
    }
    let nominated_before = match event {
        Event::Modified { old, .. } => old.str("status.nominatedNodeName"),
        _ => "",
    };
    state.cluster.borrow_mut().renominate(pod, nominated_before);
    let same =
        |old: &Object| old.at("spec") == pod.at("spec") && old.at("metadata.labels") == pod.at("metadata.labels");
    let mut queue = state.queue.borrow_mut();
    match event {
        Event::Modified { old, .. } if same(old) => queue.refresh(pod),
        _ => queue.add(pod, state.sim.now()),
    }
    drop(queue);
    state.changed.wake_all();
    if !nominated_before.is_empty() && nominated_before != pod.str("status.nominatedNodeName") {
        // Others left room for it there, as if it had been there already.
        state.happened(Change::removed(ClusterEvent::PodRemoved, pod));
    }
}

fn service(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().services, event);
}

fn replica_set(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().replica_sets, event);
}

fn claim(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().claims, event);
    state.happened(Change::plain(ClusterEvent::VolumeChanged));
}

fn volume(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().volumes, event);
    state.happened(Change::plain(ClusterEvent::VolumeChanged));
}

fn storage_class(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().storage_classes, event);
    state.happened(Change::plain(ClusterEvent::VolumeChanged));
}

fn budget(state: &State, event: &Event) {
    keep(&mut state.cluster.borrow_mut().budgets, event);
}

fn keep(all: &mut BTreeMap<String, Object>, event: &Event) {
    match event {
        Event::Deleted(one) => drop(all.remove(&one.key())),
        other => drop(all.insert(other.object().key(), other.object().clone())),
    }
}

#[cfg(test)]
mod tests {
    use json::{Value, json};

    use super::*;

    fn pod(node: &str, status: Value) -> Object {
        let asks = |name: &str, cpu: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu}}});
        let mut sidecar = asks("i", "100m");
        sidecar["restartPolicy"] = "Always".into();
        let spec = json!({"nodeName": node, "containers": [asks("c", "100m")], "initContainers": [sidecar]});
        Object::new(json!({"metadata": {"name": "p", "namespace": "d", "uid": "u"}, "spec": spec, "status": status}))
    }

    fn held(cpu: &str) -> Value {
        json!([{"name": "i", "allocatedResources": {"cpu": cpu}, "resources": {"requests": {"cpu": cpu}}}])
    }

    #[track_caller]
    fn check(old: Option<&Object>, new: &Object, expected: &[ClusterEvent]) {
        let events: Vec<ClusterEvent> = placed_pod(old, new).iter().map(|change| change.event).collect();
        assert_eq!(events, expected);
    }

    #[test]
    fn a_sidecar_gives_back_what_it_had() {
        let before = pod("n", json!({"initContainerStatuses": held("1")}));
        let after = pod("n", json!({"initContainerStatuses": held("100m")}));
        check(Some(&before), &after, &[ClusterEvent::PodScaledDown]);
        check(Some(&after), &before, &[]);
        let known = crate::pod_info::PodInfo::new(&before);
        assert!(known.refreshed(&before).is_some());
        assert!(known.refreshed(&after).is_none(), "it has to be counted anew");
    }

    #[test]
    fn what_can_never_be_had_does_not_count() {
        let status = |reason: &str| {
            let statuses =
                json!([{"name": "c", "allocatedResources": {"cpu": "50m"}, "resources": {"requests": {"cpu": "50m"}}}]);
            json!({"containerStatuses": statuses, "conditions": [{"type": "PodResizePending", "reason": reason}]})
        };
        let (deferred, infeasible) = (pod("n", status("Deferred")), pod("n", status("Infeasible")));
        check(Some(&deferred), &infeasible, &[ClusterEvent::PodScaledDown]);
        assert!(crate::pod_info::PodInfo::new(&deferred).refreshed(&infeasible).is_none());
    }

    #[test]
    fn room_that_was_kept_elsewhere_is_free() {
        let nominated = pod("", json!({"nominatedNodeName": "n1"}));
        check(Some(&nominated), &pod("n1", json!({})), &[ClusterEvent::PodAssigned]);
        check(Some(&nominated), &pod("n2", json!({})), &[ClusterEvent::PodAssigned, ClusterEvent::PodRemoved]);
        check(Some(&pod("", json!({}))), &pod("n2", json!({})), &[ClusterEvent::PodAssigned]);
        check(None, &pod("n2", json!({"nominatedNodeName": "n1"})), &[ClusterEvent::PodAssigned]);
    }
}
