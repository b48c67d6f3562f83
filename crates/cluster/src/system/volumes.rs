//! The part of the storage provisioner that works on files: the folder of a volume that nobody holds any more goes with it.

use api::{Object, kinds};
use client::{Client, Event, Informer, ListOptions};
use simulation::Sim;

use crate::node::Nodes;

/// Where a volume may lie for its folder to be removed: the provisioner makes all of its folders there, and upstream's
/// deleter of hostPath volumes touches nothing else.
const BELOW: &str = "/tmp/";

/// Removes folders until it is stopped.
pub(crate) fn follow(sim: &Sim, client: &Client, nodes: &Nodes) -> Informer {
    let volumes = Informer::start(sim, client, &kinds::PERSISTENT_VOLUMES, "", ListOptions::default());
    let nodes = nodes.clone();
    volumes.on_event(move |event| {
        if let Event::Deleted(volume) = event
            && let Some(path) = reclaimed(volume)
        {
            nodes.remove_folder(path);
        }
    });
    volumes
}

/// The folder to remove with a volume.
fn reclaimed(volume: &Object) -> Option<&str> {
    let path = volume.str("spec.hostPath.path");
    let is_free = volume.str("status.phase") == "Released";
    let is_ours = path.starts_with(BELOW) && !path.split('/').any(|part| part == "..");
    (is_free && is_ours && volume.str("spec.persistentVolumeReclaimPolicy") == "Delete").then_some(path)
}
