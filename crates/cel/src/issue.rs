//! What is wrong with an expression, with the place and the line it is in (cel-go/common/error.go, errors.go).

use std::fmt;

/// Lines longer than this are not repeated.
const SNIPPET_CHARS_MAX: usize = 16_384;

/// One complaint about the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Where: characters from the start of the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// Everything that is wrong with the text of an expression; printed as cel-go prints it, first things first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issues {
    source: String,
    issues: Vec<Issue>,
}

impl Issues {
    pub(crate) fn new(source: &str, mut issues: Vec<Issue>) -> Issues {
        issues.sort_by_key(|issue| issue.at);
        Issues { source: source.to_owned(), issues }
    }

    /// The complaints, by place.
    #[must_use]
    pub fn list(&self) -> &[Issue] {
        &self.issues
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, issue) in self.issues.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}{}", located(&self.source, issue))?;
        }
        Ok(())
    }
}

fn located(source: &str, issue: &Issue) -> String {
    let before: Vec<char> = source.chars().take(issue.at).collect();
    let line = before.iter().filter(|c| **c == '\n').count();
    let column = before.iter().rev().take_while(|c| **c != '\n').count();
    let head = format!("ERROR: <input>:{}:{}: {}", line + 1, column + 1, issue.message);
    let Some(snippet) = source.split('\n').nth(line).filter(|s| s.len() <= SNIPPET_CHARS_MAX) else { return head };
    let snippet = snippet.replace('\t', " ");
    // A wide character gets a wide dot, so that the mark stands below what it means.
    let is_wide = |c: Option<char>| c.is_some_and(|c| c.len_utf8() > 1);
    let mut marks: String =
        snippet.chars().take(column).map(|c| if is_wide(Some(c)) { '\u{ff0e}' } else { '.' }).collect();
    marks.push(if is_wide(snippet.chars().nth(column)) { '\u{ff3e}' } else { '^' });
    format!("{head}\n | {snippet}\n | {marks}")
}
