//! Commands and flags as data: one definition feeds parsing, help and completion (`github.com/docker/cli/cli`).

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use machine::Ctx;

use crate::Daemon;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing: it switches something on.
    Nothing,
    /// One value; the last one counts.
    Value,
    /// A value each time it is given.
    Values,
}

/// A flag.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) takes: Takes,
    pub(crate) help: &'static str,
}

/// A switch.
pub(crate) const fn switch(name: &'static str, short: Option<char>, help: &'static str) -> Flag {
    Flag { name, short, takes: Takes::Nothing, help }
}

/// A flag with one value.
pub(crate) const fn value(name: &'static str, short: Option<char>, help: &'static str) -> Flag {
    Flag { name, short, takes: Takes::Value, help }
}

/// A flag that may be given several times.
pub(crate) const fn values(name: &'static str, short: Option<char>, help: &'static str) -> Flag {
    Flag { name, short, takes: Takes::Values, help }
}

/// How many arguments a command wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    Exactly(usize),
    AtLeast(usize),
    AtMost(usize),
    Between(usize, usize),
}

/// A command.
pub(crate) struct Command {
    /// The names that it has, each of one or two words; the first is shown in lists.
    pub(crate) names: &'static [&'static str],
    /// What stands behind the name in its usage line.
    pub(crate) usage: &'static str,
    pub(crate) help: &'static str,
    pub(crate) wants: Wants,
    pub(crate) flags: &'static [Flag],
    /// Flags end at the first argument: what follows belongs to a program in a container.
    pub(crate) ends_at_argument: bool,
    pub(crate) run: fn(Call) -> LocalBoxFuture<'static, Outcome>,
}

/// What a running command has.
pub(crate) struct Call {
    pub(crate) ctx: Ctx,
    pub(crate) daemon: Daemon,
    pub(crate) parsed: Parsed,
}

/// Why a command failed: what is printed to standard error, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) code: i32,
}

/// An exit code, or a failure that is still to be printed.
pub(crate) type Outcome = Result<i32, Failure>;

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure { text, code: 1 }
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Failure {
        Failure { text: text.to_owned(), code: 1 }
    }
}

impl Call {
    /// A line on standard output.
    pub(crate) async fn line(&self, text: impl AsRef<str>) {
        // A reader that has gone is no reason to leave something half done.
        let _ = self.ctx.stdout.println(text).await;
    }
}

/// A command line that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    values: BTreeMap<&'static str, Vec<String>>,
    pub(crate) args: Vec<String>,
}

impl Parsed {
    /// The value of a flag, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|all| all.last()).map(String::as_str)
    }

    /// Every value of a flag, in order.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

static HELP: Flag = switch("help", None, "Print usage");

impl Command {
    fn flag(&self, is_it: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
        self.flags.iter().chain([&HELP]).find(|flag| is_it(flag))
    }

    /// The usage line for the name that was typed.
    pub(crate) fn usage_line(&self, path: &str) -> String {
        format!("docker {path} {}", self.usage).trim_end().to_owned()
    }

    /// Reads what follows the name.
    pub(crate) fn parse(&self, path: &str, words: &[String]) -> Result<Parsed, Failure> {
        let wrong = |why: String| Failure {
            text: format!(
                "{why}\n\nUsage:  {}\n\nRun 'docker {path} --help' for more information",
                self.usage_line(path)
            ),
            code: 125,
        };
        let mut parsed = Parsed::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                parsed.args.extend(words.cloned());
                break;
            }
            if let Some(long) = word.strip_prefix("--") {
                let (name, given) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
                let flag = self.flag(|f| f.name == name).ok_or_else(|| wrong(format!("unknown flag: --{name}")))?;
                let given = match (flag.takes, given) {
                    (_, Some(given)) => given,
                    (Takes::Nothing, None) => "true".to_owned(),
                    (_, None) => {
                        words.next().cloned().ok_or_else(|| wrong(format!("flag needs an argument: --{name}")))?
                    }
                };
                parsed.values.entry(flag.name).or_default().push(given);
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                self.letters(letters, word, &mut words, &mut parsed).map_err(wrong)?;
            } else {
                parsed.args.push(word.clone());
                if self.ends_at_argument {
                    parsed.args.extend(words.cloned());
                    break;
                }
            }
        }
        if !parsed.is_on("help") {
            self.check_count(path, parsed.args.len())?;
        }
        Ok(parsed)
    }

    /// `-it`, `-p80:80`, `-p 80:80`.
    fn letters<'a>(
        &self,
        letters: &str,
        word: &str,
        words: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let flag = self.flag(|f| f.short == Some(letter));
            let flag = flag.ok_or_else(|| format!("unknown shorthand flag: '{letter}' in {word}"))?;
            let rest = &letters[at + letter.len_utf8()..];
            if flag.takes == Takes::Nothing {
                parsed.values.entry(flag.name).or_default().push("true".to_owned());
                continue;
            }
            let given = match rest.strip_prefix('=').unwrap_or(rest) {
                "" => words.next().cloned().ok_or_else(|| format!("flag needs an argument: '{letter}' in {word}"))?,
                rest => rest.to_owned(),
            };
            parsed.values.entry(flag.name).or_default().push(given);
            break;
        }
        Ok(())
    }

    fn check_count(&self, path: &str, count: usize) -> Result<(), Failure> {
        let arguments = |n: usize| if n == 1 { "1 argument".to_owned() } else { format!("{n} arguments") };
        let (is_fine, what, see) = match self.wants {
            Wants::Exactly(0) => (count == 0, "accepts no arguments".to_owned(), "Run"),
            Wants::Exactly(n) => (count == n, format!("requires {}", arguments(n)), "Run"),
            Wants::AtLeast(n) => (count >= n, format!("requires at least {}", arguments(n)), "See"),
            Wants::AtMost(n) => (count <= n, format!("requires at most {}", arguments(n)), "Run"),
            Wants::Between(low, high) => (
                (low..=high).contains(&count),
                format!("requires at least {low} and at most {}", arguments(high)),
                "Run",
            ),
        };
        if is_fine {
            return Ok(());
        }
        let usage = self.usage_line(path);
        let text = format!(
            "docker: 'docker {path}' {what}\n\nUsage:  {usage}\n\n{see} 'docker {path} --help' for more information"
        );
        Err(text.into())
    }

    /// The help of the command.
    pub(crate) fn help_text(&self, path: &str) -> String {
        let mut text = format!("Usage:  {}\n\n{}\n", self.usage_line(path), self.help);
        if self.names.len() > 1 {
            let names: Vec<String> = self.names.iter().map(|name| format!("docker {name}")).collect();
            text.push_str(&format!("\nAliases:\n  {}\n", names.join(", ")));
        }
        if !self.flags.is_empty() {
            text.push_str("\nOptions:\n");
        }
        let shown = |flag: &Flag| {
            let short = flag.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
            let kind = match flag.takes {
                Takes::Nothing => "",
                Takes::Value => " string",
                Takes::Values => " list",
            };
            format!("  {short}--{}{kind}", flag.name)
        };
        let width = self.flags.iter().map(|flag| shown(flag).len()).max().unwrap_or(0) + 3;
        for flag in self.flags {
            text.push_str(&format!("{:<width$}{}\n", shown(flag), flag.help));
        }
        text
    }
}
