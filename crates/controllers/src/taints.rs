//! The taints of a node (`pkg/util/taints`).

use api::Object;
use json::Value;

/// The taints of a node with some effect.
pub(crate) fn with_effect<'a>(node: &'a Object, effect: &'a str) -> impl Iterator<Item = &'a Value> {
    node.list("spec.taints").iter().filter(move |taint| taint["effect"] == effect)
}

/// Whether two taints are one: same key and effect.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    a["key"] == b["key"] && a["effect"] == b["effect"]
}
