//! The parameters of a binding (`CollectParams` of k8s.io/apiserver/pkg/admission/plugin/policy/generic).

use api::selector::LabelSelector;
use api::{Kind, Object};
use json::Value;

use super::kinds;
use crate::registry::Context;
use crate::value::{at, text};

/// The kind of the parameters of a policy; `None` if it has none.
///
/// # Errors
/// Nothing of that kind is served.
pub fn kind(cx: &Context<'_>, param_kind: &Value) -> Result<Option<&'static Kind>, String> {
    if param_kind.is_null() {
        return Ok(None);
    }
    let (version, name) = (text(param_kind, "apiVersion"), text(param_kind, "kind"));
    match resolve(cx, version, name) {
        Some(found) => Ok(Some(found)),
        None => {
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            Err(format!("failed to find resource referenced by paramKind: '{version}, Kind={name}'"))
        }
    }
}

/// The row of a kind by the words of objects.
pub fn resolve(cx: &Context<'_>, api_version: &str, kind: &str) -> Option<&'static Kind> {
    kinds(cx).into_iter().find(|row| row.kind == kind && row.api_version() == api_version)
}

/// The parameters that a binding refers to; a policy without parameters is asked once, with none.
///
/// # Errors
/// The reference leads nowhere.
pub fn collect(
    cx: &Context<'_>,
    kind: Option<&'static Kind>,
    reference: &Value,
    namespace: &str,
) -> Result<Vec<Option<Object>>, String> {
    let Some(kind) = kind.filter(|_| !reference.is_null()) else { return Ok(vec![None]) };
    let own = text(reference, "namespace");
    let namespace = match (kind.namespaced, own) {
        (true, "") if namespace.is_empty() => {
            return Err("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources".into());
        }
        (true, "") => namespace,
        (true, own) => own,
        (false, "") => "",
        (false, _) => return Err("paramRef.namespace must not be provided for a cluster-scoped `paramKind`".into()),
    };
    let (name, selector) = (text(reference, "name"), at(reference, "selector"));
    let found: Vec<Object> = match (name, selector.is_null()) {
        ("", true) => return Err("one of name or selector must be provided".into()),
        ("", false) => {
            let selector = LabelSelector::from_value(selector)?;
            cx.all(kind, namespace).into_iter().filter(|object| selector.matches_object(object)).collect()
        }
        (_, false) => return Err("paramRef.name and paramRef.selector are mutually exclusive".into()),
        (name, true) => cx.find(kind, namespace, name).map(|kv| kv.value.clone()).into_iter().collect(),
    };
    if found.is_empty() && text(reference, "parameterNotFoundAction") == "Deny" {
        return Err("no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found.into_iter().map(Some).collect())
}
