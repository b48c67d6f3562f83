//! Pods: the STATUS column is a story of its own (`printPod`).

use api::{Object, kinds};
use json::Value;
use simulation::Time;

use super::{AGE, NAME, Printer, age, or, shown, since, wide};
use crate::value::{at, int, text};

pub static PODS: Printer = Printer {
    kind: &kinds::PODS,
    columns: &[
        NAME,
        shown("Ready"),
        shown("Status"),
        shown("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
};

fn cells(pod: &Object, now: Time) -> Vec<Value> {
    let summary = Summary::of(pod);
    let restarts = match summary.last_restart {
        Some(when) if summary.restarts != 0 => {
            format!("{} ({} ago)", summary.restarts, since(&when.rfc3339().into(), now))
        }
        _ => summary.restarts.to_string(),
    };
    let ip = pod.list("status.podIPs").first().map_or("", |ip| text(ip, "ip"));
    vec![
        pod.name().into(),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.status(pod).into(),
        restarts.into(),
        age(pod, now),
        or(ip, "<none>").into(),
        or(pod.str("spec.nodeName"), "<none>").into(),
        or(pod.str("status.nominatedNodeName"), "<none>").into(),
        readiness_gates(pod).into(),
    ]
}

fn condition<'a>(pod: &'a Object, kind: &str) -> Option<&'a Value> {
    pod.list("status.conditions").iter().find(|c| text(c, "type") == kind)
}

fn is_true(pod: &Object, kind: &str) -> bool {
    condition(pod, kind).is_some_and(|c| text(c, "status") == "True")
}

fn readiness_gates(pod: &Object) -> String {
    let gates = pod.list("spec.readinessGates");
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let met = gates.iter().filter(|g| is_true(pod, text(g, "conditionType"))).count();
    format!("{met}/{}", gates.len())
}

/// What the statuses of the containers add up to.
struct Summary {
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Time>,
    reason: String,
}

/// Restarts and the end of the run before the last restart.
#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += int(status, "restartCount").unwrap_or(0);
        self.last = self.last.max(Time::parse_rfc3339(text(status, "lastState.terminated.finishedAt")));
    }
}

