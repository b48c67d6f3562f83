//! The volumes of one pod (`pkg/volume`, `pkg/kubelet/volumemanager`).
//!
//! Differences: no attach and detach; configMap, secret and downwardAPI volumes are refreshed once a minute and when labels or
//! annotations of the pod change; volumes of CSI, NFS and other networks, and raw block volumes, are refused by name.

mod content;
mod files;
mod make;
mod ownership;
mod tokens;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use api::Object;
use client::Client;
use json::Value;
use simulation::{Sim, Time};
use vfs::Vfs;

use crate::cri::Mount;
use crate::env::{self, Facts};
use crate::limits::ENV_FILE_BYTES_MAX;
use crate::spec;

pub(crate) use files::{hosts_file, one_file};
pub(crate) use ownership::groups;
pub(crate) use tokens::Tokens;

/// Why a volume could not be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MountError {
    /// What it is to be made of was not found out; the pod's volumes are not looked at any further.
    NotProcessed {
        /// The volume's name in the pod.
        volume: String,
        message: String,
    },
    /// It was known what to mount, and that did not work.
    NotMounted {
        /// The volume's name, of the PersistentVolume if there is one.
        volume: String,
        message: String,
    },
}

impl MountError {
    /// The sentences of the events that tell of `failed` (`WaitForAttachAndMount`, `GenerateMountVolumeFunc`).
    pub(crate) fn sentences(failed: &[MountError]) -> Vec<String> {
        let mut said = Vec::new();
        let (mut names, mut reasons) = (Vec::new(), Vec::new());
        for error in failed {
            match error {
                MountError::NotMounted { volume, message } => {
                    said.push(format!("MountVolume.{} failed for volume \"{volume}\" : {message}", step(message)));
                }
                MountError::NotProcessed { volume, message } => {
                    names.push(volume.as_str());
                    reasons.push(message.as_str());
                }
            }
        }
        if !names.is_empty() {
            let names = names.join(" ");
            said.push(format!(
                "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[], \
                 failed to process volumes=[{names}]: {}",
                reasons.join("; ")
            ));
        }
        said
    }
}

/// A local volume is looked at before it is mounted.
fn step(message: &str) -> &'static str {
    if message.starts_with("path \"") { "NewMounter initialization" } else { "SetUp" }
}

/// One volume that is set up.
#[derive(Clone)]
struct Volume {
    tree: Vfs,
    /// Where in the tree the volume begins.
    root: String,
    /// Nobody may write, whatever the mount says.
    read_only: bool,
}

/// The volumes of one pod. What an emptyDir holds lives as long as this.
#[derive(Default)]
pub(crate) struct Volumes {
    all: RefCell<BTreeMap<String, Volume>>,
    tokens: Tokens,
}

/// What volumes are made from.
pub(crate) struct Source<'a> {
    pub(crate) sim: &'a Sim,
    pub(crate) client: &'a Client,
    /// The node's own files.
    pub(crate) host: &'a Vfs,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) tokens: &'a Tokens,
}

impl Volumes {
    /// The tokens of the pod, for a [`Source`].
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Sets up every volume that a container mounts and that is not yet. Gives those that failed; the others stay.
    pub(crate) async fn set_up(&self, source: &Source<'_>) -> Vec<MountError> {
        let mut failed = Vec::new();
        let pod = source.facts.pod;
        let used = used(pod);
        for spec in pod.list("spec.volumes") {
            let name = spec::name(spec);
            // An image comes when the containers start (`put_image`).
            if !used.contains(name) || self.all.borrow().contains_key(name) || !spec["image"].is_null() {
                continue;
            }
            match make::volume(source, spec).await {
                Ok(volume) => {
                    self.all.borrow_mut().insert(name.to_owned(), volume);
                }
                Err(error) => failed.push(error),
            }
        }
        failed
    }

