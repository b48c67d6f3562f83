//! `grep`, `egrep`, `fgrep`.

use machine::Ctx;
use regex_lite::{Regex, RegexBuilder};

use super::Outcome;
use super::io::{Lines, complain, open};
use super::options::{Parsed, Spec, parse};
use crate::regexes;

const MATCH_COLOUR: &str = "\x1b[01;31m\x1b[K";
const END_COLOUR: &str = "\x1b[m\x1b[K";

fn compile(name: &str, parsed: &Parsed, patterns: &[String]) -> Option<Regex> {
    let source: Vec<String> = patterns
        .iter()
        .flat_map(|p| p.split('\n'))
        .map(|pattern| {
            let inner = if parsed.has('F') || name == "fgrep" {
                regex_lite::escape(pattern)
            } else if parsed.has('E') || parsed.has('P') || name == "egrep" {
                if parsed.has('P') { pattern.to_owned() } else { regexes::extended(pattern) }
            } else {
                regexes::basic(pattern)
            };
            if parsed.has('x') {
                format!("^(?:{inner})$")
            } else if parsed.has('w') {
                format!(r"(?:^|\b)(?:{inner})(?:\b|$)")
            } else {
                format!("(?:{inner})")
            }
        })
        .collect();
    RegexBuilder::new(&source.join("|")).case_insensitive(parsed.has('i') || parsed.has('y')).build().ok()
}

struct Job<'a> {
    ctx: &'a Ctx,
    regex: Regex,
    parsed: &'a Parsed,
    with_name: bool,
    max: usize,
    before: usize,
    after: usize,
    colour: bool,
}

