//! The wires between namespaces: who has which address, and where a packet for an address goes.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::{Rc, Weak};
use std::time::Duration;

use simulation::{Sim, Time, TraceKind};

use crate::NetError;
use crate::affinity::Affinities;
use crate::filter::{Packet, PacketFilter, Party};
use crate::journey::{Choice, Journal, Journey, Verdict, Via, What};
use crate::limits::{CONNECT_TIMEOUT, HOP_DELAY, LOOPBACK_DELAY, NEIGHBOUR_TIMEOUT};
use crate::nat::{Protocol, Rules, ServiceRule};
use crate::netns::{Asker, NetNs, NsInner};
use crate::wire::Wire;

/// Where a namespace stands, which decides what it can reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A pod (or a part of the cluster with an address of its own): reaches pods, nodes and Services.
    #[default]
    Pod,
    /// A node: as a pod, and its addresses answer on node ports.
    Node,
    /// Outside the cluster, such as the learner's machine: no Service addresses, no pod network; reaches addresses of
    /// its own /24 network, which is where minikube's nodes are.
    Outside,
    /// On the internet, such as a cloud's load balancer: everyone reaches it, and it reaches nodes.
    Public,
    /// A part of the cluster that answers at a Service's address without a pod behind it, such as cluster DNS.
    Service,
}

/// The network of one world. Cheap to clone.
#[derive(Clone)]
pub struct Fabric(pub(crate) Rc<FabricInner>);

pub(crate) struct FabricInner {
    pub(crate) sim: Sim,
    hosts: RefCell<BTreeMap<Ipv4Addr, Weak<NsInner>>>,
    /// Every /16 in which somebody had an address once.
    networks: RefCell<BTreeSet<u32>>,
    rules: RefCell<Rc<Rules>>,
    filter: RefCell<Option<Rc<dyn PacketFilter>>>,
    /// A port of a node -> the container that claims it.
    host_ports: RefCell<BTreeMap<(Protocol, SocketAddrV4), SocketAddrV4>>,
    affinities: RefCell<Affinities>,
    /// Names of the internet.
    names: RefCell<BTreeMap<String, Vec<Ipv4Addr>>>,
    next_flow: Cell<u64>,
    /// Between namespaces.
    hop: Rc<Wire>,
    /// Within one.
    pub(crate) loopback: Rc<Wire>,
    /// The packet trace.
    pub(crate) journal: RefCell<Journal>,
}

/// What became of a packet's destination.
pub(crate) struct Route {
    /// Addresses and names passed, in order; the last is where the packet arrives.
    pub(crate) hops: Vec<String>,
    /// What led elsewhere than to the address, for the packet trace.
    pub(crate) turn: Option<What>,
    pub(crate) target: Target,
    /// Where it goes once the rules were followed; none if it never leaves, or is rejected.
    pub(crate) end: Option<SocketAddrV4>,
}

pub(crate) enum Target {
    /// Arrives at `address` over `wire`; `source` is what the receiver sees.
    Host { address: SocketAddrV4, source: Ipv4Addr, wire: Rc<Wire> },
    /// A rule or nobody answers: the sender learns `error` after `after`.
    Lost { error: NetError, after: Duration },
}

/// Where and how a packet comes to a Service's rules.
struct Entry<'a> {
    via: Via,
    address: SocketAddrV4,
    /// The node; empty for who is on none.
    node: &'a str,
}

impl Fabric {
    /// A network without anyone on it.
    pub fn new(sim: Sim) -> Fabric {
        let (hop, loopback) = (Wire::new(&sim, HOP_DELAY), Wire::new(&sim, LOOPBACK_DELAY));
        Fabric(Rc::new(FabricInner {
            sim,
            hosts: RefCell::default(),
            networks: RefCell::default(),
            rules: RefCell::default(),
            filter: RefCell::default(),
            host_ports: RefCell::default(),
            affinities: RefCell::default(),
            names: RefCell::default(),
            next_flow: Cell::new(1),
            hop,
            loopback,
            journal: RefCell::default(),
        }))
    }

    /// A new namespace with these addresses (and 127.0.0.1), as a pod has. The name appears in traces, e.g.
    /// `pod/default/web`. It lives until [`NetNs::detach`] or until its last clone goes.
    pub fn attach(&self, name: &str, addresses: &[Ipv4Addr]) -> NetNs {
        self.attach_as(name, addresses, Role::Pod)
    }

    /// As [`Fabric::attach`], standing elsewhere than a pod. An address that was somebody else's moves here.
    pub fn attach_as(&self, name: &str, addresses: &[Ipv4Addr], role: Role) -> NetNs {
        let ns = NsInner::create(Rc::clone(&self.0), name, addresses, role);
        let mut hosts = self.0.hosts.borrow_mut();
        for address in addresses {
            hosts.insert(*address, Rc::downgrade(&ns));
            if role != Role::Service {
                self.0.networks.borrow_mut().insert(network(*address));
            }
        }
        NetNs(ns, Asker::Somebody)
    }

