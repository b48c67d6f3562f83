//! The functions themselves, one file a library.

mod authz;
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

/// A regular expression that Go's package regexp would read too.
///
/// # Errors
/// Why it cannot be read, in the words of Go for what is usual.
pub(crate) fn regex(pattern: &str) -> Result<regex_lite::Regex, String> {
    let (mut repeats, mut in_class, mut chars) = (false, false, pattern.chars().peekable());
    while let Some(c) = chars.next() {
        let is_repetition = matches!(c, '*' | '+' | '?') && !in_class;
        if is_repetition && repeats {
            return Err(format!("invalid nested repetition operator: `{c}`"));
        }
        match c {
            '\\' => _ = chars.next(),
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
        repeats = is_repetition;
        if is_repetition && c != '?' {
            // `*?` takes as little as it can.
            chars.next_if_eq(&'?');
        } else if is_repetition {
            repeats = chars.next_if_eq(&'?').is_some();
        }
    }
    regex_lite::Regex::new(pattern).map_err(|why| match why.to_string() {
        why if why.contains("closing ')' without") => format!("unexpected ): `{pattern}`"),
        why if why.contains("without closing ')'") => format!("missing closing ): `{pattern}`"),
        why => why,
    })
}

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
        authz::call,
    ];
    libraries.iter().find_map(|library| library(name, args)).unwrap_or_else(|| Err("no such overload".into()))
}
