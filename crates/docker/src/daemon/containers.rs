//! Containers of one machine: their names and lives (`daemon/create.go`, `start.go`, `stop.go`, `delete.go`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use runtime::cri::{
    ContainerConfig, ContainerRuntime, ContainerStatus, ListedContainer, Sandbox, SandboxConfig, State,
};
use runtime::image::Image;
use simulation::{Duration, Time};

use super::publish::{self, Proxy, Publish};
use super::{Daemon, names};
use crate::text;

/// The name of the namespace in which containers of this engine stand, for traces.
const NAMESPACE: &str = "docker";
/// The image behind the sandbox of a pod, and its program.
const PAUSE: (&str, &str) = ("registry.k8s.io/pause:3.10.1", "/pause");

/// A container to be made.
#[derive(Clone, Default)]
pub(crate) struct NewContainer {
    /// Empty: one is drawn.
    pub(crate) name: String,
    /// As it was asked for.
    pub(crate) image: String,
    /// Replaces the image's entrypoint, unless none.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// Arguments, or the program.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) working_dir: String,
    pub(crate) hostname: String,
    /// As `-u` has it; empty for the image's.
    pub(crate) user: String,
    pub(crate) ports: Vec<Publish>,
    pub(crate) tty: bool,
    pub(crate) stdin: bool,
    /// Someone is attached from the beginning.
    pub(crate) is_attached: bool,
    pub(crate) auto_remove: bool,
    pub(crate) memory_bytes: Option<i64>,
    pub(crate) cpu_milli: Option<i64>,
    pub(crate) read_only: bool,
    pub(crate) labels: Vec<(String, String)>,
}

/// A container that was made by this engine's own command line.
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: RefCell<String>,
    /// Where it stands in the network; another one after each start.
    pub(crate) sandbox: RefCell<Sandbox>,
    pub(crate) config: NewContainer,
    /// What it was made of, whether the machine still has it or not.
    pub(crate) image: Rc<Image>,
    /// The ports as they are published while it runs.
    pub(crate) ports: RefCell<Vec<(Publish, Proxy)>>,
    /// When it was made first.
    pub(crate) created: Time,
    /// Someone is starting it.
    is_busy: Cell<bool>,
    /// How often it was started.
    runs: Cell<u32>,
}

impl Container {
    /// The ports that are published.
    pub(crate) fn published(&self) -> Vec<Publish> {
        self.ports.borrow().iter().map(|(port, _)| *port).collect()
    }
}

/// A container as lists show it.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) argv: Vec<String>,
    pub(crate) created: Time,
    pub(crate) status: Option<ContainerStatus>,
    pub(crate) ports: String,
    pub(crate) labels: Vec<(String, String)>,
    /// It is what holds a pod together, and no container of its own.
    pub(crate) is_sandbox: bool,
}

impl Shown {
    /// `running`, `exited`, `created`. One whose program could not be started was never more than created.
    pub(crate) fn state(&self) -> &'static str {
        match &self.status {
            Some(status) if status.state == State::Running => "running",
            Some(status) if status.state == State::Exited && status.reason != "ContainerCannotRun" => "exited",
            _ => "created",
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state() == "running"
    }

    /// `Up 3 seconds`, `Exited (0) 5 minutes ago`, `Created`.
    pub(crate) fn status_words(&self, now: Time) -> String {
        match &self.status {
            Some(status) if self.is_running() => {
                format!("Up {}", text::human(now.saturating_since(status.started_at)))
            }
            Some(status) if self.state() == "exited" => {
                format!("Exited ({}) {}", status.exit_code, text::ago(status.finished_at, now))
            }
            _ => "Created".to_owned(),
        }
    }
}

/// The exit code of what SIGKILL ended.
const KILLED: i32 = 137;

/// A name that a container gets that is still being made.
struct HeldName(Daemon, String);

impl HeldName {
    fn new(daemon: &Daemon, name: &str, id: &str) -> HeldName {
        daemon.0.held_names.borrow_mut().insert(name.to_owned(), id.to_owned());
        HeldName(daemon.clone(), name.to_owned())
    }
}

impl Drop for HeldName {
    fn drop(&mut self) {
        self.0.0.held_names.borrow_mut().remove(&self.1);
    }
}

/// A place in the network whose container is still being made; it goes, with its address, when that is given up.
struct NewSandbox(ContainerRuntime, Option<Sandbox>);

impl NewSandbox {
    fn id(&self) -> String {
        self.1.as_ref().map(|sandbox| sandbox.id.clone()).unwrap_or_default()
    }

