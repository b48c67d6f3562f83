//! Objects as a v1.36.3 server sent them to watchers (recorded.jsonl: one of each shape, from deployments, services,
//! self-healing and pods that cannot be placed). Sent to ours, they must come back as they were: what upstream writes is
//! exactly the normal form, and no default is missing or too much.

use json::{Value, json};

use crate::harness::Harness;

/// What every server sets in its own way.
const OWN: &[&str] = &[
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    // They were not recorded.
    "managedFields",
];

/// An object without its status and what servers set.
fn body(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove("status");
    for field in OWN {
        object["metadata"].as_object_mut().unwrap().remove(*field);
    }
    object
}

/// The paths at which two values differ.
fn differences(recorded: &Value, ours: &Value, path: &str, out: &mut Vec<String>) {
    match (recorded, ours) {
        _ if recorded == ours => {}
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let of = |map: &json::Map| map.get(key).cloned().unwrap_or_default();
                differences(&of(a), &of(b), &format!("{path}.{key}"), out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(i, (x, y))| differences(x, y, &format!("{path}[{i}]"), out));
        }
        _ => out.push(format!("{path}: recorded {recorded}, ours {ours}")),
    }
}

#[test]
fn recorded_objects_come_back_as_they_were() {
    let mut found = Vec::new();
    let mut count = 0;
    for line in include_str!("recorded.jsonl").lines() {
        let recorded: Value = json::from_str(line).unwrap();
        let (version, kind) = (recorded["apiVersion"].as_str().unwrap(), recorded["kind"].as_str().unwrap());
        let kind = api::kinds::by_kind(version, kind).unwrap();
        let namespace = recorded["metadata"]["namespace"].as_str().unwrap();
        let h = Harness::new();
        h.ok("POST", "/api/v1/namespaces", json!({"metadata": {"name": namespace}}));
        if kind.kind != "ServiceAccount" {
            let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
            h.ok("POST", &accounts, json!({"metadata": {"name": "default"}}));
        }
        let path = kind.collection_path(namespace);
        let made = h.ok("POST", &path, recorded.clone());
        let mut here = Vec::new();
        differences(&body(&recorded), &body(&made), kind.kind, &mut here);
        if kind.subresources.contains(&"status") {
            let mut reported = made.clone();
            reported["status"] = recorded["status"].clone();
            let path = format!("{path}/{}/status", made["metadata"]["name"].as_str().unwrap());
            let reported = h.ok("PUT", &path, reported);
            differences(&recorded["status"], &reported["status"], &format!("{}.status", kind.kind), &mut here);
        }
        found.extend(here);
        count += 1;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count > 20, "the fixture is there");
}
