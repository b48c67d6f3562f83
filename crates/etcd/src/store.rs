//! Writes, reads at a revision, compaction.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use api::Object;
use rpds::RedBlackTreeMap;
use simulation::notify::Waiters;

use crate::members::Members;
use crate::watch::{Event, Op, Watcher};
use crate::{SNAPSHOTS_MAX, WATCH_EVENTS_MAX};

/// A revision of the store. 0 is before everything; an empty store is at 1, as etcd is.
pub type Revision = u64;

/// A key, its value and when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyValue {
    /// The key, e.g. `pods/default/web-0`.
    pub key: Rc<str>,
    /// The object.
    pub value: Object,
    /// Revision of the write that created the key.
    pub create_revision: Revision,
    /// Revision of the last write.
    pub mod_revision: Revision,
}

/// What must hold for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// The key does not exist.
    Absent,
    /// The key was last written at this revision.
    Revision(Revision),
}

/// Why a write was not done; the store is unchanged.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// Its expectation did not hold; what the key holds instead.
    Unexpected(Option<KeyValue>),
    /// The members have no leader, or he no quorum. Trying again helps when they have.
    NoLeader,
}

/// The revision is older than what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("required revision {requested} has been compacted, the oldest is {oldest}")]
pub struct Compacted {
    /// What was asked for.
    pub requested: Revision,
    /// What can be had.
    pub oldest: Revision,
}

/// Why a read at a revision failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Too old.
    #[error(transparent)]
    Compacted(#[from] Compacted),
    /// Not yet reached.
    #[error("required revision {requested} is a future revision, the store is at {current}")]
    Future {
        /// What was asked for.
        requested: Revision,
        /// Where the store is.
        current: Revision,
    },
}

type Map = RedBlackTreeMap<Rc<str>, Rc<KeyValue>>;

/// The events of one table, oldest first.
#[derive(Default)]
pub(crate) struct Ring {
    pub(crate) events: VecDeque<Entry>,
    /// The newest revision whose event is no longer kept.
    pub(crate) dropped: Revision,
    pub(crate) waiters: Rc<Waiters>,
    /// How objects of the table say which lane they are in, if somebody watches lanes.
    lane_of: Option<LaneOf>,
    pub(crate) lanes: BTreeMap<Rc<str>, Lane>,
}

/// The lane of an object: whoever watches one lane hears of nothing else.
pub type LaneOf = fn(&Object) -> &str;

/// An event, with the lanes in which the object is and was.
pub(crate) struct Entry {
    pub(crate) event: Event,
    lanes: [Option<Rc<str>>; 2],
}

impl Entry {
    pub(crate) fn is_in(&self, lane: &str) -> bool {
        self.lanes.iter().flatten().any(|own| **own == *lane)
    }
}

/// One lane of a table.
#[derive(Default)]
pub(crate) struct Lane {
    /// The newest revision of the lane whose event is no longer kept.
    pub(crate) dropped: Revision,
    pub(crate) waiters: Rc<Waiters>,
}

impl Ring {
    /// The lanes that somebody watches or watched, of those in which the object is and was.
    fn lanes_of(&self, event: &Event) -> [Option<Rc<str>>; 2] {
        let known = |object: &Object| {
            let (name, _) = self.lanes.get_key_value(self.lane_of?(object))?;
            Some(Rc::clone(name))
        };
        let now = known(&event.value);
        let before = event.previous.as_ref().and_then(known).filter(|lane| Some(lane) != now.as_ref());
        [now, before]
    }

    /// Somebody watches a lane.
    fn open(&mut self, lane: &Rc<str>) {
        if self.lanes.contains_key(lane) {
            return;
        }
        self.lanes.insert(Rc::clone(lane), Lane { dropped: self.dropped, ..Lane::default() });
        let mut events = std::mem::take(&mut self.events);
        for entry in &mut events {
            entry.lanes = self.lanes_of(&entry.event);
        }
        self.events = events;
    }

    /// Takes an event in; adds whom to wake.
    fn push(&mut self, event: Event, waiters: &mut Vec<Rc<Waiters>>) {
        if self.events.len() == WATCH_EVENTS_MAX {
            self.drop_oldest();
        }
        waiters.push(Rc::clone(&self.waiters));
        let lanes = self.lanes_of(&event);
        waiters.extend(lanes.iter().flatten().filter_map(|lane| Some(Rc::clone(&self.lanes.get(lane)?.waiters))));
        self.events.push_back(Entry { event, lanes });
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.dropped = oldest.event.revision;
            for lane in oldest.lanes.into_iter().flatten() {
                self.lanes.entry(lane).or_default().dropped = oldest.event.revision;
            }
        }
    }
}

