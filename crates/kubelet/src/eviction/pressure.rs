//! What a node is short of, and since when (`pkg/kubelet/eviction/helpers.go`, `nodestatus/setters.go`).

use std::cell::Cell;

use api::Object;
use api::quantity::Quantity;
use api::taints::are_tolerated;
use json::json;
use simulation::Time;

use super::thresholds::Threshold;
use crate::cri::NodeUsage;
use crate::limits::{DISK_BYTES_PER_INODE, PRESSURE_TRANSITION_PERIOD};
use crate::pod::is_critical;
use crate::{NodeConfig, status};

/// A condition of a node that has too little of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Memory,
    Disk,
    Pid,
}

/// What a condition is called: its type, and reason, message and event without it and with it.
pub(crate) struct Words {
    pub(crate) kind: &'static str,
    /// Reason, message, event.
    pub(crate) sufficient: (&'static str, &'static str, &'static str),
    /// Reason, message, event.
    pub(crate) insufficient: (&'static str, &'static str, &'static str),
}

impl Condition {
    /// In the order of a node's status.
    pub(crate) const ALL: [Condition; 3] = [Condition::Memory, Condition::Disk, Condition::Pid];

    pub(crate) fn words(self) -> Words {
        match self {
            Condition::Memory => Words {
                kind: "MemoryPressure",
                sufficient: (
                    "KubeletHasSufficientMemory",
                    "kubelet has sufficient memory available",
                    "NodeHasSufficientMemory",
                ),
                insufficient: (
                    "KubeletHasInsufficientMemory",
                    "kubelet has insufficient memory available",
                    "NodeHasInsufficientMemory",
                ),
            },
            Condition::Disk => Words {
                kind: "DiskPressure",
                sufficient: ("KubeletHasNoDiskPressure", "kubelet has no disk pressure", "NodeHasNoDiskPressure"),
                insufficient: ("KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure"),
            },
            Condition::Pid => Words {
                kind: "PIDPressure",
                sufficient: ("KubeletHasSufficientPID", "kubelet has sufficient PID available", "NodeHasSufficientPID"),
                insufficient: (
                    "KubeletHasInsufficientPID",
                    "kubelet has insufficient PID available",
                    "NodeHasInsufficientPID",
                ),
            },
        }
    }
}

/// What an eviction gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Memory,
    Storage,
    Inodes,
    Pids,
}

impl Resource {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::Storage => super::STORAGE,
            Resource::Inodes => "inodes",
            Resource::Pids => "pids",
        }
    }

    pub(crate) fn condition(self) -> Condition {
        match self {
            Resource::Memory => Condition::Memory,
            Resource::Storage | Resource::Inodes => Condition::Disk,
            Resource::Pids => Condition::Pid,
        }
    }
}

/// A threshold that is met: less than `threshold` is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) resource: Resource,
    pub(crate) threshold: Quantity,
    pub(crate) available: Quantity,
}

/// The thresholds that are met, memory's first, as upstream sorts them.
pub(crate) fn met(config: &NodeConfig, usage: NodeUsage) -> Vec<Met> {
    let hard = &config.eviction_hard;
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (memory, disk, pids) = (config.memory_bytes, config.ephemeral_storage_bytes, config.pids_max);
    let inodes = disk / DISK_BYTES_PER_INODE;
    let all = [
        (Resource::Memory, hard.memory, memory, signed(usage.memory_bytes)),
        (Resource::Storage, hard.nodefs, disk, signed(usage.disk_bytes)),
        (Resource::Storage, hard.imagefs, disk, signed(usage.disk_bytes)),
        (Resource::Inodes, hard.nodefs_inodes, inodes, signed(usage.inodes)),
        (Resource::Inodes, hard.imagefs_inodes, inodes, signed(usage.inodes)),
        (Resource::Pids, hard.pids, pids, signed(usage.processes)),
    ];
    let is_met = |(resource, threshold, capacity, used): (Resource, Option<Threshold>, i64, i64)| {
        let (threshold, available) = (threshold?.of(capacity), capacity - used);
        let is_in_bytes = matches!(resource, Resource::Memory | Resource::Storage);
        let available_shown = if is_in_bytes { Quantity::from_bytes(available) } else { count(available) };
        (threshold.value() > available).then_some(Met { resource, threshold, available: available_shown })
    };
    all.into_iter().filter_map(is_met).collect()
}

fn count(n: i64) -> Quantity {
    Quantity::from_milli(n.saturating_mul(1000))
}

/// One condition over time.
#[derive(Default)]
struct Course {
    last_seen: Cell<Option<Time>>,
    /// Whether it is told, and since when.
    told: Cell<(bool, Time)>,
}

/// What a node is short of, as it tells.
pub(crate) struct Pressure([Course; 3]);

impl Pressure {
    /// Of a node that is short of nothing.
    pub(crate) fn new(now: Time) -> Pressure {
        let course = || Course { last_seen: Cell::new(None), told: Cell::new((false, now)) };
        Pressure([course(), course(), course()])
    }

    fn course(&self, condition: Condition) -> &Course {
        &self.0[condition as usize]
    }

    /// Whether the node has the condition, and since when it has it or has it not.
    pub(crate) fn state(&self, condition: Condition) -> (bool, Time) {
        self.course(condition).told.get()
    }

