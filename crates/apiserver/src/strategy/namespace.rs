//! Namespaces (pkg/registry/core/namespace).

use api::kinds::NAMESPACES;
use json::{Value, json};

use super::{Strategy, child, keep, plain};
use crate::value::{map_mut, metadata_mut, text};

/// The label by which network policies select a namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

pub static STRATEGY: Strategy = Strategy {
    name_rule: api::names::dns1123_label,
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"phase": "Active"});
        let spec = child(object, "spec");
        let finalizers = spec.get("finalizers").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = finalizers.iter().any(|f| f == "kubernetes");
        let mut finalizers = finalizers;
        if !own {
            finalizers.push("kubernetes".into());
        }
        spec["finalizers"] = finalizers.into();
        Ok(())
    },
    // Only the finalize subresource changes spec.finalizers.
    prepare_update: |_, new, old| {
        keep(new, old, "spec");
        Ok(())
    },
    has_status: true,
    fields: |object| vec![("status.phase", text(object, "status.phase").to_owned())],
    ..plain(&NAMESPACES)
};

fn defaults(object: &mut Value) {
    let name = text(object, "metadata.name").to_owned();
    if !name.is_empty() {
        let labels = metadata_mut(object).entry("labels").or_insert_with(|| json!({}));
        map_mut(labels).entry(NAME_LABEL).or_insert_with(|| name.into());
    }
}
