//! What the server keeps, and what it counts.

use std::collections::BTreeMap;

/// Bytes of the largest value, as `-I 1m`.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// What an item costs beside its key and value.
const ITEM_BYTES: usize = 56;
/// Times of expiry above this number of seconds are moments, not durations.
const DURATION_SECONDS_MAX: i64 = 60 * 60 * 24 * 30;

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the client wants kept with it.
    pub flags: u32,
    /// The value.
    pub value: Vec<u8>,
    /// When it ends, in seconds since 1970.
    pub expires: Option<u64>,
    /// Changes with every change.
    pub unique: u64,
    /// When it was last used: a count of uses.
    used: u64,
}

/// The counts of `stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    /// One of them.
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

/// All items.
#[derive(Debug)]
pub struct Cache {
    items: BTreeMap<Vec<u8>, Item>,
    /// Bytes in use.
    pub bytes: usize,
    /// Bytes at most, as `-m`.
    pub limit_bytes: usize,
    /// Uses so far.
    uses: u64,
    /// Changes so far.
    changes: u64,
    /// When `flush_all` with a delay takes effect, in seconds since 1970.
    flush_at: Option<u64>,
    /// What is counted.
    pub counts: Counts,
}

/// Which items a command stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Any.
    Set,
    /// New ones.
    Add,
    /// Those that are there.
    Replace,
    /// After the value that is there.
    Append,
    /// Before it.
    Prepend,
    /// Those that have not changed since.
    Cas(u64),
}

impl Cache {
    /// An empty one.
    pub fn new(limit_bytes: usize) -> Cache {
        let (items, counts) = (BTreeMap::new(), Counts::default());
        Cache { items, bytes: 0, limit_bytes, uses: 0, changes: 0, flush_at: None, counts }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// An item that has not ended.
    pub fn get(&mut self, key: &[u8], now: u64) -> Option<&mut Item> {
        if self.flush_at.is_some_and(|at| at <= now) {
            self.flush_at = None;
            self.clear();
        }
        if self.items.get(key)?.expires.is_some_and(|end| end <= now) {
            self.remove(key);
            return None;
        }
        self.uses += 1;
        let item = self.items.get_mut(key)?;
        item.used = self.uses;
        Some(item)
    }

    fn remove(&mut self, key: &[u8]) -> bool {
        match self.items.remove(key) {
            Some(item) => {
                self.bytes -= ITEM_BYTES + key.len() + item.value.len();
                true
            }
            None => false,
        }
    }

    fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }

    /// Takes an item out; whether there was one.
    pub fn delete(&mut self, key: &[u8], now: u64) -> bool {
        self.get(key, now).is_some() && self.remove(key)
    }

    /// Puts an item in and evicts the ones that were not used for longest until it fits.
    fn put(&mut self, key: &[u8], flags: u32, value: Vec<u8>, expires: Option<u64>) {
        self.remove(key);
        let bytes = ITEM_BYTES + key.len() + value.len();
        while self.bytes + bytes > self.limit_bytes {
            let oldest = self.items.iter().min_by_key(|(_, item)| item.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
            self.counts.add("evictions");
        }
        (self.changes, self.uses, self.bytes) = (self.changes + 1, self.uses + 1, self.bytes + bytes);
        let item = Item { flags, value, expires, unique: self.changes, used: self.uses };
        self.items.insert(key.to_vec(), item);
        self.counts.add("total_items");
    }

    /// The answer to a value that has no room.
    fn refuse(&mut self, mode: Mode, key: &[u8]) -> &'static str {
        match mode {
            Mode::Append | Mode::Prepend => return "NOT_STORED",
            Mode::Set => self.drop_old(key),
            Mode::Add | Mode::Replace | Mode::Cas(_) => {}
        }
        "SERVER_ERROR out of memory storing object"
    }

    /// Takes out the value that a `set` would have replaced: what the client holds for gone must not come back.
    pub fn drop_old(&mut self, key: &[u8]) {
        self.remove(key);
    }

