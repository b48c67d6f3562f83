//! The handle that every part of the world holds.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;

use crate::executor::{Executor, JoinState, Task, TaskId};
use crate::external::{External, ExternalError, ExternalRequest};
use crate::notify::{Signal, Waiters};
use crate::rng::Rng;
use crate::trace::{Trace, TraceEvent, TraceKind};
use crate::{Time, limits};

/// What a world is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimConfig {
    /// Seed of the one generator.
    pub seed: u64,
    /// The virtual wall-clock time at which the world begins.
    pub start: Time,
}

/// How much one call of [`Sim::step`] may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLimits {
    /// Tasks polled at most.
    pub polls_max: u32,
}

impl Default for StepLimits {
    fn default() -> Self {
        StepLimits { polls_max: 10_000 }
    }
}

/// What the world says after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing is due at the given time. Call again at `wake_at` or after an input.
    Idle {
        /// The time of the next event; none when only an input can cause one.
        wake_at: Option<Time>,
    },
    /// The limit was reached with work left: call again.
    Busy,
    /// Time stands still until [`Sim::external_reply`]; see [`Sim::external_requests`].
    Waiting,
}

struct World {
    clock: Cell<Time>,
    start: Time,
    rng: RefCell<Rng>,
    executor: Executor,
    external: External,
    trace: RefCell<Trace>,
    steps: Cell<u64>,
}

/// A cheap handle to the world. Everything that needs time, chance or concurrency holds one.
#[derive(Clone)]
pub struct Sim(Rc<World>);

impl Sim {
    /// A new world with nothing in it.
    pub fn new(config: SimConfig) -> Self {
        Sim(Rc::new(World {
            clock: Cell::new(config.start),
            start: config.start,
            rng: RefCell::new(Rng::new(config.seed)),
            executor: Executor::default(),
            external: External::default(),
            trace: RefCell::new(Trace::default()),
            steps: Cell::new(0),
        }))
    }

    /// Virtual now.
    pub fn now(&self) -> Time {
        self.0.clock.get()
    }

    /// Virtual time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.now().saturating_since(self.0.start)
    }

    /// Tasks polled so far: the step number to print with a failure.
    pub fn steps(&self) -> u64 {
        self.0.steps.get()
    }

    // --- tasks and time ---

    /// Starts a task. It is first polled after everything that is already ready.
    pub fn spawn<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> Task<T> {
        let state = Rc::new(JoinState { value: RefCell::new(None), done: Signal::new(), waiters: Waiters::default() });
        let inner = Rc::clone(&state);
        // Not an async block around it: that would hold the future twice, as it came and as it is awaited.
        let id = self.0.executor.spawn(Box::pin(future.map(move |value| {
            *inner.value.borrow_mut() = Some(value);
            inner.done.raise();
            inner.waiters.wake_all();
        })));
        let tasks = self.0.executor.task_count();
        if tasks == limits::TASKS_WARN {
            self.trace(TraceKind::Limit { limit: "TASKS_WARN".into(), what: format!("{tasks} tasks") });
        }
        Task { id, sim: self.clone(), state }
    }

    pub(crate) fn abort(&self, id: TaskId) {
        self.0.executor.abort(id);
    }

    /// Completes `duration` of virtual time from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Completes at `at`, at once if it has passed.
    pub fn sleep_until(&self, at: Time) -> Sleep {
        Sleep { sim: self.clone(), at, timer: None }
    }

    /// Lets every other ready task run first.
    pub fn yield_now(&self) -> impl Future<Output = ()> + use<> {
        let mut yielded = false;
        std::future::poll_fn(move |cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// The value of `future`, or [`Elapsed`] if it takes longer than `duration` of virtual time.
    pub async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        let mut future = std::pin::pin!(future);
        let mut sleep = self.sleep(duration);
        std::future::poll_fn(move |cx| {
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(value));
            }
            Pin::new(&mut sleep).poll(cx).map(|()| Err(Elapsed))
        })
        .await
    }

    // --- chance ---

    /// A random value.
    pub fn random_u64(&self) -> u64 {
        self.0.rng.borrow_mut().next_u64()
    }

    /// A random value in `0..bound`; 0 when `bound` is 0.
    pub fn random_below(&self, bound: u64) -> u64 {
        self.0.rng.borrow_mut().below(bound)
    }

    /// Fills `bytes` with random values.
    pub fn random_bytes(&self, bytes: &mut [u8]) {
        self.0.rng.borrow_mut().fill(bytes);
    }

    /// A random suffix for a generated name, in the alphabet that Kubernetes uses.
    pub fn name_suffix(&self, length: usize) -> String {
        self.0.rng.borrow_mut().name_suffix(length)
    }

    /// A random uid (RFC 4122 version 4).
    pub fn uid(&self) -> String {
        self.0.rng.borrow_mut().uid()
    }

    /// `base` lengthened by up to `factor` of itself, as `wait.Jitter` does.
    pub fn jitter(&self, base: Duration, factor: f64) -> Duration {
        let unit = (self.random_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        base.mul_f64(1.0 + unit * factor)
    }

    // --- trace ---

    /// Records that something happened.
    pub fn trace(&self, kind: TraceKind) {
        self.0.trace.borrow_mut().push(self.now(), kind);
    }

    /// Everything recorded after `seq` that is still kept.
    pub fn trace_since(&self, seq: u64) -> Vec<TraceEvent> {
        self.0.trace.borrow().since(seq)
    }

    /// The newest sequence number of the trace.
    pub fn trace_last_seq(&self) -> u64 {
        self.0.trace.borrow().last_seq()
    }

    // --- the platform ---

    /// Asks the shell for a static file. Virtual time stands still until it answers.
    pub async fn fetch(&self, path: impl Into<String>) -> Result<Bytes, ExternalError> {
        match self.0.external.ask(path.into()).await {
            Ok(answer) => answer,
            Err(_) => Err(ExternalError::Unavailable("the world ended".into())),
        }
    }

    /// For the shell: what has been asked for since the last call.
    pub fn external_requests(&self) -> Vec<ExternalRequest> {
        self.0.external.take_requests()
    }

    /// For the shell: supplies an answer.
    pub fn external_reply(&self, id: u64, answer: Result<Bytes, ExternalError>) {
        self.0.external.reply(id, answer);
    }

    // --- the drive ---

    /// Runs what is due up to `until`. The clock follows the events; it never passes `until` or goes back.
    pub fn step(&self, until: Time, limits: StepLimits) -> Step {
        let world = &self.0;
        let mut polls = 0;
        loop {
            while world.executor.has_ready() {
                if polls == limits.polls_max {
                    return Step::Busy;
                }
                polls += 1;
                world.steps.set(world.steps.get() + 1);
                world.executor.poll_one();
            }
            if world.external.is_waiting() {
                return Step::Waiting;
            }
            match world.executor.fire_next_timer(until) {
                Some(at) => world.clock.set(world.clock.get().max(at)),
                None => return Step::Idle { wake_at: world.executor.next_timer_at() },
            }
        }
    }

    /// Moves the clock to the moment of an input, after everything due before it has run (`step` said `Idle`).
    ///
    /// The moment is part of the input log, so replays move the clock in the same way.
    pub fn advance_to(&self, at: Time) {
        debug_assert!(!self.0.executor.has_ready(), "step to the input's time first");
        if at > self.now() {
            self.0.clock.set(at);
        }
    }

    /// Ends the world: drops every task, and with them what they hold.
    pub fn shut_down(&self) {
        self.0.executor.clear();
    }

    /// Whether nobody else holds this world: nothing is left of what lived in it.
    pub fn is_last(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }
}

