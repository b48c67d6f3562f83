//! The volumes of one pod (`pkg/volume`, `pkg/kubelet/volumemanager`).
//!
//! Differences: no attach and detach; configMap, secret and downwardAPI volumes are refreshed once a minute; volumes of CSI,
//! NFS and other networks are refused by name.

mod content;
mod files;

use std::cell::RefCell;
use std::collections::BTreeMap;

use api::quantity::Quantity;
use api::{Object, kinds};
use client::Client;
use json::Value;
use simulation::Sim;
use vfs::Vfs;

use crate::cri::Mount;
use crate::env::{self, Facts};
use crate::spec;

pub(crate) use files::{hosts_file, one_file};

/// A volume that could not be set up: its name and the sentence of the event.
pub(crate) struct MountError {
    pub(crate) volume: String,
    pub(crate) message: String,
}

/// One volume that is set up.
#[derive(Clone)]
struct Volume {
    tree: Vfs,
    /// Where in the tree the volume begins.
    root: String,
}

/// The volumes of one pod. What an emptyDir holds lives as long as this.
#[derive(Default)]
pub(crate) struct Volumes(RefCell<BTreeMap<String, Volume>>);

/// What volumes are made from.
pub(crate) struct Source<'a> {
    pub(crate) sim: &'a Sim,
    pub(crate) client: &'a Client,
    /// The node's own files.
    pub(crate) host: &'a Vfs,
    pub(crate) facts: &'a Facts<'a>,
}

impl Volumes {
    /// Sets up every volume that is not yet. Gives those that failed; the others stay.
    pub(crate) async fn set_up(&self, source: &Source<'_>) -> Vec<MountError> {
        let mut failed = Vec::new();
        for spec in source.facts.pod.list("spec.volumes") {
            let name = spec::name(spec);
            if self.0.borrow().contains_key(name) {
                continue;
            }
            match make(source, spec).await {
                Ok(volume) => {
                    self.0.borrow_mut().insert(name.to_owned(), volume);
                }
                Err(message) => failed.push(MountError {
                    volume: name.to_owned(),
                    message: format!("MountVolume.SetUp failed for volume \"{name}\" : {message}"),
                }),
            }
        }
        failed
    }

    /// Brings volumes that show API objects up to date.
    pub(crate) async fn refresh(&self, source: &Source<'_>) -> Vec<MountError> {
        let mut failed = Vec::new();
        for spec in source.facts.pod.list("spec.volumes") {
            let name = spec::name(spec);
            let Some(volume) = self.0.borrow().get(name).cloned() else { continue };
            if let Some(content) = content::of_volume(source, spec, false).await {
                let result = content.and_then(|files| files::publish(source.sim, &volume.tree, &files));
                if let Err(message) = result {
                    let message = format!("MountVolume.SetUp failed for volume \"{name}\" : {message}");
                    failed.push(MountError { volume: name.to_owned(), message });
                }
            }
        }
        failed
    }

    /// What the tree of a volume holds; none if it is not set up.
    pub(crate) fn usage(&self, name: &str) -> Option<vfs::Usage> {
        self.0.borrow().get(name).map(|volume| volume.tree.usage())
    }

    /// Whether any volume shows API objects that may change.
    pub(crate) fn need_refresh(pod: &Object) -> bool {
        let changing = |v: &Value| !v["configMap"].is_null() || !v["secret"].is_null() || !v["downwardAPI"].is_null();
        let user_made = |v: &Value| !spec::name(v).starts_with("kube-api-access-");
        pod.list("spec.volumes").iter().any(|v| changing(v) || (!v["projected"].is_null() && user_made(v)))
    }

