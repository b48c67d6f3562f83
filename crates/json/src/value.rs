//! One value.

use std::borrow::Cow;
use std::fmt;

use crate::{Array, Index, Map, Number, Text};

/// Any JSON value.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits or a float.
    Number(Number),
    /// A string.
    String(Text),
    /// A list.
    Array(Array),
    /// Fields by name.
    Object(Map),
}

impl Value {
    /// The value at a place of a list or the field of an object.
    pub fn get<I: Index>(&self, index: I) -> Option<&Value> {
        index.of(self)
    }

    /// The same, to change.
    pub fn get_mut<I: Index>(&mut self, index: I) -> Option<&mut Value> {
        index.of_mut(self)
    }

    /// What a JSON pointer (RFC 6901) points at.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(map) => map.get(&step),
            Value::Array(list) => list.get(place(&step)?),
            _ => None,
        })
    }

    /// The same, to change.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        steps(pointer)?.try_fold(self, |value, step| match value {
            Value::Object(map) => map.get_mut(&step),
            Value::Array(list) => list.get_mut(place(&step)?),
            _ => None,
        })
    }

    /// Whether both are the very same list or object, which proves at once that they are equal. They can be equal without.
    pub fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Array(a), Value::Array(b)) => a.is_same(b),
            (Value::Object(a), Value::Object(b)) => a.is_same(b),
            _ => false,
        }
    }

    /// Takes the value out and leaves `null`.
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Value::Object(_))
    }

    /// Whether it is a list.
    pub fn is_array(&self) -> bool {
        matches!(self, Value::Array(_))
    }

    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        matches!(self, Value::String(_))
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Value::Number(_))
    }

    /// Whether it is `true` or `false`.
    pub fn is_boolean(&self) -> bool {
        matches!(self, Value::Bool(_))
    }

    /// Whether it is an integer that an `i64` holds.
    pub fn is_i64(&self) -> bool {
        matches!(self, Value::Number(number) if number.is_i64())
    }

    /// Whether it is an integer that a `u64` holds.
    pub fn is_u64(&self) -> bool {
        matches!(self, Value::Number(number) if number.is_u64())
    }

    /// Whether it is a number that is no integer.
    pub fn is_f64(&self) -> bool {
        matches!(self, Value::Number(number) if number.is_f64())
    }

    /// The string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if an `i64` holds it.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The number, if a `u64` holds it.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The number as a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The list.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    /// The list, to change.
    pub fn as_array_mut(&mut self) -> Option<&mut Array> {
        match self {
            Value::Array(list) => Some(list),
            _ => None,
        }
    }

    /// The fields.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The fields, to change.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }
}

/// The steps of a JSON pointer; none if it is no pointer.
fn steps(pointer: &str) -> Option<impl Iterator<Item = String>> {
    let rest = match pointer {
        "" => None,
        _ => Some(pointer.strip_prefix('/')?),
    };
    Some(rest.into_iter().flat_map(|rest| rest.split('/')).map(|step| step.replace("~1", "/").replace("~0", "~")))
}

/// A place in a list as a pointer writes it: digits without a sign or a leading zero.
fn place(step: &str) -> Option<usize> {
    let plain = step == "0" || !step.starts_with(['0', '+']);
    plain.then(|| step.parse().ok()).flatten()
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("Null"),
            Value::Bool(value) => write!(f, "Bool({value})"),
            Value::Number(number) => write!(f, "Number({number})"),
            Value::String(text) => write!(f, "String({text:?})"),
            Value::Array(list) => {
                f.write_str("Array ")?;
                list.fmt(f)
            }
            Value::Object(map) => {
                f.write_str("Object ")?;
                map.fmt(f)
            }
        }
    }
}

impl fmt::Display for Value {
    /// The JSON on one line; with `{:#}` on several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() { crate::to_string_pretty(self) } else { crate::to_string(self) };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<f64> for Value {
    /// `null` where JSON has no number for it.
    fn from(value: f64) -> Self {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {
        $(impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Value::Number(value.into())
            }
        })*
    };
}

from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Value::String(text)
    }
}

impl From<&Text> for Value {
    fn from(text: &Text) -> Self {
        Value::String(text.clone())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::String(text.into())
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Value::String(text.into())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Object(map)
    }
}

impl From<Array> for Value {
    fn from(list: Array) -> Self {
        Value::Array(list)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        list.into_iter().collect()
    }
}

impl<T: Clone + Into<Value>> From<&[T]> for Value {
    fn from(list: &[T]) -> Self {
        list.iter().cloned().collect()
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(list: [T; N]) -> Self {
        list.into_iter().collect()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Value::Array(values.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::str::FromStr for Value {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_value_is_three_words() {
        assert_eq!(size_of::<Value>(), 24);
        assert_eq!(size_of::<(Text, Value)>(), 40);
    }

    #[test]
    fn pointers_point() {
        let mut value = json!({"a/b": {"~": [1, {"x": null}]}, "": 7});
        assert_eq!(value.pointer(""), Some(&value.clone()));
        assert_eq!(value.pointer("/"), Some(&json!(7)));
        assert_eq!(value.pointer("/a~1b/~0/0"), Some(&json!(1)));
        assert_eq!(value.pointer("/a~1b/~0/00"), None);
        assert_eq!(value.pointer("/a~1b/~0/+0"), None);
        assert_eq!(value.pointer("a~1b"), None);
        *value.pointer_mut("/a~1b/~0/1/x").unwrap() = json!("new");
        assert_eq!(value.to_string(), r#"{"":7,"a/b":{"~":[1,{"x":"new"}]}}"#);
    }

    #[test]
    fn text_and_back_is_the_same() {
        let text = r#"{"b":[1,-2,3.5,18446744073709551615,null,true],"a":{"text":"\u3042\n\"","":{}},"z":[]}"#;
        let value: Value = crate::from_str(text).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(value.to_string(), theirs.to_string());
        assert_eq!(format!("{value:#}"), format!("{theirs:#}"));
        assert_eq!(format!("{value:?}"), format!("{theirs:?}"));
        assert!(
            crate::from_str::<Value>(&"[".repeat(200)).unwrap_err().to_string().starts_with("recursion limit exceeded")
        );
    }
}