    fn keep(&mut self) -> Sandbox {
        self.1.take().expect("it is kept once, where it is let go")
    }
}

impl Drop for NewSandbox {
    fn drop(&mut self) {
        if let Some(sandbox) = &self.1 {
            self.0.remove_sandbox(&sandbox.id);
        }
    }
}

/// A container is being started by someone.
struct Busy(Daemon, Rc<Container>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.1.is_busy.set(false);
        self.0.0.changed.wake_all();
    }
}

/// What the runtime is told of a container.
fn config_of(new: &NewContainer, name: &str, id: &str, image: &Rc<Image>) -> Result<ContainerConfig, String> {
    // An entrypoint of no words takes the image's away: the arguments are the program.
    let (command, args) = match &new.entrypoint {
        Some(none) if none.is_empty() && new.args.is_empty() => return Err(daemon_says("no command specified")),
        Some(none) if none.is_empty() => (new.args.clone(), Vec::new()),
        Some(words) => (words.clone(), new.args.clone()),
        None => (Vec::new(), new.args.clone()),
    };
    Ok(ContainerConfig {
        name: name.to_owned(),
        image: new.image.clone(),
        command,
        args,
        env: new.env.clone(),
        working_dir: new.working_dir.clone(),
        cpu_limit_milli: new.cpu_milli,
        memory_limit_bytes: new.memory_bytes,
        tty: new.tty,
        stdin: new.stdin,
        stdin_once: new.stdin && new.is_attached,
        read_only_root: new.read_only,
        user: new.user.clone(),
        made_of: Some(Rc::clone(image)),
        id: id.to_owned(),
        ..ContainerConfig::default()
    })
}

fn daemon_says(words: impl std::fmt::Display) -> String {
    format!("Error response from daemon: {words}")
}

/// What the runtime says, without what its adapter for the kubelet puts before it.
pub(crate) fn runtime_says(words: &str) -> String {
    let at = words.find("Error response from daemon: ").unwrap_or(0);
    if words[at..].starts_with("Error response") { words[at..].to_owned() } else { daemon_says(words) }
}

impl Daemon {
    /// Makes a container; it does not run yet.
    ///
    /// # Errors
    /// The engine's words: an image that is not there, a name that is taken.
    pub(crate) async fn create(&self, new: NewContainer) -> Result<Rc<Container>, String> {
        let id = self.runtime().new_id();
        let image = self.image(&new.image)?.image;
        let name = self.free_name(&new.name)?;
        let _held = HeldName::new(self, &name, &id);
        let mut sandbox = self.sandbox(&new, &name, &id).await?;
        let config = config_of(&new, &name, &id, &image)?;
        let made = self.runtime().create_container(&sandbox.id(), config).await;
        made.map_err(|why| runtime_says(&why))?;
        let container = Rc::new(Container {
            id,
            name: RefCell::new(name),
            sandbox: RefCell::new(sandbox.keep()),
            config: new,
            image,
            ports: RefCell::default(),
            created: self.sim().now(),
            is_busy: Cell::new(false),
            runs: Cell::new(0),
        });
        self.0.containers.borrow_mut().push(Rc::clone(&container));
        Ok(container)
    }

    /// A place in the network for a container, gone with what is returned unless it is kept.
    async fn sandbox(&self, new: &NewContainer, name: &str, id: &str) -> Result<NewSandbox, String> {
        let config = SandboxConfig {
            name: name.to_owned(),
            namespace: NAMESPACE.to_owned(),
            uid: id.to_owned(),
            hostname: if new.hostname.is_empty() { text::short(id) } else { new.hostname.clone() },
            is_engines: true,
            ..SandboxConfig::default()
        };
        let sandbox = self.runtime().run_sandbox(config).await.map_err(|why| runtime_says(&why))?;
        Ok(NewSandbox(self.runtime().clone(), Some(sandbox)))
    }

