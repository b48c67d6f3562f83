//! The statuses of containers (`convertToAPIContainerStatuses`).

use json::{Map, Value, json};

use super::Inputs;
use crate::actions::{View, should_start};
use crate::cri::State;
use crate::spec;

/// A status by container name.
pub(super) fn find<'a>(statuses: &'a [Value], name: &str) -> Option<&'a Value> {
    statuses.iter().find(|s| spec::name(s) == name)
}

/// The lists in which a pod's containers and their statuses are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Init,
    Regular,
    Ephemeral,
}

impl Type {
    fn list(self) -> &'static str {
        match self {
            Type::Init => "initContainerStatuses",
            Type::Regular => "containerStatuses",
            Type::Ephemeral => "ephemeralContainerStatuses",
        }
    }
}

/// Of init containers in the pod's order, and of containers by name.
pub(super) fn statuses(inputs: &Inputs<'_>) -> (Vec<Value>, Vec<Value>) {
    let init = spec::init_containers(inputs.pod).iter().map(|c| status(inputs, c, Type::Init)).collect();
    (init, by_name(inputs, spec::containers(inputs.pod), Type::Regular))
}

/// Of ephemeral containers, by name.
pub(super) fn ephemeral(inputs: &Inputs<'_>) -> Vec<Value> {
    by_name(inputs, spec::ephemeral_containers(inputs.pod), Type::Ephemeral)
}

fn by_name(inputs: &Inputs<'_>, containers: &[Value], kind: Type) -> Vec<Value> {
    let mut all: Vec<Value> = containers.iter().map(|c| status(inputs, c, kind)).collect();
    all.sort_by(|a, b| spec::name(a).cmp(spec::name(b)));
    all
}

fn status(inputs: &Inputs<'_>, container: &Value, kind: Type) -> Value {
    let name = spec::name(container);
    let (list, init) = (kind.list(), kind == Type::Init);
    let old = inputs.old[list].as_array().and_then(|all| find(all, name));
    let mut views = inputs.existing.containers.iter().filter(|v| v.name == name);
    let (newest, previous) = (views.next(), views.next());
    let mut status = match newest {
        Some(view) => of_view(inputs, container, view),
        None => match old.filter(|o| !o["state"]["terminated"].is_null()) {
            Some(old) => old.as_object().cloned().unwrap_or_default(),
            None => not_yet(inputs, container, old),
        },
    };
    if newest.is_some() {
        let last = previous.map(|view| state(inputs.runtime, view)).or_else(|| last_state(old, &status));
        status.insert("lastState".into(), last.unwrap_or_else(|| json!({})));
    }
    if kind == Type::Ephemeral {
        lost_for_good(newest, &mut status);
    }
    waiting_for_restart(inputs, container, init, newest, &mut status);
    if kind == Type::Ephemeral {
        status.insert("ready".into(), false.into());
    } else {
        readiness(inputs, container, init, newest, &mut status);
    }
    status.into()
}

/// An ephemeral container that ran before the node went down is over: it never starts again.
fn lost_for_good(newest: Option<&View>, status: &mut Map) {
    let lost = &status["lastState"]["terminated"];
    if newest.is_some() || lost["reason"] != "ContainerStatusUnknown" {
        return;
    }
    let lost = json!({ "terminated": lost });
    status.insert("state".into(), lost);
    status.insert("lastState".into(), json!({}));
    status.insert("restartCount".into(), 0.into());
}

fn last_state(old: Option<&Value>, new: &Map) -> Option<Value> {
    let old = old?;
    let ended = &old["state"]["terminated"];
    if old["containerID"] != new["containerID"] && !ended.is_null() {
        return Some(json!({ "terminated": ended }));
    }
    old["lastState"].as_object().filter(|s| !s.is_empty()).map(|s| s.clone().into())
}

/// A container that does not exist yet.
fn not_yet(inputs: &Inputs<'_>, container: &Value, old: Option<&Value>) -> Map {
    let has_init = !spec::init_containers(inputs.pod).is_empty();
    let reason = if has_init { "PodInitializing" } else { "ContainerCreating" };
    let old = old.unwrap_or(&Value::Null);
    let mut status = Map::new();
    status.insert("name".into(), spec::name(container).into());
    status.insert("image".into(), spec::text(container, "image").into());
    status.insert("imageID".into(), "".into());
    status.insert("restartCount".into(), old["restartCount"].as_i64().unwrap_or(0).into());
    let last = old["lastState"].as_object().cloned().unwrap_or_default();
    status.insert("lastState".into(), last.into());
    if !old["state"]["running"].is_null() {
        // It ran when it was last seen and is not there any more: the node went down in between.
        let lost = json!({ "terminated": {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was deleted.  The container used to be Running",
            "startedAt": null,
            "finishedAt": null,
        } });
        status.insert("lastState".into(), lost);
        let restarts = old["restartCount"].as_i64().unwrap_or(0) + i64::from(!inputs.pod.is_deleting());
        status.insert("restartCount".into(), restarts.into());
    }
    status.insert("state".into(), json!({ "waiting": { "reason": reason } }));
    let mounts = volume_mounts(container);
    if !mounts.is_empty() {
        status.insert("volumeMounts".into(), mounts.into());
    }
    status
}

