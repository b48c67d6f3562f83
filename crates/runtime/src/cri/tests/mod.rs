//! Pods on a node, from the registry to the log.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use futures_util::{FutureExt as _, StreamExt as _};
use network::{Fabric, Role};
use sha2::{Digest as _, Sha256};
use simulation::{ExternalError, Sim, SimConfig, Step, StepLimits, Time};
use vfs::Vfs;

use super::*;
use crate::engine::{Engine, WasmiEngine};
use crate::image::{Login, Reference};
use crate::process::tests::guest;

mod hostile;

/// Files that the platform supplies.
#[derive(Default)]
struct Files(std::collections::BTreeMap<String, Bytes>);

impl Files {
    fn blob(&mut self, bytes: impl Into<Bytes>) -> (String, usize) {
        let bytes = bytes.into();
        let hex: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let length = bytes.len();
        self.0.insert(format!("images/blobs/sha256/{hex}"), bytes);
        (format!("sha256:{hex}"), length)
    }

    fn image(&mut self, config: &str, programs: &[(&str, Bytes)]) -> String {
        let mut tar = tar::Builder::new(Vec::new());
        for (path, bytes) in programs {
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o755);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, &bytes[..]).unwrap();
        }
        let (layer, layer_size) = self.blob(tar.into_inner().unwrap());
        let config = format!("{{\"config\":{config},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{layer:?}]}}}}");
        self.manifest(&config, "", &layer, layer_size)
    }

    /// Images that are none, as entries of an index.
    fn broken(&mut self) -> String {
        let (layer, size) = self.blob(tar::Builder::new(Vec::new()).into_inner().unwrap());
        let other = format!("sha256:{}", "1".repeat(64));
        let config =
            |ids: &[&str]| format!(r#"{{"config":{{"Cmd":["x"]}},"rootfs":{{"type":"layers","diff_ids":{ids:?}}}}}"#);
        let mut manifests = Vec::new();
        for (name, config, types) in [
            ("no-ids", r#"{"config":{"Cmd":["x"]}}"#.to_owned(), ""),
            ("other-ids", config(&[&other]), ""),
            ("more-ids", config(&[&layer, &layer]), ""),
            ("chart", config(&[&layer]), r#""mediaType":"application/vnd.cncf.helm.chart.v1+json","#),
        ] {
            manifests.push((name, self.manifest(&config, types, &layer, size)));
        }
        let plain = self.blob(config(&[&layer]));
        let manifest = format!(
            r#"{{"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{}","size":{}}},"layers":[]}}"#,
            plain.0, plain.1
        );
        manifests.push(("chart-config", self.blob(manifest).0));
        manifests.iter().map(|(name, digest)| format!(r#","quay.io/broken/{name}:v1":"{digest}""#)).collect()
    }

    /// A manifest; `types` are further fields of it.
    fn manifest(&mut self, config: &str, types: &str, layer: &str, layer_size: usize) -> String {
        let (config, config_size) = self.blob(config.to_owned());
        let manifest = format!(
            r#"{{"schemaVersion":2,{types}"config":{{"digest":"{config}","size":{config_size}}},
            "layers":[{{"digest":"{layer}","size":{layer_size}}}],"annotations":{{"dev.kubonsai.size":"4194304"}}}}"#
        );
        self.blob(manifest).0
    }
}

struct Node {
    sim: Sim,
    runtime: ContainerRuntime,
    files: Files,
}

const PRINT: &str = r#"(data (i32.const 100) "out\n") (data (i32.const 110) "err\nrest")
    (func (export "_start") (call $print (i32.const 100) (i32.const 4))
      (drop (call $print_to (i32.const 2) (i32.const 110) (i32.const 8))) (call $exit (i32.const 3)))"#;
const WAIT: &str = r#"(func (export "_start") (i32.store8 (i32.const 1008) (i32.const 0))
    (i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 3600000000000))
    (drop (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200))))"#;
/// Ends with code 0 at SIGTERM.
const GRACEFUL: &str = r#"(func (export "_start")
    (drop (call $signal_handle (i32.const 15) (i32.const 2))) (drop (call $read (i32.const 0))))"#;
