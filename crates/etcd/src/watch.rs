//! Watchers: cursors over the ring of a table.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use api::Object;
use futures_util::stream::Stream;

use crate::store::{Compacted, Entry, Etcd, Revision};

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// It came into being.
    Added,
    /// It was overwritten.
    Modified,
    /// It was removed.
    Deleted,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The revision that the change made.
    pub revision: Revision,
    /// What happened.
    pub op: Op,
    /// To which key.
    pub key: Rc<str>,
    /// The new value; of a deletion, the last one as its deleter described it.
    pub value: Object,
    /// The value before.
    pub previous: Option<Object>,
}

/// The events of a prefix after a revision, in order. A stream that ends only with [`Compacted`].
pub struct Watcher {
    etcd: Etcd,
    table: Rc<str>,
    lane: Option<Rc<str>>,
    prefix: Box<str>,
    /// Everything up to here has been seen (or does not concern the prefix).
    seen: Revision,
    failed: bool,
}

impl Watcher {
    pub(crate) fn new(etcd: Etcd, table: Rc<str>, lane: Option<Rc<str>>, prefix: Box<str>, seen: Revision) -> Self {
        Watcher { etcd, table, lane, prefix, seen, failed: false }
    }

    /// The revision up to which the stream is complete: what a bookmark may promise.
    pub fn seen(&self) -> Revision {
        self.seen
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Result<Event, Compacted>> {
        if self.failed {
            return None;
        }
        let state = self.etcd.state();
        let ring = state.rings.get(&self.table)?;
        // Nobody told a watcher of a lane what else was dropped meanwhile, and it has missed nothing.
        let dropped = match &self.lane {
            Some(lane) => ring.lanes.get(lane)?.dropped,
            None => ring.dropped,
        };
        if self.seen < dropped {
            self.failed = true;
            return Some(Err(Compacted { requested: self.seen, oldest: ring.dropped }));
        }
        let start = ring.events.partition_point(|e| e.event.revision <= self.seen);
        let concerns = |entry: &&Entry| {
            entry.event.key.starts_with(&*self.prefix) && self.lane.as_ref().is_none_or(|lane| entry.is_in(lane))
        };
        let found = ring.events.iter().skip(start).find(concerns).map(|entry| entry.event.clone());
        self.seen = found.as_ref().map_or(state.revision, |e| e.revision).max(self.seen);
        found.map(Ok)
    }
}

impl Stream for Watcher {
    type Item = Result<Event, Compacted>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(item) = self.try_next() {
            return Poll::Ready(Some(item));
        }
        if self.failed {
            return Poll::Ready(None);
        }
        let state = self.etcd.state();
        let ring = state.rings.get(&self.table).expect("made when the watch began, never removed");
        let lane = self.lane.as_ref().and_then(|lane| ring.lanes.get(lane));
        lane.map_or(&ring.waiters, |lane| &lane.waiters).register(cx);
        Poll::Pending
    }
}
