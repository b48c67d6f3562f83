//! The object model: wire JSON shared by reference, thin views on it, and the tables that describe every kind.
//!
//! Invariants: knows nothing of time, tasks or servers; everything here is a pure function of its arguments.

pub mod cron;
pub mod custom;
pub mod duration;
pub mod gojson;
pub mod hash;
pub mod http;
pub mod jsonpath;
pub mod jwt;
pub mod kinds;
pub mod managed;
pub mod names;
mod object;
pub mod order;
pub mod patch;
pub mod pod_resources;
pub mod quantity;
pub mod quota;
pub mod reviews;
pub mod schema;
pub mod selector;
pub mod status;
pub mod strict;
pub mod structs;
pub mod taints;
pub mod text;
pub mod timezone;
pub mod yaml;

pub use kinds::Kind;
pub use object::{Object, ObjectList, OwnerReference, at as object_at, set as object_set};
pub use quantity::Quantity;
pub use status::Status;
