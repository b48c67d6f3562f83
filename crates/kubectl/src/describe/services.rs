//! Services, Endpoints and EndpointSlices.

use api::Object;
use json::Value;

use super::write::{Text, joined, list, or_none, scalar, text};
use super::{Context, events};
use crate::failure::Outcome;
use crate::printers::table::format_labels;
use crate::rest::with_query;

/// `kubectl describe service`.
pub async fn service(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let slices = slices_of(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Selector", format_labels(Some(object.at("spec.selector"))));
    out.field(0, "Type", object.str("spec.type"));
    let spec = object.at("spec");
    if !text(spec, "ipFamilyPolicy").is_empty() {
        out.field(0, "IP Family Policy", text(spec, "ipFamilyPolicy"));
    }
    out.field(0, "IP Families", or_none(&joined(spec, "ipFamilies")));
    out.field(0, "IP", text(spec, "clusterIP"));
    out.field(0, "IPs", or_none(&joined(spec, "clusterIPs")));
    if !list(spec, "externalIPs").is_empty() {
        out.field(0, "External IPs", joined(spec, "externalIPs"));
    }
    for (title, field) in [("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")] {
        if !text(spec, field).is_empty() {
            out.field(0, title, text(spec, field));
        }
    }
    let ingress = object.list("status.loadBalancer.ingress");
    if !ingress.is_empty() {
        let addresses: Vec<&str> = ingress
            .iter()
            .map(|i| if text(i, "ip").is_empty() { text(i, "hostname") } else { text(i, "ip") })
            .collect();
        out.field(0, "LoadBalancer Ingress", addresses.join(", "));
    }
    list(spec, "ports").iter().for_each(|port| service_port(&mut out, port, &slices));
    out.field(0, "Session Affinity", text(spec, "sessionAffinity"));
    for (title, field) in
        [("External Traffic Policy", "externalTrafficPolicy"), ("Internal Traffic Policy", "internalTrafficPolicy")]
    {
        if !text(spec, field).is_empty() {
            out.field(0, title, text(spec, field));
        }
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn service_port(out: &mut Text, port: &Value, slices: &[Value]) {
    let name = if text(port, "name").is_empty() { "<unset>" } else { text(port, "name") };
    let part = |field: &str| scalar(port.get(field).unwrap_or(&0.into()));
    let protocol = text(port, "protocol");
    out.line(0, format!("Port:\t{name}\t{}/{protocol}", part("port")));
    out.field(0, "TargetPort", format!("{}/{protocol}", part("targetPort")));
    if !text(port, "appProtocol").is_empty() {
        out.field(0, "AppProtocol", text(port, "appProtocol"));
    }
    if port.get("nodePort").and_then(Value::as_i64).unwrap_or(0) != 0 {
        out.line(0, format!("NodePort:\t{name}\t{}/{protocol}", part("nodePort")));
    }
    out.field(0, "Endpoints", endpoints_of(slices, text(port, "name")));
}

async fn slices_of(ctx: &Context, service: &Object) -> Vec<Value> {
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices", service.namespace());
    let selector = format!("kubernetes.io/service-name={}", service.name());
    let answer = ctx.rest.get(&with_query(&path, &[("labelSelector", &selector)])).await.unwrap_or_default();
    list(&answer, "items").to_vec()
}

/// Addresses shown for one port before `+ n more...`.
const ENDPOINTS_SHOWN: usize = 3;

fn endpoints_of(slices: &[Value], port_name: &str) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for slice in slices {
        let ready = list(slice, "endpoints")
            .iter()
            .filter(|e| e.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true))
            .filter_map(|e| list(e, "addresses").first().and_then(Value::as_str));
        let ports = list(slice, "ports");
        if ports.is_empty() {
            all.extend(ready.map(str::to_owned));
            continue;
        }
        let ready: Vec<&str> = ready.collect();
        for port in ports.iter().filter(|p| text(p, "name") == port_name) {
            let number = scalar(port.get("port").unwrap_or(&0.into()));
            all.extend(ready.iter().map(|address| format!("{address}:{number}")));
        }
    }
    let shown = all[..all.len().min(ENDPOINTS_SHOWN)].join(",");
    match all.len().saturating_sub(ENDPOINTS_SHOWN) {
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

/// `kubectl describe endpoints`.
pub async fn endpoints(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.line(0, "Subsets:");
    for subset in object.list("subsets") {
        for (title, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
            let addresses: Vec<&str> = list(subset, field).iter().map(|a| text(a, "ip")).collect();
            out.field(1, title, or_none(&addresses.join(",")));
        }
        let ports = list(subset, "ports");
        if !ports.is_empty() {
            out.line(1, "Ports:");
            port_table(&mut out, 2, ports);
        }
        out.line(0, "");
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn port_table(out: &mut Text, level: usize, ports: &[Value]) {
    out.line(level, "Name\tPort\tProtocol");
    out.line(level, "----\t----\t--------");
    for port in ports {
        let name = if text(port, "name").is_empty() { "<unset>" } else { text(port, "name") };
        let number = port.get("port").map_or_else(|| "<unset>".to_owned(), scalar);
        out.line(level, format!("{name}\t{number}\t{}", text(port, "protocol")));
    }
}

/// `kubectl describe endpointslice`.
pub async fn endpoint_slice(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "AddressType", object.str("addressType"));
    if object.list("ports").is_empty() {
        out.line(0, "Ports: <unset>");
    } else {
        out.line(0, "Ports:");
        port_table(&mut out, 1, object.list("ports"));
    }
    if object.list("endpoints").is_empty() {
        out.line(0, "Endpoints: <none>");
    } else {
        out.line(0, "Endpoints:");
        object.list("endpoints").iter().for_each(|e| endpoint(&mut out, e));
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn endpoint(out: &mut Text, endpoint: &Value) {
    let unset = |field: &str| match text(endpoint, field) {
        "" => "<unset>".to_owned(),
        value => value.to_owned(),
    };
    out.line(1, format!("- Addresses:\t{}", or_none(&joined(endpoint, "addresses").replace(',', ", "))));
    out.line(2, "Conditions:");
    let ready = endpoint.pointer("/conditions/ready").map_or_else(|| "<unset>".to_owned(), scalar);
    out.field(3, "Ready", ready);
    out.field(2, "Hostname", unset("hostname"));
    if let Some(target) = endpoint.get("targetRef") {
        out.field(2, "TargetRef", format!("{}/{}", text(target, "kind"), text(target, "name")));
    }
    out.field(2, "NodeName", unset("nodeName"));
    out.field(2, "Zone", unset("zone"));
}
