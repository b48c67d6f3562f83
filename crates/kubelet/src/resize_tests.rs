//! Resizing containers in place, as the API shows it (`test/e2e/common/node/pod_resize.go`). The node has 2 CPUs.

use api::kinds;
use client::{DeleteOptions, PatchType};
use expect_test::expect;
use json::{Value, json};

use crate::testing::Cluster;

fn amounts(cpu: &str, memory: &str) -> Value {
    json!({"cpu": cpu, "memory": memory})
}

fn pod(cpu: &str, memory: &str, policies: Value) -> Value {
    json!({"containers": [{"name": "c", "image": "busybox:1", "args": ["run"], "resizePolicy": policies,
        "resources": {"requests": amounts(cpu, memory), "limits": amounts(cpu, memory)}}]})
}

/// Asks for other resources.
fn resize(cluster: &Cluster, name: &str, cpu: &str, memory: &str) {
    let patch = json!({"spec": {"containers": [{"name": "c",
        "resources": {"requests": amounts(cpu, memory), "limits": amounts(cpu, memory)}}]}});
    let (client, name) = (cluster.client.clone(), name.to_owned());
    cluster.run(async move {
        client.patch(&kinds::PODS, "default", &name, "resize", PatchType::Strategic, &patch).await.unwrap();
    });
}

/// The conditions of the resize, and what the container has and was granted.
fn told(cluster: &Cluster, name: &str) -> String {
    let pod = cluster.get(name).unwrap();
    let conditions = pod.list("status.conditions").iter().filter(|c| c["type"].as_str().unwrap().contains("Resize"));
    let words = |c: &Value| {
        format!("{}:{}@{} ", c["type"].as_str().unwrap(), c["reason"].as_str().unwrap_or(""), c["observedGeneration"])
    };
    let conditions: String = conditions.map(words).collect();
    let status = &pod.list("status.containerStatuses")[0];
    let (has, granted) = (&status["resources"]["limits"], &status["allocatedResources"]);
    format!("{conditions}has {}/{} granted {}/{}", has["cpu"], has["memory"], granted["cpu"], granted["memory"])
        .replace('"', "")
}

