//! Trees as text, and Rust values as trees.

use serde::ser;
use serde::{Serialize, Serializer};
use serde_json::Error;

use crate::{Array, Map, Number, Text, Value, text};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(list) => list.serialize(serializer),
            Value::Object(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// The tree of a Rust value.
///
/// # Errors
/// If it can not be JSON, such as a map whose keys are no strings.
pub fn to_value<T: Serialize>(value: T) -> Result<Value, Error> {
    value.serialize(Tree)
}

/// Makes trees.
struct Tree;

/// A list in the making.
struct Items(Vec<Value>);

/// An object in the making, and the name whose value comes next.
struct Fields(Vec<(Text, Value)>, Option<Text>);

/// A variant in the making: `{"Name": ...}`.
struct Variant<T>(&'static str, T);

fn variant(name: &'static str, value: Value) -> Value {
    Value::Object(Map::from_iter([(text::name(name), value)]))
}

impl Serializer for Tree {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Variant<Items>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Variant<Fields>;

    fn serialize_bool(self, value: bool) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Error> {
        Ok(Number::from_f64(value.into()).map_or(Value::Null, Value::Number))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(Value::String(Text::from(value)))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(Tree)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Value, Error> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, Error> {
        value.serialize(Tree)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(variant(name, value.serialize(Tree)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, Error> {
        Ok(Items(Vec::with_capacity(len.unwrap_or(0))))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Variant<Items>, Error> {
        Ok(Variant(name, self.serialize_seq(Some(len))?))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Fields, Error> {
        Ok(Fields(Vec::with_capacity(len.unwrap_or(0)), None))
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields, Error> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Variant<Fields>, Error> {
        Ok(Variant(name, self.serialize_map(Some(len))?))
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Value;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.push(value.serialize(Tree)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Array(self.0.into()))
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Value;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Value, Error> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Value, Error> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleVariant for Variant<Items> {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(&mut self.1, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(variant(self.0, ser::SerializeSeq::end(self.1)?))
    }
}

impl ser::SerializeMap for Fields {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.1 = Some(match key.serialize(Tree)? {
            Value::String(name) => name,
            // As in text: numbers and booleans are named by what they look like.
            Value::Number(number) => number.to_string().into(),
            Value::Bool(value) => value.to_string().into(),
            _ => return Err(ser::Error::custom("key must be a string")),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.1.take().ok_or_else(|| <Error as ser::Error>::custom("a value without a key"))?;
        self.0.push((name, value.serialize(Tree)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Object(self.0.into_iter().collect()))
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.0.push((text::name(name), value.serialize(Tree)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        ser::SerializeMap::end(self)
    }
}

impl ser::SerializeStructVariant for Variant<Fields> {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        ser::SerializeStruct::serialize_field(&mut self.1, name, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(variant(self.0, ser::SerializeMap::end(self.1)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Shape {
        Unit,
        New(i64),
        Tuple(u8, String),
        Struct { side: f64, name: Option<char> },
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Everything {
        shapes: Vec<Shape>,
        by_number: BTreeMap<u32, bool>,
        pair: (i8, u64),
        nothing: (),
        absent: Option<String>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[test]
    fn rust_values_become_what_they_become_as_text() {
        let value = Everything {
            shapes: vec![
                Shape::Unit,
                Shape::New(-1),
                Shape::Tuple(1, "x".into()),
                Shape::Struct { side: 0.5, name: Some('あ') },
            ],
            by_number: BTreeMap::from([(7, true)]),
            pair: (-1, u64::MAX),
            nothing: (),
            absent: None,
            rest: BTreeMap::from([("more".to_owned(), Value::from("text"))]),
        };
        let tree = to_value(&value).unwrap();
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(tree, serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(crate::from_value::<Everything>(tree).unwrap(), value);
    }

    #[test]
    fn what_can_not_be_a_key_is_refused() {
        let error = to_value(BTreeMap::from([(vec![1], 1)])).unwrap_err();
        assert_eq!(error.to_string(), "key must be a string");
    }
}
