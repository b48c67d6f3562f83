//! The addresses in the status of Ingresses: those of the nodes with a ready controller (`internal/ingress/status`).

use api::{Object, kinds};
use client::{Client, Informer};
use json::{Value, json};

/// The addresses of the nodes that those of these pods are on that have all labels of the own one, as `status.loadBalancer.ingress` has them.
pub(super) async fn addresses(client: &Client, own: &Object, pods: &Informer) -> Vec<Value> {
    let mut all: Vec<String> = Vec::new();
    for pod in pods.list().iter().filter(|pod| is_ready(pod) && is_like(pod, own)) {
        let Ok(node) = client.get(&kinds::NODES, "", pod.str("spec.nodeName")).await else { continue };
        all.extend(node_addresses(&node));
    }
    all.sort();
    all.dedup();
    all.into_iter().map(|ip| json!({ "ip": ip })).collect()
}

fn is_like(pod: &Object, own: &Object) -> bool {
    own.labels().into_iter().all(|(name, value)| pod.label(&name) == Some(value.as_str()))
}

/// The labels by which pods are the same controller, whichever ReplicaSet they are of (isRunningMultiplePods).
pub(super) fn selector(pod: &Object) -> String {
    const OF_ONE_SET: [&str; 3] = ["pod-template-hash", "controller-revision-hash", "pod-template-generation"];
    let own = pod.labels().into_iter().filter(|(name, _)| !OF_ONE_SET.contains(&name.as_str()));
    own.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

fn is_ready(pod: &Object) -> bool {
    pod.str("status.phase") == "Running"
        && pod.list("status.conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Outer addresses; without any, the inner ones (k8s.GetNodeIPs).
fn node_addresses(node: &Object) -> Vec<String> {
    let of = |kind: &str| -> Vec<String> {
        let all = node.list("status.addresses").iter().filter(|a| a["type"] == kind);
        all.filter_map(|a| a["address"].as_str()).map(str::to_owned).collect()
    };
    let outer = of("ExternalIP");
    if outer.is_empty() { of("InternalIP") } else { outer }
}

/// Writes the addresses into an Ingress that has others; gives the line for the log.
pub(super) async fn write(client: &Client, ingress: &Object, addresses: &[Value]) -> Option<String> {
    if ingress.list("status.loadBalancer.ingress") == addresses {
        return None;
    }
    let mut current = client.get(&kinds::INGRESSES, ingress.namespace(), ingress.name()).await.ok()?;
    let before = list(current.list("status.loadBalancer.ingress"));
    let line = format!(
        "\"updating Ingress status\" namespace=\"{}\" ingress=\"{}\" currentValue={before} newValue={}",
        ingress.namespace(),
        ingress.name(),
        list(addresses)
    );
    current.set("status.loadBalancer", if addresses.is_empty() { json!({}) } else { json!({ "ingress": addresses }) });
    match client.update_sub(&kinds::INGRESSES, "status", current).await {
        Ok(_) => Some(line),
        Err(error) => Some(format!("error updating ingress rule: {error}")),
    }
}

/// As klog writes them.
pub(super) fn list(addresses: &[Value]) -> String {
    if addresses.is_empty() { "null".to_owned() } else { Value::from(addresses.to_vec()).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_an_older_set_are_counted_and_not_told_of() {
        let pod =
            |hash: &str| Object::new(json!({"metadata": {"labels": {"app": "ingress", "pod-template-hash": hash}}}));
        assert_eq!(selector(&pod("a")), "app=ingress");
        assert!(is_like(&pod("a"), &pod("a")) && !is_like(&pod("b"), &pod("a")));
    }

    #[test]
    fn outer_addresses_go_first() {
        let node = |types: &[&str]| {
            let all: Vec<Value> = types.iter().map(|t| json!({"type": t, "address": format!("ip-{t}")})).collect();
            Object::new(json!({"status": {"addresses": all}}))
        };
        assert_eq!(node_addresses(&node(&["InternalIP", "Hostname"])), ["ip-InternalIP"]);
        assert_eq!(node_addresses(&node(&["InternalIP", "ExternalIP"])), ["ip-ExternalIP"]);
        assert_eq!((list(&[]).as_str(), list(&[json!({"ip": "1.2.3.4"})]).as_str()), ("null", r#"[{"ip":"1.2.3.4"}]"#));
    }
}
