//! Datagrams.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::net::SocketAddrV4;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use simulation::notify::Waiters;
use simulation::{Time, TraceKind};

use crate::NetError;
use crate::limits::{UDP_DATAGRAM_BYTES_MAX, UDP_FLOW_TIMEOUT, UDP_FLOWS_MAX, UDP_QUEUE_DATAGRAMS_MAX};
use crate::netns::NsInner;

/// A datagram socket. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct UdpSocket(pub(crate) Rc<UdpInner>);

pub(crate) struct UdpInner {
    pub(crate) local: SocketAddrV4,
    pub(crate) ns: Weak<NsInner>,
    pub(crate) queue: RefCell<VecDeque<(Bytes, SocketAddrV4)>>,
    /// What ICMP reported, once.
    pub(crate) error: Cell<Option<NetError>>,
    /// Backend -> the Service address that was asked, so that answers seem to come from there (conntrack).
    pub(crate) nat: RefCell<BTreeMap<SocketAddrV4, SocketAddrV4>>,
    /// Who was heard from, and until when answers pass a filter unseen (conntrack again).
    pub(crate) heard: RefCell<BTreeMap<SocketAddrV4, Time>>,
    pub(crate) waiters: Waiters,
    pub(crate) closed: Cell<bool>,
}

impl UdpInner {
    /// Notes that a datagram from an address was let in.
    pub(crate) fn hear(&self, from: SocketAddrV4, now: Time) {
        let mut heard = self.heard.borrow_mut();
        if heard.len() >= UDP_FLOWS_MAX {
            heard.retain(|_, until| *until > now);
        }
        if heard.len() < UDP_FLOWS_MAX || heard.contains_key(&from) {
            heard.insert(from, now + UDP_FLOW_TIMEOUT);
        } else if let Some(ns) = self.ns.upgrade() {
            let what = format!("answers of {} to {from} are judged", self.local);
            ns.sim().trace(TraceKind::Limit { limit: "UDP_FLOWS_MAX".into(), what });
        }
    }

    /// Whether a datagram to an address belongs to an exchange that was let in.
    pub(crate) fn answers(&self, to: SocketAddrV4, now: Time) -> bool {
        self.heard.borrow().get(&to).is_some_and(|until| *until > now)
    }

    pub(crate) fn deliver(&self, bytes: Bytes, from: SocketAddrV4) {
        if self.closed.get() {
            return;
        }
        let from = self.nat.borrow().get(&from).copied().unwrap_or(from);
        if self.queue.borrow().len() >= UDP_QUEUE_DATAGRAMS_MAX {
            if let Some(ns) = self.ns.upgrade() {
                let what = format!("datagram from {from} to {} dropped", self.local);
                ns.sim().trace(TraceKind::Limit { limit: "UDP_QUEUE_DATAGRAMS_MAX".into(), what });
            }
            return;
        }
        self.queue.borrow_mut().push_back((bytes, from));
        self.waiters.wake_all();
    }

    pub(crate) fn fail(&self, error: NetError) {
        self.error.set(Some(error));
        self.waiters.wake_all();
    }

    pub(crate) fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        if let Some(ns) = self.ns.upgrade() {
            ns.udp_closed(self.local);
        }
        self.waiters.wake_all();
    }
}

impl Drop for UdpInner {
    fn drop(&mut self) {
        self.close();
    }
}

impl UdpSocket {
    /// Sends a datagram; it may be lost without a word, as on a real network.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddrV4) -> Result<(), NetError> {
        if bytes.len() > UDP_DATAGRAM_BYTES_MAX {
            return Err(NetError::MessageTooLong);
        }
        let ns = self.0.ns.upgrade().filter(|_| !self.0.closed.get()).ok_or(NetError::Down)?;
        ns.send_datagram(&self.0, Bytes::copy_from_slice(bytes), to);
        Ok(())
    }

    /// The next datagram and its sender. `None` = would block.
    pub fn try_recv_from(&self) -> Option<Result<(Bytes, SocketAddrV4), NetError>> {
        if let Some(datagram) = self.0.queue.borrow_mut().pop_front() {
            return Some(Ok(datagram));
        }
        if let Some(error) = self.0.error.take() {
            return Some(Err(error));
        }
        self.0.closed.get().then_some(Err(NetError::Down))
    }

    /// Waits for the next datagram.
    pub async fn recv_from(&self) -> Result<(Bytes, SocketAddrV4), NetError> {
        poll_fn(|cx| match self.try_recv_from() {
            Some(result) => Poll::Ready(result),
            None => {
                self.0.waiters.register(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Wakes the current task when something arrives.
    pub fn register(&self, cx: &Context<'_>) {
        self.0.waiters.register(cx);
    }

    /// Whether [`UdpSocket::try_recv_from`] would not block.
    pub fn is_readable(&self) -> bool {
        let error = self.0.error.take();
        self.0.error.set(error);
        self.0.closed.get() || error.is_some() || !self.0.queue.borrow().is_empty()
    }

    /// Our address.
    pub fn local_addr(&self) -> SocketAddrV4 {
        self.0.local
    }

    /// Closes the socket for every clone.
    pub fn close(&self) {
        self.0.close();
    }
}
