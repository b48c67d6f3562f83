//! Nodes, with what runs on them and how much of them is promised.

use std::collections::BTreeMap;

use api::Object;
use api::quantity::Quantity;
use json::Value;

use super::write::{Text, joined, list, or_none, scalar, text};
use super::{Context, events};
use crate::age;
use crate::failure::Outcome;
use crate::rest::with_query;

/// `kubectl describe node`.
pub async fn describe(ctx: Context, node: Object) -> Outcome<String> {
    let found = events::search(&ctx, &node).await;
    let lease_path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{}", node.name());
    let lease = ctx.rest.get(&lease_path).await;
    let fields = format!("spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded", node.name());
    let pods = ctx.rest.get(&with_query("/api/v1/pods", &[("fieldSelector", &fields), ("limit", "500")])).await;
    let mut out = Text::new();
    out.field(0, "Name", node.name());
    out.field(0, "Roles", or_none(&roles(&node)));
    out.labels("Labels", node.at("metadata.labels"));
    out.annotations("Annotations", node.at("metadata.annotations"));
    out.field(0, "CreationTimestamp", age::rfc1123(node.str("metadata.creationTimestamp")));
    taints(&mut out, &node);
    out.field(0, "Unschedulable", node.bool("spec.unschedulable").to_string());
    match lease {
        Ok(lease) => write_lease(&mut out, &lease),
        Err(why) => out.field(0, "Lease", format!("Failed to get lease: {}", why.bare())),
    }
    conditions(&mut out, &node);
    out.line(0, "Addresses:");
    node.list("status.addresses").iter().for_each(|a| out.field(1, text(a, "type"), text(a, "address")));
    for (title, path) in [("Capacity", "status.capacity"), ("Allocatable", "status.allocatable")] {
        if let Some(map) = node.at(path).as_object().filter(|m| !m.is_empty()) {
            out.line(0, format!("{title}:"));
            map.iter().for_each(|(name, quantity)| out.field(1, name, scalar(quantity)));
        }
    }
    system_info(&mut out, &node);
    match pods {
        Ok(pods) => write_pods(&mut out, &node, list(&pods, "items"), &ctx),
        Err(_) => out.field(0, "Pods", "not authorized"),
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn roles(node: &Object) -> String {
    let mut roles: Vec<String> = Vec::new();
    for (key, value) in node.labels() {
        match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => roles.push(role.to_owned()),
            _ if key == "kubernetes.io/role" && !value.is_empty() => roles.push(value),
            _ => {}
        }
    }
    roles.sort();
    roles.join(",")
}

fn taints(out: &mut Text, node: &Object) {
    let mut taints: Vec<&Value> = node.list("spec.taints").iter().collect();
    taints.sort_by_key(|t| format!("{},{}", text(t, "effect"), text(t, "key")));
    let lines: Vec<String> = taints
        .into_iter()
        .map(|t| match text(t, "value") {
            "" => format!("{}:{}", text(t, "key"), text(t, "effect")),
            value => format!("{}={value}:{}", text(t, "key"), text(t, "effect")),
        })
        .collect();
    out.column("Taints", &lines);
}

fn write_lease(out: &mut Text, lease: &Value) {
    let spec = lease.get("spec").unwrap_or(&Value::Null);
    let moment = |field: &str| match text(spec, field) {
        "" => "<unset>".to_owned(),
        stamp => age::rfc1123(stamp),
    };
    out.line(0, "Lease:");
    let holder = text(spec, "holderIdentity");
    out.field(1, "HolderIdentity", if holder.is_empty() { "<unset>" } else { holder });
    out.field(1, "AcquireTime", moment("acquireTime"));
    out.field(1, "RenewTime", moment("renewTime"));
}

fn conditions(out: &mut Text, node: &Object) {
    if node.list("status.conditions").is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for c in node.list("status.conditions") {
        out.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                text(c, "type"),
                text(c, "status"),
                age::rfc1123(text(c, "lastHeartbeatTime")),
                age::rfc1123(text(c, "lastTransitionTime")),
                text(c, "reason"),
                text(c, "message")
            ),
        );
    }
}

