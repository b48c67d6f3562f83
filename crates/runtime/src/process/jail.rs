//! What the processes of one container share: files, network, limits and each other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use network::NetNs;
use simulation::Sim;
use simulation::notify::Signal;
use vfs::Vfs;

use super::exec::{self, DEFAULT_PATH, ExecError};
use super::{Cpu, Loader, Meter, Proc, Reading, task};
use crate::engine::{MemoryBudget, SpawnError, Trap};
use crate::kernel::signals::{self, Disposition};
use crate::kernel::{Description, FdTable, Kind, ROOT_FD, Tty};
use crate::limits::{ARGUMENT_BYTES_MAX, CPU_MILLI_MAX, MEMORY_BYTES_MAX, PROCESSES_MAX};

/// What a jail is made from.
pub struct JailConfig {
    /// The world.
    pub sim: Sim,
    /// The root file system with its mounts.
    pub files: Vfs,
    /// The pod's network.
    pub net: NetNs,
    /// The pod's name.
    pub hostname: String,
    /// Where modules come from.
    pub loader: Rc<Loader>,
    /// Memory limit; none = [`MEMORY_BYTES_MAX`].
    pub memory_bytes: Option<u64>,
    /// CPU limit in thousandths; none = [`CPU_MILLI_MAX`].
    pub cpu_milli: Option<u64>,
}

/// How a process or a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself or by a trap.
    Code(i32),
    /// By a signal.
    Signal(u32),
    /// By the memory limit.
    Oom,
}

impl Exit {
    /// The exit code that a shell shows.
    pub fn code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal.cast_signed(),
            Exit::Oom => 137,
        }
    }
}

/// What a process is made from.
pub struct SpawnRequest {
    /// The file to run when it is not `argv[0]`.
    pub path: Option<String>,
    /// Arguments, the first being the name.
    pub argv: Vec<Bytes>,
    /// Environment as `NAME=value`.
    pub env: Vec<Bytes>,
    /// The files with working directory and identity.
    pub files: Vfs,
    /// Descriptors. 3 is set by the jail.
    pub fds: Vec<(u32, Rc<Description>)>,
    /// Its terminal.
    pub tty: Option<Rc<Tty>>,
    /// Its parent; 0 = the runtime.
    pub parent: u32,
    /// Signals that it ignores from the start.
    pub ignored: Vec<u32>,
}

/// The pid namespace, limits and surroundings of one container.
pub struct Jail {
    pub(crate) sim: Sim,
    pub(crate) files: Vfs,
    pub(crate) net: NetNs,
    pub(crate) hostname: String,
    pub(crate) cpu: Cpu,
    meter: Meter,
    budget: Rc<MemoryBudget>,
    loader: Rc<Loader>,
    processes: RefCell<BTreeMap<u32, Rc<Proc>>>,
    next_pid: Cell<u32>,
    exit: Cell<Option<Exit>>,
    ended: Signal,
    me: Weak<Jail>,
    trap: RefCell<Option<String>>,
}

impl Jail {
    /// An empty jail. The first process that is spawned is pid 1.
    pub fn new(config: JailConfig) -> Rc<Jail> {
        Rc::new_cyclic(|me| Jail {
            sim: config.sim,
            files: config.files,
            net: config.net,
            hostname: config.hostname,
            cpu: Cpu::new(config.cpu_milli.unwrap_or(CPU_MILLI_MAX)),
            meter: Meter::default(),
            budget: MemoryBudget::new(config.memory_bytes.unwrap_or(MEMORY_BYTES_MAX)),
            loader: config.loader,
            processes: RefCell::default(),
            next_pid: Cell::new(1),
            exit: Cell::new(None),
            ended: Signal::new(),
            me: me.clone(),
            trap: RefCell::default(),
        })
    }

