//! What the server keeps: databases of keys, values and when they end.

use std::collections::{BTreeMap, VecDeque};

use crate::resp::Bytes;

/// Databases, as `databases 16`.
pub const DATABASES: usize = 16;

/// What an empty server of the original takes; what is counted here comes on top.
const BASE_BYTES: usize = 900_000;
/// What a key costs beside its own bytes and those of its value.
const KEY_BYTES: usize = 64;

/// Fields or members in the order in which they came, as the original keeps small ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered<T> {
    map: BTreeMap<Bytes, (u64, T)>,
    next: u64,
}

impl<T> Ordered<T> {
    /// Sets one; true if it is new.
    pub fn insert(&mut self, key: Bytes, value: T) -> bool {
        if let Some((_, old)) = self.map.get_mut(&key) {
            *old = value;
            return false;
        }
        self.map.insert(key, (self.next, value));
        self.next += 1;
        true
    }

    /// One of them.
    pub fn get(&self, key: &[u8]) -> Option<&T> {
        self.map.get(key).map(|(_, value)| value)
    }

    /// Takes one out.
    pub fn remove(&mut self, key: &[u8]) -> Option<T> {
        self.map.remove(key).map(|(_, value)| value)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &T)> {
        let mut all: Vec<_> = self.map.iter().collect();
        all.sort_by_key(|(_, (number, _))| *number);
        all.into_iter().map(|(key, (_, value))| (key, value))
    }
}

/// A set's members: whole numbers by size, as the original keeps them, others as they came.
pub fn members(set: &Ordered<()>) -> Vec<Bytes> {
    let mut all: Vec<Bytes> = set.iter().map(|(member, ())| member.clone()).collect();
    let number = |m: &Bytes| std::str::from_utf8(m).ok().and_then(|t| t.parse::<i64>().ok());
    if all.iter().all(|m| number(m).is_some()) {
        all.sort_by_key(number);
    }
    all
}

/// A sorted set's members by score, then by their bytes.
pub fn ranked(sorted: &BTreeMap<Bytes, f64>) -> Vec<(Bytes, f64)> {
    let mut all: Vec<_> = sorted.iter().map(|(member, score)| (member.clone(), *score)).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Str(Bytes),
    /// A list.
    List(VecDeque<Bytes>),
    /// A hash.
    Hash(Ordered<Bytes>),
    /// A set.
    Set(Ordered<()>),
    /// A sorted set: scores by member.
    Sorted(BTreeMap<Bytes, f64>),
}

impl Value {
    /// What TYPE says.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::Sorted(_) => "zset",
        }
    }

    /// Whether nothing is left, so that its key goes.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Str(_) => false,
            Value::List(list) => list.is_empty(),
            Value::Hash(hash) => hash.len() == 0,
            Value::Set(set) => set.len() == 0,
            Value::Sorted(sorted) => sorted.is_empty(),
        }
    }

    /// Bytes that it takes, roughly.
    pub fn bytes(&self) -> usize {
        /// What an element costs beside its bytes.
        const ELEMENT_BYTES: usize = 16;
        match self {
            Value::Str(text) => text.len(),
            Value::List(list) => list.iter().map(|e| e.len() + ELEMENT_BYTES).sum(),
            Value::Hash(hash) => hash.iter().map(|(f, v)| f.len() + v.len() + ELEMENT_BYTES).sum(),
            Value::Set(set) => set.iter().map(|(m, ())| m.len() + ELEMENT_BYTES).sum(),
            Value::Sorted(sorted) => sorted.keys().map(|m| m.len() + ELEMENT_BYTES).sum(),
        }
    }
}

/// A value and what is known about its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// When it ends, in ms since 1970.
    pub expires: Option<u64>,
    /// When it was last used, in ms since 1970.
    pub used: u64,
    /// How often it was used.
    pub hits: u64,
}

impl Entry {
    fn has_ended(&self, now: u64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// One database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    keys: BTreeMap<Bytes, Entry>,
    /// Keys that ended and were taken out, until [`Store::take_ended`] asks for them.
    ended: Vec<Bytes>,
    /// No key ends before, in ms since 1970; none has an end if there is none.
    first_end: Option<u64>,
}

impl Database {
    /// A key that has not ended.
    pub fn get(&mut self, key: &[u8], now: u64) -> Option<&mut Entry> {
        if self.keys.get(key)?.has_ended(now) {
            self.remove(key, now);
            return None;
        }
        let entry = self.keys.get_mut(key)?;
        (entry.used, entry.hits) = (now, entry.hits + 1);
        Some(entry)
    }

