//! Streams and listeners.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddrV4;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use simulation::notify::Waiters;

use crate::NetError;
use crate::fabric::FlowGuard;
use crate::journey::Watch;
use crate::limits::LISTEN_BACKLOG_CONNECTIONS_MAX;
use crate::netns::NsInner;
use crate::pipe::Pipe;

/// One end of a connection. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct TcpStream(pub(crate) Rc<End>);

pub(crate) struct End {
    pub(crate) rx: Rc<Pipe>,
    pub(crate) tx: Rc<Pipe>,
    pub(crate) local: SocketAddrV4,
    pub(crate) peer: SocketAddrV4,
    pub(crate) ns: Weak<NsInner>,
    pub(crate) closed: Cell<bool>,
    /// The client's end reports the flow's end when it goes.
    pub(crate) flow: RefCell<Option<FlowGuard>>,
    /// The client's end tells the packet trace what passes.
    pub(crate) watch: RefCell<Option<Watch>>,
    /// Local ports that connecting took are given back on close.
    pub(crate) ephemeral: bool,
}

impl End {
    pub(crate) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        let unread = self.rx.close_reader();
        if unread {
            // Linux answers unread data with RST instead of FIN.
            self.tx.send_reset(1);
        } else {
            self.tx.send_fin();
        }
        self.released();
    }

    pub(crate) fn abort(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.rx.close_reader();
        self.tx.send_reset(1);
        self.released();
    }

    fn released(&self) {
        self.watch.borrow_mut().take();
        self.flow.borrow_mut().take();
        if let Some(ns) = self.ns.upgrade() {
            ns.stream_closed(self.local, self.ephemeral);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

impl TcpStream {
    /// Up to `max` bytes that have arrived. `None` = would block; empty = the peer will send no more.
    pub fn try_read(&self, max: usize) -> Option<Result<Bytes, NetError>> {
        let read = self.0.rx.try_read(max);
        if let (Some(Ok(bytes)), Some(watch)) = (&read, &*self.0.watch.borrow()) {
            watch.read(bytes);
        }
        read
    }

    /// Takes as many bytes as there is room for. `None` = would block.
    pub fn try_write(&self, bytes: &[u8]) -> Option<Result<usize, NetError>> {
        let end = &self.0;
        if end.closed.get() || end.rx.is_reset() {
            return Some(Err(NetError::BrokenPipe));
        }
        if end.rx.is_given_up() {
            return Some(Err(NetError::TimedOut));
        }
        if end.tx.is_reader_closed() {
            // The peer's kernel answers data for a closed socket with a reset, which takes a round trip.
            end.rx.send_reset(2);
        }
        let written = end.tx.try_write(bytes);
        if let (Some(Ok(count)), Some(watch)) = (&written, &*end.watch.borrow()) {
            watch.wrote(&bytes[..*count]);
        }
        written
    }

    /// The number of the journey that this end began, in the packet trace; none at the end that accepted.
    pub fn journey(&self) -> Option<u64> {
        self.0.watch.borrow().as_ref().map(|watch| watch.id())
    }

    /// Wakes the current task at the next change of either direction. Check again before sleeping.
    pub fn register(&self, cx: &Context<'_>) {
        self.0.rx.readable.register(cx);
        self.0.tx.writable.register(cx);
    }

    /// Whether [`TcpStream::try_read`] would not block.
    pub fn is_readable(&self) -> bool {
        self.0.rx.is_readable()
    }

    /// Whether [`TcpStream::try_write`] would not block.
    pub fn is_writable(&self) -> bool {
        self.0.closed.get() || self.0.rx.is_reset() || self.0.rx.is_given_up() || self.0.tx.is_writable()
    }

    /// The next bytes; empty at the end.
    pub async fn read(&self) -> Result<Bytes, NetError> {
        poll_fn(|cx| match self.try_read(usize::MAX) {
            Some(result) => Poll::Ready(result),
            None => {
                self.0.rx.readable.register(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Writes everything, waiting for room.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), NetError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = poll_fn(|cx| match self.try_write(rest) {
                Some(result) => Poll::Ready(result),
                None => {
                    self.0.tx.writable.register(cx);
                    self.0.rx.readable.register(cx);
                    Poll::Pending
                }
            })
            .await?;
            rest = &rest[written..];
        }
        Ok(())
    }

    /// Sends FIN: the peer reads the end after what was written. Reading goes on.
    pub fn shutdown_write(&self) {
        self.0.tx.send_fin();
    }

    /// Closes both directions for every clone. Unread data makes the peer see a reset.
    pub fn close(&self) {
        self.0.close();
    }

    /// Closes with a reset.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Our address.
    pub fn local_addr(&self) -> SocketAddrV4 {
        self.0.local
    }

    /// The peer's address as this end sees it: a client of a Service sees the Service's.
    pub fn peer_addr(&self) -> SocketAddrV4 {
        self.0.peer
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpStream({} -> {})", self.0.local, self.0.peer)
    }
}

/// Accepts connections. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Listener(pub(crate) Rc<ListenerInner>);

pub(crate) struct ListenerInner {
    pub(crate) local: SocketAddrV4,
    pub(crate) ns: Weak<NsInner>,
    pub(crate) queue: RefCell<VecDeque<TcpStream>>,
    pub(crate) waiters: Waiters,
    pub(crate) closed: Cell<bool>,
}

impl ListenerInner {
    /// False when the backlog is full or the listener is closed.
    pub(crate) fn offer(&self, stream: TcpStream) -> bool {
        if self.closed.get() || self.queue.borrow().len() >= LISTEN_BACKLOG_CONNECTIONS_MAX {
            return false;
        }
        self.queue.borrow_mut().push_back(stream);
        self.waiters.wake_all();
        true
    }

    pub(crate) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        let waiting = std::mem::take(&mut *self.queue.borrow_mut());
        for stream in waiting {
            stream.abort();
        }
        if let Some(ns) = self.ns.upgrade() {
            ns.listener_closed(self.local);
        }
        self.waiters.wake_all();
    }
}

impl Drop for ListenerInner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Listener {
    /// The next connection. `None` = would block; an error when the listener is closed.
    pub fn try_accept(&self) -> Option<Result<TcpStream, NetError>> {
        if let Some(stream) = self.0.queue.borrow_mut().pop_front() {
            return Some(Ok(stream));
        }
        self.0.closed.get().then_some(Err(NetError::Down))
    }

    /// Waits for the next connection.
    pub async fn accept(&self) -> Result<TcpStream, NetError> {
        poll_fn(|cx| match self.try_accept() {
            Some(result) => Poll::Ready(result),
            None => {
                self.0.waiters.register(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Wakes the current task when a connection comes or the listener closes.
    pub fn register(&self, cx: &Context<'_>) {
        self.0.waiters.register(cx);
    }

    /// Whether [`Listener::try_accept`] would not block.
    pub fn is_readable(&self) -> bool {
        self.0.closed.get() || !self.0.queue.borrow().is_empty()
    }

    /// The address listened on; 0.0.0.0 for all.
    pub fn local_addr(&self) -> SocketAddrV4 {
        self.0.local
    }

    /// Stops listening; connections that were not accepted are reset.
    pub fn close(&self) {
        self.0.close();
    }
}
