//! Gathers the rules of aggregated cluster roles from the roles that their selectors find
//! (`pkg/controller/clusterroleaggregation`).

use api::selector::LabelSelector;
use api::{Kind, Object, kinds};
use client::Event;
use json::Value;

use crate::change::{Change, Op, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "clusterrole-aggregation-controller",
    component: "clusterrole-aggregation-controller",
    follows: Follows::Kinds(&[&kinds::CLUSTER_ROLES]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// Any role may belong to any aggregated one.
fn wake(view: &View<'_>, _: &Kind, _: &Event) -> Vec<Wake> {
    view.of(&kinds::CLUSTER_ROLES).list().filter(|role| role.at("aggregationRule").is_object()).map(Wake::now).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let roles = view.of(&kinds::CLUSTER_ROLES);
    let Some(role) = roles.get(key).filter(|role| role.at("aggregationRule").is_object()) else {
        return Ok(Vec::new());
    };
    let mut rules: Vec<Value> = Vec::new();
    for selector in role.list("aggregationRule.clusterRoleSelectors") {
        let Ok(selector) = LabelSelector::from_value(selector) else { continue };
        // Roles come in the order of their names.
        let found = roles.list().filter(|other| other.name() != role.name() && selector.matches_object(other));
        for rule in found.flat_map(|other| other.list("rules")) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    if role.list("rules") == rules {
        return Ok(Vec::new());
    }
    let mut updated: Object = role.clone();
    updated.set("rules", rules);
    let mut plan = Plan::default();
    let result = plan.update(Write::new(&kinds::CLUSTER_ROLES, Op::Update(updated))).map(|_| ());
    Ok(plan.finish(result))
}

#[cfg(test)]
mod tests {
    use json::json;
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;

    #[test]
    fn rules_are_gathered_once_each() {
        let role = |name: &str, labels: Value, rules: Value, aggregation: Value| {
            Object::new(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "labels": labels}, "rules": rules, "aggregationRule": aggregation}))
        };
        let rule = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]});
        let other = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["nodes"]});
        let objects = [
            role("view", json!({}), Value::Null, json!({"clusterRoleSelectors": [{"matchLabels": {"to": "view"}}]})),
            role("a", json!({"to": "view"}), json!([rule]), Value::Null),
            role("b", json!({"to": "view"}), json!([rule, other]), Value::Null),
            role("c", json!({}), json!([{"verbs": ["*"]}]), Value::Null),
        ];
        let caches = Caches::with(&objects);
        let view = View::new(&caches, Time::from_unix_seconds(0));
        let changes = reconcile(&view, "view").unwrap();
        let [Change::Write(write)] = changes.as_slice() else { panic!("{changes:?}") };
        let Op::Update(updated) = &write.op else { panic!("{write:?}") };
        assert_eq!(updated.at("rules"), &json!([rule, other]));
    }
}
