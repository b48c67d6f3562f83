//! The file `dump.rdb`: the plain encodings of the original's format, which every version of it reads.

use std::collections::{BTreeMap, VecDeque};

use crate::resp::Bytes;
use crate::store::{DATABASES, Ordered, Store, Value};

const AUX: u8 = 0xfa;
const EXPIRES_MILLIS: u8 = 0xfc;
const DATABASE: u8 = 0xfe;
const SIZES: u8 = 0xfb;
const END: u8 = 0xff;

/// The bytes of a snapshot. The checksum is 0, which means that there is none.
pub fn write(store: &mut Store, version: &str, now: u64) -> Bytes {
    let major: u32 = version.split('.').next().and_then(|m| m.parse().ok()).unwrap_or(7);
    let format = match major {
        0..=6 => 9,
        7 => 11,
        _ => 12,
    };
    let mut out = format!("REDIS{format:04}").into_bytes();
    for (name, value) in [("redis-ver", version), ("redis-bits", "64"), ("ctime", &(now / 1000).to_string())] {
        out.push(AUX);
        string(&mut out, name.as_bytes());
        string(&mut out, value.as_bytes());
    }
    for number in 0..DATABASES {
        let live = store.databases[number].live(now);
        if live.is_empty() {
            continue;
        }
        out.push(DATABASE);
        length(&mut out, number);
        out.push(SIZES);
        length(&mut out, live.len());
        length(&mut out, live.values().filter(|e| e.expires.is_some()).count());
        for (key, entry) in live {
            if let Some(end) = entry.expires {
                out.push(EXPIRES_MILLIS);
                out.extend(end.to_le_bytes());
            }
            out.push(match entry.value {
                Value::Str(_) => 0,
                Value::List(_) => 1,
                Value::Set(_) => 2,
                Value::Hash(_) => 4,
                Value::Sorted(_) => 5,
            });
            string(&mut out, key);
            value(&mut out, &entry.value);
        }
    }
    out.push(END);
    out.extend([0; 8]);
    out
}

fn value(out: &mut Bytes, value: &Value) {
    match value {
        Value::Str(text) => string(out, text),
        Value::List(list) => {
            length(out, list.len());
            list.iter().for_each(|element| string(out, element));
        }
        Value::Set(set) => {
            length(out, set.len());
            set.iter().for_each(|(member, ())| string(out, member));
        }
        Value::Hash(hash) => {
            length(out, hash.len());
            for (field, text) in hash.iter() {
                string(out, field);
                string(out, text);
            }
        }
        Value::Sorted(sorted) => {
            length(out, sorted.len());
            for (member, score) in sorted {
                string(out, member);
                out.extend(score.to_le_bytes());
            }
        }
    }
}

/// Six bits in one byte, fourteen in two, else four bytes after a mark.
fn length(out: &mut Bytes, n: usize) {
    match u32::try_from(n).unwrap_or(u32::MAX) {
        n @ 0..64 => out.push(n.to_le_bytes()[0]),
        n @ 64..16_384 => out.extend([0x40 | n.to_be_bytes()[2], n.to_be_bytes()[3]]),
        n => {
            out.push(0x80);
            out.extend(n.to_be_bytes());
        }
    }
}

