//! Kinds that are served and never stored: bindings, which are written into their pods, and the health of the parts of
//! the control plane (pkg/registry/core/{pod/storage,componentstatus}).
//!
//! Upstream asks the health endpoints of the scheduler and of the controller manager on the server's own machine. Here
//! their static pods say whether they are there.

use api::http::{Body, Method, Response, StatusCode};
use api::kinds::{BINDINGS, PODS};
use api::status::Status;
use api::{Object, ObjectList};
use json::{Value, json};

use crate::admission::attributes::Attributes;
use crate::negotiate::resource_format;
use crate::registry::read::Selection;
use crate::registry::{Context, decode};
use crate::request::{Head, Target};
use crate::value::text;
use crate::{admission, handler, strategy, subresource};

/// Parts whose health is asked for: name, label of the pod, port.
const COMPONENTS: &[(&str, &str, u16)] =
    &[("controller-manager", "kube-controller-manager", 10_257), ("scheduler", "kube-scheduler", 10_259)];

/// Answers a request to one of these kinds.
pub fn answer(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    let is_binding = std::ptr::eq(target.kind, &BINDINGS);
    let is_watch = target.watch_prefix || head.query.flag("watch");
    match (&head.method, target.name.as_str()) {
        (&Method::POST, "") if is_binding && !target.namespace.is_empty() => {
            let binding = decode::any(head, body)?;
            admission::ask(cx, || Attributes::create(target.kind, &target.namespace, &binding))?;
            subresource::assign(cx, (&target.namespace, text(&binding, "metadata.name")), &binding)
        }
        (&Method::GET, name) if !is_binding && !is_watch => {
            let format = resource_format(head)?;
            let mut items = statuses(cx);
            if name.is_empty() {
                let selection = Selection::from_query(strategy::of(target.kind), &head.query)?;
                items.retain(|item| selection.matches(item));
                let list = ObjectList {
                    api_version: "v1".to_owned(),
                    kind: "ComponentStatusList".to_owned(),
                    items,
                    ..ObjectList::default()
                };
                return Ok(handler::shaped_list(cx, head, target, list, format));
            }
            let found = items.into_iter().find(|item| item.name() == name);
            let found = found.ok_or_else(|| Status::not_found("", "componentstatus", name))?;
            Ok(handler::shaped(cx, head, target, StatusCode::OK, found, format))
        }
        _ => Err(Status::method_not_allowed()),
    }
}

fn statuses(cx: &Context<'_>) -> Vec<Object> {
    let pods = cx.all(&PODS, "kube-system");
    let is_up = |label: &str| {
        let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
        let mut ours = pods.iter().filter(|pod| pod.label("component") == Some(label));
        ours.any(|pod| pod.list("status.conditions").iter().any(ready))
    };
    let mut all: Vec<Object> = COMPONENTS
        .iter()
        .map(|(name, label, port)| match is_up(label) {
            true => status(name, "True", "ok"),
            false => {
                let address = format!("127.0.0.1:{port}");
                let why = "connect: connection refused";
                status(name, "False", &format!("Get \"https://{address}/healthz\": dial tcp {address}: {why}"))
            }
        })
        .collect();
    // It answers, or there would be nobody to ask.
    all.push(status("etcd-0", "True", "ok"));
    all
}

fn status(name: &str, healthy: &str, message: &str) -> Object {
    Object::new(json!({
        "kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name},
        "conditions": [{"type": "Healthy", "status": healthy, "message": message}],
    }))
}
