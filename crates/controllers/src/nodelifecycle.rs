//! Notices nodes whose kubelet has fallen silent, and taints nodes by their conditions
//! (`pkg/controller/nodelifecycle`).
//!
//! Upstream looks at every node every five seconds; here a node is looked at when it changes and when its grace period
//! would end, so that a silent cluster costs nothing. Keys: `node/<name>`, and `added/<name>` and
//! `removed/<name>/<uid>` for the events about them.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::{Event, PatchType};
use json::{Value, json};
use simulation::Time;

use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;
use crate::{pods, taints};

/// Silence after which a node counts as unreachable (`--node-monitor-grace-period`).
const GRACE: Duration = Duration::from_secs(50);
/// The same for a node that has never told anything (`--node-startup-grace-period`).
const STARTUP_GRACE: Duration = Duration::from_secs(60);
const LEASE_NAMESPACE: &str = "kube-node-lease";

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Condition, its status, and the taint that follows from it.
const CONDITION_TAINTS: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
];

pub(crate) static CONTROLLER: Controller = Controller {
    name: "node-lifecycle-controller",
    component: "node-controller",
    follows: Follows::Kinds(&[&kinds::NODES, &kinds::LEASES, &kinds::PODS]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    let object = event.object();
    let node_key = |node: &Object| Wake::key(format!("node/{}", node.name()));
    if *kind == kinds::LEASES {
        // A renewal changes nothing for a node that is well: its next look is due anyway.
        let node = (object.namespace() == LEASE_NAMESPACE).then(|| view.get(&kinds::NODES, object.name())).flatten();
        let silent = node.filter(|node| ready_status(node) == "Unknown");
        return silent.map(node_key).into_iter().collect();
    }
    if *kind != kinds::NODES {
        return Vec::new();
    }
    let mut woken = vec![node_key(object)];
    match event {
        Event::Added(_) => woken.push(Wake::key(format!("added/{}", object.name()))),
        Event::Deleted(_) => woken.push(Wake::key(format!("removed/{}/{}", object.name(), object.uid()))),
        // Whether a node's pods are driven out depends on the others: see `everything_is_down`.
        Event::Modified { old, new } if ready_status(old) != ready_status(new) => {
            woken.extend(view.of(&kinds::NODES).list().map(node_key));
        }
        Event::Modified { .. } => {}
    }
    woken
}

fn ready_status(node: &Object) -> &str {
    pods::condition(node, "Ready").and_then(|c| c["status"].as_str()).unwrap_or("")
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some((what, name)) = key.split_once('/') else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let node = view.get(&kinds::NODES, name);
    let result = match (what, node) {
        ("added", Some(node)) => {
            let text = format!("Node {name} event: Registered Node {name} in Controller");
            plan.event(&reference(node), Note::normal("RegisteredNode", text));
            Ok(())
        }
        ("removed", _) => {
            let (name, uid) = name.split_once('/').unwrap_or((name, ""));
            let text = format!("Node {name} event: Removing Node {name} from Controller");
            let metadata = json!({ "name": name, "uid": uid });
            let gone = Object::new(json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata }));
            plan.event(&gone, Note::normal("RemovingNode", text));
            Ok(())
        }
        (_, Some(node)) => look_after(view, &mut plan, node),
        _ => Ok(()),
    };
    Ok(plan.finish(result))
}

/// The node as events name it.
fn reference(node: &Object) -> Object {
    let metadata = json!({ "name": node.name(), "uid": node.uid() });
    Object::new(json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata }))
}

fn look_after(view: &View<'_>, plan: &mut Plan, node: &Object) -> Result<(), Conflict> {
    let due = last_heard(view, node) + grace(node);
    if due > view.now {
        // One look at the end of the grace period; what is heard meanwhile moves the next one.
        if ready_status(node) != "Unknown" {
            plan.push(Change::After(due.saturating_since(view.now) + Duration::from_nanos(1)));
        }
        return set_taints(view, plan, node);
    }
    let mut silent = node.clone();
    if mark_silent(view, &mut silent) {
        silent = plan.update_status(&kinds::NODES, &silent)?;
        if ready_status(node) == "True" {
            let text = format!("Node {} status is now: NodeNotReady", node.name());
            plan.event(&reference(node), Note::normal("NodeNotReady", text));
            mark_pods_not_ready(view, plan, node);
        }
    }
    set_taints(view, plan, &silent)
}

fn grace(node: &Object) -> Duration {
    if ready_status(node).is_empty() { STARTUP_GRACE } else { GRACE }
}

