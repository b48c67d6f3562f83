//! An engine around another one that writes down what programs ask and are answered, and how they end: two engines run a
//! program alike when what is written is the same.
//!
//! Fuel is comparable only within one engine, and with it goes the time at which anything happens. So here a call costs
//! always the same, computing costs nothing, and turns end after so many calls: whatever the engine inside, the same things
//! happen at the same virtual times, or the engines differ.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};
use std::rc::Rc;

use super::{Engine, Kernel, LoadError, MemoryBudget, Module, Process, SpawnError, Step};
use crate::abi::{Reply, Syscall};
use crate::limits::FUEL_PER_SLICE;

/// What a call costs, with all that was computed before it: 40 microseconds.
const FUEL_PER_CALL: u64 = 2_000;
/// Calls of one turn.
const CALLS_PER_TURN: u64 = FUEL_PER_SLICE / FUEL_PER_CALL;
/// Fuel of the engine inside between two calls. Who computes longer is taken for one who never ends.
const FUEL_PER_COMPUTATION: u64 = 250_000_000;
/// Bytes of one line that are kept; all of it counts.
const LINE_BYTES_KEPT: usize = 160;

/// What was written down.
pub type Lines = Rc<RefCell<Vec<String>>>;

/// The engine.
pub struct TracedEngine {
    inner: Rc<dyn Engine>,
    lines: Lines,
    started: Rc<Cell<u32>>,
}

impl TracedEngine {
    /// An engine that writes to `lines` what programs on `inner` do.
    pub fn new(inner: Rc<dyn Engine>, lines: &Lines) -> Self {
        TracedEngine { inner, lines: Rc::clone(lines), started: Rc::default() }
    }
}

impl Engine for TracedEngine {
    fn load(&self, bytes: &[u8]) -> Result<Rc<dyn Module>, LoadError> {
        let inner = self.inner.load(bytes).inspect_err(|e| note(&self.lines, format_args!("refused: {e}")))?;
        Ok(Rc::new(TracedModule { inner, lines: Rc::clone(&self.lines), started: Rc::clone(&self.started) }))
    }
}

struct TracedModule {
    inner: Rc<dyn Module>,
    lines: Lines,
    started: Rc<Cell<u32>>,
}

impl Module for TracedModule {
    fn spawn(&self, budget: &Rc<MemoryBudget>) -> Result<Box<dyn Process>, SpawnError> {
        let inner = self.inner.spawn(budget).inspect_err(|e| note(&self.lines, format_args!("not started: {e}")))?;
        self.started.set(self.started.get() + 1);
        let (lines, number) = (Rc::clone(&self.lines), self.started.get());
        Ok(Box::new(TracedProcess { inner, lines, number, fuel: 0 }))
    }
}

struct TracedProcess {
    inner: Box<dyn Process>,
    lines: Lines,
    number: u32,
    fuel: u64,
}

impl Process for TracedProcess {
    fn run(&mut self, _: u64, kernel: &mut dyn Kernel) -> Step {
        let mut witness = Witness { kernel, lines: &self.lines, number: self.number, calls: 0, is_over: false };
        let step = self.inner.run(FUEL_PER_COMPUTATION, &mut witness);
        self.fuel += witness.calls * FUEL_PER_CALL;
        let is_over = witness.is_over;
        let memory = self.inner.memory_bytes();
        match &step {
            Step::Blocked(_) if is_over => return Step::OutOfFuel,
            Step::Blocked(_) => {}
            Step::OutOfFuel => self.fuel += FUEL_PER_COMPUTATION,
            Step::Exited(_) | Step::Trapped(_) => {
                // So that one who traps again and again makes time pass.
                self.fuel += FUEL_PER_CALL;
                note(&self.lines, format_args!("{} {step:?} with {memory} bytes", self.number));
            }
        }
        step
    }

    fn fuel_used(&self) -> u64 {
        self.fuel
    }

    fn memory_bytes(&self) -> u64 {
        self.inner.memory_bytes()
    }
}

/// Stands between a program and the kernel.
struct Witness<'a> {
    kernel: &'a mut dyn Kernel,
    lines: &'a Lines,
    number: u32,
    calls: u64,
    is_over: bool,
}

impl Kernel for Witness<'_> {
    fn advance(&mut self, _: u64) {
        self.kernel.advance(self.calls * FUEL_PER_CALL);
    }

    fn syscall(&mut self, call: &Syscall) -> Option<Reply> {
        if self.calls == CALLS_PER_TURN {
            self.is_over = true;
            return None;
        }
        let reply = self.kernel.syscall(call)?;
        self.calls += 1;
        note(self.lines, format_args!("{} {call:?} = {reply:?}", self.number));
        Some(reply)
    }
}

/// Writes a line: its beginning, and a sum over all of it.
fn note(lines: &Lines, words: fmt::Arguments<'_>) {
    let mut line = Line { kept: String::new(), sum: 0xcbf2_9ce4_8422_2325 };
    let _ = line.write_fmt(words); // a line takes everything
    lines.borrow_mut().push(format!("{} #{:x}", line.kept, line.sum));
}

/// Text that may be long: FNV-1a over it.
struct Line {
    kept: String,
    sum: u64,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.kept.len() < LINE_BYTES_KEPT {
            self.kept.push_str(text);
        }
        for byte in text.bytes() {
            self.sum = (self.sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
