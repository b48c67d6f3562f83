use expect_test::{Expect, expect};
use json::{Value, json};

use super::*;

fn node(name: &str, cpu: &str, extra: Value) -> Object {
    let mut node = json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "spec": {},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}});
    json_patch_like(&mut node, extra);
    Object::new(node)
}

fn json_patch_like(target: &mut Value, extra: Value) {
    match (target, extra) {
        (Value::Object(target), Value::Object(extra)) => {
            for (key, value) in extra {
                json_patch_like(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, extra) => *target = extra,
    }
}

fn pod(name: &str, spec: Value) -> Object {
    let mut pod = json!({"metadata": {"name": name, "namespace": "d", "uid": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    json_patch_like(&mut pod["spec"], spec);
    Object::new(pod)
}

fn cluster(nodes: Vec<Object>) -> Cluster {
    let mut cluster = Cluster::default();
    for node in nodes {
        cluster.set_node(&node);
    }
    cluster
}

fn three() -> Vec<Object> {
    ["minikube", "minikube-m02", "minikube-m03"].map(|name| node(name, "2", json!({}))).into()
}

/// The node, or the sentence.
fn place(cluster: &Cluster, pod: &Object) -> String {
    let decision = schedule(cluster, pod, &mut 0, &mut |_| 0);
    match decision.outcome {
        Outcome::Node(node) => node,
        Outcome::Unschedulable { message, .. } => message,
    }
}

fn check(cluster: &Cluster, spec: Value, expected: Expect) {
    expected.assert_eq(&place(cluster, &pod("p", spec)));
}

fn asks(cpu: &str, memory: &str) -> Value {
    json!({"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]})
}

#[test]
fn refusals_in_the_words_of_the_recordings() {
    let all = cluster(three());
    check(
        &all,
        asks("64", "1Ti"),
        expect![
            "0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        ],
    );
    check(
        &all,
        json!({"nodeSelector": {"disk": "ssd"}}),
        expect![
            "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        ],
    );
    let claim = json!({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "missing"}}]});
    check(&all, claim, expect![[r#"0/3 nodes are available: persistentvolumeclaim "missing" not found. not found"#]]);
    check(&cluster(vec![]), json!({}), expect!["no nodes available to schedule pods"]);
}

#[test]
fn claims_of_one_pod_and_for_one_pod() {
    let mut cluster = cluster(three());
    let volumes = |source: Value| json!({"volumes": [{"name": "v", "persistentVolumeClaim": source}]});
    check(
        &cluster,
        json!({"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]}),
        expect![[
            r#"0/3 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v". not found"#
        ]],
    );
    let claim = |mode: &str| {
        Object::new(
            json!({"metadata": {"name": "c", "namespace": "d", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
            "spec": {"accessModes": [mode]}, "status": {"phase": "Bound"}}),
        )
    };
    let mut first = pod("first", volumes(json!({"claimName": "c"})));
    first.set("spec.nodeName", "minikube");
    cluster.claims.insert("d/c".to_owned(), claim("ReadWriteOnce"));
    cluster.place(&first);
    check(&cluster, volumes(json!({"claimName": "c"})), expect!["minikube-m02"]);
    cluster.claims.insert("d/c".to_owned(), claim("ReadWriteOncePod"));
    check(
        &cluster,
        volumes(json!({"claimName": "c"})),
        expect![
            "0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
        ],
    );
}

#[test]
fn each_node_is_refused_for_its_own_reason() {
    let mut nodes = three();
    nodes[0].set(
        "spec",
        json!({"unschedulable": true,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}),
    );
    nodes[1].set("spec", json!({"taints": [{"key": "all", "value": "x", "effect": "NoExecute"}]}));
    let mut cluster = cluster(nodes);
    let mut other = pod("other", asks("1500m", "1Gi"));
    other.set("spec.nodeName", "minikube-m03");
    cluster.place(&other);
    check(
        &cluster,
        asks("1", "1Gi"),
        expect![
            "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
        ],
    );
    check(&cluster, json!({"tolerations": [{"operator": "Exists"}], "nodeName": "minikube"}), expect!["minikube"]);
}

#[test]
fn host_ports_and_pod_counts() {
    let mut cluster = cluster(vec![node("n1", "2", json!({"status": {"allocatable": {"pods": "1"}}}))]);
    let port =
        json!({"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 80}]}]});
    let mut first = pod("first", port.clone());
    assert_eq!(place(&cluster, &first), "n1");
    first.set("spec.nodeName", "n1");
    cluster.place(&first);
    check(
        &cluster,
        port,
        expect![
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        ],
    );
    check(
        &cluster,
        json!({}),
        expect![
            "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        ],
    );
}

#[test]
fn the_pods_of_a_replica_set_are_spread() {
    let mut cluster = cluster(three());
    let set = Object::new(json!({"metadata": {"name": "web", "namespace": "d"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}}}));
    cluster.replica_sets.insert("d/web".into(), set);
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..9 {
        let mut pod = pod(&format!("p{number}"), json!({}));
        let owner =
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]);
        pod.set("metadata.ownerReferences", owner);
        let node = place(&cluster, &pod);
        cluster.assume(&pod, &node);
        *counts.entry(node).or_insert(0) += 1;
    }
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [3, 3, 3]);
}

#[test]
fn preferences_decide() {
    let mut nodes = three();
    nodes[2].set("spec.taints", json!([{"key": "a", "effect": "PreferNoSchedule"}]));
    nodes[1].set("status.images", json!([{"names": ["docker.io/library/x:1"], "sizeBytes": 900_000_000}]));
    let cluster = cluster(nodes);
    let image = json!({"containers": [{"name": "c", "image": "docker.io/library/x:1"}]});
    check(&cluster, image, expect!["minikube-m02"]);
    let affinity = json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["minikube"]}]}}]}}});
    check(&cluster, affinity, expect!["minikube"]);
}

#[test]
fn pods_keep_near_and_away() {
    let term =
        |app: &str| json!([{"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}}]);
    let affinity = |which: &str, app: &str| json!({"affinity": {which: {"requiredDuringSchedulingIgnoredDuringExecution": term(app)}}});
    let mut cluster = cluster(three());
    // The first of a group may go anywhere, but nobody is there for another group.
    check(&cluster, affinity("podAffinity", "web"), expect!["minikube"]);
    check(
        &cluster,
        affinity("podAffinity", "db"),
        expect![
            "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        ],
    );
    let mut web = pod("web", affinity("podAntiAffinity", "web"));
    web.set("spec.nodeName", "minikube-m02");
    cluster.place(&web);
    check(
        &cluster,
        affinity("podAffinity", "web"),
        expect![
            "0/3 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules, 2 node(s) didn't match pod affinity rules. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
        ],
    );
    check(&cluster, affinity("podAntiAffinity", "web"), expect!["minikube"]);
    let preferred = json!({"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 100, "podAffinityTerm": term("web")[0]}]}}});
    let mut two = self::cluster(three()[1..].to_vec());
    let mut plain = pod("plain", json!({}));
    plain.set("spec.nodeName", "minikube-m02");
    two.place(&plain);
    check(&two, preferred, expect!["minikube-m03"]);
}

#[test]
fn spread_constraints_are_kept() {
    let mut cluster = cluster(three());
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]});
    for (name, at) in [("a", "minikube"), ("b", "minikube-m02")] {
        let mut placed = pod(name, json!({}));
        placed.set("spec.nodeName", at);
        cluster.place(&placed);
    }
    check(&cluster, spread.clone(), expect!["minikube-m03"]);
    let mut full = node("minikube-m03", "2", json!({}));
    full.set("spec.unschedulable", true);
    cluster.set_node(&full);
    check(
        &cluster,
        spread,
        expect![
            "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
        ],
    );
}

#[test]
fn a_spread_constraint_with_an_empty_selector_counts_nobody() {
    let mut cluster = cluster(three());
    for name in ["a", "b", "c"] {
        let mut placed = pod(name, json!({}));
        placed.set("spec.nodeName", "minikube");
        cluster.place(&placed);
    }
    let spread = json!({"nodeName": null, "nodeSelector": {"kubernetes.io/hostname": "minikube"}, "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]});
    check(&cluster, spread, expect!["minikube"]);
}

#[test]
fn the_explanation_names_every_filter_and_score() {
    let mut nodes = three();
    nodes[0].set("spec.unschedulable", true);
    let decision = schedule(&cluster(nodes), &pod("p", asks("500m", "1Gi")), &mut 0, &mut |_| 1);
    let told = json::to_value(&decision.explanation).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut lines = vec![format!("node {} drawn from {}", told["node"], told["drawnFrom"])];
    for node in list(&told["nodes"]) {
        let filters: Vec<String> = list(&node["filters"])
            .iter()
            .map(|f| format!("{}={}{}", f["plugin"], f["passed"], f.get("reasons").unwrap_or(&json!(""))))
            .collect();
        let scores: Vec<String> =
            list(&node["scores"]).iter().map(|s| format!("{}={}*{}", s["plugin"], s["score"], s["weight"])).collect();
        lines.push(format!("{}: {} | {} = {}", node["name"], filters.join(" "), scores.join(" "), node["total"]));
    }
    expect![[r#"
        node minikube-m03 drawn from [minikube-m02,minikube-m03]
        minikube: NodeUnschedulable=false[node(s) were unschedulable] |  = null
        minikube-m02: NodeUnschedulable=true NodeName=true TaintToleration=true NodeAffinity=true NodePorts=true NodeResourcesFit=true VolumeRestrictions=true VolumeBinding=true PodTopologySpread=true InterPodAffinity=true | TaintToleration=100*3 NodeResourcesFit=81*1 NodeResourcesBalancedAllocation=71*1 ImageLocality=0*1 = 452
        minikube-m03: NodeUnschedulable=true NodeName=true TaintToleration=true NodeAffinity=true NodePorts=true NodeResourcesFit=true VolumeRestrictions=true VolumeBinding=true PodTopologySpread=true InterPodAffinity=true | TaintToleration=100*3 NodeResourcesFit=81*1 NodeResourcesBalancedAllocation=71*1 ImageLocality=0*1 = 452"#]].assert_eq(&lines.join("\n").replace('"', ""));
}
