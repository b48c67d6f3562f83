//! Pods that wait for a node (`backend/queue`): those that are due, by priority and age; those that were refused and
//! sit out a pause; and those that wait until something happens that could help them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::Object;
use simulation::Time;

use crate::framework::{Change, ClusterEvent};
use crate::plugins::PLUGINS;
use crate::pod_info::priority;

/// Pause after the first refusal; doubles with each further one.
const PAUSE_START: Duration = Duration::from_secs(1);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A refused pod is tried again after this time even if nothing happened.
const UNSCHEDULABLE_MAX: Duration = Duration::from_secs(5 * 60);

/// A pod in the queue.
#[derive(Clone, Debug)]
pub(crate) struct QueuedPod {
    pub(crate) pod: Object,
    /// Attempts so far.
    pub(crate) attempts: u32,
    added: Time,
    sequence: u64,
    /// When it was last refused.
    refused_at: Time,
    refused_by: BTreeSet<&'static str>,
}

/// Higher priority first, then first come, first served.
type Rank = (Reverse<i64>, Time, u64);

impl QueuedPod {
    fn rank(&self) -> Rank {
        (Reverse(priority(&self.pod)), self.added, self.sequence)
    }

    /// The plugins that refused it; the empty name if there was no node to ask about.
    fn refusers(&self) -> impl Iterator<Item = &'static str> + use<> {
        let none = self.refused_by.is_empty().then_some("");
        none.into_iter().chain(self.refused_by.clone())
    }

    fn pause_ends(&self) -> Time {
        let doublings = self.attempts.saturating_sub(1).min(10);
        self.refused_at + (PAUSE_START * 2_u32.pow(doublings)).min(PAUSE_MAX)
    }
}

/// Pods that are due, in their order: of ten thousand the next is found at once.
#[derive(Default)]
struct Active {
    pods: BTreeMap<Rank, QueuedPod>,
    /// Their ranks by key.
    ranks: BTreeMap<String, Rank>,
}

impl Active {
    fn insert(&mut self, key: String, queued: QueuedPod) {
        self.remove(&key);
        let rank = queued.rank();
        self.ranks.insert(key, rank);
        self.pods.insert(rank, queued);
    }

    fn remove(&mut self, key: &str) -> Option<QueuedPod> {
        self.pods.remove(&self.ranks.remove(key)?)
    }

    fn pop_first(&mut self) -> Option<(String, QueuedPod)> {
        let (_, queued) = self.pods.pop_first()?;
        let key = queued.pod.key();
        self.ranks.remove(&key);
        Some((key, queued))
    }
}

/// Pods that wait, by key, and when each is due by itself.
#[derive(Default)]
struct Waiting {
    pods: BTreeMap<String, (Time, QueuedPod)>,
    due: BTreeSet<(Time, String)>,
    /// Keys by the plugins that refused them; the empty name stands for pods that found no node at all.
    refused_by: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Waiting {
    fn insert(&mut self, due: Time, key: String, queued: QueuedPod) {
        self.remove(&key);
        self.due.insert((due, key.clone()));
        for plugin in queued.refusers() {
            self.refused_by.entry(plugin).or_default().insert(key.clone());
        }
        self.pods.insert(key, (due, queued));
    }

    fn remove(&mut self, key: &str) -> Option<QueuedPod> {
        let (due, queued) = self.pods.remove(key)?;
        self.due.remove(&(due, key.to_owned()));
        for plugin in queued.refusers() {
            let Some(keys) = self.refused_by.get_mut(plugin) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                self.refused_by.remove(plugin);
            }
        }
        Some(queued)
    }

    fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes out one that is due.
    fn pop_due(&mut self, now: Time) -> Option<(String, QueuedPod)> {
        let (_, key) = self.due.first().filter(|(due, _)| *due <= now)?.clone();
        let queued = self.remove(&key)?;
        Some((key, queued))
    }

    /// Those that a change helps, by key.
    fn helped(&self, change: &Change) -> BTreeSet<String> {
        let waking = |name: &&'static str| {
            let event = change.event;
            if name.is_empty() {
                return event == ClusterEvent::NodeAdded;
            }
            PLUGINS.iter().any(|plugin| plugin.name == *name && plugin.wakes.contains(&event))
        };
        let asked = self.refused_by.iter().filter(|(name, _)| waking(name)).flat_map(|(_, keys)| keys);
        let helped = |key: &&String| self.pods.get(*key).is_some_and(|(_, queued)| helps(queued, change));
        asked.filter(helped).cloned().collect()
    }
}

/// The queue. Keys are `namespace/name`.
#[derive(Default)]
pub(crate) struct Queue {
    active: Active,
    pausing: Waiting,
    unschedulable: Waiting,
    /// Being tried right now, with what happened meanwhile.
    trying: BTreeMap<String, Vec<Change>>,
    sequence: u64,
}

