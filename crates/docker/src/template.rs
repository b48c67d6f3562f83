//! `--format`: Go templates (`github.com/docker/cli/templates`) over what a command tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{MissingKey, Value as Go};
use json::Value;

/// Steps of all `range` actions of a template together: no list here is that long.
const RANGE_STEPS_MAX: u64 = 100_000;

/// The text that a template makes of a value.
///
/// # Errors
/// `template parsing error: ...` and what went wrong while it was applied.
pub(crate) fn apply(template: &str, data: &Value) -> Result<String, String> {
    let text = template.replace("\\t", "\t").replace("\\n", "\n");
    let built = gotmpl::Template::new("")
        .missing_key(MissingKey::Error)
        .max_range_iters(RANGE_STEPS_MAX)
        .func("json", |args| Ok(Go::String(args.first().map(compact).unwrap_or_default().into())))
        .func("upper", |args| Ok(Go::String(first(args).to_uppercase().into())))
        .func("lower", |args| Ok(Go::String(first(args).to_lowercase().into())))
        .func("join", |args| Ok(Go::String(join(args).into())))
        .parse(&text)
        .map_err(|why| format!("template parsing error: {why}"))?;
    built.execute_to_string(&to_go(data)).map_err(|why| format!("template: :1: executing \"\" {why}"))
}

fn first(args: &[Go]) -> String {
    args.first().map(ToString::to_string).unwrap_or_default()
}

fn join(args: &[Go]) -> String {
    let separator = args.get(1).map(ToString::to_string).unwrap_or_default();
    match args.first() {
        Some(Go::List(items)) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(&separator),
        _ => String::new(),
    }
}

fn compact(value: &Go) -> String {
    from_go(value).to_string()
}

fn from_go(value: &Go) -> Value {
    match value {
        Go::Bool(b) => Value::from(*b),
        Go::Int(i) => Value::from(*i),
        Go::String(s) => Value::from(&**s),
        Go::List(items) => Value::from(items.iter().map(from_go).collect::<Vec<Value>>()),
        Go::Map(map) => {
            let fields: json::Map = map.iter().map(|(k, v)| (json::name(k), from_go(v))).collect();
            Value::from(fields)
        }
        Go::Nil => Value::Null,
        other => Value::from(other.to_string()),
    }
}

fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(b) => Go::Bool(*b),
        Value::Number(n) => n.as_i64().map_or_else(|| Go::Float(n.as_f64().unwrap_or(0.0)), Go::Int),
        Value::String(s) => Go::String(s.as_str().into()),
        Value::Array(items) => Go::List(items.iter().map(to_go).collect()),
        Value::Object(map) => {
            let entries: BTreeMap<Arc<str>, Go> = map.iter().map(|(k, v)| (k.as_str().into(), to_go(v))).collect();
            Go::Map(Arc::new(entries))
        }
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn fields_lists_and_json() {
        let data = json!({ "ID": "abc", "Names": ["a", "b"], "Net": { "IP": "1.2.3.4" } });
        let all = [
            ("{{.ID}}: {{.Net.IP}}", "abc: 1.2.3.4"),
            ("{{range .Names}}{{.}};{{end}}", "a;b;"),
            ("{{json .Net}}", "{\"IP\":\"1.2.3.4\"}"),
            ("{{join .Names \",\"}}", "a,b"),
        ];
        for (template, expected) in all {
            assert_eq!(apply(template, &data).as_deref(), Ok(expected));
        }
        assert!(apply("{{.ID", &data).unwrap_err().starts_with("template parsing error"));
    }
}
