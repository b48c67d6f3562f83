//! Rules in CEL about an object: what compiles can be evaluated, within what it may cost.
#![no_main]

use std::sync::LazyLock;

use cel::types::Type;
use cel::{PER_CALL_COST_MAX, compile, schema};
use json::{Value, json};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "object", "properties": {
        "replicas": {"type": "integer"}, "image": {"type": "string"}, "share": {"type": "number"},
        "port": {"x-kubernetes-int-or-string": true}, "since": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}}, "env": {"type": "object", "additionalProperties": {"type": "string"}}
    }}}})
});

static OBJECT: LazyLock<Value> = LazyLock::new(|| {
    json!({"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "a"}, "spec": {
        "replicas": 3, "image": "nginx:1.25", "share": 0.5, "port": "http", "since": "2026-01-01T00:00:00Z",
        "tags": ["a", "b"], "env": {"A": "1"}}})
});

fuzz_target!(|data: &[u8]| {
    let Some(source) = fuzz::text(data) else { return };
    let declared = schema::declare(&SCHEMA, true, "selfType").expect("the schema can be declared");
    let variables: Vec<(String, Type)> = vec![("self".to_owned(), declared.of.clone())];
    if let Ok(program) = compile(source, &variables) {
        let value = schema::value(&OBJECT, &SCHEMA, true);
        let outcome = program.eval(&[("self", value)], PER_CALL_COST_MAX);
        let _ = outcome.result.map_err(|why| why.to_string());
    }
});
