//! kubectl's JSONPath: a template language of its own, not RFC 9535 (`client-go/util/jsonpath`).

use api::jsonpath::{Node, evaluate, parse};
use json::Value;

use crate::goval;

/// A parsed template: text and actions in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The nodes; each action is a list.
    nodes: Vec<Node>,
    /// Whether a field that is not there is no error.
    pub allow_missing: bool,
}

impl Template {
    /// Parses a template such as `{range .items[*]}{.metadata.name}{"\n"}{end}`.
    ///
    /// # Errors
    /// kubectl's sentence, e.g. `unterminated array`.
    pub fn parse(text: &str) -> Result<Template, String> {
        Ok(Template { nodes: parse(text)?, allow_missing: true })
    }

    /// What every piece of text or action gives.
    pub fn results(&self, data: &Value) -> Result<Vec<Vec<Value>>, String> {
        evaluate(&self.nodes, data, self.allow_missing)
    }

    /// The printed text.
    pub fn execute(&self, data: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.results(data)? {
            let texts: Vec<String> = results.iter().map(text_of).collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }

    /// The printed text of `-o jsonpath-as-json`: an array for every action.
    pub fn execute_as_json(&self, data: &Value) -> Result<String, String> {
        let mut out = String::new();
        for results in self.results(data)? {
            out.push_str(&goval::json_indent(&Value::Array(results.into()), "    "));
            out.push('\n');
        }
        Ok(out)
    }
}

/// One result as text: objects and arrays as JSON.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) | Value::Object(_) => goval::json(value),
        other => goval::plain(other),
    }
}

/// Accepts what people write for one field: `.a`, `a`, `{.a}`, `{a}` (`get.RelaxedJSONPathExpression`).
///
/// # Errors
/// kubectl's sentence for anything else.
pub fn relaxed(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let inner = match (text.strip_prefix('{'), text.ends_with('}')) {
        (Some(inner), true) => &inner[..inner.len() - 1],
        (None, false) => text,
        _ => text,
    };
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    if inner.is_empty() || inner.starts_with('{') || inner.ends_with('}') || inner.starts_with('}') {
        return Err(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
                .to_owned(),
        );
    }
    Ok(format!("{{.{inner}}}"))
}

#[cfg(test)]
mod tests;
