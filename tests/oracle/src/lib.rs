//! Recordings of real Kubernetes, played on a whole cluster of ours: the learner's shell and kubectl, the control plane,
//! three nodes with kubelets, and the images. What must vary is masked; the rest is the same or it is not.
//!
//! `cargo test -p oracle` plays everything and checks that docs/fidelity.md says what came out; with `UPDATE_EXPECT=1`
//! it writes that page. `cargo test -p oracle -- 05 --nocapture` plays one recording; with `ORACLE_SHOW=1` it shows how
//! answers differ, with `ORACLE_SHOW=raw` whole answers. A number after a comma (`ORACLE_SHOW=1,17`) is one command.

#![allow(
    clippy::disallowed_methods,
    reason = "a native test reads recordings from disk and a switch from the environment"
)]

pub mod mask;
pub mod page;
mod player;
mod reasons;
mod recording;
mod registry;

pub use player::{Difference, Outcome, play};
pub use reasons::Reasons;
pub use recording::{Recorded, Recording, all, root};
