//! ClusterIPs and node ports (pkg/registry/core/service/storage/alloc.go).
//!
//! What is taken is read from the stored Services themselves, so nothing can leak and nothing needs repair. IPAddresses are
//! made of them ([`record`]); those that people make keep an address from being chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use api::kinds::{IP_ADDRESSES, SERVICES};
use api::status::{FieldError, FieldErrors, Status};
use json::{Value, json};

use crate::failure;
use crate::registry::Context;
use crate::server::Server;
use crate::strategy::{self, child, default_to};
use crate::value::{at, list, list_mut, map_mut, text};

/// Node ports.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
/// Node ports below this are left to those who ask for one by number, while others are free.
const NODE_PORTS_DYNAMIC_FROM: i64 = 30_086;
/// Addresses at the start of the range that are left to those who ask for one by number, while others are free.
const ADDRESSES_STATIC: u32 = 256;

/// Whether Services of a type have an address of their own.
fn needs_address(kind: &str) -> bool {
    matches!(kind, "ClusterIP" | "NodePort" | "LoadBalancer")
}

fn needs_node_ports(spec: &Value) -> bool {
    match text(spec, "type") {
        "NodePort" => true,
        "LoadBalancer" => at(spec, "allocateLoadBalancerNodePorts").as_bool() != Some(false),
        _ => false,
    }
}

/// Whether load balancers ask nodes for a Service's endpoints (`NeedsHealthCheck`).
pub fn needs_health_check(service: &Value) -> bool {
    text(service, "spec.type") == "LoadBalancer" && text(service, "spec.externalTrafficPolicy") == "Local"
}

/// Copies what an update leaves out and the old object has (`patchAllocatedValues`).
pub fn keep_allocated(new: &mut Value, old: &Value) {
    let (new_type, old_type) = (text(new, "spec.type").to_owned(), text(old, "spec.type"));
    let (old_ip, old_ips) = (at(old, "spec.clusterIP").clone(), at(old, "spec.clusterIPs").clone());
    let keeps_health_check = needs_health_check(new) && needs_health_check(old);
    let spec = child(new, "spec");
    if keeps_health_check && at(spec, "healthCheckNodePort").as_i64().unwrap_or(0) == 0 {
        spec["healthCheckNodePort"] = at(old, "spec.healthCheckNodePort").clone();
    }
    if needs_address(&new_type) && needs_address(old_type) {
        default_to(spec, "clusterIP", old_ip.clone());
        if list(spec, "clusterIPs").is_empty() && at(spec, "clusterIP") == &old_ip {
            spec["clusterIPs"] = old_ips.clone();
        }
        // A client that patches only clusterIP means both.
        if at(spec, "clusterIP") != &old_ip && at(spec, "clusterIPs") == &old_ips {
            spec["clusterIPs"] = json!([at(spec, "clusterIP")]);
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            default_to(spec, field, at(old, "spec").get(field).cloned().unwrap_or(Value::Null));
        }
    }
    if needs_node_ports(spec) {
        let identity = |p: &Value| (at(p, "port").clone(), at(p, "protocol").clone());
        for port in list_mut(spec, "ports") {
            let same = list(old, "spec.ports").iter().find(|o| identity(o) == identity(port));
            if at(port, "nodePort").as_i64().unwrap_or(0) == 0
                && let Some(number) = same.and_then(|o| o.get("nodePort"))
            {
                port["nodePort"] = number.clone();
            }
        }
    }
}

/// Fills in what the server chooses and takes what the client asked for.
pub fn allocate(cx: &Context<'_>, service: &mut Value, old: Option<&Value>) -> Result<(), Status> {
    let key = (text(service, "metadata.namespace").to_owned(), text(service, "metadata.name").to_owned());
    let others: Vec<api::Object> = cx
        .all(&SERVICES, "")
        .into_iter()
        .filter(|o| (o.namespace(), o.name()) != (key.0.as_str(), key.1.as_str()))
        .collect();
    let refuse = |error: FieldError| {
        let mut errors = FieldErrors::new();
        errors.push(error);
        failure::invalid(&SERVICES, &key.1, &errors)
    };
    let checks_health = needs_health_check(service);
    let spec = child(service, "spec");
    if needs_address(text(spec, "type")) {
        address(cx, spec, old, &others).map_err(refuse)?;
    }
    if needs_node_ports(spec) {
        node_ports(cx, spec, old, &others).map_err(refuse)?;
    }
    if checks_health {
        health_check_port(cx, spec, old, &others)?;
    }
    Ok(())
}

