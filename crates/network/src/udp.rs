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

use crate::dns::wire;
use crate::fabric::{FlowGuard, Route, Target};
use crate::journey::{Answer, Exchanges, Kind, Outcome, Tracer, What};
use crate::limits::{UDP_DATAGRAM_BYTES_MAX, UDP_FLOW_TIMEOUT, UDP_FLOWS_MAX, UDP_QUEUE_DATAGRAMS_MAX};
use crate::nat::Protocol;
use crate::netns::{Asker, NsInner};
use crate::{NetError, NetNs};

/// A datagram socket. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct UdpSocket(pub(crate) Rc<UdpInner>);

pub(crate) struct UdpInner {
    pub(crate) local: SocketAddrV4,
    pub(crate) ns: Weak<NsInner>,
    pub(crate) asker: Asker,
    pub(crate) queue: RefCell<VecDeque<(Bytes, SocketAddrV4)>>,
    /// What ICMP reported, once.
    pub(crate) error: Cell<Option<NetError>>,
    /// Backend -> the Service address that was asked, so that answers seem to come from there (conntrack).
    pub(crate) nat: RefCell<BTreeMap<SocketAddrV4, SocketAddrV4>>,
    /// Who was heard from, and until when answers pass a filter unseen (conntrack again).
    pub(crate) heard: RefCell<BTreeMap<SocketAddrV4, Time>>,
    /// For the packet trace.
    pub(crate) exchanges: Exchanges,
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

/// The port of name servers, whose questions and answers the packet trace can read.
const DNS_PORT: u16 = 53;

/// What a datagram is, to the packet trace.
#[derive(Clone, Copy)]
enum Part {
    /// Of a journey that its sender began.
    Ask(u64),
    /// An answer in a journey that its receiver began.
    Answer(u64),
    /// A question of the resolver, which writes its journey itself.
    Lookup(u64),
}

impl NetNs {
    fn part(&self, socket: &UdpInner, bytes: &[u8], to: SocketAddrV4, now: Time) -> (Part, Option<u64>) {
        let exchanges = &socket.exchanges;
        if let Some(lookup) = exchanges.lookup.get() {
            return (Part::Lookup(lookup), None);
        }
        if let Some(journey) = exchanges.answers(to) {
            return (Part::Answer(journey), None);
        }
        if let Some(journey) = exchanges.with(to, now) {
            self.0.fabric().journal.borrow_mut().change(journey, |journey| journey.sent += bytes.len() as u64);
            return (Part::Ask(journey), None);
        }
        let tracer = self.set_out(Kind::Udp, to);
        let id = tracer.id();
        let question = if to.port() == DNS_PORT { wire::read_question(bytes) } else { None };
        tracer.change(|journey| {
            journey.sent = bytes.len() as u64;
            journey.name = question.map(|question| question.name).or(journey.name.take());
        });
        exchanges.begin(to, now, tracer);
        (Part::Ask(id), Some(id))
    }

    /// Sends a datagram on its way.
    pub(crate) fn send_datagram(&self, socket: &Rc<UdpInner>, bytes: Bytes, to: SocketAddrV4) {
        let ns = &self.0;
        let now = ns.sim().now();
        let (part, begins) = self.part(socket, &bytes, to, now);
        let route = ns.fabric().route(ns, Protocol::Udp, to);
        socket.exchanges.last_end.set(route.end);
        let answers = route.end.is_some_and(|end| socket.answers(end, now));
        let mut verdicts = Vec::new();
        let passes = answers || ns.fabric().admits(ns, Protocol::Udp, &route, &mut verdicts);
        if let Some(journey) = begins {
            socket
                .exchanges
                .comes_back(journey, |tracer| tracer.way(ns, &route, std::mem::take(&mut verdicts), passes));
        } else if let (Part::Lookup(lookup), false) = (part, passes) {
            ns.fabric().journal.borrow_mut().change(lookup, |journey| {
                verdicts.drain(..).for_each(|verdict| journey.pass(now, What::Judged(verdict)));
            });
        }
        if !passes {
            let id = match part {
                Part::Ask(id) => {
                    socket.exchanges.comes_back(id, |tracer| tracer.end(Outcome::Dropped));
                    id
                }
                Part::Answer(id) | Part::Lookup(id) => id,
            };
            return FlowGuard::dropped(ns.fabric(), id, &ns.name, &route);
        }
        self.carry(socket, part, bytes, to, route);
    }

