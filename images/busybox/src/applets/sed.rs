//! sed: s, p, d, q, =, a, i, c, y, n, addresses and ranges.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use crate::applet::{Fail, Io, Lines, Options, Outcome, about, cannot, open};
use crate::regex::Regex;

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

#[derive(Clone, Debug)]
enum Action {
    Substitute { regex: Regex, with: Vec<char>, global: bool, print: bool, nth: usize },
    Translate(Vec<char>, Vec<char>),
    Print,
    Delete,
    Quit,
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Next,
    Block(Vec<Instruction>),
}

#[derive(Clone, Debug)]
struct Instruction {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    number: usize,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    count: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, what: &str) {
        while self.peek().is_some_and(|c| what.contains(c)) {
            self.at += 1;
        }
    }

    fn list(&mut self, inner: bool) -> Result<Vec<Instruction>, String> {
        let mut all = Vec::new();
        loop {
            self.skip(" \t\n;");
            match self.peek() {
                None if inner => return Err("unmatched {".to_owned()),
                None => return Ok(all),
                Some('}') if inner => {
                    self.at += 1;
                    return Ok(all);
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1
                    }
                }
                Some(_) => all.push(self.instruction()?),
            }
        }
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        match self.peek() {
            Some('$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some(c) if c.is_ascii_digit() => {
                let start = self.at;
                self.skip("0123456789");
                let text: String = self.chars[start..self.at].iter().collect();
                Ok(Some(Address::Line(text.parse().unwrap_or(0))))
            }
            Some('/') => {
                self.at += 1;
                let text = self.until('/')?;
                let ignore = self.peek() == Some('I');
                self.at += usize::from(ignore);
                Ok(Some(Address::Match(Regex::new(&text, self.extended, ignore)?)))
            }
            _ => Ok(None),
        }
    }

    /// Text up to a delimiter; an escaped delimiter is the delimiter itself.
    fn until(&mut self, end: char) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or("unterminated expression")?;
            self.at += 1;
            if c == end {
                return Ok(text);
            }
            if c == '\\' {
                let next = self.peek().ok_or("unterminated expression")?;
                self.at += 1;
                if next != end {
                    text.push('\\');
                }
                text.push(next);
            } else {
                text.push(c);
            }
        }
    }

    fn instruction(&mut self) -> Result<Instruction, String> {
        let from = self.address()?;
        let mut to = None;
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            to = self.address()?;
            if to.is_none() {
                return Err("no address after comma".to_owned());
            }
        }
        self.skip(" \t");
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
            self.skip(" \t");
        }
        let command = self.peek().ok_or("missing command")?;
        self.at += 1;
        let action = match command {
            's' => self.substitute()?,
            'y' => {
                let end = self.peek().ok_or("unterminated expression")?;
                self.at += 1;
                let (from, to) = (self.until(end)?, self.until(end)?);
                Action::Translate(from.chars().collect(), to.chars().collect())
            }
            'p' => Action::Print,
            'd' => Action::Delete,
            'q' => Action::Quit,
            '=' => Action::Number,
            'n' => Action::Next,
            'a' => Action::Append(self.text()),
            'i' => Action::Insert(self.text()),
            'c' => Action::Change(self.text()),
            '{' => Action::Block(self.list(true)?),
            other @ ('h' | 'H' | 'g' | 'G' | 'x' | 'N' | 'D' | 'P' | 'b' | 't' | 'T' | ':' | 'r' | 'w' | 'l') => {
                return Err(format!("kubonsai does not support the command {other} (sed) yet"));
            }
            other => return Err(format!("unsupported command {other}")),
        };
        self.count += 1;
        Ok(Instruction { from, to, negated, action, number: self.count })
    }

    fn text(&mut self) -> String {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(" \t");
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let start = self.at;
        while self.peek().is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn substitute(&mut self) -> Result<Action, String> {
        let end = self.peek().ok_or("unterminated s")?;
        self.at += 1;
        let (pattern, with) = (self.until(end)?, self.until(end)?);
        let (mut global, mut print, mut ignore, mut nth) = (false, false, false, 1);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('I' | 'i') => ignore = true,
                Some(c) if c.is_ascii_digit() => nth = c.to_digit(10).unwrap_or(1) as usize,
                _ => break,
            }
            self.at += 1;
        }
        let regex = Regex::new(&pattern, self.extended, ignore)?;
        Ok(Action::Substitute { regex, with: with.chars().collect(), global, print, nth })
    }
}

