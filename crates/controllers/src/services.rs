//! What the two controllers of endpoints have in common (`k8s.io/endpointslice/util`).

use api::{Kind, Object, kinds};
use client::Event;
use json::{Value, json};

use crate::controller::Wake;
use crate::pods;
use crate::selector::map_matches;
use crate::view::View;

/// The annotation that tells which change led to the present endpoints.
pub(crate) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";
/// The label of endpoints of a Service without an address of its own.
pub(crate) const HEADLESS: &str = "service.kubernetes.io/headless";

/// The Services whose endpoints a change may concern.
pub(crate) fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::SERVICES {
        return vec![Wake::now(event.object())];
    }
    if *kind != kinds::PODS {
        return Vec::new();
    }
    match event {
        Event::Added(pod) | Event::Deleted(pod) => selecting(view, pod),
        Event::Modified { old, new } => {
            let labels_changed = old.at("metadata.labels") != new.at("metadata.labels");
            let changed = labels_changed
                || old.is_deleting() != new.is_deleting()
                || pods::is_ready(old) != pods::is_ready(new)
                || pods::is_terminal(old) != pods::is_terminal(new)
                || old.at("status.podIPs") != new.at("status.podIPs");
            let mut woken = if changed { selecting(view, new) } else { Vec::new() };
            if labels_changed {
                woken.extend(selecting(view, old));
            }
            woken
        }
    }
}

fn selecting(view: &View<'_>, pod: &Object) -> Vec<Wake> {
    let services = view.of(&kinds::SERVICES).in_namespace(pod.namespace());
    services.filter(|service| map_matches(service.at("spec.selector"), pod)).map(Wake::now).collect()
}

/// Whether the cluster writes this Service's endpoints: it has a selector and is no alias of an outside name.
pub(crate) fn has_selected_endpoints(service: &Object) -> bool {
    service.str("spec.type") != "ExternalName" && service.at("spec.selector").is_object()
}

/// The pods behind a Service, in the order of names. Those that end are in while they end if `terminating`.
pub(crate) fn pods_of<'a>(view: &View<'a>, service: &'a Object, terminating: bool) -> impl Iterator<Item = &'a Object> {
    let pods = view.of(&kinds::PODS).in_namespace(service.namespace());
    pods.filter(move |pod| {
        map_matches(service.at("spec.selector"), pod)
            && !pods::is_terminal(pod)
            && !pod.str("status.podIP").is_empty()
            && (terminating || !pod.is_deleting())
    })
}

/// Whether the Service has no address of its own.
pub(crate) fn is_headless(service: &Object) -> bool {
    matches!(service.str("spec.clusterIP"), "" | "None")
}

/// Whether the pod's name under the Service is its host name.
pub(crate) fn has_hostname(service: &Object, pod: &Object) -> bool {
    !pod.str("spec.hostname").is_empty() && pod.str("spec.subdomain") == service.name()
}

/// The reference to a pod in an endpoint.
pub(crate) fn target_ref(pod: &Object) -> Value {
    json!({ "kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid() })
}

/// A Service's ports as this pod has them; a port named by the pod's spec is looked up there.
pub(crate) fn ports_of(service: &Object, pod: &Object) -> Vec<Value> {
    let resolve = |port: &Value| {
        let number = target_port(port, pod)?;
        let mut resolved = json!({ "port": number, "protocol": port["protocol"] });
        for field in ["name", "appProtocol"] {
            if port[field].is_string() {
                resolved[field] = port[field].clone();
            }
        }
        Some(resolved)
    };
    service.list("spec.ports").iter().filter_map(resolve).collect()
}

fn target_port(port: &Value, pod: &Object) -> Option<i64> {
    match &port["targetPort"] {
        Value::String(name) => {
            let sidecars = pod.list("spec.initContainers").iter().filter(|c| c["restartPolicy"] == "Always");
            let containers = pod.list("spec.containers").iter().chain(sidecars);
            let mut ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
            let found = ports.find(|p| p["name"] == **name && p["protocol"] == port["protocol"])?;
            found["containerPort"].as_i64()
        }
        Value::Number(number) => number.as_i64(),
        _ => port["port"].as_i64(),
    }
}

/// The moment of the newest change that led to these endpoints: the Service's creation or a pod's becoming ready.
/// Nothing if the endpoints have told of it before (then something went away, which has no moment of its own).
pub(crate) fn trigger_time<'a>(
    service: &Object,
    pods: impl Iterator<Item = &'a Object>,
    existing: Option<&Object>,
) -> Option<String> {
    let ready = pods.filter_map(pods::ready_since);
    let newest = ready.chain(pods::created(service)).max()?.rfc3339();
    let told = existing.and_then(|object| object.annotation(TRIGGER_TIME));
    (told.is_none_or(|told| told < newest.as_str())).then_some(newest)
}

/// Puts the trigger time on an object, or takes it away.
pub(crate) fn set_trigger_time(object: &mut Object, time: Option<String>) {
    match time {
        Some(time) => object.set_annotation(TRIGGER_TIME, &time),
        None => {
            if let Some(map) = object.make_mut().pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
                map.remove(TRIGGER_TIME);
            }
        }
    }
}
