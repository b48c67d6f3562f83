//! What the Tab key offers.

use crate::builtins::BUILTINS;
use crate::exec::Target;
use crate::shell::Shell;
use crate::text::width;

/// Above this the list is shown only after a question, as readline does.
pub(crate) const LIST_ASKS_ABOVE: usize = 100;

/// The word at the cursor and what could replace it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Completion {
    /// Characters before the cursor that are replaced.
    pub replaces: usize,
    /// What the word can become, in order, without duplicates. Quoted as needed.
    pub candidates: Vec<Candidate>,
}

/// One possibility.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// What is put into the line.
    pub text: String,
    /// What the list shows.
    pub shown: String,
    /// A blank follows when it is the only one.
    pub closes: bool,
}

impl Completion {
    /// The longest text that all candidates begin with.
    pub(crate) fn common(&self) -> String {
        let mut common = self.candidates.first().map(|c| c.text.clone()).unwrap_or_default();
        for candidate in &self.candidates {
            let same = common.chars().zip(candidate.text.chars()).take_while(|(a, b)| a == b).count();
            common = common.chars().take(same).collect();
        }
        common
    }

    /// The list below the line.
    pub(crate) fn list(&self, columns: usize) -> String {
        let names: Vec<String> = self.candidates.iter().map(|c| c.shown.clone()).collect();
        let widths: Vec<usize> = names.iter().map(|n| width(n)).collect();
        crate::tools::grid(&names, &widths, columns)
    }
}

/// Words of the command at the cursor; the last one is unfinished (perhaps empty). Its length as written, and its quote.
struct Split {
    words: Vec<String>,
    raw_length: usize,
    quote: Option<char>,
    /// The last word is the target of a redirection.
    redirected: bool,
}

fn split(line: &str) -> Split {
    let mut words = Vec::new();
    let mut current = String::new();
    let mut raw = 0;
    let mut quote = None;
    let mut redirected = false;
    let mut chars = line.chars().peekable();
    let mut started = false;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => {
                quote = None;
                raw += 1;
            }
            (Some('"') | None, '\\') => {
                raw += 1;
                if let Some(next) = chars.next() {
                    current.push(next);
                    raw += 1;
                }
                started = true;
            }
            (Some(_), c) => {
                current.push(c);
                raw += 1;
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                raw += 1;
                started = true;
            }
            (None, ' ' | '\t' | '\n') => {
                if started {
                    if redirected {
                        current.clear();
                    } else {
                        words.push(std::mem::take(&mut current));
                    }
                    redirected = false;
                }
                (started, raw) = (false, 0);
            }
            (None, '|' | '&' | ';' | '(' | '`') => {
                words.clear();
                current.clear();
                (started, raw, redirected) = (false, 0, false);
            }
            (None, '<' | '>') => {
                current.clear();
                (started, raw, redirected) = (false, 0, true);
            }
            (None, c) => {
                current.push(c);
                raw += 1;
                started = true;
            }
        }
    }
    // `A=1 kubectl`: assignments before the command do not count.
    while words.first().is_some_and(|w| w.split_once('=').is_some_and(|(n, _)| crate::syntax::is_name(n))) {
        words.remove(0);
    }
    words.push(current);
    Split { words, raw_length: raw, quote, redirected }
}

