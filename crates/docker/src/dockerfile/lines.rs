//! Logical lines: comments gone, continuations joined (`parser.go`).

use super::{Lines, SyntaxError};

/// A line as the parser sees it.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) lines: Lines,
}

/// The character that joins lines: `\`, unless the directive `escape` says otherwise.
fn escape(text: &str) -> Result<char, SyntaxError> {
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim().strip_prefix('#') else { break };
        let Some((name, value)) = comment.split_once('=') else { break };
        if name.trim().eq_ignore_ascii_case("escape") {
            return match value.trim() {
                "\\" => Ok('\\'),
                "`" => Ok('`'),
                other => Err(SyntaxError {
                    message: format!("invalid escape token '{other}' does not match ` or \\"),
                    lines: Some((index + 1, index + 1)),
                }),
            };
        }
    }
    Ok('\\')
}

pub(super) fn split(text: &str) -> Result<Vec<Line>, SyntaxError> {
    let escape = escape(text)?;
    let mut found: Vec<Line> = Vec::new();
    let mut open: Option<Line> = None;
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        if raw.trim_start().starts_with('#') || (open.is_some() && raw.trim().is_empty()) {
            continue; // also within an instruction that goes on
        }
        let trimmed = raw.trim_end_matches([' ', '\t', '\r']);
        let (part, goes_on) = match trimmed.strip_suffix(escape) {
            Some(part) => (part, true),
            None => (raw.trim_end_matches('\r'), false),
        };
        let mut line = open.take().unwrap_or(Line { text: String::new(), lines: (number, number) });
        line.text.push_str(if line.text.is_empty() { part.trim_start() } else { part });
        line.lines.1 = number;
        if goes_on {
            open = Some(line);
        } else if !line.text.trim().is_empty() {
            line.text = line.text.trim_end().to_owned();
            found.push(line);
        }
    }
    found.extend(open.filter(|line| !line.text.trim().is_empty()));
    Ok(found)
}

/// The first word, and what follows it.
pub(super) fn keyword(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once(char::is_whitespace).map_or((text, ""), |(first, rest)| (first, rest.trim_start()))
}
