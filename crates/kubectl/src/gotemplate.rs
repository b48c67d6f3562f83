//! `-o go-template`: gotmpl with kubectl's words around it (`cli-runtime/pkg/printers/template.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{MissingKey, TemplateError, Value as Go};
use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::parse::go_quote;
use crate::goval;

/// Steps of all `range` actions of a template together. `range 4000000000` would stop the page for minutes, where Go goes
/// on for as long; no list of a cluster is that long.
const RANGE_STEPS_MAX: u64 = 1_000_000;

/// A template that parses.
#[derive(Clone, Debug)]
pub struct GoTemplate {
    text: String,
    allow_missing: bool,
}

impl GoTemplate {
    /// Checks a template.
    ///
    /// # Errors
    /// `error parsing template ..., template: output:1: unclosed action`.
    pub fn parse(text: &str, allow_missing: bool) -> Outcome<GoTemplate> {
        let template = GoTemplate { text: text.to_owned(), allow_missing };
        match template.build() {
            Ok(_) => Ok(template),
            Err(why) => Err(Failure::message(format!("error parsing template {text}, template: {}", located(&why)))),
        }
    }

    fn build(&self) -> Result<gotmpl::Template, TemplateError> {
        let missing = if self.allow_missing { MissingKey::Invalid } else { MissingKey::Error };
        gotmpl::Template::new("output")
            .missing_key(missing)
            .max_range_iters(RANGE_STEPS_MAX)
            .func("base64decode", |args| Ok(Go::String(base64_decode(args).into())))
            .func("exists", |args| Ok(Go::Bool(exists(args))))
            .parse(&self.text)
    }

    /// The text for one object.
    ///
    /// # Errors
    /// What goes to standard output before the failure, and the failure.
    pub fn execute(&self, data: &Value) -> Result<String, (String, Failure)> {
        let template = self.build().map_err(|why| (String::new(), Failure::message(why.to_string())))?;
        template.execute_to_string(&to_go(data)).map_err(|why| {
            if matches!(why, TemplateError::UndefinedFunction(_) | TemplateError::UndefinedVariable(_)) {
                let failure = format!("error parsing template {}, template: {}", self.text, located(&why));
                return (String::new(), Failure::Message(failure));
            }
            let why = format!("template: output:1: executing \"output\": {why}");
            let report = format!(
                "Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
                self.text,
                goval::json(data),
                goval::plain(data)
            );
            let failure = format!("error executing template {}: {why}", go_quote(&self.text));
            (report, Failure::Message(failure))
        })
    }
}

/// A parse error as Go words it: name, line and reason, no column.
fn located(why: &TemplateError) -> String {
    match why {
        TemplateError::Parse { line, message, .. } | TemplateError::Lex { line, message, .. } => {
            format!("output:{line}: {message}")
        }
        TemplateError::UndefinedFunction(name) => format!("output:1: function \"{name}\" not defined"),
        TemplateError::UndefinedVariable(name) => format!("output:1: undefined variable \"{name}\""),
        other => format!("output:1: {other}"),
    }
}

fn base64_decode(args: &[Go]) -> String {
    use base64::Engine;
    let text = args.first().map(ToString::to_string).unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn exists(args: &[Go]) -> bool {
    let Some((first, keys)) = args.split_first() else { return false };
    let mut current = Some(first.clone());
    for key in keys {
        current = current.and_then(|v| v.field(&key.to_string()).cloned());
    }
    current.is_some()
}

fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(b) => Go::Bool(*b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => Go::Int(i),
            None => Go::Float(n.as_f64().unwrap_or(0.0)),
        },
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
    use super::*;
    use json::json;

    #[track_caller]
    fn check(template: &str, expected: &str) {
        let data = json!({"kind": "ConfigMap", "data": {"a": "b<c"}, "items": [{"p": 80}, {"p": 81}]});
        let got = match GoTemplate::parse(template, true) {
            Ok(t) => t.execute(&data).unwrap_or_else(|(_, f)| f.bare()),
            Err(f) => f.bare(),
        };
        assert_eq!(got, expected, "{template}");
    }

    #[test]
    fn as_kubectl() {
        check("{{.data}}", "map[a:b<c]");
        check("{{.nope}}", "<no value>");
        check("{{range .items}}{{.p}}{{\"\\n\"}}{{end}}", "80\n81\n");
        check("{{(index .items 0).p}}", "80");
        check("{{base64decode \"YQ==\"}}{{exists . \"data\" \"a\"}}", "atrue");
        check("{{.data", "error parsing template {{.data, template: output:1: unclosed action");
        check("{{foo}}", "error parsing template {{foo}}, template: output:1: function \"foo\" not defined");
    }
}
