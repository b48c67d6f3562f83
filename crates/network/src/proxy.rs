//! kube-proxy: Services and EndpointSlices become rules of the fabric (`pkg/proxy/iptables`).
//!
//! Every node runs one upstream and all write the same rules; here one writes them for the whole fabric. Rules stay when
//! it stops, as iptables rules do.
//!
//! Differences: topology hints are not built.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::{Object, kinds};
use client::{Client, Informer, ListOptions};
use json::Value;
use simulation::{Duration, Sim, Task, Time};

use crate::Fabric;
use crate::health::HealthServers;
use crate::nat::{Protocol, Rules, ServiceRule};

/// Between two writes of the rules, in the long run (`iptables.minSyncPeriod`).
pub const SYNC_PERIOD_MIN: Duration = Duration::from_secs(1);
/// Writes that may follow each other at once after a quiet time (upstream's `burstSyncs`).
pub const SYNC_BURST_MAX: u32 = 2;

/// How long an affinity lasts unless told otherwise, in seconds.
const AFFINITY_SECONDS: i64 = 10_800;

const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

struct Inner {
    sim: Sim,
    fabric: Fabric,
    services: Informer,
    slices: Informer,
    scheduled: Cell<bool>,
    /// When the bucket of allowed writes is full again: each write moves it on by [`SYNC_PERIOD_MIN`].
    full_at: Cell<Time>,
    syncing: RefCell<Option<Task<()>>>,
    health: HealthServers,
}

/// A running kube-proxy; it stops when dropped.
pub struct KubeProxy {
    inner: Rc<Inner>,
    starting: Task<()>,
}

impl KubeProxy {
    /// Starts to follow the API and to write rules.
    pub fn start(sim: &Sim, client: &Client, fabric: &Fabric) -> KubeProxy {
        let follow = |kind| Informer::start(sim, client, kind, "", ListOptions::default());
        let inner = Rc::new(Inner {
            sim: sim.clone(),
            fabric: fabric.clone(),
            services: follow(&kinds::SERVICES),
            slices: follow(&kinds::ENDPOINT_SLICES),
            scheduled: Cell::new(false),
            full_at: Cell::new(sim.now()),
            syncing: RefCell::default(),
            health: HealthServers::new(sim, fabric),
        });
        let starting = sim.spawn({
            let inner = Rc::clone(&inner);
            async move {
                inner.services.synced().await;
                inner.slices.synced().await;
                for informer in [&inner.services, &inner.slices] {
                    let weak = Rc::downgrade(&inner);
                    informer.on_event(move |_| {
                        if let Some(inner) = weak.upgrade() {
                            inner.schedule();
                        }
                    });
                }
                inner.schedule();
            }
        });
        KubeProxy { inner, starting }
    }

    /// Stops following; the rules stay as they are.
    pub fn stop(&self) {
        self.starting.abort();
        self.inner.services.stop();
        self.inner.slices.stop();
        if let Some(task) = self.inner.syncing.borrow_mut().take() {
            task.abort();
        }
        self.inner.health.stop();
    }
}

impl Drop for KubeProxy {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn schedule(self: &Rc<Self>) {
        if self.scheduled.replace(true) {
            return;
        }
        let inner = Rc::clone(self);
        let due = self.sim.now().max(self.full_at.get() - SYNC_PERIOD_MIN * (SYNC_BURST_MAX - 1));
        let task = self.sim.spawn(async move {
            inner.sim.sleep_until(due).await;
            inner.scheduled.set(false);
            inner.full_at.set(inner.sim.now().max(inner.full_at.get()) + SYNC_PERIOD_MIN);
            let services = inner.services.list();
            inner.fabric.set_rules(Rules::new(rules(&services, &inner.slices.list())));
            inner.health.serve(&services);
        });
        *self.syncing.borrow_mut() = Some(task);
    }
}

/// The rules for a set of Services and EndpointSlices, in the order of Services.
pub fn rules(services: &[Object], slices: &[Object]) -> Vec<ServiceRule> {
    services.iter().flat_map(|service| service_rules(service, slices)).collect()
}

