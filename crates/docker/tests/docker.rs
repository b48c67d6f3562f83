//! docker on a machine without a registry: images are built from nothing but a program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::http::{Transport, TransportError};
use docker::{Daemon, Docker, Machines};
use expect_test::{Expect, expect};
use machine::{Ctx, Host, Programs, Reader, Writer};
use network::{Fabric, NetNs, Role};
use runtime::cri::{ContainerRuntime, Options, Shared};
use simulation::notify::Signal;
use simulation::{ExternalError, Sim, SimConfig, Step, StepLimits, Time};
use vfs::Vfs;

struct Nowhere;
impl Host for Nowhere {
    fn api(&self, _: &str) -> Result<Rc<dyn Transport>, TransportError> {
        Err(TransportError::Refused)
    }
}

struct One(Daemon);
impl Machines for One {
    fn local(&self, _: &NetNs) -> Option<Daemon> {
        Some(self.0.clone())
    }

    fn at(&self, _: &str) -> Option<Daemon> {
        None
    }
}

/// A program that prints `hi` and ends with code 3.
const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (data (i32.const 16) "hi\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 3))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 3))))"#;

/// A program that waits for input.
const WAIT: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 1))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

struct Desk {
    ctx: Ctx,
    runtime: ContainerRuntime,
}

impl Desk {
    fn new() -> Desk {
        let sim = Sim::new(SimConfig { seed: 7, start: Time::from_unix_seconds(1_795_230_501) });
        let fabric = Fabric::new(sim.clone());
        let net = fabric.attach_as("learner", &[[192, 168, 49, 1].into()], Role::Outside);
        let options = Options {
            node: "desk".into(),
            node_net: net.clone(),
            pod_network: ([172, 17, 0, 0].into(), 256),
            shared: Shared::new(&sim),
            role: Role::Outside,
        };
        let runtime = ContainerRuntime::new(&sim, &fabric, options);
        let machine =
            docker::Machine { sim: sim.clone(), name: "desk".into(), net: net.clone(), runtime: runtime.clone() };
        let daemon = Daemon::new(machine);
        let fs = Vfs::new(sim.clone());
        fs.mkdir_all("/home/learner").expect("a new tree");
        vfs::device::install(&fs, &sim).expect("a new tree");
        let mut programs = Programs::new();
        shell::install(&mut programs);
        programs.install(Rc::new(Docker::new(Rc::new(One(daemon)))));
        let env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/home/learner")];
        let ctx = Ctx {
            sim,
            fs,
            cwd: "/home/learner".into(),
            env: env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>(),
            stdin: Reader::empty(),
            stdout: Writer::null(),
            stderr: Writer::null(),
            tty: None,
            interrupt: Signal::new(),
            net,
            host: Rc::new(Nowhere),
            programs: Rc::new(programs),
        };
        ctx.fs.write("/home/learner/hello.wasm", wat::parse_str(HELLO).expect("a module")).expect("a new tree");
        ctx.fs.chmod("/home/learner/hello.wasm", 0o755).expect("a file");
        ctx.fs
            .write("/home/learner/Dockerfile", "FROM scratch\nCOPY hello.wasm /hello\nENTRYPOINT [\"/hello\"]\n")
            .expect("fine");
        Desk { ctx, runtime }
    }

    /// Both streams of a script together, and its exit code.
    fn run(&self, script: &str) -> (String, i32) {
        let out = Rc::new(RefCell::new(Vec::new()));
        let writer = Writer::into_buffer(Rc::clone(&out));
        let ctx = Ctx { stdout: writer.clone(), stderr: writer, ..self.ctx.clone() };
        let code = Rc::new(RefCell::new(None));
        let (slot, script) = (Rc::clone(&code), script.to_owned());
        self.ctx.sim.spawn(async move {
            let value = shell::run_script(ctx, script).await;
            *slot.borrow_mut() = Some(value);
        });
        let until = self.ctx.sim.now() + Duration::from_secs(600);
        loop {
            match self.ctx.sim.step(until, StepLimits::default()) {
                Step::Busy => {}
                Step::Idle { .. } => break,
                Step::Waiting => {
                    for request in self.ctx.sim.external_requests() {
                        self.ctx.sim.external_reply(request.id, Err(ExternalError::NotFound));
                    }
                }
            }
        }
        let text = String::from_utf8_lossy(&out.borrow()).into_owned();
        let code = code.borrow().unwrap_or(-1);
        (text, code)
    }

