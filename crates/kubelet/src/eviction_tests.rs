//! Pods that are evicted, as the API shows them.

use std::net::Ipv4Addr;

use api::kinds;
use client::{DeleteOptions, ListOptions};
use expect_test::expect;
use json::{Value, json};

use crate::cri::Runtime as _;
use crate::testing::Cluster;
use crate::{EvictionHard, NodeConfig};

const MIB: u64 = 1 << 20;

fn one(resources: &Value, args: &[&str]) -> Value {
    json!({"containers": [{"name": "c", "image": "busybox:1", "args": args, "resources": resources}]})
}

/// A node with 1Gi of memory and 10Gi of disk, and upstream's thresholds.
fn small() -> Cluster {
    let shape = NodeConfig::minikube("minikube", Ipv4Addr::new(192, 168, 49, 2), "10.244.0.0/24");
    let eviction_hard = EvictionHard::UPSTREAM;
    Cluster::of(NodeConfig { memory_bytes: 1 << 30, ephemeral_storage_bytes: 10 << 30, eviction_hard, ..shape })
}

impl Cluster {
    fn delete(&self, name: &'static str) {
        let client = self.client.clone();
        self.run(async move { client.delete(&kinds::PODS, "default", name, &DeleteOptions::default()).await.unwrap() });
        self.pass(5);
    }

    /// The node's conditions, as `Type=Status Reason since`.
    fn conditions(&self) -> Vec<String> {
        let client = self.client.clone();
        let node = self.run(async move { client.get(&kinds::NODES, "", "minikube").await.unwrap() });
        let line = |c: &Value| {
            let since = c["lastTransitionTime"].as_str().unwrap();
            format!("{}={} {} {}", c["type"], c["status"], c["reason"], &since[14..]).replace('"', "")
        };
        node.list("status.conditions").iter().map(line).collect()
    }
}

