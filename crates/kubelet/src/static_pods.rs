//! Static pods: the node runs what its own files in [`MANIFESTS`] say, whoever else wants something else
//! (`pkg/kubelet/config/file.go`, `pkg/kubelet/pod/mirror_client.go`).
//!
//! The API server gets a mirror of each. Deleting the mirror ends nothing: a new one follows, and its containers are those
//! that run already. Removing the file ends the pod.
//!
//! Difference: a static pod starts when its mirror is there, so it needs an API server.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::{Object, hash, kinds, yaml};
use client::{Client, DeleteOptions, Informer};
use json::json;
use simulation::Sim;
use vfs::Vfs;

/// The folder with the files.
const MANIFESTS: &str = "/etc/kubernetes/manifests";
/// Files that are read; the rest of a fuller folder is left alone.
const FILES_MAX: usize = 100;
/// Bytes of a file; a longer one is no manifest.
const FILE_BYTES_MAX: usize = 1024 * 1024;

const HASH: &str = "kubernetes.io/config.hash";
const MIRROR: &str = "kubernetes.io/config.mirror";
const SEEN: &str = "kubernetes.io/config.seen";
const SOURCE: &str = "kubernetes.io/config.source";

/// What names a pod on its node: its uid, or for the mirror of a static pod the hash of its file, which every mirror of it
/// has in common.
pub(crate) fn identity(pod: &Object) -> &str {
    pod.annotation(MIRROR).unwrap_or_else(|| pod.uid())
}

/// Whether the pod is the mirror of a static one.
pub(crate) fn is_static(pod: &Object) -> bool {
    pod.annotation(MIRROR).is_some()
}

/// The static pods of one node.
pub(crate) struct StaticPods {
    sim: Sim,
    client: Client,
    node: String,
    host: Vfs,
    /// The pods that the API knows of this node.
    pods: Informer,
    /// By hash: the mirrors that ought to be there.
    wanted: RefCell<BTreeMap<String, Object>>,
    /// What is being created or deleted, by key and verb.
    busy: RefCell<BTreeSet<(String, &'static str)>>,
}

impl StaticPods {
    pub(crate) fn new(sim: &Sim, client: &Client, node: &str, host: &Vfs, pods: &Informer) -> Rc<StaticPods> {
        Rc::new(StaticPods {
            sim: sim.clone(),
            client: client.clone(),
            node: node.to_owned(),
            host: host.clone(),
            pods: pods.clone(),
            wanted: RefCell::default(),
            busy: RefCell::default(),
        })
    }

    /// Whether the pod mirrors a file that is there.
    pub(crate) fn wants(&self, pod: &Object) -> bool {
        pod.annotation(MIRROR).is_some_and(|hash| self.wanted.borrow().contains_key(hash))
    }

    /// A pod is gone from the API. Whether it was a mirror, and what it mirrors goes on with a new one.
    pub(crate) fn outlives(self: &Rc<Self>, pod: &Object) -> bool {
        if pod.annotation(MIRROR).is_some() {
            self.reconcile();
        }
        self.wants(pod)
    }

    /// Reads the folder and makes the API agree with it.
    pub(crate) fn look(self: &Rc<Self>) {
        let entries = self.host.readdir(MANIFESTS).unwrap_or_default();
        let mut wanted = BTreeMap::new();
        for entry in entries.iter().filter(|e| !e.name.starts_with('.')).take(FILES_MAX) {
            let path = format!("{MANIFESTS}/{}", entry.name);
            let Ok(bytes) = self.host.read(&path) else { continue };
            let Some(text) = std::str::from_utf8(&bytes).ok().filter(|t| t.len() <= FILE_BYTES_MAX) else { continue };
            let hash = hash_of(&self.node, &path, text);
            let known = self.wanted.borrow().get(&hash).cloned();
            // What is no pod is passed over: upstream, too, says so in the kubelet's own log alone.
            let Some(pod) = known.or_else(|| self.pod(text, &hash)) else { continue };
            wanted.insert(hash, pod);
        }
        self.wanted.replace(wanted);
        self.reconcile();
    }

