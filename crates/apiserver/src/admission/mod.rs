//! Admission plugins: what looks at, or changes, a new object before its kind's rules do (plugin/pkg/admission).
//!
//! Order as upstream's default list: NamespaceLifecycle first, then LimitRanger, then those of the kind
//! ([`crate::strategy::Strategy::admit_create`]). Those that only say yes or no come when the object is known to be valid:
//! PodSecurity, ValidatingAdmissionPolicies, and ResourceQuota last.

pub mod asked;
pub mod attributes;
mod claim_resize;
mod limits;
pub mod pod;
mod pod_security;
pub mod policy;
mod quota;
mod resize;

use api::Kind;
use api::kinds::{NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PODS};
use api::status::{Cause, Status};
use json::Value;

use self::attributes::Attributes;
use crate::failure;
use crate::registry::Context;
use crate::registry::update::Part;
use crate::strategy::Strategy;
use crate::value::text;

/// Runs every plugin that changes a new object.
pub fn before_create(cx: &Context<'_>, strategy: &Strategy, namespace: &str, object: &mut Value) -> Result<(), Status> {
    if strategy.kind.namespaced {
        namespace_lifecycle(cx, strategy, namespace, object)?;
        limits::admit(cx, strategy.kind, namespace, object)?;
    }
    (strategy.admit_create)(cx, object)
}

/// Runs every plugin that changes a pod whose containers are resized; one that is being deleted is left as it is.
pub fn before_resize(cx: &Context<'_>, namespace: &str, pod: &mut Value, old: &Value) -> Result<(), Status> {
    if !text(old, "metadata.deletionTimestamp").is_empty() {
        return Ok(());
    }
    limits::admit(cx, &PODS, namespace, pod)
}

/// Asks every plugin that says yes or no about a new object.
pub fn validate_create(cx: &Context<'_>, kind: &'static Kind, namespace: &str, object: &Value) -> Result<(), Status> {
    pod_security::on_create(cx, kind, namespace, object)?;
    ask(cx, || Attributes::create(kind, namespace, object))?;
    quota::admit(cx, kind, namespace, object, None)
}

/// Asks every plugin that says yes or no about a change of a part of an object.
pub fn validate_update(
    cx: &Context<'_>,
    kind: &'static Kind,
    part: Part,
    namespace: &str,
    (new, old): (&Value, &Value),
) -> Result<(), Status> {
    if matches!(part, Part::Main | Part::EphemeralContainers) {
        pod_security::on_update(cx, kind, namespace, new, old)?;
    }
    if part == Part::Main && *kind == PERSISTENT_VOLUME_CLAIMS {
        claim_resize::admit(cx, new, old)?;
    }
    match part {
        // Who assigns a pod to a node sends something else than a pod, about which policies have been asked.
        Part::Binding => Ok(()),
        Part::Resize => {
            resize::admit(cx, new, old)?;
            ask(cx, || Attributes::update(kind, part, namespace, (new, old)))?;
            quota::admit(cx, kind, namespace, new, Some(old))
        }
        Part::Scale => {
            let (new, old) = (crate::subresource::scale_value(kind, new)?, crate::subresource::scale_value(kind, old)?);
            ask(cx, || Attributes::update(kind, part, namespace, (&new, &old)))
        }
        _ => ask(cx, || Attributes::update(kind, part, namespace, (new, old))),
    }
}

/// Asks the policies about what a request does; nothing is made of it if there are none.
pub fn ask<'b>(cx: &Context<'_>, attributes: impl FnOnce() -> Attributes<'b>) -> Result<(), Status> {
    if asked::are_there(cx) {
        return policy::admit(cx, &attributes());
    }
    let _ = (cx, attributes);
    Ok(())
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