fn service_rules(service: &Object, slices: &[Object]) -> Vec<ServiceRule> {
    let (external_ips, balancers) = outside_addresses(service);
    let cluster_ip = service.str("spec.clusterIP").parse::<Ipv4Addr>().ok();
    let addresses: Vec<Ipv4Addr> = cluster_ip.iter().chain(&external_ips).chain(&balancers).copied().collect();
    if service.str("spec.type") == "ExternalName" || addresses.is_empty() {
        return Vec::new();
    }
    let own: Vec<&Object> = slices
        .iter()
        .filter(|s| s.namespace() == service.namespace() && s.label(SERVICE_NAME_LABEL) == Some(service.name()))
        .collect();
    let affinity = (service.str("spec.sessionAffinity") == "ClientIP").then(|| {
        let seconds = service.int("spec.sessionAffinityConfig.clientIP.timeoutSeconds").unwrap_or(AFFINITY_SECONDS);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    });
    let is_local = |field: &str| service.str(field) == "Local";
    let rule = |port: &Value| -> Option<ServiceRule> {
        let name = port["name"].as_str().unwrap_or("");
        let protocol = protocol(port)?;
        let number = port_number(&port["port"])?;
        let suffix = if name.is_empty() { String::new() } else { format!(":{name}") };
        let endpoints = endpoints(&own, name, protocol);
        let nodes: std::collections::BTreeSet<&str> = endpoints.iter().map(|e| e.node.as_str()).collect();
        let on = |node: &str| serving(endpoints.iter().filter(|e| e.node == node));
        let mut ready_by_node: BTreeMap<String, Vec<SocketAddrV4>> = BTreeMap::new();
        for endpoint in endpoints.iter().filter(|e| e.is_ready) {
            ready_by_node.entry(endpoint.node.clone()).or_default().push(endpoint.address);
        }
        Some(ServiceRule {
            service: format!("{}{suffix}", service.key()),
            protocol,
            addresses: addresses.iter().map(|ip| SocketAddrV4::new(*ip, number)).collect(),
            external_ips: external_ips.clone(),
            balancers: balancers.clone(),
            node_port: port_number(&port["nodePort"]).filter(|p| *p != 0),
            backends: serving(endpoints.iter()),
            by_node: nodes.into_iter().map(|node| (node.to_owned(), on(node))).collect::<BTreeMap<_, _>>(),
            ready_by_node,
            external_local: is_local("spec.externalTrafficPolicy"),
            internal_local: is_local("spec.internalTrafficPolicy"),
            affinity,
        })
    };
    service.list("spec.ports").iter().filter_map(rule).collect()
}

/// Addresses beside the cluster IP: those of `spec.externalIPs`, and those of a load balancer.
fn outside_addresses(service: &Object) -> (Vec<Ipv4Addr>, Vec<Ipv4Addr>) {
    let external = service.list("spec.externalIPs").iter().filter_map(Value::as_str);
    let balancers = service.list("status.loadBalancer.ingress").iter().filter_map(|i| i["ip"].as_str());
    (external.filter_map(|ip| ip.parse().ok()).collect(), balancers.filter_map(|ip| ip.parse().ok()).collect())
}

fn protocol(port: &Value) -> Option<Protocol> {
    match port["protocol"].as_str().unwrap_or("TCP") {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        _ => None, // SCTP: no such sockets here
    }
}

fn port_number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok())
}

/// An endpoint that may be used.
struct Endpoint {
    address: SocketAddrV4,
    node: String,
    /// Ready; else terminating, and still serving.
    is_ready: bool,
}

fn endpoints(slices: &[&Object], port_name: &str, wanted: Protocol) -> Vec<Endpoint> {
    let mut all = Vec::new();
    for slice in slices {
        let ports = slice.list("ports").iter();
        let mut ports = ports.filter(|p| p["name"].as_str().unwrap_or("") == port_name && protocol(p) == Some(wanted));
        let Some(port) = ports.find_map(|p| port_number(&p["port"])) else { continue };
        for endpoint in slice.list("endpoints") {
            let condition = |name: &str| endpoint["conditions"][name].as_bool();
            let is_ready = condition("ready").unwrap_or(true);
            let is_draining = condition("serving") == Some(true) && condition("terminating") == Some(true);
            if !is_ready && !is_draining {
                continue;
            }
            let addresses = endpoint["addresses"].as_array().into_iter().flatten();
            // Of one endpoint kube-proxy uses the first address.
            let address = addresses.filter_map(Value::as_str).find_map(|a| a.parse::<Ipv4Addr>().ok());
            let node = endpoint["nodeName"].as_str().unwrap_or("").to_owned();
            all.extend(address.map(|ip| Endpoint { address: SocketAddrV4::new(ip, port), node, is_ready }));
        }
    }
    all
}

