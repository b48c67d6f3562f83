//! Custom resources: kinds that CustomResourceDefinitions add (k8s.io/apiextensions-apiserver).
//!
//! A definition is an object like any other ([`definition`]); [`control`] accepts its names and cleans up after it. Each
//! version that it serves becomes a [`Custom`]: a row of the table of kinds, a strategy and a schema, after which requests
//! for it go the same way as all others. What differs is here: what is pruned and filled in ([`prune`]), what is right
//! ([`validate`], and what its rules say: [`rules`]), what is shown ([`columns`]).
//!
//! Difference: conversion webhooks are refused by name.

mod columns;
pub mod control;
pub mod definition;
mod field_path;
mod prune;
mod rules;
pub mod selectable;
mod structural;
mod validate;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use api::custom::{self, Added};
use api::kinds::CUSTOM_RESOURCE_DEFINITIONS;
use api::status::{FieldErrors, Status};
use api::{Kind, Object, schema};
use json::Value;
use simulation::Time;

use crate::registry::{Context, key};
use crate::server::Server;
use crate::strategy::{Conversion, Strategy, plain};
use crate::value::{at, int, map_mut, text};

/// Definitions of one server.
const DEFINITIONS_MAX: usize = 256;

/// A version of a custom kind, as it is served.
pub struct Custom {
    /// The row.
    pub kind: &'static Kind,
    /// Its rules.
    pub strategy: Strategy,
    /// What the definition says of the version.
    pub added: &'static Added,
    /// What its rules in CEL say.
    rules: Option<rules::Validator>,
}

/// Whether a schema, or one inside it, has rules in CEL.
pub fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.get("x-kubernetes-validations").is_some_and(|r| r.as_array().is_some_and(|r| !r.is_empty()))
                || map
                    .iter()
                    .any(|(name, inner)| !matches!(name.as_str(), "default" | "enum" | "example") && has_rules(inner))
        }
        Value::Array(items) => items.iter().any(has_rules),
        _ => false,
    }
}

/// Asks the rules in CEL of a custom kind about an object that is created, or changed from `old`; what it warns of comes back.
pub fn check_rules(kind: &Kind, new: &Value, old: Option<&Value>, errors: &mut FieldErrors) -> Vec<String> {
    if let Some(rules) = of(kind).and_then(|custom| custom.rules.as_ref()) {
        return rules.validate(new, old, errors);
    }
    let _ = (kind, new, old, errors);
    Vec::new()
}

static SERVED: Mutex<BTreeMap<&'static str, &'static Custom>> = Mutex::new(BTreeMap::new());

/// The custom kind of a row; `None` if the row is of the table.
pub fn of(kind: &Kind) -> Option<&'static Custom> {
    if !custom::is_added(kind) {
        return None;
    }
    SERVED.lock().unwrap_or_else(PoisonError::into_inner).get(kind.schema).copied()
}