/// The time given to [`Sim::timeout`] passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// Future of [`Sim::sleep`]. Dropping it cancels the timer.
pub struct Sleep {
    sim: Sim,
    at: Time,
    timer: Option<(Time, u64)>,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.sim.now() >= self.at {
            return Poll::Ready(());
        }
        match self.timer {
            Some(key) => self.sim.0.executor.update_timer(key, cx.waker().clone()),
            None => {
                let key = self.sim.0.executor.add_timer(self.at, cx.waker().clone());
                self.timer = Some(key);
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.timer {
            self.sim.0.executor.remove_timer(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sim() -> Sim {
        Sim::new(SimConfig { seed: 7, start: Time::from_unix_seconds(1_000) })
    }

    #[test]
    fn clock_follows_events_and_tasks_run_in_order() {
        let sim = sim();
        let log = Rc::new(RefCell::new(Vec::new()));
        for (name, delay) in [("b", 2), ("a", 1), ("c", 2)] {
            let (s, log) = (sim.clone(), Rc::clone(&log));
            sim.spawn(async move {
                s.sleep(Duration::from_secs(delay)).await;
                log.borrow_mut().push((name, s.elapsed().as_secs()));
            });
        }
        let later = Time::from_unix_seconds(1_001);
        assert_eq!(
            sim.step(later, StepLimits::default()),
            Step::Idle { wake_at: Some(Time::from_unix_seconds(1_002)) }
        );
        assert_eq!(sim.step(Time::from_unix_seconds(9_000), StepLimits::default()), Step::Idle { wake_at: None });
        assert_eq!(*log.borrow(), [("a", 1), ("b", 2), ("c", 2)]);
        assert_eq!(sim.elapsed().as_secs(), 2, "the clock stops at the last event");
    }

    #[test]
    fn time_stands_still_while_the_platform_is_asked() {
        let sim = sim();
        let s = sim.clone();
        let task = sim.spawn(async move { s.fetch("x").await });
        let far = Time::from_unix_seconds(5_000);
        assert_eq!(sim.step(far, StepLimits::default()), Step::Waiting);
        let request = sim.external_requests().remove(0);
        sim.external_reply(request.id, Ok(Bytes::from_static(b"hi")));
        assert_eq!(sim.step(far, StepLimits::default()), Step::Idle { wake_at: None });
        assert!(task.is_finished());
        assert_eq!(sim.elapsed(), Duration::ZERO);
    }

    #[test]
    fn timeout_and_abort() {
        let sim = sim();
        let s = sim.clone();
        let task = sim.spawn(async move { s.timeout(Duration::from_secs(3), std::future::pending::<()>()).await });
        let stuck = sim.spawn(std::future::pending::<()>());
        stuck.abort();
        sim.step(Time::from_unix_seconds(2_000), StepLimits::default());
        assert!(stuck.is_finished());
        assert_eq!(task.state.value.borrow_mut().take(), Some(Err(Elapsed)));
    }

    #[test]
    fn busy_when_the_limit_is_reached() {
        let sim = sim();
        let s = sim.clone();
        sim.spawn(async move {
            loop {
                s.yield_now().await;
            }
        });
        assert_eq!(sim.step(Time::from_unix_seconds(2_000), StepLimits { polls_max: 5 }), Step::Busy);
        assert_eq!(sim.steps(), 5);
    }

    #[test]
    fn same_seed_same_values() {
        let draw = || {
            let s = sim();
            (s.uid(), s.name_suffix(5), s.random_below(10))
        };
        assert_eq!(draw(), draw());
    }
}
