//! Ending a pod for the node's sake (`evictPod`): it fails, and whoever wants one like it makes another.

use json::Value;
use simulation::TraceKind;

use super::Worker;
use crate::cri::State;
use crate::eviction::{ContainerUsage, PodUsage, VolumeUsage, is_ephemeral};
use crate::spec;

/// Reason of an evicted pod, and of what is refused for the same cause.
pub(crate) const EVICTED: &str = "Evicted";
/// Between SIGTERM and SIGKILL of an evicted pod (`immediateEvictionGracePeriodSeconds`).
const GRACE_SECONDS: i64 = 1;

/// Why a pod was evicted.
pub(super) struct Eviction {
    message: String,
    /// `DisruptionTarget`, when the node came under pressure; none when the pod exceeded a limit of its own.
    condition: Option<Value>,
}

impl Worker {
    /// What the pod uses now; none while nothing of it was started. Of its containers those count that run
    /// (`removeTerminatedContainers`).
    pub(crate) fn usage(&self) -> Option<PodUsage> {
        self.sandbox.borrow().as_ref()?;
        let mut containers: Vec<ContainerUsage> = Vec::new();
        for record in self.records.borrow().iter().rev() {
            let status = self.shared.runtime.container_status(&record.id);
            if status.is_none_or(|status| status.state != State::Running) {
                continue;
            }
            let Some(stats) = self.shared.runtime.container_stats(&record.id) else { continue };
            containers.push(ContainerUsage {
                name: record.name.clone(),
                memory_bytes: stats.memory_bytes,
                layer_bytes: stats.file_bytes,
                log_bytes: stats.log_bytes,
                inodes: stats.inodes,
                processes: stats.processes,
            });
        }
        containers.reverse();
        let pod = self.pod.borrow();
        let volume = |volume: &Value| {
            // What is the node's own, such as a hostPath, has no measure of its own, as upstream.
            let has_tree = !volume["emptyDir"].is_null() || !volume["configMap"].is_null();
            let usage = self.volumes.usage(spec::name(volume)).filter(|_| has_tree)?;
            let (bytes, inodes) = (usage.bytes, usage.nodes as u64);
            Some(VolumeUsage { name: spec::name(volume).into(), bytes, inodes, is_ephemeral: is_ephemeral(volume) })
        };
        Some(PodUsage { containers, volumes: pod.list("spec.volumes").iter().filter_map(volume).collect() })
    }

    /// Bytes and files of the pod's volumes that are on the node's disk.
    pub(crate) fn volumes_usage(&self) -> (u64, u64) {
        let pod = self.pod.borrow();
        let usages = pod.list("spec.volumes").iter().filter(|v| is_ephemeral(v));
        let usages = usages.filter_map(|v| self.volumes.usage(spec::name(v)));
        usages.fold((0, 0), |(bytes, inodes), usage| (bytes + usage.bytes, inodes + usage.nodes as u64))
    }

    /// The images that the pod's volumes are made of, while it may still use them.
    pub(crate) fn mounted_images(&self) -> Vec<String> {
        if self.has_stopped() {
            return Vec::new();
        }
        let pod = self.pod.borrow();
        let references = pod.list("spec.volumes").iter().map(|volume| spec::text(&volume["image"], "reference"));
        references.filter(|reference| !reference.is_empty()).map(str::to_owned).collect()
    }

    /// Gives back the layers and logs of a pod that has stopped. Its status stays as it is.
    pub(crate) fn remove_containers(&self) {
        for (_, id) in self.all_containers() {
            self.shared.runtime.remove_container(&id);
        }
    }

    /// Whether the pod is one that an eviction could end: it takes resources and is not ending already.
    pub(crate) fn may_be_evicted(&self) -> bool {
        self.is_active() && !self.is_ending()
    }

    /// Whether the pod has stopped and given everything back.
    pub(crate) fn has_stopped(&self) -> bool {
        self.terminal.get() && !self.stopping.get() && self.sandbox.borrow().is_none()
    }

    /// Ends the pod, which fails with reason `Evicted` once its containers have stopped. `annotations` are those of the event.
    pub(crate) fn evict(&self, message: String, annotations: &[(&str, String)], condition: Option<Value>) {
        let pod = self.pod();
        self.shared.recorder.annotated_event(&pod, annotations, "Warning", EVICTED, &message);
        self.shared.sim.trace(TraceKind::Container {
            node: self.shared.config.name.clone(),
            namespace: pod.namespace().to_owned(),
            pod: pod.name().to_owned(),
            container: String::new(),
            what: "evicted".to_owned(),
        });
        self.evicted.replace(Some(Box::new(Eviction { message, condition })));
        self.ending.raise();
        self.wake();
    }

    /// The grace of an evicted pod's containers, in seconds.
    pub(super) fn eviction_grace(&self) -> Option<i64> {
        self.evicted.borrow().as_ref().map(|_| GRACE_SECONDS)
    }

    /// Everything has stopped: now the pod has failed.
    pub(super) fn note_eviction(&self) {
        let message = self.evicted.borrow().as_ref().map(|eviction| eviction.message.clone());
        if let Some(message) = message {
            self.fail_with(EVICTED, &message);
        }
    }

    /// The condition that an eviction adds once the pod has failed.
    pub(super) fn eviction_condition(&self) -> Option<Value> {
        let has_failed = self.status.borrow()["phase"] == "Failed";
        let evicted = self.evicted.borrow();
        evicted.as_ref().filter(|_| has_failed)?.condition.clone()
    }
}
