//! sed: s, p, d, q, =, a, i, c, y, n, addresses and ranges.

use crate::applet::{Fail, Io, Options, Outcome, cannot, lines, open, read_all};
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

struct Editor<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
    quiet: bool,
    /// Which ranges are open.
    active: std::collections::BTreeMap<usize, bool>,
    out: String,
    after: Vec<String>,
}

enum Then {
    Go,
    Drop,
    Quit,
}

impl Editor<'_> {
    fn matches(&self, address: &Address, line: &str) -> bool {
        match address {
            Address::Line(number) => self.at + 1 == *number,
            Address::Last => self.at + 1 == self.lines.len(),
            Address::Match(regex) => regex.is_match(line),
        }
    }

    fn selected(&mut self, instruction: &Instruction, line: &str) -> bool {
        let Some(from) = &instruction.from else { return !instruction.negated };
        let Some(to) = &instruction.to else { return self.matches(from, line) != instruction.negated };
        let open = self.active.get(&instruction.number).copied().unwrap_or(false);
        let inside = if open {
            let ends = match to {
                Address::Line(number) => self.at + 1 >= *number,
                other => self.matches(other, line),
            };
            self.active.insert(instruction.number, !ends);
            true
        } else {
            let starts = self.matches(from, line);
            let over = matches!(to, Address::Line(number) if self.at + 1 >= *number);
            self.active.insert(instruction.number, starts && !over);
            starts
        };
        inside != instruction.negated
    }

    fn apply(&mut self, script: &[Instruction], line: &mut String) -> Then {
        for instruction in script {
            if !self.selected(instruction, line) {
                continue;
            }
            match &instruction.action {
                Action::Substitute { regex, with, global, print, nth } => {
                    if let Some(new) = substitute(line, regex, with, *global, *nth) {
                        *line = new;
                        if *print {
                            self.out.push_str(&format!("{line}\n"));
                        }
                    }
                }
                Action::Translate(from, to) => {
                    *line = line
                        .chars()
                        .map(|c| from.iter().position(|f| *f == c).and_then(|i| to.get(i)).copied().unwrap_or(c))
                        .collect();
                }
                Action::Print => self.out.push_str(&format!("{line}\n")),
                Action::Number => self.out.push_str(&format!("{}\n", self.at + 1)),
                Action::Insert(text) => self.out.push_str(&format!("{text}\n")),
                Action::Append(text) => self.after.push(text.clone()),
                Action::Change(text) => {
                    self.out.push_str(&format!("{text}\n"));
                    return Then::Drop;
                }
                Action::Delete => return Then::Drop,
                Action::Quit => return Then::Quit,
                Action::Next => {
                    if !self.quiet {
                        self.out.push_str(&format!("{line}\n"));
                    }
                    if self.at + 1 >= self.lines.len() {
                        return Then::Drop;
                    }
                    self.at += 1;
                    *line = String::from_utf8_lossy(self.lines[self.at]).into_owned();
                }
                Action::Block(inner) => match self.apply(inner, line) {
                    Then::Go => {}
                    other => return other,
                },
            }
        }
        Then::Go
    }

    fn run(mut self, script: &[Instruction], ends_with_newline: bool) -> String {
        while self.at < self.lines.len() {
            let mut line = String::from_utf8_lossy(self.lines[self.at]).into_owned();
            let then = self.apply(script, &mut line);
            if !self.quiet && !matches!(then, Then::Drop) {
                self.out.push_str(&line);
                self.out.push('\n');
            }
            for text in std::mem::take(&mut self.after) {
                self.out.push_str(&format!("{text}\n"));
            }
            if matches!(then, Then::Quit) {
                return self.out;
            }
            self.at += 1;
        }
        if !ends_with_newline && self.out.ends_with('\n') {
            self.out.pop();
        }
        self.out
    }
}

fn edit(script: &[Instruction], bytes: &[u8], quiet: bool) -> String {
    let editor = Editor {
        lines: lines(bytes),
        at: 0,
        quiet,
        active: std::collections::BTreeMap::new(),
        out: String::new(),
        after: Vec::new(),
    };
    editor.run(script, bytes.ends_with(b"\n") || bytes.is_empty())
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
            std::fs::write(file, edit(&script, &bytes, quiet))?;
        }
        return Ok(0);
    }
    let mut bytes = Vec::new();
    let mut status = 0;
    if options.operands.is_empty() {
        bytes = read_all(io.input)?;
    }
    for file in &options.operands {
        match open(file).map_err(Fail::Io).and_then(|mut f| read_all(&mut f)) {
            Ok(more) => bytes.extend(more),
            Err(Fail::Io(error)) => {
                writeln!(io.err, "sed: {}: {}", file, proc::Errno::from_io(&error))?;
                status = 1;
            }
            Err(other) => return Err(other),
        }
    }
    io.out.write_all(edit(&script, &bytes, quiet).as_bytes())?;
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
