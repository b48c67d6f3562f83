//! Has a cloud make a load balancer for each Service that wants one (`k8s.io/cloud-provider/controllers/service`), with what the AWS
//! cloud provider answers.
//!
//! The cloud is simulated: what it says depends on the Service alone, after the time that it takes. The balancers themselves are
//! made by whoever sees their names in the API. Left out: `externalTrafficPolicy`, attributes set by annotations.

use std::time::Duration;

use api::{Kind, Object, kinds};
use client::{Event, PatchType};
use json::{Value, json};

use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

/// The cloud in which a cluster runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The region, e.g. `us-west-2`.
    pub region: &'static str,
}

/// Keeps a Service until its balancer is gone.
const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
const TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
const INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
/// Nodes with this label get nothing from balancers.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Virtual time that the cloud takes to make a balancer, and to take one away.
const ENSURE_TIME: Duration = Duration::from_secs(3);
const DELETE_TIME: Duration = Duration::from_secs(2);
/// A try that failed is made again after so long, then after twice as long, up to the longest (`minRetryDelay`, `maxRetryDelay`).
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// Bytes of a classic balancer's name.
const NAME_BYTES_MAX: usize = 32;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "service-lb-controller",
    component: "service-controller",
    follows: Follows::Kinds(&[&kinds::SERVICES, &kinds::NODES]),
    wake,
    reports_refusals: false,
    reconcile,
};

fn wake(view: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    if *kind == kinds::SERVICES {
        let service = event.object();
        let concerns = wants(service) || needs_cleanup(service);
        return if concerns { vec![Wake::now(service)] } else { Vec::new() };
    }
    let moved = match event {
        Event::Added(_) | Event::Deleted(_) => true,
        Event::Modified { old, new } => serves(old) != serves(new),
    };
    let services = view.of(&kinds::SERVICES).list();
    if moved { services.filter(|service| wants(service)).map(Wake::now).collect() } else { Vec::new() }
}

/// Whether the cloud is to make a balancer; another class is another one's business.
fn wants(service: &Object) -> bool {
    service.str("spec.type") == "LoadBalancer" && service.at("spec.loadBalancerClass").is_null()
}

fn has_finalizer(service: &Object) -> bool {
    service.list("metadata.finalizers").iter().any(|f| f == FINALIZER)
}

fn needs_cleanup(service: &Object) -> bool {
    has_finalizer(service) && (service.is_deleting() || service.str("spec.type") != "LoadBalancer")
}

/// Whether balancers send to a node.
fn serves(node: &Object) -> bool {
    let is_excluded =
        node.label(EXCLUDED).is_some_and(|value| !matches!(value, "false" | "False" | "FALSE" | "f" | "F" | "0"));
    !is_excluded && !node.is_deleting()
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let mut plan = Plan::default();
    let (Some(service), Some(cloud)) = (view.get(&kinds::SERVICES, key), view.cloud) else {
        plan.push(Change::Remember(Value::Null));
        return Ok(plan.finish(Ok(())));
    };
    let result = if needs_cleanup(service) {
        clean_up(view, &mut plan, service);
        Ok(())
    } else if wants(service) && !service.is_deleting() {
        ensure(view, &mut plan, service, cloud)
    } else {
        Ok(())
    };
    Ok(plan.finish(result))
}

/// Whether the step begun under this name is due; if it was not begun, it is, and comes back after `time`.
fn is_due(view: &View<'_>, plan: &mut Plan, step: &Value, time: Duration) -> Step {
    let now = view.now.as_nanos();
    if view.memory["step"] != *step {
        let due = now + i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        plan.push(Change::Remember(json!({ "step": step, "due": due, "tries": 0 })));
        plan.push(Change::After(time));
        return Step::Begun;
    }
    match view.memory["due"].as_i64() {
        Some(due) if due > now => {
            plan.push(Change::After(Duration::from_nanos(due.abs_diff(now))));
            Step::Waits
        }
        Some(_) => Step::Due,
        None => Step::Done,
    }
}

/// How far a step is.
#[derive(PartialEq)]
enum Step {
    Begun,
    Waits,
    Due,
    Done,
}

fn clean_up(view: &View<'_>, plan: &mut Plan, service: &Object) {
    match is_due(view, plan, &json!("delete"), DELETE_TIME) {
        Step::Begun => plan.event(service, Note::normal("DeletingLoadBalancer", "Deleting load balancer")),
        Step::Waits => {}
        Step::Due | Step::Done => {
            if !service.is_deleting() {
                set_ingress(plan, service, Value::Null);
            }
            let rest: Vec<&Value> = service.list("metadata.finalizers").iter().filter(|f| *f != FINALIZER).collect();
            let done = Note::normal("DeletedLoadBalancer", "Deleted load balancer");
            plan.write(patch(service, "", json!({ "metadata": { "finalizers": rest } })).on_success(done, service));
            plan.push(Change::Remember(Value::Null));
        }
    }
}

