//! `sort`.

use std::cmp::Ordering;

use machine::Ctx;

use super::Outcome;
use super::io::{complain, inputs, read_text};
use super::options::{Spec, parse};

#[derive(Clone, Debug, Default)]
struct Key {
    /// Field and character, from 1.
    start: (usize, usize),
    end: Option<(usize, usize)>,
    flags: String,
}

/// `2`, `2,2`, `2.3n,4`.
fn key(text: &str) -> Option<Key> {
    let position = |text: &str| -> Option<((usize, usize), String)> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (field, char) = digits.split_once('.').unwrap_or((digits, "0"));
        Some(((field.parse().ok()?, char.parse().ok()?), text[digits.len()..].to_owned()))
    };
    let (start, end) = match text.split_once(',') {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let (start, mut flags) = position(start)?;
    let end = match end.map(position) {
        None => None,
        Some(None) => return None,
        Some(Some((end, more))) => {
            flags.push_str(&more);
            Some(end)
        }
    };
    (start.0 > 0).then_some(Key { start, end, flags })
}

/// Where each field starts and ends. Without a separator the blanks before a field belong to it.
fn fields(line: &str, separator: Option<char>) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    match separator {
        Some(c) => {
            let mut from = 0;
            for (at, _) in line.match_indices(c) {
                out.push((from, at));
                from = at + c.len_utf8();
            }
            out.push((from, line.len()));
        }
        None => {
            let mut from = 0;
            let mut seen = false;
            for (at, c) in line.char_indices() {
                let blank = c == ' ' || c == '\t';
                if blank && seen {
                    out.push((from, at));
                    from = at;
                    seen = false;
                }
                seen |= !blank;
            }
            out.push((from, line.len()));
        }
    }
    out
}

impl Key {
    fn of<'l>(&self, line: &'l str, separator: Option<char>) -> &'l str {
        let fields = fields(line, separator);
        let Some((from, end_of_field)) = fields.get(self.start.0 - 1).copied() else { return "" };
        let mut from = from;
        if self.flags.contains('b') || self.flags.contains('n') {
            from += line[from..end_of_field].len() - line[from..end_of_field].trim_start_matches([' ', '\t']).len();
        }
        let skip = self.start.1.saturating_sub(1);
        let from = line[from..].char_indices().nth(skip).map_or(line.len(), |(i, _)| from + i);
        let to = match self.end {
            None => line.len(),
            Some((field, char)) => match fields.get(field.saturating_sub(1)) {
                None => line.len(),
                Some((_, end)) if char == 0 => *end,
                Some((start, _)) => line[*start..].char_indices().nth(char).map_or(line.len(), |(i, _)| start + i),
            },
        };
        &line[from..to.max(from)]
    }
}

fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*c == '-' && *i == 0)))
        .map_or(text.len(), |(i, _)| i);
    text[..end].parse().unwrap_or(0.0)
}

fn human(text: &str) -> f64 {
    let unit = text.trim().chars().find(char::is_ascii_alphabetic);
    let power = unit.and_then(|u| "KMGTPE".find(u.to_ascii_uppercase())).map_or(0, |i| i + 1);
    number(text) * 1024_f64.powi(i32::try_from(power).unwrap_or(0))
}

/// Version order: runs of digits compare as numbers.
fn version(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |s: &str| s.find(|c: char| c.is_ascii_digit()).unwrap_or(s.len());
        let (i, j) = (text(a), text(b));
        match a[..i].cmp(&b[..j]) {
            Ordering::Equal => {}
            other => return other,
        }
        (a, b) = (&a[i..], &b[j..]);
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (i, j) = (digits(a), digits(b));
        let value = |s: &str| s.parse::<u128>().unwrap_or(0);
        match value(&a[..i]).cmp(&value(&b[..j])) {
            Ordering::Equal if i == 0 && j == 0 => return Ordering::Equal,
            Ordering::Equal => {}
            other => return other,
        }
        (a, b) = (&a[i..], &b[j..]);
    }
}

fn compare(a: &str, b: &str, flags: &str) -> Ordering {
    let ordering = if flags.contains('n') {
        number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal)
    } else if flags.contains('h') {
        human(a).partial_cmp(&human(b)).unwrap_or(Ordering::Equal)
    } else if flags.contains('V') {
        version(a, b)
    } else if flags.contains('f') {
        a.to_uppercase().cmp(&b.to_uppercase())
    } else {
        a.cmp(b)
    };
    if flags.contains('r') { ordering.reverse() } else { ordering }
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "nrufVhbsck:t:o:z",
        long: &[
            ("numeric-sort", 'n'),
            ("reverse", 'r'),
            ("unique", 'u'),
            ("ignore-case", 'f'),
            ("version-sort", 'V'),
            ("human-numeric-sort", 'h'),
            ("key=", 'k'),
            ("field-separator=", 't'),
            ("output=", 'o'),
            ("stable", 's'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "sort", message).await;
            return Ok(2);
        }
    };
    let flags: String = "nrfVhb".chars().filter(|l| parsed.has(*l)).collect();
    let separator = parsed.value('t').and_then(|t| t.chars().next());
    let mut keys = Vec::new();
    for text in parsed.values('k') {
        match key(text) {
            Some(mut key) => {
                if key.flags.is_empty() {
                    key.flags = flags.clone();
                }
                keys.push(key);
            }
            None => {
                complain(&ctx, "sort", format!("invalid number at field start: invalid count at start of '{text}'"))
                    .await;
                return Ok(2);
            }
        }
    }
    let mut text = String::new();
    for path in inputs(&parsed.operands) {
        match read_text(&ctx, &path).await {
            Ok(more) => {
                text.push_str(&more);
                if !more.is_empty() && !more.ends_with('\n') {
                    text.push('\n');
                }
            }
            Err(errno) => {
                let what = if errno == vfs::Errno::IsDirectory { "read failed" } else { "cannot read" };
                complain(&ctx, "sort", format!("{what}: {path}: {errno}")).await;
                return Ok(2);
            }
        }
    }
    let by_keys = |a: &str, b: &str| {
        if keys.is_empty() {
            return compare(a, b, &flags);
        }
        keys.iter()
            .map(|k| compare(k.of(a, separator), k.of(b, separator), &k.flags))
            .find(|o| *o != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let last_resort = !parsed.has('s') && !parsed.has('u');
    lines.sort_by(|a, b| {
        by_keys(a, b).then_with(|| match (last_resort, flags.contains('r')) {
            (false, _) => Ordering::Equal,
            (true, true) => b.cmp(a),
            (true, false) => a.cmp(b),
        })
    });
    if parsed.has('u') {
        lines.dedup_by(|a, b| by_keys(a, b) == Ordering::Equal);
    }
    let out: String = lines.iter().map(|l| format!("{l}\n")).collect();
    match parsed.value('o') {
        Some(path) => {
            if let Err(errno) = ctx.fs.write(&ctx.path(path), out) {
                complain(&ctx, "sort", format!("open failed: {path}: {errno}")).await;
                return Ok(2);
            }
        }
        None => ctx.out(out).await?,
    }
    Ok(0)
}
