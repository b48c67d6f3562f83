//! Fields by name.

use std::cmp::Ordering;
use std::mem;
use std::slice;

use ecow::EcoVec;

use crate::{Text, Value, text};

/// Fields by name, in the order of their names' bytes. The first change after a clone copies the entries, not what is in
/// their values.
#[derive(Clone, Default, Eq)]
pub struct Map(EcoVec<(Text, Value)>);

/// Up to how many entries are looked through one by one: most names differ in their length, or where they begin.
const FEW: usize = 24;

/// Whether two names are equal. Not by `==` at once: that calls into the library, for every field that is passed and for the one
/// that is found.
fn is_equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        0 => true,
        1..=3 => a[0] == b[0] && a[a.len() / 2] == b[b.len() / 2] && a[a.len() - 1] == b[b.len() - 1],
        // Beginning and end, which overlap.
        4..=7 => a.first_chunk::<4>() == b.first_chunk::<4>() && a.last_chunk::<4>() == b.last_chunk::<4>(),
        8..=16 => a.first_chunk::<8>() == b.first_chunk::<8>() && a.last_chunk::<8>() == b.last_chunk::<8>(),
        _ => a.first_chunk::<8>() == b.first_chunk::<8>() && a == b,
    }
}

/// The order of two names, most of which their first byte tells.
fn order(a: &str, b: &str) -> Ordering {
    match a.as_bytes().first().cmp(&b.as_bytes().first()) {
        Ordering::Equal => a.cmp(b),
        other => other,
    }
}

impl Map {
    /// Without fields.
    pub const fn new() -> Self {
        Map(EcoVec::new())
    }

    /// Without fields, with room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Map(EcoVec::with_capacity(capacity))
    }

    /// How many fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a field is.
    fn find(&self, name: &str) -> Option<usize> {
        if self.0.len() > FEW {
            return self.0.binary_search_by(|(key, _)| order(key, name)).ok();
        }
        self.0.iter().position(|(key, _)| is_equal(key, name))
    }

    /// Where a field is, or where it would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        match self.find(name) {
            Some(index) => Ok(index),
            None => Err(self.0.partition_point(|(key, _)| order(key, name).is_lt())),
        }
    }

    /// The value of a field.
    pub fn get<N: AsRef<str> + ?Sized>(&self, name: &N) -> Option<&Value> {
        self.get_key_value(name).map(|(_, value)| value)
    }

    /// A field, its name as it is kept.
    pub fn get_key_value<N: AsRef<str> + ?Sized>(&self, name: &N) -> Option<(&Text, &Value)> {
        let (key, value) = &self.0[self.find(name.as_ref())?];
        Some((key, value))
    }

    /// The value of a field, to change.
    pub fn get_mut<N: AsRef<str> + ?Sized>(&mut self, name: &N) -> Option<&mut Value> {
        let index = self.find(name.as_ref())?;
        Some(&mut self.0.make_mut()[index].1)
    }

    /// Looks fields up one after the other, in the order of their names: each in a step or two.
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder(&self.0)
    }

    /// Whether there is a field.
    pub fn contains_key<N: AsRef<str> + ?Sized>(&self, name: &N) -> bool {
        self.get(name).is_some()
    }

    /// Sets a field; answers what it was.
    pub fn insert(&mut self, name: Text, value: Value) -> Option<Value> {
        if self.0.last().is_none_or(|(last, _)| *last < name) {
            self.0.push((text::shared(name), value));
            return None;
        }
        match self.place(&name) {
            Ok(index) => Some(mem::replace(&mut self.0.make_mut()[index].1, value)),
            Err(index) => {
                self.0.insert(index, (text::shared(name), value));
                None
            }
        }
    }

    /// Takes a field away; answers what it was.
    pub fn remove<N: AsRef<str> + ?Sized>(&mut self, name: &N) -> Option<Value> {
        self.remove_entry(name).map(|(_, value)| value)
    }

    /// Takes a field away; answers its name and what it was.
    pub fn remove_entry<N: AsRef<str> + ?Sized>(&mut self, name: &N) -> Option<(Text, Value)> {
        let index = self.find(name.as_ref())?;
        Some(self.0.remove(index))
    }

    /// A field that is or is not there.
    pub fn entry(&mut self, name: impl Into<Text>) -> Entry<'_> {
        let name = name.into();
        Entry { place: self.place(&name), map: self, name }
    }

    /// Moves the fields of another map into this one, over those it has.
    pub fn append(&mut self, other: &mut Map) {
        self.extend(mem::take(other));
    }

    /// Drops all fields.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps the fields that the condition holds for.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &mut Value) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// The fields.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The fields, their values to change.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        self.0.make_mut().iter_mut().map(|(name, value)| (&*name, value))
    }

    /// The names.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Text> + ExactSizeIterator + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to change.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Value> + ExactSizeIterator {
        self.0.make_mut().iter_mut().map(|(_, value)| value)
    }

    /// The values by value.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = Value> + ExactSizeIterator {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// The entries to change, if nobody shares them. Names may only become others that are equal.
    pub(crate) fn own_entries(&mut self) -> Option<&mut [(Text, Value)]> {
        self.0.is_unique().then(|| self.0.make_mut())
    }

    /// Gives back the room for more entries.
    pub(crate) fn shrink_to_fit(&mut self) {
        if self.0.capacity() > self.0.len() {
            let mut entries = EcoVec::with_capacity(self.0.len());
            entries.extend(mem::take(&mut self.0));
            self.0 = entries;
        }
    }

    /// For how many more entries there is room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.0.capacity() - self.0.len()
    }

    /// Whether both are the very same entries: the cheap proof of equality.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.as_ptr() == other.0.as_ptr() && self.0.len() == other.0.len()
    }
}

