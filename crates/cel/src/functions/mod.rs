//! The functions themselves, one file a library.

pub mod convert;
mod formats;
mod lists;
pub mod net;
mod operators;
mod quantity;
pub mod semver;
mod strings;
pub mod url;

use crate::value::Value;

/// A value, or what is wrong in cel-go's words.
pub type Found = Result<Value, String>;

/// Calls a function; the receiver, if there is one, is the first argument.
pub(crate) fn call(name: &str, args: &[Value]) -> Found {
    let libraries = [
        operators::call,
        convert::call,
        strings::call,
        lists::call,
        quantity::call,
        net::call,
        url::call,
        semver::call,
        formats::call,
    ];
    libraries.iter().find_map(|library| library(name, args)).unwrap_or_else(|| Err("no such overload".into()))
}