    /// Brings volumes that show API objects up to date. What admission gave the pod for its token changes with the token alone.
    pub(crate) async fn refresh(&self, source: &Source<'_>) -> Vec<MountError> {
        let mut failed = Vec::new();
        let is_token_due = self.token_due().is_some_and(|due| due <= source.sim.now());
        let is_due = |spec: &&Value| content::is_of_api(spec) && (is_token_due || is_user_made(spec));
        for spec in source.facts.pod.list("spec.volumes").iter().filter(is_due) {
            let name = spec::name(spec);
            let Some(volume) = self.all.borrow().get(name).cloned() else { continue };
            if let Err(message) = make::fill(source, &volume.tree, spec).await {
                failed.push(MountError::NotMounted { volume: name.to_owned(), message });
            }
        }
        failed
    }

    /// What the tree of a volume holds; none if it is not set up.
    pub(crate) fn usage(&self, name: &str) -> Option<vfs::Usage> {
        self.all.borrow().get(name).map(|volume| volume.tree.usage())
    }

    /// Puts the files of an image where a volume of the pod is to be.
    pub(crate) fn put_image(&self, name: &str, tree: Vfs) {
        let volume = Volume { tree, root: "/".to_owned(), read_only: true };
        self.all.borrow_mut().insert(name.to_owned(), volume);
    }

    /// Whether any volume shows API objects that may change.
    pub(crate) fn need_refresh(pod: &Object) -> bool {
        pod.list("spec.volumes").iter().any(|volume| content::is_of_api(volume) && is_user_made(volume))
    }

    /// When the first token of the pod is to be renewed.
    pub(crate) fn token_due(&self) -> Option<Time> {
        self.tokens.due()
    }

    /// A file of a volume, which links cannot lead out of; with it its path as the kubelet names it. None if there is no such
    /// volume; no content if there is no such file, or one of more than [`ENV_FILE_BYTES_MAX`].
    pub(crate) fn file(&self, pod: &Object, volume: &str, path: &str) -> Option<(String, Option<String>)> {
        let found = self.all.borrow().get(volume).cloned()?;
        let path_in_tree = join(&found.root, path);
        let is_small = found.tree.stat(&path_in_tree).is_ok_and(|meta| meta.size <= ENV_FILE_BYTES_MAX);
        let content = found.tree.read_to_string(&path_in_tree).ok().filter(|_| is_small);
        let uid = pod.uid();
        let shown = format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/{volume}/{path}");
        Some((shown, content))
    }

    /// The mounts of a container (`makeMounts`).
    pub(crate) fn mounts(&self, container: &Value, variables: &[(String, String)]) -> Result<Vec<Mount>, String> {
        let volumes = self.all.borrow();
        let mut mounts = Vec::new();
        for mount in spec::items(container, "volumeMounts") {
            let (name, container) = (spec::name(mount), spec::name(container));
            let Some(volume) = volumes.get(name) else {
                return Err(format!("cannot find volume \"{name}\" to mount into container \"{container}\""));
            };
            let sub = sub_path(mount, variables)?;
            let path = join(&volume.root, &sub);
            if !sub.is_empty() && !volume.tree.exists(&path) && !is_link(&volume.tree, &path) {
                make_sub_path(volume, &sub).map_err(|_| {
                    format!(
                        "failed to create subPath directory for volumeMount \"{name}\" of container \"{container}\""
                    )
                })?;
            }
            if !sub.is_empty() && !stays_within(volume, &path) {
                return Err(format!(
                    "failed to prepare subPath for volumeMount \"{name}\" of container \"{container}\""
                ));
            }
            mounts.push(Mount {
                source: volume.tree.clone(),
                sub_path: path.trim_start_matches('/').to_owned(),
                path: spec::text(mount, "mountPath").to_owned(),
                read_only: volume.read_only || mount["readOnly"].as_bool() == Some(true),
            });
        }
        Ok(mounts)
    }

