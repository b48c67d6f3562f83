//! How many of the placed pods are meant by a selector, node by node: counted once over all pods, and from then on kept up to
//! date as pods come and go. Without it every decision would look at every pod.
//!
//! Upstream counts anew for every pod, but with many threads (`plugins/podtopologyspread`, `plugins/interpodaffinity`).

use std::rc::Rc;

use api::Object;
use api::selector::LabelSelector;

/// Tallies that are kept; the one that was asked for least lately goes first, and is counted anew when it is asked for again.
/// A workload has one of its own, and what is due at the same time is seldom of more workloads.
pub(crate) const TALLIES_MAX: usize = 128;

/// Pods by namespace and labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    /// None stands for all.
    pub(crate) namespaces: Option<Vec<String>>,
    pub(crate) selector: LabelSelector,
}

impl Clause {
    /// Whether it means the pod.
    pub(crate) fn matches(&self, pod: &Object) -> bool {
        let here = |namespaces: &Vec<String>| namespaces.iter().any(|name| name == pod.namespace());
        self.namespaces.as_ref().is_none_or(here) && self.selector.matches_object(pod)
    }
}

/// Pods that are meant by all of some clauses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matcher {
    pub(crate) clauses: Vec<Clause>,
    /// Whether pods that are being deleted count.
    pub(crate) leaving: bool,
}

impl Matcher {
    /// Whether the pod counts.
    pub(crate) fn matches(&self, pod: &Object) -> bool {
        self.clauses.iter().all(|clause| clause.matches(pod)) && (self.leaving || !pod.is_deleting())
    }
}

/// What a matcher means, counted by node.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) matcher: Matcher,
    /// By the number of the node.
    counts: Vec<i32>,
}

impl Tally {
    /// How many pods of the node with this number count.
    pub(crate) fn on(&self, slot: usize) -> i64 {
        i64::from(self.counts.get(slot).copied().unwrap_or(0))
    }

    fn add(&mut self, slot: usize, by: i32) {
        if self.counts.len() <= slot {
            self.counts.resize(slot + 1, 0);
        }
        self.counts[slot] += by;
    }
}

/// The tallies that are kept, the one asked for last at the front.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    kept: Vec<Rc<Tally>>,
}

impl Tallies {
    /// The tally of a matcher; `placed` are all pods with the numbers of their nodes, for when it is not kept.
    pub(crate) fn get<'a>(
        &mut self,
        matcher: &Matcher,
        placed: impl FnOnce() -> Box<dyn Iterator<Item = (usize, &'a Object)> + 'a>,
    ) -> Rc<Tally> {
        if let Some(at) = self.kept.iter().position(|tally| tally.matcher == *matcher) {
            self.kept[..=at].rotate_right(1);
            return Rc::clone(&self.kept[0]);
        }
        let mut tally = Tally { matcher: matcher.clone(), counts: Vec::new() };
        for (slot, _) in placed().filter(|(_, pod)| matcher.matches(pod)) {
            tally.add(slot, 1);
        }
        let tally = Rc::new(tally);
        self.kept.truncate(TALLIES_MAX - 1);
        self.kept.insert(0, Rc::clone(&tally));
        tally
    }

    /// A pod came to a node (1) or left it (-1).
    pub(crate) fn count(&mut self, pod: &Object, slot: usize, by: i32) {
        for tally in &mut self.kept {
            if tally.matcher.matches(pod) {
                // Nobody holds one from one decision to the next, so this copies nothing.
                Rc::make_mut(tally).add(slot, by);
            }
        }
    }
}