    fn carry(&self, socket: &Rc<UdpInner>, part: Part, bytes: Bytes, to: SocketAddrV4, route: Route) {
        let (here, fabric) = (Rc::clone(&self.0), Rc::clone(self.0.fabric()));
        let sim = fabric.sim.clone();
        match route.target {
            Target::Lost { error, after } => {
                // ICMP tells only of rejects and of missing neighbours.
                let socket = Rc::downgrade(socket);
                if error != NetError::TimedOut {
                    sim.spawn(async move {
                        fabric.sim.sleep(after).await;
                        if let Some(socket) = socket.upgrade() {
                            socket.told(part, |tracer| tracer.lost(error));
                            socket.fail(error);
                        }
                    });
                }
            }
            Target::Host { address, wire, .. } if wire.loses() => {
                if address != to {
                    socket.nat.borrow_mut().insert(address, to);
                }
                socket.told(part, |tracer| tracer.lost_on_wire(None));
            }
            Target::Host { address, source, wire } => {
                if address != to {
                    socket.nat.borrow_mut().insert(address, to);
                }
                let from = SocketAddrV4::new(source, socket.local.port());
                let socket = Rc::downgrade(socket);
                sim.spawn(async move {
                    fabric.sim.sleep(wire.delay()).await;
                    let host = if address.ip().is_loopback() { Some(here) } else { fabric.host(*address.ip()) };
                    match host.as_ref().and_then(|ns| ns.udp_for(address)) {
                        Some(receiver) => {
                            if fabric.is_filtered() {
                                receiver.hear(from, fabric.sim.now());
                            }
                            receiver.note(part, &bytes, (from, address), socket.upgrade().as_deref());
                            receiver.deliver(bytes, from);
                        }
                        None => {
                            fabric.sim.sleep(wire.delay()).await;
                            if let Some(socket) = socket.upgrade() {
                                let at = host.map_or(String::new(), |host| host.name.clone());
                                socket.told(part, |tracer| {
                                    tracer.pass(What::Refused { at, address });
                                    tracer.end(Outcome::Refused);
                                });
                                socket.fail(NetError::Refused);
                            }
                        }
                    }
                });
            }
        }
    }
}

impl UdpInner {
    /// Tells the tracer of an exchange that this socket began.
    fn told(&self, part: Part, tell: impl FnOnce(&Tracer)) {
        if let Part::Ask(journey) = part {
            self.exchanges.comes_back(journey, tell);
        }
    }

    /// A datagram has come here, for the packet trace.
    fn note(&self, part: Part, bytes: &[u8], (from, address): (SocketAddrV4, SocketAddrV4), sender: Option<&UdpInner>) {
        match part {
            Part::Ask(journey) => {
                self.exchanges.hear(from, journey);
                let at = self.ns.upgrade().map_or(String::new(), |ns| ns.name.clone());
                let seen_as = *from.ip();
                let Some(sender) = sender else { return };
                sender.exchanges.comes_back(journey, |tracer| {
                    let is_known = tracer
                        .change(|journey| journey.hops.iter().any(|hop| matches!(hop.what, What::Arrived { .. })));
                    if is_known == Some(false) {
                        tracer.pass(What::Arrived { at, address, seen_as });
                    }
                });
            }
            Part::Answer(journey) => self.exchanges.comes_back(journey, |tracer| {
                let asked = tracer.change(|journey| {
                    journey.received += bytes.len() as u64;
                    let port = journey.to.map_or(0, |to| to.port());
                    (port == DNS_PORT).then(|| (journey.to, journey.name.clone().unwrap_or_default()))
                });
                if let Some(Some((Some(to), name))) = asked {
                    let by = sender.and_then(|sender| sender.ns.upgrade()).map_or(String::new(), |ns| ns.name.clone());
                    let answer = wire::read_records(bytes).unwrap_or(Answer::Failed);
                    tracer.asked(None, *to.ip(), by, name, answer);
                }
                tracer.end(Outcome::Answered);
            }),
            // Its answer is no request of the server; the resolver tells what it was.
            Part::Lookup(journey) => self.exchanges.hear(from, journey),
        }
    }
}

impl UdpSocket {
    /// Sends a datagram; it may be lost without a word, as on a real network.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddrV4) -> Result<(), NetError> {
        if bytes.len() > UDP_DATAGRAM_BYTES_MAX {
            return Err(NetError::MessageTooLong);
        }
        let ns = self.0.ns.upgrade().filter(|_| !self.0.closed.get()).ok_or(NetError::Down)?;
        NetNs(ns, self.0.asker).send_datagram(&self.0, Bytes::copy_from_slice(bytes), to);
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
