//! Text to nodes.

use json::Value;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `{...}`: nodes applied one after the other.
    List(Vec<Node>),
    /// Text, or a quoted text within an action.
    Text(String),
    /// `.name`.
    Field(String),
    /// `[start:end:step]`.
    Array(Slice),
    /// `[?(left op right)]`; without an operator, whether left exists.
    Filter(Vec<Node>, String, Vec<Node>),
    /// A number or boolean.
    Literal(Value),
    /// `.*`.
    Wildcard,
    /// `..`.
    Recursive,
    /// `[a,b]`.
    Union(Vec<Vec<Node>>),
    /// `range`, `end`, or a word that means nothing.
    Identifier(String),
}

/// The numbers of `[start:end:step]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// First index.
    pub start: Option<i64>,
    /// Index after the last.
    pub end: Option<i64>,
    /// Whether the end was not written: a single index.
    pub single: bool,
    /// Distance.
    pub step: Option<i64>,
}

/// Deepest nesting of unions and filters.
const DEPTH_MAX: usize = 32;

/// Parses a template.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    if depth > DEPTH_MAX {
        return Err("expression is nested too deeply".to_owned());
    }
    let mut nodes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            nodes.push(Node::Text(rest.to_owned()));
            break;
        };
        if open > 0 {
            nodes.push(Node::Text(rest[..open].to_owned()));
        }
        let mut action = Action { rest: &rest[open + 1..], nodes: Vec::new(), depth };
        action.parse()?;
        nodes.push(Node::List(action.nodes));
        rest = action.rest;
    }
    Ok(nodes)
}

