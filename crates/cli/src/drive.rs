//! Drives a world natively: answers its requests for static files and runs its events.

use std::time::SystemTime;

use cluster::{World, WorldConfig};
use simulation::{Step, StepLimits, Time};

use crate::assets::Files;
use crate::engine::Engine;

/// Polls between two looks at the outside.
const POLLS_PER_SLICE: u32 = 2_000;

/// The wall clock, with which a world begins.
pub fn wall_clock() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Now, in whole seconds: sub-second digits would only make outputs harder to compare.
pub fn begin_now() -> Time {
    Time::from_unix_seconds(wall_clock().unix_seconds())
}

/// A world that begins at `start`.
///
/// # Errors
/// The profile is not known, or cannot have so many nodes.
pub fn new_world(seed: u64, start: Time, profile: Option<&str>, nodes: u32) -> anyhow::Result<World> {
    new_world_on(Engine::Wasmi, seed, start, profile, nodes)
}

/// As [`new_world`], with containers that run on `engine`.
///
/// # Errors
/// Also when this machine cannot run the engine.
pub fn new_world_on(
    engine: Engine,
    seed: u64,
    start: Time,
    profile: Option<&str>,
    nodes: u32,
) -> anyhow::Result<World> {
    let config = WorldConfig { seed, start, profile: profile.map(str::to_owned), nodes };
    World::with_engine(config, engine.make()?).map_err(|problem| anyhow::anyhow!(problem))
}

/// Runs everything due up to `until`, answering requests for files on the way.
pub fn step(world: &mut World, until: Time) -> Step {
    step_from(&Files::default(), world, until)
}

/// As [`step`], with files of the user.
pub fn step_from(files: &Files, world: &mut World, until: Time) -> Step {
    loop {
        match world.step(until, StepLimits { polls_max: POLLS_PER_SLICE }) {
            Step::Waiting => answer(files, world),
            other => return other,
        }
    }
}

/// Runs events as fast as they can be run, until `done` or until nothing is left to happen.
///
/// `pump` is called between slices, to pass output on. Gives false when the world ran dry before `done`.
pub fn run_until(world: &mut World, pump: impl FnMut(&mut World) -> bool) -> bool {
    run_until_from(&Files::default(), world, pump)
}

/// As [`run_until`], with files of the user.
pub fn run_until_from(files: &Files, world: &mut World, mut pump: impl FnMut(&mut World) -> bool) -> bool {
    let mut until = world.now();
    loop {
        let step = step_from(files, world, until);
        if pump(world) {
            return true;
        }
        match step {
            Step::Busy | Step::Waiting => {}
            Step::Idle { wake_at: Some(at) } => until = at,
            Step::Idle { wake_at: None } => return false,
        }
    }
}

fn answer(files: &Files, world: &mut World) {
    for request in world.external_requests() {
        world.external_reply(request.id, files.read(&request.path));
    }
}
