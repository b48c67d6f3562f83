//! The phase of a pod from the states of its containers (`getPhase`).

use api::Object;
use json::Value;

use super::containers::find;
use crate::spec;

#[derive(Default)]
struct Counts {
    unknown: usize,
    running: usize,
    waiting: usize,
    stopped: usize,
    stopped_for_good: usize,
    succeeded: usize,
}

fn exit_code(terminated: &Value) -> i32 {
    terminated["exitCode"].as_i64().and_then(|c| i32::try_from(c).ok()).unwrap_or(0)
}

pub(super) fn phase(pod: &Object, statuses: &[Value], terminal: bool, has_run: bool) -> &'static str {
    let (mut pending_init, mut pending_sidecar, mut init_failed_for_good) = (0, 0, false);
    let mut counts = Counts::default();
    for container in spec::init_containers(pod) {
        let status = find(statuses, spec::name(container)).unwrap_or(&Value::Null);
        let state = &status["state"];
        if spec::is_sidecar(container) {
            if !state["running"].is_null() {
                counts.running += 1;
                pending_sidecar += usize::from(status["started"].as_bool() != Some(true));
            } else if state["terminated"].is_null() && status["lastState"]["terminated"].is_null() {
                pending_sidecar += 1;
                counts.waiting += usize::from(!state["waiting"].is_null());
                counts.unknown += usize::from(state["waiting"].is_null());
            }
            continue;
        }
        let ended = [&state["terminated"], &status["lastState"]["terminated"]].into_iter().find(|t| !t.is_null());
        match ended {
            Some(ended) if state["running"].is_null() => {
                let code = exit_code(ended);
                init_failed_for_good |= code != 0 && !spec::restarts(pod, container, code);
            }
            _ => pending_init += 1,
        }
    }
    for container in spec::containers(pod) {
        count(pod, container, find(statuses, spec::name(container)), &mut counts);
    }
    if init_failed_for_good {
        return "Failed";
    }
    if pending_init > 0 || (pending_sidecar > 0 && !has_run) || counts.waiting > 0 {
        return "Pending";
    }
    if counts.running > 0 && counts.unknown == 0 {
        return "Running";
    }
    if counts.running == 0 && counts.stopped > 0 && counts.unknown == 0 {
        let done = if counts.stopped == counts.succeeded { "Succeeded" } else { "Failed" };
        return if terminal || counts.stopped == counts.stopped_for_good { done } else { "Running" };
    }
    "Pending"
}

fn count(pod: &Object, container: &Value, status: Option<&Value>, counts: &mut Counts) {
    let Some(status) = status else {
        counts.unknown += 1;
        return;
    };
    let state = &status["state"];
    if !state["running"].is_null() {
        counts.running += 1;
    } else if !state["terminated"].is_null() {
        let code = exit_code(&state["terminated"]);
        counts.stopped += 1;
        counts.stopped_for_good += usize::from(!spec::restarts(pod, container, code));
        counts.succeeded += usize::from(code == 0);
    } else if status["lastState"]["terminated"].is_null() {
        counts.waiting += 1;
    } else {
        counts.stopped += 1;
        let code = exit_code(&status["lastState"]["terminated"]);
        counts.stopped_for_good += usize::from(!spec::restarts(pod, container, code));
    }
}
