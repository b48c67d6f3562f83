//! What containers use, who tells, and who acts on it: the walk-through of HorizontalPodAutoscalers, from the add-on to the
//! pods that go again.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let script = format!("exec 2>&1\n{script}");
    common::in_order(&common::sh(&["--profile", "minikube", "--seed", "5"], &script), expected);
}

#[test]
fn metrics_come_and_go_with_their_server() {
    check(
        "kubectl top nodes
         minikube addons enable metrics-server
         kubectl top nodes
         kubectl proxy --port 8001 > /dev/null & sleep 0.5
         curl -s http://localhost:8001/apis/metrics.k8s.io/v1beta1/nodes
         kubectl get apiservice v1beta1.metrics.k8s.io --no-headers
         kubectl rollout status -n kube-system deploy/metrics-server | tail -1; sleep 30
         kubectl get apiservice v1beta1.metrics.k8s.io --no-headers
         minikube addons list | grep metrics-server
         kubectl run busy --image=busybox --restart=Never -- sh -c 'while true; do :; done'
         sleep 50
         kubectl top pods
         kubectl top nodes
         kubectl get podmetrics
         kubectl top pods -n nothing
         kubectl top pod nope
         kubectl scale -n kube-system deploy/metrics-server --replicas=0; sleep 40
         kubectl top pod busy
         minikube addons disable metrics-server
         kubectl top pods -A",
        &[
            "error: Metrics API not available\n",
            "* The 'metrics-server' addon is enabled\n",
            "error: Metrics API not available\n",
            "service unavailable\n",
            "kube-system/metrics-server   False (",
            "successfully rolled out",
            "kube-system/metrics-server   True",
            "│ metrics-server       │ minikube │ enabled ✅ │",
            "pod/busy created",
            "NAME   CPU(cores)   MEMORY(bytes)   \n",
            // One process keeps one CPU busy; kubectl rounds up.
            "busy   100",
            "NAME       CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   \n",
            "m        50%      ",
            "NAME   CPU ",
            "busy   ",
            "   15s",
            "No resources found in nothing namespace.\n",
            "Error from server (NotFound): pods \"nope\" not found\n",
            "error: Metrics API not available\n",
            "* \"The 'metrics-server' addon is disabled\n",
            "error: Metrics API not available\n",
        ],
    );
}

#[test]
fn an_autoscaler_follows_the_load() {
    check(
        "minikube addons enable metrics-server > /dev/null
         kubectl create deployment php-apache --image=registry.k8s.io/hpa-example
         kubectl set resources deployment php-apache --requests=cpu=200m --limits=cpu=500m > /dev/null
         kubectl expose deployment php-apache --port=80 > /dev/null
         kubectl autoscale deployment php-apache --cpu=50% --min=1 --max=3
         kubectl rollout status deployment/php-apache | tail -1
         kubectl get hpa --no-headers
         sleep 60
         kubectl get hpa --no-headers
         kubectl run load-generator --image=busybox:1.28 --restart=Never -- sh -c 'while sleep 0.01; do wget -q -O- http://php-apache; done'
         sleep 120
         kubectl get hpa --no-headers | awk '{print $6}'
         kubectl describe hpa php-apache
         kubectl delete pod load-generator --now > /dev/null
         sleep 200
         kubectl describe hpa php-apache | grep AbleToScale
         sleep 240
         kubectl get hpa --no-headers
         kubectl get deployment php-apache --no-headers
         kubectl get events --field-selector reason=SuccessfulRescale -o jsonpath='{.items[*].message}'",
        &[
            "successfully rolled out",
            "php-apache   Deployment/php-apache   cpu: <unknown>/50%   1     3     0     ",
            "php-apache   Deployment/php-apache   cpu: 0%/50%   1     3     1     ",
            "3\n",
            "resource cpu on pods  (as a percentage of request):",
            "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)",
            "reason: cpu resource utilization (percentage of request) above target",
            "ScaleDownStabilized",
            "php-apache   Deployment/php-apache   cpu: 0%/50%   1     3     1     ",
            "php-apache   1/1   1     1",
            "New size: 1; reason: All metrics below target",
        ],
    );
}
