//! The wasmtime engine: machine code instead of an interpreter, for the native command alone.
//!
//! A guest is a future that owns its store and runs on a stack of its own (wasmtime's fibres). It is suspended where it
//! asks something ([`desk`]) and after every [`UNITS_PER_YIELD`]; dropping the future ends it.
//!
//! Where it yields nobody can look into its store, and one instruction may have moved megabytes. So the engine's epoch ticks
//! then, and the first thing that the guest does when it goes on is to tell what it has spent.
//!
//! Invariants:
//! * What is a program, and the words for what is none, are wasmi's: every module passes that engine first.
//! * Fuel is counted by the same prices as wasmi's, though not at the same places (docs/decisions/0021-two-engines.md).
//! * Nothing here is shared between threads. `Send` and `Sync`, which wasmtime's interface asks for, are met by a lock
//!   that nobody ever waits for.

mod desk;
mod process;

use std::rc::Rc;

use thiserror::Error;
use wasmtime::{Config, ExternType, FuncType, InstancePre, Linker, OperatorCost, OptLevel, Val, ValType};

use self::desk::{Host, serve};
use self::process::WasmtimeProcess;
use super::{
    BYTES_COPIED_PER_FUEL, Engine, LoadError, MemoryBudget, Module, Process, SpawnError, WasmiEngine, first_line,
};
use crate::abi::{self, Call, Width};

/// Wasmtime counts in whole numbers, and moving a byte costs less than one unit of fuel: its unit is the price of a byte.
const UNITS_PER_FUEL: u64 = BYTES_COPIED_PER_FUEL as u64;
/// What a guest runs without looking up: a fifth of a millisecond of CPU time. It bounds by how much a slice is overdrawn.
const UNITS_PER_YIELD: u64 = 10_000 * UNITS_PER_FUEL;
/// Bytes of one guest's own stack; more is a stack overflow. Room for as many calls as wasmi allows.
const STACK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes beyond them for what the host does on the same stack.
const STACK_BYTES_OF_HOST: usize = 1024 * 1024;

/// The machine that this runs on cannot run the engine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("wasmtime: {0}")]
pub struct Unavailable(String);

/// The engine. Make one and share it.
pub struct WasmtimeEngine {
    gate: WasmiEngine,
    engine: wasmtime::Engine,
}

impl WasmtimeEngine {
    /// An engine with the settings that suspension and equal prices need.
    ///
    /// # Errors
    /// When wasmtime has no code generator for this machine. Trying again does not help.
    pub fn new() -> Result<Self, Unavailable> {
        let mut config = Config::new();
        config
            .consume_fuel(true)
            .epoch_interruption(true)
            .operator_cost(prices())
            .cranelift_opt_level(OptLevel::Speed)
            .max_wasm_stack(STACK_BYTES_MAX)
            .async_stack_size(STACK_BYTES_MAX + STACK_BYTES_OF_HOST)
            .wasm_backtrace_max_frames(None)
            // The proposals that wasmi has, and no others.
            .wasm_simd(false)
            .wasm_relaxed_simd(false)
            .wasm_memory64(false)
            .wasm_gc(false)
            .wasm_function_references(false)
            .wasm_exceptions(false)
            .wasm_tail_call(true)
            .wasm_multi_memory(false)
            .wasm_custom_page_sizes(true)
            .wasm_extended_const(true);
        let engine = wasmtime::Engine::new(&config).map_err(|e| Unavailable(first_line(&e.to_string())))?;
        Ok(WasmtimeEngine { gate: WasmiEngine::new(), engine })
    }
}

/// The prices of wasmi in units: an operator costs one fuel or nothing, bulk operations also by what they move.
fn prices() -> OperatorCost {
    const UNITS: u8 = UNITS_PER_FUEL as u8;
    macro_rules! in_units {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($arity:tt)*))*) => {{
            let mut cost = OperatorCost::new();
            $( cost.$op *= UNITS; )*
            cost
        }};
    }
    let mut cost = wasmtime::wasmparser::for_each_operator!(in_units);
    let of_element = size_of::<u64>() as u8; // bytes
    cost.variable.table_copy_per_element = of_element;
    cost.variable.table_fill_per_element = of_element;
    cost.variable.table_init_per_element = of_element;
    cost.variable.table_grow_per_element = of_element;
    cost
}

impl Engine for WasmtimeEngine {
    fn load(&self, bytes: &[u8]) -> Result<Rc<dyn Module>, LoadError> {
        self.gate.load(bytes)?;
        let invalid = |e: wasmtime::Error| LoadError::Invalid(first_line(&e.to_string()));
        let module = wasmtime::Module::new(&self.engine, bytes).map_err(invalid)?;
        let mut linker = Linker::new(&self.engine);
        linker.allow_shadowing(true); // a module may import one function twice: the second definition is the same
        for import in module.imports() {
            let name = format!("{}.{}", import.module(), import.name());
            let ExternType::Func(ty) = import.ty() else { return Err(LoadError::Import(name)) };
            let call = find(import.module(), import.name(), &ty).ok_or(LoadError::Import(name))?;
            define(&mut linker, import.module(), import.name(), ty, call).map_err(invalid)?;
        }
        let program = linker.instantiate_pre(&module).map_err(invalid)?;
        Ok(Rc::new(WasmtimeModule { program }))
    }
}

fn find(module: &str, name: &str, ty: &FuncType) -> Option<Call> {
    let width = |t: ValType| match t {
        ValType::I32 => Some(Width::I32),
        ValType::I64 => Some(Width::I64),
        _ => None,
    };
    let params: Option<Vec<Width>> = ty.params().map(width).collect();
    let results: Vec<ValType> = ty.results().collect();
    let returns = match results[..] {
        [] => false,
        [ValType::I32] => true,
        _ => return None,
    };
    abi::find(module, name, &params?, returns)
}

fn define(linker: &mut Linker<Host>, module: &str, name: &str, ty: FuncType, call: Call) -> wasmtime::Result<()> {
    linker.func_new_async(module, name, ty, move |caller, params, results| {
        let args = params.iter().map(|v| match v {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            _ => 0, // `find` let only integers through
        });
        let args: Vec<u64> = args.collect();
        Box::new(async move {
            let errno = serve(caller, call, args).await?;
            if let Some(result) = results.first_mut() {
                *result = Val::I32(i32::from(errno));
            }
            Ok(())
        })
    })?;
    Ok(())
}

struct WasmtimeModule {
    program: InstancePre<Host>,
}

impl Module for WasmtimeModule {
    fn spawn(&self, budget: &Rc<MemoryBudget>) -> Result<Box<dyn Process>, SpawnError> {
        Ok(Box::new(WasmtimeProcess::start(self.program.clone(), budget)?))
    }
}
