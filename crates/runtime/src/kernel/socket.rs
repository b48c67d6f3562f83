//! Sockets of a guest over the pod's network namespace.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use network::{Listener, NetError, NetNs, TcpStream, UdpSocket};
use simulation::notify::Waiters;
use simulation::{Sim, Task};
use vfs::Errno;

/// Maps what the network says to errno.
pub(crate) fn errno(error: NetError) -> Errno {
    match error {
        NetError::Refused => Errno::ConnectionRefused,
        NetError::Unreachable | NetError::Down => Errno::HostUnreachable,
        NetError::TimedOut => Errno::TimedOut,
        NetError::Reset => Errno::ConnectionReset,
        NetError::BrokenPipe => Errno::BrokenPipe,
        NetError::AddrInUse => Errno::AddressInUse,
        NetError::AddrNotAvailable => Errno::AddressNotAvailable,
        NetError::MessageTooLong => Errno::MessageSize,
        NetError::TooManySockets => Errno::TooManyFiles,
        NetError::NameNotFound => Errno::NotFound,
        NetError::NameTryAgain => Errno::Again,
    }
}

/// The result of something that takes time, and who waits for it.
pub(crate) struct Later<T> {
    result: RefCell<Option<Result<T, Errno>>>,
    waiters: Waiters,
    work: RefCell<Option<Task<()>>>,
}

/// Who asked has gone: a socket that is closed while it connects sends no more first packets.
impl<T> Drop for Later<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            work.abort();
        }
    }
}

impl<T: 'static> Later<T> {
    /// Starts a task for it.
    pub(crate) fn start(sim: &Sim, task: impl Future<Output = Result<T, NetError>> + 'static) -> Rc<Self> {
        let (result, waiters, work) = Default::default();
        let later = Rc::new(Later { result, waiters, work });
        let weak = Rc::downgrade(&later);
        let work = sim.spawn(async move {
            let result = task.await.map_err(errno);
            if let Some(later) = weak.upgrade() {
                *later.result.borrow_mut() = Some(result);
                later.waiters.wake_all();
            }
        });
        *later.work.borrow_mut() = Some(work);
        later
    }

    pub(crate) fn take(&self) -> Option<Result<T, Errno>> {
        self.result.borrow_mut().take()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.result.borrow().is_some()
    }

    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.waiters.register(cx);
    }
}

enum State {
    New,
    Connecting(Rc<Later<TcpStream>>),
    Stream(TcpStream),
    Listener(Listener),
    Udp(UdpSocket, Option<SocketAddrV4>),
}

/// A socket.
pub struct Socket {
    net: NetNs,
    pub(crate) is_stream: bool,
    state: RefCell<State>,
    bound: Cell<Option<SocketAddrV4>>,
    error: Cell<Option<Errno>>,
    read_is_shut: Cell<bool>,
    /// What was looked at with MSG_PEEK and not taken.
    peeked: RefCell<Bytes>,
    pub(crate) receive_timeout: Cell<Option<Duration>>,
    pub(crate) send_timeout: Cell<Option<Duration>>,
}

/// None = would block.
pub(crate) type Attempt<T> = Option<Result<T, Errno>>;

const ANY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);

impl Socket {
    pub(crate) fn new(net: &NetNs, is_stream: bool) -> Self {
        Socket::with(net, is_stream, State::New)
    }

    fn with(net: &NetNs, is_stream: bool, state: State) -> Self {
        Socket {
            net: net.clone(),
            is_stream,
            state: RefCell::new(state),
            bound: Cell::new(None),
            error: Cell::new(None),
            read_is_shut: Cell::new(false),
            peeked: RefCell::default(),
            receive_timeout: Cell::new(None),
            send_timeout: Cell::new(None),
        }
    }

    pub(crate) fn bind(&self, at: SocketAddrV4) -> Result<(), Errno> {
        if !matches!(*self.state.borrow(), State::New) || self.bound.get().is_some() {
            return Err(Errno::Invalid);
        }
        if !self.is_stream {
            let socket = self.net.udp_bind(at).map_err(errno)?;
            *self.state.borrow_mut() = State::Udp(socket, None);
        }
        self.bound.set(Some(at));
        Ok(())
    }

    pub(crate) fn listen(&self) -> Result<(), Errno> {
        if !self.is_stream {
            return Err(Errno::NotSupported);
        }
        let mut state = self.state.borrow_mut();
        match *state {
            State::New => {
                let listener = self.net.listen(self.bound.get().unwrap_or(ANY)).map_err(errno)?;
                *state = State::Listener(listener);
                Ok(())
            }
            State::Listener(_) => Ok(()),
            _ => Err(Errno::Invalid),
        }
    }

    pub(crate) fn accept(&self) -> Attempt<Socket> {
        match &*self.state.borrow() {
            State::Listener(listener) => listener.try_accept().map(|accepted| {
                let stream = accepted.map_err(errno)?;
                Ok(Socket::with(&self.net, true, State::Stream(stream)))
            }),
            _ => Some(Err(Errno::Invalid)),
        }
    }

    /// Begins to connect, or gives the outcome. `waits` is false for a non-blocking socket.
    pub(crate) fn connect(&self, to: SocketAddrV4, waits: bool) -> Attempt<()> {
        if !self.is_stream {
            return Some(self.udp().map(|socket| *self.state.borrow_mut() = State::Udp(socket, Some(to))));
        }
        self.settle();
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        let mut state = self.state.borrow_mut();
        match &*state {
            State::New => {
                let net = self.net.clone();
                let later = Later::start(self.net.sim(), async move { net.connect(to).await });
                *state = State::Connecting(later);
                if waits { None } else { Some(Err(Errno::InProgress)) }
            }
            State::Connecting(_) if waits => None,
            State::Connecting(_) => Some(Err(Errno::Already)),
            State::Stream(_) if waits => Some(Ok(())),
            State::Stream(_) => Some(Err(Errno::IsConnected)),
            _ => Some(Err(Errno::Invalid)),
        }
    }

