//! YAML files of authors, read with file and line for everything that is wrong.

use crate::{CourseFiles, Problem};

/// Reads a file of a course; that it is missing is a problem.
pub(crate) fn read<T: serde::de::DeserializeOwned>(
    files: &CourseFiles,
    file: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    match files.get(file) {
        Some(source) => parse(file, source, 0, problems),
        None => {
            problems.push(Problem { file: file.to_owned(), line: 0, message: "missing".into() });
            None
        }
    }
}

/// Reads YAML that begins `offset` lines into `file`.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    file: &str,
    source: &str,
    offset: usize,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut report = |line: usize, message: String| {
        problems.push(Problem { file: file.to_owned(), line: if line == 0 { 0 } else { line + offset }, message });
        None
    };
    match api::yaml::parse(source) {
        Err(error) => {
            let message = error.to_string();
            // go-yaml words carry the line: "yaml: line 3: ..."
            let line = message.split_once("line ").and_then(|(_, rest)| {
                rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
            });
            report(line.unwrap_or(0), message)
        }
        Ok(documents) => match documents.into_iter().next() {
            None => report(0, "is empty".into()),
            Some(value) => match serde_json::from_value(value) {
                Ok(value) => Some(value),
                Err(error) => report(0, error.to_string()),
            },
        },
    }
}
