//! What the controllers know of the cluster: one copy of each kind, shared by all of them, with the indexes they need.
//!
//! Invariant: a cache changes only in the informer's handler, so a reconciliation, which never waits, sees one state.

use std::collections::BTreeMap;

use api::{Kind, Object};
use client::Event;
use json::Value;

use crate::pods::Facts;

/// Where labels are.
const LABELS: &str = "metadata.labels";

/// What somebody controls, or nobody.
pub(crate) struct Member {
    /// The object.
    pub(crate) object: Object,
    /// Its labels, at hand: claims ask for those of every object at every look.
    labels: Value,
    /// What is known of it if it is a pod.
    pub(crate) facts: Facts,
}

impl Member {
    fn of(object: &Object) -> Member {
        Member { object: object.clone(), labels: object.at(LABELS).clone(), facts: Facts::of(object) }
    }
}

/// What can be claimed: an object with labels.
pub(crate) trait Labelled {
    /// The object.
    fn object(&self) -> &Object;
    /// `metadata.labels`
    fn labels(&self) -> &Value;
}

impl Labelled for Object {
    fn object(&self) -> &Object {
        self
    }

    fn labels(&self) -> &Value {
        self.at(LABELS)
    }
}

impl Labelled for Member {
    fn object(&self) -> &Object {
        &self.object
    }

    fn labels(&self) -> &Value {
        &self.labels
    }
}

/// The copy of one kind.
#[derive(Default)]
pub(crate) struct Cache {
    objects: BTreeMap<String, Object>,
    /// By (namespace, uid of the controlling owner); the empty uid stands for orphans.
    by_controller: BTreeMap<(String, String), BTreeMap<String, Member>>,
    /// By uid of any owner.
    by_owner: BTreeMap<String, BTreeMap<String, Object>>,
    /// The newest revision that has come in, of any object of the kind.
    revision: u64,
}

impl Cache {
    /// Takes in a change.
    pub(crate) fn apply(&mut self, event: &Event) {
        let object = event.object();
        let key = object.key();
        self.revision = self.revision.max(object.resource_version().parse().unwrap_or(0));
        if !matches!(event, Event::Deleted(_)) && self.replace(&key, object) {
            return;
        }
        if let Some(old) = self.objects.remove(&key) {
            self.unindex(&old, &key);
        }
        if !matches!(event, Event::Deleted(_)) {
            self.by_controller.entry(index_of(object)).or_default().insert(key.clone(), Member::of(object));
            for uid in owner_uids(object) {
                self.by_owner.entry(uid.to_owned()).or_default().insert(key.clone(), object.clone());
            }
            self.objects.insert(key, object.clone());
        }
    }

    /// Puts an object in the place of its last state, if its owners are the same: most changes are such.
    fn replace(&mut self, key: &str, object: &Object) -> bool {
        let owners = |object: &Object| object.at("metadata.ownerReferences").clone();
        let Some(old) = self.objects.get_mut(key).filter(|old| owners(old) == owners(object)) else { return false };
        *old = object.clone();
        if let Some(member) = self.by_controller.get_mut(&index_of(object)).and_then(|members| members.get_mut(key)) {
            *member = Member::of(object);
        }
        for uid in owner_uids(object) {
            if let Some(owned) = self.by_owner.get_mut(uid).and_then(|owned| owned.get_mut(key)) {
                *owned = object.clone();
            }
        }
        true
    }

    fn unindex(&mut self, old: &Object, key: &str) {
        let index = index_of(old);
        if let Some(keys) = self.by_controller.get_mut(&index) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_controller.remove(&index);
            }
        }
        for uid in owner_uids(old) {
            if let Some(keys) = self.by_owner.get_mut(uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_owner.remove(uid);
                }
            }
        }
    }

    /// One object by key.
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    /// Everything, in the order of keys.
    pub(crate) fn list(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// Everything in a namespace, in the order of names.
    pub(crate) fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Object> {
        let prefix = format!("{namespace}/");
        let start = prefix.clone();
        self.objects.range(start..).take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, object)| object)
    }

    /// What the owner with this uid controls, in the order of names; for the empty uid, what nobody controls.
    pub(crate) fn controlled_by<'a>(
        &'a self,
        namespace: &str,
        uid: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.members(namespace, uid).map(|member| &member.object)
    }

    /// The same, with what is known of pods.
    pub(crate) fn members<'a>(&'a self, namespace: &str, uid: &str) -> impl Iterator<Item = &'a Member> + use<'a> {
        self.by_controller.get(&(namespace.to_owned(), uid.to_owned())).into_iter().flat_map(BTreeMap::values)
    }

    /// What has an owner reference to this uid.
    pub(crate) fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Object> {
        self.by_owner.get(uid).into_iter().flat_map(BTreeMap::values)
    }

    /// The newest revision that has come in.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }
}

