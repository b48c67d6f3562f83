//! What a container used, window by window: cumulative readings at the ends of windows, as one who reads its cgroup every
//! 15 s would have them.
//!
//! No timer takes them. Use changes only when a process runs, so the readings that were due since then are made up just
//! before the next one does, and when somebody asks: a container that sleeps wakes nobody.

use std::cell::Cell;

use simulation::Time;

use crate::limits::USAGE_WINDOW;

/// What a container had used at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// When.
    pub at: Time,
    /// Fuel since the start.
    pub fuel: u64,
    /// Bytes of memory in use.
    pub memory_bytes: u64,
}

/// The readings at the ends of the last two windows.
#[derive(Debug, Default)]
pub struct Meter {
    last: Cell<Reading>,
    previous: Cell<Reading>,
}

impl Meter {
    /// Tells that this much has been used so far, and has not changed since the last telling.
    pub fn tell(&self, now: Time, fuel: u64, memory_bytes: u64) {
        let last = self.last.get();
        if now.saturating_since(last.at) < USAGE_WINDOW {
            return;
        }
        let window = i64::try_from(USAGE_WINDOW.as_nanos()).unwrap_or(i64::MAX);
        let end = now.as_nanos().div_euclid(window) * window;
        let reading = |nanos: i64| Reading { at: Time::from_nanos(nanos), fuel, memory_bytes };
        let follows = last.at + USAGE_WINDOW == Time::from_nanos(end);
        self.previous.set(if follows { last } else { reading(end - window) });
        self.last.set(reading(end));
    }

    /// The readings at the ends of the window before the last one, and of the last one.
    pub fn readings(&self) -> [Reading; 2] {
        [self.previous.get(), self.last.get()]
    }
}

/// When the window ended that ended last.
pub fn window_end(now: Time) -> Time {
    let meter = Meter::default();
    meter.tell(now, 0, 0);
    meter.last.get().at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_those_of_the_ends_of_windows() {
        let meter = Meter::default();
        let told = |seconds: i64, fuel: u64| {
            meter.tell(Time::from_unix_seconds(seconds), fuel, fuel);
            meter.readings().map(|r| (r.at.unix_seconds(), r.fuel))
        };
        assert_eq!(told(62, 0), [(45, 0), (60, 0)]);
        assert_eq!(told(70, 5), [(45, 0), (60, 0)]);
        assert_eq!(told(76, 9), [(60, 0), (75, 9)]);
        assert_eq!(told(121, 9), [(105, 9), (120, 9)], "nothing was used for two windows");
        assert_eq!(window_end(Time::from_unix_seconds(121) + USAGE_WINDOW / 2), Time::from_unix_seconds(120));
    }
}