/// When the kubelet last gave a sign of life: by its lease, by its status, or by being registered.
fn last_heard(view: &View<'_>, node: &Object) -> Time {
    let lease = view.get(&kinds::LEASES, &format!("{LEASE_NAMESPACE}/{}", node.name()));
    let renewed = lease.and_then(|lease| Time::parse_rfc3339(lease.str("spec.renewTime")));
    let status = pods::condition(node, "Ready").and_then(|c| Time::parse_rfc3339(c["lastHeartbeatTime"].as_str()?));
    // Who has just begun has not heard that a node was silent before.
    [renewed, status, pods::created(node), Some(view.started)].into_iter().flatten().max().unwrap_or_default()
}

/// Sets the conditions that only the kubelet could know to `Unknown`; tells whether that changed anything.
fn mark_silent(view: &View<'_>, node: &mut Object) -> bool {
    let mut conditions = node.list("status.conditions").to_vec();
    let mut changed = false;
    for condition_type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match conditions.iter_mut().find(|c| c["type"] == condition_type) {
            None => {
                changed = true;
                conditions.push(json!({
                    "type": condition_type, "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": node.at("metadata.creationTimestamp"),
                    "lastTransitionTime": view.now_text(),
                }));
            }
            Some(condition) if condition["status"] != "Unknown" => {
                changed = true;
                condition["status"] = "Unknown".into();
                condition["reason"] = "NodeStatusUnknown".into();
                condition["message"] = "Kubelet stopped posting node status.".into();
                condition["lastTransitionTime"] = view.now_text().into();
            }
            Some(_) => {}
        }
    }
    node.set("status.conditions", conditions);
    changed
}

/// Services stop sending to the pods of a silent node (`MarkPodsNotReady`).
fn mark_pods_not_ready(view: &View<'_>, plan: &mut Plan, node: &Object) {
    let on_node = |pod: &&Object| pod.str("spec.nodeName") == node.name();
    for pod in view.of(&kinds::PODS).list().filter(on_node) {
        let Some(ready) = pods::condition(pod, "Ready").filter(|c| c["status"] == "True") else { continue };
        let mut ready = ready.clone();
        ready["status"] = "False".into();
        ready["lastTransitionTime"] = view.now_text().into();
        let patch = json!({ "metadata": { "uid": pod.uid() }, "status": { "conditions": [ready] } });
        plan.write(Write::patch(&kinds::PODS, pod, "status", PatchType::Strategic, patch));
        plan.event(pod, Note::warning("NodeNotReady", "Node is not ready"));
    }
}

/// Brings the taints in line with conditions and `spec.unschedulable`. Taints of others stay.
fn set_taints(view: &View<'_>, plan: &mut Plan, node: &Object) -> Result<(), Conflict> {
    let wanted = wanted_taints(view, node);
    let known = |taint: &&Value| {
        let key = taint["key"].as_str().unwrap_or("");
        match taint["effect"].as_str() {
            Some("NoSchedule") => key == UNSCHEDULABLE || CONDITION_TAINTS.iter().any(|(_, _, known)| *known == key),
            Some("NoExecute") => key == NOT_READY || key == UNREACHABLE,
            _ => false,
        }
    };
    let current = node.list("spec.taints");
    let stays = |taint: &&Value| !known(taint) || wanted.iter().any(|wanted| taints::same(wanted, taint));
    let mut next: Vec<Value> = current.iter().filter(stays).cloned().collect();
    for mut taint in wanted {
        if !next.iter().any(|present| taints::same(present, &taint)) {
            taint["timeAdded"] = view.now_text().into();
            next.push(taint);
        }
    }
    if next == current {
        return Ok(());
    }
    // A status written in this plan has moved the version; then the next look sets the taints.
    if crate::change::draft_version(node).is_some() {
        return Err(Conflict);
    }
    let taints = if next.is_empty() { Value::Null } else { next.into() };
    let patch = json!({ "metadata": { "resourceVersion": node.resource_version() }, "spec": { "taints": taints } });
    plan.write(Write::patch(&kinds::NODES, node, "", PatchType::Merge, patch));
    Ok(())
}

fn wanted_taints(view: &View<'_>, node: &Object) -> Vec<Value> {
    let mut wanted = Vec::new();
    for (condition, status, key) in CONDITION_TAINTS {
        if pods::condition(node, condition).is_some_and(|c| c["status"] == status) {
            wanted.push(json!({ "key": key, "effect": "NoSchedule" }));
        }
    }
    if node.bool("spec.unschedulable") {
        wanted.push(json!({ "key": UNSCHEDULABLE, "effect": "NoSchedule" }));
    }
    let drives_out = match ready_status(node) {
        "False" => Some(NOT_READY),
        "Unknown" => Some(UNREACHABLE),
        _ => None,
    };
    if let Some(key) = drives_out.filter(|_| !everything_is_down(view)) {
        wanted.push(json!({ "key": key, "effect": "NoExecute" }));
    }
    wanted
}