fn string(out: &mut Bytes, text: &[u8]) {
    length(out, text.len());
    out.extend(text);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (head, rest) = self.0.split_at_checked(count).ok_or("Unexpected EOF reading RDB file")?;
        self.0 = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn eight(&mut self) -> Result<[u8; 8], String> {
        let mut out = [0; 8];
        out.copy_from_slice(self.take(8)?);
        Ok(out)
    }

    /// A length, or the number of a special encoding.
    fn length(&mut self) -> Result<Result<usize, u8>, String> {
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Ok(usize::from(first)),
            1 => Ok(usize::from(first & 0x3f) << 8 | usize::from(self.byte()?)),
            2 if first == 0x80 => Ok(self.take(4)?.iter().fold(0, |n, b| n << 8 | usize::from(*b))),
            2 => return Err("kubonsai does not support lengths of eight bytes (redis) yet".to_owned()),
            _ => Err(first & 0x3f),
        })
    }

    fn count(&mut self) -> Result<usize, String> {
        self.length()?.map_err(|_| "Invalid length in RDB file".to_owned())
    }

    fn string(&mut self) -> Result<Bytes, String> {
        let number = |bytes: &[u8]| {
            let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
            let filled = bytes.iter().rev().fold(if negative { -1i64 } else { 0 }, |n, b| n << 8 | i64::from(*b));
            filled.to_string().into_bytes()
        };
        match self.length()? {
            Ok(count) => Ok(self.take(count)?.to_vec()),
            Err(0) => Ok(number(self.take(1)?)),
            Err(1) => Ok(number(self.take(2)?)),
            Err(2) => Ok(number(self.take(4)?)),
            Err(_) => Err("kubonsai does not support compressed strings (redis) yet".to_owned()),
        }
    }

    fn value(&mut self, kind: u8) -> Result<Value, String> {
        if kind == 0 {
            return Ok(Value::Str(self.string()?));
        }
        if !matches!(kind, 1 | 2 | 4 | 5) {
            return Err(format!("kubonsai does not support values of type {kind} in a snapshot (redis) yet"));
        }
        let count = self.count()?;
        let (mut list, mut set) = (VecDeque::new(), Ordered::default());
        let (mut hash, mut sorted) = (Ordered::default(), BTreeMap::new());
        for _ in 0..count {
            let text = self.string()?;
            match kind {
                1 => list.push_back(text),
                2 => drop(set.insert(text, ())),
                4 => drop(hash.insert(text, self.string()?)),
                _ => drop(sorted.insert(text, f64::from_le_bytes(self.eight()?))),
            }
        }
        Ok(match kind {
            1 => Value::List(list),
            2 => Value::Set(set),
            4 => Value::Hash(hash),
            _ => Value::Sorted(sorted),
        })
    }
}

/// Reads a snapshot into a store.
///
/// # Errors
/// What is wrong with the file.
pub fn read(bytes: &[u8], store: &mut Store, now: u64) -> Result<(), String> {
    let mut reader = Reader(bytes);
    if !reader.take(9)?.starts_with(b"REDIS") {
        return Err("Wrong signature trying to load DB from file".to_owned());
    }
    let (mut number, mut expires) = (0, None);
    loop {
        match reader.byte()? {
            END => return Ok(()),
            AUX => {
                reader.string()?;
                reader.string()?;
            }
            DATABASE => number = reader.count()?.min(DATABASES - 1),
            SIZES => {
                reader.count()?;
                reader.count()?;
            }
            EXPIRES_MILLIS => expires = Some(u64::from_le_bytes(reader.eight()?)),
            kind => {
                let key = reader.string()?;
                let value = reader.value(kind)?;
                store.databases[number].set(key, value, expires.take(), now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::play;

    #[test]
    fn a_snapshot_gives_the_same_data() {
        let mut store = Store::default();
        let long = format!("SET long {}", "x".repeat(20_000));
        let lines = ["SET a 1 PX 500", &long, "RPUSH l a b", "SADD s 3 1 2", "HSET h f v g w", "ZADD z 1.5 a -inf b"];
        play(&mut store, 1, &lines);
        let bytes = write(&mut store, "7.2.4", 1);
        assert!(bytes.starts_with(b"REDIS0011\xfa\x09redis-ver\x057.2.4"));
        let mut other = Store::default();
        read(&bytes, &mut other, 1).expect("valid");
        // When and how often a key was used is not in the file.
        let kept = |store: &mut Store| {
            let live = store.databases[0].live(1).iter();
            live.map(|(key, e)| (key.clone(), e.value.clone(), e.expires)).collect::<Vec<_>>()
        };
        assert!(kept(&mut store) == kept(&mut other) && kept(&mut other).len() == 6);
        assert!(
            read(&bytes[..bytes.len() - 20], &mut other, 1).is_err() && read(b"nothing here", &mut other, 1).is_err()
        );
    }
}
