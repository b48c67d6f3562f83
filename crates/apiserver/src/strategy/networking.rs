//! Ingresses, their classes, network policies, and what Services have for addresses (pkg/registry/networking).

use api::kinds::{INGRESS_CLASSES, INGRESSES, IP_ADDRESSES, NETWORK_POLICIES, SERVICE_CIDRS};
use api::status::Status;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, set_condition};
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

pub static ADDRESS: Strategy = Strategy {
    name_rule: api::names::ip_address,
    validate: validation::networking::address,
    validate_update: validation::networking::address_update,
    ..plain(&IP_ADDRESSES)
};

/// The one range that the allocator knows is the server's own. Difference: while it waits for its deletion, which never
/// comes, addresses are still taken from it.
pub static RANGE: Strategy = Strategy {
    prepare_create: |cx, object| {
        if cx.user.is_some() {
            return Err(Status::not_built(simulation::stub!("kube-apiserver", "further ranges of Service addresses")));
        }
        // As its controller keeps it: it goes when no address of it is in use, which is never.
        object["metadata"]["finalizers"] = json!(["networking.k8s.io/service-cidr-finalizer"]);
        let message = "Kubernetes default Service CIDR is ready";
        let ready = json!({"type": "Ready", "status": "True", "reason": "", "message": message, "lastTransitionTime": cx.now()});
        set_condition(object, ready);
        Ok(())
    },
    validate_update: validation::networking::range_update,
    has_status: true,
    ..plain(&SERVICE_CIDRS)
};
