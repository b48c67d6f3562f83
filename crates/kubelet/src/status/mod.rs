//! The status that a pod gets in the API, from what the runtime and the probes say
//! (`pkg/kubelet/kubelet_pods.go`, `generateAPIPodStatus`). Pure.

mod conditions;
mod containers;
mod phase;

use std::collections::BTreeMap;

use api::Object;
use json::{Map, Value, json};
use simulation::Time;

use crate::actions::Existing;
use crate::probes::Verdicts;

/// Why containers could not be started last time: reason and message by container name.
pub(crate) type Reasons = BTreeMap<String, (String, String)>;

/// What a status is made from.
pub(crate) struct Inputs<'a> {
    pub(crate) pod: &'a Object,
    /// The last status we made, or the API's.
    pub(crate) old: &'a Value,
    pub(crate) existing: &'a Existing,
    pub(crate) pod_ip: Option<String>,
    pub(crate) host_ip: &'a str,
    /// `docker` or `containerd`: whose names containers and images have.
    pub(crate) runtime: &'a str,
    pub(crate) reasons: &'a Reasons,
    pub(crate) verdicts: &'a dyn Verdicts,
    /// Nothing will be started any more.
    pub(crate) terminal: bool,
    /// Conditions of a resize or an eviction.
    pub(crate) more: Vec<Value>,
    pub(crate) now: Time,
}

/// The whole `status` of the pod.
pub(crate) fn generate(inputs: &Inputs<'_>) -> Value {
    let pod = inputs.pod;
    let (init, regular) = containers::statuses(inputs);
    let all: Vec<Value> = init.iter().chain(&regular).cloned().collect();
    let mut phase = phase::phase(pod, &all, inputs.terminal, has_run(&all, pod));
    // A pod never comes back from its final phase.
    for settled in [inputs.old["phase"].as_str().unwrap_or(""), pod.str("status.phase")] {
        if matches!(settled, "Succeeded" | "Failed") {
            phase = settled;
        }
    }
    let mut status = Map::new();
    status.insert("phase".into(), phase.into());
    if inputs.old["phase"].as_str() == Some(phase) {
        for field in ["reason", "message"] {
            if let Some(text) = inputs.old[field].as_str().filter(|t| !t.is_empty()) {
                status.insert(field.into(), text.into());
            }
        }
    }
    status.insert("conditions".into(), conditions::conditions(inputs, &all, phase).into());
    if !init.is_empty() {
        status.insert("initContainerStatuses".into(), init.into());
    }
    status.insert("containerStatuses".into(), regular.into());
    let ephemeral = containers::ephemeral(inputs);
    if !ephemeral.is_empty() {
        status.insert("ephemeralContainerStatuses".into(), ephemeral.into());
    }
    status.insert("hostIP".into(), inputs.host_ip.into());
    status.insert("hostIPs".into(), json!([{ "ip": inputs.host_ip }]));
    if let Some(ip) = &inputs.pod_ip {
        status.insert("podIP".into(), ip.clone().into());
        status.insert("podIPs".into(), json!([{ "ip": ip }]));
    }
    let started = inputs.old["startTime"].as_str().map_or_else(|| inputs.now.rfc3339(), str::to_owned);
    status.insert("startTime".into(), started.into());
    status.insert("qosClass".into(), qos_class(pod).into());
    status.insert("observedGeneration".into(), pod.generation().into());
    status.into()
}

/// Whether somebody else has written over what we have told: our conditions, or the phase (`needsReconcile`).
pub(crate) fn contradicts(in_api: &Value, told: &Value) -> bool {
    let conditions = |status: &Value| status["conditions"].as_array().cloned().unwrap_or_default();
    let theirs = conditions(in_api);
    let differs = |ours: &Value| !theirs.iter().any(|c| c["type"] == ours["type"] && c["status"] == ours["status"]);
    in_api["phase"] != told["phase"] || conditions(told).iter().any(|ours| conditions::is_owned(ours) && differs(ours))
}

/// The status of a pod that was refused (`rejectPod`).
pub(crate) fn rejected(pod: &Object, reason: &str, message: &str, now: Time) -> Value {
    let mut status = json!({
        "phase": "Failed",
        "reason": reason,
        "message": message,
        "qosClass": qos_class(pod),
        "observedGeneration": pod.generation(),
        "startTime": now.rfc3339(),
    });
    if let Some(conditions) = pod.at("status.conditions").as_array() {
        status["conditions"] = conditions.clone().into();
    }
    status
}

fn has_run(statuses: &[Value], pod: &Object) -> bool {
    crate::spec::containers(pod).iter().any(|container| {
        let status = containers::find(statuses, crate::spec::name(container));
        status.is_some_and(|s| !s["state"]["running"].is_null() || !s["state"]["terminated"].is_null())
    })
}

/// `status.qosClass` (`pkg/apis/core/v1/helper/qos`).
pub(crate) fn qos_class(pod: &Object) -> &'static str {
    if let Some(known) = ["Guaranteed", "Burstable", "BestEffort"].iter().find(|c| pod.str("status.qosClass") == **c) {
        return known;
    }
    let all = || crate::spec::init_containers(pod).iter().chain(crate::spec::containers(pod));
    let amount = |container: &Value, list: &str, name: &str| {
        let text = crate::spec::api_at(container, "resources")[list][name].clone();
        api::quantity::Quantity::from_value(&text).ok().filter(|q| !q.is_zero()).map(|q| q.milli_value())
    };
    let none = all()
        .all(|c| ["requests", "limits"].iter().all(|l| ["cpu", "memory"].iter().all(|n| amount(c, l, n).is_none())));
    let guaranteed = all().all(|c| {
        ["cpu", "memory"].iter().all(|name| {
            let limit = amount(c, "limits", name);
            limit.is_some() && amount(c, "requests", name).is_none_or(|request| Some(request) == limit)
        })
    });
    match (none, guaranteed) {
        (true, _) => "BestEffort",
        (_, true) => "Guaranteed",
        _ => "Burstable",
    }
}
