//! The load balancers of a cloud: for each name in the status of a Service there is one, with an address on the internet that its
//! name stands for. It takes connections at the Service's ports and makes one of its own for each, to the Service's port on a node
//! that is ready. Upstream: Elastic Load Balancing, TCP listeners.
//!
//! Differences: no health checks of its own (a node that is not ready gets nothing, one that refuses is passed over), one address
//! instead of one a zone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::{Object, kinds};
use client::{Client, Informer, ListOptions};
use network::nat::Protocol;
use network::{Fabric, Listener, NetNs, Role, TcpStream};
use simulation::{Duration, Sim, Task};

/// Virtual time from a balancer's making until its name is known and its nodes are in service.
const READY_TIME: Duration = Duration::from_secs(10);
/// The first of the addresses that balancers have.
const ADDRESSES: Ipv4Addr = Ipv4Addr::new(44, 224, 0, 10);

/// A balancer at work.
struct Balancer {
    /// Port of the Service and the port of every node that it leads to.
    ports: Vec<(u16, u16)>,
    ranges: Vec<(Ipv4Addr, u32)>,
    net: NetNs,
    work: Task<()>,
}

/// The balancers, by name.
struct Inner {
    sim: Sim,
    fabric: Fabric,
    services: Informer,
    nodes: Informer,
    balancers: RefCell<BTreeMap<String, Balancer>>,
}

/// The cloud beside a cluster; it stops when told.
pub(crate) struct Balancers(Rc<Inner>);

impl Balancers {
    /// Follows the Services of a cluster.
    pub(crate) fn start(sim: &Sim, client: &Client, fabric: &Fabric) -> Balancers {
        let follow = |kind| Informer::start(sim, client, kind, "", ListOptions::default());
        let inner = Rc::new(Inner {
            sim: sim.clone(),
            fabric: fabric.clone(),
            services: follow(&kinds::SERVICES),
            nodes: follow(&kinds::NODES),
            balancers: RefCell::default(),
        });
        let weak = Rc::downgrade(&inner);
        inner.services.on_event(move |_| {
            if let Some(inner) = weak.upgrade() {
                inner.update();
            }
        });
        Balancers(inner)
    }

    /// Takes every balancer away.
    pub(crate) fn stop(&self) {
        self.0.services.stop();
        self.0.nodes.stop();
        let names: Vec<String> = self.0.balancers.borrow().keys().cloned().collect();
        names.iter().for_each(|name| self.0.remove(name));
    }
}

impl Inner {
    /// Makes what is wanted and not there, and takes away what is not wanted any more.
    fn update(self: &Rc<Self>) {
        let mut wanted = BTreeMap::new();
        for service in self.services.list() {
            for ingress in service.list("status.loadBalancer.ingress") {
                if let Some(name) = ingress["hostname"].as_str() {
                    wanted.insert(name.to_owned(), (ports(&service), ranges(&service)));
                }
            }
        }
        let changed = |(name, balancer): (&String, &Balancer)| {
            let is_same = wanted.get(name).is_some_and(|(p, r)| *p == balancer.ports && *r == balancer.ranges);
            (!is_same).then(|| name.clone())
        };
        let gone: Vec<String> = self.balancers.borrow().iter().filter_map(changed).collect();
        let were_there: Vec<String> = gone.iter().filter(|name| wanted.contains_key(*name)).cloned().collect();
        gone.iter().for_each(|name| self.remove(name));
        for (name, (ports, ranges)) in wanted {
            if !self.balancers.borrow().contains_key(&name) {
                let pause = if were_there.contains(&name) { Duration::ZERO } else { READY_TIME };
                self.make(name, ports, ranges, pause);
            }
        }
    }

    fn make(self: &Rc<Self>, name: String, ports: Vec<(u16, u16)>, ranges: Vec<(Ipv4Addr, u32)>, pause: Duration) {
        let taken: Vec<Ipv4Addr> = self.balancers.borrow().values().flat_map(|b| b.net.addresses().to_vec()).collect();
        let mut address = ADDRESSES;
        while taken.contains(&address) {
            address = Ipv4Addr::from(address.to_bits() + 1);
        }
        let net = self.fabric.attach_as(&format!("elb/{name}"), &[address], Role::Public);
        let work = {
            let (inner, net, name) = (Rc::downgrade(self), net.clone(), name.clone());
            let (sim, ports, ranges) = (self.sim.clone(), ports.clone(), ranges.clone());
            self.sim.spawn(async move {
                sim.sleep(pause).await;
                let mut at_work = Vec::new();
                for (port, node_port) in ports {
                    let Ok(listener) = net.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)) else { continue };
                    let served = serve(inner.clone(), net.clone(), listener, node_port, ranges.clone());
                    at_work.push(sim.spawn(served));
                }
                if let Some(inner) = inner.upgrade() {
                    inner.fabric.publish(&name, &[address]);
                }
                // The listeners live as long as this task.
                let _ends = Ends(at_work);
                std::future::pending::<()>().await;
            })
        };
        self.balancers.borrow_mut().insert(name, Balancer { ports, ranges, net, work });
    }

    fn remove(&self, name: &str) {
        let balancer = self.balancers.borrow_mut().remove(name);
        if let Some(balancer) = balancer {
            balancer.work.abort();
            balancer.net.detach();
            self.fabric.publish(name, &[]);
        }
    }

    /// The addresses of nodes that are ready, beginning with one by chance. With `externalTrafficPolicy: Local` only those with
    /// endpoints, as the health check finds them.
    fn targets(&self, node_port: u16) -> Vec<Ipv4Addr> {
        let rules = self.fabric.rules();
        let local = rules.node_port(Protocol::Tcp, node_port).filter(|rule| rule.external_local);
        let has_endpoints = |node: &&Object| local.is_none_or(|rule| !rule.ready_on_node(node.name()).is_empty());
        let nodes = self.nodes.list();
        let ready = nodes.iter().filter(|node| is_ready(node)).filter(has_endpoints);
        let mut targets: Vec<Ipv4Addr> = ready.filter_map(address).collect();
        if !targets.is_empty() {
            let first = self.sim.random_below(targets.len() as u64);
            targets.rotate_left(usize::try_from(first).unwrap_or(0));
        }
        targets
    }
}