/// When no node is ready, the fault is more likely on this side: nothing is driven out ("full disruption").
fn everything_is_down(view: &View<'_>) -> bool {
    !view.of(&kinds::NODES).list().any(|node| ready_status(node) == "True")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    const START: Time = Time::from_unix_seconds(1_795_230_500);

    fn node(name: &str, ready: &str) -> Object {
        let at = START.rfc3339();
        Object::new(json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "uid": name, "resourceVersion": "3", "creationTimestamp": at},
            "spec": {}, "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady",
                "lastHeartbeatTime": at, "lastTransitionTime": at}, {"type": "MemoryPressure", "status": "Unknown"},
                {"type": "DiskPressure", "status": "Unknown"}, {"type": "PIDPressure", "status": "Unknown"}]}}))
    }

    fn check(objects: &[Object], key: &str, seconds: u64, expected: Expect) {
        let caches = Caches::with(objects);
        let view = View::new(&caches, START + Duration::from_secs(seconds));
        expected.assert_eq(&describe(&reconcile(&view, key).unwrap()));
    }

    #[test]
    fn silence_makes_a_node_unknown() {
        let pod = Object::new(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "d"},
            "spec": {"nodeName": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
        let all = [node("n1", "True"), node("n2", "True"), pod];
        check(&all, "node/n1", 10, expect!["after 40.000000001s"]);
        check(
            &all,
            "node/n1",
            51,
            expect![[r#"
            update Node/status n1: Ready:Unknown:NodeStatusUnknown MemoryPressure:Unknown:null DiskPressure:Unknown:null PIDPressure:Unknown:null
            event Node n1 Normal NodeNotReady: Node n1 status is now: NodeNotReady
            patch Pod p status {"metadata":{"uid":""},"status":{"conditions":[{"lastTransitionTime":"2026-11-21T03:09:11Z","status":"False","type":"Ready"}]}}
            event Pod p Warning NodeNotReady: Node is not ready
            again"#]],
        );
        let lease = Object::new(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "n1", "namespace": "kube-node-lease"},
            "spec": {"renewTime": (START + Duration::from_secs(40)).rfc3339_micro()}}));
        check(&[node("n1", "True"), lease], "node/n1", 51, expect!["after 39.000000001s"]);
    }

    #[test]
    fn taints_follow_conditions() {
        check(
            &[node("n1", "Unknown"), node("n2", "True")],
            "node/n1",
            60,
            expect![[
                r#"patch Node n1  {"metadata":{"resourceVersion":"3"},"spec":{"taints":[{"effect":"NoSchedule","key":"node.kubernetes.io/unreachable","timeAdded":"2026-11-21T03:09:20Z"},{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","timeAdded":"2026-11-21T03:09:20Z"}]}}"#
            ]],
        );
        check(
            &[node("n1", "Unknown")],
            "node/n1",
            60,
            expect![[
                r#"patch Node n1  {"metadata":{"resourceVersion":"3"},"spec":{"taints":[{"effect":"NoSchedule","key":"node.kubernetes.io/unreachable","timeAdded":"2026-11-21T03:09:20Z"}]}}"#
            ]],
        );
        let mut back = node("n1", "True");
        back.set(
            "spec.taints",
            json!([{"key": "mine", "effect": "NoExecute"},
            {"key": UNREACHABLE, "effect": "NoExecute"}, {"key": UNREACHABLE, "effect": "NoSchedule"}]),
        );
        check(
            &[back],
            "node/n1",
            0,
            expect![[r#"
            after 50.000000001s
            patch Node n1  {"metadata":{"resourceVersion":"3"},"spec":{"taints":[{"effect":"NoExecute","key":"mine"}]}}"#]],
        );
        let mut cordoned = node("n1", "True");
        cordoned.set("spec.unschedulable", true);
        check(
            &[cordoned],
            "node/n1",
            0,
            expect![[r#"
            after 50.000000001s
            patch Node n1  {"metadata":{"resourceVersion":"3"},"spec":{"taints":[{"effect":"NoSchedule","key":"node.kubernetes.io/unschedulable","timeAdded":"2026-11-21T03:08:20Z"}]}}"#]],
        );
    }

    #[test]
    fn comings_and_goings_are_told() {
        check(
            &[node("n1", "True")],
            "added/n1",
            0,
            expect!["event Node n1 Normal RegisteredNode: Node n1 event: Registered Node n1 in Controller"],
        );
        check(
            &[],
            "removed/n1/uid",
            0,
            expect!["event Node n1 Normal RemovingNode: Node n1 event: Removing Node n1 from Controller"],
        );
    }
}
