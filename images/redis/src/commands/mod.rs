//! The commands on keys: a row each.

mod decimal;
mod hashes;
mod keys;
mod lists;
mod sets;
mod sorted;
mod strings;

use std::collections::{BTreeMap, VecDeque};

use crate::resp::{Bytes, Reply};
use crate::store::{Database, Ordered, Store, Value};

/// What a command may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Read,
    /// Writes, but takes no more memory.
    Write,
    /// Writes, and is refused when memory is full.
    Grow,
}

/// The result of a command; the error is the text of its answer.
pub type Answer = Result<Reply, String>;

/// A command.
pub struct Command {
    /// Its name in lower case.
    pub name: &'static str,
    /// How many words it takes, its name included; a negative number is the least of them.
    pub arity: i32,
    /// What it may do.
    pub access: Access,
    /// What does it.
    pub run: fn(&mut Call<'_>) -> Answer,
}

/// One call of a command.
pub struct Call<'a> {
    /// All data.
    pub store: &'a mut Store,
    /// The selected database.
    pub number: usize,
    /// The words, with the command's name first.
    pub words: &'a [Bytes],
    /// The time in ms since 1970.
    pub now: u64,
    /// A number by chance.
    pub random: u64,
    /// What to write to the append-only file instead of the words themselves.
    pub instead: Option<Vec<Vec<Bytes>>>,
}

/// The value at a key is of another kind.
pub const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
/// A word is no number.
pub const NOT_INTEGER: &str = "ERR value is not an integer or out of range";
/// A word is no number with a fraction.
pub const NOT_FLOAT: &str = "ERR value is not a valid float";
/// Words that do not go together.
pub const SYNTAX: &str = "ERR syntax error";
/// There is no such key.
pub const NO_KEY: &str = "ERR no such key";

/// Accessors to a value of one kind: the one that is there, and the one that is made if there is none.
macro_rules! typed {
    ($find:ident, $make:ident, $variant:ident, $type:ty) => {
        /// The value at a key, if there is one.
        pub fn $find(&mut self, key: &[u8]) -> Result<Option<&mut $type>, String> {
            match self.store.databases[self.number].get(key, self.now).map(|entry| &mut entry.value) {
                None => Ok(None),
                Some(Value::$variant(value)) => Ok(Some(value)),
                Some(_) => Err(WRONG_TYPE.to_owned()),
            }
        }

        /// The value at a key; an empty one is made if there is none.
        pub fn $make(&mut self, key: &[u8]) -> Result<&mut $type, String> {
            if self.$find(key)?.is_none() {
                let now = self.now;
                self.db().set(key.to_vec(), Value::$variant(<$type>::default()), None, now);
            }
            self.$find(key)?.ok_or_else(|| NO_KEY.to_owned())
        }
    };
}

impl Call<'_> {
    typed!(string, make_string, Str, Bytes);
    typed!(list, make_list, List, VecDeque<Bytes>);
    typed!(hash, make_hash, Hash, Ordered<Bytes>);
    typed!(set, make_set, Set, Ordered<()>);
    typed!(sorted, make_sorted, Sorted, BTreeMap<Bytes, f64>);

    /// The selected database.
    pub fn db(&mut self) -> &mut Database {
        &mut self.store.databases[self.number]
    }

    /// A word.
    pub fn word(&self, at: usize) -> &Bytes {
        &self.words[at]
    }

    /// A word in lower case.
    pub fn lower(&self, at: usize) -> String {
        lower(&self.words[at])
    }

    /// A word that is a whole number.
    pub fn int(&self, at: usize) -> Result<i64, String> {
        integer(&self.words[at]).ok_or_else(|| NOT_INTEGER.to_owned())
    }

    /// A word that is a number.
    pub fn float(&self, at: usize) -> Result<f64, String> {
        float(&self.words[at]).ok_or_else(|| NOT_FLOAT.to_owned())
    }

    /// Counts changes.
    pub fn changed(&mut self, count: usize) {
        self.store.changes += count as u64;
    }

    /// Counts changes at a key, which goes if nothing is left of its value.
    pub fn changed_at(&mut self, key: &[u8], count: usize) {
        self.changed(count);
        let now = self.now;
        if self.db().get(key, now).is_some_and(|entry| entry.value.is_empty()) {
            self.db().remove(key, now);
        }
    }
}

