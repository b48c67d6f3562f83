//! POST of a new object (`Store.Create`, `rest.BeforeCreate`).

use std::sync::Arc;

use api::Object;
use api::managed::ManagedFields;
use api::status::{FieldErrors, Status};
use etcd::Expect;
use json::Value;
use simulation::TraceKind;

use super::Context;
use crate::managed::{Changed, take};
use crate::strategy::Strategy;
use crate::value::{metadata_mut, text};
use crate::{admission, authorization, failure, validation};

/// How often a generated name that is taken is drawn again (`maxNameGenerationCreateAttempts`).
const NAME_ATTEMPTS_MAX: usize = 8;
/// The longest prefix that a generated name keeps, in bytes (`names.MaxGeneratedNameLength`).
const GENERATED_PREFIX_BYTES_MAX: usize = 58;
/// Objects in the store: a thousand nodes with ten thousand pods and the events of each. Of small ones so many take some
/// 500 MB.
const OBJECTS_MAX: usize = 200_000;
/// Letters added to a generated name.
const SUFFIX_LETTERS: usize = 5;

impl Context<'_> {
    /// Creates `object` (already decoded) in `namespace`.
    pub fn create(
        &self,
        strategy: &'static Strategy,
        namespace: &str,
        object: impl Into<Changed>,
    ) -> Result<Object, Status> {
        let Changed { value: object, managed } = object.into();
        let generated = text(&object, "metadata.name").is_empty() && !text(&object, "metadata.generateName").is_empty();
        let mut attempts = if generated { NAME_ATTEMPTS_MAX } else { 1 };
        loop {
            attempts -= 1;
            match self.create_once(strategy, namespace, object.clone(), managed.clone()) {
                Err(status) if status.is("AlreadyExists") && attempts > 0 => continue,
                Err(status) if status.is("AlreadyExists") && generated => {
                    let name = text(&object, "metadata.generateName");
                    return Err(Status::generate_name_conflict(strategy.kind.group, strategy.kind.plural, name));
                }
                result => return result,
            }
        }
    }

    fn create_once(
        &self,
        strategy: &'static Strategy,
        namespace: &str,
        mut object: Value,
        managed: Option<Arc<ManagedFields>>,
    ) -> Result<Object, Status> {
        let kind = strategy.kind;
        place(&mut object, if kind.namespaced { namespace } else { "" })?;
        let sent = take(&mut object);
        strategy.fill_in(&mut object);
        // What the client sends and what it means by that is its own; what admission and the kind's rules add is nobody's.
        let managed = managed.unwrap_or_else(|| self.managed_of_new(strategy, &object, sent));
        // A generated name is drawn before anybody speaks of the object.
        self.fill_system_fields(&mut object);
        admission::before_create(self, strategy, namespace, &mut object)?;
        if strategy.has_status {
            crate::value::map_mut(&mut object).remove("status");
        }
        if strategy.generation.is_some() {
            metadata_mut(&mut object).insert("generation".into(), 1.into());
        }
        (strategy.prepare_create)(self, &mut object)?;
        decode_again(&mut object, strategy);
        let mut errors = FieldErrors::new();
        validation::metadata::validate(&object, kind, strategy.name_rule, &mut errors);
        strategy.check(&object, &mut errors);
        let warned = crate::custom::check_rules(kind, &object, None, &mut errors);
        self.warnings.borrow_mut().extend(warned);
        let name = text(&object, "metadata.name").to_owned();
        if !errors.is_empty() {
            return Err(failure::invalid(kind, &name, &errors));
        }
        authorization::escalation::check(self, kind, namespace, &object, None)?;
        admission::asked::check_permission(self, kind, &object, None)?;
        admission::validate_create(self, kind, namespace, &object)?;
        // A write says itself that the name is taken; what is only tried has to ask.
        if self.dry_run.get()
            && let Some(existing) = self.find(kind, namespace, &name)
        {
            return Err(failure::taken(kind, &name, &existing.value));
        }
        if self.server.etcd.len() >= OBJECTS_MAX {
            let what = format!("{} {name}", kind.plural);
            self.server.sim.trace(TraceKind::Limit { limit: "OBJECTS_MAX".into(), what });
            return Err(Status::internal("etcdserver: mvcc: database space exceeded"));
        }
        self.warnings.borrow_mut().extend((strategy.warnings)(&object));
        self.commit(kind, Expect::Absent, object, managed)
    }

    /// What only the server may say about a new object (`rest.FillObjectMetaSystemFields`).
    fn fill_system_fields(&self, object: &mut Value) {
        let sim = &self.server.sim;
        let metadata = metadata_mut(object);
        for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "resourceVersion"] {
            metadata.remove(field);
        }
        metadata.insert("uid".into(), sim.uid().into());
        metadata.insert("creationTimestamp".into(), sim.now().rfc3339().into());
        let given = |field: &str| metadata.get(field).and_then(Value::as_str).filter(|t| !t.is_empty());
        if given("name").is_none()
            && let Some(base) = given("generateName")
        {
            let mut end = base.len().min(GENERATED_PREFIX_BYTES_MAX);
            while !base.is_char_boundary(end) {
                end -= 1;
            }
            let name = format!("{}{}", &base[..end], sim.name_suffix(SUFFIX_LETTERS));
            metadata.insert("name".into(), name.into());
        }
    }
}

/// Normal form once more: hooks may have left empty things behind.
fn decode_again(object: &mut Value, strategy: &Strategy) {
    super::decode::normalise(object, strategy.kind, None);
}

/// Puts an object where the URL says; 400 if it says otherwise itself.
pub fn place(object: &mut Value, namespace: &str) -> Result<(), Status> {
    let metadata = metadata_mut(object);
    let own = metadata.get("namespace").and_then(Value::as_str).unwrap_or("");
    if !own.is_empty() && own != namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".into(), namespace.into());
    }
    Ok(())
}
