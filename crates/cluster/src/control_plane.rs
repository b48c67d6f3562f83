//! The parts that run on the control-plane node, started in the order in which they need each other.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Poll;

use api::http::{Component, Request, Response, Transport, TransportError};
use apiserver::NodeProxy;
use client::{Client, Informer};
use controllers::ControllerManager;
use futures_util::future::LocalBoxFuture;
use network::{Fabric, NetError, NetNs, SocketAddrV4, http1};
use scheduler::Scheduler;
use simulation::notify::Waiters;
use simulation::{Duration, Sim, Task};

use crate::cloud::Balancers;
use crate::ingress::Desk;
use crate::lines::Lines;
use crate::node::Nodes;
use crate::profile::Profile;
use crate::seats::{Floor, Seats};
use crate::{system, users};

/// Where the simulated machine answers for the cluster's names; CoreDNS asks there (images/system). It is the address that
/// NodeLocal DNSCache uses.
const NAMES_ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 20, 10);
/// Domain of the cluster.
pub(crate) const DOMAIN: &str = "cluster.local";

/// The parts that decide.
enum Brains {
    /// One of each.
    Only(Box<(ControllerManager, Scheduler)>),
    /// Several, of which one leads.
    Elected(Box<Seats>),
}

/// The running parts; ended by [`ControlPlane::stop`].
pub(crate) struct ControlPlane {
    brains: Brains,
    kube_proxy: network::proxy::KubeProxy,
    policies: network::policy::NetworkPolicies,
    ingress: Desk,
    dns: network::dns::Dns,
    system: Task<()>,
    volumes: Informer,
    balancers: Option<Balancers>,
}

impl ControlPlane {
    pub(crate) fn start(
        sim: &Sim,
        fabric: &Fabric,
        roads: &Roads,
        nodes: &Nodes,
        profile: &'static Profile,
        floor: Option<Floor>,
    ) -> ControlPlane {
        let client = |agent: &str| roads.client(agent);
        let brains = match floor {
            Some(floor) => Brains::Elected(Box::new(Seats::new(floor))),
            None => Brains::Only(Box::new((start_controllers(sim, roads, profile), start_scheduler(sim, roads)))),
        };
        let kube_proxy = network::proxy::KubeProxy::start(sim, &client("kube-proxy"), fabric);
        let policies = network::policy::NetworkPolicies::start(sim, &client("kube-network-policies"), fabric);
        let dns = network::dns::Dns::start(sim, &client("coredns"), fabric, NAMES_ADDRESS, DOMAIN);
        ControlPlane {
            brains,
            kube_proxy,
            policies,
            ingress: Desk::start(sim, dns.namespace(), roads.of("nginx-ingress-controller")),
            dns,
            system: system::start(sim, client("kubeadm"), profile),
            volumes: system::follow(sim, &client("storage-provisioner"), nodes),
            balancers: profile.cloud.map(|_| Balancers::start(sim, &client("elastic-load-balancing"), fabric)),
        }
    }

    /// The machines with a control plane each, if there are several.
    pub(crate) fn seats(&mut self) -> Option<&mut Seats> {
        match &mut self.brains {
            Brains::Elected(seats) => Some(seats),
            Brains::Only(_) => None,
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(balancers) = &self.balancers {
            balancers.stop();
        }
        self.volumes.stop();
        self.system.abort();
        self.ingress.stop();
        self.dns.stop();
        self.policies.stop();
        self.kube_proxy.stop();
        match &mut self.brains {
            Brains::Only(parts) => {
                parts.1.stop();
                parts.0.stop();
            }
            Brains::Elected(seats) => seats.stop_all(),
        }
    }
}

pub(crate) fn start_controllers(sim: &Sim, roads: &Roads, profile: &Profile) -> ControllerManager {
    let disabled = profile.without.iter().map(|name| (*name).to_owned()).collect();
    controllers::start(sim, &|agent| roads.client(agent), controllers::Options { disabled, cloud: profile.cloud })
}

pub(crate) fn start_scheduler(sim: &Sim, roads: &Roads) -> Scheduler {
    Scheduler::start(sim, roads.client("kube-scheduler"), scheduler::Options::default())
}

#[cfg(feature = "faults")]
impl ControlPlane {
    /// The controller manager crashes and comes up again, with nothing in its head.
    pub(crate) fn restart_controllers(&mut self, sim: &Sim, roads: &Roads, profile: &Profile) {
        if let Brains::Only(parts) = &mut self.brains {
            parts.0.stop();
            parts.0 = start_controllers(sim, roads, profile);
        }
    }

