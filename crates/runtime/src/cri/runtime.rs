//! The runtime of one node.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;

use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use network::{Fabric, NetNs, Role};
use simulation::notify::Signal;
use simulation::{Duration, Sim, Time};
use vfs::Vfs;

use super::container::{Container, Notify, Parts};
use super::files::Processes;
use super::{
    ContainerConfig, ContainerStats, ContainerStatus, ExecSession, Id, ListedContainer, Log, LogOptions, NodeUsage,
    Sandbox, SandboxConfig, State, Stream, files,
};
use crate::engine::{Engine, WasmiEngine};
use crate::image::{Image, ImageInfo, ImageStore, Login, Registry, StoredImage};
use crate::limits::IMAGE_AGE_MIN;
use crate::pace::{JITTER, Pace};
use crate::process::{Jail, JailConfig, Loader};

/// What the nodes of a world have in common.
#[derive(Clone)]
pub struct Shared {
    /// Loaded programs.
    pub loader: Rc<Loader>,
    /// Where images come from.
    pub registry: Rc<Registry>,
    /// How fast the machines are.
    pub pace: Pace,
    /// What containers see below `/proc`.
    processes: Rc<Processes>,
}

impl Shared {
    /// With wasmi and the registry of the platform.
    pub fn new(sim: &Sim) -> Self {
        Shared::with_engine(sim, Rc::new(WasmiEngine::new()))
    }

    /// With another engine.
    pub fn with_engine(sim: &Sim, engine: Rc<dyn Engine>) -> Self {
        Shared {
            loader: Loader::new(engine),
            registry: Registry::new(sim),
            pace: Pace::default(),
            processes: Rc::default(),
        }
    }

    /// The same for machines of another speed.
    #[must_use]
    pub fn at_pace(&self, pace: Pace) -> Self {
        Shared { pace, ..self.clone() }
    }
}

/// What a node's runtime is made from.
#[derive(Clone)]
pub struct Options {
    /// The node's name, for traces.
    pub node: String,
    /// The network of the node itself, for pods with `hostNetwork`.
    pub node_net: NetNs,
    /// The first address of the node's pod network and how many there are, e.g. 10.244.0.0 and 256. The first two are
    /// not given to pods.
    pub pod_network: (Ipv4Addr, u32),
    /// What is shared with the other nodes.
    pub shared: Shared,
    /// Where containers stand in the network: in a cluster, or outside of it.
    pub role: Role,
}

struct SandboxState {
    sandbox: Sandbox,
    config: SandboxConfig,
    is_stopped: Cell<bool>,
    created_at: Time,
}

struct Inner {
    sim: Sim,
    fabric: Fabric,
    options: Options,
    images: Rc<ImageStore>,
    sandboxes: RefCell<BTreeMap<Id, Rc<SandboxState>>>,
    containers: RefCell<BTreeMap<Id, Rc<Container>>>,
    last_address: Cell<u32>,
    listeners: RefCell<Vec<Notify>>,
    gone: Signal,
}

impl Inner {
    /// Takes virtual time, never the same twice.
    async fn pause(&self, at_least: Duration) {
        self.sim.sleep(self.sim.jitter(at_least, JITTER)).await;
    }
}

/// The container runtime of one node. Clones share it.
#[derive(Clone)]
pub struct ContainerRuntime(Rc<Inner>);

/// A limit that is one.
fn positive(limit: Option<i64>) -> Option<u64> {
    limit.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0)
}

impl ContainerRuntime {
    /// A runtime with no images and no containers.
    pub fn new(sim: &Sim, fabric: &Fabric, options: Options) -> Self {
        let images = Rc::new(ImageStore::new(sim, Rc::clone(&options.shared.registry), options.shared.pace));
        ContainerRuntime(Rc::new(Inner {
            sim: sim.clone(),
            fabric: fabric.clone(),
            options,
            images,
            sandboxes: RefCell::default(),
            containers: RefCell::default(),
            last_address: Cell::new(1),
            listeners: RefCell::default(),
            gone: Signal::new(),
        }))
    }

    // --- images ---

    /// Fetches an image and checks it. `logins` are what the registry may be shown.
    ///
    /// # Errors
    /// In Docker's words.
    pub fn pull(&self, image: &str, logins: &[Login]) -> impl Future<Output = Result<ImageInfo, String>> + use<> {
        let (images, image, logins) = (Rc::clone(&self.0.images), image.to_owned(), logins.to_vec());
        async move { images.pull(&image, &logins).await.map_err(|e| e.to_string()) }
    }

    /// The files of an image, to be mounted.
    pub fn image_files(&self, image: &str) -> Option<Vfs> {
        let image = self.0.images.image(image)?;
        Some(Vfs::with_layer(self.0.sim.clone(), Rc::clone(&image.layer)))
    }

