//! Options as `getopt_long` reads them, with its error messages.

/// The options of a tool.
pub(crate) struct Spec {
    /// Letters; one followed by `:` takes a value, by `::` an optional one that is attached.
    pub short: &'static str,
    /// Long names and the letters they stand for; a name ending in `=` takes a value.
    pub long: &'static [(&'static str, char)],
    /// Options may stand after operands.
    pub permute: bool,
}

/// Options and operands as they were given.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub options: Vec<(char, Option<String>)>,
    pub operands: Vec<String>,
}

impl Parsed {
    pub(crate) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(l, _)| *l == letter)
    }

    /// The value given last.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(l, _)| *l == letter).and_then(|(_, v)| v.as_deref())
    }

    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(l, _)| *l == letter).filter_map(|(_, v)| v.as_deref())
    }
}

enum Takes {
    Nothing,
    Value,
    Optional,
}

fn takes(spec: &str, letter: char) -> Option<Takes> {
    let at = spec.find(letter).filter(|_| letter != ':')?;
    let rest = &spec[at + letter.len_utf8()..];
    Some(if rest.starts_with("::") {
        Takes::Optional
    } else if rest.starts_with(':') {
        Takes::Value
    } else {
        Takes::Nothing
    })
}

/// Parses; the error is the message without the tool's name, with the hint at `--help`.
pub(crate) fn parse(args: &[String], spec: &Spec) -> Result<Parsed, String> {
    let hint = |message: String| format!("{message}\nTry '{} --help' for more information.", args[0]);
    let mut parsed = Parsed::default();
    let mut words = args[1..].iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.operands.extend(words.cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let exact = spec.long.iter().find(|(n, _)| n.trim_end_matches('=') == name);
            let mut starting = spec.long.iter().filter(|(n, _)| n.starts_with(name));
            let found = exact.or_else(|| starting.next().filter(|_| starting.next().is_none()));
            let Some((known, letter)) = found else { return Err(hint(format!("unrecognized option '--{name}'"))) };
            let wants = known.ends_with('=');
            let plain = known.trim_end_matches('=');
            let value = match (wants, value) {
                (true, None) => match words.next() {
                    Some(value) => Some(value.clone()),
                    None => return Err(hint(format!("option '--{plain}' requires an argument"))),
                },
                (false, Some(_)) if !matches!(takes(spec.short, *letter), Some(Takes::Optional)) => {
                    return Err(hint(format!("option '--{plain}' doesn't allow an argument")));
                }
                (_, value) => value,
            };
            parsed.options.push((*letter, value));
            continue;
        }
        if word.len() < 2 || !word.starts_with('-') {
            parsed.operands.push(word.clone());
            if !spec.permute {
                parsed.operands.extend(words.cloned());
                break;
            }
            continue;
        }
        for (at, letter) in word[1..].char_indices() {
            let rest = &word[1 + at + letter.len_utf8()..];
            match takes(spec.short, letter) {
                None => return Err(hint(format!("invalid option -- '{letter}'"))),
                Some(Takes::Nothing) => {
                    parsed.options.push((letter, None));
                    continue;
                }
                Some(Takes::Optional) => {
                    parsed.options.push((letter, (!rest.is_empty()).then(|| rest.to_owned())));
                }
                Some(Takes::Value) if !rest.is_empty() => parsed.options.push((letter, Some(rest.to_owned()))),
                Some(Takes::Value) => match words.next() {
                    Some(value) => parsed.options.push((letter, Some(value.clone()))),
                    None => return Err(hint(format!("option requires an argument -- '{letter}'"))),
                },
            }
            break;
        }
    }
    Ok(parsed)
}

/// A count with the suffixes of the coreutils: `2K`, `1M`.
pub(crate) fn count(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "c" => 1,
        "b" => 512,
        "K" | "k" | "KiB" => 1024,
        "kB" | "KB" => 1000,
        "M" | "MiB" => 1024 * 1024,
        "MB" => 1_000_000,
        "G" | "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok().map(|n| n.saturating_mul(factor))
}
