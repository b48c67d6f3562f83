//! The page: the app that is seen, the worker that holds the cluster, and the bridge between them.

pub mod app;
pub mod bridge;
pub mod worker;
