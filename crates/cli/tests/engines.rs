//! `--engine`: the same script on a cluster whose containers run on one engine and on the other.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

use common::{in_order, sh};

/// Pods that mean harm beside one that serves.
const SCRIPT: &str = r#"
kubectl create deployment web --image=nginx > /dev/null
kubectl rollout status deployment/web > /dev/null
kubectl expose deployment web --port=80 --type=NodePort > /dev/null
kubectl apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  containers:
  - name: main
    image: polinux/stress
    command: [stress, --vm, "1", --vm-bytes, 150M, --vm-hang, "1"]
    resources: {limits: {memory: 50Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: busy}
spec:
  containers:
  - name: main
    image: busybox
    command: [sh, -c, "while true; do :; done"]
    resources: {limits: {cpu: 100m}}
---
apiVersion: v1
kind: Pod
metadata: {name: nobody}
spec:
  containers: [{name: main, image: "nginx:nosuchtag"}]
---
apiVersion: v1
kind: Pod
metadata: {name: nothing}
spec:
  containers: [{name: main, image: busybox, command: [/nosuch]}]
EOF
sleep 90
for pod in greedy busy nobody nothing; do
  echo "$pod $(kubectl get pod $pod --no-headers | tr -s ' ' | cut -d' ' -f 2,3)"
done
kubectl get pod greedy -o jsonpath='{.status.containerStatuses[0].lastState.terminated.reason} {.status.containerStatuses[0].lastState.terminated.exitCode}{"\n"}'
curl -s $(minikube ip):$(kubectl get services/web -o go-template='{{(index .spec.ports 0).nodePort}}') | grep Welcome | head -n 1
kubectl exec deploy/web -- sh -c 'cat /etc/hostname | wc -l; exit 3'
echo $?
"#;

const EXPECTED: &[&str] = &[
    "greedy 0/1 CrashLoopBackOff\n",
    "busy 1/1 Running\n",
    "nobody 0/1 ImagePullBackOff\n",
    "nothing 0/1 CrashLoopBackOff\n",
    "OOMKilled 137\n",
    "Welcome to nginx!",
    "1\n3\n",
    "command terminated with exit code 3\n",
];

#[test]
fn a_cluster_on_wasmi() {
    in_order(&sh(&["--profile", "minikube", "--engine", "wasmi"], SCRIPT), EXPECTED);
}

#[test]
fn a_cluster_on_wasmtime() {
    in_order(&sh(&["--profile", "minikube", "--engine", "wasmtime"], SCRIPT), EXPECTED);
}
