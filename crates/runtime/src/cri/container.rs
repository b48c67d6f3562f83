//! One container.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use futures_util::FutureExt as _;
use simulation::notify::Signal;
use simulation::{Duration, Sim, Time};
use vfs::{Credentials, Vfs};

use super::logs::{LogSink, Stream};
use super::session::{Leaving, Left, PipeInput, TtyInput, nothing, refused, stream};
use super::{
    ContainerConfig, ContainerStats, ContainerStatus, ExecSession, Id, InputSink, ListedContainer, Log, NodeUsage,
    Reading, SandboxConfig, State, files,
};
use crate::image::{Image, ImageInfo};
use crate::kernel::{Description, Kind, Output, PipeWriter, Tty, fuel_time, pipe, signals};
use crate::pace::{JITTER, Pace};
use crate::process::{DEFAULT_PATH, ExecError, Exit, Jail, SpawnRequest};

/// Tells that a container has changed its state.
pub(super) type Notify = Rc<dyn Fn(&Id)>;

/// One container, from its making to its removal.
pub(super) struct Container {
    pub(super) id: Id,
    pub(super) sandbox: Id,
    sim: Sim,
    config: ContainerConfig,
    image: Rc<Image>,
    image_info: ImageInfo,
    working_dir: String,
    who: Credentials,
    jail: Rc<Jail>,
    pub(super) log: Rc<Log>,
    tty: Option<Rc<Tty>>,
    stdin: RefCell<Option<PipeWriter>>,
    state: Cell<State>,
    exit: RefCell<(i32, String, String)>,
    pub(super) created_at: Time,
    started_at: Cell<Time>,
    finished_at: Cell<Time>,
    pace: Pace,
    notify: Notify,
    me: Weak<Container>,
}

/// What a container is made from.
pub(super) struct Parts {
    pub(super) id: Id,
    pub(super) sandbox: Id,
    pub(super) sim: Sim,
    pub(super) config: ContainerConfig,
    pub(super) image: Rc<Image>,
    pub(super) image_info: ImageInfo,
    pub(super) working_dir: String,
    pub(super) who: Credentials,
    pub(super) jail: Rc<Jail>,
    pub(super) log: Rc<Log>,
    pub(super) pace: Pace,
    pub(super) notify: Notify,
}

impl Container {
    pub(super) fn new(parts: Parts) -> Rc<Container> {
        let sink = Rc::new(LogSink { log: Rc::clone(&parts.log), stream: Stream::Stdout });
        let tty = parts.config.tty.then(|| Tty::new(Output::Sink(sink)));
        Rc::new_cyclic(|me| Container {
            id: parts.id,
            sandbox: parts.sandbox,
            created_at: parts.sim.now(),
            sim: parts.sim,
            config: parts.config,
            image: parts.image,
            image_info: parts.image_info,
            working_dir: parts.working_dir,
            who: parts.who,
            jail: parts.jail,
            log: parts.log,
            tty,
            stdin: RefCell::default(),
            state: Cell::new(State::Created),
            exit: RefCell::default(),
            started_at: Cell::new(Time::default()),
            finished_at: Cell::new(Time::default()),
            pace: parts.pace,
            notify: parts.notify,
            me: me.clone(),
        })
    }

    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// Entrypoint and arguments: a command of the pod replaces both of the image's.
    fn argv(&self) -> Vec<Bytes> {
        let image = &self.image.config;
        let (command, rest) = if self.config.command.is_empty() {
            let args = if self.config.args.is_empty() { &image.cmd } else { &self.config.args };
            (&image.entrypoint, args)
        } else {
            (&self.config.command, &self.config.args)
        };
        command.iter().chain(rest).map(|s| Bytes::copy_from_slice(s.as_bytes())).collect()
    }

    /// As the daemon of the machine lists it.
    pub(super) fn listed(&self, sandbox: &SandboxConfig) -> ListedContainer {
        ListedContainer {
            id: self.id.clone(),
            sandbox: sandbox.clone(),
            name: self.config.name.clone(),
            attempt: self.config.attempt,
            image: self.config.image.clone(),
            image_id: self.image.id.clone(),
            argv: self.argv().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect(),
            created_at: self.created_at,
        }
    }

    /// What it was made of.
    pub(super) fn image(&self) -> Rc<Image> {
        Rc::clone(&self.image)
    }

