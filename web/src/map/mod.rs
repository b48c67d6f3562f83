//! The map of the cluster: positions computed in plain Rust, drawn elsewhere.
//!
//! Invariants: a thing keeps its place for as long as it exists ([`Places`]); the scene is a function of the picture,
//! the places and nothing else, so it is tested as text.

pub mod focus;
mod motion;
mod places;
mod scene;
mod shape;

pub use motion::{Anchor, Motion, Move, MoveKind, caller, place};
pub use places::Places;
pub use scene::{NodeRoom, Part, PartBox, PodBox, Rect, Scene, ServiceRail, WorkloadPill, short_image, short_name};
pub use shape::Shape;
