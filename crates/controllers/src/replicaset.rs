//! Keeps as many pods running as a ReplicaSet asks for (`pkg/controller/replicaset`).
//!
//! Where upstream waits for its expectations, the runner waits until the copies show the last plan's writes.

mod controller;
pub(crate) mod ranking;
mod reconcile;
mod status;

pub(crate) use controller::{CONTROLLER, REPLICATION_CONTROLLER};
