//! Taints and the tolerations of them (`component-helpers/scheduling/corev1`, `pkg/util/taints`).

use api::Object;
use serde_json::Value;

/// Whether a toleration covers a taint.
pub(crate) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or("").to_owned();
    let (effect, key) = (text(toleration, "effect"), text(toleration, "key"));
    let effect_fits = effect.is_empty() || effect == text(taint, "effect");
    let key_fits = key.is_empty() || key == text(taint, "key");
    let value_fits = match text(toleration, "operator").as_str() {
        "" | "Equal" => text(toleration, "value") == text(taint, "value"),
        "Exists" => true,
        _ => false,
    };
    effect_fits && key_fits && value_fits
}

/// The taints of a node with some effect.
pub(crate) fn with_effect<'a>(node: &'a Object, effect: &'a str) -> impl Iterator<Item = &'a Value> {
    node.list("spec.taints").iter().filter(move |taint| taint["effect"] == effect)
}

/// Whether two taints are one: same key and effect.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    a["key"] == b["key"] && a["effect"] == b["effect"]
}