/// The nodes of an expression that stands alone, as if between braces.
fn expression(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    match parse_at(&format!("{{{text}}}"), depth + 1)?.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

struct Action<'a> {
    rest: &'a str,
    nodes: Vec<Node>,
    depth: usize,
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl<'a> Action<'a> {
    /// Parses up to and including the closing brace.
    fn parse(&mut self) -> Result<(), String> {
        loop {
            if let Some(rest) = self.rest.strip_prefix('}') {
                self.rest = rest;
                return Ok(());
            }
            if self.rest.starts_with("[?(") {
                self.filter()?;
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix("..") {
                if matches!(self.nodes.last(), Some(Node::Recursive)) {
                    return Err("invalid multiple recursive descent".to_owned());
                }
                self.rest = rest;
                self.nodes.push(Node::Recursive);
                if rest.chars().next().is_some_and(is_word) {
                    self.field();
                }
                continue;
            }
            let Some(c) = self.rest.chars().next().filter(|c| !matches!(c, '\n' | '\r')) else {
                return Err("unclosed action".to_owned());
            };
            match c {
                ' ' | '@' | '$' => self.rest = &self.rest[1..],
                '[' => self.array()?,
                '"' | '\'' => self.quote(c)?,
                '.' => {
                    self.rest = &self.rest[1..];
                    self.field();
                }
                '+' | '-' | '0'..='9' => self.number()?,
                c if is_word(c) => self.identifier(),
                c => return Err(format!("unrecognized character in action: U+{:04X} '{c}'", c as u32)),
            }
        }
    }

    /// Takes text up to `end` bytes.
    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn field(&mut self) {
        let mut end = 0;
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                chars.next();
                end = chars.clone().next().map_or(self.rest.len(), |(i, _)| i);
                continue;
            }
            if is_terminator(c) {
                break;
            }
            end = at + c.len_utf8();
        }
        let name = self.take(end);
        self.nodes.push(match name {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        });
    }

    fn identifier(&mut self) {
        let end = self.rest.find(is_terminator).unwrap_or(self.rest.len());
        let word = self.take(end);
        self.nodes.push(match word {
            "true" => Node::Literal(true.into()),
            "false" => Node::Literal(false.into()),
            word => Node::Identifier(word.to_owned()),
        });
    }

    fn number(&mut self) -> Result<(), String> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest[sign..].find(|c: char| c != '.' && !c.is_ascii_digit());
        let text = self.take(digits.map_or(self.rest.len(), |d| d + sign));
        let value = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(integer), _) => Value::from(integer),
            (_, Ok(float)) => Value::from(float),
            _ => return Err(format!("cannot parse number {text}")),
        };
        self.nodes.push(Node::Literal(value));
        Ok(())
    }

    fn quote(&mut self, quote: char) -> Result<(), String> {
        let mut end = None;
        let bytes = self.rest.as_bytes();
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == quote && bytes[at - 1] != b'\\' {
                end = Some(at + 1);
                break;
            }
        }
        let Some(end) = end else { return Err("unterminated quoted string".to_owned()) };
        let text = self.take(end);
        let inner = &text[1..text.len() - 1];
        let unquoted = unquote(inner, quote).ok_or_else(|| format!("unquote string {text} error invalid syntax"))?;
        self.nodes.push(Node::Text(unquoted));
        Ok(())
    }

    fn array(&mut self) -> Result<(), String> {
        let end = self.rest.find([']', '\n']).filter(|e| self.rest[*e..].starts_with(']'));
        let Some(end) = end else { return Err("unterminated array".to_owned()) };
        let inside = &self.take(end + 1)[1..end];
        let inside = if inside == "*" { ":" } else { inside };
        if inside.contains(',') {
            let mut union = Vec::new();
            for part in inside.split(',') {
                union.push(expression(&format!("[{}]", part.trim_matches(' ')), self.depth)?);
            }
            self.nodes.push(Node::Union(union));
            return Ok(());
        }
        if let Some(key) = inside.strip_prefix('\'').and_then(|k| k.strip_suffix('\'')).filter(|k| !k.contains('\'')) {
            self.nodes.extend(expression(&format!(".{key}"), self.depth)?);
            return Ok(());
        }
        self.nodes.push(Node::Array(slice(inside)?));
        Ok(())
    }

    fn filter(&mut self) -> Result<(), String> {
        let body = &self.rest[3..];
        let bytes = body.as_bytes();
        let (mut open, mut closed, mut pair) = (false, false, '"');
        let mut end = None;
        for (at, c) in body.char_indices() {
            match c {
                '\n' => break,
                '"' | '\'' if !open => (open, pair) = (true, c),
                '"' | '\'' if c == pair && bytes[at - 1] != b'\\' => closed = true,
                ')' if open == closed => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let Some(end) = end else { return Err("unterminated filter".to_owned()) };
        if !body[end + 1..].starts_with(']') {
            return Err("unclosed array expect ]".to_owned());
        }
        let text = &body[..end];
        self.rest = &body[end + 2..];
        let (left, operator, right) = comparison(text);
        let right = if operator == "exists" { Vec::new() } else { expression(right, self.depth)? };
        self.nodes.push(Node::Filter(expression(left, self.depth)?, operator.to_owned(), right));
        Ok(())
    }
}

/// Takes `left op right` apart: the first run of comparison characters.
fn comparison(text: &str) -> (&str, &str, &str) {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let Some(start) = text.find(is_operator).filter(|s| *s > 0) else { return (text, "exists", "") };
    let end = text[start..].find(|c| !is_operator(c)).map(|e| e + start);
    match end {
        Some(end) if end < text.len() => (&text[..start], &text[start..end], &text[end..]),
        _ => (text, "exists", ""),
    }
}

fn slice(text: &str) -> Result<Slice, String> {
    let invalid = || format!("invalid array index {text}");
    let parts: Vec<&str> = text.split(':').collect();
    let digits_only = |p: &&str| {
        let digits = p.strip_prefix('-').unwrap_or(p);
        digits.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(digits_only) {
        return Err(invalid());
    }
    let number = |i: usize| -> Result<Option<i64>, String> {
        match parts.get(i).copied().unwrap_or("") {
            "" => Ok(None),
            part => part.parse().map(Some).map_err(|_| format!("array index {part} is not a number")),
        }
    };
    let start = number(0)?;
    if parts.len() == 1 {
        let first = start.unwrap_or(0);
        return Ok(Slice { start, end: Some(first + 1), single: true, step: None });
    }
    Ok(Slice { start, end: number(1)?, single: false, step: number(2)? })
}

/// Go's escapes within a quoted text.
fn unquote(text: &str, quote: char) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            'x' => out.push(hex(&mut chars, 2)?),
            'u' => out.push(hex(&mut chars, 4)?),
            'U' => out.push(hex(&mut chars, 8)?),
            c if c == quote => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut value = 0_u32;
    for _ in 0..digits {
        value = value.checked_mul(16)? + chars.next()?.to_digit(16)?;
    }
    char::from_u32(value)
}
