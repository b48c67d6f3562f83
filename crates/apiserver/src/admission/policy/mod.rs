//! ValidatingAdmissionPolicies (k8s.io/apiserver/pkg/admission/plugin/policy/validating).
//!
//! [`super::asked`] knows which policies there are. [`compile`] makes programs of a policy, once for each of its generations; [`matching`] says which requests a policy or a
//! binding is about, [`params`] finds what a binding refers to, [`evaluate`] asks the expressions, and this module decides
//! what comes of it. Nothing here changes an object.
//!
//! Differences: policies and bindings are asked in the order of their names, where upstream's order is by chance; what the
//! action `Audit` and audit annotations say is written nowhere, because there is no audit log; what the server does for
//! itself is not asked about; `object.metadata.managedFields` is not there; `request.userInfo` is who the server takes a client for,
//! which for controllers and kubelets is the administrator ([`crate::authorization`]).

pub mod compile;
pub mod connect;
mod environment;
mod evaluate;
mod matching;
mod params;
pub mod permission;
mod request;
pub mod status;
mod type_check;

use api::kinds::NAMESPACES;
use api::status::{Cause, Status};
use api::{Kind, Object};
use json::Value;

use self::compile::Policy;
use self::evaluate::{Action, Input};
use super::asked::{Hook, hooks};
use super::attributes::Attributes;
use crate::failure;
use crate::registry::Context;
use crate::value::{at, list, text};

/// The group whose policies and bindings are never asked about: who locks himself out must be able to unlock.
const GROUP: &str = "admissionregistration.k8s.io";
const EXEMPT: [&str; 4] = [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
];

/// Why a request is refused.
struct Denial {
    policy: String,
    binding: Option<String>,
    message: String,
    reason: Option<String>,
}

impl Denial {
    fn to_status(&self, attributes: &Attributes<'_>) -> Status {
        let with = self.binding.as_ref().map(|binding| format!(" with binding '{binding}'")).unwrap_or_default();
        let message = format!("ValidatingAdmissionPolicy '{}'{with} denied request: {}", self.policy, self.message);
        let kind = attributes.resource;
        let mut status = failure::forbidden(kind, name_of(attributes), &message);
        let reason = self.reason.as_deref().unwrap_or("Invalid");
        status.code = match reason {
            "Forbidden" => 403,
            "Unauthorized" => 401,
            "RequestEntityTooLarge" => 413,
            _ => 422,
        };
        status.reason = reason.into();
        if let Some(details) = &mut status.details {
            details.causes.push(Cause { message, ..Cause::default() });
        }
        status
    }
}

/// How a refusal calls what it refuses (`extractResourceName`).
fn name_of<'a>(attributes: &Attributes<'a>) -> &'a str {
    let of_object = attributes.object.map_or("", |object| match text(object, "metadata.name") {
        "" => text(object, "metadata.generateName"),
        name => name,
    });
    [attributes.name, of_object].into_iter().find(|name| !name.is_empty()).unwrap_or("Unknown")
}

/// Asks every policy about a request, and refuses what one of them refuses.
///
/// # Errors
/// The first denial, with the reason of its validation; trying again cannot help.
pub fn admit(cx: &Context<'_>, attributes: &Attributes<'_>) -> Result<(), Status> {
    if attributes.resource.group == GROUP && EXEMPT.contains(&attributes.resource.plural) {
        return Ok(());
    }
    let mut denials = Vec::new();
    for hook in hooks(cx.server).iter() {
        ask(cx, attributes, hook, &mut denials)?;
    }
    denials.first().map_or(Ok(()), |denial| Err(denial.to_status(attributes)))
}

