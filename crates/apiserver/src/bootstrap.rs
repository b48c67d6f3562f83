//! What a fresh cluster holds before anyone has asked for anything.
//!
//! Upstream: pkg/controlplane/controller/{systemnamespaces,kubernetesservice}.

use std::net::Ipv4Addr;

use api::Kind;
use api::kinds::{NAMESPACES, SERVICES};
use serde_json::{Value, json};

use crate::registry::Context;
use crate::server::Server;
use crate::strategy;

/// Creates the bootstrap objects.
pub fn run(server: &Server) {
    let cx = Context { server, caller: "kube-apiserver", dry_run: false, warnings: Default::default() };
    let create = |kind: &'static Kind, namespace: &str, object: Value| {
        cx.create(strategy::of(kind), namespace, object).expect("bootstrap objects are valid and new");
    };
    for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
        create(&NAMESPACES, "", json!({"metadata": {"name": name}}));
    }
    let first = Ipv4Addr::from(u32::from(server.config.service_cidr.0) + 1);
    let port: u16 = server.config.address.rsplit_once(':').and_then(|(_, p)| p.parse().ok()).unwrap_or(443);
    let service = json!({
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": first.to_string(),
            "clusterIPs": [first.to_string()],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
    });
    create(&SERVICES, "default", service);
    endpoints(&cx, port);
}

/// Endpoints and EndpointSlice of the service `kubernetes`: the server's own address.
fn endpoints(cx: &Context<'_>, port: u16) {
    let address = cx.server.config.address.split(':').next().unwrap_or_default().to_owned();
    let endpoints = json!({
        "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}],
    });
    let slice = json!({
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    });
    for (kind, object) in [(&api::kinds::ENDPOINTS, endpoints), (&api::kinds::ENDPOINT_SLICES, slice)] {
        cx.create(strategy::of(kind), "default", object).expect("bootstrap objects are valid and new");
    }
}
