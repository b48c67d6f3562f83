//! HorizontalPodAutoscalers of autoscaling/v1: the objects of autoscaling/v2 with one metric, the use of CPU; what else they
//! say stands in annotations (pkg/apis/autoscaling/v1/conversion.go).
//!
//! Difference: the annotations have the words of autoscaling/v2.

use api::Kind;
use api::kinds::HORIZONTAL_POD_AUTOSCALERS_V1;
use json::{Value, json};

use super::{Conversion, Strategy, autoscaling, child, default_to, plain};
use crate::value::{at, list, map_mut, metadata_mut};

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| default_to(child(object, "spec"), "minReplicas", 1),
    prepare_create: |_, object| {
        object["status"] = json!({"currentReplicas": 0, "desiredReplicas": 0});
        Ok(())
    },
    validate: |object, errors| {
        let mut stored = object.clone();
        to_stored(&HORIZONTAL_POD_AUTOSCALERS_V1, &mut stored);
        (autoscaling::STRATEGY.validate)(&stored, errors);
    },
    has_status: true,
    conversion: Some(&CONVERSION),
    ..plain(&HORIZONTAL_POD_AUTOSCALERS_V1)
};

static CONVERSION: Conversion = Conversion { from_stored, to_stored };

/// What has no field here: where it is in autoscaling/v2, and the annotation.
const ANNOTATED: [(&str, &str, &str); 4] = [
    ("spec", "metrics", "autoscaling.alpha.kubernetes.io/metrics"),
    ("spec", "behavior", "autoscaling.alpha.kubernetes.io/behavior"),
    ("status", "currentMetrics", "autoscaling.alpha.kubernetes.io/current-metrics"),
    ("status", "conditions", "autoscaling.alpha.kubernetes.io/conditions"),
];

fn is_cpu(metric: &Value) -> bool {
    *at(metric, "resource.name") == "cpu" && at(metric, "resource.target.averageUtilization").is_i64()
}

fn from_stored(kind: &Kind, object: &mut Value) {
    let cpu = list(object, "spec.metrics").iter().find(|m| is_cpu(m));
    if let Some(percent) = cpu.map(|m| at(m, "resource.target.averageUtilization").clone()) {
        object["spec"]["targetCPUUtilizationPercentage"] = percent;
    }
    for (part, field, annotation) in ANNOTATED {
        let Some(mut value) = object.get_mut(part).and_then(Value::as_object_mut).and_then(|p| p.remove(field)) else {
            continue;
        };
        if let Some(metrics) = value.as_array_mut().filter(|_| field == "metrics") {
            metrics.retain(|m| !is_cpu(m));
        }
        let is_nothing = value.is_null() || value.as_array().is_some_and(json::Array::is_empty);
        if !is_nothing {
            let annotations = metadata_mut(object).entry("annotations").or_insert_with(|| json!({}));
            map_mut(annotations).insert(annotation.into(), value.to_string().into());
        }
    }
    if object["status"].is_object() {
        default_to(&mut object["status"], "currentReplicas", 0);
    }
    map_mut(object).insert("apiVersion".into(), kind.api_version().into());
}

/// The form in which autoscalers are stored.
pub fn to_stored(_: &Kind, object: &mut Value) {
    for (part, field, annotation) in ANNOTATED {
        let text = metadata_mut(object)
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
            .and_then(|annotations| annotations.remove(annotation));
        if let Some(value) = text.and_then(|t| json::from_str::<Value>(t.as_str()?).ok()) {
            child(object, part)[field] = value;
        }
    }
    let spec = child(object, "spec");
    if let Some(percent) = map_mut(spec).remove("targetCPUUtilizationPercentage") {
        let target = json!({"type": "Utilization", "averageUtilization": percent});
        let mut metrics = list(spec, "metrics").to_vec();
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
        spec["metrics"] = metrics.into();
    }
    (autoscaling::STRATEGY.defaults)(object);
    if object["status"].is_object() {
        map_mut(&mut object["status"]).entry("currentMetrics").or_insert(Value::Null);
    }
    map_mut(object).insert("apiVersion".into(), "autoscaling/v2".into());
}
