//! Volumes, claims and storage classes (pkg/apis/core/validation, pkg/apis/storage/validation).

use api::Quantity;
use api::status::{FieldError, FieldErrors};
use json::Value;

use super::apps::label_selector;
use super::one_of;
use crate::strategy::persistent_volume_claim::is_binding;
use crate::value::{at, fields, list, text};

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// A PersistentVolumeClaim.
pub fn claim(object: &Value, errors: &mut FieldErrors) {
    claim_spec(at(object, "spec"), "spec", errors);
}

/// The spec of a claim, also of one in a template.
pub fn claim_spec(spec: &Value, path: &str, errors: &mut FieldErrors) {
    access_modes(spec, path, errors);
    if at(spec, "selector").is_object() {
        label_selector(at(spec, "selector"), &format!("{path}.selector"), errors);
    }
    let size = format!("{path}.resources");
    match at(spec, "resources.requests").get("storage") {
        None => errors.push(FieldError::required(format!("{size}[storage]"), "")),
        Some(value) => positive(value, &format!("{size}[storage]"), errors),
    }
    class_name(text(spec, "storageClassName"), &format!("{path}.storageClassName"), errors);
    volume_mode(spec, path, errors);
}

fn access_modes(spec: &Value, path: &str, errors: &mut FieldErrors) {
    let modes = list(spec, "accessModes");
    let path = format!("{path}.accessModes");
    if modes.is_empty() {
        return errors.push(FieldError::required(path, "at least 1 access mode is required"));
    }
    for mode in modes {
        one_of(mode.as_str().unwrap_or(""), &path, MODES, errors);
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        let detail = "may not use ReadWriteOncePod with other access modes";
        errors.push(FieldError::forbidden(path, detail));
    }
}

fn positive(value: &Value, path: &str, errors: &mut FieldErrors) {
    if Quantity::from_value(value).is_ok_and(|q| q.milli_value() <= 0) {
        errors.push(FieldError::invalid(path, value.clone(), "must be greater than zero"));
    }
}

fn class_name(name: &str, path: &str, errors: &mut FieldErrors) {
    if !name.is_empty() {
        errors.invalid_all(path, name, api::names::dns1123_subdomain(name));
    }
}

fn volume_mode(spec: &Value, path: &str, errors: &mut FieldErrors) {
    if let Some(mode) = at(spec, "volumeMode").as_str() {
        one_of(mode, &format!("{path}.volumeMode"), &["Block", "Filesystem"], errors);
    }
}

/// What may not change in a claim: all but its size and, once, the volume it is bound to.
pub fn claim_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let mut changed = at(new, "spec").clone();
    let old_spec = at(old, "spec");
    if is_binding(new, old) {
        crate::strategy::keep(&mut changed, old_spec, "volumeName");
    }
    let sizes = |spec: &Value| {
        let size = at(spec, "resources.requests").get("storage").cloned();
        size.and_then(|s| Quantity::from_value(&s).ok())
    };
    let is_bound = text(old, "status.phase") == "Bound";
    if is_bound {
        crate::strategy::keep(&mut changed, old_spec, "resources");
        if let (Some(new_size), Some(old_size)) = (sizes(at(new, "spec")), sizes(old_spec))
            && new_size < old_size
        {
            let detail = "field can not be less than status.capacity";
            errors.push(FieldError::forbidden("spec.resources.requests.storage", detail));
        }
    }
    if changed != *old_spec {
        let detail =
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
        errors.push(FieldError::forbidden("spec", detail));
    }
}

