//! Calls and replies as owned values.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

use bytes::Bytes;
use simulation::Time;
use vfs::{Errno, FileKind};

/// An IPv4 address with a port.
pub type Address = SocketAddrV4;

/// What a guest asks.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of WASI and of ABI.md")]
pub enum Syscall {
    // --- the process itself ---
    Args,
    Env,
    Exit(i32),
    Yield,
    Random {
        length: usize,
    },
    ClockResolution {
        clock: u32,
    },
    ClockTime {
        clock: u32,
    },
    // --- descriptors ---
    /// Nothing but a check of the descriptor.
    Touch {
        fd: u32,
    },
    Allocate {
        fd: u32,
        end: u64,
    },
    Close {
        fd: u32,
    },
    Fdstat {
        fd: u32,
    },
    SetFlags {
        fd: u32,
        flags: u16,
    },
    Filestat {
        fd: u32,
    },
    SetSize {
        fd: u32,
        size: u64,
    },
    SetTimes {
        fd: u32,
        times: TimesFlags,
    },
    Read {
        fd: u32,
        max: usize,
        offset: Option<u64>,
    },
    Write {
        fd: u32,
        bytes: Bytes,
        offset: Option<u64>,
    },
    Prestat {
        fd: u32,
    },
    Readdir {
        fd: u32,
        cookie: u64,
        max: usize,
    },
    Renumber {
        from: u32,
        to: u32,
    },
    Seek {
        fd: u32,
        delta: i64,
        whence: u32,
    },
    Dup {
        fd: u32,
    },
    Pipe,
    // --- paths ---
    CreateDirectory {
        dir: u32,
        path: String,
    },
    PathFilestat {
        dir: u32,
        path: String,
        follow: bool,
    },
    PathSetTimes {
        dir: u32,
        path: String,
        follow: bool,
        times: TimesFlags,
    },
    Link {
        dir: u32,
        path: String,
        follow: bool,
        new_dir: u32,
        new_path: String,
    },
    Open {
        dir: u32,
        path: String,
        flags: OpenFlags,
    },
    Readlink {
        dir: u32,
        path: String,
    },
    RemoveDirectory {
        dir: u32,
        path: String,
    },
    Rename {
        dir: u32,
        path: String,
        new_dir: u32,
        new_path: String,
    },
    Symlink {
        target: String,
        dir: u32,
        path: String,
    },
    Unlink {
        dir: u32,
        path: String,
    },
    Getcwd,
    Chdir {
        path: String,
    },
    Chmod {
        path: String,
        mode: u32,
    },
    Chown {
        path: String,
        uid: u32,
        gid: u32,
    },
    StatMode {
        path: String,
        follow: bool,
    },
    MountInfo,
    // --- waiting ---
    Poll {
        subscriptions: Vec<Subscription>,
    },
    // --- sockets ---
    SockOpen {
        family: u32,
        kind: u32,
    },
    SockBind {
        fd: u32,
        address: Address,
    },
    SockListen {
        fd: u32,
    },
    SockAccept {
        fd: u32,
        flags: u16,
    },
    SockConnect {
        fd: u32,
        address: Address,
    },
    SockRecv {
        fd: u32,
        max: usize,
        peek: bool,
    },
    SockSendTo {
        fd: u32,
        bytes: Bytes,
        address: Address,
    },
    SockShutdown {
        fd: u32,
        how: u32,
    },
    SockAddress {
        fd: u32,
        peer: bool,
    },
    SockSetOption {
        fd: u32,
        name: u32,
        value: Bytes,
    },
    SockGetOption {
        fd: u32,
        name: u32,
    },
    Resolve {
        name: String,
    },
    // --- processes, terminals, signals ---
    Hostname,
    Spawn {
        path: Option<String>,
        argv: Vec<Bytes>,
        env: Vec<Bytes>,
        cwd: String,
        fds: Vec<u32>,
    },
    Wait {
        pid: u32,
        no_hang: bool,
    },
    Kill {
        pid: u32,
        signal: u32,
    },
    Getpid,
    Getppid,
    ProcList,
    Getuid,
    Getgroups,
    TtyGet {
        fd: u32,
    },
    TtySet {
        fd: u32,
        raw: bool,
    },
    SignalHandle {
        signal: u32,
        mode: u32,
    },
    SignalTake,
    Raise {
        signal: u32,
    },
}