/// Whether the pod may be tried at all (`spec.schedulingGates`).
fn is_gated(pod: &Object) -> bool {
    !pod.list("spec.schedulingGates").is_empty()
}

impl Queue {
    /// A new pod, or a changed one: a change may be just what was missing.
    pub(crate) fn add(&mut self, pod: &Object, now: Time) {
        let key = pod.key();
        let known = self.take(&key);
        if is_gated(pod) {
            return;
        }
        if self.trying.contains_key(&key) {
            self.trying.entry(key).or_default().push(Change::plain(ClusterEvent::PodItself));
            return;
        }
        self.sequence += 1;
        let fresh = QueuedPod {
            pod: pod.clone(),
            attempts: 0,
            added: now,
            sequence: self.sequence,
            refused_at: now,
            refused_by: BTreeSet::new(),
        };
        let queued = match known {
            Some(known) if known.pod.uid() == pod.uid() => QueuedPod { pod: pod.clone(), ..known },
            _ => fresh,
        };
        if queued.attempts > 0 && queued.pause_ends() > now {
            self.pause(key, queued);
        } else {
            self.active.insert(key, queued);
        }
    }

    fn pause(&mut self, key: String, queued: QueuedPod) {
        self.pausing.insert(queued.pause_ends(), key, queued);
    }

    /// The pod as it is now, without giving it a new chance.
    pub(crate) fn refresh(&mut self, pod: &Object) {
        let key = pod.key();
        for map in [&mut self.pausing, &mut self.unschedulable] {
            if let Some((_, queued)) = map.pods.get_mut(&key) {
                queued.pod = pod.clone();
            }
        }
        if let Some(queued) = self.active.remove(&key) {
            self.active.insert(key, QueuedPod { pod: pod.clone(), ..queued });
        }
    }

    fn take(&mut self, key: &str) -> Option<QueuedPod> {
        // Of all three: a pod that changed while it was being bound can be in two, and an old one must not come back.
        let (active, pausing, left) =
            (self.active.remove(key), self.pausing.remove(key), self.unschedulable.remove(key));
        active.or(pausing).or(left)
    }

    /// The pod is gone or has a node.
    pub(crate) fn remove(&mut self, key: &str) {
        self.take(key);
    }

    /// The next pod that is due. Call [`Queue::done`] or [`Queue::refused`] with it.
    pub(crate) fn pop(&mut self, now: Time) -> Option<QueuedPod> {
        self.wake_due(now);
        let (key, mut queued) = self.active.pop_first()?;
        queued.attempts += 1;
        self.trying.insert(key, Vec::new());
        Some(queued)
    }

    fn wake_due(&mut self, now: Time) {
        for waiting in [&mut self.pausing, &mut self.unschedulable] {
            while let Some((key, queued)) = waiting.pop_due(now) {
                self.active.insert(key, queued);
            }
        }
    }

    /// When the next pod becomes due by itself.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.pausing.next_due().into_iter().chain(self.unschedulable.next_due()).min()
    }

    /// Whether a pod is due.
    pub(crate) fn has_due(&self, now: Time) -> bool {
        !self.active.pods.is_empty() || self.next_due().is_some_and(|due| due <= now)
    }

    /// The attempt ended with a node (or the pod is of no more interest).
    pub(crate) fn done(&mut self, key: &str) {
        self.trying.remove(key);
    }

    /// The attempt ended without a node. What happened meanwhile counts: it may have been too late for the attempt.
    pub(crate) fn refused(&mut self, mut queued: QueuedPod, by: BTreeSet<&'static str>, now: Time) {
        let key = queued.pod.key();
        let meanwhile = self.trying.remove(&key).unwrap_or_default();
        queued.refused_at = now;
        queued.refused_by = by;
        if meanwhile.iter().any(|change| helps(&queued, change)) {
            self.pause(key, queued);
        } else {
            self.unschedulable.insert(now + UNSCHEDULABLE_MAX, key, queued);
        }
    }

    /// The attempt failed for another reason than want of a node: again after the pause.
    pub(crate) fn failed(&mut self, mut queued: QueuedPod, now: Time) {
        let key = queued.pod.key();
        self.trying.remove(&key);
        queued.refused_at = now;
        self.pause(key, queued);
    }

    /// What the pod waits for will not come: again after the pause.
    pub(crate) fn again(&mut self, key: &str, now: Time) {
        if let Some(mut queued) = self.unschedulable.remove(key) {
            queued.refused_at = now;
            self.pause(key.to_owned(), queued);
        }
    }

    /// Something happened: pods that it may help are due again, after their pause.
    pub(crate) fn happened(&mut self, change: Change, now: Time) {
        for key in self.unschedulable.helped(&change) {
            let Some(queued) = self.unschedulable.remove(&key) else { continue };
            if queued.pause_ends() > now {
                self.pause(key, queued);
            } else {
                self.active.insert(key, queued);
            }
        }
        for changes in self.trying.values_mut() {
            changes.push(change.clone());
        }
    }
}

