//! Endpoints that somebody wrote for a Service without a selector, in slices, which is what proxies and DNS read
//! (`pkg/controller/endpointslicemirroring`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::{Kind, Object, kinds};
use client::Event;
use json::{Map, Value, json};

use crate::change::{Change, Note, Op, Retry, Write};
use crate::claim::controller_reference;
use crate::controller::{Controller, Follows, Wake};
use crate::endpointslice::{MANAGED_BY, SERVICE_NAME};
use crate::services;
use crate::view::View;

/// Addresses of one subset that are mirrored (`--mirroring-max-endpoints-per-subset`).
const ENDPOINTS_PER_SUBSET_MAX: usize = 1000;
const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP_MIRROR: &str = "endpointslice.kubernetes.io/skip-mirror";
/// Endpoints that were once used to elect a leader.
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "endpointslice-mirroring-controller",
    component: "endpoint-slice-mirroring-controller",
    follows: Follows::Kinds(&[&kinds::ENDPOINTS, &kinds::ENDPOINT_SLICES, &kinds::SERVICES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    let of_slice = |slice: &Object| {
        let name = slice.label(SERVICE_NAME).filter(|_| slice.label(MANAGED_BY) == Some(MANAGER));
        name.map(|name| Wake::key(format!("{}/{name}", slice.namespace())))
    };
    match event {
        Event::Modified { old, new } if *kind == kinds::ENDPOINT_SLICES => {
            of_slice(old).into_iter().chain(of_slice(new)).collect()
        }
        _ if *kind == kinds::ENDPOINT_SLICES => of_slice(object).into_iter().collect(),
        Event::Modified { old, new } if *kind == kinds::SERVICES => {
            if has_selector(old) == has_selector(new) {
                Vec::new()
            } else {
                vec![Wake::now(new)]
            }
        }
        // Of most Endpoints, those that are the cluster's own, there is nothing to mirror.
        _ if !concerns(view, object) => Vec::new(),
        _ => vec![Wake::now(object)],
    }
}

/// Whether the Service and the Endpoints of a name are to be mirrored, or have been. Of a Service with a selector it is its change
/// that tells, and the slices themselves: nothing is looked for at each change of its Endpoints.
fn concerns(view: &View<'_>, named: &Object) -> bool {
    let of_it =
        |slice: &Object| slice.label(SERVICE_NAME) == Some(named.name()) && slice.label(MANAGED_BY) == Some(MANAGER);
    let service = view.get(&kinds::SERVICES, &named.key());
    if service.is_some_and(has_selector) {
        return false;
    }
    let is_to_be_mirrored = service.is_some() && view.get(&kinds::ENDPOINTS, &named.key()).is_some_and(is_mirrored);
    is_to_be_mirrored || view.of(&kinds::ENDPOINT_SLICES).in_namespace(named.namespace()).any(of_it)
}

fn has_selector(service: &Object) -> bool {
    service.at("spec.selector").is_object()
}

fn is_mirrored(endpoints: &Object) -> bool {
    endpoints.label(SKIP_MIRROR) != Some("true") && endpoints.annotation(LEADER).is_none()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let (namespace, name) = key.split_once('/').unwrap_or(("", key));
    let ours = |slice: &&Object| slice.label(SERVICE_NAME) == Some(name) && slice.label(MANAGED_BY) == Some(MANAGER);
    let existing: Vec<&Object> = view.of(&kinds::ENDPOINT_SLICES).in_namespace(namespace).filter(ours).collect();
    let endpoints = view.get(&kinds::ENDPOINTS, key).filter(|endpoints| is_mirrored(endpoints));
    let service = view.get(&kinds::SERVICES, key).filter(|service| !has_selector(service));
    let (Some(endpoints), Some(_)) = (endpoints, service) else {
        return Ok(existing.into_iter().map(deletion).collect());
    };
    let Wanted { groups, skipped } = wanted(endpoints);
    let mut changes = Vec::new();
    if skipped > 0 {
        let why = format!(
            "A max of {ENDPOINTS_PER_SUBSET_MAX} addresses can be mirrored to EndpointSlices per Endpoints subset. {skipped} addresses were skipped"
        );
        changes.push(Change::Event(Note::warning("TooManyAddressesToMirror", why), endpoints.clone()));
    }
    let (mut create, mut spare) = (Vec::new(), Vec::new());
    let mut left = existing;
    for group in groups.into_values() {
        let (of_group, others): (Vec<&Object>, Vec<&Object>) = left.into_iter().partition(|slice| group.is_in(slice));
        left = others;
        match of_group.split_first() {
            None => create.push(group),
            Some((first, rest)) => {
                spare.extend(rest);
                changes.extend(update(endpoints, first, &group));
            }
        }
    }
    spare.extend(left);
    let mut spare = spare.into_iter();
    for group in create {
        // A slice that would go takes over what a new one would hold; its address type it cannot change.
        match spare.next() {
            Some(old) if old.str("addressType") == group.address_type => changes.extend(update(endpoints, old, &group)),
            passed => {
                changes.extend(passed.map(deletion));
                if !endpoints.is_deleting() {
                    let slice = slice(endpoints, None, &group);
                    changes.push(Change::from(Write::create(&kinds::ENDPOINT_SLICES, slice)));
                }
            }
        }
    }
    changes.extend(spare.map(deletion));
    Ok(changes)
}

fn deletion(slice: &Object) -> Change {
    Change::from(Write::delete(&kinds::ENDPOINT_SLICES, slice))
}

/// What one slice is to hold: addresses of one family that have the same ports.
struct Group {
    address_type: &'static str,
    ports: Vec<Value>,
    endpoints: Vec<Value>,
}

impl Group {
    fn is_in(&self, slice: &Object) -> bool {
        slice.str("addressType") == self.address_type && slice.list("ports") == self.ports
    }
}

struct Wanted {
    /// By family and the ports' text.
    groups: BTreeMap<(&'static str, String), Group>,
    /// Addresses that are too many.
    skipped: usize,
}

fn wanted(endpoints: &Object) -> Wanted {
    let mut wanted = Wanted { groups: BTreeMap::new(), skipped: 0 };
    for subset in endpoints.list("subsets") {
        let ports: Vec<Value> = subset["ports"].as_array().into_iter().flatten().map(port).collect();
        let text = Value::from(ports.clone()).to_string();
        let of = |field: &str, ready: bool| {
            let list = subset[field].as_array().map_or(&[][..], |list| list.as_slice());
            list.iter().map(move |address| (address, ready))
        };
        for (nth, (address, ready)) in of("addresses", true).chain(of("notReadyAddresses", false)).enumerate() {
            // What is no address the API server does not let in.
            let Ok(ip) = address["ip"].as_str().unwrap_or("").parse::<IpAddr>() else { continue };
            if nth >= ENDPOINTS_PER_SUBSET_MAX {
                wanted.skipped += 1;
                continue;
            }
            let address_type = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
            let group = wanted.groups.entry((address_type, text.clone()));
            let group = group.or_insert_with(|| Group { address_type, ports: ports.clone(), endpoints: Vec::new() });
            let endpoint = endpoint(address, ip, ready);
            if !group.endpoints.iter().any(|other| other["addresses"] == endpoint["addresses"]) {
                group.endpoints.push(endpoint);
            }
        }
    }
    wanted
}

fn port(of_subset: &Value) -> Value {
    let mut port = json!({
        "name": of_subset["name"].as_str().unwrap_or(""),
        "port": of_subset["port"].clone(),
        "protocol": of_subset["protocol"].as_str().unwrap_or("TCP"),
    });
    if !of_subset["appProtocol"].is_null() {
        port["appProtocol"] = of_subset["appProtocol"].clone();
    }
    port
}

fn endpoint(address: &Value, ip: IpAddr, ready: bool) -> Value {
    let mut endpoint = json!({ "addresses": [ip.to_string()], "conditions": { "ready": ready } });
    for field in ["targetRef", "nodeName", "hostname"] {
        if !address[field].is_null() {
            endpoint[field] = address[field].clone();
        }
    }
    endpoint
}

/// The write that makes a slice hold a group, if it does not yet.
fn update(endpoints: &Object, old: &Object, group: &Group) -> Option<Change> {
    let new = slice(endpoints, Some(old), group);
    let same = |path: &str| old.at(path) == new.at(path);
    let is_same = ["metadata.labels", "metadata.annotations", "metadata.ownerReferences"].iter().all(|path| same(path))
        && old.list("endpoints") == new.list("endpoints")
        && old.list("ports") == new.list("ports");
    (!is_same).then(|| Change::from(Write::new(&kinds::ENDPOINT_SLICES, Op::Update(new))))
}

fn slice(endpoints: &Object, old: Option<&Object>, group: &Group) -> Object {
    let mut slice = old.cloned().unwrap_or_else(|| {
        let metadata = json!({ "generateName": format!("{}-", endpoints.name()), "namespace": endpoints.namespace() });
        Object::new(json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
            "addressType": group.address_type,
        }))
    });
    slice.set("metadata.ownerReferences", json!([controller_reference(&kinds::ENDPOINTS, endpoints)]));
    let map = |path: &str| endpoints.at(path).as_object().cloned().unwrap_or_default();
    let mut labels = map("metadata.labels");
    labels.insert(SERVICE_NAME.into(), endpoints.name().into());
    labels.insert(MANAGED_BY.into(), MANAGER.into());
    slice.set("metadata.labels", labels);
    let mut annotations: Map = map("metadata.annotations");
    annotations.remove(services::TRIGGER_TIME);
    annotations.remove(LAST_APPLIED);
    if annotations.is_empty() {
        slice.remove("metadata.annotations");
    } else {
        slice.set("metadata.annotations", annotations);
    }
    slice.set("endpoints", group.endpoints.clone());
    slice.set("ports", group.ports.clone());
    slice
}

