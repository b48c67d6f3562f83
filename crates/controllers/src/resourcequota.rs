//! Counts what namespaces use of what their quotas allow (`pkg/controller/resourcequota`).

use api::quota::{self, Amounts};
use api::{Kind, Quantity, kinds};
use client::Event;
use json::Map;

use crate::change::{Change, Plan, Retry};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "resourcequota-controller",
    component: "resourcequota-controller",
    follows: Follows::AllBut(&[&kinds::EVENTS, &kinds::LEASES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    if *kind == kinds::RESOURCE_QUOTAS && !matches!(event, Event::Deleted(_)) {
        return vec![Wake::now(object)];
    }
    if !kind.namespaced {
        return Vec::new();
    }
    let mut quotas = view.of(&kinds::RESOURCE_QUOTAS).in_namespace(object.namespace()).peekable();
    // Most namespaces have none, and what something uses is long to count.
    if quotas.peek().is_none() {
        return Vec::new();
    }
    if let Event::Modified { old, new } = event
        && quota::usage(kind, old.value()) == quota::usage(kind, new.value())
    {
        return Vec::new();
    }
    quotas.map(Wake::now).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(one) = view.get(&kinds::RESOURCE_QUOTAS, key).filter(|one| !one.is_deleting()) else {
        return Ok(Vec::new());
    };
    let hard = quota::amounts(one.at("spec.hard"));
    let mut used: Amounts = hard.keys().map(|name| (name.clone(), Quantity::ZERO)).collect();
    for kind in kinds::KINDS.iter().filter(|kind| kind.namespaced) {
        for object in view.of(kind).in_namespace(one.namespace()) {
            if !quota::is_about(one.value(), kind, object.value()) {
                continue;
            }
            for (name, amount) in quota::usage(kind, object.value()) {
                if let Some(total) = used.get_mut(&name) {
                    *total += amount;
                }
            }
        }
    }
    let used: Map = used.iter().map(|(name, amount)| (name.clone(), amount.to_string().into())).collect();
    let mut updated = one.clone();
    updated.set("status.hard", one.at("spec.hard").clone());
    updated.set("status.used", used);
    if updated.at("status") == one.at("status") {
        return Ok(Vec::new());
    }
    let mut plan = Plan::default();
    let result = plan.update_status(&kinds::RESOURCE_QUOTAS, &updated).map(|_| ());
    Ok(plan.finish(result))
}

#[cfg(test)]
mod tests {
    use api::Object;
    use json::json;
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    #[test]
    fn what_is_used_is_counted() {
        let one = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "d"},
            "spec": {"hard": {"pods": "2", "requests.cpu": "1", "configmaps": "3"}}});
        let pod = |name: &str, namespace: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
                "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "400m"}}}]}})
        };
        let objects = [one, pod("a", "d"), pod("b", "d"), pod("c", "other")].map(Object::new);
        let caches = Caches::with(&objects);
        let view = View::new(&caches, Time::from_unix_seconds(0));
        let steps = describe(&reconcile(&view, "d/q").unwrap());
        assert!(steps.contains(r#"used={"configmaps":"0","pods":"2","requests.cpu":"800m"}"#), "{steps}");
    }
}
