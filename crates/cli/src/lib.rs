//! What of the native shell tests use too: driving a world, and the static files that it asks for.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "the native shell is where the platform is")]

pub mod assets;
pub mod drive;
pub mod engine;
