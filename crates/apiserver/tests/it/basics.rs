//! Create, read, change, delete, watch.

use json::{Value, json};

use crate::harness::{Harness, deployment, pod};

const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[test]
fn a_fresh_cluster() {
    let h = Harness::new();
    let names: Vec<Value> = h.get("/api/v1/namespaces")["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["metadata"]["name"].clone())
        .collect();
    assert_eq!(json!(names), json!(["default", "kube-node-lease", "kube-public", "kube-system"]));
    let service = h.get("/api/v1/namespaces/default/services/kubernetes");
    assert_eq!(service["spec"]["clusterIP"], "10.96.0.1");
    let version = h.get("/version");
    assert_eq!((version["gitVersion"].as_str(), version["minor"].as_str()), (Some("v1.36.3"), Some("36")));
}

#[test]
fn pods_are_defaulted_as_recorded() {
    let h = Harness::new();
    let made = h.ok("POST", PODS, pod("x"));
    let volume = made["spec"]["volumes"][0]["name"].as_str().unwrap().to_owned();
    assert!(volume.starts_with("kube-api-access-") && volume.len() == "kube-api-access-5t5b7".len());
    let mut spec = made["spec"].clone();
    spec["volumes"][0]["name"] = "kube-api-access-5t5b7".into();
    spec["containers"][0]["volumeMounts"][0]["name"] = "kube-api-access-5t5b7".into();
    let recorded = recorded_pod();
    assert_eq!(spec, recorded["spec"]);
    assert_eq!(made["status"], recorded["status"]);
    assert_eq!(made["metadata"]["generation"], 1);
}

/// The first pod of watches/deployment-create-scale.jsonl.
fn recorded_pod() -> Value {
    json!({
        "spec": {
            "containers": [{
                "image": "nginx:1.25", "imagePullPolicy": "IfNotPresent", "name": "nginx", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    "name": "kube-api-access-5t5b7", "readOnly": true}],
            }],
            "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0, "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {},
            "serviceAccount": "default", "serviceAccountName": "default", "terminationGracePeriodSeconds": 30,
            "tolerations": [
                {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
                {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300},
            ],
            "volumes": [{"name": "kube-api-access-5t5b7", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [
                    {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"},
                ]}},
            ]}}],
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    })
}

#[test]
fn deployments_are_defaulted_as_recorded() {
    let h = Harness::new();
    let made = h.ok("POST", DEPLOYMENTS, deployment("web"));
    let expected = json!({
        "progressDeadlineSeconds": 600, "replicas": 3, "revisionHistoryLimit": 10,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}, "type": "RollingUpdate"},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
            "containers": [{"image": "nginx:1.25", "imagePullPolicy": "IfNotPresent", "name": "nginx", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30}},
    });
    assert_eq!(made["spec"], expected);
    assert_eq!(made["status"], json!({}));
}

#[test]
fn a_put_that_is_meant_for_an_object_that_is_gone_does_not_make_it_anew() {
    let h = Harness::new();
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/n";
    let lease = |uid: Option<&str>| json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "n", "uid": uid}});
    assert_eq!(
        h.refusal("PUT", path, lease(Some("old"))),
        "409 Conflict: Operation cannot be fulfilled on leases.coordination.k8s.io \"n\": Precondition failed: UID in \
         precondition: old, UID in object meta: "
    );
    h.ok("PUT", path, lease(None));
}

