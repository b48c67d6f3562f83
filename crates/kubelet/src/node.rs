//! The node's own object, its status and its lease (`pkg/kubelet/kubelet_node_status.go`, `nodestatus`).
//!
//! Difference: nothing is reserved for the system and for Kubernetes.

use std::cell::Cell;
use std::rc::Rc;

use api::{Object, kinds};
use client::{Client, EventRecorder, PatchType};
use json::{Value, json};
use simulation::notify::Waiters;
use simulation::{Duration, Sim, Time};

use crate::NodeConfig;
use crate::cri::Runtime;
use crate::eviction::{Condition, Pressure};
use crate::limits::{API_RETRY, LEASE_PERIOD, LEASE_SECONDS, NODE_STATUS_IMAGES_MAX, NODE_STATUS_PERIOD};

const LEASE_NAMESPACE: &str = "kube-node-lease";

/// Kinds of volumes that drivers have taken over from the kubelet.
const MIGRATED_PLUGINS: &str = "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,\
    kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume";

/// Keeps the Node object and the Lease.
pub(crate) struct Node {
    pub(crate) sim: Sim,
    pub(crate) client: Client,
    pub(crate) config: NodeConfig,
    pub(crate) runtime: Rc<dyn Runtime>,
    pub(crate) recorder: EventRecorder,
    /// What it is short of.
    pressure: Rc<Pressure>,
    changed: Cell<bool>,
    waiters: Waiters,
    /// Since when the node is ready.
    since: Time,
    boot_id: String,
    machine_id: String,
}

impl Node {
    pub(crate) fn new(
        sim: &Sim,
        client: &Client,
        config: &NodeConfig,
        runtime: &Rc<dyn Runtime>,
        recorder: &EventRecorder,
        pressure: &Rc<Pressure>,
    ) -> Rc<Node> {
        Rc::new(Node {
            sim: sim.clone(),
            client: client.clone(),
            config: config.clone(),
            runtime: Rc::clone(runtime),
            recorder: recorder.clone(),
            pressure: Rc::clone(pressure),
            changed: Cell::new(false),
            waiters: Waiters::default(),
            since: sim.now(),
            boot_id: sim.uid(),
            machine_id: sim.uid(),
        })
    }

    /// The images may have changed.
    pub(crate) fn touch(&self) {
        self.changed.set(true);
        self.waiters.wake_all();
    }

    /// The API may hold something else than what was reported last: the node controller writes over the status of a node that
    /// it has not heard of. Upstream compares every ten seconds; here it is reported anew when there is a sign of it, a lease
    /// that could not be renewed or a pod whose status was written over, so that a quiet node asks nothing.
    pub(crate) fn doubt(&self) {
        self.touch();
    }

    /// As events name it: with its name for a uid, which is what upstream does.
    pub(crate) fn reference(&self) -> Object {
        Object::new(json!({ "kind": "Node", "metadata": { "name": self.config.name, "uid": self.config.name } }))
    }