    fn free_name(&self, wanted: &str) -> Result<String, String> {
        let holder = |name: &str| {
            let all = self.0.containers.borrow();
            let made = all.iter().find(|c| *c.name.borrow() == name).map(|c| c.id.clone());
            made.or_else(|| self.0.held_names.borrow().get(name).cloned())
        };
        if wanted.is_empty() {
            return Ok(names::draw(self.sim(), |name| holder(name).is_some()));
        }
        let first = |b: u8| b.is_ascii_alphanumeric();
        let rest = |b: u8| first(b) || b"_.-".contains(&b);
        if wanted.len() < 2 || !wanted.bytes().next().is_some_and(first) || !wanted.bytes().all(rest) {
            let words = format!("Invalid container name ({wanted}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
            return Err(daemon_says(words));
        }
        match holder(wanted) {
            None => Ok(wanted.to_owned()),
            Some(id) => Err(daemon_says(format!(
                "Conflict. The container name \"/{wanted}\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
            ))),
        }
    }

    /// Starts a container that does not run, with the files that it had if it ran before. When this completes nothing that it
    /// prints has been missed yet.
    ///
    /// # Errors
    /// The engine's words: a port that is taken, a program that is not there.
    pub(crate) async fn start(&self, container: &Rc<Container>) -> Result<(), String> {
        let _busy = self.begin(container).await;
        self.start_now(container).await
    }

    /// Ends a container if it runs, and starts it.
    ///
    /// # Errors
    /// As [`Daemon::start`].
    pub(crate) async fn restart(&self, container: &Rc<Container>, grace: Duration) -> Result<(), String> {
        let _busy = self.begin(container).await;
        self.stop(&container.id, grace).await;
        self.start_now(container).await
    }

    /// Waits until nobody else starts a container.
    async fn begin(&self, container: &Rc<Container>) -> Busy {
        while container.is_busy.get() && !self.runtime().gone().is_raised() {
            self.next_change().await;
        }
        container.is_busy.set(true);
        Busy(self.clone(), Rc::clone(container))
    }

    async fn start_now(&self, container: &Rc<Container>) -> Result<(), String> {
        match self.runtime().container_status(&container.id).map(|status| status.state) {
            None => return Err(daemon_says(format!("No such container: {}", container.id))),
            Some(State::Running) => return Ok(()),
            Some(State::Exited) => self.renew(container).await?,
            Some(State::Created) => {}
        }
        let (net, name) = (container.sandbox.borrow().net.clone(), container.name.borrow().clone());
        // Until it runs they are nobody's: an error, or giving up, sets them free again.
        let mut ports = Vec::new();
        for port in &container.config.ports {
            let is_own = |(taken, _): &(Publish, Proxy)| taken.host == port.host;
            let is_containers = self.holds_port(port.host) || ports.iter().any(is_own);
            let proxy = publish::start(self.sim(), self.net(), &net, *port, &name, &container.id, is_containers);
            let (host, proxy) = proxy.map_err(daemon_says)?;
            ports.push((Publish { host, ..*port }, proxy));
        }
        self.runtime().start_container(&container.id).await.map_err(|why| runtime_says(&why))?;
        *container.ports.borrow_mut() = ports;
        container.runs.set(container.runs.get() + 1);
        self.watch(container);
        Ok(())
    }

    /// Whether a container of this engine has a port of the machine.
    fn holds_port(&self, port: u16) -> bool {
        self.0.containers.borrow().iter().any(|c| c.ports.borrow().iter().any(|(taken, _)| taken.host == port))
    }

    /// Makes a container that has ended anew, with its files, its name and its ID. Until it is made the old one stays.
    async fn renew(&self, container: &Rc<Container>) -> Result<(), String> {
        let name = container.name.borrow().clone();
        let mut sandbox = self.sandbox(&container.config, &name, &container.id).await?;
        let again = NewContainer { is_attached: false, ..container.config.clone() };
        let mut config = config_of(&again, &name, &container.id, &container.image)?;
        // A tree that may not be written has nothing to go on with.
        config.files = self.runtime().files(&container.id).filter(|_| !container.config.read_only);
        let made = self.runtime().create_container(&sandbox.id(), config).await;
        made.map_err(|why| runtime_says(&why))?;
        // It may have been removed in the meantime: then the new one goes with its sandbox.
        if !self.0.containers.borrow().iter().any(|c| Rc::ptr_eq(c, container)) {
            return Err(daemon_says(format!("No such container: {}", container.id)));
        }
        let old = container.sandbox.replace(sandbox.keep());
        self.runtime().remove_sandbox(&old.id);
        Ok(())
    }

    /// Does what is to be done when a container ends. It holds nobody: an engine that goes takes the task with it.
    fn watch(&self, container: &Rc<Container>) {
        let (weak, watched) = (self.downgrade(), Rc::downgrade(container));
        let (changed, gone) = (Rc::clone(&self.0.changed), self.runtime().gone().clone());
        let run = container.runs.get();
        self.sim().spawn(async move {
            loop {
                {
                    let (Some(daemon), Some(container)) = (weak.upgrade(), watched.upgrade()) else { return };
                    let status = daemon.runtime().container_status(&container.id);
                    if container.runs.get() != run || status.is_none() {
                        return;
                    }
                    if status.is_some_and(|status| status.state == State::Exited) {
                        break;
                    }
                }
                if gone.is_raised() {
                    return;
                }
                super::next(&changed, &gone).await;
            }
            let (Some(daemon), Some(container)) = (weak.upgrade(), watched.upgrade()) else { return };
            container.ports.borrow_mut().clear();
            if container.config.auto_remove && !container.is_busy.get() {
                // Whoever is attached reads the end of the output first.
                daemon.sim().yield_now().await;
                daemon.forget(&container).await;
            }
        });
    }

    /// Waits until a container has ended; its exit code. On a machine that has lost its power that of what was killed.
    pub(crate) async fn wait(&self, id: &str) -> i32 {
        loop {
            match self.runtime().container_status(&id.to_owned()) {
                None => return 0,
                Some(status) if status.state == State::Exited => return status.exit_code,
                Some(_) if self.runtime().gone().is_raised() => return KILLED,
                Some(_) => self.next_change().await,
            }
        }
    }

    /// A container of this engine by name, or by the beginning of its ID.
    pub(crate) fn own(&self, text: &str) -> Option<Rc<Container>> {
        let all = self.0.containers.borrow();
        let name = text.strip_prefix('/').unwrap_or(text);
        let named = all.iter().find(|c| *c.name.borrow() == name || c.id == text);
        named.or_else(|| all.iter().find(|c| !text.is_empty() && c.id.starts_with(text))).cloned()
    }

    /// A container of the machine, whoever made it, by name or by the beginning of its ID.
    ///
    /// # Errors
    /// `No such container`.
    pub(crate) fn container(&self, text: &str) -> Result<Shown, String> {
        let all = self.shown();
        let name = text.strip_prefix('/').unwrap_or(text);
        let found = all.iter().find(|c| c.name == name || c.id == text);
        let found = found.or_else(|| all.iter().find(|c| !text.is_empty() && c.id.starts_with(text)));
        found.cloned().ok_or_else(|| daemon_says(format!("No such container: {text}")))
    }

    /// As [`Daemon::container`], for those who change what they name.
    ///
    /// # Errors
    /// No such container, or one that only holds a pod together.
    pub(crate) fn no_sandbox(&self, text: &str) -> Result<Shown, String> {
        let shown = self.container(text)?;
        if shown.is_sandbox {
            let refusal = simulation::stub!("docker", "ending of a pod's sandbox by hand");
            return Err(daemon_says(format!("{}: {refusal}", shown.name)));
        }
        Ok(shown)
    }

    /// Every container of the machine, the newest first.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let own = self.0.containers.borrow();
        // What a build runs is nobody's to see.
        let is_shown = |c: &ListedContainer| !c.sandbox.is_engines || own.iter().any(|own| own.id == c.id);
        let listed = self.runtime().containers().into_iter().filter(is_shown);
        let mut all: Vec<Shown> = listed.map(|listed| self.show(listed, &own)).collect();
        all.extend(self.runtime().sandboxes().into_iter().filter(|(_, config, ..)| !config.is_engines).map(
            |(id, config, created, is_running)| Shown {
                name: format!("k8s_POD_{}_{}_{}_{}", config.name, config.namespace, config.uid, config.attempt),
                image: PAUSE.0.to_owned(),
                argv: vec![PAUSE.1.to_owned()],
                created,
                status: Some(pause_status(created, is_running)),
                ports: String::new(),
                labels: Vec::new(),
                is_sandbox: true,
                id,
            },
        ));
        all.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
        all
    }

