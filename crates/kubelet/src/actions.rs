//! What is to be done for a pod now, from what is wanted and what is there
//! (`pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `computePodActions`). Pure.

use api::Object;
use json::Value;

use crate::cri::{ContainerStatus, Id, State};
use crate::pod::Amounts;
use crate::probes::Verdicts;
use crate::spec;

/// A container that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) attempt: u32,
    /// The image as the pod named it when the container was made.
    pub(crate) spec_image: String,
    /// The resources that it has, as the pod would name them.
    pub(crate) resources: Value,
    pub(crate) status: ContainerStatus,
}

/// What exists of a pod, newest container first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Existing {
    pub(crate) has_sandbox: bool,
    pub(crate) containers: Vec<View>,
}

impl Existing {
    pub(crate) fn newest(&self, name: &str) -> Option<&View> {
        self.containers.iter().find(|c| c.name == name)
    }

    pub(crate) fn any_regular(&self, pod: &Object) -> bool {
        spec::containers(pod).iter().any(|c| self.newest(spec::name(c)).is_some())
    }
}

/// A container to be killed, and what to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) message: String,
    /// The probe's own grace period, if it has one.
    pub(crate) grace_seconds: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actions {
    /// Nothing is left to run: stop what is there.
    pub(crate) kill_pod: bool,
    pub(crate) create_sandbox: bool,
    /// Names, in order.
    pub(crate) ephemeral_to_start: Vec<String>,
    /// Names, in order.
    pub(crate) init_to_start: Vec<String>,
    /// Names, in order.
    pub(crate) to_start: Vec<String>,
    pub(crate) to_kill: Vec<Kill>,
}

/// Whether a container that is not running is to be started.
pub(crate) fn should_start(pod: &Object, container: &Value, existing: &Existing) -> bool {
    if pod.is_deleting() {
        return false;
    }
    match existing.newest(spec::name(container)) {
        None => true,
        Some(view) => match view.status.state {
            State::Running => false,
            State::Created => true,
            State::Exited => spec::restarts(pod, container, view.status.exit_code),
        },
    }
}

pub(crate) fn compute(pod: &Object, existing: &Existing, verdicts: &dyn Verdicts) -> Actions {
    let mut actions = Actions::default();
    if !existing.has_sandbox {
        return without_sandbox(pod, existing);
    }
    // They may start before the pod is initialized, once each.
    let new = spec::ephemeral_containers(pod).iter().filter(|c| is_new(pod, c, existing));
    actions.ephemeral_to_start = new.map(|c| spec::name(c).to_owned()).collect();
    let initialized = init_actions(pod, existing, verdicts, &mut actions);
    if actions.kill_pod {
        actions.ephemeral_to_start.clear();
    }
    if actions.kill_pod || !initialized {
        return actions;
    }
    let mut kept = 0;
    for container in spec::containers(pod) {
        let running = existing.newest(spec::name(container)).filter(|v| v.status.state == State::Running);
        let Some(view) = running else {
            if should_start(pod, container, existing) {
                actions.to_start.push(spec::name(container).to_owned());
            }
            continue;
        };
        let changed = view.spec_image != spec::text(container, "image");
        let verdict = if changed {
            Some((format!("Container {} definition changed", view.name), None))
        } else {
            failed_probe(container, view, verdicts, "Container").or_else(|| resize(container, view))
        };
        let Some((mut message, grace_seconds)) = verdict else {
            kept += 1;
            continue;
        };
        let resized = message.ends_with(RESIZED);
        if resized {
            actions.to_start.push(view.name.clone());
        } else if changed || spec::restart_policy(pod) != "Never" {
            message += ", will be restarted";
            actions.to_start.push(view.name.clone());
        }
        actions.to_kill.push(Kill { id: view.id.clone(), name: view.name.clone(), message, grace_seconds });
    }
    if kept == 0 && actions.to_start.is_empty() {
        actions.kill_pod = true;
        actions.init_to_start.clear();
        actions.ephemeral_to_start.clear();
    }
    actions
}

