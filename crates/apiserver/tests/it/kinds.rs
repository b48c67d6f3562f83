//! Which kinds there are, as a recorded server lists them, and those that nothing here acts upon.

use json::{Value, json};

use crate::harness::{Harness, pod};

/// What a command of the recording printed.
fn recorded(command: &str) -> String {
    let recording = include_str!("../../../../tests/oracle/recordings/15-cluster-info.jsonl");
    let lines = recording.lines().map(|line| json::from_str::<Value>(line).expect("the recording is JSON"));
    let found = lines.into_iter().find(|line| line["cmd"] == command).expect("the command was recorded");
    found["stdout"].as_str().expect("it printed something").to_owned()
}

fn texts(value: &Value) -> String {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

#[test]
fn the_core_group_is_as_recorded() {
    let expected: Value = json::from_str(&recorded("kubectl get --raw /api/v1")).expect("the recording is JSON");
    assert_eq!(Harness::new().get("/api/v1"), expected);
}

#[test]
fn every_kind_is_as_recorded() {
    let h = Harness::new();
    let mut versions = vec!["v1".to_owned()];
    for group in h.get("/apis")["groups"].as_array().unwrap() {
        versions.push(group["preferredVersion"]["groupVersion"].as_str().unwrap().to_owned());
    }
    versions[1..].sort();
    let mut served = Vec::new();
    for version in versions {
        let path = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
        for row in h.get(&path)["resources"].as_array().unwrap() {
            let name = row["name"].as_str().unwrap();
            if !name.contains('/') {
                let (short, kind) = (texts(&row["shortNames"]), row["kind"].as_str().unwrap());
                let (verbs, categories) = (texts(&row["verbs"]), texts(&row["categories"]));
                served.push(format!("{name}|{short}|{version}|{}|{kind}|{verbs}|{categories}", row["namespaced"]));
            }
        }
    }
    let table = recorded("kubectl api-resources -o wide");
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    let starts: Vec<usize> = ["NAME ", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"]
        .iter()
        .map(|title| head.find(title).unwrap())
        .collect();
    let row = |line: &str| {
        let end = |i: usize| starts.get(i + 1).copied().unwrap_or(line.len()).min(line.len());
        let cells = (0..starts.len()).map(|i| line.get(starts[i]..end(i)).unwrap_or("").trim().to_owned());
        cells.collect::<Vec<_>>().join("|")
    };
    assert_eq!(served, lines.map(row).collect::<Vec<_>>());
}

#[test]
fn what_nobody_would_ask_is_not_kept() {
    let h = Harness::new();
    let root = "/apis/admissionregistration.k8s.io/v1";
    let hook = json!({"name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "clientConfig": {"url": "https://example.com"}});
    for (plural, kind) in [
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    ] {
        let path = format!("{root}/{plural}");
        let full = json!({"kind": kind, "metadata": {"name": "a"}, "webhooks": [hook]});
        assert_eq!(
            h.refusal("POST", &path, full.clone()),
            "501 NotImplemented: kubonsai does not support admission webhooks (kube-apiserver) yet"
        );
        let mut empty = h.ok("POST", &path, json!({"metadata": {"name": "a"}}));
        assert_eq!(empty["metadata"]["generation"], 1);
        empty["webhooks"] = full["webhooks"].clone();
        assert!(h.refusal("PUT", &format!("{path}/a"), empty).starts_with("501"));
    }
    let binding = json!({"metadata": {"name": "a"}, "spec": {"policyName": "a", "validationActions": ["Deny"]}});
    let policy = json!({"metadata": {"name": "a"}, "spec": {}});
    for (plural, object) in [("mutatingadmissionpolicies", policy), ("mutatingadmissionpolicybindings", binding)] {
        let what = "mutating admission policies";
        let refusal = h.refusal("POST", &format!("{root}/{plural}"), object);
        assert_eq!(refusal, format!("501 NotImplemented: kubonsai does not support {what} (kube-apiserver) yet"));
        assert_eq!(h.get(&format!("{root}/{plural}"))["items"], json!([]));
    }
}

const NETWORKING: &str = "/apis/networking.k8s.io/v1";

fn addresses(h: &Harness) -> Vec<String> {
    let list = h.get(&format!("{NETWORKING}/ipaddresses"));
    let of = |item: &Value| {
        let parent = &item["spec"]["parentRef"];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (namespace, name) = (text(&parent["namespace"]), text(&parent["name"]));
        format!("{} {}/{namespace}/{name}", text(&item["metadata"]["name"]), text(&parent["resource"]))
    };
    list["items"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn addresses_of_services_are_objects() {
    let h = Harness::new();
    let services = "/api/v1/namespaces/default/services";
    assert_eq!(addresses(&h), ["10.96.0.1 services/default/kubernetes"]);
    let made = h.get(&format!("{NETWORKING}/ipaddresses/10.96.0.1"));
    assert_eq!(
        made["metadata"]["labels"],
        json!({"ipaddress.kubernetes.io/ip-family": "IPv4", "ipaddress.kubernetes.io/managed-by": "ipallocator"})
    );
    let service = |ip: &str| json!({"metadata": {"name": "a"}, "spec": {"clusterIP": ip, "ports": [{"port": 80}]}});
    let mut stored = h.ok("POST", services, service("10.96.0.7"));
    assert_eq!(addresses(&h)[1..], ["10.96.0.7 services/default/a".to_owned()]);
    // Nobody takes it away from its Service.
    h.ok("DELETE", &format!("{NETWORKING}/ipaddresses/10.96.0.7"), Value::Null);
    assert_eq!(addresses(&h).len(), 2);
    // An address goes with the type that needs one, and comes back.
    stored["spec"] = json!({"type": "ExternalName", "externalName": "example.com"});
    let mut stored = h.ok("PUT", &format!("{services}/a"), stored);
    assert_eq!(addresses(&h).len(), 1);
    stored["spec"] = json!({"type": "ClusterIP", "clusterIP": "10.96.0.8", "ports": [{"port": 80}]});
    h.ok("PUT", &format!("{services}/a"), stored);
    assert_eq!(addresses(&h)[1..], ["10.96.0.8 services/default/a".to_owned()]);
    h.ok("DELETE", &format!("{services}/a"), Value::Null);
    assert_eq!(addresses(&h).len(), 1);
    h.ok(
        "POST",
        services,
        json!({"metadata": {"name": "none"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}),
    );
    assert_eq!(addresses(&h).len(), 1);
    // What somebody holds by hand is taken.
    let held = json!({"metadata": {"name": "10.96.0.9"}, "spec": {"parentRef": {"resource": "x", "name": "y"}}});
    h.ok("POST", &format!("{NETWORKING}/ipaddresses"), held);
    let refusal = h.refusal("POST", services, service("10.96.0.9"));
    assert!(refusal.ends_with("failed to allocate IP 10.96.0.9: provided IP is already allocated"), "{refusal}");
    let bad = json!({"metadata": {"name": "10.96.0"}, "spec": {"parentRef": {"resource": "x"}}});
    let refusal = h.refusal("POST", &format!("{NETWORKING}/ipaddresses"), bad);
    assert!(
        refusal.contains("metadata.name: Invalid value: \"10.96.0\": must be a valid IP address")
            && refusal.contains("spec.parentRef.name: Required value"),
        "{refusal}"
    );
}

#[test]
fn there_is_one_range_of_addresses() {
    let h = Harness::new();
    let path = format!("{NETWORKING}/servicecidrs");
    let mut range = h.get(&format!("{path}/kubernetes"));
    assert_eq!(range["spec"]["cidrs"], json!(["10.96.0.0/12"]));
    assert_eq!(range["status"]["conditions"][0]["message"], "Kubernetes default Service CIDR is ready");
    range["spec"]["cidrs"] = json!(["10.0.0.0/8"]);
    let refusal = h.refusal("PUT", &format!("{path}/kubernetes"), range);
    assert!(refusal.contains("spec.cidrs[0]: Invalid value: \"10.0.0.0/8\": field is immutable"), "{refusal}");
    let other = json!({"metadata": {"name": "more"}, "spec": {"cidrs": ["10.0.0.0/16"]}});
    assert!(h.refusal("POST", &path, other).starts_with("501"));
}

#[test]
fn parts_of_the_control_plane_are_asked() {
    let h = Harness::new();
    let path = "/api/v1/componentstatuses";
    let refused = "Get \"https://127.0.0.1:10259/healthz\": dial tcp 127.0.0.1:10259: connect: connection refused";
    let scheduler = h.get(&format!("{path}/scheduler"));
    assert_eq!(scheduler["conditions"], json!([{"type": "Healthy", "status": "False", "message": refused}]));
    let mut part = pod("kube-scheduler-minikube");
    part["metadata"]["labels"] = json!({"component": "kube-scheduler"});
    h.ok("POST", "/api/v1/namespaces/kube-system/serviceaccounts", json!({"metadata": {"name": "default"}}));
    let mut part = h.ok("POST", "/api/v1/namespaces/kube-system/pods", part);
    part["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
    h.ok("PUT", "/api/v1/namespaces/kube-system/pods/kube-scheduler-minikube/status", part);
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let (_, table) = h.call_with("GET", path, Value::Null, &[("accept", accept)]);
    let rows: Vec<&Value> = table["rows"].as_array().unwrap().iter().map(|row| &row["cells"]).collect();
    assert_eq!(
        rows[1..],
        [&json!(["scheduler", "Healthy", "ok", ""]), &json!(["etcd-0", "Healthy", "ok", ""])],
        "{table}"
    );
    assert_eq!(h.refusal("GET", &format!("{path}/x"), Value::Null), "404 NotFound: componentstatus \"x\" not found");
    assert!(h.refusal("DELETE", &format!("{path}/scheduler"), Value::Null).starts_with("405"));
}

#[test]
fn pods_are_bound_by_either_road() {
    let h = Harness::new();
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("web"));
    let binding = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "minikube"}});
    h.ok("POST", "/api/v1/namespaces/default/bindings", binding.clone());
    assert_eq!(h.get("/api/v1/namespaces/default/pods/web")["spec"]["nodeName"], "minikube");
    let again = h.refusal("POST", "/api/v1/namespaces/default/bindings", binding);
    assert!(again.contains("pod web is already assigned to node \"minikube\""), "{again}");
    assert!(h.refusal("GET", "/api/v1/namespaces/default/bindings", Value::Null).starts_with("405"));
}

#[test]
fn devices_are_claimed_and_never_come() {
    let h = Harness::new();
    let root = "/apis/resource.k8s.io/v1";
    let path = format!("{root}/namespaces/default/resourceclaims");
    let class = json!({"metadata": {"name": "gpu"}, "spec": {"selectors": [{"cel": {"expression": "true"}}]}});
    h.ok("POST", &format!("{root}/deviceclasses"), class);
    let claim = |requests: Value| json!({"metadata": {"name": "a"}, "spec": {"devices": {"requests": requests}}});
    let mut made = h.ok("POST", &path, claim(json!([{"name": "one", "exactly": {"deviceClassName": "gpu"}}])));
    assert_eq!(
        made["spec"]["devices"]["requests"][0]["exactly"],
        json!({"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1})
    );
    made["spec"]["devices"]["requests"][0]["name"] = "two".into();
    assert!(h.refusal("PUT", &format!("{path}/a"), made).ends_with("field is immutable"));
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let (_, table) = h.call_with("GET", &path, Value::Null, &[("accept", accept)]);
    assert_eq!(table["rows"][0]["cells"], json!(["a", "pending", "0s"]));
    let bad = h.refusal("POST", &path, claim(json!([{"name": "x"}, {"name": "x", "exactly": {"count": -1}}])));
    for part in [
        "spec.devices.requests[1]: Duplicate value: \"x\"",
        "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
        "spec.devices.requests[1].exactly.deviceClassName: Required value",
        "spec.devices.requests[1].exactly.count: Invalid value: -1: must be greater than zero",
    ] {
        assert!(bad.contains(part), "{part} in {bad}");
    }
    let slice = json!({"metadata": {"name": "s"}, "spec": {"driver": "gpu.example.com", "allNodes": true, "nodeName": "n",
        "pool": {"name": "p", "generation": 1, "resourceSliceCount": 0}}});
    let bad = h.refusal("POST", &format!("{root}/resourceslices"), slice.clone());
    assert!(
        bad.contains("but multiple fields are set") && bad.contains("resourceSliceCount: Invalid value: 0"),
        "{bad}"
    );
    let mut pod = pod("web");
    pod["spec"]["resourceClaims"] = json!([{"name": "gpu", "resourceClaimName": "a"}]);
    assert!(h.refusal("POST", "/api/v1/namespaces/default/pods", pod).starts_with("501"));
}

#[test]
fn storage_has_rules() {
    let h = Harness::new();
    let root = "/apis/storage.k8s.io/v1";
    let class = json!({"metadata": {"name": "gold"}, "driverName": "csi.example.com", "parameters": {"iops": "9"}});
    let mut made = h.ok("POST", &format!("{root}/volumeattributesclasses"), class);
    made["parameters"]["iops"] = "10".into();
    let refusal = h.refusal("PUT", &format!("{root}/volumeattributesclasses/gold"), made);
    assert!(refusal.ends_with("parameters: Forbidden: updates to parameters are forbidden."), "{refusal}");
    let node = json!({"metadata": {"name": "n"}, "spec": {}});
    let made = h.ok("POST", &format!("{root}/csinodes"), node);
    assert_eq!(made["spec"], json!({"drivers": null}));
    let attachment =
        json!({"metadata": {"name": "a"}, "spec": {"attacher": "csi.example.com", "nodeName": "n", "source": {}}});
    let refusal = h.refusal("POST", &format!("{root}/volumeattachments"), attachment);
    assert!(refusal.contains("spec.source: Required value: must specify exactly one of"), "{refusal}");
    let capacity = json!({"metadata": {"name": "a"}, "storageClassName": "Bad_", "capacity": "-1"});
    let refusal = h.refusal("POST", &format!("{root}/namespaces/default/csistoragecapacities"), capacity);
    assert!(
        refusal.contains("storageClassName: Invalid value: \"Bad_\"")
            && refusal.contains("capacity: Invalid value: \"-1\""),
        "{refusal}"
    );
}
