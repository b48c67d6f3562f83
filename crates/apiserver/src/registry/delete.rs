//! DELETE: graceful deletion, finalizers, propagation (`Store.Delete`, `rest.BeforeDelete`).

use api::status::Status;
use api::{Kind, Object, ObjectList};
use etcd::Expect;
use json::{Value, json};
use simulation::{Duration, Time};

use super::Context;
use crate::admission::attributes::Attributes;
use crate::request::Query;
use crate::strategy::Strategy;
use crate::value::{at, int, list, metadata_mut, text};
use crate::{admission, failure};

/// Finalizer of a foreground deletion.
const FOREGROUND: &str = "foregroundDeletion";
/// Finalizer of a deletion that leaves the dependents.
const ORPHAN: &str = "orphan";

/// `metav1.DeleteOptions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteOptions {
    /// How long the object may take to end, in seconds.
    pub grace_period_seconds: Option<i64>,
    /// `Orphan`, `Background` or `Foreground`.
    pub propagation: Option<String>,
    /// The deprecated form of `propagation`.
    pub orphan_dependents: Option<bool>,
    /// Only an object of this uid.
    pub uid: Option<String>,
    /// Only an object at this revision.
    pub resource_version: Option<String>,
}

impl DeleteOptions {
    /// From the body of a DELETE.
    pub fn from_value(value: &Value) -> Self {
        let string = |path: &str| at(value, path).as_str().filter(|t| !t.is_empty()).map(str::to_owned);
        DeleteOptions {
            grace_period_seconds: int(value, "gracePeriodSeconds"),
            propagation: string("propagationPolicy"),
            orphan_dependents: value.get("orphanDependents").and_then(Value::as_bool),
            uid: string("preconditions.uid"),
            resource_version: string("preconditions.resourceVersion"),
        }
    }

    /// What is said, as a body says it.
    pub fn to_value(&self) -> Value {
        let mut found = json!({
            "gracePeriodSeconds": self.grace_period_seconds, "propagationPolicy": self.propagation,
            "orphanDependents": self.orphan_dependents,
        });
        let mut preconditions = json!({"uid": self.uid, "resourceVersion": self.resource_version});
        for value in [&mut preconditions, &mut found] {
            value.as_object_mut().into_iter().for_each(|map| map.retain(|_, v| !v.is_null()));
        }
        if preconditions.as_object().is_some_and(|map| !map.is_empty()) {
            found["preconditions"] = preconditions;
        }
        found
    }
}

/// What became of a deletion.
pub enum Deleted {
    /// The object is gone; its last state.
    Gone(Object),
    /// The object will go when its grace and finalizers allow; its present state.
    Pending(Object),
}

enum Grace {
    /// The object goes at once.
    None,
    /// The object was given (or shortened to) this many seconds.
    Given(i64),
    /// A deletion is under way and this one does not shorten it.
    Pending,
}

