//! Which nodes a DaemonSet is for, and the pods that it has on them (`NodeShouldRunDaemonPod`, `getNodesToDaemonPods`).

use std::collections::BTreeMap;

use api::selector::node::pod_selects;
use api::{Kind, Object};
use json::{Value, json};

use crate::history::POD_HASH;
use crate::pods;

/// What every daemon pod puts up with.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// What becomes of a set on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// A pod is to be there.
    pub(super) should_run: bool,
    /// A pod that is there may stay.
    pub(super) may_stay: bool,
}

/// A node, and what becomes of a set on it.
pub(super) struct Place<'a> {
    /// Name of the node.
    pub(super) name: &'a str,
    /// What becomes of the set there.
    pub(super) fate: Fate,
}

/// What becomes of a set on each node. What the set says is read once: there may be a thousand nodes.
pub(super) fn places<'a>(set: &Object, nodes: impl Iterator<Item = &'a Object>) -> Vec<Place<'a>> {
    let wanted = Wanted::of(set);
    nodes.map(|node| Place { name: node.name(), fate: wanted.fate(node) }).collect()
}

/// Whether a set is for a node.
pub(super) fn fate(set: &Object, node: &Object) -> Fate {
    Wanted::of(set).fate(node)
}

/// What a set says of the nodes that it is for.
struct Wanted {
    pod: Object,
    tolerations: Vec<Value>,
}

impl Wanted {
    fn of(set: &Object) -> Wanted {
        Wanted { pod: Object::new(json!({"spec": set.at("spec.template.spec")})), tolerations: tolerations(set) }
    }

    fn fate(&self, node: &Object) -> Fate {
        let name = self.pod.str("spec.nodeName");
        if !(name.is_empty() || name == node.name()) || !pod_selects(&self.pod, node) {
            return Fate { should_run: false, may_stay: false };
        }
        let repels = |effects: &[&str]| {
            let taints = node.list("spec.taints").iter();
            let mut matter = taints.filter(|t| effects.iter().any(|effect| t["effect"] == *effect));
            matter.any(|taint| !api::taints::are_tolerated(&self.tolerations, taint))
        };
        match repels(&["NoExecute", "NoSchedule"]) {
            false => Fate { should_run: true, may_stay: true },
            true => Fate { should_run: false, may_stay: !repels(&["NoExecute"]) },
        }
    }
}

fn tolerations(set: &Object) -> Vec<Value> {
    let mut all = set.list("spec.template.spec.tolerations").to_vec();
    let host_network = set.bool("spec.template.spec.hostNetwork");
    let network = host_network.then_some(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    for (key, effect) in TOLERATED.into_iter().chain(network) {
        let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
        match all.iter_mut().find(|t| t["key"] == key && t["effect"] == effect) {
            Some(own) => *own = toleration,
            None => all.push(toleration),
        }
    }
    all
}

/// The node that a pod is meant for: bound to it, or only it can be.
fn target(pod: &Object) -> &str {
    let bound = pod.str("spec.nodeName");
    if !bound.is_empty() {
        return bound;
    }
    let required = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let fields = pod.list(required).iter().filter_map(|term| term["matchFields"].as_array()).flatten();
    let mut names = fields.filter(|f| f["key"] == "metadata.name");
    names.find_map(|f| f["values"][0].as_str()).unwrap_or("")
}

/// The pods of a set by node; those that have ended and are going are left out.
pub(super) fn by_node<'a>(all: &[&'a Object]) -> BTreeMap<String, Vec<&'a Object>> {
    let mut map: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
    for pod in all.iter().copied().filter(|pod| !(pods::is_terminal(pod) && pod.is_deleting())) {
        map.entry(target(pod).to_owned()).or_default().push(pod);
    }
    for pods in map.values_mut() {
        // Placed ones first, then the older ones.
        pods.sort_by_key(|p| {
            let age = (p.str("metadata.creationTimestamp").to_owned(), p.name().to_owned());
            (p.str("spec.nodeName").is_empty(), age)
        });
    }
    map.remove("");
    map
}

/// A pod for one node.
pub(super) fn pod_for(kind: &Kind, set: &Object, node: &str, hash: &str) -> Object {
    let mut pod = pods::from_template((kind, set), set.at("spec.template"));
    let generation = set.annotation("deprecated.daemonset.template.generation");
    if let Some(generation) = generation {
        pod.set_label("pod-template-generation", generation);
    }
    pod.set_label(POD_HASH, hash);
    pod.set("spec.tolerations", tolerations(set));
    let terms = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]);
    let required = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    pod.set(required, json!({ "nodeSelectorTerms": terms }));
    pod
}
