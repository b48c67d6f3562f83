//! HorizontalPodAutoscalers (pkg/registry/autoscaling, pkg/apis/autoscaling/v2/defaults.go).

use api::kinds::HORIZONTAL_POD_AUTOSCALERS;
use json::{Value, json};

use super::{Strategy, child, default_to, plain};
use crate::validation;
use crate::value::list;

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"desiredReplicas": 0, "currentMetrics": null});
        Ok(())
    },
    validate: validation::autoscaling::autoscaler,
    has_status: true,
    ..plain(&HORIZONTAL_POD_AUTOSCALERS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "minReplicas", 1);
    if list(spec, "metrics").is_empty() {
        spec["metrics"] = json!([{"type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    }
    if let Some(behavior) = spec.get_mut("behavior").filter(|b| b.is_object()) {
        let up = child(behavior, "scaleUp");
        default_to(up, "stabilizationWindowSeconds", 0);
        default_to(up, "selectPolicy", "Max");
        if list(up, "policies").is_empty() {
            up["policies"] = json!([{"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15}]);
        }
        let down = child(behavior, "scaleDown");
        default_to(down, "selectPolicy", "Max");
        if list(down, "policies").is_empty() {
            down["policies"] = json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]);
        }
    }
}
