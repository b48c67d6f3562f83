//! Worlds that end: the page makes a new one for every lesson, every step that is taken again and every command that is
//! taken back, so nothing of an old one may stay.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use cluster::{Input, World};
use kubonsai::drive;
use simulation::{Duration, Step, Time};

const START: Time = Time::from_unix_seconds(1_795_000_000);

/// Plays scripts one after the other, opens a terminal with a program that does not end, and ends the world.
fn play(profile: Option<&str>, scripts: &[&str]) {
    let mut world = drive::new_world(1, START, profile, 1).unwrap();
    if profile.is_some() {
        drive::run_until(&mut world, |world| world.is_ready());
    }
    for script in scripts {
        let run = world.run_script(script, Vec::new());
        let mut said = Vec::new();
        drive::run_until(&mut world, |world| {
            said.extend(world.take_output().into_iter().flat_map(|output| output.bytes));
            run.exit_code().is_some()
        });
        assert_eq!(run.exit_code(), Some(0), "{script}\n{}", String::from_utf8_lossy(&said));
    }
    keys(&mut world, "kubectl get pods -A -w &\rkubectl logs -f web\r");
    let sim = world.sim().clone();
    drop(world);
    assert!(sim.is_last(), "something of the world is still held after {scripts:?}");
}

fn keys(world: &mut World, text: &str) {
    let at = world.now();
    for input in [Input::OpenTerminal { id: 1, cols: 80, rows: 24 }, Input::Keys { id: 1, text: text.to_owned() }] {
        settle(world, at);
        world.input(at, input);
    }
    settle(world, at + Duration::from_secs(5));
}

/// Runs everything up to a moment.
fn settle(world: &mut World, until: Time) {
    while drive::step(world, until) == Step::Busy {}
}

#[test]
fn a_world_leaves_nothing_behind() {
    play(None, &["echo hello"]);
    play(Some("minikube"), &["sleep 20"]);
}

#[test]
fn containers_connections_and_watches_go_with_it() {
    let web = "
        kubectl run web --image=nginx --port=80 && kubectl expose pod web --type=NodePort
        kubectl create deployment app --image=gcr.io/google-samples/kubernetes-bootcamp:v1 --replicas=3
        kubectl rollout status deployment/app && kubectl wait --for=condition=Ready pod/web
        kubectl proxy --port=8001 > /dev/null &
        kubectl port-forward pod/web 8080:80 > /dev/null &
        sleep 5
        curl -sS localhost:8080 > /dev/null && kubectl exec web -- ls / > /dev/null";
    play(
        Some("minikube"),
        &[web, "kubectl create job burn --image=busybox -- sh -c 'while true; do :; done'; sleep 5"],
    );
}

#[test]
fn clusters_that_were_deleted_go_too() {
    let again = "minikube start && kubectl create deployment app --image=nginx && minikube stop && minikube start && minikube delete";
    play(None, &[again, "minikube start && minikube node stop minikube && minikube node start minikube"]);
}