const CAT: &str = r#"(func (export "_start") (local $n i32)
    (loop $l (local.set $n (call $read (i32.const 0)))
      (if (i32.gt_s (local.get $n) (i32.const 0)) (then (call $print (i32.const 4096) (local.get $n)) (br $l)))))"#;
const BOMB: &str = r#"(func (export "_start") (loop $l (drop (memory.grow (i32.const 16))) (br $l)))"#;

const LOG_BOMB: &str = r#"(data (i32.const 100) "\n\n\n\n") (func (export "_start")
    (loop $l (call $print (i32.const 100) (i32.const 4)) (br $l)))"#;
/// Writes 32 KiB at a time to a file, and exits with the errno.
const DISK_BOMB: &str = r#"(data (i32.const 100) "file") (func (export "_start")
    (call $check (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 1)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 200)))
    (loop $l (call $check (call $print_to (i32.load (i32.const 200)) (i32.const 1000) (i32.const 32768))) (br $l)))"#;

#[test]
fn a_layer_that_images_share_is_fetched_once() {
    let mut node = Node::new();
    let pull = |node: &Node, name: &'static str| {
        let runtime = node.runtime.clone();
        node.run(async move { runtime.pull(name, &[]).await })
    };
    pull(&node, "test").unwrap();
    let layer = node.files.0.iter().max_by_key(|(_, bytes)| bytes.len()).map(|(path, _)| path.clone()).unwrap();
    node.files.0.remove(&layer);
    pull(&node, "twin").unwrap();
    let mut other = Node::new();
    other.files.0.remove(&layer);
    assert!(pull(&other, "twin").is_err(), "nobody has it there");
}

#[test]
fn images_that_nobody_needs_go_when_they_are_two_minutes_old() {
    let node = Node::new();
    let pull = |name: &'static str| {
        let runtime = node.runtime.clone();
        node.run(async move { runtime.pull(name, &[]).await }).unwrap();
    };
    let names = || node.runtime.images().iter().map(|i| i.name.clone()).collect::<Vec<_>>();
    pull("test");
    node.pass(Duration::from_secs(110));
    pull("twin");
    node.runtime.remove_unused_images(&BTreeSet::new());
    assert_eq!(names(), ["test:latest", "twin:latest"], "both are young");
    node.pass(Duration::from_secs(15));
    node.runtime.remove_unused_images(&BTreeSet::from(["test".to_owned()]));
    assert_eq!(names(), ["test:latest", "twin:latest"], "a pod has it as a volume");
    node.runtime.remove_unused_images(&BTreeSet::new());
    assert_eq!(names(), ["twin:latest"]);
    let (id, _) = node.start(command(&["wait"]));
    node.pass(Duration::from_secs(300));
    node.runtime.remove_unused_images(&BTreeSet::new());
    assert_eq!(names(), ["test:latest"], "a container is made of it");
    node.runtime.remove_container(&id);
    node.runtime.remove_unused_images(&BTreeSet::new());
    assert_eq!(names(), Vec::<String>::new());
}

impl Node {
    fn new() -> Node {
        Node::on(Rc::new(WasmiEngine::new()), &[])
    }

