//! Waking tasks: the small pieces from which queues, pipes and sockets are made.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A set of tasks that wait for a state to change. Waiters are woken in the order in which they came.
///
/// The usual shape: check the state, and if it is not yet as wanted, [`Waiters::register`] and return `Pending`.
#[derive(Default)]
pub struct Waiters(RefCell<Vec<Waker>>);

/// A task that comes again is looked for among so many that came last. One that is missed is woken twice, which is harmless;
/// among thousands the search would cost more than everything else.
const SEARCHED_MAX: usize = 64;

impl Waiters {
    /// Wakes the current task at the next [`Waiters::wake_all`].
    pub fn register(&self, cx: &Context<'_>) {
        let mut wakers = self.0.borrow_mut();
        if !wakers.iter().rev().take(SEARCHED_MAX).any(|w| w.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Wakes everyone registered since the last call.
    pub fn wake_all(&self) {
        let wakers = std::mem::take(&mut *self.0.borrow_mut());
        for waker in wakers {
            waker.wake();
        }
    }
}

/// A flag that can be raised once and awaited by many: cancellation, interrupt, readiness.
#[derive(Clone, Default)]
pub struct Signal(Rc<SignalState>);

#[derive(Default)]
struct SignalState {
    raised: std::cell::Cell<bool>,
    waiters: Waiters,
}

impl Signal {
    /// A signal that has not been raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the signal; further calls do nothing.
    pub fn raise(&self) {
        if !self.0.raised.replace(true) {
            self.0.waiters.wake_all();
        }
    }

    /// Whether it has been raised.
    pub fn is_raised(&self) -> bool {
        self.0.raised.get()
    }

    /// Completes when the signal is raised.
    pub fn wait(&self) -> SignalWait {
        SignalWait(self.clone())
    }
}

/// Future of [`Signal::wait`].
pub struct SignalWait(Signal);

impl Future for SignalWait {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_raised() {
            return Poll::Ready(());
        }
        self.0.0.waiters.register(cx);
        Poll::Pending
    }
}
