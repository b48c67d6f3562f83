//! EndpointSlices (pkg/registry/discovery/endpointslice).

use api::kinds::ENDPOINT_SLICES;

use super::{Strategy, default_to, differs, plain};
use crate::value::list_mut;

pub static STRATEGY: Strategy = Strategy {
    defaults: |object| {
        for port in list_mut(object, "ports") {
            default_to(port, "protocol", "TCP");
            if port.get("name").is_none_or(json::Value::is_null) {
                port["name"] = "".into();
            }
        }
    },
    generation: Some(|new, old| ["addressType", "endpoints", "ports"].iter().any(|f| differs(new, old, f))),
    ..plain(&ENDPOINT_SLICES)
};
