//! Label selectors as controllers use them.

use api::Object;
use api::selector::LabelSelector;
use json::{Value, json};

/// The selector at `spec.selector`; a missing or malformed one selects nothing. That of a ReplicationController, which is
/// older than selectors with expressions, is a map.
pub(crate) fn of(object: &Object) -> LabelSelector {
    let own = object.at("spec.selector");
    let read = match object.kind() {
        "ReplicationController" => LabelSelector::from_value(&json!({ "matchLabels": own })),
        _ => LabelSelector::from_value(own),
    };
    read.unwrap_or_else(|_| LabelSelector::nothing())
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
pub(crate) fn contains<'a>(labels: &Value, mut pairs: impl Iterator<Item = (&'a json::Text, &'a Value)>) -> bool {
    pairs.all(|(key, value)| labels.get(key) == Some(value))
}
