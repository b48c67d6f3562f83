//! Roles and bindings.

use std::collections::BTreeMap;

use api::Object;
use json::Value;

use super::Context;
use super::write::{Text, list, text};
use crate::failure::Outcome;

/// `kubectl describe role` and `clusterrole`.
pub async fn role(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    head(&mut out, &object);
    out.line(0, "PolicyRule:");
    out.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    out.line(1, "---------\t-----------------\t--------------\t-----");
    for rule in rules(&object) {
        let cells = [rule.resource, shown(&rule.urls), shown(&rule.names), shown(&rule.verbs)];
        out.line(1, cells.join("\t"));
    }
    Ok(out.finish())
}

/// `kubectl describe rolebinding` and `clusterrolebinding`.
pub async fn binding(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    head(&mut out, &object);
    out.line(0, "Role:");
    out.field(1, "Kind", object.str("roleRef.kind"));
    out.field(1, "Name", object.str("roleRef.name"));
    out.line(0, "Subjects:");
    out.line(1, "Kind\tName\tNamespace");
    out.line(1, "----\t----\t---------");
    for subject in object.list("subjects") {
        let cells = [text(subject, "kind"), text(subject, "name"), text(subject, "namespace")];
        out.line(1, cells.join("\t"));
    }
    Ok(out.finish())
}

fn head(out: &mut Text, object: &Object) {
    out.field(0, "Name", object.name());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
}

/// A list as Go prints it.
fn shown(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

/// What may be done with one resource, or with one path.
struct Rule {
    resource: String,
    urls: Vec<String>,
    names: Vec<String>,
    verbs: Vec<String>,
}

/// The rules taken apart to one resource each, those that differ only in their verbs put together, in upstream's order
/// (`BreakdownRule`, `CompactRules`, `SortableRuleSlice`).
fn rules(role: &Object) -> Vec<Rule> {
    let mut all: BTreeMap<(String, String, String, String), Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    let mut add = |key: (String, String, String, String), verb: &str| {
        if !all.contains_key(&key) {
            order.push(key.clone());
        }
        let verbs = all.entry(key).or_default();
        if !verbs.iter().any(|v| v == verb) {
            verbs.push(verb.to_owned());
        }
    };
    for rule in role.list("rules") {
        let texts = |field: &str| list(rule, field).iter().filter_map(Value::as_str).map(str::to_owned);
        let names: Vec<String> = texts("resourceNames").collect();
        let names = if names.is_empty() { vec![String::new()] } else { names };
        for verb in texts("verbs") {
            for group in texts("apiGroups") {
                for resource in texts("resources") {
                    for name in &names {
                        add((group.clone(), resource.clone(), name.clone(), String::new()), &verb);
                    }
                }
            }
            for url in texts("nonResourceURLs") {
                add((String::new(), String::new(), String::new(), url), &verb);
            }
        }
    }
    let some = |text: &String| if text.is_empty() { Vec::new() } else { vec![text.clone()] };
    let mut rules: Vec<(String, Rule)> = order
        .iter()
        .map(|key| {
            let (group, resource, name, url) = key;
            let verbs = all.get(key).cloned().unwrap_or_default();
            let shown = combine(resource, group);
            let words = verbs.join(" ");
            // The text of the rule, as Go prints the structure.
            let sorting = format!(
                "Verbs:[{words}],APIGroups:[{group}],Resources:[{resource}],ResourceNames:[{name}],NonResourceURLs:[{url}]"
            );
            (sorting, Rule { resource: shown, urls: some(url), names: some(name), verbs })
        })
        .collect();
    rules.sort_by(|a, b| a.0.cmp(&b.0));
    rules.into_iter().map(|(_, rule)| rule).collect()
}

/// `deployments.apps/scale`: the group goes behind the resource, before its part (`CombineResourceGroup`).
fn combine(resource: &str, group: &str) -> String {
    match resource.split_once('/') {
        _ if group.is_empty() => resource.to_owned(),
        Some((resource, part)) => format!("{resource}.{group}/{part}"),
        None => format!("{resource}.{group}"),
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn rules_are_taken_apart_and_put_together() {
        let role = Object::new(json!({"rules": [
            {"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "deployments/scale"]},
            {"verbs": ["watch"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["get"], "nonResourceURLs": ["/healthz"]},
        ]}));
        let shown: Vec<String> =
            rules(&role).iter().map(|r| format!("{} {} {}", r.resource, shown(&r.urls), shown(&r.verbs))).collect();
        let expected = [
            "pods [] [get list watch]",
            "deployments/scale [] [get list]",
            "deployments.apps/scale [] [get list]",
            "pods.apps [] [get list]",
            " [/healthz] [get]",
        ];
        assert_eq!(shown, expected);
    }
}
