//! YAML files of authors, read with file and line for everything that is wrong.

use std::collections::BTreeMap;

use json::Value;
use serde::de::DeserializeOwned;

use crate::{CourseFiles, Problem, Text};

/// What some editors put before the first letter of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text without the mark that some editors put before it.
pub(crate) fn without_mark(source: &str) -> &str {
    source.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source)
}

/// Something that authors write, and what it is made of: so that a complaint names the smallest part that is wrong.
pub(crate) trait Written: DeserializeOwned {
    /// The fields that are [`Written`] themselves, or lists of such.
    const PARTS: &'static [Part] = &[];
}

impl Written for Text {}

/// A field of something [`Written`].
pub(crate) struct Part {
    field: &'static str,
    wrong: fn(&Value) -> Option<Wrong>,
}

/// What is wrong, and where: fields and places in lists, e.g. `checks[0].all[1].hint`.
pub(crate) struct Wrong {
    path: String,
    message: String,
}

impl Part {
    /// A field, or a list.
    pub(crate) const fn of<T: Written>(field: &'static str) -> Part {
        Part { field, wrong: wrong::<T> }
    }

    fn find(&self, value: &Value) -> Option<Wrong> {
        let below = |place: String, wrong: Wrong| {
            let dot = if wrong.path.is_empty() { "" } else { "." };
            Wrong { path: format!("{}{place}{dot}{}", self.field, wrong.path), message: wrong.message }
        };
        match value.get(self.field)? {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| Some(below(format!("[{index}]"), (self.wrong)(item)?))),
            field => Some(below(String::new(), (self.wrong)(field)?)),
        }
    }
}

/// The smallest part of a value that cannot be read.
fn wrong<T: Written>(value: &Value) -> Option<Wrong> {
    let message = T::deserialize(value).err()?.to_string();
    if let Some(inner) = T::PARTS.iter().find_map(|part| part.find(value)) {
        return Some(inner);
    }
    if message.starts_with("missing field") {
        return Some(Wrong { path: String::new(), message });
    }
    // The field to blame is the one without which the complaint is another.
    let fields = value.as_object().into_iter().flatten().map(|(field, _)| field);
    let blamed = fields.into_iter().find(|field| {
        let mut rest = value.clone();
        rest.as_object_mut().map(|rest| rest.remove(*field));
        T::deserialize(&rest).err().is_none_or(|other| other.to_string() != message)
    });
    Some(match blamed {
        Some(field) if message.starts_with("unknown field") => Wrong { path: field.to_string(), message },
        Some(field) => Wrong { path: field.to_string(), message: format!("`{field}`: {message}") },
        None => Wrong { path: String::new(), message },
    })
}

/// Reads a file of a course; that it is missing is a problem.
pub(crate) fn read<T: Written>(files: &CourseFiles, file: &str, problems: &mut Vec<Problem>) -> Option<T> {
    match files.get(file) {
        Some(source) => parse(file, source, 0, problems),
        None => {
            problems.push(Problem { file: file.to_owned(), line: 0, message: "missing".into() });
            None
        }
    }
}

/// Reads YAML that begins `offset` lines into `file`.
pub(crate) fn parse<T: Written>(file: &str, source: &str, offset: usize, problems: &mut Vec<Problem>) -> Option<T> {
    let mut report = |line: usize, message: String| {
        problems.push(Problem { file: file.to_owned(), line, message });
        None
    };
    let source = without_mark(source);
    let value = match api::yaml::parse(source) {
        Err(error) => return report(error.line + offset, format!("yaml: {}", error.problem)),
        Ok(documents) => match documents.into_iter().next() {
            None => return report(0, "is empty".into()),
            Some(value) => value,
        },
    };
    match T::deserialize(&value) {
        Ok(read) => Some(read),
        Err(error) => {
            let whole = || Wrong { path: String::new(), message: error.to_string() };
            let wrong = wrong::<T>(&value).unwrap_or_else(whole);
            report((Lines::of(source).at(&wrong.path) + offset).max(1), wrong.message)
        }
    }
}

/// What is wrong with values of a file, by their paths, with the lines.
pub(crate) fn located(file: &str, source: &str, found: Vec<(String, String)>) -> Vec<Problem> {
    if found.is_empty() {
        return Vec::new();
    }
    let lines = Lines::of(source);
    let problem = |(path, message): (String, String)| Problem { file: file.to_owned(), line: lines.at(&path), message };
    found.into_iter().map(problem).collect()
}

/// The lines on which the values of a YAML text begin, by their paths. What stands within braces or brackets has the line
/// of the value around it.
pub(crate) struct Lines(BTreeMap<String, usize>);

/// A mapping or a list that is being read.
struct Level {
    column: usize,
    /// The path of the mapping or list itself.
    path: String,
    /// The path of its entry that was read last.
    entry: String,
    /// Items so far; none of a mapping.
    items: Option<usize>,
}