    /// Stores as a command wants it; the answer.
    pub fn store(&mut self, mode: Mode, key: &[u8], flags: u32, end: i64, value: Vec<u8>, now: u64) -> &'static str {
        let there = self.get(key, now).cloned();
        self.counts.add("cmd_set");
        let expires = expires(end, now);
        let whole = match (mode, &there) {
            (Mode::Append | Mode::Prepend, Some(item)) => item.value.len() + value.len(),
            _ => value.len(),
        };
        if whole > VALUE_BYTES_MAX || ITEM_BYTES + key.len() + whole > self.limit_bytes {
            return self.refuse(mode, key);
        }
        match (mode, there) {
            (Mode::Set, _) | (Mode::Add, None) | (Mode::Replace, Some(_)) => self.put(key, flags, value, expires),
            (Mode::Append, Some(item)) => {
                self.put(key, item.flags, [item.value, value].concat(), item.expires);
            }
            (Mode::Prepend, Some(item)) => {
                self.put(key, item.flags, [value, item.value].concat(), item.expires);
            }
            (Mode::Cas(unique), Some(item)) if item.unique == unique => self.put(key, flags, value, expires),
            (Mode::Cas(_), Some(_)) => return "EXISTS",
            (Mode::Cas(_), None) => return "NOT_FOUND",
            (Mode::Add, Some(_)) | (Mode::Replace | Mode::Append | Mode::Prepend, None) => return "NOT_STORED",
        }
        "STORED"
    }

    /// Counts a value up or down; the answer.
    pub fn count(&mut self, key: &[u8], step: u64, up: bool, now: u64) -> String {
        let Some(item) = self.get(key, now).cloned() else { return "NOT_FOUND".to_owned() };
        let number = std::str::from_utf8(&item.value).ok().and_then(|text| text.trim_end().parse::<u64>().ok());
        let Some(number) = number else {
            return "CLIENT_ERROR cannot increment or decrement non-numeric value".to_owned();
        };
        let after = if up { number.wrapping_add(step) } else { number.saturating_sub(step) };
        // A shorter number leaves the length as it was, with blanks after it.
        let text = match (up, after.to_string()) {
            (false, text) => format!("{text:<width$}", width = item.value.len()),
            (true, text) => text,
        };
        self.put(key, item.flags, text.into_bytes(), item.expires);
        after.to_string()
    }

    /// Sets the end of an item; whether there is one.
    pub fn touch(&mut self, key: &[u8], end: i64, now: u64) -> bool {
        self.get(key, now).map(|item| item.expires = expires(end, now)).is_some()
    }

    /// `flush_all` with its delay in seconds.
    pub fn flush(&mut self, delay: i64, now: u64) {
        match u64::try_from(delay) {
            Ok(delay) if delay > 0 => self.flush_at = Some(now + delay),
            _ => self.clear(),
        }
    }
}

/// When a time of expiry is over: 0 never, negative at once, a small one from now on, a large one is a moment.
fn expires(end: i64, now: u64) -> Option<u64> {
    match end {
        0 => None,
        ..0 => Some(now),
        1..=DURATION_SECONDS_MAX => Some(now + end.unsigned_abs()),
        _ => Some(end.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_used_item_goes_first() {
        let mut cache = Cache::new(3 * (ITEM_BYTES + 11));
        for key in [b"a", b"b", b"c"] {
            cache.store(Mode::Set, key, 0, 0, vec![b'x'; 10], 1);
        }
        cache.get(b"a", 1);
        cache.store(Mode::Set, b"d", 0, 0, vec![b'x'; 10], 1);
        assert!(cache.get(b"b", 1).is_none() && cache.get(b"a", 1).is_some());
        assert_eq!((cache.len(), cache.counts.get("evictions"), cache.bytes), (3, 1, cache.limit_bytes));
    }

    #[test]
    fn what_has_no_room_is_not_stored() {
        let mut roomy = Cache::new(4 * VALUE_BYTES_MAX);
        roomy.store(Mode::Set, b"a", 0, 0, vec![b'x'; 1_000], 1);
        let rest = |bytes: usize| vec![b'x'; VALUE_BYTES_MAX - bytes];
        assert_eq!(roomy.store(Mode::Append, b"a", 0, 0, rest(999), 1), "NOT_STORED");
        assert_eq!(roomy.store(Mode::Append, b"a", 0, 0, rest(1_000), 1), "STORED");
        let mut cache = Cache::new(VALUE_BYTES_MAX);
        cache.store(Mode::Set, b"a", 0, 0, vec![b'x'; 1_000], 1);
        for mode in [Mode::Append, Mode::Prepend] {
            assert_eq!(cache.store(mode, b"a", 0, 0, vec![b'x'; VALUE_BYTES_MAX - 999], 1), "NOT_STORED");
            assert_eq!(cache.store(mode, b"a", 0, 0, vec![b'x'; VALUE_BYTES_MAX - 1_010], 1), "NOT_STORED", "-m");
        }
        assert_eq!(cache.get(b"a", 1).map(|item| item.value.len()), Some(1_000));
        let full = "SERVER_ERROR out of memory storing object";
        assert_eq!(cache.store(Mode::Replace, b"a", 0, 0, vec![b'x'; VALUE_BYTES_MAX], 1), full);
        assert!(cache.get(b"a", 1).is_some());
        assert_eq!(cache.store(Mode::Set, b"a", 0, 0, vec![b'x'; VALUE_BYTES_MAX], 1), full);
        assert!(cache.get(b"a", 1).is_none() && cache.bytes == 0);
    }

    #[test]
    fn times_of_expiry() {
        assert_eq!((expires(0, 5), expires(-1, 5), expires(10, 5)), (None, Some(5), Some(15)));
        assert_eq!(expires(1_795_228_719, 5), Some(1_795_228_719));
        let mut cache = Cache::new(1 << 20);
        cache.store(Mode::Set, b"a", 0, 10, b"1".to_vec(), 100);
        assert!(cache.get(b"a", 109).is_some() && cache.get(b"a", 110).is_none());
        assert_eq!(cache.bytes, 0);
        cache.store(Mode::Set, b"b", 0, 0, b"1".to_vec(), 100);
        cache.flush(5, 100);
        assert!(cache.get(b"b", 104).is_some() && cache.get(b"b", 105).is_none());
    }
}
