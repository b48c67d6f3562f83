//! The other controllers, each by what a user sees of it.

use std::time::Duration;

use api::kinds;
use client::{DeleteOptions, Propagation};
use json::json;

use crate::world::{World, deployment};

const SETTLE: Duration = Duration::from_secs(5);

fn settled(seed: u64, replicas: i64) -> World {
    let world = World::new(seed);
    world.create(&kinds::DEPLOYMENTS, deployment(replicas, "nginx:1.25"));
    world.run(SETTLE);
    world
}

#[test]
fn namespaces_are_furnished_and_emptied() {
    let world = settled(1, 2);
    assert!(world.get(&kinds::SERVICE_ACCOUNTS, "default").is_some());
    let map = world.get(&kinds::CONFIG_MAPS, "kube-root-ca.crt").expect("published");
    assert!(map.at("data")["ca.crt"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    world.delete(&kinds::NAMESPACES, "test", DeleteOptions::default());
    let going = world.get(&kinds::NAMESPACES, "test").expect("pods take their time");
    assert_eq!(going.str("status.phase"), "Terminating");
    world.run(SETTLE);
    assert!(world.get(&kinds::NAMESPACES, "test").is_none());
    for kind in [&kinds::PODS, &kinds::DEPLOYMENTS, &kinds::REPLICA_SETS, &kinds::CONFIG_MAPS, &kinds::EVENTS] {
        assert!(world.list(kind).is_empty(), "{} are left", kind.plural);
    }
}

/// A namespace does not go while the server holds something in it, whatever the controllers have heard of.
#[test]
fn a_namespace_waits_for_what_is_not_seen() {
    let world = World::new(1);
    world.hold_pods(true);
    world.create(&kinds::DEPLOYMENTS, deployment(2, "nginx:1.25"));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kept", "finalizers": ["example.com/hold"]}});
    world.run(Duration::from_secs(2));
    assert_eq!(world.list(&kinds::PODS).len(), 2);
    world.create(&kinds::CONFIG_MAPS, map);
    // The pretended kubelets would end the pods.
    world.silence_kubelets();
    world.delete(&kinds::NAMESPACES, "test", DeleteOptions::default());
    world.run(Duration::from_secs(20));
    let pods = world.list(&kinds::PODS);
    assert!(pods.len() == 2 && pods.iter().all(|pod| pod.is_deleting()), "the pods are swept and still there");
    assert!(world.get(&kinds::DEPLOYMENTS, "web").is_some(), "pods go first");
    let now = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
    for pod in pods {
        world.delete(&kinds::PODS, pod.name(), now.clone());
    }
    world.run(Duration::from_secs(20));
    assert!(world.get(&kinds::DEPLOYMENTS, "web").is_none(), "then the rest");
    assert!(world.get(&kinds::NAMESPACES, "test").is_some(), "a finalizer keeps a config map, and so the namespace");
    world.patch(&kinds::CONFIG_MAPS, "kept", json!({"metadata": {"finalizers": null}}));
    world.run(Duration::from_secs(20));
    assert!(world.get(&kinds::NAMESPACES, "test").is_none());
}

#[test]
fn background_deletion_collects_and_orphaning_lets_go() {
    let world = settled(2, 2);
    world.delete(&kinds::DEPLOYMENTS, "web", DeleteOptions::default());
    assert!(world.get(&kinds::DEPLOYMENTS, "web").is_none());
    world.run(SETTLE);
    assert!(world.list(&kinds::REPLICA_SETS).is_empty() && world.list(&kinds::PODS).is_empty());

    world.create(&kinds::DEPLOYMENTS, deployment(2, "nginx:1.25"));
    world.run(SETTLE);
    let orphan = DeleteOptions { propagation: Some(Propagation::Orphan), ..DeleteOptions::default() };
    world.delete(&kinds::DEPLOYMENTS, "web", orphan);
    world.run(SETTLE);
    assert!(world.get(&kinds::DEPLOYMENTS, "web").is_none());
    let sets = world.list(&kinds::REPLICA_SETS);
    assert_eq!((sets.len(), sets[0].owner_references().len(), world.list(&kinds::PODS).len()), (1, 0, 2));
    // A new Deployment with the same selector and template adopts what was left.
    world.create(&kinds::DEPLOYMENTS, deployment(2, "nginx:1.25"));
    world.run(SETTLE);
    let sets = world.list(&kinds::REPLICA_SETS);
    assert_eq!((sets.len(), sets[0].owner_references().len()), (1, 1));
    let adopted = world.get(&kinds::DEPLOYMENTS, "web").unwrap();
    assert!(adopted.list("status.conditions").iter().any(|c| c["reason"] == "NewReplicaSetAvailable"));
    assert_eq!(adopted.annotation("deployment.kubernetes.io/revision"), Some("1"));
}

#[test]
fn endpoints_follow_pods() {
    let world = settled(3, 2);
    world.create(
        &kinds::SERVICES,
        json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 80}]}}),
    );
    world.run(SETTLE);
    let endpoints = world.get(&kinds::ENDPOINTS, "web").expect("written");
    assert_eq!(endpoints.label("endpoints.kubernetes.io/managed-by"), Some("endpoint-controller"));
    let subset = &endpoints.list("subsets")[0];
    assert_eq!(subset["addresses"].as_array().unwrap().len(), 2);
    assert_eq!(subset["ports"], json!([{"port": 80, "protocol": "TCP"}]));
    let slices = || world.list(&kinds::ENDPOINT_SLICES);
    let slice = slices().remove(0);
    assert!(slice.name().starts_with("web-"));
    assert_eq!(slice.at("ports"), &json!([{"name": "", "port": 80, "protocol": "TCP"}]));
    assert_eq!(slice.label("kubernetes.io/service-name"), Some("web"));
    let conditions = json!({"ready": true, "serving": true, "terminating": false});
    assert!(slice.list("endpoints").iter().all(|e| e["conditions"] == conditions), "{:?}", slice.list("endpoints"));

    world.patch(&kinds::DEPLOYMENTS, "web", json!({"spec": {"replicas": 3}}));
    world.run(SETTLE);
    assert_eq!(slices().remove(0).list("endpoints").len(), 3);
    world.patch(&kinds::DEPLOYMENTS, "web", json!({"spec": {"replicas": 0}}));
    world.run(SETTLE);
    assert_eq!((slices().len(), slices().remove(0).list("endpoints").len()), (1, 0));
    world.delete(&kinds::SERVICES, "web", DeleteOptions::default());
    world.run(SETTLE);
    assert!(slices().is_empty() && world.get(&kinds::ENDPOINTS, "web").is_none());
}

