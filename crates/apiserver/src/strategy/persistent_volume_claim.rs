//! PersistentVolumeClaims (pkg/registry/core/persistentvolumeclaim).

use api::kinds::{PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES};
use json::{Value, json};

use super::{Strategy, child, default_to, plain};
use crate::registry::Context;
use crate::validation;
use crate::value::{at, list, map_mut, metadata_mut, text};

/// Marks the class of claims that name none.
const IS_DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// Keeps a claim while a pod uses it.
const PROTECTION: &str = "kubernetes.io/pvc-protection";

pub static STRATEGY: Strategy = Strategy {
    defaults,
    admit_create: |cx, object| {
        protect(object, PROTECTION);
        default_class(cx, object);
        Ok(())
    },
    prepare_create: |_, object| {
        object["status"] = json!({"phase": "Pending"});
        Ok(())
    },
    validate: validation::storage::claim,
    validate_update: validation::storage::claim_update,
    has_status: true,
    ..plain(&PERSISTENT_VOLUME_CLAIMS)
};

/// Defaults of a claim, also of one in a template.
pub fn defaults(object: &mut Value) {
    default_to(child(object, "spec"), "volumeMode", "Filesystem");
}

/// Adds a finalizer to a new object (plugin/pkg/admission/storage/storageobjectinuseprotection).
pub fn protect(object: &mut Value, finalizer: &str) {
    let finalizers = metadata_mut(object).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(finalizers) = finalizers.as_array_mut()
        && !finalizers.iter().any(|f| f == finalizer)
    {
        finalizers.push(finalizer.into());
    }
}

/// plugin/pkg/admission/storage/storageclass/setdefault: of several default classes the newest wins.
fn default_class(cx: &Context<'_>, object: &mut Value) {
    let annotations = at(object, "metadata.annotations");
    let is_named = annotations.get("volume.beta.kubernetes.io/storage-class").is_some();
    if is_named || !at(object, "spec.storageClassName").is_null() {
        return;
    }
    let mut classes = cx.all(&STORAGE_CLASSES, "");
    classes.retain(|class| class.annotation(IS_DEFAULT_CLASS) == Some("true"));
    classes.sort_by_key(|c| (std::cmp::Reverse(c.str("metadata.creationTimestamp").to_owned()), c.name().to_owned()));
    if let Some(class) = classes.first() {
        map_mut(child(object, "spec")).insert("storageClassName".into(), class.name().into());
    }
}

/// Access modes in their short form: `RWO,ROX`.
pub fn access_modes(modes: &Value) -> String {
    let short =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let has = |mode: &str| modes.as_array().into_iter().flatten().any(|m| m == mode);
    short.iter().filter(|(mode, _)| has(mode)).map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// Whether a change is one of the phase of binding: the volume's name was empty before.
pub fn is_binding(new: &Value, old: &Value) -> bool {
    text(old, "spec.volumeName").is_empty()
        && !text(new, "spec.volumeName").is_empty()
        && list(new, "spec.accessModes").len() == list(old, "spec.accessModes").len()
}
