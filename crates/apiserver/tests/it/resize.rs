//! Resizing the containers of a pod (`ValidatePodResize`, plugin/pkg/admission/podresize).

use json::{Value, json};

use crate::harness::Harness;

const PODS: &str = "/api/v1/namespaces/default/pods";
const STRATEGIC: (&str, &str) = ("content-type", "application/strategic-merge-patch+json");

fn harness(resources: Value) -> Harness {
    let h = Harness::new();
    h.ok("POST", "/api/v1/nodes", json!({"metadata": {"name": "n"}}));
    let allocatable = json!({"status": {"allocatable": {"cpu": "2", "memory": "1Gi"}}});
    h.call_with("PATCH", "/api/v1/nodes/n/status", allocatable, &[STRATEGIC]);
    h.ok("POST", PODS, pod("p", resources));
    h
}

fn pod(name: &str, resources: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": {"nodeName": "n", "containers": [
        {"name": "a", "image": "i", "resources": resources}, {"name": "b", "image": "i"}]}})
}

fn resize(h: &Harness, container: Value) -> (u16, Value) {
    let patch = json!({"spec": {"containers": [container]}});
    h.call_with("PATCH", &format!("{PODS}/p/resize"), patch, &[STRATEGIC])
}

/// What is said to a change.
fn refusal(h: &Harness, container: Value) -> String {
    let (code, answer) = resize(h, container);
    assert!(code > 400, "{answer}");
    answer["message"].as_str().unwrap().replace("Pod \"p\" is invalid: ", "")
}

#[test]
fn only_cpu_and_memory_change() {
    let h = harness(json!({"requests": {"cpu": "100m", "ephemeral-storage": "1Gi"}}));
    let (code, answer) = resize(
        &h,
        json!({"name": "a", "image": "other", "resources": {"requests": {"cpu": "200m"}, "limits": {"memory": "10Mi"}}}),
    );
    assert_eq!(code, 200, "{answer}");
    let (container, metadata) = (&answer["spec"]["containers"][0], &answer["metadata"]);
    // The image is left out; what is limited is requested.
    assert_eq!((&container["image"], &metadata["generation"]), (&json!("i"), &json!(2)));
    assert_eq!(
        container["resources"],
        json!({"limits": {"memory": "10Mi"}, "requests": {"cpu": "200m", "ephemeral-storage": "1Gi", "memory": "10Mi"}})
    );
    let fields = metadata["managedFields"].as_array().unwrap();
    assert!(fields.iter().any(|entry| entry["subresource"] == "resize"), "{fields:?}");
    let (code, answer) = resize(&h, json!({"name": "a", "resources": {"requests": {"cpu": "200m"}}}));
    assert_eq!((code, &answer["metadata"]["generation"]), (200, &json!(2)), "nothing new");
    for (container, why) in [
        (
            json!({"name": "a", "resources": {"requests": {"cpu": null}}}),
            "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
        ),
        (
            json!({"name": "a", "resources": {"requests": {"ephemeral-storage": "2Gi"}}}),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            json!({"name": "b", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}),
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            json!({"name": "c", "image": "i"}),
            "spec.containers: Forbidden: containers may not be added or removed on resize",
        ),
        (
            json!({"name": "a", "resources": {"requests": {"memory": "20Mi"}}}),
            "spec.containers[0].resources.requests: Invalid value: \"20Mi\": must be less than or equal to memory limit of 10Mi",
        ),
    ] {
        assert_eq!(refusal(&h, container.clone()), why, "{container}");
    }
    let main = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "300m"}}}]}});
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/p"), main, &[STRATEGIC]);
    assert_eq!(code, 422, "{answer}");
}

