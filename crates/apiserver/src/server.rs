//! The server: its parts, and the way of a request through them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use api::http::{Request, Response, Transport, TransportError};
use etcd::Etcd;
use futures_util::future::LocalBoxFuture;
use json::Value;
use simulation::{Sim, TraceKind};

use crate::registry::expiry::{self, Expiry};
use crate::request::{Head, Query};
use crate::{bootstrap, handler};

/// How the API server reaches nodes and pods. The cluster supplies it; without nodes every call fails.
pub trait NodeProxy {
    /// Calls the kubelet of a node.
    fn kubelet(&self, node: &str, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>>;
    /// Calls a pod over plain HTTP.
    fn http(&self, ip: &str, port: u16, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>>;
}

/// A cluster without nodes.
pub struct NoNodes;

impl NodeProxy for NoNodes {
    fn kubelet(&self, _: &str, _: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        Box::pin(std::future::ready(Err(TransportError::Unreachable)))
    }
    fn http(&self, _: &str, _: u16, _: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        Box::pin(std::future::ready(Err(TransportError::Unreachable)))
    }
}

/// The storage class of minikube: a folder of the node for each claim.
pub const MINIKUBE_STORAGE_CLASS: &str = include_str!("minikube_class.json");

/// What a server is made with.
pub struct Config {
    /// Network of the ClusterIPs and the length of its prefix.
    pub service_cidr: (Ipv4Addr, u8),
    /// Where clients find the server, `host:port`.
    pub address: String,
    /// The version, e.g. `v1.36.3`.
    pub version: String,
    /// The storage class of a fresh cluster, as JSON.
    pub storage_class: &'static str,
    /// The way to nodes and pods.
    pub nodes: Rc<dyn NodeProxy>,
}

impl Default for Config {
    /// minikube's shape, without nodes.
    fn default() -> Self {
        Config {
            service_cidr: (Ipv4Addr::new(10, 96, 0, 0), 12),
            address: "192.168.49.2:8443".into(),
            version: "v1.36.3".into(),
            storage_class: MINIKUBE_STORAGE_CLASS,
            nodes: Rc::new(NoNodes),
        }
    }
}

pub(crate) struct Server {
    pub(crate) sim: Sim,
    pub(crate) etcd: Etcd,
    pub(crate) config: Config,
    pub(crate) expiry: Expiry,
    /// Objects of each kind of which nothing is set.
    pub(crate) zeros: RefCell<BTreeMap<&'static str, Rc<Value>>>,
    /// Who came to own what lately: objects that are alike share it.
    pub(crate) owned: RefCell<api::managed::Recent>,
    /// What CustomResourceDefinitions add; asked for anew after one has changed.
    pub(crate) customs: RefCell<Option<Rc<[&'static crate::custom::Custom]>>>,
    /// The policies that are asked; looked for anew after one has changed.
    pub(crate) policies: RefCell<crate::admission::asked::Hooks>,
    pub(crate) prose: crate::descriptions::Library,
}

/// The API server. Clones are handles to the same server.
#[derive(Clone)]
pub struct ApiServer(pub(crate) Rc<Server>);

impl ApiServer {
    /// A server with an empty store in which only the bootstrap objects exist.
    pub fn new(sim: Sim, config: Config) -> Self {
        let server = Rc::new(Server {
            sim,
            etcd: Etcd::new(),
            config,
            expiry: Expiry::default(),
            zeros: RefCell::default(),
            owned: RefCell::default(),
            customs: RefCell::default(),
            policies: RefCell::default(),
            prose: crate::descriptions::Library::default(),
        });
        crate::strategy::divide(&server.etcd);
        bootstrap::run(&server);
        // The tasks hold the server weakly: they do not keep it alive.
        server.sim.spawn(bootstrap::keep_service(Rc::downgrade(&server)));
        server.sim.spawn(expiry::run(Rc::downgrade(&server)));
        server.sim.spawn(crate::custom::control::run(Rc::downgrade(&server)));
        server.sim.spawn(crate::aggregator::run(Rc::downgrade(&server)));
        server.sim.spawn(crate::admission::asked::look_after(Rc::downgrade(&server)));
        ApiServer(server)
    }

    /// Says at which addresses this server and its like are: the endpoints of the Service `kubernetes`. Nothing happens while etcd
    /// cannot be written.
    pub fn advertise(&self, addresses: &[Ipv4Addr]) {
        let addresses: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
        bootstrap::advertise(&self.0, &addresses);
    }

    /// The store behind the server, for looking at past states. Writing past the server breaks its rules.
    pub fn store(&self) -> &Etcd {
        &self.0.etcd
    }
}

impl Transport for ApiServer {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let server = Rc::clone(&self.0);
        Box::pin(async move {
            // As over a wire, everyone else gets a turn before the answer: a client that sends a thousand requests in
            // a row must not keep the watchers of what it writes waiting until they have lost their place.
            server.sim.yield_now().await;
            let (parts, body) = request.into_parts();
            let head = Head {
                method: parts.method,
                query: Query::parse(parts.uri.query().unwrap_or("")),
                uri: parts.uri,
                headers: parts.headers,
                certified: parts.extensions.get().cloned(),
                component: parts.extensions.get().cloned(),
            };
            let call = (head.caller(), head.method.to_string(), head.uri.clone());
            let response = handler::handle(&server, head, body).await;
            server.sim.trace(TraceKind::Call {
                from: call.0,
                method: call.1,
                path: call.2.path_and_query().map_or_else(|| call.2.path().to_owned(), ToString::to_string),
                status: response.status().as_u16(),
            });
            Ok(response)
        })
    }
}
