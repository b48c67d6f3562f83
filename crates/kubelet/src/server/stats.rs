//! `/stats/summary`: what the node, its pods and their containers use (`pkg/kubelet/server/stats/summary.go`).
//!
//! Readings are those of the ends of windows of 15 s, see `runtime::process::Meter`: nobody has to come by for them, and who
//! asks twice within a window hears the same. What the machine does itself, without containers, uses nothing.

use api::http::{Body, HeaderValue, Response, header};
use json::{Value, json};
use runtime::limits::USAGE_WINDOW;
use runtime::process::window_end;
use simulation::{Duration, Time};

use crate::Kubelet;
use crate::cri::{ContainerStats, State};
use crate::pod::Worker;

/// A container that is younger has no rate yet (`freshContainerMinMetricsResolution` of metrics-server).
const FRESH_MIN: Duration = Duration::from_secs(10);

/// What was used in a window.
#[derive(Clone, Copy, Default)]
struct Usage {
    cpu_nanos: u64,
    memory_bytes: u64,
}

impl Usage {
    /// As upstream writes it; a rate is there once it can be told.
    fn write(self, into: &mut Value, at: Time, rate: Option<u64>) {
        let time = at.rfc3339();
        into["cpu"] = json!({"time": time, "usageCoreNanoSeconds": self.cpu_nanos});
        if let Some(rate) = rate {
            into["cpu"]["usageNanoCores"] = rate.into();
        }
        into["memory"] = json!({"time": time, "usageBytes": self.memory_bytes, "workingSetBytes": self.memory_bytes});
    }

    fn add(&mut self, other: Usage) {
        self.cpu_nanos += other.cpu_nanos;
        self.memory_bytes += other.memory_bytes;
    }
}

/// Nanoseconds of CPU time a second.
fn rate(cpu_nanos: u64, window: Duration) -> u64 {
    let rate = u128::from(cpu_nanos) * 1_000_000_000 / window.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// What a container used in a second, over the last window or since its start.
fn rate_of(stats: &ContainerStats, started: Time) -> Option<u64> {
    let age = stats.last.at.saturating_since(started);
    if age >= USAGE_WINDOW {
        return Some(rate(stats.last.cpu_nanos.saturating_sub(stats.previous.cpu_nanos), USAGE_WINDOW));
    }
    (age >= FRESH_MIN).then(|| rate(stats.last.cpu_nanos, age))
}

/// The answer.
pub(super) fn summary(kubelet: &Kubelet) -> Response {
    let shared = &kubelet.0.shared;
    let at = window_end(shared.sim.now());
    let (mut total, mut total_rate) = (Usage::default(), 0);
    let workers = kubelet.0.workers.borrow();
    let pods: Vec<Value> = workers
        .values()
        .map(|(worker, _)| {
            let (pod, usage, rate) = pod(worker, at);
            total.add(usage);
            total_rate += rate;
            pod
        })
        .collect();
    let started = kubelet.0.relist.origin;
    let mut node = json!({"nodeName": shared.config.name, "startTime": started.rfc3339()});
    let rate = (at.saturating_since(started) >= USAGE_WINDOW).then_some(total_rate);
    total.write(&mut node, at, rate);
    let capacity = u64::try_from(shared.config.memory_bytes).unwrap_or(0);
    node["memory"]["availableBytes"] = capacity.saturating_sub(total.memory_bytes).into();
    let mut response = Response::new(Body::Object(json!({"node": node, "pods": pods}).into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A pod, with what all of it used, and its rate in the last window; containers that have ended count there only.
fn pod(worker: &Worker, at: Time) -> (Value, Usage, u64) {
    let pod = worker.pod();
    let runtime = &worker.shared.runtime;
    let (mut all, mut all_rate) = (Usage::default(), 0);
    let mut containers = Vec::new();
    for (name, id) in worker.all_containers() {
        let (Some(stats), Some(status)) = (runtime.container_stats(&id), runtime.container_status(&id)) else {
            continue;
        };
        all_rate += rate(stats.last.cpu_nanos.saturating_sub(stats.previous.cpu_nanos), USAGE_WINDOW);
        if status.state != State::Running || status.started_at > at {
            continue;
        }
        let usage = Usage { cpu_nanos: stats.last.cpu_nanos, memory_bytes: stats.last.memory_bytes };
        all.add(usage);
        let mut container = json!({"name": name, "startTime": status.started_at.rfc3339()});
        usage.write(&mut container, at, rate_of(&stats, status.started_at));
        containers.push(container);
    }
    let mut summary = json!({
        "podRef": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
        "startTime": pod.at("status.startTime"),
        "containers": containers,
    });
    all.write(&mut summary, at, Some(all_rate));
    (summary, all, all_rate)
}