fn ensure(view: &View<'_>, plan: &mut Plan, service: &Object, cloud: Cloud) -> Result<(), Conflict> {
    let nodes: Vec<&str> = view.of(&kinds::NODES).list().filter(|node| serves(node)).map(Object::name).collect();
    // What a balancer is made from: when it changes, it is made anew.
    let step = json!({
        "uid": service.uid(),
        "ports": service.at("spec.ports"),
        "ranges": service.at("spec.loadBalancerSourceRanges"),
        "affinity": service.at("spec.sessionAffinity"),
        "annotations": service.at("metadata.annotations"),
    });
    match is_due(view, plan, &step, ENSURE_TIME) {
        Step::Begun => {
            plan.event(service, Note::normal("EnsuringLoadBalancer", "Ensuring load balancer"));
            if !has_finalizer(service) {
                let mut finalizers = service.list("metadata.finalizers").to_vec();
                finalizers.push(FINALIZER.into());
                plan.write(patch(service, "", json!({ "metadata": { "finalizers": finalizers } })));
            }
            if nodes.is_empty() {
                plan.event(service, unavailable());
            }
        }
        Step::Waits => {}
        Step::Due => finish(view, plan, service, cloud, &step, &nodes),
        Step::Done => {
            if view.memory["nodes"] != json!(nodes) {
                let updated = Note::normal("UpdatedLoadBalancer", "Updated load balancer with new hosts");
                plan.event(service, if nodes.is_empty() { unavailable() } else { updated });
                plan.push(Change::Remember(json!({ "step": step, "nodes": nodes })));
            }
        }
    }
    Ok(())
}

fn unavailable() -> Note {
    Note::warning("UnAvailableLoadBalancer", "There are no available nodes for LoadBalancer")
}

/// The cloud has answered.
fn finish(view: &View<'_>, plan: &mut Plan, service: &Object, cloud: Cloud, step: &Value, nodes: &[&str]) {
    match host_name(service, cloud) {
        Ok(Some(name)) => {
            plan.event(service, Note::normal("EnsuredLoadBalancer", "Ensured load balancer"));
            set_ingress(plan, service, json!([{ "hostname": name }]));
            plan.push(Change::Remember(json!({ "step": step, "nodes": nodes })));
        }
        // Another controller makes it: that is not installed.
        Ok(None) => plan.push(Change::Remember(json!({ "step": step, "nodes": nodes }))),
        Err(problem) => {
            let text = format!("Error syncing load balancer: failed to ensure load balancer: {problem}");
            plan.event(service, Note::warning("SyncLoadBalancerFailed", text));
            plan.event(service, Note::normal("EnsuringLoadBalancer", "Ensuring load balancer"));
            let tries = view.memory["tries"].as_u64().unwrap_or(0);
            let pause = RETRY_MIN.saturating_mul(1 << tries.min(10)).min(RETRY_MAX);
            let due = view.now.as_nanos() + i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX);
            plan.push(Change::Remember(json!({ "step": step, "due": due, "tries": tries + 1 })));
            plan.push(Change::After(pause));
        }
    }
}

/// The name that the cloud gives a balancer (`DefaultLoadBalancerName`); none if it leaves it to another controller.
fn host_name(service: &Object, cloud: Cloud) -> Result<Option<String>, String> {
    let kind = service.annotation(TYPE).unwrap_or("");
    if matches!(kind, "external" | "nlb-ip") {
        return Ok(None);
    }
    let other = service.list("spec.ports").iter().any(|port| !matches!(port["protocol"].as_str(), None | Some("TCP")));
    if other {
        let refusal = if kind == "nlb" {
            simulation::stub!("load balancers", "other protocols than TCP through a network load balancer")
        } else {
            "Only TCP LoadBalancer is supported for AWS ELB"
        };
        return Err(refusal.to_owned());
    }
    let mut name = format!("a{}", service.uid().replace('-', ""));
    name.truncate(NAME_BYTES_MAX);
    // The number of the balancer is the cloud's; here it follows from the Service, so that it is the same when asked again (FNV-1a).
    let number = service
        .uid()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let region = cloud.region;
    if kind == "nlb" {
        return Ok(Some(format!("{name}-{number:016x}.elb.{region}.amazonaws.com")));
    }
    let is_internal = matches!(service.annotation(INTERNAL), Some(value) if value != "false" && !value.is_empty());
    let scheme = if is_internal { "internal-" } else { "" };
    let number = 100_000_000 + number % 1_900_000_000;
    Ok(Some(format!("{scheme}{name}-{number}.{region}.elb.amazonaws.com")))
}

fn set_ingress(plan: &mut Plan, service: &Object, ingress: Value) {
    let is_same = match &ingress {
        Value::Null => service.list("status.loadBalancer.ingress").is_empty(),
        wanted => service.at("status.loadBalancer.ingress") == wanted,
    };
    if !is_same {
        plan.write(patch(service, "status", json!({ "status": { "loadBalancer": { "ingress": ingress } } })));
    }
}

