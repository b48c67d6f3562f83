//! Which requests a policy or a binding is about (k8s.io/apiserver/pkg/admission/plugin/policy/matching,
//! .../plugin/webhook/predicates).

use api::Kind;
use api::kinds::NAMESPACES;
use api::selector::LabelSelector;
use json::Value;

use super::kinds;
use crate::admission::attributes::Attributes;
use crate::registry::{Context, key};
use crate::value::{at, list, text};

/// Whether a request is meant, and as which kind of resource; `None` if it is not.
///
/// # Errors
/// The constraints cannot be asked: what is wrong with them, or that the namespace is not there.
pub fn matches(
    cx: &Context<'_>,
    attributes: &Attributes<'_>,
    constraints: &Value,
) -> Result<Option<&'static Kind>, String> {
    if constraints.is_null() {
        return Err("policy contained no match constraints, a required field".into());
    }
    let in_namespace = namespace_selected(cx, attributes, at(constraints, "namespaceSelector"));
    if in_namespace == Ok(false) {
        return Ok(None);
    }
    let is_selected = object_selected(attributes, at(constraints, "objectSelector"));
    if is_selected == Ok(false) {
        return Ok(None);
    }
    let is_exact = text(constraints, "matchPolicy") == "Exact";
    let others = if is_exact { Vec::new() } else { equivalents(cx, attributes) };
    let by_rules = |field: &str| by_rules(list(constraints, field), attributes, &others);
    if by_rules("excludeResourceRules").is_some() {
        return Ok(None);
    }
    let found = if list(constraints, "resourceRules").is_empty() {
        Some(attributes.resource)
    } else {
        by_rules("resourceRules")
    };
    // Only who is meant is told that the selectors are wrong.
    if found.is_some() {
        in_namespace?;
        is_selected?;
    }
    Ok(found)
}

/// Other names of the same resource that have the subresource too (`EquivalentResourcesFor`).
fn equivalents(cx: &Context<'_>, attributes: &Attributes<'_>) -> Vec<&'static Kind> {
    let own = attributes.resource;
    let has = |kind: &Kind| attributes.subresource.is_empty() || kind.subresources.contains(&attributes.subresource);
    let is_same =
        |kind: &&'static Kind| !std::ptr::eq(*kind, own) && key(kind, "", "") == key(own, "", "") && has(kind);
    kinds(cx).into_iter().filter(is_same).collect()
}

fn by_rules(rules: &[Value], attributes: &Attributes<'_>, others: &[&'static Kind]) -> Option<&'static Kind> {
    let is_named = |rule: &Value| {
        let names = list(rule, "resourceNames");
        names.is_empty() || names.iter().any(|name| name.as_str() == Some(attributes.name))
    };
    let applies = |rule: &&Value, kind: &Kind| rule_applies(rule, attributes, kind) && is_named(rule);
    if rules.iter().any(|rule| applies(&rule, attributes.resource)) {
        return Some(attributes.resource);
    }
    rules.iter().find_map(|rule| others.iter().copied().find(|kind| applies(&rule, kind)))
}

fn rule_applies(rule: &Value, attributes: &Attributes<'_>, kind: &Kind) -> bool {
    let any = |field: &str, wanted: &str| {
        list(rule, field).iter().filter_map(Value::as_str).any(|item| item == "*" || item == wanted)
    };
    let is_clusterwide = *kind == NAMESPACES || attributes.namespace.is_empty();
    let in_scope = match text(rule, "scope") {
        "" | "*" => true,
        "Namespaced" => !is_clusterwide,
        "Cluster" => is_clusterwide,
        _ => false,
    };
    let is_resource = |wanted: &str| {
        let (resource, subresource) = wanted.split_once('/').unwrap_or((wanted, ""));
        (resource == "*" || resource == kind.plural) && (subresource == "*" || subresource == attributes.subresource)
    };
    in_scope
        && any("operations", attributes.operation)
        && any("apiGroups", kind.group)
        && any("apiVersions", kind.version)
        && list(rule, "resources").iter().filter_map(Value::as_str).any(is_resource)
}

fn namespace_selected(cx: &Context<'_>, attributes: &Attributes<'_>, selector: &Value) -> Result<bool, String> {
    let is_namespace = attributes.resource.plural == "namespaces";
    if attributes.namespace.is_empty() && !is_namespace {
        return Ok(true);
    }
    let selector = LabelSelector::from_value(selector)?;
    if selector.is_everything() {
        return Ok(true);
    }
    if is_namespace
        && attributes.subresource.is_empty()
        && let ("CREATE" | "UPDATE", Some(object)) = (attributes.operation, attributes.object)
    {
        return Ok(selector.matches_value(at(object, "metadata.labels")));
    }
    let found = cx.require(&NAMESPACES, "", attributes.namespace).map_err(|status| status.message)?;
    Ok(selector.matches_object(&found.value))
}

fn object_selected(attributes: &Attributes<'_>, selector: &Value) -> Result<bool, String> {
    let selector = LabelSelector::from_value(selector)?;
    let selects = |object: Option<&Value>| object.is_some_and(|o| selector.matches_value(at(o, "metadata.labels")));
    Ok(selector.is_everything() || selects(attributes.object) || selects(attributes.old))
}
