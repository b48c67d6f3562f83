//! The contract between a program and the world, and the engines that keep it.
//!
//! An engine runs a module until it blocks, is out of fuel or ends. It never calls the kernel from inside the guest: a
//! host function notes its arguments and suspends; the arguments are decoded into an owned [`Syscall`], the kernel
//! answers, and the answer is written on resume. So the kernel knows no engine, and an engine knows no kernel.
//!
//! Invariants:
//! * Nothing a guest does panics or hangs the host.
//! * A suspended process can be dropped at any time.
//! * Fuel is comparable only within one engine: never mix engines in one recording.

#[cfg(feature = "wasmtime")]
mod traced;
mod wasmi;
#[cfg(all(feature = "wasmtime", not(target_family = "wasm")))]
mod wasmtime;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use thiserror::Error;
use vfs::Vfs;

#[cfg(feature = "wasmtime")]
pub use traced::{Lines, TracedEngine};
pub use wasmi::WasmiEngine;
#[cfg(all(feature = "wasmtime", not(target_family = "wasm")))]
pub use wasmtime::WasmtimeEngine;

use crate::abi::{Reply, Syscall};

/// Bytes that `memory.copy` and its kin move for one unit of fuel.
const BYTES_COPIED_PER_FUEL: u32 = 64;
/// Bytes moved by a call for one unit of fuel.
const BYTES_PER_FUEL: u64 = 8;
/// Fuel that a call with bad arguments costs.
const FUEL_OF_REFUSAL: u64 = 200;
/// Elements of a table.
const TABLE_ELEMENTS_MAX: usize = 1_000_000;
/// Tables of an instance.
const TABLES_MAX: usize = 16;

/// An engine explains over several lines; an error message has one.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Why [`Process::run`] came back.
#[derive(Debug)]
pub enum Step {
    /// The call would block. Run again when something has changed: it is asked again first.
    Blocked(Rc<Syscall>),
    /// The fuel is used up. Run again to go on.
    OutOfFuel,
    /// Ended by itself with this code.
    Exited(i32),
    /// Ended by a trap.
    Trapped(Trap),
}

/// How a program can be ended by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The memory limit was hit.
    Oom,
    /// `unreachable`: abort or panic.
    Unreachable,
    /// Too many calls deep.
    StackOverflow,
    /// Anything else, with the engine's words.
    Other(String),
}

impl Trap {
    /// The exit code that a Linux container would show.
    pub fn exit_code(&self) -> i32 {
        match self {
            Trap::Oom => 137,                            // 128 + SIGKILL
            Trap::Unreachable => 134,                    // 128 + SIGABRT
            Trap::StackOverflow | Trap::Other(_) => 139, // 128 + SIGSEGV
        }
    }
}

/// Why bytes are no program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// Not a WebAssembly module.
    #[error("not a WebAssembly module")]
    NotWasm,
    /// A component: this runtime runs modules.
    #[error("WebAssembly components are not supported, only modules for WASI preview 1")]
    Component,
    /// Truncated, invalid or using a proposal that is not supported.
    #[error("{0}")]
    Invalid(String),
    /// An import that nobody offers.
    #[error("unknown import {0}")]
    Import(String),
    /// No `_start` function or no exported memory.
    #[error("no export {0}")]
    Export(&'static str),
}

/// Why a loaded module could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpawnError {
    /// The memory that it asks for at the start is above the limit.
    #[error("out of memory")]
    Oom,
    /// The engine's words.
    #[error("{0}")]
    Other(String),
}

/// The memory of a container: what its processes use together, and the limit.
pub struct MemoryBudget {
    used: Cell<u64>,
    files: RefCell<Vec<Vfs>>,
    peak: Cell<u64>,
    limit: Cell<u64>,
    exceeded: Cell<bool>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Rc<Self> {
        Rc::new(MemoryBudget {
            used: Cell::new(0),
            files: RefCell::default(),
            peak: Cell::new(0),
            limit: Cell::new(limit),
            exceeded: Cell::new(false),
        })
    }

    /// Takes `bytes`; false, and remembered, when that is more than there is.
    pub fn take(&self, bytes: u64) -> bool {
        let used = self.used.get().saturating_add(bytes);
        if used.saturating_add(self.in_files()) > self.limit.get() {
            self.exceeded.set(true);
            return false;
        }
        self.used.set(used);
        self.peak.set(self.peak.get().max(used));
        true
    }

    /// Gives `bytes` back.
    pub fn give_back(&self, bytes: u64) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }

    /// From now on trees of files that lie in memory count too, as the pages of a tmpfs do.
    pub fn count_files(&self, trees: Vec<Vfs>) {
        self.files.replace(trees);
    }

    fn in_files(&self) -> u64 {
        self.files.borrow().iter().map(|tree| tree.usage().bytes).sum()
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.used.get().saturating_add(self.in_files())
    }

    /// The most that was ever in use.
    pub fn peak(&self) -> u64 {
        self.peak.get()
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit.get()
    }

    /// From now on `limit` bytes. What is in use stays.
    pub fn set_limit(&self, limit: u64) {
        self.limit.set(limit);
    }

    /// Whether someone asked for more than there was.
    pub fn was_exceeded(&self) -> bool {
        self.exceeded.get()
    }
}

/// Runs WebAssembly.
pub trait Engine {
    /// Checks and prepares a program; once for each image.
    ///
    /// # Errors
    /// When it is no program that this runtime can run.
    fn load(&self, bytes: &[u8]) -> Result<Rc<dyn Module>, LoadError>;
}

/// A program that can be started many times.
pub trait Module {
    /// Starts an instance; nothing of it runs before [`Process::run`].
    ///
    /// # Errors
    /// When its first memory is above the limit, or the engine refuses.
    fn spawn(&self, budget: &Rc<MemoryBudget>) -> Result<Box<dyn Process>, SpawnError>;
}

/// A running instance.
pub trait Process {
    /// Runs until something happens. At least one instruction is executed even if `fuel` is too little for it.
    fn run(&mut self, fuel: u64, kernel: &mut dyn Kernel) -> Step;
    /// Fuel used since the start.
    fn fuel_used(&self) -> u64;
    /// Bytes of linear memory.
    fn memory_bytes(&self) -> u64;
}

/// Answers what programs ask.
pub trait Kernel {
    /// Tells how much fuel this run has used so far: the clock inside a slice.
    fn advance(&mut self, fuel: u64);
    /// Answers a call; none = it would block, and nothing has happened that a second asking would repeat.
    fn syscall(&mut self, call: &Syscall) -> Option<Reply>;
}
