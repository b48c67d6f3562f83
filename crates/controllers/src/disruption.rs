//! How many pods of a budget may be taken away just now (`pkg/controller/disruption`).

use std::collections::BTreeSet;
use std::time::Duration;

use api::selector::LabelSelector;
use api::{Kind, Object, kinds};
use client::Event;
use json::{Value, json};
use simulation::Time;

use crate::change::{Change, Conflict, Note, Plan, Retry};
use crate::controller::{Controller, Follows, Wake};
use crate::pods;
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "disruption-controller",
    component: "controllermanager",
    follows: Follows::Kinds(&[
        &kinds::POD_DISRUPTION_BUDGETS,
        &kinds::PODS,
        &kinds::DEPLOYMENTS,
        &kinds::REPLICA_SETS,
        &kinds::REPLICATION_CONTROLLERS,
        &kinds::STATEFUL_SETS,
    ]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// How long a pod that was evicted and does not go is left out (`DeletionTimeout`).
const DELETION_WAIT: Duration = Duration::from_secs(120);

/// The selector of a budget; none selects nothing, an empty one everything.
fn selector(budget: &Object) -> LabelSelector {
    match budget.at("spec.selector") {
        Value::Null => LabelSelector::nothing(),
        selector => LabelSelector::from_value(selector).unwrap_or_else(|_| LabelSelector::nothing()),
    }
}

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    if *kind == kinds::POD_DISRUPTION_BUDGETS {
        return match event {
            Event::Deleted(_) => Vec::new(),
            _ => vec![Wake::now(object)],
        };
    }
    let budgets = view.of(&kinds::POD_DISRUPTION_BUDGETS).in_namespace(object.namespace());
    if *kind == kinds::PODS {
        return budgets.filter(|budget| selector(budget).matches_object(object)).map(Wake::now).collect();
    }
    let resized = match event {
        Event::Modified { old, new } => old.at("spec.replicas") != new.at("spec.replicas"),
        _ => true,
    };
    if resized { budgets.map(Wake::now).collect() } else { Vec::new() }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(budget) = view.get(&kinds::POD_DISRUPTION_BUDGETS, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let result = sync(view, &mut plan, budget);
    Ok(plan.finish(result))
}

fn sync(view: &View<'_>, plan: &mut Plan, budget: &Object) -> Result<(), Conflict> {
    let chosen = selector(budget);
    let all = view.of(&kinds::PODS).in_namespace(budget.namespace());
    let mine: Vec<&Object> = all.filter(|pod| !pods::is_terminal(pod) && chosen.matches_object(pod)).collect();
    if mine.is_empty() {
        plan.event(budget, Note::normal("NoPods", "No matching pods found"));
    }
    let (expected, desired) = expected(view, budget, &mine);
    let disrupted = disrupted(view, plan, budget, &mine);
    let is_disrupted = |pod: &&&Object| disrupted.as_object().is_some_and(|d| d.contains_key(pod.name()));
    let healthy = mine.iter().filter(|pod| !pod.is_deleting() && pods::is_ready(pod) && !is_disrupted(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let allowed = if expected <= 0 { 0 } else { (healthy - desired).max(0) };
    let mut status = json!({"currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed,
        "expectedPods": expected, "observedGeneration": budget.generation()});
    if disrupted.as_object().is_some_and(|d| !d.is_empty()) {
        status["disruptedPods"] = disrupted;
    }
    status["conditions"] = json!([condition(view, budget, allowed)]);
    if *budget.at("status") == status {
        return Ok(());
    }
    let mut updated = budget.clone();
    updated.set("status", status);
    plan.update_status(&kinds::POD_DISRUPTION_BUDGETS, &updated).map(|_| ())
}

fn condition(view: &View<'_>, budget: &Object, allowed: i64) -> Value {
    let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let old = pods::condition(budget, "DisruptionAllowed");
    let since = old.filter(|c| c["status"] == status).map(|c| c["lastTransitionTime"].clone());
    json!({"type": "DisruptionAllowed", "status": status, "reason": reason, "message": "",
        "observedGeneration": budget.generation(),
        "lastTransitionTime": since.unwrap_or_else(|| view.now_text().into())})
}

/// How many pods there should be, and how many of them must stay (`getExpectedPodCount`).
fn expected(view: &View<'_>, budget: &Object, mine: &[&Object]) -> (i64, i64) {
    let (least, most) = (budget.at("spec.minAvailable"), budget.at("spec.maxUnavailable"));
    if !most.is_null() {
        let expected = owners_scale(view, mine);
        return (expected, (expected - scaled(most, expected)).max(0));
    }
    match least {
        Value::String(_) => {
            let expected = owners_scale(view, mine);
            (expected, scaled(least, expected))
        }
        Value::Null => (i64::try_from(mine.len()).unwrap_or(0), i64::try_from(mine.len()).unwrap_or(0)),
        number => (i64::try_from(mine.len()).unwrap_or(0), number.as_i64().unwrap_or(0)),
    }
}

/// A number, or a percentage of another one, rounded up.
fn scaled(value: &Value, of: i64) -> i64 {
    match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (of * percent + 99) / 100
        }
        other => other.as_i64().unwrap_or(0),
    }
}

/// The sizes of the owners of the pods, each owner once.
fn owners_scale(view: &View<'_>, mine: &[&Object]) -> i64 {
    let mut seen = BTreeSet::new();
    let mut sum = 0;
    for pod in mine {
        for kind in [&kinds::REPLICA_SETS, &kinds::REPLICATION_CONTROLLERS, &kinds::STATEFUL_SETS] {
            let Some(owner) = view.owner(kind, pod) else { continue };
            let owner = view.owner(&kinds::DEPLOYMENTS, owner).unwrap_or(owner);
            if seen.insert(owner.uid().to_owned()) {
                sum += owner.int("spec.replicas").unwrap_or(1);
            }
        }
    }
    sum
}

/// Pods whose eviction was granted and that are still there, as long as they are believed to go.
fn disrupted(view: &View<'_>, plan: &mut Plan, budget: &Object, mine: &[&Object]) -> Value {
    let mut kept = json::Map::new();
    for (name, since) in budget.at("status.disruptedPods").as_object().into_iter().flatten() {
        let is_there = mine.iter().any(|pod| pod.name() == name && !pod.is_deleting());
        let Some(since_time) = since.as_str().and_then(Time::parse_rfc3339).filter(|_| is_there) else { continue };
        let rest = (since_time + DELETION_WAIT).saturating_since(view.now);
        if !rest.is_zero() {
            plan.push(Change::After(rest));
            kept.insert(name.clone(), since.clone());
        }
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    fn allowed(spec: Value, ready: usize) -> String {
        let budget = Object::new(json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "b", "namespace": "d", "generation": 1}, "spec": spec}));
        let set = Object::new(json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "rs", "namespace": "d", "uid": "r"}, "spec": {"replicas": 4}}));
        let owner =
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "r", "controller": true}]);
        let pod = |n: usize| {
            let status = if n < ready { "True" } else { "False" };
            Object::new(json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": n.to_string(), "namespace": "d", "labels": {"a": "b"}, "ownerReferences": owner},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]}}))
        };
        let mut objects: Vec<Object> = (0..4).map(pod).collect();
        objects.extend([budget, set]);
        let caches = Caches::with(&objects);
        let view = View::new(&caches, Time::from_unix_seconds(0));
        let steps = describe(&reconcile(&view, "d/b").unwrap());
        let words = ["currentHealthy", "desiredHealthy", "disruptionsAllowed"];
        let of = |word: &str| {
            let rest = steps.split(&format!("{word}=")).nth(1).unwrap_or("?");
            rest.split(' ').next().unwrap_or("?").to_owned()
        };
        words.map(of).join(" ")
    }

    #[test]
    fn budgets() {
        let labels = json!({"matchLabels": {"a": "b"}});
        assert_eq!(allowed(json!({"minAvailable": 3, "selector": labels}), 4), "4 3 1");
        assert_eq!(allowed(json!({"minAvailable": "50%", "selector": labels}), 4), "4 2 2");
        assert_eq!(allowed(json!({"maxUnavailable": 1, "selector": labels}), 3), "3 3 0");
        assert_eq!(allowed(json!({"maxUnavailable": "25%", "selector": labels}), 4), "4 3 1");
    }
}
