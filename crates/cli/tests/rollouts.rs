//! What Kubernetes promises of rolling updates: pods that are ready take over before others end, so nobody who asks is left without
//! an answer, as long as a pod goes on answering until kube-proxy has heard that it ends.
//!
//! kube-proxy writes its rules once a second. A server that stops at the first signal, as nginx does, can therefore still be sent
//! a request after it has gone, here as on a real cluster: a `preStop` pause, or a server that goes on through its grace period,
//! is what makes it whole.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// Asks all the time while a Deployment of three gets another template, and says how often it was answered.
const SCRIPT: &str = r#"
cat > web.yaml <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 8
      containers:
      - name: web
        image: IMAGE
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
        EXTRA
END
kubectl apply -f web.yaml
kubectl expose deployment/web --port=80
kubectl rollout status deployment/web --timeout=120s
kubectl run client --image=busybox --restart=Never -- sh -c '
  good=0; bad=0
  while [ ! -e /tmp/stop ]; do
    if wget -T 2 -qO /dev/null web; then good=$((good+1)); else bad=$((bad+1)); fi; sleep 0.02
  done; echo answered $good, left alone $bad'
kubectl wait --for=condition=Ready pod/client
kubectl set env deployment/web VERSION=2
kubectl rollout status deployment/web --timeout=120s
sleep 9
kubectl get pods -l app=web --no-headers | wc -l
kubectl exec client -- touch /tmp/stop
sleep 3
kubectl logs client
"#;

/// How many requests were answered and how many were not, for one seed.
fn play(image: &str, extra: &str, seed: u64) -> (u32, u32) {
    let script = SCRIPT.replace("IMAGE", image).replace("EXTRA", extra);
    let text = common::sh(&["--profile", "three-node", "--nodes", "3", "--seed", &seed.to_string()], &script);
    common::in_order(&text, &["deployment.apps/web env updated\n", "successfully rolled out\n", "3\n", "answered "]);
    let counts = text.lines().find_map(|line| line.strip_prefix("answered ")?.split_once(", left alone "));
    let (good, bad) = counts.unwrap_or_else(|| panic!("seed {seed}: {text}"));
    (good.parse().expect("a number"), bad.parse().expect("a number"))
}

#[track_caller]
fn nobody_is_left_alone(image: &str, extra: &str) {
    for seed in 1..=2 {
        let (good, bad) = play(image, extra, seed);
        assert!(good > 300, "seed {seed}: {good} answers are few");
        assert_eq!(bad, 0, "seed {seed}: of {good}");
    }
}

#[test]
fn a_pause_before_the_end_loses_no_request() {
    for image in ["nginx", "httpd"] {
        nobody_is_left_alone(image, "lifecycle: {preStop: {sleep: {seconds: 3}}}");
    }
}

#[test]
fn a_server_that_goes_on_through_its_grace_period_loses_no_request() {
    let command = r#"command: [sh, -c, "trap '' TERM QUIT; nginx -g 'daemon off;' & sleep 100000"]"#;
    nobody_is_left_alone("nginx", command);
}
