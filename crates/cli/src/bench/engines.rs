//! The engines side by side: how long a program that computes takes on each, and how much CPU time it is charged.

use std::time::Instant;

use kubonsai::drive;
use kubonsai::engine::Engine;

/// A shell that counts in a container: nothing but computing, after a few calls.
const COUNT: &str = "
    kubectl run count --image=busybox --restart=Never -- sh -c 'i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done' > /dev/null
    kubectl wait pod/count --for=jsonpath='{.status.phase}'=Running --timeout=60s > /dev/null
";
/// Waits for its end.
const END: &str = "kubectl wait pod/count --for=jsonpath='{.status.phase}'=Succeeded --timeout=600s > /dev/null";

/// Plays the program on each engine and prints figures, one `name value` a line.
pub(super) fn run() -> anyhow::Result<()> {
    let (wasmi, charged_wasmi) = count(Engine::Wasmi)?;
    let (wasmtime, charged_wasmtime) = count(Engine::Wasmtime)?;
    println!("wasmi_counts_in_seconds {wasmi:.2}");
    println!("wasmtime_counts_in_seconds {wasmtime:.2}");
    println!("wasmtime_is_faster_by {:.1}", wasmi / wasmtime);
    println!("wasmtime_charges_of_wasmi {:.3}", charged_wasmtime / charged_wasmi);
    Ok(())
}

/// Seconds of the wall clock, and virtual seconds, from the start of the container to its end.
fn count(engine: Engine) -> anyhow::Result<(f64, f64)> {
    let mut world = drive::new_world_on(engine, 1, drive::begin_now(), Some("minikube"), 1)?;
    drive::run_until(&mut world, |world| world.is_ready());
    play(&mut world, COUNT)?;
    let (begun, offset) = (Instant::now(), world.now());
    play(&mut world, END)?;
    Ok((begun.elapsed().as_secs_f64(), world.now().saturating_since(offset).as_secs_f64()))
}

fn play(world: &mut cluster::World, script: &str) -> anyhow::Result<()> {
    let run = world.run_script(script, Vec::new());
    drive::run_until(world, |world| {
        world.take_output();
        run.exit_code().is_some()
    });
    anyhow::ensure!(run.exit_code() == Some(0), "`{script}` failed: exit code {:?}", run.exit_code());
    Ok(())
}
