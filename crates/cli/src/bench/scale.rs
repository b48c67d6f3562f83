//! Many pods: the figures that are compared with a real control plane. Seconds are of the processor, which on a machine that has
//! nothing else to do are those of the clock.
//!
//! What a real one (1.36.3, its clients' limits raised) took on a machine of two cores: 6.6 s until a thousand pods were
//! scheduled, 9.3 s until all ran, 7.7 s until they were deleted; with the limits that it has out of the box 50.6 s until they
//! were scheduled.

use std::time::Instant;

use api::Object;
use cluster::World;
use kubonsai::drive;
use simulation::Duration;

/// Pods of a run.
const PODS: usize = 1_000;
/// Nodes, of a hundred and ten pods each.
const NODES: u32 = 12;
/// A container that runs a program of some size, and then waits.
const IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.53";
/// Objects of the file that is applied.
const APPLIED: usize = 1_000;
/// Pods of the list.
const LISTED: usize = 10_000;
/// Virtual time between two looks at what is there, for each pod: looking at all of them takes time too.
const LOOK_AT_POD: Duration = Duration::from_micros(100);
/// Seconds of virtual time until the cluster rests.
const REST: &str = "sleep 30";
/// A container that does nothing, and holds as little as one can.
const PAUSE: &str = "registry.k8s.io/pause:3.10";
/// The Deployments that the pods of the large cluster belong to: one alone would be made no faster, and nobody has one.
const DEPLOYMENTS_LARGE: usize = 10;

/// Plays the scenarios and prints figures, one `name value` a line.
pub(super) fn run() -> anyhow::Result<()> {
    pods("pods", &format!("--image={IMAGE} -- /agnhost pause"), true)?;
    // As the one that is compared with: there a stand-in played the kubelets, and no container ran anything.
    pods("pause_pods", &format!("--image={PAUSE}"), false)?;
    objects()
}

/// A thousand nodes with ten pods each, or as many as are said in all.
pub(super) fn large(pods: usize) -> anyhow::Result<()> {
    let before = resident_mib();
    let begun = Clock::now();
    let mut world = drive::new_world(1, drive::begin_now(), Some("thousand-node"), 1_000)?;
    script(&mut world, "sleep 60")?;
    println!("mib_for_1000_nodes {}", resident_mib().saturating_sub(before));
    println!("1000_nodes_ready_in_seconds {:.2}", begun.seconds());
    let (begun, since) = (Clock::now(), world.now());
    let replicas = pods / DEPLOYMENTS_LARGE;
    let pods = replicas * DEPLOYMENTS_LARGE;
    for i in 0..DEPLOYMENTS_LARGE {
        script(
            &mut world,
            &format!("kubectl create deployment web-{i} --image={PAUSE} --replicas={replicas} > /dev/null"),
        )?;
    }
    // Ten objects tell; to look at ten thousand again and again would be a fifth of all the work.
    until(&mut world, (pods, "ready"), |world| ready_replicas(world) == pods)?;
    anyhow::ensure!(count(&world, is_ready) == pods, "the Deployments say so, but the pods are not ready");
    println!("{pods}_pods_on_1000_nodes_ready_in_seconds {:.2}", begun.seconds());
    let virtual_seconds = world.now().saturating_since(since).as_secs_f64();
    println!("{pods}_pods_on_1000_nodes_ready_in_virtual_seconds {virtual_seconds:.0}");
    println!("mib_for_1000_nodes_and_{pods}_pods {}", resident_mib().saturating_sub(before));
    Ok(())
}

/// Makes and deletes the pods of one Deployment.
fn pods(what: &str, of: &str, is_first: bool) -> anyhow::Result<()> {
    let mut world = drive::new_world(1, drive::begin_now(), Some("minikube"), NODES)?;
    script(&mut world, REST)?;
    let before = resident_mib();
    let begun = Clock::now();
    let create = format!("kubectl create deployment web --replicas={PODS} {of} > /dev/null");
    let run = world.run_script(&create, Vec::new());
    until(&mut world, (PODS, "scheduled"), |world| count(world, |pod| !pod.str("spec.nodeName").is_empty()) == PODS)?;
    println!("{PODS}_{what}_scheduled_in_seconds {:.2}", begun.seconds());
    until(&mut world, (PODS, "ready"), |world| count(world, is_ready) == PODS)?;
    anyhow::ensure!(run.exit_code() == Some(0), "the deployment was not created");
    println!("{PODS}_{what}_ready_in_seconds {:.2}", begun.seconds());
    // What an earlier run has freed is used again: only the first one tells what pods hold.
    if let Some(mib) = resident_mib().checked_sub(before).filter(|_| is_first) {
        println!("mib_for_{PODS}_{what} {mib}");
    }
    let begun = Clock::now();
    script(&mut world, "kubectl delete deployment web > /dev/null")?;
    until(&mut world, (PODS, "gone"), |world| count(world, |_| true) == 0)?;
    println!("{PODS}_{what}_deleted_in_seconds {:.2}", begun.seconds());
    Ok(())
}

