//! A node with what is on it (`framework.NodeInfo`).

use std::collections::BTreeMap;
use std::rc::Rc;

use api::Object;
use api::quantity::Quantity;
use json::Value;

use crate::pod_info::{HostPort, PodInfo};
use crate::resources::Resources;

/// A node and what is on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeInfo {
    /// Its number: the place of its counts in a tally.
    pub(crate) slot: usize,
    name: String,
    /// The Node; none while only its pods are known.
    node: Option<Object>,
    labels: BTreeMap<String, String>,
    taints: Vec<Value>,
    is_cordoned: bool,
    pods: BTreeMap<String, Rc<PodInfo>>,
    /// The ports that its pods take.
    taken: Vec<HostPort>,
    pub(crate) allocatable: Resources,
    pub(crate) pods_max: usize,
    pub(crate) requested: Resources,
    /// As `requested`, but containers without a request count a little.
    pub(crate) requested_assumed: Resources,
    /// Sizes in bytes by image name.
    pub(crate) images: BTreeMap<String, i64>,
    /// How many pods were looked at, on all nodes of the cluster together.
    #[cfg(test)]
    pub(crate) looked: Rc<std::cell::Cell<usize>>,
}

impl NodeInfo {
    /// Nothing is known of it but its name; `slot` is its number.
    pub(crate) fn new(slot: usize, name: &str) -> NodeInfo {
        NodeInfo { slot, name: name.to_owned(), ..NodeInfo::default() }
    }

    /// Whether there is a Node.
    pub(crate) fn exists(&self) -> bool {
        self.node.is_some()
    }

    /// Whether nothing is known of it any more.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.node.is_none() && self.pods.is_empty()
    }

    /// The node's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The Node.
    pub(crate) fn object(&self) -> &Object {
        self.node.as_ref().expect("candidates are nodes that exist")
    }

    /// The value of one of its labels.
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    /// `spec.taints`.
    pub(crate) fn taints(&self) -> &[Value] {
        &self.taints
    }

    /// `spec.unschedulable`.
    pub(crate) fn is_cordoned(&self) -> bool {
        self.is_cordoned
    }

    /// Whether one of its pods takes this port.
    pub(crate) fn is_taken(&self, port: &HostPort) -> bool {
        self.taken.iter().any(|taken| taken.conflicts(port))
    }

    /// How many pods are on it.
    pub(crate) fn pods_count(&self) -> usize {
        self.pods.len()
    }

    /// All its pods. A decision that comes here for every node takes longer the more pods there are: what is asked of all pods is
    /// counted as they come and go (see [`crate::tally`]), and a test watches over it.
    pub(crate) fn pods(&self) -> impl Iterator<Item = &Rc<PodInfo>> {
        #[cfg(test)]
        self.looked.set(self.looked.get() + self.pods.len());
        self.pods.values()
    }

    /// Takes in the Node, or that there is none any more.
    pub(crate) fn set_node(&mut self, node: Option<&Object>) {
        self.node = node.cloned();
        self.images.clear();
        let Some(node) = node else { return };
        self.labels = node.labels();
        self.taints = node.list("spec.taints").to_vec();
        self.is_cordoned = node.bool("spec.unschedulable");
        let allocatable = node.at("status.allocatable");
        self.allocatable = Resources::from_list(allocatable);
        let pods = Quantity::from_value(&allocatable["pods"]);
        self.pods_max = pods.ok().and_then(|count| usize::try_from(count.value()).ok()).unwrap_or(0);
        for image in node.list("status.images") {
            let size = image["sizeBytes"].as_i64().unwrap_or(0);
            for name in image["names"].as_array().into_iter().flatten().filter_map(|name| name.as_str()) {
                self.images.insert(normalized_image(name), size);
            }
        }
    }

    /// Puts a pod on it.
    pub(crate) fn put(&mut self, pod: Rc<PodInfo>) {
        self.requested += &pod.requests;
        self.requested_assumed += &pod.assumed_requests;
        self.taken.extend_from_slice(&pod.host_ports);
        self.pods.insert(pod.object.key(), pod);
    }

    /// Frees a pod's place.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Rc<PodInfo>> {
        let pod = self.pods.remove(key)?;
        self.requested -= &pod.requests;
        self.requested_assumed -= &pod.assumed_requests;
        for port in &pod.host_ports {
            if let Some(at) = self.taken.iter().position(|taken| taken == port) {
                self.taken.swap_remove(at);
            }
        }
        Some(pod)
    }

    /// One of its pods.
    pub(crate) fn pod(&self, key: &str) -> Option<&Rc<PodInfo>> {
        self.pods.get(key)
    }

    /// A pod of its own as it is now, when nothing has changed that is counted.
    pub(crate) fn refresh(&mut self, key: &str, pod: PodInfo) {
        if let Some(known) = self.pods.get_mut(key) {
            *known = Rc::new(pod);
        }
    }
}

/// An image name with its tag spelt out.
pub(crate) fn normalized_image(name: &str) -> String {
    let (colon, slash) = (name.rfind(':'), name.rfind('/'));
    if colon > slash { name.to_owned() } else { format!("{name}:latest") }
}
