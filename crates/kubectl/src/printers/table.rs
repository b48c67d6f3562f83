//! Tables that the server made (`meta.k8s.io/v1 Table`), as `kubectl get` prints them.

use json::Value;

use super::tabwriter::TABLE;

/// What is added to or left out of a table.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-o wide`.
    pub wide: bool,
    /// `--no-headers`.
    pub no_headers: bool,
    /// A NAMESPACE column.
    pub with_namespace: bool,
    /// Prefix of names, e.g. `deployment.apps`.
    pub kind: Option<String>,
    /// `--show-labels`.
    pub show_labels: bool,
    /// `-L`.
    pub label_columns: Vec<String>,
}

/// Prints tables of one kind; remembers column widths, so that rows of a watch line up with what came before.
#[derive(Clone, Debug, Default)]
pub struct TablePrinter {
    /// Options.
    pub options: Options,
    widths: Vec<usize>,
    headers_done: bool,
    /// The columns of the last table that named them: in a watch only the first one does.
    columns: Vec<Value>,
}

impl TablePrinter {
    /// A printer.
    pub fn new(options: Options) -> Self {
        TablePrinter { options, widths: Vec::new(), headers_done: false, columns: Vec::new() }
    }

    /// The text of a table, with `event` (`ADDED`...) before each row when given.
    pub fn print(&mut self, table: &Value, event: Option<&str>) -> String {
        let text = self.cells(table, event);
        self.layout(&text)
    }

    /// Lines of cells, laid out.
    pub fn layout(&mut self, cells: &str) -> String {
        TABLE.layout_remembering(cells, &mut self.widths)
    }

    /// The table's lines with tabs between cells; the header comes with the first row.
    pub fn cells(&mut self, table: &Value, event: Option<&str>) -> String {
        let mut text = String::new();
        let named = list(table, "columnDefinitions");
        if !named.is_empty() {
            self.columns = named.to_vec();
        }
        let all = self.columns.clone();
        let columns: Vec<(usize, &Value)> = self.shown(&all);
        if list(table, "rows").is_empty() {
            return text;
        }
        if !self.headers_done && !self.options.no_headers {
            self.headers_done = true;
            text.push_str(&self.header(&columns, event.is_some()));
        }
        for row in list(table, "rows") {
            text.push_str(&self.row(row, &columns, event));
        }
        text
    }

    fn shown<'a>(&self, columns: &'a [Value]) -> Vec<(usize, &'a Value)> {
        let shown = |c: &&'a Value| self.options.wide || c.get("priority").and_then(Value::as_i64).unwrap_or(0) == 0;
        columns.iter().enumerate().filter(|(_, c)| shown(c)).collect()
    }

    fn header(&self, columns: &[(usize, &Value)], event: bool) -> String {
        let mut cells: Vec<String> = Vec::new();
        if event {
            cells.push("EVENT".to_owned());
        }
        if self.options.with_namespace {
            cells.push("NAMESPACE".to_owned());
        }
        let names = columns.iter().map(|(_, c)| c.get("name").and_then(Value::as_str).unwrap_or(""));
        cells.extend(names.map(str::to_uppercase));
        for label in &self.options.label_columns {
            cells.push(label.rsplit('/').next().unwrap_or(label).to_uppercase());
        }
        if self.options.show_labels {
            cells.push("LABELS".to_owned());
        }
        cells.join("\t") + "\n"
    }

    fn row(&self, row: &Value, columns: &[(usize, &Value)], event: Option<&str>) -> String {
        let object = row.get("object").unwrap_or(&Value::Null);
        let values = list(row, "cells");
        let mut cells: Vec<String> = event.map(str::to_owned).into_iter().collect();
        if self.options.with_namespace {
            cells.push(api_text(object, "namespace").to_owned());
        }
        for (i, column) in columns {
            let mut text = cell(values.get(*i).unwrap_or(&Value::Null));
            let is_name = column.get("format").and_then(Value::as_str) == Some("name");
            if let (true, Some(kind)) = (is_name, &self.options.kind) {
                text = format!("{kind}/{text}");
            }
            cells.push(text);
        }
        let labels = object.get("metadata").and_then(|m| m.get("labels")).and_then(Value::as_object);
        for label in &self.options.label_columns {
            let value = labels.and_then(|l| l.get(label)).and_then(Value::as_str);
            cells.push(value.unwrap_or("").to_owned());
        }
        if self.options.show_labels {
            cells.push(format_labels(object.get("metadata").and_then(|m| m.get("labels"))));
        }
        cells.join("\t") + "\n"
    }
}