#[cfg(test)]
mod tests {
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    fn service(selector: Value) -> Object {
        let metadata = json!({ "name": "db", "namespace": "d", "uid": "s" });
        Object::new(json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": { "clusterIP": "10.96.0.9", "selector": selector, "ports": [{ "port": 5432 }] } }))
    }

    fn endpoints(subsets: Value) -> Object {
        let annotations = json!({ (LAST_APPLIED): "{}", "note": "kept" });
        let metadata = json!({ "name": "db", "namespace": "d", "uid": "e", "annotations": annotations,
            "labels": { "tier": "data" } });
        Object::new(json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets }))
    }

    fn subsets() -> Value {
        json!([{ "addresses": [{ "ip": "192.168.49.1" }, { "ip": "fd00::1" }],
            "notReadyAddresses": [{ "ip": "192.168.49.2", "hostname": "two" }], "ports": [{ "port": 5432 }] }])
    }

    fn plan(objects: &[Object]) -> Vec<Change> {
        let caches = Caches::with(objects);
        reconcile(&View::new(&caches, Time::from_unix_seconds(0)), "d/db").unwrap()
    }

    fn made(changes: &[Change]) -> Vec<Object> {
        let object = |change: &Change| match change {
            Change::Write(write) => match &write.op {
                Op::Create(object) | Op::Update(object) => Some(object.clone()),
                _ => None,
            },
            _ => None,
        };
        changes.iter().filter_map(object).collect()
    }

    #[test]
    fn each_family_gets_a_slice() {
        let slices = made(&plan(&[service(Value::Null), endpoints(subsets())]));
        let [four, six] = &slices[..] else { panic!("{slices:?}") };
        assert_eq!((four.str("addressType"), six.str("addressType")), ("IPv4", "IPv6"));
        assert_eq!(four.str("metadata.generateName"), "db-");
        assert_eq!(
            four.list("endpoints"),
            [
                json!({ "addresses": ["192.168.49.1"], "conditions": { "ready": true } }),
                json!({ "addresses": ["192.168.49.2"], "conditions": { "ready": false }, "hostname": "two" }),
            ]
        );
        assert_eq!(four.list("ports"), [json!({ "name": "", "port": 5432, "protocol": "TCP" })]);
        assert_eq!((four.label("tier"), four.label(MANAGED_BY)), (Some("data"), Some(MANAGER)));
        assert_eq!(*four.at("metadata.annotations"), json!({ "note": "kept" }));
        assert_eq!(four.owner_references()[0].uid, "e");
    }

    #[test]
    fn only_what_is_mirrored_wakes() {
        let woken = |objects: &[Object], event: Event| {
            let caches = Caches::with(objects);
            let view = View::new(&caches, Time::from_unix_seconds(0));
            wake(&view, &kinds::ENDPOINTS, &event).len()
        };
        let (by_hand, own) = (service(Value::Null), service(json!({ "a": "b" })));
        let points = endpoints(subsets());
        assert_eq!(woken(&[by_hand.clone(), points.clone()], Event::Added(points.clone())), 1);
        assert_eq!(woken(&[own, points.clone()], Event::Added(points.clone())), 0, "the cluster writes its slices");
        assert_eq!(
            woken(std::slice::from_ref(&points), Event::Added(points.clone())),
            0,
            "the Service is not there yet"
        );
        let slice = made(&plan(&[by_hand.clone(), points.clone()])).remove(0);
        assert_eq!(woken(&[by_hand, slice], Event::Deleted(points)), 1, "its slice is to go");
    }

    #[test]
    fn slices_follow_and_go() {
        let only_four = json!([{ "addresses": [{ "ip": "10.0.0.1" }], "ports": [{ "port": 1 }] }]);
        let mut slice = made(&plan(&[service(Value::Null), endpoints(only_four.clone())])).remove(0);
        slice.set("metadata.name", "db-x");
        let now = |endpoints: Object, service: Object| describe(&plan(&[service, endpoints, slice.clone()]));
        assert_eq!(now(endpoints(only_four.clone()), service(Value::Null)), "");
        let moved = json!([{ "addresses": [{ "ip": "10.0.0.2" }], "ports": [{ "port": 1 }] }]);
        assert!(now(endpoints(moved), service(Value::Null)).starts_with("update EndpointSlice db-x"));
        // Another port is another group: the slice is used again.
        let ports = json!([{ "addresses": [{ "ip": "10.0.0.1" }], "ports": [{ "port": 2 }] }]);
        assert!(now(endpoints(ports), service(Value::Null)).starts_with("update EndpointSlice db-x"));
        assert_eq!(now(endpoints(json!([])), service(Value::Null)), "delete EndpointSlice db-x");
        assert_eq!(now(endpoints(only_four.clone()), service(json!({ "a": "b" }))), "delete EndpointSlice db-x");
        let mut skipped = endpoints(only_four);
        skipped.set("metadata.labels", json!({ (SKIP_MIRROR): "true" }));
        assert_eq!(now(skipped, service(Value::Null)), "delete EndpointSlice db-x");
    }
}
