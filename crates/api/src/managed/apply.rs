//! Server-side apply (`structured-merge-diff/merge/update.go`).

use std::sync::Arc;

use json::Value;

use super::compare::compare;
use super::entries::{Entry, ManagedFields, Operation};
use super::merge::merge;
use super::path::{Element, show};
use super::set::Set;
use super::typed::{Atom, field_set, remove, with_named};
use super::update::{BEFORE_FIRST_APPLY, Writer, strip};
use super::validate::validate;

/// The annotation of `kubectl apply` without `--server-side`.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A field that somebody else owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The owner, as messages name it: `"kubectl-edit" using apps/v1`.
    pub owner: String,
    /// The field, `.spec.replicas`.
    pub field: String,
    path: Vec<Element>,
}

/// Why a configuration was not applied.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It is not an object of its kind; the reason.
    Untyped(String),
    /// Others own what it would change.
    Conflicts(Vec<Conflict>),
}

/// What applying a configuration comes to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object; `None` if it stays as it is.
    pub object: Option<Value>,
    /// Who then owns what.
    pub managed: Arc<ManagedFields>,
}

/// One application of a configuration.
pub struct Applier<'a> {
    /// How the object's kind is owned.
    pub atom: Atom,
    /// Who applies.
    pub writer: Writer<'a>,
    /// Whether to take fields from their owners.
    pub force: bool,
}

impl Applier<'_> {
    /// Applies `config` to `live`. `zero` is an object of the kind of which nothing is set.
    ///
    /// # Errors
    /// The configuration does not fit the schema, or others own its fields.
    pub fn apply(
        &self,
        live: &Value,
        zero: &Value,
        managed: &Arc<ManagedFields>,
        config: &Value,
    ) -> Result<Applied, Refusal> {
        validate(self.atom, config).map_err(Refusal::Untyped)?;
        let managed = if managed.is_empty() {
            let before = Writer { manager: BEFORE_FIRST_APPLY, ..self.writer.clone() };
            managed.update(self.atom, zero, live, &before)
        } else {
            Arc::clone(managed)
        };
        let (config, managed) = (config, &managed);
        let mut applied = match self.once(live, managed, config, self.force) {
            Err(conflicts) if self.writer.manager == "kubectl" => {
                self.upgrade(live, managed, config, conflicts).map_err(Refusal::Conflicts)?
            }
            other => other.map_err(Refusal::Conflicts)?,
        };
        if self.writer.manager == "kubectl" {
            keep_last_applied(live, config, &mut applied);
        }
        Ok(applied)
    }

    /// What `kubectl apply` without `--server-side` set last, and nobody has changed since, is no conflict.
    fn upgrade(
        &self,
        live: &Value,
        managed: &Arc<ManagedFields>,
        config: &Value,
        conflicts: Vec<Conflict>,
    ) -> Result<Applied, Vec<Conflict>> {
        let Some(last) = last_applied(live) else { return Err(conflicts) };
        if last.get("apiVersion") != live.get("apiVersion") && live.get("apiVersion").is_some() {
            return Err(conflicts);
        }
        let change = compare(self.atom, &last, live);
        let allowed = field_set(self.atom, &last)
            .difference(&change.modified)
            .difference(&change.added)
            .difference(&change.removed);
        let rest: Vec<Conflict> = conflicts.into_iter().filter(|c| !allowed.has(&c.path)).collect();
        if rest.is_empty() { self.once(live, managed, config, true) } else { Err(rest) }
    }

    fn once(
        &self,
        live: &Value,
        managed: &Arc<ManagedFields>,
        config: &Value,
        force: bool,
    ) -> Result<Applied, Vec<Conflict>> {
        let mut own = field_set(self.atom, config);
        self.writer.reach.limit(&mut own);
        let unstripped = own.clone();
        strip(&mut own);
        let mine = self.writer.entry(Operation::Apply, own);
        let last = managed.entries.iter().find(|e| e.same_manager(&mine)).cloned();
        let others: Vec<&Entry> = managed.entries.iter().filter(|e| !e.same_manager(&mine)).collect();
        let merged = merge(self.atom, live, config);
        let new = match &last {
            Some(last) if !last.fields.is_empty() => self.prune(&merged, &others, &unstripped, &last.fields),
            _ => merged,
        };
        let mut change = compare(self.atom, live, &new);
        let same = change.is_empty();
        change.limit(self.writer.reach);
        let written = change.written();
        let mut conflicts = Vec::new();
        let mut entries = Vec::with_capacity(others.len() + 1);
        for entry in others {
            let taken = entry.fields.intersection(&written);
            taken.each(&mut Vec::new(), &mut |path| {
                conflicts.push(Conflict { owner: owner(entry), field: show(path), path: path.to_vec() });
            });
            let fields = if taken.is_empty() && !entry.fields.meets(&change.removed) {
                Arc::clone(&entry.fields)
            } else {
                Arc::new(entry.fields.difference(&taken).difference(&change.removed))
            };
            if !fields.is_empty() {
                entries.push(Entry { fields, ..entry.clone() });
            }
        }
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        if !mine.fields.is_empty() {
            // An application that changes nothing leaves the time of the last one.
            let time = if same { last.and_then(|l| l.time) } else { mine.time.clone() };
            entries.push(Entry { time, ..mine });
        }
        Ok(Applied { object: (!same).then_some(new), managed: Arc::new(ManagedFields::new(entries)) })
    }

    /// Takes away what this manager applied last time and not now, unless another manager owns it too.
    fn prune(&self, merged: &Value, others: &[&Entry], own: &Set, last: &Set) -> Value {
        let named = |set: &Set| with_named(set, self.atom);
        let last = named(last);
        let pruned = remove(self.atom, merged, &last);
        let owned = others.iter().fold(own.clone(), |all, entry| all.union(&entry.fields));
        let all = named(&field_set(self.atom, merged));
        // What is owned comes back.
        let left = named(&field_set(self.atom, &pruned)).union(&named(&owned));
        let pruned = remove(self.atom, merged, &all.difference(&left));
        // So does what this manager did not own either.
        let left = named(&field_set(self.atom, &pruned));
        remove(self.atom, merged, &all.difference(&left).intersection(&last))
    }
}

