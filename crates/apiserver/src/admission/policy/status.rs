//! The status of policies: which generation was looked at, and what the check of types warns of
//! (pkg/controller/validatingadmissionpolicystatus).
//!
//! Difference: upstream's loop is part of the controller manager. Here it is the server's, which alone knows expressions; it
//! writes under the name of that controller.

use std::cell::{Cell, RefCell};

use api::Object;
use api::kinds::VALIDATING_ADMISSION_POLICIES as KIND;
use api::status::Status;
use json::{Value, json};

use super::type_check;
use crate::registry::Context;
use crate::registry::update::Part;
use crate::server::Server;
use crate::strategy;

/// Who writes the status.
const MANAGER: &str = "validatingadmissionpolicy-status-controller";

/// Writes the status of every policy whose status is of an older generation.
pub fn settle(server: &Server) {
    let cx = Context {
        server,
        caller: "kube-controller-manager",
        user: None,
        manager: MANAGER,
        dry_run: Cell::new(false),
        query: None,
        warnings: RefCell::default(),
    };
    let is_new = |policy: &Object| policy.int("metadata.generation") > policy.int("status.observedGeneration");
    for policy in cx.all(&KIND, "").iter().filter(|policy| is_new(policy)) {
        // Who was faster has changed it, and that comes back as an event.
        let _ = write(&cx, policy);
    }
}

fn write(cx: &Context<'_>, policy: &Object) -> Result<Object, Status> {
    let mut checked = json!({});
    let warnings = type_check::check(cx, policy);
    if !warnings.is_empty() {
        checked["expressionWarnings"] = Value::Array(warnings.into());
    }
    let config = json!({
        "apiVersion": KIND.api_version(), "kind": KIND.kind, "metadata": {"name": policy.name()},
        "status": {"observedGeneration": policy.at("metadata.generation"), "typeChecking": checked},
    });
    let strategy = strategy::of(&KIND);
    cx.update(strategy, Part::Status, ("", policy.name()), |old| {
        cx.apply(strategy, Part::Status, Some(old), &config, true)
    })
}
