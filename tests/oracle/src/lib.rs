//! Recordings of real Kubernetes, played on a whole cluster of ours: the learner's shell and kubectl, the control plane,
//! three nodes with kubelets, and the images. What must vary is masked; the rest is the same or it is not.
//!
//! `cargo test -p oracle` plays everything and checks that docs/fidelity.md says what came out; with `UPDATE_EXPECT=1`
//! it writes that page. `cargo test -p oracle -- 05 --nocapture` plays one recording; with `ORACLE_SHOW=1` it shows how
//! answers differ, with `ORACLE_SHOW=raw` whole answers. A number after a comma (`ORACLE_SHOW=1,17`) is one command.
//!
//! The same recordings are played with the real kubectl against `kubonsai serve`, at the speed of the wall clock: [`real`].

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a native test reads recordings from disk, starts programs and waits for them"
)]

pub mod mask;
mod outcome;
pub mod page;
mod player;
pub mod real;
mod reasons;
mod recording;
mod registry;

pub use outcome::{Answer, Difference, Outcome};
pub use player::play;
pub use reasons::Reasons;
pub use recording::{Recorded, Recording, all, root};
