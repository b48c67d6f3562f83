//! Groups that other servers answer, told by APIServices with a Service (k8s.io/kube-aggregator).
//!
//! There is one such server, metrics-server, and its container stands in: [`crate::metrics`] answers, while a container is
//! ready behind the Service, as upstream would ask that container. So the group goes when the pod does.

use std::rc::Weak;

use api::Object;
use api::http::{Response, StatusCode};
use api::kinds::{API_SERVICES, ENDPOINT_SLICES, METRICS, POD_METRICS, SERVICES};
use futures_util::StreamExt as _;
use futures_util::stream::select;
use json::Value;

use crate::custom::definition::set_condition;
use crate::registry::update::Part;
use crate::registry::{Context, key};
use crate::server::Server;
use crate::value::{int, list, text};
use crate::{strategy, wire};

/// The APIService of metrics-server.
pub const METRICS_SERVICE: &str = "v1beta1.metrics.k8s.io";

/// Whether a group is another server's.
pub fn is_foreign(group: &str) -> bool {
    group == POD_METRICS.group
}

/// The APIService of a foreign group, if somebody has made it.
fn registered(cx: &Context<'_>) -> Option<Object> {
    let found = cx.find(&API_SERVICES, "", METRICS_SERVICE)?;
    found.value.at("spec.service").is_object().then(|| found.value.clone())
}

/// The kinds of foreign groups, and whether their servers can be reached.
pub fn served(server: &Server) -> (&'static [&'static api::Kind], bool) {
    let cx = Context::internal(server);
    match registered(&cx) {
        Some(service) => (METRICS, availability(&cx, &service).0 == "True"),
        None => (&[], false),
    }
}

/// The refusal that a request to a foreign group gets while nobody answers.
pub fn refusal(server: &Server) -> Option<Response> {
    match served(server) {
        ([], _) => Some(wire::text(StatusCode::NOT_FOUND, "404 page not found\n")),
        (_, false) => Some(wire::text(StatusCode::SERVICE_UNAVAILABLE, "service unavailable\n")),
        _ => None,
    }
}

/// Status, reason and message of the condition `Available`.
fn availability(cx: &Context<'_>, service: &Object) -> (&'static str, &'static str, String) {
    let (namespace, name) = (service.str("spec.service.namespace"), service.str("spec.service.name"));
    let number = service.int("spec.service.port").unwrap_or(443);
    let place = format!("service/{name} in {namespace:?}");
    let Some(found) = cx.find(&SERVICES, namespace, name) else {
        return ("False", "ServiceNotFound", format!("{place} is not present"));
    };
    let Some(port) = found.value.list("spec.ports").iter().find(|p| int(p, "port") == Some(number)) else {
        return ("False", "ServicePortError", format!("{place} is not listening on port {number}"));
    };
    let port = text(port, "name");
    let slices = cx.all(&ENDPOINT_SLICES, namespace);
    let mut slices =
        slices.iter().filter(|s| s.at("metadata.labels")["kubernetes.io/service-name"] == *name).peekable();
    if slices.peek().is_none() {
        return ("False", "EndpointsNotFound", format!("cannot find endpointslices for {place}"));
    }
    let is_active = |slice: &Object| {
        slice.list("endpoints").iter().any(|e| e["conditions"]["ready"] != false)
            && slice.list("ports").iter().any(|p| text(p, "name") == port && p["port"].is_i64())
    };
    if !slices.any(is_active) {
        let message = format!("endpointslices for {place} have no addresses with port name {port:?}");
        return ("False", "MissingEndpoints", message);
    }
    ("True", "Passed", "all checks passed".to_owned())
}

/// Keeps the condition `Available` of foreign APIServices for as long as the server lives
/// (`pkg/controllers/status/remote`).
pub async fn run(server: Weak<Server>) {
    loop {
        let watch = |kind| {
            let server = server.upgrade()?;
            server.etcd.watch(&key(kind, "", ""), server.etcd.revision()).ok()
        };
        let (Some(services), Some(slices), Some(foreign)) =
            (watch(&SERVICES), watch(&ENDPOINT_SLICES), watch(&API_SERVICES))
        else {
            return;
        };
        let mut changes = select(foreign, select(services, slices));
        loop {
            let change = changes.next().await;
            let Some(server) = server.upgrade().filter(|_| change.is_some()) else { return };
            settle(&Context::internal(&server));
            // Too many changes at once: what they led to was just looked at, the next ones are followed anew.
            if !matches!(change, Some(Ok(_))) {
                break;
            }
        }
    }
}

fn settle(cx: &Context<'_>) {
    let Some(service) = registered(cx) else { return };
    let (status, reason, message) = availability(cx, &service);
    let known = list(service.value(), "status.conditions").iter().find(|c| c["type"] == "Available");
    if known.is_some_and(|c| c["status"] == status && c["reason"] == reason && c["message"] == *message) {
        return;
    }
    let now = cx.now();
    // Who was faster has changed it, and that comes back as an event.
    let _ = cx.update(strategy::of(&API_SERVICES), Part::Status, ("", METRICS_SERVICE), |old| {
        let mut new: Value = old.value().clone();
        set_condition(&mut new, ("Available", status, reason, &message), &now);
        Ok(new)
    });
}