impl Context<'_> {
    /// Deletes an object, or begins to, if policies allow it.
    pub fn delete(
        &self,
        strategy: &'static Strategy,
        place: (&str, &str),
        options: &DeleteOptions,
    ) -> Result<Deleted, Status> {
        self.delete_if(strategy, place, options, |object| self.may_delete(strategy, place, options, object))
    }

    /// Deletes a pod, or begins to: policies have been asked about its eviction.
    pub fn delete_evicted(
        &self,
        strategy: &'static Strategy,
        place: (&str, &str),
        options: &DeleteOptions,
    ) -> Result<Deleted, Status> {
        self.delete_if(strategy, place, options, |_| Ok(()))
    }

    /// Asks the policies about a deletion. One of a collection has no name then, as upstream.
    fn may_delete(
        &self,
        strategy: &Strategy,
        (namespace, name): (&str, &str),
        options: &DeleteOptions,
        object: &Object,
    ) -> Result<(), Status> {
        admission::ask(self, || Attributes {
            old: Some(object.value()),
            options: Some(options),
            ..Attributes::new("DELETE", strategy.kind, namespace, name)
        })
    }

    fn delete_if(
        &self,
        strategy: &'static Strategy,
        (namespace, name): (&str, &str),
        options: &DeleteOptions,
        may: impl Fn(&Object) -> Result<(), Status>,
    ) -> Result<Deleted, Status> {
        let kind = strategy.kind;
        let stored = self.require(kind, namespace, name)?;
        check_preconditions(kind, &stored.value, options)?;
        if std::ptr::eq(kind, &api::kinds::NAMESPACES) {
            return self.delete_namespace(&stored, options, may);
        }
        let begins = std::ptr::eq(kind, &api::kinds::CUSTOM_RESOURCE_DEFINITIONS) && !stored.value.is_deleting();
        if begins {
            may(&stored.value)?;
            let mut object = stored.value.value().clone();
            crate::custom::definition::begin_deletion(self, &mut object);
            let managed = stored.value.managed().cloned().unwrap_or_default();
            return self.commit(kind, Expect::Revision(stored.mod_revision), object, managed).map(Deleted::Pending);
        }
        let mut object = stored.value.value().clone();
        let managed = stored.value.managed().cloned().unwrap_or_default();
        let grace = begin_grace(strategy, &mut object, options, self.server.sim.now());
        if matches!(grace, Grace::Pending) {
            return Ok(Deleted::Pending(stored.value.clone()));
        }
        may(&stored.value)?;
        set_propagation(&mut object, options);
        let finalizers_left = !list(&object, "metadata.finalizers").is_empty();
        if matches!(grace, Grace::None) {
            if !finalizers_left {
                return self.erase(kind, &stored.value).map(Deleted::Gone);
            }
            mark_deleting(&mut object, self.server.sim.now());
        }
        let written = if object == *stored.value.value() {
            stored.value.clone()
        } else {
            self.commit(kind, Expect::Revision(stored.mod_revision), object, managed)?
        };
        match grace {
            Grace::Given(0) if !finalizers_left => self.erase(kind, &written).map(Deleted::Gone),
            _ => Ok(Deleted::Pending(written)),
        }
    }

    /// Deletes every matching object of a collection; answers with what was deleted.
    pub fn delete_collection(
        &self,
        strategy: &'static Strategy,
        namespace: &str,
        query: &Query,
        options: &DeleteOptions,
    ) -> Result<ObjectList, Status> {
        let mut list = self.list(strategy, namespace, query)?;
        for item in &mut list.items {
            let may = |object: &Object| self.may_delete(strategy, (object.namespace(), ""), options, object);
            match self.delete_if(strategy, (item.namespace(), item.name()), options, may) {
                Ok(Deleted::Gone(object) | Deleted::Pending(object)) => *item = object,
                Err(status) if status.is("NotFound") => {}
                Err(status) => return Err(status),
            }
        }
        Ok(list)
    }

    /// Namespaces wait in `Terminating` until the namespace controller has taken their spec.finalizers away
    /// (pkg/registry/core/namespace/storage).
    fn delete_namespace(
        &self,
        stored: &etcd::KeyValue,
        options: &DeleteOptions,
        may: impl Fn(&Object) -> Result<(), Status>,
    ) -> Result<Deleted, Status> {
        let kind = &api::kinds::NAMESPACES;
        let name = stored.value.name();
        if matches!(name, "default" | "kube-system" | "kube-public") {
            return Err(failure::forbidden(kind, name, "this namespace may not be deleted"));
        }
        if !stored.value.is_deleting() {
            may(&stored.value)?;
            let mut object = stored.value.value().clone();
            metadata_mut(&mut object).insert("deletionTimestamp".into(), self.now().into());
            set_propagation(&mut object, options);
            object["status"]["phase"] = "Terminating".into();
            let managed = stored.value.managed().cloned().unwrap_or_default();
            return self.commit(kind, Expect::Revision(stored.mod_revision), object, managed).map(Deleted::Pending);
        }
        if !list(stored.value.value(), "spec.finalizers").is_empty() {
            let why = "The system is ensuring all content is removed from this namespace.  Upon completion, this \
                       namespace will automatically be purged by the system.";
            return Err(failure::conflict(kind, name, why));
        }
        if !list(stored.value.value(), "metadata.finalizers").is_empty() {
            return Ok(Deleted::Pending(stored.value.clone()));
        }
        may(&stored.value)?;
        self.erase(kind, &stored.value).map(Deleted::Gone)
    }
}

