//! Nobody hands out what he does not have (pkg/registry/rbac/escalation_check.go, .../validation/rule.go).

use api::Kind;
use api::kinds::{CLUSTER_ROLES, ROLES};
use api::status::Status;
use json::{Value, json};

use super::rules::{allows, rules_for};
use super::{Attributes, decide};
use crate::failure;
use crate::registry::Context;
use crate::value::{at, list, text};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses a role with rules, or a binding to a role with rules, that the user does not have (403).
pub fn check(cx: &Context<'_>, kind: &Kind, namespace: &str, new: &Value, old: Option<&Value>) -> Result<(), Status> {
    let Some(user) = cx.user.filter(|user| kind.group == GROUP && !user.is_master()) else { return Ok(()) };
    let name = text(new, "metadata.name");
    let may = |verb: &str, resource: &str, name: &str| {
        let wanted = Attributes { verb, group: GROUP, resource, namespace, name, ..Attributes::default() };
        decide(cx, user, &wanted).is_some()
    };
    let wanted = match kind.plural {
        "roles" | "clusterroles" => {
            let same = old.is_some_and(|old| new["rules"] == old["rules"] && !aggregates(new) && !aggregates(old));
            if same || may("escalate", kind.plural, name) {
                return Ok(());
            }
            list(new, "rules").to_vec()
        }
        "rolebindings" | "clusterrolebindings" => {
            let role = at(new, "roleRef");
            let (of, namespace) = if text(role, "kind") == "Role" { (&ROLES, namespace) } else { (&CLUSTER_ROLES, "") };
            let same = old.is_some_and(|old| new["subjects"] == old["subjects"] && *role == old["roleRef"]);
            if same || may("bind", of.plural, text(role, "name")) {
                return Ok(());
            }
            list(cx.require(of, namespace, text(role, "name"))?.value.value(), "rules").to_vec()
        }
        _ => return Ok(()),
    };
    let own: Vec<Value> = rules_for(cx, user, namespace).into_iter().map(|rule| rule.value).collect();
    let refuse = |why: &str| Err(failure::forbidden(kind, name, why));
    let lacking = lacking(&own, &wanted);
    if !lacking.is_empty() {
        return refuse(&format!(
            "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            api::text::go_quote(&user.name),
            quoted(&user.groups),
            lacking.join("\n")
        ));
    }
    let everything = [
        json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
        json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
    ];
    if (aggregates(new) || old.is_some_and(aggregates)) && !self::lacking(&own, &everything).is_empty() {
        return refuse("must have cluster-admin privileges to use the aggregationRule");
    }
    Ok(())
}

/// Whether a cluster role gathers the rules of others.
fn aggregates(role: &Value) -> bool {
    !list(role, "aggregationRule.clusterRoleSelectors").is_empty()
}

/// `["a" "b"]`.
fn quoted(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|t| api::text::go_quote(t)).collect::<Vec<_>>().join(" "))
}

/// A rule for one resource, or one path, and the verbs of it.
#[derive(PartialEq)]
struct Single {
    group: String,
    resource: String,
    name: Option<String>,
    path: Option<String>,
    verbs: Vec<String>,
}

impl Single {
    fn covered(&self, own: &[Value], verb: &str) -> bool {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        let wanted = Attributes {
            verb,
            group: &self.group,
            resource,
            subresource,
            name: self.name.as_deref().unwrap_or(""),
            path: self.path.as_deref().unwrap_or(""),
            namespace: "",
        };
        own.iter().any(|rule| allows(rule, &wanted))
    }

    /// As `CompactString` writes it.
    fn show(&self) -> String {
        let one = |text: &str| quoted(&[text.to_owned()]);
        let mut parts = Vec::new();
        match &self.path {
            Some(path) => parts.push(format!("NonResourceURLs:{}", one(path))),
            None => {
                parts.push(format!("APIGroups:{}", one(&self.group)));
                parts.push(format!("Resources:{}", one(&self.resource)));
            }
        }
        parts.extend(self.name.as_ref().map(|name| format!("ResourceNames:{}", one(name))));
        parts.push(format!("Verbs:{}", quoted(&self.verbs)));
        format!("{{{}}}", parts.join(", "))
    }
}

/// What the rules one has do not cover of the wanted ones, each resource on a line, sorted.
fn lacking(own: &[Value], wanted: &[Value]) -> Vec<String> {
    let texts = |rule: &Value, field: &str| -> Vec<String> {
        list(rule, field).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut singles: Vec<Single> = Vec::new();
    let mut add = |group: &str, resource: &str, name: Option<String>, path: Option<String>, verb: String| {
        let single = Single { group: group.into(), resource: resource.into(), name, path, verbs: Vec::new() };
        if single.covered(own, &verb) {
            return;
        }
        let same = |s: &&mut Single| {
            s.path.is_none()
                && single.path.is_none()
                && s.group == single.group
                && s.resource == single.resource
                && s.name == single.name
        };
        match singles.iter_mut().find(same) {
            Some(known) if known.verbs.contains(&verb) => {}
            Some(known) => known.verbs.push(verb),
            None => singles.push(Single { verbs: vec![verb], ..single }),
        }
    };
    for rule in wanted {
        let names: Vec<Option<String>> = match texts(rule, "resourceNames") {
            none if none.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        for verb in texts(rule, "verbs") {
            for group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    names.iter().for_each(|name| add(&group, &resource, name.clone(), None, verb.clone()));
                }
            }
            texts(rule, "nonResourceURLs").into_iter().for_each(|path| add("", "", None, Some(path), verb.clone()));
        }
    }
    let mut lines: Vec<String> = singles.iter().map(Single::show).collect();
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_covered_is_named() {
        let own = [json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]})];
        let wanted = [
            json!({"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "pods/log"]}),
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]}),
            json!({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
        ];
        assert_eq!(
            lacking(&own, &wanted),
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}"#,
                r#"{APIGroups:[""], Resources:["pods/log"], Verbs:["get" "list" "watch"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}"#,
                r#"{NonResourceURLs:["/metrics"], Verbs:["get"]}"#,
            ]
        );
        let all = [
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}),
            json!({"verbs": ["*"], "nonResourceURLs": ["*"]}),
        ];
        assert!(lacking(&all, &wanted).is_empty());
    }
}