/// An owner as messages name it.
fn owner(entry: &Entry) -> String {
    let mut text = crate::text::go_quote(&entry.manager);
    if !entry.subresource.is_empty() {
        text += &format!(" with subresource {}", crate::text::go_quote(&entry.subresource));
    }
    if entry.operation == Operation::Update {
        text += &format!(" using {}", &*entry.api_version);
    }
    text
}

fn last_applied(live: &Value) -> Option<Value> {
    let text = live.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str()?;
    json::from_str(text).ok()
}

/// The annotation of `kubectl apply`, where it is, follows what kubectl applies by the server.
fn keep_last_applied(live: &Value, config: &Value, applied: &mut Applied) {
    if last_applied(applied.object.as_ref().unwrap_or(live)).is_none() {
        return;
    }
    let mut config = config.clone();
    if let Some(annotations) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let object = applied.object.get_or_insert_with(|| live.clone());
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.insert(LAST_APPLIED.into(), format!("{config}\n").into());
    }
}

impl Refusal {
    /// The message of the answer (`getConflictMessage`).
    pub fn message(&self) -> String {
        let conflicts = match self {
            Refusal::Untyped(why) => return why.clone(),
            Refusal::Conflicts(conflicts) => conflicts,
        };
        if let [one] = conflicts.as_slice() {
            return format!("Apply failed with 1 conflict: conflict with {}: {}", one.owner, one.field);
        }
        let mut owners: Vec<&str> = conflicts.iter().map(|c| c.owner.as_str()).collect();
        owners.sort_unstable();
        owners.dedup();
        let mut lines = Vec::new();
        for owner in owners {
            lines.push(format!("conflicts with {owner}:"));
            lines.extend(conflicts.iter().filter(|c| c.owner == owner).map(|c| format!("- {}", c.field)));
        }
        format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
    }
}
