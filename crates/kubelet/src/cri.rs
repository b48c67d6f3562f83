//! What the kubelet needs of a container runtime (`k8s.io/cri-api`). The crate `runtime` is one, tests have another.

use std::net::Ipv4Addr;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use network::NetNs;
use simulation::{Duration, Time};
use vfs::Vfs;

/// A container or sandbox: 64 hexadecimal digits.
pub type Id = String;

/// An image that is present on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// As `containerStatuses[].image` shows it, e.g. `nginx:latest`.
    pub name: String,
    /// As `containerStatuses[].imageID` shows it, e.g. `docker-pullable://nginx@sha256:...`.
    pub reference: String,
    /// Names for the node's list of images.
    pub names: Vec<String>,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// A sandbox to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// `securityContext.runAsUser`.
    pub run_as_user: Option<i64>,
    /// `securityContext.runAsGroup`.
    pub run_as_group: Option<i64>,
    /// `securityContext.readOnlyRootFilesystem`.
    pub read_only_root: bool,
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
    /// `Completed`, `Error`, `OOMKilled`, ...
    pub reason: String,
    /// Why it could not run, if so.
    pub message: String,
    /// When it was started.
    pub started_at: Time,
    /// When it ended.
    pub finished_at: Time,
    /// See [`ImageInfo::name`].
    pub image: String,
    /// See [`ImageInfo::reference`].
    pub image_ref: String,
    /// User and group its first process runs as.
    pub user: (i64, i64),
}

/// What of a log is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on with what is written later, until the container ends.
    pub follow: bool,
    /// Only the last lines.
    pub tail_lines: Option<u64>,
    /// Only what was written at or after.
    pub since: Option<Time>,
    /// Each line begins with its time.
    pub timestamps: bool,
    /// Ends after so many bytes.
    pub limit_bytes: Option<u64>,
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

/// A container runtime on one node. Errors are the sentences that docker and its CRI adapter give.
pub trait Runtime {
    /// Fetches an image and checks it.
    fn pull(&self, image: &str) -> LocalBoxFuture<'static, Result<ImageInfo, String>>;
    /// The image if it is present.
    fn image_status(&self, image: &str) -> Option<ImageInfo>;
    /// Every image on the node.
    fn images(&self) -> Vec<ImageInfo>;
    /// Makes and starts a sandbox: address, network, host name.
    fn run_sandbox(&self, config: SandboxConfig) -> LocalBoxFuture<'static, Result<Sandbox, String>>;
    /// Stops a sandbox and what runs in it; its address is free again. Containers can still be asked about.
    fn stop_sandbox(&self, id: &Id) -> LocalBoxFuture<'static, ()>;
    /// Forgets a sandbox and its containers.
    fn remove_sandbox(&self, id: &Id);
    /// Makes a container.
    fn create_container(&self, sandbox: &Id, config: ContainerConfig) -> LocalBoxFuture<'static, Result<Id, String>>;
    /// Starts a container.
    fn start_container(&self, id: &Id) -> LocalBoxFuture<'static, Result<(), String>>;
    /// Asks a container to end (SIGTERM) and kills it after `grace`. Completes when it has ended.
    fn stop_container(&self, id: &Id, grace: Duration) -> LocalBoxFuture<'static, ()>;
    /// Forgets a container, its files and its log.
    fn remove_container(&self, id: &Id);
    /// A container's state; none if it is unknown.
    fn container_status(&self, id: &Id) -> Option<ContainerStatus>;
    /// Starts a further process in a container.
    fn exec(&self, id: &Id, argv: Vec<String>, tty: bool, stdin: bool) -> Result<ExecSession, String>;
    /// Joins the streams of a container's first process.
    fn attach(&self, id: &Id, stdin: bool) -> Result<ExecSession, String>;
    /// A container's log.
    fn logs(&self, id: &Id, options: LogOptions) -> Result<LocalBoxStream<'static, Bytes>, String>;
    /// Calls `notify` whenever a container of the node changes its state.
    fn on_change(&self, notify: Rc<dyn Fn(&Id)>);
    /// Kills everything at once, as a node that loses its power.
    fn kill_all(&self);
}
