//! Whether a custom object is as its schema says, in the words of kube-openapi's validators
//! (k8s.io/kube-openapi/pkg/validation/validate, apiextensions-apiserver/pkg/apiserver/validation).
//!
//! Order: fields by name, where upstream's follow each other by chance. Of formats, those are checked that say something
//! about texts in manifests.

use api::status::{FieldError, FieldErrors};
use api::text::{go_json, go_quote, go_value};
use json::{Map, Value};
use regex_lite::Regex;

/// Checks an object against a schema.
pub fn validate(schema: &Value, object: &Value, errors: &mut FieldErrors) {
    let mut found = Vec::new();
    value(schema, object, "", &mut found);
    lists(schema, object, "", &mut found);
    errors.extend(found);
}

/// Checks a default, or any other value at a place of a definition.
pub fn validate_at(schema: &Value, given: &Value, path: &str, errors: &mut FieldErrors) {
    let mut found = Vec::new();
    value(schema, given, path, &mut found);
    errors.extend(found);
}

fn field(path: &str) -> &str {
    path.strip_prefix('.').unwrap_or(path)
}

fn invalid(path: &str, value: &Value, why: &str) -> FieldError {
    FieldError::invalid(field(path), value.clone(), format!("{path} in body {why}"))
}

/// A complaint about a value as a whole, which upstream ties to no field.
fn whole(why: String) -> FieldError {
    FieldError::invalid("<nil>", "", why)
}