    /// A node whose programs run on `engine`, with further ones in `/bin` of the image.
    fn on(engine: Rc<dyn Engine>, more: &[(&str, Bytes)]) -> Node {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_000) });
        let fabric = Fabric::new(sim.clone());
        let node_net = fabric.attach_as("minikube", &[[192, 168, 49, 2].into()], Role::Node);
        let mut files = Files::default();
        let mut programs: Vec<(&str, Bytes)> = vec![
            ("bin/print", guest(PRINT)),
            ("bin/wait", guest(WAIT)),
            ("bin/graceful", guest(GRACEFUL)),
            ("bin/cat", guest(CAT)),
            ("bin/bomb", guest(BOMB)),
            (
                "bin/early",
                guest(&CAT.replace("(loop $l", "(call $print (i32.const 100) (i32.const 6)) (loop $l").replacen(
                    "(func",
                    r#"(data (i32.const 100) "early\n") (func"#,
                    1,
                )),
            ),
            ("bin/trap", guest(r#"(func (export "_start") (drop (i32.load (i32.const -4))))"#)),
            ("bin/logbomb", guest(LOG_BOMB)),
            ("bin/diskbomb", guest(DISK_BOMB)),
            ("bin/text", Bytes::from_static(b"no wasm")),
            ("etc/passwd", Bytes::from_static(b"root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv:/bin/sh\n")),
        ];
        programs.extend_from_slice(more);
        let manifest =
            files.image(r#"{"Entrypoint":["/bin/print"],"Env":["PATH=/bin","V=1"],"WorkingDir":"/app"}"#, &programs);
        let twin = files.image(r#"{"Entrypoint":["/bin/wait"]}"#, &programs);
        let broken = files.broken();
        let index = format!(
            r#"{{"repositories":{{"docker.io/library/twin":{{"latest":"{twin}"}},"docker.io/library/test":{{"latest":"{manifest}","v1":"{manifest}"}},
            "docker.io/library/bad":{{"latest":"sha256:{}"}},"docker.io/library/none":{{}}}},
            "references":{{"gcr.io/p/boot:v1":"{manifest}"{broken}}},
            "aliases":{{"registry.k8s.io/test":"docker.io/library/test"}}}}"#,
            "0".repeat(64)
        );
        files.0.insert("images/index.json".into(), index.into());
        files.0.insert(format!("images/blobs/sha256/{}", "0".repeat(64)), Bytes::from_static(b"altered"));
        let pod_network = ([10, 244, 0, 0].into(), 256);
        let shared = Shared::with_engine(&sim, engine);
        let options = Options { node: "minikube".into(), node_net, pod_network, shared, role: Role::Pod };
        Node { runtime: ContainerRuntime::new(&sim, &fabric, options), sim, files }
    }

    fn pass(&self, time: Duration) {
        let until = self.sim.now() + time;
        loop {
            match self.sim.step(until, StepLimits { polls_max: 100_000 }) {
                Step::Idle { .. } => break,
                Step::Busy => {}
                Step::Waiting => {
                    for request in self.sim.external_requests() {
                        let answer = self.files.0.get(&request.path).cloned().ok_or(ExternalError::NotFound);
                        self.sim.external_reply(request.id, answer);
                    }
                }
            }
        }
        self.sim.advance_to(until);
    }

    /// Drives the world until `work` is done.
    fn run<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let mut task = self.sim.spawn(work);
        for _ in 0..100_000 {
            if let Some(value) = (&mut task).now_or_never() {
                return value.unwrap();
            }
            self.pass(Duration::from_millis(10));
        }
        panic!("seed=1: not done after 1000 s");
    }

    fn start(&self, change: impl FnOnce(&mut ContainerConfig)) -> (Id, Result<(), String>) {
        let mut config = ContainerConfig { name: "main".into(), image: "test".into(), ..ContainerConfig::default() };
        change(&mut config);
        let runtime = self.runtime.clone();
        self.run(async move {
            runtime.pull("test", &[]).await.unwrap();
            let pod = SandboxConfig {
                name: "web".into(),
                namespace: "default".into(),
                hostname: "web".into(),
                ..Default::default()
            };
            let sandbox = runtime.run_sandbox(pod).await.unwrap();
            let id = runtime.create_container(&sandbox.id, config).await.unwrap();
            let started = runtime.start_container(&id).await;
            (id, started)
        })
    }

    fn log(&self, id: &Id, options: LogOptions) -> String {
        let pieces = self.runtime.logs(id, options).unwrap();
        let all: Vec<Bytes> = self.run(pieces.collect());
        String::from_utf8(all.concat()).unwrap()
    }

    fn ended(&self, id: &Id) -> (State, i32, String) {
        let status = self.runtime.container_status(id).unwrap();
        (status.state, status.exit_code, status.reason)
    }
}

fn command(words: &[&str]) -> impl FnOnce(&mut ContainerConfig) {
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    move |config| config.command = words
}

