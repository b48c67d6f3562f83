//! Admission plugins: what looks at, or changes, a new object before its kind's rules do (plugin/pkg/admission).
//!
//! Order as upstream's default list: NamespaceLifecycle first, then LimitRanger, then those of the kind
//! ([`crate::strategy::Strategy::admit_create`]), PodSecurity, and ResourceQuota last.

mod limits;
pub mod pod;
mod pod_security;
mod quota;

use api::kinds::NAMESPACES;
use api::status::{Cause, Status};
use serde_json::Value;

use crate::failure;
use crate::registry::Context;
use crate::strategy::Strategy;
use crate::value::text;

/// Runs every plugin on a new object.
pub fn before_create(cx: &Context<'_>, strategy: &Strategy, namespace: &str, object: &mut Value) -> Result<(), Status> {
    if strategy.kind.namespaced {
        namespace_lifecycle(cx, strategy, namespace, object)?;
        limits::admit(cx, strategy.kind, namespace, object)?;
    }
    (strategy.admit_create)(cx, object)?;
    pod_security::on_create(cx, strategy.kind, namespace, object)?;
    quota::admit(cx, strategy.kind, namespace, object)
}

/// Runs every plugin that looks at changes.
pub fn before_update(
    cx: &Context<'_>,
    strategy: &Strategy,
    namespace: &str,
    new: &Value,
    old: &Value,
) -> Result<(), Status> {
    pod_security::on_update(cx, strategy.kind, namespace, new, old)
}

/// Nothing new in a namespace that does not exist or that is being deleted (plugin/pkg/admission/namespace/lifecycle).
fn namespace_lifecycle(cx: &Context<'_>, strategy: &Strategy, namespace: &str, object: &Value) -> Result<(), Status> {
    let found = cx.require(&NAMESPACES, "", namespace)?;
    if !found.value.is_deleting() && found.value.str("status.phase") != "Terminating" {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut status = failure::forbidden(strategy.kind, text(object, "metadata.name"), &why);
    if let Some(details) = &mut status.details {
        details.causes.push(Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".into(),
        });
    }
    Err(status)
}