    /// Its files, with the mounts.
    pub(super) fn files(&self) -> Vfs {
        self.jail.files().clone()
    }

    /// Sends a signal to its first process.
    pub(super) fn signal(&self, signal: u32) {
        self.jail.signal(signal);
    }

    /// The environment in Docker's order: PATH, HOSTNAME, TERM, the pod's, the image's, HOME.
    fn env(&self, tty: bool) -> Vec<Bytes> {
        let mut env: Vec<(String, String)> =
            vec![("PATH".into(), DEFAULT_PATH.into()), ("HOSTNAME".into(), self.jail.hostname.clone())];
        if tty {
            env.push(("TERM".into(), "xterm".into()));
        }
        let image = self.image.config.env.iter().filter_map(|e| e.split_once('='));
        let image: Vec<_> = image.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut set = |name: &str, value: &str, replace: bool| match env.iter_mut().find(|(n, _)| n == name) {
            Some(slot) if replace => value.clone_into(&mut slot.1),
            Some(_) => {}
            None => env.push((name.to_owned(), value.to_owned())),
        };
        let defaults = ["PATH", "HOSTNAME", "TERM"];
        for (name, value) in &self.config.env {
            set(name, value, true);
        }
        for (name, value) in &image {
            let by_pod = self.config.env.iter().any(|(n, _)| n == name);
            set(name, value, defaults.contains(&name.as_str()) && !by_pod);
        }
        set("HOME", &files::home(self.jail.files(), self.who.uid), false);
        env.iter().map(|(name, value)| Bytes::from(format!("{name}={value}"))).collect()
    }

    pub(super) fn environment(&self) -> Vec<String> {
        self.env(self.config.tty).iter().map(|e| String::from_utf8_lossy(e).into_owned()).collect()
    }

    fn view(&self) -> Vfs {
        self.jail.files().as_user(self.who.clone()).at(&self.working_dir)
    }

    /// Starts the first process.
    pub(super) async fn start(&self) -> Result<(), String> {
        if self.state.get() != State::Created {
            return Err(format!("Error response from daemon: container {} is not in created state", self.id));
        }
        self.sim.sleep(self.sim.jitter(self.pace.start, JITTER)).await;
        let (fds, stdin) = self.streams();
        *self.stdin.borrow_mut() = stdin;
        let request = SpawnRequest {
            path: None,
            argv: self.argv(),
            env: self.env(self.config.tty),
            files: self.view(),
            fds,
            tty: self.tty.clone(),
            parent: 0,
            ignored: Vec::new(),
        };
        self.started_at.set(self.sim.now());
        match self.jail.spawn(request) {
            Ok(_) => {
                self.state.set(State::Running);
                (self.notify)(&self.id);
                self.watch();
                Ok(())
            }
            Err(ExecError::Format(file, why)) => {
                // The kernel refuses after the container was made: it starts and ends at once.
                let words = format!("exec {file}: exec format error ({why})\n");
                self.log.write(Stream::Stderr, words.as_bytes());
                self.ended(255, "Error", "");
                Ok(())
            }
            Err(error @ ExecError::Spawn(crate::engine::SpawnError::Oom)) => {
                self.ended(error.exit_code(), "OOMKilled", "");
                Ok(())
            }
            Err(error) => {
                let words = format!(
                    "failed to create task for container: failed to create shim task: OCI runtime create failed: \
                     runc create failed: unable to start container process: error during container init: {error}: unknown"
                );
                self.ended(error.exit_code(), "ContainerCannotRun", &words);
                Err(format!("failed to start container \"{}\": Error response from daemon: {words}", self.id))
            }
        }
    }

    fn streams(&self) -> (Vec<(u32, Rc<Description>)>, Option<PipeWriter>) {
        if let Some(tty) = &self.tty {
            let terminal = Description::new(Kind::Tty(Rc::clone(tty)));
            return ((0..3).map(|fd| (fd, Rc::clone(&terminal))).collect(), None);
        }
        let sink = |stream| Description::new(Kind::Sink(Rc::new(LogSink { log: Rc::clone(&self.log), stream })));
        let (input, writer) = if self.config.stdin {
            let (reader, writer) = pipe();
            (Kind::PipeReader(reader), Some(writer))
        } else {
            (Kind::Null, None)
        };
        (vec![(0, Description::new(input)), (1, sink(Stream::Stdout)), (2, sink(Stream::Stderr))], writer)
    }

