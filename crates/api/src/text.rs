//! Text as Go writes it: `%q` and JSON with HTML-safe escapes.

use std::fmt::Write;

use json::Value;

/// `%T`: the Go type that a decoded JSON value has.
pub fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// `%q`: double quotes, Go's escapes, printable Unicode left alone.
pub fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                write!(out, "\\x{:02x}", c as u32).expect("writing to a String succeeds");
            }
            c if c.is_control() || c == '\u{feff}' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a String succeeds");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// JSON as Go's `encoding/json` writes it: `<`, `>` and `&` (and the two Unicode line separators) escaped.
pub fn go_json(value: &Value) -> String {
    let plain = value.to_string();
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", c as u32).expect("writing to a String succeeds");
            }
            c => out.push(c),
        }
    }
    out
}

/// `%v`: `map[a:1 b:[x y]]`, `<nil>`.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_value).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", go_value(v))).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Number(number) => go_number(number),
        Value::Bool(value) => value.to_string(),
    }
}

/// A number as `%v` prints it: floats in the shortest form, with an exponent from 1e21 on.
pub fn go_number(n: &json::Number) -> String {
    match (n.is_f64(), n.as_f64()) {
        (true, Some(f)) if f.abs() >= 1e21 || (f != 0.0 && f.abs() < 1e-4) => {
            let text = format!("{f:e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |d| ("-", d));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        (true, Some(f)) => f.to_string(),
        _ => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(go_quote("a\"b\\\n\u{1}\u{e9}"), r#""a\"b\\\n\x01é""#);
        assert_eq!(
            go_value(&json::json!({"spec": {"replicas": "x", "l": [1, null]}})),
            "map[spec:map[l:[1 <nil>] replicas:x]]"
        );
        assert_eq!(go_json(&json::json!({"a": "<b>&"})), r#"{"a":"\u003cb\u003e\u0026"}"#);
    }
}
