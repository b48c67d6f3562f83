//! What a suspended guest asks, what it is answered, and what it has spent: the desk between a process and its future.
//!
//! The future cannot reach the process, nor the process the store inside the future; both reach the desk.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use wasmtime::{Caller, Memory, ResourceLimiterAsync};

use super::super::{FUEL_OF_REFUSAL, TABLE_ELEMENTS_MAX, TABLES_MAX};
use super::{UNITS_PER_FUEL, UNITS_PER_YIELD};
use crate::abi::{self, Call, Reply, Syscall};

/// Units in a store. A guest spends what is in it between two of its calls, so it is never empty.
pub(super) const TANK_UNITS: u64 = u64::MAX / 4;

/// What a guest waits for.
pub(super) enum Asked {
    /// It is instantiated and nothing of it has run yet.
    Start,
    /// An answer of the kernel.
    Call(Syscall),
    /// So many bytes of memory more.
    Memory(u64),
}

/// What it is told.
pub(super) enum Answer {
    /// Go on.
    Go,
    /// The kernel's reply.
    Reply(Reply),
    /// Whether there is as much memory.
    Memory(bool),
}

#[derive(Default)]
struct Slots {
    asked: Option<Asked>,
    answer: Option<Answer>,
    /// Fuel that the host has taken.
    host_fuel: u64,
    /// Units spent up to the last moment at which the store was looked into.
    units: u64,
    /// Units since then, by the number of yields.
    units_since: u64,
    is_out_of_memory: bool,
}

/// The desk of one process.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Mutex<Slots>>);

impl Desk {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- the guest's side ---

    /// Suspends until there is an answer.
    pub(super) async fn ask(&self, asked: Asked) -> Answer {
        self.slots().asked = Some(asked);
        poll_fn(|_| self.slots().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// The store has this much left of [`TANK_UNITS`].
    pub(super) fn read_gauge(&self, left: u64) {
        let mut slots = self.slots();
        slots.units += TANK_UNITS.saturating_sub(left);
        slots.units_since = 0;
    }

    // --- the process' side ---

    /// What the guest waits for; none = it only wants to go on.
    pub(super) fn take_asked(&self) -> Option<Asked> {
        self.slots().asked.take()
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.slots().answer = Some(answer);
    }

    /// Notes that the guest came back for no other reason than its fuel.
    pub(super) fn yielded(&self) {
        self.slots().units_since += UNITS_PER_YIELD;
    }

    /// Takes fuel for something done by the host.
    pub(super) fn burn(&self, fuel: u64) {
        self.slots().host_fuel += fuel;
    }

    /// Fuel used since the start.
    pub(super) fn fuel_used(&self) -> u64 {
        let slots = self.slots();
        slots.host_fuel + (slots.units + slots.units_since) / UNITS_PER_FUEL
    }

    pub(super) fn is_out_of_memory(&self) -> bool {
        self.slots().is_out_of_memory
    }
}

/// What belongs to one instance.
pub(super) struct Host {
    pub(super) desk: Desk,
    pub(super) memory: Option<Memory>,
    pub(super) limiter: Limiter,
}

/// Answers one call of the guest, on its stack: decodes, suspends, encodes.
pub(super) async fn serve(mut caller: Caller<'_, Host>, call: Call, args: Vec<u64>) -> wasmtime::Result<u16> {
    let desk = caller.data().desk.clone();
    desk.read_gauge(caller.get_fuel()?);
    caller.set_fuel(TANK_UNITS)?;
    let Some(memory) = caller.data().memory else { wasmtime::bail!("a call before the start") };
    let (syscall, out) = match abi::decode(call, &args, memory.data(&caller)) {
        Ok(decoded) => decoded,
        Err(errno) => {
            desk.burn(FUEL_OF_REFUSAL);
            return Ok(errno.number());
        }
    };
    match desk.ask(Asked::Call(syscall)).await {
        Answer::Reply(reply) => Ok(abi::encode(&out, reply, memory.data_mut(&mut caller))),
        Answer::Go | Answer::Memory(_) => wasmtime::bail!("an answer to something else"),
    }
}

/// Asks the process about memory: the budget of a container is not the guest's to see.
pub(super) struct Limiter {
    pub(super) desk: Desk,
    pub(super) taken: u64,
}

type Verdict<'a> = Pin<Box<dyn Future<Output = wasmtime::Result<bool>> + Send + 'a>>;

impl ResourceLimiterAsync for Limiter {
    fn memory_growing<'a, 'b>(&'a mut self, _: usize, wanted: usize, max: Option<usize>) -> Verdict<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            if max.is_some_and(|max| wanted > max) {
                return Ok(false);
            }
            let more = (wanted as u64).saturating_sub(self.taken);
            if !matches!(self.desk.ask(Asked::Memory(more)).await, Answer::Memory(true)) {
                // -1 would look like a crash of the program; the trap is told apart by this flag.
                self.desk.slots().is_out_of_memory = true;
                wasmtime::bail!("out of memory");
            }
            self.taken += more;
            Ok(true)
        })
    }

    fn table_growing<'a, 'b>(&'a mut self, _: usize, wanted: usize, max: Option<usize>) -> Verdict<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move { Ok(wanted <= max.unwrap_or(TABLE_ELEMENTS_MAX).min(TABLE_ELEMENTS_MAX)) })
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
