//! Stand-ins for three kubelets: pods that are bound run after 700 ms, unknown tags fail, deleted pods go.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::Object;
use api::kinds::{NAMESPACES, NODES, PODS, SERVICES};
use client::{Client, DeleteOptions, ListOptions, WatchKind};
use serde_json::{Value, json};
use simulation::Sim;

const NAMES: [&str; 3] = ["minikube", "minikube-m02", "minikube-m03"];

/// Starts the stand-ins.
pub fn start(sim: &Sim, client: &Client) {
    let (sim, client) = (sim.clone(), client.clone());
    sim.clone().spawn(async move {
        for (i, name) in NAMES.iter().enumerate() {
            register(&sim, &client, name, i).await;
        }
        dns(&client).await;
        follow(sim, client).await;
    });
}

async fn register(sim: &Sim, client: &Client, name: &str, index: usize) {
    let now = sim.now().rfc3339();
    let mut labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"});
    if index == 0 {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
    }
    let ready = json!({"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now, "lastTransitionTime": now});
    let amounts = json!({"cpu": "2", "memory": "24684132Ki", "pods": "110", "ephemeral-storage": "263112772Ki"});
    let node = json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": format!("10.244.{index}.0/24")},
        "status": {"conditions": [ready], "capacity": amounts, "allocatable": amounts,
            "addresses": [{"type": "InternalIP", "address": format!("192.168.49.{}", index + 2)}, {"type": "Hostname", "address": name}],
            "nodeInfo": {"kubeletVersion": "v1.36.3"}},
    });
    let _ = client.create(&NODES, "", Object::new(node)).await;
}

async fn dns(client: &Client) {
    let _ = client.get(&NAMESPACES, "", "kube-system").await;
    let service = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}},
        "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"},
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53}, {"name": "metrics", "port": 9153}]}});
    let _ = client.create(&SERVICES, "kube-system", Object::new(service)).await;
}

async fn follow(sim: Sim, client: Client) {
    let busy: Rc<RefCell<BTreeMap<String, bool>>> = Rc::default();
    let mut version = String::new();
    loop {
        let list = ListOptions { resource_version: version.clone(), ..ListOptions::default() };
        let Ok(mut watch) = client.watch(&PODS, "", &list).await else {
            sim.sleep(Duration::from_secs(1)).await;
            continue;
        };
        while let Some(Ok(event)) = watch.next().await {
            if !matches!(event.kind, WatchKind::Added | WatchKind::Modified) {
                continue;
            }
            let pod = event.object;
            version = pod.resource_version().to_owned();
            let uid = pod.uid().to_owned();
            if pod.str("spec.nodeName").is_empty() {
                continue;
            }
            let started = busy.borrow().get(&uid).copied();
            if started.is_none() {
                busy.borrow_mut().insert(uid.clone(), false);
                let (s, c) = (sim.clone(), client.clone());
                sim.spawn(async move { run(s, c, pod.clone()).await });
            } else if pod.is_deleting() && started == Some(false) {
                busy.borrow_mut().insert(uid, true);
                let (s, c) = (sim.clone(), client.clone());
                sim.spawn(async move { stop(s, c, pod.clone()).await });
            }
        }
    }
}

async fn stop(sim: Sim, client: Client, pod: Object) {
    sim.sleep(Duration::from_millis(600)).await;
    let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    let _ = client.delete(&PODS, pod.namespace(), pod.name(), &options).await;
}

/// What becomes of an image.
fn is_known(image: &str) -> bool {
    let tag = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    !matches!(tag, "doesnotexist" | "notfound" | "1.161" | "v10" | "nope")
}

async fn run(sim: Sim, client: Client, pod: Object) {
    let node = pod.str("spec.nodeName").to_owned();
    let index = NAMES.iter().position(|n| *n == node).unwrap_or(0);
    let ip = format!("10.244.{index}.{}", 2 + sim.random_below(200));
    write(&sim, &client, &pod, &node, index, &ip, false).await;
    sim.sleep(Duration::from_millis(700)).await;
    write(&sim, &client, &pod, &node, index, &ip, true).await;
}

async fn write(sim: &Sim, client: &Client, pod: &Object, node: &str, index: usize, ip: &str, pulled: bool) {
    let now = sim.now().rfc3339();
    let Ok(mut fresh) = client.get(&PODS, pod.namespace(), pod.name()).await else { return };
    if fresh.uid() != pod.uid() || fresh.is_deleting() {
        return;
    }
    let generation = fresh.generation();
    let mut all_ready = true;
    let mut ended = None;
    let statuses: Vec<Value> = fresh
        .list("spec.containers")
        .iter()
        .map(|c| {
            let image = c["image"].as_str().unwrap_or("");
            let words = format!("{} {}", c["command"], c["args"]);
            let ends = image.starts_with("hello-world") || words.contains("exit 0") || words.contains("netexec");
            let state = match (pulled, is_known(image)) {
                (false, _) => json!({"waiting": {"reason": "ContainerCreating"}}),
                (true, false) => json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}),
                (true, true) if ends => {
                    ended = Some("Succeeded");
                    json!({"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}})
                }
                (true, true) => json!({"running": {"startedAt": now}}),
            };
            let ready = state.get("running").is_some();
            all_ready &= ready;
            let full = if image.rsplit('/').next().unwrap_or("").contains(':') { image.to_owned() } else { format!("{image}:latest") };
            json!({"name": c["name"], "image": full, "imageID": if ready { "docker-pullable://x@sha256:1" } else { "" },
                "containerID": if ready { "docker://1" } else { "" }, "ready": ready, "started": ready, "restartCount": 0,
                "state": state, "lastState": {}})
        })
        .collect();
    let condition = |kind: &str, on: bool| json!({"type": kind, "status": if on { "True" } else { "False" }, "lastProbeTime": null, "lastTransitionTime": now, "observedGeneration": generation});
    let scheduled = fresh.list("status.conditions").iter().any(|c| c["type"] == "PodScheduled");
    let mut conditions = vec![
        condition("PodReadyToStartContainers", pulled && ended.is_none()),
        condition("Initialized", true),
        condition("Ready", all_ready && pulled),
        condition("ContainersReady", all_ready && pulled),
    ];
    if scheduled {
        conditions.push(condition("PodScheduled", true));
    }
    let phase = ended.unwrap_or(if all_ready { "Running" } else { "Pending" });
    fresh.set("status.phase", phase);
    fresh.set("status.conditions", Value::Array(conditions));
    fresh.set("status.containerStatuses", Value::Array(statuses));
    fresh.set("status.startTime", now.clone());
    fresh.set("status.hostIP", format!("192.168.49.{}", index + 2));
    fresh.set("status.hostIPs", json!([{"ip": format!("192.168.49.{}", index + 2)}]));
    fresh.set("status.observedGeneration", generation);
    if pulled {
        fresh.set("status.podIP", ip);
        fresh.set("status.podIPs", json!([{"ip": ip}]));
    }
    let _ = node;
    let _ = client.update_sub(&PODS, "status", fresh).await;
}
