//! The objects of a Deployment with a Service, at rest, field by field as recorded.

use std::time::Duration;

use api::kinds;
use json::{Value, json};

use crate::world::{World, deployment};

/// Puts words in place of what must vary: times, addresses, hashes, suffixes; leaves out uids, versions and placement.
fn mask(value: &Value, field: &str, hash: &str) -> Value {
    let varies = |key: &str| matches!(key, "uid" | "resourceVersion" | "nodeName" | "managedFields");
    match value {
        Value::Object(map) => {
            map.iter().filter(|(key, _)| !varies(key)).map(|(key, v)| (key.clone(), mask(v, key, hash))).collect()
        }
        Value::Array(list) => list.iter().map(|v| mask(v, field, hash)).collect(),
        Value::String(text) if simulation::Time::parse_rfc3339(text).is_some() => "TIME".into(),
        Value::String(text) if text.starts_with("10.244.") => "IP".into(),
        Value::String(text) => {
            let masked = text.replace(hash, "HASH");
            match masked.strip_prefix("web-HASH-") {
                Some(_) => "web-HASH-x".into(),
                None if field == "name" && masked.len() == 9 && masked.starts_with("web-") => "web-x".into(),
                None => masked.into(),
            }
        }
        other => other.clone(),
    }
}

#[test]
fn objects_at_rest_are_as_recorded() {
    let world = World::new(21);
    world.create(&kinds::DEPLOYMENTS, deployment(2, "nginx:1.25"));
    world.run(Duration::from_secs(5));
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"type": "NodePort", "selector": {"app": "web"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}});
    world.create(&kinds::SERVICES, service);
    world.run(Duration::from_secs(5));
    let recorded: Value = json::from_str(include_str!("facts/settled.json")).expect("JSON");
    let hash = world.list(&kinds::REPLICA_SETS)[0].label("pod-template-hash").expect("labelled").to_owned();
    assert_eq!(hash, "7b46c4b544", "the same template has the same hash");
    for kind in [
        &kinds::DEPLOYMENTS,
        &kinds::REPLICA_SETS,
        &kinds::ENDPOINTS,
        &kinds::ENDPOINT_SLICES,
        &kinds::SERVICE_ACCOUNTS,
    ] {
        let ours = mask(world.list(kind).remove(0).value(), "", &hash);
        let pretty = |value: &Value| json::to_string_pretty(value).expect("plain data");
        let mut theirs = recorded[kind.kind].clone();
        let mut ours = ours;
        for value in [&mut theirs, &mut ours] {
            value.as_object_mut().map(|map| (map.remove("apiVersion"), map.remove("kind")));
        }
        crate::facts::check(kind.kind, &pretty(&theirs), &pretty(&ours));
    }
}
