//! Sets how many pods run, by what they use (`pkg/controller/podautoscaler`).
//!
//! A look has three parts: what each metric calls for ([`calculator`]), how fast the number may change ([`normalize`]), and
//! here what is written and told. Metrics are asked of the API of metrics-server, as upstream does; those of other servers
//! (pods, object, external) nobody serves here, and conditions and events say so.

use std::time::Duration;

use api::quantity::Format;
use api::selector::LabelSelector;
use api::{Kind, Object, Quantity, kinds};
use client::{Event, PatchType};
use json::{Value, json};

use crate::change::{Change, Note, Plan, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

mod calculator;
mod normalize;

use calculator::{Goal, Question};
use normalize::{Memory, Wish};

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
/// How far from its goal a metric may be before anything is done (`--horizontal-pod-autoscaler-tolerance`).
const TOLERANCE: f64 = 0.1;
/// A resource without a goal.
const NO_GOAL: &str =
    "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set";
/// What is asked for, as messages name it.
const PODS_METRICS: &str = "pods.metrics.k8s.io";
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
    let Some(autoscaler) = view.get(KIND, key) else { return Ok(vec![Change::Remember(Value::Null)]) };
    let memory = Memory::read(view.memory);
    let mut look = Look { view, autoscaler, status: autoscaler.at("status").clone(), told: Vec::new(), memory };
    let rescale = match look.decide() {
        Decision::Ask(path) => return Ok(vec![Change::Ask { path, of: PODS_METRICS }]),
        Decision::Rescale(write) => Some(*write),
        Decision::Stay => None,
    };
    let mut plan = Plan::default();
    let told = std::mem::take(&mut look.told);
    if let Some(write) = rescale {
        plan.write(write);
    }
    plan.push(Change::Remember(look.memory.write()));
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

/// What is to be done.
enum Decision {
    /// Nobody can tell before this has been answered.
    Ask(String),
    Rescale(Box<Write>),
    Stay,
}

/// What is scaled.
struct Target<'a> {
    kind: &'static Kind,
    object: &'a Object,
    replicas: i64,
}

/// One look at one autoscaler.
struct Look<'a> {
    view: &'a View<'a>,
    autoscaler: &'a Object,
    status: Value,
    told: Vec<Note>,
    memory: Memory,
}

/// Why a metric is not to be had.
struct Missing {
    reason: &'static str,
    /// What the sum of all failures says first.
    prefix: String,
    why: String,
}

/// What the metrics call for together.
struct Wanted {
    replicas: i64,
    /// The metric that calls for most.
    metric: String,
    statuses: Value,
}

impl<'a> Look<'a> {
    fn decide(&mut self) -> Decision {
        let target = match self.target() {
            Ok((kind, object)) => Target { kind, object, replicas: object.int("spec.replicas").unwrap_or(0) },
            Err(why) => {
                self.told.push(Note::warning("FailedGetScale", why.clone()));
                let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                self.condition("AbleToScale", "False", "FailedGetScale", &message);
                return Decision::Stay;
            }
        };
        let message = "the HPA controller was able to get the target's current scale";
        self.condition("AbleToScale", "True", "SucceededGetScale", message);
        let current = target.replicas;
        self.memory.begin(current, self.view.now);
        let least = self.autoscaler.int("spec.minReplicas").unwrap_or(1);
        let most = self.autoscaler.int("spec.maxReplicas").unwrap_or(0);
        if current == 0 {
            let message = "scaling is disabled since the replica count of the target is zero";
            self.condition("ScalingActive", "False", "ScalingDisabled", message);
            self.replicas(0, 0, Value::Null);
            return Decision::Stay;
        }
        let wish = Wish { autoscaler: self.autoscaler, current, desired: current, least, most, now: self.view.now };
        if current > most {
            return self.rescale(
                &target,
                &wish,
                most,
                "Current number of replicas above Spec.MaxReplicas",
                Value::Null,
            );
        }
        if current < least {
            return self.rescale(
                &target,
                &wish,
                least,
                "Current number of replicas below Spec.MinReplicas",
                Value::Null,
            );
        }
        self.by_metrics(&target, wish)
    }

