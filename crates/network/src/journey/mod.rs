//! The packet trace: what became of each request on the network, hop by hop, in virtual time.
//!
//! A journey begins when a process asks for a name, or opens a connection to an address, or sends a datagram to somebody new.
//! A connection to an address that a name was just resolved to goes on with the journey of that name, so one `curl` is one
//! journey. Its number is that of the [`simulation::TraceKind::Flow`] events.
//!
//! What is recorded is what the network did, at the place where it did it: nothing here decides, and nothing is worked out
//! afterwards. It is not on the wire either, so it changes no bytes and no times.
//!
//! Journeys are kept in the [`Journal`], a ring; who wants to tell of them asks for what is new.

mod http;
mod journal;
mod lookups;
mod tracer;
mod udp;

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};
use simulation::Time;

pub(crate) use journal::Journal;
pub(crate) use lookups::Lookups;
pub(crate) use tracer::{Tracer, Watch};
pub(crate) use udp::Exchanges;

/// One request: a connection with the question for its name before it, an exchange of datagrams, or a question for a name alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Journey {
    /// Identifies it in its world.
    pub id: u64,
    /// Raised with every change of any journey: who has seen this one at a revision asks for what came after it.
    pub revision: u64,
    /// Virtual time at which it began.
    pub begun: Time,
    /// Who asks: `learner`, `pod/default/web`, `node/minikube`.
    pub from: String,
    /// What it is.
    pub kind: Kind,
    /// The name that was asked for; none when an address was given.
    pub name: Option<String>,
    /// The address that was dialled; none while (or when) there is none.
    pub to: Option<SocketAddrV4>,
    /// What happened, in order.
    pub hops: Vec<Hop>,
    /// Hops beyond [`crate::limits::JOURNEY_HOPS_MAX`], which were not kept.
    pub hops_left_out: u32,
    /// How it stands.
    pub outcome: Outcome,
    /// Virtual microseconds until it ended; none while it goes on.
    pub took_us: Option<u64>,
    /// Bytes that the asking side wrote.
    pub sent: u64,
    /// Bytes that it read.
    pub received: u64,
    /// Made by the cluster itself (probes, system pods, a lesson's checks) and not by a learner or an app.
    pub routine: bool,
}

/// What a journey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A question for a name and nothing after it, yet.
    Name,
    /// A connection.
    Tcp,
    /// Datagrams.
    Udp,
}

/// How a journey stands, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Nobody has answered yet.
    Underway,
    /// The name stands for addresses; nothing was sent there.
    Resolved,
    /// The connection is open.
    Connected,
    /// It was open, and was closed; or a datagram was answered.
    Answered,
    /// No such name, in any domain of the search path.
    NoSuchName,
    /// No name server answered.
    NoNameServer,
    /// Nobody listens at the port.
    Refused,
    /// The Service has no endpoint: kube-proxy's rule rejects.
    NoEndpoints,
    /// Nobody has the address.
    Unreachable,
    /// Nothing came back.
    TimedOut,
    /// NetworkPolicies dropped it.
    Dropped,
    /// The asking side gave up first.
    GivenUp,
}

/// One thing that happened on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// Virtual microseconds since the journey began.
    pub after_us: u64,
    /// What it was.
    pub what: What,
}