    /// Sets a key.
    pub fn set(&mut self, key: Bytes, value: Value, expires: Option<u64>, now: u64) {
        self.ends_by(expires);
        self.keys.insert(key, Entry { value, expires, used: now, hits: 1 });
    }

    /// Sets when a key ends, or that it does not.
    pub fn set_end(&mut self, key: &[u8], expires: Option<u64>) {
        self.ends_by(expires);
        if let Some(entry) = self.keys.get_mut(key) {
            entry.expires = expires;
        }
    }

    fn ends_by(&mut self, end: Option<u64>) {
        self.first_end = self.first_end.into_iter().chain(end).min();
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &[u8], now: u64) -> Option<Entry> {
        let entry = self.keys.remove(key)?;
        if entry.has_ended(now) {
            self.ended.push(key.to_vec());
            return None;
        }
        Some(entry)
    }

    /// Takes out what has ended, and gives what is left.
    pub fn live(&mut self, now: u64) -> &BTreeMap<Bytes, Entry> {
        let gone = self.keys.extract_if(.., |_, entry| entry.has_ended(now));
        self.ended.extend(gone.map(|(key, _)| key));
        self.first_end = self.keys.values().filter_map(|entry| entry.expires).min();
        &self.keys
    }

    /// Takes everything out.
    pub fn clear(&mut self) -> usize {
        self.first_end = None;
        std::mem::take(&mut self.keys).len()
    }
}

/// All databases.
#[derive(Clone, Debug)]
pub struct Store {
    /// The databases.
    pub databases: Vec<Database>,
    /// Changes since the server started.
    pub changes: u64,
    /// Keys that were evicted.
    pub evicted: u64,
}

impl Default for Store {
    fn default() -> Store {
        Store { databases: vec![Database::default(); DATABASES], changes: 0, evicted: 0 }
    }
}

impl Store {
    /// Bytes in use, as INFO and `maxmemory` count them.
    pub fn used_bytes(&self) -> usize {
        let entries = self.databases.iter().flat_map(|db| &db.keys);
        BASE_BYTES + entries.map(|(key, entry)| KEY_BYTES + key.len() + entry.value.bytes()).sum::<usize>()
    }

    /// When a key may end next, in ms since 1970.
    pub fn next_end(&self) -> Option<u64> {
        self.databases.iter().filter_map(|db| db.first_end).min()
    }

    /// Takes out all keys that have ended.
    pub fn sweep(&mut self, now: u64) {
        for db in &mut self.databases {
            if db.first_end.is_some_and(|end| end <= now) {
                db.live(now);
            }
        }
    }

    /// The keys that ended and are out since it was last asked, with their databases.
    pub fn take_ended(&mut self) -> Vec<(usize, Bytes)> {
        let databases = self.databases.iter_mut().enumerate();
        databases.flat_map(|(number, db)| db.ended.drain(..).map(move |key| (number, key))).collect()
    }

