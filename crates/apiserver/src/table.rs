//! Tables: what `kubectl get` prints (pkg/printers/internalversion, `metav1.Table`).

use api::Object;
use serde_json::{Value, json};
use simulation::Time;

use crate::strategy::Strategy;

/// What each row carries of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

/// Makes a Table of objects. `headers` is false for all but the first table of a watch.
pub fn make(
    _now: Time,
    _strategy: &Strategy,
    objects: &[Object],
    metadata: Value,
    include: Include,
    headers: bool,
) -> Object {
    let rows: Vec<Value> =
        objects.iter().map(|o| json!({"cells": [o.name()], "object": included(o, include)})).collect();
    let columns = if headers {
        json!([{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}])
    } else {
        Value::Null
    };
    Object::new(json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows,
    }))
}

fn included(object: &Object, include: Include) -> Value {
    match include {
        Include::None => Value::Null,
        Include::Object => object.value().clone(),
        Include::Metadata => partial(object).into_value(),
    }
}

/// `PartialObjectMetadata` of an object.
pub fn partial(object: &Object) -> Object {
    Object::new(json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.at("metadata"),
    }))
}
