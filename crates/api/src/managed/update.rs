//! Writes that are not server-side apply.

use std::collections::BTreeMap;
use std::sync::Arc;

use json::{Map, Value};

use super::compare::{Comparison, Reach, compare_in};
use super::entries::{Entry, ManagedFields, Operation};
use super::path::Text;
use super::set::Set;
use super::typed::Atom;
use crate::schema::{Definition, Type, normalize};

/// Entries of updates; older ones are put together (`DefaultMaxUpdateManagers`).
const UPDATE_ENTRIES_MAX: usize = 10;

/// The manager of entries that were put together.
const ANCIENT: &str = "ancient-changes";

/// The manager of what was there before anybody applied.
pub(super) const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Metadata that nobody owns.
const STRIPPED: &[&[&str]] = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Who writes, to what, and when.
#[derive(Clone, Debug)]
pub struct Writer<'a> {
    /// The manager; empty for an unknown one.
    pub manager: &'a str,
    /// `apps/v1`.
    pub api_version: &'a str,
    /// Empty for the object itself.
    pub subresource: &'a str,
    /// Now, RFC 3339.
    pub time: &'a str,
    /// What a write of this kind can change.
    pub reach: Reach<'a>,
}

impl Writer<'_> {
    /// An entry of this writer.
    pub(super) fn entry(&self, operation: Operation, fields: Set) -> Entry {
        Entry {
            manager: if self.manager.is_empty() { Text::Static("unknown") } else { self.manager.into() },
            operation,
            api_version: self.api_version.into(),
            subresource: self.subresource.into(),
            time: Some(self.time.into()),
            fields: Arc::new(fields),
        }
    }
}

/// Takes out the metadata that nobody owns.
pub(super) fn strip(set: &mut Set) {
    for path in STRIPPED {
        set.drop_member(path);
    }
}

impl ManagedFields {
    /// What is owned after `writer` has turned `old` into `new`. The same one comes back if nothing changes.
    pub fn update(self: &Arc<Self>, atom: Atom, old: &Value, new: &Value, writer: &Writer<'_>) -> Arc<Self> {
        let change = compare_in(atom, old, new, writer.reach);
        let mut own = change.written();
        strip(&mut own);
        if own.is_empty() && change.removed.is_empty() {
            return Arc::clone(self);
        }
        let mine = (!own.is_empty()).then(|| writer.entry(Operation::Update, own));
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        let mut previous = None;
        for entry in &self.entries {
            let is_mine = mine.as_ref().is_some_and(|m| m.same_manager(entry));
            match (is_mine, without(entry, &change)) {
                (true, _) => previous = Some(Arc::clone(&entry.fields)),
                (false, Some(entry)) => entries.push(entry),
                (false, None) => {}
            }
        }
        if let Some(mut mine) = mine {
            if let Some(previous) = previous {
                mine.fields = joined(previous, &mine.fields, &change.removed);
            }
            entries.push(mine);
        }
        Arc::new(capped(ManagedFields::new(entries)))
    }
}

/// What a manager owns of before and of now; the same set if that is nothing new.
fn joined(previous: Arc<Set>, own: &Set, removed: &Set) -> Arc<Set> {
    if previous.contains(own) && !previous.meets(removed) {
        return previous;
    }
    Arc::new(previous.difference(removed).union(own))
}

/// An entry of another manager, without what was taken from it; `None` if nothing is left.
fn without(entry: &Entry, change: &Comparison) -> Option<Entry> {
    let lost = [&change.modified, &change.added, &change.removed];
    if !lost.iter().any(|set| entry.fields.meets(set)) {
        return Some(entry.clone());
    }
    let fields = lost.iter().fold((*entry.fields).clone(), |fields, set| fields.difference(set));
    (!fields.is_empty()).then(|| Entry { fields: Arc::new(fields), ..entry.clone() })
}

/// Puts the oldest entries of updates together, by version, until there are no more than may be.
fn capped(mut managed: ManagedFields) -> ManagedFields {
    let is_update = |e: &Entry| e.operation == Operation::Update;
    let mut count = managed.entries.iter().filter(|e| is_update(e)).count();
    if count <= UPDATE_ENTRIES_MAX {
        return managed;
    }
    let mut first: BTreeMap<String, Entry> = BTreeMap::new();
    let mut kept = Vec::new();
    for entry in std::mem::take(&mut managed.entries) {
        if !is_update(&entry) || count <= UPDATE_ENTRIES_MAX {
            kept.push(entry);
            continue;
        }
        match first.get_mut(&*entry.api_version) {
            None => {
                first.insert(entry.api_version.to_string(), entry);
            }
            Some(bucket) => {
                bucket.fields = Arc::new(bucket.fields.union(&entry.fields));
                bucket.manager = Text::Static(ANCIENT);
                bucket.subresource = Text::Static("");
                bucket.time = entry.time;
                count -= 1;
            }
        }
    }
    kept.extend(first.into_values());
    ManagedFields::new(kept)
}

/// An object of which nothing is set, as Go would write it: the structs that are always there, and null or zero for what
/// is always written. Nobody owns what a new object has in common with it.
pub fn zero(definition: Option<&'static Definition>) -> Value {
    let mut value = Value::Object(Map::new());
    if let Some(definition) = definition {
        normalize(definition, &mut value);
        fill(definition, &mut value);
    }
    value
}

fn fill(definition: &'static Definition, value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    for property in &definition.properties {
        match map.get_mut(property.name) {
            Some(inner) => {
                if let (Type::Ref(_), Some(definition)) = (&property.ty, property.definition()) {
                    fill(definition, inner);
                }
            }
            None if property.required => {
                let zero = match &property.ty {
                    Type::String => "".into(),
                    Type::Int32 | Type::Int64 => 0.into(),
                    Type::Boolean => false.into(),
                    _ => Value::Null,
                };
                map.insert(property.name.into(), zero);
            }
            None => {}
        }
    }
}