/// What the server's definitions add, in the order of their names.
pub fn served(server: &Server) -> Rc<[&'static Custom]> {
    if let Some(known) = server.customs.borrow().as_ref() {
        return Rc::clone(known);
    }
    let definitions = server.etcd.range(&key(&CUSTOM_RESOURCE_DEFINITIONS, "", ""), 0).unwrap_or_default();
    let rows = definitions.iter().flat_map(|kv| custom::versions(kv.value.value()));
    let found: Rc<[&'static Custom]> = rows.map(made).collect();
    *server.customs.borrow_mut() = Some(Rc::clone(&found));
    found
}

fn made(added: &'static Added) -> &'static Custom {
    let mut all = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(added.kind.schema).or_insert_with(|| {
        let kind = added.kind;
        let has_status = kind.subresources.contains(&"status");
        let strategy = Strategy {
            has_status,
            generation: Some(if has_status { differs_but_status } else { differs_at_all }),
            admit_create: refuse_while_terminating,
            prepare_status: |new, old| {
                let status = new.get("status").cloned();
                let version = new["metadata"]["resourceVersion"].clone();
                *new = old.clone();
                new["metadata"]["resourceVersion"] = version;
                if let Some(status) = status {
                    new["status"] = status;
                } else {
                    map_mut(new).remove("status");
                }
            },
            unconditional_update: false,
            conversion: Some(&CONVERSION),
            ..plain(kind)
        };
        Box::leak(Box::new(Custom {
            kind,
            strategy,
            added,
            rules: rules::Validator::new(at(&added.version, "schema.openAPIV3Schema")),
        }))
    })
}

/// With the strategy `None`, an object is the same in every version but for the version's name.
static CONVERSION: Conversion = Conversion {
    from_stored: |kind, object| _ = map_mut(object).insert("apiVersion".into(), kind.api_version().into()),
    to_stored: |kind, object| {
        if let Some(custom) = of(kind) {
            let version = format!("{}/{}", kind.group, custom.added.stored_version);
            map_mut(object).insert("apiVersion".into(), version.into());
        }
    },
};

fn differs_at_all(new: &Value, old: &Value) -> bool {
    differs(new, old, &["metadata"])
}

fn differs_but_status(new: &Value, old: &Value) -> bool {
    differs(new, old, &["metadata", "status"])
}

fn differs(new: &Value, old: &Value, but: &[&str]) -> bool {
    let strip = |object: &Value| {
        let mut object = object.clone();
        map_mut(&mut object).retain(|name, _| !but.contains(&name.as_str()));
        object
    };
    strip(new) != strip(old)
}

fn refuse_while_terminating(cx: &Context<'_>, object: &mut Value) -> Result<(), Status> {
    let (group, _) = text(object, "apiVersion").split_once('/').unwrap_or_default();
    let is_of = |c: &&&Custom| c.kind.group == group && c.kind.kind == text(object, "kind");
    let served = served(cx.server);
    let Some(custom) = served.iter().find(is_of) else { return Ok(()) };
    let definition = cx.find(&CUSTOM_RESOURCE_DEFINITIONS, "", &custom.kind.group_resource());
    if definition.is_some_and(|d| custom::has_condition(d.value.value(), "Terminating")) {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(Status::failure(405, "MethodNotAllowed", why));
    }
    Ok(())
}

/// The definition of the metadata of every object.
pub const OBJECT_META: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

impl Custom {
    /// The published schema.
    pub fn schema(&self) -> &Value {
        at(&self.added.version, "schema.openAPIV3Schema")
    }

    /// What every answer warns of.
    pub fn deprecation(&self) -> Option<String> {
        let version = &self.added.version;
        let usual = || format!("{} {} is deprecated", self.kind.api_version(), self.kind.kind);
        let own = version["deprecationWarning"].as_str().map(str::to_owned);
        (version["deprecated"] == true).then(|| own.unwrap_or_else(usual))
    }

    /// Paths of the fields that the schema does not know.
    pub fn unknown(&self, object: &Value) -> Vec<String> {
        prune::prune(self.schema(), &mut object.clone())
    }

    /// Drops what the schema does not know.
    pub fn normalise(&self, object: &mut Value) {
        prune::prune(self.schema(), object);
        if let Some(definition) = schema::definition(OBJECT_META) {
            let metadata = map_mut(object).entry("metadata").or_insert(Value::Null);
            schema::normalize(definition, metadata);
        }
    }

    /// Fills in what the schema says of fields that are left out.
    pub fn fill_in(&self, object: &mut Value) {
        prune::fill_in(self.schema(), object);
    }

    /// What is wrong with an object.
    pub fn validate(&self, object: &Value, errors: &mut FieldErrors) {
        validate::validate(self.schema(), object, errors);
    }

    /// The columns of its table.
    pub fn columns(&self) -> Vec<Value> {
        columns::columns(&self.added.version)
    }

    /// The cells of an object.
    pub fn cells(&self, object: &Object, now: Time) -> Vec<Value> {
        columns::cells(&self.added.version, object, now)
    }

    fn scale_path(&self, field: &str) -> &str {
        let path = at(&self.added.version, "subresources.scale").get(field).and_then(Value::as_str).unwrap_or("");
        path.strip_prefix('.').unwrap_or(path)
    }

    /// The replicas that are wanted and those that there are, and the selector of pods (`scaleFromCustomResource`).
    ///
    /// # Errors
    /// The object does not say how many it wants.
    pub fn scale(&self, object: &Value) -> Result<(i64, i64, String), Status> {
        let path = self.scale_path("specReplicasPath");
        let Some(wanted) = int(object, path) else {
            return Err(Status::internal(&format!("the spec replicas field \".{path}\" does not exist")));
        };
        let number = int(object, self.scale_path("statusReplicasPath")).unwrap_or(0);
        let selector = match self.scale_path("labelSelectorPath") {
            "" => "",
            path => text(object, path),
        };
        Ok((wanted, number, selector.to_owned()))
    }

    /// Writes the replicas that a scale wants.
    pub fn set_scale(&self, object: &mut Value, replicas: i64) {
        api::object_set(object, self.scale_path("specReplicasPath"), replicas.into());
    }
}

/// The strategy of a definition's objects, for those who have only the row.
pub fn strategy(kind: &Kind) -> Option<&'static Strategy> {
    of(kind).map(|custom| &custom.strategy)
}

/// Refuses one definition too many.
fn check_count(cx: &Context<'_>) -> Result<(), Status> {
    if cx.all(&CUSTOM_RESOURCE_DEFINITIONS, "").len() < DEFINITIONS_MAX {
        return Ok(());
    }
    let limit = simulation::TraceKind::Limit { limit: "DEFINITIONS_MAX".into(), what: "a definition".into() };
    cx.server.sim.trace(limit);
    Err(Status::internal(&format!("there are {DEFINITIONS_MAX} definitions already")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_are_not_custom() {
        assert!(of(&api::kinds::PODS).is_none() && strategy(&api::kinds::PODS).is_none());
    }
}
