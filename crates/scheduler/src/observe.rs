//! What the scheduler watches, and what each change means to it (`eventhandlers.go`).

use std::rc::Rc;

use api::{Kind, Object, kinds};

use crate::framework::ClusterEvent;
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
    ]
}

fn node(state: &State, event: &Event) {
    match event {
        Event::Added(node) => {
            state.cluster.borrow_mut().set_node(node);
            state.happened(ClusterEvent::NodeAdded);
        }
        Event::Modified { old, new } => {
            state.cluster.borrow_mut().set_node(new);
            let changed = |path: &str| old.at(path) != new.at(path);
            if changed("status.allocatable") {
                state.happened(ClusterEvent::NodeAllocatable);
            }
            if changed("metadata.labels") {
                state.happened(ClusterEvent::NodeLabels);
            }
            if changed("spec.taints") || changed("spec.unschedulable") {
                state.happened(ClusterEvent::NodeTaints);
            }
        }
        Event::Deleted(node) => state.cluster.borrow_mut().remove_node(node.name()),
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
        if had_room {
            state.happened(ClusterEvent::PodRemoved);
        }
    } else if pod.str("spec.nodeName").is_empty() {
        waiting_pod(state, event, pod);
    } else {
        state.queue.borrow_mut().remove(&pod.key());
        let new = !matches!(event, Event::Modified { old, .. } if !old.str("spec.nodeName").is_empty());
        state.cluster.borrow_mut().place(pod);
        if new {
            state.happened(ClusterEvent::PodAssigned);
        }
    }
}

/// A pod without a node. Its own status is no news; a change of its spec or labels is a new chance.
fn waiting_pod(state: &State, event: &Event, pod: &Object) {
    if pod.str("spec.schedulerName") != state.options.name {
        return;
    }
    if pod.is_deleting() {
        return state.queue.borrow_mut().remove(&pod.key());
    }
    let same =
        |old: &Object| old.at("spec") == pod.at("spec") && old.at("metadata.labels") == pod.at("metadata.labels");
    let mut queue = state.queue.borrow_mut();
    match event {
        Event::Modified { old, .. } if same(old) => queue.refresh(pod),
        _ => queue.add(pod, state.sim.now()),
    }
    drop(queue);
    state.changed.wake_all();
}

fn service(state: &State, event: &Event) {
    let services = &mut state.cluster.borrow_mut().services;
    match event {
        Event::Deleted(service) => drop(services.remove(&service.key())),
        other => drop(services.insert(other.object().key(), other.object().clone())),
    }
}

fn replica_set(state: &State, event: &Event) {
    let sets = &mut state.cluster.borrow_mut().replica_sets;
    match event {
        Event::Deleted(set) => drop(sets.remove(&set.key())),
        other => drop(sets.insert(other.object().key(), other.object().clone())),
    }
}
