//! A whole world: the learner's machine, the network and the clusters on it, made from a profile and a seed.
//!
//! This is where the parts meet. They know each other only through the API server, the network and the trace; the
//! wiring (who can reach whose kubelet, which programs are installed) is all here.

mod browser;
mod cloud;
mod control_plane;
mod desktop;
mod engines;
#[cfg(feature = "faults")]
mod faults;
mod follow;
mod fronts;
mod guest_program;
mod host;
mod ingress;
mod input;
mod learner;
mod lifecycle;
mod lines;
mod minikube_host;
mod node;
mod outsider;
mod probe;
mod profile;
mod revision;
mod script;
mod seats;
mod system;
mod users;
mod view;
mod world;

pub use browser::{Answer, NoAnswer, PAGE_BYTES_MAX, REPEATS_MAX, Visit};
pub use desktop::{EDIT_BYTES_MAX, Effect};
pub use follow::LogPiece;
pub use input::{Input, Language, LogEntry, Output, Stream};
#[cfg(feature = "faults")]
pub use lines::Leads;
pub use network::journey;
pub use profile::{Birth, Machine, PROFILES, Profile};
pub use script::ScriptRun;
pub use world::{World, WorldConfig};