#[test]
fn a_container_gets_more_without_starting_anew() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.pass(2);
    assert_eq!(told(&cluster, "p"), "has 500m/100Mi granted 500m/100Mi");
    resize(&cluster, "p", "1", "200Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "p"), "has 1/200Mi granted 1/200Mi");
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let config = cluster.fake.config_of("c");
    assert_eq!((config.cpu_limit_milli, config.memory_limit_bytes), (Some(1000), Some(200 << 20)));
    assert_eq!(cluster.get("p").unwrap().int("status.observedGeneration"), Some(2));
    let events = cluster.events("p");
    let resize: Vec<&str> = events.lines().filter(|line| line.contains("Resize")).collect();
    expect![[r#"
        Normal ResizeStarted Pod resize started: {"containers":[{"name":"c","resources":{"limits":{"cpu":"1","memory":"200Mi"},"requests":{"cpu":"1","memory":"200Mi"}}}],"generation":2}
        Normal ResizeCompleted Pod resize completed: {"containers":[{"name":"c","resources":{"limits":{"cpu":"1","memory":"200Mi"},"requests":{"cpu":"1","memory":"200Mi"}}}],"generation":2}"#]]
    .assert_eq(&resize.join("\n"));
}

#[test]
fn a_policy_has_the_container_started_anew() {
    let cluster = Cluster::new();
    let policies = json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
    cluster.create("p", pod("500m", "100Mi", policies));
    cluster.pass(2);
    resize(&cluster, "p", "1", "100Mi");
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    resize(&cluster, "p", "1", "50Mi");
    cluster.pass(40);
    assert_eq!(cluster.line("p"), "Running c+runningx1");
    assert_eq!(told(&cluster, "p"), "has 1/50Mi granted 1/50Mi");
    assert!(cluster.events("p").contains("Normal Killing Container c resize requires restart\n"));
}

#[test]
fn a_resize_waits_for_room_and_gets_it() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.create("q", pod("1", "100Mi", json!([])));
    cluster.pass(2);
    resize(&cluster, "p", "1500m", "100Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "p"), "PodResizePending:Deferred@2 has 500m/100Mi granted 500m/100Mi");
    let deferred = "Warning ResizeDeferred Pod resize OutOfcpu: {\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"1500m\",\"memory\":\"100Mi\"},\"requests\":{\"cpu\":\"1500m\",\"memory\":\"100Mi\"}}}],\"generation\":2,\"error\":\"Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000\"}\n";
    assert!(cluster.events("p").contains(deferred), "{}", cluster.events("p"));
    // A node that comes back has granted nothing in between.
    let mut cluster = cluster;
    cluster.restart();
    assert_eq!(told(&cluster, "p"), "PodResizePending:Deferred@2 has 500m/100Mi granted 500m/100Mi");
    // What another pod gives back is taken at once.
    resize(&cluster, "q", "500m", "100Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "q"), "has 500m/100Mi granted 500m/100Mi");
    assert_eq!(told(&cluster, "p"), "has 1500m/100Mi granted 1500m/100Mi");
    // Nothing is left of a wish that was taken back.
    resize(&cluster, "q", "1", "100Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "q"), "PodResizePending:Deferred@3 has 500m/100Mi granted 500m/100Mi");
    resize(&cluster, "q", "500m", "100Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "q"), "has 500m/100Mi granted 500m/100Mi");
}

#[test]
fn memory_in_use_is_not_taken_away() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.pass(2);
    cluster.fake.used_bytes.set(64 << 20);
    resize(&cluster, "p", "500m", "50Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "p"), "PodResizeInProgress:Error@2 has 500m/100Mi granted 500m/50Mi");
    let error = "cannot decrease memory limits: [attempting to set pod memory limit (52428800) below current usage (67108864), attempting to set container \\\"c\\\" memory limit (52428800) below current usage (67108864)]";
    assert!(
        cluster.events("p").contains(&format!("\"generation\":2,\"error\":\"{error}\"}}\n")),
        "{}",
        cluster.events("p")
    );
    cluster.fake.used_bytes.set(1 << 20);
    cluster.pass(20);
    assert_eq!(told(&cluster, "p"), "has 500m/50Mi granted 500m/50Mi");
}

/// A pod of which the container does not end by itself within the seconds of grace.
fn stubborn(cpu: &str, grace_seconds: u64) -> Value {
    let mut pod = pod(cpu, "100Mi", json!([]));
    pod["containers"][0]["args"] = json!(["stay"]);
    pod["terminationGracePeriodSeconds"] = grace_seconds.into();
    pod
}

fn delete(cluster: &Cluster, name: &str, grace_seconds: Option<i64>) {
    let (client, name) = (cluster.client.clone(), name.to_owned());
    let options = DeleteOptions { grace_period_seconds: grace_seconds, ..DeleteOptions::default() };
    cluster.run(async move {
        client.delete(&kinds::PODS, "default", &name, &options).await.unwrap();
    });
}

const DEFERRED: &str = "PodResizePending:Deferred@2 has 500m/100Mi granted 500m/100Mi";
const GRANTED: &str = "has 1500m/100Mi granted 1500m/100Mi";

#[test]
fn a_pod_has_its_room_until_it_has_stopped() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.create("q", stubborn("1", 20));
    cluster.pass(2);
    resize(&cluster, "p", "1500m", "100Mi");
    cluster.pass(2);
    assert_eq!(told(&cluster, "p"), DEFERRED);
    delete(&cluster, "q", None);
    cluster.pass(10);
    assert_eq!(told(&cluster, "p"), DEFERRED);
    // Nor is there room for another.
    cluster.create("r", pod("1", "100Mi", json!([])));
    cluster.pass(2);
    assert_eq!(cluster.line("r"), "Failed(OutOfcpu) ");
    cluster.pass(12);
    assert_eq!((cluster.line("q").as_str(), told(&cluster, "p").as_str()), ("gone", GRANTED));
}

#[test]
fn a_pod_that_fails_has_its_room_until_it_has_stopped() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    let mut late = stubborn("1", 10);
    late["activeDeadlineSeconds"] = 5.into();
    cluster.create("q", late);
    cluster.pass(2);
    resize(&cluster, "p", "1500m", "100Mi");
    cluster.pass(8);
    assert_eq!((cluster.fake.running(), told(&cluster, "p").as_str()), (2, DEFERRED));
    cluster.pass(10);
    assert_eq!((cluster.fake.running(), told(&cluster, "p").as_str()), (1, GRANTED));
    assert_eq!(cluster.get("q").unwrap().str("status.reason"), "DeadlineExceeded");
}

#[test]
fn who_is_forgotten_by_the_api_has_no_room() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.create("q", stubborn("1", 20));
    cluster.pass(2);
    resize(&cluster, "p", "1500m", "100Mi");
    cluster.pass(1);
    assert_eq!(told(&cluster, "p"), DEFERRED);
    delete(&cluster, "q", Some(0));
    cluster.pass_for(simulation::Duration::from_millis(500));
    assert_eq!((cluster.fake.running(), told(&cluster, "p").as_str()), (2, GRANTED));
}

#[test]
fn who_is_refused_gives_back_what_was_counted() {
    let cluster = Cluster::new();
    cluster.create("p", pod("500m", "100Mi", json!([])));
    cluster.pass(2);
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "default"},
        "spec": pod("1900m", "100Mi", json!([]))});
    let mut object = api::Object::new(object);
    object.set("spec.nodeName", "minikube");
    object.set("spec.automountServiceAccountToken", false);
    let patch = json!({"spec": {"containers": [{"name": "c",
        "resources": {"requests": amounts("1500m", "100Mi"), "limits": amounts("1500m", "100Mi")}}]}});
    let client = cluster.client.clone();
    // Both become known at the same time.
    cluster.run(async move {
        let resize = client.patch(&kinds::PODS, "default", "p", "resize", PatchType::Strategic, &patch);
        let create = client.create(&kinds::PODS, "default", object);
        let (resized, created) = futures_util::future::join(resize, create).await;
        resized.unwrap();
        created.unwrap();
    });
    cluster.pass(2);
    assert_eq!((cluster.line("q").as_str(), told(&cluster, "p").as_str()), ("Failed(OutOfcpu) ", GRANTED));
}

