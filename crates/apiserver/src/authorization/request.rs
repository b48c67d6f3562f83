//! What a request wants to do (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go).

use api::http::Method;
use api::status::Status;

use super::{Attributes, authorize};
use crate::authentication::User;
use crate::registry::Context;
use crate::request::{Head, Target};

/// Refuses a request to a path or a resource that its user may not make (403).
pub fn check(cx: &Context<'_>, user: &User, head: &Head, target: Option<&Target>) -> Result<(), Status> {
    if user.is_master() {
        return Ok(());
    }
    let Some(target) = target else {
        let verb = head.method.as_str().to_ascii_lowercase();
        let path = head.uri.path();
        return authorize(cx, user, &Attributes { verb: &verb, path, ..Attributes::default() });
    };
    let is_watch = target.watch_prefix || head.query.flag("watch");
    let verb = match (&head.method, target.name.is_empty()) {
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "deletecollection",
        (&Method::DELETE, false) => "delete",
        _ if is_watch => "watch",
        (_, true) => "list",
        _ => "get",
    };
    // A namespace is in itself.
    let namespace = if target.kind.plural == "namespaces" { &target.name } else { &target.namespace };
    authorize(
        cx,
        user,
        &Attributes {
            verb,
            group: target.kind.group,
            resource: target.kind.plural,
            subresource: &target.subresource,
            namespace,
            name: &target.name,
            path: "",
        },
    )
}
