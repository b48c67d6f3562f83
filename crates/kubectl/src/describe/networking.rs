//! Ingresses, their classes, network policies and addresses of Services.

use api::Object;
use json::Value;

use super::workloads::selector;
use super::write::{Text, list, scalar, text};
use super::{Context, configs, events};
use crate::failure::Outcome;
use crate::rest::with_query;

/// `kubectl describe ingress`.
pub async fn ingress(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let default = match object.at("spec.defaultBackend") {
        Value::Null => "<default>".to_owned(),
        given => backend(&ctx, object.namespace(), given).await,
    };
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.field(0, "Namespace", object.namespace());
    let points = object.list("status.loadBalancer.ingress").iter();
    let addresses: Vec<&str> =
        points.map(|p| if text(p, "ip").is_empty() { text(p, "hostname") } else { text(p, "ip") }).collect();
    out.field(0, "Address", addresses.join(","));
    let class = object.str("spec.ingressClassName");
    out.field(0, "Ingress Class", if class.is_empty() { "<none>" } else { class });
    out.field(0, "Default backend", &default);
    let tls = object.list("spec.tls");
    if !tls.is_empty() {
        out.line(0, "TLS:");
    }
    for one in tls {
        let hosts: Vec<String> = list(one, "hosts").iter().map(scalar).collect();
        let line = match text(one, "secretName") {
            "" => format!("SNI routes {}", hosts.join(",")),
            secret => format!("{secret} terminates {}", hosts.join(",")),
        };
        out.line(1, line);
    }
    out.line(0, "Rules:");
    out.line(1, "Host\tPath\tBackends");
    out.line(1, "----\t----\t--------");
    let rules: Vec<&Value> = object.list("spec.rules").iter().filter(|r| r["http"].is_object()).collect();
    for rule in &rules {
        let host = text(rule, "host");
        out.line(1, format!("{}\t", if host.is_empty() { "*" } else { host }));
        for path in list(&rule["http"], "paths") {
            let target = backend(&ctx, object.namespace(), &path["backend"]).await;
            out.line(2, format!("\t{} \t{target}", text(path, "path")));
        }
    }
    if rules.is_empty() {
        out.line(1, format!("*\t*\t{default}"));
    }
    out.annotations("Annotations", object.at("metadata.annotations"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe ipaddress`.
pub async fn address(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    let parent = object.at("spec.parentRef");
    if parent.is_object() {
        out.line(0, "Parent Reference:");
        for (title, field) in
            [("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")]
        {
            out.field(1, title, text(parent, field));
        }
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe servicecidr`.
pub async fn range(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    let ranges: Vec<String> = object.list("spec.cidrs").iter().map(scalar).collect();
    out.field(0, "CIDRs", ranges.join(", "));
    let conditions = object.list("status.conditions");
    if !conditions.is_empty() {
        out.line(0, "Status:");
    }
    configs::conditions(&mut out, conditions);
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// A backend with the endpoints behind it.
async fn backend(ctx: &Context, namespace: &str, backend: &Value) -> String {
    let resource = &backend["resource"];
    if resource.is_object() {
        let group = text(resource, "apiGroup");
        let group = if group.is_empty() { "<none>" } else { group };
        return format!("APIGroup: {group}, Kind: {}, Name: {}", text(resource, "kind"), text(resource, "name"));
    }
    let service = &backend["service"];
    let name = text(service, "name");
    let port = match service["port"]["number"].as_i64() {
        Some(number) if number != 0 => number.to_string(),
        _ => text(&service["port"], "name").to_owned(),
    };
    let shown = format!("{name}:{port}");
    let found = match ctx.rest.get(&format!("/api/v1/namespaces/{namespace}/services/{name}")).await {
        Ok(found) => found,
        Err(failure) => return format!("{shown} (<error: {}>)", failure.bare()),
    };
    let named = list(&found["spec"], "ports").iter().find(|p| scalar(&p["port"]) == port || text(p, "name") == port);
    let port_name = named.map_or("", |p| text(p, "name")).to_owned();
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    let selector = format!("kubernetes.io/service-name={name}");
    let slices = ctx.rest.get(&with_query(&path, &[("labelSelector", &selector)])).await.unwrap_or_default();
    format!("{shown} ({})", endpoints(list(&slices, "items"), &port_name))
}

/// Endpoints that are shown.
const ENDPOINTS_MAX: usize = 3;

fn endpoints(slices: &[Value], port_name: &str) -> String {
    let mut all = Vec::new();
    for slice in slices {
        for port in list(slice, "ports").iter().filter(|p| text(p, "name") == port_name) {
            for endpoint in list(slice, "endpoints") {
                if endpoint["conditions"]["ready"] == false {
                    continue;
                }
                for address in list(endpoint, "addresses") {
                    all.push(format!("{}:{}", scalar(address), scalar(&port["port"])));
                }
            }
        }
    }
    match all.len() {
        0 => String::new(),
        count if count > ENDPOINTS_MAX => {
            format!("{} + {} more...", all[..ENDPOINTS_MAX].join(","), count - ENDPOINTS_MAX)
        }
        _ => all.join(","),
    }
}

/// `kubectl describe ingressclass`.
pub async fn class(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Controller", object.str("spec.controller"));
    let parameters = object.at("spec.parameters");
    if parameters.is_object() {
        out.line(0, "Parameters:");
        if !text(parameters, "apiGroup").is_empty() {
            out.field(1, "APIGroup", text(parameters, "apiGroup"));
        }
        out.field(1, "Kind", text(parameters, "kind"));
        out.field(1, "Name", text(parameters, "name"));
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe networkpolicy`.
pub async fn policy(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    let created = object.str("metadata.creationTimestamp").replace('T', " ");
    out.field(0, "Created on", format!("{} +0000 UTC", created.trim_end_matches('Z')));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.line(0, "Spec:");
    let chosen = match selector(object.at("spec.podSelector")).as_str() {
        "<none>" => "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned(),
        labels => labels.to_owned(),
    };
    out.line(1, format!("PodSelector:     {chosen}"));
    let types: Vec<String> = object.list("spec.policyTypes").iter().map(scalar).collect();
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        if !types.iter().any(|t| t.to_lowercase() == direction) {
            out.line(1, format!("Not affecting {direction} traffic"));
            continue;
        }
        out.line(1, format!("Allowing {direction} traffic:"));
        rules(&mut out, object.list(&format!("spec.{direction}")), direction, peers);
    }
    out.line(1, format!("Policy Types: {}", types.join(", ")));
    Ok(out.finish())
}

fn rules(out: &mut Text, rules: &[Value], direction: &str, peers: &str) {
    if rules.is_empty() {
        return out.line(2, format!("<none> (Selected pods are isolated for {direction} connectivity)"));
    }
    let (title, end) = if peers == "from" { ("From", "source") } else { ("To", "destination") };
    for (i, rule) in rules.iter().enumerate() {
        let ports = list(rule, "ports");
        if ports.is_empty() {
            out.line(2, "To Port: <any> (traffic allowed to all ports)");
        }
        for port in ports {
            let protocol = if text(port, "protocol").is_empty() { "TCP" } else { text(port, "protocol") };
            let number = if port["port"].is_null() { "<nil>".to_owned() } else { scalar(&port["port"]) };
            match port["endPort"].as_i64() {
                None => out.line(2, format!("To Port: {number}/{protocol}")),
                Some(last) => out.line(2, format!("To Port Range: {number}-{last}/{protocol}")),
            }
        }
        let all = list(rule, peers);
        if all.is_empty() {
            out.line(2, format!("{title}: <any> (traffic not restricted by {end})"));
        }
        for peer in all {
            out.line(2, format!("{title}:"));
            for (field, name) in [("namespaceSelector", "NamespaceSelector"), ("podSelector", "PodSelector")] {
                if peer[field].is_object() {
                    out.line(3, format!("{name}: {}", selector(&peer[field])));
                }
            }
            let block = &peer["ipBlock"];
            if block.is_object() {
                let except: Vec<String> = list(block, "except").iter().map(scalar).collect();
                out.line(3, "IPBlock:");
                out.line(4, format!("CIDR: {}", text(block, "cidr")));
                out.line(4, format!("Except: {}", except.join(", ")));
            }
        }
        if i + 1 != rules.len() {
            out.line(2, "----------");
        }
    }
}