#[test]
fn pulled_started_and_logged() {
    let node = Node::new();
    let before = node.sim.elapsed();
    let runtime = node.runtime.clone();
    let info = node.run(async move { runtime.pull("docker.io/library/test:v1", &[]).await }).unwrap();
    let took = node.sim.elapsed() - before;
    assert!((0.76..0.80).contains(&took.as_secs_f64()), "latency and 4 MiB at 32 MiB/s: {took:?}");
    assert_eq!((info.name.as_str(), info.size_bytes), ("test:v1", 4_194_304));
    assert!(info.reference.starts_with("docker-pullable://test@sha256:"), "{}", info.reference);
    let (id, started) = node.start(|_| {});
    assert_eq!(started, Ok(()));
    node.pass(Duration::from_millis(10));
    assert_eq!(node.ended(&id), (State::Exited, 3, "Error".into()));
    assert_eq!(node.log(&id, LogOptions::default()), "out\nerr\nrest");
    let tail = LogOptions { tail_lines: Some(1), limit_bytes: Some(3), ..LogOptions::default() };
    assert_eq!(node.log(&id, tail), "res");
    let times = node.log(&id, LogOptions { timestamps: true, tail_lines: Some(1), ..LogOptions::default() });
    assert!(times.starts_with("1970-01-01T00:16:4") && times.ends_with("Z rest"), "{times}");
    assert_eq!(node.runtime.images().len(), 1);
}

#[test]
fn what_is_no_image_is_refused() {
    let node = Node::new();
    for (image, expected) in [
        ("no-ids", "invalid rootfs in image configuration"),
        ("other-ids", "layers from manifest don't match image configuration"),
        ("more-ids", "layers from manifest don't match image configuration"),
        ("chart", "unsupported media type application/vnd.cncf.helm.chart.v1+json"),
        ("chart-config", "Encountered remote \"application/vnd.cncf.helm.config.v1+json\"(unknown) when fetching"),
    ] {
        let (runtime, name) = (node.runtime.clone(), format!("quay.io/broken/{image}:v1"));
        let error = node.run(async move { runtime.pull(&name, &[]).await }).unwrap_err();
        assert_eq!(error, format!("Error response from daemon: {expected}"), "{image}");
    }
}

#[test]
fn what_was_pushed_elsewhere_than_to_the_hub_is_its_owners() {
    let node = Node::new();
    let login = |user: &str| Login { user: user.to_owned(), password: "x".to_owned() };
    let pull = |image: &str, logins: &[Login]| {
        let (runtime, name, logins) = (node.runtime.clone(), image.to_owned(), logins.to_vec());
        node.run(async move { runtime.pull(&name, &logins).await }).map(|_| ())
    };
    pull("test", &[]).unwrap();
    let image = node.runtime.image_store().image("test").unwrap();
    for name in ["ghcr.io/cat/app:v1", "cat/app:v1"] {
        let registry = node.runtime.image_store().registry();
        registry.push(&Reference::parse(name).unwrap(), &image).unwrap();
    }
    let refused =
        |why: &str| Err(format!("Error response from daemon: Head \"https://ghcr.io/v2/cat/app/manifests/v1\": {why}"));
    assert_eq!(pull("ghcr.io/cat/app:v1", &[]), refused("unauthorized"));
    assert_eq!(pull("ghcr.io/cat/app:v1", &[login("dog")]), refused("denied"));
    assert_eq!(pull("ghcr.io/cat/app:v1", &[login("dog"), login("cat")]), Ok(()));
    assert_eq!(pull("cat/app:v1", &[]), Ok(()));
}

#[test]
fn groups_and_memory_of_files() {
    let node = Node::new();
    let tree = Vfs::new(node.sim.clone());
    tree.write("/file", vec![0; 4096]).unwrap();
    let runtime = node.runtime.clone();
    let (id, before) = node.run(async move {
        runtime.pull("test", &[]).await.unwrap();
        let sandbox = runtime.run_sandbox(SandboxConfig::default()).await.unwrap();
        let config = ContainerConfig {
            image: "test".into(),
            command: vec!["/bin/wait".into()],
            run_as_user: Some(1000),
            run_as_group: Some(3000),
            groups: vec![2000, 3000, 4000],
            memory_files: vec![tree.clone()],
            ..ContainerConfig::default()
        };
        let id = runtime.create_container(&sandbox.id, config).await.unwrap();
        let before = runtime.container_stats(&id).map(|stats| stats.memory_bytes);
        runtime.start_container(&id).await.unwrap();
        (id, before)
    });
    let status = node.runtime.container_status(&id).unwrap();
    assert_eq!((status.user, status.groups), ((1000, 3000), vec![3000, 2000, 4000]));
    assert_eq!(before, Some(4096 + vfs::limits::NODE_BYTES));
}

