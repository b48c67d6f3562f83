//! The project's own images on a node, when they have been built: `cargo xtask images`, then
//! `cargo test -p runtime --test guests -- --ignored`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that reads what the build made")]

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use network::{Fabric, Role};
use runtime::cri::{ContainerConfig, ContainerRuntime, Id, LogOptions, Options, SandboxConfig, Shared, State};
use simulation::{ExternalError, Sim, SimConfig, Step, StepLimits, Time};

struct Node {
    sim: Sim,
    fabric: Fabric,
    runtime: ContainerRuntime,
}

fn registry() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/target/registry"))
}

impl Node {
    fn new() -> Node {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_795_230_501) });
        let fabric = Fabric::new(sim.clone());
        let node_net = fabric.attach_as("minikube", &[[192, 168, 49, 2].into()], Role::Node);
        let shared = Shared::new(&sim);
        let pod_network = ([10, 244, 0, 0].into(), 65_536);
        let options = Options { node: "minikube".into(), node_net, pod_network, shared };
        Node { runtime: ContainerRuntime::new(&sim, &fabric, options), sim, fabric }
    }

    fn pass(&self, time: Duration) {
        let until = self.sim.now() + time;
        loop {
            match self.sim.step(until, StepLimits { polls_max: 100_000 }) {
                Step::Idle { .. } => break,
                Step::Busy => {}
                Step::Waiting => {
                    for request in self.sim.external_requests() {
                        let path = registry().join(request.path.strip_prefix("images/").unwrap());
                        let answer = std::fs::read(path).map(Bytes::from).map_err(|_| ExternalError::NotFound);
                        self.sim.external_reply(request.id, answer);
                    }
                }
            }
        }
        self.sim.advance_to(until);
    }

    fn run<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let mut task = self.sim.spawn(work);
        for _ in 0..10_000 {
            if let Some(value) = (&mut task).now_or_never() {
                return value.unwrap();
            }
            self.pass(Duration::from_millis(50));
        }
        panic!("seed=1: not done after 500 s");
    }

    fn start(&self, image: &str, command: &[&str], args: &[&str]) -> (Id, std::net::Ipv4Addr) {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let config = ContainerConfig {
            image: image.into(),
            command: words(command),
            args: words(args),
            ..ContainerConfig::default()
        };
        let runtime = self.runtime.clone();
        self.run(async move {
            runtime.pull(&config.image).await.unwrap();
            let pod = SandboxConfig { name: "web".into(), hostname: "web-1".into(), ..SandboxConfig::default() };
            let sandbox = runtime.run_sandbox(pod).await.unwrap();
            let id = runtime.create_container(&sandbox.id, config).await.unwrap();
            runtime.start_container(&id).await.unwrap();
            (id, sandbox.ip)
        })
    }

    fn log(&self, id: &Id) -> String {
        let all: Vec<Bytes> = self.run(self.runtime.logs(id, LogOptions::default()).unwrap().collect());
        String::from_utf8_lossy(&all.concat()).into_owned()
    }

    fn get(&self, ip: std::net::Ipv4Addr, port: u16) -> String {
        let client = self.fabric.attach("learner", &[[10, 244, 200, 9].into()]);
        self.run(async move {
            let stream = client.connect(std::net::SocketAddrV4::new(ip, port)).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut all = Vec::new();
            loop {
                let bytes = stream.read().await.unwrap();
                if bytes.is_empty() {
                    return String::from_utf8_lossy(&all).into_owned();
                }
                all.extend_from_slice(&bytes);
            }
        })
    }

    fn exec(&self, id: &Id, argv: &[&str]) -> (String, i32) {
        let argv = argv.iter().map(|w| (*w).to_owned()).collect();
        let session = self.runtime.exec(id, argv, false, false).unwrap();
        self.run(async move {
            let (out, err, code): (Vec<Bytes>, Vec<Bytes>, i32) =
                futures_util::join!(session.stdout.collect(), session.stderr.collect(), session.exit);
            (String::from_utf8_lossy(&[out.concat(), err.concat()].concat()).into_owned(), code)
        })
    }
}