fn owner_uids(object: &Object) -> impl Iterator<Item = &str> {
    object.list("metadata.ownerReferences").iter().filter_map(|reference| reference["uid"].as_str())
}

fn index_of(object: &Object) -> (String, String) {
    (object.namespace().to_owned(), controller_uid(object).unwrap_or("").to_owned())
}

/// The uid of the controlling owner. Asked of every pod at every look, so nothing is copied.
pub(crate) fn controller_uid(object: &Object) -> Option<&str> {
    let references = object.list("metadata.ownerReferences");
    references.iter().find(|reference| reference["controller"] == true)?["uid"].as_str()
}

static EMPTY: Cache =
    Cache { objects: BTreeMap::new(), by_controller: BTreeMap::new(), by_owner: BTreeMap::new(), revision: 0 };

/// The copies of all kinds.
#[derive(Default)]
pub(crate) struct Caches {
    /// By plural and group.
    copies: BTreeMap<(&'static str, &'static str), Cache>,
    /// Kinds that definitions have added, by resource as messages name it.
    added: BTreeMap<String, &'static Kind>,
}

impl Caches {
    /// The copy of a kind; empty if it is not followed.
    pub(crate) fn of(&self, kind: &Kind) -> &Cache {
        self.copies.get(&(kind.plural, kind.group)).unwrap_or(&EMPTY)
    }

    /// Takes in a change.
    pub(crate) fn apply(&mut self, kind: &Kind, event: &Event) {
        self.copies.entry((kind.plural, kind.group)).or_default().apply(event);
    }

    /// A definition has added a kind.
    pub(crate) fn add(&mut self, kind: &'static Kind) {
        self.added.insert(kind.group_resource(), kind);
    }

    /// The kind of a definition is gone, and so is the copy.
    pub(crate) fn remove(&mut self, resource: &str) {
        self.added.remove(resource);
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        self.copies.retain(|kind, _| *kind != (plural, group));
    }

    /// Every kind: those of the table, and those that were added.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &'static Kind> {
        api::kinds::KINDS.iter().copied().chain(self.added.values().copied())
    }

    /// The row for an `apiVersion` and `kind`; of kinds that were added, any version will do.
    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let added = || self.added.values().copied().find(|k| k.group == group && k.kind == kind);
        api::kinds::by_kind(api_version, kind).or_else(added)
    }

    /// A world for tests.
    #[cfg(test)]
    pub(crate) fn with(objects: &[Object]) -> Caches {
        let mut caches = Caches::default();
        for object in objects {
            let kind = api::kinds::by_kind(object.api_version(), object.kind()).expect("a kind of the table");
            caches.apply(kind, &Event::Added(object.clone()));
        }
        caches
    }
}

#[cfg(test)]
mod tests {
    use api::kinds::PODS;
    use json::json;

    use super::*;

    fn pod(phase: &str, owners: &[&str]) -> Object {
        let owners: Vec<Value> = owners.iter().map(|uid| json!({"uid": uid, "controller": true})).collect();
        Object::new(json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "d", "ownerReferences": owners},
            "status": {"phase": phase}}))
    }

    #[test]
    fn an_object_is_found_by_its_owners_as_it_is_now() {
        let mut caches = Caches::default();
        let mut phases = |event: Event| {
            caches.apply(&PODS, &event);
            let pods = caches.of(&PODS);
            let phase = |object: &Object| object.str("status.phase").to_owned();
            let of = |uid: &str| -> String {
                let members: Vec<&Member> = pods.members("d", uid).collect();
                assert!(members.iter().all(|member| member.facts == Facts::of(&member.object)));
                let owned: Vec<String> = pods.owned_by(uid).map(phase).collect();
                let controlled: Vec<String> = members.iter().map(|member| phase(&member.object)).collect();
                assert!(uid.is_empty() || owned == controlled);
                controlled.concat()
            };
            [pods.get("d/p").map(phase).unwrap_or_default(), of("a"), of("b"), of("")]
        };
        let modified = |new: Object| Event::Modified { old: pod("", &[]), new };
        assert_eq!(phases(Event::Added(pod("Pending", &["a"]))), ["Pending", "Pending", "", ""]);
        assert_eq!(phases(modified(pod("Running", &["a"]))), ["Running", "Running", "", ""]);
        assert_eq!(phases(modified(pod("Running", &["b"]))), ["Running", "", "Running", ""]);
        assert_eq!(phases(modified(pod("Failed", &[]))), ["Failed", "", "", "Failed"]);
        assert_eq!(phases(modified(pod("Gone", &[]))), ["Gone", "", "", "Gone"]);
        assert_eq!(phases(Event::Deleted(pod("Gone", &[]))), ["", "", "", ""]);
    }
}
