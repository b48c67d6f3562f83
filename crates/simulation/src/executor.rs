//! Ordered executor: ready tasks first in, first out; timers by time and then by order of creation.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::Time;
use crate::notify::{Signal, Waiters};

pub(crate) type TaskId = u64;

/// Wakers must be `Send + Sync` by their type, although the whole world lives on one thread; hence the mutex.
#[derive(Default)]
struct ReadyQueue(Mutex<VecDeque<TaskId>>);

impl ReadyQueue {
    fn push(&self, id: TaskId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(id);
    }

    fn pop(&self) -> Option<TaskId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

struct TaskWaker {
    id: TaskId,
    /// Already in the queue: a second wake before the poll changes nothing.
    queued: AtomicBool,
    ready: Arc<ReadyQueue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.push(self.id);
        }
    }
}

struct Slot {
    /// Taken out while the task is being polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Arc<TaskWaker>,
}

#[derive(Default)]
pub(crate) struct Executor {
    tasks: RefCell<BTreeMap<TaskId, Slot>>,
    next_id: std::cell::Cell<TaskId>,
    ready: Arc<ReadyQueue>,
    timers: RefCell<BTreeMap<(Time, u64), Waker>>,
    next_timer: std::cell::Cell<u64>,
}

impl Executor {
    pub(crate) fn spawn(&self, future: Pin<Box<dyn Future<Output = ()>>>) -> TaskId {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        let waker = Arc::new(TaskWaker { id, queued: AtomicBool::new(true), ready: Arc::clone(&self.ready) });
        self.tasks.borrow_mut().insert(id, Slot { future: Some(future), waker });
        self.ready.push(id);
        id
    }

    pub(crate) fn abort(&self, id: TaskId) {
        // The future is dropped after the borrow ends: its destructors may spawn or wake.
        let slot = self.tasks.borrow_mut().remove(&id);
        drop(slot);
    }

    pub(crate) fn task_count(&self) -> usize {
        self.tasks.borrow().len()
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Polls the next ready task; false when there was none.
    pub(crate) fn poll_one(&self) -> bool {
        let Some(id) = self.ready.pop() else { return false };
        let taken = match self.tasks.borrow_mut().get_mut(&id) {
            Some(slot) => {
                slot.waker.queued.store(false, Ordering::Relaxed);
                slot.future.take().map(|f| (f, Waker::from(Arc::clone(&slot.waker))))
            }
            None => None, // finished or aborted since it was woken
        };
        let Some((mut future, waker)) = taken else { return true };
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(()) => self.abort(id),
            Poll::Pending => {
                if let Some(slot) = self.tasks.borrow_mut().get_mut(&id) {
                    slot.future = Some(future);
                }
                // else: aborted itself while running; the future is dropped here
            }
        }
        true
    }

    pub(crate) fn add_timer(&self, at: Time, waker: Waker) -> (Time, u64) {
        let seq = self.next_timer.get();
        self.next_timer.set(seq + 1);
        self.timers.borrow_mut().insert((at, seq), waker);
        (at, seq)
    }

    pub(crate) fn update_timer(&self, key: (Time, u64), waker: Waker) {
        if let Some(slot) = self.timers.borrow_mut().get_mut(&key) {
            *slot = waker;
        }
    }

    pub(crate) fn remove_timer(&self, key: (Time, u64)) {
        self.timers.borrow_mut().remove(&key);
    }

    pub(crate) fn next_timer_at(&self) -> Option<Time> {
        self.timers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Fires the earliest timer if it is due at `until`; gives its time.
    pub(crate) fn fire_next_timer(&self, until: Time) -> Option<Time> {
        let (at, waker) = {
            let mut timers = self.timers.borrow_mut();
            let entry = timers.first_entry()?;
            if entry.key().0 > until {
                return None;
            }
            let ((at, _), waker) = entry.remove_entry();
            (at, waker)
        };
        waker.wake();
        Some(at)
    }

    /// Drops every task, used when a world ends.
    pub(crate) fn clear(&self) {
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        drop(tasks);
        self.timers.borrow_mut().clear();
    }
}

/// The task was aborted before it finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted;

pub(crate) struct JoinState<T> {
    pub(crate) value: RefCell<Option<T>>,
    pub(crate) done: Signal,
    pub(crate) waiters: Waiters,
}

/// A handle to a spawned task. Dropping it detaches the task; awaiting it gives the task's value.
pub struct Task<T> {
    pub(crate) id: TaskId,
    pub(crate) sim: crate::Sim,
    pub(crate) state: Rc<JoinState<T>>,
}

impl<T> Task<T> {
    /// Stops the task: its future is dropped now (or, if it is the running one, when it yields).
    pub fn abort(&self) {
        self.sim.abort(self.id);
        self.state.done.raise();
        self.state.waiters.wake_all();
    }

    /// Whether the task has ended, in whichever way.
    pub fn is_finished(&self) -> bool {
        self.state.done.is_raised()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Aborted>;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(value) = self.state.value.borrow_mut().take() {
            return Poll::Ready(Ok(value));
        }
        if self.state.done.is_raised() {
            return Poll::Ready(Err(Aborted));
        }
        self.state.waiters.register(cx);
        Poll::Pending
    }
}
