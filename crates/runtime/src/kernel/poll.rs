//! Calls that may wait: reading, writing, accepting, connecting and `poll_oneoff`.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use simulation::Time;
use vfs::Errno;

use super::fd::{self, Description, Kind};
use super::{Answer, Kernel};
use crate::abi::{Event, Interest, Reply, Subscription, SubscriptionKind, Syscall};

fn count(n: usize) -> Reply {
    Reply::U32(u32::try_from(n).unwrap_or(u32::MAX))
}

impl Kernel<'_> {
    /// Does what may block; a non-blocking descriptor and a timeout turn waiting into `EAGAIN`.
    pub(super) fn transfer(&mut self, call: &Syscall) -> Answer {
        let (Syscall::Read { fd, .. }
        | Syscall::Write { fd, .. }
        | Syscall::SockRecv { fd, .. }
        | Syscall::SockAccept { fd, .. }
        | Syscall::SockConnect { fd, .. }) = call
        else {
            return Some(Err(Errno::NotSupportedCall));
        };
        let description = match self.description(*fd) {
            Ok(description) => description,
            Err(errno) => return Some(Err(errno)),
        };
        let answer = match call {
            Syscall::Read { max, offset, .. } => self.read(&description, *max, *offset),
            Syscall::Write { bytes, offset, .. } => self.write(&description, bytes, *offset),
            Syscall::SockRecv { max, peek, .. } => self.receive(&description, *max, *peek),
            Syscall::SockAccept { flags, .. } => self.accept(&description, *flags),
            Syscall::SockConnect { address, .. } => match &description.kind {
                Kind::Socket(socket) => {
                    socket.connect(*address, !description.is_nonblocking()).map(|result| result.map(|()| Reply::Ok))
                }
                _ => Some(Err(Errno::NotSocket)),
            },
            _ => None,
        };
        if answer.is_some() {
            return answer;
        }
        if description.is_nonblocking() {
            return Some(Err(Errno::Again));
        }
        let timeout = match &description.kind {
            Kind::Socket(socket) if matches!(call, Syscall::Write { .. }) => socket.send_timeout.get(),
            Kind::Socket(socket) => socket.receive_timeout.get(),
            _ => None,
        };
        match timeout {
            Some(timeout) if self.past(self.asked_at() + timeout) => Some(Err(Errno::Again)),
            _ => None,
        }
    }

    fn read(&self, description: &Description, max: usize, offset: Option<u64>) -> Answer {
        let seekable = matches!(description.kind, Kind::File(_) | Kind::Directory { .. });
        if offset.is_some() && !seekable {
            return Some(Err(Errno::BadSeek));
        }
        match &description.kind {
            Kind::File(file) => {
                let at = offset.unwrap_or(description.offset.get());
                Some(file.read_at(at, max).map(|bytes| {
                    if offset.is_none() && file.device().is_none() {
                        description.offset.set(at + bytes.len() as u64);
                    }
                    Reply::Bytes(bytes)
                }))
            }
            Kind::Directory { .. } => Some(Err(Errno::IsDirectory)),
            Kind::PipeReader(pipe) => pipe.try_read(max).map(|bytes| Ok(Reply::Bytes(bytes))),
            Kind::Tty(tty) => tty.try_read(max).map(|bytes| Ok(Reply::Bytes(bytes))),
            Kind::Socket(_) => self.receive(description, max, false),
            Kind::Null => Some(Ok(Reply::Bytes(Bytes::new()))),
            Kind::PipeWriter(_) | Kind::Sink(_) => Some(Err(Errno::BadFd)),
        }
    }

    fn write(&self, description: &Description, bytes: &Bytes, offset: Option<u64>) -> Answer {
        if offset.is_some() && !matches!(description.kind, Kind::File(_)) {
            return Some(Err(Errno::BadSeek));
        }
        match &description.kind {
            Kind::File(file) => {
                let at = offset.unwrap_or(description.offset.get());
                let append = description.flags.get() & fd::APPEND != 0 && offset.is_none();
                let written = if append { file.append(bytes) } else { file.write_at(at, bytes) };
                Some(written.map(|n| {
                    if offset.is_none() && file.device().is_none() {
                        description.offset.set(if append { file.len() } else { at + n as u64 });
                    }
                    count(n)
                }))
            }
            Kind::Directory { .. } => Some(Err(Errno::IsDirectory)),
            Kind::PipeWriter(pipe) => pipe.try_write(bytes).map(|result| result.map(count)),
            Kind::Tty(tty) => tty.try_write(bytes).map(|result| result.map(count)),
            Kind::Socket(socket) => socket.send(bytes).map(|result| result.map(count)),
            Kind::Sink(sink) => {
                sink.write(bytes);
                Some(Ok(count(bytes.len())))
            }
            Kind::Null => Some(Ok(count(bytes.len()))),
            Kind::PipeReader(_) => Some(Err(Errno::BadFd)),
        }
    }

    fn receive(&self, description: &Description, max: usize, peek: bool) -> Answer {
        let Kind::Socket(socket) = &description.kind else { return Some(Err(Errno::NotSocket)) };
        socket.receive(max, peek).map(|result| {
            result.map(|(bytes, from)| match from {
                Some(from) => Reply::Datagram(bytes, from),
                None => Reply::Bytes(bytes),
            })
        })
    }

    fn accept(&self, description: &Description, flags: u16) -> Answer {
        let Kind::Socket(socket) = &description.kind else { return Some(Err(Errno::NotSocket)) };
        socket.accept().map(|result| {
            let accepted = Description::new(Kind::Socket(result?));
            accepted.flags.set(flags & fd::NONBLOCK);
            self.proc.fds.borrow_mut().add(accepted).map(Reply::U32)
        })
    }

    pub(super) fn poll(&mut self, subscriptions: &[Subscription]) -> Answer {
        let asked_at = self.asked_at();
        let events: Vec<Event> = subscriptions.iter().filter_map(|s| self.event(s, asked_at)).collect();
        if events.is_empty() { None } else { Some(Ok(Reply::Events(events))) }
    }

    /// What has happened to one subscription; none = nothing yet.
    fn event(&self, subscription: &Subscription, asked_at: Time) -> Option<Event> {
        let event = |kind: u8, error: Option<Errno>, bytes: u64, hangup: bool| {
            Some(Event { userdata: subscription.userdata, error, kind, bytes, hangup })
        };
        match &subscription.kind {
            SubscriptionKind::Clock { id, timeout, absolute } => {
                let deadline = match (*id, *absolute) {
                    (0, true) => Time::from_nanos(i64::try_from(*timeout).unwrap_or(i64::MAX)),
                    (1, true) => {
                        let boot = self.jail.sim.now() - self.jail.sim.elapsed();
                        boot + Duration::from_nanos(*timeout)
                    }
                    (0 | 1, false) => asked_at + Duration::from_nanos(*timeout),
                    _ => return event(0, Some(Errno::Invalid), 0, false),
                };
                if self.past(deadline) { event(0, None, 0, false) } else { None }
            }
            SubscriptionKind::Fd { fd, interest } => {
                let kind = if *interest == Interest::Read { 1 } else { 2 };
                match self.description(*fd) {
                    Err(errno) => event(kind, Some(errno), 0, false),
                    Ok(description) => {
                        let (ready, bytes, hangup) = readiness(&description, *interest);
                        if ready { event(kind, None, bytes, hangup) } else { None }
                    }
                }
            }
        }
    }
}

/// Whether a descriptor is ready, how many bytes at least, and whether the other side is gone.
fn readiness(description: &Rc<Description>, interest: Interest) -> (bool, u64, bool) {
    let reads = interest == Interest::Read;
    match &description.kind {
        Kind::File(file) => (true, file.len().saturating_sub(description.offset.get()), false),
        Kind::Directory { .. } | Kind::Sink(_) | Kind::Null => (true, 0, false),
        Kind::PipeReader(pipe) => (pipe.is_readable(), pipe.available() as u64, pipe.is_hung_up()),
        Kind::PipeWriter(pipe) => (pipe.is_writable(), pipe.room() as u64, pipe.is_broken()),
        Kind::Tty(tty) if reads => (tty.is_readable(), 1, false),
        Kind::Tty(tty) => (tty.is_writable(), 1, false),
        Kind::Socket(socket) if reads => (socket.is_readable(), 1, false),
        Kind::Socket(socket) => (socket.is_writable(), 1, false),
    }
}
