//! Finding the command and reading its flags, with pflag's and cobra's errors.

use std::collections::BTreeMap;

use super::{Command, Flag, FlagType, common};
use crate::failure::Failure;

/// What was typed, sorted out.
#[derive(Clone, Debug, Default)]
pub struct Args {
    /// The command as typed by name: `kubectl create deployment`.
    pub path: String,
    /// Arguments that are no flags.
    pub words: Vec<String>,
    /// How many of `words` stand before a `--`.
    pub dash_at: Option<usize>,
    given: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
}

impl Args {
    /// Words without flags.
    pub fn of_words(words: Vec<String>) -> Args {
        Args { words, ..Args::default() }
    }

    /// Whether the flag was given.
    pub fn changed(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The last value of a flag, or its default.
    pub fn text(&self, name: &str) -> &str {
        match self.given.get(name).and_then(|v| v.last()) {
            Some(value) => value,
            None => self.defaults.get(name).copied().unwrap_or(""),
        }
    }

    /// A boolean flag.
    pub fn on(&self, name: &str) -> bool {
        parse_bool(self.text(name)).unwrap_or(false)
    }

    /// An integer flag; its text was checked when it was read.
    pub fn int(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// A duration flag in nanoseconds; its text was checked when it was read.
    pub fn duration(&self, name: &str) -> i64 {
        crate::duration::parse(self.text(name)).unwrap_or(0)
    }

    /// All values of a repeatable flag.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.given.get(name) {
            Some(values) => values.clone(),
            None => {
                self.defaults.get(name).filter(|d| !d.is_empty()).map(|d| vec![(*d).to_owned()]).unwrap_or_default()
            }
        }
    }

    /// Sets a flag as if it had been typed.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.given.insert(name, vec![value.to_owned()]);
    }

    /// The words before a `--`.
    pub fn before_dash(&self) -> &[String] {
        &self.words[..self.dash_at.unwrap_or(self.words.len())]
    }

    /// The words after a `--`.
    pub fn after_dash(&self) -> &[String] {
        self.dash_at.map_or(&[], |at| &self.words[at..])
    }

    /// A wrong-usage failure of this command.
    pub fn usage(&self, message: impl Into<String>) -> Failure {
        Failure::Usage(message.into(), self.path.clone())
    }
}

/// What is to be done.
pub enum Parsed {
    /// Run the command.
    Run(&'static Command, Args),
    /// Print the command's help.
    Help(&'static Command, String),
}

/// Finds the command for `words` (without `kubectl` itself): the command, its path and what is left.
///
/// As cobra does, flags may stand before the command's name; a word after a flag that wants a value is its value.
pub fn find(root: &'static Command, words: &[String]) -> (&'static Command, String, Vec<String>) {
    let mut command = root;
    let mut path = root.name.to_owned();
    let mut rest = words.to_vec();
    while let Some(at) = first_word(command, &rest) {
        let Some(child) = command.child(&rest[at]) else { break };
        rest.remove(at);
        command = child;
        path = format!("{path} {}", child.name);
    }
    (command, path, rest)
}

/// The index of the first word that is neither a flag nor a flag's value.
fn first_word(command: &Command, words: &[String]) -> Option<usize> {
    let mut skip = false;
    for (i, word) in words.iter().enumerate() {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word == "--" {
            return None;
        }
        if let Some(name) = word.strip_prefix("--") {
            skip = !name.contains('=') && command.flag(name).is_none_or(|f| f.bare.is_none());
        } else if word.len() > 1 && word.starts_with('-') {
            let mut letters = word.chars().skip(1);
            let flag = letters.next().and_then(|c| command.shorthand(c));
            skip = word.len() == 2 && flag.is_none_or(|f| f.bare.is_none());
        } else if !word.is_empty() {
            return Some(i);
        }
    }
    None
}

/// Reads a whole command line.
pub fn parse(root: &'static Command, words: &[String]) -> Result<Parsed, Failure> {
    let (command, path, rest) = find(root, words);
    if std::ptr::eq(command, root)
        && let Some(at) = first_word(command, &rest)
    {
        return Err(unknown_command(root, &rest[at]));
    }
    let mut args = Args { path: path.clone(), ..Args::default() };
    for flag in command.own_flags().chain(common::GLOBAL) {
        args.defaults.entry(flag.name).or_insert(flag.default);
    }
    if matches!(command.action, super::Action::Refuse(_)) && !rest.iter().any(|w| w == "--help" || w == "-h") {
        return Ok(Parsed::Run(command, args));
    }
    let wants_help = read_flags(command, &path, &rest, &mut args)?;
    if wants_help {
        return Ok(Parsed::Help(command, path));
    }
    let missing: Vec<String> =
        command.required.iter().filter(|name| !args.changed(name)).map(|name| format!("\"{name}\"")).collect();
    if !missing.is_empty() {
        return Err(Failure::Message(format!("required flag(s) {} not set", missing.join(", "))));
    }
    Ok(Parsed::Run(command, args))
}

fn unknown_command(root: &Command, typed: &str) -> Failure {
    let mut text = format!("unknown command \"{typed}\" for \"{}\"", root.name);
    let near = suggestions(root, typed);
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?\n");
        for name in near {
            text.push_str(&format!("\t{name}\n"));
        }
    }
    Failure::Message(text)
}

/// Names that begin with what was typed or are at most two edits away, in the order in which they are declared.
pub fn suggestions(root: &Command, typed: &str) -> Vec<&'static str> {
    let lower = typed.to_lowercase();
    let near = |c: &&&'static Command| {
        machine::distance(&lower, &c.name.to_lowercase()) <= 2 || c.name.to_lowercase().starts_with(&lower)
    };
    root.commands.iter().filter(near).map(|c| c.name).collect()
}

