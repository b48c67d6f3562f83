//! What a learner types, in a world with a cluster, for as many steps as a short command takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use simulation::{Step, Time};

const START: Time = Time::from_unix_seconds(1_795_230_000);
/// Slices of two thousand polls.
const SLICES_MAX: usize = 10;

fuzz_target!(|data: &[u8]| {
    let Some(script) = fuzz::text(data) else { return };
    let mut world = kubonsai::drive::new_world(1, START, Some("minikube"), 1).expect("the profile exists");
    let run = world.run_script(script, Vec::new());
    let mut until = world.now();
    for _ in 0..SLICES_MAX {
        let step = kubonsai::drive::step(&mut world, until);
        world.take_output();
        match step {
            _ if run.exit_code().is_some() => break,
            Step::Idle { wake_at: Some(at) } => until = at,
            Step::Idle { wake_at: None } => break,
            Step::Busy | Step::Waiting => {}
        }
    }
});
