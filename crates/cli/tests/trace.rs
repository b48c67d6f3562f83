//! `kubonsai trace`: what became of a script's requests.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

use std::process::{Command, Output};

use common::in_order;

/// An app behind a port of the nodes, and a pod to ask from.
const APP: &str = "
kubectl create deployment web --image=nginx --replicas=2
kubectl expose deployment/web --type=NodePort --port=80
kubectl run guest --image=busybox -- sleep 3600
kubectl rollout status deployment/web
kubectl wait --for=condition=Ready pod/guest
sleep 3
";

fn trace(options: &[&str], script: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubonsai"))
        .args(["trace", "--start", "2026-11-21T09:00:00Z"])
        .args(options)
        .args(["--exec", &format!("{APP}{script}")])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const SCRIPT: &str = r#"
port=$(kubectl get service web -o jsonpath='{.spec.ports[0].nodePort}')
curl -s http://$(minikube ip):$port/ | grep title
kubectl exec guest -- wget -qO- http://web/nope
kubectl exec guest -- wget -qO- http://wbe/
kubectl apply -f - <<END
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}}
END
sleep 2
kubectl exec guest -- wget -T 3 -qO- http://web/
exit 3
"#;

#[test]
fn requests_are_told_hop_by_hop() {
    let output = trace(&["--nodes", "2"], SCRIPT);
    let (table, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "the script's exit code: {table}{said}");
    in_order(&said, &["deployment.apps/web created", "<title>Welcome to nginx!</title>", "closed created"]);
    in_order(
        &table,
        &[
            "TCP learner -> 192.168.49.2:3",
            "answered 200 after ",
            "kube-proxy  NodePort 192.168.49.2:3",
            " on minikube is Service default/web, one of 2 endpoints by chance: 10.244.",
            "(pod/default/web-",
            "policy      no NetworkPolicy selects either end: open",
            "wire        learner -> minikube",
            "arrived     pod/default/web-",
            "which sees 192.168.49.2 as the client",
            "HTTP        GET /: 200",
            "TCP pod/default/guest -> web (10.",
            "answered 404",
            "DNS         web.default.svc.cluster.local? 10.96.0.10 (pod/kube-system/coredns-",
            "): A 10.",
            "ClusterIP 10.",
            "HTTP        GET /nope: 404",
            "DNS pod/default/guest -> wbe: no such name",
            "wbe.default.svc.cluster.local? 10.96.0.10",
            "NXDOMAIN",
            "wbe.svc.cluster.local?",
            "wbe.cluster.local?",
            "wbe? 10.96.0.10",
            "TCP pod/default/guest -> web (10.",
            "dropped by NetworkPolicies after ",
            "ingress of default/web-",
            " is limited by closed; none allows it: dropped",
        ],
    );
    assert!(!table.contains("pod/kube-system/coredns-x ->"), "the cluster's own requests are left out");
    assert_eq!(table, text(&trace(&["--nodes", "2"], SCRIPT).stdout), "the same seed tells the same");
}

#[test]
fn requests_as_json() {
    let output = trace(&["--last", "1", "-o", "json"], "kubectl exec guest -- wget -qO- http://web/ > /dev/null");
    let document: json::Value = json::from_slice(&output.stdout).expect("JSON and nothing else");
    let requests = document.as_array().expect("a list");
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((&request["from"], &request["name"]), (&"pod/default/guest".into(), &"web".into()));
    assert_eq!(request["outcome"], "answered");
    let rule = request["hops"].as_array().and_then(|hops| hops.iter().find_map(|hop| hop["what"].get("rule")));
    let rule = rule.expect("a Service was passed");
    assert_eq!((&rule["service"], &rule["endpoints"]), (&"default/web".into(), &2.into()));
}

#[test]
fn a_shell_tells_of_its_requests_too() {
    let output = common::sh(&["--trace-requests"], "curl http://nowhere.example/");
    in_order(&output, &["Could not resolve host", "DNS learner -> nowhere.example:", "is no name of the internet"]);
    let none = common::sh(&["--trace-requests"], "true");
    in_order(&none, &["No requests travelled over the network."]);
}