impl Job<'_> {
    fn prefix(&self, path: &str, number: usize, separator: char) -> String {
        let mut text = String::new();
        if self.with_name {
            text.push_str(if path == "-" { "(standard input)" } else { path });
            text.push(separator);
        }
        if self.parsed.has('n') {
            text.push_str(&format!("{number}{separator}"));
        }
        text
    }

    fn painted(&self, text: &str) -> String {
        if !self.colour || self.parsed.has('v') {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut at = 0;
        for found in self.regex.find_iter(text).filter(|m| !m.is_empty()) {
            out.push_str(&text[at..found.start()]);
            out.push_str(&format!("{MATCH_COLOUR}{}{END_COLOUR}", found.as_str()));
            at = found.end();
        }
        out.push_str(&text[at..]);
        out
    }

    /// Searches one input; true if a line was selected.
    async fn search(&self, path: &str, mut lines: Lines) -> Result<bool, machine::BrokenPipe> {
        let (mut count, mut number, mut owed) = (0, 0, 0);
        let mut last_shown = 0;
        let mut held: Vec<(usize, String)> = Vec::new();
        let quiet = self.parsed.has('q') || self.parsed.has('l') || self.parsed.has('L') || self.parsed.has('c');
        while let Some((text, _)) = lines.next_text().await {
            number += 1;
            if self.regex.is_match(&text) == self.parsed.has('v') {
                if owed > 0 {
                    owed -= 1;
                    last_shown = number;
                    self.ctx.out(format!("{}{text}\n", self.prefix(path, number, '-'))).await?;
                } else if self.before > 0 {
                    held.push((number, text));
                    if held.len() > self.before {
                        held.remove(0);
                    }
                }
                continue;
            }
            count += 1;
            if self.parsed.has('q') || self.parsed.has('l') {
                break;
            }
            if !quiet {
                let first = held.first().map_or(number, |(n, _)| *n);
                if (self.before > 0 || self.after > 0) && last_shown > 0 && first > last_shown + 1 {
                    self.ctx.out("--\n").await?;
                }
                for (n, line) in held.drain(..) {
                    self.ctx.out(format!("{}{line}\n", self.prefix(path, n, '-'))).await?;
                }
                if self.parsed.has('o') {
                    for found in self.regex.find_iter(&text).filter(|m| !m.is_empty()) {
                        let line = format!("{}{}\n", self.prefix(path, number, ':'), self.painted(found.as_str()));
                        self.ctx.out(line).await?;
                    }
                } else {
                    self.ctx.out(format!("{}{}\n", self.prefix(path, number, ':'), self.painted(&text))).await?;
                }
                last_shown = number;
                owed = self.after;
            }
            if count >= self.max {
                break;
            }
        }
        let shown = if path == "-" { "(standard input)" } else { path };
        if self.parsed.has('c') && !self.parsed.has('q') {
            let name = if self.with_name { format!("{shown}:") } else { String::new() };
            self.ctx.out(format!("{name}{count}\n")).await?;
        }
        if (self.parsed.has('l') && count > 0) || (self.parsed.has('L') && count == 0) {
            self.ctx.out(format!("{shown}\n")).await?;
        }
        Ok(count > 0)
    }
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "EFGPivwxcnlLqsohHyrRe:f:m:A:B:C:a",
        long: &[
            ("extended-regexp", 'E'),
            ("fixed-strings", 'F'),
            ("perl-regexp", 'P'),
            ("ignore-case", 'i'),
            ("invert-match", 'v'),
            ("word-regexp", 'w'),
            ("line-regexp", 'x'),
            ("count", 'c'),
            ("line-number", 'n'),
            ("files-with-matches", 'l'),
            ("files-without-match", 'L'),
            ("quiet", 'q'),
            ("silent", 'q'),
            ("no-messages", 's'),
            ("only-matching", 'o'),
            ("no-filename", 'h'),
            ("with-filename", 'H'),
            ("recursive", 'r'),
            ("regexp=", 'e'),
            ("max-count=", 'm'),
            ("after-context=", 'A'),
            ("before-context=", 'B'),
            ("context=", 'C'),
            ("color", 'K'),
            ("colour", 'K'),
            ("color=", 'K'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            let first = message.lines().next().unwrap_or_default();
            let usage =
                format!("{first}\nUsage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.");
            complain(&ctx, &args[0], usage).await;
            return Ok(2);
        }
    };
    let mut patterns: Vec<String> = parsed.values('e').map(str::to_owned).collect();
    let mut operands = parsed.operands.clone();
    if patterns.is_empty() && parsed.value('f').is_none() {
        if operands.is_empty() {
            ctx.err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n").await;
            return Ok(2);
        }
        patterns.push(operands.remove(0));
    }
    if let Some(file) = parsed.value('f') {
        match super::io::read_text(&ctx, file).await {
            Ok(text) => patterns.extend(text.lines().map(str::to_owned)),
            Err(errno) => {
                complain(&ctx, &args[0], format!("{file}: {errno}")).await;
                return Ok(2);
            }
        }
    }
    let Some(regex) = compile(&args[0], &parsed, &patterns) else {
        complain(&ctx, &args[0], "Invalid regular expression").await;
        return Ok(2);
    };
    let number = |letter: char| parsed.value(letter).and_then(|v| v.parse::<usize>().ok());
    let context = number('C').unwrap_or(0);
    let recursive = parsed.has('r') || parsed.has('R');
    let paths = expand(&ctx, &operands, recursive);
    let job = Job {
        ctx: &ctx,
        regex,
        with_name: parsed.has('H') || (!parsed.has('h') && (paths.len() > 1 || recursive)),
        max: number('m').unwrap_or(usize::MAX),
        before: number('B').unwrap_or(context),
        after: number('A').unwrap_or(context),
        colour: match parsed.value('K') {
            Some("always") => true,
            Some("never") => false,
            _ => parsed.has('K') && ctx.stdout.is_tty(),
        },
        parsed: &parsed,
    };
    let (mut found, mut failed) = (false, false);
    for path in paths {
        match open(&ctx, &path) {
            Ok(reader) => found |= job.search(&path, Lines::new(reader)).await?,
            Err(errno) => {
                failed = true;
                if !parsed.has('s') {
                    complain(&ctx, &args[0], format!("{path}: {errno}")).await;
                }
            }
        }
        if found && parsed.has('q') {
            return Ok(0);
        }
    }
    Ok(if failed { 2 } else { i32::from(!found) })
}

fn expand(ctx: &Ctx, operands: &[String], recursive: bool) -> Vec<String> {
    if !recursive {
        return super::io::inputs(operands);
    }
    let mut stack: Vec<String> =
        if operands.is_empty() { vec![".".into()] } else { operands.iter().rev().cloned().collect() };
    let mut files = Vec::new();
    while let Some(path) = stack.pop() {
        if ctx.fs.is_dir(&ctx.path(&path)) {
            for entry in ctx.fs.readdir(&ctx.path(&path)).unwrap_or_default().into_iter().rev() {
                stack.push(if path == "." && operands.is_empty() {
                    entry.name
                } else {
                    format!("{}/{}", path.trim_end_matches('/'), entry.name)
                });
            }
        } else {
            files.push(path);
        }
    }
    files
}