fn of_view(inputs: &Inputs<'_>, container: &Value, view: &View) -> Map {
    let mut status = not_yet(inputs, container, None);
    status.insert("containerID".into(), format!("{}://{}", inputs.runtime, view.id).into());
    status.insert("image".into(), image_name(inputs.runtime, &view.status.image).into());
    status.insert("imageID".into(), image_name(inputs.runtime, &view.status.image_ref).into());
    status.insert("restartCount".into(), view.attempt.into());
    status.insert("state".into(), state(inputs.runtime, view));
    let resources = spec::api_at(container, "resources").as_object().cloned().unwrap_or_default();
    if let Some(requests) = resources.get("requests").filter(|r| r.as_object().is_some_and(|m| !m.is_empty())) {
        status.insert("allocatedResources".into(), requests.clone());
    }
    // Of a container that runs, what it has; that may not yet be what was granted.
    let has = Some(&view.resources).filter(|has| view.status.state == State::Running && !has.is_null());
    status.insert("resources".into(), has.cloned().unwrap_or_else(|| resources.into()));
    let (uid, gid) = view.status.user;
    let user = json!({ "linux": { "uid": uid, "gid": gid, "supplementalGroups": view.status.groups.clone() } });
    status.insert("user".into(), user);
    status
}

/// An image as a runtime names it: Docker in short, containerd in full.
fn image_name(runtime: &str, name: &str) -> String {
    if runtime == "docker" {
        return name.to_owned();
    }
    let name = name.rsplit_once("://").map_or(name, |(_, name)| name);
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((first, _)) if !first.contains(['.', ':']) => format!("docker.io/{name}"),
        Some(_) => name.to_owned(),
    }
}

fn state(runtime: &str, view: &View) -> Value {
    let status = &view.status;
    match status.state {
        State::Created => json!({ "waiting": {} }),
        State::Running => json!({ "running": { "startedAt": status.started_at.rfc3339() } }),
        State::Exited => {
            let mut ended = json!({
                "containerID": format!("{runtime}://{}", view.id),
                "exitCode": status.exit_code,
                "reason": status.reason,
                "startedAt": status.started_at.rfc3339(),
                "finishedAt": status.finished_at.rfc3339(),
            });
            if !status.message.is_empty() {
                ended["message"] = status.message.clone().into();
            }
            json!({ "terminated": ended })
        }
    }
}

/// A container that is to be started but could not be is *Waiting*, with the reason.
fn waiting_for_restart(inputs: &Inputs<'_>, container: &Value, init: bool, newest: Option<&View>, status: &mut Map) {
    let done = init && newest.is_some_and(|v| v.status.state == State::Exited && v.status.exit_code == 0);
    if inputs.terminal
        || (done && !spec::is_sidecar(container))
        || !should_start(inputs.pod, container, inputs.existing)
    {
        return;
    }
    let Some((reason, message)) = inputs.reasons.get(spec::name(container)) else { return };
    let mut waiting = json!({ "reason": reason });
    if !message.is_empty() {
        waiting["message"] = message.clone().into();
    }
    let before = status.insert("state".into(), json!({ "waiting": waiting })).unwrap_or_default();
    if !before["terminated"].is_null() {
        status.insert("lastState".into(), before);
    }
}

fn readiness(inputs: &Inputs<'_>, container: &Value, init: bool, newest: Option<&View>, status: &mut Map) {
    let running = newest.filter(|v| v.status.state == State::Running);
    let started = running.is_some_and(|v| inputs.verdicts.has_started(&v.id, container));
    let ready = if init && !spec::is_sidecar(container) {
        status["state"]["terminated"]["exitCode"].as_i64() == Some(0)
    } else {
        started && running.is_some_and(|v| inputs.verdicts.is_ready(&v.id, container))
    };
    status.insert("started".into(), started.into());
    status.insert("ready".into(), ready.into());
}

fn volume_mounts(container: &Value) -> Vec<Value> {
    let mounts = spec::items(container, "volumeMounts").iter();
    mounts
        .map(|mount| {
            let mut shown = json!({ "name": mount["name"], "mountPath": mount["mountPath"] });
            if mount["readOnly"].as_bool() == Some(true) {
                shown["readOnly"] = true.into();
                shown["recursiveReadOnly"] = "Disabled".into();
            }
            shown
        })
        .collect()
}
