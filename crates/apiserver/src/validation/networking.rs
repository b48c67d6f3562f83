//! Ingresses, their classes, network policies and addresses of Services (pkg/apis/networking/validation).

use api::status::{FieldError, FieldErrors};
use json::Value;

use super::apps::label_selector;
use super::one_of;
use crate::value::{at, list, text};

/// An Ingress.
pub fn ingress(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let (backend, rules) = (at(spec, "defaultBackend"), list(spec, "rules"));
    if rules.is_empty() && backend.is_null() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid("spec", at(spec, "rules").clone(), detail));
    }
    if backend.is_object() {
        one_backend(backend, "spec.defaultBackend", errors);
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = format!("spec.rules[{i}]");
        let host = text(rule, "host");
        if !host.is_empty() {
            let check = if host.contains('*') { api::names::wildcard_subdomain } else { api::names::dns1123_subdomain };
            if api::names::ip_address(host).is_empty() {
                let detail = "must be a DNS name, not an IP address";
                errors.push(FieldError::invalid(format!("{path}.host"), host, detail));
            }
            errors.invalid_all(&format!("{path}.host"), host, check(host));
        }
        let http = at(rule, "http");
        if http.is_object() && list(http, "paths").is_empty() {
            errors.push(FieldError::required(format!("{path}.http.paths"), ""));
        }
        for (j, one) in list(http, "paths").iter().enumerate() {
            one_path(one, &format!("{path}.http.paths[{j}]"), errors);
        }
    }
    for (i, tls) in list(spec, "tls").iter().enumerate() {
        for (j, host) in list(tls, "hosts").iter().filter_map(Value::as_str).enumerate() {
            let check = if host.contains('*') { api::names::wildcard_subdomain } else { api::names::dns1123_subdomain };
            errors.invalid_all(&format!("spec.tls[{i}].hosts[{j}]"), host, check(host));
        }
    }
    if let Some(class) = at(spec, "ingressClassName").as_str() {
        errors.invalid_all("spec.ingressClassName", class, api::names::dns1123_subdomain(class));
    }
}

fn one_path(one: &Value, path: &str, errors: &mut FieldErrors) {
    let value = text(one, "path");
    match text(one, "pathType") {
        "" => return errors.push(FieldError::required(format!("{path}.pathType"), "pathType must be specified")),
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                errors.push(FieldError::invalid(format!("{path}.path"), value, "must be an absolute path"));
            }
            for bad in ["//", "/./", "/../", "%2f", "%2F"] {
                if value.contains(bad) {
                    let detail = format!("must not contain '{bad}'");
                    errors.push(FieldError::invalid(format!("{path}.path"), value, detail));
                }
            }
            for bad in ["/..", "/."] {
                if value.ends_with(bad) {
                    let detail = format!("cannot end with '{bad}'");
                    errors.push(FieldError::invalid(format!("{path}.path"), value, detail));
                }
            }
        }
        "ImplementationSpecific" => {
            if !value.is_empty() && !value.starts_with('/') {
                errors.push(FieldError::invalid(format!("{path}.path"), value, "must be an absolute path"));
            }
        }
        other => {
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.push(FieldError::not_supported(format!("{path}.pathType"), other, &known));
        }
    }
    one_backend(at(one, "backend"), &format!("{path}.backend"), errors);
}

fn one_backend(backend: &Value, path: &str, errors: &mut FieldErrors) {
    let (service, resource) = (at(backend, "service"), at(backend, "resource"));
    match (service.is_object(), resource.is_object()) {
        (true, true) => {
            let detail = "cannot set both resource and service backends";
            return errors.push(FieldError::invalid(path, "", detail));
        }
        (false, false) => {
            return errors.push(FieldError::required(path, "resource or service backend is required"));
        }
        (false, true) => return,
        (true, false) => {}
    }
    let name = text(service, "name");
    if name.is_empty() {
        errors.push(FieldError::required(format!("{path}.service.name"), ""));
    } else {
        errors.invalid_all(&format!("{path}.service.name"), name, api::names::dns1035_label(name));
    }
    let (port, number) = (text(service, "port.name"), at(service, "port.number").as_i64().unwrap_or(0));
    if port.is_empty() && number == 0 {
        errors.push(FieldError::required(path, "port name or number is required"));
    } else if !port.is_empty() && number != 0 {
        errors.push(FieldError::invalid(path, "", "cannot set both port name & port number"));
    } else if !port.is_empty() {
        errors.invalid_all(&format!("{path}.service.port.name"), port, api::names::port_name(port));
    } else {
        for detail in api::names::port_number(number) {
            errors.push(FieldError::invalid(format!("{path}.service.port.number"), number, detail));
        }
    }
}

