//! StatefulSets (pkg/registry/apps/statefulset).

use api::kinds::STATEFUL_SETS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, persistent_volume_claim, plain, pod_spec};
use crate::validation;
use crate::value::{list_mut, text};

pub static STRATEGY: Strategy = Strategy {
    name_rule: api::names::dns1123_label,
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"replicas": 0, "availableReplicas": 0});
        Ok(())
    },
    validate: validation::apps::stateful_set,
    validate_update: validation::apps::stateful_set_update,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&STATEFUL_SETS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "podManagementPolicy", "OrderedReady");
    let strategy = child(spec, "updateStrategy");
    if text(strategy, "type").is_empty() {
        default_to(strategy, "type", "RollingUpdate");
        child(strategy, "rollingUpdate");
    }
    if strategy["type"] == "RollingUpdate" && strategy["rollingUpdate"].is_object() {
        default_to(&mut strategy["rollingUpdate"], "partition", 0);
    }
    let retention = child(spec, "persistentVolumeClaimRetentionPolicy");
    default_to(retention, "whenDeleted", "Retain");
    default_to(retention, "whenScaled", "Retain");
    default_to(spec, "replicas", 1);
    default_to(spec, "revisionHistoryLimit", 10);
    pod_spec::template_defaults(child(spec, "template"));
    for claim in list_mut(spec, "volumeClaimTemplates") {
        default_to(claim, "apiVersion", "v1");
        default_to(claim, "kind", "PersistentVolumeClaim");
        persistent_volume_claim::defaults(claim);
        default_to(child(claim, "status"), "phase", "Pending");
    }
}