#[test]
fn pull_errors_have_dockers_words() {
    let node = Node::new();
    let check = |image: &str, expected: Expect| {
        let (runtime, name) = (node.runtime.clone(), image.to_owned());
        let error = node.run(async move { runtime.pull(&name, &[]).await }).unwrap_err();
        expected.assert_eq(&error);
    };
    check(
        "test:nope",
        expect!["Error response from daemon: manifest for test:nope not found: manifest unknown: manifest unknown"],
    );
    check(
        "nope",
        expect![
            "Error response from daemon: pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
        ],
    );
    check(
        "gcr.io/p/boot:v10",
        expect![[
            r#"Error response from daemon: manifest for gcr.io/p/boot:v10 not found: manifest unknown: Failed to fetch "v10""#
        ]],
    );
    check(
        "example.com/x",
        expect![[
            r#"Error response from daemon: Get "https://example.com/v2/": dial tcp: lookup example.com on 192.168.49.1:53: no such host"#
        ]],
    );
    check("Test", expect!["invalid reference format: repository name (Test) must be lowercase"]);
    check(
        "bad",
        expect![
            "Error response from daemon: filesystem layer verification failed for digest sha256:0000000000000000000000000000000000000000000000000000000000000000"
        ],
    );
    let runtime = node.runtime.clone();
    assert!(node.run(async move { runtime.pull("registry.k8s.io/test", &[]).await }).is_ok(), "an alias");
}

