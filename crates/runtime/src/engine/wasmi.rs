//! The wasmi engine: an interpreter that suspends at host calls and at the end of its fuel, in the tab and natively.

use std::fmt;
use std::rc::Rc;

use wasmi::errors::HostError;
use wasmi::{
    CompilationMode, Config, CustomFuelCosts, Error, ExternType, Func, FuncType, Linker, Memory, ResourceLimiter,
    ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel, Store, TrapCode, Val, ValType,
};
use wasmi_core::LimiterError;

use super::{
    BYTES_COPIED_PER_FUEL, BYTES_PER_FUEL, Engine, FUEL_OF_REFUSAL, Kernel, LoadError, MemoryBudget, Module, Process,
    SpawnError, Step, TABLE_ELEMENTS_MAX, TABLES_MAX, Trap, first_line,
};
use crate::abi::{self, Call, Out, Reply, Syscall, Width};
use vfs::Errno;

/// Calls deep; more is a stack overflow.
const CALLS_DEEP_MAX: usize = 20_000;
/// Cells (of eight bytes) of one process's value stack; more is a stack overflow.
const STACK_CELLS_MAX: usize = 1_000_000;
/// Stacks kept for the next process.
const STACKS_CACHED_MAX: usize = 16;
/// Fuel for instantiation, which copies data segments and runs no code.
const FUEL_OF_INSTANTIATION: u64 = 1 << 40;

/// The engine. Make one and share it.
pub struct WasmiEngine {
    engine: wasmi::Engine,
}

impl Default for WasmiEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl WasmiEngine {
    /// An engine with the settings that suspension needs.
    pub fn new() -> Self {
        let mut config = Config::default();
        config
            .consume_fuel(true)
            .compilation_mode(CompilationMode::LazyTranslation)
            .allow_start_fn(false)
            .wasm_multi_memory(false)
            // Programs that only wait say in bytes how little memory they need.
            .wasm_custom_page_sizes(true)
            .set_max_recursion_depth(CALLS_DEEP_MAX)
            .set_max_stack_height(STACK_CELLS_MAX)
            .set_max_cached_stacks(STACKS_CACHED_MAX)
            // Running out of fuel while translating is not resumable, so translating is free.
            .fuel_cost(CustomFuelCosts {
                bytes_copied_per_fuel: BYTES_COPIED_PER_FUEL,
                fuel_per_bytes_translated: 0,
                fuel_per_bytes_validated: 0,
            });
        WasmiEngine { engine: wasmi::Engine::new(&config) }
    }
}

impl Engine for WasmiEngine {
    fn load(&self, bytes: &[u8]) -> Result<Rc<dyn Module>, LoadError> {
        match bytes.get(..8) {
            Some(b"\0asm\x01\0\0\0") => {}
            Some([0, b'a', b's', b'm', _, _, 1, 0]) => return Err(LoadError::Component),
            _ => return Err(LoadError::NotWasm),
        }
        let module =
            wasmi::Module::new(&self.engine, bytes).map_err(|e| LoadError::Invalid(first_line(&e.to_string())))?;
        let mut linker = Linker::new(&self.engine);
        for import in module.imports() {
            let name = format!("{}.{}", import.module(), import.name());
            let ExternType::Func(ty) = import.ty() else { return Err(LoadError::Import(name)) };
            let call = find(import.module(), import.name(), ty).ok_or(LoadError::Import(name))?;
            define(&mut linker, import.module(), import.name(), ty, call);
        }
        match module.get_export("_start") {
            Some(ExternType::Func(ty)) if ty.params().is_empty() && ty.results().is_empty() => {}
            _ => return Err(LoadError::Export("_start")),
        }
        match module.get_export("memory") {
            Some(ExternType::Memory(_)) => {}
            _ => return Err(LoadError::Export("memory")),
        }
        Ok(Rc::new(WasmiModule { engine: self.engine.clone(), module, linker }))
    }
}