    /// The image if it is present.
    pub fn image_status(&self, image: &str) -> Option<ImageInfo> {
        self.0.images.status(image)
    }

    /// Every image on the node.
    pub fn images(&self) -> Vec<ImageInfo> {
        self.0.images.list()
    }

    /// The images themselves, to load some by other ways.
    pub fn image_store(&self) -> &ImageStore {
        &self.0.images
    }

    // --- sandboxes ---

    /// An id for a sandbox or a container.
    pub fn new_id(&self) -> Id {
        let mut bytes = [0; 32];
        self.0.sim.random_bytes(&mut bytes);
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The next free address, in turn, as the host-local CNI plugin gives them.
    fn next_address(&self) -> Result<Ipv4Addr, String> {
        let (first, count) = self.0.options.pod_network;
        let usable = count.saturating_sub(3).max(1); // not the network, the bridge and the broadcast address
        for step in 0..usable {
            let offset = 2 + (self.0.last_address.get() - 1 + step) % usable;
            let address = Ipv4Addr::from_bits(first.to_bits() + offset);
            if self.0.fabric.name_of(address).is_none() {
                self.0.last_address.set(offset);
                return Ok(address);
            }
        }
        Err("failed to set up pod network: no IP addresses available in range set".to_owned())
    }

    /// Makes and starts a sandbox: address, network, host name.
    ///
    /// # Errors
    /// When the node has no address left.
    pub fn run_sandbox(&self, config: SandboxConfig) -> impl Future<Output = Result<Sandbox, String>> + use<> {
        let me = self.clone();
        async move {
            me.0.pause(me.0.options.shared.pace.sandbox).await;
            let net = if config.host_network {
                me.0.options.node_net.clone()
            } else {
                let address = me.next_address()?;
                let name = match me.0.options.role {
                    Role::Pod => format!("pod/{}/{}", config.namespace, config.name),
                    _ => format!("container/{}", config.name),
                };
                let net = me.0.fabric.attach_as(&name, &[address], me.0.options.role);
                net.stands_on(&me.0.options.node);
                net
            };
            let ip = net.addresses().first().copied().unwrap_or(Ipv4Addr::LOCALHOST);
            let sandbox = Sandbox { id: me.new_id(), ip, net };
            let state = SandboxState {
                sandbox: sandbox.clone(),
                config,
                is_stopped: Cell::new(false),
                created_at: me.0.sim.now(),
            };
            me.0.sandboxes.borrow_mut().insert(sandbox.id.clone(), Rc::new(state));
            Ok(sandbox)
        }
    }

    fn containers_of(&self, sandbox: &Id) -> Vec<Rc<Container>> {
        self.0.containers.borrow().values().filter(|c| c.sandbox == *sandbox).cloned().collect()
    }

    /// Stops a sandbox and what runs in it; its address is free again. Containers can still be asked about.
    pub fn stop_sandbox(&self, id: &Id) -> impl Future<Output = ()> + use<> {
        let (me, id) = (self.clone(), id.clone());
        async move {
            for container in me.containers_of(&id) {
                container.stop(Duration::ZERO).await;
            }
            let state = me.0.sandboxes.borrow().get(&id).cloned();
            let Some(state) = state.filter(|s| !s.is_stopped.replace(true)) else { return };
            if !state.config.host_network {
                state.sandbox.net.detach();
            }
            me.0.pause(me.0.options.shared.pace.teardown).await;
        }
    }

    /// Forgets a sandbox and its containers.
    pub fn remove_sandbox(&self, id: &Id) {
        for container in self.containers_of(id) {
            self.remove_container(&container.id);
        }
        let removed = self.0.sandboxes.borrow_mut().remove(id);
        if let Some(state) = removed
            && !state.is_stopped.get()
            && !state.config.host_network
        {
            state.sandbox.net.detach();
        }
    }

    // --- containers ---

    /// Makes a container.
    ///
    /// # Errors
    /// When the sandbox or the image is missing, a mount fails or the user is unknown; in Docker's words.
    pub fn create_container(
        &self,
        sandbox: &Id,
        config: ContainerConfig,
    ) -> impl Future<Output = Result<Id, String>> + use<> {
        let (me, sandbox) = (self.clone(), sandbox.clone());
        async move {
            me.0.pause(me.0.options.shared.pace.create).await;
            me.create(&sandbox, config).map_err(|words| format!("Error response from daemon: {words}"))
        }
    }

    fn create(&self, sandbox: &Id, config: ContainerConfig) -> Result<Id, String> {
        let inner = &self.0;
        let state = inner.sandboxes.borrow().get(sandbox).cloned().filter(|s| !s.is_stopped.get());
        let state = state.ok_or_else(|| format!("No such container: {sandbox}"))?;
        let missing = || format!("No such image: {}", config.image);
        let stored = match &config.made_of {
            Some(image) => StoredImage { image: Rc::clone(image), tags: Vec::new(), digests: Vec::new() },
            None => inner.images.find(&config.image).ok_or_else(missing)?,
        };
        let known = inner.images.status(&config.image).filter(|_| config.made_of.is_none());
        let image_info = known.unwrap_or_else(|| stored.info());
        let image = stored.image;
        if config.command.is_empty()
            && config.args.is_empty()
            && image.config.entrypoint.is_empty()
            && image.config.cmd.is_empty()
        {
            return Err("no command specified".to_owned());
        }
        let working_dir = [&config.working_dir, &image.config.working_dir].into_iter().find(|d| !d.is_empty());
        let working_dir = working_dir.map_or("/", String::as_str).to_owned();
        let (net, hostname) = (&state.sandbox.net, &state.config.hostname);
        let root =
            files::build((&inner.sim, &inner.options.shared.processes), net, hostname, &image, &config, &working_dir)?;
        let user = if config.user.is_empty() { &image.config.user } else { &config.user };
        let who = files::user(&root, user, &config)?;
        let jail = Jail::new(JailConfig {
            sim: inner.sim.clone(),
            files: root,
            net: net.clone(),
            hostname: hostname.clone(),
            loader: Rc::clone(&inner.options.shared.loader),
            memory_bytes: positive(config.memory_limit_bytes),
            cpu_milli: positive(config.cpu_limit_milli),
        });
        jail.memory().count_files(config.memory_files.clone());
        let id = if config.id.is_empty() { self.new_id() } else { config.id.clone() };
        let name = format!("{}/{}/{}", state.config.namespace, state.config.name, config.name);
        let weak = Rc::downgrade(inner);
        let log = Log::new(&inner.sim, name, config.stdin && config.stdin_once);
        let container = Container::new(Parts {
            id: id.clone(),
            sandbox: sandbox.clone(),
            sim: inner.sim.clone(),
            config,
            image,
            image_info,
            working_dir,
            who,
            jail,
            log,
            pace: inner.options.shared.pace,
            notify: Rc::new(move |id| {
                if let Some(inner) = weak.upgrade() {
                    ContainerRuntime(inner).notify(id);
                }
            }),
        });
        inner.containers.borrow_mut().insert(id.clone(), container);
        Ok(id)
    }

    fn notify(&self, id: &Id) {
        let listeners = self.0.listeners.borrow().clone();
        for listener in listeners {
            listener(id);
        }
    }

    fn container(&self, id: &Id) -> Option<Rc<Container>> {
        self.0.containers.borrow().get(id).cloned()
    }

    fn known(&self, id: &Id) -> Result<Rc<Container>, String> {
        self.container(id).ok_or_else(|| format!("Error response from daemon: No such container: {id}"))
    }

    /// Starts a container.
    ///
    /// # Errors
    /// When its program is not found or may not be run; the container is then in state `Exited`.
    pub fn start_container(&self, id: &Id) -> impl Future<Output = Result<(), String>> + use<> {
        let container = self.known(id);
        async move { container?.start().await }
    }

    /// Asks a container to end and kills it after `grace`. Completes when it has ended.
    pub fn stop_container(&self, id: &Id, grace: Duration) -> impl Future<Output = ()> + use<> {
        let container = self.container(id);
        async move {
            if let Some(container) = container {
                container.stop(grace).await;
            }
        }
    }

    /// Forgets a container, its files and its log.
    pub fn remove_container(&self, id: &Id) {
        let removed = self.0.containers.borrow_mut().remove(id);
        if let Some(container) = removed {
            container.kill();
        }
    }

    /// A container's state; none if it is unknown.
    pub fn container_status(&self, id: &Id) -> Option<ContainerStatus> {
        self.container(id).map(|c| c.status())
    }

    /// What a container uses; none if it is unknown.
    pub fn container_stats(&self, id: &Id) -> Option<ContainerStats> {
        self.container(id).map(|c| c.stats())
    }

    /// What all containers and images take.
    pub fn usage(&self) -> NodeUsage {
        let mut sum = NodeUsage { disk_bytes: self.0.images.bytes(), ..NodeUsage::default() };
        for container in self.0.containers.borrow().values() {
            let more = container.usage();
            sum.memory_bytes += more.memory_bytes;
            sum.disk_bytes += more.disk_bytes;
            sum.inodes += more.inodes;
            sum.processes += more.processes;
        }
        sum
    }

    /// Removes images that no container was made of, that are none of those `mounted`, and that have been there for
    /// [`IMAGE_AGE_MIN`] (`DeleteUnusedImages`).
    pub fn remove_unused_images(&self, mounted: &BTreeSet<String>) {
        let images = &self.0.images;
        let mut used: BTreeSet<String> = self.0.containers.borrow().values().map(|c| c.image().id.clone()).collect();
        used.extend(mounted.iter().filter_map(|name| images.image(name)).map(|image| image.id.clone()));
        let now = self.0.sim.now();
        let is_old = |since: Time| now.saturating_since(since) >= IMAGE_AGE_MIN;
        for id in images.known_since(is_old).iter().filter(|id| !used.contains(*id)) {
            let _ = images.delete(id);
        }
    }

    /// Gives a container other limits; none is as much as a machine has.
    pub fn update_container(&self, id: &Id, cpu_limit_milli: Option<i64>, memory_limit_bytes: Option<i64>) {
        if let Some(container) = self.container(id) {
            container.set_limits(positive(memory_limit_bytes), positive(cpu_limit_milli));
        }
    }

    /// The environment of a container's first process; empty if it is unknown.
    pub fn environment(&self, id: &Id) -> Vec<String> {
        self.container(id).map(|c| c.environment()).unwrap_or_default()
    }

    /// Starts a further process in a container. A program that cannot be run ends the session with exit code 126 and
    /// the words of `runc` on standard error.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn exec(&self, id: &Id, argv: Vec<String>, tty: bool, stdin: bool) -> Result<ExecSession, String> {
        self.known(id)?.exec(argv, tty, stdin)
    }