/// Titles and the fields of `status.nodeInfo` under them.
static SYSTEM_INFO: &[(&str, &str)] = &[
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
];

fn system_info(out: &mut Text, node: &Object) {
    out.line(0, "System Info:");
    let info = node.at("status.nodeInfo");
    SYSTEM_INFO.iter().for_each(|(title, field)| out.field(1, title, text(info, field)));
    for (title, value) in [
        ("PodCIDR", node.str("spec.podCIDR").to_owned()),
        ("PodCIDRs", joined(node.at("spec"), "podCIDRs")),
        ("ProviderID", node.str("spec.providerID").to_owned()),
    ] {
        if !value.is_empty() {
            out.field(0, title, value);
        }
    }
}

type Amounts = BTreeMap<String, Quantity>;

/// What a pod is promised, or may use at most: the sum of its containers, or the largest init container.
fn pod_amounts(pod: &Object, field: &str) -> Amounts {
    let of = |container: &Value| -> Amounts {
        let map = container.get("resources").and_then(|r| r.get(field)).and_then(Value::as_object);
        map.into_iter().flatten().filter_map(|(k, v)| Some((k.to_string(), Quantity::from_value(v).ok()?))).collect()
    };
    let mut total = Amounts::new();
    pod.list("spec.containers").iter().for_each(|c| add(&mut total, of(c)));
    for container in pod.list("spec.initContainers") {
        for (name, quantity) in of(container) {
            let current = total.entry(name).or_insert(quantity);
            if *current < quantity {
                *current = quantity;
            }
        }
    }
    if field == "requests" {
        let overhead = pod.at("spec.overhead").as_object().into_iter().flatten();
        add(&mut total, overhead.filter_map(|(k, v)| Some((k.to_string(), Quantity::from_value(v).ok()?))).collect());
    }
    total
}

fn add(total: &mut Amounts, more: Amounts) {
    for (name, quantity) in more {
        match total.get_mut(&name) {
            Some(sum) => *sum += quantity,
            None => drop(total.insert(name, quantity)),
        }
    }
}

/// `100m (5%)` of what the node has.
fn share(amounts: &Amounts, node: &Amounts, name: &str) -> String {
    let zero = Quantity::from_milli(0);
    let amount = amounts.get(name).copied().unwrap_or(zero);
    let (part, whole) = match (name, node.get(name).copied().unwrap_or(zero)) {
        ("cpu", whole) => (amount.milli_value(), whole.milli_value()),
        (_, whole) => (amount.value(), whole.value()),
    };
    let percent = if whole == 0 { 0 } else { (part as f64 / whole as f64 * 100.0) as i64 };
    format!("{amount} ({percent}%)")
}

fn write_pods(out: &mut Text, node: &Object, pods: &[Value], ctx: &Context) {
    let path = if node.at("status.allocatable").is_object() { "status.allocatable" } else { "status.capacity" };
    let has: Amounts = node
        .at(path)
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| Some((k.to_string(), Quantity::from_value(v).ok()?)))
        .collect();
    out.field(0, "Non-terminated Pods", format!("({} in total)", pods.len()));
    out.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    out.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let pod = Object::new(pod.clone());
        let (wants, may) = (pod_amounts(&pod, "requests"), pod_amounts(&pod, "limits"));
        out.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                pod.namespace(),
                pod.name(),
                share(&wants, &has, "cpu"),
                share(&may, &has, "cpu"),
                share(&wants, &has, "memory"),
                share(&may, &has, "memory"),
                age::of(pod.str("metadata.creationTimestamp"), ctx.now())
            ),
        );
        add(&mut requests, wants);
        add(&mut limits, may);
    }
    out.line(0, "Allocated resources:");
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    out.line(1, "Resource\tRequests\tLimits");
    out.line(1, "--------\t--------\t------");
    let huge = has.keys().filter(|k| k.starts_with("hugepages-")).map(String::as_str);
    for name in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge) {
        out.line(1, format!("{name}\t{}\t{}", share(&requests, &has, name), share(&limits, &has, name)));
    }
}
