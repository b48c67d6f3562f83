//! What the scheduler knows: nodes with the pods on them, those it has only decided on included (`backend/cache`).

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::Object;

use crate::node_info::NodeInfo;
use crate::nominated::Nominated;
use crate::pod_info::{Affinity, PodInfo, priority};
use crate::tally::{Matcher, Tallies, Tally};

/// Pods that want the same of other pods, by the nodes on which they are.
#[derive(Debug)]
pub(crate) struct Caring {
    /// What they want.
    pub(crate) affinity: Rc<Affinity>,
    /// How many of them are there, by the number of the node.
    pub(crate) nodes: BTreeMap<usize, i64>,
}

/// All nodes and all placed pods.
#[derive(Default)]
pub(crate) struct Cluster {
    /// By their numbers; a place without a node waits for the next.
    nodes: Vec<Option<NodeInfo>>,
    /// The numbers by name.
    slots: BTreeMap<String, usize>,
    /// Numbers that are free.
    free: BTreeSet<usize>,
    /// The number of the node of every placed pod, by key.
    places: BTreeMap<String, usize>,
    /// Keys of pods whose binding has not come back yet.
    assumed: BTreeSet<String>,
    /// Pods that wait until their victims have gone.
    nominated: Nominated,
    /// Placed pods that care about other pods, by what they want.
    caring: BTreeMap<String, Caring>,
    tallies: RefCell<Tallies>,
    /// On how many nodes an image is.
    holders: BTreeMap<String, i64>,
    pub(crate) services: BTreeMap<String, Object>,
    pub(crate) replica_sets: BTreeMap<String, Object>,
    pub(crate) claims: BTreeMap<String, Object>,
    pub(crate) volumes: BTreeMap<String, Object>,
    pub(crate) storage_classes: BTreeMap<String, Object>,
    /// PodDisruptionBudgets.
    pub(crate) budgets: BTreeMap<String, Object>,
    /// How many placed pods were looked at so far.
    #[cfg(test)]
    pub(crate) looked: Rc<std::cell::Cell<usize>>,
}