    /// The mirror of a manifest.
    fn pod(&self, text: &str, hash: &str) -> Option<Object> {
        let mut pod = Object::new(yaml::parse(text).ok()?.into_iter().next()?);
        if pod.kind() != "Pod" || pod.name().is_empty() {
            return None;
        }
        let name = format!("{}-{}", pod.name(), self.node.to_lowercase());
        pod.set("metadata.name", name);
        if pod.namespace().is_empty() {
            pod.set("metadata.namespace", "default");
        }
        pod.set("spec.nodeName", self.node.as_str());
        let mut tolerations = pod.list("spec.tolerations").to_vec();
        tolerations.push(json!({ "effect": "NoExecute", "operator": "Exists" }));
        pod.set("spec.tolerations", tolerations);
        let seen = self.sim.now().rfc3339();
        for (key, value) in [(HASH, hash), (MIRROR, hash), (SEEN, seen.as_str()), (SOURCE, "file")] {
            pod.set_annotation(key, value);
        }
        Some(pod)
    }

    /// Creates the mirrors that are missing and deletes those that are not wanted, or are going while they are.
    pub(crate) fn reconcile(self: &Rc<Self>) {
        if !self.pods.has_synced() {
            return;
        }
        for pod in self.pods.list().into_iter().filter(|pod| pod.annotation(MIRROR).is_some()) {
            match (self.wants(&pod), pod.is_deleting()) {
                // It ends as any pod does, with its grace period.
                (false, false) => self.delete(pod, None),
                (true, true) => self.delete(pod, Some(0)),
                _ => {}
            }
        }
        let missing: Vec<Object> =
            self.wanted.borrow().values().filter(|pod| self.pods.get(&pod.key()).is_none()).cloned().collect();
        for pod in missing {
            self.create(pod);
        }
    }

    fn begin(&self, key: String, verb: &'static str) -> bool {
        self.busy.borrow_mut().insert((key, verb))
    }

    fn delete(self: &Rc<Self>, pod: Object, grace_period_seconds: Option<i64>) {
        let this = Rc::clone(self);
        if !this.begin(pod.uid().to_owned(), "delete") {
            return;
        }
        self.sim.spawn(async move {
            let precondition_uid = Some(pod.uid().to_owned());
            let options = DeleteOptions { grace_period_seconds, precondition_uid, ..DeleteOptions::default() };
            // What fails is tried again at the next look.
            let _ = this.client.delete(&kinds::PODS, pod.namespace(), pod.name(), &options).await;
            this.busy.borrow_mut().remove(&(pod.uid().to_owned(), "delete"));
        });
    }

    fn create(self: &Rc<Self>, mut pod: Object) {
        let this = Rc::clone(self);
        if !this.begin(pod.key(), "create") {
            return;
        }
        self.sim.spawn(async move {
            // Without its node a mirror would be garbage.
            if let Ok(node) = this.client.get(&kinds::NODES, "", &this.node).await {
                let owner = json!({ "apiVersion": "v1", "kind": "Node", "name": this.node, "uid": node.uid(), "controller": true });
                pod.set("metadata.ownerReferences", json!([owner]));
                let _ = this.client.create(&kinds::PODS, pod.namespace(), pod.clone()).await;
            }
            this.busy.borrow_mut().remove(&(pod.key(), "create"));
        });
    }
}

/// 128 bits of the file, in hexadecimal: where it is counts, as upstream.
fn hash_of(node: &str, path: &str, text: &str) -> String {
    let (a, b) = (format!("host:{node}{text}"), format!("file:{path}{text}"));
    format!("{:016x}{:016x}", hash::fnv1a_64(a.as_bytes()), hash::fnv1a_64(b.as_bytes()))
}
