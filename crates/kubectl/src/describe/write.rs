//! The levelled text that describers write, laid out at the end (`describe.PrefixWriter`, `tabbedString`).

use std::collections::BTreeMap;

use json::Value;

use crate::printers::tabwriter::DESCRIBE;

/// Text under construction. Cells end in tabs.
#[derive(Default)]
pub struct Text(String);

/// Ends the columns above it.
const FLUSH: char = '\u{c}';

/// The annotation that describers leave out.
const HIDDEN_ANNOTATION: &str = crate::last_applied::KEY;
/// Longest annotation on one line.
const ANNOTATION_MAX: usize = 140;

impl Text {
    /// Nothing yet.
    pub fn new() -> Text {
        Text::default()
    }

    /// A line at a level.
    pub fn line(&mut self, level: usize, text: impl AsRef<str>) {
        (0..level).for_each(|_| self.0.push_str("  "));
        self.0.push_str(text.as_ref());
        self.0.push('\n');
    }

    /// `title:<tab>value` at a level.
    pub fn field(&mut self, level: usize, title: &str, value: impl AsRef<str>) {
        self.line(level, format!("{title}:\t{}", value.as_ref()));
    }

    /// Text as it is.
    pub fn raw(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// Ends the columns: what follows is laid out by itself.
    pub fn flush(&mut self) {
        self.0.push(FLUSH);
    }

    /// `a=b` pairs below each other, or `<none>`.
    pub fn labels(&mut self, title: &str, labels: &Value) {
        let pairs: Vec<String> = labels
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
            .collect();
        self.column(title, &pairs);
    }

    /// Values below each other under one title, or `<none>`.
    pub fn column(&mut self, title: &str, values: &[String]) {
        let Some((first, rest)) = values.split_first() else { return self.field(0, title, "<none>") };
        self.field(0, title, first);
        rest.iter().for_each(|value| self.line(0, format!("\t{value}")));
    }

    /// Annotations below each other, long ones on lines of their own.
    pub fn annotations(&mut self, title: &str, annotations: &Value) {
        let mut map: BTreeMap<String, String> =
            api::Object::new(json::json!({"metadata": {"annotations": annotations}})).annotations();
        map.remove(HIDDEN_ANNOTATION);
        if map.is_empty() {
            return self.field(0, title, "<none>");
        }
        self.raw(&format!("{title}:\t"));
        for (i, (key, value)) in map.iter().enumerate() {
            if i > 0 {
                self.raw("\t");
            }
            let value = value.strip_suffix('\n').unwrap_or(value);
            if value.len() + key.len() + 2 <= ANNOTATION_MAX && !value.contains('\n') {
                self.line(0, format!("{key}: {value}"));
                continue;
            }
            self.line(0, format!("{key}:"));
            for part in value.split('\n') {
                self.line(0, format!("\t  {}", shorten(part, ANNOTATION_MAX - 2)));
            }
        }
    }

    /// The text with its tabs.
    pub fn with_tabs(self) -> String {
        self.0
    }

    /// The laid-out text.
    pub fn finish(self) -> String {
        self.0.split(FLUSH).map(|part| DESCRIBE.layout(part)).collect()
    }
}

fn shorten(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = (0..=max).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}...", &text[..end])
}

/// The value, or `<none>`.
pub fn or_none(text: &str) -> &str {
    if text.is_empty() { "<none>" } else { text }
}

/// Text of a JSON field, empty if absent.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or("")
}

/// Elements of a JSON field, empty if absent.
pub fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}

/// A JSON scalar as text: numbers and texts alike.
pub fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => crate::goval::plain(other),
    }
}

/// Texts of a JSON field joined by commas.
pub fn joined(value: &Value, field: &str) -> String {
    list(value, field).iter().map(scalar).collect::<Vec<_>>().join(",")
}