/// Ends tasks when it goes.
struct Ends(Vec<Task<()>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.iter().for_each(Task::abort);
    }
}

fn port(value: &json::Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

fn ports(service: &Object) -> Vec<(u16, u16)> {
    let ports = service.list("spec.ports").iter();
    ports.filter_map(|p| Some((port(&p["port"])?, port(&p["nodePort"])?))).collect()
}

/// `spec.loadBalancerSourceRanges`: the first address and the length of the prefix.
fn ranges(service: &Object) -> Vec<(Ipv4Addr, u32)> {
    let read = |text: &str| {
        let (address, length) = text.trim().split_once('/')?;
        Some((address.parse().ok()?, length.parse().ok()?))
    };
    service.list("spec.loadBalancerSourceRanges").iter().filter_map(|r| read(r.as_str()?)).collect()
}

fn is_within(address: Ipv4Addr, ranges: &[(Ipv4Addr, u32)]) -> bool {
    let differs = |range: Ipv4Addr, length: u32| {
        (address.to_bits() ^ range.to_bits()).checked_shr(32 - length.min(32)).unwrap_or(0) != 0
    };
    ranges.is_empty() || ranges.iter().any(|(range, length)| !differs(*range, *length))
}

fn is_ready(node: &Object) -> bool {
    node.list("status.conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn address(node: &Object) -> Option<Ipv4Addr> {
    let addresses = node.list("status.addresses");
    addresses.iter().find(|a| a["type"] == "InternalIP")?["address"].as_str()?.parse().ok()
}

async fn serve(
    inner: std::rc::Weak<Inner>,
    net: NetNs,
    listener: Listener,
    node_port: u16,
    ranges: Vec<(Ipv4Addr, u32)>,
) {
    let mut unheard = Vec::new();
    while let Ok(client) = listener.accept().await {
        let Some(inner) = inner.upgrade() else { return };
        if !is_within(*client.peer_addr().ip(), &ranges) {
            // The firewall before a balancer lets nothing through and says nothing.
            unheard.push(client);
            continue;
        }
        let (targets, net) = (inner.targets(node_port), net.clone());
        inner.sim.spawn(forward(inner.sim.clone(), net, client, targets, node_port));
    }
}

/// Leads one connection to the first of the nodes that takes it.
async fn forward(sim: Sim, net: NetNs, client: TcpStream, targets: Vec<Ipv4Addr>, node_port: u16) {
    for target in targets {
        if let Ok(server) = net.connect(SocketAddrV4::new(target, node_port)).await {
            let back = sim.spawn(copy(server.clone(), client.clone()));
            copy(client, server).await;
            // It ends by itself or with the world.
            let _ = back.await;
            return;
        }
    }
    client.close();
}

/// Passes on what one end says until it ends.
async fn copy(from: TcpStream, to: TcpStream) {
    loop {
        match from.read().await {
            Ok(bytes) if bytes.is_empty() => return to.shutdown_write(),
            Ok(bytes) if to.write_all(&bytes).await.is_ok() => {}
            _ => {
                from.abort();
                return to.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_addresses() {
        let within = |address: &str, ranges: &[(&str, u32)]| {
            let ranges: Vec<(Ipv4Addr, u32)> =
                ranges.iter().map(|(first, length)| (first.parse().expect("an address"), *length)).collect();
            is_within(address.parse().expect("an address"), &ranges)
        };
        assert!(within("192.168.49.1", &[]), "no range: everyone");
        assert!(within("192.168.49.1", &[("10.0.0.0", 8), ("192.168.49.0", 24)]));
        assert!(within("192.168.49.1", &[("0.0.0.0", 0)]));
        assert!(within("192.168.49.1", &[("192.168.49.1", 32)]));
        assert!(!within("192.168.49.1", &[("192.168.50.0", 24), ("192.168.49.2", 32)]));
    }
}
