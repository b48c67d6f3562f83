//! The commands, one file each.

pub mod create;
pub mod get;
pub mod refused;
pub mod version;
