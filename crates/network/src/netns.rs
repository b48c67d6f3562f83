//! One namespace: the sockets of a pod, a node or a machine.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::{Rc, Weak};
use std::time::Duration;

use simulation::Sim;

use crate::fabric::{FabricInner, FlowGuard, Role, Route, Target};
use crate::journey::{Kind, Lookups, Outcome, Tracer, What};
use crate::limits::{EPHEMERAL_PORTS, NAMESPACE_SOCKETS_MAX, SYN_RETRIES_MAX};
use crate::nat::Protocol;
use crate::pipe::Pipe;
use crate::tcp::{End, ListenerInner};
use crate::udp::UdpInner;
use crate::wire::{Opening, Wire};
use crate::{Fabric, Listener, NetError, ResolvConf, TcpStream, UdpSocket};

/// A network namespace. Clones share it; when the last one goes, its sockets close and its addresses are free.
#[derive(Clone)]
pub struct NetNs(pub(crate) Rc<NsInner>, pub(crate) Asker);

/// On whose behalf a namespace is used, which decides where its journeys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A learner's, or an app's.
    Somebody,
    /// The cluster's own.
    Routine,
}

pub(crate) struct NsInner {
    fabric: Rc<FabricInner>,
    pub(crate) name: String,
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) role: Role,
    pub(crate) down: Cell<bool>,
    listeners: RefCell<BTreeMap<(u16, Ipv4Addr), Weak<ListenerInner>>>,
    udp: RefCell<BTreeMap<(u16, Ipv4Addr), Weak<UdpInner>>>,
    ends: RefCell<Vec<Weak<End>>>,
    /// Local ports of outgoing connections.
    ports_taken: RefCell<BTreeMap<u16, u32>>,
    next_port: Cell<u16>,
    streams: Cell<usize>,
    pub(crate) resolv: RefCell<ResolvConf>,
    /// The machine that a pod is on.
    node: OnceCell<String>,
    /// Names that were resolved just now.
    pub(crate) lookups: RefCell<Lookups>,
}

impl NsInner {
    pub(crate) fn create(fabric: Rc<FabricInner>, name: &str, addresses: &[Ipv4Addr], role: Role) -> Rc<NsInner> {
        let span = u64::from(EPHEMERAL_PORTS.end() - EPHEMERAL_PORTS.start());
        let first = EPHEMERAL_PORTS.start() + u16::try_from(fabric.sim.random_below(span)).unwrap_or(0);
        Rc::new(NsInner {
            fabric,
            name: name.to_owned(),
            addresses: addresses.to_vec(),
            role,
            down: Cell::new(false),
            listeners: RefCell::default(),
            udp: RefCell::default(),
            ends: RefCell::default(),
            ports_taken: RefCell::default(),
            next_port: Cell::new(first),
            streams: Cell::new(0),
            resolv: RefCell::default(),
            node: OnceCell::new(),
            lookups: RefCell::default(),
        })
    }

    pub(crate) fn sim(&self) -> &Sim {
        &self.fabric.sim
    }

    pub(crate) fn first_address(&self) -> Ipv4Addr {
        self.addresses.first().copied().unwrap_or(Ipv4Addr::LOCALHOST)
    }

    /// The machine it is on: the name of a node, its own outside a cluster, empty where there is none.
    pub(crate) fn machine(&self) -> &str {
        match self.role {
            Role::Node => self.name.strip_prefix("node/").unwrap_or(&self.name),
            Role::Outside => &self.name,
            Role::Pod | Role::Public | Role::Service => self.node.get().map_or("", String::as_str),
        }
    }

