//! Resizing containers in place, as the API shows it (`test/e2e/common/node/pod_resize.go`). The node has 2 CPUs.

use api::kinds;
use client::PatchType;
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
