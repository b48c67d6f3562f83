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
/// Until a connection attempt that is never answered is given up: what [`SYN_RETRIES_MAX`] comes to.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(127);
/// Until a name server is asked again (resolv.conf `timeout`).
pub const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// How often each name server is asked (resolv.conf `attempts`).
pub const DNS_ATTEMPTS_MAX: u32 = 2;
/// Until an exchange of datagrams is forgotten, after which an answer is something new (`nf_conntrack_udp_timeout`).
pub const UDP_FLOW_TIMEOUT: Duration = Duration::from_secs(30);
