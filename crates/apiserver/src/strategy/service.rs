//! Services (pkg/registry/core/service, pkg/apis/core/v1/defaults.go).

use api::kinds::SERVICES;
use json::{Value, json};

use super::{Strategy, child, default_to, plain};
use crate::value::{at, list_mut, map_mut, text};
use crate::{allocator, validation};

pub static STRATEGY: Strategy = Strategy {
    name_rule: api::names::dns1123_label,
    defaults,
    prepare_create: |cx, object| {
        object["status"] = json!({"loadBalancer": {}});
        drop_by_type(object, None);
        allocator::allocate(cx, object, None)
    },
    prepare_update: |cx, new, old| {
        allocator::keep_allocated(new, old);
        drop_by_type(new, Some(old));
        allocator::allocate(cx, new, Some(old))
    },
    validate: validation::service::validate,
    validate_update: validation::service::validate_update,
    has_status: true,
    create_on_update: true,
    returns_deleted: true,
    warnings: |object| {
        let warning = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        let used = !crate::value::list(object, "spec.externalIPs").is_empty();
        used.then(|| warning.to_owned()).into_iter().collect()
    },
    fields: |object| ["spec.clusterIP", "spec.type"].map(|path| (path, text(object, path).to_owned())).to_vec(),
    ..plain(&SERVICES)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "sessionAffinity", "None");
    match text(spec, "sessionAffinity") {
        "ClientIP" => {
            let client = child(child(spec, "sessionAffinityConfig"), "clientIP");
            default_to(client, "timeoutSeconds", 10_800);
        }
        _ => {
            map_mut(spec).remove("sessionAffinityConfig");
        }
    }
    default_to(spec, "type", "ClusterIP");
    for port in list_mut(spec, "ports") {
        default_to(port, "protocol", "TCP");
        let unset = matches!(at(port, "targetPort"), Value::Null)
            || at(port, "targetPort") == 0
            || at(port, "targetPort") == "";
        if unset {
            port["targetPort"] = at(port, "port").clone();
        }
    }
    let kind = text(spec, "type").to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") || !crate::value::list(spec, "externalIPs").is_empty() {
        default_to(spec, "externalTrafficPolicy", "Cluster");
    }
    if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
        default_to(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        default_to(spec, "allocateLoadBalancerNodePorts", true);
    }
}

/// Removes what a change of type leaves without meaning, unless the client has just set it
/// (`dropTypeDependentFields`).
fn drop_by_type(new: &mut Value, old: Option<&Value>) {
    let kind = text(new, "spec.type").to_owned();
    let needed_health_check = old.is_some_and(crate::allocator::needs_health_check);
    let needs_health_check = crate::allocator::needs_health_check(new);
    let old_spec = old.map(|o| at(o, "spec").clone()).unwrap_or_default();
    let spec = child(new, "spec");
    let same = |spec: &Value, field: &str| at(spec, field) == at(&old_spec, field);
    if kind == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            if old.is_some() && same(spec, field) {
                map_mut(spec).remove(field);
            }
        }
    }
    if !matches!(kind.as_str(), "NodePort" | "LoadBalancer") && old.is_some() {
        let old_ports: Vec<Value> =
            crate::value::list(&old_spec, "ports").iter().map(|p| at(p, "nodePort").clone()).collect();
        for port in list_mut(spec, "ports") {
            if old_ports.contains(at(port, "nodePort")) {
                map_mut(port).remove("nodePort");
            }
        }
        if crate::value::list(spec, "externalIPs").is_empty() && same(spec, "externalTrafficPolicy") {
            map_mut(spec).remove("externalTrafficPolicy");
        }
    }
    if needed_health_check && !needs_health_check && same(spec, "healthCheckNodePort") {
        map_mut(spec).remove("healthCheckNodePort");
    }
    if kind != "LoadBalancer" && old.is_some() && same(spec, "allocateLoadBalancerNodePorts") {
        map_mut(spec).remove("allocateLoadBalancerNodePorts");
    }
}
