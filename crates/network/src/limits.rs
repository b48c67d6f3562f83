//! Named limits and delays of the network.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Bytes buffered in one direction of a stream, in flight and arrived together. A full buffer blocks the writer.
pub const STREAM_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Connections that wait in a listener's queue. Above this, connecting is refused.
pub const LISTEN_BACKLOG_CONNECTIONS_MAX: usize = 128;
/// Datagrams that wait in a socket. Above this they are dropped, and the trace says so.
pub const UDP_QUEUE_DATAGRAMS_MAX: usize = 256;
/// Senders that a socket may answer whatever a filter says, remembered while there is a filter. Above this, answers to new
/// ones are judged like anything else, and the trace says so.
pub const UDP_FLOWS_MAX: usize = 4_096;
/// Bytes of one datagram (IPv4's limit). Longer ones are refused.
pub const UDP_DATAGRAM_BYTES_MAX: usize = 65_507;
/// Streams and sockets of one namespace. Above this, opening another fails.
pub const NAMESPACE_SOCKETS_MAX: usize = 4_096;
/// Local ports given to connections that did not ask for one (Linux `ip_local_port_range`).
pub const EPHEMERAL_PORTS: RangeInclusive<u16> = 32_768..=60_999;
/// Bytes of an HTTP/1.1 head. A longer one ends the connection.
pub const HTTP_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Header lines of an HTTP/1.1 message.
pub const HTTP_HEADERS_MAX: usize = 100;
/// Bytes of a request body that a server reads before it calls its handler.
pub const HTTP_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Connections that one HTTP server answers at once; further ones wait in the backlog.
pub const HTTP_SERVER_CONNECTIONS_MAX: usize = 1_024;

/// One way between two namespaces.
pub const HOP_DELAY: Duration = Duration::from_micros(200);
/// One way within a namespace.
pub const LOOPBACK_DELAY: Duration = Duration::from_micros(20);
/// Until an address on a known network that nobody has is given up (ARP on Linux).
pub const NEIGHBOUR_TIMEOUT: Duration = Duration::from_secs(3);
/// How often the first packet of a connection is sent again (Linux `tcp_syn_retries`): after 1 s, 2 s, 4 s ...
pub const SYN_RETRIES_MAX: u32 = 6;
/// Until what was sent over a connection and lost is sent again, besides a round trip (Linux `TCP_RTO_MIN`); then twice as long.
pub const RETRANSMIT_TIME: Duration = Duration::from_millis(200);
/// The longest of these times (`TCP_RTO_MAX`).
pub const RETRANSMIT_TIME_MAX: Duration = Duration::from_secs(120);
/// How often it is sent again before the connection is given up (`tcp_retries2`).
pub const RETRANSMITS_MAX: u32 = 15;
/// Until a connection attempt that is never answered is given up: what [`SYN_RETRIES_MAX`] comes to.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);
/// Until a name server is asked again (resolv.conf `timeout`).
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often each name server is asked (resolv.conf `attempts`).
pub const DNS_ATTEMPTS_MAX: u32 = 2;
/// Until an exchange of datagrams is forgotten, after which an answer is something new (`nf_conntrack_udp_timeout`).
pub const UDP_FLOW_TIMEOUT: Duration = Duration::from_secs(30);
/// Clients of Services with session affinity that are remembered; the one that was silent for longest is forgotten.
pub const AFFINITIES_MAX: usize = 1_024;
/// Journeys of the packet trace that are kept: requests of learners and apps. The oldest go first.
pub const JOURNEYS_MAX: usize = 256;
/// The same of what the cluster asks by itself, such as probes.
pub const ROUTINE_JOURNEYS_MAX: usize = 64;
/// Hops of one journey that are kept: a long search path, or many requests over one connection. Further ones are counted.
pub const JOURNEY_HOPS_MAX: usize = 48;
/// Name lookups of a namespace that a connection can be the continuation of.
pub const FRESH_LOOKUPS_MAX: usize = 8;
/// Destinations of a datagram socket whose exchanges are told apart, and as many senders. The oldest are forgotten.
pub const UDP_EXCHANGES_MAX: usize = 64;
/// Within this a connection to an address goes on with the journey of the name that was resolved to it.
pub const LOOKUP_FRESH: Duration = Duration::from_secs(5);