    /// Takes a namespace off the network; see [`NetNs::detach`].
    pub fn detach(&self, ns: &NetNs) {
        ns.detach();
    }

    /// The world.
    pub fn sim(&self) -> &Sim {
        &self.0.sim
    }

    /// Replaces every Service rule. Connections that are open stay where they are, as with conntrack.
    pub fn set_rules(&self, rules: Rules) {
        *self.0.rules.borrow_mut() = Rc::new(rules);
    }

    /// The Service rules in force.
    pub fn rules(&self) -> Rc<Rules> {
        Rc::clone(&self.0.rules.borrow())
    }

    /// Replaces what may drop packets; none lets everything pass and costs nothing. Connections that are open go on.
    pub fn set_filter(&self, filter: Option<Rc<dyn PacketFilter>>) {
        *self.0.filter.borrow_mut() = filter;
    }

    /// Sends what comes for a port of a node to a pod (`hostPort`, the CNI plugin portmap). False if it is taken.
    pub fn map_host_port(&self, protocol: Protocol, node: SocketAddrV4, pod: SocketAddrV4) -> bool {
        let mut ports = self.0.host_ports.borrow_mut();
        let free = !ports.contains_key(&(protocol, node));
        if free {
            ports.insert((protocol, node), pod);
        }
        free
    }

    /// Ends every mapping to a pod.
    pub fn unmap_host_ports(&self, pod: Ipv4Addr) {
        self.0.host_ports.borrow_mut().retain(|_, to| *to.ip() != pod);
    }

    /// Lets a name of the internet stand for addresses; for none, it is forgotten.
    pub fn publish(&self, name: &str, addresses: &[Ipv4Addr]) {
        let mut names = self.0.names.borrow_mut();
        if addresses.is_empty() {
            names.remove(name);
        } else {
            names.insert(name.to_owned(), addresses.to_vec());
        }
    }

    /// The addresses of a name of the internet; none if there is no such name.
    pub fn published(&self, name: &str) -> Vec<Ipv4Addr> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.names.borrow().get(&name).cloned().unwrap_or_default()
    }

    /// Sets the one-way delay between namespaces, for what is sent from now on.
    pub fn set_hop_delay(&self, delay: Duration) {
        self.0.hop.set_delay(delay);
    }

    /// Loses so many of [`LOSS_OF`](crate::LOSS_OF) packets between namespaces, of what is sent from now on.
    pub fn set_loss(&self, loss: u32) {
        self.0.hop.set_loss(loss);
    }

    /// Journeys that began or changed after a revision (0 for all that are kept), oldest first.
    pub fn journeys_since(&self, revision: u64) -> Vec<Journey> {
        self.0.journal.borrow().since(revision)
    }

    /// A journey, if it is still kept.
    pub fn journey(&self, id: u64) -> Option<Journey> {
        self.0.journal.borrow().get(id).cloned()
    }

    /// The newest journey of a namespace that began at or after a time.
    pub fn newest_journey_of(&self, from: &str, since: Time) -> Option<u64> {
        self.0.journal.borrow().newest_of(from, since)
    }

    /// The machines that are nodes, in the order of their addresses.
    pub(crate) fn nodes(&self) -> Vec<NetNs> {
        let hosts = self.0.hosts.borrow().values().filter_map(Weak::upgrade).collect::<Vec<_>>();
        let nodes = hosts.into_iter().filter(|ns| ns.role == Role::Node && !ns.down.get());
        nodes.map(|ns| NetNs(ns, Asker::Routine)).collect()
    }

    /// The namespace of whoever has an address; what it does is not told of as somebody's request.
    pub fn routine_of(&self, address: Ipv4Addr) -> Option<NetNs> {
        self.0.host(address).map(|ns| NetNs(ns, Asker::Routine))
    }

    /// The name of whoever has an address.
    pub fn name_of(&self, address: Ipv4Addr) -> Option<String> {
        self.0.host(address).map(|ns| ns.name.clone())
    }
}

impl FabricInner {
    pub(crate) fn host(&self, address: Ipv4Addr) -> Option<Rc<NsInner>> {
        self.hosts.borrow().get(&address)?.upgrade().filter(|ns| !ns.down.get())
    }

    /// The name of whoever has an address; empty if nobody has.
    pub(crate) fn name_at(&self, address: Ipv4Addr) -> String {
        self.host(address).map_or(String::new(), |host| host.name.clone())
    }