    /// Starts a process.
    ///
    /// # Errors
    /// When the program is not found or cannot be run.
    pub fn spawn(&self, request: SpawnRequest) -> Result<Rc<Proc>, ExecError> {
        if self.exit.get().is_some() || self.processes.borrow().len() >= PROCESSES_MAX {
            return Err(ExecError::TooMany);
        }
        let size: usize = request.argv.iter().chain(&request.env).map(|s| s.len() + 1).sum();
        if size > ARGUMENT_BYTES_MAX {
            return Err(ExecError::TooBig);
        }
        let search = request.env.iter().find_map(|e| e.strip_prefix(b"PATH="));
        let search = search.map_or(DEFAULT_PATH.into(), |s| String::from_utf8_lossy(s));
        let program = exec::load(&self.loader, &request.files, request.path.as_deref(), &request.argv, &search)?;
        let process = match program.module.spawn(&self.budget) {
            Ok(process) => process,
            Err(SpawnError::Oom) => {
                self.out_of_memory();
                return Err(ExecError::Spawn(SpawnError::Oom));
            }
            Err(error) => return Err(ExecError::Spawn(error)),
        };
        let pid = self.next_pid.get();
        self.next_pid.set(pid + 1);
        let mut fds = FdTable::default();
        let root = Kind::Directory { path: "/".into(), listing: RefCell::default() };
        fds.set(ROOT_FD, Description::new(root));
        for (fd, description) in request.fds {
            fds.set(fd, description);
        }
        let tty = request.tty.or_else(|| fds.tty());
        if let Some(tty) = &tty {
            self.watch_terminal(tty);
        }
        let now = self.sim.now();
        let proc = Rc::new(Proc {
            pid,
            parent: Cell::new(request.parent),
            first_parent: request.parent,
            argv: program.argv.into(),
            env: request.env.into(),
            files: RefCell::new(request.files),
            fds: RefCell::new(fds),
            tty,
            dispositions: RefCell::new(request.ignored.into_iter().map(|s| (s, Disposition::Ignore)).collect()),
            pending: RefCell::default(),
            interrupted: Cell::new(false),
            killed: Cell::new(None),
            status: Cell::new(None),
            ended: Signal::new(),
            waiters: simulation::notify::Waiters::default(),
            waiting: Default::default(),
            busy_until: Cell::new(now),
            started: now,
            fuel: Cell::new(0),
            memory: Cell::new(process.memory_bytes()),
        });
        self.processes.borrow_mut().insert(pid, Rc::clone(&proc));
        self.start(Rc::clone(&proc), process);
        Ok(proc)
    }

    fn start(&self, proc: Rc<Proc>, mut process: Box<dyn crate::engine::Process>) {
        let jail = self.me.upgrade().expect("a jail lives in an Rc from the start");
        self.sim.spawn(async move {
            let exit = task::run(&jail, &proc, &mut *process).await;
            drop(process); // gives its memory back before anyone learns of the end
            jail.process_ended(&proc, exit);
        });
    }

    /// Ctrl-C on a terminal reaches the processes that have it.
    fn watch_terminal(&self, tty: &Rc<Tty>) {
        let (jail, terminal) = (self.me.clone(), Rc::downgrade(tty));
        tty.set_on_signal(Rc::new(move |signal| {
            if let (Some(jail), Some(terminal)) = (jail.upgrade(), terminal.upgrade()) {
                for proc in jail.processes() {
                    if proc.tty.as_ref().is_some_and(|t| Rc::ptr_eq(t, &terminal)) {
                        proc.deliver(signal, false);
                    }
                }
            }
        }));
    }

    fn process_ended(&self, proc: &Rc<Proc>, exit: Exit) {
        let closed = proc.fds.borrow_mut().clear();
        drop(closed);
        proc.memory.set(0);
        proc.status.set(Some(exit.code()));
        for child in self.children(proc.pid) {
            child.parent.set(1);
            if child.status.get().is_some() {
                self.reap(child.pid);
            }
        }
        if exit == Exit::Oom {
            // As with memory.oom.group, which the kubelet sets: the whole container goes.
            self.out_of_memory();
        }
        if proc.pid == 1 {
            let exit = if exit == Exit::Signal(signals::KILL) && self.budget.was_exceeded() { Exit::Oom } else { exit };
            self.exit.set(Some(exit));
            self.kill_all();
        }
        match self.find(proc.parent.get()).filter(|p| p.status.get().is_none()) {
            Some(parent) => {
                parent.waiters.wake_all();
                parent.deliver(signals::CHLD, false);
                if parent.pid == 1 && proc.parent.get() == 1 && proc.first_parent != 1 {
                    self.reap(proc.pid); // adopted: nobody knows to wait for it
                }
            }
            None => self.reap(proc.pid),
        }
        proc.ended.raise();
        if proc.pid == 1 {
            self.ended.raise();
        }
    }

