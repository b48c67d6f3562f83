//! Endpoints (pkg/registry/core/endpoint).

use api::kinds::ENDPOINTS;

use super::{Strategy, default_to, plain};
use crate::value::list_mut;

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| {
        for subset in list_mut(object, "subsets") {
            for port in list_mut(subset, "ports") {
                default_to(port, "protocol", "TCP");
            }
        }
    },
    create_on_update: true,
    deprecated: Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ..plain(&ENDPOINTS)
};
