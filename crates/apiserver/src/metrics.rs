//! The group metrics.k8s.io: what nodes and pods use, as metrics-server tells it
//! (kubernetes-sigs/metrics-server, pkg/api and pkg/storage).
//!
//! Everything is asked of the kubelets at the moment of the request, which keep readings of the ends of windows of 15 s.
//! Difference: metrics-server reads them every 15 s for itself, so it needs two readings before it answers.

use std::collections::BTreeMap;

use api::http::{Body, Method, Request, Response, StatusCode};
use api::kinds::{NODE_METRICS, NODES, POD_METRICS, PODS};
use api::status::Status;
use api::{Object, ObjectList, Quantity};
use json::{Value, json};
use simulation::Time;

use crate::negotiate::{Format, Shape, resource_format};
use crate::registry::Context;
use crate::registry::read::Selection;
use crate::request::{Head, Target};
use crate::value::{list, text};
use crate::{handler, strategy, table, wire};

/// Seconds between two readings of a kubelet.
const WINDOW_SECONDS: i64 = 15;

/// Answers a GET; nothing else is served.
pub async fn answer(cx: &Context<'_>, head: &Head, target: &Target) -> Result<Response, Status> {
    if head.method != Method::GET || target.watch_prefix || head.query.flag("watch") {
        return Err(Status::method_not_allowed());
    }
    let format = resource_format(head)?;
    let is_node = std::ptr::eq(target.kind, &NODE_METRICS);
    let of = if is_node { &NODES } else { &PODS };
    let objects = if target.name.is_empty() {
        let selection = Selection::from_query(strategy::of(of), &head.query)?;
        cx.all(of, &target.namespace).into_iter().filter(|object| selection.matches(object)).collect()
    } else {
        vec![cx.require(of, &target.namespace, &target.name)?.value.clone()]
    };
    let mut metrics = if is_node { nodes(cx, &objects).await } else { pods(cx, &objects).await };
    if target.name.is_empty() {
        return Ok(list_answer(head, target, metrics, format));
    }
    let Some(one) = metrics.pop() else {
        let (resource, name) = match is_node {
            true => ("nodemetrics", target.name.clone()),
            false => ("podmetrics", format!("{}/{}", target.namespace, target.name)),
        };
        return Err(Status::not_found(target.kind.group, resource, &name));
    };
    Ok(match format.shape {
        Shape::Plain => wire::object(StatusCode::OK, one, format),
        Shape::Partial => wire::object(StatusCode::OK, table::partial(&one), format),
        Shape::Table => wire::object(StatusCode::OK, rows(&[one], head), format),
    })
}

fn list_answer(head: &Head, target: &Target, items: Vec<Object>, format: Format) -> Response {
    if format.shape == Shape::Table {
        return wire::object(StatusCode::OK, rows(&items, head), format);
    }
    let mut list = ObjectList {
        api_version: target.kind.api_version(),
        kind: format!("{}List", target.kind.kind),
        items,
        ..ObjectList::default()
    };
    if format.shape == Shape::Partial {
        list.items = list.items.iter().map(table::partial).collect();
        list.api_version = "meta.k8s.io/v1".into();
        list.kind = "PartialObjectMetadataList".into();
    }
    wire::list(list, format)
}

/// The table: a column for each resource, none at all without rows.
fn rows(items: &[Object], head: &Head) -> Object {
    let column = |name: &str, format: &str| json!({"name": name, "type": "string", "format": format, "description": "", "priority": 0});
    let columns = match items {
        [] => Vec::new(),
        _ => vec![
            column("Name", "name"),
            column("cpu", "quantity"),
            column("memory", "quantity"),
            column("Window", "duration"),
        ],
    };
    let cells = |object: &Object| {
        let sum = |resource: &str| {
            let own = object.at("usage").get(resource).into_iter();
            let containers = object.list("containers").iter().filter_map(|c| c["usage"].get(resource));
            let all = own.chain(containers).filter_map(|q| Quantity::from_value(q).ok());
            all.fold(Quantity::ZERO, |sum, quantity| sum + quantity).to_string().into()
        };
        vec![object.name().into(), sum("cpu"), sum("memory"), object.str("window").into()]
    };
    table::assemble(&columns, &cells, items, json!({}), handler::include(head), true)
}