    pub(crate) fn forget(&self, addresses: &[Ipv4Addr]) {
        let mut hosts = self.hosts.borrow_mut();
        for address in addresses {
            // Someone else may have the address by now.
            let gone = hosts.get(address).is_some_and(|weak| weak.upgrade().is_none_or(|ns| ns.down.get()));
            if gone {
                hosts.remove(address);
            }
        }
    }

    /// Follows the rules for one connection or datagram from `from`.
    pub(crate) fn route(&self, from: &NsInner, protocol: Protocol, to: SocketAddrV4) -> Route {
        let own = to.ip().is_loopback() || to.ip().is_unspecified() || from.addresses.contains(to.ip());
        let mut hops = vec![to.to_string()];
        let rules = Rc::clone(&self.rules.borrow());
        let node = self.host(*to.ip()).filter(|ns| ns.role == Role::Node && !to.ip().is_loopback());
        // What is outside gets to a Service's rules at a node alone: an external IP may be one of a node's own.
        let is_at_rules = from.role != Role::Outside || (node.is_some() && from.is_on_link(*to.ip()));
        if let Some(rule) = rules.service(protocol, to).filter(|_| is_at_rules) {
            let via = rule.via(*to.ip());
            let entry = node.as_ref().filter(|_| from.role == Role::Outside).map_or(from.machine(), |n| n.machine());
            return self.through_service(from, rule, Entry { via, address: to, node: entry }, hops);
        }
        if let Some(node) = node
            && (from.role != Role::Outside || from.is_on_link(*to.ip()))
            && let Some(rule) = rules.node_port(protocol, to.port())
        {
            hops.push(node.name.clone());
            let entry = Entry { via: Via::NodePort, address: to, node: node.machine() };
            return self.through_service(from, rule, entry, hops);
        }
        let mapped = self.host_ports.borrow().get(&(protocol, to)).copied();
        if let Some(pod) = mapped
            && (from.role != Role::Outside || from.is_on_link(*to.ip()))
        {
            hops.push(pod.to_string());
            let route = self.to_host(from, pod, hops, from.first_address());
            return Route { turn: Some(What::HostPort { address: to, pod }), ..route };
        }
        if own {
            let (source, ip) = if to.ip().is_loopback() || to.ip().is_unspecified() {
                (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST)
            } else {
                (*to.ip(), *to.ip())
            };
            let address = SocketAddrV4::new(ip, to.port());
            let target = Target::Host { address, source, wire: Rc::clone(&self.loopback) };
            return Route { hops, turn: None, target, end: None };
        }
        self.to_host(from, to, hops, from.first_address())
    }

    /// Follows a Service's rules on the node where a packet comes to them (`pkg/proxy/iptables`).
    fn through_service(&self, from: &NsInner, rule: &ServiceRule, entry: Entry<'_>, mut hops: Vec<String>) -> Route {
        hops.push(format!("service/{}", rule.service));
        let is_external = entry.via != Via::ClusterIp;
        // What sets out on the node itself takes the short way: to it, an outer address is as good as the inner one.
        let sets_out_here = from.role != Role::Outside && !entry.node.is_empty() && from.machine() == entry.node;
        let is_local = if is_external { rule.external_local && !sets_out_here } else { rule.internal_local };
        let candidates = if is_local { rule.on_node(entry.node) } else { &rule.backends };
        let random = self.sim.random_u64();
        let (chosen, is_known) =
            self.affinities.borrow_mut().choose(rule, candidates, from.first_address(), random, self.sim.now());
        let is_refused_here = is_local && !rule.backends.is_empty();
        let turn = Some(What::Rule {
            service: rule.service.clone(),
            via: entry.via,
            address: entry.address,
            // Without a policy it matters to node ports alone where a packet comes in.
            node: if entry.via == Via::NodePort || is_local { entry.node.to_owned() } else { String::new() },
            endpoints: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
            chosen,
            chosen_name: chosen.map_or(String::new(), |chosen| self.name_at(*chosen.ip())),
            by: match candidates.len() {
                0 if is_refused_here => Choice::NoneHere,
                0 => Choice::None,
                1 => Choice::Only,
                _ if is_known => Choice::ClientIp,
                _ => Choice::Chance,
            },
            local: is_local,
        });
        let lost = |error, after| Target::Lost { error, after };
        let route = match chosen {
            Some(backend) => {
                hops.push(backend.to_string());
                self.to_host(from, backend, hops, self.seen_source(from, rule, &entry))
            }
            None if is_refused_here => {
                hops.push("no local endpoints: dropped".to_owned());
                Route { hops, turn: None, target: lost(NetError::TimedOut, CONNECT_TIMEOUT), end: None }
            }
            None => {
                hops.push("no endpoints: rejected".to_owned());
                Route { hops, turn: None, target: lost(NetError::Refused, LOOPBACK_DELAY), end: None }
            }
        };
        Route { turn, ..route }
    }