/// A word in lower case.
pub fn lower(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_lowercase()
}

/// A whole number as Redis reads them: no blanks, no plus, no zeros before it.
pub fn integer(word: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(word).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A number; `inf` is one.
pub fn float(word: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(word).ok()?;
    if text.is_empty() || text.starts_with(char::is_whitespace) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| !n.is_nan())
}

/// A number as Redis prints it.
pub fn show(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number != 0.0 && (number.abs() >= 1e17 || number.abs() < 1e-4) {
        return format!("{number:e}").replace("e", "e+").replace("e+-", "e-");
    }
    format!("{number}")
}

/// The range of a list of some length that two indexes mean; negative ones count from the end. `None` if it is empty.
pub fn range(start: i64, stop: i64, length: usize) -> Option<(usize, usize)> {
    let whole = i64::try_from(length).ok()?;
    let place = |n: i64| if n < 0 { whole.saturating_add(n) } else { n };
    let (start, stop) = (place(start).max(0), place(stop).min(whole - 1));
    if start > stop { None } else { Some((usize::try_from(start).ok()?, usize::try_from(stop).ok()?)) }
}

/// Finds a command in the tables of the kinds.
pub fn find(name: &str) -> Option<&'static Command> {
    tables().find(|command| command.name == name)
}

/// All commands.
pub fn tables() -> impl Iterator<Item = &'static Command> {
    let all: [&'static [Command]; 6] =
        [keys::COMMANDS, strings::COMMANDS, lists::COMMANDS, hashes::COMMANDS, sets::COMMANDS, sorted::COMMANDS];
    all.into_iter().flatten()
}

/// Whether a command takes so many words.
pub fn arity_fits(arity: i32, words: usize) -> bool {
    let words = i32::try_from(words).unwrap_or(i32::MAX);
    if arity < 0 { words >= -arity } else { words == arity }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Runs lines on a store at a time and gives the answer to the last one; errors begin with `-`.
    pub fn play(store: &mut Store, now: u64, lines: &[&str]) -> Reply {
        let mut last = Reply::Nil;
        for line in lines {
            let words = crate::resp::split_words(line).expect("words");
            let command = find(&lower(&words[0])).unwrap_or_else(|| panic!("{line}: unknown"));
            assert!(arity_fits(command.arity, words.len()), "{line}");
            let mut call = Call { store, number: 0, words: &words, now, random: 7, instead: None };
            last = (command.run)(&mut call).unwrap_or_else(Reply::Error);
        }
        last
    }

    /// Runs lines, each followed by `=>` and the answer as redis-cli shows it, in one store.
    pub fn cases(now: u64, text: &str) {
        let mut store = Store::default();
        for case in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let (line, expected) = case.split_once(" => ").unwrap_or_else(|| panic!("{case}"));
            let shown = crate::format::shown(&play(&mut store, now, &[line]), true).trim_end().replace('\n', " ");
            assert_eq!(shown, expected, "{line}");
        }
    }

    #[test]
    fn names_stand_once() {
        let mut names: Vec<_> = tables().map(|c| c.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }

    #[test]
    fn numbers() {
        assert_eq!((integer(b"10"), integer(b"+1"), integer(b"01"), integer(b" 1")), (Some(10), None, None, None));
        assert_eq!((show(3.0), show(10.5), show(1e20)), ("3".into(), "10.5".into(), "1e+20".into()));
        assert_eq!((range(0, -1, 3), range(-2, 5, 3), range(3, 5, 3)), (Some((0, 2)), Some((1, 2)), None));
    }
}
