//! What the map shows, computed from API objects: a plain snapshot in stable order.

use std::collections::BTreeMap;

use api::Object;
use api::quantity::Quantity;
use serde::{Deserialize, Serialize};

/// Everything on the map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// There is an API server.
    pub cluster: bool,
    /// By name.
    pub nodes: Vec<NodeTile>,
    /// By namespace and name. System namespaces are left out, here and of everything below.
    pub pods: Vec<PodTile>,
    /// By namespace and name.
    pub services: Vec<ServiceTile>,
    /// Deployments, by namespace and name.
    pub deployments: Vec<WorkloadTile>,
    /// ReplicaSets that want or have pods, by namespace and name.
    pub replica_sets: Vec<WorkloadTile>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTile {
    /// Name.
    pub name: String,
    /// Internal IP.
    pub address: String,
    /// Condition Ready is True.
    pub ready: bool,
    /// New pods may come here.
    pub schedulable: bool,
    /// CPU requested by its pods, in thousandths.
    pub cpu_requested_milli: i64,
    /// CPU it can give, in thousandths.
    pub cpu_allocatable_milli: i64,
    /// Memory requested by its pods, in bytes.
    pub memory_requested: i64,
    /// Memory it can give, in bytes.
    pub memory_allocatable: i64,
}

/// How a pod is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PodState {
    /// No node yet.
    Pending,
    /// On a node, containers are being made.
    Starting,
    /// Running but not ready.
    NotReady,
    /// Running and ready.
    Ready,
    /// Being deleted.
    Terminating,
    /// A container cannot start or keeps failing.
    Failing,
    /// All containers ended well.
    Succeeded,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodTile {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Node, empty while it has none.
    pub node: String,
    /// How it is drawn.
    pub state: PodState,
    /// The word that kubectl shows under STATUS for containers that wait, e.g. `ImagePullBackOff`; empty otherwise.
    pub reason: String,
    /// Image of its first container.
    pub image: String,
    /// Restarts of all its containers.
    pub restarts: i64,
    /// Address.
    pub ip: String,
    /// Name of the controlling object, empty if there is none.
    pub owner: String,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTile {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Type.
    pub kind: String,
    /// Cluster IP.
    pub cluster_ip: String,
    /// `8080:30610` or `443`.
    pub ports: Vec<String>,
    /// Names of the pods that are ready behind it.
    pub endpoints: Vec<String>,
}

/// A Deployment or a ReplicaSet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadTile {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Name of the controlling object, empty if there is none.
    pub owner: String,
    /// Replicas wanted.
    pub desired: i64,
    /// Replicas ready.
    pub ready: i64,
}

/// Where the objects come from.
pub trait Objects {
    /// All objects of a kind, in every namespace.
    fn all(&self, api_version: &str, kind: &str) -> Vec<Object>;
}

impl Picture {
    /// The picture of what is there now.
    pub fn draw(cluster: bool, objects: &dyn Objects) -> Picture {
        if !cluster {
            return Picture::default();
        }
        let pods = objects.all("v1", "Pod");
        let slices = objects.all("discovery.k8s.io/v1", "EndpointSlice");
        let all = |api_version, kind| objects.all(api_version, kind).into_iter().filter(is_learners);
        let replica_sets = all("apps/v1", "ReplicaSet").map(|r| workload(&r));
        Picture {
            cluster,
            nodes: objects.all("v1", "Node").iter().map(|node| node_tile(node, &pods)).collect(),
            pods: pods.iter().filter(|p| is_learners(p)).map(pod_tile).collect(),
            services: all("v1", "Service").map(|s| service_tile(&s, &slices)).collect(),
            deployments: all("apps/v1", "Deployment").map(|d| workload(&d)).collect(),
            replica_sets: replica_sets.filter(|r| r.desired > 0 || r.ready > 0).collect(),
        }
    }
}

fn is_learners(object: &Object) -> bool {
    !object.namespace().starts_with("kube-")
}

fn condition(object: &Object, kind: &str) -> bool {
    object.list("status.conditions").iter().any(|c| {
        c.get("type").and_then(|t| t.as_str()) == Some(kind) && c.get("status").and_then(|s| s.as_str()) == Some("True")
    })
}

fn quantity(text: &str) -> Option<Quantity> {
    Quantity::parse(text).ok()
}

fn requested(pods: &[Object], node: &str, resource: &str, read: impl Fn(&Quantity) -> i64) -> i64 {
    let on_node = pods.iter().filter(|p| p.str("spec.nodeName") == node);
    let running = on_node.filter(|p| !["Succeeded", "Failed"].contains(&p.str("status.phase")));
    let containers = running.flat_map(|p| p.list("spec.containers"));
    containers
        .filter_map(|c| api::object_at(c, "resources.requests").get(resource)?.as_str().and_then(quantity))
        .map(|q| read(&q))
        .sum()
}