    /// Volumes in memory that count as memory of a container: of all that mount one, the first one pays.
    pub(crate) fn in_memory(&self, pod: &Object, container: &Value) -> Vec<Vfs> {
        let volumes = self.all.borrow();
        let mounts = |container: &Value, name: &str| {
            spec::items(container, "volumeMounts").iter().any(|m| spec::name(m) == name)
        };
        let first = |name: &str| spec::containers(pod).iter().find(|c| mounts(c, name)).map(spec::name);
        let paid = |spec: &&Value| {
            spec::text(spec, "emptyDir.medium") == "Memory" && first(spec::name(spec)) == Some(spec::name(container))
        };
        let paid = pod.list("spec.volumes").iter().filter(paid);
        paid.filter_map(|spec| volumes.get(spec::name(spec)).map(|volume| volume.tree.clone())).collect()
    }
}

/// Whether a volume is none of those that admission gives every pod.
fn is_user_made(volume: &Value) -> bool {
    !spec::name(volume).starts_with("kube-api-access-")
}

/// The names of the volumes that some container mounts; nobody looks at the others.
fn used(pod: &Object) -> BTreeSet<&str> {
    let all = spec::init_containers(pod).iter().chain(spec::containers(pod)).chain(spec::ephemeral_containers(pod));
    let mounts = all.flat_map(|c| spec::items(c, "volumeMounts").iter().chain(spec::items(c, "volumeDevices")));
    mounts.map(spec::name).collect()
}

fn sub_path(mount: &Value, variables: &[(String, String)]) -> Result<String, String> {
    let sub = match spec::text(mount, "subPathExpr") {
        "" => spec::text(mount, "subPath").to_owned(),
        pattern => {
            let missing = RefCell::new(BTreeSet::new());
            let expanded = env::expand(pattern, |wanted: &str| {
                let value = variables.iter().find(|(name, value)| name == wanted && !value.is_empty());
                if value.is_none() {
                    missing.borrow_mut().insert(wanted.to_owned());
                }
                value.map(|(_, value)| value.clone())
            });
            let missing: Vec<String> = missing.into_inner().into_iter().collect();
            if !missing.is_empty() {
                return Err(format!("missing value for {}", missing.join(", ")));
            }
            expanded
        }
    };
    if sub.starts_with('/') {
        return Err(format!("error SubPath `{sub}` must not be an absolute path"));
    }
    if sub.split('/').any(|part| part == "..") {
        return Err(format!("unable to provision SubPath `{sub}`: must not contain '..'"));
    }
    Ok(sub)
}

/// Makes the folders of a sub path with the mode that the volume's root has, and its group.
fn make_sub_path(volume: &Volume, sub: &str) -> Result<(), vfs::Errno> {
    let root = volume.tree.stat(&volume.root)?;
    let mut path = volume.root.clone();
    for part in sub.split('/').filter(|part| !part.is_empty() && *part != ".") {
        path = join(&path, part);
        if !stays_within(volume, vfs::path::dirname(&path)) {
            return Err(vfs::Errno::Access);
        }
        if !volume.tree.exists(&path) {
            volume.tree.mkdir(&path, 0o777)?;
            volume.tree.chmod(&path, root.mode)?;
        }
    }
    Ok(())
}

fn is_link(tree: &Vfs, path: &str) -> bool {
    tree.lstat(path).is_ok_and(|meta| meta.is_symlink())
}

/// Whether what a path leads to lies in the volume: a link may not lead into other files of the node.
fn stays_within(volume: &Volume, path: &str) -> bool {
    let (Ok(root), Ok(found)) = (volume.tree.canonicalize(&volume.root), volume.tree.canonicalize(path)) else {
        return false;
    };
    root == "/" || found == root || found.strip_prefix(&root).is_some_and(|rest| rest.starts_with('/'))
}

fn join(root: &str, sub: &str) -> String {
    if sub.is_empty() {
        return root.to_owned(); // perhaps a file
    }
    format!("{}/{}", root.trim_end_matches('/'), sub.trim_start_matches('/'))
}