fn find(module: &str, name: &str, ty: &FuncType) -> Option<Call> {
    let width = |t: &ValType| match t {
        ValType::I32 => Some(Width::I32),
        ValType::I64 => Some(Width::I64),
        _ => None,
    };
    let params: Option<Vec<Width>> = ty.params().iter().map(width).collect();
    let returns = match ty.results() {
        [] => false,
        [ValType::I32] => true,
        _ => return None,
    };
    abi::find(module, name, &params?, returns)
}

fn define(linker: &mut Linker<Host>, module: &str, name: &str, ty: &FuncType, call: Call) {
    let suspend = move |mut caller: wasmi::Caller<'_, Host>, params: &[Val], _: &mut [Val]| {
        let args = params.iter().map(|v| match v {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            _ => 0, // `find` let only integers through
        });
        let args = args.collect();
        caller.data_mut().asked = Some((call, args));
        Err(Error::host(Suspended))
    };
    // A module may import one function twice: the second definition is the same.
    let _ = linker.func_new(module, name, ty.clone(), suspend);
}

/// The "error" by which a host function suspends the guest.
#[derive(Debug)]
struct Suspended;
impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("suspended")
    }
}
impl HostError for Suspended {}

/// What belongs to one instance.
struct Host {
    asked: Option<(Call, Vec<u64>)>,
    limiter: Limiter,
}

struct Limiter {
    budget: Rc<MemoryBudget>,
    taken: u64,
    exceeded: bool,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, wanted: usize, max: Option<usize>) -> Result<bool, LimiterError> {
        if max.is_some_and(|max| wanted > max) {
            return Ok(false);
        }
        // Not `wanted - current`: a large growth asks here, then runs out of fuel, and asks again when it is resumed.
        let more = (wanted as u64).saturating_sub(self.taken);
        if !self.budget.take(more) {
            // -1 would look like a crash of the program; the trap is told apart by this flag.
            self.exceeded = true;
            return Err(LimiterError::ResourceLimiterDeniedAllocation);
        }
        self.taken += more;
        Ok(true)
    }
    fn table_growing(&mut self, _: usize, wanted: usize, max: Option<usize>) -> Result<bool, LimiterError> {
        Ok(wanted <= max.unwrap_or(TABLE_ELEMENTS_MAX).min(TABLE_ELEMENTS_MAX))
    }
    fn instances(&self) -> usize {
        1
    }
    fn tables(&self) -> usize {
        TABLES_MAX
    }
    fn memories(&self) -> usize {
        1
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}

struct WasmiModule {
    engine: wasmi::Engine,
    module: wasmi::Module,
    linker: Linker<Host>,
}

impl Module for WasmiModule {
    fn spawn(&self, budget: &Rc<MemoryBudget>) -> Result<Box<dyn Process>, SpawnError> {
        let limiter = Limiter { budget: Rc::clone(budget), taken: 0, exceeded: false };
        let mut store = Store::new(&self.engine, Host { asked: None, limiter });
        store.limiter(|host| &mut host.limiter);
        let other = |e: &Error| SpawnError::Other(first_line(&e.to_string()));
        store.set_fuel(FUEL_OF_INSTANTIATION).map_err(|e| other(&e))?;
        let instance = match self.linker.instantiate_and_start(&mut store, &self.module) {
            Ok(instance) => instance,
            Err(_) if store.data().limiter.exceeded => return Err(SpawnError::Oom),
            Err(e) => return Err(other(&e)),
        };
        let start = instance.get_func(&store, "_start").ok_or(SpawnError::Other("no export _start".into()))?;
        let memory = instance.get_memory(&store, "memory").ok_or(SpawnError::Other("no export memory".into()))?;
        Ok(Box::new(WasmiProcess { store, memory, state: State::New(start), required: 0, used: 0 }))
    }
}

/// A call that waits for its answer.
type Asked = Result<(Rc<Syscall>, Out), Errno>;

enum State {
    New(Func),
    /// Inside a host function.
    Asked(ResumableCallHostTrap, Asked),
    OutOfFuel(ResumableCallOutOfFuel),
    Ended,
}

