//! The four ways to patch, and the two ways in which `kubectl apply` writes patches.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/{strategicpatch,jsonmergepatch,mergepatch}`, evanphx/json-patch.

mod diff;
mod json;
mod order;
mod strategic;

pub use diff::{three_way_strategic, two_way_strategic};
pub use json::{create_merge_patch, json_patch, merge_patch, three_way_json};
pub use strategic::strategic_merge;

use ::json::Value;

use crate::schema::{Definition, Type};

/// Why a patch cannot be read, applied or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is not a patch of its type (the server answers 400).
    #[error("{0}")]
    Decode(String),
    /// It does not fit the object (the server answers 422).
    #[error("{0}")]
    Apply(String),
    /// apiVersion, kind or name differ between the versions of which a patch was to be written.
    #[error("At least one of apiVersion, kind and name was changed")]
    Precondition,
}

/// What the schema says of the place that is being merged.
#[derive(Clone, Copy)]
enum Place {
    Definition(&'static Definition),
    /// A map; every key has this type.
    Map(&'static Type),
    /// Unknown to the schema: lists are replaced.
    Unknown,
}

/// How a field merges.
struct Field {
    place: Place,
    replace: bool,
    merge: bool,
    retain_keys: bool,
    merge_key: &'static str,
}

impl Place {
    fn of(definition: Option<&'static Definition>) -> Place {
        definition.map_or(Place::Unknown, Place::Definition)
    }

    fn of_type(ty: &'static Type) -> Place {
        match ty {
            Type::List(inner) => Place::of_type(inner),
            Type::Map(inner) => Place::Map(inner),
            ty => Place::of(ty.definition()),
        }
    }

    fn field(self, name: &str) -> Field {
        let plain = |place| Field { place, replace: false, merge: false, retain_keys: false, merge_key: "" };
        match self {
            Place::Unknown => plain(Place::Unknown),
            Place::Map(ty) => plain(Place::of_type(ty)),
            Place::Definition(definition) => match definition.property(name) {
                None => plain(Place::Unknown),
                Some(property) => Field {
                    place: Place::of_type(&property.ty),
                    replace: property.patch_strategy.split(',').any(|s| s == "replace"),
                    merge: property.merges(),
                    retain_keys: property.retains_keys(),
                    merge_key: property.merge_key,
                },
            },
        }
    }
}

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";

/// The value of the merge key of a list element.
fn key_of<'a>(item: &'a Value, key: &str) -> Result<&'a Value, PatchError> {
    match item.as_object() {
        None => Err(PatchError::Apply(format!("cannot merge the element {item}: it is not a map"))),
        Some(map) => map.get(key).ok_or_else(|| {
            PatchError::Apply(format!(
                "map: {} does not contain declared merge key: {key}",
                crate::text::go_value(item)
            ))
        }),
    }
}

#[cfg(test)]
mod tests;
