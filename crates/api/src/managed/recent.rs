//! The sets that writers came to own lately, so that objects which are alike share one: five events of a container, or the
//! pods of a ReplicaSet, differ in what their fields hold and not in which fields are written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::entries::{Entry, ManagedFields};
use super::set::Set;

/// Different sets remembered of one writer: one of each set of pods that is on its way at the same time.
const SETS_MAX: usize = 8;
/// Writers remembered, each of one kind and subresource. Past that the remembered ones are forgotten and begin anew.
const WRITERS_MAX: usize = 256;

/// What writers of one server came to own lately.
#[derive(Debug, Default)]
pub struct Recent(BTreeMap<Writer, VecDeque<Arc<Set>>>);

/// Kind of the schema, manager, subresource.
type Writer = (&'static str, Box<str>, Box<str>);

impl Recent {
    /// The same managed fields, with equal sets in one place. Entries that others share already stay as they are; `schema`
    /// names the kind of the object.
    pub fn share(&mut self, schema: &'static str, mut managed: Arc<ManagedFields>) -> Arc<ManagedFields> {
        if let Some(own) = Arc::get_mut(&mut managed) {
            for entry in own.entries.iter_mut().filter(|e| Arc::strong_count(&e.fields) == 1) {
                self.put(schema, entry);
            }
        }
        managed
    }

    fn put(&mut self, schema: &'static str, entry: &mut Entry) {
        let writer = (schema, Box::from(&*entry.manager), Box::from(&*entry.subresource));
        if self.0.len() >= WRITERS_MAX && !self.0.contains_key(&writer) {
            self.0.clear();
        }
        let known = self.0.entry(writer).or_default();
        match known.iter().position(|set| **set == *entry.fields) {
            Some(index) => {
                entry.fields = Arc::clone(&known[index]);
                if let Some(set) = known.remove(index) {
                    known.push_front(set);
                }
            }
            None => {
                known.truncate(SETS_MAX - 1);
                known.push_front(Arc::clone(&entry.fields));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managed::{Operation, Text};
    use json::json;

    fn managed(manager: &str, field: &str) -> Arc<ManagedFields> {
        let fields = Arc::new(Set::from_fields(&json!({ "f:spec": { field: {} } })));
        let (operation, api_version) = (Operation::Update, Text::Static("v1"));
        let (subresource, time) = (Text::Static(""), Some("2026-01-01T00:00:00Z".into()));
        Arc::new(ManagedFields::new(vec![Entry {
            manager: manager.into(),
            operation,
            api_version,
            subresource,
            time,
            fields,
        }]))
    }

    #[test]
    fn equal_sets_of_a_writer_are_one() {
        let mut recent = Recent::default();
        let mut fields = |manager, field: &str| {
            let shared = recent.share("Pod", managed(manager, field));
            Arc::clone(&shared.entries()[0].fields)
        };
        let first = fields("kubelet", "f:a");
        assert!(Arc::ptr_eq(&first, &fields("kubelet", "f:a")));
        assert!(!Arc::ptr_eq(&first, &fields("kubelet", "f:b")));
        assert!(!Arc::ptr_eq(&first, &fields("other", "f:a")), "each writer's are looked through alone");
        for i in 0..SETS_MAX {
            fields("kubelet", &format!("f:other-{i}"));
        }
        assert!(!Arc::ptr_eq(&first, &fields("kubelet", "f:a")), "forgotten after so many others");
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let mut recent = Recent::default();
        for i in 0..2 * WRITERS_MAX {
            recent.share("Pod", managed(&format!("writer-{i}"), "f:a"));
        }
        assert!(recent.0.len() <= WRITERS_MAX);
    }
}