    fn show(&self, listed: ListedContainer, own: &[Rc<Container>]) -> Shown {
        let mine = own.iter().find(|c| c.id == listed.id);
        let pod = &listed.sandbox;
        let name = match mine {
            Some(container) => container.name.borrow().clone(),
            None => format!("k8s_{}_{}_{}_{}_{}", listed.name, pod.name, pod.namespace, pod.uid, listed.attempt),
        };
        // An image that has lost the name by which it was asked for is shown by its ID.
        let (asked, id) = mine.map_or((&listed.image, &listed.image_id), |c| (&c.config.image, &c.image.id));
        let is_still = self.images().find(asked).is_some_and(|i| i.image.id == *id);
        let image = match mine {
            Some(container) if is_still => container.config.image.clone(),
            None if is_still => listed.image.clone(),
            _ => text::short(id),
        };
        Shown {
            name,
            image,
            argv: listed.argv,
            created: mine.map_or(listed.created_at, |c| c.created),
            status: self.runtime().container_status(&listed.id),
            ports: mine.map(|c| self.port_words(c)).unwrap_or_default(),
            labels: mine.map(|c| c.config.labels.clone()).unwrap_or_default(),
            is_sandbox: false,
            id: listed.id,
        }
    }

    /// `0.0.0.0:8080->80/tcp`, and ports that the image names but nobody published.
    fn port_words(&self, container: &Container) -> String {
        let is_running = |s: ContainerStatus| s.state == State::Running;
        if !self.runtime().container_status(&container.id).is_some_and(is_running) {
            return String::new();
        }
        let ports = container.ports.borrow();
        let exposed = exposed_ports(&container.image.file());
        let mut words: Vec<String> = Vec::new();
        for (port, _) in &*ports {
            words.push(format!("{}:{}->{}/tcp", port.address, port.host, port.container));
            if port.address.is_unspecified() {
                words.push(format!("[::]:{}->{}/tcp", port.host, port.container));
            }
        }
        let is_published = |text: &String| ports.iter().any(|(p, _)| format!("{}/tcp", p.container) == *text);
        words.extend(exposed.into_iter().filter(|text| !is_published(text)));
        words.join(", ")
    }

