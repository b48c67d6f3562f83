//! What time it is in the served world.
//!
//! Clients show ages by their own clock, so the world's is the wall clock: one that were ahead of it would have them print
//! `<invalid>`. A test that plays what was recorded elsewhere paces the clock itself: it stands still while a client of the
//! test starts, and while the world computes, since neither took the recorded cluster any time worth mentioning.

use std::time::{Duration, Instant};

use simulation::Time;

/// A clock that can be stopped.
pub(super) struct Clock {
    start: Time,
    /// How long it has run before it was last stopped.
    passed: Duration,
    /// Since when it runs, if it does.
    running: Option<Instant>,
    /// Whether it stands still while the world computes.
    is_paced: bool,
}

impl Clock {
    /// A clock that shows `start` now, and runs.
    pub(super) fn new(start: Time, is_paced: bool) -> Clock {
        Clock { start, passed: Duration::ZERO, running: Some(Instant::now()), is_paced }
    }

    /// How long it has run.
    pub(super) fn passed(&self) -> Duration {
        self.passed + self.running.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What it shows.
    pub(super) fn now(&self) -> Time {
        self.start + self.passed()
    }

    /// How long it is until `at`; none if the clock stands still.
    pub(super) fn until(&self, at: Time) -> Option<Duration> {
        self.running.map(|_| at.saturating_since(self.now()))
    }

    /// It stands still from now on.
    pub(super) fn stop(&mut self) {
        self.passed = self.passed();
        self.running = None;
    }

    /// It runs from now on.
    pub(super) fn go(&mut self) {
        self.running.get_or_insert_with(Instant::now);
    }

    /// Does what takes the world no time, if the clock is paced.
    pub(super) fn aside<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let ran = self.running.is_some();
        if self.is_paced {
            self.stop();
        }
        let done = work();
        if ran {
            self.go();
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_unix_seconds(1_000);
    const A_WHILE: Duration = Duration::from_millis(20);

    #[test]
    fn runs_with_the_wall_clock_unless_it_is_stopped() {
        let mut clock = Clock::new(START, false);
        clock.aside(|| std::thread::sleep(A_WHILE));
        assert!(clock.now() >= START + A_WHILE);
        clock.stop();
        let stopped = clock.now();
        std::thread::sleep(A_WHILE);
        assert_eq!(clock.now(), stopped);
        assert_eq!(clock.until(stopped + A_WHILE), None);
        clock.go();
        std::thread::sleep(A_WHILE);
        assert!(clock.now() >= stopped + A_WHILE);
        assert_eq!(clock.until(stopped), Some(Duration::ZERO));
    }

    #[test]
    fn a_paced_one_stands_still_while_the_world_computes() {
        let mut clock = Clock::new(START, true);
        clock.stop();
        let stopped = clock.now();
        clock.aside(|| std::thread::sleep(A_WHILE));
        assert_eq!(clock.now(), stopped, "it stood, and still does");
        clock.go();
        let shown = clock.aside(|| {
            std::thread::sleep(A_WHILE * 10);
            A_WHILE * 10
        });
        assert!(clock.now() < stopped + shown, "what the work took is not counted");
    }
}
