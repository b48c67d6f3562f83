//! What JSON says twice: its keys in the order in which they stand, each with its place.
//!
//! Upstream: `sigs.k8s.io/json` (`DisallowDuplicateFields`). A value keeps the last of two fields and forgets that there was
//! another, so the text has to be looked at.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// A key of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its place: `spec.containers[0].image`.
    pub path: String,
    /// Whether the same object had it before.
    pub is_repeated: bool,
}

/// All keys in the order of the text, up to where it stops being JSON.
pub fn keys(json: &[u8]) -> Vec<Key> {
    scan(json, true)
}

/// Places of keys that the same object had before, in the order of the text, each once.
pub fn repeated(json: &[u8]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    scan(json, false).into_iter().map(|key| key.path).filter(|path| seen.insert(path.clone())).collect()
}

fn scan(json: &[u8], is_all: bool) -> Vec<Key> {
    let mut scan = Scan { is_all, path: String::new(), found: Vec::new() };
    // Whoever reads the text says what is wrong with it.
    let _ = (&mut scan).deserialize(&mut json::Deserializer::from_slice(json));
    scan.found
}

struct Scan {
    /// Whether keys count that were not there before.
    is_all: bool,
    /// Where it is.
    path: String,
    found: Vec<Key>,
}

impl<'de> DeserializeSeed<'de> for &mut Scan {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Scan {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let outer = self.path.len();
        let mut at = 0_usize;
        loop {
            self.path.push_str(&format!("[{at}]"));
            let item = items.next_element_seed(&mut *self)?;
            self.path.truncate(outer);
            at += 1;
            if item.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let outer = self.path.len();
        let mut seen = BTreeSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if outer > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            let is_repeated = !seen.insert(key);
            if is_repeated || self.is_all {
                self.found.push(Key { path: self.path.clone(), is_repeated });
            }
            fields.next_value_seed(&mut *self)?;
            self.path.truncate(outer);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_places_and_come_in_order() {
        let json = br#"{"b": {"x": [{"y": 1, "z": 2.5, "y": null}]}, "a": true, "b": "text"}"#;
        let paths: Vec<String> = keys(json).into_iter().map(|key| key.path).collect();
        assert_eq!(paths, ["b", "b.x", "b.x[0].y", "b.x[0].z", "b.x[0].y", "a", "b"]);
        assert_eq!(repeated(json), ["b.x[0].y", "b"]);
        assert_eq!(repeated(br#"[{"op": 1}, {"op": 1, "op": -2, "op": 3}]"#), ["[1].op"]);
    }

    #[test]
    fn what_is_no_json_has_the_keys_before_that() {
        assert_eq!(repeated(br#"{"a": 1, "a": 2, oops"#), ["a"]);
        assert!(keys(b"").is_empty());
    }
}