/// What is owned through the subresource, by the first manager who does; null if nothing is.
fn owned(answer: &Value) -> Value {
    let entries = answer["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().find(|entry| entry["subresource"] == "resize").map_or(Value::Null, |e| e["fieldsV1"].clone())
}

#[test]
fn only_what_is_resized_is_owned() {
    let h = harness(json!({"requests": {"cpu": "100m"}}));
    let before = h.get(&format!("{PODS}/p"));
    let labels = json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {"containers": [{"name": "a", "image": "other"}]}});
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/p/resize"), labels, &[STRATEGIC]);
    assert_eq!((code, &answer), (200, &before), "nothing of it is kept, and nothing is written");
    let patch = json!({"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "a", "image": "other", "resources": {"requests": {"cpu": "200m"}}}]}});
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/p/resize"), patch, &[STRATEGIC]);
    assert_eq!((code, &answer["metadata"]["labels"]), (200, &Value::Null), "{answer}");
    let resources = json!({"f:resources": {"f:requests": {"f:cpu": {}}}});
    assert_eq!(owned(&answer), json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": resources}}}));
    let first = &answer["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"]["k:{\"name\":\"a\"}"];
    assert_eq!(first["f:image"], json!({}), "the image is still the first writer's: {answer}");
}

#[test]
fn an_applied_manifest_owns_the_resources_alone() {
    let h = harness(json!({"requests": {"cpu": "100m"}}));
    let mut config = pod("p", json!({"requests": {"cpu": "300m"}}));
    config["apiVersion"] = "v1".into();
    config["kind"] = "Pod".into();
    config["metadata"]["labels"] = json!({"a": "b"});
    config["spec"]["containers"][0]["image"] = "other".into();
    let path = format!("{PODS}/p/resize?fieldManager=me&force=true");
    let (code, answer) = h.call_with("PATCH", &path, config, &[("content-type", "application/apply-patch+yaml")]);
    assert_eq!(code, 200, "{answer}");
    assert_eq!(answer["spec"]["containers"][0]["resources"], json!({"requests": {"cpu": "300m"}}));
    assert_eq!((&answer["metadata"]["labels"], &answer["spec"]["containers"][0]["image"]), (&Value::Null, &json!("i")));
    let a = json!({".": {}, "f:resources": {"f:requests": {"f:cpu": {}}}});
    let containers = json!({"k:{\"name\":\"a\"}": a, "k:{\"name\":\"b\"}": {}});
    assert_eq!(owned(&answer), json!({"f:spec": {"f:containers": containers}}));
}

#[test]
fn of_what_a_limit_range_fills_in_the_resources_are_kept() {
    let h = harness(json!({"requests": {"cpu": "100m"}}));
    let range = json!({"metadata": {"name": "r"}, "spec": {"limits": [{"type": "Container",
        "defaultRequest": {"memory": "10Mi"}, "default": {"memory": "20Mi"}, "max": {"memory": "30Mi"}}]}});
    h.ok("POST", "/api/v1/namespaces/default/limitranges", range);
    let (code, answer) = resize(&h, json!({"name": "a", "resources": {"requests": {"cpu": "200m"}}}));
    assert_eq!(code, 200, "{answer}");
    assert_eq!(answer["metadata"]["annotations"], Value::Null);
    let filled = json!({"limits": {"memory": "20Mi"}, "requests": {"cpu": "200m", "memory": "10Mi"}});
    assert_eq!(answer["spec"]["containers"][0]["resources"], filled);
    let more = json!({"name": "a", "resources": {"limits": {"memory": "40Mi"}}});
    let why = "pods \"p\" is forbidden: maximum memory usage per Container is 30Mi, but limit is 40Mi";
    assert_eq!(refusal(&h, more.clone()), why);
    // Who looks at what is being deleted any more.
    h.ok("DELETE", &format!("{PODS}/p"), json!({"gracePeriodSeconds": 30}));
    let (code, answer) = resize(&h, more);
    assert_eq!(code, 200, "{answer}");
}

#[test]
fn a_quota_counts_what_was_granted_and_the_node_what_starts_together() {
    let h = harness(json!({"requests": {"cpu": "100m"}}));
    let b = json!({"spec": {"containers": [{"name": "b", "resources": {"requests": {"cpu": "100m"}}}]}});
    h.call_with("PATCH", &format!("{PODS}/p/resize"), b, &[STRATEGIC]);
    let status = json!({"status": {"containerStatuses": [{"name": "a", "image": "i", "imageID": "", "ready": true,
        "restartCount": 0, "allocatedResources": {"cpu": "800m"}, "resources": {"requests": {"cpu": "700m"}}}]}});
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/p/status"), status, &[STRATEGIC]);
    assert_eq!(code, 200, "{answer}");
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "1"}}});
    h.ok("POST", "/api/v1/namespaces/default/resourcequotas", quota);
    let (code, _) = resize(&h, json!({"name": "a", "resources": {"requests": {"cpu": "750m"}}}));
    assert_eq!(code, 200, "it has as much already");
    let why = "pods \"p\" is forbidden: exceeded quota: q, requested: requests.cpu=150m, used: requests.cpu=900m, limited: requests.cpu=1";
    assert_eq!(refusal(&h, json!({"name": "a", "resources": {"requests": {"cpu": "950m"}}})), why);
    let h = harness(json!({}));
    let asks = |name: &str, cpu: &str| json!({"name": name, "image": "i", "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = asks("s", "500m");
    sidecar["restartPolicy"] = "Always".into();
    let spec = json!({"nodeName": "n", "initContainers": [sidecar, asks("i", "1")], "containers": [asks("c", "100m")]});
    h.ok("POST", PODS, json!({"metadata": {"name": "s"}, "spec": spec}));
    let more = json!({"spec": {"initContainers": [asks("i", "1600m")]}});
    let (_, answer) = h.call_with("PATCH", &format!("{PODS}/s/resize"), more, &[STRATEGIC]);
    let why = "pods \"s\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 2100, allocatable: 2000";
    assert_eq!(answer["message"], why);
    let windows = json!({"metadata": {"labels": {"kubernetes.io/os": "windows"}}});
    h.call_with("PATCH", "/api/v1/nodes/n", windows, &[STRATEGIC]);
    let (_, answer) = h.call_with(
        "PATCH",
        &format!("{PODS}/s/resize"),
        json!({"spec": {"containers": [asks("c", "200m")]}}),
        &[STRATEGIC],
    );
    let why = "pods \"s\" is forbidden: pod resize is only supported on linux nodes, node \"n\" is \"windows\"";
    assert_eq!(
        (&answer["message"], &answer["details"]["causes"]),
        (&json!(why), &json!([{"reason": "UnsupportedPlatform"}]))
    );
}

#[test]
fn the_class_of_quality_stays() {
    let h = harness(json!({}));
    let why = "spec: Invalid value: \"BestEffort\": Pod QOS Class may not change as a result of resizing";
    assert_eq!(refusal(&h, json!({"name": "a", "resources": {"requests": {"cpu": "1"}}})), why);
}

#[test]
fn no_more_than_the_node_has_and_the_namespace_may() {
    let h = harness(json!({"requests": {"cpu": "100m"}}));
    let (code, answer) = resize(&h, json!({"name": "a", "resources": {"requests": {"cpu": "3", "memory": "2Gi"}}}));
    assert_eq!(code, 403);
    assert_eq!(
        answer["message"],
        "pods \"p\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824"
    );
    assert_eq!(answer["details"]["causes"], json!([{"reason": "NodeCapacity"}]));
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "1"}}});
    h.ok("POST", "/api/v1/namespaces/default/resourcequotas", quota);
    assert_eq!(
        refusal(&h, json!({"name": "a", "resources": {"requests": {"cpu": "1100m"}}})),
        "pods \"p\" is forbidden: failed quota: q: must specify requests.cpu for: b"
    );
    let why = "pods \"p\" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=100m, limited: requests.cpu=1";
    let both = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}, {"name": "b", "resources": {"requests": {"cpu": "100m"}}}]}});
    let (_, answer) = h.call_with("PATCH", &format!("{PODS}/p/resize"), both, &[STRATEGIC]);
    assert_eq!(answer["message"], why);
}

