//! Words, literals and signs of a statement, each with its place.

use crate::error::{Error, Result};

/// What a piece of a statement is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tok {
    /// A name or a keyword.
    Word(String),
    /// A name in backticks.
    Quoted(String),
    /// A text.
    Text(String),
    /// A number as written.
    Number(String),
    /// A sign.
    Sign(&'static str),
    /// `@name`.
    Var(String),
    /// `@@name`, `@@global.name`.
    System(String),
    /// The end.
    End,
}

/// A piece and where it is, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Longer signs come first.
const SIGNS: &[&str] = &[
    "<=>", "<<", ">>", "<=", ">=", "<>", "!=", "||", "&&", ":=", "->", "(", ")", ",", ";", ".", "+", "-", "*", "/",
    "%", "=", "<", ">", "!", "~", "&", "|", "^", "?", ":", "{", "}",
];

/// Bytes of a statement that an error shows.
const NEAR_CHARS_MAX: usize = 80;

/// MySQL's complaint about a statement from some place on.
pub(crate) fn syntax_error(sql: &str, at: usize) -> Error {
    let near: String = sql[at.min(sql.len())..].chars().take(NEAR_CHARS_MAX).collect();
    let line = sql[..at.min(sql.len())].matches('\n').count() + 1;
    Error::new(
        1064,
        "42000",
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '{near}' at line {line}"
        ),
    )
}

/// Cuts a text into pieces; the last one is the end.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token>> {
    let mut all = Vec::new();
    let mut at = 0;
    loop {
        at = skip(sql, at);
        let Some(token) = next(sql, at)? else {
            all.push(Token { tok: Tok::End, start: sql.len(), end: sql.len() });
            return Ok(all);
        };
        at = token.end;
        all.push(token);
    }
}

/// The place behind blanks and comments. What stands in `/*! ... */` is part of the statement.
fn skip(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let line = |rest: &str| rest.find('\n').map_or(sql.len(), |end| at + end + 1);
        if let Some(c) = rest.chars().next().filter(|c| c.is_whitespace()) {
            at += c.len_utf8();
        } else if rest.starts_with('#') || dashes(rest) {
            at = line(rest);
        } else if let Some(inside) = rest.strip_prefix("/*!") {
            at += 3 + inside.bytes().take_while(u8::is_ascii_digit).count();
        } else if rest.starts_with("*/") {
            at += 2;
        } else if rest.starts_with("/*") {
            at = rest.find("*/").map_or(sql.len(), |end| at + end + 2);
        } else {
            return at;
        }
    }
}