/// Ready endpoints; when there is none, those that are terminating but still serve.
fn serving<'a>(endpoints: impl Iterator<Item = &'a Endpoint> + Clone) -> Vec<SocketAddrV4> {
    let has_ready = endpoints.clone().any(|e| e.is_ready);
    let mut chosen: Vec<SocketAddrV4> = endpoints.filter(|e| e.is_ready == has_ready).map(|e| e.address).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use json::json;

    use super::*;

    fn check(service: Value, slices: &[Value], expected: Expect) {
        let mut service = Object::new(service);
        service.set("metadata.namespace", "default");
        service.set("metadata.name", "web");
        let slices: Vec<Object> = slices
            .iter()
            .map(|slice| {
                let mut slice = Object::new(slice.clone());
                slice.set("metadata.namespace", "default");
                slice.set_label(SERVICE_NAME_LABEL, "web");
                slice
            })
            .collect();
        let lines: Vec<String> = rules(&[service], &slices)
            .into_iter()
            .map(|r| {
                let node_port = r.node_port.map_or(String::new(), |p| format!(" node:{p}"));
                format!("{} {:?} {:?}{node_port} -> {:?}\n", r.service, r.protocol, r.addresses, r.backends)
            })
            .collect();
        expected.assert_eq(&lines.concat());
    }

    #[test]
    fn services_become_rules() {
        let service = json!({"spec": {"clusterIP": "10.96.1.2", "type": "NodePort", "ports": [
            {"port": 80, "protocol": "TCP", "nodePort": 30080, "targetPort": 8080}]}});
        let slice = json!({"ports": [{"name": "", "port": 8080, "protocol": "TCP"}], "endpoints": [
            {"addresses": ["10.244.0.5"], "conditions": {"ready": true, "serving": true, "terminating": false}},
            {"addresses": ["10.244.0.4"], "conditions": {"ready": true}},
            {"addresses": ["10.244.0.6"], "conditions": {"ready": false, "serving": true, "terminating": true}},
            {"addresses": ["10.244.0.7"], "conditions": {"ready": false}}]});
        check(
            service.clone(),
            &[slice],
            expect![[r#"
                default/web Tcp [10.96.1.2:80] node:30080 -> [10.244.0.4:8080, 10.244.0.5:8080]
            "#]],
        );
        let draining = json!({"ports": [{"port": 8080}], "endpoints": [
            {"addresses": ["10.244.0.6"], "conditions": {"ready": false, "serving": true, "terminating": true}}]});
        check(
            service.clone(),
            &[draining],
            expect![[r#"
                default/web Tcp [10.96.1.2:80] node:30080 -> [10.244.0.6:8080]
            "#]],
        );
        check(
            service,
            &[],
            expect![[r#"
                default/web Tcp [10.96.1.2:80] node:30080 -> []
            "#]],
        );
    }

    #[test]
    fn named_ports_and_services_without_rules() {
        check(
            json!({"spec": {"clusterIP": "10.96.1.2", "externalIPs": ["1.2.3.4"], "ports": [
                {"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]}}),
            &[json!({"ports": [{"name": "dns", "port": 5353, "protocol": "UDP"}, {"name": "http", "port": 8080}],
                "endpoints": [{"addresses": ["10.244.0.5"]}]})],
            expect![[r#"
                default/web:http Tcp [10.96.1.2:80, 1.2.3.4:80] -> [10.244.0.5:8080]
                default/web:dns Udp [10.96.1.2:53, 1.2.3.4:53] -> [10.244.0.5:5353]
            "#]],
        );
        check(json!({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}), &[], expect![""]);
        check(json!({"spec": {"type": "ExternalName", "externalName": "x"}}), &[], expect![""]);
    }

    #[test]
    fn who_only_ends_is_not_counted_as_ready() {
        let service = Object::new(json!({"metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": "10.96.1.2", "ports": [{"port": 80}]}}));
        let slice = Object::new(json!({
            "metadata": {"namespace": "default", "labels": {SERVICE_NAME_LABEL: "web"}},
            "ports": [{"port": 8080}],
            "endpoints": [
                {"addresses": ["10.244.0.5"], "nodeName": "a", "conditions": {"ready": true}},
                {"addresses": ["10.244.1.6"], "nodeName": "b",
                    "conditions": {"ready": false, "serving": true, "terminating": true}}]}));
        let rules = rules(&[service], &[slice]);
        let counts = |node: &str| (rules[0].on_node(node).len(), rules[0].ready_on_node(node).len());
        assert_eq!((counts("a"), counts("b")), ((1, 1), (1, 0)));
    }
}