#[test]
fn programs_that_cannot_run() {
    let node = Node::new();
    let (id, started) = node.start(command(&["nope"]));
    let words = started.unwrap_err();
    assert!(
        words.ends_with(r#"error during container init: exec: "nope": executable file not found in $PATH: unknown"#),
        "{words}"
    );
    assert_eq!(node.ended(&id), (State::Exited, 127, "ContainerCannotRun".into()));
    let (id, started) = node.start(command(&["/bin/text"]));
    assert_eq!((started, node.ended(&id)), (Ok(()), (State::Exited, 255, "Error".into())));
    assert_eq!(node.log(&id, LogOptions::default()), "exec /bin/text: exec format error (not a WebAssembly module)\n");
    let (id, _) = node.start(command(&["trap"]));
    node.pass(Duration::from_millis(10));
    assert_eq!(node.ended(&id), (State::Exited, 139, "Error".into()));
    let words = node.runtime.container_status(&id).unwrap().message;
    assert_eq!(words, "trap: out of bounds memory access");
    let (id, _) = node.start(|c| (c.command, c.memory_limit_bytes) = (vec!["bomb".into()], Some(10 << 20)));
    node.pass(Duration::from_secs(1));
    assert_eq!(node.ended(&id), (State::Exited, 137, "OOMKilled".into()));
}

#[test]
fn stopping_takes_the_grace_period_unless_the_program_helps() {
    let node = Node::new();
    for (program, seconds, expected) in [("graceful", 0.0, (0, "Completed")), ("wait", 30.0, (137, "Error"))] {
        let (id, _) = node.start(|c| (c.command, c.stdin) = (vec![program.into()], true));
        let (changes, seen) = (Rc::new(std::cell::Cell::new(0)), id.clone());
        let count = Rc::clone(&changes);
        node.runtime.on_change(Rc::new(move |id| count.set(count.get() + i32::from(*id == seen))));
        node.pass(Duration::from_secs(1));
        let before = node.sim.elapsed();
        let stopping = node.runtime.stop_container(&id, Duration::from_secs(30));
        node.run(stopping);
        let took = (node.sim.elapsed() - before).as_secs_f64();
        assert!((seconds..seconds + 0.2).contains(&took), "{program}: {took}");
        assert_eq!(node.ended(&id), (State::Exited, expected.0, expected.1.into()));
        assert_eq!(changes.get(), 1);
    }
}

async fn everything(session: ExecSession) -> (String, String, i32) {
    let ExecSession { stdout, stderr, exit, .. } = session;
    let text = |all: Vec<Bytes>| String::from_utf8(all.concat()).unwrap();
    let (out, err, code) = futures_util::join!(stdout.collect(), stderr.collect(), exit);
    (text(out), text(err), code)
}

#[test]
fn exec_and_attach() {
    let node = Node::new();
    let (id, _) = node.start(|c| (c.command, c.stdin, c.stdin_once) = (vec!["cat".into()], true, true));
    let session = node.runtime.exec(&id, vec!["print".into()], false, false).unwrap();
    assert_eq!(node.run(everything(session)), ("out\n".into(), "err\nrest".into(), 3));
    let session = node.runtime.exec(&id, vec!["nosuchcmd".into()], false, false).unwrap();
    let words = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"nosuchcmd\": executable file not found in $PATH: unknown";
    assert_eq!(node.run(everything(session)), (String::new(), words.into(), 126));
    let mut session = node.runtime.exec(&id, vec!["cat".into()], true, true).unwrap();
    let result = node.run(async move {
        let mut input = session.stdin.take().unwrap();
        input.write(Bytes::from_static(b"hi\r")).await;
        input.write(Bytes::from_static(b"\x04")).await;
        everything(session).await
    });
    assert_eq!(result, ("hi\r\nhi\r\n".into(), String::new(), 0), "echo, then the program");
    let mut session = node.runtime.attach(&id, true).unwrap();
    let result = node.run(async move {
        let mut input = session.stdin.take().unwrap();
        input.write(Bytes::from_static(b"to cat\n")).await;
        drop(input);
        everything(session).await
    });
    assert_eq!(result, ("to cat\n".into(), String::new(), 0));
    assert_eq!(node.log(&id, LogOptions::default()), "to cat\n");
    assert_eq!(
        node.runtime.exec(&id, vec!["print".into()], false, false).err().unwrap(),
        format!("container not running ({id})")
    );
}

#[test]
fn the_first_session_of_run_sees_all_output() {
    let node = Node::new();
    for (once, expected) in [(true, "early\ntyped\n"), (false, "typed\n")] {
        let (id, _) = node.start(|c| (c.command, c.stdin, c.stdin_once) = (vec!["early".into()], true, once));
        node.pass(Duration::from_secs(1));
        let mut session = node.runtime.attach(&id, true).unwrap();
        let mut input = session.stdin.take().unwrap();
        let runtime = node.runtime.clone();
        let result = node.run(async move {
            input.write(Bytes::from_static(b"typed\n")).await;
            if !once {
                runtime.stop_container(&id, Duration::from_millis(1)).await;
            }
            drop(input);
            everything(session).await.0
        });
        assert_eq!(result, expected);
    }
}

#[test]
fn a_session_whose_input_ends_leaves_a_container_that_has_a_terminal() {
    let node = Node::new();
    let (id, _) = node.start(|c| (c.command, c.stdin, c.stdin_once, c.tty) = (vec!["cat".into()], true, true, true));
    for _ in 0..2 {
        let mut session = node.runtime.attach(&id, true).unwrap();
        let result = node.run(async move {
            drop(session.stdin.take());
            everything(session).await
        });
        assert_eq!(result, (String::new(), String::new(), 0));
    }
    assert_eq!(node.runtime.container_status(&id).unwrap().state, State::Running);
    // A container that ends takes its sessions along, also one that still has its input.
    let session = node.runtime.attach(&id, true).unwrap();
    let runtime = node.runtime.clone();
    let code = node.run(async move {
        runtime.stop_container(&id, Duration::from_millis(1)).await;
        let ExecSession { stdin, stdout, exit, .. } = session;
        let (_, code) = futures_util::join!(stdout.collect::<Vec<_>>(), exit);
        drop(stdin);
        code
    });
    assert_ne!(code, 0);
}

#[test]
fn environment_user_and_files() {
    let node = Node::new();
    let volume = Vfs::new(node.sim.clone());
    volume.write("/k", "v").unwrap();
    let (id, _) = node.start(|c| {
        c.command = vec!["wait".into()];
        c.env = vec![("A".into(), "1".into()), ("V".into(), "2".into())];
        c.run_as_user = Some(101);
        c.mounts = vec![Mount { source: volume, sub_path: String::new(), path: "/etc/config".into(), read_only: true }];
    });
    let status = node.runtime.container_status(&id).unwrap();
    assert_eq!((status.state, status.user), (State::Running, (101, 102)));
    let stats = node.runtime.container_stats(&id).unwrap();
    assert_eq!((stats.processes, stats.memory_bytes), (1, 65_536));
    let container = node.runtime.environment(&id);
    assert_eq!(container, ["PATH=/bin", "HOSTNAME=web", "A=1", "V=2", "HOME=/srv"]);
}

#[test]
fn addresses_and_sandboxes() {
    let node = Node::new();
    let runtime = node.runtime.clone();
    node.run(async move {
        let pod = |name: &str| SandboxConfig { name: name.into(), ..Default::default() };
        let first = runtime.run_sandbox(pod("a")).await.unwrap();
        let second = runtime.run_sandbox(pod("b")).await.unwrap();
        assert_eq!((first.ip.to_string(), second.ip.to_string()), ("10.244.0.2".into(), "10.244.0.3".into()));
        runtime.stop_sandbox(&first.id).await;
        runtime.remove_sandbox(&first.id);
        let third = runtime.run_sandbox(pod("c")).await.unwrap();
        assert_eq!(third.ip.to_string(), "10.244.0.4", "addresses are given in turn");
        for n in 5..=254 {
            assert_eq!(runtime.run_sandbox(pod("x")).await.unwrap().ip.octets()[3], n);
        }
        assert_eq!(runtime.run_sandbox(pod("x")).await.unwrap().ip.octets()[3], 2, "and then again");
        assert!(runtime.run_sandbox(pod("y")).await.is_err());
        let host = runtime.run_sandbox(SandboxConfig { host_network: true, ..pod("h") }).await.unwrap();
        assert_eq!(host.ip.to_string(), "192.168.49.2");
    });
}

#[test]
fn hostile_programs_meet_their_limits() {
    let node = Node::new();
    let (id, _) = node.start(command(&["logbomb"]));
    node.pass(Duration::from_secs(2));
    let stats = node.runtime.container_stats(&id).unwrap();
    assert!(stats.log_bytes > 900_000, "{stats:?}");
    assert!(node.log(&id, LogOptions::default()).len() <= crate::limits::LOG_BYTES_MAX, "as much as is held");
    let before = node.runtime.container_stats(&id).unwrap().cpu_nanos;
    node.pass(Duration::from_secs(1));
    let used = node.runtime.container_stats(&id).unwrap().cpu_nanos - before;
    assert!(used < 1_100_000_000, "one process uses one CPU: {used}");
    node.runtime.remove_container(&id);
    node.pass(Duration::from_millis(10));
    let (id, _) = node.start(command(&["diskbomb"]));
    node.pass(Duration::from_secs(5));
    assert_eq!(node.ended(&id), (State::Exited, 51, "Error".into()), "ENOSPC");
    assert!(node.runtime.container_stats(&id).unwrap().file_bytes <= crate::limits::CONTAINER_FILE_BYTES_MAX);
}

#[test]
fn same_seed_same_bytes() {
    let once = || {
        let node = Node::new();
        let (id, _) = node.start(|_| {});
        let (bomb, _) = node.start(|c| (c.command, c.memory_limit_bytes) = (vec!["bomb".into()], Some(10 << 20)));
        node.pass(Duration::from_secs(2));
        let times = LogOptions { timestamps: true, ..LogOptions::default() };
        let log = node.log(&id, times);
        (id, log, node.runtime.container_status(&bomb), node.sim.steps(), node.sim.now())
    };
    assert_eq!(once(), once(), "seed=1");
}
