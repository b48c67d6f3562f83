//! Ingresses, their classes and network policies (pkg/registry/networking).

use api::kinds::{INGRESS_CLASSES, INGRESSES, NETWORK_POLICIES};
use serde_json::{Value, json};

use super::{Strategy, child, default_to, differs, plain};
use crate::registry::Context;
use crate::validation;
use crate::value::{at, list, list_mut, map_mut};

pub static INGRESS: Strategy = Strategy {
    admit_create: |cx, object| {
        default_class(cx, object);
        Ok(())
    },
    prepare_create: |_, object| {
        object["status"] = json!({"loadBalancer": {}});
        Ok(())
    },
    validate: validation::networking::ingress,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&INGRESSES)
};

/// plugin/pkg/admission/network/defaultingressclass
fn default_class(cx: &Context<'_>, object: &mut Value) {
    let is_named = !at(object, "spec.ingressClassName").is_null()
        || at(object, "metadata.annotations").get("kubernetes.io/ingress.class").is_some();
    let mut classes = cx.all(&INGRESS_CLASSES, "");
    classes.retain(|class| class.annotation("ingressclass.kubernetes.io/is-default-class") == Some("true"));
    if let Some(class) = classes.first().filter(|_| !is_named) {
        map_mut(child(object, "spec")).insert("ingressClassName".into(), class.name().into());
    }
}

pub static CLASS: Strategy = Strategy {
    defaults: |object| {
        if let Some(parameters) = child(object, "spec").get_mut("parameters").filter(|p| p.is_object()) {
            default_to(parameters, "scope", "Cluster");
        }
    },
    generation: Some(|new, old| differs(new, old, "spec")),
    validate: validation::networking::class,
    validate_update: validation::networking::class_update,
    ..plain(&INGRESS_CLASSES)
};

pub static POLICY: Strategy = Strategy {
    defaults: policy_defaults,
    generation: Some(|new, old| differs(new, old, "spec")),
    validate: validation::networking::policy,
    ..plain(&NETWORK_POLICIES)
};

fn policy_defaults(object: &mut Value) {
    let spec = child(object, "spec");
    if spec["podSelector"].is_null() {
        spec["podSelector"] = json!({});
    }
    if list(spec, "policyTypes").is_empty() {
        let has_egress = !list(spec, "egress").is_empty();
        spec["policyTypes"] = if has_egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    }
    for direction in ["ingress", "egress"] {
        for rule in list_mut(spec, direction) {
            for port in list_mut(rule, "ports") {
                default_to(port, "protocol", "TCP");
            }
        }
    }
}
