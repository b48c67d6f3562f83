//! NetworkPolicies are kept: the part of a network plugin that does so, as kindnet does on minikube's nodes
//! (kube-network-policies).
//!
//! Every node runs one upstream; here one filters for the whole fabric, as with kube-proxy. A packet is judged once, where it
//! leaves: after Service addresses were replaced by endpoints, and before a node puts its own address in the place of the
//! client's. What is not let through is dropped without a word.
//!
//! Without a policy nothing is filtered and nothing but policies is followed. Pods are known by the name of their network, so a
//! new pod is isolated from its first packet on, and labels count as the API server has them at that moment.
//!
//! Connections that are open when a policy comes go on, as with kindnet and Calico (kube-network-policies has a strict mode,
//! which is not built). Answers to datagrams pass for as long as the exchange is remembered; what was exchanged before the first
//! policy is not.
//!
//! Difference: minikube with one node has a plain bridge, which keeps no policies, and wants `--cni`; here they count at once.

mod judge;
mod spec;

use std::cell::RefCell;
use std::rc::Rc;

use api::{Object, kinds};
use client::{Client, Event, Informer, ListOptions};
use simulation::{Sim, Task};

pub use judge::{Objects, Policies};

use crate::Fabric;
use crate::filter::{Packet, PacketFilter};
use crate::journey::Verdict;

/// A running follower of policies; it stops when dropped, and then nothing is filtered.
pub struct NetworkPolicies {
    inner: Rc<Inner>,
    starting: Task<()>,
}

struct Inner {
    sim: Sim,
    client: Client,
    fabric: Fabric,
    objects: Informer,
    policies: Rc<RefCell<Policies>>,
    /// While there are policies.
    following: RefCell<Option<Following>>,
}

/// What is looked up to judge a packet.
struct Following {
    pods: Informer,
    namespaces: Informer,
    starting: Task<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.starting.abort();
        self.pods.stop();
        self.namespaces.stop();
    }
}

impl NetworkPolicies {
    /// Starts to follow the API and to filter.
    pub fn start(sim: &Sim, client: &Client, fabric: &Fabric) -> NetworkPolicies {
        let inner = Rc::new(Inner {
            sim: sim.clone(),
            client: client.clone(),
            fabric: fabric.clone(),
            objects: Informer::start(sim, client, &kinds::NETWORK_POLICIES, "", ListOptions::default()),
            policies: Rc::default(),
            following: RefCell::default(),
        });
        let starting = sim.spawn({
            let inner = Rc::clone(&inner);
            async move {
                inner.objects.synced().await;
                let weak = Rc::downgrade(&inner);
                inner.objects.on_event(move |event| {
                    if let Some(inner) = weak.upgrade() {
                        inner.take(event);
                    }
                });
            }
        });
        NetworkPolicies { inner, starting }
    }

    /// Stops following; everything passes.
    pub fn stop(&self) {
        self.starting.abort();
        self.inner.objects.stop();
        self.inner.fabric.set_filter(None);
        drop(self.inner.following.take());
    }
}

impl Drop for NetworkPolicies {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn take(&self, event: &Event) {
        match event {
            Event::Added(object) | Event::Modified { new: object, .. } => self.policies.borrow_mut().insert(object),
            Event::Deleted(object) => self.policies.borrow_mut().remove(object),
        }
        let (is_wanted, is_there) = (!self.policies.borrow().is_empty(), self.following.borrow().is_some());
        if is_wanted && !is_there {
            *self.following.borrow_mut() = Some(self.follow());
        } else if !is_wanted && is_there {
            self.fabric.set_filter(None);
            drop(self.following.take());
        }
    }

    /// Begins to filter once pods and namespaces are known.
    fn follow(&self) -> Following {
        let follow = |kind| Informer::start(&self.sim, &self.client, kind, "", ListOptions::default());
        let (pods, namespaces) = (follow(&kinds::PODS), follow(&kinds::NAMESPACES));
        let filter = Filter { policies: Rc::clone(&self.policies), pods: pods.clone(), namespaces: namespaces.clone() };
        let fabric = self.fabric.clone();
        let starting = self.sim.spawn(async move {
            filter.pods.synced().await;
            filter.namespaces.synced().await;
            fabric.set_filter(Some(Rc::new(filter)));
        });
        Following { pods, namespaces, starting }
    }
}

struct Filter {
    policies: Rc<RefCell<Policies>>,
    pods: Informer,
    namespaces: Informer,
}

impl PacketFilter for Filter {
    fn admits(&self, packet: &Packet<'_>, verdicts: &mut Vec<Verdict>) -> bool {
        self.policies.borrow().admit(self, packet, verdicts)
    }
}

impl Objects for Filter {
    fn pod(&self, key: &str) -> Option<Object> {
        self.pods.get(key)
    }

    fn namespace(&self, name: &str) -> Option<Object> {
        self.namespaces.get(name)
    }
}

#[cfg(test)]
mod tests;