/// Kinds of volumes: exactly one is given.
const SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// A PersistentVolume.
pub fn volume(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    access_modes(spec, "spec", errors);
    match fields(at(spec, "capacity")).next() {
        None => errors.push(FieldError::required("spec.capacity", "")),
        Some(_) => match at(spec, "capacity").get("storage") {
            None => {
                errors.push(FieldError::not_supported("spec.capacity", at(spec, "capacity").clone(), &["storage"]));
            }
            Some(value) => positive(value, "spec.capacity[storage]", errors),
        },
    }
    let policy = text(spec, "persistentVolumeReclaimPolicy");
    one_of(policy, "spec.persistentVolumeReclaimPolicy", &["Delete", "Recycle", "Retain"], errors);
    let sources = SOURCES.iter().filter(|source| spec.get(**source).is_some_and(Value::is_object));
    for (i, source) in sources.clone().enumerate() {
        if i > 0 {
            errors.push(FieldError::forbidden(format!("spec.{source}"), "may not specify more than 1 volume type"));
        }
    }
    if sources.count() == 0 {
        errors.push(FieldError::required("spec", "must specify a volume type"));
    }
    if at(spec, "hostPath").is_object() {
        let path = text(spec, "hostPath.path");
        if path.is_empty() {
            errors.push(FieldError::required("spec.hostPath.path", ""));
        }
        if path.split('/').any(|part| part == "..") {
            errors.push(FieldError::invalid("spec.hostPath.path", path, "must not contain '..'"));
        }
        if path == "/" && policy == "Recycle" {
            let detail = "may not be 'recycle' for a hostPath mount of '/'";
            errors.push(FieldError::forbidden("spec.persistentVolumeReclaimPolicy", detail));
        }
    }
    if at(spec, "local").is_object() && !at(spec, "nodeAffinity.required").is_object() {
        errors.push(FieldError::required("spec.nodeAffinity", "Local volume requires node affinity"));
    }
    class_name(text(spec, "storageClassName"), "spec.storageClassName", errors);
    volume_mode(spec, "spec", errors);
}

/// Where the data of a volume is may not change.
pub fn volume_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let source = |object: &Value| SOURCES.iter().find_map(|s| at(object, "spec").get(*s)).cloned();
    if source(new) != source(old) {
        let detail = "spec.persistentvolumesource is immutable after creation";
        errors.push(FieldError::forbidden("spec.persistentvolumesource", detail));
    }
    if at(new, "spec.volumeMode") != at(old, "spec.volumeMode") {
        errors.push(FieldError::invalid("spec.volumeMode", at(new, "spec.volumeMode").clone(), super::IMMUTABLE));
    }
}

/// A StorageClass.
pub fn storage_class(object: &Value, errors: &mut FieldErrors) {
    let provisioner = text(object, "provisioner");
    if provisioner.is_empty() {
        errors.push(FieldError::required("provisioner", ""));
    } else {
        let name = provisioner.to_lowercase();
        errors.invalid_all("provisioner", provisioner, api::names::qualified_name(&name));
    }
    one_of(text(object, "reclaimPolicy"), "reclaimPolicy", &["Delete", "Retain"], errors);
    let mode = text(object, "volumeBindingMode");
    one_of(mode, "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"], errors);
}

/// Only mount options, expansion and topology of a class may change.
pub fn storage_class_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    for field in ["parameters", "provisioner"] {
        if at(new, field) != at(old, field) {
            errors.push(FieldError::forbidden(field, format!("updates to {field} are forbidden.")));
        }
    }
    for field in ["reclaimPolicy", "volumeBindingMode"] {
        if at(new, field) != at(old, field) {
            errors.push(FieldError::invalid(field, at(new, field).clone(), super::IMMUTABLE));
        }
    }
}

/// The name of a driver: a domain name, whose case does not matter.
fn driver_name(name: &str, path: &str, errors: &mut FieldErrors) {
    if name.is_empty() {
        return errors.push(FieldError::required(path, ""));
    }
    if name.len() > DRIVER_NAME_BYTES_MAX {
        errors.push(FieldError::too_long(path, DRIVER_NAME_BYTES_MAX));
    }
    errors.invalid_all(path, name, api::names::dns1123_subdomain(&name.to_lowercase()));
}

/// Bytes of the name of a driver.
const DRIVER_NAME_BYTES_MAX: usize = 63;

