//! What is particular to each kind, as data: one [`Strategy`] a kind, one file a kind.
//!
//! Adding a kind is a row in `api::kinds`, a file here and a line in [`STRATEGIES`]. Upstream: `strategy.go` of each
//! package below pkg/registry, pkg/apis/*/v1/defaults.go, pkg/apis/*/validation.

use api::status::{FieldErrors, Status};
use api::{Kind, Object};
use json::Value;
use simulation::Duration;

use crate::custom;
use crate::registry::Context;
use crate::value::at;

mod admission_registration;
mod autoscaling;
mod autoscaling_v1;
pub mod certificates;
mod config_map;
mod controller_revision;
mod cron_job;
mod daemon_set;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod event;
mod event_v1;
mod job;
mod lease;
mod machinery;
mod namespace;
mod networking;
mod node;
pub mod persistent_volume_claim;
pub mod pod;
pub mod pod_spec;
mod policy;
mod rbac;
mod replica_set;
mod replication_controller;
mod resource;
mod secret;
mod service;
mod service_account;
mod stateful_set;
mod storage;

/// The rules of a kind. Every hook has a default that does nothing.
pub struct Strategy {
    /// The row in the table of kinds.
    pub kind: &'static Kind,
    /// Which names are good: `api::names::dns1123_subdomain` and the like.
    pub name_rule: fn(&str) -> Vec<String>,
    /// Fills in what the client left out.
    pub defaults: fn(&mut Value),
    /// Admission plugins that run before an object is created.
    pub admit_create: fn(&Context<'_>, &mut Value) -> Result<(), Status>,
    /// Sets what only the server may set on a new object.
    pub prepare_create: fn(&Context<'_>, &mut Value) -> Result<(), Status>,
    /// Keeps or computes what only the server may change, on an update of the object itself: (new, old).
    pub prepare_update: fn(&Context<'_>, &mut Value, &Value) -> Result<(), Status>,
    /// Keeps what an update of the status may not change: (new, old).
    pub prepare_status: fn(&mut Value, &Value),
    /// What a write of the status cannot change (`GetResetFields`).
    pub status_reset: &'static [&'static [&'static str]],
    /// The rules that every object of the kind keeps.
    pub validate: fn(&Value, &mut FieldErrors),
    /// The rules of a change: (new, old).
    pub validate_update: fn(&Value, &Value, &mut FieldErrors),
    /// Whether the object has a status that only the status subresource changes.
    pub has_status: bool,
    /// Whether `metadata.generation` counts changes of what is wanted, and whether (new, old) is such a change.
    pub generation: Option<fn(&Value, &Value) -> bool>,
    /// Whether an update without a resourceVersion overwrites whatever is there.
    pub unconditional_update: bool,
    /// Whether a PUT creates what does not exist.
    pub create_on_update: bool,
    /// Whether a deletion answers with the object instead of a Status.
    pub returns_deleted: bool,
    /// How many seconds a deletion that asks for (or defaults to) a grace period really gets; `None` when the kind has none.
    pub grace: Option<fn(&Value, Option<i64>) -> i64>,
    /// What every answer warns of when the kind is on its way out.
    pub deprecated: Option<&'static str>,
    /// What the answer to a write of this object warns of.
    pub warnings: fn(&Value) -> Vec<String>,
    /// How an object of this version becomes the stored one and back; `None` if it is stored as it is.
    pub conversion: Option<&'static Conversion>,
    /// How long an object lives after its last write; `None` for ever.
    pub lifetime: Option<Duration>,
    /// The values of the fields that can be selected by, besides `metadata.name` and `metadata.namespace`.
    pub fields: fn(&Value) -> Vec<(&'static str, String)>,
    /// The field by which most watchers of the kind choose, and its value: a write wakes only those of them that it is about
    /// (`IndexerFuncs` of k8s.io/apiserver/pkg/storage).
    pub lane: Option<(&'static str, etcd::LaneOf)>,
}

/// How objects of a version that is not the stored one are stored: each changes the object into the other form.
pub struct Conversion {
    /// What is read, for a reader of this kind.
    pub from_stored: fn(&Kind, &mut Value),
    /// What is written, by a writer of this kind.
    pub to_stored: fn(&Kind, &mut Value),
}

impl Strategy {
    /// Fills in what the client left out.
    pub fn fill_in(&self, object: &mut Value) {
        (self.defaults)(object);
        if let Some(custom) = custom::of(self.kind) {
            custom.fill_in(object);
        }
    }

    /// The rules that every object of the kind keeps.
    pub fn check(&self, object: &Value, errors: &mut FieldErrors) {
        (self.validate)(object, errors);
        if let Some(custom) = custom::of(self.kind) {
            custom.validate(object, errors);
        }
    }

    /// A stored object as this version shows it.
    pub fn present(&self, object: &Object) -> Object {
        match self.conversion {
            Some(conversion) if object.api_version() != self.kind.api_version() => {
                let mut value = object.value().clone();
                (conversion.from_stored)(self.kind, &mut value);
                Object::with_managed(value, object.managed().cloned().unwrap_or_default())
            }
            _ => object.clone(),
        }
    }
}

/// A strategy that does nothing of its own, to build others from.
pub const fn plain(kind: &'static Kind) -> Strategy {
    Strategy {
        kind,
        name_rule: api::names::dns1123_subdomain,
        defaults: |_| (),
        admit_create: |_, _| Ok(()),
        prepare_create: |_, _| Ok(()),
        prepare_update: |_, _, _| Ok(()),
        prepare_status: |_, _| (),
        status_reset: &[&["spec"]],
        validate: |_, _| (),
        validate_update: |_, _, _| (),
        has_status: false,
        generation: None,
        unconditional_update: true,
        create_on_update: false,
        returns_deleted: false,
        grace: None,
        deprecated: None,
        warnings: |_| Vec::new(),
        conversion: None,
        lifetime: None,
        fields: |_| Vec::new(),
        lane: None,
    }
}

/// Every strategy.
static STRATEGIES: &[&Strategy] = &[
    &config_map::STRATEGY,
    &endpoints::STRATEGY,
    &event::STRATEGY,
    &policy::LIMIT_RANGE,
    &namespace::STRATEGY,
    &node::STRATEGY,
    &persistent_volume_claim::STRATEGY,
    &storage::VOLUMES,
    &pod::STRATEGY,
    &machinery::POD_TEMPLATE,
    &replication_controller::STRATEGY,
    &policy::QUOTA,
    &secret::STRATEGY,
    &service_account::STRATEGY,
    &service::STRATEGY,
    &admission_registration::MUTATING_POLICIES,
    &admission_registration::MUTATING_BINDINGS,
    &admission_registration::MUTATING_WEBHOOKS,
    &admission_registration::VALIDATING_POLICIES,
    &admission_registration::VALIDATING_BINDINGS,
    &admission_registration::VALIDATING_WEBHOOKS,
    &custom::definition::STRATEGY,
    &machinery::API_SERVICE,
    &controller_revision::STRATEGY,
    &daemon_set::STRATEGY,
    &deployment::STRATEGY,
    &replica_set::STRATEGY,
    &stateful_set::STRATEGY,
    &autoscaling::STRATEGY,
    &autoscaling_v1::STRATEGY,
    &certificates::STRATEGY,
    &cron_job::STRATEGY,
    &job::STRATEGY,
    &lease::STRATEGY,
    &endpoint_slice::STRATEGY,
    &event_v1::STRATEGY,
    &machinery::FLOW_SCHEMA,
    &machinery::PRIORITY_LEVEL,
    &networking::CLASS,
    &networking::INGRESS,
    &networking::ADDRESS,
    &networking::POLICY,
    &networking::RANGE,
    &machinery::RUNTIME_CLASS,
    &policy::DISRUPTION_BUDGET,
    &rbac::CLUSTER_ROLE_BINDING,
    &rbac::CLUSTER_ROLE,
    &rbac::ROLE_BINDING,
    &rbac::ROLE,
    &resource::CLASS,
    &resource::CLAIM,
    &resource::TEMPLATE,
    &resource::SLICE,
    &policy::PRIORITY_CLASS,
    &storage::DRIVERS,
    &storage::NODES,
    &storage::CAPACITIES,
    &storage::CLASSES,
    &storage::ATTACHMENTS,
    &storage::ATTRIBUTES,
    &machinery::BINDING,
    &machinery::COMPONENT_STATUS,
];

/// Gives the tables of a new store the lanes that their kinds have.
pub fn divide(etcd: &etcd::Etcd) {
    for strategy in STRATEGIES {
        if let Some((_, lane_of)) = strategy.lane {
            etcd.divide(&strategy.kind.group_resource(), lane_of);
        }
    }
}

/// The strategy of a kind.
pub fn of(kind: &Kind) -> &'static Strategy {
    let of_table = STRATEGIES.iter().find(|s| std::ptr::eq(s.kind, kind)).copied();
    of_table.or_else(|| custom::strategy(kind)).expect("a test checks that every kind has one")
}

/// An object of a kind as it would be stored.
pub fn stored(object: &Object, kind: &Kind) -> Object {
    let mut value = object.value().clone();
    if let Some(conversion) = of(kind).conversion {
        (conversion.to_stored)(kind, &mut value);
    }
    Object::new(value)
}

/// Whether the value at a dotted path differs.
pub fn differs(new: &Value, old: &Value, path: &str) -> bool {
    at(new, path) != at(old, path)
}

/// Replaces the value at a top-level field by the old one, or removes it.
pub fn keep(new: &mut Value, old: &Value, field: &str) {
    let Some(map) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => map.insert(field.into(), value.clone()),
        None => map.remove(field),
    };
}

/// Replaces a field of the metadata by the old one, or removes it.
pub fn keep_metadata(new: &mut Value, old: &Value, field: &str) {
    match old.get("metadata") {
        Some(metadata) => keep(&mut new["metadata"], metadata, field),
        None => keep(&mut new["metadata"], &Value::Null, field),
    }
}

/// Sets a field if it is absent, null or an empty string.
pub fn default_to(object: &mut Value, field: &str, value: impl Into<Value>) {
    let Some(map) = object.as_object_mut() else { return };
    if map.get(field).is_none_or(|v| v.is_null() || v.as_str() == Some("")) {
        map.insert(field.into(), value.into());
    }
}

/// The struct at a field, made if absent.
pub fn child<'a>(object: &'a mut Value, field: &str) -> &'a mut Value {
    if !object.get(field).is_some_and(Value::is_object) {
        default_to(object, field, json::json!({}));
    }
    &mut object[field]
}

/// Puts a condition into `status.conditions`, in the place of the one of its type.
pub fn set_condition(object: &mut Value, condition: Value) {
    let status = child(object, "status");
    if !status.get("conditions").is_some_and(Value::is_array) {
        status["conditions"] = Value::Array(Vec::new().into());
    }
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    match conditions.iter_mut().find(|c| c["type"] == condition["type"]) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_has_a_strategy() {
        for kind in api::kinds::KINDS.iter().chain(api::kinds::VERSIONS).chain(api::kinds::COMPUTED) {
            super::of(kind);
        }
    }
}
