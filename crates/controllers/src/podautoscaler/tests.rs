use expect_test::{Expect, expect};
use simulation::Time;

use super::*;
use crate::cache::Caches;
use crate::change::describe;

const NOW: Time = Time::from_unix_seconds(1_000);

fn autoscaler(spec: Value) -> Object {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let mut all = json!({"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [cpu(80)]});
    for (field, value) in spec.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    Object::new(json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "d", "uid": "a", "resourceVersion": "5"},
        "spec": all, "status": {"desiredReplicas": 0, "currentMetrics": null},
    }))
}

fn cpu(percent: i64) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}})
}

fn deployment(replicas: i64) -> Object {
    Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "d", "uid": "b"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
    }))
}

/// A pod that requests 200m, started at 0 and ready since then.
fn pod(name: &str) -> Object {
    let at = Time::from_unix_seconds(0).rfc3339();
    let requests = json!({"requests": {"cpu": "200m", "memory": "100Mi"}});
    Object::new(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "d", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "resources": requests}]},
        "status": {"phase": "Running", "startTime": at,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at}]},
    }))
}

/// What metrics-server says of pods.
fn used(pods: &[(&str, &str, &str)]) -> Value {
    let one = |(name, cpu, memory): &(&str, &str, &str)| {
        json!({"metadata": {"name": name}, "timestamp": Time::from_unix_seconds(990).rfc3339(), "window": "15s",
            "containers": [{"name": "main", "usage": {"cpu": cpu, "memory": memory}}]})
    };
    json!({"items": pods.iter().map(one).collect::<Vec<_>>()})
}

fn look(all: &[Object], answer: Result<Value, String>, memory: &Value) -> Vec<Change> {
    let caches = Caches::with(all);
    let view = View { answer: Some(&answer), memory, ..View::new(&caches, NOW) };
    reconcile(&view, "d/web").unwrap()
}

fn remembered(changes: &[Change]) -> Value {
    let memory = changes.iter().find_map(|change| match change {
        Change::Remember(value) => Some(value.clone()),
        _ => None,
    });
    memory.unwrap_or_default()
}

/// One look, without what is remembered and without the next look.
#[track_caller]
fn check(all: &[Object], answer: Result<Value, &str>, expected: Expect) {
    let changes = look(all, answer.map_err(str::to_owned), &Value::Null);
    let told: Vec<Change> =
        changes.into_iter().filter(|c| !matches!(c, Change::Remember(_) | Change::After(_))).collect();
    expected.assert_eq(&describe(&told));
}

