//! What the scheduler knows: nodes with the pods on them, those it has only decided on included (`backend/cache`).

use std::collections::{BTreeMap, BTreeSet};

use api::Object;

use crate::resources::{Resources, pod_requests};

/// A pod that takes room on a node.
#[derive(Clone, Debug)]
pub(crate) struct PlacedPod {
    pub(crate) pod: Object,
    node: String,
    requests: Resources,
    assumed_requests: Resources,
}

/// Pods of one node that have the same namespace and labels and are not being deleted: where only these count, a
/// workload of hundreds of pods is one look.
#[derive(Clone, Debug)]
pub(crate) struct Alike {
    /// One of them; the others differ in what is not asked.
    pub(crate) sample: Object,
    /// How many there are.
    pub(crate) pods: i64,
}

/// A node and what is on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeInfo {
    /// The Node; none while only its pods are known.
    pub(crate) node: Option<Object>,
    pub(crate) pods: BTreeMap<String, Object>,
    /// The same pods, told apart by namespace and labels alone.
    pub(crate) alike: BTreeMap<String, Alike>,
    /// Those of the pods that care about other pods.
    pub(crate) with_affinity: BTreeMap<String, Object>,
    pub(crate) allocatable: Resources,
    pub(crate) pods_max: usize,
    pub(crate) requested: Resources,
    /// As `requested`, but containers without a request count a little.
    pub(crate) requested_assumed: Resources,
    /// Sizes in bytes by image name.
    pub(crate) images: BTreeMap<String, i64>,
}

impl NodeInfo {
    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        self.node.as_ref().map_or("", Object::name)
    }

    /// The Node.
    pub(crate) fn object(&self) -> &Object {
        self.node.as_ref().expect("candidates are nodes that exist")
    }

    fn count(&mut self, pod: &Object, by: i64) {
        if pod.is_deleting() {
            return;
        }
        let key = format!("{} {}", pod.namespace(), pod.at("metadata.labels"));
        let alike = self.alike.entry(key.clone()).or_insert_with(|| Alike { sample: pod.clone(), pods: 0 });
        alike.pods += by;
        if alike.pods == 0 {
            self.alike.remove(&key);
        }
    }

    fn set_node(&mut self, node: &Object) {
        self.allocatable = Resources::from_list(node.at("status.allocatable"));
        let pods = api::quantity::Quantity::from_value(&node.at("status.allocatable")["pods"]);
        self.pods_max = pods.ok().and_then(|count| usize::try_from(count.value()).ok()).unwrap_or(0);
        self.images.clear();
        for image in node.list("status.images") {
            let size = image["sizeBytes"].as_i64().unwrap_or(0);
            for name in image["names"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
                self.images.insert(normalized_image(name), size);
            }
        }
        self.node = Some(node.clone());
    }
}

/// Whether a pod wants to be near other pods or away from them.
fn has_pod_affinity(pod: &Object) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|which| !pod.at("spec.affinity")[which].is_null())
}

/// An image name with its tag spelt out.
pub(crate) fn normalized_image(name: &str) -> String {
    let (colon, slash) = (name.rfind(':'), name.rfind('/'));
    if colon > slash { name.to_owned() } else { format!("{name}:latest") }
}

/// How important a pod is.
pub(crate) fn priority(pod: &Object) -> i64 {
    pod.int("spec.priority").unwrap_or(0)
}

/// All nodes and all placed pods.
#[derive(Clone, Default)]
pub(crate) struct Cluster {
    nodes: BTreeMap<String, NodeInfo>,
    pods: BTreeMap<String, PlacedPod>,
    /// Keys of pods whose binding has not come back yet.
    assumed: BTreeSet<String>,
    /// Pods that wait until their victims have gone, by key, with their nodes (`backend/queue/nominator.go`).
    nominated: BTreeMap<String, (Object, String)>,
    pub(crate) services: BTreeMap<String, Object>,
    pub(crate) replica_sets: BTreeMap<String, Object>,
    pub(crate) claims: BTreeMap<String, Object>,
    pub(crate) volumes: BTreeMap<String, Object>,
    pub(crate) storage_classes: BTreeMap<String, Object>,
    /// PodDisruptionBudgets.
    pub(crate) budgets: BTreeMap<String, Object>,
}

