//! `sed`: the commands that scripts use. Labels and branches, the hold space's rarer commands and `w` files are left
//! out and refused by name.

use machine::Ctx;
use regex_lite::{Regex, RegexBuilder};

use super::Outcome;
use super::io::{Lines, complain, inputs, open, read_text};
use super::options::{Spec, parse};
use crate::regexes;

/// Blocks inside each other.
const DEPTH_MAX: usize = 50;

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Match(Regex),
    /// `first~step`.
    Step(usize, usize),
    /// `+n` after a first address.
    Plus(usize),
}

#[derive(Clone, Debug)]
enum Action {
    Substitute { regex: Regex, with: String, global: bool, nth: usize, print: bool },
    Delete,
    Print,
    Quit(i32),
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Transliterate(Vec<char>, Vec<char>),
    Next,
    Hold,
    Get,
    Exchange,
    Block(Vec<Command>),
}

#[derive(Clone, Debug)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    /// Number of the range flag of this command.
    range: usize,
}

struct Script<'a> {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    ranges: usize,
    depth: usize,
    name: &'a str,
}

impl Script<'_> {
    fn error<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("{} expression #1, char {}: {what}", self.name, self.at))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, also: &[char]) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t' || also.contains(&c)) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect::<String>().parse().unwrap_or(0)
    }

    fn regex(&self, source: &str, fold: bool) -> Result<Regex, String> {
        let text = if self.extended { regexes::extended(source) } else { regexes::basic(source) };
        match RegexBuilder::new(&text).case_insensitive(fold).build() {
            Ok(regex) => Ok(regex),
            Err(_) => self.error("Invalid regular expression"),
        }
    }

    /// Text up to an unescaped delimiter; `\n` and the escaped delimiter are resolved.
    fn delimited(&mut self, delimiter: char) -> Option<String> {
        let mut text = String::new();
        loop {
            let c = self.peek()?;
            self.at += 1;
            match c {
                '\\' => {
                    let next = self.peek()?;
                    self.at += 1;
                    if next == delimiter {
                        text.push(next);
                    } else {
                        text.push('\\');
                        text.push(next);
                    }
                }
                c if c == delimiter => return Some(text),
                c => text.push(c),
            }
        }
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        Ok(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('+') => {
                self.at += 1;
                Some(Address::Plus(self.number()))
            }
            Some(c) if c.is_ascii_digit() => {
                let first = self.number();
                if self.peek() == Some('~') {
                    self.at += 1;
                    Some(Address::Step(first, self.number()))
                } else {
                    Some(Address::Line(first))
                }
            }
            Some(c @ ('/' | '\\')) => {
                self.at += 1;
                let delimiter = if c == '/' { '/' } else { self.peek().unwrap_or('/') };
                if c == '\\' {
                    self.at += 1;
                }
                let Some(source) = self.delimited(delimiter) else { return self.error("unterminated address regex") };
                let fold = self.peek() == Some('I');
                if fold {
                    self.at += 1;
                }
                Some(Address::Match(self.regex(&source, fold)?))
            }
            _ => None,
        })
    }

    fn commands(&mut self, inner: bool) -> Result<Vec<Command>, String> {
        let mut all = Vec::new();
        loop {
            self.skip(&['\n', ';']);
            let Some(c) = self.peek() else {
                return if inner { self.error("unmatched `{'") } else { Ok(all) };
            };
            if c == '}' {
                self.at += 1;
                return if inner { Ok(all) } else { self.error("unexpected `}'") };
            }
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
                continue;
            }
            let from = self.address()?;
            let mut to = None;
            self.skip(&[]);
            if from.is_some() && self.peek() == Some(',') {
                self.at += 1;
                self.skip(&[]);
                to = self.address()?;
                if to.is_none() {
                    return self.error("unexpected `,'");
                }
            }
            self.skip(&[]);
            let negated = self.peek() == Some('!');
            if negated {
                self.at += 1;
                self.skip(&[]);
            }
            let action = self.action()?;
            self.ranges += 1;
            all.push(Command { from, to, negated, action, range: self.ranges - 1 });
        }
    }

    fn action(&mut self) -> Result<Action, String> {
        let Some(letter) = self.peek() else { return self.error("missing command") };
        self.at += 1;
        let action = match letter {
            '{' if self.depth >= DEPTH_MAX => return self.error("too many blocks inside each other"),
            '{' => {
                self.depth += 1;
                let inner = self.commands(true);
                self.depth -= 1;
                return Ok(Action::Block(inner?));
            }
            's' => self.substitute()?,
            'y' => {
                let delimiter = self.peek().unwrap_or('/');
                self.at += 1;
                let (Some(a), Some(b)) = (self.delimited(delimiter), self.delimited(delimiter)) else {
                    return self.error("unterminated `y' command");
                };
                let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
                if a.len() != b.len() {
                    return self.error("strings for `y' command are different lengths");
                }
                Action::Transliterate(a, b)
            }
            'd' => Action::Delete,
            'p' => Action::Print,
            'q' => {
                self.skip(&[]);
                Action::Quit(i32::try_from(self.number()).unwrap_or(0))
            }
            '=' => Action::Number,
            'n' => Action::Next,
            'h' => Action::Hold,
            'g' => Action::Get,
            'x' => Action::Exchange,
            'a' | 'i' | 'c' => {
                self.skip(&[]);
                if self.peek() == Some('\\') {
                    self.at += 1;
                    self.skip(&[]);
                    if self.peek() == Some('\n') {
                        self.at += 1;
                    }
                }
                let mut text = String::new();
                while let Some(c) = self.peek() {
                    self.at += 1;
                    match c {
                        '\n' => break,
                        '\\' => {
                            text.extend(self.peek());
                            self.at += 1;
                        }
                        c => text.push(c),
                    }
                }
                if text.is_empty() {
                    return self.error("expected \\ after `a', `c' or `i'");
                }
                text.push('\n');
                return Ok(match letter {
                    'a' => Action::Append(text),
                    'i' => Action::Insert(text),
                    _ => Action::Change(text),
                });
            }
            'b' | 't' | 'T' | ':' | 'N' | 'D' | 'P' | 'G' | 'H' | 'r' | 'w' | 'l' | 'e' | 'z' | 'Q' => {
                return Err(format!("`{letter}': {}", simulation::stub!("shell", "this sed command")));
            }
            other => return self.error(&format!("unknown command: `{other}'")),
        };
        self.skip(&[]);
        match self.peek() {
            None | Some(';' | '\n' | '}' | '#') => Ok(action),
            Some(_) => self.error("extra characters after command"),
        }
    }

    fn substitute(&mut self) -> Result<Action, String> {
        let Some(delimiter) = self.peek() else { return self.error("unterminated `s' command") };
        self.at += 1;
        let (Some(source), Some(with)) = (self.delimited(delimiter), self.delimited(delimiter)) else {
            return self.error("unterminated `s' command");
        };
        let (mut global, mut print, mut fold, mut nth) = (false, false, false, 1);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => fold = true,
                Some(c) if c.is_ascii_digit() => {
                    nth = self.number().max(1);
                    continue;
                }
                None | Some(' ' | '\t' | ';' | '\n' | '}' | '#') => break,
                Some(_) => return self.error("unknown option to `s'"),
            }
            self.at += 1;
        }
        Ok(Action::Substitute { regex: self.regex(&source, fold)?, with, global, nth, print })
    }
}

