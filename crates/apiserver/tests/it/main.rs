//! The server as its clients see it: HTTP-shaped requests in, statuses and JSON out. Expectations are taken from
//! recordings of Kubernetes 1.36.3.

mod basics;
mod harness;
