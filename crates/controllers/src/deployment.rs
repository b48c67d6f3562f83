//! Rolls ReplicaSets out and back for a Deployment (`pkg/controller/deployment`).
//!
//! Files are named as upstream's: `sync` (revisions, scaling, status), `rolling`, `recreate`, `progress`; `facts`
//! stands for `util/deployment_util.go`.

mod annotations;
mod conditions;
mod controller;
mod facts;
mod progress;
mod reconcile;
mod recreate;
mod revision;
mod rolling;
mod scale;
mod status;
pub(crate) mod template_hash;
#[cfg(test)]
mod tests;

pub(crate) use controller::CONTROLLER;
