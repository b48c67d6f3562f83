//! Takes pods off nodes with `NoExecute` taints that they do not tolerate, at once or when their patience is over
//! (`pkg/controller/tainteviction`).
//!
//! Keys are `<namespace/name> <nanoseconds>`: the pod, and since when it has had to endure its node's taints.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::{DeleteOptions, Event, PatchType};
use json::{Value, json};
use simulation::Time;

use crate::change::{Change, Note, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;
use crate::{pods, taints};

pub(crate) static CONTROLLER: Controller = Controller {
    name: "taint-eviction-controller",
    component: "taint-eviction-controller",
    follows: Follows::Kinds(&[&kinds::PODS, &kinds::NODES]),
    wake,
    reports_refusals: false,
    reconcile,
};

const NO_EXECUTE: &str = "NoExecute";

fn key_of(view: &View<'_>, pod: &Object) -> Wake {
    Wake::key(format!("{} {}", pod.key(), view.now.as_nanos()))
}

fn is_tainted(view: &View<'_>, pod: &Object) -> bool {
    let node = view.get(&kinds::NODES, pod.str("spec.nodeName"));
    node.is_some_and(|node| taints::with_effect(node, NO_EXECUTE).next().is_some())
}

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::PODS {
        let pod = event.object();
        let concerned = match event {
            Event::Added(_) => true,
            Event::Modified { old, new } => {
                old.at("spec.tolerations") != new.at("spec.tolerations")
                    || old.at("spec.nodeName") != new.at("spec.nodeName")
            }
            Event::Deleted(_) => false,
        };
        return if concerned && is_tainted(view, pod) { vec![key_of(view, pod)] } else { Vec::new() };
    }
    let tainted = |node: &Object| taints::with_effect(node, NO_EXECUTE).cloned().collect::<Vec<Value>>();
    let node = event.object();
    let changed = match event {
        Event::Added(_) => true,
        Event::Modified { old, new } => tainted(old) != tainted(new),
        Event::Deleted(_) => false,
    };
    if !changed || tainted(node).is_empty() {
        return Vec::new();
    }
    let pods = view.of(&kinds::PODS).list().filter(|pod| pod.str("spec.nodeName") == node.name());
    pods.map(|pod| key_of(view, pod)).collect()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some((pod_key, since)) = key.split_once(' ') else { return Ok(Vec::new()) };
    let Some(pod) = view.get(&kinds::PODS, pod_key).filter(|pod| !pod.is_deleting()) else { return Ok(Vec::new()) };
    let Some(node) = view.get(&kinds::NODES, pod.str("spec.nodeName")) else { return Ok(Vec::new()) };
    let endured: Vec<&Value> = taints::with_effect(node, NO_EXECUTE).collect();
    if endured.is_empty() {
        return Ok(Vec::new());
    }
    let due = match patience(pod, &endured) {
        Patience::None => view.now,
        Patience::Endless => return Ok(Vec::new()),
        Patience::For(time) => Time::from_nanos(since.parse().unwrap_or(0)).max(newest(&endured)) + time,
    };
    if due > view.now {
        return Ok(vec![Change::After(due.saturating_since(view.now))]);
    }
    Ok(evict(view, pod))
}

/// When the newest of the taints came, where that is known.
fn newest(taints: &[&Value]) -> Time {
    let times = taints.iter().filter_map(|taint| Time::parse_rfc3339(taint["timeAdded"].as_str()?));
    times.max().unwrap_or_default()
}

enum Patience {
    None,
    For(Duration),
    Endless,
}

/// The shortest time among the tolerations that are needed (`getMinTolerationTime`).
fn patience(pod: &Object, endured: &[&Value]) -> Patience {
    let tolerations = pod.list("spec.tolerations");
    let mut shortest: Option<i64> = None;
    for taint in endured {
        let Some(used) = tolerations.iter().find(|toleration| api::taints::tolerates(toleration, taint)) else {
            return Patience::None;
        };
        if let Some(seconds) = used["tolerationSeconds"].as_i64() {
            shortest = Some(shortest.map_or(seconds, |shortest| shortest.min(seconds)));
        }
    }
    match shortest {
        None => Patience::Endless,
        Some(seconds) => u64::try_from(seconds).map_or(Patience::None, |s| Patience::For(Duration::from_secs(s))),
    }
}

fn evict(view: &View<'_>, pod: &Object) -> Vec<Change> {
    let (reason, message) = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
    let condition = pods::disruption_target(pod, reason, message, &view.now_text());
    let patch = json!({ "metadata": { "uid": pod.uid() }, "status": { "conditions": [condition] } });
    let note = Note::normal("TaintManagerEviction", format!("Marking for deletion Pod {}", pod.key()));
    // Upstream's event names the pod, but not this very one.
    let mut about = pod.clone();
    about.remove("metadata.uid");
    about.remove("metadata.resourceVersion");
    vec![
        Change::Event(note, about),
        Change::from(Write::patch(&kinds::PODS, pod, "status", PatchType::Strategic, patch)),
        Change::from(Write::delete_with(&kinds::PODS, pod, DeleteOptions::default())),
    ]
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    const START: Time = Time::from_unix_seconds(1_000);

    fn check(tolerations: Value, passed: u64, expected: Expect) {
        let node = Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
            "spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}}));
        let pod = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d"},
            "spec": {"nodeName": "n", "tolerations": tolerations}}));
        let caches = Caches::with(&[node, pod]);
        let view = View::new(&caches, START + Duration::from_secs(passed));
        let key = format!("d/p {}", START.as_nanos());
        expected.assert_eq(&describe(&reconcile(&view, &key).unwrap()));
    }

    #[test]
    fn patience_runs_out() {
        let usual = json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300}]);
        check(usual.clone(), 10, expect!["after 290s"]);
        check(
            usual,
            300,
            expect![[r#"
            event Pod p Normal TaintManagerEviction: Marking for deletion Pod d/p
            patch Pod p status {"metadata":{"uid":""},"status":{"conditions":[{"lastProbeTime":null,"lastTransitionTime":"1970-01-01T00:21:40Z","message":"Taint manager: deleting due to NoExecute taint","observedGeneration":0,"reason":"DeletionByTaintManager","status":"True","type":"DisruptionTarget"}]}}
            delete Pod p"#]],
        );
        check(
            json!([]),
            0,
            expect![[r#"
            event Pod p Normal TaintManagerEviction: Marking for deletion Pod d/p
            patch Pod p status {"metadata":{"uid":""},"status":{"conditions":[{"lastProbeTime":null,"lastTransitionTime":"1970-01-01T00:16:40Z","message":"Taint manager: deleting due to NoExecute taint","observedGeneration":0,"reason":"DeletionByTaintManager","status":"True","type":"DisruptionTarget"}]}}
            delete Pod p"#]],
        );
        check(json!([{"operator": "Exists"}]), 999, expect![[""]]);
    }
}