/// Whether a change may change the mind of one of the plugins that refused the pod. Where there was no node at all, every
/// node helps.
fn helps(queued: &QueuedPod, change: &Change) -> bool {
    match change.event {
        ClusterEvent::PodItself => true,
        event if queued.refused_by.is_empty() => event == ClusterEvent::NodeAdded,
        event => PLUGINS.iter().any(|plugin| {
            queued.refused_by.contains(plugin.name)
                && plugin.wakes.contains(&event)
                && (plugin.helps)(&queued.pod, change)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    const START: Time = Time::from_unix_seconds(1_000);

    fn pod(name: &str, priority: i64) -> Object {
        let metadata = json!({"name": name, "namespace": "d", "uid": name});
        Object::new(json!({"metadata": metadata, "spec": {"priority": priority}}))
    }

    fn at(seconds: u64) -> Time {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn priority_then_age() {
        let mut queue = Queue::default();
        queue.add(&pod("old", 0), at(0));
        queue.add(&pod("young", 0), at(1));
        queue.add(&pod("vip", 100), at(2));
        let order: Vec<String> = std::iter::from_fn(|| queue.pop(at(3)).map(|q| q.pod.name().to_owned())).collect();
        assert_eq!(order, ["vip", "old", "young"]);
    }

    #[test]
    fn a_pod_that_changed_while_it_was_being_bound_is_there_once() {
        let mut queue = Queue::default();
        queue.add(&pod("p", 0), at(0));
        let tried = queue.pop(at(0)).unwrap();
        queue.done("d/p");
        queue.add(&pod("p", 7), at(0));
        queue.failed(tried, at(0));
        queue.remove("d/p");
        assert!(!queue.has_due(at(600)), "nothing of it is left");
    }

    #[test]
    fn refused_pods_wait_for_what_helps_them() {
        let mut queue = Queue::default();
        queue.add(&pod("p", 0), at(0));
        let tried = queue.pop(at(0)).unwrap();
        queue.refused(tried, BTreeSet::from(["NodeResourcesFit"]), at(0));
        queue.happened(Change::plain(ClusterEvent::NodeLabels), at(5));
        assert!(!queue.has_due(at(5)), "labels do not make room");
        queue.happened(Change::plain(ClusterEvent::PodRemoved), at(5));
        assert!(queue.has_due(at(5)), "room, and the pause is over");
        let tried = queue.pop(at(5)).unwrap();
        assert_eq!(tried.attempts, 2);
        queue.refused(tried, BTreeSet::from(["NodeResourcesFit"]), at(5));
        queue.happened(Change::plain(ClusterEvent::PodRemoved), at(6));
        assert!(!queue.has_due(at(6)), "the second pause lasts two seconds");
        assert_eq!(queue.next_due(), Some(at(7)));
    }

    #[test]
    fn what_will_not_come_is_not_waited_for() {
        let mut queue = Queue::default();
        queue.add(&pod("p", 0), at(0));
        let tried = queue.pop(at(0)).unwrap();
        queue.refused(tried, BTreeSet::from(["NodeResourcesFit"]), at(0));
        queue.again("d/p", at(3));
        assert_eq!(queue.next_due(), Some(at(4)), "but a pause there is");
        queue.again("d/other", at(3));
    }

    #[test]
    fn what_happens_during_the_attempt_counts() {
        let mut queue = Queue::default();
        queue.add(&pod("p", 0), at(0));
        let tried = queue.pop(at(0)).unwrap();
        queue.happened(Change::plain(ClusterEvent::NodeAdded), at(0));
        queue.refused(tried, BTreeSet::new(), at(0));
        assert_eq!(queue.next_due(), Some(at(1)));
    }

    #[test]
    fn nothing_waits_for_ever_and_gates_hold() {
        let mut queue = Queue::default();
        let mut gated = pod("g", 0);
        gated.set("spec.schedulingGates", json!([{"name": "x"}]));
        queue.add(&gated, at(0));
        assert!(queue.pop(at(0)).is_none());
        queue.add(&pod("p", 0), at(0));
        let tried = queue.pop(at(0)).unwrap();
        queue.refused(tried, BTreeSet::from(["NodeAffinity"]), at(0));
        assert_eq!(queue.next_due(), Some(at(300)));
    }
}