#[test]
fn endpoints_by_hand_are_mirrored_for_a_service_without_a_selector() {
    let world = World::new(11);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
        "spec": {"ports": [{"port": 5432}]}});
    world.create(&kinds::SERVICES, service);
    let subsets = json!([{"addresses": [{"ip": "192.168.49.1"}], "ports": [{"port": 5432}]}]);
    world.create(
        &kinds::ENDPOINTS,
        json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"}, "subsets": subsets}),
    );
    world.run(SETTLE);
    let slices = || world.list(&kinds::ENDPOINT_SLICES);
    assert_eq!(slices().len(), 1);
    assert_eq!(slices()[0].list("endpoints")[0]["addresses"], json!(["192.168.49.1"]));
    world.delete(&kinds::ENDPOINTS, "db", DeleteOptions::default());
    world.run(SETTLE);
    assert!(slices().is_empty());
}

#[test]
fn a_secret_for_an_account_is_filled_and_goes_with_it() {
    let world = World::new(12);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}});
    world.create(&kinds::SERVICE_ACCOUNTS, account);
    world.create(
        &kinds::SECRETS,
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "robot", "annotations": {"kubernetes.io/service-account.name": "robot"}}}),
    );
    world.run(SETTLE);
    let secret = || world.get(&kinds::SECRETS, "robot");
    let filled = secret().expect("kept");
    let keys: Vec<String> = filled.at("data").as_object().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["ca.crt", "namespace", "token"]);
    world.delete(&kinds::SERVICE_ACCOUNTS, "robot", DeleteOptions::default());
    world.run(SETTLE);
    assert!(secret().is_none());
}

