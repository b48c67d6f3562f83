//! Node selector terms (`component-helpers/scheduling/corev1/nodeaffinity`).

use crate::Object;
use json::Value;

/// Whether one of the terms selects the node. No terms select nothing.
pub fn any_term_matches(terms: &Value, node: &Object) -> bool {
    terms.as_array().into_iter().flatten().any(|term| term_matches(term, node))
}

/// Whether a term selects the node. An empty term selects nothing.
pub fn term_matches(term: &Value, node: &Object) -> bool {
    let list = |field: &str| term.get(field).and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
    let (expressions, fields) = (list("matchExpressions"), list("matchFields"));
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let label = |key: &str| node.label(key).map(str::to_owned);
    let field = |key: &str| (key == "metadata.name").then(|| node.name().to_owned());
    expressions.iter().all(|e| requirement_matches(e, label)) && fields.iter().all(|e| requirement_matches(e, field))
}

fn requirement_matches(requirement: &Value, get: impl Fn(&str) -> Option<String>) -> bool {
    let value = get(requirement["key"].as_str().unwrap_or(""));
    let values = requirement["values"].as_array().map_or(&[][..], json::Array::as_slice);
    let listed = value.as_ref().is_some_and(|value| values.iter().any(|v| v == value));
    let numbers = || {
        let left: i64 = value.as_ref()?.parse().ok()?;
        let right: i64 = values.first()?.as_str()?.parse().ok()?;
        Some((left, right))
    };
    match requirement["operator"].as_str().unwrap_or("") {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => numbers().is_some_and(|(left, right)| left > right),
        "Lt" => numbers().is_some_and(|(left, right)| left < right),
        _ => false,
    }
}

/// Whether `spec.nodeSelector` and the required node affinity of a pod select the node.
pub fn pod_selects(pod: &Object, node: &Object) -> bool {
    let mut pairs = pod.at("spec.nodeSelector").as_object().into_iter().flatten();
    let by_labels = pairs.all(|(key, value)| node.label(key) == value.as_str());
    let required = pod.at("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    by_labels && (required.is_null() || any_term_matches(&required["nodeSelectorTerms"], node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn terms_select() {
        let node = Object::new(json!({"metadata": {"name": "n1", "labels": {"disk": "ssd", "cores": "8"}}}));
        let label = |operator: &str, key: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for (term, selects) in [
            (label("In", "disk", &["ssd", "nvme"]), true),
            (label("NotIn", "disk", &["ssd"]), false),
            (label("NotIn", "absent", &["x"]), true),
            (label("Exists", "disk", &[]), true),
            (label("DoesNotExist", "disk", &[]), false),
            (label("Gt", "cores", &["4"]), true),
            (label("Lt", "cores", &["4"]), false),
            (json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}), true),
            (json!({}), false),
        ] {
            assert_eq!(term_matches(&term, &node), selects, "{term}");
        }
    }
}
