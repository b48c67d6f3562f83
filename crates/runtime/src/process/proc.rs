//! One process.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use simulation::Time;
use simulation::notify::{Signal, Waiters};
use vfs::Vfs;

use crate::kernel::signals::{self, Disposition};
use crate::kernel::{FdTable, Later, Tty};

/// What a process remembers about the call in which it waits.
#[derive(Default)]
pub(crate) struct Waiting {
    /// When it was asked first.
    pub(crate) since: Cell<Option<Time>>,
    /// When to ask again at the latest.
    pub(crate) deadline: Cell<Option<Time>>,
    pub(crate) yielded: Cell<bool>,
    pub(crate) resolving: RefCell<Option<Rc<Later<Vec<Ipv4Addr>>>>>,
}

impl Waiting {
    pub(crate) fn clear(&self) {
        self.since.set(None);
        self.deadline.set(None);
        self.yielded.set(false);
        self.resolving.borrow_mut().take();
    }
}

/// A process: everything but the engine's part, which its task holds.
pub struct Proc {
    /// Its number in the container.
    pub pid: u32,
    pub(crate) parent: Cell<u32>,
    /// Who started it; `parent` changes when that one ends.
    pub(crate) first_parent: u32,
    pub(crate) argv: Arc<[Bytes]>,
    pub(crate) env: Arc<[Bytes]>,
    /// The files as it sees them: working directory and identity.
    pub(crate) files: RefCell<Vfs>,
    pub(crate) fds: RefCell<FdTable>,
    pub(crate) tty: Option<Rc<Tty>>,
    pub(crate) dispositions: RefCell<BTreeMap<u32, Disposition>>,
    /// Caught and not yet taken.
    pub(crate) pending: RefCell<BTreeSet<u32>>,
    /// A caught signal came: the call that blocks next gives EINTR.
    pub(crate) interrupted: Cell<bool>,
    /// The signal that ends it.
    pub(crate) killed: Cell<Option<u32>>,
    /// Exit code, or 128 + signal, once it has ended.
    pub(crate) status: Cell<Option<i32>>,
    pub(crate) ended: Signal,
    /// Wakes its task: signals, children.
    pub(crate) waiters: Waiters,
    pub(crate) waiting: Waiting,
    /// Until when the CPU time used so far lasts.
    pub(crate) busy_until: Cell<Time>,
    pub(crate) started: Time,
    pub(crate) fuel: Cell<u64>,
    pub(crate) memory: Cell<u64>,
}

impl Proc {
    /// Sends a signal. `from_outside` is true for the runtime, which may kill pid 1.
    pub fn deliver(&self, signal: u32, from_outside: bool) {
        if self.status.get().is_some() {
            return;
        }
        // As on Linux, the first process of a pid namespace gets only the signals that it asks for.
        let is_init = self.pid == 1;
        let disposition = self.dispositions.borrow().get(&signal).copied().unwrap_or_default();
        match disposition {
            _ if signal == signals::KILL => {
                if !is_init || from_outside {
                    self.end_by(signal);
                }
            }
            Disposition::Ignore => {}
            Disposition::Catch => {
                self.pending.borrow_mut().insert(signal);
                self.interrupted.set(true);
                self.waiters.wake_all();
            }
            Disposition::Default => {
                if !is_init && !signals::is_ignored_by_default(signal) {
                    self.end_by(signal);
                }
            }
        }
    }

    fn end_by(&self, signal: u32) {
        if self.killed.get().is_none() {
            self.killed.set(Some(signal));
        }
        self.waiters.wake_all();
    }

    /// Exit code, or 128 + signal, once it has ended.
    pub fn status(&self) -> Option<i32> {
        self.status.get()
    }

    /// Waits for the end.
    pub async fn wait(&self) -> i32 {
        self.ended.wait().await;
        self.status.get().unwrap_or(0)
    }
}
