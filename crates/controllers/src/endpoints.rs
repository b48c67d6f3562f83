//! The old form of a Service's endpoints: one object a Service (`pkg/controller/endpoint`).

use std::collections::BTreeMap;

use api::{Kind, Object, kinds};
use client::Event;
use json::{Map, Value, json};

use crate::change::{Change, Note, Op, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;
use crate::{pods, services};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "endpoints-controller",
    component: "endpoint-controller",
    follows: Follows::Kinds(&[&kinds::SERVICES, &kinds::PODS, &kinds::ENDPOINTS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        // Written anew if the Service is still there; what was written by hand is not looked at.
        Event::Deleted(endpoints) if *kind == kinds::ENDPOINTS => vec![Wake::now(endpoints)],
        _ => services::wake(view, kind, event),
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let existing = view.get(&kinds::ENDPOINTS, key);
    let Some(service) = view.get(&kinds::SERVICES, key) else {
        let gone = existing.map(|endpoints| Change::from(Write::delete(&kinds::ENDPOINTS, endpoints)));
        return Ok(gone.into_iter().collect());
    };
    if !services::has_selected_endpoints(service) {
        return Ok(Vec::new());
    }
    let subsets = subsets(view, service);
    let labels = labels(service);
    let same = |endpoints: &Object| {
        endpoints.list("subsets") == subsets && *endpoints.at("metadata.labels") == Value::Object(labels.clone())
    };
    if existing.is_some_and(same) {
        return Ok(Vec::new());
    }
    let mut endpoints = existing.cloned().unwrap_or_else(|| empty(service));
    endpoints.set("metadata.labels", labels);
    let publish = service.bool("spec.publishNotReadyAddresses");
    let trigger = services::trigger_time(service, services::pods_of(view, service, publish), existing);
    services::set_trigger_time(&mut endpoints, trigger);
    if subsets.is_empty() {
        endpoints.remove("subsets");
    } else {
        endpoints.set("subsets", subsets);
    }
    let (op, reason, doing) = match existing {
        None => (Op::Create(endpoints.clone()), "FailedToCreateEndpoint", "create endpoint for service"),
        Some(_) => (Op::Update(endpoints.clone()), "FailedToUpdateEndpoint", "update endpoint"),
    };
    let failure = Note::warning(reason, format!("Failed to {doing} {key}: {{error}}"));
    Ok(vec![Change::from(Write::new(&kinds::ENDPOINTS, op).on_failure(failure, &endpoints))])
}

fn empty(service: &Object) -> Object {
    let metadata = json!({ "name": service.name(), "namespace": service.namespace() });
    Object::new(json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata }))
}

fn labels(service: &Object) -> Map {
    let mut labels = service.at("metadata.labels").as_object().cloned().unwrap_or_default();
    labels.remove(services::HEADLESS);
    if services::is_headless(service) {
        labels.insert(services::HEADLESS.into(), "".into());
    }
    labels.insert(MANAGED_BY.into(), "endpoint-controller".into());
    labels
}

/// Addresses with the same ports together, ready ones and others apart (`RepackSubsets`).
fn subsets(view: &View<'_>, service: &Object) -> Vec<Value> {
    let publish = service.bool("spec.publishNotReadyAddresses");
    // By the ports' text; then ready and unready addresses by address and uid.
    type Addresses = BTreeMap<(String, String), Value>;
    let mut groups: BTreeMap<String, (Vec<Value>, Addresses, Addresses)> = BTreeMap::new();
    for pod in services::pods_of(view, service, publish) {
        let mut ports = services::ports_of(service, pod);
        for port in &mut ports {
            if port["name"] == "" {
                port.as_object_mut().map(|map| map.remove("name"));
            }
        }
        let portless = service.list("spec.ports").is_empty() && service.str("spec.clusterIP") == "None";
        if ports.is_empty() && !portless {
            continue;
        }
        let mut address = json!({ "ip": pod.str("status.podIP"), "targetRef": services::target_ref(pod) });
        if !pod.str("spec.nodeName").is_empty() {
            address["nodeName"] = pod.at("spec.nodeName").clone();
        }
        if services::has_hostname(service, pod) {
            address["hostname"] = pod.at("spec.hostname").clone();
        }
        let key = (pod.str("status.podIP").to_owned(), pod.uid().to_owned());
        let text = Value::from(ports.clone()).to_string();
        let group = groups.entry(text).or_insert_with(|| (ports, Addresses::new(), Addresses::new()));
        let side = if publish || pods::is_ready(pod) { &mut group.1 } else { &mut group.2 };
        side.insert(key, address);
    }
    let subset = |(ports, ready, unready): (Vec<Value>, Addresses, Addresses)| {
        let mut subset = Map::new();
        for (field, list) in [("addresses", ready), ("notReadyAddresses", unready)] {
            if !list.is_empty() {
                subset.insert(field.into(), list.into_values().collect());
            }
        }
        if !ports.is_empty() {
            subset.insert("ports".into(), ports.into());
        }
        Value::Object(subset)
    };
    groups.into_values().map(subset).collect()
}
