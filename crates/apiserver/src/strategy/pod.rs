//! Pods (pkg/registry/core/pod).

use api::kinds::PODS;
use api::status::{FieldError, FieldErrors, Status};
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::value::{at, fields, int, list, list_mut, map_mut, text};
use crate::{admission, failure, validation};

pub static STRATEGY: Strategy = Strategy {
    defaults,
    admit_create: admission::pod::admit,
    prepare_create: |_, object| {
        refuse_ephemeral(object)?;
        if !list(object, "spec.resourceClaims").is_empty() {
            let refusal = simulation::stub!("kube-apiserver", "pods that claim devices (spec.resourceClaims)");
            return Err(Status::not_built(refusal));
        }
        object["status"] = json!({"phase": "Pending", "qosClass": qos_class(object)});
        Ok(())
    },
    status_reset: &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
    prepare_status: |new, old| {
        super::keep_metadata(new, old, "ownerReferences");
        let qos = at(old, "status.qosClass").clone();
        let status = child(new, "status");
        default_to(status, "qosClass", qos);
    },
    validate: validation::pod::validate,
    validate_update: validation::pod::validate_update,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    returns_deleted: true,
    grace: Some(grace),
    fields: |object| {
        let plain =
            ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase"];
        let mut all: Vec<(&'static str, String)> = plain.map(|path| (path, text(object, path).to_owned())).to_vec();
        let host_network = at(object, "spec.hostNetwork").as_bool().unwrap_or(false);
        all.push(("spec.hostNetwork", host_network.to_string()));
        all.push(("status.podIP", text(object, "status.podIP").to_owned()));
        all.push(("status.nominatedNodeName", text(object, "status.nominatedNodeName").to_owned()));
        all
    },
    // A kubelet hears of the pods of its node alone.
    lane: Some(("spec.nodeName", |pod| pod.str("spec.nodeName"))),
    ..plain(&PODS)
};

/// Ephemeral containers are added to pods that run, by their own subresource.
fn refuse_ephemeral(object: &Value) -> Result<(), Status> {
    if list(object, "spec.ephemeralContainers").is_empty() {
        return Ok(());
    }
    let mut errors = FieldErrors::new();
    errors.push(FieldError::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    Err(failure::invalid(&PODS, text(object, "metadata.name"), &errors))
}

/// Everything else of an update by the subresource is left out (`dropNonEphemeralContainerUpdates`).
pub fn keep_all_but_ephemeral(new: &mut Value, old: &Value) {
    let ephemeral = at(new, "spec.ephemeralContainers").clone();
    *new = old.clone();
    if ephemeral.as_array().is_none_or(json::Array::is_empty) {
        map_mut(child(new, "spec")).remove("ephemeralContainers");
    } else {
        new["spec"]["ephemeralContainers"] = ephemeral;
    }
}

/// Everything else of an update by the subresource is left out (`dropNonResizeUpdates`), unless containers come, go or
/// change their places: that is refused as it is.
pub fn keep_all_but_resources(new: &mut Value, old: &Value) -> Result<(), Status> {
    if [&*new, old].iter().any(|pod| !at(pod, "spec.resources").is_null()) {
        let refusal =
            simulation::stub!("kube-apiserver", "resizing the resources of a pod as a whole (spec.resources)");
        return Err(Status::not_built(refusal));
    }
    const FIELDS: [&str; 2] = ["spec.containers", "spec.initContainers"];
    let names = |pod: &Value, field| -> Vec<String> {
        list(pod, field).iter().map(|container| text(container, "name").to_owned()).collect()
    };
    if FIELDS.iter().any(|field| names(new, field) != names(old, field)) {
        return Ok(());
    }
    let wanted = std::mem::replace(new, old.clone());
    for field in FIELDS {
        for (container, wanted) in list_mut(new, field).iter_mut().zip(list(&wanted, field)) {
            for part in ["resources", "resizePolicy"] {
                match at(wanted, part) {
                    Value::Null => drop(map_mut(container).remove(part)),
                    value => container[part] = value.clone(),
                }
            }
        }
    }
    Ok(())
}

/// Whether an init container runs as long as the pod.
pub fn is_sidecar(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    pod_spec::spec_defaults(spec);
    default_to(spec, "enableServiceLinks", true);
    for field in ["initContainers", "containers"] {
        for container in list_mut(spec, field) {
            requests_from_limits(child(container, "resources"));
        }
    }
    for condition in list_mut(object, "status.conditions") {
        map_mut(condition).entry("lastProbeTime").or_insert(Value::Null);
    }
}

/// What is limited and not requested is requested in full.
fn requests_from_limits(resources: &mut Value) {
    let limits: Vec<(String, Value)> =
        fields(at(resources, "limits")).map(|(k, v)| (k.to_string(), v.clone())).collect();
    if limits.is_empty() {
        return;
    }
    let requests = map_mut(child(resources, "requests"));
    for (name, value) in limits {
        requests.entry(name).or_insert(value);
    }
}

/// Seconds that a deleted pod gets (`podStrategy.CheckGracefulDelete`).
fn grace(pod: &Value, asked: Option<i64>) -> i64 {
    let phase = text(pod, "status.phase");
    if text(pod, "spec.nodeName").is_empty() || matches!(phase, "Failed" | "Succeeded") {
        return 0;
    }
    let period = asked.or_else(|| int(pod, "spec.terminationGracePeriodSeconds")).unwrap_or(0);
    if period < 0 { 1 } else { period }
}

/// Quality of service (pkg/apis/core/helper/qos).
pub fn qos_class(pod: &Value) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    for container in list(pod, "spec.containers").iter().chain(list(pod, "spec.initContainers")) {
        for resource in ["cpu", "memory"] {
            let amount = |which: &str| {
                let value = at(container, "resources").get(which)?.get(resource)?;
                api::quantity::Quantity::from_value(value).ok().filter(|q| !q.is_zero())
            };
            let (request, limit) = (amount("requests"), amount("limits"));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
