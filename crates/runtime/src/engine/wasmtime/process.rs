//! A running instance: polls the guest's future and answers what lies on the desk.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasmtime::{Engine, InstancePre, Store, UpdateDeadline};

use super::super::{
    BYTES_COPIED_PER_FUEL, BYTES_PER_FUEL, Kernel, MemoryBudget, Process, SpawnError, Step, Trap, first_line,
};
use super::UNITS_PER_YIELD;
use super::desk::{Answer, Asked, Desk, Host, Limiter, TANK_UNITS};
use crate::abi::Syscall;

/// A guest from its instantiation to its end.
type Program = Pin<Box<dyn Future<Output = wasmtime::Result<()>>>>;

pub(super) struct WasmtimeProcess {
    /// None = it has ended.
    program: Option<Program>,
    engine: Engine,
    desk: Desk,
    budget: Rc<MemoryBudget>,
    memory_bytes: u64,
    /// The call that waits for its answer.
    asked: Option<Rc<Syscall>>,
}

impl WasmtimeProcess {
    /// Instantiates a module; nothing of it runs yet.
    pub(super) fn start(module: InstancePre<Host>, budget: &Rc<MemoryBudget>) -> Result<Self, SpawnError> {
        let desk = Desk::default();
        let engine = module.module().engine().clone();
        let program: Program = Box::pin(live(module, desk.clone()));
        let budget = Rc::clone(budget);
        let mut process =
            WasmtimeProcess { program: Some(program), engine, desk, budget, memory_bytes: 0, asked: None };
        loop {
            match process.poll() {
                Poll::Pending => {}
                Poll::Ready(_) if process.desk.is_out_of_memory() => return Err(SpawnError::Oom),
                Poll::Ready(Err(error)) => return Err(SpawnError::Other(words(&error))),
                Poll::Ready(Ok(())) => return Err(SpawnError::Other("ended before its start".into())),
            }
            match process.desk.take_asked() {
                Some(Asked::Memory(more)) => {
                    process.grant(more);
                }
                Some(Asked::Start) => {
                    process.desk.answer(Answer::Go);
                    return Ok(process);
                }
                Some(Asked::Call(_)) => return Err(SpawnError::Other("a call before the start".into())),
                None => {} // copying the data of a large module
            }
        }
    }

    fn poll(&mut self) -> Poll<wasmtime::Result<()>> {
        let Some(program) = &mut self.program else { return Poll::Ready(Err(wasmtime::format_err!("already ended"))) };
        let polled = program.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_ready() {
            self.program = None;
        }
        polled
    }

    /// Answers a wish for memory; the bytes that were given.
    fn grant(&mut self, more: u64) -> u64 {
        let is_granted = self.budget.take(more);
        let given = if is_granted { more } else { 0 };
        self.memory_bytes += given;
        self.desk.answer(Answer::Memory(is_granted));
        given
    }

    fn trap(&self, error: &wasmtime::Error) -> Trap {
        if self.desk.is_out_of_memory() {
            return Trap::Oom;
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::UnreachableCodeReached) => Trap::Unreachable,
            Some(wasmtime::Trap::StackOverflow) => Trap::StackOverflow,
            _ => Trap::Other(words(error)),
        }
    }
}

impl Drop for WasmtimeProcess {
    fn drop(&mut self) {
        self.program = None;
        self.budget.give_back(self.memory_bytes);
    }
}

impl Process for WasmtimeProcess {
    fn run(&mut self, fuel: u64, kernel: &mut dyn Kernel) -> Step {
        let begun = self.fuel_used();
        let mut has_run = false;
        loop {
            if let Some(syscall) = &self.asked {
                kernel.advance(self.fuel_used() - begun);
                let Some(reply) = kernel.syscall(syscall) else { return Step::Blocked(Rc::clone(syscall)) };
                self.desk.burn(reply.len() as u64 / BYTES_PER_FUEL);
                self.desk.answer(Answer::Reply(reply));
                self.asked = None;
            }
            // Behind the answer, which waits on the desk: a guest that does nothing but ask has no other end to its turn.
            if has_run && self.fuel_used() - begun >= fuel {
                return Step::OutOfFuel;
            }
            has_run = true;
            match self.poll() {
                Poll::Ready(Ok(())) => return Step::Exited(0),
                Poll::Ready(Err(error)) => return Step::Trapped(self.trap(&error)),
                Poll::Pending => {}
            }
            match self.desk.take_asked() {
                Some(Asked::Call(syscall)) => {
                    self.desk.burn(syscall.fuel());
                    if let Syscall::Exit(code) = syscall {
                        self.program = None;
                        return Step::Exited(code);
                    }
                    self.asked = Some(Rc::new(syscall));
                }
                Some(Asked::Memory(more)) => {
                    let given = self.grant(more);
                    self.desk.burn(given / u64::from(BYTES_COPIED_PER_FUEL));
                }
                Some(Asked::Start) => self.desk.answer(Answer::Go),
                None => {
                    self.desk.yielded();
                    self.engine.increment_epoch();
                }
            }
        }
    }

    fn fuel_used(&self) -> u64 {
        self.desk.fuel_used()
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

/// The whole life of a guest.
async fn live(module: InstancePre<Host>, desk: Desk) -> wasmtime::Result<()> {
    let limiter = Limiter { desk: desk.clone(), taken: 0 };
    let mut store = Store::new(module.module().engine(), Host { desk: desk.clone(), memory: None, limiter });
    store.limiter_async(|host| &mut host.limiter);
    store.fuel_async_yield_interval(Some(UNITS_PER_YIELD))?;
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let left = store.get_fuel()?;
        store.data().desk.read_gauge(left);
        store.set_fuel(TANK_UNITS)?;
        Ok(UpdateDeadline::Continue(1))
    });
    store.set_fuel(TANK_UNITS)?;
    let instance = module.instantiate_async(&mut store).await?;
    let memory = instance.get_memory(&mut store, "memory");
    store.data_mut().memory = memory;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    desk.ask(Asked::Start).await;
    store.set_fuel(TANK_UNITS)?; // what came before cost nothing
    let ended = start.call_async(&mut store, ()).await;
    desk.read_gauge(store.get_fuel()?);
    ended
}

/// What went wrong, in wasmi's words: a container's message must not tell which engine it ran on.
fn words(error: &wasmtime::Error) -> String {
    use wasmtime::Trap as T;
    let words = match error.downcast_ref::<T>() {
        Some(T::UnreachableCodeReached) => "wasm `unreachable` instruction executed",
        Some(T::MemoryOutOfBounds) => "out of bounds memory access",
        Some(T::TableOutOfBounds) => "undefined element: out of bounds table access",
        Some(T::IndirectCallToNull) => "uninitialized element 2",
        Some(T::IntegerDivisionByZero) => "integer divide by zero",
        Some(T::IntegerOverflow) => "integer overflow",
        Some(T::BadConversionToInteger) => "invalid conversion to integer",
        Some(T::StackOverflow) => "call stack exhausted",
        Some(T::BadSignature) => "indirect call type mismatch",
        _ => return first_line(&error.root_cause().to_string()),
    };
    words.to_owned()
}