async fn nodes(cx: &Context<'_>, nodes: &[Object]) -> Vec<Object> {
    let mut all = Vec::new();
    for node in nodes {
        let Some(summary) = summary(cx, node.name()).await else { continue };
        let Some(usage) = usage(&summary["node"]) else { continue };
        let time = text(&summary["node"], "cpu.time");
        let measured = json!({"timestamp": time, "window": window(WINDOW_SECONDS), "usage": usage});
        all.push(metrics(cx, &NODE_METRICS, node, measured));
    }
    all
}

async fn pods(cx: &Context<'_>, pods: &[Object]) -> Vec<Object> {
    // What each node says, asked once.
    let mut nodes: BTreeMap<&str, Option<Value>> = BTreeMap::new();
    for pod in pods {
        let node = pod.str("spec.nodeName");
        if !node.is_empty() && !nodes.contains_key(node) {
            nodes.insert(node, summary(cx, node).await);
        }
    }
    let one = |pod: &Object| {
        let summary = nodes.get(pod.str("spec.nodeName"))?.as_ref()?;
        let mut known = list(summary, "pods").iter();
        let found =
            known.find(|p| text(p, "podRef.name") == pod.name() && text(p, "podRef.namespace") == pod.namespace())?;
        Some(metrics(cx, &POD_METRICS, pod, measured(found)?))
    };
    pods.iter().filter_map(one).collect()
}

/// A pod whose containers have all been measured.
fn measured(pod: &Value) -> Option<Value> {
    let mut containers = Vec::new();
    let mut seconds = WINDOW_SECONDS;
    for container in list(pod, "containers") {
        containers.push(json!({"name": container["name"], "usage": usage(container)?}));
        let times = [text(container, "cpu.time"), text(container, "startTime")];
        let [end, start] = times.map(|t| Time::parse_rfc3339(t).unwrap_or_default().unix_seconds());
        seconds = seconds.min(end - start);
    }
    let time = list(pod, "containers").first().map(|c| text(c, "cpu.time"))?;
    Some(json!({"timestamp": time, "window": window(seconds), "containers": containers}))
}

/// `15s`.
fn window(seconds: i64) -> String {
    api::duration::format_go(seconds * 1_000_000_000)
}

/// CPU and memory as quantities, once there is a rate.
fn usage(measured: &Value) -> Option<Value> {
    let cpu = measured["cpu"]["usageNanoCores"].as_i64()?;
    let memory = measured["memory"]["workingSetBytes"].as_i64()?;
    Some(json!({
        "cpu": Quantity::from_nanos(cpu).to_string(),
        "memory": Quantity::from_bytes(memory).to_string(),
    }))
}

fn metrics(cx: &Context<'_>, kind: &api::Kind, of: &Object, mut measured: Value) -> Object {
    let mut metadata = json!({"name": of.name(), "creationTimestamp": cx.now()});
    if !of.namespace().is_empty() {
        metadata["namespace"] = of.namespace().into();
    }
    if !of.at("metadata.labels").is_null() {
        metadata["labels"] = of.at("metadata.labels").clone();
    }
    measured["metadata"] = metadata;
    measured["kind"] = kind.kind.into();
    measured["apiVersion"] = kind.api_version().into();
    Object::new(measured)
}

/// What a kubelet says of its node and pods; none if it cannot be reached.
async fn summary(cx: &Context<'_>, node: &str) -> Option<Value> {
    let mut request = Request::new(Body::Empty);
    *request.uri_mut() = api::http::Uri::from_static("/stats/summary");
    let response = cx.server.config.nodes.kubelet(node, request).await.ok()?;
    match response.into_body() {
        Body::Object(object) => Some(object.into_value()),
        other => json::from_slice(&other.into_bytes()?).ok(),
    }
}