    fn out_of_memory(&self) {
        self.kill_all();
    }

    /// Ends every process at once.
    pub fn kill_all(&self) {
        for proc in self.processes() {
            proc.deliver(signals::KILL, true);
        }
    }

    /// Sends a signal to pid 1 from outside.
    pub fn signal(&self, signal: u32) {
        if let Some(init) = self.find(1) {
            init.deliver(signal, true);
        }
    }

    pub(crate) fn report_trap(&self, proc: &Proc, trap: &Trap) {
        let name = proc.argv.first().map(|a| String::from_utf8_lossy(a).into_owned()).unwrap_or_default();
        let text = match trap {
            Trap::Unreachable => "aborted".to_owned(),
            Trap::StackOverflow => "stack overflow".to_owned(),
            Trap::Oom => "out of memory".to_owned(),
            Trap::Other(words) => words.clone(),
        };
        if proc.pid == 1 {
            *self.trap.borrow_mut() = Some(format!("{name}: {text}"));
        }
    }

    /// The words of the engine when pid 1 ended by a trap.
    pub fn trap(&self) -> Option<String> {
        self.trap.borrow().clone()
    }

    /// How pid 1 ended.
    pub fn exit(&self) -> Option<Exit> {
        self.exit.get()
    }

    /// Waits until pid 1 has ended.
    pub async fn wait(&self) -> Exit {
        self.ended.wait().await;
        self.exit.get().unwrap_or(Exit::Code(0))
    }

    /// The files, as root sees them.
    pub fn files(&self) -> &Vfs {
        &self.files
    }

    /// CPU use and limit.
    pub fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    /// Other limits, as in [`JailConfig`].
    pub fn set_limits(&self, memory_bytes: Option<u64>, cpu_milli: Option<u64>) {
        self.budget.set_limit(memory_bytes.unwrap_or(MEMORY_BYTES_MAX));
        self.cpu.set(cpu_milli.unwrap_or(CPU_MILLI_MAX));
    }

    /// Memory use and limit.
    pub fn memory(&self) -> &MemoryBudget {
        &self.budget
    }

    /// What was used up to the ends of the last two windows. Called before every turn too, so that use is told by time.
    pub fn read_meter(&self) -> [Reading; 2] {
        self.meter.tell(self.sim.now(), self.cpu.used(), self.budget.used());
        self.meter.readings()
    }

    pub(crate) fn find(&self, pid: u32) -> Option<Rc<Proc>> {
        self.processes.borrow().get(&pid).cloned()
    }

    /// All processes in the order of their numbers.
    pub fn processes(&self) -> Vec<Rc<Proc>> {
        self.processes.borrow().values().cloned().collect()
    }

    /// How many processes there are, with those that have ended and nobody has asked about.
    pub fn process_count(&self) -> u64 {
        self.processes.borrow().len() as u64
    }

    pub(crate) fn children(&self, pid: u32) -> Vec<Rc<Proc>> {
        self.processes.borrow().values().filter(|p| p.parent.get() == pid && p.pid != pid).cloned().collect()
    }

    /// The processes on the terminal of `proc`; without one, its descendants and itself.
    pub(crate) fn same_terminal(&self, proc: &Rc<Proc>) -> Vec<Rc<Proc>> {
        match &proc.tty {
            Some(tty) => {
                let on = |p: &Rc<Proc>| p.tty.as_ref().is_some_and(|t| Rc::ptr_eq(t, tty));
                self.processes().into_iter().filter(on).collect()
            }
            None => {
                let mut found = vec![Rc::clone(proc)];
                let mut next = 0;
                while let Some(parent) = found.get(next).map(|p| p.pid) {
                    found.extend(self.children(parent));
                    next += 1;
                }
                found
            }
        }
    }

    pub(crate) fn reap(&self, pid: u32) {
        self.processes.borrow_mut().remove(&pid);
    }
}
