//! Several machines with a control plane: whichever of them fail, nothing is said to be written without more than half of them,
//! nothing that was said to be written is lost, and when they are back somebody leads and the work goes on.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use api::{Object, kinds};
use client::{Client, ListOptions};
use cluster::{World, WorldConfig};
use futures_util::FutureExt as _;
use json::json;
use simulation::{Step as Ran, StepLimits, Time};

use crate::images;

/// Seeds of a run.
const SEEDS: u64 = 3;
const START: Time = Time::from_unix_seconds(1_795_230_000);
/// Machines with a control plane.
const MACHINES: u32 = 3;
const STEPS: u64 = 24;
const BOOT: Duration = Duration::from_secs(30);
/// Longer than a Lease, a silent node's grace and a pod's way back.
const QUIET: Duration = Duration::from_secs(150);

/// Numbers from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn pass(world: &mut World, time: Duration) {
    let until = world.now() + time;
    loop {
        match world.step(until, StepLimits { polls_max: 10_000 }) {
            Ran::Idle { .. } => break,
            Ran::Waiting => {
                for request in world.external_requests() {
                    world.external_reply(request.id, images::read(&request.path));
                }
            }
            Ran::Busy => {}
        }
    }
    world.advance_to(until);
}

fn ask<T: 'static>(world: &mut World, question: impl Future<Output = T> + 'static) -> T {
    let task = world.sim().spawn(question);
    pass(world, Duration::from_secs(1));
    task.now_or_never().and_then(Result::ok).expect("it is answered within a second")
}

fn deployment(replicas: u64) -> Object {
    let labels = json!({"app": "web"});
    Object::new(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": format!("{}:v1", images::SERVER)}]}}}}),
    )
}

/// Plays a seed; gives how many writes were acknowledged and refused, and everything that happened.
fn play(seed: u64) -> (usize, usize, String) {
    let config = WorldConfig { seed, start: START, profile: Some("ha".to_owned()), nodes: 0 };
    let mut world = World::new(config).expect("the profile exists");
    pass(&mut world, BOOT);
    assert!(world.is_ready(), "seed {seed}: the cluster comes up");
    let client = Client::new(world.transport().expect("it runs"), "learner");
    let mut draw = Draw(seed);
    let mut is_up = [true; MACHINES as usize];
    let up = Rc::new(Cell::new(MACHINES));
    let (written, refused) = (Rc::new(RefCell::new(BTreeSet::new())), Rc::new(Cell::new(0)));
    let made = client.clone();
    ask(&mut world, async move { made.create(&kinds::DEPLOYMENTS, "default", deployment(2)).await }).expect("created");
    for step in 0..STEPS {
        let machine = u32::try_from(draw.below(u64::from(MACHINES))).expect("small");
        let is_on = &mut is_up[machine as usize];
        if *is_on {
            world.stop_machine(machine);
        } else {
            world.start_machine(machine);
        }
        *is_on = !*is_on;
        up.set(is_up.iter().map(|is_on| u32::from(*is_on)).sum());
        pass(&mut world, Duration::from_millis(draw.below(4_000)));
        let (client, up, written, refused) = (client.clone(), Rc::clone(&up), Rc::clone(&written), Rc::clone(&refused));
        world.sim().spawn(async move {
            let name = format!("c{step}");
            let object = Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}));
            match client.create(&kinds::CONFIG_MAPS, "default", object).await {
                Ok(_) => {
                    assert!(up.get() * 2 > MACHINES, "seed {seed}: {name} was written without a quorum");
                    written.borrow_mut().insert(name);
                }
                Err(_) => refused.set(refused.get() + 1),
            }
        });
        pass(&mut world, Duration::from_millis(draw.below(16_000)));
    }
    (0..MACHINES).for_each(|machine| world.start_machine(machine));
    up.set(MACHINES);
    let replicas = 1 + draw.below(5);
    pass(&mut world, Duration::from_secs(10));
    let scaled = client.clone();
    let patch = json!({"spec": {"replicas": replicas}});
    let merge = client::PatchType::Merge;
    ask(&mut world, async move { scaled.patch(&kinds::DEPLOYMENTS, "default", "web", "", merge, &patch).await })
        .expect("a quorum is back");
    pass(&mut world, QUIET);
    check(seed, &mut world, &client, &written.borrow(), replicas);
    let trace: Vec<String> = world.trace_since(0).iter().map(|event| format!("{event:?}")).collect();
    let counts = (written.borrow().len(), refused.get());
    (counts.0, counts.1, trace.join("\n"))
}

fn check(seed: u64, world: &mut World, client: &Client, written: &BTreeSet<String>, replicas: u64) {
    let list = |world: &mut World, kind, namespace: &'static str| -> Vec<Object> {
        let client = client.clone();
        ask(world, async move { client.list(kind, namespace, &ListOptions::default()).await }).expect("a list").items
    };
    let there: BTreeSet<String> =
        list(world, &kinds::CONFIG_MAPS, "default").iter().map(|o| o.name().to_owned()).collect();
    let lost: Vec<&String> = written.difference(&there).collect();
    assert!(lost.is_empty(), "seed {seed}: lost {lost:?}");
    let web = list(world, &kinds::DEPLOYMENTS, "default").remove(0);
    assert_eq!(web.at("status.readyReplicas").as_u64(), Some(replicas), "seed {seed}: the controllers work again");
    let leases = list(world, &kinds::LEASES, "kube-system");
    assert_eq!(leases.len(), 2, "seed {seed}");
    for lease in leases {
        let renewed = Time::parse_rfc3339(lease.str("spec.renewTime")).expect("a time");
        let age = world.now().saturating_since(renewed);
        assert!(age < Duration::from_secs(5), "seed {seed}: {} is not renewed for {age:?}", lease.name());
    }
}

#[test]
fn machines_of_the_control_plane_may_fail() {
    let (mut written, mut refused) = (0, 0);
    for seed in 1..=SEEDS {
        let played = play(seed);
        (written, refused) = (written + played.0, refused + played.1);
    }
    assert!(written > 0 && refused > 0, "both happen: {written} written, {refused} refused");
}

#[test]
fn elections_are_the_same_for_the_same_seed() {
    assert!(play(7) == play(7), "seed 7 gives other bytes the second time");
}
