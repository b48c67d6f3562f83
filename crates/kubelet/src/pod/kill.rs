//! Ending containers and pods (`killContainer`, `SyncTerminatingPod`, `SyncTerminatedPod`).

use std::rc::Rc;
use std::task::Poll;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use json::Value;
use simulation::Duration;

use super::Worker;
use crate::cri::{Id, State};
use crate::limits::GRACE_MIN;
use crate::spec;

impl Worker {
    /// Runs the preStop hook and stops a container; an empty message says just that.
    pub(super) async fn kill(&self, id: &Id, name: &str, message: &str, grace_seconds: Option<i64>) {
        let pod = self.pod();
        let started = self.shared.sim.now();
        let stopping = format!("Stopping container {name}");
        let message = if message.is_empty() { &stopping } else { message };
        self.container_event(name, "Normal", "Killing", message);
        self.trace(name, "killed");
        // While the pod is being deleted, the deletion's grace period counts; else the probe's own or the pod's.
        let own = grace_seconds.filter(|_| !pod.is_deleting());
        let grace = own.unwrap_or_else(|| if self.deleted.get() { 0 } else { spec::grace_seconds(&pod) });
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
        let container = spec::find(&pod, name).cloned().unwrap_or(Value::Null);
        let hook = spec::api_at(&container, "lifecycle.preStop");
        if !hook.is_null() && !grace.is_zero() {
            let ip = self.pod_ip.get().unwrap_or(self.shared.config.ip);
            let run = self.run_hook(&pod, &container, id, ip, hook);
            if let Ok(Err(_)) = self.shared.sim.timeout(grace, run).await {
                self.container_event(name, "Warning", "FailedPreStopHook", "PreStopHook failed");
            }
        }
        let spent = self.shared.sim.now().saturating_since(started);
        let rest = grace.saturating_sub(spent).max(GRACE_MIN);
        self.stop(id, rest).await;
    }

    /// Stops a container; when the deletion becomes more urgent on the way, so does this.
    async fn stop(&self, id: &Id, grace: Duration) {
        let sim = &self.shared.sim;
        let mut deadline = sim.now() + grace;
        let mut stopping = self.shared.runtime.stop_container(id, grace);
        let mut hurry = Vec::new();
        std::future::poll_fn(|cx| {
            if stopping.poll_unpin(cx).is_ready() {
                return Poll::Ready(());
            }
            self.waiters.register(cx);
            let pod = self.pod.borrow();
            let seconds = if self.deleted.get() { 0 } else { spec::grace_seconds(&pod) };
            let wanted = Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).max(GRACE_MIN);
            if (pod.is_deleting() || self.deleted.get()) && sim.now() + wanted < deadline {
                deadline = sim.now() + wanted;
                hurry.push(self.shared.runtime.stop_container(id, wanted));
            }
            hurry.retain_mut(|future| future.poll_unpin(cx).is_pending());
            Poll::Pending
        })
        .await;
    }

    /// Ends the pod: stops what runs, gives everything back, and lets the API forget it.
    pub(super) async fn terminate(self: &Rc<Self>) {
        self.ending.raise();
        if self.sandbox.borrow().is_some() || !self.terminal.get() {
            self.terminal.set(true);
            self.stopping.set(self.runs());
            self.probing.borrow_mut().values_mut().for_each(crate::probes::Probing::keep_only_readiness);
            self.publish_ending().await;
            self.stop_all().await;
            self.probing.borrow_mut().clear();
            self.collect_messages().await;
            let sandbox = self.sandbox.take();
            if let Some(sandbox) = sandbox {
                if !spec::host_network(&self.pod.borrow()) {
                    self.shared.prober.net.fabric().unmap_host_ports(sandbox.ip);
                }
                self.shared.runtime.stop_sandbox(&sandbox.id).await;
            }
            self.stopping.set(false);
            (self.shared.retry_resizes)();
        }
        self.note_eviction();
        if self.was_accepted() {
            self.publish().await;
        }
        self.release().await;
    }

    /// Whether the status is ours to make: not for pods that were refused.
    fn was_accepted(&self) -> bool {
        self.sandboxes.get() > 0 || self.status.borrow()["containerStatuses"].is_array()
    }

    /// Whether a container of the pod runs.
    fn runs(&self) -> bool {
        self.existing().containers.iter().any(|view| view.status.state == State::Running)
    }

    /// While containers are being stopped, the status shows them as they are.
    async fn publish_ending(&self) {
        if self.was_accepted() {
            self.publish().await;
        }
    }

    /// Stops every running container: the ordinary ones together, then the sidecars in reverse order.
    async fn stop_all(&self) {
        let pod = self.pod();
        let running: Vec<(Id, String)> = {
            let existing = self.existing();
            let views = existing.containers.iter().filter(|v| v.status.state == State::Running);
            views.map(|v| (v.id.clone(), v.name.clone())).collect()
        };
        let is_sidecar = |name: &str| spec::find(&pod, name).is_some_and(spec::is_sidecar);
        let (sidecars, ordinary): (Vec<_>, Vec<_>) = running.into_iter().partition(|(_, name)| is_sidecar(name));
        let grace = self.eviction_grace();
        join_all(ordinary.iter().map(|(id, name)| self.kill(id, name, "", grace))).await;
        for (id, name) in &sidecars {
            self.kill(id, name, "", grace).await;
        }
    }
}
