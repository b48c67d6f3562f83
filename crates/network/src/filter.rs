//! The hook for a node's network plugin: it looks at the first packet of a connection and at datagrams, and may drop them.
//!
//! Packets are shown after Service addresses were replaced and before the node puts its own address in. A namespace talking
//! to itself is never shown, nor is what belongs to a connection that exists, as with `ct state established,related accept`.

use std::net::Ipv4Addr;

use crate::Role;
use crate::journey::Verdict;
use crate::nat::Protocol;

/// One end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    /// The namespace's name, e.g. `pod/default/web` or `node/minikube`; empty if nobody here has the address.
    pub name: &'a str,
    /// Where it stands.
    pub role: Role,
    /// Its address.
    pub address: Ipv4Addr,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sends it.
    pub from: Party<'a>,
    /// Who it is for.
    pub to: Party<'a>,
    /// Transport protocol.
    pub protocol: Protocol,
    /// The port it is for.
    pub port: u16,
}

/// Decides about packets between namespaces.
pub trait PacketFilter {
    /// Whether a packet may pass. One that may not is dropped: its sender hears nothing. Why is added to `verdicts`, one for each
    /// direction in which something decides.
    fn admits(&self, packet: &Packet<'_>, verdicts: &mut Vec<Verdict>) -> bool;
}