/// Whether an ephemeral container has never been started, here or before the node went down.
fn is_new(pod: &Object, container: &Value, existing: &Existing) -> bool {
    let name = spec::name(container);
    let known = pod.list("status.ephemeralContainerStatuses").iter().find(|s| spec::name(s) == name);
    let has_run = known.is_some_and(|s| s["state"]["waiting"].is_null());
    !has_run && should_start(pod, container, existing)
}

fn without_sandbox(pod: &Object, existing: &Existing) -> Actions {
    let wanted = |c: &&Value| should_start(pod, c, existing);
    let to_start: Vec<String> = spec::containers(pod).iter().filter(wanted).map(|c| spec::name(c).to_owned()).collect();
    if to_start.is_empty() && existing.any_regular(pod) {
        return Actions { kill_pod: true, ..Actions::default() };
    }
    let mut actions = Actions { create_sandbox: true, ..Actions::default() };
    match spec::init_containers(pod).first() {
        Some(first) => actions.init_to_start.push(spec::name(first).to_owned()),
        None => actions.to_start = to_start,
    }
    actions
}

fn failed_probe(container: &Value, view: &View, verdicts: &dyn Verdicts, what: &str) -> Option<(String, Option<i64>)> {
    let failed = |kind: &str, field: &str| {
        let message = format!("{what} {} failed {kind} probe", view.name);
        (message, spec::api_at(container, field).get("terminationGracePeriodSeconds").and_then(Value::as_i64))
    };
    if verdicts.liveness_failed(&view.id) {
        Some(failed("liveness", "livenessProbe"))
    } else if verdicts.startup_failed(&view.id) {
        Some(failed("startup", "startupProbe"))
    } else {
        None
    }
}

const RESIZED: &str = " resize requires restart";

/// A container that gets other resources only by being started anew.
fn resize(container: &Value, view: &View) -> Option<(String, Option<i64>)> {
    let (has, wanted) = (Amounts::of(&view.resources), Amounts::of(&container["resources"]));
    has.need_restart(wanted, container).then(|| (format!("Container {}{RESIZED}", view.name), None))
}

/// Walks the init containers in order; true when the others may run.
fn init_actions(pod: &Object, existing: &Existing, verdicts: &dyn Verdicts, actions: &mut Actions) -> bool {
    let already_initialized = existing.any_regular(pod);
    for container in spec::init_containers(pod) {
        let name = spec::name(container);
        let view = existing.newest(name);
        if spec::is_sidecar(container) {
            let running = view.filter(|v| v.status.state == State::Running);
            if let Some(view) = running {
                let failed = failed_probe(container, view, verdicts, "Init container");
                if let Some((message, grace_seconds)) = failed.or_else(|| resize(container, view)) {
                    let (id, name) = (view.id.clone(), view.name.clone());
                    actions.to_kill.push(Kill { id, name: name.clone(), message, grace_seconds });
                    actions.init_to_start.push(name);
                } else if !already_initialized && !verdicts.has_started(&view.id, container) {
                    return false; // the next one waits for this one's startup probe
                }
            } else {
                if should_start(pod, container, existing) {
                    actions.init_to_start.push(name.to_owned());
                }
                if !already_initialized {
                    return false;
                }
            }
            continue;
        }
        if already_initialized {
            continue;
        }
        match view {
            None => {
                actions.init_to_start.push(name.to_owned());
                return false;
            }
            Some(view) => match view.status.state {
                State::Exited if view.status.exit_code == 0 => {}
                State::Exited if spec::restarts(pod, container, view.status.exit_code) => {
                    actions.init_to_start.push(name.to_owned());
                    return false;
                }
                State::Exited => {
                    actions.kill_pod = true;
                    actions.init_to_start.clear();
                    return false;
                }
                State::Created => {
                    actions.init_to_start.push(name.to_owned());
                    return false;
                }
                State::Running => return false,
            },
        }
    }
    true
}
