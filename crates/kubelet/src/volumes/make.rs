//! Setting up one volume, by what it is made of.

use api::quantity::Quantity;
use api::{Object, kinds};
use json::Value;
use vfs::Vfs;

use super::{MountError, Source, Volume, content, files, ownership};
use crate::spec;

/// `tmpfs` begins with the sticky bit.
const MODE_IN_MEMORY: u16 = 0o1777;
const MODE_ON_DISK: u16 = 0o777;

/// Makes the volume of an entry of `spec.volumes`.
pub(super) async fn volume(source: &Source<'_>, spec: &Value) -> Result<Volume, MountError> {
    let name = spec::name(spec);
    if let Some(claim) = spec["persistentVolumeClaim"]["claimName"].as_str() {
        let read_only = spec["persistentVolumeClaim"]["readOnly"].as_bool() == Some(true);
        return claimed(source, name, claim, read_only, false).await;
    }
    if !spec["ephemeral"].is_null() {
        let claim = format!("{}-{name}", source.facts.pod.name());
        return claimed(source, name, &claim, false, true).await;
    }
    let made = own(source, spec).await;
    made.map_err(|message| MountError::NotMounted { volume: name.to_owned(), message })
}

/// What needs no claim.
async fn own(source: &Source<'_>, spec: &Value) -> Result<Volume, String> {
    if !spec["emptyDir"].is_null() {
        return empty(source, &spec["emptyDir"]);
    }
    if !spec["hostPath"].is_null() {
        let root = files::host_path(source.host, &spec["hostPath"])?;
        return Ok(Volume { tree: source.host.clone(), root, read_only: false });
    }
    if content::is_of_api(spec) {
        let tree = Vfs::new(source.sim.clone());
        tree.set_limit(crate::limits::API_VOLUME_BYTES_MAX);
        // A configMap lies on the disk, all else in memory.
        let on_disk = !spec["configMap"].is_null();
        begin(&tree, !on_disk)?;
        fill(source, &tree, spec).await?;
        return Ok(Volume { tree, root: "/".into(), read_only: true });
    }
    let kind = spec.as_object().and_then(|m| m.keys().find(|k| *k != "name").cloned()).unwrap_or_default();
    Err(format!("{}: {kind}", simulation::stub!("kubelet", "volumes of this type")))
}

fn begin(tree: &Vfs, in_memory: bool) -> Result<(), String> {
    if in_memory {
        tree.keep_in_memory();
    }
    let mode = if in_memory { MODE_IN_MEMORY } else { MODE_ON_DISK };
    tree.chmod("/", mode).map_err(|e| e.message().to_lowercase())
}

/// Writes what the volume of a spec shows of API objects, if that has changed.
pub(super) async fn fill(source: &Source<'_>, tree: &Vfs, spec: &Value) -> Result<(), String> {
    let files = content::of_volume(source, spec).await?;
    if files::publish(source.sim, tree, &files)? {
        ownership::set_group(tree, "/", true, source.facts.pod)?;
    }
    Ok(())
}

fn bytes(value: &Value) -> Option<u64> {
    let value = Quantity::from_value(value).ok().filter(|_| !value.is_null())?.value();
    u64::try_from(value).ok().filter(|bytes| *bytes > 0)
}

/// An `emptyDir`.
///
/// Difference: none holds more than `vfs::limits::TREE_BYTES_MAX`, because all of it lies in the memory of a browser's tab. Where more
/// is allowed, writing ends there with `ENOSPC` all the same, and nobody is evicted for it.
fn empty(source: &Source<'_>, spec: &Value) -> Result<Volume, String> {
    let medium = spec::text(spec, "medium");
    let tree = Vfs::new(source.sim.clone());
    match medium {
        // A disk goes on beyond the limit, and the kubelet evicts the pod.
        "" => {}
        // Memory is full at its limit, or with what the pod or the node has (`calculateEmptyDirMemorySize`).
        "Memory" => {
            let node = u64::try_from(source.facts.allocatable.1).unwrap_or(u64::MAX);
            let of_pod = memory_limit(source.facts.pod).filter(|bytes| *bytes <= node).unwrap_or(node);
            let limit = bytes(&spec["sizeLimit"]).filter(|bytes| *bytes <= of_pod).unwrap_or(of_pod);
            tree.set_limit(limit.min(vfs::limits::TREE_BYTES_MAX));
        }
        other => return Err(format!("{}: {other}", simulation::stub!("kubelet", "emptyDir volumes of this medium"))),
    }
    begin(&tree, medium == "Memory")?;
    ownership::set_group(&tree, "/", false, source.facts.pod)?;
    Ok(Volume { tree, root: "/".into(), read_only: false })
}