impl Cluster {
    /// The nodes that exist, by name.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.slots.values().filter_map(|slot| self.at(*slot)).filter(|info| info.exists())
    }

    /// One of them.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.at(*self.slots.get(name)?).filter(|info| info.exists())
    }

    /// The node with this number, be it there or only named by its pods.
    pub(crate) fn at(&self, slot: usize) -> Option<&NodeInfo> {
        self.nodes.get(slot)?.as_ref()
    }

    /// The same, which comes to be if it is not there.
    fn slot_of(&mut self, name: &str) -> usize {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = self.free.pop_first().unwrap_or(self.nodes.len());
        if slot == self.nodes.len() {
            self.nodes.push(None);
        }
        self.nodes[slot] = Some(NodeInfo::new(slot, name));
        #[cfg(test)]
        self.nodes[slot].iter_mut().for_each(|info| info.looked.clone_from(&self.looked));
        self.slots.insert(name.to_owned(), slot);
        slot
    }

    fn forget_if_empty(&mut self, slot: usize) {
        if self.at(slot).is_some_and(NodeInfo::is_forgotten) {
            self.nodes[slot] = None;
            self.free.insert(slot);
            self.slots.retain(|_, at| *at != slot);
        }
    }

    /// Takes in a node.
    pub(crate) fn set_node(&mut self, node: &Object) {
        let slot = self.slot_of(node.name());
        self.change_node(slot, Some(node));
    }

    /// Forgets a node; pods that are still on it keep their place in case it comes back.
    pub(crate) fn remove_node(&mut self, name: &str) {
        let Some(slot) = self.slots.get(name).copied() else { return };
        self.change_node(slot, None);
        self.forget_if_empty(slot);
    }

    fn change_node(&mut self, slot: usize, node: Option<&Object>) {
        let Some(info) = self.nodes.get_mut(slot).and_then(Option::as_mut) else { return };
        for image in info.images.keys() {
            take_one(&mut self.holders, image);
        }
        info.set_node(node);
        for image in info.images.keys() {
            *self.holders.entry(image.clone()).or_insert(0) += 1;
        }
    }

    /// On how many nodes an image is.
    pub(crate) fn holders(&self, image: &str) -> i64 {
        self.holders.get(image).copied().unwrap_or(0)
    }

    /// Takes in a pod that has a node.
    pub(crate) fn place(&mut self, pod: &Object) {
        let (key, node) = (pod.key(), pod.str("spec.nodeName"));
        self.assumed.remove(&key);
        self.nominated.remove(&key);
        if !self.refresh(&key, node, pod) {
            self.put(Rc::new(PodInfo::new(pod)), node);
        }
    }

    /// Takes in a pod of which nothing has changed but what is not counted. Says whether it is so.
    fn refresh(&mut self, key: &str, node: &str, pod: &Object) -> bool {
        let slot = self.places.get(key).copied().filter(|slot| self.slots.get(node) == Some(slot));
        let Some(info) = slot.and_then(|slot| self.nodes[slot].as_mut()) else { return false };
        let Some(fresh) = info.pod(key).and_then(|known| known.refreshed(pod)) else { return false };
        info.refresh(key, fresh);
        true
    }

    /// Counts a pod as being on a node before the API server knows.
    pub(crate) fn assume(&mut self, pod: &Object, node: &str) {
        let key = pod.key();
        // As the API server will have it: then what comes back is nothing new.
        let mut pod = pod.clone();
        pod.set("spec.nodeName", node);
        self.put(Rc::new(PodInfo::new(&pod)), node);
        self.nominated.remove(&key);
        self.assumed.insert(key);
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
            self.nominated.insert(pod, node);
        }
    }

    /// A waiting pod has changed. Its status may be older than what was decided here and is still being written.
    pub(crate) fn renominate(&mut self, pod: &Object, old: &str) {
        let (key, new) = (pod.key(), pod.str("status.nominatedNodeName"));
        let known = self.nominated.node_of(&key).filter(|_| old.is_empty() && new.is_empty());
        let node = known.unwrap_or(new).to_owned();
        self.nominate(pod, &node);
    }

    /// The pod waits for no node any more. Says whether it did.
    pub(crate) fn forget_nomination(&mut self, key: &str) -> bool {
        self.nominated.remove(key)
    }

    /// Pods that are to come to the node and that `pod` must leave room for.
    pub(crate) fn nominated_before(&self, pod: &Object, node: &str) -> Vec<Object> {
        self.nominated.on(node, |other| other.priority >= priority(pod) && other.pod.uid() != pod.uid())
    }

    /// Pods that are to come to the node and are less important than `pod`.
    pub(crate) fn nominated_after(&self, pod: &Object, node: &str) -> Vec<Object> {
        self.nominated.on(node, |other| other.priority < priority(pod))
    }

    /// Puts a pod on a node, wherever it was before.
    fn put(&mut self, mut pod: Rc<PodInfo>, node: &str) {
        let key = pod.object.key();
        self.remove(&key);
        let slot = self.slot_of(node);
        if let Some(affinity) = &pod.affinity {
            let new = || Caring { affinity: Rc::clone(affinity), nodes: BTreeMap::new() };
            let caring = self.caring.entry(affinity.key.clone()).or_insert_with(new);
            *caring.nodes.entry(slot).or_insert(0) += 1;
            // A thousand pods of one workload keep what they want once.
            let shared = Some(Rc::clone(&caring.affinity));
            Rc::make_mut(&mut pod).affinity = shared;
        }
        self.tallies.get_mut().count(&pod.object, slot, 1);
        self.places.insert(key, slot);
        if let Some(info) = &mut self.nodes[slot] {
            info.put(pod);
        }
    }

    /// Frees a pod's place.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Object> {
        self.assumed.remove(key);
        let slot = self.places.remove(key)?;
        let pod = self.nodes[slot].as_mut()?.remove(key)?;
        self.tallies.get_mut().count(&pod.object, slot, -1);
        if let Some(affinity) = &pod.affinity {
            self.care_less(&affinity.key, slot);
        }
        self.forget_if_empty(slot);
        Some(pod.object.clone())
    }

    fn care_less(&mut self, key: &str, slot: usize) {
        let Some(caring) = self.caring.get_mut(key) else { return };
        take_one(&mut caring.nodes, &slot);
        if caring.nodes.is_empty() {
            self.caring.remove(key);
        }
    }

    /// The placed pods that care about other pods, by what they want.
    pub(crate) fn caring(&self) -> impl Iterator<Item = &Caring> {
        self.caring.values()
    }

    /// How many of the placed pods are meant, by node.
    pub(crate) fn tally(&self, matcher: &Matcher) -> Rc<Tally> {
        self.tallies.borrow_mut().get(matcher, || {
            let nodes = self.nodes.iter().flatten();
            Box::new(nodes.flat_map(|node| node.pods().map(|pod| (node.slot, &pod.object))))
        })
    }
}

/// One less of something; what there is none of is forgotten.
fn take_one<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(counts: &mut BTreeMap<K, i64>, key: &Q) {
    let Some(count) = counts.get_mut(key) else { return };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
}