fn objects() -> anyhow::Result<()> {
    let mut world = drive::new_world(1, drive::begin_now(), Some("minikube"), 1)?;
    script(&mut world, REST)?;
    let one = |i| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}}}\ndata: {{key: value-{i}}}\n");
    let file: Vec<String> = (0..APPLIED).map(one).collect();
    let begun = Clock::now();
    script_with(&mut world, "kubectl apply -f - > /dev/null", &file.join("---\n"))?;
    println!("{APPLIED}_objects_applied_in_seconds {:.2}", begun.seconds());
    // No scheduler of that name: they wait, as pods do that are only to be listed.
    let template = format!(
        "{{metadata: {{labels: {{app: web}}}}, spec: {{schedulerName: none, containers: [{{name: c, image: {IMAGE:?}}}]}}}}"
    );
    for i in 0..LISTED / PODS {
        let set = format!(
            "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: r{i}}}, spec: {{replicas: {PODS}, selector: {{matchLabels: {{app: web}}}}, template: {template}}}}}"
        );
        script_with(&mut world, "kubectl apply -f - > /dev/null", &set)?;
    }
    until(&mut world, (LISTED, "there"), |world| count(world, |_| true) == LISTED)?;
    let begun = Clock::now();
    script(&mut world, "kubectl get --raw /api/v1/namespaces/default/pods > /dev/null")?;
    println!("{LISTED}_pods_listed_in_seconds {:.2}", begun.seconds());
    Ok(())
}

fn script(world: &mut World, text: &str) -> anyhow::Result<()> {
    script_with(world, text, "")
}

/// Runs a script of the learner to its end.
fn script_with(world: &mut World, text: &str, stdin: &str) -> anyhow::Result<()> {
    let run = world.run_script(text, stdin.as_bytes().to_vec());
    drive::run_until(world, |world| {
        world.take_output();
        run.exit_code().is_some()
    });
    anyhow::ensure!(run.exit_code() == Some(0), "`{text}` failed: exit code {:?}", run.exit_code());
    Ok(())
}

/// Runs events until something holds of so many pods.
fn until(world: &mut World, (pods, what): (usize, &str), holds: impl Fn(&World) -> bool) -> anyhow::Result<()> {
    let look = LOOK_AT_POD * u32::try_from(pods)?;
    let mut next = world.now();
    let came = drive::run_until(world, |world| {
        world.take_output();
        let due = world.now() >= next;
        if due {
            next = world.now() + look;
        }
        due && holds(world)
    });
    anyhow::ensure!(came, "the pods are never {what}");
    Ok(())
}

fn count(world: &World, counts: impl Fn(&Object) -> bool) -> usize {
    world.objects("v1", "Pod", "default").iter().filter(|pod| counts(pod)).count()
}

/// Ready pods as the Deployments count them.
fn ready_replicas(world: &World) -> usize {
    let deployments = world.objects("apps/v1", "Deployment", "default");
    let ready = deployments.iter().filter_map(|deployment| deployment.int("status.readyReplicas"));
    ready.filter_map(|count| usize::try_from(count).ok()).sum()
}

fn is_ready(pod: &Object) -> bool {
    pod.list("status.conditions").iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Time that this thread has used.
pub(super) struct Clock {
    used: Option<u64>,
    begun: Instant,
}

impl Clock {
    pub(super) fn now() -> Clock {
        Clock { used: used(), begun: Instant::now() }
    }

    /// Seconds since then; of the wall clock where the system does not tell the processor's.
    pub(super) fn seconds(&self) -> f64 {
        let used = used().zip(self.used).map(|(now, then)| (now - then) as f64 / 1e9);
        used.unwrap_or_else(|| self.begun.elapsed().as_secs_f64())
    }
}

/// Nanoseconds of the processor that the first thread, which runs everything, has used.
fn used() -> Option<u64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// What this process holds, in MiB; 0 where the system does not tell.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
