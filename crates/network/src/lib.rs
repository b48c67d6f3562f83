//! The simulated network: one kernel's worth of sockets per pod, the fabric between them, Services, DNS and HTTP/1.1.
//!
//! Invariants:
//! * Every delay is virtual time from [`simulation::Sim`]; nothing here polls, an idle network costs nothing.
//! * Every buffer and queue has a limit in [`limits`]; what does not fit blocks the writer or is dropped visibly.
//! * Each connection leaves a trace (`TraceKind::Flow`) with the rules and addresses it passed, and each request a
//!   [`journey::Journey`] with everything that happened on its way.
//!
//! What is simulated: no IP packets, no congestion. A stream is bytes with a delay, a datagram arrives whole or, where a wire
//! loses packets, not at all.

mod affinity;
pub mod dns;
mod error;
mod fabric;
pub mod filter;
mod health;
pub mod http1;
pub mod journey;
pub mod limits;
pub mod nat;
mod netns;
mod pipe;
pub mod policy;
pub mod proxy;
mod resolve;
mod tcp;
mod udp;
mod wire;

pub use error::NetError;
pub use fabric::{Fabric, Role};
pub use netns::NetNs;
pub use resolve::ResolvConf;
pub use std::net::{Ipv4Addr, SocketAddrV4};
pub use tcp::{Listener, TcpStream};
pub use udp::UdpSocket;
pub use wire::LOSS_OF;

#[cfg(test)]
mod tests;
