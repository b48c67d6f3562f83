//! HorizontalPodAutoscalers (pkg/apis/autoscaling/validation).

use api::status::{FieldError, FieldErrors};
use json::Value;

use crate::value::{at, int, list, text};

/// A HorizontalPodAutoscaler.
pub fn autoscaler(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let (least, most) = (int(spec, "minReplicas").unwrap_or(1), int(spec, "maxReplicas").unwrap_or(0));
    if least < 1 {
        errors.push(FieldError::invalid("spec.minReplicas", least, "must be greater than or equal to 1"));
    }
    if most < 1 {
        errors.push(FieldError::invalid("spec.maxReplicas", most, "must be greater than 0"));
    }
    if most < least {
        let detail = "must be greater than or equal to `minReplicas`";
        errors.push(FieldError::invalid("spec.maxReplicas", most, detail));
    }
    let path = "spec.scaleTargetRef";
    for field in ["kind", "name"] {
        let value = text(spec, &format!("scaleTargetRef.{field}"));
        if value.is_empty() {
            errors.push(FieldError::required(format!("{path}.{field}"), ""));
        } else {
            errors.invalid_all(&format!("{path}.{field}"), value, api::names::path_segment(value));
        }
    }
    for (i, metric) in list(spec, "metrics").iter().enumerate() {
        let path = format!("spec.metrics[{i}]");
        let kind = text(metric, "type");
        let field = match kind {
            "Object" => "object",
            "Pods" => "pods",
            "Resource" => "resource",
            "External" => "external",
            "ContainerResource" => "containerResource",
            "" => {
                errors.push(FieldError::required(format!("{path}.type"), "must specify a metric source type"));
                continue;
            }
            other => {
                let known = ["ContainerResource", "External", "Object", "Pods", "Resource"];
                errors.push(FieldError::not_supported(format!("{path}.type"), other, &known));
                continue;
            }
        };
        let source = at(metric, field);
        if source.is_null() {
            let detail = "must populate information for the given metric source";
            errors.push(FieldError::required(format!("{path}.{field}"), detail));
        } else if field == "resource" {
            resource(source, &format!("{path}.resource"), errors);
        }
    }
}

fn resource(source: &Value, path: &str, errors: &mut FieldErrors) {
    if text(source, "name").is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), "must specify a resource name"));
    }
    let utilization = int(source, "target.averageUtilization");
    if utilization.is_some_and(|percent| percent < 1) {
        let percent = utilization.unwrap_or(0);
        let detail = "must be greater than 0";
        errors.push(FieldError::invalid(format!("{path}.target.averageUtilization"), percent, detail));
    }
    if utilization.is_none() && at(source, "target.averageValue").is_null() {
        let detail = "must set either a target raw value or a target utilization";
        errors.push(FieldError::required(format!("{path}.target.averageUtilization"), detail));
    }
}