#[test]
fn more_storage_than_the_limit_evicts_the_pod_and_no_other() {
    let cluster = Cluster::new();
    cluster.create("p", one(&json!({"limits": {"ephemeral-storage": "50Mi"}}), &["stay"]));
    cluster.create("free", one(&json!({}), &["stay"]));
    cluster.fake.written_bytes.set(50 * MIB);
    cluster.pass(30);
    assert_eq!(cluster.line("p"), "Running c+runningx0", "as much as the limit is not more");
    cluster.fake.written_bytes.set(50 * MIB + 1);
    cluster.pass(15);
    assert_eq!(cluster.line("p"), "Failed(Evicted) c-terminated:Errorx0");
    assert_eq!(cluster.line("free"), "Running c+runningx0");
    let pod = cluster.get("p").unwrap();
    let words = "Pod ephemeral local storage usage exceeds the total limit of containers 50Mi. ";
    assert_eq!(pod.str("status.message"), words);
    let kinds: Vec<_> = pod.list("status.conditions").iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert!(!kinds.contains(&"DisruptionTarget"), "the cause is its own: {kinds:?}");
    expect![[r#"
        Normal Pulling Pulling image "busybox:1"
        Normal Pulled Successfully pulled image "busybox:1" in 700ms (700ms including waiting). Image size: 1234 bytes.
        Normal Created Container created
        Normal Started Container started
        Warning Evicted Pod ephemeral local storage usage exceeds the total limit of containers 50Mi.
        Normal Killing Stopping container c
    "#]]
    .assert_eq(&cluster.events("p").replace(" \n", "\n"));
    cluster.pass(60);
    assert_eq!(cluster.line("p"), "Failed(Evicted) c-terminated:Errorx0", "it stays to be looked at");
    assert_eq!(cluster.fake.running(), 1);
}

#[test]
fn a_volume_that_holds_more_than_its_limit_evicts_the_pod() {
    let cluster = Cluster::new();
    let mount = |name: &str| json!({"name": name, "mountPath": format!("/{name}")});
    let pod = |limit: &str| {
        json!({
            "containers": [{"name": "c", "image": "busybox:1", "args": ["run"],
                "resources": {"limits": {"ephemeral-storage": limit}},
                "volumeMounts": [mount("disk"), mount("memory")]}],
            "volumes": [{"name": "disk", "emptyDir": {"sizeLimit": "2Mi"}},
                {"name": "memory", "emptyDir": {"sizeLimit": "2Mi", "medium": "Memory"}}],
        })
    };
    let write = |volume: &str, mib: u64| {
        let mounts = cluster.fake.config_of("c").mounts;
        let tree = &mounts.iter().find(|m| m.path == format!("/{volume}")).unwrap().source;
        tree.write("/big", vec![b'x'; usize::try_from(mib * MIB).unwrap()])
    };
    cluster.create("p", pod("1Gi"));
    cluster.pass(5);
    write("memory", 1).unwrap();
    assert!(write("memory", 3).is_err(), "memory is full at its limit");
    write("disk", 3).unwrap();
    cluster.pass(15);
    let message = |name: &str| cluster.get(name).unwrap().str("status.message").to_owned();
    assert_eq!(message("p"), "Usage of EmptyDir volume \"disk\" exceeds the limit \"2Mi\". ");
    cluster.delete("p");

    cluster.create("q", pod("1Mi"));
    cluster.pass(5);
    write("memory", 1).unwrap();
    cluster.pass(15);
    assert_eq!(cluster.line("q"), "Running c+runningx0", "what is in memory is not on the disk");
    write("disk", 1).unwrap();
    cluster.pass(15);
    assert_eq!(message("q"), "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ");
}

#[test]
fn a_pod_fails_only_when_its_containers_have_stopped() {
    let cluster = Cluster::new();
    cluster.create("p", one(&json!({"limits": {"ephemeral-storage": "1Mi"}}), &["stay"]));
    cluster.pass(5);
    cluster.fake.written_bytes.set(2 * MIB);
    let evicted = |cluster: &Cluster| cluster.events("p").contains("Evicted");
    for _ in 0..15 {
        if evicted(&cluster) {
            break;
        }
        cluster.pass(1);
    }
    assert!(evicted(&cluster));
    assert_eq!(cluster.get("p").unwrap().str("status.phase"), "Running", "SIGTERM is ignored for two seconds");
    cluster.pass(3);
    assert_eq!(cluster.get("p").unwrap().str("status.phase"), "Failed");
}

#[test]
fn scarce_memory_makes_the_node_say_so_and_evict_one_pod_after_the_other() {
    let cluster = small();
    let asks = |amount: &str| json!({"requests": {"memory": amount}, "limits": {"memory": "400Mi"}});
    cluster.create("modest", one(&asks("400Mi"), &["stay"]));
    cluster.create("greedy", one(&asks("100Mi"), &["stay"]));
    cluster.create(
        "system",
        json!({"containers": [{"name": "c", "image": "busybox:1", "args": ["stay"]}],
        "priority": 2_000_001_000, "priorityClassName": "system-node-critical"}),
    );
    cluster.pass(5);
    cluster.fake.used_bytes.set(320 * MIB);
    cluster.pass(16);
    assert_eq!(cluster.line("greedy"), "Failed(Evicted) c-terminated:Errorx0");
    assert_eq!(cluster.line("modest"), "Running c+runningx0", "one was enough");
    let pod = cluster.get("greedy").unwrap();
    let condition = pod.list("status.conditions").iter().find(|c| c["type"] == "DisruptionTarget").unwrap().clone();
    assert_eq!((&condition["reason"], &condition["status"]), (&json!("TerminationByKubelet"), &json!("True")));
    let words = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi. Container c was using \
                 320Mi, request is 100Mi, has larger consumption of memory. ";
    assert_eq!((pod.str("status.message"), &condition["message"]), (words, &json!(words)));
    let client = cluster.client.clone();
    let options = ListOptions::fields("involvedObject.name=greedy,reason=Evicted");
    let events = cluster.run(async move { client.list(&kinds::EVENTS, "", &options).await.unwrap() });
    assert_eq!(events.items[0].annotation("offending_containers_usage"), Some("320Mi"));
    cluster.pass(12);
    assert_eq!(cluster.conditions()[0], "MemoryPressure=True KubeletHasInsufficientMemory 08:30Z");

    cluster.create("late", one(&json!({}), &["stay"]));
    cluster.create("late-modest", one(&asks("10Mi"), &["stay"]));
    cluster.pass(5);
    assert_eq!(cluster.line("late"), "Failed(Evicted) ");
    let late = cluster.get("late").unwrap();
    assert_eq!(late.str("status.message"), "Pod was rejected: The node had condition: [MemoryPressure]. ");

    cluster.fake.used_bytes.set(10 * MIB);
    cluster.pass(330);
    assert_eq!(cluster.conditions()[0], "MemoryPressure=False KubeletHasSufficientMemory 13:30Z");
    assert_eq!(cluster.line("late-modest"), "Running c+runningx0");
    expect![[r#"
        Normal Starting Starting kubelet.
        Normal NodeHasNoDiskPressure Node minikube status is now: NodeHasNoDiskPressure
        Normal NodeHasSufficientPID Node minikube status is now: NodeHasSufficientPID
        Normal NodeAllocatableEnforced Updated Node Allocatable limit across pods
        Normal NodeReady Node minikube status is now: NodeReady
        Normal NodeHasInsufficientMemory Node minikube status is now: NodeHasInsufficientMemory
        Warning EvictionThresholdMet Attempting to reclaim memory
        Normal NodeHasSufficientMemory Node minikube status is now: NodeHasSufficientMemory (x2)
    "#]]
    .assert_eq(&cluster.events("minikube"));
}

#[test]
fn a_full_disk_loses_images_first_and_then_pods() {
    let cluster = small();
    cluster.create("p", one(&json!({}), &["stay"]));
    let mut modest = one(&json!({"requests": {"ephemeral-storage": "5Gi"}}), &["stay"]);
    modest["volumes"] = json!([{"name": "v", "image": {"reference": "data:1", "pullPolicy": "IfNotPresent"}}]);
    modest["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    cluster.create("modest", modest);
    cluster.create(
        "q",
        json!({"containers": [{"name": "c", "image": "other:1", "args": ["exit", "0"]}],
        "restartPolicy": "Never"}),
    );
    cluster.pass(5);
    cluster.delete("q");
    cluster.fake.written_bytes.set(4 << 30);
    cluster.pass(15);
    assert_eq!(cluster.line("p"), "Running c+runningx0", "there is enough");
    assert!(cluster.fake.image_status("other:1").is_some());
    cluster.fake.written_bytes.set(9 << 29);
    cluster.pass(25);
    assert!(cluster.fake.image_status("other:1").is_none(), "nobody needs it");
    assert!(cluster.fake.image_status("busybox:1").is_some(), "a pod has it");
    assert!(cluster.fake.image_status("data:1").is_some(), "a pod has it as a volume");
    assert_eq!(cluster.line("p"), "Failed(Evicted) c-terminated:Errorx0");
    let message = cluster.get("p").unwrap().str("status.message").to_owned();
    let words = "The node was low on resource: ephemeral-storage. Threshold quantity: 1073741840, available: 10737";
    assert!(message.starts_with(words), "{message}");
    let words = "Container c was using 4608Mi, request is 0, has larger consumption of ephemeral-storage. ";
    assert!(message.ends_with(words), "{message}");
    cluster.pass(10);
    let conditions = cluster.conditions();
    assert!(conditions[1].starts_with("DiskPressure=True KubeletHasDiskPressure"), "{conditions:?}");
    assert_eq!(&conditions[0][..20], "MemoryPressure=False");
    cluster.pass(60);
    assert_eq!(cluster.line("modest"), "Running c+runningx0", "what the first one held was enough");
    assert_eq!(
        cluster.line("p"),
        "Failed(Evicted) c-terminated:Errorx0",
        "its status stays though its container is gone"
    );
    let logs = crate::tests::ask(&cluster, "/containerLogs/default/p/c");
    assert!(logs.starts_with("200 unable to retrieve container logs for docker://"), "{logs}");
    assert_eq!(cluster.events("minikube").matches("Attempting to reclaim").count(), 1, "said, and counted");
}

#[test]
fn what_has_ended_counts_neither_for_the_pod_nor_in_its_words() {
    let cluster = small();
    let mut spec = one(&json!({}), &["stay"]);
    let limit = json!({"limits": {"ephemeral-storage": "50Mi"}});
    spec["initContainers"] = one(&limit, &["exit", "0"])["containers"].clone();
    spec["initContainers"][0]["name"] = "first".into();
    spec["containers"][0]["resources"] = limit;
    spec["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "done", "image": "busybox:1", "args": ["exit", "0"]}));
    spec["restartPolicy"] = "OnFailure".into();
    cluster.create("p", spec);
    cluster.fake.written_bytes.set(40 * MIB);
    cluster.pass(30);
    assert_eq!(cluster.line("p").split(' ').next(), Some("Running"), "{}", cluster.events("p"));
    cluster.fake.used_bytes.set(1000 * MIB);
    cluster.pass(15);
    let message = cluster.get("p").unwrap().str("status.message").to_owned();
    assert!(message.contains("Container c was using 1000Mi") && !message.contains("done"), "{message}");
}

#[test]
fn evictions_end_with_their_kubelet() {
    let cluster = small();
    cluster.create("p", one(&json!({}), &["stay"]));
    cluster.pass(5);
    cluster.fake.used_bytes.set(1000 * MIB);
    let evicted = || cluster.events("p").contains("Evicted");
    assert!((0..15).any(|_| {
        cluster.pass(1);
        evicted()
    }));
    cluster.kubelet.stop();
    cluster.pass(2);
    let steps = cluster.sim.steps();
    cluster.pass(25);
    assert!(cluster.sim.steps() - steps < 15, "nobody looks every second: {}", cluster.sim.steps() - steps);
}

#[test]
fn what_is_to_be_available_is_not_for_pods() {
    let amounts = |cluster: &Cluster, list: &str| {
        let client = cluster.client.clone();
        let node = cluster.run(async move { client.get(&kinds::NODES, "", "minikube").await.unwrap() });
        let of = &node.at("status")[list];
        [&of["memory"], &of["ephemeral-storage"]].map(|amount| amount.as_str().unwrap().to_owned())
    };
    let cluster = small();
    assert_eq!(amounts(&cluster, "capacity"), ["1Gi", "10Gi"]);
    // 100Mi less, and a tenth of 32 bits, which is a little more than one.
    assert_eq!(amounts(&cluster, "allocatable"), ["924Mi", "9663676400"]);
    let asks = |amount: &str| json!({"requests": {"memory": amount}});
    cluster.create("fits", one(&asks("924Mi"), &["stay"]));
    cluster.pass(5);
    assert_eq!(cluster.line("fits"), "Running c+runningx0");
    cluster.delete("fits");
    cluster.create("large", one(&asks("925Mi"), &["stay"]));
    cluster.pass(5);
    assert_eq!(cluster.line("large"), "Failed(OutOfmemory) ");
    let cluster = Cluster::new();
    assert_eq!(amounts(&cluster, "capacity"), amounts(&cluster, "allocatable"), "minikube sets none");
}

#[test]
fn a_node_without_thresholds_is_never_short_of_anything() {
    let cluster = Cluster::new();
    cluster.create("p", one(&json!({}), &["stay"]));
    cluster.pass(5);
    cluster.fake.used_bytes.set(100 << 30);
    cluster.fake.written_bytes.set(100 << 30);
    let steps = cluster.sim.steps();
    cluster.pass(60);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    assert!(cluster.conditions().iter().all(|c| c.contains("=False") || c.starts_with("Ready=True")));
    assert!(cluster.sim.steps() - steps < 60, "nobody is woken for it: {}", cluster.sim.steps() - steps);
}
