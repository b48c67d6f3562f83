//! The task that gives a process its turns.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use simulation::Time;

use super::{Exit, Jail, Proc};
use crate::abi::Syscall;
use crate::engine::{Process, Step, Trap};
use crate::kernel::{self, Kernel, fuel_time};
use crate::limits::CPU_AHEAD_MAX;

/// Runs a process to its end.
pub(super) async fn run(jail: &Rc<Jail>, proc: &Rc<Proc>, program: &mut dyn Process) -> Exit {
    let sim = &jail.sim;
    loop {
        if let Some(signal) = proc.killed.get() {
            return Exit::Signal(signal);
        }
        if proc.busy_until.get().saturating_since(sim.now()) > CPU_AHEAD_MAX {
            sleep_until(jail, proc, proc.busy_until.get()).await;
            continue;
        }
        jail.read_meter();
        let fuel = match jail.cpu.grant(sim.now()) {
            Ok(fuel) => fuel,
            Err(until) => {
                sleep_until(jail, proc, until).await;
                continue;
            }
        };
        let start = sim.now().max(proc.busy_until.get());
        let before = program.fuel_used();
        let step = program.run(fuel, &mut Kernel::new(jail, proc, start));
        let used = program.fuel_used() - before;
        jail.cpu.charge(used);
        proc.fuel.set(proc.fuel.get() + used);
        proc.memory.set(program.memory_bytes());
        proc.busy_until.set(start + fuel_time(used));
        let exit = match step {
            Step::OutOfFuel => {
                sleep_until(jail, proc, proc.busy_until.get()).await;
                continue;
            }
            Step::Blocked(call) => {
                wait(jail, proc, &call).await;
                continue;
            }
            Step::Exited(code) => Exit::Code(code & 0xff),
            Step::Trapped(Trap::Oom) => Exit::Oom,
            Step::Trapped(trap) => {
                jail.report_trap(proc, &trap);
                Exit::Code(trap.exit_code())
            }
        };
        // The end is seen when the CPU time that led to it has passed.
        sleep_until(jail, proc, proc.busy_until.get()).await;
        return proc.killed.get().map_or(exit, Exit::Signal);
    }
}

/// Sleeps; a kill ends it early.
async fn sleep_until(jail: &Jail, proc: &Proc, until: Time) {
    let mut sleep = jail.sim.sleep_until(until);
    poll_fn(|cx| {
        if proc.killed.get().is_some() {
            return Poll::Ready(());
        }
        proc.waiters.register(cx);
        Future::poll(Pin::new(&mut sleep), cx)
    })
    .await;
}

/// Waits until asking again makes sense.
async fn wait(jail: &Jail, proc: &Proc, call: &Syscall) {
    let mut sleep = proc.waiting.deadline.get().map(|at| jail.sim.sleep_until(at));
    let mut is_registered = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_registered, true) {
            return Poll::Ready(());
        }
        kernel::register(proc, call, cx);
        match &mut sleep {
            Some(sleep) => Future::poll(Pin::new(sleep), cx),
            None => Poll::Pending,
        }
    })
    .await;
}
