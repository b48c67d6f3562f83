//! Strings of a tree, and the names of fields.

use std::sync::LazyLock;

/// A string of a tree: up to fifteen bytes in place, longer ones shared.
pub type Text = ecow::EcoString;

/// How many bytes are kept in place.
const INLINE: usize = 15;

/// The long names that the objects of a cluster are full of: each is one string for all trees. Which names are in it does
/// not show; a name that is not has a string of its own wherever it is read.
const NAMES: [&str; 102] = [
    "activeDeadlineSeconds",
    "allocateLoadBalancerNodePorts",
    "allocatedResources",
    "allowPrivilegeEscalation",
    "app.kubernetes.io/name",
    "apps.kubernetes.io/pod-index",
    "automountServiceAccountToken",
    "availableReplicas",
    "averageUtilization",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "blockOwnerDeletion",
    "clusterRoleSelectors",
    "concurrencyPolicy",
    "containerRuntimeVersion",
    "containerStatuses",
    "controller-revision-hash",
    "creationTimestamp",
    "currentNumberScheduled",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "deprecatedSource",
    "desiredNumberScheduled",
    "distinguisherMethod",
    "enableServiceLinks",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "endpointslice.kubernetes.io/managed-by",
    "ephemeral-storage",
    "ephemeralContainerStatuses",
    "ephemeralContainers",
    "expirationSeconds",
    "externalTrafficPolicy",
    "failedJobsHistoryLimit",
    "failureThreshold",
    "fullyLabeledReplicas",
    "groupPriorityMinimum",
    "imagePullSecrets",
    "initContainerStatuses",
    "initialDelaySeconds",
    "internalTrafficPolicy",
    "kubeProxyVersion",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/metadata.name",
    "kubernetes.io/service-name",
    "lastHeartbeatTime",
    "lastScheduleTime",
    "lastSuccessfulTime",
    "lastTransitionTime",
    "leaseDurationSeconds",
    "matchExpressions",
    "matchingPrecedence",
    "node.alpha.kubernetes.io/ttl",
    "nodeSelectorTerms",
    "nominalConcurrencyShares",
    "nonResourceRules",
    "numberMisscheduled",
    "observedGeneration",
    "persistentVolumeClaim",
    "pod-template-hash",
    "podReplacementPolicy",
    "preemptionPolicy",
    "preferredDuringSchedulingIgnoredDuringExecution",
    "priorityClassName",
    "priorityLevelConfiguration",
    "progressDeadlineSeconds",
    "queueLengthLimit",
    "readOnlyRootFilesystem",
    "recursiveReadOnly",
    "reportingComponent",
    "reportingController",
    "reportingInstance",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "revisionHistoryLimit",
    "serviceAccountName",
    "serviceAccountToken",
    "sessionAffinityConfig",
    "statefulset.kubernetes.io/pod-name",
    "successThreshold",
    "successfulJobsHistoryLimit",
    "supplementalGroups",
    "terminatingReplicas",
    "terminationGracePeriodSeconds",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tolerationSeconds",
    "topologySpreadConstraints",
    "unavailableReplicas",
    "uncountedTerminatedPods",
    "updatedNumberScheduled",
    "volumeBindingMode",
    "volumeClaimTemplates",
    "volumes.kubernetes.io/controller-managed-attach-detach",
    "whenUnsatisfiable",
];

/// Slots for the names: a power of two, and enough of them that few names share one.
const SLOTS: usize = 512;

/// The names, each in the slot of its hash or the next free one.
static SHARED: LazyLock<Vec<Text>> = LazyLock::new(|| {
    let mut slots = vec![Text::new(); SLOTS];
    for name in NAMES {
        if let Some(free) = probe(name).find(|slot| slots[*slot].is_empty()) {
            slots[free] = name.into();
        }
    }
    slots
});

/// The text of a field's name, shared if it is a usual one.
pub fn name(text: &str) -> Text {
    usual(text).unwrap_or_else(|| text.into())
}

/// A name that is a text already.
pub(crate) fn shared(text: Text) -> Text {
    usual(&text).unwrap_or(text)
}

fn usual(text: &str) -> Option<Text> {
    if text.len() <= INLINE {
        return None;
    }
    let mut slots = probe(text).map(|slot| &SHARED[slot]).take_while(|name| !name.is_empty());
    slots.find(|name| *name == text).cloned()
}

/// The slots in which a name may be.
fn probe(text: &str) -> impl Iterator<Item = usize> {
    // FNV-1a, mixed once more because only the low bits are used.
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let first = (hash ^ (hash >> 15)) as usize;
    (0..SLOTS).map(move |step| (first + step) & (SLOTS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_shared() {
        for usual in NAMES {
            let (first, second) = (name(usual), shared(usual.into()));
            assert_eq!(first, usual);
            assert_eq!(first.as_ptr(), second.as_ptr());
            assert!(usual.len() > INLINE, "{usual} needs no place in the table");
        }
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn other_names_are_themselves() {
        assert!(name("spec").is_inline());
        for own in ["a-rather-long-name-of-ours", "creationTimestamps"] {
            assert_eq!(name(own), own);
            assert_ne!(name(own).as_ptr(), name(own).as_ptr());
        }
    }

    #[test]
    fn a_usual_name_is_found_in_a_few_steps() {
        let steps = |text: &str| probe(text).position(|slot| SHARED[slot] == *text).unwrap();
        let all: usize = NAMES.iter().map(|name| steps(name)).sum();
        assert!(all < NAMES.len(), "{all} steps for {} names", NAMES.len());
    }
}
