//! The store of the cluster: a multi-version key-value store with one global revision, as etcd is.
//!
//! Invariants:
//! * Knows nothing of HTTP, kinds or JSON beyond carrying [`api::Object`]s by reference.
//! * Every write raises the revision by exactly one; readers at a revision see exactly the writes up to it.
//! * A snapshot costs O(1): the map is persistent, so keeping an old revision keeps only what has changed since.
//! * Watchers own no buffer. They read a bounded ring of events per table at their own pace; one that falls behind the
//!   ring is told so ([`Compacted`]) and never silently loses an event.
//! * With members ([`Etcd::start_member`]) nothing is written without a leader whom more than half of them follow.
//!
//! A key is `table/...`, e.g. `pods/default/web-0`: its first segment names the table whose ring remembers its events.
//! Upstream: etcd's mvcc package and k8s.io/apiserver/pkg/storage (etcd3, cacher).

mod members;
mod store;
mod watch;

pub use members::{ELECTION_TIMEOUT, Member};
pub use store::{Compacted, Etcd, Expect, KeyValue, LaneOf, RangeError, Refused, Revision};
pub use watch::{Event, Op, Watcher};

/// Events kept per table for watchers that resume from an old revision. An object's last versions live as long as their
/// events; a pod takes some 50 kB of memory, so this bounds what a busy table remembers to about 100 MB.
pub const WATCH_EVENTS_MAX: usize = 2_048;

/// Old revisions that can still be read by [`Etcd::range`].
pub const SNAPSHOTS_MAX: usize = 1_024;
