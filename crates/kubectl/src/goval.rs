//! JSON values in Go's words: `%v`, `%#v`, and `json.Marshal` with its escapes.

use api::structs::Shape;
use json::Value;

use crate::flags::parse::go_quote;

/// `fmt.Sprintf("%v", value)`.
pub use api::text::go_value as plain;

/// `fmt.Sprintf("%#v", value)`.
pub fn sharp(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(s) => go_quote(s),
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(sharp).collect();
            format!("[]interface {{}}{{{}}}", parts.join(", "))
        }
        Value::Object(map) => {
            let parts: Vec<String> = map.iter().map(|(k, v)| format!("{}:{}", go_quote(k), sharp(v))).collect();
            format!("map[string]interface {{}}{{{}}}", parts.join(", "))
        }
        other => plain(other),
    }
}

/// `json.Marshal`: no spaces, `<`, `>` and `&` escaped.
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write_json((value, Shape::Sorted), None, 0, &mut out);
    out
}

/// `json.MarshalIndent` with the given indent.
pub fn json_indent(value: &Value, indent: &str) -> String {
    let mut out = String::new();
    write_json((value, Shape::Sorted), Some(indent), 0, &mut out);
    out
}

/// `json.MarshalIndent` of one of Kubernetes' own types: its fields come in the order of their declaration.
pub fn typed_json_indent(value: &Value, indent: &str) -> String {
    let mut out = String::new();
    write_json((value, Shape::of(value)), Some(indent), 0, &mut out);
    out
}

fn newline(indent: Option<&str>, depth: usize, out: &mut String) {
    if let Some(indent) = indent {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(indent));
    }
}

fn write_json((value, shape): (&Value, Shape), indent: Option<&str>, depth: usize, out: &mut String) {
    match value {
        Value::String(s) => write_text(s, out),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(map) if map.is_empty() => out.push_str("{}"),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                newline(indent, depth + 1, out);
                write_json((item, shape.element()), indent, depth + 1, out);
            }
            newline(indent, depth, out);
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item, shape)) in shape.fields(map).into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                newline(indent, depth + 1, out);
                write_text(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write_json((item, shape), indent, depth + 1, out);
            }
            newline(indent, depth, out);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn in_go_words() {
        let value = json!({"a": "b<c", "n": [1, 2.5, null, true]});
        assert_eq!(plain(&value), "map[a:b<c n:[1 2.5 <nil> true]]");
        assert_eq!(
            sharp(&value),
            r#"map[string]interface {}{"a":"b<c", "n":[]interface {}{1, 2.5, interface {}(nil), true}}"#
        );
        assert_eq!(super::json(&value), r#"{"a":"b\u003cc","n":[1,2.5,null,true]}"#);
        assert_eq!(json_indent(&json!({"a": {}}), "    "), "{\n    \"a\": {}\n}");
    }
}