/// Quotes what the shell would read otherwise.
fn protected(text: &str, quote: Option<char>) -> String {
    match quote {
        Some(q) => format!("{q}{text}"),
        None => {
            let mut out = String::new();
            for (i, c) in text.chars().enumerate() {
                if " \t\n\\'\"|&;()<>$`*?[]!{}#".contains(c) && !(c == '#' && i > 0) {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        }
    }
}

/// What could stand at the end of `line`.
pub(crate) async fn complete(shell: &Shell, line: &str) -> Completion {
    let split = split(line);
    let word = split.words.last().cloned().unwrap_or_default();
    let mut completion = Completion { replaces: split.raw_length, candidates: Vec::new() };
    let closing = split.quote.map(String::from).unwrap_or_default();
    if let Some((before, name)) = variable(&word).filter(|_| split.quote != Some('\'')) {
        let names = shell.vars.iter().map(|(n, _)| n).filter(|n| n.starts_with(name));
        completion.candidates = names
            .map(|n| {
                let text = format!("{}{before}{n}", split.quote.map(String::from).unwrap_or_default());
                let text = if before.ends_with('{') { format!("{text}}}") } else { text };
                Candidate { text, shown: n.to_owned(), closes: split.quote.is_none() }
            })
            .collect();
        return completion;
    }
    let first = split.words.len() == 1 && !split.redirected;
    let mut plain: Vec<String> = Vec::new();
    if first && !word.contains('/') {
        plain = commands(shell, &word);
    } else if !first && !split.redirected {
        plain = arguments(shell, &split.words).await;
    }
    let files = plain.is_empty();
    plain.sort();
    plain.dedup();
    completion.candidates = if files {
        paths(shell, &word, first, split.quote)
    } else {
        let candidate = |text: String| {
            let open = text.ends_with(['=', '/', ':', ',']);
            let end = if open { String::new() } else { closing.clone() };
            Candidate { text: protected(&text, split.quote) + &end, shown: text, closes: !open }
        };
        plain.into_iter().map(candidate).collect()
    };
    completion
}

/// `$NA` and `${NA` at the end of a word.
fn variable(word: &str) -> Option<(&str, &str)> {
    let at = word.rfind('$')?;
    let rest = &word[at + 1..];
    let name = rest.strip_prefix('{').unwrap_or(rest);
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then(|| word.split_at(word.len() - name.len()))
}

fn commands(shell: &Shell, prefix: &str) -> Vec<String> {
    let builtins = BUILTINS.iter().map(|b| b.name);
    let functions = shell.functions.keys().map(String::as_str);
    let aliases = shell.aliases.keys().map(String::as_str);
    let all = builtins.chain(functions).chain(aliases).chain(shell.base.programs.names());
    all.filter(|n| n.starts_with(prefix) && !matches!(*n, "." | ":" | "[")).map(str::to_owned).collect()
}

/// What the program itself offers. `sudo kubectl ...` is kubectl's affair.
async fn arguments(shell: &Shell, words: &[String]) -> Vec<String> {
    let mut words = words;
    while words.len() > 2 && matches!(words[0].as_str(), "sudo" | "watch" | "time" | "command" | "xargs" | "env") {
        words = &words[1..];
    }
    let mut words = words.to_vec();
    if let Some(text) = shell.aliases.get(&words[0]) {
        words.splice(0..1, text.split_whitespace().map(str::to_owned));
    }
    if words.len() == 2 && matches!(words[0].as_str(), "sudo" | "watch" | "command" | "type" | "which" | "help") {
        return commands(shell, &words[1]);
    }
    if matches!(words[0].as_str(), "export" | "unset" | "readonly" | "declare") {
        let last = words.last().cloned().unwrap_or_default();
        return shell.vars.iter().map(|(n, _)| n.to_owned()).filter(|n| n.starts_with(&last)).collect();
    }
    let Some(Target::Program(program, _)) = shell.find_program(&words[0]) else { return Vec::new() };
    let mut ctx = shell.context(shell.vars.environment());
    // Nothing of a completion may be seen.
    ctx.stdout = machine::Writer::null();
    ctx.stderr = machine::Writer::null();
    ctx.stdin = machine::Reader::empty();
    let last = words.last().cloned().unwrap_or_default();
    let mut found = program.complete(ctx, words).await;
    found.retain(|c| c.starts_with(&last));
    found
}

fn paths(shell: &Shell, word: &str, executable: bool, quote: Option<char>) -> Vec<Candidate> {
    let (dir, prefix) = match word.rfind('/') {
        Some(at) => word.split_at(at + 1),
        None => ("", word),
    };
    let home = shell.vars.scalar("HOME").unwrap_or("/");
    let real = match dir.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None if dir.is_empty() => ".".into(),
        None => dir.to_owned(),
    };
    let view = shell.fs.at(&shell.cwd);
    let mut found = Vec::new();
    for entry in view.readdir(&real).unwrap_or_default() {
        if !entry.name.starts_with(prefix) || (entry.name.starts_with('.') && !prefix.starts_with('.')) {
            continue;
        }
        let path = format!("{}/{}", real.trim_end_matches('/'), entry.name);
        let is_dir = view.is_dir(&path);
        if executable && !is_dir && view.access(&path, 1).is_err() {
            continue;
        }
        let slash = if is_dir { "/" } else { "" };
        let end = if is_dir { String::new() } else { quote.map(String::from).unwrap_or_default() };
        let name = if quote.is_none() && dir.starts_with("~/") {
            format!("{dir}{}", protected(&entry.name, None))
        } else {
            protected(&format!("{dir}{}", entry.name), quote)
        };
        found.push(Candidate {
            text: format!("{name}{slash}{end}"),
            shown: format!("{}{slash}", entry.name),
            closes: !is_dir,
        });
    }
    found
}
