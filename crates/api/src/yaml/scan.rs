//! The tokens of a text, found exactly as lazily as go-yaml finds them: which of two faults is reported depends on it.
//!
//! A second reading, for words only: `check` asks for it where the text is refused or holds tabs. Values are not kept.
//! Upstream: `go.yaml.in/yaml/v2`, whose scanner is libyaml's.

mod scalars;

use std::collections::VecDeque;

/// Characters that a key may be long before go-yaml gives up on its colon.
const KEY_CHARS_MAX: usize = 1024;

/// A place in the text; everything counts from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub line: usize,
    pub column: usize,
    index: usize,
}

/// What go-yaml says, where, and whether its scanner (rather than its parser) says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub problem: String,
    pub at: Mark,
    pub scanner: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequence,
    BlockMapping,
    BlockEnd,
    BlockEntry,
    FlowSequence,
    FlowSequenceEnd,
    FlowMapping,
    FlowMappingEnd,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: Mark,
    /// The name of an anchor or alias, the handle of a tag.
    pub name: String,
}

/// A token that becomes a key if a colon follows on its line.
#[derive(Clone, Copy)]
struct Candidate {
    required: bool,
    number: usize,
    at: Mark,
}

pub(super) struct Scanner {
    chars: Vec<char>,
    at: Mark,
    queue: VecDeque<Token>,
    taken: usize,
    /// The column of the block that is open, -1 outside of all.
    indent: isize,
    indents: Vec<isize>,
    /// The candidate of each flow level; the first is the block's.
    candidates: Vec<Option<Candidate>>,
    key_allowed: bool,
    /// Tabs (by character) that stand where nothing but space can: another reader may see spaces there.
    idle_tabs: Vec<usize>,
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// Blank, break or the end, which reads as NUL.
fn ends_word(c: char) -> bool {
    is_blank(c) || is_break(c) || c == '\0'
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

type Scanned<T = ()> = Result<T, Fault>;

impl Scanner {
    /// The text with spaces for the tabs that mean no more.
    pub fn without_idle_tabs(&self) -> String {
        let mut chars = self.chars.clone();
        self.idle_tabs.iter().for_each(|at| chars[*at] = ' ');
        chars.into_iter().collect()
    }

    pub fn new(text: &str) -> Scanner {
        let mut chars: Vec<char> = text.trim_start_matches('\u{feff}').chars().collect();
        if chars.last().is_none_or(|c| *c != '\n') {
            chars.push('\n');
        }
        Scanner {
            chars,
            at: Mark::default(),
            queue: VecDeque::new(),
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            candidates: vec![None],
            key_allowed: true,
            idle_tabs: Vec::new(),
        }
    }

    /// The next token, which stays.
    pub fn peek(&mut self) -> Scanned<Token> {
        loop {
            if let Some(head) = self.queue.front() {
                // Not known yet if a colon follows: then a key (and perhaps a mapping) comes before it.
                let level = self.candidates.iter().position(|c| c.is_some_and(|c| c.number == self.taken));
                let head = head.clone();
                match level {
                    Some(level) if self.still_possible(level)? => {}
                    _ => return Ok(head),
                }
            }
            self.fetch()?;
        }
    }

    /// Takes the token that was peeked at.
    pub fn take(&mut self) {
        self.queue.pop_front();
        self.taken += 1;
    }

    fn char(&self, ahead: usize) -> char {
        self.chars.get(self.at.index + ahead).copied().unwrap_or('\0')
    }

    fn in_flow(&self) -> bool {
        self.candidates.len() > 1
    }

    fn column(&self) -> isize {
        self.at.column.cast_signed()
    }

    fn fault<T>(&self, problem: &str) -> Scanned<T> {
        Err(Fault { problem: problem.to_owned(), at: self.at, scanner: true })
    }

    fn step(&mut self) {
        self.at.index += 1;
        self.at.column += 1;
    }

    fn next_line(&mut self) {
        let both = self.char(0) == '\r' && self.char(1) == '\n';
        self.at = Mark { line: self.at.line + 1, column: 0, index: self.at.index + if both { 2 } else { 1 } };
    }

    /// Steps over a blank that means nothing.
    fn idle_step(&mut self) {
        if self.char(0) == '\t' {
            self.idle_tabs.push(self.at.index);
        }
        self.step();
    }

    fn push(&mut self, kind: Kind) {
        self.queue.push_back(Token { kind, at: self.at, name: String::new() });
    }

    /// Pushes a token of some characters.
    fn indicator(&mut self, kind: Kind, chars: usize) {
        self.push(kind);
        (0..chars).for_each(|_| self.step());
    }

    fn still_possible(&mut self, level: usize) -> Scanned<bool> {
        let Some(key) = self.candidates[level] else { return Ok(false) };
        if key.at.line == self.at.line && key.at.index + KEY_CHARS_MAX >= self.at.index {
            return Ok(true);
        }
        if key.required {
            return self.fault("could not find expected ':'");
        }
        self.candidates[level] = None;
        Ok(false)
    }

    fn candidate(&mut self) -> &mut Option<Candidate> {
        self.candidates.last_mut().expect("the block's candidate is never taken away")
    }

    fn save_key(&mut self) -> Scanned {
        if self.key_allowed {
            self.drop_key()?;
            let required = !self.in_flow() && self.indent == self.column();
            let (number, at) = (self.taken + self.queue.len(), self.at);
            *self.candidate() = Some(Candidate { required, number, at });
        }
        Ok(())
    }

    fn drop_key(&mut self) -> Scanned {
        match self.candidate().take() {
            Some(key) if key.required => self.fault("could not find expected ':'"),
            _ => Ok(()),
        }
    }

    /// Opens a block at a column if it is deeper than the one that is open.
    fn open_block(&mut self, kind: Kind, at: Mark, before: Option<usize>) {
        let column = at.column.cast_signed();
        if self.in_flow() || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        let place = before.map_or(self.queue.len(), |number| number - self.taken);
        self.queue.insert(place, Token { kind, at, name: String::new() });
    }

    fn close_blocks(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(Kind::BlockEnd);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn skip_space(&mut self) {
        loop {
            while self.char(0) == ' ' || ((self.in_flow() || !self.key_allowed) && self.char(0) == '\t') {
                self.idle_step();
            }
            if self.char(0) == '#' {
                self.skip_comment();
            }
            if !is_break(self.char(0)) {
                return;
            }
            self.next_line();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) {
        while !is_break(self.char(0)) && self.char(0) != '\0' {
            self.step();
        }
    }

    /// `---` or `...` at the start of a line.
    fn marker(&self) -> Option<Kind> {
        if self.at.column != 0 || !ends_word(self.char(3)) {
            return None;
        }
        match [self.char(0), self.char(1), self.char(2)] {
            ['-', '-', '-'] => Some(Kind::DocumentStart),
            ['.', '.', '.'] => Some(Kind::DocumentEnd),
            _ => None,
        }
    }

    fn fetch(&mut self) -> Scanned {
        self.skip_space();
        self.close_blocks(self.column());
        let (c, next) = (self.char(0), self.char(1));
        let word_ends = ends_word(next);
        match c {
            '\0' => return self.end(),
            '%' if self.at.column == 0 => return self.directive(),
            _ => {}
        }
        if let Some(kind) = self.marker() {
            self.close_blocks(-1);
            self.drop_key()?;
            self.key_allowed = false;
            self.indicator(kind, 3);
            return Ok(());
        }
        match c {
            '[' => self.open_flow(Kind::FlowSequence),
            '{' => self.open_flow(Kind::FlowMapping),
            ']' => self.close_flow(Kind::FlowSequenceEnd),
            '}' => self.close_flow(Kind::FlowMappingEnd),
            ',' => {
                self.drop_key()?;
                self.key_allowed = true;
                self.indicator(Kind::FlowEntry, 1);
                Ok(())
            }
            '-' if word_ends => self.block_entry(),
            '?' if self.in_flow() || word_ends => self.explicit_key(),
            ':' if self.in_flow() || word_ends => self.value(),
            '*' => self.named(Kind::Alias),
            '&' => self.named(Kind::Anchor),
            '!' => self.tag(),
            '|' | '>' if !self.in_flow() => self.block_scalar(),
            '\'' | '"' => self.quoted(c),
            '\t' | '#' | '|' | '>' | '%' | '@' | '`' => self.fault("found character that cannot start any token"),
            _ => self.plain(),
        }
    }

    fn end(&mut self) -> Scanned {
        if self.at.column != 0 {
            self.at = Mark { line: self.at.line + 1, column: 0, ..self.at };
        }
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.push(Kind::StreamEnd);
        Ok(())
    }

    fn directive(&mut self) -> Scanned {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.indicator(Kind::Directive, 1);
        let start = self.at.index;
        while is_name(self.char(0)) {
            self.step();
        }
        let name: String = self.chars[start..self.at.index].iter().collect();
        if name.is_empty() {
            return self.fault("could not find expected directive name");
        }
        if !ends_word(self.char(0)) {
            return self.fault("found unexpected non-alphabetical character");
        }
        if name != "YAML" && name != "TAG" {
            return self.fault("found unknown directive name");
        }
        self.skip_comment();
        Ok(())
    }

    fn open_flow(&mut self, kind: Kind) -> Scanned {
        self.save_key()?;
        self.candidates.push(None);
        self.key_allowed = true;
        self.indicator(kind, 1);
        Ok(())
    }

    fn close_flow(&mut self, kind: Kind) -> Scanned {
        self.drop_key()?;
        if self.in_flow() {
            self.candidates.pop();
        }
        self.key_allowed = false;
        self.indicator(kind, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Scanned {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.fault("block sequence entries are not allowed in this context");
            }
            self.open_block(Kind::BlockSequence, self.at, None);
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.indicator(Kind::BlockEntry, 1);
        Ok(())
    }

    fn explicit_key(&mut self) -> Scanned {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.fault("mapping keys are not allowed in this context");
            }
            self.open_block(Kind::BlockMapping, self.at, None);
        }
        self.drop_key()?;
        self.key_allowed = !self.in_flow();
        self.indicator(Kind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Scanned {
        let level = self.candidates.len() - 1;
        if self.still_possible(level)?
            && let Some(key) = self.candidate().take()
        {
            self.queue.insert(key.number - self.taken, Token { kind: Kind::Key, at: key.at, name: String::new() });
            self.open_block(Kind::BlockMapping, key.at, Some(key.number));
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return self.fault("mapping values are not allowed in this context");
                }
                self.open_block(Kind::BlockMapping, self.at, None);
            }
            self.key_allowed = !self.in_flow();
        }
        self.indicator(Kind::Value, 1);
        Ok(())
    }

    fn named(&mut self, kind: Kind) -> Scanned {
        self.save_key()?;
        self.key_allowed = false;
        let at = self.at;
        self.step();
        while is_name(self.char(0)) {
            self.step();
        }
        let name: String = self.chars[at.index + 1..self.at.index].iter().collect();
        if name.is_empty() || !(ends_word(self.char(0)) || "?:,]}%@`".contains(self.char(0))) {
            return self.fault("did not find expected alphabetic or numeric character");
        }
        self.queue.push_back(Token { kind, at, name });
        Ok(())
    }

    fn tag(&mut self) -> Scanned {
        self.save_key()?;
        self.key_allowed = false;
        let at = self.at;
        self.step();
        let verbatim = self.char(0) == '<';
        let mut handle = String::new();
        while !(ends_word(self.char(0)) || self.in_flow() && ",[]{}".contains(self.char(0))) {
            if self.char(0) == '!' {
                handle = self.chars[at.index..=self.at.index].iter().collect();
            }
            self.step();
        }
        if verbatim && self.chars[self.at.index - 1] != '>' {
            return self.fault("did not find the expected '>'");
        }
        self.queue.push_back(Token { kind: Kind::Tag, at, name: handle });
        Ok(())
    }
}
