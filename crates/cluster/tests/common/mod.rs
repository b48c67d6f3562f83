//! A world as its tests drive it.
#![allow(dead_code, reason = "each test binary uses its part")]

use cluster::{Input, Stream, World, WorldConfig};
use simulation::{Duration, ExternalError, Step, StepLimits, Time};

/// When the worlds begin.
pub const START: Time = Time::from_unix_seconds(1_795_000_000);

pub fn world(seed: u64, profile: Option<&str>) -> World {
    let config = WorldConfig { seed, start: START, profile: profile.map(str::to_owned), nodes: 1 };
    World::new(config).expect("the profile exists")
}

/// Runs everything up to `until`; files of the site are not there.
pub fn run_to(world: &mut World, until: Time) {
    loop {
        match world.step(until, StepLimits { polls_max: 500 }) {
            Step::Idle { .. } => return,
            Step::Busy => {}
            Step::Waiting => {
                for request in world.external_requests() {
                    world.external_reply(request.id, Err(ExternalError::NotFound));
                }
            }
        }
    }
}

pub fn run_for(world: &mut World, duration: Duration) {
    let until = world.now() + duration;
    run_to(world, until);
    world.advance_to(until);
}

pub fn screen(world: &mut World) -> String {
    let pieces = world.take_output().into_iter().filter(|o| o.stream == Stream::Terminal(1));
    String::from_utf8_lossy(&pieces.flat_map(|o| o.bytes).collect::<Vec<_>>()).into_owned()
}

pub fn type_in(world: &mut World, text: &str) -> String {
    let at = world.now();
    run_to(world, at);
    world.input(at, Input::Keys { id: 1, text: text.to_owned() });
    run_for(world, Duration::from_secs(30));
    screen(world)
}

pub fn open(world: &mut World) -> String {
    let at = world.now();
    run_to(world, at);
    world.input(at, Input::OpenTerminal { id: 1, cols: 100, rows: 30 });
    run_for(world, Duration::from_secs(1));
    screen(world)
}
