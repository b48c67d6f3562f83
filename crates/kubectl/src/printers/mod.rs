//! What objects look like: tables, YAML, JSON, names, templates, columns (`cli-runtime/pkg/printers`, `kubectl/pkg/cmd/get`).

pub mod columns;
pub mod kyaml;
pub mod output;
pub mod table;
pub mod tabwriter;
