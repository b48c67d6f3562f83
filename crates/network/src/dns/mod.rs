//! Cluster DNS: the wire format, and the server that answers for Services.

pub mod wire;