impl Lines {
    pub(crate) fn of(source: &str) -> Lines {
        let mut lines = BTreeMap::new();
        let mut levels: Vec<Level> = Vec::new();
        // Lines further to the right belong to a text that began with `|` or `>`.
        let mut text_right_of = usize::MAX;
        for (number, line) in without_mark(source).lines().enumerate() {
            let mut rest = line.trim_start_matches(' ');
            let mut column = line.len() - rest.len();
            if rest.is_empty() || rest.starts_with('#') || column > text_right_of {
                continue;
            }
            text_right_of = usize::MAX;
            while let Some(item) = rest.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with(' ')) {
                lines.entry(enter(&mut levels, column, None)).or_insert(number + 1);
                text_right_of = text(item, column);
                let inner = item.trim_start_matches(' ');
                column += 1 + item.len() - inner.len();
                rest = inner;
            }
            if let Some((key, value)) = key(rest) {
                lines.entry(enter(&mut levels, column, Some(key))).or_insert(number + 1);
                text_right_of = text(value, column);
            }
        }
        Lines(lines)
    }

    /// The line of a value, or of what it is in; 0 for the whole.
    pub(crate) fn at(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            match self.0.get(path) {
                Some(line) => return *line,
                None => path = path.rfind(['.', '[']).map_or("", |end| &path[..end]),
            }
            if path.is_empty() {
                return 0;
            }
        }
    }
}

/// Goes to the next entry of the mapping (with its key) or the list (without) in this column; gives its path.
fn enter(levels: &mut Vec<Level>, column: usize, key: Option<&str>) -> String {
    // A list may stand in the column of the key that it belongs to.
    levels
        .retain(|level| level.column < column || (level.column == column && (level.items.is_none() || key.is_none())));
    let is_new = levels.last().is_none_or(|level| level.column < column || level.items.is_some() == key.is_some());
    if is_new {
        let path = levels.last().map(|level| level.entry.clone()).unwrap_or_default();
        levels.push(Level { column, path, entry: String::new(), items: key.is_none().then_some(0) });
    }
    let level = levels.last_mut().expect("there is one, or it was just pushed");
    level.entry = match (&mut level.items, key) {
        (Some(items), _) => {
            *items += 1;
            format!("{}[{}]", level.path, *items - 1)
        }
        (None, key) => {
            let dot = if level.path.is_empty() { "" } else { "." };
            format!("{}{dot}{}", level.path, key.unwrap_or_default())
        }
    };
    level.entry.clone()
}

/// The key at the beginning of a line, and what is behind it.
fn key(line: &str) -> Option<(&str, &str)> {
    let end = line.match_indices(':').map(|(at, _)| at).find(|at| {
        let behind = &line[at + 1..];
        behind.is_empty() || behind.starts_with(' ')
    })?;
    let key = line[..end].trim_end().trim_matches(['"', '\'']);
    (!key.starts_with(['{', '[', '#', '&', '*', '!'])).then_some((key, line[end + 1..].trim()))
}

/// The column to the right of which a text of several lines stands, if `value` begins one.
fn text(value: &str, column: usize) -> usize {
    if value.trim_start().starts_with(['|', '>']) { column } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_lines() {
        let lines = Lines::of(
            "# head
checks:
  - id: a
    text:
      ja: x
      en: |
        id: no key

        - no item
    all:
    - object: {kind: Pod, name: x}
      hint:
        ja: x
    - any:
        - trace:
            type: call

  - id: 'b: c'
pages:
- one
- two
other: 1
",
        );
        for (path, line) in [
            ("checks", 2),
            ("checks[0]", 3),
            ("checks[0].id", 3),
            ("checks[0].text.en", 6),
            ("checks[0].all[0]", 11),
            ("checks[0].all[0].object.kind", 11),
            ("checks[0].all[0].hint", 12),
            ("checks[0].all[0].hint.ja", 13),
            ("checks[0].all[1].any[0].trace.type", 16),
            ("checks[0].all[2]", 10),
            ("checks[1].id", 18),
            ("pages[1]", 21),
            ("other", 22),
            ("nothing", 0),
        ] {
            assert_eq!(lines.at(path), line, "{path}: {:#?}", lines.0);
        }
        assert!(!lines.0.contains_key("checks[0].text.en.id"));
    }

    fn said(source: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let checks: Option<crate::Checks> = parse("checks.yaml", source, 0, &mut problems);
        assert_eq!(checks.is_none(), !problems.is_empty());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_smallest_part_that_is_wrong_is_named() {
        let clause = "checks:\n  - id: a\n    text: {ja: x, en: x}\n    all:\n";
        for (rest, expected) in [
            ("      - object:\n          kind: Pod\n", ":5: missing field `hint`"),
            ("      - object: {kind: Pod}\n        hint:\n          en: x\n", ":6: missing field `ja`"),
            ("      - hint: {ja: x, en: x}\n        objet:\n          kind: Pod\n", ":6: unknown field `objet`"),
            (
                "      - hint: {ja: x, en: x}\n        any:\n          - hint: {ja: x, en: x}\n            trace:\n              \
                 type: call\n              status: often\n",
                ":10: `status`: invalid type",
            ),
        ] {
            let said = said(&format!("{clause}{rest}"));
            assert!(said.len() == 1 && said[0].starts_with(&format!("checks.yaml{expected}")), "{rest}: {said:?}");
        }
        assert!(said("check: []\n")[0].starts_with("checks.yaml:1: unknown field `check`"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_file() {
        assert_eq!(said("\u{feff}checks: []\n"), Vec::<String>::new());
    }
}