    /// Waits for the end in a task of its own.
    fn watch(&self) {
        let (me, jail) = (self.me.clone(), Rc::clone(&self.jail));
        self.sim.spawn(async move {
            let exit = jail.wait().await;
            let Some(container) = me.upgrade() else { return };
            let reason = match exit {
                Exit::Oom => "OOMKilled",
                Exit::Code(0) => "Completed",
                Exit::Code(_) | Exit::Signal(_) => "Error",
            };
            container.ended(exit.code(), reason, &jail.trap().unwrap_or_default());
        });
    }

    fn ended(&self, code: i32, reason: &str, message: &str) {
        *self.exit.borrow_mut() = (code, reason.to_owned(), message.to_owned());
        self.finished_at.set(self.sim.now());
        self.state.set(State::Exited);
        self.stdin.borrow_mut().take();
        self.log.close();
        (self.notify)(&self.id);
    }

    pub(super) fn status(&self) -> ContainerStatus {
        let (exit_code, reason, message) = self.exit.borrow().clone();
        ContainerStatus {
            state: self.state.get(),
            exit_code,
            reason,
            message,
            started_at: self.started_at.get(),
            finished_at: self.finished_at.get(),
            image: self.image_info.name.clone(),
            image_ref: self.image_info.reference.clone(),
            user: (i64::from(self.who.uid), i64::from(self.who.gid)),
            groups: self.who.groups.iter().map(|gid| i64::from(*gid)).collect(),
        }
    }

    pub(super) fn set_limits(&self, memory_bytes: Option<u64>, cpu_milli: Option<u64>) {
        self.jail.set_limits(memory_bytes, cpu_milli);
    }

    pub(super) fn stats(&self) -> ContainerStats {
        let running = self.state.get() == State::Running;
        let nanos = |fuel: u64| u64::try_from(fuel_time(fuel).as_nanos()).unwrap_or(u64::MAX);
        let [previous, last] = self.jail.read_meter().map(|reading| Reading {
            at: reading.at,
            cpu_nanos: nanos(reading.fuel),
            memory_bytes: reading.memory_bytes,
        });
        ContainerStats {
            cpu_nanos: nanos(self.jail.cpu().used()),
            last,
            previous,
            memory_bytes: self.jail.memory().used(),
            file_bytes: self.jail.files().usage().bytes,
            inodes: self.jail.files().usage().nodes as u64,
            log_bytes: self.log.disk_bytes(),
            processes: if running { self.jail.processes().len() as u64 } else { 0 },
            throttled_periods: self.jail.cpu().throttled_periods(),
        }
    }

    /// What it adds to what its node uses. One that has ended holds no memory: what it kept in volumes is the next one's.
    pub(super) fn usage(&self) -> NodeUsage {
        let files = self.jail.files().usage();
        let running = self.state.get() == State::Running;
        NodeUsage {
            memory_bytes: if running { self.jail.memory().used() } else { 0 },
            disk_bytes: files.bytes + self.log.disk_bytes(),
            inodes: files.nodes as u64,
            processes: if running { self.jail.process_count() } else { 0 },
        }
    }

    /// SIGTERM (or what the image asks for), and after `grace` SIGKILL. Completes when it has ended.
    pub(super) async fn stop(&self, grace: Duration) {
        match self.state.get() {
            State::Exited => return,
            State::Created => {
                self.ended(137, "Error", "");
                return;
            }
            State::Running => {}
        }
        self.sim.sleep(self.sim.jitter(self.pace.signal, JITTER)).await;
        if !grace.is_zero() {
            let signal = signals::parse(&self.image.config.stop_signal).unwrap_or(signals::TERM);
            self.jail.signal(signal);
            if self.sim.timeout(grace, self.jail.wait()).await.is_ok() {
                self.sim.yield_now().await; // lets the watching task note the end
                return;
            }
        }
        self.kill();
        self.jail.wait().await;
        self.sim.yield_now().await;
    }

    /// SIGKILL to everything.
    pub(super) fn kill(&self) {
        self.jail.kill_all();
    }

