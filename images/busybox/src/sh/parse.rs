//! From text to commands.

use std::cell::RefCell;
use std::rc::Rc;

use super::ast::{Command, Compound, Item, List, Param, Part, Pipeline, Redirect, Target, Word};

/// Nesting of commands and expansions; deeper scripts are refused rather than overflowing the stack.
const DEPTH_MAX: usize = 60;

/// Why a script was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It ends too early: an interactive shell asks for more.
    Incomplete(String),
    /// It is wrong.
    Syntax(String),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParseError::Incomplete(what) => write!(f, "syntax error: unterminated {what}"),
            ParseError::Syntax(what) => write!(f, "syntax error: {what}"),
        }
    }
}

type Result<T> = std::result::Result<T, ParseError>;

struct Pending {
    body: Rc<RefCell<Word>>,
    end: String,
    quoted: bool,
    strip_tabs: bool,
}

struct Parser {
    src: Vec<char>,
    at: usize,
    depth: usize,
    pending: Vec<Pending>,
}

/// Reads a whole script.
///
/// # Errors
/// See [`ParseError`].
pub fn parse(text: &str) -> Result<List> {
    let mut parser = Parser { src: text.chars().collect(), at: 0, depth: 0, pending: Vec::new() };
    let list = parser.list(&[])?;
    if let Some(c) = parser.peek() {
        return Err(ParseError::Syntax(format!("unexpected \"{c}\"")));
    }
    if !parser.pending.is_empty() {
        return Err(ParseError::Incomplete("here-document".to_owned()));
    }
    Ok(list)
}