    /// The mounts of a container.
    pub(crate) fn mounts(&self, container: &Value, variables: &[(String, String)]) -> Result<Vec<Mount>, String> {
        let volumes = self.0.borrow();
        let mut mounts = Vec::new();
        for mount in spec::items(container, "volumeMounts") {
            let name = spec::name(mount);
            let Some(volume) = volumes.get(name) else {
                return Err(format!(
                    "cannot find volume \"{name}\" to mount into container \"{}\"",
                    spec::name(container)
                ));
            };
            let lookup = |wanted: &str| variables.iter().find(|(n, _)| n == wanted).map(|(_, v)| v.clone());
            let sub = match spec::text(mount, "subPathExpr") {
                "" => spec::text(mount, "subPath").to_owned(),
                pattern => env::expand(pattern, lookup),
            };
            if sub.split('/').any(|part| part == "..") {
                return Err(format!("subPath \"{sub}\" must not contain '..'"));
            }
            let path = join(&volume.root, &sub);
            if !sub.is_empty() && !volume.tree.exists(&path) {
                let made = volume.tree.mkdir_all(&path);
                made.map_err(|_| {
                    format!(
                        "failed to create subPath directory for volumeMount \"{name}\" of container \"{}\"",
                        spec::name(container)
                    )
                })?;
            }
            mounts.push(Mount {
                source: volume.tree.clone(),
                sub_path: path.trim_start_matches('/').to_owned(),
                path: spec::text(mount, "mountPath").to_owned(),
                read_only: mount["readOnly"].as_bool() == Some(true),
            });
        }
        Ok(mounts)
    }
}

fn join(root: &str, sub: &str) -> String {
    if sub.is_empty() {
        return root.to_owned(); // perhaps a file
    }
    format!("{}/{}", root.trim_end_matches('/'), sub.trim_start_matches('/'))
}

async fn make(source: &Source<'_>, spec: &Value) -> Result<Volume, String> {
    if let Some(empty) = spec["emptyDir"].as_object() {
        let tree = Vfs::new(source.sim.clone());
        let limit = empty.get("sizeLimit").and_then(|l| Quantity::from_value(l).ok()).map(Quantity::value);
        let limit = limit.and_then(|b| u64::try_from(b).ok()).filter(|b| *b > 0);
        // Memory is full at its limit. A disk goes on, and the kubelet evicts the pod (`crate::eviction`).
        let is_memory = spec::text(&spec["emptyDir"], "medium") == "Memory";
        if let Some(bytes) = limit.filter(|bytes| is_memory || *bytes > vfs::limits::TREE_BYTES_MAX) {
            tree.set_limit(bytes);
        }
        tree.chmod("/", 0o777).map_err(|e| e.message().to_owned())?;
        return Ok(Volume { tree, root: "/".into() });
    }
    if !spec["hostPath"].is_null() {
        return files::host_path(source.host, &spec["hostPath"]).map(|root| Volume { tree: source.host.clone(), root });
    }
    if let Some(claim) = spec["persistentVolumeClaim"]["claimName"].as_str() {
        return claimed(source, claim).await;
    }
    if let Some(content) = content::of_volume(source, spec, true).await {
        let tree = Vfs::new(source.sim.clone());
        tree.set_limit(crate::limits::API_VOLUME_BYTES_MAX);
        files::publish(source.sim, &tree, &content?)?;
        return Ok(Volume { tree, root: "/".into() });
    }
    let kind = spec.as_object().and_then(|m| m.keys().find(|k| *k != "name").cloned()).unwrap_or_default();
    Err(format!("{}: {kind}", simulation::stub!("kubelet", "volumes of this type")))
}

/// The folder behind a claim: its volume's, on this node.
async fn claimed(source: &Source<'_>, name: &str) -> Result<Volume, String> {
    let namespace = source.facts.pod.namespace();
    let failed = |error: client::Error| format!("error processing PVC {namespace}/{name}: {error}");
    let claim = source.client.get(&kinds::PERSISTENT_VOLUME_CLAIMS, namespace, name).await.map_err(failed)?;
    if claim.str("status.phase") != "Bound" {
        return Err(format!("error processing PVC {namespace}/{name}: PVC is not bound"));
    }
    let volume = claim.str("spec.volumeName");
    let volume = source.client.get(&kinds::PERSISTENT_VOLUMES, "", volume).await.map_err(failed)?;
    let path = [volume.str("spec.hostPath.path"), volume.str("spec.local.path")].into_iter().find(|p| !p.is_empty());
    let Some(path) = path else {
        return Err(simulation::stub!("kubelet", "persistent volumes other than hostPath and local").to_owned());
    };
    // The runtime makes a folder that is not there.
    let folder = json::json!({"path": path, "type": "DirectoryOrCreate"});
    files::host_path(source.host, &folder).map(|root| Volume { tree: source.host.clone(), root })
}