/// The answer to a deletion: the object where the kind or the wait asks for it, a Status otherwise.
pub fn answer(strategy: &Strategy, deleted: Deleted) -> Object {
    match deleted {
        Deleted::Pending(object) => object,
        Deleted::Gone(object) if strategy.returns_deleted => object,
        Deleted::Gone(object) => {
            let kind = strategy.kind;
            Status::deleted(kind.group, kind.plural, object.name(), object.uid()).to_object()
        }
    }
}

fn check_preconditions(kind: &Kind, object: &Object, options: &DeleteOptions) -> Result<(), Status> {
    if let Some(uid) = options.uid.as_deref()
        && uid != object.uid()
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            object.uid()
        );
        return Err(Status::conflict(kind.group, kind.kind, object.name(), &why));
    }
    if let Some(version) = options.resource_version.as_deref()
        && version != object.resource_version()
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            object.resource_version()
        );
        return Err(Status::conflict(kind.group, kind.kind, object.name(), &why));
    }
    Ok(())
}

/// Sets or shortens the grace period.
fn begin_grace(strategy: &Strategy, object: &mut Value, options: &DeleteOptions, now: Time) -> Grace {
    let asked = options.grace_period_seconds.map(|s| if s < 0 { 1 } else { s });
    if let Some(deletion) = Time::parse_rfc3339(text(object, "metadata.deletionTimestamp")) {
        let Some(current) = int(object, "metadata.deletionGracePeriodSeconds") else { return Grace::None };
        return match asked {
            Some(period) if period < current => {
                let at = deletion - seconds(current) + seconds(period);
                let metadata = metadata_mut(object);
                metadata.insert("deletionTimestamp".into(), at.rfc3339().into());
                metadata.insert("deletionGracePeriodSeconds".into(), period.into());
                Grace::Given(period)
            }
            _ => Grace::Pending,
        };
    }
    let Some(grace) = strategy.grace else { return Grace::None };
    let period = grace(object, asked);
    let generation = int(object, "metadata.generation").unwrap_or(0);
    let metadata = metadata_mut(object);
    metadata.insert("deletionTimestamp".into(), (now + seconds(period)).rfc3339().into());
    metadata.insert("deletionGracePeriodSeconds".into(), period.into());
    if generation > 0 {
        metadata.insert("generation".into(), (generation + 1).into());
    }
    Grace::Given(period)
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

/// Marks an object that only its finalizers still hold (`markAsDeleting`).
fn mark_deleting(object: &mut Value, now: Time) {
    let generation = int(object, "metadata.generation").unwrap_or(0);
    let metadata = metadata_mut(object);
    if !metadata.contains_key("deletionTimestamp") {
        metadata.insert("deletionTimestamp".into(), now.rfc3339().into());
        if generation > 0 {
            metadata.insert("generation".into(), (generation + 1).into());
        }
    }
    metadata.insert("deletionGracePeriodSeconds".into(), 0.into());
}

/// Adds or removes the garbage collector's finalizers as the options say
/// (`deletionFinalizersForGarbageCollection`).
fn set_propagation(object: &mut Value, options: &DeleteOptions) {
    let policy = match (options.propagation.as_deref(), options.orphan_dependents) {
        (Some(policy), _) => policy,
        (None, Some(true)) => "Orphan",
        (None, Some(false)) => "Background",
        (None, None) => return,
    };
    let wanted = match policy {
        "Orphan" => Some(ORPHAN),
        "Foreground" => Some(FOREGROUND),
        _ => None,
    };
    let old = list(object, "metadata.finalizers");
    let mut new: Vec<Value> =
        old.iter().filter(|f| f.as_str() != Some(ORPHAN) && f.as_str() != Some(FOREGROUND)).cloned().collect();
    new.extend(wanted.map(Value::from));
    let metadata = metadata_mut(object);
    if new.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), json!(new));
    }
}
