//! minikube: the program of the learner's machine that makes, starts and stops clusters.
//!
//! It owns no cluster: it asks a [`ClusterHost`], step by step, and prints each line when that step really begins, so
//! its progress is true. What is simulated (the machine) it says so.

mod command;
mod commands;
mod engine;
mod host;
pub mod kubeconfig;
mod out;
mod program;
mod settings;

pub use host::{ClusterHost, ClusterSpec, ClusterStatus, NodeStatus};
pub use program::install;

/// The version that it is like.
pub const VERSION: &str = "v1.38.0";
/// The commit of minikube that this version was built from: nodes carry it as a label.
pub const COMMIT: &str = "7b29fb077260554429dcef8234272e9fd25fcfbd";
/// The Kubernetes version of every cluster.
pub const KUBERNETES_VERSION: &str = "v1.36.3";
/// The profile unless told otherwise.
pub const DEFAULT_PROFILE: &str = "minikube";
