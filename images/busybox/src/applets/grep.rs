//! grep, egrep, fgrep.

use std::collections::VecDeque;
use std::io::{Read, Write};

use crate::applet::{Fail, Io, Lines, Options, Outcome, about, cannot, open};
use crate::regex::Regex;

/// `grep -E`.
pub fn egrep(io: &mut Io<'_>, args: &[String]) -> Outcome {
    run_as(io, args, 'E')
}

/// `grep -F`.
pub fn fgrep(io: &mut Io<'_>, args: &[String]) -> Outcome {
    run_as(io, args, 'F')
}

/// Prints the lines that match.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    run_as(io, args, 'G')
}

struct Search<'o> {
    options: &'o Options,
    patterns: Vec<Regex>,
    named: bool,
    before: usize,
    after: usize,
    limit: usize,
}

fn run_as(io: &mut Io<'_>, args: &[String], kind: char) -> Outcome {
    let long = [
        ("color", '_'),
        ("colour", '_'),
        ("ignore-case", 'i'),
        ("invert-match", 'v'),
        ("count", 'c'),
        ("recursive", 'r'),
        ("line-number", 'n'),
        ("quiet", 'q'),
        ("only-matching", 'o'),
    ];
    let spec = "ivnclLqowxhHsrREFGPe:f:m:A:B:C:_";
    let usage = |fail| match fail {
        Fail::Message(message) => Fail::Status(2, message),
        other => other,
    };
    let mut options = Options::parse(&args[1..], spec, &long).map_err(usage)?;
    let mut texts: Vec<String> = options.values('e').map(str::to_owned).collect();
    if let Some(file) = options.value('f') {
        let text = std::fs::read_to_string(file).map_err(|e| Fail::Status(2, cannot("open", file, &e)))?;
        texts.extend(text.lines().map(str::to_owned));
    }
    if texts.is_empty() && options.value('f').is_none() {
        if options.operands.is_empty() {
            return Err(Fail::Status(2, "missing pattern".to_owned()));
        }
        texts.push(options.operands.remove(0));
    }
    let extended = kind == 'E' || options.has('E') || options.has('P');
    let fixed = kind == 'F' || options.has('F');
    let mut patterns = Vec::new();
    for text in texts.iter().flat_map(|t| t.split('\n')) {
        patterns.push(
            pattern(text, fixed, extended, &options)
                .map_err(|m| Fail::Status(2, format!("bad regex '{text}': {m}")))?,
        );
    }
    let context = |letter| {
        Ok::<_, Fail>(
            options.number(letter)?.or(options.number('C')?).and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
        )
    };
    let recursive = options.has('r') || options.has('R');
    let mut files = options.operands.clone();
    if files.is_empty() {
        files.push(if recursive { "." } else { "-" }.to_owned());
    }
    let named = !options.has('h') && (options.has('H') || recursive || files.len() > 1);
    let limit = options.number('m')?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let search = Search { options: &options, patterns, named, before: context('B')?, after: context('A')?, limit };
    let (mut found, mut failed) = (false, false);
    let mut queue: VecDeque<String> = files.into();
    while let Some(file) = queue.pop_front() {
        if recursive && std::fs::metadata(&file).is_ok_and(|m| m.is_dir()) {
            for path in children(&file).into_iter().rev() {
                queue.push_front(path);
            }
            continue;
        }
        let result = if file == "-" {
            search.file(io.out, &file, io.input)
        } else {
            open(&file).map_err(Fail::Io).and_then(|mut opened| search.file(io.out, &file, &mut opened))
        };
        match result {
            Ok(selected) => found |= selected,
            Err(Fail::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => return Err(Fail::Io(error)),
            Err(Fail::Io(error)) => {
                failed = true;
                if !options.has('s') {
                    io.out.flush()?;
                    writeln!(io.err, "grep: {}", about(&file, &error))?;
                }
            }
            Err(other) => return Err(other),
        }
        if found && options.has('q') {
            return Ok(0);
        }
    }
    Ok(if failed { 2 } else { i32::from(!found) })
}

fn pattern(text: &str, fixed: bool, extended: bool, options: &Options) -> Result<Regex, String> {
    let ignore_case = options.has('i');
    if fixed && !options.has('w') && !options.has('x') {
        return Ok(Regex::fixed(text, ignore_case));
    }
    let body = if fixed {
        text.chars().map(|c| if c.is_alphanumeric() { c.to_string() } else { format!("[{c}]") }).collect()
    } else {
        text.to_owned()
    };
    let (open, close) = if extended { ("(", ")") } else { ("\\(", "\\)") };
    let body = if options.has('x') {
        format!("^{open}{body}{close}$")
    } else if options.has('w') {
        format!("\\b{open}{body}{close}\\b")
    } else {
        body
    };
    Regex::new(&body, extended, ignore_case)
}

fn children(folder: &str) -> Vec<String> {
    let mut paths: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(format!("{}/{}", folder.trim_end_matches('/'), e.ok()?.file_name().to_string_lossy())))
        .collect();
    paths.sort();
    paths
}

