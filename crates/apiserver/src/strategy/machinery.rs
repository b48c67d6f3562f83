//! Kinds of the machinery around pods and requests: pod templates, runtime classes, the API server's queues and the list of
//! what it serves (pkg/registry/core/podtemplate, pkg/registry/node, pkg/registry/flowcontrol, kube-aggregator).
//!
//! The server answers requests one after the other, so queues have nothing to do: they are kept, and say of what they
//! refer to whether it is there.

use api::kinds::{
    API_SERVICES, BINDINGS, COMPONENT_STATUSES, FLOW_SCHEMAS, POD_TEMPLATES, PRIORITY_LEVELS, RUNTIME_CLASSES,
};
use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec, set_condition};
use crate::registry::Context;
use crate::validation::IMMUTABLE;
use crate::value::text;

pub static POD_TEMPLATE: Strategy = Strategy {
    defaults: |object| pod_spec::template_defaults(child(object, "template")),
    generation: Some(|new, old| differs(new, old, "template")),
    ..plain(&POD_TEMPLATES)
};

pub static BINDING: Strategy = plain(&BINDINGS);

pub static COMPONENT_STATUS: Strategy =
    Strategy { deprecated: Some("v1 ComponentStatus is deprecated in v1.19+"), ..plain(&COMPONENT_STATUSES) };

pub static RUNTIME_CLASS: Strategy = Strategy {
    validate: |object, errors| match text(object, "handler") {
        "" => errors.push(FieldError::required("handler", "")),
        handler => errors.invalid_all("handler", handler, api::names::dns1123_label(handler)),
    },
    validate_update: |new, old, errors| {
        if differs(new, old, "handler") {
            errors.push(FieldError::invalid("handler", text(new, "handler"), IMMUTABLE));
        }
    },
    ..plain(&RUNTIME_CLASSES)
};

pub static FLOW_SCHEMA: Strategy = Strategy {
    defaults: |object| default_to(child(object, "spec"), "matchingPrecedence", 1000),
    prepare_create: |cx, object| {
        object["status"] = json!({});
        refer(cx, object);
        Ok(())
    },
    prepare_update: |cx, new, _| {
        refer(cx, new);
        Ok(())
    },
    validate: |object, errors| {
        if text(object, "spec.priorityLevelConfiguration.name").is_empty() {
            let path = "spec.priorityLevelConfiguration.name";
            errors.push(FieldError::required(path, "must reference a priority level"));
        }
        let precedence = crate::value::int(object, "spec.matchingPrecedence").unwrap_or(0);
        if !(1..=10_000).contains(&precedence) {
            let why = "must be between 1 and 10000, inclusive";
            errors.push(FieldError::invalid("spec.matchingPrecedence", precedence, why));
        }
    },
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&FLOW_SCHEMAS)
};

/// Says whether the queue that a schema names is there.
fn refer(cx: &Context<'_>, object: &mut Value) {
    let name = text(object, "spec.priorityLevelConfiguration.name").to_owned();
    let found = cx.find(&PRIORITY_LEVELS, "", &name).is_some();
    let head = format!("This FlowSchema references the PriorityLevelConfiguration object named {name:?}");
    let (status, reason, message) = match found {
        true => ("False", "Found", format!("{head} and it exists")),
        false => ("True", "NotFound", format!("{head} but there is no such object")),
    };
    let now = cx.now();
    set_condition(
        object,
        json!({"type": "Dangling", "status": status, "reason": reason, "message": message, "lastTransitionTime": now}),
    );
}

pub static PRIORITY_LEVEL: Strategy = Strategy {
    defaults: |object| {
        let spec = child(object, "spec");
        match text(spec, "type") {
            "Limited" => {
                let limited = child(spec, "limited");
                default_to(limited, "nominalConcurrencyShares", 30);
                default_to(limited, "lendablePercent", 0);
            }
            "Exempt" => {
                let exempt = child(spec, "exempt");
                default_to(exempt, "nominalConcurrencyShares", 0);
                default_to(exempt, "lendablePercent", 0);
            }
            _ => {}
        }
    },
    validate: |object, errors: &mut FieldErrors| match text(object, "spec.type") {
        "Limited" | "Exempt" => {}
        "" => errors.push(FieldError::required("spec.type", "")),
        other => errors.push(FieldError::not_supported("spec.type", other, &["Exempt", "Limited"])),
    },
    prepare_create: |_, object| {
        object["status"] = json!({});
        Ok(())
    },
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&PRIORITY_LEVELS)
};

pub static API_SERVICE: Strategy = Strategy {
    name_rule: api::names::path_segment,
    defaults: |object| {
        if object["spec"]["service"].is_object() {
            default_to(&mut object["spec"]["service"], "port", 443);
        }
    },
    validate: |object, errors| {
        let name = text(object, "metadata.name");
        if name != format!("{}.{}", text(object, "spec.version"), text(object, "spec.group")) {
            errors.push(FieldError::invalid("metadata.name", name, "must be `spec.version+\".\"+spec.group`"));
        }
    },
    prepare_create: |cx, object| {
        object["status"] = json!({});
        if object["spec"]["service"].is_object() {
            // Whether it is available, the aggregator says.
            if text(object, "metadata.name") == crate::aggregator::METRICS_SERVICE {
                return Ok(());
            }
            let refusal = simulation::stub!("kube-apiserver", "API services of other servers");
            return Err(api::Status::not_built(refusal));
        }
        set_condition(
            object,
            json!({"type": "Available", "status": "True", "reason": "Local", "lastTransitionTime": cx.now(),
                "message": "Local APIServices are always available"}),
        );
        Ok(())
    },
    has_status: true,
    ..plain(&API_SERVICES)
};
