//! Commands and flags as data: one definition feeds parsing, help and completion.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;

use crate::program::Call;

/// A flag.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    /// The value unless given; none for a switch.
    pub(crate) default: Option<&'static str>,
    pub(crate) help: &'static str,
}

/// A command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    /// What stands behind the name in its usage line.
    pub(crate) usage: &'static str,
    pub(crate) help: &'static str,
    pub(crate) flags: &'static [Flag],
    pub(crate) run: fn(Call) -> LocalBoxFuture<'static, i32>,
}

/// Flags that every command takes.
pub(crate) static GLOBAL_FLAGS: &[Flag] = &[
    Flag { name: "profile", short: Some('p'), default: Some(""), help: "The cluster that is meant" },
    Flag { name: "help", short: Some('h'), default: None, help: "Show this help" },
    Flag { name: "alsologtostderr", short: None, default: None, help: "Accepted; there is no log" },
];

/// A command line that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) values: BTreeMap<String, String>,
    /// Every value of the flags that were given, in order.
    pub(crate) given: Vec<(&'static str, String)>,
    pub(crate) args: Vec<String>,
}

impl Parsed {
    /// The value of a flag, or its default.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Every value of a flag that may be given more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(flag, _)| *flag == name).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.value(name) == "true"
    }
}

/// Reads what follows a command's name. Errors are pflag's words.
pub(crate) fn parse(flags: &[&'static [Flag]], words: &[String]) -> Result<Parsed, String> {
    let all = || flags.iter().flat_map(|list| list.iter());
    let mut parsed = Parsed::default();
    for flag in all() {
        parsed.values.insert(flag.name.to_owned(), flag.default.unwrap_or("false").to_owned());
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.args.extend(words.cloned());
            break;
        }
        let (flag, mut value) = if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
            let flag = all().find(|f| f.name == name).ok_or_else(|| format!("unknown flag: --{name}"))?;
            (flag, value)
        } else if let Some(short) = word.strip_prefix('-').filter(|s| !s.is_empty()) {
            let letter = short.chars().next().unwrap_or('-');
            let flag = all()
                .find(|f| f.short == Some(letter))
                .ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {word}"))?;
            let rest = &short[letter.len_utf8()..];
            let value = rest.strip_prefix('=').unwrap_or(rest);
            (flag, (!value.is_empty()).then(|| value.to_owned()))
        } else {
            parsed.args.push(word.clone());
            continue;
        };
        if flag.default.is_none() {
            value.get_or_insert_with(|| "true".to_owned());
        } else if value.is_none() {
            value = Some(words.next().ok_or_else(|| format!("flag needs an argument: {word}"))?.clone());
        }
        let value = value.unwrap_or_default();
        parsed.given.push((flag.name, value.clone()));
        parsed.values.insert(flag.name.to_owned(), value);
    }
    Ok(parsed)
}

/// The help of one command.
pub(crate) fn help(command: &Command) -> String {
    let mut text = format!("{}\n\nUsage:\n  minikube {}{} [flags]\n", command.help, command.name, command.usage);
    text.push_str("\nOptions:\n");
    for flag in command.flags.iter().chain(GLOBAL_FLAGS) {
        let short = flag.short.map_or("    ".to_owned(), |s| format!("-{s}, "));
        let value = flag.default.map_or(String::new(), |d| format!("='{d}'"));
        text.push_str(&format!("    {short}--{}{value}:\n\t{}\n", flag.name, flag.help));
    }
    text
}
