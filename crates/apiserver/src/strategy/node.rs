//! Nodes (pkg/registry/core/node).

use api::kinds::NODES;

use super::{Strategy, child, plain};
use crate::value::at;

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| {
        child(object, "spec");
        child(object, "status");
    },
    // A kubelet registers with its status, and it is kept (`nodeStrategy.PrepareForCreate` does not clear it).
    has_status: false,
    prepare_update: |_, new, old| {
        super::keep(new, old, "status");
        Ok(())
    },
    fields: |object| {
        let unschedulable = at(object, "spec.unschedulable").as_bool().unwrap_or(false);
        vec![("spec.unschedulable", unschedulable.to_string())]
    },
    ..plain(&NODES)
};
