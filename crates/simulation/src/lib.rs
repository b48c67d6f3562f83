//! The world that everything else runs in: virtual clock, one seeded random generator, an ordered executor for async
//! tasks, named limits and the trace of what happened.
//!
//! Invariants:
//! * Nothing here reads a platform clock, thread, file or random source. Time enters through [`Sim::step`] by value.
//! * Tasks are polled in a fixed order: first in, first out; timers by (time, order of creation).
//! * The clock only moves to the moment of an event or of an input, so how a shell slices its calls to `step` cannot
//!   be seen from inside. Same seed and same inputs at the same virtual times give the same bytes.

mod executor;
mod external;
pub mod limits;
pub mod notify;
mod rng;
mod sim;
mod time;
pub mod trace;

pub use executor::{Aborted, Task};
pub use external::{ExternalError, ExternalRequest};
pub use sim::{Elapsed, Sim, SimConfig, Step, StepLimits};
pub use std::time::Duration;
pub use time::Time;
pub use trace::{Trace, TraceEvent, TraceKind};

/// Registers a part that is not built yet and gives the sentence with which to refuse it.
///
/// The first argument names the area, the second the feature. `cargo xtask tidy` collects every call into
/// docs/stubs.md, so what is missing is a generated page and not a claim.
#[macro_export]
macro_rules! stub {
    ($area:literal, $feature:literal) => {
        concat!("kubonsai does not support ", $feature, " (", $area, ") yet")
    };
}
