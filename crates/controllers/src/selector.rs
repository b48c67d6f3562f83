//! Label selectors as controllers use them.

use api::Object;
use serde_json::Value;

/// A `metav1.LabelSelector` over an object's labels.
pub(crate) struct Selector<'a>(&'a Value);

impl<'a> Selector<'a> {
    /// The selector at `spec.selector`.
    pub(crate) fn of(object: &'a Object) -> Selector<'a> {
        Selector(object.at("spec.selector"))
    }

    /// Whether it selects everything (upstream: such a controller is refused).
    pub(crate) fn is_empty(&self) -> bool {
        let absent = |field: &str| match self.0.get(field) {
            None | Some(Value::Null) => true,
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        absent("matchLabels") && absent("matchExpressions")
    }

    /// Whether an object's labels are selected. A missing selector selects nothing, an empty one everything.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        if !self.0.is_object() {
            return false;
        }
        let labels = object.at("metadata.labels");
        let equal = self.0.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let mut expressions = self.0.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
        contains(labels, equal) && expressions.all(|e| expression_matches(e, labels))
    }
}

/// Whether a map selector (as in a Service) selects an object. An empty one selects nothing here: a Service without a
/// selector has its endpoints written by hand.
pub(crate) fn map_matches(selector: &Value, object: &Object) -> bool {
    match selector.as_object() {
        Some(map) if !map.is_empty() => contains(object.at("metadata.labels"), map.iter()),
        _ => false,
    }
}

/// Whether `labels` has every one of the pairs.
pub(crate) fn contains<'a>(labels: &Value, mut pairs: impl Iterator<Item = (&'a String, &'a Value)>) -> bool {
    pairs.all(|(key, value)| labels.get(key) == Some(value))
}

fn expression_matches(expression: &Value, labels: &Value) -> bool {
    let key = expression.get("key").and_then(Value::as_str).unwrap_or("");
    let label = labels.get(key);
    let listed = || {
        let values = expression.get("values").and_then(Value::as_array);
        label.is_some_and(|label| values.is_some_and(|values| values.contains(label)))
    };
    match expression.get("operator").and_then(Value::as_str) {
        Some("In") => listed(),
        Some("NotIn") => !listed(),
        Some("Exists") => label.is_some(),
        Some("DoesNotExist") => label.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects() {
        let pod = Object::new(json!({"metadata": {"labels": {"app": "web", "tier": "front"}}}));
        for (selector, matches) in [
            (json!({}), true),
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "db"}}), false),
            (json!({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "back"]}]}), true),
            (json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]}), false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}), false),
            (json!(null), false),
        ] {
            assert_eq!(Selector(&selector).matches(&pod), matches, "{selector}");
        }
    }
}
