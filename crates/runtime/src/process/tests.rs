//! Programs in text form that run in a jail.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use network::{Fabric, NetNs};
use simulation::{Sim, SimConfig, StepLimits, Time};
use vfs::Vfs;

use super::{Exit, Jail, JailConfig, Loader, Proc, SpawnRequest};
use crate::engine::{Engine, WasmiEngine, WasmtimeEngine};
use crate::kernel::{Description, Kind, Output, PipeReader, PipeWriter, Tty, pipe};

/// Imports that every test program may use, and a memory with helpers.
const PRELUDE: &str = r#"
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_open" (func $sock_open (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_bind" (func $sock_bind (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_listen" (func $sock_listen (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_connect" (func $sock_connect (param i32 i32 i32) (result i32)))
  (import "kubonsai" "pipe" (func $pipe (param i32 i32) (result i32)))
  (import "kubonsai" "proc_spawn" (func $spawn (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "kubonsai" "proc_wait" (func $wait (param i32 i32 i32 i32) (result i32)))
  (import "kubonsai" "proc_kill" (func $kill (param i32 i32) (result i32)))
  (import "kubonsai" "signal_handle" (func $signal_handle (param i32 i32) (result i32)))
  (import "kubonsai" "signal_take" (func $signal_take (param i32) (result i32)))
  (import "kubonsai" "tty_get" (func $tty_get (param i32 i32 i32) (result i32)))
  (import "kubonsai" "resolve" (func $resolve (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; writes `len` bytes at `at`; gives the errno
  (func $print_to (param $fd i32) (param $at i32) (param $len i32) (result i32)
    (i32.store (i32.const 8) (local.get $at)) (i32.store (i32.const 12) (local.get $len))
    (call $fd_write (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)))
  (func $print (param $at i32) (param $len i32)
    (drop (call $print_to (i32.const 1) (local.get $at) (local.get $len))))
  ;; reads up to 256 bytes to 4096; gives the count, or minus the errno
  (func $read (param $fd i32) (result i32) (local $e i32)
    (i32.store (i32.const 8) (i32.const 4096)) (i32.store (i32.const 12) (i32.const 256))
    (local.set $e (call $fd_read (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 16)))
    (if (local.get $e) (then (return (i32.sub (i32.const 0) (local.get $e)))))
    (i32.load (i32.const 16)))
  ;; exits with the errno unless it is 0
  (func $check (param $e i32) (if (local.get $e) (then (call $exit (local.get $e)))))
"#;

pub(crate) fn guest(body: &str) -> Bytes {
    wat::parse_str(format!("(module {PRELUDE} {body})")).expect("the test's program is well-formed").into()
}

pub(crate) struct World {
    pub(crate) sim: Sim,
    fabric: Fabric,
    loader: Rc<Loader>,
    pub(crate) files: Vfs,
}

impl World {
    pub(crate) fn new() -> World {
        World::on(&(Rc::new(WasmiEngine::new()) as Rc<dyn Engine>))
    }

    /// A world whose programs run on `engine`.
    fn on(engine: &Rc<dyn Engine>) -> World {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_000) });
        let files = Vfs::new(sim.clone());
        files.mkdir_all("/bin").unwrap();
        files.mkdir_all("/tmp").unwrap();
        vfs::device::install(&files, &sim).unwrap();
        World { fabric: Fabric::new(sim.clone()), loader: Loader::new(Rc::clone(engine)), sim, files }
    }

    pub(crate) fn install(&self, name: &str, body: &str) {
        let path = format!("/bin/{name}");
        self.files.write(&path, guest(body)).unwrap();
        self.files.chmod(&path, 0o755).unwrap();
    }

    fn net(&self, last: u8) -> NetNs {
        self.fabric.attach("pod/default/test", &[[10, 244, 0, last].into()])
    }

    fn jail_with(&self, change: impl FnOnce(&mut JailConfig)) -> Rc<Jail> {
        let mut config = JailConfig {
            sim: self.sim.clone(),
            files: self.files.clone(),
            net: self.net(5),
            hostname: "web".into(),
            loader: Rc::clone(&self.loader),
            memory_bytes: None,
            cpu_milli: None,
        };
        change(&mut config);
        Jail::new(config)
    }

    pub(crate) fn jail(&self) -> Rc<Jail> {
        self.jail_with(|_| {})
    }

    /// Lets virtual time pass.
    pub(crate) fn pass(&self, time: Duration) {
        let until = self.sim.now() + time;
        while self.sim.step(until, StepLimits { polls_max: 100_000 }) == simulation::Step::Busy {}
        self.sim.advance_to(until);
    }
}

pub(crate) struct Running {
    pub(crate) proc: Rc<Proc>,
    stdin: PipeWriter,
    stdout: PipeReader,
}

impl Running {
    fn output(&self) -> String {
        let bytes = self.stdout.try_read(usize::MAX).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

pub(crate) fn request(world: &World, argv: &[&str]) -> SpawnRequest {
    SpawnRequest {
        path: None,
        argv: argv.iter().map(|a| Bytes::copy_from_slice(a.as_bytes())).collect(),
        env: Vec::new(),
        files: world.files.clone(),
        fds: Vec::new(),
        tty: None,
        parent: 0,
        ignored: Vec::new(),
    }
}

pub(crate) fn start(world: &World, jail: &Rc<Jail>, argv: &[&str]) -> Running {
    let ((stdin_read, stdin), (stdout, stdout_write)) = (pipe(), pipe());
    let out = Description::new(Kind::PipeWriter(stdout_write));
    let fds = vec![(0, Description::new(Kind::PipeReader(stdin_read))), (1, Rc::clone(&out)), (2, out)];
    let proc = jail.spawn(SpawnRequest { fds, ..request(world, argv) }).unwrap();
    Running { proc, stdin, stdout }
}

/// Runs one program to its end; gives exit code and output.
fn run(engine: &Rc<dyn Engine>, body: &str) -> (i32, String) {
    let world = World::on(engine);
    world.install("test", body);
    let jail = world.jail();
    let running = start(&world, &jail, &["test"]);
    world.pass(Duration::from_secs(60));
    (running.proc.status().expect("the program ends within a minute"), running.output())
}

/// Every test on every engine: `tests::wasmi::hello_and_exit_codes` and so on.
macro_rules! on_each_engine {
    ($($test:ident)*) => {
        mod wasmi {
            $(#[test] fn $test() { super::$test(&(std::rc::Rc::new(super::WasmiEngine::new()) as _)) })*
        }
        mod wasmtime {
            $(#[test] fn $test() { super::$test(&(std::rc::Rc::new(super::WasmtimeEngine::new().unwrap()) as _)) })*
        }
    };
}
on_each_engine! {
    hello_and_exit_codes
    hostile_pointers_are_efault
    a_busy_loop_lets_others_run_and_costs_virtual_time
    a_cpu_limit_slows_down
    the_clock_advances_inside_a_slice
    a_memory_bomb_is_killed_with_its_container
    sleeping_costs_nothing
    stdin_is_echoed_until_its_end
    signals_are_caught_or_end_the_process
    spawn_pipe_and_wait
    http_over_sockets
    a_terminal_echoes_and_interrupts
    what_is_no_program_is_refused_by_name
    interpreters_and_links
    a_fork_bomb_stays_in_its_container
    same_seed_same_bytes
}

const BUSY: &str = r#"(func (export "_start") (loop $l (br $l)))"#;

fn hello_and_exit_codes(engine: &Rc<dyn Engine>) {
    let hello =
        r#"(data (i32.const 100) "hello\n") (func (export "_start") (call $print (i32.const 100) (i32.const 6)))"#;
    assert_eq!(run(engine, hello), (0, "hello\n".into()));
    assert_eq!(run(engine, r#"(func (export "_start") (call $exit (i32.const 7)))"#).0, 7);
    assert_eq!(run(engine, r#"(func (export "_start") unreachable)"#).0, 134);
    assert_eq!(run(engine, r#"(func (export "_start") (drop (i32.load (i32.const -4))))"#).0, 139);
    assert_eq!(run(engine, r#"(func $f (export "_start") (call $f))"#).0, 139);
    assert_eq!(run(engine, r#"(func (export "_start") (drop (i32.div_u (i32.const 1) (i32.const 0))))"#).0, 139);
}

fn hostile_pointers_are_efault(engine: &Rc<dyn Engine>) {
    for body in [
        "(call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 16))",
        "(call $fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 16))",
        "(call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const -1))",
        "(call $random (i32.const 65000) (i32.const 1000))",
        "(call $random (i32.const 0) (i32.const -1))",
        "(call $clock (i32.const 0) (i64.const 0) (i32.const 65530))",
        "(call $poll (i32.const 65500) (i32.const 0) (i32.const 1) (i32.const 0))",
        "(call $poll (i32.const 0) (i32.const 65535) (i32.const 1) (i32.const 0))",
        "(call $spawn (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        "(call $sock_bind (i32.const 0) (i32.const -4) (i32.const 80))",
        "(call $pipe (i32.const -4) (i32.const 0))",
        "(call $resolve (i32.const 65535) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0))",
    ] {
        let program = format!(
            r#"(func (export "_start") (i32.store (i32.const 0) (i32.const 65535)) (i32.store (i32.const 4) (i32.const 0)) (call $exit {body}))"#
        );
        let code = run(engine, &program).0;
        // the read blocks for ever on an empty pipe unless the pointer is looked at first; both are fine, no panic is
        assert!(code == 21 || body.contains("fd_read"), "{body}: {code}");
    }
}

fn a_busy_loop_lets_others_run_and_costs_virtual_time(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install("busy", BUSY);
    world.install(
        "hello",
        r#"(data (i32.const 100) "hi") (func (export "_start") (call $print (i32.const 100) (i32.const 2)))"#,
    );
    let jail = world.jail();
    let busy = start(&world, &jail, &["busy"]);
    let hello = start(&world, &jail, &["hello"]);
    world.pass(Duration::from_secs(2));
    assert_eq!((hello.proc.status(), hello.output()), (Some(0), "hi".into()));
    assert_eq!(busy.proc.status(), None);
    let cpu = jail.cpu().used() as f64 / crate::limits::FUEL_PER_CPU_SECOND as f64;
    assert!((1.95..2.05).contains(&cpu), "{cpu}");
    busy.proc.deliver(15, false);
    world.pass(Duration::from_secs(1));
    assert_eq!(busy.proc.status(), None, "pid 1 does not get signals that it did not ask for");
    jail.kill_all();
    world.pass(Duration::from_millis(1));
    assert_eq!(busy.proc.status(), Some(137));
    assert_eq!(jail.exit(), Some(Exit::Signal(9)));
}

fn a_cpu_limit_slows_down(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install("busy", BUSY);
    let jail = world.jail_with(|c| c.cpu_milli = Some(100));
    start(&world, &jail, &["busy"]);
    world.pass(Duration::from_secs(5));
    let cpu = jail.cpu().used() as f64 / crate::limits::FUEL_PER_CPU_SECOND as f64;
    assert!((0.45..0.55).contains(&cpu), "{cpu}");
}

fn the_clock_advances_inside_a_slice(engine: &Rc<dyn Engine>) {
    // waits in a loop until the clock has moved by 30 ms, without ever blocking
    let program = r#"
      (func $now (result i64) (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 200))) (i64.load (i32.const 200)))
      (func (export "_start") (local $end i64)
        (local.set $end (i64.add (call $now) (i64.const 30000000)))
        (loop $l (br_if $l (i64.lt_u (call $now) (local.get $end)))))"#;
    let world = World::on(engine);
    world.install("wait", program);
    let jail = world.jail();
    let running = start(&world, &jail, &["wait"]);
    world.pass(Duration::from_millis(25));
    assert_eq!(running.proc.status(), None);
    world.pass(Duration::from_millis(10));
    assert_eq!(running.proc.status(), Some(0));
}

const MEMORY_BOMB: &str = r#"(func (export "_start")
    (loop $l (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (call $exit (i32.const 3)))) (br $l)))"#;

fn a_memory_bomb_is_killed_with_its_container(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install("bomb", MEMORY_BOMB);
    world.install("sleep", SLEEP);
    let jail = world.jail_with(|c| c.memory_bytes = Some(20 << 20));
    let init = start(&world, &jail, &["sleep"]);
    let bomb = start(&world, &jail, &["bomb"]);
    world.pass(Duration::from_secs(1));
    assert_eq!(bomb.proc.status(), Some(137));
    assert_eq!(init.proc.status(), Some(137));
    assert_eq!(jail.exit(), Some(Exit::Oom));
    assert_eq!(jail.memory().used(), 0, "everything is given back");
    assert!(jail.memory().peak() > 19 << 20);
    let tiny = world.jail_with(|c| c.memory_bytes = Some(1000));
    assert!(tiny.spawn(request(&world, &["sleep"])).is_err());
    // without a limit of its own a container has that of the project
    let free = world.jail();
    let bomb = start(&world, &free, &["bomb"]);
    world.pass(Duration::from_secs(20));
    assert_eq!((bomb.proc.status(), free.exit()), (Some(137), Some(Exit::Oom)));
}

/// Sleeps for 100 s by `poll_oneoff`.
pub(crate) const SLEEP: &str = r#"(func (export "_start")
    (i32.store8 (i32.const 1008) (i32.const 0)) (i32.store (i32.const 1016) (i32.const 1))
    (i64.store (i32.const 1024) (i64.const 100000000000))
    (call $exit (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200))))"#;

fn sleeping_costs_nothing(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install("sleep", SLEEP);
    let jail = world.jail();
    let sleep = start(&world, &jail, &["sleep"]);
    world.pass(Duration::from_secs(99));
    let steps = world.sim.steps();
    assert_eq!(sleep.proc.status(), None);
    assert!(steps < 10, "{steps}");
    world.pass(Duration::from_secs(2));
    assert_eq!(sleep.proc.status(), Some(0));
}

fn stdin_is_echoed_until_its_end(engine: &Rc<dyn Engine>) {
    let echo = r#"(func (export "_start") (local $n i32)
        (loop $l (local.set $n (call $read (i32.const 0)))
          (if (i32.gt_s (local.get $n) (i32.const 0))
            (then (call $print (i32.const 4096) (local.get $n)) (br $l)))))"#;
    let world = World::on(engine);
    world.install("cat", echo);
    let jail = world.jail();
    let cat = start(&world, &jail, &["/bin/cat"]);
    world.pass(Duration::from_secs(1));
    assert_eq!(cat.output(), "");
    cat.stdin.try_write(b"one\n").unwrap().unwrap();
    world.pass(Duration::from_secs(1));
    assert_eq!(cat.output(), "one\n");
    cat.stdin.close();
    world.pass(Duration::from_secs(1));
    assert_eq!(cat.proc.status(), Some(0));
}

fn signals_are_caught_or_end_the_process(engine: &Rc<dyn Engine>) {
    // catches SIGTERM, blocks on stdin, then exits with 100 + the signal
    let catcher = r#"(func (export "_start")
        (call $check (call $signal_handle (i32.const 15) (i32.const 2)))
        (if (i32.ne (call $read (i32.const 0)) (i32.const -27)) (then (call $exit (i32.const 1))))
        (drop (call $signal_take (i32.const 200)))
        (call $exit (i32.add (i32.const 100) (i32.load (i32.const 200)))))"#;
    let world = World::on(engine);
    world.install("catcher", catcher);
    world.install("sleep", SLEEP);
    let jail = world.jail();
    let init = start(&world, &jail, &["catcher"]);
    let child = start(&world, &jail, &["sleep"]);
    world.pass(Duration::from_secs(1));
    child.proc.deliver(15, false);
    world.pass(Duration::from_millis(1));
    assert_eq!(child.proc.status(), Some(143));
    jail.signal(15);
    world.pass(Duration::from_millis(10));
    assert_eq!((init.proc.status(), jail.exit()), (Some(115), Some(Exit::Code(115))));
}

fn spawn_pipe_and_wait(engine: &Rc<dyn Engine>) {
    // the parent gives the child a pipe as output, copies it to its own and exits with the child's code
    let parent = r#"
      (data (i32.const 300) "child\00arg\00")
      (func (export "_start")
        (call $check (call $pipe (i32.const 200) (i32.const 204)))
        (i32.store (i32.const 208) (i32.const 0)) (i32.store (i32.const 212) (i32.load (i32.const 204)))
        (i32.store (i32.const 216) (i32.const 2))
        (call $check (call $spawn (i32.const 300) (i32.const 10) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 208) (i32.const 3) (i32.const 220)))
        (call $check (call $fd_close (i32.load (i32.const 204))))
        (call $print (i32.const 4096) (call $read (i32.load (i32.const 200))))
        (if (call $read (i32.load (i32.const 200))) (then (call $exit (i32.const 99))))
        (call $check (call $wait (i32.const 0) (i32.const 0) (i32.const 224) (i32.const 228)))
        (if (i32.ne (i32.load (i32.const 220)) (i32.load (i32.const 228))) (then (call $exit (i32.const 98))))
        (if (i32.ne (call $wait (i32.const 0) (i32.const 0) (i32.const 240) (i32.const 244)) (i32.const 12))
          (then (call $exit (i32.const 97))))
        (call $exit (i32.load (i32.const 224))))"#;
    let child = r#"(data (i32.const 100) "from the child")
      (func (export "_start") (call $print (i32.const 100) (i32.const 14)) (call $exit (i32.const 42)))"#;
    let world = World::on(engine);
    world.install("parent", parent);
    world.install("child", child);
    let jail = world.jail();
    let running = start(&world, &jail, &["parent"]);
    world.pass(Duration::from_secs(1));
    assert_eq!((running.proc.status(), running.output()), (Some(42), "from the child".into()));
    assert!(jail.processes().is_empty());
}

fn http_over_sockets(engine: &Rc<dyn Engine>) {
    // accepts one connection on port 80, reads the request, answers and closes
    let server = r#"
      (data (i32.const 100) "\00\00\00\00")
      (data (i32.const 120) "HTTP/1.1 200 OK\0d\0aContent-Length: 2\0d\0a\0d\0aok")
      (func (export "_start")
        (i32.store (i32.const 104) (i32.const 100)) (i32.store (i32.const 108) (i32.const 4))
        (call $check (call $sock_open (i32.const 1) (i32.const 2) (i32.const 200)))
        (call $check (call $sock_bind (i32.load (i32.const 200)) (i32.const 104) (i32.const 80)))
        (call $check (call $sock_listen (i32.load (i32.const 200)) (i32.const 8)))
        (call $check (call $sock_accept (i32.load (i32.const 200)) (i32.const 204)))
        (if (i32.lt_s (call $read (i32.load (i32.const 204))) (i32.const 10)) (then (call $exit (i32.const 98))))
        (call $check (call $print_to (i32.load (i32.const 204)) (i32.const 120) (i32.const 40)))
        (call $check (call $fd_close (i32.load (i32.const 204)))))"#;
    let world = World::on(engine);
    world.install("server", server);
    let jail = world.jail();
    let running = start(&world, &jail, &["server"]);
    let client = world.fabric.attach("learner", &[[10, 244, 0, 9].into()]);
    let task = world.sim.spawn(async move {
        let stream = client.connect("10.244.0.5:80".parse().unwrap()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut all = Vec::new();
        loop {
            let bytes = stream.read().await.unwrap();
            if bytes.is_empty() {
                return String::from_utf8(all).unwrap();
            }
            all.extend_from_slice(&bytes);
        }
    });
    world.pass(Duration::from_secs(1));
    assert_eq!(running.proc.status(), Some(0));
    let answer = futures_util::FutureExt::now_or_never(task).unwrap().unwrap();
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    // connecting where nobody listens: refused
    let client = r#"
      (data (i32.const 100) "\7f\00\00\01")
      (func (export "_start")
        (i32.store (i32.const 104) (i32.const 100)) (i32.store (i32.const 108) (i32.const 4))
        (call $check (call $sock_open (i32.const 1) (i32.const 2) (i32.const 200)))
        (call $exit (call $sock_connect (i32.load (i32.const 200)) (i32.const 104) (i32.const 81))))"#;
    assert_eq!(run(engine, client).0, 14);
}

fn a_terminal_echoes_and_interrupts(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install("sleep", SLEEP);
    world.install("init", SLEEP);
    let jail = world.jail();
    start(&world, &jail, &["init"]);
    let (screen, output) = pipe();
    let tty = Tty::new(Output::Pipe(output));
    let description = Description::new(Kind::Tty(Rc::clone(&tty)));
    let fds = (0..3).map(|fd| (fd, Rc::clone(&description))).collect();
    let proc = jail.spawn(SpawnRequest { fds, ..request(&world, &["sleep"]) }).unwrap();
    tty.input(b"ab\x7fc\r");
    world.pass(Duration::from_millis(1));
    assert_eq!(proc.status(), None);
    assert_eq!(screen.try_read(100).unwrap(), "ab\x08 \x08c\r\n");
    assert_eq!(tty.try_read(100).unwrap(), "ac\n");
    tty.input(b"\x04");
    assert_eq!(tty.try_read(100).unwrap(), "");
    assert_eq!(tty.try_read(100), None);
    tty.input(b"x\x03");
    world.pass(Duration::from_millis(1));
    assert_eq!(proc.status(), Some(130));
    assert_eq!(jail.exit(), None);
}

fn what_is_no_program_is_refused_by_name(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    let refuse = |name: &str| world.jail().spawn(request(&world, &[name])).err().map(|e| e.to_string());
    world.files.write("/bin/text", "not wasm").unwrap();
    world.files.write("/bin/private", "x").unwrap();
    world.files.chmod("/bin/text", 0o755).unwrap();
    world.files.write("/bin/script", "#!/bin/nope -x\n").unwrap();
    world.files.chmod("/bin/script", 0o755).unwrap();
    for (name, words) in [
        ("foo", r#"exec: "foo": executable file not found in $PATH"#),
        ("/foo", r#"exec: "/foo": stat /foo: no such file or directory"#),
        ("/bin/private", r#"exec: "/bin/private": permission denied"#),
        ("private", r#"exec: "private": executable file not found in $PATH"#),
        ("/bin", r#"exec: "/bin": is a directory"#),
        ("text", "exec /bin/text: exec format error"),
        ("script", r#"exec: "/bin/nope": stat /bin/nope: no such file or directory"#),
    ] {
        assert_eq!(refuse(name).as_deref(), Some(words));
    }
    let load = |text: &str| world.loader.load(&wat::parse_str(text).unwrap().into()).err().map(|e| e.to_string());
    assert_eq!(load("(module (import \"env\" \"f\" (func)))").unwrap(), "unknown import env.f");
    assert_eq!(
        load("(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i64) (result i32))))").unwrap(),
        "unknown import wasi_snapshot_preview1.fd_close"
    );
    assert_eq!(load("(module)").unwrap(), "no export _start");
    assert_eq!(load("(module (func (export \"_start\")))").unwrap(), "no export memory");
    let small = r#"(module (memory (export "memory") 100 (pagesize 1)) (func (export "_start")))"#;
    assert_eq!(load(small), None, "memory by the byte");
    for (proposal, text) in [
        ("threads", "(module (memory 1 1 shared))"),
        ("SIMD", "(module (func (drop (v128.const i32x4 0 0 0 0))))"),
        ("exceptions", "(module (tag $t) (func (throw $t)))"),
        ("memory64", "(module (memory i64 1))"),
        ("gc", "(module (type (struct)))"),
    ] {
        let words = load(text).unwrap();
        assert!(words.to_lowercase().contains(&proposal.to_lowercase()), "{proposal}: {words}");
    }
    let large = Bytes::from(vec![0; crate::limits::PROGRAM_BYTES_MAX + 1]);
    assert_eq!(world.loader.load(&large).err().unwrap().to_string(), "larger than 33554432 bytes");
    let start = r#"(module (func $f) (start $f) (memory (export "memory") 1) (func (export "_start")))"#;
    let words = load(start);
    assert!(words.is_none() || words.unwrap().contains("start"));
    assert!(load("(component)").unwrap().contains("components"));
    let whole = guest(BUSY);
    // The custom section with the names at the end may be missing.
    for cut in 0..whole.len() * 2 / 3 {
        assert!(world.loader.load(&whole.slice(..cut)).is_err(), "truncated at {cut}");
    }
}

fn interpreters_and_links(engine: &Rc<dyn Engine>) {
    let world = World::on(engine);
    world.install(
        "interp",
        r#"(data (i32.const 100) "ran") (func (export "_start") (call $print (i32.const 100) (i32.const 3)))"#,
    );
    world.files.link("/bin/interp", "/bin/applet").unwrap();
    world.files.symlink("applet", "/bin/link").unwrap();
    world.files.write("/tmp/script", "#! /bin/link -e\nbody\n").unwrap();
    world.files.chmod("/tmp/script", 0o755).unwrap();
    let jail = world.jail();
    let running = start(&world, &jail, &["/tmp/script", "a", "b"]);
    let argv: Vec<_> = running.proc.argv.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    assert_eq!(argv, ["/bin/link", "-e", "/tmp/script", "a", "b"]);
    world.pass(Duration::from_secs(1));
    assert_eq!(running.output(), "ran");
}

fn a_fork_bomb_stays_in_its_container(engine: &Rc<dyn Engine>) {
    let bomb = r#"(data (i32.const 300) "bomb\00")
      (func (export "_start") (loop $l
        (drop (call $spawn (i32.const 300) (i32.const 5) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 220))) (br $l)))"#;
    let world = World::on(engine);
    world.install("bomb", bomb);
    let jail = world.jail_with(|c| c.memory_bytes = Some(64 << 20));
    start(&world, &jail, &["bomb"]);
    world.pass(Duration::from_secs(1));
    assert_eq!(jail.processes().len(), crate::limits::PROCESSES_MAX);
    jail.kill_all();
    world.pass(Duration::from_millis(20));
    assert!(jail.processes().is_empty() && jail.exit().is_some());
}

fn same_seed_same_bytes(engine: &Rc<dyn Engine>) {
    let once = || {
        let program = r#"(func (export "_start") (loop $l
            (drop (call $random (i32.const 4096) (i32.const 16)))
            (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 4112)))
            (call $print (i32.const 4096) (i32.const 24)) (br $l)))"#;
        let world = World::on(engine);
        world.install("noise", program);
        let jail = world.jail();
        let running = start(&world, &jail, &["noise"]);
        let mut all = Vec::new();
        for _ in 0..5 {
            world.pass(Duration::from_millis(3));
            all.extend_from_slice(&running.stdout.try_read(usize::MAX).unwrap_or_default());
        }
        (all, world.sim.steps(), jail.cpu().used())
    };
    let (first, second) = (once(), once());
    assert!(first.0.len() > 1_000);
    assert!(first == second, "seed=1: two runs differ");
}