/// Two dashes begin a comment if a blank follows.
fn dashes(rest: &str) -> bool {
    rest.strip_prefix("--").is_some_and(|r| r.is_empty() || r.starts_with(char::is_whitespace))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn name_end(sql: &str, at: usize) -> usize {
    sql[at..].find(|c| !is_name(c)).map_or(sql.len(), |end| at + end)
}

fn next(sql: &str, start: usize) -> Result<Option<Token>> {
    let Some(first) = sql[start..].chars().next() else { return Ok(None) };
    let token = |tok, end| Ok(Some(Token { tok, start, end }));
    match first {
        '\'' | '"' => {
            let (text, end) = quoted(sql, start, first).ok_or_else(|| syntax_error(sql, start))?;
            token(Tok::Text(text), end)
        }
        '`' => {
            let (text, end) = quoted(sql, start, first).ok_or_else(|| syntax_error(sql, start))?;
            token(Tok::Quoted(text), end)
        }
        '@' => variable(sql, start),
        '0'..='9' => number(sql, start),
        '.' if sql[start + 1..].starts_with(|c: char| c.is_ascii_digit()) => number(sql, start),
        c if is_name(c) => {
            let end = name_end(sql, start);
            if matches!(&sql[start..end], "x" | "X" | "b" | "B") && sql[end..].starts_with('\'') {
                return Err(unbuilt_literal());
            }
            token(Tok::Word(sql[start..end].to_owned()), end)
        }
        _ => match SIGNS.iter().find(|sign| sql[start..].starts_with(**sign)) {
            Some(sign) => token(Tok::Sign(sign), start + sign.len()),
            None => Err(syntax_error(sql, start)),
        },
    }
}

/// `0x41`, `x'41'`, `0b1`, `b'1'`.
fn unbuilt_literal() -> Error {
    Error::refused("kubonsai does not support hexadecimal and bit literals (mysql) yet")
}

fn variable(sql: &str, start: usize) -> Result<Option<Token>> {
    let system = sql[start..].starts_with("@@");
    let begin = start + if system { 2 } else { 1 };
    if let Some(quote @ ('\'' | '"' | '`')) = sql[begin..].chars().next() {
        let (text, end) = quoted(sql, begin, quote).ok_or_else(|| syntax_error(sql, start))?;
        return Ok(Some(Token { tok: Tok::Var(text), start, end }));
    }
    let end = sql[begin..].find(|c| !is_name(c) && c != '.').map_or(sql.len(), |end| begin + end);
    let name = sql[begin..end].to_owned();
    let tok = if system { Tok::System(name) } else { Tok::Var(name) };
    Ok(Some(Token { tok, start, end }))
}

fn number(sql: &str, start: usize) -> Result<Option<Token>> {
    let bytes = sql.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(start);
    // A name may begin with a digit: `2fa`.
    if sql[end..].starts_with(|c: char| is_name(c) && !matches!(c, 'e' | 'E')) {
        let end = name_end(sql, start);
        let digits = |prefix: &str, radix: u32| {
            let rest = sql[start..end].strip_prefix(prefix);
            rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
        };
        if digits("0x", 16) || digits("0b", 2) {
            return Err(unbuilt_literal());
        }
        return Ok(Some(Token { tok: Tok::Word(sql[start..end].to_owned()), start, end }));
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    Ok(Some(Token { tok: Tok::Number(sql[start..end].to_owned()), start, end }))
}

/// A quoted text from its first quote on, and the place behind its last.
fn quoted(sql: &str, start: usize, quote: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut chars = sql[start + 1..].char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            if chars.next_if(|(_, next)| *next == quote).is_none() {
                return Some((text, start + 1 + at + 1));
            }
            text.push(quote);
        } else if c == '\\' && quote != '`' {
            let (_, escaped) = chars.next()?;
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '0' => text.push('\0'),
                'b' => text.push('\u{8}'),
                'Z' => text.push('\u{1a}'),
                // These two keep their backslash, for LIKE.
                '%' | '_' => text.extend(['\\', escaped]),
                other => text.push(other),
            }
        } else {
            text.push(c);
        }
    }
    None
}

/// The statements of a text, without the semicolons between them.
pub fn split(sql: &str) -> Vec<&str> {
    let Ok(all) = tokens(sql) else { return vec![sql.trim()] };
    let ends = all.iter().filter(|t| t.tok == Tok::Sign(";")).map(|t| t.start).chain([sql.len()]);
    let mut begin = 0;
    let mut pieces = Vec::new();
    for end in ends {
        let piece = sql[begin.min(end)..end].trim();
        if tokens(piece).is_ok_and(|t| t.len() > 1) {
            pieces.push(piece);
        }
        begin = end + 1;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<Tok> {
        tokens(sql).expect("valid").into_iter().map(|t| t.tok).collect()
    }

    #[test]
    fn pieces_of_a_statement() {
        let word = |w: &str| Tok::Word(w.to_owned());
        assert_eq!(
            kinds("a.`b``c` -- end\n'it''s\\n' 1.5e3 @x @@global.y /* no */ # no"),
            [
                word("a"),
                Tok::Sign("."),
                Tok::Quoted("b`c".into()),
                Tok::Text("it's\n".into()),
                Tok::Number("1.5e3".into()),
                Tok::Var("x".into()),
                Tok::System("global.y".into()),
                Tok::End
            ]
        );
        assert_eq!(kinds("/*!40101 SET */"), [word("SET"), Tok::End]);
        assert!(tokens("select 'open").is_err());
    }

    #[test]
    fn statements_of_a_text() {
        assert_eq!(split("select ';'; select 2 ;\n-- nothing\n;"), ["select ';'", "select 2"]);
    }
}
