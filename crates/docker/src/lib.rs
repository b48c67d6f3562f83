//! docker: images and containers on the learner's machine, and on the machines of a cluster that `DOCKER_HOST` names.
//!
//! * [`Daemon`]: what a machine's engine knows beyond its container runtime: names, ports, builds, archives.
//! * `commands`: the command line, one file each, with the words of Docker 28.
//! * `dockerfile` and `build`: from a Dockerfile to an image, with BuildKit's plain progress.
//!
//! Invariants: what runs, runs in a container of `runtime`, on fuel; an image is its layers and its configuration, so the same
//! files, Dockerfile and virtual times give the same digests; nothing here knows clusters.
//!
//! Differences from Docker: containers have no volumes and no networks of their own beside the default one; progress at a terminal
//! is plain too.

mod build;
mod command;
mod commands;
mod daemon;
mod dockerfile;
mod format;
mod program;
mod streams;
mod template;
mod text;

use network::NetNs;

pub use daemon::{Daemon, Machine};
pub use program::Docker;

/// The version that it is like.
pub const VERSION: &str = "28.4.0";

/// The machines whose engines can be talked to.
pub trait Machines {
    /// The engine of the machine that has this network.
    fn local(&self, net: &NetNs) -> Option<Daemon>;

    /// The engine that listens at an address, e.g. `192.168.49.2:2376`.
    fn at(&self, address: &str) -> Option<Daemon>;
}
