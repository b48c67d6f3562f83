//! The kernel without an engine: calls in, replies out.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use vfs::Errno;

use super::Kernel;
use crate::abi::{Event, Interest, OpenFlags, Reply, Subscription, SubscriptionKind, Syscall};
use crate::engine::Kernel as _;
use crate::process::tests::{SLEEP, World, request, start};
use crate::process::{Jail, Proc};

/// A process that never runs by itself: the test makes its calls.
struct Caller {
    world: World,
    jail: Rc<Jail>,
    proc: Rc<Proc>,
}

const READ: OpenFlags = OpenFlags {
    follow: true,
    create: false,
    directory: false,
    exclusive: false,
    truncate: false,
    read: true,
    write: false,
    fdflags: 0,
};
const CREATE: OpenFlags = OpenFlags { create: true, write: true, ..READ };

impl Caller {
    fn new() -> Caller {
        let world = World::new();
        world.install("sleep", SLEEP);
        let jail = world.jail();
        let proc = start(&world, &jail, &["sleep"]).proc;
        Caller { world, jail, proc }
    }

    /// None = would block.
    fn ask(&self, call: &Syscall) -> Option<Reply> {
        Kernel::new(&self.jail, &self.proc, self.world.sim.now()).syscall(call)
    }

    fn call(&self, call: Syscall) -> Reply {
        self.ask(&call).expect("the call does not block")
    }

    fn open(&self, path: &str, flags: OpenFlags) -> Reply {
        self.call(Syscall::Open { dir: 3, path: path.into(), flags })
    }

    fn fd(&self, path: &str, flags: OpenFlags) -> u32 {
        match self.open(path, flags) {
            Reply::U32(fd) => fd,
            other => panic!("{path}: {other:?}"),
        }
    }

    fn write(&self, fd: u32, text: &str) -> Reply {
        self.call(Syscall::Write { fd, bytes: Bytes::copy_from_slice(text.as_bytes()), offset: None })
    }

    fn read(&self, fd: u32) -> Reply {
        self.call(Syscall::Read { fd, max: 100, offset: None })
    }

    fn pipe(&self) -> (u32, u32) {
        match self.call(Syscall::Pipe) {
            Reply::Pair(read, write) => (read, write),
            other => panic!("{other:?}"),
        }
    }
}

