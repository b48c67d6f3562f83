//! Turns the schemas of an API server (`/openapi/v3`, merged: a map of definition name to schema) into the compact
//! table in `schema/`: `cargo run -p api --example compact_schema -- schemas.json > crates/api/schema/kubernetes.txt`.
//!
//! A definition is a line `=NAME [GROUP/VERSION/KIND]`, then a line for each property: ` NAME[!] TYPE [ATTRIBUTE]...`,
//! where `!` means required. Types: `s` string, `byte`, `time`, `b`, `i32`, `i64`, `f64`, `o` any object, `?` anything,
//! `#` quantity, `%` int-or-string, `[T` list, `{T` map, otherwise the name of a definition without `io.k8s.`.
//! Attributes: `d=` default (JSON), `e=` enum, `l=` list type, `k=` map keys, `p=` patch strategy, `m=` merge key,
//! `a` atomic map.

use json::Value;

fn main() {
    let path = std::env::args().nth(1).expect("the path of a JSON file is given");
    #[expect(clippy::disallowed_methods, reason = "a developer's tool, not part of the core")]
    let text = std::fs::read_to_string(path).expect("the file is readable");
    let all: Value = json::from_str(&text).expect("the file is JSON");
    for (name, schema) in all.as_object().expect("a map of definitions") {
        let mut line = format!("={}", short(name));
        // Types shared by every group (DeleteOptions, WatchEvent) name only the first.
        let gvk = &schema["x-kubernetes-group-version-kind"][0];
        if gvk.is_object() {
            let text = |key: &str| gvk[key].as_str().unwrap_or("").to_owned();
            line.push_str(&format!(" {}/{}/{}", text("group"), text("version"), text("kind")));
        }
        if schema["x-kubernetes-map-type"] == "atomic" {
            line.push_str(" a");
        }
        println!("{line}");
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let bang = if required.contains(&property.as_str()) { "!" } else { "" };
            println!(" {property}{bang} {}{}", kind(schema), attributes(schema));
        }
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("io.k8s.").unwrap_or(name)
}

fn kind(schema: &Value) -> String {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(name) = reference.and_then(|r| r.rsplit('/').next()) {
        return match short(name) {
            "apimachinery.pkg.api.resource.Quantity" => "#".to_owned(),
            "apimachinery.pkg.util.intstr.IntOrString" => "%".to_owned(),
            "apimachinery.pkg.apis.meta.v1.Time" | "apimachinery.pkg.apis.meta.v1.MicroTime" => "time".to_owned(),
            "apimachinery.pkg.runtime.RawExtension" => "o".to_owned(),
            "apimachinery.pkg.apis.meta.v1.FieldsV1" => "fields".to_owned(),
            other => other.to_owned(),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("byte")) => "byte".to_owned(),
        (Some("string"), Some("date-time")) => "time".to_owned(),
        (Some("string"), _) => "s".to_owned(),
        (Some("boolean"), _) => "b".to_owned(),
        (Some("integer"), Some("int32")) => "i32".to_owned(),
        (Some("integer"), _) => "i64".to_owned(),
        (Some("number"), _) => "f64".to_owned(),
        (Some("array"), _) => format!("[{}", kind(&schema["items"])),
        (Some("object"), _) if schema["additionalProperties"].is_object() => {
            format!("{{{}", kind(&schema["additionalProperties"]))
        }
        (Some("object"), _) => "o".to_owned(),
        _ => "?".to_owned(),
    }
}

fn attributes(schema: &Value) -> String {
    let mut out = String::new();
    let list = |key: &str| -> String {
        let items = schema[key].as_array().into_iter().flatten();
        items.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    let text = |key: &str| schema[key].as_str().unwrap_or("").to_owned();
    if let Some(default) = schema.get("default") {
        out.push_str(&format!(" d={default}"));
    }
    for (sign, value) in [
        ("e", list("enum")),
        ("l", text("x-kubernetes-list-type")),
        ("k", list("x-kubernetes-list-map-keys")),
        ("p", text("x-kubernetes-patch-strategy")),
        ("m", text("x-kubernetes-patch-merge-key")),
    ] {
        if !value.is_empty() {
            out.push_str(&format!(" {sign}={value}"));
        }
    }
    if schema["x-kubernetes-map-type"] == "atomic" {
        out.push_str(" a");
    }
    out
}
