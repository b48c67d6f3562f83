//! Complaints about YAML in go-yaml's words.

use granit_parser::{ErrorKind, ScanError};

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

    /// `first_line` is the line of the document's start in the whole text, from 0; `lines` its number of lines.
    pub(super) fn from_scan(error: &ScanError, first_line: usize, lines: usize) -> YamlError {
        let (problem, scanner) = words(error);
        // Both count from the document's start; the scanner names the line itself, the parser the one before it.
        let line = error.marker().line().max(1);
        let unclosed = problem.starts_with("did not find expected ','");
        YamlError {
            problem,
            go_line: match (scanner, unclosed) {
                (true, _) => line,
                // Noticed at the end of the text.
                (false, true) => lines,
                (false, false) => line - 1,
            },
            line: first_line + line,
            column: error.marker().col() + 1,
        }
    }
}

/// go-yaml's words for what the parser found, and whether its scanner (rather than its parser) says them.
fn words(error: &ScanError) -> (String, bool) {
    use ErrorKind as K;
    let (text, scanner) = match error.kind() {
        K::ExpectedBlockMappingKey | K::InvalidIndentation | K::UnexpectedEofBlockMapping => {
            ("did not find expected key", false)
        }
        K::ExpectedBlockSequenceEntry | K::UnexpectedEofBlockSequence => ("did not find expected '-' indicator", false),
        K::ExpectedNodeContent => ("did not find expected node content", false),
        K::ExpectedFlowSequenceSeparator | K::UnexpectedEofFlowSequence => ("did not find expected ',' or ']'", false),
        K::ExpectedFlowMappingSeparator | K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping => {
            ("did not find expected ',' or '}'", false)
        }
        K::ExpectedDocumentStart => ("did not find expected <document start>", false),
        K::UnknownAnchor => ("unknown anchor referenced", false),
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInPlainScalar | K::UnexpectedCharacter { .. } => {
            ("found character that cannot start any token", true)
        }
        K::MappingValueNotAllowed | K::InvalidColonPlacement => {
            ("mapping values are not allowed in this context", true)
        }
        K::MappingKeyNotAllowed => ("mapping keys are not allowed in this context", true),
        K::SimpleKeyExpected | K::InvalidSimpleKey => ("could not find expected ':'", true),
        K::UnknownQuotedScalarEscape => ("found unknown escape character", true),
        _ => return other(&error.to_string()),
    };
    (text.to_owned(), scanner)
}

/// The rarer complaints: the parser's own words are libyaml's with the context in front.
fn other(text: &str) -> (String, bool) {
    if text.contains("tab") {
        return ("found character that cannot start any token".to_owned(), true);
    }
    if text.contains("unclosed bracket") {
        let close = if text.contains('{') { '}' } else { ']' };
        return (format!("did not find expected ',' or '{close}'"), false);
    }
    if text.contains("end of") && text.contains("quote") {
        return ("found unexpected end of stream".to_owned(), true);
    }
    let bare = text.strip_prefix("while ").and_then(|t| t.split_once(", ")).map_or(text, |(_, problem)| problem);
    (bare.to_owned(), true)
}
