//! What calls cost when they are made (cel-go/interpreter/runtimecost.go, k8s.io/apiserver/pkg/cel/library/cost.go).

use crate::value::Value;

/// What it costs to look at a character.
pub(crate) const TRAVERSAL: f64 = 0.1;
/// What a character of a regular expression costs for each part of a text.
pub(crate) const REGEX: f64 = 0.25;
/// How long a regular expression behind a format may be thought to be.
const FORMAT_REGEX_CHARS: u64 = 128;

/// What a question to the authorizer costs: two fit into an expression.
pub(crate) const AUTHORIZATION: u64 = 350_000;

/// What it costs to read a selector: a list, and for every two characters a requirement (`selectorCostEstimate`).
pub(crate) fn of_selector(chars: u64) -> u64 {
    let requirements = part(chars, 0.5).saturating_mul(50);
    requirements.saturating_add(part(chars, TRAVERSAL)).saturating_add(10)
}

/// A part of a size, rounded up.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size")]
pub(crate) fn part(size: u64, factor: f64) -> u64 {
    (size as f64 * factor).ceil() as u64
}

/// What a call costs, with what comes out if something does.
pub(crate) fn of_call(function: &str, args: &[Value], result: Option<&Value>) -> u64 {
    let size = |i: usize| args.get(i).map_or(0, Value::size);
    let is_opaque = |v: &Value| {
        matches!(
            v,
            Value::Quantity(_) | Value::Ip(_) | Value::Cidr(_) | Value::Format(_) | Value::Url(_) | Value::Semver(_)
        )
    };
    let is_text = |v: Option<&Value>| matches!(v, Some(Value::String(_) | Value::Bytes(_)));
    match function {
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => traversal(&args[0]),
        "check" => AUTHORIZATION,
        "fieldSelector" | "labelSelector" => of_selector(size(1)),
        "url" | "lowerAscii" | "upperAscii" | "substring" | "trim" | "cidr" | "isIP" | "isCIDR" | "quantity"
        | "isQuantity" | "semver" | "isSemver" => part(size(0), TRAVERSAL),
        "ip" => match args.first() {
            Some(Value::Cidr(_)) => 1,
            _ => part(size(0), TRAVERSAL),
        },
        "replace" | "split" | "ip.isCanonical" => part(size(0), 2.0 * TRAVERSAL),
        "join" => part(result.map_or(0, Value::size), 2.0 * TRAVERSAL),
        "find" | "findAll" | "matches" => part(1 + size(0), TRAVERSAL).saturating_mul(part(size(1), REGEX)),
        "containsIP" | "containsCIDR" => {
            let own = part(2 * size(0), TRAVERSAL);
            let mask = if function == "containsCIDR" { part(size(0), TRAVERSAL) + 1 } else { 0 };
            let parse = if is_text(args.get(1)) { part(size(1), TRAVERSAL) } else { 0 };
            own + mask + parse
        }
        "validate" => part(1 + size(1), TRAVERSAL).saturating_mul(part(FORMAT_REGEX_CHARS, REGEX)),
        "slice" | "lists.range" | "reverse" => 11 + result.map_or(1, Value::size),
        "flatten" => {
            let levels = match args.get(1) {
                Some(Value::Int(levels)) => u64::try_from(*levels).unwrap_or(0),
                _ => 1,
            };
            size(0).saturating_mul(levels).saturating_add(11)
        }
        "distinct" | "sort" => compared_with_itself(&args[0]),
        "@sortByAssociatedKeys" => args.get(1).map_or(1, compared_with_itself),
        "startsWith" | "endsWith" | "strings.quote" | "format" => part(size(0), TRAVERSAL),
        "bytes" | "string" if is_text(args.first()) => match (function, &args[0]) {
            ("string", Value::String(_)) | ("bytes", Value::Bytes(_)) => 1,
            _ => part(size(0), TRAVERSAL),
        },
        "@in" if matches!(args.get(1), Some(Value::List(_))) => size(1),
        "_==_" if is_opaque(&args[0]) => 1,
        "_==_" | "_!=_" => part(size(0).min(size(1)), TRAVERSAL),
        "_<_" | "_<=_" | "_>_" | "_>=_" if is_text(args.first()) => part(size(0).min(size(1)), TRAVERSAL),
        "_+_" if is_text(args.first()) => part(size(0) + size(1), TRAVERSAL),
        "contains" => part(size(0), TRAVERSAL).saturating_mul(part(size(1), TRAVERSAL)),
        _ => 1,
    }
}

/// What it costs to compare each element of a list with each (`trackListSelfCompare`).
fn compared_with_itself(list: &Value) -> u64 {
    let Value::List(list) = list else { return 1 };
    let is_text = matches!(list.items.first(), Some(Value::String(_) | Value::Bytes(_)));
    let count = list.items.len() as u64;
    let pairs = count.saturating_mul(count);
    11 + 2 * pairs + if is_text { pairs / 10 } else { 0 }
}

/// What it costs to look at a text, or at all elements of a list (`traversalCost`).
fn traversal(value: &Value) -> u64 {
    match value {
        // Rounded down, and in bytes: so it is upstream here, and only here.
        Value::String(text) => text.len() as u64 / 10,
        Value::Bytes(bytes) => bytes.len() as u64 / 10,
        Value::List(list) => list.items.iter().map(traversal).sum(),
        Value::Map(map) => map.iter().map(|(key, value)| traversal(&key.value()) + traversal(value)).sum(),
        _ => 1,
    }
}