/// Two pods want what one of them can have when a third goes. Says who gets it.
fn first_served(wish: impl Fn(&Cluster), classes: [&str; 2]) -> String {
    let cluster = Cluster::new();
    let create = |name: &str, class: &str| {
        let mut spec = pod("500m", "100Mi", json!([]));
        if !class.is_empty() {
            spec["priorityClassName"] = class.into();
        }
        cluster.create(name, spec);
    };
    create("a", classes[0]);
    create("b", classes[1]);
    cluster.create("c", pod("900m", "100Mi", json!([])));
    cluster.pass(2);
    wish(&cluster);
    cluster.pass(1);
    assert_eq!((told(&cluster, "a").as_str(), told(&cluster, "b").as_str()), (DEFERRED, DEFERRED));
    delete(&cluster, "c", Some(1));
    cluster.pass(3);
    let granted = ["a", "b"].into_iter().filter(|name| told(&cluster, name) == GRANTED);
    granted.collect::<Vec<_>>().join(",")
}

#[test]
fn the_most_important_and_the_most_patient_come_first() {
    let in_order = |first: &'static str, second: &'static str| {
        move |cluster: &Cluster| {
            resize(cluster, first, "1500m", "100Mi");
            cluster.pass(3);
            resize(cluster, second, "1500m", "100Mi");
        }
    };
    assert_eq!(first_served(in_order("a", "b"), ["", ""]), "a");
    assert_eq!(first_served(in_order("b", "a"), ["", ""]), "b");
    assert_eq!(first_served(in_order("a", "b"), ["", "system-node-critical"]), "b");
    assert_eq!(first_served(in_order("b", "a"), ["system-node-critical", ""]), "a");
}
