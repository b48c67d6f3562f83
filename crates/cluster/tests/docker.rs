//! docker, minikube's images and kubectl together, with the project's own images when they have been built: `cargo xtask images`,
//! then `cargo test -p cluster --test docker -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "a test that reads what the build made")]

mod common;

use std::path::PathBuf;

use bytes::Bytes;
use cluster::{Stream, World};
use common::world;
use simulation::{Duration, ExternalError, Step, StepLimits};

/// Lets time pass until a script has ended; images come from the build.
struct Shell(World);

impl Shell {
    fn new(profile: Option<&str>) -> Shell {
        let mut shell = Shell(world(1, profile));
        shell.pass(Duration::from_secs(if profile.is_some() { 40 } else { 0 }));
        shell
    }

    fn step(&mut self, until: simulation::Time) -> bool {
        let registry = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/target/registry"));
        match self.0.step(until, StepLimits { polls_max: 10_000 }) {
            Step::Idle { .. } => return false,
            Step::Busy => {}
            Step::Waiting => {
                for request in self.0.external_requests() {
                    let file = registry.join(request.path.strip_prefix("images/").expect("an image"));
                    let answer = std::fs::read(file).map(Bytes::from).map_err(|_| ExternalError::NotFound);
                    self.0.external_reply(request.id, answer);
                }
            }
        }
        true
    }

    fn pass(&mut self, time: Duration) {
        let until = self.0.now() + time;
        while self.step(until) {}
        self.0.advance_to(until);
    }

    /// Runs a script on the learner's machine: what it printed, on both streams together, and its exit code.
    fn run(&mut self, script: &str) -> (String, i32) {
        self.pass(Duration::from_millis(10));
        let run = self.0.run_script(script, "");
        for _ in 0..2_000 {
            if run.exit_code().is_some() {
                break;
            }
            self.pass(Duration::from_millis(500));
        }
        let pieces = self.0.take_output().into_iter().filter(|o| matches!(o.stream, Stream::Stdout | Stream::Stderr));
        let text = String::from_utf8_lossy(&pieces.flat_map(|o| o.bytes).collect::<Vec<_>>()).into_owned();
        (text, run.exit_code().unwrap_or(-1))
    }

    /// What a script prints; it must end well.
    #[track_caller]
    fn ok(&mut self, script: &str) -> String {
        let (text, code) = self.run(script);
        assert_eq!(code, 0, "{script}\n{text}");
        text
    }
}

#[test]
#[ignore = "needs built images"]
fn explore() {
    let mut shell = Shell::new(None);
    let script = std::env::var("SCRIPT").unwrap_or_default();
    if std::env::var("PROFILE").is_ok() {
        shell = Shell::new(Some("minikube"));
    }
    let (text, code) = shell.run(&script);
    println!("{text}\nexit {code}");
}
