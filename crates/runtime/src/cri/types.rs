//! What the kubelet and the runtime tell each other.

use std::net::Ipv4Addr;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use network::NetNs;
use simulation::Time;
use vfs::Vfs;

use crate::image::Image;

/// A container or sandbox: 64 hexadecimal digits.
pub type Id = String;

/// A sandbox to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxConfig {
    /// Pod name.
    pub name: String,
    /// Pod namespace.
    pub namespace: String,
    /// Pod uid.
    pub uid: String,
    /// Host name inside.
    pub hostname: String,
    /// Whether the pod shares the node's network.
    pub host_network: bool,
    /// How many sandboxes the pod had before.
    pub attempt: u32,
    /// It is no pod's: the engine of the machine made it for a container of its own.
    pub is_engines: bool,
}

/// A running sandbox.
#[derive(Clone)]
pub struct Sandbox {
    /// Identifies it.
    pub id: Id,
    /// The pod's address.
    pub ip: Ipv4Addr,
    /// The pod's network.
    pub net: NetNs,
}

/// A tree mounted into a container.
#[derive(Clone)]
pub struct Mount {
    /// What.
    pub source: Vfs,
    /// A path in the source, empty for all of it.
    pub sub_path: String,
    /// Where.
    pub path: String,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// A container to be made.
#[derive(Clone, Default)]
pub struct ContainerConfig {
    /// Container name.
    pub name: String,
    /// Restart count.
    pub attempt: u32,
    /// The image, as the pod names it.
    pub image: String,
    /// Replaces the image's entrypoint unless empty.
    pub command: Vec<String>,
    /// Replaces the image's arguments unless empty.
    pub args: Vec<String>,
    /// Environment in order, on top of the image's.
    pub env: Vec<(String, String)>,
    /// Replaces the image's working directory unless empty.
    pub working_dir: String,
    /// Volumes and files.
    pub mounts: Vec<Mount>,
    /// Thousandths of a CPU; none for no limit.
    pub cpu_limit_milli: Option<i64>,
    /// Bytes of memory; none for no limit.
    pub memory_limit_bytes: Option<i64>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether its standard input stays open.
    pub stdin: bool,
    /// Whether its standard input closes when the first session that is attached to it ends.
    pub stdin_once: bool,
    /// `securityContext.runAsUser`.
    pub run_as_user: Option<i64>,
    /// `securityContext.runAsGroup`.
    pub run_as_group: Option<i64>,
    /// Groups beside the primary one: `fsGroup`, `supplementalGroups`.
    pub groups: Vec<i64>,
    /// Trees in memory that count as memory of the container.
    pub memory_files: Vec<Vfs>,
    /// Replaces the image's user unless empty: a name or a number, with a group behind a colon.
    pub user: String,
    /// What the container is made of, when the machine may not have the image any more; `image` is then a name and no more.
    pub made_of: Option<Rc<Image>>,
    /// The files of a container that has ended, with which this one goes on; none for those of the image.
    pub files: Option<Vfs>,
    /// `securityContext.readOnlyRootFilesystem`.
    pub read_only_root: bool,
    /// The id it gets; empty for a new one.
    pub id: Id,
}

/// A container as the daemon of its machine lists it.
#[derive(Clone)]
pub struct ListedContainer {
    /// Identifies it.
    pub id: Id,
    /// The pod that it is of.
    pub sandbox: SandboxConfig,
    /// Its name within the pod.
    pub name: String,
    /// Restart count.
    pub attempt: u32,
    /// The image as it was asked for.
    pub image: String,
    /// The image's ID.
    pub image_id: String,
    /// Its program with the arguments.
    pub argv: Vec<String>,
    /// When it was made.
    pub created_at: Time,
}

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Made, not started.
    Created,
    /// Running.
    Running,
    /// Ended.
    Exited,
}

/// What the runtime knows of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// Where it is in its life.
    pub state: State,
    /// Exit code; 128 + signal if killed.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`; empty while it runs.
    pub reason: String,
    /// Why it could not run, if so.
    pub message: String,
    /// When it was started.
    pub started_at: Time,
    /// When it ended.
    pub finished_at: Time,
    /// As `containerStatuses[].image` shows it.
    pub image: String,
    /// As `containerStatuses[].imageID` shows it.
    pub image_ref: String,
    /// User and group its first process runs as.
    pub user: (i64, i64),
    /// Its groups, the primary one first.
    pub groups: Vec<i64>,
}

/// What a container had used at the end of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The end of the window.
    pub at: Time,
    /// CPU time since the start, in ns.
    pub cpu_nanos: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

/// What a container uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerStats {
    /// CPU time since the start, in ns.
    pub cpu_nanos: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// What it had used at the end of the last window of 15 s.
    pub last: Reading,
    /// What it had used at the end of the window before that.
    pub previous: Reading,
    /// Bytes written to its own layer.
    pub file_bytes: u64,
    /// Files and folders made or changed in its own layer.
    pub inodes: u64,
    /// Bytes of its log.
    pub log_bytes: u64,
    /// Processes.
    pub processes: u64,
    /// Periods of 100 ms in which its CPU limit stopped it.
    pub throttled_periods: u64,
}

/// What all containers and images of a node take together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeUsage {
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Bytes of images, layers and logs.
    pub disk_bytes: u64,
    /// Files and folders made or changed in layers.
    pub inodes: u64,
    /// Processes.
    pub processes: u64,
}

/// Both ends of the streams of a process that was started in a container or attached to.
pub struct ExecSession {
    /// To its standard input; none if it has none. Dropping it closes the input.
    pub stdin: Option<Box<dyn InputSink>>,
    /// Its standard output (and standard error, with a terminal).
    pub stdout: LocalBoxStream<'static, Bytes>,
    /// Its standard error.
    pub stderr: LocalBoxStream<'static, Bytes>,
    /// Its exit code.
    pub exit: LocalBoxFuture<'static, i32>,
    /// Tells a new terminal size (columns, rows).
    pub resize: Rc<dyn Fn(u16, u16)>,
    /// Ends the process when nobody is interested any more.
    pub kill: Rc<dyn Fn()>,
}

/// Where a process's input is written.
pub trait InputSink {
    /// Waits for room; false when the process does not read any more.
    fn write(&mut self, bytes: Bytes) -> LocalBoxFuture<'_, bool>;
}
