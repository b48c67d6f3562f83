//! Typed calls to an API server over any [`api::http::Transport`], and the pieces that controllers are made of:
//! informers, work queues and the event recorder (`k8s.io/client-go`).
//!
//! Invariant: nothing here knows whether the server is in this process or behind a socket.

mod call;
pub mod correlator;
mod error;
mod informer;
mod leader;
mod queue;
mod recorder;
mod watch;

pub use call::{Client, DeleteOptions, ListOptions, PatchType, Propagation};
pub use error::{ApiError, Error};
pub use informer::{Event, Informer};
pub use leader::{LEASE_SECONDS, LeaderElection};
pub use queue::WorkQueue;
pub use recorder::EventRecorder;
pub use watch::{WatchEvent, WatchKind, WatchStream};
