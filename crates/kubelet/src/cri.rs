//! What the kubelet needs of a container runtime (`k8s.io/cri-api`). The crate `runtime` is one, tests have another.

use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;
use runtime::cri::ContainerRuntime;
use simulation::Duration;
use vfs::Vfs;

pub use runtime::cri::{
    ContainerConfig, ContainerStats, ContainerStatus, ExecSession, Id, InputSink, LogOptions, Mount, NodeUsage,
    Sandbox, SandboxConfig, State,
};
pub use runtime::image::{ImageInfo, Login};

/// A container runtime on one node. Errors are the sentences that docker and its CRI adapter give.
pub trait Runtime {
    /// Fetches an image and checks it. `logins` are tried one after the other; with none, nobody asks.
    fn pull(&self, image: &str, logins: &[Login]) -> LocalBoxFuture<'static, Result<ImageInfo, String>>;
    /// The image if it is present.
    fn image_status(&self, image: &str) -> Option<ImageInfo>;
    /// The files of an image, to be mounted.
    fn image_files(&self, _: &str) -> Option<Vfs> {
        None
    }
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
    /// What a container uses; none if it is unknown or nobody measures.
    fn container_stats(&self, _: &Id) -> Option<ContainerStats> {
        None
    }
    /// What all containers and images of the node take together.
    fn usage(&self) -> NodeUsage;
    /// Removes images that no container was made of, that are none of those `mounted`, and that did not come only just now.
    fn remove_unused_images(&self, mounted: &BTreeSet<String>);
    /// Gives a container that runs other limits; none is as much as the node lets it have.
    fn update_container(&self, id: &Id, cpu_limit_milli: Option<i64>, memory_limit_bytes: Option<i64>);
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

impl Runtime for ContainerRuntime {
    fn pull(&self, image: &str, logins: &[Login]) -> LocalBoxFuture<'static, Result<ImageInfo, String>> {
        ContainerRuntime::pull(self, image, logins).boxed_local()
    }

    fn image_files(&self, image: &str) -> Option<Vfs> {
        ContainerRuntime::image_files(self, image)
    }

    fn image_status(&self, image: &str) -> Option<ImageInfo> {
        ContainerRuntime::image_status(self, image)
    }

    fn images(&self) -> Vec<ImageInfo> {
        ContainerRuntime::images(self)
    }

    fn run_sandbox(&self, config: SandboxConfig) -> LocalBoxFuture<'static, Result<Sandbox, String>> {
        ContainerRuntime::run_sandbox(self, config).boxed_local()
    }

    fn stop_sandbox(&self, id: &Id) -> LocalBoxFuture<'static, ()> {
        ContainerRuntime::stop_sandbox(self, id).boxed_local()
    }

    fn remove_sandbox(&self, id: &Id) {
        ContainerRuntime::remove_sandbox(self, id);
    }

    fn create_container(&self, sandbox: &Id, config: ContainerConfig) -> LocalBoxFuture<'static, Result<Id, String>> {
        ContainerRuntime::create_container(self, sandbox, config).boxed_local()
    }

    fn start_container(&self, id: &Id) -> LocalBoxFuture<'static, Result<(), String>> {
        ContainerRuntime::start_container(self, id).boxed_local()
    }

    fn stop_container(&self, id: &Id, grace: Duration) -> LocalBoxFuture<'static, ()> {
        ContainerRuntime::stop_container(self, id, grace).boxed_local()
    }

    fn remove_container(&self, id: &Id) {
        ContainerRuntime::remove_container(self, id);
    }

    fn container_status(&self, id: &Id) -> Option<ContainerStatus> {
        ContainerRuntime::container_status(self, id)
    }

    fn container_stats(&self, id: &Id) -> Option<ContainerStats> {
        ContainerRuntime::container_stats(self, id)
    }

    fn usage(&self) -> NodeUsage {
        ContainerRuntime::usage(self)
    }

    fn remove_unused_images(&self, mounted: &BTreeSet<String>) {
        ContainerRuntime::remove_unused_images(self, mounted);
    }

    fn update_container(&self, id: &Id, cpu_limit_milli: Option<i64>, memory_limit_bytes: Option<i64>) {
        ContainerRuntime::update_container(self, id, cpu_limit_milli, memory_limit_bytes);
    }

    fn exec(&self, id: &Id, argv: Vec<String>, tty: bool, stdin: bool) -> Result<ExecSession, String> {
        ContainerRuntime::exec(self, id, argv, tty, stdin)
    }

    fn attach(&self, id: &Id, stdin: bool) -> Result<ExecSession, String> {
        ContainerRuntime::attach(self, id, stdin)
    }

    fn logs(&self, id: &Id, options: LogOptions) -> Result<LocalBoxStream<'static, Bytes>, String> {
        ContainerRuntime::logs(self, id, options)
    }

    fn on_change(&self, notify: Rc<dyn Fn(&Id)>) {
        ContainerRuntime::on_change(self, notify);
    }

    fn kill_all(&self) {
        ContainerRuntime::kill_all(self);
    }
}