#[test]
fn generation_counts_changes_of_the_spec_only() {
    let h = Harness::new();
    let made = h.ok("POST", DEPLOYMENTS, deployment("web"));
    let path = format!("{DEPLOYMENTS}/web");
    let mut changed = made.clone();
    changed["metadata"]["labels"]["tier"] = "front".into();
    let labelled = h.ok("PUT", &path, changed.clone());
    assert_eq!(labelled["metadata"]["generation"], 1);
    assert_ne!(labelled["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    // An old resourceVersion is refused, in upstream's words.
    changed["spec"]["replicas"] = 5.into();
    assert_eq!(
        h.refusal("PUT", &path, changed.clone()),
        "409 Conflict: Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please \
         apply your changes to the latest version and try again"
    );
    changed["metadata"]["resourceVersion"] = labelled["metadata"]["resourceVersion"].clone();
    let scaled = h.ok("PUT", &path, changed);
    assert_eq!(scaled["metadata"]["generation"], 2);
    // The status subresource changes nothing else, and the same again changes nothing at all.
    let mut status = scaled.clone();
    status["spec"]["replicas"] = 9.into();
    status["status"] = json!({"replicas": 5, "observedGeneration": 2});
    let reported = h.ok("PUT", &format!("{path}/status"), status.clone());
    assert_eq!((&reported["spec"]["replicas"], &reported["metadata"]["generation"]), (&json!(5), &json!(2)));
    let again = h.ok("PUT", &format!("{path}/status"), reported.clone());
    assert_eq!(again, reported);
    let mut main = reported.clone();
    main["status"] = json!({});
    assert_eq!(h.ok("PUT", &path, main), reported);
}

#[test]
fn graceful_deletion_of_pods() {
    let h = Harness::new();
    h.ok("POST", PODS, pod("x"));
    let binding = json!({"target": {"kind": "Node", "name": "minikube"}});
    let mut other = binding.clone();
    other["metadata"]["uid"] = json!("another-pod");
    let refused = h.refusal("POST", &format!("{PODS}/x/binding"), other);
    assert!(refused.contains("Precondition failed: UID in precondition: another-pod"), "{refused}");
    h.ok("POST", &format!("{PODS}/x/binding"), binding.clone());
    assert_eq!(
        h.refusal("POST", &format!("{PODS}/x/binding"), binding),
        "409 Conflict: Operation cannot be fulfilled on pods/binding \"x\": pod x is already assigned to node \"minikube\""
    );
    let bound = h.get(&format!("{PODS}/x"));
    assert_eq!(bound["spec"]["nodeName"], "minikube");
    assert_eq!(bound["metadata"]["generation"], 1, "as recorded: binding does not count");
    assert_eq!(
        bound["status"]["conditions"],
        json!([{"lastProbeTime": null, "lastTransitionTime": "2026-11-21T03:00:00Z", "status": "True", "type": "PodScheduled"}])
    );
    let mut watch = h.watch(&format!(
        "{PODS}?watch=true&resourceVersion={}",
        bound["metadata"]["resourceVersion"].as_str().unwrap()
    ));
    let dying = h.ok("DELETE", &format!("{PODS}/x"), Value::Null);
    assert_eq!(dying["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(dying["metadata"]["deletionTimestamp"], "2026-11-21T03:00:30Z");
    assert_eq!(dying["metadata"]["generation"], 2);
    h.sleep(3);
    let options = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": dying["metadata"]["uid"]}});
    let gone = h.ok("DELETE", &format!("{PODS}/x"), options);
    assert_eq!(gone["metadata"]["deletionTimestamp"], "2026-11-21T03:00:00Z");
    assert_eq!(watch.names(), ["MODIFIED x", "MODIFIED x", "DELETED x"]);
    assert_eq!(h.refusal("GET", &format!("{PODS}/x"), Value::Null), "404 NotFound: pods \"x\" not found");
    // A pod without a node goes at once.
    h.ok("POST", PODS, pod("y"));
    h.ok("DELETE", &format!("{PODS}/y"), Value::Null);
    assert_eq!(h.refusal("GET", &format!("{PODS}/y"), Value::Null), "404 NotFound: pods \"y\" not found");
}

#[test]
fn finalizers_and_propagation() {
    let h = Harness::new();
    h.ok("POST", DEPLOYMENTS, deployment("web"));
    let path = format!("{DEPLOYMENTS}/web");
    let pending = h.ok("DELETE", &path, json!({"propagationPolicy": "Foreground"}));
    assert_eq!(pending["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    assert_eq!(pending["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(pending["metadata"]["generation"], 2);
    let mut free = pending.clone();
    free["metadata"]["finalizers"] = json!([]);
    h.ok("PUT", &path, free);
    assert_eq!(h.refusal("GET", &path, Value::Null), "404 NotFound: deployments.apps \"web\" not found");
    h.ok("POST", DEPLOYMENTS, deployment("web"));
    let status = h.ok("DELETE", &path, json!({"propagationPolicy": "Background"}));
    assert_eq!((&status["status"], &status["details"]["kind"]), (&json!("Success"), &json!("deployments")));
}

#[test]
fn namespaces_end_through_their_controller() {
    let h = Harness::new();
    let made = h.ok("POST", "/api/v1/namespaces", json!({"metadata": {"name": "dev"}}));
    assert_eq!(made["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "dev"}));
    assert_eq!((&made["spec"], &made["status"]), (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"})));
    let ending = h.ok("DELETE", "/api/v1/namespaces/dev", Value::Null);
    assert_eq!(ending["status"]["phase"], "Terminating");
    let config_map = json!({"metadata": {"name": "x"}});
    assert_eq!(
        h.refusal("POST", "/api/v1/namespaces/dev/configmaps", config_map.clone()),
        "403 Forbidden: configmaps \"x\" is forbidden: unable to create new content in namespace dev because it is being \
         terminated"
    );
    let mut finalized = ending.clone();
    finalized["spec"] = json!({});
    h.ok("PUT", "/api/v1/namespaces/dev/finalize", finalized);
    assert_eq!(h.refusal("GET", "/api/v1/namespaces/dev", Value::Null), "404 NotFound: namespaces \"dev\" not found");
    assert_eq!(
        h.refusal("POST", "/api/v1/namespaces/dev/configmaps", config_map),
        "404 NotFound: namespaces \"dev\" not found"
    );
    assert_eq!(
        h.refusal("DELETE", "/api/v1/namespaces/default", Value::Null),
        "403 Forbidden: namespaces \"default\" is forbidden: this namespace may not be deleted"
    );
}

#[test]
fn lists_select_and_page() {
    let h = Harness::new();
    for name in ["a", "b", "c"] {
        let labels = json!({"app": if name == "b" { "db" } else { "web" }});
        h.ok("POST", "/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": name, "labels": labels}}));
    }
    let names = |path: &str| {
        let list = h.get(path);
        let names: Vec<&str> =
            list["items"].as_array().unwrap().iter().filter_map(|i| i["metadata"]["name"].as_str()).collect();
        (names.join(" "), list["metadata"].clone())
    };
    let all = "/api/v1/configmaps";
    assert_eq!(names(&format!("{all}?labelSelector=app%3Dweb")).0, "a c");
    assert_eq!(names(&format!("{all}?labelSelector=app+notin+(web)")).0, "b");
    assert_eq!(names(&format!("{all}?fieldSelector=metadata.name!%3Da")).0, "b c");
    let (first, metadata) = names(&format!("{all}?limit=2"));
    assert_eq!((first.as_str(), &metadata["remainingItemCount"]), ("a b", &json!(1)));
    h.ok("POST", "/api/v1/namespaces/default/configmaps", json!({"metadata": {"name": "d"}}));
    let (second, last) = names(&format!("{all}?limit=2&continue={}", metadata["continue"].as_str().unwrap()));
    assert_eq!(second, "c", "a continued list shows the revision at which it began");
    assert_eq!((&last["resourceVersion"], &last["continue"]), (&metadata["resourceVersion"], &Value::Null));
    assert_eq!(
        h.refusal("GET", "/api/v1/pods?fieldSelector=foo", Value::Null),
        "400 BadRequest: invalid selector: 'foo'; can't understand 'foo'"
    );
}

#[test]
fn watches_begin_resume_and_expire() {
    let h = Harness::new();
    let maps = "/api/v1/namespaces/default/configmaps";
    let a = h.ok("POST", maps, json!({"metadata": {"name": "a", "labels": {"app": "web"}}}));
    let mut all = h.watch(&format!("{maps}?watch=1"));
    let mut web = h.watch(&format!(
        "{maps}?watch=1&labelSelector=app%3Dweb&resourceVersion={}",
        a["metadata"]["resourceVersion"].as_str().unwrap()
    ));
    assert_eq!(all.names(), ["ADDED a"]);
    let mut moved = a.clone();
    moved["metadata"]["labels"] = json!({"app": "db"});
    h.ok("PUT", &format!("{maps}/a"), moved.clone());
    moved["metadata"]["labels"] = json!({"app": "web"});
    moved["metadata"]["resourceVersion"] = "".into();
    h.ok("PUT", &format!("{maps}/a"), moved);
    h.ok("DELETE", &format!("{maps}/a"), Value::Null);
    assert_eq!(all.names(), ["MODIFIED a", "MODIFIED a", "DELETED a"]);
    assert_eq!(web.names(), ["DELETED a", "ADDED a", "DELETED a"], "it left and came back for those who select");
    let mut list = h.watch(&format!(
        "{maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5"
    ));
    let initial = list.now();
    assert_eq!(initial[0].0, "BOOKMARK");
    assert_eq!(initial[0].1.annotation("k8s.io/initial-events-end"), Some("true"));
    h.sleep(6);
    assert_eq!(list.now()[0].0, "BOOKMARK", "the last word of a watch that times out");
    h.server.store().compact(u64::MAX);
    let mut late = h.watch(&format!("{maps}?watch=1&resourceVersion=1"));
    let events = late.now();
    assert_eq!((events[0].0, events[0].1.int("code"), events[0].1.str("reason")), ("ERROR", Some(410), "Expired"));
}

#[test]
fn services_get_addresses_and_ports() {
    let h = Harness::new();
    let services = "/api/v1/namespaces/default/services";
    let service = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    let ports = json!([{"port": 80}]);
    let made =
        h.ok("POST", services, service("web", json!({"type": "NodePort", "selector": {"app": "web"}, "ports": ports})));
    let mut spec = made["spec"].clone();
    assert!(spec["clusterIP"].as_str().unwrap().starts_with("10."));
    assert_eq!(spec["clusterIPs"][0], spec["clusterIP"]);
    assert!((30_000..=32_767).contains(&spec["ports"][0]["nodePort"].as_i64().unwrap()));
    spec["clusterIP"] = "10.99.117.134".into();
    spec["clusterIPs"][0] = "10.99.117.134".into();
    spec["ports"][0]["nodePort"] = 31_236.into();
    assert_eq!(
        spec,
        json!({"clusterIP": "10.99.117.134", "clusterIPs": ["10.99.117.134"], "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{"nodePort": 31236, "port": 80, "protocol": "TCP", "targetPort": 80}], "selector": {"app": "web"},
            "sessionAffinity": "None", "type": "NodePort"})
    );
    assert_eq!(made["status"], json!({"loadBalancer": {}}));
    let taken = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": made["spec"]["ports"][0]["nodePort"]}]});
    let number = made["spec"]["ports"][0]["nodePort"].to_string();
    assert_eq!(
        h.refusal("POST", services, service("other", taken)),
        format!(
            "422 Invalid: Service \"other\" is invalid: spec.ports[0].nodePort: Invalid value: {number}: provided port is already allocated"
        )
    );
    assert_eq!(
        h.refusal("POST", services, service("taken", json!({"clusterIP": "10.96.0.1", "ports": ports}))),
        "422 Invalid: Service \"taken\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.1\"]: failed to allocate IP \
         10.96.0.1: provided IP is already allocated"
    );
    // Back to ClusterIP: the address stays, the node port goes.
    let mut plain = made.clone();
    plain["spec"]["type"] = "ClusterIP".into();
    let plain = h.ok("PUT", &format!("{services}/web"), plain);
    assert_eq!(plain["spec"]["clusterIP"], made["spec"]["clusterIP"]);
    assert_eq!(plain["spec"]["ports"], json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]));
    let headless = h.ok("POST", services, service("db", json!({"clusterIP": "None", "ports": ports})));
    assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
}

#[test]
fn what_a_service_offers_over_several_protocols_is_at_one_node_port() {
    let h = Harness::new();
    let services = "/api/v1/namespaces/default/services";
    let port = |name: &str, port: u16, protocol: &str, node_port: u16| json!({"name": name, "port": port, "protocol": protocol, "nodePort": node_port});
    let node_port = |ports: Value| json!({"type": "NodePort", "ports": ports});
    let service = |name: &str, spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
    let numbers = |made: &Value| {
        let ports = made["spec"]["ports"].as_array().unwrap().iter();
        ports.map(|port| port["nodePort"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let asked =
        node_port(json!([port("tcp", 53, "TCP", 0), port("udp", 53, "UDP", 30_053), port("web", 80, "TCP", 0)]));
    let made = numbers(&h.ok("POST", services, service("dns", asked)));
    assert_eq!(made[..2], [30_053, 30_053]);
    assert!(made[2] != 30_053);
    let chosen = node_port(json!([port("tcp", 53, "TCP", 0), port("udp", 53, "UDP", 0)]));
    let chosen = numbers(&h.ok("POST", services, service("chosen", chosen)));
    assert_eq!(chosen[0], chosen[1]);
    // It is one port of the Service that shares, not one of the nodes.
    let others = node_port(json!([port("tcp", 80, "TCP", 30_080), port("udp", 81, "UDP", 30_080)]));
    assert_eq!(
        h.refusal("POST", services, service("others", others)),
        "422 Invalid: Service \"others\" is invalid: spec.ports[1].nodePort: Invalid value: 30080: provided port is already \
         allocated"
    );
    // A change may put anything at a number of its own.
    let mut plain = h.ok("POST", services, service("plain", node_port(json!([port("tcp", 80, "TCP", 30_080)]))));
    plain["spec"]["ports"] = json!([port("tcp", 80, "TCP", 30_080), port("udp", 81, "UDP", 30_080)]);
    assert_eq!(numbers(&h.ok("PUT", &format!("{services}/plain"), plain)), [30_080, 30_080]);
}

#[test]
fn scale_is_a_view_of_its_object() {
    let h = Harness::new();
    h.ok("POST", DEPLOYMENTS, deployment("web"));
    let path = format!("{DEPLOYMENTS}/web/scale");
    let mut scale = h.get(&path);
    assert_eq!(
        (&scale["kind"], &scale["spec"], &scale["status"]),
        (&json!("Scale"), &json!({"replicas": 3}), &json!({"replicas": 0, "selector": "app=web"}))
    );
    scale["spec"]["replicas"] = 5.into();
    let scaled = h.ok("PUT", &path, scale.clone());
    assert_eq!(scaled["spec"]["replicas"], 5);
    assert_eq!(h.get(&format!("{DEPLOYMENTS}/web"))["metadata"]["generation"], 2);
    assert!(h.refusal("PUT", &path, scale).starts_with("409 Conflict"));
    let (code, patched) = h.call_with(
        "PATCH",
        &path,
        json!({"spec": {"replicas": 0}}),
        &[("content-type", "application/merge-patch+json")],
    );
    assert_eq!((code, &patched["spec"]), (200, &json!({})));
}

#[test]
fn the_service_of_the_server_itself_comes_back() {
    let h = Harness::new();
    let path = "/api/v1/namespaces/default/services/kubernetes";
    h.ok("DELETE", path, Value::Null);
    assert_eq!(h.refusal("GET", path, Value::Null), "404 NotFound: services \"kubernetes\" not found");
    h.sleep(11);
    assert_eq!(h.get(path)["spec"]["clusterIP"], "10.96.0.1");
}

#[test]
fn events_live_for_an_hour_after_their_last_write() {
    let h = Harness::new();
    let path = "/api/v1/namespaces/default/events";
    let event = json!({"metadata": {"name": "a"}, "involvedObject": {"namespace": "default"}, "count": 1});
    h.ok("POST", path, event.clone());
    h.sleep(1_800);
    let mut other = event.clone();
    other["metadata"]["name"] = "b".into();
    h.ok("POST", path, other);
    let mut again = h.get(&format!("{path}/a"));
    again["count"] = 2.into();
    h.ok("PUT", &format!("{path}/a"), again);
    h.sleep(1_801);
    assert_eq!(h.get(&format!("{path}/a"))["count"], 2, "it was written again");
    h.sleep(1_800);
    assert_eq!(h.get(path)["items"], json!([]));
}

#[test]
fn a_write_shares_with_the_state_before_what_it_does_not_change() {
    let harness = Harness::new();
    let path = "/api/v1/namespaces/default/pods/web";
    harness.ok("POST", "/api/v1/namespaces/default/pods", pod("web"));
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": "2026-11-22T20:00:00Z"});
    let patch = |harness: &Harness, path: &str, body: Value| {
        let headers = [("content-type", "application/strategic-merge-patch+json")];
        let (code, value) = harness.call_with("PATCH", path, body, &headers);
        assert_eq!(code, 200, "{value}");
        value
    };
    let conditions = json!([condition("Initialized", "True"), condition("Ready", "False")]);
    let before = patch(&harness, &format!("{path}/status"), json!({"status": {"conditions": conditions}}));
    let ready = json!({"status": {"conditions": [condition("Ready", "True")]}});
    let after = patch(&harness, &format!("{path}/status"), ready);
    assert_eq!(after["status"]["conditions"][1]["status"], "True");
    assert!(after["spec"].is_same(&before["spec"]));
    assert!(after["status"]["conditions"][0].is_same(&before["status"]["conditions"][0]));
    // A whole object that went through text has nothing in common with the stored one but what it says.
    let mut sent: Value = json::from_str(&after.to_string()).unwrap();
    sent["metadata"]["labels"] = json!({"app": "web"});
    assert!(!sent["spec"].is_same(&after["spec"]));
    let labelled = harness.ok("PUT", path, sent);
    assert_eq!(labelled["metadata"]["labels"]["app"], "web");
    assert!(labelled["spec"].is_same(&after["spec"]) && labelled["status"].is_same(&after["status"]));
}
