//! What a reconciliation wants done: writes and events as values, in order.
//!
//! [`Plan`] collects them. It knows the rule of optimistic concurrency without asking a server: a second write to an
//! object needs the version that the first one gave back. Upstream's controllers run into that conflict by design (a
//! stale copy, a retry, a fresh look), and the order of their writes comes from it; a plan stops at the same place.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{Kind, Object};
use client::{DeleteOptions, PatchType};
use json::Value;

/// Versions that a plan gives to objects it has written, before a server has.
const DRAFT: &str = "draft:";

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A write. If it fails, the rest of the list is dropped.
    Write(Box<Write>),
    /// Writes that are all tried; if any fails, the rest of the list is dropped.
    Batch(Vec<Write>),
    /// An event about an object.
    Event(Note, Object),
    /// Go on only if the server, too, knows no such object, of this uid if there is one: the copies may lag. Otherwise the
    /// key comes back.
    Unless { kind: &'static Kind, key: String, uid: String },
    /// Go on only if the server holds nothing of the kind in a namespace, whatever the copies show. Otherwise the key comes
    /// back after a pause.
    UnlessAny { kind: &'static Kind, namespace: String, pause: Duration },
    /// Nothing yet: reconcile the key at once with the answer to a GET of this path, a list of `of`. It stands alone in a
    /// plan.
    Ask { path: String, of: &'static str },
    /// Keep a value for the next look at this key; `Null` forgets. It goes when the controllers stop.
    Remember(Value),
    /// Reconcile the key again after a pause.
    After(Duration),
    /// Reconcile the key again after the pause that its failures call for.
    Again,
}

/// A write with what is told about it.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) kind: &'static Kind,
    pub(crate) op: Op,
    /// Event when it has succeeded.
    pub(crate) success: Option<(Note, Object)>,
    /// Event when it has failed.
    pub(crate) failure: Option<(Note, Object)>,
    /// The number of the draft version that the answer replaces.
    draft: Option<usize>,
}

/// The kinds of writes.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create(Object),
    /// The whole object, at its version.
    Update(Object),
    /// A subresource (`status`, `finalize`), at its version.
    UpdateSub(&'static str, Object),
    Patch {
        namespace: String,
        name: String,
        sub: &'static str,
        patch_type: PatchType,
        patch: Value,
    },
    Delete {
        namespace: String,
        name: String,
        options: DeleteOptions,
    },
    DeleteCollection {
        namespace: String,
    },
}

/// The text of an event. `{name}` in the message is the name of the object that was written, `{error}` the server's
/// refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Note {
    pub(crate) event_type: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Note {
    pub(crate) fn normal(reason: &'static str, message: impl Into<String>) -> Note {
        Note { event_type: "Normal", reason, message: message.into() }
    }

    pub(crate) fn warning(reason: &'static str, message: impl Into<String>) -> Note {
        Note { event_type: "Warning", reason, message: message.into() }
    }
}

impl Write {
    pub(crate) fn new(kind: &'static Kind, op: Op) -> Write {
        Write { kind, op, success: None, failure: None, draft: None }
    }

    pub(crate) fn create(kind: &'static Kind, object: Object) -> Write {
        Write::new(kind, Op::Create(object))
    }

    pub(crate) fn patch(
        kind: &'static Kind,
        of: &Object,
        sub: &'static str,
        patch_type: PatchType,
        patch: Value,
    ) -> Write {
        let (namespace, name) = (of.namespace().to_owned(), of.name().to_owned());
        Write::new(kind, Op::Patch { namespace, name, sub, patch_type, patch })
    }

    /// Deletes this very object: one with the same name and another uid is left alone.
    pub(crate) fn delete(kind: &'static Kind, of: &Object) -> Write {
        let options = DeleteOptions { precondition_uid: Some(of.uid().to_owned()), ..DeleteOptions::default() };
        Write::delete_with(kind, of, options)
    }

    pub(crate) fn delete_with(kind: &'static Kind, of: &Object, options: DeleteOptions) -> Write {
        let (namespace, name) = (of.namespace().to_owned(), of.name().to_owned());
        Write::new(kind, Op::Delete { namespace, name, options })
    }

    /// Tells `note` about `object` when the write has succeeded.
    pub(crate) fn on_success(mut self, note: Note, object: &Object) -> Write {
        self.success = Some((note, object.clone()));
        self
    }

    /// Tells `note` about `object` when the write has failed.
    pub(crate) fn on_failure(mut self, note: Note, object: &Object) -> Write {
        self.failure = Some((note, object.clone()));
        self
    }

    /// The number under which later writes of the plan speak of this one's result.
    pub(crate) fn draft(&self) -> Option<usize> {
        self.draft
    }
}

impl From<Write> for Change {
    fn from(write: Write) -> Self {
        Change::Write(Box::new(write))
    }
}

/// The plan cannot go on: the next look will be at fresher objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflict;

/// The reconciliation could not even begin; nothing is to be written. Retried with back-off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Retry(pub(crate) String);

/// Collects changes.
#[derive(Default)]
pub(crate) struct Plan {
    changes: Vec<Change>,
    /// The current version of each object that the plan has written.
    written: BTreeMap<(String, String), String>,
    drafts: usize,
}

impl Plan {
    /// Adds a change that concerns no version.
    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds changes that concern no version.
    pub(crate) fn push_all(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.changes.extend(changes);
    }

    /// Adds a write that concerns no version.
    pub(crate) fn write(&mut self, write: Write) {
        self.changes.push(Change::Write(Box::new(write)));
    }

    /// Adds an event.
    pub(crate) fn event(&mut self, about: &Object, note: Note) {
        self.changes.push(Change::Event(note, about.clone()));
    }

    /// Creates an object and gives it as it will be, with a draft version.
    pub(crate) fn create(&mut self, mut write: Write) -> Object {
        let Op::Create(object) = &write.op else { unreachable!("only creations are drafted") };
        let mut object = object.clone();
        let number = self.next_draft();
        write.draft = Some(number);
        object.set("metadata.uid", format!("{DRAFT}{number}"));
        object.set("metadata.resourceVersion", format!("{DRAFT}{number}"));
        self.changes.push(Change::Write(Box::new(write)));
        object
    }

    /// Updates an object and gives it with its new (draft) version.
    ///
    /// # Errors
    /// [`Conflict`] when the plan has written the object since `object` was read.
    pub(crate) fn update(&mut self, write: Write) -> Result<Object, Conflict> {
        let mut write = write;
        let object = match &write.op {
            Op::Update(object) | Op::UpdateSub(_, object) => object.clone(),
            _ => unreachable!("only updates carry a version"),
        };
        let id = (write.kind.group_resource(), object.key());
        if self.written.get(&id).is_some_and(|current| current != object.resource_version()) {
            return Err(Conflict);
        }
        let number = self.next_draft();
        write.draft = Some(number);
        self.changes.push(Change::Write(Box::new(write)));
        let mut after = object;
        after.set("metadata.resourceVersion", format!("{DRAFT}{number}"));
        self.written.insert(id, after.resource_version().to_owned());
        Ok(after)
    }

    /// Updates the status, see [`Plan::update`].
    pub(crate) fn update_status(&mut self, kind: &'static Kind, object: &Object) -> Result<Object, Conflict> {
        self.update(Write::new(kind, Op::UpdateSub("status", object.clone())))
    }

    fn next_draft(&mut self) -> usize {
        self.drafts += 1;
        self.drafts - 1
    }

    /// Ends the plan; after a conflict the key comes back with a pause.
    pub(crate) fn finish(mut self, result: Result<(), Conflict>) -> Vec<Change> {
        if result.is_err() {
            self.changes.push(Change::Again);
        }
        self.changes
    }
}

/// The number of the draft whose version `object` carries.
pub(crate) fn draft_version(object: &Object) -> Option<usize> {
    object.resource_version().strip_prefix(DRAFT)?.parse().ok()
}

/// The plan in words, for tests: one line a change.
#[cfg(test)]
pub(crate) fn describe(changes: &[Change]) -> String {
    fn status(value: &Value) -> String {
        let fields = value.as_object().into_iter().flatten().filter(|(key, _)| *key != "conditions");
        let mut words: Vec<String> = fields.map(|(key, value)| format!("{key}={value}")).collect();
        for c in value["conditions"].as_array().into_iter().flatten() {
            words.push(format!("{}:{}:{}", c["type"], c["status"], c["reason"]).replace('"', ""));
        }
        words.join(" ")
    }
    fn write(w: &Write) -> String {
        let what = match &w.op {
            Op::Create(o) => {
                let name = if o.name().is_empty() { o.str("metadata.generateName") } else { o.name() };
                format!("create {} {name}", w.kind.kind)
            }
            Op::Update(o) => format!("update {} {} replicas={}", w.kind.kind, o.name(), o.at("spec.replicas")),
            Op::UpdateSub(sub, o) => format!("update {}/{sub} {}: {}", w.kind.kind, o.name(), status(o.at("status"))),
            Op::Patch { name, sub, patch, .. } => format!("patch {} {name} {sub} {patch}", w.kind.kind),
            Op::Delete { name, .. } => format!("delete {} {name}", w.kind.kind),
            Op::DeleteCollection { namespace } => format!("delete all {} in {namespace}", w.kind.plural),
        };
        match &w.success {
            Some((note, _)) => format!("{what} then {}: {}", note.reason, note.message),
            None => what,
        }
    }
    let line = |change: &Change| match change {
        Change::Write(w) => write(w),
        Change::Batch(ws) => format!("batch [{}]", ws.iter().map(write).collect::<Vec<_>>().join("; ")),
        Change::Event(note, about) => {
            format!("event {} {} {} {}: {}", about.kind(), about.name(), note.event_type, note.reason, note.message)
        }
        Change::Unless { kind, key, .. } => format!("unless {} {key} exists", kind.kind),
        Change::UnlessAny { kind, namespace, .. } => format!("unless any {} in {namespace}", kind.plural),
        Change::Ask { path, .. } => format!("ask {path}"),
        Change::Remember(value) => format!("remember {value}"),
        Change::After(pause) => format!("after {pause:?}"),
        Change::Again => "again".to_owned(),
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}
