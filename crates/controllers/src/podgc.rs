//! Removes pods that no kubelet will ever remove (`pkg/controller/podgc`): those of a node that is gone, and those that
//! were deleted before they had a node.
//!
//! Upstream sweeps every 20 seconds; here each pod is looked at when its own time has come.

use std::time::Duration;

use api::{Kind, kinds};
use client::{DeleteOptions, Event, PatchType};
use json::json;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::pods;
use crate::view::View;

/// A node may come back under its name within this time.
const QUARANTINE: Duration = Duration::from_secs(40);

pub(crate) static CONTROLLER: Controller = Controller {
    name: "pod-garbage-collector-controller",
    component: "pod-garbage-collector-controller",
    follows: Follows::Kinds(&[&kinds::PODS, &kinds::NODES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Deleted(node) if *kind == kinds::NODES => {
            let pods = view.of(&kinds::PODS).list().filter(|pod| pod.str("spec.nodeName") == node.name());
            pods.map(|pod| Wake::after(pod, QUARANTINE)).collect()
        }
        Event::Added(pod) | Event::Modified { new: pod, .. } if *kind == kinds::PODS => {
            let node = pod.str("spec.nodeName");
            if node.is_empty() && pod.is_deleting() {
                vec![Wake::now(pod)]
            } else if !node.is_empty() && view.get(&kinds::NODES, node).is_none() {
                vec![Wake::after(pod, QUARANTINE)]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(pod) = view.get(&kinds::PODS, key) else { return Ok(Vec::new()) };
    let node = pod.str("spec.nodeName");
    let orphaned = !node.is_empty() && view.get(&kinds::NODES, node).is_none();
    let never_placed = node.is_empty() && pod.is_deleting();
    if !orphaned && !never_placed {
        return Ok(Vec::new());
    }
    let mut changes = Vec::new();
    if !pods::is_terminal(pod) {
        let mut status = json!({ "phase": "Failed", "observedGeneration": pod.generation() });
        if orphaned {
            let (reason, message) = ("DeletionByPodGC", "PodGC: node no longer exists");
            status["conditions"] = json!([pods::disruption_target(pod, reason, message, &view.now_text())]);
        }
        let patch = json!({ "metadata": { "uid": pod.uid() }, "status": status });
        changes.push(Change::from(Write::patch(&kinds::PODS, pod, "status", PatchType::Strategic, patch)));
    }
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    changes.push(Change::from(Write::delete_with(&kinds::PODS, pod, options)));
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use api::Object;
    use expect_test::expect;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    #[test]
    fn orphans_go_others_stay() {
        let node = Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}));
        let pod = |name: &str, on: &str| {
            Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "d"},
                "spec": {"nodeName": on}, "status": {"phase": "Running"}}))
        };
        let caches = Caches::with(&[node, pod("here", "n"), pod("lost", "gone")]);
        let view = View::new(&caches, simulation::Time::from_unix_seconds(0));
        let all = ["d/here", "d/lost"].map(|key| describe(&reconcile(&view, key).unwrap()));
        expect![[r#"

            patch Pod lost status {"metadata":{"uid":""},"status":{"conditions":[{"lastProbeTime":null,"lastTransitionTime":"1970-01-01T00:00:00Z","message":"PodGC: node no longer exists","observedGeneration":0,"reason":"DeletionByPodGC","status":"True","type":"DisruptionTarget"}],"observedGeneration":0,"phase":"Failed"}}
            delete Pod lost"#]].assert_eq(&all.join("\n"));
    }
}
