//! The cursor over a text, blanks, newlines, lists and pipelines.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{AndOr, Command, Item, List, Pipeline, Word};
use super::error::{Incomplete, SyntaxError};

/// Words with a meaning of their own where a command may begin.
const RESERVED: &[&str] = &[
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "{", "}", "!",
    "[[", "]]", "function", "time", "select",
];
/// Those that can only continue or end a command.
pub(super) const CLOSERS: &[&str] = &["then", "elif", "else", "fi", "do", "done", "esac", "in", "}", "]]"];
/// Operators, longest first.
const OPERATORS: &[&str] = &[
    "<<<", "<<-", "&>>", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "|&", "|", "&", ";",
    "(", ")", "<", ">",
];
/// Nesting of commands and expansions in one text.
const NESTING_DEPTH_MAX: usize = 120;
/// Times that `((` may turn out not to be arithmetic in one text: each is read twice, those inside it four times.
const SECOND_TRIES_MAX: usize = 1_000;

/// Whether the word has a meaning of its own where a command may begin.
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Whether the text can name a variable.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

pub(super) fn is_meta(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '|' | '&' | ';' | '(' | ')' | '<' | '>')
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

pub(super) struct PendingHereDoc {
    pub delimiter: String,
    pub strip_tabs: bool,
    pub quoted: bool,
    pub line: usize,
    pub slot: Rc<OnceCell<Word>>,
}

/// Reads one complete command after another from a text.
pub struct Parser<'a> {
    pub(super) src: Vec<char>,
    pub(super) pos: usize,
    pub(super) aliases: Option<&'a BTreeMap<String, String>>,
    /// Aliases being expanded: name, and how many characters follow the end of its text.
    pub(super) alias_guard: Vec<(String, usize)>,
    /// The alias just expanded ended in a blank.
    pub(super) alias_reaches_on: bool,
    pub(super) here_docs: Vec<PendingHereDoc>,
    pub(super) depth: usize,
    pub(super) extglob: bool,
    second_tries: usize,
    interactive: bool,
    /// Line of the first character.
    first_line: usize,
    line_cache: (usize, usize),
    /// Complaints that do not stop the command: line and sentence.
    pub warnings: Vec<(usize, String)>,
}

impl<'a> Parser<'a> {
    /// A parser of a script. `interactive`: unfinished here-documents ask for more instead of ending with the text.
    pub fn new(text: &str, aliases: Option<&'a BTreeMap<String, String>>, interactive: bool) -> Self {
        let mut src: Vec<char> = text.chars().collect();
        if src.last().is_some_and(|c| *c != '\n') {
            src.push('\n');
        }
        Parser {
            src,
            pos: 0,
            aliases,
            alias_guard: Vec::new(),
            alias_reaches_on: false,
            here_docs: Vec::new(),
            depth: 0,
            extglob: false,
            second_tries: 0,
            interactive,
            first_line: 1,
            line_cache: (0, 0),
            warnings: Vec::new(),
        }
    }

    /// The next complete command: everything up to a newline that ends one. None at the end of the text.
    pub fn next_command(&mut self) -> Parsed<Option<List>> {
        self.skip_newlines()?;
        if self.at_end() {
            return Ok(None);
        }
        let mut items = Vec::new();
        loop {
            self.skip_blank();
            match self.peek() {
                None => break,
                Some('\n') => {
                    self.newline()?;
                    break;
                }
                _ => {}
            }
            items.push(self.item()?);
            let ended = self.terminator(&mut items)?;
            if !ended && !matches!(self.peek(), None | Some('\n')) {
                return Err(self.unexpected());
            }
        }
        Ok(Some(List(items)))
    }

    /// The line on which the cursor stands, from 1.
    pub fn line(&mut self) -> usize {
        let (at, count) = self.line_cache;
        let (from, base) = if at <= self.pos { (at, count) } else { (0, 0) };
        let count = base + self.src[from..self.pos].iter().filter(|c| **c == '\n').count();
        self.line_cache = (self.pos, count);
        count + self.first_line
    }

    /// The line after the last one.
    pub fn last_line(&self) -> usize {
        self.src.iter().filter(|c| **c == '\n').count() + self.first_line
    }