    /// Asks a container that runs to end, and ends it after `grace`.
    pub(crate) async fn stop(&self, id: &str, grace: Duration) {
        let id = id.to_owned();
        if self.runtime().container_status(&id).is_some_and(|status| status.state == State::Running) {
            self.runtime().stop_container(&id, grace).await;
        }
    }

    /// Forgets a container that does not run.
    pub(crate) async fn forget(&self, container: &Rc<Container>) {
        self.0.containers.borrow_mut().retain(|c| !Rc::ptr_eq(c, container));
        container.ports.borrow_mut().clear();
        self.runtime().remove_container(&container.id);
        let sandbox = container.sandbox.borrow().id.clone();
        // First, so that nothing is left of it when who waits gives up.
        self.runtime().remove_sandbox(&sandbox);
        self.0.changed.wake_all();
        self.sim().sleep(self.images().pace().teardown).await;
    }

    /// Removes a container.
    ///
    /// # Errors
    /// When it runs and `is_forced` is not set, or when it belongs to a pod.
    pub(crate) async fn remove(&self, text: &str, is_forced: bool) -> Result<(), String> {
        let shown = self.no_sandbox(text)?;
        if shown.is_running() && !is_forced {
            return Err(daemon_says(format!(
                "cannot remove container \"{}\": container is running: stop the container before removing or force remove",
                shown.name
            )));
        }
        match self.own(&shown.id) {
            Some(container) => {
                self.stop(&container.id, Duration::ZERO).await;
                self.forget(&container).await;
            }
            // The kubelet sees that a container of its own is gone, and makes another.
            None => self.runtime().remove_container(&shown.id),
        }
        Ok(())
    }

    /// Whether a container, running or not, is made of an image: its ID, and whether it runs.
    pub(crate) fn user_of(&self, image_id: &str) -> Option<(String, bool)> {
        let all = self.runtime().containers();
        let of = all.into_iter().filter(|c| c.image_id == image_id && !self.is_of_a_build(c));
        let is_running = |id: &String| self.runtime().container_status(id).is_some_and(|s| s.state == State::Running);
        let mut of: Vec<(String, bool)> = of.map(|c| (c.id.clone(), is_running(&c.id))).collect();
        of.sort_by_key(|(_, runs)| !runs);
        of.into_iter().next()
    }

    fn is_of_a_build(&self, listed: &ListedContainer) -> bool {
        listed.sandbox.is_engines && !self.0.containers.borrow().iter().any(|c| c.id == listed.id)
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// No such container, a name that is taken or none.
    pub(crate) fn rename(&self, old: &str, new: &str) -> Result<(), String> {
        let container = self.own(old).ok_or_else(|| daemon_says(format!("No such container: {old}")))?;
        let name = self.free_name(new)?;
        *container.name.borrow_mut() = name;
        Ok(())
    }
}

fn pause_status(created: Time, is_running: bool) -> ContainerStatus {
    ContainerStatus {
        state: if is_running { State::Running } else { State::Exited },
        exit_code: 0,
        reason: String::new(),
        message: String::new(),
        started_at: created,
        finished_at: created,
        image: PAUSE.0.to_owned(),
        image_ref: String::new(),
        user: (65_535, 65_535),
        groups: Vec::new(),
    }
}

/// `80/tcp` and its like of an image's configuration file.
pub(super) fn exposed_ports(file: &json::Value) -> Vec<String> {
    let ports = file["config"]["ExposedPorts"].as_object();
    ports.map(|ports| ports.keys().map(|port| port.as_str().to_owned()).collect()).unwrap_or_default()
}
