//! Lists of values.

use std::ops::{Deref, DerefMut, RangeBounds};

use ecow::EcoVec;

use crate::Value;

/// A list of values. Reads like a slice; the first change after a clone copies the list, not what is in its values.
#[derive(Clone, Default, Eq)]
pub struct Array(EcoVec<Value>);

impl Array {
    /// An empty list.
    pub const fn new() -> Self {
        Array(EcoVec::new())
    }

    /// An empty list with room for `capacity` values.
    pub fn with_capacity(capacity: usize) -> Self {
        Array(EcoVec::with_capacity(capacity))
    }

    /// The values.
    pub fn as_slice(&self) -> &[Value] {
        &self.0
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values, to change.
    pub fn as_mut_slice(&mut self) -> &mut [Value] {
        if !self.0.is_unique() {
            // Copied by way of a `Vec`: without room for more, which most lists never need.
            self.0 = self.0.to_vec().into();
        }
        self.0.make_mut()
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: Value) {
        self.0.push(value);
    }

    /// Takes the last value away.
    pub fn pop(&mut self) -> Option<Value> {
        self.0.pop()
    }

    /// Puts a value in at a place.
    ///
    /// # Panics
    /// If the place is after the end.
    pub fn insert(&mut self, index: usize, value: Value) {
        self.0.insert(index, value);
    }

    /// Takes the value at a place out.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, index: usize) -> Value {
        self.0.remove(index)
    }

    /// Keeps what the condition holds for; a list that all of it holds for stays shared.
    pub fn retain(&mut self, mut keep: impl FnMut(&Value) -> bool) {
        let Some(first) = self.0.iter().position(|value| !keep(value)) else { return };
        let mut index = 0;
        self.0.retain(|value| {
            index += 1;
            match index - 1 {
                earlier if earlier < first => true,
                one if one == first => false,
                _ => keep(value),
            }
        });
    }

    /// Drops what is after the first `len` values.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Drops all values.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Moves the values of another list to the end of this one.
    pub fn append(&mut self, other: &mut Array) {
        self.0.extend(std::mem::take(other).0);
    }

    /// Takes the values of a range out.
    pub fn drain(&mut self, range: impl RangeBounds<usize>) -> ecow::vec::Drain<'_, Value> {
        self.0.drain(range)
    }

    /// The values to change, if nobody shares them.
    pub(crate) fn own_values(&mut self) -> Option<&mut [Value]> {
        self.0.is_unique().then(|| self.0.make_mut())
    }

    /// Gives back the room for more values.
    pub(crate) fn shrink_to_fit(&mut self) {
        if self.0.capacity() > self.0.len() {
            let mut values = EcoVec::with_capacity(self.0.len());
            values.extend(std::mem::take(&mut self.0));
            self.0 = values;
        }
    }

    /// For how many more values there is room.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.0.capacity() - self.0.len()
    }

    /// Whether both are the very same list: the cheap proof of equality.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.as_ptr() == other.0.as_ptr() && self.0.len() == other.0.len()
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0 == other.0
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

impl DerefMut for Array {
    fn deref_mut(&mut self) -> &mut [Value] {
        self.as_mut_slice()
    }
}

impl std::fmt::Debug for Array {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Vec<Value>> for Array {
    fn from(values: Vec<Value>) -> Self {
        Array(values.into())
    }
}

impl From<Array> for Vec<Value> {
    fn from(array: Array) -> Self {
        array.into_iter().collect()
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        // By way of a `Vec`: a list that stays is kept without room for more.
        Array::from(Vec::from_iter(values))
    }
}

impl Extend<Value> for Array {
    fn extend<I: IntoIterator<Item = Value>>(&mut self, values: I) {
        self.0.extend(values);
    }
}

impl IntoIterator for Array {
    type Item = Value;
    type IntoIter = ecow::vec::IntoIter<Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a mut Array {
    type Item = &'a mut Value;
    type IntoIter = std::slice::IterMut<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.as_mut_slice().iter_mut()
    }
}

impl PartialEq<Vec<Value>> for Array {
    fn eq(&self, other: &Vec<Value>) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl PartialEq<[Value]> for Array {
    fn eq(&self, other: &[Value]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<Array> for Vec<Value> {
    fn eq(&self, other: &Array) -> bool {
        other == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_change_is_seen_by_the_changed_alone() {
        let first = Array::from(vec![json!({"name": "a"}), json!({"name": "b"})]);
        let mut second = first.clone();
        assert!(first.is_same(&second));
        second[0]["name"] = json!("c");
        assert_eq!((&first[0]["name"], &second[0]["name"]), (&json!("a"), &json!("c")));
        let of = |array: &Array| array[1].as_object().expect("a map").clone();
        assert!(of(&first).is_same(&of(&second)), "what did not change is still shared");
    }

    #[test]
    fn retaining_everything_copies_nothing() {
        let first = Array::from(vec![json!(1), json!(2), json!(3)]);
        let mut second = first.clone();
        second.retain(|_| true);
        assert!(first.is_same(&second));
        let mut asked = Vec::new();
        second.retain(|value| {
            asked.push(value.clone());
            value != &json!(2)
        });
        assert_eq!(second, vec![json!(1), json!(3)]);
        assert_eq!(asked.len(), 3, "each is asked once");
    }
}
