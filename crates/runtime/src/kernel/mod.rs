//! What programs are answered: files, pipes, sockets, terminals, clocks and processes. Plain Rust; no engine is known.
//!
//! A call that would block gives no answer and changes nothing that a second asking would repeat; the process's task
//! then waits for one of the things that the call is about.

mod fd;
mod files;
mod pipe;
mod poll;
mod processes;
pub mod signals;
mod socket;
#[cfg(test)]
mod tests;
mod tty;

use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use simulation::Time;
use vfs::Errno;

pub(crate) use fd::ROOT_FD;
pub use fd::{Description, FdTable, Kind};
pub use pipe::{PipeReader, PipeWriter, pipe};
pub(crate) use socket::Later;
pub use tty::{Output, Sink, Tty};

use crate::abi::{Reply, Syscall};
use crate::engine;
use crate::limits::FUEL_PER_CPU_SECOND;
use crate::process::{Jail, Proc};

/// None = would block.
type Answer = Option<Result<Reply, Errno>>;

/// The virtual CPU time that fuel stands for.
pub fn fuel_time(fuel: u64) -> Duration {
    let nanos = u128::from(fuel) * 1_000_000_000 / u128::from(FUEL_PER_CPU_SECOND);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The kernel as one process sees it during one slice.
pub(crate) struct Kernel<'a> {
    pub(crate) jail: &'a Rc<Jail>,
    pub(crate) proc: &'a Rc<Proc>,
    /// The process's own present at the start of the slice.
    start: Time,
    now: Time,
    fuel: u64,
}

impl<'a> Kernel<'a> {
    pub(crate) fn new(jail: &'a Rc<Jail>, proc: &'a Rc<Proc>, start: Time) -> Self {
        Kernel { jail, proc, start, now: start, fuel: 0 }
    }

    fn description(&self, fd: u32) -> Result<Rc<Description>, Errno> {
        self.proc.fds.borrow().get(fd).map(Rc::clone)
    }

    fn socket<T>(&self, fd: u32, f: impl FnOnce(&socket::Socket) -> Result<T, Errno>) -> Result<T, Errno> {
        match &self.description(fd)?.kind {
            Kind::Socket(socket) => f(socket),
            _ => Err(Errno::NotSocket),
        }
    }

    /// When the call that is being asked again was asked first.
    fn asked_at(&self) -> Time {
        self.proc.waiting.since.get().unwrap_or(self.now)
    }

    /// Blocks until `deadline` at the latest: true when it has passed.
    fn past(&self, deadline: Time) -> bool {
        if self.now >= deadline {
            return true;
        }
        let earliest = self.proc.waiting.deadline.get().map_or(deadline, |d| d.min(deadline));
        self.proc.waiting.deadline.set(Some(earliest));
        false
    }

    fn answer(&mut self, call: &Syscall) -> Answer {
        use Syscall as S;
        let reply = match call {
            S::Args => Ok(Reply::Strings(Arc::clone(&self.proc.argv))),
            S::Env => Ok(Reply::Strings(Arc::clone(&self.proc.env))),
            S::Random { length } => {
                let mut bytes = vec![0; *length];
                self.jail.sim.random_bytes(&mut bytes);
                Ok(Reply::Bytes(bytes.into()))
            }
            S::ClockResolution { clock } => {
                if *clock < 4 {
                    Ok(Reply::U64(1))
                } else {
                    Err(Errno::Invalid)
                }
            }
            S::ClockTime { clock } => self.clock(*clock),
            S::Yield => {
                if !self.proc.waiting.yielded.replace(true) {
                    return None;
                }
                self.proc.waiting.yielded.set(false);
                Ok(Reply::Ok)
            }
            S::Exit(_) => Ok(Reply::Ok), // the engine ends the process
            S::Poll { subscriptions } => return self.poll(subscriptions),
            S::Read { .. } | S::Write { .. } | S::SockRecv { .. } | S::SockAccept { .. } | S::SockConnect { .. } => {
                return self.transfer(call);
            }
            S::Resolve { name } => return self.resolve(name),
            S::Wait { pid, no_hang } => return self.wait(*pid, *no_hang),
            S::SockOpen { .. }
            | S::SockBind { .. }
            | S::SockListen { .. }
            | S::SockSendTo { .. }
            | S::SockShutdown { .. }
            | S::SockAddress { .. }
            | S::SockSetOption { .. }
            | S::SockGetOption { .. } => self.socket_call(call),
            S::Hostname
            | S::Spawn { .. }
            | S::Kill { .. }
            | S::Getpid
            | S::Getppid
            | S::ProcList
            | S::Getuid
            | S::Getgroups
            | S::TtyGet { .. }
            | S::TtySet { .. }
            | S::SignalHandle { .. }
            | S::SignalTake
            | S::Raise { .. } => self.process_call(call),
            _ => self.file_call(call),
        };
        Some(reply)
    }

    fn clock(&self, clock: u32) -> Result<Reply, Errno> {
        let nanos = match clock {
            0 => self.now.as_nanos(),
            1 => i64::try_from(self.jail.sim.elapsed().as_nanos()).unwrap_or(i64::MAX) + self.ahead(),
            2 | 3 => i64::try_from(fuel_time(self.proc.fuel.get() + self.fuel).as_nanos()).unwrap_or(i64::MAX),
            _ => return Err(Errno::Invalid),
        };
        Ok(Reply::U64(u64::try_from(nanos).unwrap_or(0)))
    }