/// Asks one policy, for each of its bindings.
fn ask(cx: &Context<'_>, attributes: &Attributes<'_>, hook: &Hook, denials: &mut Vec<Denial>) -> Result<(), Status> {
    let policy = &*hook.policy;
    let spec = policy.object.at("spec");
    let mut misconfigured = |binding: Option<&Object>, why: String| {
        if policy.fails {
            let what = if binding.is_some() { "binding" } else { "policy" };
            denials.push(Denial {
                policy: policy.object.name().to_owned(),
                binding: binding.map(|b| b.name().to_owned()),
                message: format!("failed to configure {what}: {why}"),
                reason: None,
            });
        }
    };
    let matched = match matching::matches(cx, attributes, at(spec, "matchConstraints")) {
        Ok(Some(matched)) => matched,
        Ok(None) => return Ok(()),
        Err(why) => {
            misconfigured(None, why);
            return Ok(());
        }
    };
    let param_kind = match params::kind(cx, at(spec, "paramKind")) {
        Ok(kind) => kind,
        Err(why) => {
            misconfigured(None, why);
            return Ok(());
        }
    };
    let mut invocations = Vec::new();
    for binding in &hook.bindings {
        let resources = binding.at("spec.matchResources");
        let is_about = resources.is_null()
            || match matching::matches(cx, attributes, resources) {
                Ok(found) => found.is_some(),
                Err(why) => {
                    misconfigured(Some(binding), why);
                    continue;
                }
            };
        if !is_about {
            continue;
        }
        match params::collect(cx, param_kind, binding.at("spec.paramRef"), attributes.namespace) {
            Ok(params) => invocations.extend(params.into_iter().map(|param| (binding, param))),
            Err(why) => misconfigured(Some(binding), why),
        }
    }
    if invocations.is_empty() {
        return Ok(());
    }
    let namespace = namespace_of(cx, attributes)?;
    let shared = request::Shared::new(cx, attributes, matched, namespace.as_ref());
    for (binding, param) in invocations {
        let input = Input::new(cx, policy, &shared, param.as_ref());
        apply(cx, policy, binding, evaluate::validate(&input), denials);
    }
    Ok(())
}

/// The namespace that a request is in, with the object of it.
fn namespace_of(cx: &Context<'_>, attributes: &Attributes<'_>) -> Result<Option<Object>, Status> {
    if attributes.namespace.is_empty() || *attributes.resource == NAMESPACES {
        return Ok(None);
    }
    Ok(Some(cx.require(&NAMESPACES, "", attributes.namespace)?.value.clone()))
}

/// Does with what a policy says what a binding wants.
fn apply(cx: &Context<'_>, policy: &Policy, binding: &Object, actions: Vec<Action>, denials: &mut Vec<Denial>) {
    let (policy, binding_name) = (policy.object.name(), binding.name());
    let denial = |message: String, reason: Option<String>| Denial {
        policy: policy.to_owned(),
        binding: Some(binding_name.to_owned()),
        message,
        reason,
    };
    let wanted = |action: &str| list(binding.value(), "spec.validationActions").iter().any(|a| a == action);
    for action in actions {
        match action {
            Action::Deny { message, reason } => {
                if wanted("Warn") {
                    warn(cx, policy, binding_name, &message);
                }
                if wanted("Deny") {
                    denials.push(denial(message, reason));
                }
            }
            // Whatever the binding wants: what cannot be annotated is refused.
            Action::AnnotationFailed(message) => denials.push(denial(message, None)),
        }
    }
}

fn warn(cx: &Context<'_>, policy: &str, binding: &str, message: &str) {
    let text =
        format!("Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {message}");
    let mut warnings = cx.warnings.borrow_mut();
    if !warnings.contains(&text) {
        warnings.push(text);
    }
}

/// The kind of the objects that a request to a resource or a subresource carries.
fn kind_of(resource: &'static Kind, subresource: &str) -> (&'static str, &'static str, &'static str) {
    match (resource.plural, subresource) {
        (_, "scale") => ("autoscaling", "v1", "Scale"),
        ("pods", "binding") => ("", "v1", "Binding"),
        ("pods", "eviction") => ("policy", "v1", "Eviction"),
        ("pods", "exec") => ("", "v1", "PodExecOptions"),
        ("pods", "attach") => ("", "v1", "PodAttachOptions"),
        ("pods", "portforward") => ("", "v1", "PodPortForwardOptions"),
        ("pods", "proxy") => ("", "v1", "PodProxyOptions"),
        ("services", "proxy") => ("", "v1", "ServiceProxyOptions"),
        ("nodes", "proxy") => ("", "v1", "NodeProxyOptions"),
        ("serviceaccounts", "token") => ("authentication.k8s.io", "v1", "TokenRequest"),
        _ => (resource.group, resource.version, resource.kind),
    }
}

/// Every kind that the server serves.
fn kinds(cx: &Context<'_>) -> Vec<&'static Kind> {
    let customs = crate::custom::served(cx.server);
    let rows = api::kinds::KINDS.iter().chain(api::kinds::VERSIONS).copied();
    rows.chain(customs.iter().map(|custom| custom.kind)).collect()
}

/// A JSON value that is there.
fn given(value: &Value) -> Option<&Value> {
    (!value.is_null()).then_some(value)
}
