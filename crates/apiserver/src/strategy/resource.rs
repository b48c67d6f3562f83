//! Devices that pods may claim (pkg/registry/resource, pkg/apis/resource/v1/defaults.go).
//!
//! There are no drivers, so claims stay pending, as in a cluster without any. Pods that wait for one are refused by name
//! (`strategy::pod`), because nothing would keep them waiting. Difference: expressions in CEL are kept unread.

use api::kinds::{DEVICE_CLASSES, RESOURCE_CLAIM_TEMPLATES, RESOURCE_CLAIMS, RESOURCE_SLICES};
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain};
use crate::validation;
use crate::value::{int, list_mut, text};

pub static CLASS: Strategy = Strategy {
    validate: |object, errors| validation::resource::selectors(&object["spec"], "spec", errors),
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&DEVICE_CLASSES)
};

pub static CLAIM: Strategy = Strategy {
    defaults: |object| claim_defaults(child(object, "spec")),
    prepare_create: |_, object| {
        object["status"] = json!({});
        Ok(())
    },
    validate: |object, errors| validation::resource::claim(&object["spec"], "spec", errors),
    validate_update: validation::resource::fixed_spec,
    has_status: true,
    ..plain(&RESOURCE_CLAIMS)
};

pub static TEMPLATE: Strategy = Strategy {
    defaults: |object| claim_defaults(child(child(object, "spec"), "spec")),
    validate: |object, errors| validation::resource::claim(&object["spec"]["spec"], "spec.spec", errors),
    validate_update: validation::resource::fixed_spec,
    ..plain(&RESOURCE_CLAIM_TEMPLATES)
};

fn claim_defaults(spec: &mut Value) {
    for request in list_mut(spec, "devices.requests") {
        if let Some(exact) = request.get_mut("exactly").filter(|exact| exact.is_object()) {
            one_device(exact);
        }
        list_mut(request, "firstAvailable").iter_mut().for_each(one_device);
    }
}

fn one_device(request: &mut Value) {
    default_to(request, "allocationMode", "ExactCount");
    if text(request, "allocationMode") == "ExactCount" && int(request, "count").unwrap_or(0) == 0 {
        request["count"] = 1.into();
    }
}

pub static SLICE: Strategy = Strategy {
    validate: validation::resource::slice,
    validate_update: validation::resource::slice_update,
    generation: Some(|new, old| differs(new, old, "spec")),
    fields: |object| ["spec.driver", "spec.nodeName"].map(|path| (path, text(object, path).to_owned())).to_vec(),
    ..plain(&RESOURCE_SLICES)
};