    /// The text of a line, from 1.
    pub fn line_text(&self, line: usize) -> String {
        let text: String = self.src.iter().collect();
        text.split('\n').nth(line.saturating_sub(self.first_line)).unwrap_or_default().to_owned()
    }

    // --- the cursor ---

    pub(super) fn peek(&self) -> Option<char> {
        self.src.get(self.pos).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.src.get(self.pos + ahead).copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.src.len()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek_at(i) == Some(c))
    }

    /// Skips the text if it is next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.pos += text.chars().count();
        }
        found
    }

    pub(super) fn slice(&self, from: usize) -> String {
        self.src[from..self.pos.min(self.src.len())].iter().collect()
    }

    /// Skips blanks, escaped newlines and a comment.
    pub(super) fn skip_blank(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.pos += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => self.pos += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.pos += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Passes a newline and reads the here-documents that begin after it.
    pub(super) fn newline(&mut self) -> Parsed<()> {
        self.pos += 1;
        for doc in std::mem::take(&mut self.here_docs) {
            self.here_doc_body(doc)?;
        }
        Ok(())
    }

    pub(super) fn skip_newlines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blank();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    fn here_doc_body(&mut self, doc: PendingHereDoc) -> Parsed<()> {
        let mut body = String::new();
        loop {
            if self.at_end() {
                if self.interactive {
                    return Err(SyntaxError::Incomplete(Incomplete::HereDoc));
                }
                let line = self.line().saturating_sub(1);
                let text = format!(
                    "warning: here-document at line {} delimited by end-of-file (wanted `{}')",
                    doc.line, doc.delimiter
                );
                self.warnings.push((line, text));
                break;
            }
            let start = self.pos;
            while self.peek().is_some_and(|c| c != '\n') {
                self.pos += 1;
            }
            let mut line = self.slice(start);
            self.pos = (self.pos + 1).min(self.src.len());
            if doc.strip_tabs {
                line = line.trim_start_matches('\t').to_owned();
            }
            if line == doc.delimiter {
                break;
            }
            body.push_str(&line);
            body.push('\n');
        }
        let word = if doc.quoted {
            Word(vec![super::ast::Part::Quoted(body)])
        } else {
            let mut inner = Parser::new("", self.aliases, self.interactive);
            inner.src = body.chars().collect();
            inner.first_line = doc.line + 1;
            inner.depth = self.depth + 1;
            Word(inner.double_parts(None)?)
        };
        // The slot was made for this document alone.
        let _ = doc.slot.set(word);
        Ok(())
    }

    // --- tokens ---

    /// The operator at the cursor.
    pub(super) fn operator(&self) -> Option<&'static str> {
        OPERATORS.iter().copied().find(|op| self.looking_at(op))
    }

    /// The unquoted word at the cursor, if it is delimited: what could be reserved.
    pub(super) fn keyword(&self) -> Option<&'static str> {
        let mut end = self.pos;
        while self.src.get(end).is_some_and(|c| !is_meta(*c)) {
            end += 1;
        }
        if end - self.pos > 8 {
            return None;
        }
        let text: String = self.src[self.pos..end].iter().collect();
        RESERVED.iter().copied().find(|r| *r == text)
    }

    /// Passes the reserved word if it is next (after blanks).
    pub(super) fn eat_keyword(&mut self, word: &str) -> bool {
        self.skip_blank();
        let found = self.keyword() == Some(word);
        if found {
            self.pos += word.len();
        }
        found
    }

    /// The reserved word must be next.
    pub(super) fn expect_keyword(&mut self, word: &str) -> Parsed<()> {
        if self.eat_keyword(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error for the token at the cursor.
    pub(super) fn unexpected(&mut self) -> SyntaxError {
        self.skip_blank();
        let line = self.line();
        let Some(c) = self.peek() else { return SyntaxError::Incomplete(Incomplete::End) };
        if c == '\n' {
            return SyntaxError::Unexpected("newline".into(), line);
        }
        if let Some(op) = self.operator() {
            return SyntaxError::Unexpected(op.into(), line);
        }
        let start = self.pos;
        let mut end = start;
        while self.src.get(end).is_some_and(|c| !is_meta(*c)) {
            end += 1;
        }
        SyntaxError::Unexpected(self.src[start..end].iter().collect(), line)
    }

    /// Counts a text that is read again.
    pub(super) fn second_try(&mut self) -> Parsed<()> {
        self.second_tries += 1;
        if self.second_tries > SECOND_TRIES_MAX {
            let line = self.line();
            return Err(SyntaxError::Message("too many parentheses that are not arithmetic".into(), line));
        }
        Ok(())
    }

    /// Runs `f` one level deeper; deep nesting is refused instead of overflowing the stack.
    pub(super) fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING_DEPTH_MAX {
            let line = self.line();
            return Err(SyntaxError::Message(format!("nesting deeper than {NESTING_DEPTH_MAX} levels"), line));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    // --- lists ---

    /// Commands up to a word of `ends`, which stays unread. `)` and `;;` may be ends too. Not empty.
    pub(super) fn list_until(&mut self, ends: &[&str]) -> Parsed<List> {
        let list = self.maybe_empty_list(ends)?;
        if list.0.is_empty() {
            return Err(self.unexpected());
        }
        Ok(list)
    }

    /// The same, and it may be empty.
    pub(super) fn maybe_empty_list(&mut self, ends: &[&str]) -> Parsed<List> {
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.at_end() {
                return Err(SyntaxError::Incomplete(Incomplete::End));
            }
            if self.at_list_end(ends) {
                return Ok(List(items));
            }
            items.push(self.item()?);
            let ended = self.terminator(&mut items)?;
            if !ended && self.peek() != Some('\n') && !self.at_list_end(ends) {
                return Err(self.unexpected());
            }
        }
    }

    fn at_list_end(&self, ends: &[&str]) -> bool {
        let op = self.operator();
        ends.iter().any(|end| match *end {
            ")" => op == Some(")"),
            ";;" => matches!(op, Some(";;" | ";&" | ";;&")),
            word => self.keyword() == Some(word),
        })
    }

    /// Passes `;` or `&` after the last item; true if there was one.
    fn terminator(&mut self, items: &mut [Item]) -> Parsed<bool> {
        self.skip_blank();
        match self.operator() {
            Some("&") => {
                self.pos += 1;
                if let Some(last) = items.last_mut() {
                    last.background = true;
                }
                Ok(true)
            }
            Some(";") => {
                self.pos += 1;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn item(&mut self) -> Parsed<Item> {
        let start = self.pos;
        let guard = self.src.len();
        let and_or = self.nested(Self::and_or)?;
        // An alias that was expanded in between moved the text: the slice still ends at the cursor.
        let text = if self.src.len() == guard { self.slice(start) } else { self.slice(start.min(self.pos)) };
        Ok(Item { and_or, background: false, text: text.trim().into() })
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blank();
            let and = match self.operator() {
                Some("&&") => true,
                Some("||") => false,
                _ => return Ok(AndOr { first, rest }),
            };
            self.pos += 2;
            self.skip_newlines()?;
            rest.push((and, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let (mut negated, mut timed) = (false, false);
        loop {
            if self.eat_keyword("!") {
                negated = !negated;
            } else if self.eat_keyword("time") {
                timed = true;
            } else {
                break;
            }
        }
        let mut stages = Vec::new();
        if (timed || negated) && matches!(self.peek(), Some('\n' | ';')) {
            return Ok(Pipeline { negated, timed, stages });
        }
        loop {
            let mut stage = self.nested(Self::command)?;
            self.skip_blank();
            match self.operator() {
                Some("|&") => {
                    self.pos += 2;
                    stage = super::command::with_stderr_to_pipe(stage);
                }
                Some("|") => self.pos += 1,
                _ => {
                    stages.push(Rc::new(stage));
                    return Ok(Pipeline { negated, timed, stages });
                }
            }
            stages.push(Rc::new(stage));
            self.skip_newlines()?;
            if self.at_end() {
                return Err(SyntaxError::Incomplete(Incomplete::End));
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.skip_blank();
        self.command_here()
    }
}