    /// The scheduler crashes and comes up again, with nothing in its head.
    pub(crate) fn restart_scheduler(&mut self, sim: &Sim, roads: &Roads) {
        if let Brains::Only(parts) = &mut self.brains {
            parts.1.stop();
            parts.1 = start_scheduler(sim, roads);
        }
    }
}

/// The ways on which the parts inside a cluster reach its API server.
#[derive(Clone)]
pub(crate) struct Roads {
    near: Near,
    lines: Lines,
}

impl Roads {
    pub(crate) fn new(sim: &Sim, server: Rc<dyn Transport>, hold: &Hold, lines: &Lines) -> Roads {
        Roads { near: Near { sim: sim.clone(), server, hold: hold.clone(), user: None }, lines: lines.clone() }
    }

    /// The way of one part: a user agent, or `node/` and a machine's name.
    pub(crate) fn of(&self, part: &str) -> Rc<dyn Transport> {
        self.lines.lead(part, Rc::new(Near { user: users::of(part), ..self.near.clone() }))
    }

    pub(crate) fn client(&self, agent: &str) -> Client {
        Client::new(self.of(agent), agent)
    }
}

/// Virtual time that a request of the control plane or of a node takes at least until the server takes it up: what is
/// done in steps is seen in steps.
const REQUEST_TIME: Duration = Duration::from_millis(3);
/// How much longer it may take, as a share.
const REQUEST_JITTER: f64 = 1.0;

/// Whether the control plane and the kubelets are held (`minikube pause`): their requests wait until they no longer are.
#[derive(Clone, Default)]
pub(crate) struct Hold(Rc<(Cell<bool>, Waiters)>);

impl Hold {
    /// Holds or releases.
    pub(crate) fn set(&self, is_on: bool) {
        self.0.0.set(is_on);
        self.0.1.wake_all();
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.0.get()
    }

    async fn released(&self) {
        std::future::poll_fn(|cx| {
            if !self.is_on() {
                return Poll::Ready(());
            }
            self.0.1.register(cx);
            Poll::Pending
        })
        .await;
    }
}

/// The API server for clients inside the cluster.
#[derive(Clone)]
struct Near {
    sim: Sim,
    server: Rc<dyn Transport>,
    hold: Hold,
    /// As whom they come.
    user: Option<Component>,
}

/// A held API server takes connections and says nothing. kubectl waits so long.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// The API server for clients outside, who give up when it is held.
pub(crate) struct Far {
    pub(crate) sim: Sim,
    pub(crate) server: Rc<dyn Transport>,
    pub(crate) hold: Hold,
}

impl Transport for Far {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        if !self.hold.is_on() {
            return self.server.call(request);
        }
        let (sim, server, hold) = (self.sim.clone(), Rc::clone(&self.server), self.hold.clone());
        Box::pin(async move {
            if sim.timeout(HANDSHAKE_TIME_MAX, hold.released()).await.is_err() {
                return Err(TransportError::Timeout);
            }
            server.call(request).await
        })
    }
}

impl Transport for Near {
    fn call(&self, mut request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let (sim, server, hold) = (self.sim.clone(), Rc::clone(&self.server), self.hold.clone());
        if let Some(user) = &self.user {
            request.extensions_mut().insert(user.clone());
        }
        Box::pin(async move {
            sim.sleep(sim.jitter(REQUEST_TIME, REQUEST_JITTER)).await;
            hold.released().await;
            server.call(request).await
        })
    }
}

/// The API server's way to kubelets and pods: from the network of the control-plane node.
pub(crate) struct Wires {
    pub(crate) nodes: Nodes,
}

impl NodeProxy for Wires {
    fn kubelet(&self, node: &str, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        match self.nodes.kubelet(node) {
            Some(kubelet) => kubelet.call(request),
            None => Box::pin(std::future::ready(Err(TransportError::Refused))),
        }
    }

    fn http(&self, ip: &str, port: u16, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let from: Option<NetNs> = self.nodes.control_plane_network();
        let to = ip.parse::<Ipv4Addr>();
        Box::pin(async move {
            let (Some(from), Ok(to)) = (from, to) else { return Err(TransportError::Unreachable) };
            http1::request_to(&from, SocketAddrV4::new(to, port), request).await.map_err(|error| match error {
                http1::HttpError::Net(NetError::Refused) => TransportError::Refused,
                http1::HttpError::Net(NetError::Unreachable) => TransportError::Unreachable,
                http1::HttpError::Net(NetError::TimedOut) => TransportError::Timeout,
                _ => TransportError::Closed,
            })
        })
    }
}