/// How a container that has ended ended: its reason, or a signal or exit code.
fn ending(terminated: &Value) -> String {
    match (text(terminated, "reason"), int(terminated, "signal").unwrap_or(0)) {
        ("", 0) => format!("ExitCode:{}", int(terminated, "exitCode").unwrap_or(0)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

impl Summary {
    fn of(pod: &Object) -> Summary {
        let sidecars: Vec<&str> = pod
            .list("spec.initContainers")
            .iter()
            .filter(|c| text(c, "restartPolicy") == "Always")
            .map(|c| text(c, "name"))
            .collect();
        let mut reason = or(pod.str("status.reason"), pod.str("status.phase")).to_owned();
        if condition(pod, "PodScheduled").is_some_and(|c| text(c, "reason") == "SchedulingGated") {
            reason = "SchedulingGated".to_owned();
        }
        let total = pod.list("spec.containers").len() + sidecars.len();
        let mut summary = Summary { ready: 0, total, restarts: 0, last_restart: None, reason };
        let (all, of_sidecars, initializing) = summary.init_containers(pod, &sidecars);
        let restarts =
            if !initializing || is_true(pod, "Initialized") { summary.containers(pod, of_sidecars) } else { all };
        summary.restarts = restarts.count;
        summary.last_restart = restarts.last;
        summary
    }

    /// Restarts of all init containers, those of sidecars alone, and whether initialization is under way.
    fn init_containers(&mut self, pod: &Object, sidecars: &[&str]) -> (Restarts, Restarts, bool) {
        let (mut all, mut of_sidecars) = (Restarts::default(), Restarts::default());
        for (i, status) in pod.list("status.initContainerStatuses").iter().enumerate() {
            let sidecar = sidecars.contains(&text(status, "name"));
            all.add(status);
            if sidecar {
                of_sidecars.add(status);
            }
            let terminated = at(status, "state.terminated");
            if !terminated.is_null() && int(terminated, "exitCode").unwrap_or(0) == 0 {
                continue;
            }
            if sidecar && at(status, "started").as_bool() == Some(true) {
                self.ready += usize::from(at(status, "ready").as_bool() == Some(true));
                continue;
            }
            let waiting = text(status, "state.waiting.reason");
            self.reason = if !terminated.is_null() {
                format!("Init:{}", ending(terminated))
            } else if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{i}/{}", pod.list("spec.initContainers").len())
            };
            return (all, of_sidecars, true);
        }
        (all, of_sidecars, false)
    }

    /// The containers, on top of the restarts of sidecars.
    fn containers(&mut self, pod: &Object, mut restarts: Restarts) -> Restarts {
        let mut running = false;
        let mut error = String::new();
        for status in pod.list("status.containerStatuses").iter().rev() {
            restarts.add(status);
            let (waiting, terminated) = (text(status, "state.waiting.reason"), at(status, "state.terminated"));
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if !terminated.is_null() {
                self.reason = ending(terminated);
                if int(terminated, "exitCode").unwrap_or(0) != 0 {
                    error.clone_from(&self.reason);
                }
            } else if at(status, "ready").as_bool() == Some(true) && !at(status, "state.running").is_null() {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            if running && is_true(pod, "Ready") {
                self.reason = "Running".to_owned();
            } else if !error.is_empty() {
                self.reason = error;
            } else if running {
                self.reason = "NotReady".to_owned();
            }
        }
        restarts
    }

    fn status(&self, pod: &Object) -> String {
        if pod.is_deleting() && pod.str("status.reason") == "NodeLost" {
            return "Unknown".to_owned();
        }
        if pod.is_deleting() && !matches!(pod.str("status.phase"), "Failed" | "Succeeded") {
            return "Terminating".to_owned();
        }
        self.reason.clone()
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    /// READY, STATUS and RESTARTS of a pod with one container, 65 s after its creation.
    #[track_caller]
    fn check(status: Value, expected: &str) {
        check_pod(json!({"spec": {"containers": [{"name": "a"}]}, "status": status}), expected);
    }

    #[track_caller]
    fn check_pod(mut pod: Value, expected: &str) {
        pod["metadata"]["creationTimestamp"] = "2026-11-21T03:00:00Z".into();
        let now = Time::parse_rfc3339("2026-11-21T03:01:05Z").unwrap();
        let cells = cells(&Object::new(pod), now);
        let shown: Vec<&str> = cells[1..5].iter().filter_map(Value::as_str).collect();
        assert_eq!(shown.join(" | "), expected);
    }

    fn container(state: Value, ready: bool, restarts: i64) -> Value {
        json!({"name": "a", "state": state, "ready": ready, "restartCount": restarts, "lastState": {}})
    }

    #[test]
    fn the_status_column() {
        check(json!({"phase": "Pending"}), "0/1 | Pending | 0 | 65s");
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let creating = container(waiting("ContainerCreating"), false, 0);
        check(json!({"phase": "Pending", "containerStatuses": [creating]}), "0/1 | ContainerCreating | 0 | 65s");
        let running = container(json!({"running": {}}), true, 0);
        check(json!({"phase": "Running", "containerStatuses": [running.clone()]}), "1/1 | Running | 0 | 65s");
        let mut crashing = container(waiting("CrashLoopBackOff"), false, 3);
        crashing["lastState"] = json!({"terminated": {"exitCode": 1, "finishedAt": "2026-11-21T03:00:55Z"}});
        check(
            json!({"phase": "Running", "containerStatuses": [crashing]}),
            "0/1 | CrashLoopBackOff | 3 (10s ago) | 65s",
        );
        let ended =
            |code: i64, reason: &str| container(json!({"terminated": {"exitCode": code, "reason": reason}}), false, 0);
        check(json!({"phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]}), "0/1 | Completed | 0 | 65s");
        check(json!({"phase": "Failed", "containerStatuses": [ended(1, "Error")]}), "0/1 | Error | 0 | 65s");
        check(json!({"phase": "Running", "containerStatuses": [ended(137, "OOMKilled")]}), "0/1 | OOMKilled | 0 | 65s");
        check(json!({"phase": "Running", "containerStatuses": [ended(2, "")]}), "0/1 | ExitCode:2 | 0 | 65s");
        check(json!({"phase": "Failed", "reason": "Evicted"}), "0/1 | Evicted | 0 | 65s");
    }

    #[test]
    fn init_containers_and_deletion() {
        let pod = |init: Value| {
            json!({"spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
                "status": {"phase": "Pending", "initContainerStatuses": [init]}})
        };
        let state = |state: Value| json!({"name": "i", "state": state, "restartCount": 2});
        check_pod(pod(state(json!({"running": {}}))), "0/1 | Init:0/2 | 2 | 65s");
        check_pod(
            pod(state(json!({"waiting": {"reason": "CrashLoopBackOff"}}))),
            "0/1 | Init:CrashLoopBackOff | 2 | 65s",
        );
        check_pod(pod(state(json!({"terminated": {"exitCode": 1, "reason": "Error"}}))), "0/1 | Init:Error | 2 | 65s");
        let mut dying = json!({"spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Running"}});
        dying["metadata"]["deletionTimestamp"] = "2026-11-21T03:00:00Z".into();
        check_pod(dying.clone(), "0/1 | Terminating | 0 | 65s");
        dying["status"] = json!({"phase": "Succeeded",
            "containerStatuses": [container(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}), false, 0)]});
        check_pod(dying, "0/1 | Completed | 0 | 65s");
    }
}