/// See [`Map::in_order`].
#[derive(Clone, Copy, Default)]
pub struct InOrder<'a>(&'a [(Text, Value)]);

impl<'a> InOrder<'a> {
    /// The value of a field; none if its name comes before one that was asked for earlier.
    pub fn get(&mut self, name: &str) -> Option<&'a Value> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The same with the name as it is kept.
    pub(crate) fn entry(&mut self, name: &str) -> Option<&'a (Text, Value)> {
        while let Some((first, rest)) = self.0.split_first() {
            if is_equal(&first.0, name) {
                self.0 = rest;
                return Some(first);
            }
            if order(&first.0, name).is_gt() {
                return None;
            }
            self.0 = rest;
        }
        None
    }
}

/// See [`Map::iter`].
pub type Iter<'a> = std::iter::Map<slice::Iter<'a, (Text, Value)>, fn(&'a (Text, Value)) -> (&'a Text, &'a Value)>;

/// See [`Map::iter_mut`].
pub type IterMut<'a> =
    std::iter::Map<slice::IterMut<'a, (Text, Value)>, fn(&'a mut (Text, Value)) -> (&'a Text, &'a mut Value)>;

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(fields: I) -> Self {
        Map::of_fields(fields.into_iter().map(|(name, value)| (text::shared(name.into()), value)).collect())
    }
}

impl Map {
    /// The fields of a list, whose names are shared already; of those of one name the last.
    pub(crate) fn of_fields(mut fields: Vec<(Text, Value)>) -> Map {
        if !fields.is_sorted_by(|(a, _), (b, _)| a < b) {
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            // Of the fields of one name the last counts, as when one is set after the other.
            fields.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    mem::swap(later, earlier);
                }
                same
            });
        }
        Map(fields.into())
    }
}

impl<K: Into<Text>> Extend<(K, Value)> for Map {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, fields: I) {
        let mut fields = fields.into_iter();
        for (name, value) in fields.by_ref().take(FEW) {
            self.insert(name.into(), value);
        }
        // Many at once: put in order once, not one after the other.
        if let Some((name, value)) = fields.next() {
            let rest = std::iter::once((name.into(), value)).chain(fields.map(|(name, value)| (name.into(), value)));
            *self = mem::take(self).into_iter().chain(rest).collect();
        }
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = ecow::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Text, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Map {
    type Item = (&'a Text, &'a mut Value);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl std::ops::Index<&str> for Map {
    type Output = Value;

    /// # Panics
    /// If there is no such field.
    fn index(&self, name: &str) -> &Value {
        self.get(name).expect("no field of this name")
    }
}

impl std::ops::IndexMut<&str> for Map {
    /// # Panics
    /// If there is no such field.
    fn index_mut(&mut self, name: &str) -> &mut Value {
        self.get_mut(name).expect("no field of this name")
    }
}

/// A field that is or is not there.
pub struct Entry<'a> {
    map: &'a mut Map,
    place: Result<usize, usize>,
    name: Text,
}

impl<'a> Entry<'a> {
    /// The value, set first if the field is not there.
    pub fn or_insert(self, value: Value) -> &'a mut Value {
        self.or_insert_with(|| value)
    }

