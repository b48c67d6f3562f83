//! Who set which field: `metadata.managedFields`, and server-side apply.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/managedfields`, `sigs.k8s.io/structured-merge-diff`. The table of schemas says
//! how each value is owned: as one, field by field, or element by element.
//!
//! Kept as sets that revisions of an object share, and written as JSON only when somebody looks: see
//! [`crate::Object::managed`]. Every write of every controller goes through [`ManagedFields::update`], so what did not
//! change is not touched.

mod apply;
mod compare;
mod entries;
mod merge;
mod path;
mod recent;
mod set;
#[cfg(test)]
mod tests;
mod typed;
mod update;
mod validate;

pub use apply::{Applied, Applier, Conflict, Refusal};
pub use compare::{Comparison, Reach, compare};
pub use entries::{Entry, ManagedFields, Operation};
pub use path::{Element, Text, show};
pub use recent::Recent;
pub use set::{ANY, Node, Set};
pub use typed::{Atom, field_set};
pub use update::{Writer, zero};