fn node_tile(node: &Object, pods: &[Object]) -> NodeTile {
    let allocatable =
        |resource: &str| node.at("status.allocatable").get(resource).and_then(|v| v.as_str()).and_then(quantity);
    let address =
        node.list("status.addresses").iter().find(|a| a.get("type").and_then(|t| t.as_str()) == Some("InternalIP"));
    NodeTile {
        name: node.name().to_owned(),
        address: address.and_then(|a| a.get("address")?.as_str()).unwrap_or("").to_owned(),
        ready: condition(node, "Ready"),
        schedulable: !node.bool("spec.unschedulable"),
        cpu_requested_milli: requested(pods, node.name(), "cpu", |q| q.milli_value()),
        cpu_allocatable_milli: allocatable("cpu").map_or(0, |q| q.milli_value()),
        memory_requested: requested(pods, node.name(), "memory", |q| q.value()),
        memory_allocatable: allocatable("memory").map_or(0, |q| q.value()),
    }
}

/// The word under STATUS, as `kubectl get pods` prints it for pods without init containers.
pub fn pod_status(pod: &Object) -> String {
    let statuses = pod.list("status.containerStatuses");
    let reason = |s: &json::Value| {
        ["state.waiting.reason", "state.terminated.reason"]
            .into_iter()
            .find_map(|path| api::object_at(s, path).as_str().map(str::to_owned))
    };
    if pod.is_deleting() {
        return "Terminating".to_owned();
    }
    let phase = match pod.str("status.reason") {
        "" => pod.str("status.phase"),
        reason => reason,
    };
    statuses.iter().find_map(reason).unwrap_or_else(|| phase.to_owned())
}

fn pod_tile(pod: &Object) -> PodTile {
    let statuses = pod.list("status.containerStatuses");
    let waiting = statuses.iter().filter_map(|s| api::object_at(s, "state.waiting.reason").as_str());
    let reason = waiting.clone().find(|r| !["ContainerCreating", "PodInitializing"].contains(r)).unwrap_or("");
    let state = match pod.str("status.phase") {
        _ if pod.is_deleting() => PodState::Terminating,
        "Succeeded" => PodState::Succeeded,
        "Failed" => PodState::Failing,
        _ if !reason.is_empty() => PodState::Failing,
        "Running" if condition(pod, "Ready") => PodState::Ready,
        "Running" => PodState::NotReady,
        _ if pod.str("spec.nodeName").is_empty() => PodState::Pending,
        _ => PodState::Starting,
    };
    let image = pod.list("spec.containers").first().and_then(|c| c.get("image")?.as_str());
    PodTile {
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        node: pod.str("spec.nodeName").to_owned(),
        state,
        reason: reason.to_owned(),
        image: image.unwrap_or("").to_owned(),
        restarts: statuses.iter().filter_map(|s| s.get("restartCount")?.as_i64()).sum(),
        ip: pod.str("status.podIP").to_owned(),
        owner: pod.controller_ref().map(|r| r.name).unwrap_or_default(),
        labels: pod.labels(),
    }
}

fn service_tile(service: &Object, slices: &[Object]) -> ServiceTile {
    let ports = service.list("spec.ports").iter().map(|port| {
        let number = |field: &str| port.get(field).and_then(|v| v.as_i64());
        match (number("port"), number("nodePort")) {
            (Some(port), Some(node_port)) => format!("{port}:{node_port}"),
            (Some(port), None) => port.to_string(),
            _ => String::new(),
        }
    });
    let mine = slices.iter().filter(|s| {
        s.namespace() == service.namespace() && s.label("kubernetes.io/service-name") == Some(service.name())
    });
    let mut endpoints: Vec<String> = mine
        .flat_map(|slice| slice.list("endpoints"))
        .filter(|e| api::object_at(e, "conditions.ready").as_bool() == Some(true))
        .filter_map(|e| api::object_at(e, "targetRef.name").as_str().map(str::to_owned))
        .collect();
    endpoints.sort();
    ServiceTile {
        namespace: service.namespace().to_owned(),
        name: service.name().to_owned(),
        kind: service.str("spec.type").to_owned(),
        cluster_ip: service.str("spec.clusterIP").to_owned(),
        ports: ports.collect(),
        endpoints,
    }
}

fn workload(object: &Object) -> WorkloadTile {
    WorkloadTile {
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        owner: object.controller_ref().map(|r| r.name).unwrap_or_default(),
        desired: object.int("spec.replicas").unwrap_or(1),
        ready: object.int("status.readyReplicas").unwrap_or(0),
    }
}
