//! PUT and PATCH of an object or of its status (`Store.Update`, `rest.BeforeUpdate`).

use api::Object;
use api::status::{FieldError, FieldErrors, Status};
use etcd::Expect;
use json::Value;

use super::Context;
use crate::managed::{Changed, take};
use crate::strategy::{Strategy, keep};
use crate::value::{at, int, list, metadata_mut, text};
use crate::{admission, authorization, failure, validation};

/// Which part of an object a request changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status.
    Main,
    /// How many there should be, by way of another object: otherwise like everything.
    Scale,
    /// The status (and some metadata).
    Status,
    /// `spec.finalizers` of a namespace.
    Finalize,
    /// The node of a pod.
    Binding,
    /// The ephemeral containers of a pod.
    EphemeralContainers,
    /// The CPU and memory of a pod's containers.
    Resize,
    /// The conditions of a request for a certificate.
    Approval,
}

impl Part {
    /// Whether everything but the status may change.
    pub fn is_whole(self) -> bool {
        matches!(self, Part::Main | Part::Scale)
    }

    /// The subresource by which it is changed; empty for the object itself.
    pub fn subresource(self) -> &'static str {
        match self {
            Part::Main => "",
            Part::Scale => "scale",
            Part::Status => "status",
            Part::Finalize => "finalize",
            Part::Binding => "binding",
            Part::EphemeralContainers => "ephemeralcontainers",
            Part::Resize => "resize",
            Part::Approval => "approval",
        }
    }
}

impl Context<'_> {
    /// Changes an object. `change` makes the new object from the stored one.
    ///
    /// A change that changes nothing writes nothing: the stored object comes back with its old resourceVersion.
    pub fn update<C: Into<Changed>>(
        &self,
        strategy: &'static Strategy,
        part: Part,
        (namespace, name): (&str, &str),
        change: impl FnOnce(&Object) -> Result<C, Status>,
    ) -> Result<Object, Status> {
        let kind = strategy.kind;
        let stored = self.require(kind, namespace, name)?;
        let old = stored.value.value();
        let Changed { value: mut new, managed } = change(&stored.value)?.into();
        let sent = take(&mut new);
        self.check_target(strategy, (namespace, name), &mut new, old)?;
        let mut errors = FieldErrors::new();
        immutable_uid(&new, old, &mut errors);
        keep_system_fields(&mut new, old);
        strategy.fill_in(&mut new);
        let managed = managed.unwrap_or_else(|| self.managed_of_change(strategy, part, &stored.value, &new, sent));
        match part {
            Part::Main | Part::Scale => {
                if strategy.has_status {
                    keep(&mut new, old, "status");
                }
                (strategy.prepare_update)(self, &mut new, old)?;
            }
            Part::Status => {
                keep(&mut new, old, "spec");
                (strategy.prepare_status)(&mut new, old);
            }
            Part::EphemeralContainers => crate::strategy::pod::keep_all_but_ephemeral(&mut new, old),
            Part::Resize => {
                // In this order: of what plugins fill in, too, nothing but resources is kept.
                admission::before_resize(self, namespace, &mut new, old)?;
                crate::strategy::pod::keep_all_but_resources(&mut new, old)?;
            }
            Part::Approval => crate::strategy::certificates::approve(&mut new, old, &self.now()),
            Part::Finalize | Part::Binding => {}
        }
        super::decode::normalise(&mut new, kind, super::decode::known_form(strategy, old));
        if matches!(part, Part::Main | Part::Scale | Part::EphemeralContainers | Part::Resize) {
            count_generation(strategy, &mut new, old);
        }
        validation::metadata::validate(&new, kind, strategy.name_rule, &mut errors);
        validation::metadata::validate_update(&new, old, &mut errors);
        if part.is_whole() {
            strategy.check(&new, &mut errors);
            (strategy.validate_update)(&new, old, &mut errors);
        }
        if part == Part::Status && crate::custom::of(kind).is_some() {
            strategy.check(&new, &mut errors);
        }
        if part.is_whole() || part == Part::Status {
            let warned = crate::custom::check_rules(kind, &new, Some(old), &mut errors);
            self.warnings.borrow_mut().extend(warned);
        }
        if part == Part::Approval {
            crate::strategy::certificates::validate_approval(&new, old, &mut errors);
        }
        if part == Part::EphemeralContainers {
            strategy.check(&new, &mut errors);
            validation::ephemeral::validate_update(&new, old, &mut errors);
        }
        if part == Part::Resize {
            strategy.check(&new, &mut errors);
            validation::resize::validate_update(&new, old, &mut errors);
        }
        if !errors.is_empty() {
            return Err(failure::invalid(kind, name, &errors));
        }
        authorization::escalation::check(self, kind, namespace, &new, Some(old))?;
        admission::asked::check_permission(self, kind, &new, Some(old))?;
        admission::validate_update(self, kind, part, namespace, (&new, old))?;
        // A write keeps what it has in common with what was there: without that every revision would hold a copy of most of it.
        let is_same = new.settle(Some(old));
        // Times alone are no change.
        if is_same && stored.value.managed().map_or(managed.is_empty(), |m| m.same_but_times(&managed)) {
            return Ok(stored.value.clone());
        }
        if part.is_whole() {
            self.warnings.borrow_mut().extend((strategy.warnings)(&new));
        }
        if deletes_itself(&new, old) {
            return self.erase_with(kind, Object::with_managed(new, managed));
        }
        self.commit(kind, Expect::Revision(stored.mod_revision), new, managed)
    }

    /// Checks name, namespace and resourceVersion of the new object against the URL and the stored object.
    fn check_target(
        &self,
        strategy: &Strategy,
        (namespace, name): (&str, &str),
        new: &mut Value,
        old: &Value,
    ) -> Result<(), Status> {
        let kind = strategy.kind;
        let own_name = text(new, "metadata.name");
        if own_name.is_empty() {
            metadata_mut(new).insert("name".into(), name.into());
        } else if own_name != name {
            return Err(Status::bad_request(format!(
                "the name of the object ({own_name}) does not match the name on the URL ({name})"
            )));
        }
        let own_namespace = text(new, "metadata.namespace");
        if own_namespace.is_empty() && kind.namespaced {
            metadata_mut(new).insert("namespace".into(), namespace.into());
        } else if own_namespace != if kind.namespaced { namespace } else { "" } {
            return Err(Status::bad_request(format!(
                "the namespace of the object ({own_namespace}) does not match the namespace on the request ({namespace})"
            )));
        }
        let version = text(new, "metadata.resourceVersion");
        if matches!(version, "" | "0") {
            if !strategy.unconditional_update {
                let mut errors = FieldErrors::new();
                errors.push(FieldError::invalid("metadata.resourceVersion", 0, "must be specified for an update"));
                return Err(failure::invalid(kind, name, &errors));
            }
        } else if version != text(old, "metadata.resourceVersion") {
            if version.parse::<u64>().is_err() {
                return Err(Status::bad_request(format!(
                    "invalid resource version {version:?}: strconv.ParseUint: parsing {version:?}: invalid syntax"
                )));
            }
            return Err(failure::modified(kind, name));
        }
        Ok(())
    }

    /// Removes an object whose last update took its last finalizer away.
    pub(super) fn erase_with(&self, kind: &'static api::Kind, last: Object) -> Result<Object, Status> {
        self.erase(kind, &last)?;
        Ok(last)
    }
}

