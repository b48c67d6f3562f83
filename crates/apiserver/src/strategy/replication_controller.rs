//! ReplicationControllers (pkg/registry/core/replicationcontroller).

use api::kinds::REPLICATION_CONTROLLERS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::validation;
use crate::value::{at, fields};

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"replicas": 0});
        Ok(())
    },
    validate: validation::apps::replication_controller,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    fields: |object| {
        let replicas = crate::value::int(object, "status.replicas").unwrap_or(0);
        vec![("status.replicas", replicas.to_string())]
    },
    ..plain(&REPLICATION_CONTROLLERS)
};

fn defaults(object: &mut Value) {
    let labels = at(object, "spec.template.metadata.labels").clone();
    let spec = child(object, "spec");
    default_to(spec, "replicas", 1);
    if labels.is_object() && fields(at(spec, "selector")).next().is_none() {
        spec["selector"] = labels.clone();
    }
    pod_spec::template_defaults(child(spec, "template"));
    if labels.is_object() && fields(at(object, "metadata.labels")).next().is_none() {
        object["metadata"]["labels"] = labels;
    }
}
