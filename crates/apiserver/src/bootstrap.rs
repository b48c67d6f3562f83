//! What a fresh cluster holds before anyone has asked for anything.
//!
//! Upstream: pkg/controlplane/controller/{systemnamespaces,kubernetesservice}.

use std::net::Ipv4Addr;

use api::Kind;
use api::kinds::{API_SERVICES, KINDS, NAMESPACES, SERVICE_CIDRS, SERVICES, VERSIONS};
use futures_util::StreamExt as _;
use json::{Value, json};
use simulation::Duration;

use crate::registry::Context;
use crate::registry::update::Part;
use crate::server::Server;
use crate::strategy;
use crate::value::{map_mut, metadata_mut, text};

/// How long the server's own service stays away when someone deletes it: the period of upstream's reconciler.
const SERVICE_RESTORED_AFTER: Duration = Duration::from_secs(10);

/// Brings the server's own service back whenever it is deleted.
pub async fn keep_service(server: std::rc::Weak<Server>) {
    let Some(mut watch) = server.upgrade().and_then(|s| s.etcd.watch("services/default/kubernetes", 0).ok()) else {
        return;
    };
    while let Some(Ok(event)) = watch.next().await {
        if event.op != etcd::Op::Deleted || &*event.key != "services/default/kubernetes" {
            continue;
        }
        let Some(pause) = server.upgrade().map(|s| s.sim.sleep(SERVICE_RESTORED_AFTER)) else { return };
        pause.await;
        let Some(etcd) = server.upgrade().map(|s| s.etcd.clone()) else { return };
        etcd.led().await;
        let Some(server) = server.upgrade() else { return };
        let cx = Context::internal(&server);
        // Someone may have been faster; then there is nothing to do.
        let _ = cx.create(strategy::of(&SERVICES), "default", service(&server));
    }
}

/// Creates the bootstrap objects.
pub fn run(server: &Server) {
    let cx = Context::internal(server);
    let create = |kind: &'static Kind, namespace: &str, object: Value| {
        cx.create(strategy::of(kind), namespace, object).expect("bootstrap objects are valid and new");
    };
    for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
        create(&NAMESPACES, "", json!({"metadata": {"name": name}}));
    }
    let (network, prefix) = server.config.service_cidr;
    let range = json!({"metadata": {"name": "kubernetes"}, "spec": {"cidrs": [format!("{network}/{prefix}")]}});
    create(&SERVICE_CIDRS, "", range);
    create(&SERVICES, "default", service(server));
    endpoints(&cx, secure_port(server));
    for line in OBJECTS.lines() {
        let (kind, object) = bootstrap_object(&line.replace("{STORAGE_CLASS}", server.config.storage_class));
        let namespace = text(&object, "metadata.namespace").to_owned();
        create(kind, &namespace, object);
    }
    for object in api_services() {
        create(&API_SERVICES, "", object);
    }
}

/// Roles and bindings, priority classes and the storage class: a line each, the plural and the object. What every
/// role and binding has in common is left out, and so are the rules of aggregated roles, which a controller gathers.
const OBJECTS: &str = include_str!("bootstrap.txt");

fn bootstrap_object(line: &str) -> (&'static Kind, Value) {
    let (plural, object) = line.split_once(' ').expect("a line has a plural and an object");
    let kind = KINDS.iter().find(|kind| kind.plural == plural).expect("the kinds of the file are in the table");
    let mut object: Value = json::from_str(object).expect("the objects of the file are JSON");
    if kind.group == "rbac.authorization.k8s.io" {
        object["metadata"]["annotations"] = json!({"rbac.authorization.kubernetes.io/autoupdate": "true"});
        let labels = metadata_mut(&mut object).entry("labels").or_insert_with(|| json!({}));
        map_mut(labels).insert("kubernetes.io/bootstrapping".into(), "rbac-defaults".into());
        if object["roleRef"].is_object() {
            object["roleRef"]["apiGroup"] = kind.group.into();
        }
    }
    if kind.group == "flowcontrol.apiserver.k8s.io" {
        object["metadata"]["annotations"] = json!({"apf.kubernetes.io/autoupdate-spec": "true"});
    }
    (kind, object)
}

