//! PersistentVolumes and storage classes, and the kinds of storage drivers, which nothing here acts upon
//! (pkg/registry/core/persistentvolume, pkg/registry/storage).

use api::kinds::{
    CSI_DRIVERS, CSI_NODES, CSI_STORAGE_CAPACITIES, PERSISTENT_VOLUMES, STORAGE_CLASSES, VOLUME_ATTACHMENTS,
    VOLUME_ATTRIBUTES_CLASSES,
};
use json::{Value, json};

use super::{Strategy, child, default_to, differs, persistent_volume_claim, plain};
use crate::validation;

pub static VOLUMES: Strategy = Strategy {
    defaults: |object| {
        let spec = child(object, "spec");
        default_to(spec, "persistentVolumeReclaimPolicy", "Retain");
        default_to(spec, "volumeMode", "Filesystem");
        if let Some(path) = spec.get_mut("hostPath").filter(|p| p.is_object()) {
            default_to(path, "type", "");
        }
    },
    admit_create: |_, object| {
        persistent_volume_claim::protect(object, "kubernetes.io/pv-protection");
        Ok(())
    },
    prepare_create: |cx, object| {
        object["status"] = json!({"phase": "Pending", "lastPhaseTransitionTime": cx.now()});
        Ok(())
    },
    prepare_status: |new, old| {
        if new["status"]["phase"] != old["status"]["phase"] && new["status"]["lastPhaseTransitionTime"].is_null() {
            new["status"]["lastPhaseTransitionTime"] = old["status"]["lastPhaseTransitionTime"].clone();
        }
    },
    validate: validation::storage::volume,
    validate_update: validation::storage::volume_update,
    has_status: true,
    ..plain(&PERSISTENT_VOLUMES)
};

pub static CLASSES: Strategy = Strategy {
    defaults: |object: &mut Value| {
        default_to(object, "reclaimPolicy", "Delete");
        default_to(object, "volumeBindingMode", "Immediate");
    },
    validate: validation::storage::storage_class,
    validate_update: validation::storage::storage_class_update,
    ..plain(&STORAGE_CLASSES)
};

pub static DRIVERS: Strategy = Strategy {
    defaults: |object| {
        let spec = child(object, "spec");
        default_to(spec, "attachRequired", true);
        default_to(spec, "podInfoOnMount", false);
        default_to(spec, "storageCapacity", false);
        default_to(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
        default_to(spec, "requiresRepublish", false);
        default_to(spec, "seLinuxMount", false);
        if spec["volumeLifecycleModes"].is_null() {
            spec["volumeLifecycleModes"] = json!(["Persistent"]);
        }
    },
    validate: validation::storage::driver,
    validate_update: validation::storage::driver_update,
    generation: Some(|new, old| differs(new, old, "spec")),
    unconditional_update: false,
    ..plain(&CSI_DRIVERS)
};

pub static NODES: Strategy =
    Strategy { validate: validation::storage::node, unconditional_update: false, ..plain(&CSI_NODES) };

pub static CAPACITIES: Strategy = Strategy {
    validate: validation::storage::capacity,
    validate_update: validation::storage::capacity_update,
    unconditional_update: false,
    ..plain(&CSI_STORAGE_CAPACITIES)
};

pub static ATTACHMENTS: Strategy = Strategy {
    validate: validation::storage::attachment,
    validate_update: validation::storage::attachment_update,
    has_status: true,
    unconditional_update: false,
    ..plain(&VOLUME_ATTACHMENTS)
};

pub static ATTRIBUTES: Strategy = Strategy {
    validate: validation::storage::attributes_class,
    validate_update: validation::storage::attributes_class_update,
    ..plain(&VOLUME_ATTRIBUTES_CLASSES)
};