/// The replacement with `&` and `\1` filled in.
fn fill(with: &[char], text: &[char], groups: &[Option<(usize, usize)>], out: &mut String) {
    let group = |n: usize| groups.get(n).copied().flatten().map_or(&[][..], |(from, to)| &text[from..to]);
    let mut i = 0;
    while i < with.len() {
        match (with[i], with.get(i + 1)) {
            ('\\', Some(digit @ '0'..='9')) => {
                out.extend(group(*digit as usize - '0' as usize));
                i += 1;
            }
            ('\\', Some('n')) => {
                out.push('\n');
                i += 1;
            }
            ('\\', Some('t')) => {
                out.push('\t');
                i += 1;
            }
            ('\\', Some(c)) => {
                out.push(*c);
                i += 1;
            }
            ('&', _) => out.extend(group(0)),
            (c, _) => out.push(c),
        }
        i += 1;
    }
}

fn substitute(line: &str, regex: &Regex, with: &[char], global: bool, nth: usize) -> Option<String> {
    let chars: Vec<char> = line.chars().collect();
    let (mut out, mut at, mut count, mut changed) = (String::new(), 0, 0, false);
    while at <= chars.len() {
        let Some(groups) = regex.find(&chars, at) else { break };
        let Some((from, to)) = groups[0] else { break };
        out.extend(&chars[at..from]);
        count += 1;
        if count == nth || (global && count >= nth) {
            fill(with, &chars, &groups, &mut out);
            changed = true;
        } else {
            out.extend(&chars[from..to]);
        }
        at = to;
        if to == from {
            out.extend(chars.get(to));
            at += 1;
        }
        if changed && !global {
            break;
        }
    }
    out.extend(chars.get(at..).unwrap_or(&[]));
    changed.then_some(out)
}

/// Edits lines as they come; only `$` waits for the next one.
struct Editor<'a> {
    lines: Lines<'a>,
    out: &'a mut dyn Write,
    quiet: bool,
    /// The number of the line, from 1.
    number: usize,
    /// A line that was read to see whether there is one, and whether it had an end.
    next: Option<(String, bool)>,
    /// Whether the line at hand had an end.
    terminated: bool,
    /// Which ranges are open.
    active: BTreeMap<usize, bool>,
    after: Vec<String>,
    /// A line without an end was written.
    open_end: bool,
}

enum Then {
    Go,
    Drop,
    Quit,
}

