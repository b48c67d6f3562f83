//! Which functions there are and what they take (cel-go/common/stdlib, the libraries of Kubernetes): rows of `signatures.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use crate::access::{AUTHORIZER, DECISION, GROUP_CHECK, PATH_CHECK, RESOURCE_CHECK};
use crate::types::Type;

/// The name of quantities.
pub(crate) const QUANTITY: &str = "kubernetes.Quantity";
/// The name of addresses.
pub(crate) const IP: &str = "net.IP";
/// The name of ranges of addresses.
pub(crate) const CIDR: &str = "net.CIDR";
/// The name of URLs.
pub(crate) const URL: &str = "kubernetes.URL";
/// The name of formats of text.
pub(crate) const FORMAT: &str = "kubernetes.NamedFormat";
/// The name of versions.
pub(crate) const SEMVER: &str = "kubernetes.Semver";

/// One way to call a function.
#[derive(Debug)]
pub(crate) struct Overload {
    /// Whether the first argument stands before the dot.
    pub member: bool,
    pub args: Vec<Type>,
    pub result: Type,
    /// The letters in it.
    pub letters: BTreeSet<char>,
}

static FUNCTIONS: LazyLock<BTreeMap<String, Vec<Overload>>> = LazyLock::new(|| {
    let mut all: BTreeMap<String, Vec<Overload>> = BTreeMap::new();
    for line in include_str!("signatures.txt").lines().filter(|line| !line.starts_with('#')) {
        let (name, overload) = read(line);
        all.entry(name).or_default().push(overload);
    }
    comparisons(&mut all);
    all
});

/// The ways to call a function; `None` if there is none of the name.
pub(crate) fn function(name: &str) -> Option<&'static [Overload]> {
    FUNCTIONS.get(name).map(Vec::as_slice)
}

/// Comparisons of two of a kind and of numbers of different kinds, and what lists of such things can do.
fn comparisons(all: &mut BTreeMap<String, Vec<Overload>>) {
    let numbers = [("int", ["double", "uint"]), ("uint", ["double", "int"]), ("double", ["int", "uint"])];
    for name in ["_<_", "_<=_", "_>_", "_>=_"] {
        let mut add = |a: &str, b: &str| {
            let overload = read(&format!("x({a}, {b}) -> bool")).1;
            all.entry(name.into()).or_default().push(overload);
        };
        add("bool", "bool");
        for (number, others) in numbers {
            add(number, number);
            others.iter().for_each(|other| add(number, other));
        }
        ["string", "bytes", "timestamp", "duration"].iter().for_each(|t| add(t, t));
    }
    for of in ["int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"] {
        let mut add = |name: &str, result: &str| {
            let overload = read(&format!(".x(list<{of}>) -> {result}")).1;
            all.entry(name.into()).or_default().push(overload);
        };
        add("isSorted", "bool");
        add("min", of);
        add("max", of);
        if matches!(of, "int" | "uint" | "double" | "duration") {
            add("sum", of);
        }
    }
}

fn read(line: &str) -> (String, Overload) {
    let (call, result) = line.split_once(" -> ").expect("a signature has a result");
    let (name, args) = call.split_once('(').expect("a signature has arguments");
    let args = args.strip_suffix(')').expect("arguments end");
    let args: Vec<Type> = split(args).into_iter().map(type_of).collect();
    let letters = line.chars().filter(char::is_ascii_uppercase);
    // Capitals in names are no types; one that nobody asks for does no harm.
    let letters = letters.filter(|c| matches!(c, 'A' | 'B')).collect();
    let member = name.starts_with('.');
    let name = name.trim_start_matches('.').to_owned();
    (name, Overload { member, args, result: type_of(result), letters })
}

/// Splits at the commas that are not inside of a type.
fn split(args: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (i, c) in args.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(args[from..i].trim());
                from = i + 1;
            }
            _ => {}
        }
    }
    parts.push(args[from..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn type_of(text: &str) -> Type {
    if let Some((name, inner)) = text.split_once('<') {
        let inner = split(inner.strip_suffix('>').expect("a type ends"));
        let mut inner = inner.into_iter().map(type_of);
        let first = inner.next().expect("a type of something");
        return match name {
            "list" => Type::list(first),
            "opt" => Type::optional(first),
            "type" => Type::Type(Arc::new(first)),
            _ => Type::map(first, inner.next().expect("a map has values")),
        };
    }
    match text {
        "dyn" => Type::Dyn,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "quantity" => Type::Opaque(QUANTITY, Vec::new()),
        "ip" => Type::Opaque(IP, Vec::new()),
        "cidr" => Type::Opaque(CIDR, Vec::new()),
        "url" => Type::Opaque(URL, Vec::new()),
        "format" => Type::Opaque(FORMAT, Vec::new()),
        "semver" => Type::Opaque(SEMVER, Vec::new()),
        "authorizer" => Type::Opaque(AUTHORIZER, Vec::new()),
        "pathcheck" => Type::Opaque(PATH_CHECK, Vec::new()),
        "groupcheck" => Type::Opaque(GROUP_CHECK, Vec::new()),
        "resourcecheck" => Type::Opaque(RESOURCE_CHECK, Vec::new()),
        "decision" => Type::Opaque(DECISION, Vec::new()),
        letter => Type::Param(letter.chars().next().expect("a type has a name")),
    }
}

/// The type that a name stands for.
pub(crate) fn named_type(name: &str) -> Option<Type> {
    let found = match name {
        "bool" | "int" | "uint" | "double" | "string" | "bytes" => type_of(name),
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "null_type" => Type::Null,
        "type" => Type::Type(Arc::new(Type::Dyn)),
        "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Duration" => Type::Duration,
        "optional_type" => Type::optional(Type::Dyn),
        QUANTITY => Type::Opaque(QUANTITY, Vec::new()),
        IP => Type::Opaque(IP, Vec::new()),
        CIDR => Type::Opaque(CIDR, Vec::new()),
        URL => Type::Opaque(URL, Vec::new()),
        FORMAT => Type::Opaque(FORMAT, Vec::new()),
        SEMVER => Type::Opaque(SEMVER, Vec::new()),
        _ => return None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_read() {
        assert_eq!(function("_[_]").map(<[Overload]>::len), Some(4));
        assert_eq!(function("_<_").map(<[Overload]>::len), Some(14));
        assert!(function("optional.none").is_some_and(|o| o[0].args.is_empty() && !o[0].member));
    }
}
