//! Who sits where. A pod keeps its seat on its node until it goes; an image keeps its colour.

use std::collections::{BTreeMap, BTreeSet};

use crate::picture::Picture;

/// Colours for images; after the last the first comes again.
pub const COLOURS: usize = 6;

/// Seats and colours given so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Seat on its node, by `namespace/name` of the pod.
    seats: BTreeMap<String, (String, usize)>,
    /// Colour, by image.
    colours: BTreeMap<String, usize>,
    colours_given: usize,
}

impl Places {
    /// Gives seats to who is new and takes them from who is gone.
    pub fn update(&mut self, picture: &Picture) {
        let present: BTreeMap<String, &str> =
            picture.pods.iter().map(|p| (format!("{}/{}", p.namespace, p.name), p.node.as_str())).collect();
        // A pod that moved from "no node" to a node sits anew; no other pod ever changes its node.
        self.seats.retain(|pod, (node, _)| present.get(pod).is_some_and(|n| n == node));
        for (pod, node) in &present {
            if !self.seats.contains_key(pod) {
                let taken: BTreeSet<usize> =
                    self.seats.values().filter(|(n, _)| n == node).map(|(_, seat)| *seat).collect();
                let free = (0..).find(|seat| !taken.contains(seat)).unwrap_or(0);
                self.seats.insert(pod.clone(), ((*node).to_owned(), free));
            }
        }
        for pod in &picture.pods {
            if !self.colours.contains_key(&pod.image) {
                self.colours.insert(pod.image.clone(), self.colours_given % COLOURS);
                self.colours_given += 1;
            }
        }
    }

    /// The seat of a pod on its node, from 0.
    pub fn seat(&self, namespace: &str, name: &str) -> usize {
        self.seats.get(&format!("{namespace}/{name}")).map_or(0, |(_, seat)| *seat)
    }

    /// The colour of an image, below [`COLOURS`].
    pub fn colour(&self, image: &str) -> usize {
        self.colours.get(image).copied().unwrap_or(0)
    }
}
