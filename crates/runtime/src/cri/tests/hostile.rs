//! Programs that mean harm, on both engines: each ends in the state that upstream shows, and nobody notices it but its own
//! container. A neighbour's log, with its times, is the same bytes whether the guest is there or not.

use std::collections::BTreeMap;

use super::*;
use crate::engine::{Lines, TracedEngine, WasmtimeEngine};

/// Prints a line every 100 ms, by sleeping.
const NEIGHBOUR: &str = r#"(data (i32.const 100) "tick\n") (func (export "_start")
    (i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 100000000))
    (loop $l (call $print (i32.const 100) (i32.const 5))
      (drop (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200))) (br $l)))"#;
const LOOP: &str = r#"(func (export "_start") (loop $l (br $l)))"#;
/// Asks for one more socket until it gets none, and exits with the errno.
const SOCKETS: &str = r#"(func (export "_start")
    (loop $l (call $check (call $sock_open (i32.const 1) (i32.const 2) (i32.const 200))) (br $l)))"#;
/// Opens the file above the root, and a symbolic link's worth of dots; exits with 7 when both lead nowhere.
const ESCAPE: &str = r#"(data (i32.const 100) "../../../../../../etc/shadow")
    (data (i32.const 140) "/proc/self/root/../../etc/shadow")
    (func $open (param $at i32) (param $len i32) (result i32)
      (call $path_open (i32.const 3) (i32.const 1) (local.get $at) (local.get $len) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 200)))
    (func (export "_start")
      (if (i32.ne (call $open (i32.const 100) (i32.const 28)) (i32.const 44)) (then (call $exit (i32.const 1))))
      (if (i32.eqz (call $open (i32.const 140) (i32.const 32))) (then (call $exit (i32.const 2))))
      (call $exit (i32.const 7)))"#;
/// Starts itself until it gets no more processes, and goes on trying.
const FORKS: &str = r#"(data (i32.const 300) "/bin/forks\00") (func (export "_start") (loop $l
    (drop (call $spawn (i32.const 300) (i32.const 11) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 220))) (br $l)))"#;
/// Sleeps for an hour, then reads where no memory is.
const LATE: &str = r#"(func (export "_start")
    (i32.store (i32.const 1016) (i32.const 1)) (i64.store (i32.const 1024) (i64.const 3600000000000))
    (drop (call $poll (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200)))
    (drop (i32.load (i32.const -4))))"#;
/// Fills and copies all its memory for ever: single instructions that take long.
const BULK: &str = r#"(func (export "_start") (drop (memory.grow (i32.const 511)))
    (loop $l (memory.fill (i32.const 65536) (i32.const 1) (i32.const 33488896))
      (memory.copy (i32.const 65536) (i32.const 65540) (i32.const 33488000)) (br $l)))"#;
/// Calls itself for ever.
const DEEP: &str = r#"(func $f (export "_start") (call $f))"#;
/// Wants all the memory there can be at once.
const GREEDY: &str = r#"(func (export "_start") (drop (memory.grow (i32.const 65535))))"#;
/// Wants more than there can be: the answer is -1, no harm is done.
const TOO_GREEDY: &str = r#"(func (export "_start")
    (if (i32.ne (memory.grow (i32.const 65536)) (i32.const -1)) (then (call $exit (i32.const 1)))))"#;
/// Calls through an empty place of a table.
const NOBODY: &str = r#"(table 1 funcref) (func (export "_start") (call_indirect (i32.const 0)))"#;
/// Ends with a division.
const DIVIDE: &str = r#"(func (export "_start") (drop (i32.rem_s (i32.const 1) (i32.const 0))))"#;

