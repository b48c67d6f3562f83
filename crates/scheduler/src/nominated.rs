//! Pods that are to come to a node when their victims have gone (`backend/queue/nominator.go`).

use std::collections::BTreeMap;

use api::Object;

use crate::pod_info::priority;

/// A pod that is to come.
pub(crate) struct Nominee {
    pub(crate) pod: Object,
    pub(crate) priority: i64,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Nominated {
    /// By node, and there by key.
    pods: BTreeMap<String, BTreeMap<String, Nominee>>,
    /// Their nodes by key.
    nodes: BTreeMap<String, String>,
}

impl Nominated {
    /// The pod is to come to the node, and to no other.
    pub(crate) fn insert(&mut self, pod: &Object, node: &str) {
        let key = pod.key();
        self.remove(&key);
        let nominee = Nominee { pod: pod.clone(), priority: priority(pod) };
        self.pods.entry(node.to_owned()).or_default().insert(key.clone(), nominee);
        self.nodes.insert(key, node.to_owned());
    }

    /// The pod waits for no node any more. Says whether it did.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        let Some(node) = self.nodes.remove(key) else { return false };
        if let Some(pods) = self.pods.get_mut(&node) {
            pods.remove(key);
            if pods.is_empty() {
                self.pods.remove(&node);
            }
        }
        true
    }

    /// The node of a pod.
    pub(crate) fn node_of(&self, key: &str) -> Option<&str> {
        self.nodes.get(key).map(String::as_str)
    }

    /// Those that are to come to a node, by key.
    pub(crate) fn on(&self, node: &str, is_meant: impl Fn(&Nominee) -> bool) -> Vec<Object> {
        let here = self.pods.get(node).into_iter().flat_map(BTreeMap::values);
        here.filter(|nominee| is_meant(nominee)).map(|nominee| nominee.pod.clone()).collect()
    }
}
