//! What can be wrong with a text.

/// Why a text is not a command yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// A quote, `$(`, `${` or backtick that opened on this line; the closing character that is missing.
    Quote(char, usize),
    /// A here-document without its last line.
    HereDoc,
    /// The text ended inside a command.
    End,
}

/// A text that is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// More text may make it one.
    Incomplete(Incomplete),
    /// It cannot become one; the token that does not fit, and its line.
    Unexpected(String, usize),
    /// The same with bash's own sentence instead of a token.
    Message(String, usize),
}

impl SyntaxError {
    /// bash's sentences, without `bash: ` and the place. `last_line` is the line after the text.
    pub fn describe(&self, last_line: usize) -> (usize, String) {
        match self {
            SyntaxError::Incomplete(Incomplete::Quote(close, line)) => {
                (*line, format!("unexpected EOF while looking for matching `{close}'"))
            }
            SyntaxError::Incomplete(_) => (last_line, "syntax error: unexpected end of file".into()),
            SyntaxError::Unexpected(token, line) => (*line, format!("syntax error near unexpected token `{token}'")),
            SyntaxError::Message(text, line) => (*line, text.clone()),
        }
    }
}