impl Editor<'_> {
    fn take(&mut self) -> Result<Option<String>, Fail> {
        let taken = match self.next.take() {
            Some(taken) => Some(taken),
            None => self.lines.next()?.map(|l| (String::from_utf8_lossy(&l).into_owned(), self.lines.terminated)),
        };
        Ok(taken.map(|(line, terminated)| {
            self.number += 1;
            self.terminated = terminated;
            line
        }))
    }

    fn is_last(&mut self) -> Result<bool, Fail> {
        if self.next.is_none() {
            self.next = self.lines.next()?.map(|l| (String::from_utf8_lossy(&l).into_owned(), self.lines.terminated));
        }
        Ok(self.next.is_none())
    }

    fn print(&mut self, text: &str) -> Result<(), Fail> {
        let gap = if std::mem::take(&mut self.open_end) { "\n" } else { "" };
        self.open_end = !self.terminated;
        let end = if self.terminated { "\n" } else { "" };
        Ok(write!(self.out, "{gap}{text}{end}")?)
    }

    fn matches(&mut self, address: &Address, line: &str) -> Result<bool, Fail> {
        Ok(match address {
            Address::Line(number) => self.number == *number,
            Address::Last => self.is_last()?,
            Address::Match(regex) => regex.is_match(line),
        })
    }

    fn selected(&mut self, instruction: &Instruction, line: &str) -> Result<bool, Fail> {
        let Some(from) = &instruction.from else { return Ok(!instruction.negated) };
        let Some(to) = &instruction.to else { return Ok(self.matches(from, line)? != instruction.negated) };
        let open = self.active.get(&instruction.number).copied().unwrap_or(false);
        let inside = if open {
            let ends = match to {
                Address::Line(number) => self.number >= *number,
                other => self.matches(other, line)?,
            };
            self.active.insert(instruction.number, !ends);
            true
        } else {
            let starts = self.matches(from, line)?;
            let over = matches!(to, Address::Line(number) if self.number >= *number);
            self.active.insert(instruction.number, starts && !over);
            starts
        };
        Ok(inside != instruction.negated)
    }

    fn apply(&mut self, script: &[Instruction], line: &mut String) -> Result<Then, Fail> {
        for instruction in script {
            if !self.selected(instruction, line)? {
                continue;
            }
            match &instruction.action {
                Action::Substitute { regex, with, global, print, nth } => {
                    if let Some(new) = substitute(line, regex, with, *global, *nth) {
                        *line = new;
                        if *print {
                            self.print(line)?;
                        }
                    }
                }
                Action::Translate(from, to) => {
                    let translated =
                        |c| from.iter().position(|f| *f == c).and_then(|i| to.get(i)).copied().unwrap_or(c);
                    *line = line.chars().map(translated).collect();
                }
                Action::Print => self.print(line)?,
                Action::Number => writeln!(self.out, "{}", self.number)?,
                Action::Insert(text) => writeln!(self.out, "{text}")?,
                Action::Append(text) => self.after.push(text.clone()),
                Action::Change(text) => {
                    writeln!(self.out, "{text}")?;
                    return Ok(Then::Drop);
                }
                Action::Delete => return Ok(Then::Drop),
                Action::Quit => return Ok(Then::Quit),
                Action::Next => {
                    if !self.quiet {
                        self.print(line)?;
                    }
                    match self.take()? {
                        Some(next) => *line = next,
                        None => return Ok(Then::Drop),
                    }
                }
                Action::Block(inner) => match self.apply(inner, line)? {
                    Then::Go => {}
                    other => return Ok(other),
                },
            }
        }
        Ok(Then::Go)
    }

    fn run(mut self, script: &[Instruction]) -> Result<(), Fail> {
        while let Some(mut line) = self.take()? {
            let then = self.apply(script, &mut line)?;
            if !self.quiet && !matches!(then, Then::Drop) {
                self.print(&line)?;
            }
            for text in std::mem::take(&mut self.after) {
                let gap = if std::mem::take(&mut self.open_end) { "\n" } else { "" };
                writeln!(self.out, "{gap}{text}")?;
            }
            self.out.flush()?;
            if matches!(then, Then::Quit) {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn edit(script: &[Instruction], input: &mut dyn Read, out: &mut dyn Write, quiet: bool) -> Result<(), Fail> {
    let editor = Editor {
        lines: Lines::new(input),
        out,
        quiet,
        number: 0,
        next: None,
        terminated: true,
        active: BTreeMap::new(),
        after: Vec::new(),
        open_end: false,
    };
    editor.run(script)
}

/// Edits lines.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut options = Options::parse(
        &args[1..],
        "nErie:f:s",
        &[("quiet", 'n'), ("silent", 'n'), ("regexp-extended", 'E'), ("in-place", 'i'), ("expression", 'e')],
    )?;
    let mut script: Vec<String> = options.values('e').map(str::to_owned).collect();
    if let Some(file) = options.value('f') {
        script.push(std::fs::read_to_string(file).map_err(|e| Fail::Message(cannot("open", file, &e)))?);
    }
    if script.is_empty() {
        if options.operands.is_empty() {
            return Err(Fail::Message("missing script".to_owned()));
        }
        script.push(options.operands.remove(0));
    }
    let extended = options.has('E') || options.has('r');
    let mut parser = Parser { chars: script.join("\n").chars().collect(), at: 0, extended, count: 0 };
    let script = parser.list(false)?;
    let quiet = options.has('n');
    if options.has('i') {
        for file in &options.operands {
            let bytes = std::fs::read(file).map_err(|e| Fail::Message(cannot("open", file, &e)))?;
            let mut edited = Vec::new();
            edit(&script, &mut bytes.as_slice(), &mut edited, quiet)?;
            std::fs::write(file, edited)?;
        }
        return Ok(0);
    }
    if options.operands.is_empty() {
        edit(&script, io.input, io.out, quiet)?;
        return Ok(0);
    }
    // All files are one input: line numbers go on, and `$` is the last line of the last.
    let mut all: Box<dyn Read> = Box::new(std::io::empty());
    let mut status = 0;
    for file in &options.operands {
        match open(file) {
            Ok(opened) => all = Box::new(all.chain(opened)),
            Err(error) => {
                writeln!(io.err, "sed: {}", about(file, &error))?;
                status = 1;
            }
        }
    }
    edit(&script, &mut all, io.out, quiet)?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn sed() {
        check("sed", &["s/a/X/"], "aa\nb\n", "Xa\nb\n");
        check("sed", &["s/a/X/g"], "aa\n", "XX\n");
        check("sed", &["-E", "s/(a+)(b)/\\2-\\1&/"], "xaab\n", "xb-aaaab\n");
        check("sed", &["-n", "2p"], "a\nb\nc\n", "b\n");
        check("sed", &["-n", "/b/,$p"], "a\nb\nc\n", "b\nc\n");
        check("sed", &["2d;$d"], "a\nb\nc\n", "a\n");
        check("sed", &["s|/a|/b|; s,x,y,"], "/a/x\n", "/b/y\n");
        check("sed", &["2q"], "a\nb\nc\n", "a\nb\n");
        check("sed", &["/b/!d"], "a\nb\n", "b\n");
        check("sed", &["1i\\top\n$a end"], "a\n", "top\na\nend\n");
        check("sed", &["y/ab/xy/"], "aabb", "xxyy");
        check("sed", &["s/x*/-/g"], "abc\n", "-a-b-c-\n");
        assert_eq!(run("sed", &["N;P"], "").2, "sed: kubonsai does not support the command N (sed) yet\n");
    }
}