impl Cluster {
    /// The nodes that exist, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.values().filter(|info| info.node.is_some())
    }

    /// One of them.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.nodes.get(name).filter(|info| info.node.is_some())
    }

    /// Takes in a node.
    pub(crate) fn set_node(&mut self, node: &Object) {
        self.nodes.entry(node.name().to_owned()).or_default().set_node(node);
    }

    /// Forgets a node; pods that are still on it keep their place in case it comes back.
    pub(crate) fn remove_node(&mut self, name: &str) {
        let Some(info) = self.nodes.get_mut(name) else { return };
        info.node = None;
        if info.pods.is_empty() {
            self.nodes.remove(name);
        }
    }

    /// Takes in a pod that has a node.
    pub(crate) fn place(&mut self, pod: &Object) {
        self.assumed.remove(&pod.key());
        self.nominated.remove(&pod.key());
        self.put(pod, pod.str("spec.nodeName"));
    }

    /// Counts a pod as being on a node before the API server knows.
    pub(crate) fn assume(&mut self, pod: &Object, node: &str) {
        self.put(pod, node);
        self.nominated.remove(&pod.key());
        self.assumed.insert(pod.key());
    }

    /// Whether the pod's binding is under way.
    pub(crate) fn is_assumed(&self, key: &str) -> bool {
        self.assumed.contains(key)
    }

    /// The pod is to come to the node; an empty name stands for none.
    pub(crate) fn nominate(&mut self, pod: &Object, node: &str) {
        if node.is_empty() {
            self.nominated.remove(&pod.key());
        } else if !self.is_assumed(&pod.key()) {
            self.nominated.insert(pod.key(), (pod.clone(), node.to_owned()));
        }
    }

    /// A waiting pod has changed. Its status may be older than what was decided here and is still being written.
    pub(crate) fn renominate(&mut self, pod: &Object, old: &str) {
        let (key, new) = (pod.key(), pod.str("status.nominatedNodeName"));
        let known = self.nominated.get(&key).filter(|_| old.is_empty() && new.is_empty());
        let node = known.map_or(new, |(_, node)| node.as_str()).to_owned();
        self.nominate(pod, &node);
    }

    /// The pod waits for no node any more. Says whether it did.
    pub(crate) fn forget_nomination(&mut self, key: &str) -> bool {
        self.nominated.remove(key).is_some()
    }

    /// Pods that are to come to the node and that `pod` must leave room for.
    pub(crate) fn nominated_before(&self, pod: &Object, node: &str) -> Vec<Object> {
        self.nominated_on(node, |other| priority(other) >= priority(pod) && other.uid() != pod.uid())
    }

    /// Pods that are to come to the node and are less important than `pod`.
    pub(crate) fn nominated_after(&self, pod: &Object, node: &str) -> Vec<Object> {
        self.nominated_on(node, |other| priority(other) < priority(pod))
    }

    fn nominated_on(&self, node: &str, is_meant: impl Fn(&Object) -> bool) -> Vec<Object> {
        let here = self.nominated.values().filter(|(pod, on)| on == node && is_meant(pod));
        here.map(|(pod, _)| pod.clone()).collect()
    }

    /// Puts a pod on a node, wherever it was before.
    pub(crate) fn put(&mut self, pod: &Object, node: &str) {
        let key = pod.key();
        self.remove(&key);
        let (requests, assumed_requests) = (pod_requests(pod, false), pod_requests(pod, true));
        let info = self.nodes.entry(node.to_owned()).or_default();
        info.requested += &requests;
        info.requested_assumed += &assumed_requests;
        info.pods.insert(key.clone(), pod.clone());
        info.count(pod, 1);
        if has_pod_affinity(pod) {
            info.with_affinity.insert(key.clone(), pod.clone());
        }
        let placed = PlacedPod { pod: pod.clone(), node: node.to_owned(), requests, assumed_requests };
        self.pods.insert(key, placed);
    }

    /// Frees a pod's place.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Object> {
        self.assumed.remove(key);
        let placed = self.pods.remove(key)?;
        if let Some(info) = self.nodes.get_mut(&placed.node) {
            info.requested -= &placed.requests;
            info.requested_assumed -= &placed.assumed_requests;
            info.pods.remove(key);
            info.count(&placed.pod, -1);
            info.with_affinity.remove(key);
            if info.pods.is_empty() && info.node.is_none() {
                self.nodes.remove(&placed.node);
            }
        }
        Some(placed.pod)
    }
}
