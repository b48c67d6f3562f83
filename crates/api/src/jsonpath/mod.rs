//! Kubernetes' JSONPath: a template language of its own, not RFC 9535 (`client-go/util/jsonpath`).

mod eval;
mod parse;

use json::Value;

pub use parse::{Node, parse};

/// What every piece of text or action gives. `allow_missing`: a field that is not there is no error.
///
/// # Errors
/// Upstream's sentence, e.g. `spec is not found`.
pub fn evaluate(nodes: &[Node], data: &Value, allow_missing: bool) -> Result<Vec<Vec<Value>>, String> {
    eval::Evaluation { allow_missing }.run(nodes, data)
}
