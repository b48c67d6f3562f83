//! A queue of keys that are due for reconciliation (`k8s.io/client-go/util/workqueue`).
//!
//! A key is in the queue at most once; one that is added while it is being worked on comes back when that is done.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use simulation::notify::Waiters;
use simulation::{Sim, Time};

/// Pause after the first failure of a key; doubles with each further one.
const FAILURE_PAUSE_START: Duration = Duration::from_millis(5);
/// Longest pause after failures of a key.
const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(1_000);

#[derive(Default)]
struct State {
    queue: VecDeque<String>,
    dirty: BTreeSet<String>,
    working: BTreeSet<String>,
    failures: BTreeMap<String, u32>,
    /// The earliest pending delayed addition of each key.
    delayed: BTreeMap<String, Time>,
}

struct Inner {
    sim: Sim,
    state: RefCell<State>,
    waiters: Waiters,
}

/// A handle to a queue.
#[derive(Clone)]
pub struct WorkQueue(Rc<Inner>);

impl WorkQueue {
    /// An empty queue.
    pub fn new(sim: &Sim) -> WorkQueue {
        WorkQueue(Rc::new(Inner { sim: sim.clone(), state: RefCell::default(), waiters: Waiters::default() }))
    }

    /// Adds a key.
    pub fn add(&self, key: impl Into<String>) {
        let key = key.into();
        {
            let mut state = self.0.state.borrow_mut();
            if !state.dirty.insert(key.clone()) || state.working.contains(&key) {
                return;
            }
            state.queue.push_back(key);
        }
        self.0.waiters.wake_all();
    }

    /// Adds a key after `delay`. An earlier pending addition of the same key stands.
    pub fn add_after(&self, key: impl Into<String>, delay: Duration) {
        let key = key.into();
        if delay.is_zero() {
            self.add(key);
            return;
        }
        let due = self.0.sim.now() + delay;
        {
            let mut state = self.0.state.borrow_mut();
            match state.delayed.get(&key) {
                Some(earlier) if *earlier <= due => return,
                _ => state.delayed.insert(key.clone(), due),
            };
        }
        let queue = self.clone();
        self.0.sim.spawn(async move {
            queue.0.sim.sleep_until(due).await;
            let current = queue.0.state.borrow().delayed.get(&key) == Some(&due);
            if current {
                queue.0.state.borrow_mut().delayed.remove(&key);
                queue.add(key);
            }
        });
    }

    /// Adds a key after a pause that grows with its failures.
    pub fn add_rate_limited(&self, key: impl Into<String>) {
        let key = key.into();
        let failures = {
            let mut state = self.0.state.borrow_mut();
            let count = state.failures.entry(key.clone()).or_insert(0);
            let failures = *count;
            *count = count.saturating_add(1);
            failures
        };
        let pause = FAILURE_PAUSE_START.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
        self.add_after(key, pause.min(FAILURE_PAUSE_MAX));
    }

    /// Forgets the failures of a key: it succeeded.
    pub fn forget(&self, key: &str) {
        self.0.state.borrow_mut().failures.remove(key);
    }

    /// How often a key has failed since it last succeeded.
    pub fn failures(&self, key: &str) -> u32 {
        self.0.state.borrow().failures.get(key).copied().unwrap_or(0)
    }

    /// Takes the next key; call [`WorkQueue::done`] with it afterwards.
    pub async fn get(&self) -> String {
        std::future::poll_fn(|cx| {
            let mut state = self.0.state.borrow_mut();
            match state.queue.pop_front() {
                Some(key) => {
                    state.dirty.remove(&key);
                    state.working.insert(key.clone());
                    Poll::Ready(key)
                }
                None => {
                    self.0.waiters.register(cx);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Says that the work on a key is over, for now.
    pub fn done(&self, key: &str) {
        {
            let mut state = self.0.state.borrow_mut();
            state.working.remove(key);
            if !state.dirty.contains(key) {
                return;
            }
            state.queue.push_back(key.to_owned());
        }
        self.0.waiters.wake_all();
    }
}