#[test]
fn static_pods_are_not_resized_and_policies_are_checked() {
    let h = Harness::new();
    let mut mirror = pod("m", json!({"requests": {"cpu": "100m"}}));
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
    h.ok("POST", PODS, mirror);
    let more = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "200m"}}}]}});
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/m/resize"), more.clone(), &[STRATEGIC]);
    assert_eq!(
        (code, &answer["message"]),
        (422, &json!("Pod \"m\" is invalid: []: Forbidden: static pods cannot be resized"))
    );
    let mut windows = pod("w", json!({"requests": {"cpu": "100m"}}));
    windows["spec"]["os"] = json!({"name": "windows"});
    h.ok("POST", PODS, windows);
    let (code, answer) = h.call_with("PATCH", &format!("{PODS}/w/resize"), more, &[STRATEGIC]);
    assert_eq!(
        (code, &answer["message"]),
        (422, &json!("Pod \"w\" is invalid: []: Forbidden: windows pods cannot be resized"))
    );
    let mut init = pod("i", json!({}));
    init["spec"]["initContainers"] = json!([{"name": "i", "image": "i",
        "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}]);
    let (_, answer) = h.call("POST", PODS, init);
    let why = "Pod \"i\" is invalid: spec.initContainers[0].resizePolicy[0].restartPolicy: Invalid value: \"RestartContainer\": must not be set to 'RestartContainer' for non-sidecar initContainers";
    assert_eq!(answer["message"], why);
    let mut wrong = pod("q", json!({}));
    wrong["spec"]["restartPolicy"] = "Never".into();
    wrong["spec"]["containers"][0]["resizePolicy"] = json!([
        {"resourceName": "cpu", "restartPolicy": "RestartContainer"}, {"resourceName": "disk", "restartPolicy": "No"}]);
    let (_, answer) = h.call("POST", PODS, wrong);
    assert_eq!(
        answer["message"],
        "Pod \"q\" is invalid: [spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when pod `restartPolicy` is 'Never', spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\", spec.containers[0].resizePolicy: Unsupported value: \"No\": supported values: \"NotRequired\", \"RestartContainer\", spec.containers[0].resizePolicy: Invalid value: \"No\": must be 'NotRequired' when pod `restartPolicy` is 'Never']"
    );
}
