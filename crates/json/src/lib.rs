//! JSON trees that share what they have in common.
//!
//! A cluster keeps every object many times: the store and its old revisions, the caches of controllers, a copy that is
//! being changed. With trees of `serde_json` each of them is a copy to the last leaf, and a field's name is a string of
//! its own wherever it stands. Here cloning any part costs a count, changing one copies the way down to it and no more,
//! and names are short or shared (decision 0020).
//!
//! Invariants:
//! * Reading and writing of text is `serde_json`'s; this crate is the tree and what turns Rust values into it and back.
//! * Entries of a [`Map`] are in the order of their keys' bytes: the same tree gives the same bytes.
//! * No `unsafe`; sharing is `ecow`'s.

mod array;
mod de;
mod index;
mod literal;
mod map;
mod ser;
mod settle;
mod text;
mod value;

pub use array::Array;
pub use de::from_value;
pub use index::Index;
#[doc(hidden)]
pub use literal::{Fields, Of, ViaSerde};
pub use map::{Entry, InOrder, Map};
pub use ser::to_value;
pub use serde_json::{
    Deserializer, Error, Number, Result, from_reader, from_slice, from_str, to_string, to_string_pretty, to_vec,
    to_vec_pretty, to_writer,
};
pub use text::{Text, name};
pub use value::Value;