impl Search<'_> {
    /// Searches one file; true if a line was selected.
    fn file(&self, out: &mut dyn Write, file: &str, input: &mut dyn Read) -> Result<bool, Fail> {
        let name = if file == "-" { "(standard input)" } else { file };
        let (mut count, mut printed_to, mut pending) = (0, 0, 0);
        let mut earlier: VecDeque<String> = VecDeque::new();
        let mut lines = Lines::new(input);
        let mut number = 0..;
        while let (Some(line), Some(i)) = (lines.next()?, number.next()) {
            let text = String::from_utf8_lossy(&line).into_owned();
            let chars: Vec<char> = text.chars().collect();
            let matched = self.patterns.iter().any(|p| p.find(&chars, 0).is_some());
            if matched == self.options.has('v') {
                if pending > 0 {
                    pending -= 1;
                    self.line(out, name, i, '-', &text)?;
                    printed_to = i + 1;
                }
                earlier.push_back(text);
                if earlier.len() > self.before {
                    earlier.pop_front();
                }
                continue;
            }
            count += 1;
            if self.options.has('q') {
                return Ok(true);
            }
            if self.options.has('l') || self.options.has('c') || self.options.has('L') {
                if count >= self.limit {
                    break;
                }
                continue;
            }
            if self.options.has('o') {
                self.only(out, name, i, &chars)?;
            } else {
                let start = (i - earlier.len()).max(printed_to);
                if (self.before > 0 || self.after > 0) && printed_to > 0 && start > printed_to {
                    writeln!(out, "--")?;
                }
                let skipped = start - (i - earlier.len());
                for (j, before) in earlier.iter().enumerate().skip(skipped) {
                    self.line(out, name, i - earlier.len() + j, '-', before)?;
                }
                earlier.clear();
                self.line(out, name, i, ':', &text)?;
                printed_to = i + 1;
                pending = self.after;
            }
            if count >= self.limit {
                break;
            }
        }
        if self.options.has('c') {
            let prefix = if self.named { format!("{name}:") } else { String::new() };
            writeln!(out, "{prefix}{count}")?;
        } else if (self.options.has('l') && count > 0) || (self.options.has('L') && count == 0) {
            writeln!(out, "{name}")?;
        }
        Ok(count > 0)
    }

    fn line(&self, out: &mut dyn Write, name: &str, index: usize, sign: char, text: &str) -> Result<(), Fail> {
        if self.named {
            write!(out, "{name}{sign}")?;
        }
        if self.options.has('n') {
            write!(out, "{}{sign}", index + 1)?;
        }
        writeln!(out, "{text}")?;
        // A reader may wait for the next line of a log.
        Ok(out.flush()?)
    }

    fn only(&self, out: &mut dyn Write, name: &str, index: usize, chars: &[char]) -> Result<(), Fail> {
        let mut at = 0;
        while at <= chars.len() {
            let first = self.patterns.iter().filter_map(|p| p.find(chars, at).and_then(|g| g[0])).min();
            let Some((from, to)) = first else { break };
            if to > from {
                self.line(out, name, index, ':', &chars[from..to].iter().collect::<String>())?;
            }
            at = to.max(from + 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn grep() {
        let text = "alpha\nbeta\nGamma\n";
        check("grep", &["a$"], text, "alpha\nbeta\nGamma\n");
        check("grep", &["-n", "et"], text, "2:beta\n");
        check("grep", &["-i", "GAMMA"], text, "Gamma\n");
        check("grep", &["-v", "a$"], "a\nb\n", "b\n");
        check("grep", &["-c", "a"], text, "3\n");
        check("grep", &["-o", "[a-z]*ta"], text, "beta\n");
        check("grep", &["-E", "^(al|be)"], text, "alpha\nbeta\n");
        check("egrep", &["alpha|Gamma"], text, "alpha\nGamma\n");
        check("fgrep", &["a.b"], "axb\na.b\n", "a.b\n");
        check("grep", &["-w", "foo"], "foobar\na foo b\n", "a foo b\n");
        check("grep", &["-A1", "al"], text, "alpha\nbeta\n");
        check("grep", &["-n", "-B1", "[2478]"], "1\n2\n3\n4\n5\n6\n7\n8\n", "1-1\n2:2\n3-3\n4:4\n--\n6-6\n7:7\n8:8\n");
        check("grep", &["-C1", "-m1", "2"], "1\n2\n3\n2\n", "1\n2\n");
        assert_eq!(run("grep", &["zzz"], text), (1, String::new(), String::new()));
        assert_eq!(run("grep", &["-q", "beta"], text), (0, String::new(), String::new()));
        assert_eq!(run("grep", &["x", "/nonexistent"], "").2, "grep: /nonexistent: No such file or directory\n");
    }
}
