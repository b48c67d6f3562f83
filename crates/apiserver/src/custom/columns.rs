//! Tables of custom objects (apiextensions-apiserver/pkg/registry/customresource/tableconvertor).

use api::text::go_value;
use api::{Object, jsonpath};
use json::{Value, json};
use simulation::Time;

use crate::value::list;

/// What is shown when the definition names no columns.
fn usual() -> Value {
    json!([{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}])
}

fn wanted(version: &Value) -> Vec<Value> {
    let own = list(version, "additionalPrinterColumns");
    if own.is_empty() { list(&json!({"c": usual()}), "c").to_vec() } else { own.to_vec() }
}

/// The columns of a version of a definition.
pub fn columns(version: &Value) -> Vec<Value> {
    let column = |c: &Value| {
        json!({
            "name": c["name"], "type": c["type"], "format": c["format"].as_str().unwrap_or(""),
            "description": c["description"].as_str().unwrap_or(""), "priority": c["priority"].as_i64().unwrap_or(0),
        })
    };
    let name = json!({"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0});
    std::iter::once(name).chain(wanted(version).iter().map(column)).collect()
}

/// The cells of an object.
pub fn cells(version: &Value, object: &Object, now: Time) -> Vec<Value> {
    let name = Value::from(object.name());
    std::iter::once(name).chain(wanted(version).iter().map(|column| cell(column, object, now))).collect()
}

/// A cell; null where the object does not say, or says something of another type.
fn cell(column: &Value, object: &Object, now: Time) -> Value {
    let path = format!("{{{}}}", column["jsonPath"].as_str().unwrap_or(""));
    let found = jsonpath::parse(&path).and_then(|nodes| jsonpath::evaluate(&nodes, object.value(), true));
    let Some(value) = found.ok().and_then(|all| all.into_iter().flatten().next()) else { return Value::Null };
    match (column["type"].as_str().unwrap_or(""), value) {
        ("string", Value::Null) => Value::Null,
        ("string", value @ (Value::Array(_) | Value::Object(_))) => api::text::go_json(&value).into(),
        ("string", value) => go_value(&value).into(),
        ("integer", Value::Number(number)) => match number.as_f64() {
            Some(float) if number.is_f64() => json!(float.trunc() as i64),
            _ => Value::Number(number),
        },
        ("number", value @ Value::Number(_)) | ("boolean", value @ Value::Bool(_)) => value,
        ("date", value @ Value::String(_)) => crate::table::since(&value, now).into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_type_of_their_column() {
        let version = json!({"additionalPrinterColumns": [
            {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
            {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
            {"name": "On", "type": "boolean", "jsonPath": ".spec.cronSpec"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ]});
        let object = Object::new(json!({
            "metadata": {"name": "a", "creationTimestamp": "2026-11-21T02:00:00Z"},
            "spec": {"cronSpec": "* *", "replicas": 3}, "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }));
        let now = Time::parse_rfc3339("2026-11-21T02:01:00Z").unwrap();
        assert_eq!(json!(cells(&version, &object, now)), json!(["a", "* *", 3, "True", null, "60s"]));
        assert_eq!(columns(&json!({}))[1]["name"], "Age");
    }
}
