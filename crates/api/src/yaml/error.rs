//! Complaints about YAML in go-yaml's words.

use granit_parser::ScanError;

use super::scan::Fault;

/// Why text is not YAML. Displays as kubectl shows it after the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error converting YAML to JSON: yaml: {}{problem}", place(*go_line))]
pub struct YamlError {
    /// What is wrong, e.g. `did not find expected key`.
    pub problem: String,
    /// The line that go-yaml names, counted within the document; 0 if it names none.
    pub go_line: usize,
    /// The line in the whole text, from 1: for an editor.
    pub line: usize,
    /// The column in that line, from 1.
    pub column: usize,
}

fn place(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

impl YamlError {
    /// An error that go-yaml reports without a line.
    pub(super) fn plain(problem: impl Into<String>) -> YamlError {
        YamlError { problem: problem.into(), go_line: 0, line: 1, column: 1 }
    }

    /// What go-yaml says. `first_line` is the line of the document's start in the whole text, from 0; `noticed` is what our
    /// own reader says of the same text: its place is where the mistake is made, go-yaml's often where it can no longer be
    /// overlooked.
    pub(super) fn from_fault(fault: Fault, first_line: usize, noticed: Option<&YamlError>) -> YamlError {
        // go-yaml counts from 0 and adds one only to what its scanner says; the line 0 it takes for none.
        let go_line = if fault.at.line > 0 && fault.scanner { fault.at.line + 1 } else { fault.at.line };
        let (line, column) =
            noticed.map_or((first_line + fault.at.line + 1, fault.at.column + 1), |error| (error.line, error.column));
        YamlError { problem: fault.problem, go_line, line, column }
    }

    /// What our own reader says where go-yaml would say nothing, or nothing that we know.
    pub(super) fn from_scan(error: &ScanError, first_line: usize) -> YamlError {
        let line = error.marker().line().max(1);
        let text = error.to_string();
        let problem = text.rsplit_once(" at char ").map_or(text.as_str(), |(problem, _)| problem).to_owned();
        YamlError { problem, go_line: line, line: first_line + line, column: error.marker().col() + 1 }
    }
}