fn bytes(text: &str) -> Reply {
    Reply::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

fn error(errno: Errno) -> Reply {
    Reply::Errno(errno)
}

#[test]
fn files_have_offsets() {
    let c = Caller::new();
    assert_eq!(c.open("tmp/f", READ), error(Errno::NotFound));
    let fd = c.fd("tmp/f", CREATE);
    assert_eq!(fd, 4, "after input, output, error and the root");
    assert_eq!(c.write(fd, "hello world"), Reply::U32(11));
    assert_eq!(c.read(fd), bytes(""));
    assert_eq!(c.call(Syscall::Seek { fd, delta: -5, whence: 2 }), Reply::U64(6));
    assert_eq!(c.read(fd), bytes("world"));
    assert_eq!(c.call(Syscall::Read { fd, max: 5, offset: Some(0) }), bytes("hello"));
    assert_eq!(c.call(Syscall::Seek { fd, delta: 0, whence: 1 }), Reply::U64(11), "pread leaves the offset");
    assert_eq!(c.call(Syscall::Seek { fd, delta: -1, whence: 0 }), error(Errno::Invalid));
    assert_eq!(c.call(Syscall::Seek { fd, delta: 1, whence: 9 }), error(Errno::Invalid));
    let Reply::U32(copy) = c.call(Syscall::Dup { fd }) else { panic!() };
    c.call(Syscall::Seek { fd: copy, delta: 2, whence: 0 });
    assert_eq!(c.call(Syscall::Read { fd, max: 3, offset: None }), bytes("llo"), "copies share the offset");
    assert_eq!(c.call(Syscall::SetSize { fd, size: 3 }), Reply::Ok);
    let append = c.fd("tmp/f", OpenFlags { fdflags: 1, write: true, read: false, ..READ });
    c.call(Syscall::Seek { fd: append, delta: 0, whence: 0 });
    assert_eq!(c.write(append, "p!"), Reply::U32(2));
    assert_eq!(c.world.files.read_to_string("/tmp/f").unwrap(), "help!");
    assert_eq!(c.read(append), error(Errno::BadFd));
    assert_eq!(c.call(Syscall::Close { fd }), Reply::Ok);
    assert_eq!(c.call(Syscall::Close { fd }), error(Errno::BadFd));
    assert_eq!(c.open("tmp/f", OpenFlags { exclusive: true, ..CREATE }), error(Errno::Exists));
    assert_eq!(c.open("tmp", CREATE), error(Errno::IsDirectory));
    assert_eq!(c.open("tmp/f", OpenFlags { directory: true, ..READ }), error(Errno::NotDirectory));
    assert_eq!(c.call(Syscall::Seek { fd: 1, delta: 0, whence: 1 }), error(Errno::BadSeek));
}

#[test]
fn paths_are_relative_to_directories() {
    let c = Caller::new();
    assert_eq!(c.call(Syscall::CreateDirectory { dir: 3, path: "tmp/d".into() }), Reply::Ok);
    let dir = c.fd("tmp/d", OpenFlags { directory: true, ..READ });
    let at = |path: &str, flags| c.call(Syscall::Open { dir, path: path.into(), flags });
    assert!(matches!(at("x", CREATE), Reply::U32(_)));
    assert!(matches!(at("../d/x", READ), Reply::U32(_)));
    assert!(matches!(at("../../../../tmp/d/x", READ), Reply::U32(_)), "nothing is above the root");
    assert_eq!(c.call(Syscall::Open { dir: 0, path: "x".into(), flags: READ }), error(Errno::NotDirectory));
    assert_eq!(c.call(Syscall::Symlink { target: "x".into(), dir, path: "link".into() }), Reply::Ok);
    assert_eq!(c.call(Syscall::Readlink { dir, path: "link".into() }), bytes("x"));
    let no_follow = OpenFlags { follow: false, ..READ };
    assert_eq!(at("link", no_follow), error(Errno::Loop));
    let rename = Syscall::Rename { dir, path: "link".into(), new_dir: 3, new_path: "moved".into() };
    assert_eq!(c.call(rename), Reply::Ok);
    assert!(c.world.files.lstat("/moved").unwrap().is_symlink());
    assert_eq!(c.call(Syscall::RemoveDirectory { dir: 3, path: "tmp/d".into() }), error(Errno::NotEmpty));
    assert_eq!(c.call(Syscall::Unlink { dir: 3, path: "tmp/d".into() }), error(Errno::IsDirectory));
    assert_eq!(c.call(Syscall::Getcwd), bytes("/"));
    assert_eq!(c.call(Syscall::Chdir { path: "tmp/./d".into() }), Reply::Ok);
    assert_eq!(c.call(Syscall::Getcwd), bytes("/tmp/d"));
    assert_eq!(c.call(Syscall::Chdir { path: "x".into() }), error(Errno::NotDirectory));
    assert_eq!(c.call(Syscall::StatMode { path: "x".into(), follow: true }), Reply::Triple(0o100_644, 0, 0));
}

#[test]
fn directories_are_read_in_pieces() {
    let c = Caller::new();
    for name in ["a", "bb", "ccc"] {
        c.world.files.write(&format!("/tmp/{name}"), "").unwrap();
    }
    let fd = c.fd("tmp", OpenFlags { directory: true, ..READ });
    // What a C library does: read, take whole entries, go on at the cookie of the last.
    let (mut names, mut cookie) = (Vec::new(), 0);
    loop {
        let Reply::Bytes(packed) = c.call(Syscall::Readdir { fd, cookie, max: 60 }) else { panic!() };
        let mut rest = &packed[..];
        let mut taken = 0;
        while rest.len() >= 24 {
            let length = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
            if rest.len() < 24 + length {
                break;
            }
            cookie = u64::from_le_bytes(rest[..8].try_into().unwrap());
            names.push(String::from_utf8(rest[24..24 + length].to_vec()).unwrap());
            rest = &rest[24 + length..];
            taken += 1;
        }
        if packed.len() < 60 {
            break;
        }
        assert!(taken > 0);
    }
    assert_eq!(names, [".", "..", "a", "bb", "ccc"]);
    assert_eq!(c.call(Syscall::Readdir { fd, cookie: u64::MAX, max: 60 }), bytes(""));
}

#[test]
fn descriptors_can_be_moved_and_run_out() {
    let c = Caller::new();
    let (read, write) = c.pipe();
    assert_eq!(c.call(Syscall::Renumber { from: write, to: 1 }), Reply::Ok);
    assert_eq!(c.write(1, "x"), Reply::U32(1));
    assert_eq!(c.read(read), bytes("x"));
    assert_eq!(c.call(Syscall::Renumber { from: 77, to: 1 }), error(Errno::BadFd));
    assert_eq!(c.call(Syscall::Renumber { from: read, to: u32::MAX }), error(Errno::BadFd));
    let by_name = c.fd("/dev/stdout", OpenFlags { write: true, ..READ });
    assert_eq!(c.write(by_name, "y"), Reply::U32(1));
    assert_eq!(c.read(read), bytes("y"));
    c.world.files.symlink("/dev/stdout", "/tmp/access.log").unwrap();
    let by_link = c.fd("tmp/access.log", OpenFlags { fdflags: 1, ..CREATE });
    assert_eq!(c.write(by_link, "z"), Reply::U32(1));
    assert_eq!(c.read(read), bytes("z"));
    assert_eq!(c.open("/proc/self/fd/99", READ), error(Errno::NotFound));
    assert_eq!(c.open("/dev/tty", READ), error(Errno::NoSuchDevice));
    let mut last = Reply::Ok;
    for _ in 0..300 {
        last = c.call(Syscall::Dup { fd: 1 });
    }
    assert_eq!(last, error(Errno::TooManyFiles));
    assert_eq!(c.call(Syscall::Pipe), error(Errno::TooManyFiles));
}

#[test]
fn pipes_block_break_and_fill() {
    let c = Caller::new();
    let (read, write) = c.pipe();
    let reading = Syscall::Read { fd: read, max: 10, offset: None };
    assert_eq!(c.ask(&reading), None);
    assert_eq!(c.call(Syscall::SetFlags { fd: read, flags: 4 }), Reply::Ok);
    assert_eq!(c.call(reading), error(Errno::Again));
    let much = Bytes::from(vec![0; 100_000]);
    let writing = Syscall::Write { fd: write, bytes: much, offset: None };
    assert_eq!(c.call(writing.clone()), Reply::U32(65_536));
    assert_eq!(c.ask(&writing), None);
    c.call(Syscall::Close { fd: read });
    assert_eq!(c.call(writing), error(Errno::BrokenPipe));
    let (read, write) = c.pipe();
    c.write(write, "end");
    c.call(Syscall::Close { fd: write });
    assert_eq!((c.read(read), c.read(read)), (bytes("end"), bytes("")));
}

fn poll(list: &[(u64, SubscriptionKind)]) -> Syscall {
    let subscription =
        |(userdata, kind): &(u64, SubscriptionKind)| Subscription { userdata: *userdata, kind: kind.clone() };
    Syscall::Poll { subscriptions: list.iter().map(subscription).collect() }
}

fn after(ms: u64) -> SubscriptionKind {
    SubscriptionKind::Clock { id: 1, timeout: ms * 1_000_000, absolute: false }
}

#[test]
fn poll_waits_for_the_first_of_several() {
    let c = Caller::new();
    let (read, write) = c.pipe();
    let on = |fd| SubscriptionKind::Fd { fd, interest: Interest::Read };
    let call = poll(&[(1, after(100)), (2, on(read)), (3, after(50))]);
    assert_eq!(c.ask(&call), None);
    let users = |reply: Reply| match reply {
        Reply::Events(events) => events.into_iter().map(|e| (e.userdata, e.error)).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    c.world.pass(Duration::from_millis(40));
    assert_eq!(c.ask(&call), None);
    c.world.pass(Duration::from_millis(10));
    assert_eq!(users(c.ask(&call).unwrap()), [(3, None)], "counted from when it was asked first");
    assert_eq!(c.ask(&call), None, "a new call counts anew");
    c.write(write, "abc");
    let Some(Reply::Events(events)) = c.ask(&call) else { panic!() };
    assert_eq!(events, [Event { userdata: 2, error: None, kind: 1, bytes: 3, hangup: false }]);
    let now = u64::try_from(c.world.sim.now().as_nanos()).unwrap();
    let absolute = SubscriptionKind::Clock { id: 0, timeout: now, absolute: true };
    assert_eq!(
        users(c.call(poll(&[(1, absolute), (2, on(99)), (3, on(read))]))),
        [(1, None), (2, Some(Errno::BadFd)), (3, None)]
    );
    let writable = SubscriptionKind::Fd { fd: write, interest: Interest::Write };
    assert_eq!(users(c.call(poll(&[(7, writable)]))), [(7, None)]);
}

#[test]
fn caught_signals_interrupt_once() {
    let c = Caller::new();
    let (read, _write) = c.pipe();
    let reading = Syscall::Read { fd: read, max: 10, offset: None };
    assert_eq!(c.call(Syscall::SignalHandle { signal: 2, mode: 2 }), Reply::Ok);
    assert_eq!(c.call(Syscall::SignalHandle { signal: 9, mode: 2 }), error(Errno::Invalid));
    assert_eq!(c.call(Syscall::SignalHandle { signal: 0, mode: 2 }), error(Errno::Invalid));
    assert_eq!(c.ask(&reading), None);
    c.proc.deliver(2, false);
    assert_eq!(c.call(reading.clone()), error(Errno::Interrupted));
    assert_eq!(c.ask(&reading), None);
    assert_eq!(c.call(Syscall::SignalTake), Reply::U32(2));
    assert_eq!(c.call(Syscall::SignalTake), Reply::U32(0));
    // Taken before anything blocked: nothing is interrupted later.
    c.proc.deliver(2, false);
    assert_eq!(c.call(Syscall::SignalTake), Reply::U32(2));
    assert_eq!(c.ask(&reading), None);
    // Ignored by a parent, ignored by the child.
    c.call(Syscall::SignalHandle { signal: 2, mode: 1 });
    let spawn = Syscall::Spawn {
        path: Some("/bin/sleep".into()),
        argv: vec![Bytes::from_static(b"other name")],
        env: Vec::new(),
        cwd: String::new(),
        fds: vec![0, 1, u32::MAX, read],
    };
    let Reply::U32(pid) = c.call(spawn) else { panic!() };
    let child = c.jail.find(pid).unwrap();
    assert_eq!(&child.argv[0][..], b"other name");
    let fds: Vec<u32> = (0..6).filter(|fd| child.fds.borrow().get(*fd).is_ok()).collect();
    assert_eq!(fds, [0, 1, 3, 4]);
    assert_eq!(c.call(Syscall::Kill { pid, signal: 2 }), Reply::Ok);
    assert_eq!(c.ask(&Syscall::Wait { pid, no_hang: false }), None);
    assert_eq!(c.call(Syscall::Wait { pid, no_hang: true }), Reply::Pair(0, 0));
    assert_eq!(c.call(Syscall::Kill { pid, signal: 15 }), Reply::Ok);
    c.world.pass(Duration::from_millis(5));
    assert_eq!(c.call(Syscall::Wait { pid: 0, no_hang: false }), Reply::Pair(143, pid));
    assert_eq!(c.call(Syscall::Wait { pid, no_hang: false }), error(Errno::NoChild));
    assert_eq!(c.call(Syscall::Kill { pid, signal: 0 }), error(Errno::NoProcess));
}

#[test]
fn sockets_of_both_kinds() {
    let c = Caller::new();
    let open = |kind| match c.call(Syscall::SockOpen { family: 1, kind }) {
        Reply::U32(fd) => fd,
        other => panic!("{other:?}"),
    };
    assert_eq!(c.call(Syscall::SockOpen { family: 2, kind: 2 }), error(Errno::AddressFamily));
    let here = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let (server, client) = (open(2), open(2));
    c.call(Syscall::SockBind { fd: server, address: here(80) });
    assert_eq!(c.call(Syscall::SockListen { fd: server }), Reply::Ok);
    let second = open(2);
    c.call(Syscall::SockBind { fd: second, address: here(80) });
    assert_eq!(c.call(Syscall::SockListen { fd: second }), error(Errno::AddressInUse));
    let accepting = Syscall::SockAccept { fd: server, flags: 0 };
    assert_eq!(c.ask(&accepting), None);
    let connecting = Syscall::SockConnect { fd: client, address: here(80) };
    assert_eq!(c.ask(&connecting), None);
    c.world.pass(Duration::from_millis(1));
    assert_eq!(c.call(connecting), Reply::Ok);
    let Reply::U32(accepted) = c.call(accepting) else { panic!() };
    c.write(client, "ping");
    c.world.pass(Duration::from_millis(1));
    assert_eq!(c.call(Syscall::SockRecv { fd: accepted, max: 2, peek: true }), bytes("pi"));
    assert_eq!(c.read(accepted), bytes("ping"));
    c.call(Syscall::SockShutdown { fd: client, how: 2 });
    c.world.pass(Duration::from_millis(1));
    assert_eq!(c.read(accepted), bytes(""));
    let Reply::Address(peer) = c.call(Syscall::SockAddress { fd: client, peer: true }) else { panic!() };
    assert_eq!(peer, here(80));
    // A non-blocking connection is told by poll and SO_ERROR.
    let later = open(2);
    c.call(Syscall::SetFlags { fd: later, flags: 4 });
    assert_eq!(c.call(Syscall::SockConnect { fd: later, address: here(81) }), error(Errno::InProgress));
    let ready = poll(&[(1, SubscriptionKind::Fd { fd: later, interest: Interest::Write })]);
    assert_eq!(c.ask(&ready), None);
    c.world.pass(Duration::from_millis(1));
    assert!(c.ask(&ready).is_some());
    let so_error = Syscall::SockGetOption { fd: later, name: 2 };
    assert_eq!((c.call(so_error.clone()), c.call(so_error)), (Reply::U32(14), Reply::U32(0)));
    // Datagrams, and a time-out for receiving.
    let (one, two) = (open(1), open(1));
    c.call(Syscall::SockBind { fd: one, address: here(53) });
    let bytes53 = Bytes::from_static(b"query");
    assert_eq!(c.call(Syscall::SockSendTo { fd: two, bytes: bytes53, address: here(53) }), Reply::U32(5));
    c.world.pass(Duration::from_millis(1));
    let receiving = Syscall::SockRecv { fd: one, max: 100, peek: false };
    assert!(matches!(c.call(receiving.clone()), Reply::Datagram(b, _) if b == "query"));
    let two_ms = [0_u64.to_le_bytes(), 2_000_u64.to_le_bytes()].concat();
    c.call(Syscall::SockSetOption { fd: one, name: 11, value: two_ms.into() });
    assert_eq!(c.ask(&receiving), None);
    c.world.pass(Duration::from_millis(3));
    assert_eq!(c.call(receiving), error(Errno::Again));
    assert_eq!(c.call(Syscall::SockListen { fd: 0 }), error(Errno::NotSocket));
    let resolving = Syscall::Resolve { name: "localhost".into() };
    let answer = c.ask(&resolving).or_else(|| {
        c.world.pass(Duration::from_millis(1));
        c.ask(&resolving)
    });
    assert_eq!(answer, Some(Reply::Addresses(vec![Ipv4Addr::LOCALHOST])));
}

#[test]
fn what_a_process_knows_of_itself() {
    let c = Caller::new();
    assert_eq!(c.call(Syscall::Hostname), bytes("web"));
    assert_eq!(c.call(Syscall::Getpid), Reply::U32(1));
    assert_eq!(c.call(Syscall::Getppid), Reply::U32(0));
    assert_eq!(c.call(Syscall::TtyGet { fd: 0 }), error(Errno::NotTty));
    assert_eq!(c.call(Syscall::ClockTime { clock: 0 }), Reply::U64(1_000_000_000_000));
    assert_eq!(c.call(Syscall::ClockTime { clock: 9 }), error(Errno::Invalid));
    assert_eq!(c.call(Syscall::Prestat { fd: 3 }), bytes("/"));
    assert_eq!(c.call(Syscall::Prestat { fd: 4 }), error(Errno::BadFd));
    let Reply::Bytes(list) = c.call(Syscall::ProcList) else { panic!() };
    assert_eq!(String::from_utf8_lossy(&list), "1\t0\t0\tR\t1000000000000\t0\t65536\tsleep\n");
    let gone = c.jail.spawn(request(&c.world, &["sleep"])).unwrap();
    gone.deliver(9, false);
    c.world.pass(Duration::from_millis(1));
    assert_eq!(c.jail.processes().len(), 1, "what the runtime started is not left as a zombie");
}