fn patch(service: &Object, sub: &'static str, patch: Value) -> Write {
    Write::patch(&kinds::SERVICES, service, sub, PatchType::Merge, patch)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    const START: Time = Time::from_unix_seconds(1_795_230_500);

    fn service(annotations: Value, protocol: &str, extra: Value) -> Object {
        let mut object = Object::new(json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "d", "uid": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "annotations": annotations},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "protocol": protocol}]}}));
        for (path, value) in extra.as_object().into_iter().flatten() {
            object.set(path, value.clone());
        }
        object
    }

    /// Looks as often as the plans want to, and says what they did.
    fn check(service: Object, expected: Expect) {
        let node = Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}));
        let caches = Caches::with(&[service, node]);
        let (mut now, mut memory, mut text) = (START, Value::Null, String::new());
        for _ in 0..2 {
            let mut view = View::new(&caches, now);
            (view.memory, view.cloud) = (&memory, Some(Cloud { region: "us-west-2" }));
            let changes = reconcile(&view, "d/web").unwrap();
            let shown: Vec<Change> = changes.iter().filter(|c| !matches!(c, Change::Remember(_))).cloned().collect();
            text += &shown.iter().map(|change| describe(std::slice::from_ref(change)) + "\n").collect::<String>();
            for change in changes {
                match change {
                    Change::Remember(value) => memory = value,
                    Change::After(pause) => now = now + pause,
                    _ => {}
                }
            }
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_balancer_is_made_and_has_a_name() {
        check(
            service(json!({}), "TCP", json!({})),
            expect![[r#"
            after 3s
            event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
            patch Service web  {"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}
            event Service web Normal EnsuredLoadBalancer: Ensured load balancer
            patch Service web status {"status":{"loadBalancer":{"ingress":[{"hostname":"a0a1b2c3d4e5f60718293a4b5c6d7e8f-1083029409.us-west-2.elb.amazonaws.com"}]}}}
        "#]],
        );
        check(
            service(json!({(TYPE): "nlb"}), "TCP", json!({})),
            expect![[r#"
            after 3s
            event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
            patch Service web  {"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}
            event Service web Normal EnsuredLoadBalancer: Ensured load balancer
            patch Service web status {"status":{"loadBalancer":{"ingress":[{"hostname":"a0a1b2c3d4e5f60718293a4b5c6d7e8f-654489e90cd9c3a1.elb.us-west-2.amazonaws.com"}]}}}
        "#]],
        );
        check(
            service(json!({(INTERNAL): "true"}), "TCP", json!({})),
            expect![[r#"
            after 3s
            event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
            patch Service web  {"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}
            event Service web Normal EnsuredLoadBalancer: Ensured load balancer
            patch Service web status {"status":{"loadBalancer":{"ingress":[{"hostname":"internal-a0a1b2c3d4e5f60718293a4b5c6d7e8f-1083029409.us-west-2.elb.amazonaws.com"}]}}}
        "#]],
        );
    }

    #[test]
    fn what_the_cloud_does_not_do_it_says() {
        check(
            service(json!({}), "UDP", json!({})),
            expect![[r#"
            after 3s
            event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
            patch Service web  {"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}
            event Service web Warning SyncLoadBalancerFailed: Error syncing load balancer: failed to ensure load balancer: Only TCP LoadBalancer is supported for AWS ELB
            event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
            after 5s
        "#]],
        );
        check(
            service(json!({(TYPE): "external"}), "TCP", json!({})),
            expect![[r#"
                after 3s
                event Service web Normal EnsuringLoadBalancer: Ensuring load balancer
                patch Service web  {"metadata":{"finalizers":["service.kubernetes.io/load-balancer-cleanup"]}}
            "#]],
        );
        check(service(json!({}), "TCP", json!({"spec.loadBalancerClass": "other"})), expect![""]);
    }

    #[test]
    fn the_balancer_goes_before_the_service() {
        let ending = json!({"metadata.deletionTimestamp": "2026-11-21T03:08:20Z", "metadata.finalizers": [FINALIZER]});
        check(
            service(json!({}), "TCP", ending),
            expect![[r#"
            after 2s
            event Service web Normal DeletingLoadBalancer: Deleting load balancer
            patch Service web  {"metadata":{"finalizers":[]}} then DeletedLoadBalancer: Deleted load balancer
        "#]],
        );
        let changed = json!({"spec.type": "ClusterIP", "metadata.finalizers": ["mine", FINALIZER],
            "status.loadBalancer.ingress": [{"hostname": "x"}]});
        check(
            service(json!({}), "TCP", changed),
            expect![[r#"
            after 2s
            event Service web Normal DeletingLoadBalancer: Deleting load balancer
            patch Service web status {"status":{"loadBalancer":{"ingress":null}}}
            patch Service web  {"metadata":{"finalizers":["mine"]}} then DeletedLoadBalancer: Deleted load balancer
        "#]],
        );
    }
}
