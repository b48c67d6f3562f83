//! Objects that live for a time: Events go an hour after their last write (upstream: leases of etcd).
//!
//! One timer runs, for the oldest; none while there is nothing to expire.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::task::Poll;

use etcd::{Expect, KeyValue, Revision};
use simulation::Time;
use simulation::notify::Waiters;

use crate::server::Server;

/// One write that ends at a time, unless a later write came.
struct Entry {
    at: Time,
    key: Rc<str>,
    revision: Revision,
}

/// What will expire, in the order of time: every kind has one lifetime, so that is the order of writes.
#[derive(Default)]
pub struct Expiry {
    queue: RefCell<VecDeque<Entry>>,
    added: Waiters,
}

impl Expiry {
    /// Remembers a write.
    pub fn add(&self, at: Time, written: &KeyValue) {
        let entry = Entry { at, key: Rc::clone(&written.key), revision: written.mod_revision };
        self.queue.borrow_mut().push_back(entry);
        self.added.wake_all();
    }
}

/// Deletes what expires, for as long as the server lives.
pub async fn run(server: Weak<Server>) {
    loop {
        let wait = server.clone();
        let next = std::future::poll_fn(move |cx| {
            let Some(server) = wait.upgrade() else { return Poll::Ready(None) };
            let front = server.expiry.queue.borrow().front().map(|entry| entry.at);
            if front.is_none() {
                server.expiry.added.register(cx);
            }
            front.map_or(Poll::Pending, |at| Poll::Ready(Some(at)))
        });
        let Some(at) = next.await else { return };
        let Some(sleep) = server.upgrade().map(|s| s.sim.sleep_until(at)) else { return };
        sleep.await;
        let Some(server) = server.upgrade() else { return };
        if !server.etcd.can_commit() {
            let etcd = server.etcd.clone();
            drop(server);
            etcd.led().await;
            continue;
        }
        let entry = server.expiry.queue.borrow_mut().pop_front();
        if let Some(entry) = entry {
            // A later write has an entry of its own.
            let _ = server.etcd.delete(&entry.key, Expect::Revision(entry.revision), |revision, last| {
                let mut last = last.clone();
                last.set("metadata.resourceVersion", revision.to_string());
                last
            });
        }
    }
}
