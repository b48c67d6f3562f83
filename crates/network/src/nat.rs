//! The rules that kube-proxy writes: which addresses stand for which backends.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde::Serialize;

use crate::journey::Via;

/// Transport protocol of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Protocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
}

impl Protocol {
    /// As the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
        }
    }
}

/// One port of one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceRule {
    /// `namespace/name`, and `:port` where ports have names: as kube-proxy names a service port.
    pub service: String,
    /// Protocol.
    pub protocol: Protocol,
    /// The cluster IP and external IPs with the Service's port.
    pub addresses: Vec<SocketAddrV4>,
    /// Those of them that are of `spec.externalIPs`.
    pub external_ips: Vec<Ipv4Addr>,
    /// Those of them that are of a load balancer.
    pub balancers: Vec<Ipv4Addr>,
    /// The port on every node.
    pub node_port: Option<u16>,
    /// Ready endpoints. None left: connections are rejected.
    pub backends: Vec<SocketAddrV4>,
    /// The same by the node that they are on.
    pub by_node: BTreeMap<String, Vec<SocketAddrV4>>,
    /// Those that are ready, by their node; not the ones that only end what they have begun.
    pub ready_by_node: BTreeMap<String, Vec<SocketAddrV4>>,
    /// `externalTrafficPolicy: Local`: what comes from outside gets endpoints of the node that it comes to, and keeps its source.
    pub external_local: bool,
    /// `internalTrafficPolicy: Local`: what comes from a pod gets endpoints of the node that the pod is on.
    pub internal_local: bool,
    /// `sessionAffinity: ClientIP`: the same client gets the same backend until it has been silent for so long.
    pub affinity: Option<Duration>,
}

impl ServiceRule {
    /// The endpoints on a node.
    pub fn on_node(&self, node: &str) -> &[SocketAddrV4] {
        self.by_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// The ready endpoints on a node (LocalReadyEndpoints): what tells load balancers outside counts them alone.
    pub fn ready_on_node(&self, node: &str) -> &[SocketAddrV4] {
        self.ready_by_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// What kind of its addresses one is.
    pub fn via(&self, address: Ipv4Addr) -> Via {
        if self.external_ips.contains(&address) {
            Via::ExternalIp
        } else if self.balancers.contains(&address) {
            Via::LoadBalancer
        } else {
            Via::ClusterIp
        }
    }
}

/// Every rule, indexed as a packet looks them up.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<ServiceRule>,
    by_address: BTreeMap<(Protocol, SocketAddrV4), usize>,
    by_node_port: BTreeMap<(Protocol, u16), usize>,
}

impl Rules {
    /// Indexes `rules`; of two that claim the same address the first wins.
    pub fn new(rules: Vec<ServiceRule>) -> Rules {
        let mut by_address = BTreeMap::new();
        let mut by_node_port = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for address in &rule.addresses {
                by_address.entry((rule.protocol, *address)).or_insert(index);
            }
            if let Some(port) = rule.node_port {
                by_node_port.entry((rule.protocol, port)).or_insert(index);
            }
        }
        Rules { rules, by_address, by_node_port }
    }

    /// Every rule, in the order given.
    pub fn all(&self) -> &[ServiceRule] {
        &self.rules
    }

    /// The rule for a cluster or external IP.
    pub fn service(&self, protocol: Protocol, to: SocketAddrV4) -> Option<&ServiceRule> {
        self.by_address.get(&(protocol, to)).map(|index| &self.rules[*index])
    }

    /// The rule for a port of a node.
    pub fn node_port(&self, protocol: Protocol, port: u16) -> Option<&ServiceRule> {
        self.by_node_port.get(&(protocol, port)).map(|index| &self.rules[*index])
    }
}
