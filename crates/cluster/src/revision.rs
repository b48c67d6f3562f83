//! A counter that rises with every change that can be seen, and wakes who waits for one.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use simulation::notify::Waiters;

#[derive(Default)]
struct State {
    value: Cell<u64>,
    waiters: Waiters,
}

/// A handle to the counter.
#[derive(Clone, Default)]
pub(crate) struct Revision(Rc<State>);

impl Revision {
    pub(crate) fn get(&self) -> u64 {
        self.0.value.get()
    }

    pub(crate) fn raise(&self) {
        self.0.value.set(self.get() + 1);
        self.0.waiters.wake_all();
    }

    /// Completes at the next change.
    pub(crate) async fn next(&self) {
        let before = self.get();
        std::future::poll_fn(|cx| {
            if self.get() != before {
                return Poll::Ready(());
            }
            self.0.waiters.register(cx);
            Poll::Pending
        })
        .await;
    }
}
