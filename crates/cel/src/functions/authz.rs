//! Questions to the authorizer and their answers (k8s.io/apiserver/pkg/cel/library/authz.go). `check` itself is the evaluation's.

use std::sync::Arc;

use super::Found;
use crate::access::{About, Access, Resource};
use crate::value::Value;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    match args {
        [Value::Decision(decision)] => Some(Ok(match name {
            "allowed" => Value::Bool(decision.allowed),
            "reason" => Value::from(decision.reason.as_str()),
            "errored" => Value::Bool(false),
            "error" => Value::from(""),
            _ => return None,
        })),
        [Value::Access(access), Value::String(text)] => extend(name, access, text),
        [Value::Access(access), Value::String(namespace), Value::String(account)] if name == "serviceAccount" => {
            Some(service_account(access, namespace, account))
        }
        _ => None,
    }
}

fn extend(name: &str, access: &Access, text: &str) -> Option<Found> {
    let is_blank = text.trim().is_empty();
    let about = match (name, &access.about) {
        ("path", About::Nothing) if is_blank => return Some(Err("path must not be empty".into())),
        ("path", About::Nothing) => About::Path(text.into()),
        ("group", About::Nothing) => About::Group(text.into()),
        ("resource", About::Group(_)) if is_blank => return Some(Err("resource must not be empty".into())),
        ("resource", About::Group(group)) => {
            About::Resource(Resource { group: group.clone(), resource: text.into(), ..Resource::default() })
        }
        (_, About::Resource(resource)) => {
            let mut resource = resource.clone();
            match name {
                "subresource" => resource.subresource = text.into(),
                "namespace" => resource.namespace = text.into(),
                "name" => resource.name = text.into(),
                // Roles know nothing of selectors, so what is selected changes no answer.
                "fieldSelector" | "labelSelector" => {}
                _ => return None,
            }
            About::Resource(resource)
        }
        _ => return None,
    };
    Some(Ok(Value::Access(Arc::new(Access { account: access.account.clone(), about }))))
}

fn service_account(access: &Access, namespace: &str, account: &str) -> Found {
    if !api::names::dns1123_subdomain(account).is_empty() {
        return Err("Invalid service account name".into());
    }
    if !api::names::dns1123_label(namespace).is_empty() {
        return Err("Invalid service account namespace".into());
    }
    let account = Some((namespace.to_owned(), account.to_owned()));
    Ok(Value::Access(Arc::new(Access { account, about: access.about.clone() })))
}
