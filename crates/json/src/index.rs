//! `value["field"]`, `value[0]`, and comparing with what is no tree.

use std::ops;

use crate::{Map, Text, Value};

static NULL: Value = Value::Null;

/// What a value can be indexed with: a field's name or a place in a list.
pub trait Index {
    /// The value there.
    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value>;

    /// The value there, to change.
    fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value>;

    /// The value there, to change; a field that is not there is made.
    ///
    /// # Panics
    /// If the value can not have one.
    fn of_made<'a>(&self, value: &'a mut Value) -> &'a mut Value;
}

impl Index for usize {
    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.as_array()?.get(*self)
    }

    fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        value.as_array_mut()?.get_mut(*self)
    }

    fn of_made<'a>(&self, value: &'a mut Value) -> &'a mut Value {
        self.of_mut(value).expect("the list has no such place")
    }
}

impl Index for str {
    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.as_object()?.get(self)
    }

    fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        value.as_object_mut()?.get_mut(self)
    }

    fn of_made<'a>(&self, value: &'a mut Value) -> &'a mut Value {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        value.as_object_mut().expect("only an object has fields").entry(self).or_insert(Value::Null)
    }
}

macro_rules! index_by_text {
    ($($text:ty)*) => {
        $(impl Index for $text {
            fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
                self.as_str().of(value)
            }

            fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
                self.as_str().of_mut(value)
            }

            fn of_made<'a>(&self, value: &'a mut Value) -> &'a mut Value {
                self.as_str().of_made(value)
            }
        })*
    };
}

index_by_text!(String Text);

impl<T: Index + ?Sized> Index for &T {
    fn of<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        (**self).of(value)
    }

    fn of_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        (**self).of_mut(value)
    }

    fn of_made<'a>(&self, value: &'a mut Value) -> &'a mut Value {
        (**self).of_made(value)
    }
}

impl<I: Index> ops::Index<I> for Value {
    type Output = Value;

    /// `null` where there is nothing.
    fn index(&self, index: I) -> &Value {
        index.of(self).unwrap_or(&NULL)
    }
}

impl<I: Index> ops::IndexMut<I> for Value {
    /// A field that is not there is made.
    ///
    /// # Panics
    /// If the value is neither an object nor `null`, or its list is too short.
    fn index_mut(&mut self, index: I) -> &mut Value {
        index.of_made(self)
    }
}

macro_rules! equal {
    ($($other:ty => $value:ident, $right:ident, $equal:expr;)*) => {
        $(
            impl PartialEq<$other> for Value {
                fn eq(&self, $right: &$other) -> bool {
                    let $value = self;
                    $equal
                }
            }

            impl PartialEq<Value> for $other {
                fn eq(&self, other: &Value) -> bool {
                    other == self
                }
            }
        )*
    };
}

equal! {
    str => value, text, value.as_str() == Some(text);
    &str => value, text, value.as_str() == Some(*text);
    String => value, text, value.as_str() == Some(text.as_str());
    Text => value, text, value.as_str() == Some(text.as_str());
    bool => value, wanted, value.as_bool() == Some(*wanted);
    i32 => value, number, value.as_i64() == Some(i64::from(*number));
    i64 => value, number, value.as_i64() == Some(*number);
    u16 => value, number, value.as_u64() == Some(u64::from(*number));
    u32 => value, number, value.as_u64() == Some(u64::from(*number));
    u64 => value, number, value.as_u64() == Some(*number);
    usize => value, number, value.as_u64() == u64::try_from(*number).ok();
    f64 => value, number, value.as_f64() == Some(*number);
}

macro_rules! equal_behind_a_reference {
    ($($other:ty)*) => {
        $(impl PartialEq<$other> for &Value {
            fn eq(&self, other: &$other) -> bool {
                **self == *other
            }
        })*
    };
}

// Not `&str`: the library compares references with references.
equal_behind_a_reference!(String Text bool i32 i64 u16 u32 u64 usize f64);

#[cfg(test)]
mod tests {
    use crate::{Value, json};

    #[test]
    fn what_is_not_there_is_null() {
        let value = json!({"a": [1, {"b": "c"}]});
        assert_eq!(value["a"][1]["b"], "c");
        assert_eq!(value["a"][0], 1);
        for nothing in [&value["b"], &value["a"]["b"], &value["a"][2], &value[0], &value["a"][1]["b"]["c"]] {
            assert_eq!(nothing, &Value::Null);
        }
    }

    #[test]
    fn fields_are_made_on_the_way() {
        let mut value = Value::Null;
        value["a"]["b"] = json!(1);
        value["a"]["c"] = json!([2]);
        value["a"]["c"][0] = json!(3);
        assert_eq!(value.to_string(), r#"{"a":{"b":1,"c":[3]}}"#);
    }
}
