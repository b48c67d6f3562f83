//! Any other type: its fields as they are.

use api::Object;
use json::Value;

use super::write::{Text, scalar};
use super::{Context, events};
use crate::failure::Outcome;

/// Fields that have been said, or that nobody wants to read.
const SKIPPED: &[&str] =
    &[".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations"];

/// Words that stay in capitals.
const ACRONYMS: &[&str] = &["API", "URL", "UID", "GUID"];

/// Describes any object.
pub async fn describe(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    fields(&mut out, 0, object.value(), "");
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// Deepest level that is shown.
const LEVEL_MAX: usize = 64;

fn fields(out: &mut Text, level: usize, value: &Value, path: &str) {
    if level > LEVEL_MAX {
        return;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        match value {
            Value::Object(_) => {
                out.line(level, format!("{}:", label(name)));
                fields(out, level + 1, value, &path);
            }
            Value::Array(items) => {
                out.line(level, format!("{}:", label(name)));
                for item in items {
                    match item {
                        Value::Object(_) => fields(out, level + 1, item, &path),
                        other => out.line(level + 1, scalar(other)),
                    }
                }
            }
            Value::Null => out.field(level, &label(name), "<nil>"),
            other => out.field(level, &label(name), scalar(other)),
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`.
fn label(field: &str) -> String {
    if field.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return field.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    for c in field.chars() {
        let starts = c.is_uppercase() && words.last().is_some_and(|w| !w.ends_with(char::is_uppercase));
        match words.last_mut() {
            Some(word) if !starts => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let cap = |word: String| {
        let upper = word.to_uppercase();
        if ACRONYMS.contains(&upper.as_str()) {
            return upper;
        }
        let mut chars = word.chars();
        chars.next().map(|c| c.to_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    words.into_iter().map(cap).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        assert_eq!(label("creationTimestamp"), "Creation Timestamp");
        assert_eq!(label("apiVersion"), "API Version");
        assert_eq!(label("uid"), "UID");
        assert_eq!(label("a.b"), "a.b");
    }
}
