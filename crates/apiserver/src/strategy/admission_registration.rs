//! Webhooks and policies of admission (pkg/registry/admissionregistration).
//!
//! Nothing enforces them, so whatever would have an effect is refused by name: an object that is kept and never asked would
//! be taken for a guard. What is left to keep is a configuration without webhooks.

use api::Kind;
use api::kinds::{
    MUTATING_ADMISSION_POLICIES, MUTATING_ADMISSION_POLICY_BINDINGS, MUTATING_WEBHOOK_CONFIGURATIONS,
    VALIDATING_ADMISSION_POLICIES, VALIDATING_ADMISSION_POLICY_BINDINGS, VALIDATING_WEBHOOK_CONFIGURATIONS,
};
use api::status::Status;
use serde_json::Value;

use super::{Strategy, differs, plain};
use crate::value::list;

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

/// Policies and their bindings. There is none without a rule, so none is kept.
const fn policies(kind: &'static Kind) -> Strategy {
    Strategy {
        prepare_create: |_, _| Err(Status::not_built(simulation::stub!("kube-apiserver", "admission policies"))),
        ..plain(kind)
    }
}

pub static MUTATING_POLICIES: Strategy = policies(&MUTATING_ADMISSION_POLICIES);
pub static MUTATING_BINDINGS: Strategy = policies(&MUTATING_ADMISSION_POLICY_BINDINGS);
pub static MUTATING_WEBHOOKS: Strategy = webhooks(&MUTATING_WEBHOOK_CONFIGURATIONS);
pub static VALIDATING_POLICIES: Strategy = policies(&VALIDATING_ADMISSION_POLICIES);
pub static VALIDATING_BINDINGS: Strategy = policies(&VALIDATING_ADMISSION_POLICY_BINDINGS);
pub static VALIDATING_WEBHOOKS: Strategy = webhooks(&VALIDATING_WEBHOOK_CONFIGURATIONS);
