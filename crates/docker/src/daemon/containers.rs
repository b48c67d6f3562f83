//! Containers of one machine: their names and lives (`daemon/create.go`, `start.go`, `stop.go`, `delete.go`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use runtime::cri::{ContainerConfig, ContainerStatus, ListedContainer, Sandbox, SandboxConfig, State};
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
    pub(crate) sandbox: Sandbox,
    pub(crate) config: NewContainer,
    pub(crate) image_id: String,
    /// The ports as they are published while it runs.
    pub(crate) ports: RefCell<Vec<(Publish, Proxy)>>,
    /// When it was made first.
    pub(crate) created: Time,
    /// It has been started once.
    pub(crate) was_started: Cell<bool>,
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
}

impl Shown {
    /// `running`, `exited`, `created`.
    pub(crate) fn state(&self) -> &'static str {
        match self.status.as_ref().map(|s| s.state) {
            Some(State::Running) => "running",
            Some(State::Exited) => "exited",
            _ => "created",
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state() == "running"
    }

    /// `Up 3 seconds`, `Exited (0) 5 minutes ago`, `Created`.
    pub(crate) fn status_words(&self, now: Time) -> String {
        match &self.status {
            Some(status) if status.state == State::Running => {
                format!("Up {}", text::human(now.saturating_since(status.started_at)))
            }
            Some(status) if status.state == State::Exited => {
                format!("Exited ({}) {}", status.exit_code, text::ago(status.finished_at, now))
            }
            _ => "Created".to_owned(),
        }
    }
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
        let (id, image) = (self.runtime().new_id(), new.image.clone());
        self.create_from(new, (id, self.sim().now()), &image).await
    }

    /// As [`Daemon::create`], with an ID, the time of the first making, and the files of another image.
    async fn create_from(
        &self,
        new: NewContainer,
        (id, created): (String, Time),
        files: &str,
    ) -> Result<Rc<Container>, String> {
        let image = self.image(&new.image)?;
        let name = self.free_name(&new.name)?;
        let hostname = if new.hostname.is_empty() { text::short(&id) } else { new.hostname.clone() };
        let sandbox = SandboxConfig {
            name: name.clone(),
            namespace: NAMESPACE.to_owned(),
            uid: id.clone(),
            hostname,
            ..SandboxConfig::default()
        };
        let sandbox = self.runtime().run_sandbox(sandbox).await.map_err(|why| runtime_says(&why))?;
        let mut config = ContainerConfig {
            name: name.clone(),
            image: files.to_owned(),
            args: new.args.clone(),
            env: new.env.clone(),
            working_dir: new.working_dir.clone(),
            cpu_limit_milli: new.cpu_milli,
            memory_limit_bytes: new.memory_bytes,
            tty: new.tty,
            stdin: new.stdin,
            stdin_once: new.stdin && new.is_attached,
            read_only_root: new.read_only,
            id: id.clone(),
            ..ContainerConfig::default()
        };
        if let Some(entrypoint) = &new.entrypoint {
            config.command.clone_from(entrypoint);
        }
        let user = new.user.clone();
        if let Some(uid) = user.split(':').next().and_then(|uid| uid.parse().ok()) {
            config.run_as_user = Some(uid);
            config.run_as_group = user.split_once(':').and_then(|(_, gid)| gid.parse().ok());
        }
        if let Err(why) = self.runtime().create_container(&sandbox.id, config).await {
            self.runtime().remove_sandbox(&sandbox.id);
            return Err(runtime_says(&why));
        }
        let container = Rc::new(Container {
            id,
            name: RefCell::new(name),
            sandbox,
            config: new,
            image_id: image.image.id.clone(),
            ports: RefCell::default(),
            created,
            was_started: Cell::new(false),
        });
        self.0.containers.borrow_mut().push(Rc::clone(&container));
        Ok(container)
    }

    fn free_name(&self, wanted: &str) -> Result<String, String> {
        let holder = |name: &str| {
            let all = self.0.containers.borrow();
            all.iter().find(|c| *c.name.borrow() == name).map(|c| c.id.clone())
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

    /// Starts a container. When this completes nothing that it prints has been missed yet.
    ///
    /// # Errors
    /// The engine's words: a port that is taken, a program that is not there.
    pub(crate) async fn start(&self, container: &Rc<Container>) -> Result<(), String> {
        let (net, name) = (container.sandbox.net.clone(), container.name.borrow().clone());
        for port in &container.config.ports {
            let proxy =
                publish::start(self.sim(), self.net(), &net, *port, &name, &container.id).map_err(daemon_says)?;
            let taken = Publish { host: proxy.0, ..*port };
            container.ports.borrow_mut().push((taken, proxy.1));
        }
        container.was_started.set(true);
        let weak = self.downgrade();
        let watched = Rc::downgrade(container);
        let started = self.runtime().start_container(&container.id).await;
        self.sim().spawn(async move {
            let (Some(daemon), Some(container)) = (weak.upgrade(), watched.upgrade()) else { return };
            daemon.wait(&container.id).await;
            container.ports.borrow_mut().clear();
            if container.config.auto_remove {
                // Whoever is attached reads the end of the output first.
                daemon.sim().yield_now().await;
                daemon.forget(&container).await;
            }
        });
        started.map_err(|why| {
            container.ports.borrow_mut().clear();
            runtime_says(&why)
        })
    }

    /// Waits until a container has ended; its exit code.
    pub(crate) async fn wait(&self, id: &str) -> i32 {
        loop {
            match self.runtime().container_status(&id.to_owned()) {
                None => return 0,
                Some(status) if status.state == State::Exited => return status.exit_code,
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

    /// Every container of the machine, the newest first.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let own = self.0.containers.borrow();
        let mut all: Vec<Shown> =
            self.runtime().containers().into_iter().map(|listed| self.show(listed, &own)).collect();
        all.extend(self.runtime().sandboxes().into_iter().filter(|(_, config, ..)| config.namespace != NAMESPACE).map(
            |(id, config, created, is_running)| Shown {
                name: format!("k8s_POD_{}_{}_{}_{}", config.name, config.namespace, config.uid, config.attempt),
                image: PAUSE.0.to_owned(),
                argv: vec![PAUSE.1.to_owned()],
                created,
                status: Some(pause_status(created, is_running)),
                ports: String::new(),
                labels: Vec::new(),
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
        let (asked, id) = mine.map_or((&listed.image, &listed.image_id), |c| (&c.config.image, &c.image_id));
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
        let exposed =
            self.images().find(&container.image_id).map(|i| exposed_ports(&i.image.file())).unwrap_or_default();
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

    /// Asks a container to end, and ends it after `grace`.
    pub(crate) async fn stop(&self, id: &str, grace: Duration) {
        self.runtime().stop_container(&id.to_owned(), grace).await;
    }

    /// Makes a container that has ended run again, with the files that it had.
    ///
    /// # Errors
    /// As [`Daemon::create`] and [`Daemon::start`].
    pub(crate) async fn start_again(&self, container: &Rc<Container>) -> Result<Rc<Container>, String> {
        let kept = self.commit(&container.id, None)?;
        self.forget(container).await;
        let name = container.name.borrow().clone();
        let config = NewContainer { name, is_attached: false, ..container.config.clone() };
        self.images().insert_unnamed(Rc::clone(&kept));
        let new = self.create_from(config, (container.id.clone(), container.created), &kept.id).await;
        if kept.id != container.image_id {
            self.images().delete(&kept.id);
        }
        let new = new?;
        self.start(&new).await?;
        Ok(new)
    }

    /// Forgets a container that does not run.
    pub(crate) async fn forget(&self, container: &Rc<Container>) {
        self.0.containers.borrow_mut().retain(|c| !Rc::ptr_eq(c, container));
        container.ports.borrow_mut().clear();
        self.runtime().remove_container(&container.id);
        self.runtime().stop_sandbox(&container.sandbox.id).await;
        self.runtime().remove_sandbox(&container.sandbox.id);
    }

    /// Removes a container.
    ///
    /// # Errors
    /// When it runs and `is_forced` is not set, or when it belongs to a pod.
    pub(crate) async fn remove(&self, text: &str, is_forced: bool) -> Result<(), String> {
        let shown = self.container(text)?;
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
        let of = all.into_iter().filter(|c| c.image_id == image_id);
        let is_running = |id: &String| self.runtime().container_status(id).is_some_and(|s| s.state == State::Running);
        let mut of: Vec<(String, bool)> = of.map(|c| (c.id.clone(), is_running(&c.id))).collect();
        of.sort_by_key(|(_, runs)| !runs);
        of.into_iter().next()
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
    }
}

/// `80/tcp` and its like of an image's configuration file.
pub(super) fn exposed_ports(file: &json::Value) -> Vec<String> {
    let ports = file["config"]["ExposedPorts"].as_object();
    ports.map(|ports| ports.keys().map(|port| port.as_str().to_owned()).collect()).unwrap_or_default()
}
