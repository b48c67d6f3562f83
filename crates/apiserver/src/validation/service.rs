//! Services (`ValidateService`, `ValidateServiceUpdate`).

use std::collections::BTreeSet;

use api::names;
use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::one_of;
use crate::value::{at, list, text};

/// A Service.
pub fn validate(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let kind = text(spec, "type");
    let ports = list(spec, "ports");
    let headless = text(spec, "clusterIP") == "None";
    if ports.is_empty() && kind != "ExternalName" && !headless {
        errors.push(FieldError::required("spec.ports", ""));
    }
    if kind == "LoadBalancer" && headless {
        let detail = "may not be set to 'None' for LoadBalancer services";
        errors.push(FieldError::invalid("spec.clusterIPs[0]", "None", detail));
    }
    if kind == "NodePort" && headless {
        let detail = "may not be set to 'None' for NodePort services";
        errors.push(FieldError::invalid("spec.clusterIPs[0]", "None", detail));
    }
    if kind == "ExternalName" {
        external_name(spec, errors);
    }
    for (i, port) in ports.iter().enumerate() {
        one_port(port, i, ports.len() > 1, errors);
    }
    duplicate_ports(ports, errors);
    super::metadata::labels(at(spec, "selector"), "spec.selector", errors);
    one_of(text(spec, "sessionAffinity"), "spec.sessionAffinity", &["ClientIP", "None"], errors);
    for (i, ip) in list(spec, "clusterIPs").iter().filter_map(Value::as_str).enumerate() {
        if ip != "None" && ip.parse::<std::net::IpAddr>().is_err() {
            errors.invalid_all(&format!("spec.clusterIPs[{i}]"), ip, names::ip_address(ip));
        }
    }
    for (i, ip) in list(spec, "externalIPs").iter().filter_map(Value::as_str).enumerate() {
        errors.invalid_all(&format!("spec.externalIPs[{i}]"), ip, names::ip_address(ip));
    }
    one_of(kind, "spec.type", &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], errors);
    if matches!(kind, "ClusterIP") {
        for (i, port) in ports.iter().enumerate() {
            if at(port, "nodePort").as_i64().is_some_and(|n| n != 0) {
                let detail = "may not be used when `type` is 'ClusterIP'";
                errors.push(FieldError::forbidden(format!("spec.ports[{i}].nodePort"), detail));
            }
        }
    }
    traffic_policies(object, errors);
    affinity(spec, errors);
}

/// `validateServiceExternalTrafficPolicy` and its like for inside.
fn traffic_policies(service: &Value, errors: &mut FieldErrors) {
    let spec = at(service, "spec");
    let is_outer = matches!(text(spec, "type"), "NodePort" | "LoadBalancer") || !list(spec, "externalIPs").is_empty();
    let policy = text(spec, "externalTrafficPolicy");
    if !policy.is_empty() && !is_outer {
        let detail = "may only be set for externally-accessible services";
        errors.push(FieldError::invalid("spec.externalTrafficPolicy", policy, detail));
    } else if !policy.is_empty() {
        one_of(policy, "spec.externalTrafficPolicy", &["Cluster", "Local"], errors);
    }
    let port = at(spec, "healthCheckNodePort").as_i64().unwrap_or(0);
    if port != 0 && !crate::allocator::needs_health_check(service) {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(FieldError::invalid("spec.healthCheckNodePort", port, detail));
    }
    let inner = text(spec, "internalTrafficPolicy");
    if !inner.is_empty() {
        one_of(inner, "spec.internalTrafficPolicy", &["Cluster", "Local"], errors);
    }
}

/// `validateClientIPAffinityConfig`
fn affinity(spec: &Value, errors: &mut FieldErrors) {
    let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
    let seconds = at(spec, "sessionAffinityConfig.clientIP.timeoutSeconds").as_i64();
    if let Some(seconds) = seconds.filter(|s| !(1..=AFFINITY_SECONDS_MAX).contains(s)) {
        let detail = format!("must be greater than 0 and less than {AFFINITY_SECONDS_MAX}");
        errors.push(FieldError::invalid(path, seconds, detail));
    }
}

/// The longest affinity of a client, in seconds (`MaxClientIPServiceAffinitySeconds`).
const AFFINITY_SECONDS_MAX: i64 = 86_400;

fn external_name(spec: &Value, errors: &mut FieldErrors) {
    if !list(spec, "clusterIPs").is_empty() || !text(spec, "clusterIP").is_empty() {
        let detail = "may not be set for ExternalName services";
        errors.push(FieldError::forbidden("spec.clusterIPs[0]", detail));
    }
    match text(spec, "externalName").trim_end_matches('.') {
        "" => errors.push(FieldError::required("spec.externalName", "")),
        name => errors.invalid_all("spec.externalName", name, names::dns1123_subdomain(name)),
    }
}

fn one_port(port: &Value, i: usize, named: bool, errors: &mut FieldErrors) {
    let path = format!("spec.ports[{i}]");
    match text(port, "name") {
        "" if named => errors.push(FieldError::required(format!("{path}.name"), "")),
        "" => {}
        name => errors.invalid_all(&format!("{path}.name"), name, names::dns1123_label(name)),
    }
    let number = at(port, "port").as_i64().unwrap_or(0);
    let range = "must be between 1 and 65535, inclusive";
    if !(1..=65_535).contains(&number) {
        errors.push(FieldError::invalid(format!("{path}.port"), number, range));
    }
    one_of(text(port, "protocol"), &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], errors);
    match at(port, "targetPort") {
        Value::String(name) => errors.invalid_all(&format!("{path}.targetPort"), name, names::port_name(name)),
        Value::Number(target) if !(1..=65_535).contains(&target.as_i64().unwrap_or(0)) => {
            errors.push(FieldError::invalid(format!("{path}.targetPort"), target.clone(), range));
        }
        _ => {}
    }
}

/// Fields of the internal ServicePort.
const PORT_FIELDS: [&str; 6] = ["Name", "Protocol", "AppProtocol", "Port", "TargetPort", "NodePort"];

fn duplicate_ports(ports: &[Value], errors: &mut FieldErrors) {
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let name = text(port, "name");
        if !name.is_empty() && !names.insert(name) {
            errors.push(FieldError::duplicate(format!("spec.ports[{i}].name"), name));
        }
        if !numbers.insert((at(port, "port").as_i64(), text(port, "protocol"))) {
            let shown = json!({
                "Name": "", "Protocol": text(port, "protocol"), "AppProtocol": null, "Port": at(port, "port"),
                "TargetPort": 0, "NodePort": 0,
            });
            errors.push(FieldError::duplicate(format!("spec.ports[{i}]"), shown).in_order(&PORT_FIELDS));
        }
    }
}

/// A change of a Service.
pub fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let kind = |o: &Value| text(o, "spec.type").to_owned();
    if kind(new) == "ExternalName" || kind(old) == "ExternalName" {
        return;
    }
    let check = |o: &Value| at(o, "spec.healthCheckNodePort").clone();
    if [new, old].into_iter().all(crate::allocator::needs_health_check) && check(new) != check(old) {
        errors.push(FieldError::forbidden("spec.healthCheckNodePort", "field is immutable"));
    }
    let ips = |o: &Value| at(o, "spec.clusterIPs").clone();
    if !list(old, "spec.clusterIPs").is_empty() && ips(new) != ips(old) {
        errors.push(FieldError::invalid("spec.clusterIPs[0]", ips(new), "may not change once set"));
    }
}