/// Reads flags and words into `args`; true when help was asked for.
fn read_flags(command: &'static Command, path: &str, words: &[String], args: &mut Args) -> Result<bool, Failure> {
    let fail = |text: String| Failure::Flag(text, path.to_owned());
    let mut help = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            args.dash_at = Some(args.words.len());
            args.words.extend(words.by_ref().cloned());
        } else if let Some(body) = word.strip_prefix("--") {
            let (name, value) = body.split_once('=').map_or((body, None), |(n, v)| (n, Some(v.to_owned())));
            if name.is_empty() || name.starts_with('-') {
                return Err(fail(format!("bad flag syntax: {word}")));
            }
            let Some(flag) = command.flag(name) else {
                if name == "help" {
                    return Ok(true);
                }
                return Err(fail(format!("unknown flag: --{name}")));
            };
            let value = match (value, flag.bare) {
                (Some(value), _) => value,
                (None, Some(bare)) => bare.to_owned(),
                (None, None) => match words.next() {
                    Some(next) => next.clone(),
                    None => return Err(fail(format!("flag needs an argument: --{name}"))),
                },
            };
            set(args, flag, value).map_err(&fail)?;
        } else if word.len() > 1 && word.starts_with('-') {
            help |= read_short(command, word, &mut words, args).map_err(&fail)?;
        } else {
            args.words.push(word.clone());
        }
        if help {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A cluster of shorthands: `-it`, `-oyaml`, `-o=yaml`, `-o yaml`.
fn read_short(
    command: &'static Command,
    word: &str,
    words: &mut std::slice::Iter<'_, String>,
    args: &mut Args,
) -> Result<bool, String> {
    let mut rest = &word[1..];
    while let Some(letter) = rest.chars().next() {
        let cluster = rest;
        rest = &rest[letter.len_utf8()..];
        let Some(flag) = command.shorthand(letter) else {
            if letter == 'h' {
                return Ok(true);
            }
            return Err(format!("unknown shorthand flag: '{letter}' in -{cluster}"));
        };
        let value = if let Some(value) = rest.strip_prefix('=') {
            value.to_owned()
        } else if let Some(bare) = flag.bare {
            set(args, flag, bare.to_owned())?;
            continue;
        } else if !rest.is_empty() {
            rest.to_owned()
        } else {
            match words.next() {
                Some(next) => next.clone(),
                None => return Err(format!("flag needs an argument: '{letter}' in -{cluster}")),
            }
        };
        set(args, flag, value)?;
        return Ok(false);
    }
    Ok(false)
}

fn set(args: &mut Args, flag: &'static Flag, value: String) -> Result<(), String> {
    if let Err(why) = check(flag, &value) {
        let name = match flag.short {
            Some(short) => format!("-{short}, --{}", flag.name),
            None => format!("--{}", flag.name),
        };
        return Err(format!("invalid argument {} for \"{name}\" flag: {why}", go_quote(&value)));
    }
    let values = args.given.entry(flag.name).or_default();
    match flag.kind {
        FlagType::Slice => values.extend(split_csv(&value)),
        FlagType::Array => values.push(value),
        _ => *values = vec![value],
    }
    Ok(())
}

fn check(flag: &Flag, value: &str) -> Result<(), String> {
    let number = |bits: u32| {
        let body = value.strip_prefix(['+', '-']).unwrap_or(value);
        let in_range = match bits {
            32 => value.parse::<i32>().is_ok(),
            _ => value.parse::<i64>().is_ok(),
        };
        match (in_range, !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit())) {
            (true, _) => Ok(()),
            (false, true) => Err(format!("strconv.ParseInt: parsing {}: value out of range", go_quote(value))),
            (false, false) => Err(format!("strconv.ParseInt: parsing {}: invalid syntax", go_quote(value))),
        }
    };
    match flag.kind {
        FlagType::Bool if parse_bool(value).is_none() => {
            Err(format!("strconv.ParseBool: parsing {}: invalid syntax", go_quote(value)))
        }
        FlagType::Int => number(64),
        FlagType::Int32 => number(32),
        FlagType::Duration => crate::duration::parse(value).map(|_| ()),
        _ => Ok(()),
    }
}

/// Go's `strconv.ParseBool`.
pub fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// One CSV record: commas separate, double quotes protect.
fn split_csv(value: &str) -> Vec<String> {
    if value.is_empty() {
        return Vec::new();
    }
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

/// Go's `%q` for the texts that occur on command lines.
pub fn go_quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
