//! Pods on a node, as the API shows them.

use api::http::{Body, Chunk, Transport as _};
use api::kinds;
use client::DeleteOptions;
use expect_test::{Expect, expect};
use futures_util::StreamExt as _;
use json::{Value, json};

use crate::testing::Cluster;

fn one(args: &[&str]) -> Value {
    json!({"containers": [{"name": "c", "image": "busybox:1", "args": args}]})
}

fn check_events(cluster: &Cluster, name: &str, expected: Expect) {
    expected.assert_eq(&cluster.events(name));
}

#[test]
fn the_node_registers_and_renews_its_lease() {
    let cluster = Cluster::new();
    let client = cluster.client.clone();
    let (node, lease, drivers) = cluster.run(async move {
        let node = client.get(&kinds::NODES, "", "minikube").await.unwrap();
        let lease = client.get(&kinds::LEASES, "kube-node-lease", "minikube").await.unwrap();
        (node, lease, client.get(&kinds::CSI_NODES, "", "minikube").await.unwrap())
    });
    assert_eq!(drivers.list("metadata.ownerReferences")[0]["uid"], node.uid());
    assert_eq!(drivers.at("spec"), &json!({"drivers": null}));
    let conditions: Vec<String> = node
        .list("status.conditions")
        .iter()
        .map(|c| format!("{}={} {}", c["type"], c["status"], c["reason"]).replace('"', ""))
        .collect();
    assert_eq!(conditions.last().map(String::as_str), Some("Ready=True KubeletReady"));
    assert_eq!(node.str("status.capacity.cpu"), "2");
    assert_eq!(node.str("status.addresses.0"), "", "a list");
    let first = lease.str("spec.renewTime").to_owned();
    cluster.pass(11);
    let client = cluster.client.clone();
    let lease = cluster.run(async move { client.get(&kinds::LEASES, "kube-node-lease", "minikube").await.unwrap() });
    assert!(lease.str("spec.renewTime") > first.as_str());
    check_events(
        &cluster,
        "minikube",
        expect![[r#"
            Normal Starting Starting kubelet.
            Normal NodeHasSufficientMemory Node minikube status is now: NodeHasSufficientMemory
            Normal NodeHasNoDiskPressure Node minikube status is now: NodeHasNoDiskPressure
            Normal NodeHasSufficientPID Node minikube status is now: NodeHasSufficientPID
            Normal NodeAllocatableEnforced Updated Node Allocatable limit across pods
            Normal NodeReady Node minikube status is now: NodeReady
        "#]],
    );
}

#[test]
fn a_pod_runs_and_is_deleted() {
    let cluster = Cluster::new();
    cluster.create("p", one(&["run"]));
    assert_eq!(cluster.line("p"), "Pending c-waiting:ContainerCreatingx0");
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let pod = cluster.get("p").unwrap();
    let mut status = pod.at("status").clone();
    status["containerStatuses"][0]["containerID"] = "docker://ID".into();
    expect![[r#"
        {
          "conditions": [
            {
              "lastProbeTime": null,
              "lastTransitionTime": "2026-11-21T03:08:21Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "PodReadyToStartContainers"
            },
            {
              "lastProbeTime": null,
              "lastTransitionTime": "2026-11-21T03:08:21Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "Initialized"
            },
            {
              "lastProbeTime": null,
              "lastTransitionTime": "2026-11-21T03:08:21Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "Ready"
            },
            {
              "lastProbeTime": null,
              "lastTransitionTime": "2026-11-21T03:08:21Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "ContainersReady"
            },
            {
              "lastProbeTime": null,
              "lastTransitionTime": "2026-11-21T03:08:21Z",
              "observedGeneration": 1,
              "status": "True",
              "type": "PodScheduled"
            }
          ],
          "containerStatuses": [
            {
              "containerID": "docker://ID",
              "image": "busybox:1",
              "imageID": "docker-pullable://busybox:1@sha256:0000000000000000000000000000000000000000000000000000000000000007",
              "lastState": {},
              "name": "c",
              "ready": true,
              "resources": {},
              "restartCount": 0,
              "started": true,
              "state": {
                "running": {
                  "startedAt": "2026-11-21T03:08:21Z"
                }
              },
              "user": {
                "linux": {
                  "gid": 0,
                  "supplementalGroups": [
                    0
                  ],
                  "uid": 0
                }
              }
            }
          ],
          "hostIP": "192.168.49.2",
          "hostIPs": [
            {
              "ip": "192.168.49.2"
            }
          ],
          "observedGeneration": 1,
          "phase": "Running",
          "podIP": "10.244.0.2",
          "podIPs": [
            {
              "ip": "10.244.0.2"
            }
          ],
          "qosClass": "BestEffort",
          "startTime": "2026-11-21T03:08:21Z"
        }"#]]
    .assert_eq(&json::to_string_pretty(&status).unwrap());
    let client = cluster.client.clone();
    cluster.run(async move {
        client.delete(&kinds::PODS, "default", "p", &DeleteOptions::default()).await.unwrap();
    });
    cluster.pass(1);
    assert_eq!(cluster.line("p"), "gone");
    assert_eq!(cluster.fake.running(), 0);
    check_events(
        &cluster,
        "p",
        expect![[r#"
            Normal Pulling Pulling image "busybox:1"
            Normal Pulled Successfully pulled image "busybox:1" in 700ms (700ms including waiting). Image size: 1234 bytes.
            Normal Created Container created
            Normal Started Container started
            Normal Killing Stopping container c
        "#]],
    );
}

#[test]
fn a_stubborn_container_is_killed_after_its_grace_period() {
    let cluster = Cluster::new();
    cluster.create("p", one(&["stay"]));
    cluster.pass(2);
    let delete = |grace: Option<i64>| {
        let client = cluster.client.clone();
        let options = DeleteOptions { grace_period_seconds: grace, ..DeleteOptions::default() };
        cluster.run(async move { client.delete(&kinds::PODS, "default", "p", &options).await.unwrap() });
    };
    delete(None);
    cluster.pass(28);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    cluster.pass(3);
    assert_eq!(cluster.line("p"), "gone");
    // A second, more urgent deletion shortens the wait.
    cluster.create("p", one(&["stay"]));
    cluster.pass(2);
    delete(None);
    delete(Some(3));
    cluster.pass(4);
    assert_eq!(cluster.line("p"), "gone");
    // Forced: gone from the API at once, from the node after the least grace.
    cluster.create("p", one(&["stay"]));
    cluster.pass(2);
    delete(Some(0));
    assert_eq!((cluster.line("p").as_str(), cluster.fake.running()), ("gone", 1));
    cluster.pass(3);
    assert_eq!(cluster.fake.running(), 0);
}

#[test]
fn a_failing_container_backs_off() {
    let cluster = Cluster::new();
    cluster.create("p", one(&["exit", "1"]));
    cluster.pass_for(simulation::Duration::from_millis(800));
    assert_eq!(cluster.line("p"), "Running c+runningx0", "its end is noticed at the next look");
    cluster.pass(4);
    assert_eq!(cluster.line("p"), "Running c-waiting:CrashLoopBackOffx1");
    cluster.pass(9);
    let pod = cluster.get("p").unwrap();
    assert_eq!(pod.at("status.containerStatuses")[0]["restartCount"], 2, "after ten seconds");
    let waiting = &pod.at("status.containerStatuses")[0]["state"]["waiting"];
    let message = waiting["message"].as_str().unwrap().replace(pod.uid(), "UID");
    assert_eq!(message, "back-off 20s restarting failed container=c pod=p_default(UID)");
    cluster.pass(100);
    check_events(
        &cluster,
        "p",
        expect![[r#"
            Normal Pulling Pulling image "busybox:1"
            Normal Pulled Successfully pulled image "busybox:1" in 700ms (700ms including waiting). Image size: 1234 bytes.
            Normal Pulled Container image "busybox:1" already present on machine and can be accessed by the pod (x4)
            Normal Created Container created (x5)
            Normal Started Container started (x5)
            Warning BackOff Back-off restarting failed container c in pod p_default(UID) (x4)
        "#]],
    );
}

#[test]
fn restart_policies() {
    let cluster = Cluster::new();
    for (name, policy, code) in
        [("a", "Never", "0"), ("b", "Never", "3"), ("c", "OnFailure", "0"), ("d", "Always", "0")]
    {
        let mut spec = one(&["exit", code]);
        spec["restartPolicy"] = policy.into();
        cluster.create(name, spec);
    }
    cluster.pass(20);
    assert_eq!(cluster.line("a"), "Succeeded c-terminated:Completedx0");
    assert_eq!(cluster.line("b"), "Failed c-terminated:Errorx0");
    assert_eq!(cluster.line("c"), "Succeeded c-terminated:Completedx0");
    assert_eq!(cluster.line("d"), "Running c-waiting:CrashLoopBackOffx2");
    let pod = cluster.get("a").unwrap();
    let reasons: Vec<String> = pod
        .list("status.conditions")
        .iter()
        .map(|c| format!("{}={}:{}", c["type"], c["status"], c["reason"]).replace('"', ""))
        .collect();
    assert_eq!(
        reasons,
        [
            "PodReadyToStartContainers=False:null",
            "Initialized=True:PodCompleted",
            "Ready=False:PodCompleted",
            "ContainersReady=False:PodCompleted",
            "PodScheduled=True:null"
        ]
    );
    assert_eq!(pod.str("status.podIP"), "10.244.0.2", "the address is remembered");
}

#[test]
fn images_that_cannot_be_pulled() {
    let cluster = Cluster::new();
    cluster.create("p", json!({"containers": [{"name": "c", "image": "nope:1"}]}));
    cluster.pass_for(simulation::Duration::from_millis(750));
    assert_eq!(cluster.line("p"), "Pending c-waiting:ErrImagePullx0");
    cluster.pass(1);
    assert_eq!(cluster.line("p"), "Pending c-waiting:ImagePullBackOffx0");
    // Between the third pull, after about 30 s (and up to half a minute later), and the fourth, after about 70.
    cluster.pass(58);
    check_events(
        &cluster,
        "p",
        expect![[r#"
            Normal Pulling Pulling image "nope:1" (x3)
            Warning Failed Failed to pull image "nope:1": Error response from daemon: pull access denied for nope:1 (x3)
            Warning Failed Error: ErrImagePull (x3)
            Normal BackOff Back-off pulling image "nope:1" (x3)
            Warning Failed Error: ImagePullBackOff (x3)
        "#]],
    );
    cluster.create("q", json!({"containers": [{"name": "c", "image": "x:1", "imagePullPolicy": "Never"}]}));
    cluster.pass(1);
    assert_eq!(cluster.line("q"), "Pending c-waiting:ErrImageNeverPullx0");
}

#[test]
fn init_containers_run_in_order() {
    let cluster = Cluster::new();
    let init = |name: &str, code: &str| json!({"name": name, "image": "busybox:1", "args": ["exit", code]});
    cluster.create(
        "p",
        json!({"initContainers": [init("i1", "0"), init("i2", "0")], "containers": one(&[])["containers"]}),
    );
    cluster.pass_for(simulation::Duration::from_millis(100));
    assert_eq!(
        cluster.line("p"),
        "Pending i1-waiting:PodInitializingx0 i2-waiting:PodInitializingx0 c-waiting:PodInitializingx0"
    );
    cluster.pass(8);
    assert_eq!(cluster.line("p"), "Running i1+terminated:Completedx0 i2+terminated:Completedx0 c+runningx0");
    cluster.create(
        "q",
        json!({"restartPolicy": "Never", "initContainers": [init("i", "2")], "containers": one(&[])["containers"]}),
    );
    cluster.pass(4);
    assert_eq!(cluster.line("q"), "Failed i-terminated:Errorx0 c-waiting:PodInitializingx0");
}

#[test]
fn probes() {
    let cluster = Cluster::new();
    let http = json!({"path": "/healthz", "port": "web"});
    cluster.create(
        "p",
        json!({"containers": [{
            "name": "c", "image": "busybox:1", "args": ["serve", "8080"],
            "ports": [{"name": "web", "containerPort": 8080}],
            "readinessProbe": {"httpGet": http, "periodSeconds": 5, "failureThreshold": 1},
            "livenessProbe": {"tcpSocket": {"port": 9999}, "initialDelaySeconds": 20, "periodSeconds": 5},
            "startupProbe": {"exec": {"command": ["check"]}, "periodSeconds": 2},
        }]}),
    );
    cluster.fake.exec_code.set(1);
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Running c-runningx0", "not started yet");
    cluster.fake.exec_code.set(0);
    cluster.pass(7);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    cluster.fake.status.set(503);
    cluster.pass(6);
    assert_eq!(cluster.line("p"), "Running c-runningx0");
    let ready = cluster.get("p").unwrap();
    let ready = ready.list("status.conditions").iter().find(|c| c["type"] == "Ready").unwrap();
    assert_eq!(ready["message"], "containers with unready status: [c]");
    cluster.fake.status.set(200);
    cluster.pass(20);
    assert_eq!(cluster.line("p"), "Running c+runningx1", "liveness failed three times");
    check_events(
        &cluster,
        "p",
        expect![[r#"
            Normal Pulling Pulling image "busybox:1"
            Normal Pulled Successfully pulled image "busybox:1" in 700ms (700ms including waiting). Image size: 1234 bytes.
            Warning Unhealthy Startup probe failed: ran check
            Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503
            Warning Unhealthy Liveness probe failed: dial tcp 10.244.0.2:9999: connect: connection refused (x3)
            Normal Killing Container c failed liveness probe, will be restarted
            Normal Pulled Container image "busybox:1" already present on machine and can be accessed by the pod
            Normal Created Container created (x2)
            Normal Started Container started (x2)
        "#]],
    );
}

#[test]
fn environment_and_volumes() {
    let cluster = Cluster::new();
    let client = cluster.client.clone();
    cluster.create(
        "p",
        json!({
            "containers": [{
                "name": "c", "image": "busybox:1", "command": ["sh", "-c", "echo $(WHO)"],
                "env": [
                    {"name": "WHO", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "who"}}},
                    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "volumeMounts": [{"name": "cm", "mountPath": "/etc/cm"}],
            }],
            "volumes": [{"name": "cm", "configMap": {"name": "cm"}}],
        }),
    );
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Pending c-waiting:ContainerCreatingx0");
    assert_eq!(
        cluster.events("p").lines().next(),
        Some("Warning FailedMount MountVolume.SetUp failed for volume \"cm\" : configmap \"cm\" not found (x3)")
    );
    cluster.run(async move {
        let cm = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"who": "me"}});
        client.create(&kinds::CONFIG_MAPS, "default", cm.into()).await.unwrap();
    });
    cluster.pass(4);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let config = cluster.fake.config_of("c");
    assert_eq!(config.command, ["sh", "-c", "echo me"]);
    let value = |name: &str| config.env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!((value("IP"), value("KUBERNETES_SERVICE_HOST")), (Some("10.244.0.2"), Some("10.96.0.1")));
    let mount = |path: &str| config.mounts.iter().find(|m| m.path == path).unwrap();
    assert_eq!(mount("/etc/cm").source.read_to_string("/who").unwrap(), "me");
    assert!(mount("/etc/hosts").source.read_to_string("/hosts").unwrap().ends_with("10.244.0.2\tp\n"));
    cluster.create(
        "q",
        json!({"containers": [{"name": "c", "image": "busybox:1",
            "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}}]}]}),
    );
    cluster.pass(2);
    assert_eq!(cluster.line("q"), "Pending c-waiting:CreateContainerConfigErrorx0");
    assert!(cluster.events("q").contains("Warning Failed Error: secret \"no\" not found"));
}

#[test]
fn pods_that_do_not_fit_are_refused() {
    let cluster = Cluster::new();
    let mut spec = one(&[]);
    spec["containers"][0]["resources"] = json!({"requests": {"cpu": "3"}});
    cluster.create("p", spec);
    cluster.pass(1);
    assert_eq!(cluster.line("p"), "Failed(OutOfcpu) ");
    check_events(
        &cluster,
        "p",
        expect![[r#"
            Warning OutOfcpu Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000
        "#]],
    );
}

#[test]
fn a_node_that_stops_takes_its_containers_along() {
    let cluster = Cluster::new();
    cluster.create("p", one(&[]));
    cluster.pass(2);
    cluster.kubelet.stop();
    cluster.pass(60);
    assert_eq!(cluster.fake.running(), 0);
    assert_eq!(cluster.line("p"), "Running c+runningx0", "nobody is left to say otherwise");
}

#[test]
fn a_pod_gets_its_token() {
    let cluster = Cluster::new();
    let client = cluster.client.clone();
    cluster.run(async move {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        client.create(&kinds::SERVICE_ACCOUNTS, "default", account.into()).await.unwrap();
        let ca = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"},
            "data": {"ca.crt": "CERT"}});
        client.create(&kinds::CONFIG_MAPS, "default", ca.into()).await.unwrap();
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": one(&[])});
        pod["spec"]["nodeName"] = "minikube".into();
        client.create(&kinds::PODS, "default", pod.into()).await.unwrap();
    });
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let config = cluster.fake.config_of("c");
    let mount = config.mounts.iter().find(|m| m.path == "/var/run/secrets/kubernetes.io/serviceaccount").unwrap();
    assert!(mount.read_only);
    let read = |name: &str| mount.source.read_to_string(&format!("/{name}")).unwrap();
    assert_eq!((read("ca.crt").as_str(), read("namespace").as_str()), ("CERT", "default"));
    assert_eq!(read("token").split('.').count(), 3);
}

#[test]
fn a_node_that_comes_back_starts_its_pods_again() {
    let mut cluster = Cluster::new();
    cluster.create("p", one(&[]));
    let mut job = one(&["exit", "0"]);
    job["restartPolicy"] = "Never".into();
    cluster.create("done", job);
    cluster.pass(3);
    cluster.restart();
    assert_eq!(cluster.line("p"), "Running c+runningx1");
    assert_eq!(cluster.line("done"), "Succeeded c-terminated:Completedx0");
    assert!(cluster.events("p").contains("SandboxChanged Pod sandbox changed, it will be killed and re-created."));
}

#[test]
fn sidecars_start_first_and_stop_last() {
    let cluster = Cluster::new();
    let exit = |code: &str| json!({"name": "i", "image": "busybox:1", "args": ["exit", code]});
    let side = json!({"name": "s", "image": "busybox:1", "restartPolicy": "Always", "args": ["stay"]});
    cluster.create(
        "p",
        json!({"restartPolicy": "Never", "terminationGracePeriodSeconds": 3,
            "initContainers": [side, exit("0")], "containers": [{"name": "c", "image": "busybox:1", "args": ["exit", "0"]}]}),
    );
    cluster.pass_for(simulation::Duration::from_millis(1500));
    assert_eq!(cluster.line("p"), "Pending s+runningx0 i-runningx0 c-waiting:PodInitializingx0");
    cluster.pass_for(simulation::Duration::from_millis(1000));
    assert_eq!(cluster.line("p"), "Running s+runningx0 i+terminated:Completedx0 c+runningx0");
    cluster.pass(5);
    assert_eq!(
        cluster.line("p"),
        "Succeeded s-terminated:Errorx0 i+terminated:Completedx0 c-terminated:Completedx0",
        "the pod is done when its containers are"
    );
}

#[test]
fn hooks_and_deadlines() {
    let cluster = Cluster::new();
    let mut spec = one(&[]);
    spec["containers"][0]["lifecycle"] = json!({
        "postStart": {"httpGet": {"port": 9}},
        "preStop": {"sleep": {"seconds": 5}},
    });
    cluster.create("p", spec.clone());
    cluster.pass(7); // killing it runs preStop
    assert_eq!(cluster.line("p"), "Running c-waiting:PostStartHookErrorx0");
    assert!(cluster.events("p").contains("Warning FailedPostStartHook PostStartHook failed"));
    spec["containers"][0]["lifecycle"]["postStart"] = json!({"exec": {"command": ["true"]}});
    cluster.create("q", spec);
    cluster.pass(2);
    assert_eq!(cluster.line("q"), "Running c+runningx0");
    let client = cluster.client.clone();
    cluster.run(async move {
        client.delete(&kinds::PODS, "default", "q", &DeleteOptions::default()).await.unwrap();
    });
    cluster.pass(4);
    assert_eq!(cluster.line("q"), "Running c+runningx0", "preStop sleeps");
    cluster.pass(2);
    assert_eq!(cluster.line("q"), "gone");
    let mut spec = one(&[]);
    spec["activeDeadlineSeconds"] = 10.into();
    cluster.create("r", spec);
    cluster.pass(9);
    assert_eq!(cluster.line("r"), "Running c+runningx0");
    cluster.pass(2);
    assert_eq!(cluster.line("r"), "Failed(DeadlineExceeded) c-terminated:Completedx0");
}

#[test]
fn termination_messages_come_from_the_log_if_asked_for() {
    let cluster = Cluster::new();
    let mut spec = one(&["exit", "4"]);
    spec["restartPolicy"] = "Never".into();
    spec["containers"][0]["terminationMessagePolicy"] = "FallbackToLogsOnError".into();
    cluster.create("p", spec);
    cluster.pass(2);
    let pod = cluster.get("p").unwrap();
    let ended = &pod.list("status.containerStatuses")[0]["state"]["terminated"];
    assert!(ended["message"].as_str().unwrap().starts_with("log of "), "{ended}");
}

/// Status and body of an answer of the kubelet's API.
pub(crate) fn ask(cluster: &Cluster, path: &str) -> String {
    let request = http::Request::builder().uri(path).body(Body::Empty).unwrap();
    let kubelet = cluster.kubelet.clone();
    cluster.run(async move {
        let response = kubelet.call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = match response.into_body() {
            Body::Stream(pieces) => pieces.map(Chunk::into_bytes).collect::<Vec<_>>().await.concat(),
            body => body.into_bytes().unwrap_or_default().to_vec(),
        };
        format!("{status} {}", String::from_utf8(body).unwrap().trim_end())
    })
}

#[test]
fn logs_and_their_refusals() {
    let cluster = Cluster::new();
    cluster.create("p", one(&[]));
    cluster.create("bad", json!({"containers": [{"name": "c", "image": "nope:1"}]}));
    cluster.pass(3);
    assert_eq!(ask(&cluster, "/healthz"), "200 ok");
    assert!(ask(&cluster, "/containerLogs/default/p/c?follow=false&tailLines=5").starts_with("200 log of "));
    let checks = [
        ("/containerLogs/default/no/c", "404 pod \"no\" does not exist"),
        ("/containerLogs/default/p/x", "404 container \"x\" not found in pod \"p\""),
        ("/containerLogs/default/p/c?previous=true", "400 previous terminated container \"c\" in pod \"p\" not found"),
        (
            "/containerLogs/default/bad/c",
            "400 container \"c\" in pod \"bad\" is waiting to start: trying and failing to pull image",
        ),
        ("/containerLogs/default/p/c?tailLines=x", "400 invalid tailLines: x"),
        ("/exec/default/bad/c?command=ls", "500 container not found (\"c\")"),
        ("/exec/default/no/c?command=ls", "404 pod does not exist"),
        ("/nothing", "404 404 page not found"),
    ];
    for (path, expected) in checks {
        assert_eq!(ask(&cluster, path), expected, "{path}");
    }
}

#[test]
fn refusals_of_logs_reach_clients_as_statuses() {
    let cluster = Cluster::new();
    cluster.create("bad", json!({"containers": [{"name": "c", "image": "nope:1"}]}));
    cluster.pass(3);
    let client = cluster.client.clone();
    let error = cluster.run(async move {
        let request = http::Request::builder().uri("/api/v1/namespaces/default/pods/bad/log").body(Body::Empty);
        client.checked(request.unwrap()).await.err().unwrap()
    });
    let client::Error::Status(status) = error else { panic!("{error}") };
    assert_eq!((status.code, status.reason.as_str()), (400, "BadRequest"));
    assert_eq!(status.message, "container \"c\" in pod \"bad\" is waiting to start: trying and failing to pull image");
}

/// The frames of an upgraded answer, until it ends.
fn frames(cluster: &Cluster, path: &str, send: &'static [&'static [u8]]) -> Vec<String> {
    let request = http::Request::builder().uri(path).body(Body::Empty).unwrap();
    let kubelet = cluster.kubelet.clone();
    cluster.run(async move {
        let response = kubelet.call(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 101);
        let Body::Upgrade(mut peer) = response.into_body() else { panic!("not upgraded") };
        for message in send {
            peer.send.try_send(bytes::Bytes::from_static(message)).unwrap();
        }
        let mut seen = Vec::new();
        while let Some(message) = peer.recv.next().await {
            seen.push(format!("{}:{}", message[0], String::from_utf8_lossy(&message[1..])));
            if message[0] == 255 {
                break;
            }
        }
        seen
    })
}

#[test]
fn exec_and_port_forward() {
    let cluster = Cluster::new();
    cluster.create("p", one(&["serve", "8080"]));
    cluster.pass(2);
    let exec = |query: &str| frames(&cluster, &format!("/exec/default/p/c?{query}"), &[]);
    assert_eq!(
        exec("command=echo&command=a%20b&stdout=true"),
        ["1:ran echo a b", "3:{\"metadata\":{},\"status\":\"Success\"}"]
    );
    cluster.fake.exec_code.set(3);
    assert_eq!(
        exec("command=false")[1],
        "3:{\"details\":{\"causes\":[{\"message\":\"3\",\"reason\":\"ExitCode\"}]},\"message\":\"command terminated \
         with non-zero exit code: exit status 3\",\"metadata\":{},\"reason\":\"NonZeroExitCode\",\"status\":\"Failure\"}"
    );
    assert!(exec("command=missing")[0].contains("executable file not found"));
    let get: &[&[u8]] = &[b"\0GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"];
    let seen = frames(&cluster, "/portForward/default/p?ports=8080", get);
    assert_eq!(seen[..2], ["0:\u{fffd}\u{1f}", "1:\u{fffd}\u{1f}"]);
    assert!(seen[2].starts_with("0:HTTP/1.1 200 OK"), "{seen:?}");
    let seen = frames(&cluster, "/portForward/default/p?ports=81", &[]);
    assert!(seen[2].starts_with("1:error forwarding port 81 to pod ") && seen[2].contains("connection refused"));
}

#[test]
fn an_ephemeral_container_starts_once_and_changes_nothing_else() {
    let cluster = Cluster::new();
    cluster.create("p", one(&["run"]));
    cluster.pass(2);
    let client = cluster.client.clone();
    cluster.run(async move {
        let add =
            json!({"spec": {"ephemeralContainers": [{"name": "e", "image": "busybox:1", "args": ["exit", "3"]}]}});
        let kind = client::PatchType::Strategic;
        client.patch(&kinds::PODS, "default", "p", "ephemeralcontainers", kind, &add).await.unwrap();
    });
    cluster.pass(2);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let pod = cluster.get("p").unwrap();
    let status = &pod.list("status.ephemeralContainerStatuses")[0];
    assert_eq!((&status["name"], &status["ready"], &status["restartCount"]), (&json!("e"), &json!(false), &json!(0)));
    assert_eq!(status["state"]["terminated"]["exitCode"], 3);
    let id = status["containerID"].clone();
    cluster.pass(600);
    let pod = cluster.get("p").unwrap();
    assert_eq!(pod.list("status.ephemeralContainerStatuses")[0]["containerID"], id, "it is never started again");
    assert!(cluster.events("p").contains("Normal Started Container started"));
    let refused = cluster.run({
        let client = cluster.client.clone();
        async move {
            let change = json!([{"op": "replace", "path": "/spec/ephemeralContainers/0/image", "value": "busybox:2"}]);
            let kind = client::PatchType::Json;
            client.patch(&kinds::PODS, "default", "p", "ephemeralcontainers", kind, &change).await.unwrap_err()
        }
    });
    assert!(refused.to_string().contains("existing ephemeral containers \"e\" may not be changed"), "{refused}");
}

/// The node controller marks a silent node and its pods; when the node is heard of again, the marks have to go.
#[test]
fn a_status_that_somebody_else_wrote_is_put_right() {
    let ready_of = |object: &api::Object| {
        let found = object.list("status.conditions").iter().find(|c| c["type"] == "Ready").cloned();
        found.unwrap()["status"].as_str().unwrap().to_owned()
    };
    let ready = |cluster: &Cluster| ready_of(&cluster.get("p").unwrap());
    let node_ready = |cluster: &Cluster| {
        let client = cluster.client.clone();
        ready_of(&cluster.run(async move { client.get(&kinds::NODES, "", "minikube").await.unwrap() }))
    };
    let cluster = Cluster::new();
    cluster.create("p", one(&["run"]));
    cluster.pass(3);
    assert_eq!(ready(&cluster), "True");
    let client = cluster.client.clone();
    cluster.run(async move {
        let patch = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        let strategic = client::PatchType::Strategic;
        client.patch(&kinds::PODS, "default", "p", "status", strategic, &patch).await.unwrap();
        client.patch(&kinds::NODES, "", "minikube", "status", strategic, &patch).await.unwrap();
    });
    assert_eq!((ready(&cluster).as_str(), node_ready(&cluster).as_str()), ("False", "False"));
    cluster.pass(22);
    assert_eq!((ready(&cluster).as_str(), node_ready(&cluster).as_str()), ("True", "True"));
}