    /// Turns a finished attempt to connect into a stream or a pending error.
    fn settle(&self) {
        let done = match &*self.state.borrow() {
            State::Connecting(later) => later.take(),
            _ => None,
        };
        match done {
            Some(Ok(stream)) => *self.state.borrow_mut() = State::Stream(stream),
            Some(Err(error)) => {
                *self.state.borrow_mut() = State::New;
                self.error.set(Some(error));
            }
            None => {}
        }
    }

    /// The datagram socket, bound to any port if it was not.
    fn udp(&self) -> Result<UdpSocket, Errno> {
        if let State::Udp(socket, _) = &*self.state.borrow() {
            return Ok(socket.clone());
        }
        let socket = self.net.udp_bind(ANY).map_err(errno)?;
        *self.state.borrow_mut() = State::Udp(socket.clone(), None);
        Ok(socket)
    }

    /// Bytes and, for a datagram, where from.
    pub(crate) fn receive(&self, max: usize, peek: bool) -> Attempt<(Bytes, Option<SocketAddrV4>)> {
        self.settle();
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        match &*self.state.borrow() {
            State::Stream(_) if self.read_is_shut.get() => Some(Ok((Bytes::new(), None))),
            State::Stream(stream) => {
                let mut peeked = self.peeked.borrow_mut();
                if peeked.len() < max {
                    match stream.try_read(max - peeked.len()) {
                        Some(Ok(more)) if peeked.is_empty() => *peeked = more,
                        Some(Ok(more)) => *peeked = [&peeked[..], &more[..]].concat().into(),
                        None if peeked.is_empty() => return None,
                        Some(Err(error)) if peeked.is_empty() => return Some(Err(errno(error))),
                        None | Some(Err(_)) => {} // what was peeked at comes first
                    }
                }
                let count = peeked.len().min(max);
                let bytes = if peek { peeked.slice(..count) } else { peeked.split_to(count) };
                Some(Ok((bytes, None)))
            }
            State::Udp(socket, _) => {
                // A peeked datagram would need a queue of its own; no guest of ours peeks at datagrams.
                if peek {
                    return Some(Err(Errno::NotSupported));
                }
                let received = socket.try_recv_from()?;
                Some(received.map(|(bytes, from)| (bytes, Some(from))).map_err(errno))
            }
            State::Connecting(_) => None,
            State::New | State::Listener(_) => Some(Err(Errno::NotConnected)),
        }
    }

    pub(crate) fn send(&self, bytes: &Bytes) -> Attempt<usize> {
        self.settle();
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        match &*self.state.borrow() {
            State::Stream(stream) => stream.try_write(bytes).map(|r| r.map_err(errno)),
            State::Udp(socket, Some(to)) => Some(socket.send_to(bytes, *to).map(|()| bytes.len()).map_err(errno)),
            State::Connecting(_) => None,
            _ => Some(Err(Errno::NotConnected)),
        }
    }

    pub(crate) fn send_to(&self, bytes: &Bytes, to: SocketAddrV4) -> Result<usize, Errno> {
        if self.is_stream {
            return Err(Errno::IsConnected);
        }
        self.udp()?.send_to(bytes, to).map(|()| bytes.len()).map_err(errno)
    }

    pub(crate) fn shut_down(&self, read: bool, write: bool) -> Result<(), Errno> {
        match &*self.state.borrow() {
            State::Stream(stream) => {
                self.read_is_shut.set(self.read_is_shut.get() || read);
                if write {
                    stream.shutdown_write();
                }
                Ok(())
            }
            _ => Err(Errno::NotConnected),
        }
    }

    pub(crate) fn address(&self, peer: bool) -> Result<SocketAddrV4, Errno> {
        self.settle();
        match (&*self.state.borrow(), peer) {
            (State::Stream(stream), true) => Ok(stream.peer_addr()),
            (State::Stream(stream), false) => Ok(stream.local_addr()),
            (State::Listener(listener), false) => Ok(listener.local_addr()),
            (State::Udp(_, Some(to)), true) => Ok(*to),
            (State::Udp(socket, _), false) => Ok(socket.local_addr()),
            (_, true) => Err(Errno::NotConnected),
            (_, false) => Ok(self.bound.get().unwrap_or(ANY)),
        }
    }

    /// SO_ERROR: the pending error, once.
    pub(crate) fn take_error(&self) -> Option<Errno> {
        self.settle();
        self.error.take()
    }

    pub(crate) fn is_readable(&self) -> bool {
        if self.error.get().is_some() || !self.peeked.borrow().is_empty() {
            return true;
        }
        match &*self.state.borrow() {
            State::Stream(stream) => self.read_is_shut.get() || stream.is_readable(),
            State::Listener(listener) => listener.is_readable(),
            State::Udp(socket, _) => socket.is_readable(),
            State::Connecting(later) => later.is_done(),
            State::New => true, // answers with an error
        }
    }

    pub(crate) fn is_writable(&self) -> bool {
        match &*self.state.borrow() {
            State::Stream(stream) => stream.is_writable(),
            State::Connecting(later) => later.is_done(),
            _ => true,
        }
    }

    pub(crate) fn register(&self, cx: &Context<'_>) {
        match &*self.state.borrow() {
            State::Stream(stream) => stream.register(cx),
            State::Listener(listener) => listener.register(cx),
            State::Udp(socket, _) => socket.register(cx),
            State::Connecting(later) => later.register(cx),
            State::New => {}
        }
    }
}
