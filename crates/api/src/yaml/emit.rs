//! Printing JSON as YAML.

use std::cmp::Ordering;

use json::{Number, Value};

use super::scalar::{self, Place};
use crate::order;

/// Longest key that stands on the line of its value, in bytes; longer ones get `? `.
const SIMPLE_KEY_BYTES_MAX: usize = 128;

/// The YAML text of a value, with a newline at its end.
pub fn emit(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => mapping(&mut out, map, 0, true),
        Value::Array(items) if !items.is_empty() => sequence(&mut out, items, 0, true),
        // Lines of a text stand below it also when nothing is around it.
        other => inline(&mut out, other, 2),
    }
    out
}

fn indent(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}

/// The entries of a mapping. `fresh` says whether the first one starts its own line.
fn mapping(out: &mut String, map: &json::Map, column: usize, fresh: bool) {
    let mut entries: Vec<(&json::Text, &Value)> = map.iter().collect();
    // Of some keys the natural order goes round in a circle.
    order::sort_by(&mut entries, |a, b| natural(a.0, b.0));
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i > 0 || fresh {
            indent(out, column);
        }
        if key.len() > SIMPLE_KEY_BYTES_MAX || key.contains('\n') {
            out.push_str("? ");
            scalar::write(out, key, column + 2, Place::Value);
            if !out.ends_with('\n') {
                out.push('\n');
            }
            indent(out, column);
        } else {
            scalar::write(out, key, column + 2, Place::Key);
        }
        out.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                mapping(out, inner, column + 2, true);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, column, true);
            }
            other => {
                out.push(' ');
                inline(out, other, column + 2);
            }
        }
    }
}

fn sequence(out: &mut String, items: &[Value], column: usize, fresh: bool) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 || fresh {
            indent(out, column);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => mapping(out, inner, column + 2, false),
            Value::Array(inner) if !inner.is_empty() => sequence(out, inner, column + 2, false),
            other => inline(out, other, column + 2),
        }
    }
}

/// A scalar or an empty collection, and the end of its line. `column` is where further lines of it start.
fn inline(out: &mut String, value: &Value, column: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&number(n)),
        Value::String(s) => scalar::write(out, s, column, Place::Value),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Numbers as they come out of Go's JSON and then of its YAML: whole ones in digits below 10^21, others with an exponent
/// from 10^6 or 10^-5.
fn number(n: &Number) -> String {
    let Some(float) = n.as_f64().filter(|_| n.is_f64()) else { return n.to_string() };
    let scientific = format!("{float:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let power: i32 = exponent.parse().unwrap_or(0);
    let whole = float.fract() == 0.0;
    if (-4..if whole { 21 } else { 6 }).contains(&power) {
        return format!("{float}");
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

/// The order of keys: natural, digits by value, letters after everything else.
fn natural(a: &str, b: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(i) = left.iter().zip(&right).position(|(x, y)| x != y) else { return left.len().cmp(&right.len()) };
    let (x, y) = (left[i], right[i]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let seen_digits =
        (x == '0' || y == '0') && left[..i].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    let run = |text: &[char]| {
        let digits: Vec<u64> = text[i..].iter().map_while(|c| c.to_digit(10).map(u64::from)).collect();
        let start = u64::from(seen_digits);
        (digits.iter().fold(start, |n, d| n.wrapping_mul(10).wrapping_add(*d)), digits.len())
    };
    run(&left).cmp(&run(&right)).then(x.cmp(&y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_naturally() {
        let mut keys = ["b", "a10", "a9", "aB", "a_b", "A", ".dot", "a-b", "f:x", "k:{\"a\"}", "."];
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(keys, [".", ".dot", "A", "a-b", "a_b", "a9", "a10", "aB", "b", "f:x", "k:{\"a\"}"]);
    }

    #[test]
    fn keys_whose_order_goes_round_in_a_circle_do_no_harm() {
        // Of the same digits and letters, many of which compare by numbers on one side and by characters on the other.
        let signs = ["0", "1", "00", "a", "-", "é", "9", "٣", "_", "A"];
        let all: Vec<String> =
            (0..1_000).map(|n| [n / 100, n / 10 % 10, n % 10].map(|digit| signs[digit]).concat()).collect();
        let map: json::Map = all.iter().map(|key| (key.as_str(), Value::Null)).collect();
        assert_eq!(emit(&Value::Object(map.clone())).lines().count(), map.len());
        let shorter: json::Map = all.iter().step_by(100).map(|key| (key.as_str(), Value::Null)).collect();
        assert_eq!(emit(&Value::Object(shorter)).lines().count(), 10);
    }

    #[test]
    fn texts_alone_can_be_read_again() {
        for text in ["a", "a\nb", "\n\n \"c\":\n", " a\n", "# a\n---\n"] {
            let value = Value::String(text.into());
            assert_eq!(super::super::parse_document(&emit(&value)), Ok(value), "{text:?}");
        }
    }

    #[test]
    fn keys_of_several_lines_keep_their_ends() {
        for (key, text) in [
            ("a\nb", "? |-\n  a\n  b\n: 1\n"),
            ("a\n", "? |\n  a\n: 1\n"),
            ("a\n\n", "? |+\n  a\n\n: 1\n"),
            ("\na\n\n\n", "? |2+\n\n  a\n\n\n: 1\n"),
        ] {
            let value = json::json!({ key: 1 });
            assert_eq!(emit(&value), text);
            assert_eq!(super::super::parse_document(text), Ok(value));
        }
    }

    #[test]
    fn numbers_print_as_in_go() {
        for (value, text) in
            [(1.5, "1.5"), (1e21, "1e+21"), (1e-7, "1e-07"), (0.0001, "0.0001"), (123_456.5, "123456.5")]
        {
            assert_eq!(number(&Number::from_f64(value).unwrap()), text);
        }
        for (value, text) in [(123_456_789.5, "1.234567895e+08"), (8.5e16, "85000000000000000"), (-2.5e-9, "-2.5e-09")]
        {
            assert_eq!(number(&Number::from_f64(value).unwrap()), text);
        }
    }
}