    /// Whom an endpoint sees: for what comes to an outer address the node puts its own in, unless the policy is Local.
    fn seen_source(&self, from: &NsInner, rule: &ServiceRule, entry: &Entry<'_>) -> Ipv4Addr {
        match entry.via {
            Via::ClusterIp => from.first_address(),
            _ if rule.external_local => from.first_address(),
            Via::NodePort => *entry.address.ip(),
            Via::ExternalIp | Via::LoadBalancer => {
                let hosts = self.hosts.borrow();
                let mut nodes = hosts.values().filter_map(Weak::upgrade).filter(|ns| ns.role == Role::Node);
                let node = nodes.find(|ns| ns.machine() == entry.node);
                node.map_or(from.first_address(), |node| node.first_address())
            }
        }
    }

    fn to_host(&self, from: &NsInner, to: SocketAddrV4, hops: Vec<String>, source: Ipv4Addr) -> Route {
        // Behind a Service an outside client is already on the node, which reaches everything.
        let from_node = hops.len() > 1;
        let reachable = from_node || from.role != Role::Outside || from.is_on_link(*to.ip());
        let target = match self.host(*to.ip()) {
            Some(ns) if reachable || ns.role == Role::Public => {
                let own = std::ptr::eq(Rc::as_ptr(&ns), from);
                let wire = Rc::clone(if own { &self.loopback } else { &self.hop });
                Target::Host { address: to, source, wire }
            }
            None if reachable && self.is_known_network(*to.ip()) => {
                Target::Lost { error: NetError::Unreachable, after: NEIGHBOUR_TIMEOUT }
            }
            _ => Target::Lost { error: NetError::TimedOut, after: CONNECT_TIMEOUT },
        };
        Route { hops, turn: None, target, end: Some(to) }
    }

    /// Whether there is a filter at all.
    pub(crate) fn is_filtered(&self) -> bool {
        self.filter.borrow().is_some()
    }

    /// Whether the filter lets the first packet of something new pass on its way, and why.
    pub(crate) fn admits(
        &self,
        from: &NsInner,
        protocol: Protocol,
        route: &Route,
        verdicts: &mut Vec<Verdict>,
    ) -> bool {
        let (Some(filter), Some(end)) = (self.filter.borrow().clone(), route.end) else { return true };
        let host = self.host(*end.ip());
        if host.as_ref().is_some_and(|host| std::ptr::eq(Rc::as_ptr(host), from)) {
            return true;
        }
        let (name, role) = host.as_ref().map_or(("", Role::Outside), |host| (host.name.as_str(), host.role));
        let packet = Packet {
            from: Party { name: &from.name, role: from.role, address: from.first_address() },
            to: Party { name, role, address: *end.ip() },
            protocol,
            port: end.port(),
        };
        filter.admits(&packet, verdicts)
    }

    /// Whether the address is of a network that exists: then a missing neighbour is noticed, else a packet just vanishes.
    fn is_known_network(&self, address: Ipv4Addr) -> bool {
        self.networks.borrow().contains(&network(address))
    }

    pub(crate) fn next_flow_id(&self) -> u64 {
        let id = self.next_flow.get();
        self.next_flow.set(id + 1);
        id
    }
}

/// The /16 of an address.
fn network(address: Ipv4Addr) -> u32 {
    address.to_bits() >> 16
}

/// Reports the beginning and, when dropped, the end of a connection.
pub(crate) struct FlowGuard {
    sim: Sim,
    id: u64,
    from: String,
    hops: Vec<String>,
    to: String,
}

impl FlowGuard {
    /// Reports `outcome`; gives a guard that reports `closed`.
    pub(crate) fn report(sim: &Sim, id: u64, from: &str, hops: Vec<String>, to: String, outcome: &str) -> FlowGuard {
        let guard = FlowGuard { sim: sim.clone(), id, from: from.to_owned(), hops, to };
        guard.emit(outcome);
        guard
    }

    /// Reports that a filter dropped what was on this way.
    pub(crate) fn dropped(fabric: &FabricInner, id: u64, from: &str, route: &Route) {
        let end = route.end.and_then(|end| fabric.host(*end.ip()));
        let to = end.map_or(String::new(), |host| host.name.clone());
        FlowGuard::report(&fabric.sim, id, from, route.hops.clone(), to, "dropped").forget();
    }

    /// Ends without a report of its own, for flows that never came to be.
    pub(crate) fn forget(mut self) {
        self.id = 0;
    }

    fn emit(&self, outcome: &str) {
        self.sim.trace(TraceKind::Flow {
            id: self.id,
            from: self.from.clone(),
            hops: self.hops.clone(),
            to: self.to.clone(),
            outcome: outcome.to_owned(),
        });
    }
}

impl Drop for FlowGuard {
    fn drop(&mut self) {
        if self.id != 0 {
            self.emit("closed");
        }
    }
}
