//! `kubonsai bench`: how fast a world runs natively.

mod engines;
mod requests;
mod scale;

use std::time::Instant;

use kubonsai::drive;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A thousand nodes with ten thousand pods instead, which takes minutes
    #[arg(long)]
    large: bool,
    /// How many pods the large cluster has
    #[arg(long, requires = "large", default_value_t = 10_000)]
    pods: usize,
}

/// What is played: a cluster, an app that comes up, is scaled, updated and asked.
const SCENARIO: &str = "
    minikube start > /dev/null
    kubectl create deployment app --image=gcr.io/google-samples/kubernetes-bootcamp:v1 > /dev/null
    kubectl expose deployment/app --type=NodePort --port 8080 > /dev/null
    kubectl scale deployment/app --replicas=20 > /dev/null
    kubectl rollout status deployment/app > /dev/null
    port=$(kubectl get services/app -o go-template='{{(index .spec.ports 0).nodePort}}')
    for i in $(seq 100); do curl -s $(minikube ip):$port > /dev/null; kubectl get pods > /dev/null; done
    kubectl set image deployment/app kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2 > /dev/null
    kubectl rollout status deployment/app > /dev/null
";

/// Plays the scenario and prints figures, one `name value` a line.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    if options.large {
        scale::large(options.pods)?;
        return Ok(0);
    }
    let mut world = drive::new_world(1, drive::begin_now(), None, 1)?;
    let run = world.run_script(SCENARIO, Vec::new());
    let begun = Instant::now();
    let offset = world.now();
    drive::run_until(&mut world, |world| {
        world.take_output();
        run.exit_code().is_some()
    });
    let seconds = begun.elapsed().as_secs_f64();
    anyhow::ensure!(run.exit_code() == Some(0), "the scenario failed: exit code {:?}", run.exit_code());
    let virtual_seconds = world.now().saturating_since(offset).as_secs_f64();
    println!("steps {}", world.steps());
    println!("steps_per_second {:.0}", world.steps() as f64 / seconds);
    println!("virtual_seconds_per_second {:.1}", virtual_seconds / seconds);
    drop(world);
    requests::run()?;
    engines::run()?;
    scale::run()?;
    Ok(0)
}