    /// Whether an address is in the /24 of one of ours.
    pub(crate) fn is_on_link(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|own| own.to_bits() >> 8 == address.to_bits() >> 8)
    }

    fn check_open(&self) -> Result<(), NetError> {
        if self.down.get() {
            return Err(NetError::Down);
        }
        let open = self.streams.get() + self.listeners.borrow().len() + self.udp.borrow().len();
        if open >= NAMESPACE_SOCKETS_MAX { Err(NetError::TooManySockets) } else { Ok(()) }
    }

    fn ephemeral_port(&self, taken: impl Fn(u16) -> bool) -> Result<u16, NetError> {
        for _ in EPHEMERAL_PORTS {
            let port = self.next_port.get();
            let next = if port >= *EPHEMERAL_PORTS.end() { *EPHEMERAL_PORTS.start() } else { port + 1 };
            self.next_port.set(next);
            if !taken(port) {
                return Ok(port);
            }
        }
        Err(NetError::AddrNotAvailable)
    }

    fn check_local(&self, ip: Ipv4Addr) -> Result<(), NetError> {
        let known = ip.is_unspecified() || ip.is_loopback() || self.addresses.contains(&ip);
        if known { Ok(()) } else { Err(NetError::AddrNotAvailable) }
    }

    pub(crate) fn stream_closed(&self, local: SocketAddrV4, ephemeral: bool) {
        self.streams.set(self.streams.get().saturating_sub(1));
        if ephemeral {
            self.ports_taken.borrow_mut().remove(&local.port());
        }
        self.ends.borrow_mut().retain(|end| end.strong_count() > 0);
    }

    pub(crate) fn listener_closed(&self, local: SocketAddrV4) {
        self.listeners.borrow_mut().remove(&(local.port(), *local.ip()));
    }

    pub(crate) fn udp_closed(&self, local: SocketAddrV4) {
        self.udp.borrow_mut().remove(&(local.port(), *local.ip()));
    }

    fn listener_for(&self, to: SocketAddrV4) -> Option<Rc<ListenerInner>> {
        find(&self.listeners.borrow(), to)
    }

    pub(crate) fn udp_for(&self, to: SocketAddrV4) -> Option<Rc<UdpInner>> {
        find(&self.udp.borrow(), to)
    }

    fn keep(&self, end: &Rc<End>) {
        self.streams.set(self.streams.get() + 1);
        self.ends.borrow_mut().push(Rc::downgrade(end));
    }

    pub(crate) fn fabric(&self) -> &Rc<FabricInner> {
        &self.fabric
    }

    fn take_down(&self) {
        if self.down.replace(true) {
            return;
        }
        let listeners = std::mem::take(&mut *self.listeners.borrow_mut());
        let sockets = std::mem::take(&mut *self.udp.borrow_mut());
        let ends = std::mem::take(&mut *self.ends.borrow_mut());
        listeners.values().filter_map(Weak::upgrade).for_each(|l| l.close());
        sockets.values().filter_map(Weak::upgrade).for_each(|s| s.close());
        ends.iter().filter_map(Weak::upgrade).for_each(|e| e.abort());
        self.fabric.forget(&self.addresses);
    }
}

impl Drop for NsInner {
    fn drop(&mut self) {
        self.take_down();
    }
}

/// The socket bound to an address, or to all addresses.
fn find<T>(table: &BTreeMap<(u16, Ipv4Addr), Weak<T>>, to: SocketAddrV4) -> Option<Rc<T>> {
    let exact = table.get(&(to.port(), *to.ip()));
    exact.or_else(|| table.get(&(to.port(), Ipv4Addr::UNSPECIFIED)))?.upgrade()
}

/// Whether binding `at` collides: the same port on the same or on all addresses.
fn collides<T>(table: &BTreeMap<(u16, Ipv4Addr), Weak<T>>, at: SocketAddrV4) -> bool {
    let range = (at.port(), Ipv4Addr::UNSPECIFIED)..=(at.port(), Ipv4Addr::BROADCAST);
    table.range(range).any(|((_, ip), socket)| {
        socket.strong_count() > 0 && (ip == at.ip() || ip.is_unspecified() || at.ip().is_unspecified())
    })
}

impl NetNs {
    /// Says on which machine it is, for the packet trace. What was said first counts.
    pub fn stands_on(&self, node: &str) {
        let _ = self.0.node.set(node.to_owned());
    }

    /// The same namespace, for what the cluster asks by itself (probes): its journeys are kept apart.
    pub fn for_routine(&self) -> NetNs {
        NetNs(Rc::clone(&self.0), Asker::Routine)
    }

    /// Begins a journey, or goes on with that of a name that was just resolved to the address.
    pub(crate) fn set_out(&self, kind: Kind, to: SocketAddrV4) -> Tracer {
        let ns = &self.0;
        let fresh = ns.lookups.borrow_mut().take(*to.ip(), &ns.fabric);
        let tracer = match fresh {
            Some(id) => Tracer::resume(&ns.fabric, id),
            // Whoever calls the machine itself asks on behalf of the cluster.
            None => Tracer::begin(&ns.fabric, &ns.name, kind, self.is_routine() || to.ip().is_link_local()),
        };
        tracer.change(|journey| (journey.kind, journey.to) = (kind, Some(to)));
        tracer
    }

    pub(crate) fn is_routine(&self) -> bool {
        self.1 == Asker::Routine || self.0.name == "check" || self.0.name.starts_with("pod/kube-")
    }