pub(crate) struct State {
    pub(crate) revision: Revision,
    map: Map,
    snapshots: VecDeque<(Revision, Map)>,
    pub(crate) rings: BTreeMap<Rc<str>, Ring>,
    pub(crate) compacted: Revision,
    pub(crate) members: Members,
    /// Who waits for the members to change.
    pub(crate) elections: Rc<Waiters>,
}

/// The store. Clones are handles to the same store.
#[derive(Clone)]
pub struct Etcd(Rc<RefCell<State>>);

impl Default for Etcd {
    fn default() -> Self {
        Self::new()
    }
}

impl Etcd {
    /// An empty store at revision 1.
    pub fn new() -> Self {
        let map = Map::new();
        let snapshots = VecDeque::from([(1, map.clone())]);
        Etcd(Rc::new(RefCell::new(State {
            revision: 1,
            map,
            snapshots,
            rings: BTreeMap::new(),
            compacted: 0,
            members: Members::default(),
            elections: Rc::default(),
        })))
    }

    pub(crate) fn state(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    pub(crate) fn state_mut(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    pub(crate) fn elections(&self) -> Rc<Waiters> {
        Rc::clone(&self.0.borrow().elections)
    }

    /// The revision of the last write.
    pub fn revision(&self) -> Revision {
        self.0.borrow().revision
    }

    /// Keys that exist now.
    pub fn len(&self) -> usize {
        self.0.borrow().map.size()
    }

    /// Whether no key exists.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // --- reading ---

    /// The newest value of a key.
    pub fn get(&self, key: &str) -> Option<Rc<KeyValue>> {
        self.0.borrow().map.get(key).cloned()
    }

    /// The keys that start with `prefix`, in order, as of `revision` (0: now).
    pub fn range(&self, prefix: &str, revision: Revision) -> Result<Vec<Rc<KeyValue>>, RangeError> {
        let map = self.at(revision)?;
        Ok(map
            .range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(_, kv)| Rc::clone(kv))
            .collect())
    }

    fn at(&self, revision: Revision) -> Result<Map, RangeError> {
        let state = self.0.borrow();
        if revision == 0 || revision == state.revision {
            return Ok(state.map.clone());
        }
        if revision > state.revision {
            return Err(RangeError::Future { requested: revision, current: state.revision });
        }
        let oldest = state.snapshots.front().map_or(state.revision, |(r, _)| *r);
        if revision < oldest {
            return Err(Compacted { requested: revision, oldest }.into());
        }
        let index = state.snapshots.partition_point(|(r, _)| *r <= revision);
        Ok(state.snapshots[index - 1].1.clone())
    }

    // --- writing ---

    /// Writes a key if `expect` holds. `value` is told the revision that the write will have.
    pub fn put(
        &self,
        key: &str,
        expect: Expect,
        value: impl FnOnce(Revision) -> Object,
    ) -> Result<Rc<KeyValue>, Refused> {
        let (waiters, kv) = {
            let mut state = self.0.borrow_mut();
            let previous = state.check(key, expect)?;
            let revision = state.revision + 1;
            let key: Rc<str> = previous.as_ref().map_or_else(|| Rc::from(key), |kv| Rc::clone(&kv.key));
            let create_revision = previous.as_ref().map_or(revision, |kv| kv.create_revision);
            let kv = Rc::new(KeyValue { key, value: value(revision), create_revision, mod_revision: revision });
            state.map.insert_mut(Rc::clone(&kv.key), Rc::clone(&kv));
            let op = if previous.is_some() { Op::Modified } else { Op::Added };
            let event = Event {
                revision,
                op,
                key: Rc::clone(&kv.key),
                value: kv.value.clone(),
                previous: previous.map(|kv| kv.value.clone()),
            };
            (state.commit(event), kv)
        };
        waiters.iter().for_each(|waiters| waiters.wake_all());
        Ok(kv)
    }

    /// Removes a key if `expect` holds (`Absent` never does). `last` makes the object that the event carries from the
    /// last value and the revision of the deletion.
    pub fn delete(
        &self,
        key: &str,
        expect: Expect,
        last: impl FnOnce(Revision, &Object) -> Object,
    ) -> Result<Object, Refused> {
        let (waiters, value) = {
            let mut state = self.0.borrow_mut();
            let Some(previous) = state.check(key, expect)? else { return Err(Refused::Unexpected(None)) };
            let revision = state.revision + 1;
            let value = last(revision, &previous.value);
            state.map.remove_mut(key);
            let event = Event {
                revision,
                op: Op::Deleted,
                key: Rc::clone(&previous.key),
                value: value.clone(),
                previous: Some(previous.value.clone()),
            };
            (state.commit(event), value)
        };
        waiters.iter().for_each(|waiters| waiters.wake_all());
        Ok(value)
    }

    /// Forgets everything before `revision`: it can no longer be read or watched from.
    pub fn compact(&self, revision: Revision) {
        let waiters: Vec<Rc<Waiters>> = {
            let mut state = self.0.borrow_mut();
            let revision = revision.min(state.revision);
            while state.snapshots.len() > 1 && state.snapshots[1].0 <= revision {
                state.snapshots.pop_front();
            }
            if let Some(first) = state.snapshots.front_mut() {
                first.0 = first.0.max(revision);
            }
            state.compacted = state.compacted.max(revision);
            for ring in state.rings.values_mut() {
                while ring.events.front().is_some_and(|e| e.event.revision <= revision) {
                    ring.drop_oldest();
                }
                ring.dropped = ring.dropped.max(revision);
            }
            let of_ring = |ring: &Ring| -> Vec<Rc<Waiters>> {
                let lanes = ring.lanes.values().map(|lane| &lane.waiters);
                std::iter::once(&ring.waiters).chain(lanes).map(Rc::clone).collect()
            };
            state.rings.values().flat_map(of_ring).collect()
        };
        waiters.iter().for_each(|w| w.wake_all());
    }

    // --- watching ---

    /// Every event after `revision` (0: from now on) on keys that start with `prefix`.
    ///
    /// The prefix must name its table in full, e.g. `pods/`.
    pub fn watch(&self, prefix: &str, revision: Revision) -> Result<Watcher, Compacted> {
        self.watch_from(prefix, revision, None)
    }

    /// As [`Etcd::watch`], and only of objects that are or were in a lane. A thousand such watchers cost a write no more than
    /// one: nobody wakes for what is in other lanes.
    ///
    /// The table has lanes: [`Etcd::divide`].
    pub fn watch_lane(&self, prefix: &str, revision: Revision, lane: &str) -> Result<Watcher, Compacted> {
        self.watch_from(prefix, revision, Some(lane))
    }

    /// Gives a table lanes.
    pub fn divide(&self, table: &str, lane_of: LaneOf) {
        self.0.borrow_mut().ring(table).lane_of = Some(lane_of);
    }

    fn watch_from(&self, prefix: &str, revision: Revision, lane: Option<&str>) -> Result<Watcher, Compacted> {
        let table: Rc<str> = Rc::from(table_of(prefix));
        assert!(table.len() < prefix.len(), "a watch names its table in full: {prefix:?}");
        let from = if revision == 0 { self.revision() } else { revision };
        let mut state = self.0.borrow_mut();
        let ring = state.ring(&table);
        if from < ring.dropped {
            return Err(Compacted { requested: from, oldest: ring.dropped });
        }
        let lane: Option<Rc<str>> = lane.map(Rc::from);
        if let Some(lane) = &lane {
            assert!(ring.lane_of.is_some(), "{table} has no lanes");
            ring.open(lane);
        }
        Ok(Watcher::new(self.clone(), table, lane, prefix.into(), from))
    }
}

/// The table that a key belongs to: its first segment.
fn table_of(key: &str) -> &str {
    key.split('/').next().unwrap_or(key)
}

impl State {
    fn check(&self, key: &str, expect: Expect) -> Result<Option<Rc<KeyValue>>, Refused> {
        if !self.members.can_commit() {
            return Err(Refused::NoLeader);
        }
        let current = self.map.get(key).cloned();
        let holds = match expect {
            Expect::Anything => true,
            Expect::Absent => current.is_none(),
            Expect::Revision(revision) => current.as_ref().is_some_and(|kv| kv.mod_revision == revision),
        };
        if holds { Ok(current) } else { Err(Refused::Unexpected(current.map(|kv| (*kv).clone()))) }
    }

    fn ring(&mut self, table: &str) -> &mut Ring {
        if !self.rings.contains_key(table) {
            let ring = Ring { dropped: self.compacted, ..Ring::default() };
            self.rings.insert(Rc::from(table), ring);
        }
        self.rings.get_mut(table).expect("inserted above if it was missing")
    }

    /// Makes the event's revision the current one; returns whom to wake.
    fn commit(&mut self, event: Event) -> Vec<Rc<Waiters>> {
        assert_eq!(event.revision, self.revision + 1, "revisions have no gaps");
        self.revision = event.revision;
        self.members.committed(event.revision);
        if self.snapshots.len() == SNAPSHOTS_MAX {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back((self.revision, self.map.clone()));
        let mut waiters = Vec::new();
        let table = Rc::clone(&event.key);
        self.ring(table_of(&table)).push(event, &mut waiters);
        waiters
    }
}