/// Words that mean something where a command starts.
const RESERVED: &[&str] =
    &["if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "{", "}", "!", "in"];

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_meta(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
}

fn push_char(parts: &mut Vec<Part>, c: char) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => parts.push(Part::Text(c.to_string())),
    }
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.src.get(self.at).copied()
    }

    fn peek_at(&self, offset: usize) -> Option<char> {
        self.src.get(self.at + offset).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        if text.chars().enumerate().all(|(i, c)| self.peek_at(i) == Some(c)) {
            self.at += text.chars().count();
            return true;
        }
        false
    }

    fn blanks(&mut self) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(' ' | '\t'), _) => self.at += 1,
                (Some('\\'), Some('\n')) => self.at += 2,
                (Some('#'), _) => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Blanks and newlines; after a newline come the bodies of here-documents.
    fn newlines(&mut self) -> Result<()> {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    fn newline(&mut self) -> Result<()> {
        self.at += 1;
        for pending in std::mem::take(&mut self.pending) {
            let mut text = String::new();
            loop {
                if self.peek().is_none() {
                    return Err(ParseError::Incomplete("here-document".to_owned()));
                }
                let mut line = String::new();
                while let Some(c) = self.peek() {
                    self.at += 1;
                    if c == '\n' {
                        break;
                    }
                    line.push(c);
                }
                let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { line.as_str() };
                if line == pending.end {
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            *pending.body.borrow_mut() =
                if pending.quoted { Word(vec![Part::Quoted(text)]) } else { here_body(&text)? };
        }
        Ok(())
    }

    /// The word at the cursor if it is plain text, without moving.
    fn reserved(&self) -> Option<&'static str> {
        let mut end = self.at;
        while self.src.get(end).is_some_and(|c| !is_meta(*c)) {
            end += 1;
        }
        let word: String = self.src[self.at..end].iter().collect();
        RESERVED.iter().copied().find(|r| *r == word)
    }

    fn eat_reserved(&mut self, word: &str) -> bool {
        if self.reserved() == Some(RESERVED.iter().copied().find(|r| *r == word).unwrap_or("")) {
            self.at += word.len();
            return true;
        }
        false
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        self.newlines()?;
        if self.eat_reserved(word) { Ok(()) } else { Err(self.unexpected(&format!("\"{word}\""))) }
    }

    fn unexpected(&self, wanted: &str) -> ParseError {
        if self.at >= self.src.len() {
            return ParseError::Incomplete(format!("command (expecting {wanted})"));
        }
        let mut end = self.at;
        while self.src.get(end).is_some_and(|c| !is_meta(*c)) {
            end += 1;
        }
        let found: String = self.src[self.at..end.max(self.at + 1)].iter().collect();
        let found = if found == "\n" { "newline".to_owned() } else { format!("\"{found}\"") };
        ParseError::Syntax(format!("unexpected {found} (expecting {wanted})"))
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            return Err(ParseError::Syntax("nested too deeply".to_owned()));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Commands up to one of the reserved words, a `)`, a `;;` or the end.
    fn list(&mut self, ends: &[&str]) -> Result<List> {
        let mut items = Vec::new();
        loop {
            self.newlines()?;
            let stop = match self.peek() {
                None | Some(')') => true,
                Some(';') => self.peek_at(1) == Some(';'),
                Some(_) => self.reserved().is_some_and(|r| ends.contains(&r)),
            };
            if stop {
                return Ok(items);
            }
            let mut item = self.and_or()?;
            self.blanks();
            match self.peek() {
                Some('&') => {
                    self.at += 1;
                    item.background = true;
                }
                Some(';') if self.peek_at(1) != Some(';') => self.at += 1,
                Some(';' | ')' | '\n') | None => {}
                Some(_) => return Err(self.unexpected("end of command")),
            }
            items.push(item);
        }
    }

    fn and_or(&mut self) -> Result<Item> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let and = if self.eat("&&") {
                true
            } else if self.eat("||") {
                false
            } else {
                return Ok(Item { first, rest, background: false });
            };
            self.newlines()?;
            rest.push((and, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline> {
        self.blanks();
        let negated = self.eat_reserved("!");
        let mut commands = vec![self.command()?];
        loop {
            self.blanks();
            if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
                return Ok(Pipeline { negated, commands });
            }
            self.at += 1;
            if self.peek() == Some('&') {
                return Err(ParseError::Syntax("\"|&\" is not supported".to_owned()));
            }
            self.newlines()?;
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Result<Command> {
        self.blanks();
        let kind = match (self.peek(), self.reserved()) {
            (Some('('), _) => {
                self.at += 1;
                let list = self.deeper(|p| p.list(&[]))?;
                if !self.eat(")") {
                    return Err(self.unexpected("\")\""));
                }
                Compound::Subshell(list)
            }
            (_, Some("{")) => {
                self.at += 1;
                let list = self.deeper(|p| p.list(&["}"]))?;
                self.expect("}")?;
                Compound::Brace(list)
            }
            (_, Some("if")) => self.deeper(Parser::if_command)?,
            (_, Some(word @ ("while" | "until"))) => {
                self.at += word.len();
                let condition = self.deeper(|p| p.list(&["do"]))?;
                Compound::Loop(word == "until", condition, self.deeper(Parser::do_group)?)
            }
            (_, Some("for")) => self.deeper(Parser::for_command)?,
            (_, Some("case")) => self.deeper(Parser::case_command)?,
            (_, Some(word @ ("then" | "elif" | "else" | "fi" | "do" | "done" | "esac" | "}"))) => {
                return Err(ParseError::Syntax(format!("unexpected \"{word}\"")));
            }
            _ => return self.simple(),
        };
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => return Ok(Command::Compound { kind, redirects }),
            }
        }
    }

    fn if_command(&mut self) -> Result<Compound> {
        self.at += 2;
        let mut arms = Vec::new();
        loop {
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            arms.push((condition, self.list(&["elif", "else", "fi"])?));
            if self.eat_reserved("elif") {
                continue;
            }
            let otherwise = if self.eat_reserved("else") { Some(self.list(&["fi"])?) } else { None };
            self.expect("fi")?;
            return Ok(Compound::If(arms, otherwise));
        }
    }

    fn do_group(&mut self) -> Result<List> {
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    fn for_command(&mut self) -> Result<Compound> {
        self.at += 3;
        self.blanks();
        let name = self.name();
        if name.is_empty() {
            return Err(self.unexpected("a name"));
        }
        self.newlines()?;
        let mut words = None;
        if self.eat_reserved("in") {
            let mut list = Vec::new();
            loop {
                self.blanks();
                match self.word()? {
                    Some(word) => list.push(word),
                    None => break,
                }
            }
            words = Some(list);
        }
        self.blanks();
        if self.peek() == Some(';') {
            self.at += 1;
        }
        Ok(Compound::For(name, words, self.do_group()?))
    }

    fn case_command(&mut self) -> Result<Compound> {
        self.at += 4;
        self.blanks();
        let word = self.word()?.ok_or_else(|| self.unexpected("a word"))?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.newlines()?;
            if self.eat_reserved("esac") {
                return Ok(Compound::Case(word, arms));
            }
            self.eat("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?.ok_or_else(|| self.unexpected("a pattern"))?);
                self.blanks();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(self.unexpected("\")\""));
            }
            arms.push((patterns, self.list(&["esac"])?));
            self.newlines()?;
            self.eat(";;");
        }
    }

    fn name(&mut self) -> String {
        let start = self.at;
        if self.peek().is_some_and(is_name_start) {
            while self.peek().is_some_and(is_name) {
                self.at += 1;
            }
        }
        self.src[start..self.at].iter().collect()
    }

    fn simple(&mut self) -> Result<Command> {
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if words.is_empty() {
                let start = self.at;
                let name = self.name();
                if !name.is_empty() && self.eat("=") {
                    assigns.push((name, self.word()?.unwrap_or_default()));
                    continue;
                }
                self.at = start;
            }
            let Some(word) = self.word()? else { break };
            if words.is_empty() && assigns.is_empty() && redirects.is_empty() {
                self.blanks();
                if let Some(name) = word.literal()
                    && self.peek() == Some('(')
                {
                    let name = name.to_owned();
                    self.at += 1;
                    self.blanks();
                    if !self.eat(")") {
                        return Err(self.unexpected("\")\""));
                    }
                    self.newlines()?;
                    let body = self.deeper(Parser::command)?;
                    return Ok(Command::Function { name, body: Rc::new(body) });
                }
            }
            words.push(word);
        }
        if assigns.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.unexpected("a command"));
        }
        Ok(Command::Simple { assigns, words, redirects })
    }

    fn redirect(&mut self) -> Result<Option<Redirect>> {
        let start = self.at;
        let mut number = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            number.push(c);
            self.at += 1;
        }
        let both = number.is_empty() && self.peek() == Some('&') && self.peek_at(1) == Some('>');
        if both {
            self.at += 1;
        }
        if !matches!(self.peek(), Some('<' | '>')) {
            self.at = start;
            return Ok(None);
        }
        let input = self.peek() == Some('<');
        let fd = number.parse().unwrap_or(if input { 0 } else { 1 });
        let done = |target| Ok(Some(Redirect { fd, target, both }));
        for strip_tabs in [true, false] {
            if self.eat("<<<") {
                return done(Target::HereString(self.target()?));
            }
            if self.eat(if strip_tabs { "<<-" } else { "<<" }) {
                self.blanks();
                let word = self.word()?.ok_or_else(|| self.unexpected("a word"))?;
                let quoted = !word.0.iter().all(|p| matches!(p, Part::Text(_)));
                let body = Rc::new(RefCell::new(Word::default()));
                self.pending.push(Pending { body: body.clone(), end: flat(&word), quoted, strip_tabs });
                return done(Target::Here(body));
            }
        }
        type Make = fn(Word) -> Target;
        let makers: [(&str, Make); 7] = [
            ("<&", Target::Dup),
            (">&", Target::Dup),
            ("<>", Target::ReadWrite),
            (">>", Target::Append),
            (">|", Target::Write),
            ("<", Target::Read),
            (">", Target::Write),
        ];
        for (sign, make) in makers {
            if self.eat(sign) {
                return done(make(self.target()?));
            }
        }
        Ok(None)
    }

    fn target(&mut self) -> Result<Word> {
        self.blanks();
        self.word()?.ok_or_else(|| self.unexpected("a file"))
    }

    /// A word; none if something else stands here.
    fn word(&mut self) -> Result<Option<Word>> {
        let mut parts = Vec::new();
        let mut any = false;
        while let Some(c) = self.peek() {
            match c {
                c if is_meta(c) => break,
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => {
                            self.at += 1;
                            continue;
                        }
                        Some(c) => {
                            self.at += 1;
                            parts.push(Part::Quoted(c.to_string()));
                        }
                        None => parts.push(Part::Quoted("\\".to_owned())),
                    }
                }
                '\'' => parts.push(Part::Quoted(self.single()?)),
                '"' => {
                    self.at += 1;
                    parts.push(Part::Double(self.deeper(Parser::double)?));
                }
                '$' | '`' => self.dollar(&mut parts)?,
                c => {
                    self.at += 1;
                    push_char(&mut parts, c);
                }
            }
            any = true;
        }
        Ok(any.then_some(Word(parts)))
    }

    fn single(&mut self) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| ParseError::Incomplete("quoted string".to_owned()))?;
            self.at += 1;
            if c == '\'' {
                return Ok(text);
            }
            text.push(c);
        }
    }

    /// The inside of double quotes; the cursor is after the first of them.
    fn double(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return Err(ParseError::Incomplete("quoted string".to_owned())),
                Some('"') => {
                    self.at += 1;
                    return Ok(parts);
                }
                Some(_) => self.double_char(&mut parts)?,
            }
        }
    }

    fn double_char(&mut self, parts: &mut Vec<Part>) -> Result<()> {
        match (self.peek(), self.peek_at(1)) {
            (Some('\\'), Some('\n')) => self.at += 2,
            (Some('\\'), Some(c @ ('$' | '`' | '"' | '\\'))) => {
                self.at += 2;
                push_char(parts, c);
            }
            (Some('$' | '`'), _) => self.dollar(parts)?,
            (Some(c), _) => {
                self.at += 1;
                push_char(parts, c);
            }
            (None, _) => {}
        }
        Ok(())
    }

    fn dollar(&mut self, parts: &mut Vec<Part>) -> Result<()> {
        if self.peek() == Some('`') {
            parts.push(self.backticks()?);
            return Ok(());
        }
        self.at += 1;
        if self.eat("((") {
            let part = self.deeper(Parser::arithmetic)?;
            parts.push(part);
            return Ok(());
        }
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let list = self.deeper(|p| p.list(&[]))?;
                if !self.eat(")") {
                    return Err(self.unexpected("\")\""));
                }
                parts.push(Part::Command(list));
            }
            Some('{') => {
                self.at += 1;
                let param = self.deeper(Parser::braced)?;
                parts.push(Part::Param(param));
            }
            Some(c) if is_name_start(c) => {
                let name = self.name();
                parts.push(Part::Param(Param { name, length: false, op: None }));
            }
            Some(c) if c.is_ascii_digit() || "?@*#$!-".contains(c) => {
                self.at += 1;
                parts.push(Part::Param(Param { name: c.to_string(), length: false, op: None }));
            }
            _ => push_char(parts, '$'),
        }
        Ok(())
    }

    fn backticks(&mut self) -> Result<Part> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match (self.peek(), self.peek_at(1)) {
                (None, _) => return Err(ParseError::Incomplete("backquote".to_owned())),
                (Some('`'), _) => {
                    self.at += 1;
                    return Ok(Part::Command(parse(&text)?));
                }
                (Some('\\'), Some(c @ ('`' | '\\' | '$'))) => {
                    self.at += 2;
                    text.push(c);
                }
                (Some(c), _) => {
                    self.at += 1;
                    text.push(c);
                }
            }
        }
    }

    /// The inside of `$((...))`; the cursor is after the brackets.
    fn arithmetic(&mut self) -> Result<Part> {
        let mut parts = Vec::new();
        let mut open = 0usize;
        loop {
            match (self.peek(), self.peek_at(1)) {
                (None, _) => return Err(ParseError::Incomplete("arithmetic".to_owned())),
                (Some(')'), Some(')')) if open == 0 => {
                    self.at += 2;
                    return Ok(Part::Arith(Word(parts)));
                }
                (Some(c @ ('(' | ')')), _) => {
                    open = if c == '(' { open + 1 } else { open.saturating_sub(1) };
                    self.at += 1;
                    push_char(&mut parts, c);
                }
                (Some('"'), _) => self.at += 1,
                _ => self.double_char(&mut parts)?,
            }
        }
    }

    /// The inside of `${...}`; the cursor is after the brace.
    fn braced(&mut self) -> Result<Param> {
        let length = self.peek() == Some('#') && self.peek_at(1).is_some_and(|c| c != '}');
        if length {
            self.at += 1;
        }
        let mut name = self.name();
        if name.is_empty() {
            while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                name.push(c);
                self.at += 1;
            }
        }
        if name.is_empty()
            && let Some(c) = self.peek().filter(|c| "?@*#$!-".contains(*c))
        {
            name.push(c);
            self.at += 1;
        }
        if name.is_empty() {
            return Err(ParseError::Syntax("bad substitution".to_owned()));
        }
        if self.eat("}") {
            return Ok(Param { name, length, op: None });
        }
        for op in [":-", ":=", ":?", ":+", "%%", "##", "//", "-", "=", "?", "+", "%", "#", "/", ":"] {
            if self.eat(op) {
                let word = self.until_brace()?;
                return Ok(Param { name, length, op: Some((op.to_owned(), word)) });
            }
        }
        Err(match self.peek() {
            None => ParseError::Incomplete("expansion".to_owned()),
            Some(_) => ParseError::Syntax("bad substitution".to_owned()),
        })
    }

    fn until_brace(&mut self) -> Result<Word> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                None => return Err(ParseError::Incomplete("expansion".to_owned())),
                Some('}') => {
                    self.at += 1;
                    return Ok(Word(parts));
                }
                Some('\'') => parts.push(Part::Quoted(self.single()?)),
                Some('"') => {
                    self.at += 1;
                    parts.push(Part::Double(self.deeper(Parser::double)?));
                }
                Some('\\') => {
                    self.at += 1;
                    if let Some(c) = self.peek() {
                        self.at += 1;
                        parts.push(Part::Quoted(c.to_string()));
                    }
                }
                Some('$' | '`') => self.dollar(&mut parts)?,
                Some(c) => {
                    self.at += 1;
                    push_char(&mut parts, c);
                }
            }
        }
    }
}

/// The body of a here-document: as in double quotes, but the quotes themselves mean nothing.
fn here_body(text: &str) -> Result<Word> {
    let mut parser = Parser { src: text.chars().collect(), at: 0, depth: 0, pending: Vec::new() };
    let mut parts = Vec::new();
    while let Some(c) = parser.peek() {
        if c == '\\' && parser.peek_at(1) == Some('"') {
            parser.at += 2;
            push_char(&mut parts, '\\');
            push_char(&mut parts, '"');
        } else {
            parser.double_char(&mut parts)?;
        }
    }
    Ok(Word(vec![Part::Double(parts)]))
}

/// The text of a word with its quotes taken away.
fn flat(word: &Word) -> String {
    let mut out = String::new();
    for part in &word.0 {
        match part {
            Part::Text(text) | Part::Quoted(text) => out.push_str(text),
            Part::Double(parts) => out.push_str(&flat(&Word(parts.clone()))),
            Part::Param(param) => {
                out.push('$');
                out.push_str(&param.name);
            }
            Part::Command(_) | Part::Arith(_) => {}
        }
    }
    out
}
