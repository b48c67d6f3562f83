//! The project's own images on a node, when they have been built: `cargo xtask images`, then
//! `cargo test -p runtime --test guests -- --ignored`.
//!
//! Each test is played on each engine (`wasmi::`, `wasmtime::`), and once more on both with an engine around them that writes
//! down what programs ask (`traces::`): what it writes must be the same.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that reads what the build made")]

mod databases;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use network::{Fabric, Role};
use runtime::cri::{ContainerConfig, ContainerRuntime, Id, LogOptions, Options, SandboxConfig, Shared, State};
use runtime::engine::{Engine, Lines, TracedEngine, WasmiEngine, WasmtimeEngine};
use simulation::{ExternalError, Sim, SimConfig, Step, StepLimits, Time};

use databases::{mysql_answers_its_client, mysql_keeps_its_data_and_has_accounts};

struct Node {
    sim: Sim,
    fabric: Fabric,
    runtime: ContainerRuntime,
}

fn registry() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../images/target/registry"))
}

impl Node {
    fn on(engine: &Rc<dyn Engine>) -> Node {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_795_230_501) });
        let fabric = Fabric::new(sim.clone());
        let node_net = fabric.attach_as("minikube", &[[192, 168, 49, 2].into()], Role::Node);
        let shared = Shared::with_engine(&sim, Rc::clone(engine));
        let pod_network = ([10, 244, 0, 0].into(), 65_536);
        let options = Options { node: "minikube".into(), node_net, pod_network, shared, role: Role::Pod };
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
            runtime.pull(&config.image, &[]).await.unwrap();
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

    /// Sends some bytes and gives what is answered until the other end is silent.
    fn talk(&self, ip: std::net::Ipv4Addr, port: u16, bytes: &'static [u8]) -> String {
        let (client, sim) = (self.fabric.attach("learner", &[[10, 244, 200, 10].into()]), self.sim.clone());
        self.run(async move {
            let stream = client.connect(std::net::SocketAddrV4::new(ip, port)).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut all = Vec::new();
            while let Ok(Ok(bytes)) = sim.timeout(Duration::from_secs(1), stream.read()).await {
                if bytes.is_empty() {
                    break;
                }
                all.extend_from_slice(&bytes);
            }
            String::from_utf8_lossy(&all).into_owned()
        })
    }

    /// As `exec`; a command that takes longer gives status -1.
    fn exec_within(&self, id: &Id, argv: &[&str], limit: Duration) -> (String, i32) {
        let argv = argv.iter().map(|w| (*w).to_owned()).collect();
        let session = self.runtime.exec(id, argv, false, false).unwrap();
        let sim = self.sim.clone();
        self.run(async move {
            let all = async {
                let (out, err, code): (Vec<Bytes>, Vec<Bytes>, i32) =
                    futures_util::join!(session.stdout.collect(), session.stderr.collect(), session.exit);
                (String::from_utf8_lossy(&[out.concat(), err.concat()].concat()).into_owned(), code)
            };
            sim.timeout(limit, all).await.unwrap_or_else(|_| ("not done in time".to_owned(), -1))
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

fn wasmi() -> Rc<dyn Engine> {
    Rc::new(WasmiEngine::new())
}

fn wasmtime() -> Rc<dyn Engine> {
    Rc::new(WasmtimeEngine::new().unwrap())
}

/// Plays a test on both engines, traced, and compares what was written.
fn compare(test: impl Fn(&Rc<dyn Engine>)) {
    let [first, second] = [wasmi(), wasmtime()].map(|engine| {
        let lines = Lines::default();
        test(&(Rc::new(TracedEngine::new(engine, &lines)) as Rc<dyn Engine>));
        lines.take()
    });
    assert!(!first.is_empty(), "something was asked");
    if let Some(at) = (0..first.len().max(second.len())).find(|i| first.get(*i) != second.get(*i)) {
        panic!("line {at} of {}: wasmi {:?}, wasmtime {:?}", first.len(), first.get(at), second.get(at));
    }
    println!("{} calls and ends are the same", first.len());
}

fn on_wasmi(test: impl Fn(&Rc<dyn Engine>)) {
    test(&wasmi());
}

fn on_wasmtime(test: impl Fn(&Rc<dyn Engine>)) {
    test(&wasmtime());
}

macro_rules! tests {
    ($how:ident, $name:ident: $($test:ident)*) => {
        mod $name {
            $(#[test] #[ignore = "needs built images"] fn $test() { super::$how(super::$test) })*
        }
    };
}
macro_rules! on_each_engine {
    ($($test:ident)*) => {
        tests! { on_wasmi, wasmi: $($test)* a_thousand_containers }
        tests! { on_wasmtime, wasmtime: $($test)* a_thousand_containers }
        tests! { compare, traces: $($test)* }
    };
}
on_each_engine! {
    bootcamp_answers_until_it_is_killed
    busybox_runs_shells_and_applets
    a_shell_on_a_terminal
    nginx_serves_its_page
    pause_does_nothing_until_it_is_told_to_end
    the_shell_does_what_scripts_ask
    a_shell_at_a_terminal
    a_container_that_takes_too_much_is_killed
    agnhost_and_the_echo_server_answer
    httpd_serves_its_page_and_logs_as_apache
    mysql_answers_its_client
    mysql_keeps_its_data_and_has_accounts
    redis_keeps_what_it_is_told
    redis_ends_when_it_is_told_and_serves_at_a_terminal
    small_servers_say_who_answers_and_what_was_asked
    memcached_keeps_and_counts
    ingress_nginx_follows_its_configuration
}

fn bootcamp_answers_until_it_is_killed(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
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
        assert_eq!((status.state, status.exit_code), (State::Exited, 137), "like Node, it ignores SIGTERM");
    }
}

fn busybox_runs_shells_and_applets(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
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

fn a_shell_on_a_terminal(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
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

fn nginx_serves_its_page(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, ip) = node.start("nginx", &[], &[]);
    node.pass(Duration::from_secs(1));
    let answer = node.get(ip, 80);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("Welcome to nginx!"), "{answer}");
    assert!(node.log(&id).contains("\"GET / HTTP/1.1\" 200"), "{}", node.log(&id));
}

fn pause_does_nothing_until_it_is_told_to_end(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, _) = node.start("registry.k8s.io/pause:3.10", &[], &[]);
    node.pass(Duration::from_secs(1));
    let steps = node.sim.steps();
    node.pass(Duration::from_secs(86_400));
    assert!(node.sim.steps() - steps < 5, "it costs nothing");
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
    let status = node.runtime.container_status(&id).unwrap();
    assert_eq!((status.state, status.exit_code), (State::Exited, 0));
    assert_eq!(node.log(&id), "Shutting down, got signal: Terminated\n");
}

/// Prints what many containers cost; the numbers are for people.
fn a_thousand_containers(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
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

/// What needs processes: pipelines, substitutions, background lists, traps, redirections to files.
fn the_shell_does_what_scripts_ask(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, _) = node.start("busybox", &["sleep", "36000"], &[]);
    let mut failures = Vec::new();
    for (script, expected, code) in SHELL_CASES {
        let (output, status) = node.exec_within(&id, &["sh", "-c", script], Duration::from_secs(60));
        if (output.as_str(), status) != (*expected, *code) {
            failures.push(format!("{script}\n  wanted {code} {expected:?}\n  got    {status} {output:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Script, output with errors after it, status.
const SHELL_CASES: &[(&str, &str, i32)] = &[
    ("echo a b | tr a-z A-Z | sed 's/A/x/'", "x B\n", 0),
    ("x=$(echo one; echo two); echo \"$x\" | wc -l", "2\n", 0),
    ("x=`hostname`; echo $x", "web-1\n", 0),
    ("f() { echo in $1; }; f a | cat; y=$(f b); echo $y", "in a\nin b\n", 0),
    ("v=local; (v=sub; echo $v) | cat; { echo $v; } | cat", "sub\nlocal\n", 0),
    ("set -- a 'b c'; for i in \"$@\"; do echo \"<$i>\"; done | cat", "<a>\n<b c>\n", 0),
    ("cat <<EOF | grep b\na\nb $((1+1))\nEOF", "b 2\n", 0),
    ("cat <<'EOF' > /tmp/h\n$x\nEOF\ncat /tmp/h", "$x\n", 0),
    ("seq 1 20000 | tail -n 1", "20000\n", 0),
    ("yes | head -n 2", "y\ny\n", 0),
    ("yes | grep -m 1 y; yes | sed 's/y/n/; 2q'", "y\nn\nn\n", 0),
    ("(sleep 1; echo late) >> /tmp/f & touch /tmp/f; timeout 5 tail -f /tmp/f | sed s/l/L/", "Late\n", 0),
    ("n=0; while read l; do n=$((n+1)); done < /etc/passwd; [ $n -gt 3 ] && echo many", "many\n", 0),
    ("sleep 3 & sleep 1 & wait; echo done", "done\n", 0),
    ("false | true; echo $?; set -o pipefail; false | true; echo $?", "0\n1\n", 0),
    ("! true | false; echo $?", "0\n", 0),
    ("true && ls /bin/sh || echo no", "/bin/sh\n", 0),
    ("set -e; x=$(false); echo no", "", 1),
    (
        "set -e; false | true; echo yes; cat /none; echo no",
        "yes\ncat: can't open '/none': No such file or directory\n",
        1,
    ),
    ("trap 'echo bye' EXIT; exit 3", "bye\n", 3),
    ("trap 'echo got; exit 7' TERM; kill $$; sleep 5; echo no", "got\n", 7),
    (
        "exec > /tmp/out; echo hidden; ls /nope; exec >&2; cat /tmp/out",
        "ls: /nope: No such file or directory\nhidden\n",
        0,
    ),
    ("ls /nope 2>/dev/null; echo $?; ls /nope 2>&1 | wc -l", "1\n1\n", 0),
    (
        "echo '#!/bin/sh\necho script $1' > /tmp/s; chmod +x /tmp/s; /tmp/s arg; sh /tmp/s two",
        "script arg\nscript two\n",
        0,
    ),
    (
        "echo 'echo plain' > /tmp/p; chmod 755 /tmp/p; /tmp/p; chmod 644 /tmp/p; /tmp/p",
        "plain\nsh: /tmp/p: Permission denied\n",
        126,
    ),
    ("cd /tmp; mkdir -p d/e; cd d; pwd; ls; cd ..; rm -r d; pwd", "/tmp/d\ne\n/tmp\n", 0),
    ("cd /etc; ls host* | cat; echo pass*", "hostname\nhosts\npasswd\n", 0),
    ("A=1 env | grep ^A=; A=2 sh -c 'echo $A'; echo ${A:-unset}", "A=1\n2\nunset\n", 0),
    ("find /bin -name 'ca*' | sort; which cat", "/bin/cat\n/bin/cat\n", 0),
    ("printf '%s\\n' c a b | sort | xargs echo", "a b c\n", 0),
    ("echo a > /tmp/1; echo b >> /tmp/1; cat /tmp/1 /tmp/1 | sort | uniq -c", "      2 a\n      2 b\n", 0),
    ("case $(uname) in Linux) echo linux;; *) echo other;; esac", "linux\n", 0),
    ("i=0; until [ $i -ge 3 ]; do echo $i; i=$((i+1)); done | tac", "2\n1\n0\n", 0),
    (
        "ln -s /etc/hostname /tmp/l; readlink /tmp/l; cat /tmp/l; test -L /tmp/l && echo link",
        "/etc/hostname\nweb-1\nlink\n",
        0,
    ),
    ("stat -c '%a %s %F' /etc/hostname", "644 6 regular file\n", 0),
    ("echo hi | tee /tmp/t | cat; cat /tmp/t", "hi\nhi\n", 0),
    ("timeout 1 sleep 10; echo $?", "124\n", 0),
    ("wget -qO- http://localhost:9", "wget: can't connect to remote host: Connection refused\n", 1),
    ("curl -s http://nothing.example; echo $?", "6\n", 0),
    ("(echo x | nc -l -p 7000 > /tmp/n) & sleep 1; echo y | nc -w 1 localhost 7000; wait; cat /tmp/n", "x\ny\n", 0),
    ("exec cat /etc/hostname", "web-1\n", 0),
    ("sh -c 'exit 5'; echo $?; sh -c 'kill -9 $$'; echo $?", "5\n137\n", 0),
    ("vi x", "vi: kubonsai does not support vi (busybox) yet\n", 126),
    ("ls -l /etc | awk 'NR > 1 && $9 ~ /^pass/ { print $1, $3; n++ } END { print n }'", "-rw-r--r-- root\n1\n", 0),
    ("ls -l /etc/hostname | cut -c1-10; ls -ld /tmp | cut -c1-10", "-rw-r--r--\ndrwxrwxrwt\n", 0),
    ("echo $0 $#; read a b <<< 'x y z'; echo $b", "sh 0\ny z\n", 0),
    ("while true; do echo once; break; done | cat", "once\n", 0),
    ("f() { return 4; }; f || echo $?; echo $(f; echo $?)", "4\n4\n", 0),
    ("a=1; a=2 true; echo $a; export b=3; sh -c 'echo $b'", "1\n3\n", 0),
    ("df / | tail -n 1 | cut -c1-7; id; whoami", "overlay\nuid=0(root) gid=0(root) groups=0(root)\nroot\n", 0),
];

/// An interactive shell as `kubectl exec -it` opens it: prompts, line by line, Ctrl-C, the end.
fn a_shell_at_a_terminal(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, _) = node.start("gcr.io/google-samples/kubernetes-bootcamp:v1", &[], &[]);
    let mut session = node.runtime.exec(&id, vec!["bash".into()], true, true).unwrap();
    let mut stdin = session.stdin.take().unwrap();
    let output = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let copy = output.clone();
    let mut stdout = session.stdout;
    let reading = node.sim.spawn(async move {
        while let Some(bytes) = stdout.next().await {
            copy.borrow_mut().extend_from_slice(&bytes);
        }
    });
    let exit = node.sim.spawn(session.exit);
    for (typed, seconds) in [
        ("cat /server.js | grep -o 'v=1'\r", 1),
        ("curl http://localhost:8080\r", 1),
        ("for i in 1 2; do\r", 1),
        ("echo n$i; done\r", 1),
        ("sleep 100\r", 1),
        ("\u{3}", 1),
        ("echo half\u{3}", 1),
        ("exit 3\r", 1),
    ] {
        let bytes = Bytes::from(typed);
        stdin = node.run(async move {
            stdin.write(bytes).await;
            stdin
        });
        node.pass(Duration::from_secs(seconds));
    }
    assert_eq!(node.run(exit).unwrap(), 3);
    node.run(reading).unwrap();
    let text = String::from_utf8_lossy(&output.borrow()).replace("\r\n", "\n");
    assert_eq!(
        text,
        "root@web-1:/# cat /server.js | grep -o 'v=1'\nv=1\nroot@web-1:/# curl http://localhost:8080\n\
         Hello Kubernetes bootcamp! | Running on: web-1 | v=1\nroot@web-1:/# for i in 1 2; do\n> echo n$i; done\nn1\nn2\n\
         root@web-1:/# sleep 100\n^C\nroot@web-1:/# echo half^C\nroot@web-1:/# exit 3\n"
    );
}

fn a_container_that_takes_too_much_is_killed(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let config = ContainerConfig {
        image: "polinux/stress".into(),
        command: ["stress", "--vm", "1", "--vm-bytes", "50M", "--vm-hang", "1"].map(str::to_owned).into(),
        ..ContainerConfig::default()
    };
    for (limit, state, reason) in [(20 << 20, State::Exited, "OOMKilled"), (60 << 20, State::Running, "")] {
        let config = ContainerConfig { memory_limit_bytes: Some(limit), ..config.clone() };
        let runtime = node.runtime.clone();
        let id = node.run(async move {
            runtime.pull(&config.image, &[]).await.unwrap();
            let sandbox = runtime.run_sandbox(SandboxConfig::default()).await.unwrap();
            let id = runtime.create_container(&sandbox.id, config).await.unwrap();
            runtime.start_container(&id).await.unwrap();
            id
        });
        node.pass(Duration::from_secs(10));
        let status = node.runtime.container_status(&id).unwrap();
        assert_eq!((status.state, status.reason.as_str()), (state, reason), "{limit}: {}", node.log(&id));
    }
}

fn agnhost_and_the_echo_server_answer(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (_, ip) =
        node.start("registry.k8s.io/e2e-test-images/agnhost:2.53", &["/agnhost", "netexec", "--http-port=8080"], &[]);
    let (_, echo) = node.start("kicbase/echo-server:1.0", &[], &[]);
    let (_, ill) = node.start("registry.k8s.io/e2e-test-images/agnhost:2.40", &[], &["liveness"]);
    node.pass(Duration::from_secs(1));
    assert!(node.get(ip, 8080).contains("NOW: 2026-"));
    assert!(node.get(echo, 8080).contains("Request served by web-1\n\nHTTP/1.1 GET /\n\nHost: web\n"));
    assert!(node.get(ill, 8080).starts_with("HTTP/1.1 404 "));
}

fn httpd_serves_its_page_and_logs_as_apache(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, ip) = node.start("httpd:2.4", &[], &[]);
    node.pass(Duration::from_secs(1));
    let answer = node.get(ip, 80);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("Server: Apache/2.4.65 (Unix)\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("<html><body><h1>It works!</h1></body></html>\n"), "{answer}");
    let log = node.log(&id);
    let named = "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using 10.244.";
    assert!(log.starts_with(named), "{log}");
    for part in [
        "[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.65 (Unix) configured -- resuming normal operations\n",
        "[core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'\n",
        "] \"GET / HTTP/1.1\" 200 45\n",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let (version, code) = node.exec(&id, &["httpd", "-v"]);
    assert!(version.starts_with("Server version: Apache/2.4.65 (Unix)\n") && code == 0, "{version}");
    let (_, code) = node.exec(&id, &["sh", "-c", "echo changed > htdocs/index.html"]);
    assert_eq!((code, node.get(ip, 80).ends_with("\r\n\r\nchanged\n")), (0, true));
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 0);
    assert!(node.log(&id).contains("shutting down"), "{}", node.log(&id));
}

/// Commands and what redis-cli prints for them when it prints for a program.
const REDIS_CASES: &[(&[&str], &str, i32)] = &[
    (&["redis-cli", "ping"], "PONG\n", 0),
    (&["redis-cli", "set", "k", "a b"], "OK\n", 0),
    (&["redis-cli", "get", "k"], "a b\n", 0),
    (&["redis-cli", "--no-raw", "get", "k"], "\"a b\"\n", 0),
    (&["redis-cli", "--no-raw", "rpush", "job", "apple", "banana"], "(integer) 2\n", 0),
    (&["redis-cli", "--no-raw", "lrange", "job", "0", "-1"], "1) \"apple\"\n2) \"banana\"\n", 0),
    (&["redis-cli", "config", "get", "maxmemory"], "maxmemory\n2097152\n", 0),
    (&["redis-cli", "-p", "7", "ping"], "Could not connect to Redis at 127.0.0.1:7: Connection refused\n", 1),
    (
        &["sh", "-c", "echo 'incr n' | redis-cli; redis-cli -x set x < /etc/hostname; redis-cli get x"],
        "1\nOK\nweb-1\n\n",
        0,
    ),
];

fn redis_keeps_what_it_is_told(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let script =
        "echo 'maxmemory 2mb\nmaxmemory-policy allkeys-lru' > /r.conf; exec redis-server /r.conf --appendonly yes";
    let (id, _) = node.start("redis:8.0.2", &[], &["sh", "-c", script]);
    node.pass(Duration::from_secs(2));
    let log = node.log(&id);
    for part in ["oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n", "Redis version=8.0.2,", "* Configuration loaded\n"]
    {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(log.ends_with("* Ready to accept connections tcp\n"), "{log}");
    for (argv, expected, code) in REDIS_CASES {
        assert_eq!(node.exec(&id, argv), ((*expected).to_owned(), *code), "{argv:?}");
    }
    let (files, _) = node.exec(&id, &["ls", "/data/appendonlydir"]);
    assert_eq!(files, "appendonly.aof.1.base.rdb\nappendonly.aof.1.incr.aof\nappendonly.aof.manifest\n");
    // A second server on the same files has the same data; the first one writes its snapshot when it ends.
    let second = "redis-server --port 7000 --appendonly yes > /log & sleep 1; redis-cli -p 7000 lpop job; redis-cli -p 7000 shutdown nosave; wait";
    assert_eq!(node.exec(&id, &["sh", "-c", second]), ("apple\n".to_owned(), 0));
    let steps = node.sim.steps();
    node.pass(Duration::from_secs(600));
    assert!(node.sim.steps() - steps < 20, "an idle server costs nothing");
}

fn redis_ends_when_it_is_told_and_serves_at_a_terminal(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, ip) = node.start("redis:7.2", &[], &[]);
    node.pass(Duration::from_secs(1));
    let mut session = node.runtime.exec(&id, vec!["redis-cli".into()], true, true).unwrap();
    let mut input = session.stdin.take().unwrap();
    let sim = node.sim.clone();
    let (screen, code) = node.run(async move {
        let typing = async {
            for keys in ["SET k v\r", "get none\r", "LPOP k\r", "select 1\r", "smembers s\r", "exit\r"] {
                sim.sleep(Duration::from_secs(1)).await;
                input.write(Bytes::copy_from_slice(keys.as_bytes())).await;
            }
        };
        let ((), screen, code) = futures_util::join!(typing, session.stdout.collect::<Vec<Bytes>>(), session.exit);
        (screen.concat(), code)
    });
    let lines = [
        "127.0.0.1:6379> SET k v",
        "OK",
        "127.0.0.1:6379> get none",
        "(nil)",
        "127.0.0.1:6379> LPOP k",
        "(error) WRONGTYPE Operation against a key holding the wrong kind of value",
        "127.0.0.1:6379> select 1",
        "OK",
        "127.0.0.1:6379[1]> smembers s",
        "(empty array)",
        "127.0.0.1:6379[1]> exit",
        "",
    ];
    assert_eq!((String::from_utf8(screen).unwrap(), code), (lines.join("\r\n"), 0));
    assert_eq!(node.talk(ip, 6379, b"PING\r\n"), "+PONG\r\n");
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 0);
    let log = node.log(&id);
    assert!(
        log.contains("* DB saved on disk\n") && log.ends_with("# Redis is now ready to exit, bye bye...\n"),
        "{log}"
    );
}

fn small_servers_say_who_answers_and_what_was_asked(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (echo, echo_ip) = node.start("hashicorp/http-echo:1.0", &[], &["-text=apple", "-listen=:8080"]);
    let (mute, _) = node.start("hashicorp/http-echo:0.2.3", &[], &[]);
    let hello = |version: &str| node.start(&format!("gcr.io/google-samples/hello-app:{version}"), &[], &[]).1;
    let (one, two) = (hello("1.0"), hello("2.0"));
    let (_, old) = node.start("registry.k8s.io/echoserver:1.4", &[], &[]);
    let (_, new) = node.start("registry.k8s.io/echoserver:1.10", &[], &[]);
    let (_, who) = node.start("traefik/whoami", &[], &[]);
    let (_, nginx) = node.start("nginxdemos/hello:plain-text", &[], &[]);
    node.pass(Duration::from_secs(1));
    assert!(node.get(echo_ip, 8080).ends_with("\r\n\r\napple\n"));
    let log = node.log(&echo);
    assert!(log.contains(" [INFO] server is listening on :8080\n"), "{log}");
    assert!(log.contains(" \"GET / HTTP/1.1\" 200 6 \"\" "), "{log}");
    assert_eq!(
        (node.log(&mute).as_str(), node.runtime.container_status(&mute).unwrap().exit_code),
        ("Missing -text option!\n", 127)
    );
    assert!(node.get(one, 8080).ends_with("\r\n\r\nHello, world!\nVersion: 1.0.0\nHostname: web-1\n"));
    assert!(node.get(two, 8080).ends_with("Version: 2.0.0\nHostname: web-1\n"));
    assert!(
        node.get(old, 8080)
            .contains("CLIENT VALUES:\nclient_address=10.244.200.9\ncommand=GET\nreal path=/\nquery=nil\n")
    );
    assert!(
        node.get(new, 8080).contains("\n\nHostname: web-1\n\nPod Information:\n\t-no pod information available-\n")
    );
    assert!(
        node.get(who, 80)
            .contains(&format!("Hostname: web-1\nIP: 127.0.0.1\nIP: ::1\nIP: {who}\nRemoteAddr: 10.244.200.9:"))
    );
    assert!(node.get(nginx, 80).contains(&format!("Server address: {nginx}:80\nServer name: web-1\nDate: ")));
}

fn memcached_keeps_and_counts(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let (id, ip) = node.start("memcached:1.6", &[], &["memcached", "-m", "32"]);
    node.pass(Duration::from_secs(1));
    let talk = b"set n 1 0 2\r\n41\r\nincr n 1\r\nget n\r\ndelete n\r\nget n\r\nversion\r\n";
    let answer = "STORED\r\n42\r\nVALUE n 1 2\r\n42\r\nEND\r\nDELETED\r\nEND\r\nVERSION 1.6.38\r\n";
    assert_eq!(node.talk(ip, 11211, talk), answer);
    let (stats, _) = node.exec(&id, &["sh", "-c", "printf 'stats\\r\\nquit\\r\\n' | nc localhost 11211"]);
    assert!(stats.contains("STAT limit_maxbytes 33554432\r\n") && stats.contains("STAT get_hits 1\r\n"), "{stats}");
    node.run(node.runtime.stop_container(&id, Duration::from_secs(30)));
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 0);
}

/// Plays the machine's half of the controller: takes a call and sends a configuration.
fn configure(node: &Node, listener: &network::Listener, lines: &'static str) -> network::TcpStream {
    let listener = listener.clone();
    node.run(async move {
        let stream = listener.accept().await.unwrap();
        let hello = stream.read().await.unwrap();
        assert_eq!(&hello[..], b"controller\tv1.15.1\n");
        stream.write_all(lines.replace(' ', "\t").as_bytes()).await.unwrap();
        stream
    })
}

fn ingress_nginx_follows_its_configuration(engine: &Rc<dyn Engine>) {
    let node = Node::on(engine);
    let machine = node.fabric.attach_as("coredns", &[[169, 254, 20, 10].into()], Role::Service);
    let listener = machine.listen("0.0.0.0:10246".parse().unwrap()).unwrap();
    let (_, backend) = node.start("gcr.io/google-samples/hello-app:1.0", &[], &[]);
    assert_eq!(backend.to_string(), "10.244.0.2");
    let (id, ip) = node.start("registry.k8s.io/ingress-nginx/controller:v1.15.1", &[], &[]);
    node.pass(Duration::from_secs(1));
    let get = |port, text| node.talk(ip, port, text);
    assert!(
        get(10254, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 500 "),
        "nothing is known yet"
    );
    let stream = configure(
        &node,
        &listener,
        "config
server _ plain prefix
location prefix / upstream-default-backend log=off
server a plain regex
location prefix /api/(.*) default-hello-8080 rewrite=/$1
location prefix / default-none-80
server b tls prefix
location prefix / default-dead-80 ssl-redirect=false
upstream default-hello-8080 10.244.0.2:8080
upstream default-none-80
upstream default-dead-80 10.244.0.2:1 10.244.0.2:8080
apply
log I store.go:443 hello
",
    );
    node.pass(Duration::from_secs(1));
    assert!(get(10254, b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("\r\n\r\nok"));
    let answer = get(80, b"GET /api/x HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: nowhere\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "), "{answer}");
    assert!(
        answer.contains("\r\n\r\nHello, world!\nVersion: 1.0.0\nHostname: web-1\nHTTP/1.1 404 Not Found\r\n"),
        "{answer}"
    );
    assert!(
        get(80, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 503 Service Temporarily Unavailable\r\n")
    );
    for _ in 0..2 {
        let answer = get(80, b"GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        assert!(answer.contains("Version: 1.0.0"), "the next endpoint is tried: {answer}");
    }
    assert!(get(443, b"\x16\x03\x01").is_empty());
    let log = node.log(&id);
    assert!(log.contains("NGINX Ingress controller\n  Release:       v1.15.1\n"), "{log}");
    assert!(log.contains("] hello\n") && log.contains("connect() failed (111: Connection refused)"), "{log}");
    assert!(log.contains(" [default-hello-8080] [] 10.244.0.2:8080 "), "{log}");
    assert!(log.contains(" [default-dead-80] [] 10.244.0.2:1, 10.244.0.2:8080 0, "), "{log}");
    assert!(log.contains("kubonsai does not support TLS termination (ingress-nginx) yet"), "{log}");
    let stop = node.runtime.stop_container(&id, Duration::from_secs(30));
    let said = node.sim.spawn(async move {
        let bytes = stream.read().await.unwrap();
        stream.close();
        bytes
    });
    node.run(stop);
    assert_eq!(&node.run(said).unwrap()[..], b"shutdown\n");
    assert_eq!(node.runtime.container_status(&id).unwrap().exit_code, 0);
}
