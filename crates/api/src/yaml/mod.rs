//! YAML in and out, exactly as kubectl reads and prints it.
//!
//! Upstream: `sigs.k8s.io/yaml` over its go-yaml v2 fork, `k8s.io/apimachinery/pkg/util/yaml`. Reading means: YAML 1.1
//! scalars (`yes`, `on` and `y` are booleans, `0777` is octal), the last of duplicate keys wins, timestamps stay text.
//! Printing means: keys in natural order, two spaces, sequences not indented under their key, lines folded after 80
//! columns, strings quoted only where they would otherwise read as something else.

mod check;
mod emit;
mod error;
mod read;
mod resolve;
mod scalar;
mod scan;

pub use emit::emit;
pub use error::YamlError;
pub use read::{documents, parse, parse_document, parse_document_strict, parse_documents};

/// Nodes that one document may hold after aliases are expanded; beyond this it is refused.
pub const DOCUMENT_NODES_MAX: usize = 200_000;

#[cfg(test)]
mod complaints;
#[cfg(test)]
mod tests;
