//! The server as its clients see it: HTTP-shaped requests in, statuses and JSON out. Expectations are taken from
//! recordings of Kubernetes 1.36.3.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod access;
mod admission_invalid;
mod admission_policies;
mod admission_types;
mod basics;
mod clients;
mod custom;
mod harness;
mod kinds;
mod managed;
mod manifests;
mod metrics;
mod options;
mod policies;
mod reach;
mod recorded;
mod resize;
mod rules;
mod strict;
mod versions;
mod workloads;