fn value(schema: &Value, given: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if given.is_null() && schema["nullable"] == true {
        return;
    }
    type_of(schema, given, path, errors);
    if given.is_null() {
        return;
    }
    junctors(schema, given, path, errors);
    match given {
        Value::String(text) => string(schema, text, path, errors),
        Value::Number(_) => number(schema, given, path, errors),
        Value::Array(items) => array(schema, items, path, errors),
        _ => {}
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(given)) {
        let texts: Vec<String> = allowed.iter().map(|v| v.as_str().map_or_else(|| go_json(v), str::to_owned)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        errors.push(FieldError::not_supported(field(path), given.clone(), &texts));
    }
    if let Value::Object(map) = given {
        object(schema, map, path, errors);
    }
}

fn type_of(schema: &Value, given: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let have = match given {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.as_f64().is_some_and(|f| f.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let wanted = if schema["x-kubernetes-int-or-string"] == true {
        "integer,string"
    } else {
        schema["type"].as_str().unwrap_or("")
    };
    let fits = wanted.split(',').any(|w| w == have || (w == "number" && have == "integer"));
    if !wanted.is_empty() && !fits {
        let why = format!("{path} in body must be of type {wanted}: {}", go_quote(have));
        errors.push(FieldError::type_invalid(field(path), have, why));
    }
}

/// `allOf`, `anyOf`, `oneOf`, `not`.
fn junctors(schema: &Value, given: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let tried = |one: &Value| {
        let mut found = Vec::new();
        value(one, given, path, &mut found);
        found
    };
    let of = |name: &str| schema[name].as_array().into_iter().flatten().map(tried).collect::<Vec<_>>();
    let (any, one, all) = (of("anyOf"), of("oneOf"), of("allOf"));
    let name = go_quote(path);
    if !any.is_empty() && any.iter().all(|found| !found.is_empty()) {
        errors.push(whole(format!("{name} must validate at least one schema (anyOf)")));
        errors.extend(any.into_iter().next().unwrap_or_default());
    }
    let matching = one.iter().filter(|found| found.is_empty()).count();
    if !one.is_empty() && matching != 1 {
        let how = match matching {
            0 => "Found none valid".to_owned(),
            many => format!("Found {many} valid alternatives"),
        };
        errors.push(whole(format!("{name} must validate one and only one schema (oneOf). {how}")));
        errors.extend(one.into_iter().find(|found| !found.is_empty()).filter(|_| matching == 0).unwrap_or_default());
    }
    let (count, failed) = (all.len(), all.iter().filter(|found| !found.is_empty()).count());
    errors.extend(all.into_iter().flatten());
    if failed > 0 {
        let how = if failed == count { ". None validated" } else { "" };
        errors.push(whole(format!("{name} must validate all the schemas (allOf){how}")));
    }
    if schema["not"].is_object() && tried(&schema["not"]).is_empty() {
        errors.push(whole(format!("{name} must not validate the schema (not)")));
    }
}

fn string(schema: &Value, text: &str, path: &str, errors: &mut Vec<FieldError>) {
    let given = Value::from(text);
    let length = text.chars().count() as u64;
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        errors.push(FieldError::too_long(field(path), usize::try_from(most).unwrap_or(usize::MAX)));
    }
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        errors.push(invalid(path, &given, &format!("should be at least {least} chars long")));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
    {
        errors.push(invalid(path, &given, &format!("should match '{pattern}'")));
    }
    if let Some(format) = schema["format"].as_str().filter(|format| !fits(format, text)) {
        let why = format!("{path} in body must be of type {format}: {}", go_quote(text));
        errors.push(FieldError::type_invalid(field(path), text, why));
    }
}

/// Whether a text has a format (`strfmt`); one that is not known says nothing.
fn fits(format: &str, text: &str) -> bool {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    match format {
        "date-time" => simulation::Time::parse_rfc3339(text).is_some(),
        "date" => simulation::Time::parse_rfc3339(&format!("{text}T00:00:00Z")).is_some(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(address, length)| {
            let most = match address.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => 32,
                Ok(IpAddr::V6(_)) => 128,
                Err(_) => return false,
            };
            length.parse::<u8>().is_ok_and(|length| length <= most)
        }),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        "uuid" => {
            let parts: Vec<usize> = text.split('-').map(str::len).collect();
            let digits = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
            digits && (parts == [8, 4, 4, 4, 12] || parts == [32])
        }
        "hostname" => api::names::dns1123_subdomain(&text.to_lowercase()).is_empty(),
        _ => true,
    }
}

fn number(schema: &Value, given: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let Some(number) = given.as_f64() else { return };
    let mut complain = |fails: bool, words: &str, bound: &Value| {
        if fails {
            // Bounds are floating point upstream, and so they are printed.
            let bound = bound.as_f64().map_or(Value::Null, Value::from);
            errors.push(invalid(path, given, &format!("{words} {}", go_value(&bound))));
        }
    };
    if let Some(factor) = schema["multipleOf"].as_f64() {
        let parts = number / factor;
        complain((parts - parts.round()).abs() > 1e-9, "should be a multiple of", &schema["multipleOf"]);
    }
    if let Some(most) = schema["maximum"].as_f64() {
        match schema["exclusiveMaximum"] == true {
            true => complain(number >= most, "should be less than", &schema["maximum"]),
            false => complain(number > most, "should be less than or equal to", &schema["maximum"]),
        }
    }
    if let Some(least) = schema["minimum"].as_f64() {
        match schema["exclusiveMinimum"] == true {
            true => complain(number <= least, "should be greater than", &schema["minimum"]),
            false => complain(number < least, "should be greater than or equal to", &schema["minimum"]),
        }
    }
    if schema["format"] == "int32" && !(-2_147_483_648.0..=2_147_483_647.0).contains(&number) {
        let why = format!("{path} in body must be of type int32: {}", go_quote(&go_value(given)));
        errors.push(FieldError::type_invalid(field(path), given.clone(), why));
    }
}

fn array(schema: &Value, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let of = &schema["items"];
    if of.is_object() {
        for (i, item) in items.iter().enumerate() {
            value(of, item, &format!("{path}[{i}]"), errors);
        }
    }
    let count = items.len();
    if let Some(least) = schema["minItems"].as_u64().filter(|least| (count as u64) < *least) {
        errors.push(invalid(path, &Value::from(count), &format!("should have at least {least} items")));
    }
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(field(path), count, usize::try_from(most).unwrap_or(usize::MAX)));
    }
}