    /// Takes one key out as a policy of `maxmemory-policy` chooses it; `None` if it allows none.
    pub fn evict(&mut self, policy: &str, random: u64) -> Option<(usize, Bytes)> {
        let (which, by) = policy.split_once('-')?;
        let candidates =
            self.databases.iter().enumerate().flat_map(|(n, db)| db.keys.iter().map(move |(k, e)| (n, k, e)));
        let candidates: Vec<_> = candidates.filter(|(_, _, e)| which == "allkeys" || e.expires.is_some()).collect();
        let chosen = match by {
            "lru" => candidates.iter().min_by_key(|(_, _, e)| e.used),
            "lfu" => candidates.iter().min_by_key(|(_, _, e)| e.hits),
            "ttl" => candidates.iter().min_by_key(|(_, _, e)| e.expires),
            "random" if !candidates.is_empty() => {
                candidates.get(usize::try_from(random % candidates.len() as u64).unwrap_or(0))
            }
            _ => None,
        };
        let (number, key, _) = chosen?;
        let (number, key) = (*number, (*key).clone());
        self.databases[number].keys.remove(&key);
        self.evicted += 1;
        Some((number, key))
    }
}

/// Whether a text fits a pattern with `*`, `?`, `[a-c]`, `[^x]` and `\`. Only the last `*` is ever tried again: what
/// the ones before it took need not change for what follows, so a pattern of many takes no longer than their product.
pub fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // After the last star, and how much of the text it and what is before it have taken.
    let mut star = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
            continue;
        }
        if t == text.len() && p == pattern.len() {
            return true;
        }
        let step = text.get(t).and_then(|byte| one(&pattern[p..], *byte));
        match (step, &mut star) {
            (Some(length), _) => (p, t) = (p + length, t + 1),
            (None, Some((after, taken))) if *taken < text.len() => {
                *taken += 1;
                (p, t) = (*after, *taken);
            }
            (None, _) => return false,
        }
    }
}

/// How much of a pattern without a star before it fits one byte, if it does.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    let (first, rest) = pattern.split_first()?;
    let (fits, length) = match (first, rest.first()) {
        (b'?', _) => (true, 1),
        (b'[', _) => in_class(pattern, byte),
        (b'\\', Some(next)) => (*next == byte, 2),
        (other, _) => (*other == byte, 1),
    };
    fits.then_some(length)
}

/// Whether a byte is one of `[...]`, and how long that is; without its end it goes on to that of the pattern.
fn in_class(pattern: &[u8], byte: u8) -> (bool, usize) {
    let not = pattern.get(1) == Some(&b'^');
    let mut rest = &pattern[1 + usize::from(not)..];
    let mut found = false;
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [escaped, after @ ..]) => {
                found |= *escaped == byte;
                after
            }
            (b']', after) => {
                rest = after;
                break;
            }
            (first, [b'-', last, after @ ..]) => {
                found |= (*first.min(last)..=*first.max(last)).contains(&byte);
                after
            }
            (first, after) => {
                found |= *first == byte;
                after
            }
        };
    }
    (found != not, pattern.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, yes) in [
            ("*", "", true),
            ("user:*", "user:1", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("", "", true),
            ("", "a", false),
            ("**a*", "bab", true),
            ("*ab", "aab", true),
            ("a*b?d", "axbxbcd", true),
            ("a*", "b", false),
            ("*[ab", "a", true),
            ("[c-a]x", "bx", true),
            ("[\\]a]x", "]x", true),
            ("[^]x", "ax", true),
            ("[", "a", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), yes, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let text = vec![b'a'; 10_000];
        assert!(!fits(&[b"a*".repeat(1_000), b"b".to_vec()].concat(), &text));
        assert!(fits(&b"*".repeat(100_000), &text), "and no stack");
        assert!(fits(&vec![b'?'; 10_000], &text));
    }

    #[test]
    fn keys_end_and_are_evicted_by_policy() {
        let mut store = Store::default();
        let db = &mut store.databases[0];
        db.set(b"a".to_vec(), Value::Str(b"1".to_vec()), Some(10), 1);
        db.set(b"b".to_vec(), Value::Str(b"2".to_vec()), None, 2);
        db.set(b"c".to_vec(), Value::Str(b"3".to_vec()), Some(20), 3);
        assert!(db.get(b"a", 9).is_some() && db.get(b"a", 10).is_none());
        assert_eq!(store.evict("noeviction", 0), None);
        assert_eq!(store.evict("volatile-lru", 0), Some((0, b"c".to_vec())));
        assert_eq!(store.evict("volatile-lru", 0), None);
        assert_eq!(store.evict("allkeys-lru", 0), Some((0, b"b".to_vec())));
    }

    #[test]
    fn numbers_of_a_set_are_in_order() {
        let mut set = Ordered::default();
        for member in ["10", "9", "-1"] {
            set.insert(member.as_bytes().to_vec(), ());
        }
        assert_eq!(members(&set), [b"-1".to_vec(), b"9".to_vec(), b"10".to_vec()]);
        set.insert(b"x".to_vec(), ());
        assert_eq!(members(&set)[0], b"10".to_vec());
    }
}
