//! The judgement: may a packet pass, given the policies, the pods and the namespaces? Nothing here waits or remembers.
//!
//! What holds (documentation of NetworkPolicy; `test/e2e/network/netpol`):
//! * A pod that no policy selects for a direction is open in that direction. One that is selected lets through what a rule of
//!   any policy that selects it lets through, so policies add up and their order does not matter.
//! * A packet between two pods has to be let out by the one and let in by the other.
//! * Between a pod and its own node everything passes: probes of the kubelet, names that the machine answers for.
//! * Who uses a node's network (`hostNetwork`) is the node: no policy selects it, no selector of a peer matches it.
//! * Blocks of addresses are compared with whatever address the packet has, a pod's too.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use api::Object;
use json::Value;

use super::spec::{Peer, Policy, Port, Rule, Which};
use crate::Role;
use crate::filter::{Packet, Party};
use crate::journey::Verdict;

/// Where the judgement looks objects up.
pub trait Objects {
    /// A pod by `namespace/name`.
    fn pod(&self, key: &str) -> Option<Object>;
    /// A namespace.
    fn namespace(&self, name: &str) -> Option<Object>;
}

/// Every policy, by namespace and name.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<String, BTreeMap<String, Policy>>);

impl Policies {
    /// Puts a policy in, in the place of one with the same name.
    pub fn insert(&mut self, object: &Object) {
        let of_namespace = self.0.entry(object.namespace().to_owned()).or_default();
        of_namespace.insert(object.name().to_owned(), Policy::read(object));
    }

    /// Takes a policy out.
    pub fn remove(&mut self, object: &Object) {
        if let Some(of_namespace) = self.0.get_mut(object.namespace()) {
            of_namespace.remove(object.name());
            if of_namespace.is_empty() {
                self.0.remove(object.namespace());
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a packet may pass. For each direction in which policies select a pod, what they say is added to `verdicts`.
    pub fn admit(&self, objects: &dyn Objects, packet: &Packet<'_>, verdicts: &mut Vec<Verdict>) -> bool {
        let is_concerned = |party: &Party<'_>| namespace_of(party).is_some_and(|name| self.0.contains_key(name));
        if !is_concerned(&packet.from) && !is_concerned(&packet.to) {
            return true;
        }
        let pod = |party: &Party<'_>| party.name.strip_prefix("pod/").and_then(|key| objects.pod(key));
        let (sender, receiver) = (pod(&packet.from), pod(&packet.to));
        if is_own_node(sender.as_ref(), &packet.to) || is_own_node(receiver.as_ref(), &packet.from) {
            return true;
        }
        let is_for = |port: &Port| is_for(packet, receiver.as_ref(), port);
        let end = |party: &Party<'_>, pod: &Option<Object>| {
            let namespace = pod.as_ref().and_then(|pod| objects.namespace(pod.namespace()));
            End { address: party.address, pod: pod.clone(), namespace }
        };
        let mut lets = |egress: bool, subject: &Option<Object>, other: End| {
            let Some(subject) = subject else { return true };
            let Some(verdict) = self.say(egress, subject, &other, &is_for) else { return true };
            let lets = verdict.allowed_by.is_some();
            verdicts.push(verdict);
            lets
        };
        lets(true, &sender, end(&packet.to, &receiver)) && lets(false, &receiver, end(&packet.from, &sender))
    }

    /// What the policies that select `subject` say, in one direction, of what `other` is the other end of; none if there are none.
    fn say(&self, egress: bool, subject: &Object, other: &End, is_for: &dyn Fn(&Port) -> bool) -> Option<Verdict> {
        let policies = self.0.get(subject.namespace())?.iter();
        let mut verdict = Verdict { egress, pod: subject.key(), selected_by: Vec::new(), allowed_by: None };
        for (name, policy) in policies.filter(|(_, policy)| policy.pods.matches_object(subject)) {
            let Some(rules) = (if egress { &policy.egress } else { &policy.ingress }) else { continue };
            verdict.selected_by.push(name.clone());
            let matches = |rule: &Rule| {
                (rule.ports.is_empty() || rule.ports.iter().any(is_for))
                    && (rule.peers.is_empty() || rule.peers.iter().any(|peer| other.is(peer, policy)))
            };
            if verdict.allowed_by.is_none() && rules.iter().any(matches) {
                verdict.allowed_by = Some(name.clone());
            }
        }
        (!verdict.selected_by.is_empty()).then_some(verdict)
    }
}

/// The other end of a packet, as a peer of a rule describes it.
struct End {
    address: Ipv4Addr,
    pod: Option<Object>,
    namespace: Option<Object>,
}

impl End {
    fn is(&self, peer: &Peer, policy: &Policy) -> bool {
        match peer {
            Peer::Block { cidr, except } => {
                cidr.contains(self.address) && !except.iter().any(|except| except.contains(self.address))
            }
            Peer::Pods { namespaces, pods } => {
                let Some(pod) = &self.pod else { return false };
                let is_there = match namespaces {
                    None => pod.namespace() == policy.namespace,
                    Some(selector) => self.namespace.as_ref().is_some_and(|own| selector.matches_object(own)),
                };
                is_there && pods.matches_object(pod)
            }
        }
    }
}

/// The namespace of a pod's end.
fn namespace_of<'a>(party: &Party<'a>) -> Option<&'a str> {
    let (namespace, _) = party.name.strip_prefix("pod/")?.split_once('/')?;
    Some(namespace)
}

/// Whether a party is the machine that the pod is on. What answers on every machine without being one (`Role::Service`) is.
fn is_own_node(pod: Option<&Object>, party: &Party<'_>) -> bool {
    let Some(pod) = pod else { return false };
    match party.role {
        Role::Node => party.name.strip_prefix("node/") == Some(pod.str("spec.nodeName")),
        Role::Service => true,
        Role::Pod | Role::Outside | Role::Public => false,
    }
}

/// Whether a packet is for one of the ports, by the names that the receiving pod gives them.
fn is_for(packet: &Packet<'_>, receiver: Option<&Object>, port: &Port) -> bool {
    port.protocol == Some(packet.protocol)
        && match &port.which {
            Which::Every => true,
            Which::Range(first, last) => (*first..=*last).contains(&packet.port),
            Which::Named(name) => receiver.is_some_and(|pod| has_port(pod, name, packet)),
        }
}

/// Whether a container that keeps running (sidecars do) has the packet's port under a name.
fn has_port(pod: &Object, name: &str, packet: &Packet<'_>) -> bool {
    let sidecars = pod.list("spec.initContainers").iter().filter(|one| one["restartPolicy"] == "Always");
    let containers = pod.list("spec.containers").iter().chain(sidecars);
    let mut ports = containers.flat_map(|one| one["ports"].as_array().into_iter().flatten());
    ports.any(|port: &Value| {
        port["name"] == name
            && port["containerPort"] == packet.port
            && port["protocol"].as_str().unwrap_or("TCP") == packet.protocol.name()
    })
}
