//! The part of the storage provisioner that works on files: a new volume gets a folder that everybody may write to, and the
//! folder of a volume that nobody holds any more goes with it.

use api::{Object, kinds};
use client::{Client, Event, Informer, ListOptions};
use simulation::Sim;

use crate::node::Nodes;

/// Where a volume may lie for its folder to be removed: the provisioner makes all of its folders there, and upstream's
/// deleter of hostPath volumes touches nothing else.
const BELOW: &str = "/tmp/";

/// Who made a volume.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
/// minikube's provisioner.
const PROVISIONER: &str = "k8s.io/minikube-hostpath";

/// Makes and removes folders until it is stopped.
pub(crate) fn follow(sim: &Sim, client: &Client, nodes: &Nodes) -> Informer {
    let volumes = Informer::start(sim, client, &kinds::PERSISTENT_VOLUMES, "", ListOptions::default());
    let nodes = nodes.clone();
    volumes.on_event(move |event| match event {
        Event::Added(volume) if volume.annotation(PROVISIONED_BY) == Some(PROVISIONER) => {
            if let Some(path) = ours(volume).filter(|_| matches!(volume.str("status.phase"), "" | "Pending")) {
                nodes.make_open_folder(path);
            }
        }
        Event::Deleted(volume) => {
            if let Some(path) = reclaimed(volume) {
                nodes.remove_folder(path);
            }
        }
        _ => {}
    });
    volumes
}

/// The folder of a volume, if it lies where the provisioner may do what it likes.
fn ours(volume: &Object) -> Option<&str> {
    let path = volume.str("spec.hostPath.path");
    (path.starts_with(BELOW) && !path.split('/').any(|part| part == "..")).then_some(path)
}

/// The folder to remove with a volume.
fn reclaimed(volume: &Object) -> Option<&str> {
    let is_free = volume.str("status.phase") == "Released";
    let goes = is_free && volume.str("spec.persistentVolumeReclaimPolicy") == "Delete";
    ours(volume).filter(|_| goes)
}
