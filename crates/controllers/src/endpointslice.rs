//! A Service's endpoints in slices of bounded size (`k8s.io/endpointslice`).

use std::collections::BTreeMap;

use api::{Kind, Object, kinds};
use client::Event;
use json::{Map, Value, json};

use crate::change::{Change, Op, Retry, Write};
use crate::claim::controller_reference;
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;
use crate::{pods, services};

/// Endpoints in one slice (`--max-endpoints-per-slice`).
const ENDPOINTS_PER_SLICE_MAX: usize = 100;
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(crate) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "endpointslice-controller",
    component: "endpoint-slice-controller",
    follows: Follows::Kinds(&[&kinds::SERVICES, &kinds::PODS, &kinds::NODES, &kinds::ENDPOINT_SLICES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind != kinds::ENDPOINT_SLICES {
        return services::wake(view, kind, event);
    }
    let slice = event.object();
    match (event, slice.label(SERVICE_NAME)) {
        (Event::Modified { .. } | Event::Deleted(_), Some(service)) if slice.label(MANAGED_BY) == Some(MANAGER) => {
            vec![Wake::key(format!("{}/{service}", slice.namespace()))]
        }
        _ => Vec::new(),
    }
}

/// What a slice is to hold.
struct Content {
    ports: Vec<Value>,
    endpoints: Vec<Value>,
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    // The slices of a Service that is gone go by their owner reference.
    let Some(service) = view.get(&kinds::SERVICES, key) else { return Ok(Vec::new()) };
    if !services::has_selected_endpoints(service) || service.is_deleting() {
        return Ok(Vec::new());
    }
    let ours = |slice: &&Object| {
        slice.label(SERVICE_NAME) == Some(service.name())
            && slice.label(MANAGED_BY) == Some(MANAGER)
            && !slice.is_deleting()
    };
    let existing: Vec<&Object> =
        view.of(&kinds::ENDPOINT_SLICES).in_namespace(service.namespace()).filter(ours).collect();
    let (wanted, node_missing) = wanted(view, service);
    let (mut keep, mut create) = (Vec::new(), Vec::new());
    let mut spare: Vec<&Object> = Vec::new();
    let (owned, strange): (Vec<&Object>, Vec<&Object>) =
        existing.iter().partition(|slice| slice.owner_references().iter().any(|owner| owner.uid == service.uid()));
    for Content { ports, endpoints } in &wanted {
        let of_group = owned.iter().copied().filter(|slice| slice.list("ports") == ports).collect();
        fill(ports, endpoints, of_group, &mut keep, &mut create, &mut spare);
    }
    spare.extend(owned.iter().filter(|slice| !wanted.iter().any(|group| slice.list("ports") == group.ports)));
    if keep.is_empty() && create.is_empty() {
        // Something must say that there is nothing: an empty slice.
        create.push(Content { ports: Vec::new(), endpoints: Vec::new() });
    }
    // A slice that would go takes over what a new one would hold.
    while !create.is_empty() && !spare.is_empty() {
        keep.push((spare.remove(0), create.remove(0)));
    }
    let mut changes: Vec<Change> = Vec::new();
    let pods = || services::pods_of(view, service, true);
    for content in create {
        let trigger = services::trigger_time(service, pods(), None);
        let slice = slice(service, None, content, trigger);
        changes.push(Change::from(Write::create(&kinds::ENDPOINT_SLICES, slice)));
    }
    for (old, content) in keep {
        let trigger = services::trigger_time(service, pods(), Some(old));
        let new = slice(service, Some(old), content, trigger);
        let unchanged = |path: &str| old.at(path) == new.at(path);
        let list_unchanged = |path: &str| old.list(path) == new.list(path);
        if !(list_unchanged("endpoints") && list_unchanged("ports") && unchanged("metadata.labels")) {
            changes.push(Change::from(Write::new(&kinds::ENDPOINT_SLICES, Op::Update(new))));
        }
    }
    let going = spare.into_iter().chain(strange);
    changes.extend(going.map(|slice| Change::from(Write::delete(&kinds::ENDPOINT_SLICES, slice))));
    if node_missing {
        changes.push(Change::Again);
    }
    Ok(changes)
}

/// The endpoints by ports, and whether a pod was left out because its node is not known.
fn wanted(view: &View<'_>, service: &Object) -> (Vec<Content>, bool) {
    let mut groups: BTreeMap<String, Content> = BTreeMap::new();
    let mut node_missing = false;
    for pod in services::pods_of(view, service, true) {
        let node = view.get(&kinds::NODES, pod.str("spec.nodeName"));
        if node.is_none() && !service.bool("spec.publishNotReadyAddresses") {
            node_missing = true;
            continue;
        }
        let mut ports = services::ports_of(service, pod);
        for port in &mut ports {
            if port["name"].is_null() {
                port["name"] = "".into();
            }
        }
        let text = Value::from(ports.clone()).to_string();
        let group = groups.entry(text).or_insert_with(|| Content { ports, endpoints: Vec::new() });
        group.endpoints.push(endpoint(service, pod, node));
    }
    (groups.into_values().collect(), node_missing)
}

fn endpoint(service: &Object, pod: &Object, node: Option<&Object>) -> Value {
    let serving = pods::is_ready(pod);
    let terminating = pod.is_deleting();
    let ready = service.bool("spec.publishNotReadyAddresses") || (serving && !terminating);
    let mut endpoint = json!({
        "addresses": [pod.str("status.podIP")],
        "conditions": { "ready": ready, "serving": serving, "terminating": terminating },
        "targetRef": services::target_ref(pod),
    });
    if !pod.str("spec.nodeName").is_empty() {
        endpoint["nodeName"] = pod.at("spec.nodeName").clone();
    }
    if let Some(zone) = node.and_then(|node| node.label("topology.kubernetes.io/zone")) {
        endpoint["zone"] = zone.into();
    }
    if services::has_hostname(service, pod) {
        endpoint["hostname"] = pod.at("spec.hostname").clone();
    }
    endpoint
}

/// Distributes the endpoints of one group: those that are in a slice stay there, in their order; new ones go where
/// there is room; slices that end up empty are spare.
fn fill<'a>(
    ports: &[Value],
    endpoints: &[Value],
    slices: Vec<&'a Object>,
    keep: &mut Vec<(&'a Object, Content)>,
    create: &mut Vec<Content>,
    spare: &mut Vec<&'a Object>,
) {
    let id = |endpoint: &Value| (endpoint["targetRef"]["uid"].clone(), endpoint["addresses"].clone());
    let mut rest: Vec<&Value> = endpoints.iter().collect();
    let mut filled: Vec<(&Object, Vec<Value>)> = Vec::new();
    for slice in slices {
        let stays = |old: &Value| {
            let at = rest.iter().position(|endpoint| id(endpoint) == id(old))?;
            Some(rest.remove(at).clone())
        };
        let content = slice.list("endpoints").iter().filter_map(stays).collect();
        filled.push((slice, content));
    }
    for (_, content) in &mut filled {
        let room = ENDPOINTS_PER_SLICE_MAX.saturating_sub(content.len()).min(rest.len());
        // A slice that has lost everything is filled only if nothing else is there.
        content.extend(rest.drain(..room).cloned());
    }
    for (slice, endpoints) in filled {
        if endpoints.is_empty() {
            spare.push(slice);
        } else {
            keep.push((slice, Content { ports: ports.to_vec(), endpoints }));
        }
    }
    for chunk in rest.chunks(ENDPOINTS_PER_SLICE_MAX) {
        let endpoints = chunk.iter().map(|endpoint| (*endpoint).clone()).collect();
        create.push(Content { ports: ports.to_vec(), endpoints });
    }
}

fn slice(service: &Object, old: Option<&Object>, content: Content, trigger: Option<String>) -> Object {
    let mut slice = old.cloned().unwrap_or_else(|| {
        Object::new(json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": format!("{}-", service.name()),
                "namespace": service.namespace(),
                "ownerReferences": [controller_reference(&kinds::SERVICES, service)],
            },
            "addressType": "IPv4",
        }))
    });
    slice.set("metadata.labels", labels(service));
    slice.set("endpoints", content.endpoints);
    slice.set("ports", content.ports);
    services::set_trigger_time(&mut slice, trigger);
    slice
}

fn labels(service: &Object) -> Map {
    let mut labels = service.at("metadata.labels").as_object().cloned().unwrap_or_default();
    labels.remove(services::HEADLESS);
    if services::is_headless(service) {
        labels.insert(services::HEADLESS.into(), "".into());
    }
    labels.insert(SERVICE_NAME.into(), service.name().into());
    labels.insert(MANAGED_BY.into(), MANAGER.into());
    labels
}
