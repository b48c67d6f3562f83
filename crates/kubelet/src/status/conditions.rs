//! The conditions that the kubelet owns (`pkg/kubelet/status/generate.go`).

use json::{Value, json};

use super::Inputs;
use super::containers::find;
use crate::pod::{IN_PROGRESS, PENDING};
use crate::spec;

const OWNED: [&str; 7] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", PENDING, IN_PROGRESS];

/// Whether a condition is the kubelet's own.
pub(super) fn is_owned(condition: &Value) -> bool {
    OWNED.contains(&spec::text(condition, "type"))
}

/// Status, reason and message.
type Verdict = (bool, &'static str, String);

pub(super) fn conditions(inputs: &Inputs<'_>, statuses: &[Value], phase: &str) -> Vec<Value> {
    let old = inputs.old["conditions"].as_array().map_or(&[][..], json::Array::as_slice);
    let in_api = inputs.pod.list("status.conditions");
    let is_ours = |c: &&Value| is_owned(c) || inputs.more.iter().any(|more| more["type"] == c["type"]);
    let foreign = in_api.iter().filter(|c| !is_ours(c));
    let mut conditions: Vec<Value> = foreign.chain(&inputs.more).cloned().collect();
    let containers_ready = containers_ready(inputs, statuses, phase);
    let ready = pod_ready(inputs, &conditions, &containers_ready);
    let verdicts: [(&str, Verdict); 5] = [
        ("PodReadyToStartContainers", (inputs.existing.has_sandbox, "", String::new())),
        ("Initialized", initialized(inputs, statuses, phase)),
        ("Ready", ready),
        ("ContainersReady", containers_ready),
        ("PodScheduled", (true, "", String::new())),
    ];
    for (kind, (status, reason, message)) in verdicts {
        let status = if status { "True" } else { "False" };
        let same = |c: &&Value| spec::text(c, "type") == kind && spec::text(c, "status") == status;
        let since = old.iter().find(same).or_else(|| in_api.iter().find(same));
        let since = since.map_or_else(|| inputs.now.rfc3339(), |c| spec::text(c, "lastTransitionTime").to_owned());
        let mut condition = json!({
            "type": kind,
            "status": status,
            "lastProbeTime": null,
            "lastTransitionTime": since,
            "observedGeneration": inputs.pod.generation(),
        });
        for (field, text) in [("reason", reason), ("message", message.as_str())] {
            if !text.is_empty() {
                condition[field] = text.into();
            }
        }
        conditions.push(condition);
    }
    conditions
}

/// `[a b]`, as Go prints a list.
fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(" "))
}

fn complaint(unknown: &[&str], others: &[&str], what: &str) -> String {
    let unknown = (!unknown.is_empty()).then(|| format!("containers with unknown status: {}", list(unknown)));
    let others = (!others.is_empty()).then(|| format!("containers with {what} status: {}", list(others)));
    unknown.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

fn containers_ready(inputs: &Inputs<'_>, statuses: &[Value], phase: &str) -> Verdict {
    let sidecars = spec::init_containers(inputs.pod).iter().filter(|c| spec::is_sidecar(c));
    let (mut unknown, mut unready) = (Vec::new(), Vec::new());
    for container in sidecars.chain(spec::containers(inputs.pod)) {
        let name = spec::name(container);
        match find(statuses, name) {
            None => unknown.push(name),
            Some(status) if status["ready"].as_bool() != Some(true) => unready.push(name),
            Some(_) => {}
        }
    }
    match phase {
        "Succeeded" if unknown.is_empty() => return (false, "PodCompleted", String::new()),
        "Failed" => return (false, "PodFailed", String::new()),
        _ => {}
    }
    let message = complaint(&unknown, &unready, "unready");
    if message.is_empty() { (true, "", message) } else { (false, "ContainersNotReady", message) }
}

fn pod_ready(inputs: &Inputs<'_>, conditions: &[Value], containers_ready: &Verdict) -> Verdict {
    if !containers_ready.0 {
        return containers_ready.clone();
    }
    let mut missing = Vec::new();
    for gate in inputs.pod.list("spec.readinessGates") {
        let kind = spec::text(gate, "conditionType");
        match conditions.iter().find(|c| spec::text(c, "type") == kind) {
            None => missing.push(format!("corresponding condition of pod readiness gate \"{kind}\" does not exist.")),
            Some(c) if spec::text(c, "status") != "True" => missing.push(format!(
                "the status of pod readiness gate \"{kind}\" is not \"True\", but {}",
                spec::text(c, "status")
            )),
            Some(_) => {}
        }
    }
    if missing.is_empty() { (true, "", String::new()) } else { (false, "ReadinessGatesNotReady", missing.join(", ")) }
}

fn initialized(inputs: &Inputs<'_>, statuses: &[Value], phase: &str) -> Verdict {
    let (mut unknown, mut incomplete) = (Vec::new(), Vec::new());
    for container in spec::init_containers(inputs.pod) {
        let name = spec::name(container);
        let field = if spec::is_sidecar(container) { "started" } else { "ready" };
        match find(statuses, name) {
            None => unknown.push(name),
            Some(status) if status[field].as_bool() != Some(true) => incomplete.push(name),
            Some(_) => {}
        }
    }
    if phase == "Succeeded" && unknown.is_empty() {
        return (true, "PodCompleted", String::new());
    }
    let message = complaint(&unknown, &incomplete, "incomplete");
    if message.is_empty() || inputs.existing.any_regular(inputs.pod) {
        (true, "", String::new())
    } else {
        (false, "ContainersNotInitialized", message)
    }
}
