//! Keeps a pod of a DaemonSet on every node that it is for (`pkg/controller/daemon`).
//!
//! Upstream waits longer and longer before it deletes a failed pod again, and keeps those pauses in memory. Here a failed
//! pod is deleted a second after it was created, at the earliest.

mod controller;
mod nodes;
mod reconcile;
mod rolling;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use controller::CONTROLLER;