/// Refuses a PUT of an object that was meant for another of the same name, or for one that is gone (then the uid of what is
/// stored is empty).
pub fn same_object(kind: &api::Kind, name: &str, new: &Value, stored_uid: &str) -> Result<(), Status> {
    let uid = text(new, "metadata.uid");
    if uid.is_empty() || uid == stored_uid {
        return Ok(());
    }
    let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {stored_uid}");
    Err(failure::conflict(kind, name, &why))
}

fn immutable_uid(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let uid = text(new, "metadata.uid");
    if !uid.is_empty() && uid != text(old, "metadata.uid") {
        errors.push(FieldError::invalid("metadata.uid", uid, validation::IMMUTABLE));
    }
}

/// What an update can never change.
fn keep_system_fields(new: &mut Value, old: &Value) {
    let old = at(old, "metadata").clone();
    let metadata = metadata_mut(new);
    metadata.remove("selfLink");
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
        "generateName",
    ] {
        match old.get(field) {
            Some(value) => metadata.insert(field.into(), value.clone()),
            None => metadata.remove(field),
        };
    }
}

fn count_generation(strategy: &Strategy, new: &mut Value, old: &Value) {
    if let Some(changed) = strategy.generation
        && changed(new, old)
    {
        let next = int(old, "metadata.generation").unwrap_or(0) + 1;
        metadata_mut(new).insert("generation".into(), next.into());
    }
}

/// `ShouldDeleteDuringUpdate`: deletion was asked for, no grace is left and no finalizer either.
fn deletes_itself(new: &Value, old: &Value) -> bool {
    list(new, "metadata.finalizers").is_empty()
        && list(new, "spec.finalizers").is_empty()
        && !at(old, "metadata.deletionTimestamp").is_null()
        && int(old, "metadata.deletionGracePeriodSeconds").unwrap_or(0) == 0
}