/// The ports of the nodes that Services have.
fn taken_ports(services: &[api::Object]) -> BTreeSet<i64> {
    let number = |p: &Value| at(p, "nodePort").as_i64().filter(|n| *n != 0);
    let node_ports = services.iter().flat_map(|o| o.list("spec.ports")).filter_map(number);
    let health_checks = services.iter().filter_map(|o| o.int("spec.healthCheckNodePort")).filter(|n| *n != 0);
    node_ports.chain(health_checks).collect()
}

/// `spec.healthCheckNodePort`: what was asked for, or one that is free (`allocHealthCheckNodePort`).
fn health_check_port(
    cx: &Context<'_>,
    spec: &mut Value,
    old: Option<&Value>,
    others: &[api::Object],
) -> Result<(), Status> {
    let own = list(spec, "ports").iter().filter_map(|p| at(p, "nodePort").as_i64());
    let taken: BTreeSet<i64> = taken_ports(others).into_iter().chain(own).collect();
    let wanted = at(spec, "healthCheckNodePort").as_i64().unwrap_or(0);
    if wanted == 0 {
        let free = free_node_port(cx, &taken)
            .map_err(|_| Status::internal("failed to allocate a HealthCheck NodePort 0: range is full"))?;
        map_mut(spec).insert("healthCheckNodePort".into(), free.into());
        return Ok(());
    }
    if old.is_some_and(|old| at(old, "spec.healthCheckNodePort").as_i64() == Some(wanted)) {
        return Ok(());
    }
    let why = if !NODE_PORTS.contains(&wanted) {
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    } else if taken.contains(&wanted) {
        "provided port is already allocated"
    } else {
        return Ok(());
    };
    Err(Status::internal(&format!("failed to allocate requested HealthCheck NodePort {wanted}: {why}")))
}

/// Makes the IPAddresses of a Service that was just written those that it has, or takes them away with it.
pub fn record(server: &Server, service: &api::Object, is_gone: bool) {
    let cx = Context::internal(server);
    let parent = json!({"resource": SERVICES.plural, "namespace": service.namespace(), "name": service.name()});
    let addresses = service.list("spec.clusterIPs").iter().filter_map(Value::as_str);
    let mut missing: BTreeSet<&str> = addresses.filter(|ip| !is_gone && *ip != "None").collect();
    for held in cx.all(&IP_ADDRESSES, "").iter().filter(|held| *held.at("spec.parentRef") == parent) {
        if !missing.remove(held.name()) {
            // Somebody may have taken it away by hand.
            let _ = cx.erase(&IP_ADDRESSES, held);
        }
    }
    for ip in missing {
        let labels = json!({
            "ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator",
        });
        let address = json!({"metadata": {"name": ip, "labels": labels}, "spec": {"parentRef": parent.clone()}});
        // The address of a Service that was written while somebody held it stays theirs.
        let _ = cx.create(strategy::of(&IP_ADDRESSES), "", address);
    }
}

fn address(cx: &Context<'_>, spec: &mut Value, old: Option<&Value>, others: &[api::Object]) -> Result<(), FieldError> {
    let wanted = match text(spec, "clusterIP") {
        "" => list(spec, "clusterIPs").first().and_then(Value::as_str).unwrap_or("").to_owned(),
        ip => ip.to_owned(),
    };
    default_to(spec, "ipFamilyPolicy", "SingleStack");
    if list(spec, "ipFamilies").is_empty() {
        spec["ipFamilies"] = json!(["IPv4"]);
    }
    if wanted == "None" || old.is_some_and(|o| text(o, "spec.clusterIP") == wanted && !wanted.is_empty()) {
        spec["clusterIP"] = wanted.clone().into();
        spec["clusterIPs"] = json!([wanted]);
        return Ok(());
    }
    let held = cx.all(&IP_ADDRESSES, "");
    let of_services = others.iter().flat_map(|o| o.list("spec.clusterIPs")).filter_map(Value::as_str);
    let taken: BTreeSet<&str> = of_services.chain(held.iter().map(api::Object::name)).collect();
    let chosen = if wanted.is_empty() {
        free_address(cx, &taken)?
    } else {
        check_address(cx, &wanted, &taken)?;
        wanted
    };
    spec["clusterIP"] = chosen.clone().into();
    spec["clusterIPs"] = json!([chosen]);
    Ok(())
}

