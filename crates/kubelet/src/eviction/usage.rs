//! What one pod uses, as the kubelet's stats summary has it (`pkg/kubelet/stats`). Pure facts, no judgement.

use api::Object;
use json::Value;

use crate::spec;

/// What one container uses now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerUsage {
    pub(crate) name: String,
    /// Bytes of memory (the working set).
    pub(crate) memory_bytes: u64,
    /// Bytes of its writable layer.
    pub(crate) layer_bytes: u64,
    /// Bytes of its log.
    pub(crate) log_bytes: u64,
    /// Files and folders in its writable layer.
    pub(crate) inodes: u64,
    /// Processes.
    pub(crate) processes: u64,
}

/// What one volume that lives on the node's disk holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VolumeUsage {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) inodes: u64,
    /// Whether it counts as ephemeral storage (`IsLocalEphemeralVolume`).
    pub(crate) is_ephemeral: bool,
}

/// What one pod uses now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PodUsage {
    pub(crate) containers: Vec<ContainerUsage>,
    pub(crate) volumes: Vec<VolumeUsage>,
}

impl PodUsage {
    /// Bytes of memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.containers.iter().map(|c| c.memory_bytes).sum()
    }

    /// Bytes of layers, logs and ephemeral volumes (`calcEphemeralStorage`).
    pub(crate) fn disk_bytes(&self) -> u64 {
        let containers: u64 = self.containers.iter().map(|c| c.layer_bytes + c.log_bytes).sum();
        containers + self.ephemeral_volumes().map(|v| v.bytes).sum::<u64>()
    }

    /// Files and folders of layers and ephemeral volumes.
    pub(crate) fn inodes(&self) -> u64 {
        let containers: u64 = self.containers.iter().map(|c| c.inodes).sum();
        containers + self.ephemeral_volumes().map(|v| v.inodes).sum::<u64>()
    }

    fn ephemeral_volumes(&self) -> impl Iterator<Item = &VolumeUsage> {
        self.volumes.iter().filter(|v| v.is_ephemeral)
    }
}

/// Whether a volume takes the pod's ephemeral storage (`IsLocalEphemeralVolume`): not one that is in memory.
pub(crate) fn is_ephemeral(volume: &Value) -> bool {
    let is_on_disk = !volume["emptyDir"].is_null() && spec::text(&volume["emptyDir"], "medium").is_empty();
    is_on_disk || !volume["configMap"].is_null()
}

/// Whether a pod says how much storage it may take: only such pods are measured for it.
pub(crate) fn limits_storage(pod: &Object) -> bool {
    let has_size = |v: &Value| !v["emptyDir"]["sizeLimit"].is_null();
    let has_limit = |c: &Value| !spec::api_at(c, "resources.limits")[super::STORAGE].is_null();
    let mut containers = spec::init_containers(pod).iter().chain(spec::containers(pod));
    pod.list("spec.volumes").iter().any(has_size) || containers.any(has_limit)
}
