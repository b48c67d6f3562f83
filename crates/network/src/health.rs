//! Who tells load balancers outside whether a node has endpoints of a Service with `externalTrafficPolicy: Local`
//! (`pkg/proxy/healthcheck`): a server on every node, at the Service's `healthCheckNodePort`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::Object;
use api::http::{Body, HeaderValue, Response, StatusCode, header};
use simulation::Sim;

use crate::http1::{self, Handler, Server};
use crate::{Fabric, Ipv4Addr, NetNs, SocketAddrV4};

/// One server of a node.
struct Health {
    service: String,
    node: NetNs,
    /// It stops when it goes.
    _server: Server,
}

/// The servers, by node and port.
pub(crate) struct HealthServers {
    sim: Sim,
    fabric: Fabric,
    servers: RefCell<BTreeMap<(String, u16), Health>>,
}

impl HealthServers {
    pub(crate) fn new(sim: &Sim, fabric: &Fabric) -> HealthServers {
        HealthServers { sim: sim.clone(), fabric: fabric.clone(), servers: RefCell::default() }
    }

    /// Serves for these Services and for no others. Nodes that join later are served with the next change of the rules.
    pub(crate) fn serve(&self, services: &[Object]) {
        let mut wanted = BTreeMap::new();
        for service in services {
            let port = service.int("spec.healthCheckNodePort").and_then(|port| u16::try_from(port).ok());
            if let Some(port) = port.filter(|port| *port != 0) {
                wanted.insert(port, service.key());
            }
        }
        let mut servers = self.servers.borrow_mut();
        servers.retain(|(_, port), health| wanted.get(port) == Some(&health.service) && !health.node.is_down());
        if wanted.is_empty() {
            return;
        }
        for node in self.fabric.nodes() {
            for (port, service) in &wanted {
                let key = (node.name().to_owned(), *port);
                if servers.contains_key(&key) {
                    continue;
                }
                // A port that somebody on the node has is not served, as with kube-proxy.
                let Ok(listener) = node.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, *port)) else { continue };
                let server = http1::serve(&self.sim, listener, self.handler(service, &node));
                servers.insert(key, Health { service: service.clone(), node: node.clone(), _server: server });
            }
        }
    }

    /// Stops all of them.
    pub(crate) fn stop(&self) {
        self.servers.borrow_mut().clear();
    }

    fn handler(&self, service: &str, node: &NetNs) -> Handler {
        let (fabric, service, node) = (self.fabric.clone(), service.to_owned(), node.0.machine().to_owned());
        Rc::new(move |_| {
            let response = answer(&service, local_endpoints(&fabric, &service, &node));
            Box::pin(std::future::ready(response))
        })
    }
}

/// How many ready endpoints of a Service a node has, whatever their ports.
fn local_endpoints(fabric: &Fabric, service: &str, node: &str) -> usize {
    let rules = fabric.rules();
    let own = rules.all().iter().filter(|rule| {
        let rest = rule.service.strip_prefix(service);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    own.flat_map(|rule| rule.ready_on_node(node)).map(|endpoint| *endpoint.ip()).collect::<BTreeSet<_>>().len()
}

fn answer(service: &str, count: usize) -> Response {
    let (namespace, name) = service.split_once('/').unwrap_or(("", service));
    let text = format!(
        "{{\n\t\"service\": {{\n\t\t\"namespace\": \"{namespace}\",\n\t\t\"name\": \"{name}\"\n\t}},\n\t\"localEndpoints\": {count},\n\t\"serviceProxyHealthy\": true\n}}"
    );
    let mut response = Response::new(Body::Bytes(text.into()));
    if count == 0 {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("x-load-balancing-endpoint-weight", HeaderValue::from(count));
    response
}
