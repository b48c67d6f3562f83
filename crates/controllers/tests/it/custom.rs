//! Kinds that a definition has added are looked after like those of the table.

use std::time::Duration;

use api::kinds;
use client::{DeleteOptions, Propagation};
use json::{Value, json};

use crate::world::World;

const SETTLE: Duration = Duration::from_secs(5);

fn definition() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "metadata": {"name": "boxes.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "boxes", "kind": "Box"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

#[test]
fn custom_objects_own_are_owned_and_end_with_their_namespace() {
    let world = World::new(3);
    world.create(&kinds::CUSTOM_RESOURCE_DEFINITIONS, definition());
    world.run(SETTLE);
    let defined = world.get(&kinds::CUSTOM_RESOURCE_DEFINITIONS, "boxes.example.com").unwrap();
    let boxes = api::custom::versions(defined.value())[0].kind;
    let outer = world.create(boxes, json!({"metadata": {"name": "outer", "namespace": "test"}}));
    let owned = json!([{"apiVersion": "example.com/v1", "kind": "Box", "name": "outer", "uid": outer.uid()}]);
    world.create(boxes, json!({"metadata": {"name": "inner", "namespace": "test", "ownerReferences": owned}}));
    let map = json!({"metadata": {"name": "lid", "namespace": "test", "ownerReferences": owned}});
    world.create(&kinds::CONFIG_MAPS, map);
    world.run(SETTLE);
    assert!(world.get(boxes, "inner").is_some() && world.get(&kinds::CONFIG_MAPS, "lid").is_some());

    // Let go, and taken along.
    let orphan = DeleteOptions { propagation: Some(Propagation::Orphan), ..DeleteOptions::default() };
    world.delete(boxes, "outer", orphan);
    world.run(SETTLE);
    assert!(world.get(boxes, "outer").is_none());
    assert!(world.get(boxes, "inner").unwrap().owner_references().is_empty());
    let inner = world.get(boxes, "inner").unwrap();
    let owned = json!([{"apiVersion": "example.com/v1", "kind": "Box", "name": "inner", "uid": inner.uid()}]);
    world.patch(&kinds::CONFIG_MAPS, "lid", json!({"metadata": {"ownerReferences": owned}}));
    world.delete(boxes, "inner", DeleteOptions::default());
    world.run(SETTLE);
    assert!(world.get(&kinds::CONFIG_MAPS, "lid").is_none());

    world.create(boxes, json!({"metadata": {"name": "last", "namespace": "test"}}));
    world.delete(&kinds::NAMESPACES, "test", DeleteOptions::default());
    world.run(SETTLE);
    assert!(world.get(&kinds::NAMESPACES, "test").is_none() && world.list(boxes).is_empty());
}