fn check_address(cx: &Context<'_>, wanted: &str, taken: &BTreeSet<&str>) -> Result<(), FieldError> {
    let (network, prefix) = cx.server.config.service_cidr;
    let complain = |why: String| {
        let detail = format!("failed to allocate IP {wanted}: {why}");
        Err(FieldError::invalid("spec.clusterIPs", json!([wanted]), detail))
    };
    let Ok(ip) = wanted.parse::<Ipv4Addr>() else { return Ok(()) };
    if u32::from(ip) >> (32 - prefix) != u32::from(network) >> (32 - prefix) {
        return complain(format!(
            "the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {network}/{prefix}"
        ));
    }
    if taken.contains(wanted) {
        return complain("provided IP is already allocated".to_owned());
    }
    Ok(())
}

fn free_address(cx: &Context<'_>, taken: &BTreeSet<&str>) -> Result<String, FieldError> {
    let (network, prefix) = cx.server.config.service_cidr;
    let base = u32::from(network);
    // Neither the network itself nor its broadcast address.
    let last = (1_u32 << (32 - prefix)) - 2;
    let dynamic = ADDRESSES_STATIC.min(last / 2);
    for (low, high) in [(dynamic + 1, last), (1, dynamic)] {
        let size = high - low + 1;
        let start = cx.server.sim.random_below(u64::from(size)) as u32;
        let mut candidates = (0..size).map(|i| Ipv4Addr::from(base + low + (start + i) % size).to_string());
        if let Some(free) = candidates.find(|ip| !taken.contains(ip.as_str())) {
            return Ok(free);
        }
    }
    Err(FieldError::invalid("spec.clusterIPs", json!([""]), "failed to allocate a serviceIP: range is full"))
}

/// The ports of the nodes that a Service wants: those asked for, and free ones (`initNodePorts`, `updateNodePorts`). What a new
/// Service offers at one port over several protocols is at one port of the nodes.
fn node_ports(
    cx: &Context<'_>,
    spec: &mut Value,
    old: Option<&Value>,
    others: &[api::Object],
) -> Result<(), FieldError> {
    let number = |p: &Value| at(p, "nodePort").as_i64().filter(|n| *n != 0);
    let mut own: BTreeSet<i64> =
        old.map(|o| list(o, "spec.ports").iter().filter_map(number).collect()).unwrap_or_default();
    let mut taken: BTreeSet<i64> = taken_ports(others);
    let mut shared: BTreeMap<i64, i64> = BTreeMap::new();
    for (i, port) in list(spec, "ports").iter().enumerate() {
        let Some(wanted) = number(port) else { continue };
        let field = format!("spec.ports[{i}].nodePort");
        if !NODE_PORTS.contains(&wanted) {
            let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
            return Err(FieldError::invalid(field, wanted, why));
        }
        let offered = at(port, "port").as_i64().unwrap_or(0);
        let is_shared = old.is_none() && shared.get(&offered) == Some(&wanted);
        if !is_shared && !own.contains(&wanted) && taken.contains(&wanted) {
            return Err(FieldError::invalid(field, wanted, "provided port is already allocated"));
        }
        shared.entry(offered).or_insert(wanted);
        taken.insert(wanted);
        if old.is_some() {
            // A change takes each number once, whatever is offered there.
            own.insert(wanted);
        }
    }
    for port in list_mut(spec, "ports") {
        if number(port).is_none() {
            let offered = at(port, "port").as_i64().unwrap_or(0);
            let known = shared.get(&offered).copied().filter(|_| old.is_none());
            let given = match known {
                Some(known) => known,
                None => free_node_port(cx, &taken)?,
            };
            taken.insert(given);
            shared.entry(offered).or_insert(given);
            map_mut(port).insert("nodePort".into(), given.into());
        }
    }
    Ok(())
}

fn free_node_port(cx: &Context<'_>, taken: &BTreeSet<i64>) -> Result<i64, FieldError> {
    for (low, high) in
        [(NODE_PORTS_DYNAMIC_FROM, *NODE_PORTS.end()), (*NODE_PORTS.start(), NODE_PORTS_DYNAMIC_FROM - 1)]
    {
        let size = high - low + 1;
        let start = cx.server.sim.random_below(size as u64) as i64;
        if let Some(free) = (0..size).map(|i| low + (start + i) % size).find(|p| !taken.contains(p)) {
            return Ok(free);
        }
    }
    Err(FieldError::invalid("spec.ports[0].nodePort", 0, "failed to allocate a nodePort: range is full"))
}