#[test]
fn pods_wait_for_room_and_take_it() {
    let world = World::new(4);
    let mut big = deployment(1, "nginx:1.25");
    big["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "64"}});
    world.create(&kinds::DEPLOYMENTS, big);
    world.run(SETTLE);
    let pod = world.list(&kinds::PODS).remove(0);
    let condition = &pod.list("status.conditions")[0];
    let message = "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are \
                   available: 3 Preemption is not helpful for scheduling.";
    assert_eq!(condition["message"], message);
    assert_eq!((condition["reason"].as_str(), condition["status"].as_str()), (Some("Unschedulable"), Some("False")));
    assert_eq!(world.events(pod.name()), [format!("FailedScheduling: {message}")]);
    let mut giant = crate::world::node("giant");
    giant["status"]["allocatable"]["cpu"] = "96".into();
    world.create(&kinds::NODES, giant);
    world.run(SETTLE);
    let pod = world.list(&kinds::PODS).remove(0);
    assert_eq!((pod.str("spec.nodeName"), pod.str("status.phase")), ("giant", "Running"));
    let scheduled = format!("Scheduled: Successfully assigned test/{} to giant", pod.name());
    assert!(world.events(pod.name()).contains(&scheduled));
}

#[test]
fn important_pods_take_the_place_of_others() {
    let world = World::new(6);
    world.create(
        &kinds::PRIORITY_CLASSES,
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}),
    );
    let create = |name: &str, spec: json::Value| {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
        pod["spec"]["containers"] =
            json!([{"name": "c", "image": "nginx:1.25", "resources": {"requests": {"cpu": "1500m"}}}]);
        world.create(&kinds::PODS, pod)
    };
    for name in ["low-1", "low-2", "low-3"] {
        create(name, json!({}));
    }
    world.run(SETTLE);
    let uid = create("vip", json!({"priorityClassName": "high"})).uid().to_owned();
    world.run(Duration::from_millis(300));
    let vip = || world.get(&kinds::PODS, "vip").expect("it is there");
    let node = vip().str("status.nominatedNodeName").to_owned();
    assert!(!node.is_empty() && vip().str("spec.nodeName").is_empty(), "{:?}", vip());
    let leaving: Vec<api::Object> = world.list(&kinds::PODS).into_iter().filter(api::Object::is_deleting).collect();
    let [victim] = leaving.as_slice() else { panic!("one has to go: {leaving:?}") };
    assert_eq!(victim.str("spec.nodeName"), node);
    let why = victim.list("status.conditions").iter().find(|c| c["type"] == "DisruptionTarget").expect("it is told");
    assert_eq!((&why["status"], &why["reason"]), (&json!("True"), &json!("PreemptionByScheduler")));
    assert_eq!(why["message"], "default-scheduler: preempting to accommodate a higher priority pod");
    let preempted = format!("Preempted: Preempted by pod {uid} on node {node}");
    assert!(world.events(victim.name()).contains(&preempted), "{:?}", world.events(victim.name()));
    let events = world.list(&kinds::EVENTS);
    let event = events.iter().find(|event| event.str("reason") == "Preempted").expect("seen above");
    assert_eq!((event.str("type"), event.str("action"), event.str("related.name")), ("Normal", "Preempting", "vip"));
    // The victim is gone before the pod's pause is over. Nobody comes in between.
    while world.get(&kinds::PODS, victim.name()).is_some() {
        world.run(Duration::from_millis(20));
    }
    assert!(vip().str("spec.nodeName").is_empty(), "it pauses");
    create("thief", json!({}));
    world.run(SETTLE);
    assert_eq!((vip().str("spec.nodeName"), vip().str("status.phase")), (node.as_str(), "Running"));
    assert_eq!(vip().str("status.nominatedNodeName"), "", "bound pods need no nomination");
    let full = "0/3 nodes are available: 3 Insufficient cpu.";
    assert_eq!(
        world.events("vip"),
        [format!("FailedScheduling: {full}"), format!("Scheduled: Successfully assigned test/vip to {node}")]
    );
    let nobody = "no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for \
                  incoming pod.";
    assert_eq!(world.events("thief"), [format!("FailedScheduling: {full} {nobody}")]);
}