    /// How far the process's present is ahead of the world's, in ns.
    fn ahead(&self) -> i64 {
        self.now.as_nanos() - self.jail.sim.now().as_nanos()
    }

    fn socket_call(&mut self, call: &Syscall) -> Result<Reply, Errno> {
        match call {
            Syscall::SockOpen { family, kind } => {
                if *family != 1 {
                    return Err(Errno::AddressFamily);
                }
                let is_stream = match kind {
                    1 => false,
                    2 => true,
                    _ => return Err(Errno::ProtocolNotSupported),
                };
                let socket = socket::Socket::new(&self.jail.net, is_stream);
                self.add(Kind::Socket(socket))
            }
            Syscall::SockBind { fd, address } => self.socket(*fd, |s| s.bind(*address)).map(|()| Reply::Ok),
            Syscall::SockListen { fd } => self.socket(*fd, socket::Socket::listen).map(|()| Reply::Ok),
            Syscall::SockSendTo { fd, bytes, address } => {
                let sent = self.socket(*fd, |s| s.send_to(bytes, *address))?;
                Ok(Reply::U32(u32::try_from(sent).unwrap_or(u32::MAX)))
            }
            Syscall::SockShutdown { fd, how } => {
                self.socket(*fd, |s| s.shut_down(how & 1 != 0, how & 2 != 0)).map(|()| Reply::Ok)
            }
            Syscall::SockAddress { fd, peer } => self.socket(*fd, |s| s.address(*peer)).map(Reply::Address),
            Syscall::SockSetOption { fd, name, value } => self.set_option(*fd, *name, value),
            Syscall::SockGetOption { fd, name } => self.socket(*fd, |s| {
                Ok(Reply::U32(match name {
                    1 => {
                        if s.is_stream {
                            2
                        } else {
                            1
                        }
                    }
                    2 => s.take_error().map_or(0, |e| u32::from(e.number())),
                    _ => 0,
                }))
            }),
            _ => Err(Errno::NotSupportedCall),
        }
    }

    /// SO_RCVTIMEO and SO_SNDTIMEO have an effect, the others are accepted.
    fn set_option(&self, fd: u32, name: u32, value: &Bytes) -> Result<Reply, Errno> {
        let word = |at: usize| -> Option<u64> { Some(u64::from_le_bytes(value.get(at..at + 8)?.try_into().ok()?)) };
        self.socket(fd, |s| {
            let slot = match name {
                11 => &s.receive_timeout,
                12 => &s.send_timeout,
                _ => return Ok(Reply::Ok),
            };
            let (seconds, micros) = (word(0).ok_or(Errno::Invalid)?, word(8).ok_or(Errno::Invalid)?);
            let time = Duration::from_secs(seconds.min(1 << 32)) + Duration::from_micros(micros.min(1 << 32));
            slot.set((!time.is_zero()).then_some(time));
            Ok(Reply::Ok)
        })
    }

    fn add(&self, kind: Kind) -> Result<Reply, Errno> {
        self.proc.fds.borrow_mut().add(Description::new(kind)).map(Reply::U32)
    }

    fn resolve(&mut self, name: &str) -> Answer {
        let later = {
            let mut slot = self.proc.waiting.resolving.borrow_mut();
            let start = || {
                let (net, name) = (self.jail.net.clone(), name.to_owned());
                Later::start(&self.jail.sim, async move { net.resolve(&name).await })
            };
            Rc::clone(slot.get_or_insert_with(start))
        };
        later.take().map(|result| result.map(Reply::Addresses))
    }
}

impl engine::Kernel for Kernel<'_> {
    fn advance(&mut self, fuel: u64) {
        self.fuel = fuel;
        self.now = self.start + fuel_time(fuel);
    }

    fn syscall(&mut self, call: &Syscall) -> Option<Reply> {
        self.proc.waiting.deadline.set(None);
        let answer = self.answer(call);
        let reply = match answer {
            Some(Ok(reply)) => reply,
            Some(Err(errno)) => Reply::Errno(errno),
            None if self.proc.interrupted.take() => Reply::Errno(Errno::Interrupted),
            None => {
                self.proc.waiting.since.set(Some(self.asked_at()));
                return None;
            }
        };
        self.proc.waiting.clear();
        Some(reply)
    }
}

/// Wakes the current task when an answer to `call` may have become possible.
pub(crate) fn register(proc: &Proc, call: &Syscall, cx: &Context<'_>) {
    proc.waiters.register(cx);
    let on_fd = |fd: u32| {
        if let Ok(description) = proc.fds.borrow().get(fd) {
            description.register(cx);
        }
    };
    match call {
        Syscall::Read { fd, .. }
        | Syscall::Write { fd, .. }
        | Syscall::SockRecv { fd, .. }
        | Syscall::SockAccept { fd, .. }
        | Syscall::SockConnect { fd, .. } => on_fd(*fd),
        Syscall::Poll { subscriptions } => {
            for subscription in subscriptions {
                if let crate::abi::SubscriptionKind::Fd { fd, .. } = subscription.kind {
                    on_fd(fd);
                }
            }
        }
        Syscall::Resolve { .. } => {
            if let Some(later) = &*proc.waiting.resolving.borrow() {
                later.register(cx);
            }
        }
        Syscall::Yield => cx.waker().wake_by_ref(),
        _ => {}
    }
}
