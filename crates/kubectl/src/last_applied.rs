//! The annotation in which `kubectl apply` keeps what was last applied (`kubectl/pkg/util/apply.go`).

use json::{Value, json};

use crate::goval;

/// Its key.
pub const KEY: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The annotation of a live object.
pub fn of(object: &Value) -> Option<&str> {
    object.get("metadata")?.get("annotations")?.get(KEY)?.as_str()
}

/// What the annotation of a manifest would say: the manifest itself, without the annotation, with a newline.
pub fn text(object: &Value) -> String {
    let mut copy = object.clone();
    if !copy["metadata"]["annotations"].is_object() {
        copy["metadata"]["annotations"] = json!({});
    }
    if let Some(annotations) = copy["metadata"]["annotations"].as_object_mut() {
        annotations.remove(KEY);
    }
    goval::json(&copy) + "\n"
}

/// Puts the annotation on a manifest.
pub fn annotate(object: &mut Value) {
    let text = text(object);
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][KEY] = text.into();
}