fn programs() -> Vec<(&'static str, Bytes)> {
    let raw = |text: &str| Bytes::from(wat::parse_str(text).unwrap());
    let start = r#"(memory (export "memory") 1) (func (export "_start"))"#;
    vec![
        ("bin/neighbour", guest(NEIGHBOUR)),
        ("bin/loop", guest(LOOP)),
        ("bin/sockets", guest(SOCKETS)),
        ("bin/escape", guest(ESCAPE)),
        ("bin/forks", guest(FORKS)),
        ("bin/late", guest(LATE)),
        ("bin/bulk", guest(BULK)),
        ("bin/deep", guest(DEEP)),
        ("bin/greedy", guest(GREEDY)),
        ("bin/toogreedy", guest(TOO_GREEDY)),
        ("bin/nobody", guest(NOBODY)),
        ("bin/divide", guest(DIVIDE)),
        ("bin/abort", guest(r#"(func (export "_start") unreachable)"#)),
        ("bin/truncated", guest(LOOP).slice(..200)),
        ("bin/nostart", raw(r#"(module (memory (export "memory") 1))"#)),
        ("bin/nomemory", raw(r#"(module (func (export "_start")))"#)),
        ("bin/import", raw(&format!(r#"(module (import "env" "abort" (func)) {start})"#))),
        ("bin/global", raw(&format!(r#"(module (import "env" "g" (global i32)) {start})"#))),
        ("bin/simd", raw(&format!("(module {start} (func (drop (v128.const i32x4 0 0 0 0))))"))),
        ("bin/threads", raw(r#"(module (memory (export "memory") 1 1 shared) (func (export "_start")))"#)),
        ("bin/early", raw(&format!("(module {start} (func $f unreachable) (start $f))"))),
        ("bin/data", raw(&format!(r#"(module {start} (data (i32.const 65535) "xx"))"#))),
        ("bin/huge", raw(r#"(module (memory (export "memory") 65536) (func (export "_start")))"#)),
        ("bin/two", raw(&format!("(module {start} (memory 1))"))),
        ("bin/component", Bytes::from_static(b"\0asm\x0d\0\x01\0")),
    ]
}

/// What is seen of a guest after a while: state, exit code, reason, message, and the end of its log.
type Seen = (State, i32, String, String, String);

/// Runs a hostile program beside a neighbour; gives what is seen of it, and the neighbour's log with its times.
fn beside_a_neighbour(engine: Rc<dyn Engine>, program: Option<&str>, seconds: u64) -> (Option<Seen>, String) {
    let node = Node::on(engine, &programs());
    let (neighbour, started) = node.start(command(&["neighbour"]));
    assert_eq!(started, Ok(()));
    let begun = node.sim.now();
    let hostile = program.map(|program| {
        let (id, _) = node.start(|c| {
            c.command = vec![program.into()];
            c.memory_limit_bytes = Some(64 << 20);
        });
        id
    });
    node.pass((begun + Duration::from_secs(seconds)).saturating_since(node.sim.now()));
    let times = LogOptions { timestamps: true, ..LogOptions::default() };
    let beside = node.log(&neighbour, times);
    let seen = hostile.map(|id| {
        let status = node.runtime.container_status(&id).unwrap();
        let log = node.log(&id, LogOptions { tail_lines: Some(1), ..LogOptions::default() });
        (status.state, status.exit_code, status.reason, status.message, log)
    });
    (seen, beside)
}

/// Program, seconds to wait, and what is seen then.
type Case = (&'static str, u64, State, i32, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    ("loop", 30, State::Running, 0, "", "", ""),
    ("bulk", 2, State::Running, 0, "", "", ""),
    ("bomb", 10, State::Exited, 137, "OOMKilled", "", ""),
    ("greedy", 10, State::Exited, 137, "OOMKilled", "", ""),
    ("toogreedy", 10, State::Exited, 0, "Completed", "", ""),
    ("logbomb", 5, State::Running, 0, "", "", "\n"),
    ("forks", 5, State::Running, 0, "", "", ""),
    ("sockets", 5, State::Exited, 33, "Error", "", ""),
    ("escape", 5, State::Exited, 7, "Error", "", ""),
    ("diskbomb", 10, State::Exited, 51, "Error", "", ""),
    ("cat", 10, State::Exited, 0, "Completed", "", ""),
    ("abort", 5, State::Exited, 134, "Error", "abort: aborted", ""),
    ("trap", 5, State::Exited, 139, "Error", "trap: out of bounds memory access", ""),
    ("late", 3605, State::Exited, 139, "Error", "late: out of bounds memory access", ""),
    ("deep", 5, State::Exited, 139, "Error", "deep: stack overflow", ""),
    ("nobody", 5, State::Exited, 139, "Error", "nobody: uninitialized element 2", ""),
    ("divide", 5, State::Exited, 139, "Error", "divide: integer divide by zero", ""),
    ("huge", 5, State::Exited, 137, "OOMKilled", "", ""),
];

/// What is no program is refused after its container was made, as the kernel does.
const REFUSED: &[(&str, &str)] = &[
    ("text", "not a WebAssembly module"),
    ("component", "WebAssembly components are not supported, only modules for WASI preview 1"),
    ("nostart", "no export _start"),
    ("nomemory", "no export memory"),
    ("import", "unknown import env.abort"),
    ("global", "unknown import env.g"),
];

fn engines() -> [(&'static str, Rc<dyn Engine>); 2] {
    [("wasmi", Rc::new(WasmiEngine::new())), ("wasmtime", Rc::new(WasmtimeEngine::new().unwrap()))]
}

#[test]
fn hostile_guests_end_as_upstream_shows_and_disturb_nobody() {
    for (name, engine) in engines() {
        let mut alone = BTreeMap::new();
        for (program, seconds, state, code, reason, message, log) in CASES {
            let alone =
                alone.entry(*seconds).or_insert_with(|| beside_a_neighbour(Rc::clone(&engine), None, *seconds).1);
            assert!(alone.lines().count() as u64 >= seconds.min(&60) * 9, "the neighbour ticks: {alone}");
            let (seen, beside) = beside_a_neighbour(Rc::clone(&engine), Some(program), *seconds);
            let expected = (*state, *code, (*reason).into(), (*message).into(), (*log).into());
            assert_eq!(seen, Some(expected), "{program} on {name}");
            assert!(beside == *alone, "{program} on {name} disturbs its neighbour");
        }
    }
}

/// What is typed to one who never reads stays where it is: the pipe is full, and whoever writes waits.
#[test]
fn who_never_reads_makes_nobody_else_wait() {
    for (name, engine) in engines() {
        let node = Node::on(engine, &programs());
        let (deaf, _) = node.start(|c| (c.command, c.stdin) = (vec!["wait".into()], true));
        let (cat, _) = node.start(|c| (c.command, c.stdin, c.stdin_once) = (vec!["cat".into()], true, true));
        let session = |id| node.runtime.attach(id, true).unwrap().stdin.take().unwrap();
        let (mut deaf_input, mut cat_input) = (session(&deaf), session(&cat));
        let written = Rc::new(std::cell::Cell::new(0));
        let count = Rc::clone(&written);
        let _typing = node.sim.spawn(async move {
            for _ in 0..1_000 {
                deaf_input.write(Bytes::from(vec![b'x'; 4096])).await;
                count.set(count.get() + 4096);
            }
        });
        node.run(async move { cat_input.write(Bytes::from_static(b"heard\n")).await });
        node.pass(Duration::from_secs(5));
        assert!(written.get() <= 2 * crate::limits::PIPE_BYTES_MAX, "{name}: {}", written.get());
        assert_eq!(node.log(&cat, LogOptions::default()), "heard\n", "{name}");
        let steps = node.sim.steps();
        node.pass(Duration::from_secs(60));
        assert!(node.sim.steps() - steps < 10, "{name}: nobody is busy with it");
    }
}

#[test]
fn what_is_no_program_says_why_on_each_engine() {
    for (name, engine) in engines() {
        for (program, why) in REFUSED {
            let (seen, _) = beside_a_neighbour(Rc::clone(&engine), Some(program), 1);
            let file = format!("exec /bin/{program}: exec format error ({why})\n");
            assert_eq!(seen, Some((State::Exited, 255, "Error".into(), String::new(), file)), "{name}");
        }
    }
}

/// What is written of a program on each engine, beside a neighbour, with an engine around it that counts alike.
#[test]
fn both_engines_write_the_same_traces() {
    let all = programs();
    let others = ["print", "cat", "bomb", "trap", "logbomb", "diskbomb", "graceful", "text"];
    let mut differences = Vec::new();
    let names = all.iter().filter_map(|(path, _)| path.strip_prefix("bin/")).chain(others);
    for name in names.filter(|name| *name != "neighbour") {
        let [(first, first_lines), (second, second_lines)] = engines().map(|(_, engine)| {
            let lines = Lines::default();
            let seen = beside_a_neighbour(Rc::new(TracedEngine::new(engine, &lines)), Some(name), 3);
            (seen, lines.take())
        });
        let at = (0..first_lines.len().max(second_lines.len())).find(|i| first_lines.get(*i) != second_lines.get(*i));
        if let Some(at) = at {
            let (first, second) = (first_lines.get(at), second_lines.get(at));
            differences.push(format!("{name}, line {at}: wasmi {first:?}, wasmtime {second:?}"));
        } else if first != second {
            differences.push(format!("{name}: {:?} and {:?}", first.0, second.0));
        }
        assert!(first_lines.len() > 20, "{name}: the neighbour's calls are there");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
