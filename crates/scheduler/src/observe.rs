//! What the scheduler watches, and what each change means to it (`eventhandlers.go`).

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Kind, Object, kinds};

use crate::framework::{Change, ClusterEvent};
use crate::resources::pod_requests;
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
        match event {
            Event::Modified { old, .. } if !old.str("spec.nodeName").is_empty() => placed_pod(state, old, pod),
            _ => state.happened(Change::added(ClusterEvent::PodAssigned, pod)),
        }
    }
}

/// A pod that has a node has changed (`PodSchedulingPropertiesChange`).
fn placed_pod(state: &State, old: &Object, new: &Object) {
    let differs = |path: &str| old.at(path) != new.at(path);
    if differs("metadata.labels") {
        state.happened(Change::changed(ClusterEvent::PodLabels, old, new));
    }
    if differs("spec") || differs("status.containerStatuses") {
        let (before, after) = (pod_requests(old, false), pod_requests(new, false));
        if before.has_more_of(&before, &after) {
            state.happened(Change::changed(ClusterEvent::PodScaledDown, old, new));
        }
    }
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
