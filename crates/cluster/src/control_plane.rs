//! The parts that run on the control-plane node, started in the order in which they need each other.

use std::net::Ipv4Addr;
use std::rc::Rc;

use api::http::{Request, Response, Transport, TransportError};
use apiserver::{ApiServer, NodeProxy};
use client::Client;
use controllers::ControllerManager;
use futures_util::future::LocalBoxFuture;
use network::{Fabric, NetError, NetNs, SocketAddrV4, http1};
use scheduler::Scheduler;
use simulation::Sim;

use crate::node::Nodes;

/// Kubernetes version of every cluster.
pub(crate) const VERSION: &str = "v1.36.3";
/// Port of the API server on its node.
pub(crate) const API_PORT: u16 = 8443;
/// Address of the cluster's DNS.
pub(crate) const DNS_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// Domain of the cluster.
pub(crate) const DOMAIN: &str = "cluster.local";

/// The running parts; ended by [`ControlPlane::stop`].
pub(crate) struct ControlPlane {
    controllers: ControllerManager,
    scheduler: Scheduler,
    kube_proxy: network::proxy::KubeProxy,
    dns: network::dns::Dns,
}

impl ControlPlane {
    pub(crate) fn start(sim: &Sim, fabric: &Fabric, api: &ApiServer) -> ControlPlane {
        let transport: Rc<dyn Transport> = Rc::new(api.clone());
        let client = |agent: &str| Client::new(Rc::clone(&transport), agent);
        ControlPlane {
            controllers: controllers::start(sim, &client, controllers::Options::default()),
            scheduler: Scheduler::start(sim, client("kube-scheduler"), scheduler::Options::default()),
            kube_proxy: network::proxy::KubeProxy::start(sim, &client("kube-proxy"), fabric),
            dns: network::dns::Dns::start(sim, &client("coredns"), fabric, DNS_ADDRESS, DOMAIN),
        }
    }

    pub(crate) fn stop(&self) {
        self.dns.stop();
        self.kube_proxy.stop();
        self.scheduler.stop();
        self.controllers.stop();
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