/// Fields that stay what they were.
fn fixed(new: &Value, old: &Value, paths: &[&str], errors: &mut FieldErrors) {
    for path in paths.iter().filter(|path| at(new, path) != at(old, path)) {
        errors.push(FieldError::invalid(*path, at(new, path).clone(), super::IMMUTABLE));
    }
}

/// A CSIDriver.
pub fn driver(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let known = ["File", "None", "ReadWriteOnceWithFSType"];
    one_of(text(spec, "fsGroupPolicy"), "spec.fsGroupPolicy", &known, errors);
    for mode in list(spec, "volumeLifecycleModes").iter().filter_map(Value::as_str) {
        one_of(mode, "spec.volumeLifecycleModes", &["Persistent", "Ephemeral"], errors);
    }
}

/// How volumes of a driver come to pods never changes.
pub fn driver_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    fixed(new, old, &["spec.attachRequired", "spec.volumeLifecycleModes"], errors);
}

/// A CSINode.
pub fn node(object: &Value, errors: &mut FieldErrors) {
    let drivers = list(object, "spec.drivers");
    for (i, driver) in drivers.iter().enumerate() {
        let (path, name) = (format!("spec.drivers[{i}]"), text(driver, "name"));
        driver_name(name, &format!("{path}.name"), errors);
        if text(driver, "nodeID").is_empty() {
            errors.push(FieldError::required(format!("{path}.nodeID"), ""));
        }
        if drivers[..i].iter().any(|before| text(before, "name") == name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), name));
        }
    }
}

/// A CSIStorageCapacity.
pub fn capacity(object: &Value, errors: &mut FieldErrors) {
    if at(object, "nodeTopology").is_object() {
        label_selector(at(object, "nodeTopology"), "nodeTopology", errors);
    }
    let class = text(object, "storageClassName");
    errors.invalid_all("storageClassName", class, api::names::dns1123_subdomain(class));
    let amount = at(object, "capacity");
    if Quantity::from_value(amount).is_ok_and(|q| q < Quantity::ZERO) {
        errors.push(FieldError::invalid("capacity", amount.clone(), "must be greater than or equal to 0"));
    }
}

/// What a capacity is about never changes.
pub fn capacity_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    fixed(new, old, &["nodeTopology", "storageClassName"], errors);
}

/// A VolumeAttachment.
pub fn attachment(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    driver_name(text(spec, "attacher"), "spec.attacher", errors);
    let (inline, name) = (at(spec, "source.inlineVolumeSpec"), at(spec, "source.persistentVolumeName"));
    let why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (inline.is_null(), name.as_str()) {
        (true, None) => errors.push(FieldError::required("spec.source", why)),
        (false, Some(_)) => errors.push(FieldError::forbidden("spec.source", why)),
        (true, Some(name)) => {
            errors.invalid_all("spec.source.persistentVolumeName", name, api::names::dns1123_subdomain(name));
        }
        (false, None) => {}
    }
    let node = text(spec, "nodeName");
    errors.invalid_all("spec.nodeName", node, api::names::dns1123_subdomain(node));
}

/// What is attached never changes.
pub fn attachment_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    fixed(new, old, &["spec"], errors);
}

/// A VolumeAttributesClass.
pub fn attributes_class(object: &Value, errors: &mut FieldErrors) {
    match text(object, "driverName") {
        "" => errors.push(FieldError::required("driverName", "")),
        name => errors.invalid_all("driverName", name, api::names::qualified_name(&name.to_lowercase())),
    }
    if fields(at(object, "parameters")).next().is_none() {
        errors.push(FieldError::required("parameters", "must contain at least one key/value pair"));
    }
}

/// A class means the same for ever.
pub fn attributes_class_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    for field in ["driverName", "parameters"].into_iter().filter(|field| at(new, field) != at(old, field)) {
        errors.push(FieldError::forbidden(field, format!("updates to {field} are forbidden.")));
    }
}
