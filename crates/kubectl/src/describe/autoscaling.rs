//! Autoscalers.

use api::Object;
use json::Value;

use super::write::{Text, list, scalar, text};
use super::{Context, events};
use crate::age;
use crate::failure::Outcome;

/// `kubectl describe hpa`.
pub async fn autoscaler(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "CreationTimestamp", age::rfc1123(object.str("metadata.creationTimestamp")));
    let kind = object.str("spec.scaleTargetRef.kind");
    out.field(0, "Reference", format!("{kind}/{}", object.str("spec.scaleTargetRef.name")));
    out.field(0, "Metrics", "( current / target )");
    for (i, metric) in object.list("spec.metrics").iter().enumerate() {
        let current = object.list("status.currentMetrics").get(i).unwrap_or(&Value::Null);
        out.line(1, one_metric(metric, current));
    }
    let least = object.at("spec.minReplicas");
    out.field(0, "Min replicas", if least.is_null() { "<unset>".to_owned() } else { scalar(least) });
    out.field(0, "Max replicas", object.int("spec.maxReplicas").unwrap_or(0).to_string());
    for (title, field) in [("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")] {
        let behavior = object.at("spec.behavior");
        if behavior.is_object() {
            if field == "scaleUp" {
                out.line(0, "Behavior:");
            }
            direction(&mut out, title, &behavior[field]);
        }
    }
    let count = |field: &str| object.int(&format!("status.{field}")).unwrap_or(0);
    let pods = format!("{} current / {} desired", count("currentReplicas"), count("desiredReplicas"));
    out.field(0, &format!("{kind} pods"), pods);
    let conditions = object.list("status.conditions");
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tReason\tMessage");
        out.line(1, "----\t------\t------\t-------");
    }
    for c in conditions {
        out.line(1, ["type", "status", "reason", "message"].map(|field| text(c, field)).join("\t"));
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn one_metric(metric: &Value, current: &Value) -> String {
    let (field, what) = match text(metric, "type") {
        "Resource" => ("resource", format!("resource {} on pods", text(&metric["resource"], "name"))),
        "ContainerResource" => {
            let source = &metric["containerResource"];
            let (name, container) = (text(source, "name"), text(source, "container"));
            ("containerResource", format!("resource {name} of container {container:?} on pods"))
        }
        "Pods" => ("pods", format!("{:?} on pods", text(&metric["pods"]["metric"], "name"))),
        "Object" => {
            let source = &metric["object"];
            let of = &source["describedObject"];
            let name = text(&source["metric"], "name");
            ("object", format!("{name:?} on {}/{}", text(of, "kind"), text(of, "name")))
        }
        "External" => ("external", format!("{:?}", text(&metric["external"]["metric"], "name"))),
        other => return format!("<unknown metric type {other:?}>"),
    };
    let (target, now) = (&metric[field]["target"], &current[field]["current"]);
    let shown = |value: &Value| if value.is_null() { "<unknown>".to_owned() } else { scalar(value) };
    let is_own = matches!(field, "resource" | "containerResource" | "pods");
    if !target["averageValue"].is_null() {
        let words = if is_own { "" } else { " (target average value)" };
        return format!("{what}{words}:\t{} / {}", shown(&now["averageValue"]), scalar(&target["averageValue"]));
    }
    if !target["value"].is_null() {
        return format!("{what} (target value):\t{} / {}", shown(&now["value"]), scalar(&target["value"]));
    }
    let current = match now["averageUtilization"].as_i64() {
        Some(percent) => format!("{percent}% ({})", shown(&now["averageValue"])),
        None => "<unknown>".to_owned(),
    };
    let wanted = target["averageUtilization"].as_i64().map_or_else(|| "<auto>".to_owned(), |n| format!("{n}%"));
    format!("{what}  (as a percentage of request):\t{current} / {wanted}")
}

fn direction(out: &mut Text, title: &str, rules: &Value) {
    if !rules.is_object() {
        return;
    }
    out.line(1, format!("{title}:"));
    if let Some(seconds) = rules["stabilizationWindowSeconds"].as_i64() {
        out.line(2, format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = list(rules, "policies");
    if !policies.is_empty() {
        let select = text(rules, "selectPolicy");
        out.line(2, format!("Select Policy: {}", if select.is_empty() { "Max" } else { select }));
        out.line(2, "Policies:");
    }
    for policy in policies {
        let (kind, value, period) = (text(policy, "type"), scalar(&policy["value"]), scalar(&policy["periodSeconds"]));
        out.line(3, format!("- Type: {kind}\tValue: {value}\tPeriod: {period} seconds"));
    }
}