impl Syscall {
    /// Fuel that the host's part costs, so that loops of calls make time pass as they would on a machine.
    pub fn fuel(&self) -> u64 {
        match self {
            Syscall::Spawn { .. } => 50_000, // a millisecond: fork and exec
            Syscall::Resolve { .. } | Syscall::ProcList => 5_000,
            Syscall::Readdir { .. } | Syscall::MountInfo => 2_000,
            Syscall::Open { .. } | Syscall::PathFilestat { .. } | Syscall::Rename { .. } => 1_000,
            Syscall::Poll { subscriptions } => 200 + 50 * subscriptions.len() as u64,
            _ => 200,
        }
    }
}

/// Which times to set: a value, or the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimesFlags {
    /// Access time in ns.
    pub accessed: u64,
    /// Modification time in ns.
    pub modified: u64,
    /// Bits: 1 accessed, 2 accessed = now, 4 modified, 8 modified = now.
    pub flags: u16,
}

/// How `path_open` opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of WASI")]
pub struct OpenFlags {
    pub follow: bool,
    pub create: bool,
    pub directory: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub read: bool,
    pub write: bool,
    pub fdflags: u16,
}

/// One thing to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Handed back.
    pub userdata: u64,
    /// What.
    pub kind: SubscriptionKind,
}

/// What to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// A moment of a clock, or a time from now.
    Clock {
        /// 0 realtime, 1 monotonic.
        id: u32,
        /// In ns.
        timeout: u64,
        /// `timeout` is a moment of the clock.
        absolute: bool,
    },
    /// A descriptor.
    Fd {
        /// Which.
        fd: u32,
        /// For what.
        interest: Interest,
    },
}

/// What a descriptor should be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Reading or accepting.
    Read,
    /// Writing, or the end of connecting.
    Write,
}

/// One thing that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// That of the subscription.
    pub userdata: u64,
    /// What went wrong with it.
    pub error: Option<Errno>,
    /// 0 clock, 1 read, 2 write.
    pub kind: u8,
    /// Bytes that can be read, at least.
    pub bytes: u64,
    /// The peer has closed.
    pub hangup: bool,
}

/// WASI's `filetype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are those of WASI")]
pub enum FiletypeCode {
    Unknown = 0,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDatagram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl From<FileKind> for FiletypeCode {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Regular => FiletypeCode::RegularFile,
            FileKind::Directory => FiletypeCode::Directory,
            FileKind::Symlink => FiletypeCode::SymbolicLink,
            FileKind::CharDevice => FiletypeCode::CharacterDevice,
        }
    }
}

/// WASI's `filestat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of WASI")]
pub struct Filestat {
    pub dev: u64,
    pub ino: u64,
    pub filetype: FiletypeCode,
    pub links: u64,
    pub size: u64,
    pub accessed: Time,
    pub modified: Time,
    pub changed: Time,
}

/// WASI's `fdstat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of WASI")]
pub struct Fdstat {
    pub filetype: FiletypeCode,
    pub flags: u16,
    /// Seeking makes no sense: C libraries take a character device without the right to seek for a terminal.
    pub is_stream: bool,
}

/// What the kernel answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It failed.
    Errno(Errno),
    /// Done.
    Ok,
    /// A number.
    U32(u32),
    /// Two numbers.
    Pair(u32, u32),
    /// Three numbers.
    Triple(u32, u32, u32),
    /// A large number.
    U64(u64),
    /// Bytes read, a name, a list.
    Bytes(Bytes),
    /// Arguments or environment.
    Strings(Arc<[Bytes]>),
    /// What `fstat` tells.
    Filestat(Filestat),
    /// What `fd_fdstat_get` tells.
    Fdstat(Fdstat),
    /// What has happened.
    Events(Vec<Event>),
    /// An address.
    Address(Address),
    /// A datagram and where it is from.
    Datagram(Bytes, Address),
    /// What a name resolves to.
    Addresses(Vec<Ipv4Addr>),
}

impl Reply {
    /// Bytes that it moves.
    pub fn len(&self) -> usize {
        match self {
            Reply::Bytes(bytes) | Reply::Datagram(bytes, _) => bytes.len(),
            Reply::Events(events) => events.len() * 32,
            _ => 0,
        }
    }

    /// Whether it moves no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Errno> for Reply {
    fn from(errno: Errno) -> Self {
        Reply::Errno(errno)
    }
}
