//! `-o kyaml`: YAML in braces, in which every text is quoted (`sigs.k8s.io/yaml/kyaml`).

use json::{Map, Value};

/// One document.
pub fn emit(value: &Value) -> String {
    let mut out = "---\n".to_owned();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => out.push_str(&n.to_string()),
        Value::String(s) => text(s, depth, out),
        Value::Array(items) => list(items, depth, out),
        Value::Object(map) => fields(map, depth, out),
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

fn fields(map: &Map, depth: usize, out: &mut String) {
    if map.is_empty() {
        return out.push_str("{}");
    }
    out.push_str("{\n");
    for (key, value) in map {
        indent(depth + 1, out);
        if is_plain(key) {
            out.push_str(key);
        } else {
            quoted(key, out);
        }
        out.push_str(": ");
        write(value, depth + 1, out);
        out.push_str(",\n");
    }
    indent(depth, out);
    out.push('}');
}

/// Structs stand brace to brace; everything else has a line of its own.
fn list(items: &[Value], depth: usize, out: &mut String) {
    if items.is_empty() {
        return out.push_str("[]");
    }
    if items.iter().all(|item| item.is_object() || item.is_array()) {
        out.push('[');
        for (i, item) in items.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            write(item, depth, out);
        }
        return out.push(']');
    }
    out.push_str("[\n");
    for item in items {
        indent(depth + 1, out);
        write(item, depth + 1, out);
        out.push_str(",\n");
    }
    indent(depth, out);
    out.push(']');
}

/// A text of several lines is folded so that each has its own.
fn text(text: &str, depth: usize, out: &mut String) {
    if !text.contains('\n') {
        return quoted(text, out);
    }
    out.push_str("\"\\\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    let ends_with_line = lines.last() == Some(&"");
    if ends_with_line {
        lines.pop();
    }
    for (i, line) in lines.iter().enumerate() {
        indent(depth + 1, out);
        // A space at the beginning would be folded away.
        out.push(if line.starts_with([' ', '\t']) { '\\' } else { ' ' });
        escape(line, out);
        out.push_str(if i + 1 < lines.len() || ends_with_line { "\\n\\\n" } else { "\\\n" });
    }
    indent(depth + 1, out);
    out.push('"');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    escape(text, out);
    out.push('"');
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() && c != '\t' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

/// Whether a key needs no quotes: it cannot be taken for a number, a boolean, a date or a mark of YAML.
fn is_plain(key: &str) -> bool {
    const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil"];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let starts_well = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts_well && key.chars().all(is_word) && !WORDS.contains(&key.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use json::json;

    #[test]
    fn braces_and_quotes() {
        let value = json!({
            "kind": "X", "on": "x", "n": 3, "b": true, "none": null, "empty": {}, "list": [],
            "words": ["a", "b"], "structs": [{"a": 1}, {"b": {"c": "d"}}],
            "data": {"lines": "one\n  two \"q\" \\ b\n\nend\n", "open": "a\nb"},
        });
        expect![[r#"
            ---
            {
              b: true,
              data: {
                lines: "\
                   one\n\
                  \  two \"q\" \\ b\n\
                   \n\
                   end\n\
                  ",
                open: "\
                   a\n\
                   b\
                  ",
              },
              empty: {},
              kind: "X",
              list: [],
              "n": 3,
              none: null,
              "on": "x",
              structs: [{
                a: 1,
              }, {
                b: {
                  c: "d",
                },
              }],
              words: [
                "a",
                "b",
              ],
            }
        "#]]
        .assert_eq(&super::emit(&value));
    }
}
