//! Rules in CEL of custom resources: `x-kubernetes-validations` (apiextensions-apiserver/pkg/apiserver/schema/cel).
//!
//! [`compile`] makes programs of rules, [`definition`] says what is wrong with the rules of a definition, [`object`] asks them
//! about objects. This module never changes an object.

mod compile;
mod correlate;
pub mod definition;
mod object;

pub use object::Validator;
