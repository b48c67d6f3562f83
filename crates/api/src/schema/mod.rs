//! The table of schemas: what every field of every kind is.
//!
//! One table, generated from the published description of an API server 1.36.3 (see `examples/compact_schema.rs`),
//! feeds decoding, defaults, strategic merge, `explain` and completion. It is parsed once, on first use, into
//! structures that borrow the embedded text.

mod added;
mod check;
mod normal;
mod table;
mod walk;

pub(crate) use added::add;
pub use added::describe;
pub use check::{Checked, check, check_change};
pub use normal::{Omitted, apply_defaults, normalize, normalize_change};
pub use table::{Definition, ListType, Property, SCALARS, Type, definition, definition_of, definitions};
pub use walk::{PathError, Resolved, resolve_path};

#[cfg(test)]
mod tests;
