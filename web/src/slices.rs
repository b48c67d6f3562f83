//! How much of the world runs between two looks at the real clock. A poll of a control loop takes microseconds; one of a
//! container that computes takes a turn of its processor, a thousand times as much. So the next slice is measured by
//! the last. That this changes nothing in what the world does has a test of its own (the world's slicing is invisible).

use cluster::World;
use simulation::{Step, StepLimits, Time};

/// Polls of the shortest and the longest slice.
const POLLS_MIN: u32 = 1;
const POLLS_MAX: u32 = 200;
/// Real time that a slice should take, in milliseconds: a part of what a tick may take.
const SLICE_MS: f64 = 3.0;
/// Growth of a slice that was shorter than that.
const GROWTH: u32 = 2;

/// The length of the next slice.
pub struct Slices {
    polls: u32,
}

impl Default for Slices {
    fn default() -> Slices {
        // Not the longest: a container may already be computing.
        Slices { polls: POLLS_MAX / 8 }
    }
}

impl Slices {
    /// Runs a slice of what is due until `until`. `clock` tells real time in milliseconds.
    pub fn run(&mut self, world: &mut World, until: Time, clock: &dyn Fn() -> f64) -> Step {
        let begun = clock();
        let step = world.step(until, StepLimits { polls_max: self.polls });
        self.learn(clock() - begun);
        step
    }

    fn learn(&mut self, took_ms: f64) {
        self.polls = if took_ms > SLICE_MS {
            ((f64::from(self.polls) * SLICE_MS / took_ms) as u32).max(POLLS_MIN)
        } else {
            (self.polls * GROWTH).min(POLLS_MAX)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_shrink_at_once_and_grow_step_by_step() {
        let mut slices = Slices { polls: POLLS_MAX };
        slices.learn(SLICE_MS * 50.0);
        assert_eq!(slices.polls, POLLS_MAX / 50);
        slices.learn(SLICE_MS * 1_000.0);
        assert_eq!(slices.polls, POLLS_MIN);
        for _ in 0..20 {
            slices.learn(0.01);
        }
        assert_eq!(slices.polls, POLLS_MAX);
    }
}
