//! What users may do: the rules of their roles (plugin/pkg/auth/authorizer/rbac).
//!
//! Difference from upstream: there is no node authorizer; kubelets ask as the administrator.

pub mod escalation;
mod request;
mod review;
mod rules;

pub use request::check;
pub use review::review;

use api::status::Status;

use crate::authentication::User;
use crate::registry::Context;
use rules::{Rule, rules_for};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// `get`, `list`, `create`, ...
    pub verb: &'a str,
    /// The API group.
    pub group: &'a str,
    /// The resource; empty if it is about a path.
    pub resource: &'a str,
    /// The subresource.
    pub subresource: &'a str,
    /// The namespace; empty for the whole cluster.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// A path that is no resource.
    pub path: &'a str,
}

impl Attributes<'_> {
    fn is_resource(&self) -> bool {
        !self.resource.is_empty()
    }

    /// `pods/log`.
    fn combined(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// Whether the user may, and by which binding.
pub fn decide(cx: &Context<'_>, user: &User, wanted: &Attributes<'_>) -> Option<String> {
    if user.is_master() {
        return Some(String::new());
    }
    rules_for(cx, user, wanted.namespace).into_iter().find(|rule| rule.allows(wanted)).map(|rule| rule.reason)
}

/// Refuses what the user may not (403).
pub fn authorize(cx: &Context<'_>, user: &User, wanted: &Attributes<'_>) -> Result<(), Status> {
    if decide(cx, user, wanted).is_some() { Ok(()) } else { Err(forbidden(user, wanted)) }
}

/// The refusal, in upstream's words (`ForbiddenStatusError`).
fn forbidden(user: &User, wanted: &Attributes<'_>) -> Status {
    let (who, verb) = (api::text::go_quote(&user.name), wanted.verb);
    let why = if wanted.is_resource() {
        let place = match wanted.namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        format!("User {who} cannot {verb} resource {:?} in API group {:?} {place}", wanted.combined(), wanted.group)
    } else {
        format!("User {who} cannot {verb} path {:?}", wanted.path)
    };
    let why = why.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Status::forbidden(wanted.group, wanted.resource, wanted.name, &why)
}

/// Everything the user may do in a namespace.
pub(crate) fn all_rules(cx: &Context<'_>, user: &User, namespace: &str) -> Vec<Rule> {
    rules_for(cx, user, namespace)
}