    /// The name in traces.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Our addresses, without 127.0.0.1.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.0.addresses
    }

    /// The world.
    pub fn sim(&self) -> &Sim {
        self.0.sim()
    }

    /// The network it is on.
    pub fn fabric(&self) -> Fabric {
        Fabric(Rc::clone(&self.0.fabric))
    }

    /// Closes every socket (peers see resets) and gives the addresses back. Clones are of no more use.
    pub fn detach(&self) {
        self.0.take_down();
    }

    /// Whether it has been detached.
    pub fn is_down(&self) -> bool {
        self.0.down.get()
    }

    /// Listens on an address; 0.0.0.0 for all, port 0 for any.
    ///
    /// Errors: `AddrInUse`, `AddrNotAvailable`, `TooManySockets`, `Down`.
    pub fn listen(&self, at: SocketAddrV4) -> Result<Listener, NetError> {
        let ns = &self.0;
        ns.check_open()?;
        ns.check_local(*at.ip())?;
        let mut local = at;
        if local.port() == 0 {
            let table = ns.listeners.borrow();
            local.set_port(ns.ephemeral_port(|port| collides(&table, SocketAddrV4::new(*at.ip(), port)))?);
        }
        if collides(&ns.listeners.borrow(), local) {
            return Err(NetError::AddrInUse);
        }
        let listener = Rc::new(ListenerInner {
            local,
            ns: Rc::downgrade(ns),
            queue: RefCell::default(),
            waiters: Default::default(),
            closed: Cell::new(false),
        });
        ns.listeners.borrow_mut().insert((local.port(), *local.ip()), Rc::downgrade(&listener));
        Ok(Listener(listener))
    }

    /// Binds a datagram socket; as [`NetNs::listen`].
    pub fn udp_bind(&self, at: SocketAddrV4) -> Result<UdpSocket, NetError> {
        let ns = &self.0;
        ns.check_open()?;
        ns.check_local(*at.ip())?;
        let mut local = at;
        if local.port() == 0 {
            let table = ns.udp.borrow();
            local.set_port(ns.ephemeral_port(|port| collides(&table, SocketAddrV4::new(*at.ip(), port)))?);
        }
        if collides(&ns.udp.borrow(), local) {
            return Err(NetError::AddrInUse);
        }
        let socket = Rc::new(UdpInner {
            local,
            ns: Rc::downgrade(ns),
            asker: self.1,
            queue: RefCell::default(),
            error: Cell::new(None),
            nat: RefCell::default(),
            heard: RefCell::default(),
            exchanges: Default::default(),
            waiters: Default::default(),
            closed: Cell::new(false),
        });
        ns.udp.borrow_mut().insert((local.port(), *local.ip()), Rc::downgrade(&socket));
        Ok(UdpSocket(socket))
    }

    /// Connects to an address, through Service rules where they apply. Takes a round trip of virtual time.
    ///
    /// Errors: `Refused`, `Unreachable` (3 s), `TimedOut` (127 s), `AddrNotAvailable`, `TooManySockets`, `Down`.
    pub async fn connect(&self, to: SocketAddrV4) -> Result<TcpStream, NetError> {
        let ns = &self.0;
        ns.check_open()?;
        let fabric = Rc::clone(&ns.fabric);
        let tracer = self.set_out(Kind::Tcp, to);
        let id = tracer.id();
        let route = self.first_packet(&tracer, to).await;
        if ns.down.get() {
            return Err(NetError::Down);
        }
        let (address, source, wire) = match route.target {
            Target::Host { address, source, wire } => (address, source, wire),
            Target::Lost { error, after } => {
                fabric.sim.sleep(after).await;
                tracer.lost(error);
                let outcome = match error {
                    NetError::Refused => "refused",
                    NetError::Unreachable => "unreachable",
                    _ => "timeout",
                };
                FlowGuard::report(&fabric.sim, id, &ns.name, route.hops, String::new(), outcome).forget();
                return Err(error);
            }
        };
        let port = {
            let taken = ns.ports_taken.borrow();
            ns.ephemeral_port(|port| taken.contains_key(&port))?
        };
        let mut opening = Opening::over(&wire);
        let again = |after| tracer.lost_on_wire(after);
        if let Err(error) = opening.cross(again).await {
            tracer.lost(error);
            FlowGuard::report(&fabric.sim, id, &ns.name, route.hops, String::new(), "timeout").forget();
            return Err(error);
        }
        let host = if address.ip().is_loopback() { Some(Rc::clone(ns)) } else { fabric.host(*address.ip()) };
        let name = host.as_ref().map_or(String::new(), |h| h.name.clone());
        let listener = host.as_ref().and_then(|h| h.listener_for(address));
        let client = self.local_for(to, port);
        let server_sees = SocketAddrV4::new(source, port);
        let pair = listener.zip(host).and_then(|(listener, host)| {
            let (near, far) = self.pair(&wire, (client, to), (address, server_sees), &host);
            listener.offer(far).then_some(near)
        });
        tracer.pass(match pair {
            Some(_) => What::Arrived { at: name.clone(), address, seen_as: source },
            None => What::Refused { at: name.clone(), address },
        });
        let answered = opening.cross(again).await;
        if ns.down.get() {
            return Err(NetError::Down);
        }
        if let Err(error) = answered {
            pair.iter().for_each(TcpStream::abort);
            tracer.lost(error);
            FlowGuard::report(&fabric.sim, id, &ns.name, route.hops, name, "timeout").forget();
            return Err(error);
        }
        match pair {
            Some(stream) => {
                ns.lookups.borrow_mut().settle(id);
                let flow = FlowGuard::report(&fabric.sim, id, &ns.name, route.hops, name, "connected");
                *stream.0.flow.borrow_mut() = Some(flow);
                *stream.0.watch.borrow_mut() = Some(tracer.watch());
                Ok(stream)
            }
            None => {
                tracer.end(Outcome::Refused);
                FlowGuard::report(&fabric.sim, id, &ns.name, route.hops, name, "refused").forget();
                Err(NetError::Refused)
            }
        }
    }

    /// The way of a connection's first packet. One that a filter drops is sent again, and judged anew.
    async fn first_packet(&self, tracer: &Tracer, to: SocketAddrV4) -> Route {
        let (ns, fabric) = (&self.0, &self.0.fabric);
        let mut route = fabric.route(ns, Protocol::Tcp, to);
        for retry in 0..=SYN_RETRIES_MAX {
            let mut verdicts = Vec::new();
            let passes = fabric.admits(ns, Protocol::Tcp, &route, &mut verdicts);
            tracer.way(ns, &route, verdicts, passes);
            if passes {
                return route;
            }
            if retry == 0 {
                FlowGuard::dropped(fabric, tracer.id(), &ns.name, &route);
            }
            fabric.sim.sleep(Duration::from_secs(1 << retry)).await;
            if ns.down.get() {
                break;
            }
            route = fabric.route(ns, Protocol::Tcp, to);
        }
        tracer.end(Outcome::Dropped);
        Route { target: Target::Lost { error: NetError::TimedOut, after: Duration::ZERO }, ..route }
    }

    fn local_for(&self, to: SocketAddrV4, port: u16) -> SocketAddrV4 {
        let loopback = to.ip().is_loopback() || to.ip().is_unspecified();
        let ip = if loopback { Ipv4Addr::LOCALHOST } else { self.0.first_address() };
        SocketAddrV4::new(ip, port)
    }

    /// Two connected ends: `near` as (local, peer) here, `far` as (local, peer) at `host`.
    fn pair(
        &self,
        wire: &Rc<Wire>,
        near: (SocketAddrV4, SocketAddrV4),
        far: (SocketAddrV4, SocketAddrV4),
        host: &Rc<NsInner>,
    ) -> (TcpStream, TcpStream) {
        let (there, back) = Pipe::both_ways(self.sim(), wire);
        self.0.ports_taken.borrow_mut().insert(near.0.port(), 1);
        let end = |rx: &Rc<Pipe>, tx: &Rc<Pipe>, (local, peer), ns: &Rc<NsInner>, ephemeral| {
            let end = Rc::new(End {
                rx: Rc::clone(rx),
                tx: Rc::clone(tx),
                local,
                peer,
                ns: Rc::downgrade(ns),
                closed: Cell::new(false),
                flow: RefCell::default(),
                watch: RefCell::default(),
                ephemeral,
            });
            ns.keep(&end);
            TcpStream(end)
        };
        (end(&back, &there, near, &self.0, true), end(&there, &back, far, host, false))
    }

    /// Replaces the resolver's settings (resolv.conf and the hosts file).
    pub fn set_resolv(&self, resolv: ResolvConf) {
        *self.0.resolv.borrow_mut() = resolv;
    }

    /// The resolver's settings.
    pub fn resolv(&self) -> ResolvConf {
        self.0.resolv.borrow().clone()
    }

    /// Two streams connected to each other inside this namespace without a listener, as `socketpair` gives.
    pub fn stream_pair(&self) -> (TcpStream, TcpStream) {
        let a = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        self.pair(&self.0.fabric.loopback, (a, a), (a, a), &self.0)
    }
}