/// What can happen on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// The name was known without asking a name server of the cluster.
    #[serde(rename_all = "camelCase")]
    Known {
        /// The name.
        name: String,
        /// From the hosts file; else from the internet's names.
        hosts_file: bool,
        /// What it stands for.
        addresses: Vec<Ipv4Addr>,
    },
    /// A name server was asked: one candidate of the search path.
    #[serde(rename_all = "camelCase")]
    Asked {
        /// The server's address, as in resolv.conf.
        server: Ipv4Addr,
        /// Who answers behind it, e.g. `pod/kube-system/coredns-x`; empty if nobody was reached.
        by: String,
        /// The whole name that was asked for.
        name: String,
        /// What was answered.
        answer: Answer,
        /// Virtual microseconds until then.
        took_us: u64,
    },
    /// kube-proxy's rule for a Service put an endpoint in the place of the address.
    #[serde(rename_all = "camelCase")]
    Rule {
        /// `namespace/name` of the Service, and `:port` where ports have names.
        service: String,
        /// By which kind of address.
        via: Via,
        /// The address that the rule is for.
        address: SocketAddrV4,
        /// The node that received it, for node ports; else empty.
        node: String,
        /// Endpoints to choose from.
        endpoints: u32,
        /// The one that was chosen; none if there is none.
        chosen: Option<SocketAddrV4>,
        /// Who has its address, e.g. `pod/default/web-1`.
        chosen_name: String,
        /// Why that one.
        by: Choice,
        /// A traffic policy of `Local` left only endpoints of the node.
        #[serde(default)]
        local: bool,
    },
    /// A port of a node belongs to a container (`hostPort`).
    #[serde(rename_all = "camelCase")]
    HostPort {
        /// The node's address and port.
        address: SocketAddrV4,
        /// The container's.
        pod: SocketAddrV4,
    },
    /// NetworkPolicies select a pod at one end, and so decide.
    Judged(Verdict),
    /// There is a pod at one end, and no NetworkPolicy selects it for this direction.
    NoPolicy,
    /// It goes over the wire.
    #[serde(rename_all = "camelCase")]
    Wire {
        /// The machine it leaves: a node's name, `learner`, or empty for who is on no machine.
        from: String,
        /// The machine it goes to.
        to: String,
        /// Virtual microseconds that one way takes.
        delay_us: u64,
    },
    /// A packet was lost on the wire: one that opens a connection, in either direction, or a datagram.
    #[serde(rename_all = "camelCase")]
    LostOnWire {
        /// Virtual microseconds until it is sent again; none if it is not.
        again_us: Option<u64>,
    },
    /// A listener took the connection, or a socket the datagram.
    #[serde(rename_all = "camelCase")]
    Arrived {
        /// Whose.
        at: String,
        /// Where.
        address: SocketAddrV4,
        /// The sender's address as it is seen there: a node puts its own in for node ports.
        seen_as: Ipv4Addr,
    },
    /// Nobody listens there (or the listener's queue is full): it was answered with a reset.
    #[serde(rename_all = "camelCase")]
    Refused {
        /// Whose address it is.
        at: String,
        /// Where.
        address: SocketAddrV4,
    },
    /// Nobody has the address.
    #[serde(rename_all = "camelCase")]
    Nobody {
        /// The address.
        address: SocketAddrV4,
    },
    /// Somebody has the address, but no way leads there: the pod network ends at the nodes.
    #[serde(rename_all = "camelCase")]
    NoWay {
        /// Whose address it is.
        at: String,
        /// The address.
        address: SocketAddrV4,
    },
    /// An HTTP request and its answer.
    #[serde(rename_all = "camelCase")]
    Http {
        /// Upper-case method.
        method: String,
        /// Path with query.
        path: String,
        /// The answer's status; none while there is none.
        status: Option<u16>,
        /// Virtual microseconds until its first line.
        took_us: u64,
    },
}

/// What a name server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// Records, each as type and data: `A 10.96.0.1`.
    Records(Vec<String>),
    /// NXDOMAIN.
    NoSuchName,
    /// Another failure (SERVFAIL ...).
    Failed,
    /// Nothing came back in time.
    Silence,
}

/// By which address a Service was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    /// Its cluster IP.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// An address of `spec.externalIPs`.
    #[serde(rename = "externalIP")]
    ExternalIp,
    /// An address of its load balancer.
    LoadBalancer,
    /// Its port on a node.
    NodePort,
}

/// Why an endpoint was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// There is no other.
    Only,
    /// By chance, each alike.
    Chance,
    /// By the client's address (`sessionAffinity: ClientIP`).
    ClientIp,
    /// There is none.
    None,
    /// There is none on the node, and the traffic policy is `Local`: dropped.
    NoneHere,
}

/// What NetworkPolicies say of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// What leaves the pod (egress); else what comes in (ingress).
    pub egress: bool,
    /// `namespace/name` of the pod that is selected.
    pub pod: String,
    /// Names of the policies that select it, in order.
    pub selected_by: Vec<String>,
    /// The first of them that allows this; none: it is dropped.
    pub allowed_by: Option<String>,
}

#[cfg(test)]
mod tests;