fn object(schema: &Value, map: &Map, path: &str, errors: &mut Vec<FieldError>) {
    let count = map.len();
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| (count as u64) < *least) {
        errors.push(invalid(path, &Value::from(count), &format!("should have at least {least} properties")));
    }
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| count as u64 > *most) {
        errors.push(FieldError::too_many(field(path), count, usize::try_from(most).unwrap_or(usize::MAX)));
    }
    for (name, given) in map {
        // A field of the root is called by its name alone, one of additional properties has the dot.
        let inner = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
        let more = &schema["additionalProperties"];
        match schema["properties"].get(name) {
            Some(known) => value(known, given, &inner, errors),
            None if more.is_object() => value(more, given, &inner, errors),
            None if *more == false => {
                errors.push(invalid(path, &Value::from(""), &format!("{name} is a forbidden property")));
            }
            None => {}
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !map.contains_key(name) {
            errors.push(FieldError::required(field(&format!("{path}.{name}")), ""));
        }
    }
}

/// Lists that are sets or maps hold each element once (`apiserver/schema/listtype`).
fn lists(schema: &Value, given: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match given {
        Value::Object(map) => {
            for (name, value) in map {
                let known = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                let inner = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                lists(known, value, &inner, errors);
            }
        }
        Value::Array(items) => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let key = |item: &Value| match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => Some(item.clone()),
                Some("map") => {
                    let names = keys.into_iter().flatten().filter_map(Value::as_str);
                    Some(names.filter_map(|n| Some((n.to_owned(), item.get(n)?.clone()))).collect())
                }
                _ => None,
            };
            let all: Vec<Option<Value>> = items.iter().map(key).collect();
            for (i, item) in items.iter().enumerate() {
                if let Some(own) = &all[i]
                    && all[..i].contains(&all[i])
                {
                    errors.push(FieldError::duplicate(format!("{path}[{i}]"), own.clone()));
                }
                lists(&schema["items"], item, &format!("{path}[{i}]"), errors);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use json::json;

    use super::*;

    fn check(schema: Value, given: Value, expected: Expect) {
        let schema = json!({"type": "object", "properties": {"spec": schema}});
        let mut errors = FieldErrors::new();
        validate(&schema, &json!({"spec": given}), &mut errors);
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn numbers_and_texts() {
        let replicas = json!({"type": "integer", "minimum": 1, "maximum": 10});
        let cron = json!({"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"});
        check(
            json!({"type": "object", "required": ["cron", "image"], "properties": {"replicas": replicas, "cron": cron}}),
            json!({"replicas": 15, "cron": "* * * *"}),
            expect![[r#"
                spec.cron: Invalid value: "* * * *": spec.cron in body should match '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'
                spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10
                spec.image: Required value"#]],
        );
        check(
            replicas,
            json!("three"),
            expect![[r#"spec: Invalid value: "string": spec in body must be of type integer: "string""#]],
        );
        check(
            json!({"type": "string", "enum": ["a", "b"], "maxLength": 3, "minLength": 2}),
            json!("c"),
            expect![[r#"
                spec: Invalid value: "c": spec in body should be at least 2 chars long
                spec: Unsupported value: "c": supported values: "a", "b""#]],
        );
        check(json!({"type": "string", "nullable": true}), Value::Null, expect![""]);
        check(json!({"x-kubernetes-int-or-string": true}), json!("50%"), expect![""]);
    }

    #[test]
    fn junctors_and_lists() {
        check(
            json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
            json!({"a": 1, "b": 2}),
            expect![[
                r#"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ]],
        );
        check(
            json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "maxItems": 1,
                "items": {"type": "object", "properties": {"name": {"type": "string"}}}}),
            json!([{"name": "a"}, {"name": "a"}]),
            expect![[r#"
                spec: Too many: 2: must have at most 1 item
                spec[1]: Duplicate value: {"name":"a"}"#]],
        );
    }
}