/// An IngressClass.
pub fn class(object: &Value, errors: &mut FieldErrors) {
    let controller = text(object, "spec.controller");
    if controller.is_empty() {
        errors.push(FieldError::required("spec.controller", ""));
    } else if !controller.contains('/') {
        let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        errors.push(FieldError::invalid("spec.controller", controller, detail));
    }
}

/// The controller of a class never changes.
pub fn class_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "spec.controller") != at(old, "spec.controller") {
        errors.push(FieldError::invalid("spec.controller", at(new, "spec.controller").clone(), super::IMMUTABLE));
    }
}

/// A NetworkPolicy.
pub fn policy(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    label_selector(at(spec, "podSelector"), "spec.podSelector", errors);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (i, rule) in list(spec, direction).iter().enumerate() {
            let path = format!("spec.{direction}[{i}]");
            for (j, port) in list(rule, "ports").iter().enumerate() {
                policy_port(port, &format!("{path}.ports[{j}]"), errors);
            }
            for (j, peer) in list(rule, peers).iter().enumerate() {
                policy_peer(peer, &format!("{path}.{peers}[{j}]"), errors);
            }
        }
    }
    let types = list(spec, "policyTypes");
    if types.len() > 2 {
        let detail = "may not specify more than two policyTypes";
        return errors.push(FieldError::invalid("spec.policyTypes", at(spec, "policyTypes").clone(), detail));
    }
    for (i, one) in types.iter().enumerate() {
        let one = one.as_str().unwrap_or("");
        if !matches!(one, "Ingress" | "Egress") {
            let path = format!("spec.policyTypes[{i}]");
            errors.push(FieldError::not_supported(path, one, &["Ingress", "Egress"]));
        }
    }
}

fn policy_port(port: &Value, path: &str, errors: &mut FieldErrors) {
    if let Some(protocol) = at(port, "protocol").as_str() {
        one_of(protocol, &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], errors);
    }
    match at(port, "port") {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or(0);
            for detail in api::names::port_number(number) {
                errors.push(FieldError::invalid(format!("{path}.port"), number, detail));
            }
            if at(port, "endPort").as_i64().is_some_and(|end| end < number) {
                let end = at(port, "endPort").clone();
                let detail = "must be greater than or equal to `port`";
                errors.push(FieldError::invalid(format!("{path}.endPort"), end, detail));
            }
        }
        Value::String(name) => errors.invalid_all(&format!("{path}.port"), name, api::names::port_name(name)),
        _ => {}
    }
}

fn policy_peer(peer: &Value, path: &str, errors: &mut FieldErrors) {
    let mut count = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if at(peer, field).is_object() {
            count += 1;
            label_selector(at(peer, field), &format!("{path}.{field}"), errors);
        }
    }
    let block = at(peer, "ipBlock");
    if block.is_object() && count > 0 {
        errors.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
    } else if block.is_object() {
        let cidr = text(block, "cidr");
        if cidr.is_empty() {
            errors.push(FieldError::required(format!("{path}.ipBlock.cidr"), ""));
        } else if !is_cidr(cidr) {
            let detail = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
            errors.push(FieldError::invalid(format!("{path}.ipBlock.cidr"), cidr, detail));
        }
    } else if count == 0 {
        errors.push(FieldError::required(path, "must specify a peer"));
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// An IPAddress.
pub fn address(object: &Value, errors: &mut FieldErrors) {
    let parent = at(object, "spec.parentRef");
    if !parent.is_object() {
        return errors.push(FieldError::required("spec.parentRef", ""));
    }
    let group = text(parent, "group");
    if !group.is_empty() {
        errors.invalid_all("spec.parentRef.group", group, api::names::dns1123_subdomain(group));
    }
    for field in ["resource", "name", "namespace"] {
        let (path, value) = (format!("spec.parentRef.{field}"), text(parent, field));
        match value {
            "" if field == "namespace" => {}
            "" => errors.push(FieldError::required(path, "")),
            _ => errors.invalid_all(&path, value, api::names::path_segment(value)),
        }
    }
}

/// Whose an address is never changes.
pub fn address_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let parent = at(new, "spec.parentRef");
    if parent != at(old, "spec.parentRef") {
        errors.push(FieldError::invalid("spec.parentRef", parent.clone(), super::IMMUTABLE));
    }
}

/// The range of a ServiceCIDR never changes.
pub fn range_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let (new, old) = (list(new, "spec.cidrs"), list(old, "spec.cidrs"));
    if new.len() != old.len() {
        errors.push(FieldError::invalid("spec.cidrs", new.to_vec(), super::IMMUTABLE));
    }
    for (i, (new, _)) in new.iter().zip(old).enumerate().filter(|(_, (new, old))| new != old) {
        errors.push(FieldError::invalid(format!("spec.cidrs[{i}]"), new.clone(), super::IMMUTABLE));
    }
}
