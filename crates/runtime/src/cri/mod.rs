//! Pods' sandboxes and containers as the kubelet sees them (`k8s.io/cri-api`), with Docker's words.
//!
//! [`ContainerRuntime`] is the runtime of one node. What the nodes of a world have in common (the engine with its
//! loaded modules, the registry) is in [`Shared`].

mod container;
mod files;
mod logs;
mod runtime;
mod session;
mod types;

#[cfg(test)]
mod tests;

pub use logs::{Log, LogOptions, Stream};
pub use runtime::{ContainerRuntime, Options, Shared};
pub use types::{
    ContainerConfig, ContainerStats, ContainerStatus, ExecSession, Id, InputSink, ListedContainer, Mount, NodeUsage,
    Reading, Sandbox, SandboxConfig, State,
};