#[test]
fn a_silent_node_loses_its_pods() {
    let world = settled(5, 3);
    world.silence_kubelets();
    // Two nodes go on renewing their leases, one falls silent.
    for name in ["minikube", "minikube-m02"] {
        let (sim, client) = (world.sim.clone(), world.client.clone());
        world.sim.spawn(async move {
            loop {
                let lease = api::Object::new(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                    "metadata": {"name": name, "namespace": "kube-node-lease"},
                    "spec": {"holderIdentity": name, "leaseDurationSeconds": 40,
                        "renewTime": sim.now().rfc3339_micro()}}));
                if client.create(&kinds::LEASES, "kube-node-lease", lease.clone()).await.is_err() {
                    let renew = json!({"spec": {"renewTime": lease.at("spec.renewTime")}});
                    let merge = client::PatchType::Merge;
                    client.patch(&kinds::LEASES, "kube-node-lease", name, "", merge, &renew).await.expect("renewed");
                }
                sim.sleep(Duration::from_secs(10)).await;
            }
        });
    }
    world.run(Duration::from_secs(60));
    let node = world.get(&kinds::NODES, "minikube-m03").unwrap();
    let ready = node.list("status.conditions").iter().find(|c| c["type"] == "Ready").unwrap().clone();
    assert_eq!((ready["status"].as_str(), ready["reason"].as_str()), (Some("Unknown"), Some("NodeStatusUnknown")));
    let effects: Vec<&str> = node.list("spec.taints").iter().filter_map(|t| t["effect"].as_str()).collect();
    assert_eq!(effects, ["NoSchedule", "NoExecute"]);
    for name in ["minikube", "minikube-m02"] {
        assert!(world.get(&kinds::NODES, name).unwrap().list("spec.taints").is_empty(), "{name} is heard of");
    }
    let pods = world.list(&kinds::PODS);
    let lost = pods.iter().find(|pod| pod.str("spec.nodeName") == "minikube-m03").expect("one pod a node");
    assert!(!lost.is_deleting(), "it has five minutes");
    world.run(Duration::from_secs(300));
    let pods = world.list(&kinds::PODS);
    let lost = pods.iter().find(|pod| pod.str("spec.nodeName") == "minikube-m03").expect("nobody ends it there");
    assert!(lost.is_deleting());
    let marked = format!("TaintManagerEviction: Marking for deletion Pod test/{}", lost.name());
    assert!(world.events(lost.name()).contains(&marked));
    assert_eq!(pods.iter().filter(|pod| !pod.is_deleting()).count(), 3, "another pod took its place");
}

