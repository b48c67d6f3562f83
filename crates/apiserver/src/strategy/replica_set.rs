//! ReplicaSets (pkg/registry/apps/replicaset).

use api::kinds::REPLICA_SETS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::validation;

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"replicas": 0});
        Ok(())
    },
    validate: validation::apps::replica_set,
    validate_update: validation::apps::selector_is_immutable,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    fields: |object| {
        let replicas = crate::value::int(object, "status.replicas").unwrap_or(0);
        vec![("status.replicas", replicas.to_string())]
    },
    ..plain(&REPLICA_SETS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "replicas", 1);
    pod_spec::template_defaults(child(spec, "template"));
}
