//! What is dropped from a custom object, and what is filled in (`apiserver/schema/{pruning,defaulting}`).

use json::Value;

/// Fields that every object has, whatever its schema says.
const EVERY: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Drops what the schema does not know; gives the paths of what was dropped, in order.
pub fn prune(schema: &Value, object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    walk(schema, object, "", true, &mut dropped);
    dropped
}

fn walk(schema: &Value, value: &mut Value, path: &str, is_object: bool, dropped: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let keeps_unknown = schema["x-kubernetes-preserve-unknown-fields"] == true;
            map.retain(|name, value| {
                if is_object && EVERY.contains(&name.as_str()) {
                    return true;
                }
                let inner = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                let more = &schema["additionalProperties"];
                match schema["properties"].get(name) {
                    Some(known) => walk(known, value, &inner, is_embedded(known), dropped),
                    None if more.is_object() => walk(more, value, &inner, is_embedded(more), dropped),
                    None if *more == true || keeps_unknown => {}
                    None => {
                        dropped.push(inner);
                        return false;
                    }
                }
                true
            });
        }
        Value::Array(items) => {
            let of = &schema["items"];
            for (i, item) in items.iter_mut().enumerate() {
                if of.is_object() {
                    walk(of, item, &format!("{path}[{i}]"), is_embedded(of), dropped);
                }
            }
        }
        _ => {}
    }
}

fn is_embedded(schema: &Value) -> bool {
    schema["x-kubernetes-embedded-resource"] == true
}

/// Fills in the defaults where their object is there. A null that may not be one counts as left out.
pub fn fill_in(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let properties = schema["properties"].as_object();
            for (name, property) in properties.into_iter().flatten() {
                let left_out = match map.get(name) {
                    None => true,
                    Some(value) => value.is_null() && property["nullable"] != true,
                };
                if let Some(default) = property.get("default").filter(|_| left_out) {
                    map.insert(name.clone(), default.clone());
                }
                if let Some(value) = map.get_mut(name) {
                    fill_in(property, value);
                }
            }
            let more = &schema["additionalProperties"];
            if more.is_object() {
                let known = |name: &str| properties.is_some_and(|p| p.contains_key(name));
                map.iter_mut().filter(|(name, _)| !known(name)).for_each(|(_, value)| fill_in(more, value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill_in(&schema["items"], item)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn unknown_fields_go_and_defaults_come() {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "replicas": {"type": "integer", "default": 1},
                "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    "properties": {"a": {"type": "object"}}},
                "list": {"type": "array", "items": {"type": "object", "properties": {
                    "name": {"type": "string"}, "port": {"type": "integer", "default": 80}}}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
        }});
        let mut object = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "other": 1, "spec": {
            "replicas": null, "foo": 1, "extra": {"a": {"gone": 1}, "b": {"stays": 1}},
            "list": [{"name": "x", "bar": 2}], "labels": {"a": "b"},
        }});
        assert_eq!(prune(&schema, &mut object), ["other", "spec.extra.a.gone", "spec.foo", "spec.list[0].bar"]);
        fill_in(&schema, &mut object);
        let spec = json!({"replicas": 1, "extra": {"a": {}, "b": {"stays": 1}}, "list": [{"name": "x", "port": 80}],
            "labels": {"a": "b"}});
        assert_eq!(object, json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": spec}));
    }
}
