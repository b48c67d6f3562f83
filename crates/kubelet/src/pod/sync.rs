//! Bringing a pod to what is wanted (`SyncPod`).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::Object;
use futures_util::future::join_all;
use json::Value;
use network::nat::Protocol;
use simulation::Time;

use super::Worker;
use crate::actions::{self, Actions};
use crate::cri::{SandboxConfig, State};
use crate::env::Facts;
use crate::limits::{CRASH_SHOWN, MOUNT_RETRY_MAX, MOUNT_RETRY_START, SYNC_RETRY, VOLUME_REFRESH_PERIOD};
use crate::spec;
use crate::volumes::{MountError, Source, Volumes};

/// What volumes show of the pod itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shown(Value, Value);

impl Shown {
    fn of(pod: &Object) -> Shown {
        Shown(pod.at("metadata.labels").clone(), pod.at("metadata.annotations").clone())
    }
}

/// Something did not work; when to try again.
pub(super) struct Again(pub(super) Time);

impl Worker {
    /// One pass. Gives the time at which the next is due, if any is.
    pub(super) async fn sync(self: &Rc<Self>) -> Option<Time> {
        if self.sandboxes.get() == 0
            && self.records.borrow().is_empty()
            && let Some((reason, message)) = self.refusal()
        {
            self.reject(&reason, &message).await;
            return None;
        }
        self.collect_messages().await;
        self.drop_old_probes();
        let retry = self.resize();
        self.publish().await;
        if let Some(at) = self.deadline()
            && self.shared.sim.now() >= at
        {
            let message = "Pod was active on the node longer than the specified deadline";
            self.pod_event("Normal", "DeadlineExceeded", message);
            self.fail_with("DeadlineExceeded", message);
            self.wake();
            return None;
        }
        let again = match self.bring_about().await {
            Ok(()) => self.after_success().await,
            Err(Again(at)) => Some(at),
        };
        self.collect_messages().await;
        self.publish().await;
        again.into_iter().chain(self.deadline()).chain(retry).min()
    }

    async fn bring_about(self: &Rc<Self>) -> Result<(), Again> {
        self.set_up_volumes().await?;
        let actions = {
            let pod = self.pod.borrow();
            actions::compute(&pod, &self.existing(), &self.shared.results)
        };
        if actions.kill_pod {
            // Everything has ended for good: the phase says how, and the next pass tidies up.
            self.terminal.set(true);
            (self.shared.retry_resizes)();
            self.wake();
            return Ok(());
        }
        let kills =
            actions.to_kill.iter().map(|kill| self.kill(&kill.id, &kill.name, &kill.message, kill.grace_seconds));
        join_all(kills).await;
        if actions.create_sandbox {
            self.make_sandbox().await?;
        }
        let resized = self.actuate().map_err(|()| Again(self.retry_time()));
        self.start_all(&actions).await.and(resized)
    }

    async fn start_all(self: &Rc<Self>, actions: &Actions) -> Result<(), Again> {
        let mut again: Option<Time> = None;
        let Actions { ephemeral_to_start, init_to_start, to_start, .. } = actions;
        for name in ephemeral_to_start.iter().chain(init_to_start).chain(to_start) {
            if self.ending.is_raised() {
                return Ok(());
            }
            let container = spec::find(&self.pod.borrow(), name).cloned();
            let Some(container) = container else { continue };
            let outcome = self.start(&container).await;
            match outcome {
                Ok(()) => {
                    self.reasons.borrow_mut().remove(name);
                }
                Err(failure) => {
                    let mut at = failure.again.unwrap_or_else(|| self.retry_time());
                    match self.crash_is_new(name, &failure.reason) {
                        Some(shown_until) => at = at.min(shown_until),
                        None => {
                            self.reasons.borrow_mut().insert(name.clone(), (failure.reason, failure.message));
                        }
                    }
                    again = Some(again.map_or(at, |t| t.min(at)));
                }
            }
        }
        again.map_or(Ok(()), |at| Err(Again(at)))
    }

    /// Until when the crash itself is to be seen, if this is the first that is known of it.
    fn crash_is_new(&self, name: &str, reason: &str) -> Option<Time> {
        if reason != "CrashLoopBackOff" {
            return None;
        }
        let ended = self.existing().newest(name)?.status.finished_at;
        let shown_until = ended + CRASH_SHOWN;
        (self.shared.sim.now() < shown_until).then_some(shown_until)
    }

    pub(super) fn retry_time(&self) -> Time {
        let sim = &self.shared.sim;
        sim.now() + sim.jitter(SYNC_RETRY, 0.5)
    }

    async fn make_sandbox(self: &Rc<Self>) -> Result<(), Again> {
        let pod = self.pod();
        let had_one = self.sandboxes.get() > 0
            || self.status.borrow()["containerStatuses"]
                .as_array()
                .is_some_and(|all| all.iter().any(|s| !s["lastState"]["terminated"].is_null()));
        if had_one {
            self.pod_event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
        }
        let config = SandboxConfig {
            name: pod.name().to_owned(),
            namespace: pod.namespace().to_owned(),
            uid: self.uid.clone(),
            hostname: spec::hostname(&pod),
            host_network: spec::host_network(&pod),
            attempt: self.sandboxes.get(),
            is_engines: false,
        };
        match self.shared.runtime.run_sandbox(config).await {
            Ok(sandbox) => {
                sandbox.net.set_resolv(self.resolv(&pod));
                self.map_host_ports(&pod, sandbox.ip);
                self.pod_ip.set(Some(sandbox.ip));
                self.sandboxes.set(self.sandboxes.get() + 1);
                self.sandbox.replace(Some(sandbox));
                (self.shared.relist)(&self.uid);
                Ok(())
            }
            Err(message) => {
                let message = format!("Failed to create pod sandbox: {message}");
                self.pod_event("Warning", "FailedCreatePodSandBox", &message);
                Err(Again(self.retry_time()))
            }
        }
    }