#[test]
fn recreate_ends_the_old_before_it_starts_the_new() {
    let world = World::new(12);
    let mut recreate = deployment(2, "nginx:1.25");
    recreate["spec"]["strategy"] = json!({"type": "Recreate"});
    world.create(&kinds::DEPLOYMENTS, recreate);
    world.run(SETTLE);
    let containers = json!([{"name": "nginx", "image": "nginx:1.26"}]);
    world.patch(&kinds::DEPLOYMENTS, "web", json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    let mut images = Vec::new();
    for _ in 0..40 {
        world.run(Duration::from_millis(50));
        let pods = world.list(&kinds::PODS);
        let mut now: Vec<String> = pods.iter().map(|p| p.list("spec.containers")[0]["image"].to_string()).collect();
        now.dedup();
        assert!(now.len() <= 1, "old and new at the same time: {now:?}");
        images.extend(now);
    }
    images.dedup();
    assert_eq!(images, ["\"nginx:1.25\"", "\"nginx:1.26\""]);
    world.run(SETTLE);
    assert_eq!(world.get(&kinds::DEPLOYMENTS, "web").unwrap().int("status.availableReplicas"), Some(2));
}

#[test]
fn a_rollout_that_is_stuck_misses_its_deadline() {
    let world = World::new(13);
    world.create(&kinds::DEPLOYMENTS, deployment(1, "nginx:notfound"));
    let progressing = || {
        let deployment = world.get(&kinds::DEPLOYMENTS, "web").unwrap();
        let conditions = deployment.list("status.conditions");
        let found = conditions.iter().find(|c| c["type"] == "Progressing").unwrap();
        format!("{} {} {}", found["status"], found["reason"], found["message"]).replace('"', "")
    };
    world.run(Duration::from_secs(599));
    assert!(progressing().starts_with("True ReplicaSetUpdated ReplicaSet"), "{}", progressing());
    world.run(Duration::from_secs(4));
    assert!(progressing().starts_with("False ProgressDeadlineExceeded ReplicaSet"), "{}", progressing());
    assert!(progressing().ends_with("has timed out progressing."), "{}", progressing());
}

#[test]
fn nodes_that_are_cordoned_tainted_or_gone() {
    let world = settled(14, 3);
    let node = |name: &str| world.get(&kinds::NODES, name).unwrap();
    assert_eq!(node("minikube").annotation("node.alpha.kubernetes.io/ttl"), Some("0"));
    assert!(node("minikube").str("spec.podCIDR").starts_with("10.244."));
    world.patch(&kinds::NODES, "minikube", json!({"spec": {"unschedulable": true}}));
    world.run(SETTLE);
    let taint = node("minikube").list("spec.taints")[0].clone();
    assert_eq!(
        (taint["key"].as_str(), taint["effect"].as_str()),
        (Some("node.kubernetes.io/unschedulable"), Some("NoSchedule"))
    );
    world.patch(&kinds::NODES, "minikube", json!({"spec": {"unschedulable": null}}));
    world.run(SETTLE);
    assert!(node("minikube").list("spec.taints").is_empty());

    let on = |name: &str| world.list(&kinds::PODS).iter().filter(|pod| pod.str("spec.nodeName") == name).count();
    let taint = json!([{"key": "all", "value": "x", "effect": "NoExecute"}]);
    world.patch(&kinds::NODES, "minikube-m02", json!({"spec": {"taints": taint}}));
    world.run(SETTLE);
    assert_eq!((on("minikube-m02"), world.list(&kinds::PODS).len()), (0, 3));

    let lost = on("minikube-m03");
    assert!(lost > 0);
    world.silence_kubelets();
    world.delete(&kinds::NODES, "minikube-m03", DeleteOptions::default());
    world.run(Duration::from_secs(30));
    assert_eq!(on("minikube-m03"), lost, "the node may come back");
    world.run(Duration::from_secs(15));
    assert_eq!((on("minikube-m03"), world.list(&kinds::PODS).len()), (0, 3));
}

#[test]
fn refused_pods_are_reported_by_the_replica_set() {
    let world = World::new(6);
    let mut bad = deployment(1, "nginx:1.25");
    bad["spec"]["template"]["spec"]["serviceAccountName"] = "absent".into();
    world.create(&kinds::DEPLOYMENTS, bad);
    world.run(SETTLE);
    let set = world.list(&kinds::REPLICA_SETS).remove(0);
    let condition = &set.list("status.conditions")[0];
    assert_eq!(
        (condition["type"].as_str(), condition["reason"].as_str()),
        (Some("ReplicaFailure"), Some("FailedCreate"))
    );
    let events = world.events(set.name());
    // Each pod would have had another name: what is the same but for that is told together after a while.
    let alike = |event: &&str| {
        event.trim_start_matches("(combined from similar events): ").starts_with("Error creating: pods \"")
    };
    let told: Vec<&str> = events.iter().filter_map(|event| event.strip_prefix("FailedCreate: ")).collect();
    assert!(told.len() == events.len() && told.iter().all(alike), "{events:?}");
    let deployment = world.get(&kinds::DEPLOYMENTS, "web").unwrap();
    assert!(deployment.list("status.conditions").iter().any(|c| c["type"] == "ReplicaFailure"));
}

#[test]
fn an_idle_control_plane_sleeps() {
    let world = settled(8, 3);
    world.run(Duration::from_secs(10));
    let before = world.sim.steps();
    world.run(Duration::from_secs(30));
    let steps = world.sim.steps() - before;
    assert!(steps < 20, "{steps} steps in half a minute in which nothing happens");
}

#[test]
fn same_seed_same_objects() {
    let all = |seed| {
        let world = settled(seed, 3);
        let mut text = String::new();
        for kind in [&kinds::PODS, &kinds::REPLICA_SETS, &kinds::EVENTS] {
            for object in world.list(kind) {
                text += &format!("{}\n", object.value());
            }
        }
        text
    };
    assert!(all(9) == all(9));
    assert!(all(9) != all(10));
}

#[test]
#[ignore = "slow without optimisation; part of `cargo xtask test`"]
fn a_thousand_pods() {
    let world = World::new(11);
    for number in 0..10 {
        let mut node = crate::world::node(&format!("big-{number}"));
        node["status"]["allocatable"]["pods"] = "250".into();
        world.create(&kinds::NODES, node);
    }
    world.create(&kinds::DEPLOYMENTS, deployment(1_000, "nginx:1.25"));
    world.run(Duration::from_secs(60));
    let running = world.list(&kinds::PODS).iter().filter(|pod| pod.str("status.phase") == "Running").count();
    println!("{running} pods, {} steps", world.sim.steps());
    assert_eq!(running, 1_000);
}