/// `labels.FormatLabels`: `a=b,c=d` in order of keys, or `<none>`.
pub fn format_labels(labels: Option<&Value>) -> String {
    let map = labels.and_then(Value::as_object);
    let pairs: Vec<String> =
        map.into_iter().flatten().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

/// A cell's text: one line, control characters escaped.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match text.find(['\n', '\r', '\u{c}']) {
            Some(end) => format!("{}...", clean(&text[..end])),
            None => clean(text),
        },
        other => crate::goval::plain(other),
    }
}

/// Escapes what could change the terminal.
pub fn clean(text: &str) -> String {
    if !text.contains(['\u{1b}', '\r']) {
        return text.to_owned();
    }
    text.replace('\u{1b}', "^[").replace('\r', "\\r")
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}

fn api_text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or("")
}

/// Whether an answer is a table.
pub fn is_table(answer: &Value) -> bool {
    answer.get("kind").and_then(Value::as_str) == Some("Table")
}

/// The table that is made here when the server sends whole objects: name and age only.
pub fn fallback(objects: &[Value], now: simulation::Time) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            json::json!({
                "cells": [api_text(object, "name"), crate::age::of(api_text(object, "creationTimestamp"), now)],
                "object": object,
            })
        })
        .collect();
    json::json!({
        "kind": "Table",
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "priority": 0},
            {"name": "Age", "type": "string", "format": "", "priority": 0},
        ],
        "rows": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    fn table() -> Value {
        json!({"kind": "Table", "columnDefinitions": [
            {"name": "Name", "format": "name", "priority": 0}, {"name": "Ready", "priority": 0}, {"name": "IP", "priority": 1}],
            "rows": [{"cells": ["web", "1/1", "10.0.0.1"], "object": {"metadata": {"namespace": "default", "labels": {"app": "web"}}}}]})
    }

    #[test]
    fn columns_come_and_go() {
        let print = |options: Options| TablePrinter::new(options).print(&table(), None);
        assert_eq!(print(Options::default()), "NAME   READY\nweb    1/1\n");
        assert_eq!(print(Options { wide: true, ..Default::default() }), "NAME   READY   IP\nweb    1/1     10.0.0.1\n");
        assert_eq!(print(Options { no_headers: true, ..Default::default() }), "web   1/1\n");
        let options = Options {
            with_namespace: true,
            kind: Some("pod".into()),
            show_labels: true,
            label_columns: vec!["app".into(), "tier".into()],
            ..Default::default()
        };
        assert_eq!(
            print(options),
            "NAMESPACE   NAME      READY   APP   TIER   LABELS\ndefault     pod/web   1/1     web          app=web\n"
        );
    }

    #[test]
    fn a_watch_keeps_its_columns() {
        let mut printer = TablePrinter::new(Options { no_headers: true, ..Default::default() });
        let row = |status: &str, age: &str| {
            json!({"columnDefinitions": [{"name": "Name"}, {"name": "S"}, {"name": "A"}],
            "rows": [{"cells": ["w1-767644575b-krhms", status, age]}]})
        };
        assert_eq!(printer.print(&row("Pending", "0s"), None), "w1-767644575b-krhms   Pending   0s\n");
        assert_eq!(
            printer.print(&row("ContainerCreating", "0s"), None),
            "w1-767644575b-krhms   ContainerCreating   0s\n"
        );
        let mut later = row("Running", "1s");
        later["columnDefinitions"] = Value::Null;
        assert_eq!(printer.print(&later, None), "w1-767644575b-krhms   Running             1s\n");
    }
}
