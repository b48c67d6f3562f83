//! The project's own images in a world with a terminal, when they have been built: `cargo xtask images`, then
//! `cargo test -p cluster --test guests -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "a test that reads what the build made")]

mod common;

use std::path::PathBuf;

use bytes::Bytes;
use cluster::{Input, World};
use common::{screen, world};
use simulation::{Duration, ExternalError, Step, StepLimits};

/// Lets time pass; images come from the build.
fn pass(world: &mut World, time: Duration) {
    let registry = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/target/registry"));
    let until = world.now() + time;
    loop {
        match world.step(until, StepLimits { polls_max: 10_000 }) {
            Step::Idle { .. } => break,
            Step::Busy => {}
            Step::Waiting => {
                for request in world.external_requests() {
                    let file = registry.join(request.path.strip_prefix("images/").expect("an image"));
                    let answer = std::fs::read(file).map(Bytes::from).map_err(|_| ExternalError::NotFound);
                    world.external_reply(request.id, answer);
                }
            }
        }
    }
    world.advance_to(until);
}

fn type_in(world: &mut World, text: &str) -> String {
    pass(world, Duration::from_secs(0));
    let at = world.now();
    world.input(at, Input::Keys { id: 1, text: text.to_owned() });
    pass(world, Duration::from_secs(20));
    screen(world)
}

/// Every line feed on the screen must come with a carriage return: the terminal is raw while a container has it.
#[track_caller]
fn begins_lines_at_column_0(shown: &str) {
    let bare = shown.match_indices('\n').filter(|(at, _)| !shown[..*at].ends_with('\r')).count();
    assert_eq!(bare, 0, "{shown:?}");
    assert!(!shown.contains("\r\r\n"), "{shown:?}");
}

#[test]
#[ignore = "needs built images"]
fn a_shell_in_a_container_has_the_terminal() {
    let mut world = world(1, Some("minikube"));
    pass(&mut world, Duration::from_secs(0));
    let at = world.now();
    world.input(at, Input::OpenTerminal { id: 1, cols: 100, rows: 30 });
    pass(&mut world, Duration::from_secs(30));
    type_in(&mut world, "kubectl run web --image=gcr.io/google-samples/kubernetes-bootcamp:v1\r");
    type_in(&mut world, "kubectl wait --for=condition=Ready pod/web\r");
    let shown = type_in(&mut world, "kubectl exec -ti web -- bash\r");
    assert!(shown.ends_with("root@web:/# "), "{shown:?}");
    let shown = type_in(&mut world, "ls -1 /; echo done; nosuch\r");
    assert!(shown.contains("bin\r\n") && shown.contains("done\r\n"), "{shown:?}");
    begins_lines_at_column_0(&shown);
    // The keys go to the container: an interrupt ends what runs there, not kubectl.
    let shown = type_in(&mut world, "sleep 1000\r");
    assert!(!shown.contains("# ") || shown.ends_with("sleep 1000\r\n"), "{shown:?}");
    assert!(type_in(&mut world, "\x03").ends_with("root@web:/# "));
    let shown = type_in(&mut world, "exit 3\r");
    assert!(shown.contains("command terminated with exit code 3\r\n"), "{shown:?}");
    begins_lines_at_column_0(&shown);
    assert!(shown.contains("learner@kubonsai"), "{shown:?}");
    // The same with a pod of its own, which is gone afterwards.
    let shown = type_in(&mut world, "kubectl run box --rm -it --image=busybox --restart=Never -- sh\r");
    begins_lines_at_column_0(&shown);
    assert!(shown.ends_with("/ # "), "{shown:?}");
    let shown = type_in(&mut world, "echo $((6*7)); exit\r");
    assert!(shown.contains("42\r\n"), "{shown:?}");
    assert!(
        shown.contains("Session ended, resume using 'kubectl attach box -c box -n default -i -t' command\r\n"),
        "{shown:?}"
    );
    assert!(shown.contains("pod \"box\" deleted from default namespace\r\n"), "{shown:?}");
    begins_lines_at_column_0(&shown);
}
