//! Webhooks and policies of admission (pkg/registry/admissionregistration).
//!
//! ValidatingAdmissionPolicies are asked by [`crate::admission`]. Nothing enforces the others, so
//! whatever would have an effect is refused by name: an object that is kept and never asked would be taken for a guard. What is
//! left to keep is a configuration without webhooks.

use api::Kind;
use api::kinds::{
    MUTATING_ADMISSION_POLICIES, MUTATING_ADMISSION_POLICY_BINDINGS, MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_ADMISSION_POLICIES, VALIDATING_ADMISSION_POLICY_BINDINGS, VALIDATING_WEBHOOK_CONFIGURATIONS,
};
use api::status::Status;
use json::Value;
use json::json;

use super::default_to;
use super::{Strategy, differs, plain};
use crate::value::list;
use crate::value::{list_mut, text};

const fn webhooks(kind: &'static Kind) -> Strategy {
    Strategy {
        prepare_create: |_, object| refuse_webhooks(object),
        prepare_update: |_, new, _| refuse_webhooks(new),
        generation: Some(|new, old| differs(new, old, "webhooks")),
        unconditional_update: false,
        ..plain(kind)
    }
}

fn refuse_webhooks(object: &Value) -> Result<(), Status> {
    if list(object, "webhooks").is_empty() {
        return Ok(());
    }
    Err(Status::not_built(simulation::stub!("kube-apiserver", "admission webhooks")))
}

/// Policies that change objects, and their bindings. There is none without a rule, so none is kept.
const fn mutating(kind: &'static Kind) -> Strategy {
    Strategy {
        prepare_create: |_, _| {
            Err(Status::not_built(simulation::stub!("kube-apiserver", "mutating admission policies")))
        },
        ..plain(kind)
    }
}

pub static MUTATING_POLICIES: Strategy = mutating(&MUTATING_ADMISSION_POLICIES);
pub static MUTATING_BINDINGS: Strategy = mutating(&MUTATING_ADMISSION_POLICY_BINDINGS);
pub static MUTATING_WEBHOOKS: Strategy = webhooks(&MUTATING_WEBHOOK_CONFIGURATIONS);
pub static VALIDATING_WEBHOOKS: Strategy = webhooks(&VALIDATING_WEBHOOK_CONFIGURATIONS);

const fn validating(kind: &'static Kind) -> Strategy {
    Strategy { generation: Some(|new, old| differs(new, old, "spec")), unconditional_update: false, ..plain(kind) }
}

pub static VALIDATING_POLICIES: Strategy = Strategy {
    defaults: |object| {
        let Some(spec) = object.get_mut("spec").filter(|spec| spec.is_object()) else { return };
        default_to(spec, "failurePolicy", "Fail");
        if let Some(constraints) = spec.get_mut("matchConstraints") {
            match_resources(constraints);
        }
    },
    validate: crate::validation::admission_policy::policy,
    has_status: true,
    warnings: static_suffix,
    ..validating(&VALIDATING_ADMISSION_POLICIES)
};

pub static VALIDATING_BINDINGS: Strategy = Strategy {
    defaults: |object| {
        if let Some(resources) = object.get_mut("spec").and_then(|spec| spec.get_mut("matchResources")) {
            match_resources(resources);
        }
    },
    validate: crate::validation::admission_policy::binding,
    warnings: static_suffix,
    ..validating(&VALIDATING_ADMISSION_POLICY_BINDINGS)
};

/// `SetDefaults_MatchResources`, `SetDefaults_Rule`.
fn match_resources(resources: &mut Value) {
    if !resources.is_object() {
        return;
    }
    default_to(resources, "matchPolicy", "Equivalent");
    for selector in ["namespaceSelector", "objectSelector"] {
        default_to(resources, selector, json!({}));
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        list_mut(resources, field).iter_mut().for_each(|rule| default_to(rule, "scope", "*"));
    }
}

/// Names that are kept for what a server is started with (`WarningsForStaticSuffix`).
fn static_suffix(object: &Value) -> Vec<String> {
    const SUFFIX: &str = ".static.k8s.io";
    let why = "are reserved for static manifest-based configurations and cannot be managed via the API";
    let is_static = text(object, "metadata.name").ends_with(SUFFIX);
    is_static.then(|| format!("metadata.name: names ending with {SUFFIX:?} {why}")).into_iter().collect()
}
