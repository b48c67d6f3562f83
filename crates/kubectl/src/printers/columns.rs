//! `-o custom-columns`.

use json::Value;

use super::tabwriter::TABLE;
use crate::failure::{Failure, Outcome};
use crate::{goval, jsonpath};

/// Headers and the paths under them.
#[derive(Clone, Debug)]
pub struct Columns {
    columns: Vec<(String, jsonpath::Template)>,
    no_headers: bool,
    headers_done: std::cell::Cell<bool>,
}

impl Columns {
    /// `NAME:.metadata.name,IMAGE:.spec.containers[*].image`.
    pub fn parse(spec: &str, no_headers: bool) -> Outcome<Columns> {
        if spec.is_empty() {
            return Err(Failure::message("custom-columns format specified but no custom columns given"));
        }
        let mut columns = Vec::new();
        for part in spec.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                return Err(Failure::message(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                )));
            };
            columns.push((header.to_owned(), path_of(path)?));
        }
        Ok(Columns { columns, no_headers, headers_done: false.into() })
    }

    /// A file of two lines: headers and paths.
    pub fn parse_file(text: &str) -> Outcome<Columns> {
        let mut lines = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
        let missing = |which: &str| {
            Failure::message(format!(
                "invalid template, missing {which} line. Expected format is one line of space separated headers, one line of space separated column specs."
            ))
        };
        let headers = lines.next().ok_or_else(|| missing("header"))?;
        let paths = lines.next().ok_or_else(|| missing("spec"))?;
        if headers.len() != paths.len() {
            return Err(Failure::message(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            )));
        }
        let mut columns = Vec::new();
        for (header, path) in headers.iter().zip(paths) {
            columns.push(((*header).to_owned(), path_of(path)?));
        }
        Ok(Columns { columns, no_headers: false, headers_done: false.into() })
    }

    /// The table of some objects; the headers come once.
    pub fn print(&self, objects: &[&Value]) -> Outcome<String> {
        let mut text = String::new();
        if !self.no_headers && !self.headers_done.replace(true) {
            let headers: Vec<&str> = self.columns.iter().map(|(h, _)| h.as_str()).collect();
            text.push_str(&(headers.join("\t") + "\n"));
        }
        for object in objects {
            let mut cells = Vec::new();
            for (_, path) in &self.columns {
                let found = path.results(object).map_err(Failure::Message)?;
                let values: Vec<String> = found.iter().flatten().map(goval::plain).collect();
                cells.push(if values.is_empty() { "<none>".to_owned() } else { values.join(",") });
            }
            text.push_str(&(cells.join("\t") + "\n"));
        }
        Ok(TABLE.layout(&text))
    }
}

fn path_of(path: &str) -> Outcome<jsonpath::Template> {
    let full = jsonpath::relaxed(path).map_err(Failure::Message)?;
    jsonpath::Template::parse(&full).map_err(Failure::Message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn prints_columns() {
        let object = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}, {"port": 81}]}});
        let print = |spec: &str| Columns::parse(spec, false).and_then(|c| c.print(&[&object]));
        assert_eq!(
            print("N:.metadata.name,P:.spec.ports[*].port,X:{.nope}").unwrap(),
            "N     P       X\nweb   80,81   <none>\n"
        );
        assert_eq!(
            print("NAME").unwrap_err().bare(),
            "unexpected custom-columns spec: NAME, expected <header>:<json-path-expr>"
        );
    }
}
