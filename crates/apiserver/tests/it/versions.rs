//! Kinds in two versions, requests for certificates, and what a fresh server says of itself.

use json::{Value, json};

use crate::harness::Harness;

#[test]
fn events_of_both_groups_are_the_same() {
    let h = Harness::new();
    let core = "/api/v1/namespaces/default/events";
    let new = "/apis/events.k8s.io/v1/namespaces/default/events";
    let about = json!({"kind": "Pod", "name": "p", "namespace": "default"});
    h.ok(
        "POST",
        core,
        json!({"metadata": {"name": "a", "namespace": "default"}, "involvedObject": about, "message": "hello",
            "reason": "R", "type": "Normal", "count": 2, "source": {"component": "c"}}),
    );
    let seen = h.get(&format!("{new}/a"));
    assert_eq!(
        (&seen["apiVersion"], &seen["note"], &seen["regarding"]["name"]),
        (&json!("events.k8s.io/v1"), &json!("hello"), &json!("p"))
    );
    assert_eq!((&seen["deprecatedCount"], &seen["deprecatedSource"]["component"]), (&json!(2), &json!("c")));
    h.ok(
        "POST",
        new,
        json!({"metadata": {"name": "b", "namespace": "default"}, "regarding": about, "note": "again", "reason": "S",
            "type": "Warning", "action": "A", "eventTime": "2026-11-21T02:00:00.000000Z",
            "reportingController": "me", "reportingInstance": "me-1"}),
    );
    let seen = h.get(&format!("{core}/b"));
    assert_eq!(
        (&seen["apiVersion"], &seen["message"], &seen["reportingComponent"]),
        (&json!("v1"), &json!("again"), &json!("me"))
    );
    assert_eq!(h.get(new)["items"].as_array().unwrap().len(), 2);
    let selected = h.get(&format!("{core}?fieldSelector=involvedObject.name%3Dp"));
    assert_eq!(selected["items"].as_array().unwrap().len(), 2);
}

#[test]
fn autoscalers_of_the_older_version_keep_what_they_cannot_say() {
    let h = Harness::new();
    let (old, new) = (
        "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers",
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
    );
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let spec = json!({"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50});
    h.ok("POST", old, json!({"metadata": {"name": "a"}, "spec": spec}));
    let seen = h.get(&format!("{new}/a"));
    assert_eq!(seen["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 50);
    let memory = json!({"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
    let spec = json!({"scaleTargetRef": target, "maxReplicas": 3, "metrics": [memory]});
    h.ok("POST", new, json!({"metadata": {"name": "b"}, "spec": spec}));
    let mut seen = h.get(&format!("{old}/b"));
    assert_eq!(seen["spec"]["targetCPUUtilizationPercentage"], Value::Null);
    seen["spec"]["maxReplicas"] = 5.into();
    h.ok("PUT", &format!("{old}/b"), seen);
    let after = h.get(&format!("{new}/b"));
    assert_eq!((&after["spec"]["maxReplicas"], &after["spec"]["metrics"]), (&json!(5), &json!([memory])));
}

#[test]
fn certificates_are_asked_for_and_decided_on() {
    let h = Harness::new();
    let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let pem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
    let spec = json!({"request": pem, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth"], "username": "forged"});
    let made = h.ok("POST", path, json!({"metadata": {"name": "me"}, "spec": spec}));
    assert_ne!(made["spec"]["username"], "forged");
    let mut decided = made;
    decided["status"]["conditions"] = json!([{"type": "Approved", "status": "True", "reason": "R", "message": "yes"}]);
    let after = h.ok("PUT", &format!("{path}/me/approval"), decided.clone());
    assert!(after["status"]["conditions"][0]["lastUpdateTime"].is_string(), "{after}");
    // Only the approval says so.
    let mut other = after.clone();
    other["status"] = json!({});
    assert_eq!(h.ok("PUT", &format!("{path}/me/status"), other)["status"]["conditions"][0]["type"], "Approved");
    let mut both = after;
    let denied = json!({"type": "Denied", "status": "True", "reason": "R", "message": "no"});
    both["status"]["conditions"].as_array_mut().unwrap().push(denied);
    assert!(h.refusal("PUT", &format!("{path}/me/approval"), both).contains("mutually exclusive"));
    let bad = json!({"metadata": {"name": "x"}, "spec": {"request": "aGVsbG8=", "signerName": "a", "usages": ["any"]}});
    let refusal = h.refusal("POST", path, bad);
    assert!(
        refusal.contains("PEM block type must be CERTIFICATE REQUEST") && refusal.contains("spec.signerName"),
        "{refusal}"
    );
}

#[test]
fn a_fresh_server_says_what_it_serves() {
    let h = Harness::new();
    let services = h.get("/apis/apiregistration.k8s.io/v1/apiservices");
    let names: Vec<&str> =
        services["items"].as_array().unwrap().iter().map(|s| s["metadata"]["name"].as_str().unwrap()).collect();
    for name in ["v1.", "v1.apps", "v1.events.k8s.io", "v2.autoscaling"] {
        assert!(names.contains(&name), "{names:?}");
    }
    // The list of services is not in itself.
    for group in h.get("/apis")["groups"].as_array().unwrap().iter().filter(|g| g["name"] != "apiregistration.k8s.io") {
        let version = group["preferredVersion"]["version"].as_str().unwrap();
        let name = format!("{version}.{}", group["name"].as_str().unwrap());
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let remote = json!({"metadata": {"name": "v1.x.example.com"}, "spec": {"group": "x.example.com", "version": "v1",
        "groupPriorityMinimum": 1, "versionPriority": 1, "service": {"name": "a", "namespace": "b"}}});
    assert!(h.refusal("POST", "/apis/apiregistration.k8s.io/v1/apiservices", remote).starts_with("501"));
    let schema = h.get("/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/catch-all");
    assert_eq!(schema["status"]["conditions"][0]["status"], "False");
}

#[test]
fn pods_of_a_runtime_class_cost_what_it_says() {
    let h = Harness::new();
    let pods = "/api/v1/namespaces/default/pods";
    let mut pod = crate::harness::pod("a");
    pod["spec"]["runtimeClassName"] = "small".into();
    assert_eq!(
        h.refusal("POST", pods, pod.clone()),
        "403 Forbidden: pods \"a\" is forbidden: pod rejected: RuntimeClass \"small\" not found"
    );
    let class = json!({"metadata": {"name": "small"}, "handler": "runc", "overhead": {"podFixed": {"memory": "10Mi"}},
        "scheduling": {"nodeSelector": {"small": "yes"}}});
    h.ok("POST", "/apis/node.k8s.io/v1/runtimeclasses", class);
    let made = h.ok("POST", pods, pod);
    assert_eq!(
        (&made["spec"]["overhead"], &made["spec"]["nodeSelector"]),
        (&json!({"memory": "10Mi"}), &json!({"small": "yes"}))
    );
}