struct WasmiProcess {
    store: Store<Host>,
    memory: Memory,
    state: State,
    /// The next instruction needs at least this much fuel.
    required: u64,
    used: u64,
}

impl WasmiProcess {
    fn fuel_left(&self) -> u64 {
        self.store.get_fuel().unwrap_or(0)
    }

    /// Takes fuel for something done by the host.
    fn burn(&mut self, fuel: u64) {
        let left = self.fuel_left().saturating_sub(fuel);
        let _ = self.store.set_fuel(left); // metering is always on
    }

    /// Goes on for as long as the kernel answers at once.
    fn go(&mut self, granted: u64, kernel: &mut dyn Kernel) -> Step {
        loop {
            let outcome = match std::mem::replace(&mut self.state, State::Ended) {
                State::New(start) => start.call_resumable(&mut self.store, &[], &mut []),
                State::OutOfFuel(call) => call.resume(&mut self.store, &mut []),
                State::Asked(call, asked) => {
                    let errno = match &asked {
                        Err(errno) => errno.number(),
                        Ok((syscall, _)) if matches!(**syscall, Syscall::Exit(_)) => {
                            let Syscall::Exit(code) = **syscall else { continue };
                            return Step::Exited(code);
                        }
                        Ok((syscall, out)) => {
                            kernel.advance(granted.saturating_sub(self.fuel_left()));
                            match kernel.syscall(syscall) {
                                Some(reply) => self.answer(out, reply),
                                None => {
                                    let syscall = Rc::clone(syscall);
                                    self.state = State::Asked(call, asked);
                                    return Step::Blocked(syscall);
                                }
                            }
                        }
                    };
                    call.resume(&mut self.store, &[Val::I32(i32::from(errno))], &mut [])
                }
                State::Ended => return Step::Trapped(Trap::Other("already ended".into())),
            };
            match outcome {
                Ok(ResumableCall::Finished) => return Step::Exited(0),
                Ok(ResumableCall::HostTrap(call)) => {
                    let Some((what, args)) = self.store.data_mut().asked.take() else {
                        return Step::Trapped(Trap::Other("a host function failed".into()));
                    };
                    let asked = abi::decode(what, &args, self.memory.data(&self.store));
                    self.burn(asked.as_ref().map_or(FUEL_OF_REFUSAL, |(syscall, _)| syscall.fuel()));
                    self.state = State::Asked(call, asked.map(|(syscall, out)| (Rc::new(syscall), out)));
                }
                Ok(ResumableCall::OutOfFuel(call)) => {
                    self.required = call.required_fuel();
                    self.state = State::OutOfFuel(call);
                    return Step::OutOfFuel;
                }
                Err(error) => return Step::Trapped(self.trap(&error)),
            }
        }
    }

    fn answer(&mut self, out: &Out, reply: Reply) -> u16 {
        let bytes = reply.len() as u64;
        let errno = abi::encode(out, reply, self.memory.data_mut(&mut self.store));
        self.burn(bytes / BYTES_PER_FUEL);
        errno
    }

    fn trap(&self, error: &Error) -> Trap {
        if self.store.data().limiter.exceeded {
            return Trap::Oom;
        }
        match error.as_trap_code() {
            Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
            Some(TrapCode::StackOverflow) => Trap::StackOverflow,
            Some(TrapCode::OutOfSystemMemory) => Trap::Oom,
            _ => Trap::Other(first_line(&error.to_string())),
        }
    }
}

impl Process for WasmiProcess {
    fn run(&mut self, fuel: u64, kernel: &mut dyn Kernel) -> Step {
        let granted = fuel.max(self.required);
        self.required = 0;
        let _ = self.store.set_fuel(granted); // metering is always on
        let step = self.go(granted, kernel);
        self.used += granted.saturating_sub(self.fuel_left());
        step
    }

    fn fuel_used(&self) -> u64 {
        self.used
    }

    fn memory_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }
}
