//! Label and field selectors.
//!
//! Upstream: `k8s.io/apimachinery/pkg/labels`, `.../pkg/fields`, `.../pkg/apis/meta/v1/helpers.go`.

mod field;
mod label;
pub mod node;
mod parse;

pub use field::{FieldRequirement, FieldSelector};
pub use label::{LabelSelector, Operator, Requirement, format_label_selector};

#[cfg(test)]
mod tests;
