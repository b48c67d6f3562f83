//! Volumes, claims, classes and the kinds of drivers.

use api::{Object, kinds};
use json::Value;

use super::{AGE, Column, NAME, Printer, age, column, number, or, shown, wide};
use crate::strategy::persistent_volume_claim::access_modes;
use crate::value::list;

/// A yes or no.
const fn flag(name: &'static str) -> Column {
    column(name, "boolean", "", 0)
}

const UNSET: &str = "<unset>";

/// The class, in the annotation of old or in the spec.
fn class(object: &Object) -> &str {
    let old = object.at("metadata.annotations").get("volume.beta.kubernetes.io/storage-class").and_then(Value::as_str);
    old.unwrap_or_else(|| object.str("spec.storageClassName"))
}

fn phase(object: &Object) -> &str {
    if object.is_deleting() { "Terminating" } else { object.str("status.phase") }
}

/// A quantity as it is written.
fn amount(value: &Value) -> String {
    match value {
        Value::Null => "0".to_owned(),
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

pub static VOLUMES: Printer = Printer {
    kind: &kinds::PERSISTENT_VOLUMES,
    columns: &[
        NAME,
        shown("Capacity"),
        shown("Access Modes"),
        shown("Reclaim Policy"),
        shown("Status"),
        shown("Claim"),
        shown("StorageClass"),
        shown("VolumeAttributesClass"),
        shown("Reason"),
        AGE,
        wide("VolumeMode"),
    ],
    cells: |volume, now| {
        let claim = match volume.at("spec.claimRef") {
            Value::Null => String::new(),
            _ => format!("{}/{}", volume.str("spec.claimRef.namespace"), volume.str("spec.claimRef.name")),
        };
        vec![
            volume.name().into(),
            amount(volume.at("spec.capacity.storage")).into(),
            access_modes(volume.at("spec.accessModes")).into(),
            volume.str("spec.persistentVolumeReclaimPolicy").into(),
            phase(volume).into(),
            claim.into(),
            class(volume).into(),
            or(volume.str("spec.volumeAttributesClassName"), UNSET).into(),
            volume.str("status.reason").into(),
            age(volume, now),
            or(volume.str("spec.volumeMode"), UNSET).into(),
        ]
    },
};

pub static CLAIMS: Printer = Printer {
    kind: &kinds::PERSISTENT_VOLUME_CLAIMS,
    columns: &[
        NAME,
        shown("Status"),
        shown("Volume"),
        shown("Capacity"),
        shown("Access Modes"),
        shown("StorageClass"),
        shown("VolumeAttributesClass"),
        AGE,
        wide("VolumeMode"),
    ],
    cells: |claim, now| {
        let is_bound = !claim.str("spec.volumeName").is_empty();
        let bound = |text: String| if is_bound { text } else { String::new() };
        vec![
            claim.name().into(),
            phase(claim).into(),
            claim.str("spec.volumeName").into(),
            bound(amount(claim.at("status.capacity.storage"))).into(),
            bound(access_modes(claim.at("status.accessModes"))).into(),
            class(claim).into(),
            or(claim.str("spec.volumeAttributesClassName"), UNSET).into(),
            age(claim, now),
            or(claim.str("spec.volumeMode"), UNSET).into(),
        ]
    },
};

pub static CLASSES: Printer = Printer {
    kind: &kinds::STORAGE_CLASSES,
    columns: &[
        NAME,
        shown("Provisioner"),
        shown("ReclaimPolicy"),
        shown("VolumeBindingMode"),
        shown("AllowVolumeExpansion"),
        AGE,
    ],
    cells: |class, now| {
        let annotations = class.at("metadata.annotations");
        let is_default =
            ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
                .iter()
                .any(|key| annotations.get(*key).is_some_and(|v| v == "true"));
        vec![
            if is_default { format!("{} (default)", class.name()).into() } else { class.name().into() },
            class.str("provisioner").into(),
            or(class.str("reclaimPolicy"), "Delete").into(),
            or(class.str("volumeBindingMode"), "Immediate").into(),
            class.bool("allowVolumeExpansion").into(),
            age(class, now),
        ]
    },
};

pub static DRIVERS: Printer = Printer {
    kind: &kinds::CSI_DRIVERS,
    columns: &[
        NAME,
        flag("AttachRequired"),
        flag("PodInfoOnMount"),
        flag("StorageCapacity"),
        shown("TokenRequests"),
        flag("RequiresRepublish"),
        shown("Modes"),
        AGE,
    ],
    cells: |driver, now| {
        let texts = |path: &str, field: Option<&str>| -> String {
            let all = list(driver.value(), path).iter().map(|v| field.map_or(v, |f| &v[f]));
            all.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        };
        let tokens = driver.at("spec.tokenRequests");
        vec![
            driver.name().into(),
            driver.at("spec.attachRequired").as_bool().unwrap_or(true).into(),
            driver.bool("spec.podInfoOnMount").into(),
            driver.bool("spec.storageCapacity").into(),
            if tokens.is_null() { UNSET.into() } else { texts("spec.tokenRequests", Some("audience")).into() },
            driver.bool("spec.requiresRepublish").into(),
            or(&texts("spec.volumeLifecycleModes", None), "<none>").into(),
            age(driver, now),
        ]
    },
};

pub static NODES: Printer = Printer {
    kind: &kinds::CSI_NODES,
    columns: &[NAME, number("Drivers"), AGE],
    cells: |node, now| vec![node.name().into(), node.list("spec.drivers").len().into(), age(node, now)],
};

/// It has no printer upstream either.
pub static CAPACITIES: Printer = super::plain(&kinds::CSI_STORAGE_CAPACITIES);

pub static ATTRIBUTES: Printer = Printer {
    kind: &kinds::VOLUME_ATTRIBUTES_CLASSES,
    columns: &[NAME, shown("DriverName"), AGE],
    cells: |class, now| vec![class.name().into(), class.str("driverName").into(), age(class, now)],
};

pub static ATTACHMENTS: Printer = Printer {
    kind: &kinds::VOLUME_ATTACHMENTS,
    columns: &[NAME, Column { format: "name", ..shown("Attacher") }, shown("PV"), shown("Node"), flag("Attached"), AGE],
    cells: |object, now| {
        vec![
            object.name().into(),
            object.str("spec.attacher").into(),
            object.str("spec.source.persistentVolumeName").into(),
            object.str("spec.nodeName").into(),
            object.bool("status.attached").into(),
            age(object, now),
        ]
    },
};