    /// Follows the metrics, at the pace that is allowed.
    fn by_metrics(&mut self, target: &Target<'a>, mut wish: Wish<'a>) -> Decision {
        let current = wish.current;
        let selector = match self.selector(target) {
            Ok(selector) => selector,
            Err((reason, event, message)) => {
                self.told.push(Note::warning(event, message.clone()));
                let shown =
                    if event == "SelectorRequired" { "the HPA target's scale is missing a selector" } else { &message };
                self.condition("ScalingActive", "False", reason, shown);
                self.failed(current, Value::Null, message);
                return Decision::Stay;
            }
        };
        let metrics = self.autoscaler.list("spec.metrics");
        let is_resource = |m: &Value| matches!(m["type"].as_str(), Some("Resource" | "ContainerResource"));
        if self.view.answer.is_none() && metrics.iter().any(is_resource) {
            return Decision::Ask(metrics_path(self.autoscaler.namespace(), &selector));
        }
        let Some(wanted) = self.wanted(target, &selector, metrics) else { return Decision::Stay };
        wish.desired = wanted.replicas;
        let mut why = String::new();
        if wish.desired > current {
            why = format!("{} above target", wanted.metric);
        } else if wish.desired < current {
            "All metrics below target".clone_into(&mut why);
        }
        let allowed = self.memory.normalize(&wish);
        self.condition("AbleToScale", "True", allowed.able.0, allowed.able.1);
        let limited = if allowed.is_limited { "True" } else { "False" };
        self.condition("ScalingLimited", limited, allowed.limit.0, allowed.limit.1);
        if allowed.replicas != current {
            return self.rescale(target, &wish, allowed.replicas, &why, wanted.statuses);
        }
        self.replicas(current, current, wanted.statuses);
        Decision::Stay
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

    fn rescale(&mut self, target: &Target<'_>, wish: &Wish<'_>, replicas: i64, why: &str, metrics: Value) -> Decision {
        let message = format!("the HPA controller was able to update the target scale to {replicas}");
        self.condition("AbleToScale", "True", "SucceededRescale", &message);
        self.replicas(wish.current, replicas, metrics);
        self.status["lastScaleTime"] = self.view.now_text().into();
        self.memory.note_scale(wish, replicas);
        let told = format!("New size: {replicas}; reason: {why}");
        let failed = format!("{told}; error: {{error}}");
        let patch = json!({"spec": {"replicas": replicas}});
        let write = Write::patch(target.kind, target.object, "scale", PatchType::Merge, patch)
            .on_success(Note::normal("SuccessfulRescale", told), self.autoscaler)
            .on_failure(Note::warning("FailedRescale", failed), self.autoscaler);
        Decision::Rescale(Box::new(write))
    }

    /// What all metrics call for; none if that cannot be told, which is said then (`computeReplicasForMetrics`).
    fn wanted(&mut self, target: &Target<'_>, selector: &LabelSelector, metrics: &[Value]) -> Option<Wanted> {
        let mut wanted = Wanted { replicas: 0, metric: String::new(), statuses: Value::Null };
        let (mut statuses, mut first, mut failures) = (Vec::new(), None, 0);
        for metric in metrics {
            match self.metric(target, selector, metric) {
                Ok((replicas, name, status)) => {
                    statuses.push(status);
                    if wanted.replicas == 0 || replicas > wanted.replicas {
                        (wanted.replicas, wanted.metric) = (replicas, name);
                    }
                }
                Err(missing) => {
                    statuses.push(json!({"type": ""}));
                    self.told.push(Note::warning(missing.reason, missing.why.clone()));
                    first.get_or_insert(missing);
                    failures += 1;
                }
            }
        }
        wanted.statuses = statuses.into();
        match first {
            // Some metrics are enough to scale up, but not down.
            Some(Missing { reason, prefix, why }) if failures == metrics.len() || wanted.replicas < target.replicas => {
                let message = format!("the HPA was unable to compute the replica count: {why}");
                self.condition("ScalingActive", "False", reason, &message);
                let count = metrics.len();
                let all =
                    format!("invalid metrics ({failures} invalid out of {count}), first error is: {prefix}: {why}");
                self.failed(target.replicas, wanted.statuses, all);
                None
            }
            _ => {
                let message =
                    format!("the HPA was able to successfully calculate a replica count from {}", wanted.metric);
                self.condition("ScalingActive", "True", "ValidMetricFound", &message);
                Some(wanted)
            }
        }
    }

    /// What one metric calls for, its name in reasons, and what the status says of it.
    fn metric(
        &self,
        target: &Target<'_>,
        selector: &LabelSelector,
        metric: &Value,
    ) -> Result<(i64, String, Value), Missing> {
        let (kind, field, reason) = match metric["type"].as_str() {
            Some("Resource") => ("Resource", "resource", "FailedGetResourceMetric"),
            Some("ContainerResource") => ("ContainerResource", "containerResource", "FailedGetContainerResourceMetric"),
            _ => return Err(not_served(metric, self.autoscaler.namespace())),
        };
        let source = &metric[field];
        let text = |name: &str| source[name].as_str().unwrap_or("");
        let (resource, container) = (text("name"), text("container"));
        let behavior = self.autoscaler.at("spec.behavior");
        let tolerance = |direction: &str| match &behavior[direction]["tolerance"] {
            Value::Null => TOLERANCE,
            given => Quantity::from_value(given).map_or(TOLERANCE, Quantity::as_f64),
        };
        let question = Question {
            view: self.view,
            namespace: self.autoscaler.namespace(),
            selector,
            resource,
            container,
            current: target.replicas,
            tolerances: (tolerance("scaleDown"), tolerance("scaleUp")),
        };
        let goal = &source["target"];
        let value = Quantity::from_value(&goal["averageValue"]).ok().filter(|_| !goal["averageValue"].is_null());
        let (goal, what) = match (value, goal["averageUtilization"].as_i64()) {
            (Some(value), _) => (Ok(Goal::Value(value.milli_value())), "usage"),
            (None, Some(percent)) => (Ok(Goal::Utilization(percent)), "utilization"),
            (None, None) => (Err(NO_GOAL.to_owned()), ""),
        };
        let nobody = Err(NOT_SERVED.to_owned());
        let answer = self.view.answer.unwrap_or(&nobody);
        let proposal = goal.and_then(|goal| {
            question.replicas(answer, goal).map_err(|why| format!("failed to get {resource} {what}: {why}"))
        });
        let proposal = proposal.map_err(|why| {
            let prefix = match container {
                "" => format!("failed to get {resource} resource metric value"),
                container => format!("failed to get {container} container metric value"),
            };
            Missing { reason, prefix, why }
        })?;
        let name = match (what, container) {
            ("usage", _) => format!("{resource} resource"),
            (_, "") => format!("{resource} resource utilization (percentage of request)"),
            _ => format!("{resource} container resource utilization (percentage of request)"),
        };
        let format = if resource == "memory" { Format::Binary } else { Format::Decimal };
        let mut current = json!({"averageValue": Quantity::from_milli(proposal.average).printed(format).to_string()});
        if let Some(percent) = proposal.utilization {
            current["averageUtilization"] = percent.into();
        }
        let mut status = json!({"type": kind, field: {"name": resource, "current": current}});
        if !container.is_empty() {
            status[field]["container"] = container.into();
        }
        Ok((proposal.replicas, name, status))
    }

    /// Notes that nobody can tell how many pods there should be, and why.
    fn failed(&mut self, current: i64, metrics: Value, why: String) {
        let desired = self.status["desiredReplicas"].as_i64().unwrap_or(0);
        self.replicas(current, desired, metrics);
        self.told.push(Note::warning("FailedComputeMetricsReplicas", why));
    }

    /// What chooses the pods. They must be chosen, and by one autoscaler only; otherwise the reason of the condition, that
    /// of the event, the sentence.
    fn selector(&self, target: &Target<'_>) -> Result<LabelSelector, (&'static str, &'static str, String)> {
        let object = target.object;
        let selector = if api::custom::is_added(target.kind) {
            let definition = self.view.get(&kinds::CUSTOM_RESOURCE_DEFINITIONS, &target.kind.group_resource());
            let versions = definition.map(|d| api::custom::versions(d.value())).unwrap_or_default();
            let path = versions.first().and_then(|v| v.version["subresources"]["scale"]["labelSelectorPath"].as_str());
            let path = path.unwrap_or("").trim_start_matches('.');
            LabelSelector::parse(if path.is_empty() { "" } else { object.str(path) })
        } else if target.kind.kind == "ReplicationController" {
            LabelSelector::from_value(&json!({"matchLabels": object.at("spec.selector")}))
        } else {
            LabelSelector::from_value(object.at("spec.selector"))
        };
        let selector = selector.unwrap_or_default();
        let text = selector.to_string();
        if text.is_empty() {
            return Err(("InvalidSelector", "SelectorRequired", "selector is required".to_owned()));
        }
        let all = self.view.of(KIND).in_namespace(self.autoscaler.namespace());
        let reference =
            |a: &Object| (a.str("spec.scaleTargetRef.kind").to_owned(), a.str("spec.scaleTargetRef.name").to_owned());
        let same: Vec<String> = all.filter(|a| reference(a) == reference(self.autoscaler)).map(Object::key).collect();
        if same.len() < 2 {
            return Ok(selector);
        }
        let message = format!("pods by selector {text} are controlled by multiple HPAs: [{}]", same.join(" "));
        Err(("AmbiguousSelector", "AmbiguousSelector", message))
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

/// Where the metrics of pods are.
fn metrics_path(namespace: &str, selector: &LabelSelector) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    let selector: String = selector.to_string().bytes().map(encode).collect();
    format!("{}?labelSelector={selector}", kinds::POD_METRICS.collection_path(namespace))
}

/// Why a metric of another server is not to be had.
fn not_served(metric: &Value, namespace: &str) -> Missing {
    let text = |pointer: &str| metric.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let custom = |field: &str| {
        format!(
            "unable to get metric {}: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
            text(&format!("/{field}/metric/name"))
        )
    };
    let missing = |reason, prefix: &str, why| Missing { reason, prefix: prefix.to_owned(), why };
    match metric["type"].as_str().unwrap_or("") {
        "Pods" => missing("FailedGetPodsMetric", "failed to get pods metric value", custom("pods")),
        "Object" => missing("FailedGetObjectMetric", "failed to get object metric value", custom("object")),
        _ => {
            let name = text("/external/metric/name");
            let why = format!(
                "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics API: {NOT_SERVED} (get {name}.external.metrics.k8s.io)"
            );
            missing("FailedGetExternalMetric", &format!("failed to get {name} external metric value"), why)
        }
    }
}

#[cfg(test)]
mod tests;
