//! Making a tree small that is to be kept.

use crate::{Array, Map, Value};

impl Value {
    /// Makes a tree small that is to be kept beside an older one: what is equal in both becomes one and the same, and lists and maps
    /// give back the room that they have for more. What is shared with other trees stays shared. Answers whether both are equal.
    pub fn settle(&mut self, old: Option<&Value>) -> bool {
        let equal = match self {
            Value::Object(map) => {
                let old = old.and_then(Value::as_object);
                if old.is_some_and(|old| map.is_same(old)) {
                    return true;
                }
                settle_map(map, old)
            }
            Value::Array(list) => {
                let old = old.and_then(Value::as_array);
                if old.is_some_and(|old| list.is_same(old)) {
                    return true;
                }
                settle_list(list, old)
            }
            Value::String(text) => old.and_then(Value::as_str).is_some_and(|old| *text == *old),
            Value::Null | Value::Bool(_) | Value::Number(_) => return old == Some(self),
        };
        if let (true, Some(old)) = (equal, old) {
            *self = old.clone();
        }
        equal
    }
}

fn settle_map(map: &mut Map, old: Option<&Map>) -> bool {
    let Some(entries) = map.own_entries() else { return old == Some(map) };
    let mut equal = old.is_some_and(|old| old.len() == entries.len());
    let mut before = old.map(Map::in_order).unwrap_or_default();
    for (name, value) in entries {
        let before = before.entry(name);
        equal &= value.settle(before.map(|(_, value)| value)) && before.is_some();
        if let Some((same, _)) = before.filter(|_| !name.is_inline()) {
            *name = same.clone();
        }
    }
    if !equal {
        map.shrink_to_fit();
    }
    equal
}

fn settle_list(list: &mut Array, old: Option<&Array>) -> bool {
    let Some(values) = list.own_values() else { return old == Some(list) };
    let mut equal = old.is_some_and(|old| old.len() == values.len());
    for (index, value) in values.iter_mut().enumerate() {
        let before = old.and_then(|old| old.get(index));
        equal &= value.settle(before) && before.is_some();
    }
    if !equal {
        list.shrink_to_fit();
    }
    equal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn parsed(text: &str) -> Value {
        crate::from_str(text).unwrap()
    }

    #[test]
    fn what_is_equal_becomes_the_same() {
        let text = r#"{"a":{"list":[{"x":"a text that is long"},2]},"b":[1,{"y":null}],"c":"another long text"}"#;
        let old = parsed(text);
        let mut new = parsed(text);
        assert!(!new.is_same(&old));
        assert!(new.settle(Some(&old)));
        assert!(new.is_same(&old));

        let mut new = parsed(text);
        new["b"][1]["y"] = json!(true);
        let expected = new.to_string();
        assert!(!new.settle(Some(&old)));
        assert_eq!(new.to_string(), expected);
        assert!(new["a"].is_same(&old["a"]));
        assert!(!new["b"].is_same(&old["b"]));
        assert_eq!(new["c"].as_str().unwrap().as_ptr(), old["c"].as_str().unwrap().as_ptr());
    }

    #[test]
    fn what_differs_in_any_way_stays_different() {
        let old = parsed(r#"{"a":[1,2],"b":{"x":1},"c":null}"#);
        for text in [
            r#"{"a":[1],"b":{"x":1},"c":null}"#,
            r#"{"a":[1,2,3],"b":{"x":1},"c":null}"#,
            r#"{"a":[1,2],"b":{},"c":null}"#,
            r#"{"a":[1,2],"b":{"y":1},"c":null}"#,
            r#"{"a":[1,2],"b":{"x":1},"d":null}"#,
            r#"{"a":[1,2],"b":{"x":1}}"#,
            r#"{"a":{},"b":[],"c":""}"#,
            "[]",
            "null",
            "1",
        ] {
            let mut new = parsed(text);
            assert!(!new.settle(Some(&old)), "{text}");
            assert_eq!(new.to_string(), text);
            assert!(!new.settle(None));
            assert_eq!(new.to_string(), text);
        }
    }

    #[test]
    fn room_for_more_is_given_back_unless_others_share_it() {
        let mut map = Map::new();
        for name in ["a", "b", "c", "d", "e"] {
            map.insert(name.into(), json!([]));
            map[name].as_array_mut().unwrap().push(json!(1));
        }
        let mut value = Value::Object(map.clone());
        value.settle(None);
        assert!(value.is_same(&Value::Object(map.clone())), "shared, so it stays as it is");
        assert!(map.room() > 0);
        drop(value);
        let mut value = Value::Object(map);
        value.settle(None);
        assert_eq!((value.as_object().unwrap().room(), value["a"].as_array().unwrap().room()), (0, 0));
        assert_eq!(value.to_string(), r#"{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1]}"#);
    }
}
