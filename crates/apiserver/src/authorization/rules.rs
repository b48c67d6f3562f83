//! From bindings to rules, and what a rule allows (pkg/registry/rbac/validation/rule.go, pkg/apis/rbac/v1/evaluation_helpers.go).

use api::Object;
use api::kinds::{CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES};
use json::Value;

use super::Attributes;
use crate::authentication::User;
use crate::registry::Context;
use crate::value::{list, text};

/// One rule of a role, and how the user came to it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The `PolicyRule`.
    pub value: Value,
    /// `RBAC: allowed by ...`.
    pub reason: String,
}

impl Rule {
    /// Whether it allows something.
    pub fn allows(&self, wanted: &Attributes<'_>) -> bool {
        allows(&self.value, wanted)
    }
}

fn any(rule: &Value, field: &str, matches: impl Fn(&str) -> bool) -> bool {
    list(rule, field).iter().filter_map(Value::as_str).any(matches)
}

/// Whether a `PolicyRule` allows something.
pub fn allows(rule: &Value, wanted: &Attributes<'_>) -> bool {
    if !any(rule, "verbs", |verb| verb == "*" || verb == wanted.verb) {
        return false;
    }
    if !wanted.is_resource() {
        return any(rule, "nonResourceURLs", |path| {
            path == "*"
                || path == wanted.path
                || path.strip_suffix('*').is_some_and(|prefix| wanted.path.starts_with(prefix))
        });
    }
    let combined = wanted.combined();
    let all_of_subresource = format!("*/{}", wanted.subresource);
    let names = list(rule, "resourceNames");
    any(rule, "apiGroups", |group| group == "*" || group == wanted.group)
        && any(rule, "resources", |resource| {
            resource == "*" || resource == combined || !wanted.subresource.is_empty() && resource == all_of_subresource
        })
        && (names.is_empty() || names.iter().any(|name| name.as_str() == Some(wanted.name)))
}

/// The rules of every role that is bound to a user, for the cluster and in a namespace (empty: for the cluster alone).
pub fn rules_for(cx: &Context<'_>, user: &User, namespace: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    for binding in cx.all(&CLUSTER_ROLE_BINDINGS, "") {
        extend(cx, user, &binding, "", &mut rules);
    }
    if !namespace.is_empty() {
        for binding in cx.all(&ROLE_BINDINGS, namespace) {
            extend(cx, user, &binding, namespace, &mut rules);
        }
    }
    rules
}

/// Adds the rules of one binding if it is the user's.
fn extend(cx: &Context<'_>, user: &User, binding: &Object, namespace: &str, rules: &mut Vec<Rule>) {
    let Some(subject) = binding.list("subjects").iter().find(|s| is_about(s, user, namespace)) else { return };
    let role = binding.at("roleRef");
    let (kind, name) = (text(role, "kind"), text(role, "name"));
    let (of, role_namespace) = if kind == "Role" { (&ROLES, namespace) } else { (&CLUSTER_ROLES, "") };
    let Some(found) = cx.find(of, role_namespace, name) else { return };
    let what = if namespace.is_empty() {
        format!("ClusterRoleBinding {:?}", binding.name())
    } else {
        format!("RoleBinding {:?}", format!("{}/{namespace}", binding.name()))
    };
    let reason = format!("RBAC: allowed by {what} of {kind} {name:?} to {}", described(subject));
    let all = found.value.list("rules").iter();
    rules.extend(all.map(|value| Rule { value: value.clone(), reason: reason.clone() }));
}

/// Whether a subject of a binding is the user.
fn is_about(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "User" => name == user.name,
        "Group" => user.groups.iter().any(|g| g == name),
        "ServiceAccount" => {
            let of = match text(subject, "namespace") {
                "" => namespace,
                of => of,
            };
            !of.is_empty() && user.name == format!("system:serviceaccount:{of}:{name}")
        }
        _ => false,
    }
}

/// A subject in the words of a reason.
fn described(subject: &Value) -> String {
    let name = text(subject, "name");
    match text(subject, "kind") {
        "ServiceAccount" => format!("ServiceAccount {:?}", format!("{name}/{}", text(subject, "namespace"))),
        kind => format!("{kind} {name:?}"),
    }
}
