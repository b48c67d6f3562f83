//! Sets how many pods run, by what they use (`pkg/controller/podautoscaler`).
//!
//! Nobody here serves metrics, so what is left is what upstream does without them: the bounds are kept, and conditions
//! and events say what is missing. Scaling by metrics begins in [`metric_failure`], once there are some.

use std::time::Duration;

use api::selector::LabelSelector;
use api::{Kind, Object, kinds};
use client::{Event, PatchType};
use serde_json::{Value, json};

use crate::change::{Change, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

pub(crate) static CONTROLLER: Controller = Controller {
    name: "horizontal-pod-autoscaler-controller",
    component: "horizontal-pod-autoscaler",
    follows: Follows::AllBut(&[&kinds::EVENTS, &kinds::LEASES]),
    wake,
    reports_refusals: false,
    reconcile,
};

const KIND: &Kind = &kinds::HORIZONTAL_POD_AUTOSCALERS;
/// Between two looks at an autoscaler (`--horizontal-pod-autoscaler-sync-period`).
const PERIOD: Duration = Duration::from_secs(15);
/// What a client hears of an API that nobody serves.
const NOT_SERVED: &str = "the server could not find the requested resource";

/// An autoscaler is looked at one period after it has come, and then again and again.
fn wake(_: &View<'_>, kind: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Added(autoscaler) if kind == KIND => vec![Wake::after(autoscaler, PERIOD)],
        _ => Vec::new(),
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(autoscaler) = view.get(KIND, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let mut look = Look { view, autoscaler, status: autoscaler.at("status").clone(), told: Vec::new() };
    let rescale = look.decide();
    let told = std::mem::take(&mut look.told);
    if let Some(write) = rescale {
        plan.write(write);
    }
    let mut result = Ok(());
    if look.status != *autoscaler.at("status") {
        let mut updated = autoscaler.clone();
        updated.set("status", look.status);
        result = plan.update_status(KIND, &updated).map(|_| ());
    }
    for note in told {
        plan.event(autoscaler, note);
    }
    plan.push(Change::After(PERIOD));
    Ok(plan.finish(result))
}

/// One look at one autoscaler.
struct Look<'a> {
    view: &'a View<'a>,
    autoscaler: &'a Object,
    status: Value,
    told: Vec<Note>,
}

impl<'a> Look<'a> {
    /// Decides what is to be done; gives the write that changes the scale, if any.
    fn decide(&mut self) -> Option<Write> {
        let (kind, target) = match self.target() {
            Ok(found) => found,
            Err(why) => {
                self.told.push(Note::warning("FailedGetScale", why.clone()));
                let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                self.condition("AbleToScale", "False", "FailedGetScale", &message);
                return None;
            }
        };
        let message = "the HPA controller was able to get the target's current scale";
        self.condition("AbleToScale", "True", "SucceededGetScale", message);
        let current = target.int("spec.replicas").unwrap_or(0);
        let least = self.autoscaler.int("spec.minReplicas").unwrap_or(1);
        let most = self.autoscaler.int("spec.maxReplicas").unwrap_or(0);
        if current == 0 {
            let message = "scaling is disabled since the replica count of the target is zero";
            self.condition("ScalingActive", "False", "ScalingDisabled", message);
            self.replicas(0, 0, Value::Null);
            return None;
        }
        if current > most {
            return Some(self.rescale(kind, target, most, "Current number of replicas above Spec.MaxReplicas"));
        }
        if current < least {
            return Some(self.rescale(kind, target, least, "Current number of replicas below Spec.MinReplicas"));
        }
        self.without_metrics(kind, target, current);
        None
    }

    /// The kind and object that is scaled, or why there is none.
    fn target(&self) -> Result<(&'static Kind, &'a Object), String> {
        let wanted = |field: &str| self.autoscaler.str(&format!("spec.scaleTargetRef.{field}"));
        let (version, kind, name) = (wanted("apiVersion"), wanted("kind"), wanted("name"));
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let Some(row) = self.view.caches.by_kind(version, kind) else {
            return Err(format!("no matches for kind {kind:?} in group {group:?}"));
        };
        if !row.subresources.contains(&"scale") {
            return Err(NOT_SERVED.to_owned());
        }
        let key = format!("{}/{name}", self.autoscaler.namespace());
        let found = self.view.get(row, &key);
        found.map(|object| (row, object)).ok_or_else(|| {
            let dot = if row.group.is_empty() { "" } else { "." };
            format!("{}/scale{dot}{} {name:?} not found", row.plural, row.group)
        })
    }

    fn rescale(&mut self, kind: &'static Kind, target: &Object, replicas: i64, why: &str) -> Write {
        let message = format!("the HPA controller was able to update the target scale to {replicas}");
        self.condition("AbleToScale", "True", "SucceededRescale", &message);
        self.replicas(target.int("spec.replicas").unwrap_or(0), replicas, Value::Null);
        self.status["lastScaleTime"] = self.view.now_text().into();
        let told = format!("New size: {replicas}; reason: {why}");
        let failed = format!("{told}; error: {{error}}");
        Write::patch(kind, target, "scale", PatchType::Merge, json!({"spec": {"replicas": replicas}}))
            .on_success(Note::normal("SuccessfulRescale", told), self.autoscaler)
            .on_failure(Note::warning("FailedRescale", failed), self.autoscaler)
    }

    /// Says for each metric that it is not to be had.
    fn without_metrics(&mut self, kind: &Kind, target: &Object, current: i64) {
        let desired = self.status["desiredReplicas"].as_i64().unwrap_or(0);
        if let Some((reason, event, message)) = self.bad_selector(kind, target) {
            self.told.push(Note::warning(event, message.clone()));
            let shown =
                if event == "SelectorRequired" { "the HPA target's scale is missing a selector" } else { &message };
            self.condition("ScalingActive", "False", reason, shown);
            self.replicas(current, desired, Value::Null);
            self.told.push(Note::warning("FailedComputeMetricsReplicas", message));
            return;
        }
        let metrics = self.autoscaler.list("spec.metrics");
        let mut first = None;
        for metric in metrics {
            let (reason, prefix, why) = metric_failure(metric, self.autoscaler.namespace());
            self.told.push(Note::warning(reason, why.clone()));
            first.get_or_insert((reason, prefix, why));
        }
        let Some((reason, prefix, why)) = first else { return };
        let message = format!("the HPA was unable to compute the replica count: {why}");
        self.condition("ScalingActive", "False", reason, &message);
        self.replicas(current, desired, metrics.iter().map(|_| json!({"type": ""})).collect());
        let count = metrics.len();
        let all = format!("invalid metrics ({count} invalid out of {count}), first error is: {prefix}: {why}");
        self.told.push(Note::warning("FailedComputeMetricsReplicas", all));
    }

    /// Pods must be chosen, and by one autoscaler only: the reason of the condition, that of the event, the sentence.
    fn bad_selector(&self, kind: &Kind, target: &Object) -> Option<(&'static str, &'static str, String)> {
        let selector = LabelSelector::from_value(target.at("spec.selector")).unwrap_or_default().to_string();
        if selector.is_empty() && !api::custom::is_added(kind) && kind.kind != "ReplicationController" {
            return Some(("InvalidSelector", "SelectorRequired", "selector is required".to_owned()));
        }
        let all = self.view.of(KIND).in_namespace(self.autoscaler.namespace());
        let reference =
            |a: &Object| (a.str("spec.scaleTargetRef.kind").to_owned(), a.str("spec.scaleTargetRef.name").to_owned());
        let same: Vec<String> = all.filter(|a| reference(a) == reference(self.autoscaler)).map(Object::key).collect();
        if same.len() < 2 {
            return None;
        }
        let message = format!("pods by selector {selector} are controlled by multiple HPAs: [{}]", same.join(" "));
        Some(("AmbiguousSelector", "AmbiguousSelector", message))
    }

    fn replicas(&mut self, current: i64, desired: i64, metrics: Value) {
        self.status["currentReplicas"] = current.into();
        self.status["desiredReplicas"] = desired.into();
        self.status["currentMetrics"] = metrics;
    }

    fn condition(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let now = self.view.now_text();
        if !self.status["conditions"].is_array() {
            self.status["conditions"] = json!([]);
        }
        let Some(all) = self.status["conditions"].as_array_mut() else { return };
        let at = all.iter().position(|c| c["type"] == kind).unwrap_or_else(|| {
            all.push(json!({"type": kind}));
            all.len() - 1
        });
        let condition = &mut all[at];
        if condition["status"] != status {
            condition["lastTransitionTime"] = now.into();
        }
        condition["status"] = status.into();
        condition["reason"] = reason.into();
        condition["message"] = message.into();
    }
}

/// Why a metric is not to be had: the reason, what the sum of all failures says first, the sentence.
fn metric_failure(metric: &Value, namespace: &str) -> (&'static str, String, String) {
    let text = |pointer: &str| metric.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let resource = |field: &str| {
        let name = text(&format!("/{field}/name"));
        let average = metric.pointer(&format!("/{field}/target/averageValue")).is_some();
        let what = if average { "usage" } else { "utilization" };
        let why = format!(
            "failed to get {name} {what}: unable to get metrics for resource {name}: unable to fetch metrics from resource metrics API: {NOT_SERVED} (get pods.metrics.k8s.io)"
        );
        (name, why)
    };
    let custom = |field: &str| {
        format!(
            "unable to get metric {}: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
            text(&format!("/{field}/metric/name"))
        )
    };
    match metric["type"].as_str().unwrap_or("") {
        "Resource" => {
            let (name, why) = resource("resource");
            ("FailedGetResourceMetric", format!("failed to get {name} resource metric value"), why)
        }
        "ContainerResource" => {
            let (_, why) = resource("containerResource");
            let container = text("/containerResource/container");
            ("FailedGetContainerResourceMetric", format!("failed to get {container} container metric value"), why)
        }
        "Pods" => ("FailedGetPodsMetric", "failed to get pods metric value".to_owned(), custom("pods")),
        "Object" => ("FailedGetObjectMetric", "failed to get object metric value".to_owned(), custom("object")),
        _ => {
            let name = text("/external/metric/name");
            let why = format!(
                "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics API: {NOT_SERVED} (get {name}.external.metrics.k8s.io)"
            );
            ("FailedGetExternalMetric", format!("failed to get {name} external metric value"), why)
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use simulation::Time;

    use super::*;
    use crate::cache::Caches;
    use crate::change::describe;

    fn check(replicas: i64, expected: Expect) {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
        let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}});
        let autoscaler = Object::new(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "d", "uid": "a", "resourceVersion": "5"},
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [metric]},
            "status": {"desiredReplicas": 0, "currentMetrics": null},
        }));
        let deployment = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "d", "uid": "b"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
        }));
        let all = if replicas < 0 { vec![autoscaler] } else { vec![autoscaler, deployment] };
        let caches = Caches::with(&all);
        let view = View { caches: &caches, now: Time::from_unix_seconds(0), failure: None };
        expected.assert_eq(&describe(&reconcile(&view, "d/web").unwrap()));
    }

    #[test]
    fn bounds_are_kept() {
        check(
            1,
            expect![[r#"
                patch Deployment web scale {"spec":{"replicas":2}} then SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas
                update HorizontalPodAutoscaler/status web: currentMetrics=null currentReplicas=1 desiredReplicas=2 lastScaleTime="1970-01-01T00:00:00Z" AbleToScale:True:SucceededRescale
                after 15s"#]],
        );
        check(
            9,
            expect![[r#"
                patch Deployment web scale {"spec":{"replicas":5}} then SuccessfulRescale: New size: 5; reason: Current number of replicas above Spec.MaxReplicas
                update HorizontalPodAutoscaler/status web: currentMetrics=null currentReplicas=9 desiredReplicas=5 lastScaleTime="1970-01-01T00:00:00Z" AbleToScale:True:SucceededRescale
                after 15s"#]],
        );
    }

    #[test]
    fn without_metrics_nothing_is_scaled() {
        check(
            3,
            expect![[r#"
                update HorizontalPodAutoscaler/status web: currentMetrics=[{"type":""}] currentReplicas=3 desiredReplicas=0 AbleToScale:True:SucceededGetScale ScalingActive:False:FailedGetResourceMetric
                event HorizontalPodAutoscaler web Warning FailedGetResourceMetric: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
                event HorizontalPodAutoscaler web Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)
                after 15s"#]],
        );
        check(
            -1,
            expect![[r#"
                update HorizontalPodAutoscaler/status web: currentMetrics=null desiredReplicas=0 AbleToScale:False:FailedGetScale
                event HorizontalPodAutoscaler web Warning FailedGetScale: deployments/scale.apps "web" not found
                after 15s"#]],
        );
    }
}