    #[track_caller]
    fn check(&self, script: &str, expected: Expect) {
        expected.assert_eq(&self.run(script).0);
    }
}

#[test]
fn a_program_from_nothing() {
    let desk = Desk::new();
    desk.check(
        "docker build -t hello:v1 . 2>&1 | sed 's/sha256:[0-9a-f]*/ID/; s/ [0-9.]*s done/ done/; s/[0-9.]*s$/Ts/'",
        expect![[r#"
            #0 building with "default" instance using docker driver

            #1 [internal] load build definition from Dockerfile
            #1 transferring dockerfile: 58B done
            #1 DONE Ts

            #2 [internal] load .dockerignore
            #2 transferring context: 2B done
            #2 DONE Ts

            #3 [internal] load build context
            #3 transferring context: 199B done
            #3 DONE Ts

            #4 [1/1] COPY hello.wasm /hello
            #4 DONE Ts

            #5 exporting to image
            #5 exporting layers done
            #5 writing image ID done
            #5 naming to docker.io/library/hello:v1 done
            #5 DONE Ts
        "#]],
    );
    assert_eq!(desk.run("docker run --rm hello:v1"), ("hi\n".to_owned(), 3));
    let other = Desk::new();
    let ids = [&desk, &other].map(|desk| desk.run("docker build -q -t again .").0);
    assert_eq!(ids[0].len(), 72);
    let size = desk.run("docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}'").0;
    assert_eq!(size, "again:latest 197B\nhello:v1 197B\n");
}

#[test]
fn archives_keep_images_whole() {
    let desk = Desk::new();
    let id = desk.run("docker build -q -t hello:v1 .").0;
    desk.run("docker save -o all.tar hello:v1; docker rmi hello:v1");
    desk.check(
        "docker images -q; docker load -i all.tar",
        expect![[r#"
        Loaded image: hello:v1
    "#]],
    );
    assert_eq!(desk.run("docker images -q --no-trunc").0, id);
    assert_eq!(desk.run("docker run --rm hello:v1").0, "hi\n");
    desk.ctx.fs.write("/home/learner/not.tar", "x".repeat(2_000)).expect("fine");
    assert_eq!(desk.run("docker load -i not.tar").1, 1);
}

#[test]
fn an_archive_whose_layer_was_changed_is_refused() {
    let desk = Desk::new();
    desk.run("docker build -q -t hello:v1 . ; docker save -o all.tar hello:v1; docker rmi hello:v1");
    let mut bytes = desk.ctx.fs.read("/home/learner/all.tar").expect("it was saved").to_vec();
    let at = bytes.windows(3).position(|w| w == b"hi\n").expect("the program is in it");
    bytes[at] = b'H';
    desk.ctx.fs.write("/home/learner/all.tar", bytes).expect("fine");
    let (text, code) = desk.run("docker load -i all.tar");
    assert!(text.starts_with("Error response from daemon: wrong digest: layer blobs/sha256/") && code == 1, "{text}");
    assert_eq!(desk.run("docker images -q").0, "");
}

#[test]
fn errors_are_those_of_the_command_line() {
    let desk = Desk::new();
    for (script, code, expected) in [
        ("docker frob", 1, "docker: unknown command: docker frob\n\nRun 'docker --help' for more information\n"),
        (
            "docker rmi",
            1,
            "docker: 'docker rmi' requires at least 1 argument\n\nUsage:  docker rmi [OPTIONS] IMAGE [IMAGE...]\n\nSee 'docker rmi --help' for more information\n",
        ),
        (
            "docker ps --frob",
            125,
            "unknown flag: --frob\n\nUsage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n",
        ),
        ("docker rmi nope", 1, "Error response from daemon: No such image: nope:latest\n"),
        ("docker tag nope a", 1, "Error response from daemon: No such image: nope:latest\n"),
        ("docker stop nope", 1, "Error response from daemon: No such container: nope\n"),
        ("docker inspect nope", 1, "[]\nError: No such object: nope\n"),
        ("docker build nodir", 1, "ERROR: failed to build: unable to prepare context: path \"nodir\" not found\n"),
        (
            "docker build -t Bad .",
            1,
            "ERROR: failed to build: invalid tag \"Bad\": invalid reference format: repository name (Bad) must be lowercase\n",
        ),
        (
            "DOCKER_HOST=tcp://10.0.0.1:2376 docker ps",
            1,
            "Cannot connect to the Docker daemon at tcp://10.0.0.1:2376. Is the docker daemon running?\n",
        ),
        ("docker compose up", 1, "docker: kubonsai does not support docker compose (docker) yet\n"),
        (
            "docker run -v a:b hello",
            125,
            "docker: kubonsai does not support volumes of containers (docker) yet\n\nRun 'docker run --help' for more information\n",
        ),
    ] {
        assert_eq!(desk.run(script), (expected.to_owned(), code), "{script}");
    }
}

#[test]
fn names_of_containers_are_ones_own() {
    let desk = Desk::new();
    desk.run("docker build -q -t hello . ; docker run --name aa hello");
    desk.check(
        "docker ps; docker ps -a --format '{{.Names}} {{.Image}} {{.Status}}' | sed 's/) .*/)/'",
        expect![[r#"
        CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES
        aa hello Exited (3)
    "#]],
    );
    let (text, code) = desk.run("docker run --name aa hello");
    assert!(
        text.contains("Conflict. The container name \"/aa\" is already in use by container") && code == 125,
        "{text}"
    );
    let (text, _) = desk.run("docker rmi hello");
    assert!(
        text.contains("conflict: unable to remove repository reference \"hello\" (must force) - container "),
        "{text}"
    );
    assert_eq!(desk.run("docker rename aa bb; docker rm bb").0, "bb\n");
    assert!(desk.run("docker rmi hello").0.starts_with("Untagged: hello:latest\nDeleted: sha256:"));
}

#[test]
fn what_was_created_and_never_started_can_be_stopped_and_started() {
    let desk = Desk::new();
    desk.run("docker build -q -t hello .");
    desk.check(
        "docker create --name web hello > /dev/null; docker stop web; docker ps -a --format '{{.Status}}'; docker start -a web; echo $?; docker start -ai web; echo $?",
        expect![[r#"
            web
            Created
            hi
            3
            hi
            3
        "#]],
    );
    // The names of those that failed, and of no others.
    let (text, code) = desk.run("docker start web nope");
    assert_eq!(code, 1);
    assert_eq!(text, "web\nError response from daemon: No such container: nope\nfailed to start containers: nope\n");
    assert_eq!(desk.run("docker rm -f nope").0, "Error response from daemon: No such container: nope\n");
}

#[test]
fn names_addresses_and_ports_of_what_failed_are_free() {
    let desk = Desk::new();
    desk.run("docker build -q -t hello .");
    let _taken = desk.ctx.net.listen("0.0.0.0:8080".parse().expect("an address")).expect("it is free");
    let (text, code) = desk.run("docker run --name web -p 8081:80 -p 8080:80 hello");
    assert!(
        text.contains("failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use"),
        "{text}"
    );
    assert_eq!(code, 125);
    assert_eq!(desk.run("docker ps -a --format '{{.Names}} {{.Status}}'").0, "web Created\n");
    assert!(desk.ctx.net.listen("0.0.0.0:8081".parse().expect("an address")).is_ok(), "8081 is free again");
    let (text, _) = desk.run("docker run -p 9000:80 -p 9000:81 hello");
    assert!(text.contains("Bind for 0.0.0.0:9000 failed: port is already allocated"), "{text}");
    for _ in 0..300 {
        assert_eq!(desk.run("docker run --rm --name again hello"), ("hi\n".to_owned(), 3));
        desk.run("docker create --name web2 nope; docker create --name web hello; docker restart web");
    }
}

#[test]
fn an_entrypoint_of_no_words_leaves_the_arguments() {
    let desk = Desk::new();
    desk.run("docker build -q -t hello .");
    assert_eq!(desk.run("docker run --rm --entrypoint '' hello /hello"), ("hi\n".to_owned(), 3));
    let (text, code) = desk.run("docker run --rm --entrypoint '' hello");
    assert!(text.starts_with("docker: Error response from daemon: no command specified\n") && code == 125, "{text}");
    let (text, code) = desk.run("docker run --rm --entrypoint '' hello hello");
    assert!(text.contains("executable file not found") && code == 127, "{text}");
    assert_eq!(desk.run("docker run --env-file missing hello").1, 125);
    let (text, _) = desk.run("docker run -u nobody hello");
    assert!(text.contains("unable to find user nobody: no matching entries in passwd file"), "{text}");
}

/// An archive with one image: its configuration file, and its layers with their paths.
fn archive(config: &str, layers: &[(&str, &[u8])], rows: usize) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("a tar of a few files");
    };
    let names: Vec<&str> = layers.iter().map(|(name, _)| *name).collect();
    let row = format!("{{\"Config\":\"c.json\",\"RepoTags\":[\"bad:1\"],\"Layers\":{names:?}}}");
    put("manifest.json", format!("[{}]", vec![row; rows].join(",")).as_bytes());
    put("c.json", config.as_bytes());
    let mut done = Vec::new();
    for (name, bytes) in layers {
        if !done.contains(name) {
            put(name, bytes);
            done.push(name);
        }
    }
    tar.into_inner().expect("a tar of a few files")
}

#[test]
fn configurations_that_are_none_are_refused() {
    let desk = Desk::new();
    for config in ["[]", "[{}]", "7", r#"{"config":[]}"#, r#"{"history":[1]}"#, r#"{"history":{}}"#, r#"{"rootfs":[]}"#]
    {
        desk.ctx.fs.write("/home/learner/bad.tar", archive(config, &[], 1)).expect("fine");
        let (text, code) = desk.run("docker load -i bad.tar");
        assert!(text.starts_with("Error response from daemon: ") && code == 1, "{config}: {text}");
    }
    desk.ctx.fs.write("/home/learner/good.tar", archive(r#"{"history":null,"config":{}}"#, &[], 1)).expect("fine");
    assert_eq!(desk.run("docker load -i good.tar").0, "Loaded image: bad:1\n");
    assert_eq!(desk.run("printf 'FROM bad:1\nCOPY hello.wasm /\n' > Bad; docker build -q -f Bad . > /dev/null").1, 0);
    desk.ctx.fs.write("/home/learner/many.tar", archive("{}", &[], 257)).expect("fine");
    assert!(desk.run("docker load -i many.tar").0.contains("more than 256 images"));
}

#[test]
fn logins_are_kept_in_a_file_that_may_be_broken() {
    let desk = Desk::new();
    let login = "echo secret | docker login -u me --password-stdin";
    for broken in ["[]", "7", "{", r#"{"auths":[]}"#] {
        let (text, code) = desk.run(&format!("mkdir -p .docker; echo '{broken}' > .docker/config.json; {login}"));
        assert!(text.ends_with("Login Succeeded\n") && code == 0, "{broken}: {text}");
        assert!(desk.run("cat .docker/config.json").0.contains("https://index.docker.io/v1/"));
    }
    assert_eq!(
        desk.run(&format!("{login} nosuch.example.com")),
        (
            "Error response from daemon: Get \"https://nosuch.example.com/v2/\": dial tcp: lookup nosuch.example.com on 192.168.49.1:53: no such host\n".to_owned(),
            1
        )
    );
    desk.run("docker build -q -t nosuch.example.com/me/hello . ; docker tag nosuch.example.com/me/hello hello");
    assert!(desk.run("docker push -q nosuch.example.com/me/hello").0.contains("no such host"));
    let (text, code) = desk.run("echo x | docker login -u library --password-stdin; docker push -q hello");
    assert!(text.ends_with("denied: requested access to the resource is denied\n") && code == 1, "{text}");
}

#[test]
fn what_is_pushed_elsewhere_than_to_the_hub_takes_a_login() {
    let desk = Desk::new();
    let image = "ghcr.io/cat/hello";
    let login = |user: &str| format!("echo x | docker login -u {user} --password-stdin ghcr.io > /dev/null 2>&1");
    let pushed = format!("docker build -q -t {image} . > /dev/null; {}; docker push -q {image}", login("cat"));
    assert_eq!(desk.run(&pushed), (format!("{image}:latest\n"), 0));
    let pull = format!("docker rmi {image} > /dev/null 2>&1; docker pull -q {image}");
    let refused = |why: &str| {
        (format!("Error response from daemon: Head \"https://ghcr.io/v2/cat/hello/manifests/latest\": {why}\n"), 1)
    };
    assert_eq!(desk.run(&format!("docker logout ghcr.io > /dev/null; {pull}")), refused("unauthorized"));
    assert_eq!(desk.run(&format!("{}; {pull}", login("dog"))), refused("denied"));
    desk.ctx.fs.write("/home/learner/From", format!("FROM {image}\n")).expect("fine");
    let (text, code) = desk.run("docker build -q -f From .");
    assert!(text.contains("denied") && code == 1, "{text}");
    assert_eq!(desk.run(&format!("{}; docker build -q -f From . > /dev/null", login("cat"))).1, 0);
    assert_eq!(desk.run(&pull), (format!("{image}:latest\n"), 0));
}

#[test]
fn dockerfiles_have_limits() {
    let desk = Desk::new();
    let build = |file: &str| {
        desk.ctx.fs.write("/home/learner/Big", format!("FROM scratch\n{file}")).expect("fine");
        desk.run("docker build -q -f Big .")
    };
    let (text, code) = build(&format!("ENV A=12345678\n{}", "ENV A=$A$A\n".repeat(40)));
    assert!(text.contains("argument list too long") && code == 1, "{text}");
    let (text, _) = build(&format!("ENV A=12345678\n{}{}", "ENV A=$A$A\n".repeat(13), "LABEL a=$A\n".repeat(100)));
    assert!(text.contains("the configuration of an image has more than"), "{text}");
    let (text, _) = build(&format!("ENV A={}", "${a:-".repeat(20_000)));
    assert!(text.contains("syntax error"), "{text}");
}

#[test]
fn one_instruction_is_one_row_and_words_are_not_files() {
    let desk = Desk::new();
    let build = |file: &str| {
        desk.ctx.fs.write("/home/learner/D", file.to_owned()).expect("fine");
        desk.run("docker build -f D -t rows . 2>&1 | grep -c CACHED").0
    };
    let file = "ARG NAME=hel\nARG FILE=${NAME}lo\nFROM scratch AS base\nARG FILE\nARG TO=/sub\nLABEL a=1 b=2\nENV c=3 d=4\nWORKDIR /app\nWORKDIR sub\nCOPY ${FILE}.wasm .\nEXPOSE 80 81\nCMD [\"x\"]\nFROM base\nCOPY ${FILE}.wasm ${TO}/\n";
    assert_eq!(build(file), "0\n", "{}", desk.run("docker build -f D .").0);
    desk.check(
        "docker history --format '{{.CreatedBy}}' rows; docker inspect --format '{{.Config.WorkingDir}}' rows",
        expect![[r#"
            COPY ${FILE}.wasm ${TO}/ # buildkit
            CMD ["x"]
            EXPOSE [80/tcp 81/tcp]
            COPY ${FILE}.wasm . # buildkit
            WORKDIR /app/sub
            WORKDIR /app
            ENV c=3 d=4
            LABEL a=1 b=2
            ARG TO=/sub
            ARG FILE=hello
            /app/sub
        "#]],
    );
    // What is only said of the image makes no file anew.
    assert_eq!(build(&file.replace("a=1", "a=7").replace("\"x\"", "\"y\"").replace("80", "90")), "4\n");
}

#[test]
fn a_folder_is_all_there_is() {
    let desk = Desk::new();
    desk.run("mkdir -p ctx/in ctx/out other; echo secret > other/file; echo own > ctx/file; echo kept > ctx/out/kept; echo gone > ctx/out/gone; cd ctx; ln -s /home/learner/other/file leak; ln -s /file mine; ln -s ../../../file up; printf 'out\nin\n!out/kept\n' > .dockerignore");
    let build = |line: &str| {
        desk.ctx.fs.write("/home/learner/ctx/Dockerfile", format!("FROM scratch\n{line}\n")).expect("fine");
        desk.run("cd ctx; docker build -q -t x . > /dev/null")
    };
    let (text, code) = build("COPY leak /a");
    assert!(text.contains("\"/leak\": not found") && code != 0, "{text}");
    let (text, code) = build("COPY in /a");
    assert!(text.contains("\"/in\": not found") && code != 0, "{text}");
    for line in ["COPY mine /a", "COPY up /a", "COPY out /a"] {
        assert_eq!(build(line), (String::new(), 0), "{line}");
    }
}

#[test]
fn what_a_machine_ran_goes_with_it() {
    let desk = Desk::new();
    desk.ctx.fs.write("/home/learner/hello.wasm", wat::parse_str(WAIT).expect("a module")).expect("fine");
    desk.run("docker build -q -t wait . ; docker run -d -i --name web -p 8080:80 wait");
    assert_eq!(desk.run("docker ps --format '{{.Names}}'").0, "web\n");
    assert_eq!(desk.run("docker wait web; echo $? > code").1, -1, "it waits");
    desk.runtime.kill_all();
    desk.run("true");
    assert_eq!(desk.run("cat code").0, "1\n", "who waited has been told");
    let registry = Rc::downgrade(desk.runtime.image_store().registry());
    let sim = desk.ctx.sim.clone();
    drop(desk);
    while !matches!(sim.step(sim.now(), StepLimits::default()), Step::Idle { .. }) {}
    assert!(registry.upgrade().is_none(), "nothing holds the engine, its runtime or its images");
}

#[test]
fn a_digest_can_be_pulled_after_its_tag_has_moved() {
    let desk = Desk::new();
    desk.run("echo secret | docker login -u me --password-stdin; docker build -q -t me/hello .");
    let pushed = desk.run("docker push me/hello | sed -n 's/.*digest: \\(sha256:[0-9a-f]*\\) .*/\\1/p'").0;
    assert_eq!(pushed.trim().len(), 71, "{pushed}");
    desk.ctx.fs.write("/home/learner/hello.wasm", wat::parse_str(WAIT).expect("a module")).expect("fine");
    assert_eq!(desk.run("docker build -q -t me/hello . > /dev/null; docker push -q me/hello; docker image prune -f > /dev/null; docker rmi me/hello > /dev/null").1, 0);
    let (text, code) = desk.run(&format!("docker pull -q me/hello@{pushed}"));
    assert_eq!(code, 0, "{text}");
    assert_eq!(desk.run(&format!("docker run --rm me/hello@{pushed}")), ("hi\n".to_owned(), 3));
    assert_eq!(desk.run("docker pull -q me/hello; docker images -q | wc -l").0.trim().lines().last(), Some("2"));
}