/// `&`, `\1` and `\n` of a replacement.
fn replacement(with: &str, found: &regex_lite::Captures<'_>) -> String {
    let mut out = String::new();
    let mut chars = with.chars();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str(&found[0]),
            '\\' => match chars.next() {
                Some(d) if d.is_ascii_digit() => {
                    let group = d.to_digit(10).unwrap_or(0) as usize;
                    out.push_str(found.get(group).map_or("", |m| m.as_str()));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

fn substitute(text: &str, regex: &Regex, with: &str, global: bool, nth: usize) -> Option<String> {
    let mut out = String::new();
    let mut at = 0;
    let mut changed = false;
    for (i, found) in regex.captures_iter(text).enumerate() {
        if i + 1 < nth {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[at..whole.start()]);
        out.push_str(&replacement(with, &found));
        at = whole.end();
        changed = true;
        if !global {
            break;
        }
    }
    out.push_str(&text[at..]);
    changed.then_some(out)
}

/// The state of one run over the input lines.
struct Editor {
    lines: Vec<(String, bool)>,
    next: usize,
    line: usize,
    active: Vec<Option<usize>>,
    hold: String,
    quiet: bool,
    out: String,
    after: String,
    quit: Option<i32>,
}

enum Then {
    GoOn,
    EndCycle,
}

impl Editor {
    fn hit(&self, address: &Address, text: &str) -> bool {
        match address {
            Address::Line(n) => self.line == *n,
            Address::Last => self.next >= self.lines.len(),
            Address::Match(regex) => regex.is_match(text),
            Address::Step(first, 0) => self.line == *first,
            Address::Step(first, step) => self.line >= *first && (self.line - first).is_multiple_of(*step),
            Address::Plus(_) => false,
        }
    }

    fn selected(&mut self, command: &Command, text: &str) -> bool {
        let Some(from) = &command.from else { return !command.negated };
        let Some(to) = &command.to else { return self.hit(from, text) != command.negated };
        let inside = match self.active[command.range] {
            Some(start) => {
                let ends = match to {
                    Address::Plus(n) => self.line >= start + n,
                    Address::Line(n) => self.line >= *n,
                    other => self.hit(other, text),
                };
                if ends {
                    self.active[command.range] = None;
                }
                !matches!(to, Address::Line(n) if self.line > *n)
            }
            None if self.hit(from, text) => {
                let one = matches!(to, Address::Line(n) if *n <= self.line) || matches!(to, Address::Plus(0));
                if !one {
                    self.active[command.range] = Some(self.line);
                }
                true
            }
            None => false,
        };
        inside != command.negated
    }

    fn emit(&mut self, text: &str) {
        self.out.push_str(text);
        let last_without_newline = self.next >= self.lines.len() && self.lines.last().is_some_and(|(_, ended)| !ended);
        if !last_without_newline {
            self.out.push('\n');
        }
    }

    fn run(&mut self, commands: &[Command], space: &mut String) -> Then {
        for command in commands {
            if !self.selected(command, space) {
                continue;
            }
            match &command.action {
                Action::Block(inner) => {
                    if let Then::EndCycle = self.run(inner, space) {
                        return Then::EndCycle;
                    }
                }
                Action::Substitute { regex, with, global, nth, print } => {
                    if let Some(new) = substitute(space, regex, with, *global, *nth) {
                        *space = new;
                        if *print {
                            self.emit(&space.clone());
                        }
                    }
                }
                Action::Delete => {
                    space.clear();
                    return Then::EndCycle;
                }
                Action::Print => self.emit(&space.clone()),
                Action::Quit(code) => {
                    self.quit = Some(*code);
                    if !self.quiet {
                        self.emit(&space.clone());
                    }
                    return Then::EndCycle;
                }
                Action::Number => self.out.push_str(&format!("{}\n", self.line)),
                Action::Append(text) => self.after.push_str(text),
                Action::Insert(text) => self.out.push_str(text),
                Action::Change(text) => {
                    let ranged = command.to.is_some() && self.active[command.range].is_some();
                    if !ranged {
                        self.out.push_str(text);
                    }
                    return Then::EndCycle;
                }
                Action::Transliterate(a, b) => {
                    *space = space.chars().map(|c| a.iter().position(|x| *x == c).map_or(c, |i| b[i])).collect();
                }
                Action::Next => {
                    if !self.quiet {
                        self.emit(&space.clone());
                    }
                    let Some((text, _)) = self.lines.get(self.next).cloned() else { return Then::EndCycle };
                    *space = text;
                    self.next += 1;
                    self.line += 1;
                }
                Action::Hold => self.hold = space.clone(),
                Action::Get => *space = self.hold.clone(),
                Action::Exchange => std::mem::swap(space, &mut self.hold),
            }
        }
        Then::GoOn
    }

    /// Runs the script over all lines; gives what is to be written.
    fn all(&mut self, commands: &[Command]) -> String {
        while self.quit.is_none() {
            let Some((text, _)) = self.lines.get(self.next).cloned() else { break };
            self.next += 1;
            self.line += 1;
            let mut space = text;
            if let Then::GoOn = self.run(commands, &mut space)
                && !self.quiet
            {
                self.emit(&space);
            }
            let after = std::mem::take(&mut self.after);
            self.out.push_str(&after);
        }
        std::mem::take(&mut self.out)
    }
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "nrEe:f:i::su",
        long: &[
            ("quiet", 'n'),
            ("silent", 'n'),
            ("regexp-extended", 'E'),
            ("expression=", 'e'),
            ("file=", 'f'),
            ("in-place", 'i'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "sed", message).await;
            return Ok(1);
        }
    };
    let mut operands = parsed.operands.clone();
    let mut source: Vec<String> = parsed.values('e').map(str::to_owned).collect();
    if let Some(file) = parsed.value('f') {
        match read_text(&ctx, file).await {
            Ok(text) => source.push(text),
            Err(errno) => {
                complain(&ctx, "sed", format!("couldn't open file {file}: {errno}")).await;
                return Ok(1);
            }
        }
    }
    if source.is_empty() {
        if operands.is_empty() {
            ctx.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n").await;
            return Ok(1);
        }
        source.push(operands.remove(0));
    }
    let text = source.join("\n");
    let extended = parsed.has('E') || parsed.has('r');
    let mut script = Script { chars: text.chars().collect(), at: 0, extended, ranges: 0, depth: 0, name: "-e" };
    let commands = match script.commands(false) {
        Ok(commands) => commands,
        Err(message) => {
            complain(&ctx, "sed", message).await;
            return Ok(1);
        }
    };
    let in_place = parsed.has('i');
    let mut code = 0;
    let new = |lines| Editor {
        lines,
        next: 0,
        line: 0,
        active: vec![None; script.ranges],
        hold: String::new(),
        quiet: parsed.has('n'),
        out: String::new(),
        after: String::new(),
        quit: None,
    };
    let mut together = Vec::new();
    for path in inputs(&operands) {
        let reader = match open(&ctx, &path) {
            Ok(reader) => reader,
            Err(errno) => {
                let message = match errno {
                    vfs::Errno::IsDirectory => format!("couldn't edit {path}: not a regular file"),
                    errno => format!("can't read {path}: {errno}"),
                };
                complain(&ctx, "sed", message).await;
                code = 2;
                continue;
            }
        };
        let mut lines = Lines::new(reader);
        let mut all = Vec::new();
        while let Some(line) = lines.next_text().await {
            all.push(line);
        }
        if !in_place {
            together.extend(all);
            continue;
        }
        let out = new(all).all(&commands);
        if let Err(errno) = ctx.fs.write(&ctx.path(&path), out) {
            complain(&ctx, "sed", format!("couldn't open file {path}: {errno}")).await;
            code = 4;
        }
    }
    if !in_place {
        let mut editor = new(together);
        let out = editor.all(&commands);
        ctx.out(out).await?;
        code = editor.quit.filter(|q| *q != 0).unwrap_or(code);
    }
    Ok(code)
}
