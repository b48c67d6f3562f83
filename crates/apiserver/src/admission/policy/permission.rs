//! Nobody has a policy read for him what he may not read himself (pkg/registry/admissionregistration/*/authz.go).

use api::Kind;
use api::kinds::VALIDATING_ADMISSION_POLICIES;
use api::status::{FieldError, FieldErrors, Status};
use json::Value;

use super::params::resolve;
use crate::authentication::User;
use crate::authorization::{Attributes, decide};
use crate::failure;
use crate::registry::Context;
use crate::value::{at, text};

/// What is read for a policy.
struct Read<'a> {
    verb: &'static str,
    name: &'a str,
    namespace: &'a str,
    param_kind: &'a Value,
}

/// Refuses a policy whose parameters, or a binding whose references, its writer may not read.
///
/// # Errors
/// 422, as if the object were wrong.
pub fn check(cx: &Context<'_>, kind: &Kind, new: &Value, old: Option<&Value>) -> Result<(), Status> {
    let is_policy = *kind == VALIDATING_ADMISSION_POLICIES;
    let Some(user) = cx.user.filter(|user| !user.is_master()) else { return Ok(()) };
    let field = if is_policy { "spec.paramKind" } else { "spec.paramRef" };
    let same = |path: &str| old.is_some_and(|old| at(new, path) == at(old, path));
    if at(new, field).is_null() || same(field) && (is_policy || same("spec.policyName")) {
        return Ok(());
    }
    let refused = if is_policy { of_policy(cx, user, at(new, field)) } else { of_binding(cx, user, new) };
    refused.map_or(Ok(()), |why| {
        let mut errors = FieldErrors::new();
        errors.push(FieldError::forbidden(field, why));
        Err(failure::invalid(kind, text(new, "metadata.name"), &errors))
    })
}

fn of_policy(cx: &Context<'_>, user: &User, param_kind: &Value) -> Option<String> {
    let read = Read { verb: "get", name: "*", namespace: "*", param_kind };
    let (kind, version) = (text(param_kind, "kind"), text(param_kind, "apiVersion"));
    let must = "must have \"get\" permission on all objects of the referenced paramKind";
    (!may(cx, user, &read)).then(|| format!("user {} {must} (kind={kind}, apiVersion={version})", shown(user)))
}

fn of_binding(cx: &Context<'_>, user: &User, binding: &Value) -> Option<String> {
    let (reference, policy_name) = (at(binding, "spec.paramRef"), text(binding, "spec.policyName"));
    let name = text(reference, "name");
    let verb = if name.is_empty() { "list" } else { "get" };
    let policy = cx.find(&VALIDATING_ADMISSION_POLICIES, "", policy_name);
    let param_kind = policy.as_ref().map_or(&Value::Null, |policy| policy.value.at("spec.paramKind"));
    let read = Read { verb, name, namespace: text(reference, "namespace"), param_kind };
    if may(cx, user, &read) {
        return None;
    }
    let user = shown(user);
    let lacks = format!(
        "to determine minimum required permissions and user {user} does not have \"{verb}\" permission for all groups, versions and resources"
    );
    let (kind, version) = (text(param_kind, "kind"), text(param_kind, "apiVersion"));
    Some(if policy.is_none() {
        format!("unable to get policy {policy_name} {lacks}")
    } else if !param_kind.is_null() && resolve(cx, version, kind).is_none() {
        format!("unable to resolve paramKind &ParamKind{{APIVersion:{version},Kind:{kind},}} {lacks}")
    } else {
        format!("user {user} does not have \"{verb}\" permission on the object referenced by paramRef")
    })
}

fn may(cx: &Context<'_>, user: &User, read: &Read<'_>) -> bool {
    let version = text(read.param_kind, "apiVersion");
    let group = match (read.param_kind.is_null(), version.split_once('/')) {
        (true, _) => "*",
        (false, Some((group, _))) => group,
        (false, None) => "",
    };
    let resource = resolve(cx, version, text(read.param_kind, "kind")).map_or("*", |kind| kind.plural);
    let wanted = Attributes {
        verb: read.verb,
        group,
        resource,
        namespace: read.namespace,
        name: read.name,
        ..Attributes::default()
    };
    decide(cx, user, &wanted).is_some()
}

/// A user as Go prints what it knows of him.
fn shown(user: &User) -> String {
    let extra: Vec<String> = user.extra.iter().map(|(key, values)| format!("{key}:[{}]", values.join(" "))).collect();
    format!("&{{{} {} [{}] map[{}]}}", user.name, user.uid, user.groups.join(" "), extra.join(" "))
}