/// The memory that all containers may take together; none if one has no limit.
fn memory_limit(pod: &Object) -> Option<u64> {
    let of = |container: &Value| bytes(spec::api_at(container, "resources.limits.memory"));
    spec::containers(pod).iter().map(of).sum()
}

/// The folder behind a claim: its volume's, on this node.
async fn claimed(
    source: &Source<'_>,
    name: &str,
    claim: &str,
    read_only: bool,
    is_ephemeral: bool,
) -> Result<Volume, MountError> {
    let pod = source.facts.pod;
    let not_processed = |message: String| MountError::NotProcessed { volume: name.to_owned(), message };
    let found = bound(source, claim)
        .await
        .map_err(|e| not_processed(format!("error processing PVC {}/{claim}: {e}", pod.namespace())));
    let (held, volume) = found?;
    let is_owner = |owner: &Value| owner["uid"] == pod.uid() && owner["controller"] == true;
    if is_ephemeral && !held.list("metadata.ownerReferences").iter().any(is_owner) {
        let (namespace, pod) = (pod.namespace(), pod.name());
        return Err(not_processed(format!(
            "PVC {namespace}/{claim} was not created for pod {namespace}/{pod} (pod is not owner)"
        )));
    }
    if volume.str("spec.volumeMode") == "Block" {
        let devices = spec::init_containers(pod).iter().chain(spec::containers(pod));
        let is_device = devices.flat_map(|c| spec::items(c, "volumeDevices")).any(|device| spec::name(device) == name);
        return Err(not_processed(if is_device {
            simulation::stub!("kubelet", "raw block volumes").to_owned()
        } else {
            format!("volume {name} has volumeMode Block, but is specified in volumeMounts")
        }));
    }
    let root = folder(source, &volume, read_only);
    let root = root.map_err(|message| MountError::NotMounted { volume: volume.name().to_owned(), message })?;
    Ok(Volume { tree: source.host.clone(), root, read_only })
}

/// A claim and the volume that it is bound to.
async fn bound(source: &Source<'_>, name: &str) -> Result<(Object, Object), String> {
    let namespace = source.facts.pod.namespace();
    let claim = source.client.get(&kinds::PERSISTENT_VOLUME_CLAIMS, namespace, name).await;
    let claim = claim.map_err(|error| format!("failed to fetch PVC from API server: {error}"))?;
    let is_protected = claim.list("metadata.finalizers").iter().any(|f| f == "kubernetes.io/pvc-protection");
    if claim.is_deleting() && !is_protected {
        return Err("PVC is being deleted".to_owned());
    }
    if claim.str("status.phase") != "Bound" {
        return Err("PVC is not bound".to_owned());
    }
    let name = claim.str("spec.volumeName");
    let volume = source.client.get(&kinds::PERSISTENT_VOLUMES, "", name).await;
    let volume = volume.map_err(|error| format!("failed to fetch PV {name} from API server: {error}"))?;
    let holder = volume.str("spec.claimRef.uid");
    if holder != claim.uid() {
        return Err(format!(
            "found PV object {name} but its pv.Spec.ClaimRef.UID {holder} does not point to claim.UID {}",
            claim.uid()
        ));
    }
    Ok((claim, volume))
}

/// Where a persistent volume is on the node.
fn folder(source: &Source<'_>, volume: &Object, read_only: bool) -> Result<String, String> {
    if !volume.at("spec.hostPath").is_null() {
        return files::host_path(source.host, volume.at("spec.hostPath"));
    }
    let path = volume.str("spec.local.path");
    if path.is_empty() {
        return Err(simulation::stub!("kubelet", "persistent volumes other than hostPath and local").to_owned());
    }
    if !source.host.exists(path) {
        return Err(format!("path \"{path}\" does not exist"));
    }
    if !source.host.is_dir(path) {
        return Err("only directory and block device are supported".to_owned());
    }
    // What the pod cannot write stays whose it is (`pkg/volume/local`).
    if !read_only {
        ownership::set_group_by_policy(source.host, path, source.facts.pod)?;
    }
    Ok(path.to_owned())
}