#[test]
fn bounds_are_kept() {
    check(
        &[autoscaler(json!({})), deployment(1)],
        Err(""),
        expect![[r#"
        patch Deployment web scale {"spec":{"replicas":2}} then SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas
        update HorizontalPodAutoscaler/status web: currentMetrics=null currentReplicas=1 desiredReplicas=2 lastScaleTime="1970-01-01T00:16:40Z" AbleToScale:True:SucceededRescale"#]],
    );
    check(
        &[autoscaler(json!({})), deployment(9)],
        Err(""),
        expect![[r#"
        patch Deployment web scale {"spec":{"replicas":5}} then SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas
        update HorizontalPodAutoscaler/status web: currentMetrics=null currentReplicas=9 desiredReplicas=5 lastScaleTime="1970-01-01T00:16:40Z" AbleToScale:True:SucceededRescale"#]],
    );
}

#[test]
fn without_metrics_nothing_is_scaled() {
    check(
        &[autoscaler(json!({})), deployment(3)],
        Err("the server could not find the requested resource (get pods.metrics.k8s.io)"),
        expect![[r#"
            update HorizontalPodAutoscaler/status web: currentMetrics=[{"type":""}] currentReplicas=3 desiredReplicas=0 AbleToScale:True:SucceededGetScale ScalingActive:False:FailedGetResourceMetric
            event HorizontalPodAutoscaler web Warning FailedGetResourceMetric: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
            event HorizontalPodAutoscaler web Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"#]],
    );
    check(
        &[autoscaler(json!({}))],
        Err(""),
        expect![[r#"
        update HorizontalPodAutoscaler/status web: currentMetrics=null desiredReplicas=0 AbleToScale:False:FailedGetScale
        event HorizontalPodAutoscaler web Warning FailedGetScale: deployments/scale.apps "web" not found"#]],
    );
}

#[test]
fn metrics_are_asked_for_once() {
    let caches = Caches::with(&[autoscaler(json!({})), deployment(3)]);
    let changes = reconcile(&View::new(&caches, NOW), "d/web").unwrap();
    assert_eq!(describe(&changes), "ask /apis/metrics.k8s.io/v1beta1/namespaces/d/pods?labelSelector=app%3Dweb");
}

#[test]
fn pods_that_work_too_much_get_help() {
    let pods = [autoscaler(json!({"minReplicas": 1})), deployment(2), pod("a"), pod("b")];
    check(
        &pods,
        Ok(used(&[("a", "250m", "0"), ("b", "250m", "0")])),
        expect![[r#"
        patch Deployment web scale {"spec":{"replicas":4}} then SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target
        update HorizontalPodAutoscaler/status web: currentMetrics=[{"resource":{"current":{"averageUtilization":125,"averageValue":"250m"},"name":"cpu"},"type":"Resource"}] currentReplicas=2 desiredReplicas=4 lastScaleTime="1970-01-01T00:16:40Z" AbleToScale:True:SucceededRescale ScalingActive:True:ValidMetricFound ScalingLimited:False:DesiredWithinRange"#]],
    );
    // Within the tolerance.
    check(
        &pods,
        Ok(used(&[("a", "170m", "0"), ("b", "170m", "0")])),
        expect![[
            r#"update HorizontalPodAutoscaler/status web: currentMetrics=[{"resource":{"current":{"averageUtilization":85,"averageValue":"170m"},"name":"cpu"},"type":"Resource"}] currentReplicas=2 desiredReplicas=2 AbleToScale:True:ReadyForNewScale ScalingActive:True:ValidMetricFound ScalingLimited:False:DesiredWithinRange"#
        ]],
    );
    // A pod without metrics counts as idle on the way up, as busy on the way down.
    check(
        &pods,
        Ok(used(&[("a", "250m", "0")])),
        expect![[
            r#"update HorizontalPodAutoscaler/status web: currentMetrics=[{"resource":{"current":{"averageUtilization":125,"averageValue":"250m"},"name":"cpu"},"type":"Resource"}] currentReplicas=2 desiredReplicas=2 AbleToScale:True:ReadyForNewScale ScalingActive:True:ValidMetricFound ScalingLimited:False:DesiredWithinRange"#
        ]],
    );
    check(
        &pods,
        Ok(used(&[("a", "10m", "0")])),
        expect![[
            r#"update HorizontalPodAutoscaler/status web: currentMetrics=[{"resource":{"current":{"averageUtilization":5,"averageValue":"10m"},"name":"cpu"},"type":"Resource"}] currentReplicas=2 desiredReplicas=2 AbleToScale:True:ReadyForNewScale ScalingActive:True:ValidMetricFound ScalingLimited:False:DesiredWithinRange"#
        ]],
    );
}

#[test]
fn memory_and_containers_are_metrics_too() {
    let memory = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}});
    let container = json!({"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "target": {"type": "Utilization", "averageUtilization": 50}}});
    let pods = [autoscaler(json!({"metrics": [memory, container]})), deployment(2), pod("a"), pod("b")];
    check(
        &pods,
        Ok(used(&[("a", "100m", "150Mi"), ("b", "100m", "150Mi")])),
        expect![[r#"
        patch Deployment web scale {"spec":{"replicas":3}} then SuccessfulRescale: New size: 3; reason: memory resource above target
        update HorizontalPodAutoscaler/status web: currentMetrics=[{"resource":{"current":{"averageValue":"150Mi"},"name":"memory"},"type":"Resource"},{"containerResource":{"container":"main","current":{"averageUtilization":50,"averageValue":"100m"},"name":"cpu"},"type":"ContainerResource"}] currentReplicas=2 desiredReplicas=3 lastScaleTime="1970-01-01T00:16:40Z" AbleToScale:True:SucceededRescale ScalingActive:True:ValidMetricFound ScalingLimited:False:DesiredWithinRange"#]],
    );
}

#[test]
fn what_is_missing_is_said() {
    let mut naked = pod("a");
    naked.set("spec.containers", json!([{"name": "main"}]));
    check(
        &[autoscaler(json!({})), deployment(2), naked],
        Ok(used(&[("a", "1", "0")])),
        expect![[r#"
        update HorizontalPodAutoscaler/status web: currentMetrics=[{"type":""}] currentReplicas=2 desiredReplicas=0 AbleToScale:True:SucceededGetScale ScalingActive:False:FailedGetResourceMetric
        event HorizontalPodAutoscaler web Warning FailedGetResourceMetric: failed to get cpu utilization: missing request for cpu in container main of Pod a
        event HorizontalPodAutoscaler web Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: missing request for cpu in container main of Pod a"#]],
    );
    let mut fresh = pod("a");
    fresh.set("status.startTime", Time::from_unix_seconds(980).rfc3339());
    fresh.set(
        "status.conditions",
        json!([{"type": "Ready", "status": "True", "lastTransitionTime": Time::from_unix_seconds(985).rfc3339()}]),
    );
    check(
        &[autoscaler(json!({})), deployment(2), fresh],
        Ok(used(&[("a", "1", "0")])),
        expect![[r#"
        update HorizontalPodAutoscaler/status web: currentMetrics=[{"type":""}] currentReplicas=2 desiredReplicas=0 AbleToScale:True:SucceededGetScale ScalingActive:False:FailedGetResourceMetric
        event HorizontalPodAutoscaler web Warning FailedGetResourceMetric: failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)
        event HorizontalPodAutoscaler web Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)"#]],
    );
}

#[test]
fn pods_go_when_fewer_have_been_enough_for_five_minutes() {
    let all = [autoscaler(json!({"minReplicas": 1})), deployment(2), pod("a"), pod("b")];
    let idle = || Ok(used(&[("a", "0", "0"), ("b", "0", "0")]));
    let recommended = |ago: i64| json!({"recommendations": [[2, (1_000 - ago) * 1_000_000_000]]});
    let shown = |changes: Vec<Change>| describe(&changes).lines().next().unwrap_or_default().to_owned();
    assert!(shown(look(&all, idle(), &recommended(299))).starts_with("remember"), "not yet");
    let status = describe(&look(&all, idle(), &recommended(299)));
    assert!(status.contains("AbleToScale:True:ScaleDownStabilized"), "{status}");
    let down = shown(look(&all, idle(), &recommended(301)));
    assert_eq!(
        down,
        r#"patch Deployment web scale {"spec":{"replicas":1}} then SuccessfulRescale: New size: 1; reason: All metrics below target"#
    );
}

#[test]
fn a_behavior_sets_the_pace() {
    let rules = json!({"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]});
    let behavior = json!({"scaleUp": rules, "scaleDown": rules});
    let all = [autoscaler(json!({"minReplicas": 1, "behavior": behavior})), deployment(2), pod("a"), pod("b")];
    let busy = || Ok(used(&[("a", "800m", "0"), ("b", "800m", "0")]));
    let changes = look(&all, busy(), &Value::Null);
    let text = describe(&changes);
    assert!(text.starts_with(r#"patch Deployment web scale {"spec":{"replicas":3}}"#), "{text}");
    assert!(text.contains("ScalingLimited:True:ScaleUpLimit"), "{text}");
    // One was added within the minute: that is all.
    let text = describe(&look(&all, busy(), &remembered(&changes)));
    assert!(text.starts_with("remember"), "{text}");
}
