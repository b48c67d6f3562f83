//! A claim grows only if its class lets it (plugin/pkg/admission/storage/persistentvolume/resize).

use api::kinds::{PERSISTENT_VOLUME_CLAIMS, STORAGE_CLASSES};
use api::quantity::Quantity;
use api::status::Status;
use json::Value;

use crate::failure;
use crate::registry::Context;
use crate::value::{at, text};

/// Refuses a claim that asks for more than before and may not.
pub fn admit(cx: &Context<'_>, new: &Value, old: &Value) -> Result<(), Status> {
    let size = |claim: &Value| Quantity::from_value(at(claim, "spec.resources.requests.storage")).ok();
    if size(new) <= size(old) {
        return Ok(());
    }
    let refused = |why: &str| Err(failure::forbidden(&PERSISTENT_VOLUME_CLAIMS, text(new, "metadata.name"), why));
    if text(old, "status.phase") != "Bound" {
        return refused("Only bound persistent volume claims can be expanded");
    }
    let class = text(new, "spec.storageClassName");
    let found = cx.find(&STORAGE_CLASSES, "", class).filter(|_| class == text(old, "spec.storageClassName"));
    if found.is_some_and(|class| class.value.at("allowVolumeExpansion").as_bool() == Some(true)) {
        return Ok(());
    }
    refused(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    )
}
