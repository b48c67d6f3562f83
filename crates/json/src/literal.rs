//! `json!`.

use serde::Serialize;

use crate::{Array, Map, Text, Value};

/// A value that a literal names. Trees are shared, anything else goes by way of serde: the methods of the type itself
/// come before those of [`ViaSerde`].
#[doc(hidden)]
pub struct Of<'a, T: ?Sized>(pub &'a T);

/// What anything that serde knows becomes.
#[doc(hidden)]
pub trait ViaSerde {
    fn json(&self) -> Value;
}

impl<T: Serialize + ?Sized> ViaSerde for Of<'_, T> {
    /// # Panics
    /// If it can not be JSON, such as a map whose keys are no strings.
    fn json(&self) -> Value {
        crate::to_value(self.0).expect("a literal names only what can be JSON")
    }
}

/// The fields of a literal, as they come.
#[doc(hidden)]
pub struct Fields(Vec<(Text, Value)>);

/// For so many fields there is room from the beginning.
const FIELDS: usize = 8;

impl Default for Fields {
    fn default() -> Self {
        Fields(Vec::with_capacity(FIELDS))
    }
}

impl Fields {
    /// Sets a field.
    pub fn set(&mut self, name: &(impl AsRef<str> + ?Sized), value: Value) {
        self.0.push((crate::name(name.as_ref()), value));
    }

    /// The object that has them.
    pub fn done(self) -> Value {
        Value::Object(Map::of_fields(self.0))
    }
}

macro_rules! shared {
    ($($tree:ty)*) => {
        $(
            impl Of<'_, $tree> {
                #[doc(hidden)]
                pub fn json(&self) -> Value {
                    Value::from(self.0.clone())
                }
            }

            impl Of<'_, &$tree> {
                #[doc(hidden)]
                pub fn json(&self) -> Value {
                    Value::from((*self.0).clone())
                }
            }

            impl Of<'_, Option<$tree>> {
                #[doc(hidden)]
                pub fn json(&self) -> Value {
                    Value::from(self.0.clone())
                }
            }

            impl Of<'_, Option<&$tree>> {
                #[doc(hidden)]
                pub fn json(&self) -> Value {
                    Value::from(self.0.cloned())
                }
            }

            impl Of<'_, Vec<$tree>> {
                #[doc(hidden)]
                pub fn json(&self) -> Value {
                    Value::from(self.0.clone())
                }
            }
        )*
    };
}

shared!(Value Map Array Text);

/// A [`Value`] in the notation of JSON. Values may be any expression that serde can serialise, by reference; keys are
/// string literals, constants or expressions in parentheses.
#[macro_export]
macro_rules! json {
    (null) => { $crate::Value::Null };
    ([]) => { $crate::Value::Array($crate::Array::new()) };
    ([ $($items:tt)+ ]) => { $crate::json_items!([] $($items)+) };
    ({}) => { $crate::Value::Object($crate::Map::new()) };
    ({ $($fields:tt)+ }) => {{
        let mut fields = $crate::Fields::default();
        $crate::json_fields!(fields $($fields)+);
        fields.done()
    }};
    ($value:expr) => {{
        #[allow(unused_imports)]
        use $crate::ViaSerde as _;
        $crate::Of(&$value).json()
    }};
}

/// The items of a list: those that are done in brackets, then the rest.
#[doc(hidden)]
#[macro_export]
macro_rules! json_items {
    ([$($done:expr),*]) => { $crate::Value::Array($crate::Array::from(::std::vec![$($done),*])) };
    ([$($done:expr),*] null $(, $($rest:tt)*)?) => { $crate::json_items!([$($done,)* $crate::json!(null)] $($($rest)*)?) };
    ([$($done:expr),*] [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $crate::json_items!([$($done,)* $crate::json!([$($inner)*])] $($($rest)*)?)
    };
    ([$($done:expr),*] {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $crate::json_items!([$($done,)* $crate::json!({$($inner)*})] $($($rest)*)?)
    };
    ([$($done:expr),*] $value:expr $(, $($rest:tt)*)?) => {
        $crate::json_items!([$($done,)* $crate::json!($value)] $($($rest)*)?)
    };
}

/// The fields of an object, one after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! json_fields {
    ($fields:ident) => {};
    ($fields:ident $name:literal : $($rest:tt)+) => { $crate::json_field!($fields, $name, $($rest)+) };
    ($fields:ident ($name:expr) : $($rest:tt)+) => { $crate::json_field!($fields, $name, $($rest)+) };
    ($fields:ident $name:ident : $($rest:tt)+) => { $crate::json_field!($fields, $name, $($rest)+) };
}

/// One field, its value first of what follows.
#[doc(hidden)]
#[macro_export]
macro_rules! json_field {
    ($fields:ident, $name:expr, null $(, $($rest:tt)*)?) => {
        $fields.set(&$name, $crate::json!(null));
        $crate::json_fields!($fields $($($rest)*)?)
    };
    ($fields:ident, $name:expr, [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $fields.set(&$name, $crate::json!([$($inner)*]));
        $crate::json_fields!($fields $($($rest)*)?)
    };
    ($fields:ident, $name:expr, {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $fields.set(&$name, $crate::json!({$($inner)*}));
        $crate::json_fields!($fields $($($rest)*)?)
    };
    ($fields:ident, $name:expr, $value:expr $(, $($rest:tt)*)?) => {
        $fields.set(&$name, $crate::json!($value));
        $crate::json_fields!($fields $($($rest)*)?)
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    #[test]
    fn literals_are_what_they_look_like() {
        const KIND: &str = "kind";
        let (name, port, none) = (String::from("web"), 80_u16, None::<i64>);
        let labels = BTreeMap::from([("app", "web")]);
        let value = json!({
            KIND: "Pod",
            "metadata": {"name": name, "labels": labels, (format!("n{port}")): null,},
            "spec": {"containers": [{"ports": [{"containerPort": port}], "args": ["a", 1 + 1, [true], null, {}]}], "none": none},
            "empty": [],
        });
        assert_eq!(
            value.to_string(),
            r#"{"empty":[],"kind":"Pod","metadata":{"labels":{"app":"web"},"n80":null,"name":"web"},"spec":{"containers":[{"args":["a",2,[true],null,{}],"ports":[{"containerPort":80}]}],"none":null}}"#
        );
        assert_eq!(name, "web", "only borrowed");
    }

    #[test]
    fn trees_in_literals_are_shared() {
        let spec = json!({"a": {"b": 1}});
        let (owned, borrowed) = (json!({"spec": spec}), json!({"spec": &spec}));
        for value in [owned, borrowed] {
            let (inner, outer) = (value["spec"].as_object().unwrap(), spec.as_object().unwrap());
            assert!(inner.is_same(outer));
        }
        assert_eq!(json!(Some(&spec)), spec);
        assert_eq!(json!(vec![spec.clone()]), json!([spec]));
    }
}