    /// The value, made first if the field is not there.
    pub fn or_insert_with(self, make: impl FnOnce() -> Value) -> &'a mut Value {
        let index = match self.place {
            Ok(index) => index,
            Err(index) => {
                self.map.0.insert(index, (text::shared(self.name), make()));
                index
            }
        };
        &mut self.map.0.make_mut()[index].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn map(names: &[&str]) -> Map {
        names.iter().enumerate().map(|(index, name)| (*name, json!(index))).collect()
    }

    #[test]
    fn entries_are_in_the_order_of_their_names() {
        let names = |map: &Map| map.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut fields = map(&["c", "a", "b", "a"]);
        assert_eq!(names(&fields), "a b c");
        assert_eq!(fields["a"], json!(3), "the last one counts");
        for name in ["e", "d", "0", "z"] {
            assert_eq!(fields.insert(name.into(), json!(name)), None);
        }
        assert_eq!(names(&fields), "0 a b c d e z");
        assert_eq!(fields.insert("d".into(), json!(1)), Some(json!("d")));
        assert_eq!(fields.remove("0"), Some(json!("0")));
        assert_eq!(fields.remove("0"), None);
        fields.entry("0").or_insert(json!("first"));
        *fields.entry("a").or_insert(json!("not taken")) = json!(true);
        assert_eq!(crate::to_string(&fields).unwrap(), r#"{"0":"first","a":true,"b":2,"c":0,"d":1,"e":"e","z":"z"}"#);
    }

    #[test]
    fn names_are_equal_when_all_their_bytes_are() {
        for length in 0..=40 {
            let name: String = ('a'..='z').cycle().take(length).collect();
            assert!(is_equal(&name, &name.clone()));
            assert!(!is_equal(&name, &format!("{name}a")));
            for place in 0..length {
                let mut other = name.clone();
                other.replace_range(place..=place, "-");
                assert!(!is_equal(&name, &other), "{name} {other}");
            }
        }
    }

    #[test]
    fn many_entries_are_found_as_few_are() {
        let names: Vec<String> = (0..100).map(|n| format!("field-{}", n * 37 % 100)).collect();
        let fields = map(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(fields.len(), 100);
        for (index, name) in names.iter().enumerate() {
            assert_eq!(fields.get(name), Some(&json!(index)));
        }
        let mut grown = map(&["field-7", "a"]);
        grown.extend(fields.clone());
        assert_eq!((grown.len(), &grown["field-7"]), (101, &fields["field-7"]), "later ones count");
        assert!(grown.keys().is_sorted());
        assert_eq!(fields.get("field"), None);
        assert_eq!(fields.get("field-1000"), None);
    }

    #[test]
    fn fields_are_looked_up_in_order() {
        let fields = map(&["a", "c", "d", "f"]);
        let mut known = fields.in_order();
        let found: Vec<Option<i64>> =
            ["0", "a", "b", "d", "e", "f", "g"].map(|name| known.get(name).and_then(Value::as_i64)).into();
        assert_eq!(found, [None, Some(0), None, Some(2), None, Some(3), None]);
        assert_eq!(fields.in_order().get("f"), Some(&json!(3)), "others may be left out");
        assert_eq!(InOrder::default().get("a"), None);
    }

    #[test]
    fn a_clone_shares_until_one_of_both_changes() {
        let first = map(&["a", "b"]);
        let mut second = first.clone();
        assert_eq!(second.get_mut("none"), None);
        assert!(first.is_same(&second), "asking for what is not there changes nothing");
        second.insert("a".into(), json!("new"));
        assert_eq!((&first["a"], &second["a"]), (&json!(0), &json!("new")));
    }
}