    /// Registers the node; completes when the API has it.
    pub(crate) async fn register(&self) {
        let says = |reason: &str, message: &str| self.recorder.event(&self.reference(), "Normal", reason, message);
        says("Starting", "Starting kubelet.");
        let object = self.object();
        let node = loop {
            match self.client.create(&kinds::NODES, "", object.clone()).await {
                Ok(node) => break node,
                Err(error) if error.is_already_exists() => {
                    let labels = json!({ "metadata": { "labels": object.at("metadata.labels") } });
                    let name = &self.config.name;
                    let patched = self.client.patch(&kinds::NODES, "", name, "", PatchType::Strategic, &labels).await;
                    if let Ok(node) = patched {
                        break node;
                    }
                }
                Err(_) => {}
            }
            self.sim.sleep(API_RETRY).await;
        };
        self.tell_storage_drivers(node.uid()).await;
        self.tell_pressure(&Condition::ALL);
        says("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
        self.report().await;
        says("NodeReady", &format!("Node {} status is now: NodeReady", self.config.name));
    }

    /// Says by events how these conditions are now.
    pub(crate) fn tell_pressure(&self, changed: &[Condition]) {
        for condition in changed {
            let words = condition.words();
            let (_, _, event) = if self.pressure.state(*condition).0 { words.insufficient } else { words.sufficient };
            let message = format!("Node {} status is now: {event}", self.config.name);
            self.recorder.event(&self.reference(), "Normal", event, &message);
        }
    }

    /// `CSINode`: which storage drivers the node has. There are none, and kubelets say that, too
    /// (`nodeInfoManager.CreateCSINode`).
    async fn tell_storage_drivers(&self, uid: &str) {
        let name = &self.config.name;
        let object = Object::new(json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "CSINode",
            "metadata": {
                "name": name,
                "annotations": { "storage.alpha.kubernetes.io/migrated-plugins": MIGRATED_PLUGINS },
                "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": name, "uid": uid }],
            },
            "spec": {},
        }));
        loop {
            match self.client.create(&kinds::CSI_NODES, "", object.clone()).await {
                Err(error) if !error.is_already_exists() => self.sim.sleep(API_RETRY).await,
                _ => return,
            }
        }
    }

    fn object(&self) -> Object {
        let config = &self.config;
        let mut labels = json!({
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": config.name,
            "kubernetes.io/os": "linux",
        });
        for (key, value) in &config.labels {
            labels[key.as_str()] = value.clone().into();
        }
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": config.name,
                "labels": labels,
                "annotations": { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
            },
            "spec": self.spec(),
            "status": self.status(),
        }))
    }

    fn spec(&self) -> Value {
        let config = &self.config;
        let mut spec = json!({});
        if !config.pod_cidr.is_empty() {
            spec["podCIDR"] = config.pod_cidr.clone().into();
            spec["podCIDRs"] = json!([config.pod_cidr]);
        }
        if !config.provider_id.is_empty() {
            spec["providerID"] = config.provider_id.clone().into();
        }
        if !config.taints.is_empty() {
            let taints = config.taints.iter().map(|(key, effect)| json!({ "key": key, "effect": effect }));
            spec["taints"] = taints.collect::<Vec<_>>().into();
        }
        spec
    }

    fn status(&self) -> Value {
        let now = self.sim.now().rfc3339();
        let condition = |kind: &str, is_true: bool, reason: &str, message: &str, since: Time| {
            json!({
                "type": kind,
                "status": if is_true { "True" } else { "False" },
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": now,
                "lastTransitionTime": since.rfc3339(),
            })
        };
        let pressure = |kind: Condition| {
            let ((has, since), words) = (self.pressure.state(kind), kind.words());
            let (reason, message, _) = if has { words.insufficient } else { words.sufficient };
            condition(words.kind, has, reason, message, since)
        };
        let mut conditions: Vec<Value> = Condition::ALL.into_iter().map(pressure).collect();
        conditions.push(condition("Ready", true, "KubeletReady", "kubelet is posting ready status", self.since));
        let config = &self.config;
        let uuid = self.machine_id.to_uppercase();
        let more = config.more_addresses.iter().map(|(kind, address)| json!({ "type": kind, "address": address }));
        let own = std::iter::once(json!({ "type": "InternalIP", "address": config.ip.to_string() }));
        json!({
            "addresses": own.chain(more).collect::<Vec<_>>(),
            "capacity": config.capacity(),
            "allocatable": config.allocatable_amounts(),
            "conditions": conditions,
            "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
            "images": self.images(),
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": self.boot_id,
                "containerRuntimeVersion": config.container_runtime,
                // `uname -r` says it too: images/busybox/src/applets/uname.rs, crates/shell/src/tools/host.rs.
                "kernelVersion": "6.6.87-kubonsai",
                "kubeProxyVersion": "",
                "kubeletVersion": config.version,
                "machineID": self.machine_id.replace('-', ""),
                "operatingSystem": "linux",
                "osImage": config.os_image,
                "systemUUID": uuid.to_lowercase(),
            },
        })
    }

    fn images(&self) -> Value {
        let mut images = self.runtime.images();
        images.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.names.cmp(&b.names)));
        images.truncate(NODE_STATUS_IMAGES_MAX);
        let shown = images.iter().map(|i| json!({ "names": i.names, "sizeBytes": i.size_bytes }));
        shown.collect::<Vec<_>>().into()
    }

    async fn report(&self) {
        let patch = json!({ "status": self.status() });
        let name = &self.config.name;
        while let Err(error) = self.client.patch(&kinds::NODES, "", name, "status", PatchType::Strategic, &patch).await
        {
            if error.is_not_found() {
                return;
            }
            self.sim.sleep(API_RETRY).await;
        }
    }

    /// Reports the status every five minutes, and within ten seconds of a change.
    pub(crate) async fn keep_status(self: Rc<Self>) {
        loop {
            let mut timer = self.sim.sleep(NODE_STATUS_PERIOD);
            std::future::poll_fn(|cx| {
                use std::future::Future as _;
                if self.changed.get() {
                    return std::task::Poll::Ready(());
                }
                self.waiters.register(cx);
                std::pin::Pin::new(&mut timer).poll(cx)
            })
            .await;
            if self.changed.get() {
                self.sim.sleep(LEASE_PERIOD).await;
                self.changed.set(false);
            }
            Box::pin(self.report()).await;
        }
    }

    /// Renews the lease every ten seconds, and calls `beat` each time.
    pub(crate) async fn keep_lease(self: Rc<Self>, beat: impl Fn()) {
        let mut held: Option<Object> = None;
        let mut pause = Duration::from_millis(200);
        let mut was_unheard = false;
        loop {
            match Box::pin(self.renew(held.take())).await {
                Ok(lease) => {
                    held = Some(lease);
                    if std::mem::take(&mut was_unheard) {
                        self.doubt();
                    }
                    pause = Duration::from_millis(200);
                    beat();
                    self.sim.sleep(LEASE_PERIOD).await;
                }
                Err(error) => {
                    // The API answers while the node is not registered yet.
                    was_unheard |= matches!(error, client::Error::Transport(_));
                    self.sim.sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(7));
                }
            }
        }
    }

    async fn renew(&self, held: Option<Object>) -> Result<Object, client::Error> {
        let name = &self.config.name;
        let now = self.sim.now().rfc3339_micro();
        let held = match held {
            Some(lease) => Some(lease),
            None => match self.client.get(&kinds::LEASES, LEASE_NAMESPACE, name).await {
                Ok(lease) => Some(lease),
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(error),
            },
        };
        if let Some(mut lease) = held {
            lease.set("spec.holderIdentity", name.as_str());
            lease.set("spec.leaseDurationSeconds", LEASE_SECONDS);
            lease.set("spec.renewTime", now);
            return self.client.update(&kinds::LEASES, lease).await;
        }
        let node = self.client.get(&kinds::NODES, "", name).await?;
        let lease = Object::new(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": name,
                "namespace": LEASE_NAMESPACE,
                "ownerReferences": [
                    { "apiVersion": "v1", "kind": "Node", "name": name, "uid": node.uid() },
                ],
            },
            "spec": { "holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now },
        }));
        self.client.create(&kinds::LEASES, LEASE_NAMESPACE, lease).await
    }
}
