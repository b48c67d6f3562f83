//! What a lesson points at, as things on the map.

use api::selector::LabelSelector;
use lesson::{Block, Focus};

use crate::map::{Anchor, Part};
use crate::picture::Picture;

/// The things that a block points at; most blocks point at nothing.
pub fn anchors(block: &Block, picture: &Picture) -> Vec<Anchor> {
    match block {
        Block::Focus(Focus::Part { name }) => part(name, picture),
        Block::Focus(Focus::Object { kind, name, selector }) => {
            let selector = selector.as_deref().and_then(|selector| LabelSelector::parse(selector).ok());
            let wanted = |found: &str| name.as_deref().is_none_or(|name| name == found);
            match kind.as_str() {
                "Pod" => {
                    let chosen = picture.pods.iter().filter(|pod| wanted(&pod.name));
                    let chosen = chosen.filter(|pod| selector.as_ref().is_none_or(|s| s.matches(&pod.labels)));
                    chosen.map(|pod| Anchor::Pod(pod.namespace.clone(), pod.name.clone())).collect()
                }
                "Service" => {
                    let chosen = picture.services.iter().filter(|service| wanted(&service.name));
                    chosen.map(|service| Anchor::Service(service.namespace.clone(), service.name.clone())).collect()
                }
                "Node" => {
                    let chosen = picture.nodes.iter().filter(|node| wanted(&node.name));
                    chosen.map(|node| Anchor::Node(node.name.clone())).collect()
                }
                _ => {
                    let all = if kind == "Deployment" { &picture.deployments } else { &picture.replica_sets };
                    let chosen = all.iter().filter(|workload| wanted(&workload.name));
                    chosen.map(|w| Anchor::Workload(kind.clone(), w.namespace.clone(), w.name.clone())).collect()
                }
            }
        }
        _ => Vec::new(),
    }
}

/// A part by its name in the trace. Every node has a kubelet and a kube-proxy.
fn part(name: &str, picture: &Picture) -> Vec<Anchor> {
    let part = match name {
        "kube-apiserver" => Part::ApiServer,
        "etcd" => Part::Etcd,
        "kube-controller-manager" => Part::Controllers,
        "kube-scheduler" => Part::Scheduler,
        "kubelet" | "kube-proxy" => {
            return picture.nodes.iter().map(|node| Anchor::Node(node.name.clone())).collect();
        }
        _ => Part::You,
    };
    vec![Anchor::Part(part)]
}
