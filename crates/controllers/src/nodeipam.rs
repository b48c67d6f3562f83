//! Gives every node a range of pod addresses (`pkg/controller/nodeipam/ipam`, the range allocator).
//!
//! All nodes are looked at under one key, so that no range is given out twice.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use api::{Kind, Object, kinds};
use client::{Event, PatchType};
use json::json;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// The range of all pods (`--cluster-cidr`), as minikube sets it.
const CLUSTER: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 0);
/// Nodes whose ranges (/24) fit into it (/16).
const NODE_RANGES_MAX: u32 = 256;
const KEY: &str = "cluster";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "node-ipam-controller",
    component: "cidrAllocator",
    follows: Follows::Kinds(&[&kinds::NODES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(_view: &View<'_>, _kind: &Kind, event: &Event) -> Vec<Wake> {
    let lacks = !matches!(event, Event::Deleted(_)) && event.object().str("spec.podCIDR").is_empty();
    if lacks { vec![Wake::key(KEY)] } else { Vec::new() }
}

fn reconcile(view: &View<'_>, _key: &str) -> Result<Vec<Change>, Retry> {
    let nodes = || view.of(&kinds::NODES).list();
    let taken: BTreeSet<&str> = nodes().map(|node| node.str("spec.podCIDR")).collect();
    let range = |number: u32| format!("{}/24", Ipv4Addr::from(u32::from(CLUSTER) + (number << 8)));
    let mut free = (0..NODE_RANGES_MAX).map(range).filter(|range| !taken.contains(range.as_str()));
    let lacks = |node: &&Object| node.str("spec.podCIDR").is_empty() && !node.is_deleting();
    let mut lacking: Vec<&Object> = nodes().filter(lacks).collect();
    lacking.sort_by_key(|node| (node.str("metadata.creationTimestamp"), node.name()));
    let assign = |node: &Object| {
        let range = free.next()?;
        let patch = json!({ "spec": { "podCIDR": range, "podCIDRs": [range] } });
        Some(Change::from(Write::patch(&kinds::NODES, node, "", PatchType::Strategic, patch)))
    };
    Ok(lacking.into_iter().map_while(assign).collect())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    #[test]
    fn free_ranges_are_given_out_once() {
        let node = |name: &str, range: &str| {
            Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
                "spec": {"podCIDR": range}}))
        };
        let caches = Caches::with(&[node("a", ""), node("b", "10.244.0.0/24"), node("c", "")]);
        let view = View::new(&caches, simulation::Time::default());
        expect![[r#"
            patch Node a  {"spec":{"podCIDR":"10.244.1.0/24","podCIDRs":["10.244.1.0/24"]}}
            patch Node c  {"spec":{"podCIDR":"10.244.2.0/24","podCIDRs":["10.244.2.0/24"]}}"#]]
        .assert_eq(&describe(&reconcile(&view, KEY).unwrap()));
    }
}
