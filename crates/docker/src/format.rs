//! Rows of a list: as a table, or by `--format` (`cli/command/formatter`).

use json::{Map, Value};

use crate::{template, text};

/// One row: fields by their names in templates.
pub(crate) type Row = Vec<(&'static str, String)>;

/// A list as it is printed. `columns`: the fields of the table with their heads.
///
/// # Errors
/// Those of templates.
pub(crate) fn list(rows: &[Row], columns: &[(&str, &str)], format: Option<&str>) -> Result<String, String> {
    let field =
        |row: &Row, name: &str| row.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let whole = |row: &Row| {
        let fields: Map = row.iter().map(|(name, value)| (json::name(name), Value::from(value.as_str()))).collect();
        Value::from(fields)
    };
    match format {
        None | Some("" | "table") => {
            let mut lines = vec![columns.iter().map(|(_, head)| (*head).to_owned()).collect::<Vec<_>>()];
            lines.extend(rows.iter().map(|row| columns.iter().map(|(name, _)| field(row, name)).collect()));
            Ok(text::table(&lines))
        }
        Some("json") => Ok(rows.iter().map(|row| format!("{}\n", whole(row))).collect()),
        Some(format) => {
            let Some(columns_of) = format.strip_prefix("table ") else {
                return rows.iter().map(|row| Ok(format!("{}\n", template::apply(format, &whole(row))?))).collect();
            };
            let heads: Map = columns.iter().map(|(name, head)| (json::name(name), Value::from(*head))).collect();
            let mut lines = vec![template::apply(columns_of, &Value::from(heads))?];
            for row in rows {
                lines.push(template::apply(columns_of, &whole(row))?);
            }
            let cells = lines.iter().map(|line| line.split('\t').map(str::to_owned).collect());
            Ok(text::table(&cells.collect::<Vec<_>>()))
        }
    }
}

/// A JSON document with four spaces a level, as `docker inspect` prints it.
pub(crate) fn pretty(value: &Value) -> String {
    let text = json::to_string_pretty(value).unwrap_or_default();
    let line = |line: &str| {
        let rest = line.trim_start_matches(' ');
        format!("{}{rest}\n", " ".repeat((line.len() - rest.len()) * 2))
    };
    text.lines().map(line).collect()
}
