//! Leases (pkg/registry/coordination/lease).

use api::kinds::LEASES;

use super::{Strategy, child, plain};

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| {
        child(object, "spec");
    },
    create_on_update: true,
    unconditional_update: false,
    ..plain(&LEASES)
};