    /// Takes in what is seen now. A condition stays for the transition period after it was seen last. Gives those that changed.
    pub(crate) fn observe(&self, met: &[Met], now: Time) -> Vec<Condition> {
        let change = |condition: &Condition| {
            let course = self.course(*condition);
            if met.iter().any(|met| met.resource.condition() == *condition) {
                course.last_seen.set(Some(now));
            }
            let holds =
                course.last_seen.get().is_some_and(|seen| now.saturating_since(seen) < PRESSURE_TRANSITION_PERIOD);
            let (told, _) = course.told.get();
            if holds != told {
                course.told.set((holds, now));
            }
            holds != told
        };
        Condition::ALL.into_iter().filter(change).collect()
    }

    /// Why a pod that comes is refused, if it is (`Admit`).
    pub(crate) fn refusal(&self, pod: &Object) -> Option<String> {
        let has = |condition: &Condition| self.state(*condition).0;
        let conditions: Vec<Condition> = Condition::ALL.into_iter().filter(has).collect();
        if conditions.is_empty() || is_critical(pod) {
            return None;
        }
        if conditions == [Condition::Memory] {
            let taint = json!({"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"});
            if status::qos_class(pod) != "BestEffort" || are_tolerated(pod.list("spec.tolerations"), &taint) {
                return None;
            }
        }
        let kinds: Vec<_> = conditions.iter().map(|condition| condition.words().kind).collect();
        Some(format!("The node had condition: [{}]. ", kinds.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use simulation::Duration;

    use super::super::thresholds::EvictionHard;
    use super::*;

    fn config() -> NodeConfig {
        let pids = Some(Threshold::Amount(10, api::quantity::Format::Decimal));
        let eviction_hard = EvictionHard { pids, ..EvictionHard::UPSTREAM };
        let shape = NodeConfig::minikube("n", Ipv4Addr::LOCALHOST, "10.244.0.0/24");
        NodeConfig { memory_bytes: 1 << 30, ephemeral_storage_bytes: 10 << 30, pids_max: 100, eviction_hard, ..shape }
    }

    fn shown(usage: NodeUsage) -> Vec<String> {
        let line = |met: &Met| format!("{} {} {}", met.resource.name(), met.threshold, met.available);
        met(&config(), usage).iter().map(line).collect()
    }

    #[test]
    fn thresholds_are_met_when_less_is_left() {
        assert_eq!(shown(NodeUsage::default()), Vec::<String>::new());
        let usage = NodeUsage { memory_bytes: 924 << 20, ..NodeUsage::default() };
        assert_eq!(shown(usage), Vec::<String>::new(), "exactly 100Mi are left");
        let usage = NodeUsage { memory_bytes: (924 << 20) + 1024, processes: 91, ..NodeUsage::default() };
        assert_eq!(shown(usage), ["memory 100Mi 102399Ki", "pids 10 9"]);
        let usage = NodeUsage { disk_bytes: 9000 << 20, ..NodeUsage::default() };
        assert_eq!(shown(usage), ["ephemeral-storage 1610612800 1240Mi"], "the images' threshold comes first");
        let usage = NodeUsage { disk_bytes: 9729 << 20, inodes: 650_000, ..NodeUsage::default() };
        let lines = ["ephemeral-storage 1073741840 511Mi", "ephemeral-storage 1610612800 511Mi"];
        let inodes = ["inodes 32Ki 5360", "inodes 32Ki 5360"];
        assert_eq!(shown(usage), [&lines[..], &inodes[..]].concat());
    }

    #[test]
    fn a_condition_stays_for_five_minutes() {
        let start = Time::from_unix_seconds(1_000);
        let pressure = Pressure::new(start);
        let scarce = met(&config(), NodeUsage { memory_bytes: 1 << 30, ..NodeUsage::default() });
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pressure.observe(&[], at(10)), []);
        assert_eq!(pressure.observe(&scarce, at(20)), [Condition::Memory]);
        assert_eq!(pressure.observe(&scarce, at(30)), []);
        assert_eq!(pressure.observe(&[], at(320)), [], "seen 290 seconds ago");
        assert_eq!(pressure.state(Condition::Memory), (true, at(20)));
        assert_eq!(pressure.observe(&[], at(330)), [Condition::Memory]);
        assert_eq!(pressure.state(Condition::Memory), (false, at(330)));
    }

    #[test]
    fn who_is_refused_depends_on_what_is_scarce() {
        let pressure = Pressure::new(Time::from_unix_seconds(0));
        let pod = |class: &str, priority: i64| {
            Object::new(json!({"spec": {"priority": priority}, "status": {"qosClass": class}}))
        };
        let mut tolerant = pod("BestEffort", 0);
        tolerant.set("spec.tolerations", json!([{"operator": "Exists", "key": "node.kubernetes.io/memory-pressure"}]));
        assert_eq!(pressure.refusal(&pod("BestEffort", 0)), None);
        let now = Time::from_unix_seconds(10);
        pressure.observe(&met(&config(), NodeUsage { memory_bytes: 1 << 30, ..NodeUsage::default() }), now);
        let words = "The node had condition: [MemoryPressure]. ";
        assert_eq!(pressure.refusal(&pod("BestEffort", 0)).as_deref(), Some(words));
        assert_eq!(pressure.refusal(&pod("Burstable", 0)), None);
        assert_eq!(pressure.refusal(&tolerant), None);
        assert_eq!(pressure.refusal(&pod("BestEffort", 2_000_000_000)), None);
        pressure.observe(&met(&config(), NodeUsage { disk_bytes: 10 << 30, ..NodeUsage::default() }), now);
        let words = "The node had condition: [MemoryPressure DiskPressure]. ";
        assert_eq!(pressure.refusal(&pod("Burstable", 0)).as_deref(), Some(words));
        assert_eq!(pressure.refusal(&pod("Burstable", 2_000_000_000)), None);
    }
}