#[test]
#[ignore = "needs built images"]
fn bootcamp_answers_and_stops() {
    let node = Node::new();
    for (tag, version) in [("v1", 1), ("v2", 2)] {
        let (id, ip) = node.start(&format!("gcr.io/google-samples/kubernetes-bootcamp:{tag}"), &[], &[]);
        node.pass(Duration::from_secs(1));
        let answer = node.get(ip, 8080);
        assert!(answer.contains("Hello Kubernetes bootcamp! | Running on: "), "{answer}");
        assert!(answer.contains("web-1") && answer.contains(&format!(" | v={version}")), "{answer}");
        assert!(node.log(&id).starts_with("Kubernetes Bootcamp App Started At: 2026-"), "{}", node.log(&id));
        let steps = node.sim.steps();
        node.pass(Duration::from_secs(3600));
        assert!(node.sim.steps() - steps < 5, "an idle server costs nothing");
        node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
        let status = node.runtime.container_status(&id).unwrap();
        assert_eq!((status.state, status.exit_code), (State::Exited, 143));
    }
}

#[test]
#[ignore = "needs built images"]
fn busybox_runs_shells_and_applets() {
    let node = Node::new();
    let (id, _) = node.start("busybox", &["sleep", "3600"], &[]);
    for (argv, expected, code) in [
        (&["echo", "hi"][..], "hi\n", 0),
        (&["sh", "-c", "echo a | cat; exit 3"], "a\n", 3),
        (&["sh", "-c", "for i in 1 2 3; do echo $i; done | wc -l"], "3\n", 0),
        (&["hostname"], "web-1\n", 0),
        (&["ls", "/nope"], "ls: /nope: No such file or directory\n", 1),
        (&["sh", "-c", "cd /tmp && pwd && echo x > f && cat f && rm f && ls"], "/tmp\nx\n", 0),
        (&["sh", "-c", "sleep 5 & kill $!; wait $!; echo $?"], "143\n", 0),
        (&["sh", "-c", "nosuch"], "sh: nosuch: not found\n", 127),
    ] {
        assert_eq!(node.exec(&id, argv), (expected.to_owned(), code), "{argv:?}");
    }
}

#[test]
#[ignore = "needs built images"]
fn a_shell_on_a_terminal() {
    let node = Node::new();
    let (id, _) = node.start("busybox", &["sleep", "3600"], &[]);
    let mut session = node.runtime.exec(&id, vec!["sh".into()], true, true).unwrap();
    let mut input = session.stdin.take().unwrap();
    let sim = node.sim.clone();
    let (screen, code) = node.run(async move {
        let typing = async {
            for keys in [
                "echo hi\r",
                "sleep 100\r",
                "\x03",
                "echo $?\r",
                "cat\r",
                "line\r",
                "\x04",
                "echo A\x7fB\r",
                "exit 3\r",
            ] {
                sim.sleep(Duration::from_secs(1)).await;
                input.write(Bytes::copy_from_slice(keys.as_bytes())).await;
            }
        };
        let ((), screen, code) = futures_util::join!(typing, session.stdout.collect::<Vec<Bytes>>(), session.exit);
        (screen.concat(), code)
    });
    let lines = [
        "/ # echo hi",
        "hi",
        "/ # sleep 100",
        "^C",
        "/ # echo $?",
        "130",
        "/ # cat",
        "line",
        "line",
        "/ # echo A\x08 \x08B",
        "B",
        "/ # exit 3",
        "",
    ];
    assert_eq!((String::from_utf8(screen).unwrap(), code), (lines.join("\r\n"), 3));
}

#[test]
#[ignore = "needs built images"]
fn nginx_serves_its_page() {
    let node = Node::new();
    let (id, ip) = node.start("nginx", &[], &[]);
    node.pass(Duration::from_secs(1));
    let answer = node.get(ip, 80);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("Welcome to nginx!"), "{answer}");
    assert!(node.log(&id).contains("\"GET / HTTP/1.1\" 200"), "{}", node.log(&id));
}

/// Prints what many containers cost; the numbers are for people.
#[test]
#[ignore = "needs built images"]
fn a_thousand_containers() {
    let node = Node::new();
    let begun = std::time::Instant::now();
    for n in 0..1_000 {
        let (id, ip) = node.start("gcr.io/google-samples/kubernetes-bootcamp:v1", &[], &[]);
        if n == 999 {
            node.pass(Duration::from_secs(1));
            println!("1000 containers in {:?}, {:?}", begun.elapsed(), node.runtime.container_stats(&id));
            assert!(node.get(ip, 8080).contains("Hello"));
        }
    }
}
