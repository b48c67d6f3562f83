//! One look at one volume (`syncVolume`).

use api::{Object, kinds};

use super::{PROVISIONED_BY, claim_key};
use crate::change::{Conflict, Note, Plan, Write};
use crate::view::View;

pub(super) fn sync(view: &View<'_>, plan: &mut Plan, volume: &Object) -> Result<(), Conflict> {
    let uid = volume.str("spec.claimRef.uid");
    let Some(key) = claim_key(volume).filter(|_| !uid.is_empty()) else {
        return set_phase(view, plan, volume, "Available").map(|_| ());
    };
    let claim = view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &key).filter(|claim| claim.uid() == uid);
    if claim.is_some() {
        return Ok(());
    }
    if volume.str("status.phase") == "Failed" {
        return Ok(());
    }
    let released = set_phase(view, plan, volume, "Released")?;
    if volume.str("spec.persistentVolumeReclaimPolicy") == "Recycle" {
        set_phase(view, plan, &released, "Failed")?;
        let text =
            simulation::stub!("persistentvolume-binder", "recycling of volumes (the policy Recycle is deprecated)");
        plan.event(volume, Note::warning("VolumeFailedRecycle", text));
        return Ok(());
    }
    // What a provisioner made, the provisioner deletes.
    if volume.str("spec.persistentVolumeReclaimPolicy") != "Delete"
        || volume.annotation(PROVISIONED_BY).is_some()
        || volume.is_deleting()
    {
        return Ok(());
    }
    let path = volume.str("spec.hostPath.path");
    if path.starts_with("/tmp/") {
        plan.write(Write::delete(&kinds::PERSISTENT_VOLUMES, volume));
        return Ok(());
    }
    let text = match path {
        "" => "error getting deleter volume plugin for volume: no deletable volume plugin matched".to_owned(),
        path => format!("host_path deleter only supports /tmp/.+ but received provided {path}"),
    };
    set_phase(view, plan, &released, "Failed")?;
    plan.event(volume, Note::warning("VolumeFailedDelete", text));
    Ok(())
}

fn set_phase(view: &View<'_>, plan: &mut Plan, volume: &Object, phase: &str) -> Result<Object, Conflict> {
    if volume.str("status.phase") == phase {
        return Ok(volume.clone());
    }
    let mut updated = volume.clone();
    updated.set("status.phase", phase);
    updated.set("status.lastPhaseTransitionTime", view.now_text());
    plan.update_status(&kinds::PERSISTENT_VOLUMES, &updated)
}