    /// Starts a further process.
    pub(super) fn exec(&self, argv: Vec<String>, tty: bool, stdin: bool) -> Result<ExecSession, String> {
        if self.state.get() != State::Running {
            return Err(format!("container not running ({})", self.id));
        }
        let ((stdout, stdout_writer), (stderr, stderr_writer)) = (pipe(), pipe());
        let mut input: Option<Box<dyn InputSink>> = None;
        let mut terminal = None;
        let fds = if tty {
            let new = Tty::new(Output::Pipe(stdout_writer));
            if stdin {
                input = Some(Box::new(TtyInput(Rc::clone(&new))));
            }
            let description = Description::new(Kind::Tty(Rc::clone(&new)));
            terminal = Some(new);
            drop(stderr_writer);
            (0..3).map(|fd| (fd, Rc::clone(&description))).collect()
        } else {
            let first = if stdin {
                let (reader, writer) = pipe();
                input = Some(Box::new(PipeInput { pipe: writer, closes: true }));
                Kind::PipeReader(reader)
            } else {
                Kind::Null
            };
            vec![
                (0, Description::new(first)),
                (1, Description::new(Kind::PipeWriter(stdout_writer))),
                (2, Description::new(Kind::PipeWriter(stderr_writer))),
            ]
        };
        let request = SpawnRequest {
            path: None,
            argv: argv.into_iter().map(Bytes::from).collect(),
            env: self.env(tty),
            files: self.view(),
            fds,
            tty: terminal.clone(),
            parent: 0,
            ignored: Vec::new(),
        };
        let proc = match self.jail.spawn(request) {
            Ok(proc) => proc,
            Err(error) => {
                let words = format!(
                    "OCI runtime exec failed: exec failed: unable to start container process: {error}: unknown"
                );
                return Ok(refused(words, 126));
            }
        };
        if let Some(tty) = terminal.clone() {
            let leader = Rc::clone(&proc);
            self.sim.spawn(async move {
                leader.wait().await;
                tty.close();
            });
        }
        let (resized, killed) = (terminal, Rc::clone(&proc));
        Ok(ExecSession {
            stdin: input,
            stdout: stream(stdout),
            stderr: if tty { nothing() } else { stream(stderr) },
            exit: async move { proc.wait().await }.boxed_local(),
            resize: Rc::new(move |columns, rows| {
                if let Some(tty) = &resized {
                    tty.resize(columns, rows);
                }
            }),
            kill: Rc::new(move || killed.deliver(signals::KILL, true)),
        })
    }

    /// Joins the streams of the first process.
    ///
    /// When the session's input ends, so does a session that cannot pass that end on (a terminal, or an input that
    /// outlives sessions), as docker's does; the container goes on.
    pub(super) fn attach(&self, stdin: bool) -> Result<ExecSession, String> {
        if self.state.get() != State::Running {
            return Err(format!("container not running ({})", self.id));
        }
        let ((stdout, stdout_writer), (stderr, stderr_writer)) = (pipe(), pipe());
        let left = Signal::new();
        let (pipes, told) = ([stdout_writer.clone(), stderr_writer.clone()], left.clone());
        let leaving = || Leaving { pipes, left: told };
        self.log.attach(stdout_writer, stderr_writer);
        let input: Option<Box<dyn InputSink>> = match (&self.tty, self.stdin.borrow().clone()) {
            _ if !stdin || !self.config.stdin => None,
            (Some(tty), _) => Some(Box::new(Left(TtyInput(Rc::clone(tty)), leaving()))),
            (None, Some(pipe)) if self.config.stdin_once => Some(Box::new(PipeInput { pipe, closes: true })),
            (None, Some(pipe)) => Some(Box::new(Left(PipeInput { pipe, closes: false }, leaving()))),
            (None, None) => None,
        };
        let (jail, tty) = (Rc::clone(&self.jail), self.tty.clone());
        let exit = async move {
            futures_util::select_biased! {
                status = Box::pin(jail.wait()).fuse() => status.code(),
                () = Box::pin(left.wait()).fuse() => 0,
            }
        };
        Ok(ExecSession {
            stdin: input,
            stdout: stream(stdout),
            stderr: if self.tty.is_some() { nothing() } else { stream(stderr) },
            exit: exit.boxed_local(),
            resize: Rc::new(move |columns, rows| {
                if let Some(tty) = &tty {
                    tty.resize(columns, rows);
                }
            }),
            kill: Rc::new(|| {}), // leaving a session does not end the container
        })
    }
}