/// Places in the order of groups, where they are not those of the table; the least of the others is far below.
const PRIORITIES: &[(&str, i64)] = &[
    ("", 18_000),
    ("apps", 17_800),
    ("events.k8s.io", 17_750),
    ("authentication.k8s.io", 17_700),
    ("authorization.k8s.io", 17_600),
    ("autoscaling", 17_500),
    ("batch", 17_400),
    ("certificates.k8s.io", 17_300),
    ("networking.k8s.io", 17_200),
    ("policy", 17_100),
    ("rbac.authorization.k8s.io", 17_000),
    ("storage.k8s.io", 16_800),
    ("admissionregistration.k8s.io", 16_700),
    ("apiextensions.k8s.io", 16_700),
    ("scheduling.k8s.io", 16_600),
    ("coordination.k8s.io", 16_500),
    ("node.k8s.io", 16_300),
    ("discovery.k8s.io", 16_200),
    ("resource.k8s.io", 16_200),
    ("flowcontrol.apiserver.k8s.io", 16_100),
];

/// One APIService for each group and version that the server itself serves.
fn api_services() -> Vec<Value> {
    let mut versions: Vec<(&str, &str)> =
        KINDS.iter().chain(VERSIONS).chain(api::reviews::REVIEWS).map(|k| (k.group, k.version)).collect();
    versions.sort_unstable();
    versions.dedup();
    let of = |(group, version): (&str, &str)| {
        let minimum = PRIORITIES.iter().find(|(name, _)| *name == group)?.1;
        let priority = match (group, version) {
            ("", _) => 1,
            ("flowcontrol.apiserver.k8s.io" | "resource.k8s.io", _) => 21,
            (_, "v2") => 30,
            _ => 15,
        };
        let mut spec = json!({"groupPriorityMinimum": minimum, "version": version, "versionPriority": priority});
        if !group.is_empty() {
            spec["group"] = group.into();
        }
        let labels = json!({"kube-aggregator.kubernetes.io/automanaged": "onstart"});
        Some(json!({"metadata": {"name": format!("{version}.{group}"), "labels": labels}, "spec": spec}))
    };
    versions.into_iter().filter_map(of).collect()
}

fn secure_port(server: &Server) -> u16 {
    server.config.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(443)
}

/// The service `kubernetes`: the first address of the range.
fn service(server: &Server) -> Value {
    let first = Ipv4Addr::from(u32::from(server.config.service_cidr.0) + 1).to_string();
    json!({
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": first,
            "clusterIPs": [first],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": secure_port(server)}],
        },
    })
}

/// Endpoints and EndpointSlice of the service `kubernetes`: the server's own address.
fn endpoints(cx: &Context<'_>, port: u16) {
    let address = cx.server.config.address.split(':').next().unwrap_or_default().to_owned();
    for (kind, object) in endpoint_objects(&[address], port) {
        cx.create(strategy::of(kind), "default", object).expect("bootstrap objects are valid and new");
    }
}

/// Says at which addresses servers of the cluster are, when that has changed. Nothing happens while etcd cannot be written.
///
/// Upstream: pkg/controlplane/reconcilers, where each server tells of itself every ten seconds.
pub fn advertise(server: &Server, addresses: &[String]) {
    let cx = Context::internal(server);
    for (kind, mut object) in endpoint_objects(addresses, secure_port(server)) {
        let _ = cx.update(strategy::of(kind), Part::Main, ("default", "kubernetes"), |old| {
            let mut metadata = old.at("metadata").clone();
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.remove("managedFields");
            }
            object["metadata"] = metadata;
            Ok(object)
        });
    }
}

fn endpoint_objects(addresses: &[String], port: u16) -> [(&'static Kind, Value); 2] {
    let ips: Vec<Value> = addresses.iter().map(|ip| json!({"ip": ip})).collect();
    let ready: Vec<Value> =
        addresses.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect();
    let endpoints = json!({
        "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": ips, "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}],
    });
    let slice = json!({
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": ready,
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    });
    [(&api::kinds::ENDPOINTS, endpoints), (&api::kinds::ENDPOINT_SLICES, slice)]
}
