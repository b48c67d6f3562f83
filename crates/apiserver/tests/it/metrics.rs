//! The group of metrics-server: when it is there, and what it says.

use std::rc::Rc;

use api::http::{Body, Request, Response, TransportError};
use apiserver::{Config, NodeProxy};
use futures_util::future::LocalBoxFuture;
use json::{Value, json};

use crate::harness::{Harness, pod};

/// A kubelet with one pod, and a container in it that is half as old as a window.
struct Kubelet;

type Answer = LocalBoxFuture<'static, Result<Response, TransportError>>;

impl NodeProxy for Kubelet {
    fn kubelet(&self, node: &str, request: Request) -> Answer {
        assert_eq!((node, request.uri().path()), ("minikube", "/stats/summary"));
        let used = |rate: i64, bytes: i64| {
            let time = "2026-11-21T03:08:30Z";
            json!({"startTime": "2026-11-21T03:08:18Z", "cpu": {"time": time, "usageNanoCores": rate},
                "memory": {"time": time, "workingSetBytes": bytes}})
        };
        let mut container = used(12_345_678, 3 << 20);
        container["name"] = "nginx".into();
        let web = json!({"podRef": {"name": "web", "namespace": "default"}, "containers": [container]});
        let summary = json!({"node": used(1_500_000_000, 5 << 20), "pods": [web]});
        Box::pin(std::future::ready(Ok(Response::new(Body::Object(summary.into())))))
    }
    fn http(&self, _: &str, _: u16, _: Request) -> Answer {
        Box::pin(std::future::ready(Err(TransportError::Refused)))
    }
}

const ROOT: &str = "/apis/metrics.k8s.io/v1beta1";
const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

/// A cluster with a node, a pod on it and one that waits, but without metrics-server.
fn harness() -> Harness {
    let h = Harness::with(Config { nodes: Rc::new(Kubelet), ..Config::default() });
    h.ok("POST", "/api/v1/nodes", json!({"metadata": {"name": "minikube", "labels": {"a": "b"}}}));
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("web"));
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("waits"));
    let binding = json!({"target": {"kind": "Node", "name": "minikube"}});
    h.ok("POST", "/api/v1/namespaces/default/pods/web/binding", binding);
    h
}

fn register(h: &Harness) {
    let service = json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {
        "service": {"name": "metrics-server", "namespace": "kube-system"}, "group": "metrics.k8s.io",
        "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}});
    h.ok("POST", SERVICES, service);
}

/// Says that metrics-server is, or is not, ready.
fn serve(h: &Harness, ready: bool) {
    let slices = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices";
    if h.call("GET", &format!("{slices}/m"), Value::Null).0 == 404 {
        let ports = json!([{"name": "https", "port": 443, "targetPort": "https"}]);
        let service = json!({"metadata": {"name": "metrics-server"}, "spec": {"ports": ports}});
        h.ok("POST", "/api/v1/namespaces/kube-system/services", service);
        let labels = json!({"kubernetes.io/service-name": "metrics-server"});
        let slice = json!({"metadata": {"name": "m", "labels": labels}, "addressType": "IPv4", "endpoints": []});
        h.ok("POST", slices, slice);
    }
    let mut slice = h.get(&format!("{slices}/m"));
    slice["endpoints"] = json!([{"addresses": ["10.244.0.9"], "conditions": {"ready": ready}}]);
    slice["ports"] = json!([{"name": "https", "port": 10250, "protocol": "TCP"}]);
    h.ok("PUT", &format!("{slices}/m"), slice);
}

fn condition(h: &Harness) -> (String, String) {
    let service = h.get(&format!("{SERVICES}/v1beta1.metrics.k8s.io"));
    let of = |field: &str| service["status"]["conditions"][0][field].as_str().unwrap_or("").to_owned();
    (of("reason"), of("message"))
}

#[test]
fn the_group_is_there_while_its_server_is() {
    let h = harness();
    let nodes = format!("{ROOT}/nodes");
    assert_eq!(h.call("GET", &nodes, Value::Null), (404, "404 page not found\n".into()));
    register(&h);
    assert_eq!(h.call("GET", &nodes, Value::Null), (503, "service unavailable\n".into()));
    assert_eq!(h.call("GET", ROOT, Value::Null).0, 503);
    let missing = "service/metrics-server in \"kube-system\" is not present";
    assert_eq!(condition(&h), ("ServiceNotFound".to_owned(), missing.to_owned()));
    let groups = |h: &Harness| h.get("/apis")["groups"].to_string().contains("metrics.k8s.io");
    assert!(groups(&h), "the group is known before anybody answers");
    serve(&h, false);
    assert_eq!(condition(&h).0, "MissingEndpoints");
    assert_eq!(h.call("GET", &nodes, Value::Null).0, 503);
    serve(&h, true);
    assert_eq!(condition(&h), ("Passed".to_owned(), "all checks passed".to_owned()));
    assert_eq!(h.call("GET", &nodes, Value::Null).0, 200);
    assert_eq!(h.get(ROOT)["resources"][0]["verbs"], json!(["get", "list"]));
    h.ok("DELETE", &format!("{SERVICES}/v1beta1.metrics.k8s.io"), Value::Null);
    assert!(!groups(&h));
}

#[test]
fn nodes_and_pods_are_measured() {
    let h = harness();
    register(&h);
    serve(&h, true);
    let node = h.get(&format!("{ROOT}/nodes/minikube"));
    assert_eq!((&node["usage"], &node["window"]), (&json!({"cpu": "1500m", "memory": "5Mi"}), &"15s".into()));
    let pods = h.get(&format!("{ROOT}/namespaces/default/pods"));
    assert_eq!((&pods["kind"], pods["items"].as_array().unwrap().len()), (&"PodMetricsList".into(), 1));
    let web = &pods["items"][0];
    assert_eq!(web["containers"], json!([{"name": "nginx", "usage": {"cpu": "12345678n", "memory": "3Mi"}}]));
    assert_eq!(web["window"], "12s", "since its start");
    assert_eq!(h.get(&format!("{ROOT}/nodes?labelSelector=a%3Dc"))["items"], json!([]));
    let refused =
        |path: &str, method: &str| h.call(method, &format!("{ROOT}/{path}"), Value::Null).1["message"].clone();
    assert_eq!(
        refused("namespaces/default/pods/waits", "GET"),
        "podmetrics.metrics.k8s.io \"default/waits\" not found"
    );
    assert_eq!(refused("namespaces/default/pods/nope", "GET"), "pods \"nope\" not found");
    assert_eq!(refused("nodes", "DELETE"), "the server does not allow this method on the requested resource");
    let table = [("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let (_, table) = h.call_with("GET", &format!("{ROOT}/pods"), Value::Null, &table);
    assert_eq!(table["rows"][0]["cells"], json!(["web", "12345678n", "3Mi", "12s"]));
}