    fn map_host_ports(&self, pod: &Object, ip: Ipv4Addr) {
        if spec::host_network(pod) {
            return;
        }
        let fabric = self.shared.prober.net.fabric();
        let number = |value: &Value| value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
        let containers = spec::init_containers(pod).iter().chain(spec::containers(pod));
        for port in containers.flat_map(|c| spec::items(c, "ports")) {
            let (Some(host), Some(inside)) = (number(&port["hostPort"]), number(&port["containerPort"])) else {
                continue;
            };
            let protocol = if spec::text(port, "protocol") == "UDP" { Protocol::Udp } else { Protocol::Tcp };
            let node = spec::text(port, "hostIP").parse().ok().filter(|ip: &Ipv4Addr| !ip.is_unspecified());
            let node = SocketAddrV4::new(node.unwrap_or(self.shared.config.ip), host);
            // The scheduler keeps ports apart; whoever comes second past it does not get the port.
            fabric.map_host_port(protocol, node, SocketAddrV4::new(ip, inside));
        }
    }

    async fn set_up_volumes(&self) -> Result<(), Again> {
        let failed = self.bring_volumes(false).await;
        if failed.is_empty() {
            self.mount_pause.set(None);
            return Ok(());
        }
        self.report_mounts(&failed);
        let pause = self.mount_pause.get().map_or(MOUNT_RETRY_START, |p| (p * 2).min(MOUNT_RETRY_MAX));
        self.mount_pause.set(Some(pause));
        Err(Again(self.shared.sim.now() + pause))
    }

    fn report_mounts(&self, failed: &[MountError]) {
        for sentence in MountError::sentences(failed) {
            self.pod_event("Warning", "FailedMount", &sentence);
        }
    }

    /// Sets up what is missing, or refreshes what there is.
    async fn bring_volumes(&self, refresh: bool) -> Vec<MountError> {
        let pod = self.pod();
        let pod_ip = self.pod_ip.get().map(|ip| ip.to_string()).unwrap_or_default();
        let host_ip = self.shared.config.ip.to_string();
        let shared = &self.shared;
        let facts = Facts {
            pod: &pod,
            pod_ip: &pod_ip,
            host_ip: &host_ip,
            allocatable: shared.config.allocatable(),
            storage_bytes: shared.config.allocatable_storage_bytes(),
        };
        let source = Source {
            sim: &shared.sim,
            client: &shared.client,
            host: &shared.host,
            facts: &facts,
            tokens: self.volumes.tokens(),
        };
        if refresh { self.volumes.refresh(&source).await } else { self.volumes.set_up(&source).await }
    }

    /// Refreshes volumes when it is time; gives the time of the next refresh.
    async fn after_success(&self) -> Option<Time> {
        if self.is_ending() {
            return None;
        }
        let now = self.shared.sim.now();
        let shown = Shown::of(&self.pod.borrow());
        let before = self.refreshed.borrow().clone();
        let (last, is_news) = before.map_or((now, false), |(at, old)| (at, old != shown));
        let changing = Volumes::need_refresh(&self.pod.borrow());
        let due = self.refresh_due(changing, last)?;
        if now < due && !(is_news && changing) {
            if self.refreshed.borrow().is_none() {
                self.refreshed.replace(Some((now, shown)));
            }
            return Some(due);
        }
        let failed = self.bring_volumes(true).await;
        self.report_mounts(&failed);
        self.refreshed.replace(Some((now, shown)));
        // A token that could not be renewed is asked for again as often as all else is looked at.
        Some(self.refresh_due(changing, now)?.max(now + VOLUME_REFRESH_PERIOD))
    }

    /// When volumes are to be looked at: those that change every minute, those that hold a token when it is old.
    fn refresh_due(&self, changing: bool, last: Time) -> Option<Time> {
        if changing { Some(last + VOLUME_REFRESH_PERIOD) } else { self.volumes.token_due() }
    }

    fn drop_old_probes(&self) {
        let runtime = &self.shared.runtime;
        let runs = |id: &String| runtime.container_status(id).is_some_and(|s| s.state == State::Running);
        let old: Vec<_> = {
            let mut probing = self.probing.borrow_mut();
            let ids: Vec<String> = probing.keys().filter(|id| !runs(id)).cloned().collect();
            ids.iter().filter_map(|id| probing.remove(id)).collect()
        };
        drop(old); // after the borrow: ending a probe wakes whoever awaits it
    }

    fn deadline(&self) -> Option<Time> {
        let seconds = self.pod.borrow().int("spec.activeDeadlineSeconds").filter(|s| *s >= 0)?;
        let started = Time::parse_rfc3339(self.status.borrow()["startTime"].as_str()?)?;
        Some(started + simulation::Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    /// Makes the pod's next status a failure of its own.
    pub(super) fn fail_with(&self, reason: &str, message: &str) {
        let mut status = self.status();
        status["phase"] = "Failed".into();
        status["reason"] = reason.into();
        status["message"] = message.into();
        self.status.replace(status);
    }
}