    /// Joins the streams of a container's first process.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn attach(&self, id: &Id, stdin: bool) -> Result<ExecSession, String> {
        self.known(id)?.attach(stdin)
    }

    /// A container's log.
    ///
    /// # Errors
    /// When the container is unknown.
    pub fn logs(&self, id: &Id, options: LogOptions) -> Result<LocalBoxStream<'static, Bytes>, String> {
        Ok(self.known(id)?.log.read(options))
    }

    /// A container's log, with what each piece was written to.
    ///
    /// # Errors
    /// When the container is unknown.
    pub fn logs_by_stream(
        &self,
        id: &Id,
        options: LogOptions,
    ) -> Result<LocalBoxStream<'static, (Stream, Bytes)>, String> {
        Ok(self.known(id)?.log.read_streams(options))
    }

    /// Every container, by id.
    pub fn containers(&self) -> Vec<ListedContainer> {
        let sandboxes = self.0.sandboxes.borrow();
        let none = SandboxConfig::default();
        let of = |c: &Container| sandboxes.get(&c.sandbox).map_or(&none, |state| &state.config).clone();
        self.0.containers.borrow().values().map(|c| c.listed(&of(c))).collect()
    }

    /// Every sandbox, by id: how it was made and when, and whether it runs.
    pub fn sandboxes(&self) -> Vec<(Id, SandboxConfig, Time, bool)> {
        let sandboxes = self.0.sandboxes.borrow();
        let shown =
            |(id, s): (&Id, &Rc<SandboxState>)| (id.clone(), s.config.clone(), s.created_at, !s.is_stopped.get());
        sandboxes.iter().map(shown).collect()
    }

    /// The files of a container with its mounts; none if it is unknown.
    pub fn files(&self, id: &Id) -> Option<Vfs> {
        self.container(id).map(|c| c.files())
    }

    /// The image that a container was made of, also when the machine has forgotten it; none if the container is unknown.
    pub fn image_of(&self, id: &Id) -> Option<Rc<Image>> {
        self.container(id).map(|c| c.image())
    }

    /// Sends a signal to the first process of a container.
    pub fn signal(&self, id: &Id, signal: u32) {
        if let Some(container) = self.container(id) {
            container.signal(signal);
        }
    }

    /// Calls `notify` whenever a container of the node changes its state.
    pub fn on_change(&self, notify: Rc<dyn Fn(&Id)>) {
        self.0.listeners.borrow_mut().push(notify);
    }

    /// Kills everything at once, as a node that loses its power. Nobody hears of it, and nobody is held.
    pub fn kill_all(&self) {
        let listeners = self.0.listeners.take();
        drop(listeners);
        let containers: Vec<_> = self.0.containers.borrow().values().cloned().collect();
        for container in containers.iter().filter(|c| c.state() == State::Running) {
            container.kill();
        }
        self.0.gone.raise();
    }

    /// Raised when everything was killed at once: who waits for a container here waits in vain.
    pub fn gone(&self) -> &Signal {
        &self.0.gone
    }
}
