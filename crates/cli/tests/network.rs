//! What containers say to each other besides HTTP: datagrams, and questions to name servers.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

use common::in_order;

/// Two pods to ask from, and one that answers datagrams behind a Service.
const PODS: &str = "
kubectl run a --image=busybox --command -- sleep 100000
kubectl run echo --image=busybox --expose --port=5353 --overrides='{\"spec\":{\"containers\":[{\"name\":\"echo\",\"image\":\"busybox\",
  \"command\":[\"sh\",\"-c\",\"while true; do echo pong | nc -u -l -p 5353 -w 1; done\"]}]}}' > /dev/null
kubectl delete service echo > /dev/null
kubectl expose pod echo --port=53 --target-port=5353 --protocol=UDP
kubectl wait --for=condition=Ready pod/a pod/echo
sleep 3
";

#[track_caller]
fn check(script: &str, expected: &[&str]) -> String {
    let text = common::sh(&["--profile", "minikube"], &format!("{PODS}{script}"));
    in_order(&text, expected);
    text
}

#[test]
fn datagrams_go_there_and_back_through_a_service() {
    check(
        "kubectl exec a -- sh -c 'echo ping | nc -u -w 1 echo 53; echo code $?'
         kubectl logs echo
         kubectl exec a -- nc -u -v -z -w 1 echo 53; echo code $?
         kubectl exec a -- nc -u -v -z -w 1 echo 54; echo code $?
         ip=$(kubectl get pod a -o jsonpath={.status.podIP})
         kubectl exec a -- nc -u -z -w 1 $ip 9; echo code $?
         kubectl exec a -- nc -u -l -p 7 -w 1; echo code $?",
        &["pong\n", "code 0", "ping\n", "code 0", "code 0", "code 1", "code 1"],
    );
}

#[test]
fn a_listener_hears_the_first_who_speaks() {
    let text = check(
        "kubectl exec a -- sh -c 'nc -u -l -v -p 9000 -w 3 > /tmp/heard 2> /tmp/said < /dev/null & sleep 1
           echo one | nc -u -w 1 127.0.0.1 9000; echo two | nc -u -w 1 127.0.0.1 9000; wait; cat /tmp/heard /tmp/said'",
        &["one\n", "listening on 0.0.0.0:9000 ...\n", "connect to 0.0.0.0:9000 from 127.0.0.1 (127.0.0.1:"],
    );
    assert!(!text.contains("two"), "{text}");
}

#[test]
fn name_servers_are_asked_by_name_and_by_kind() {
    check(
        "kubectl exec a -- nslookup echo.default.svc.cluster.local
         kubectl exec a -- nslookup -type=a echo; echo code $?
         kubectl exec a -- nslookup -type=srv _https._tcp.kubernetes.default.svc.cluster.local 10.96.0.10
         kubectl exec a -- nslookup 10.96.0.10 kube-dns.kube-system; echo code $?
         kubectl exec a -- nslookup kubernetes.default; echo code $?
         kubectl exec a -- nslookup -timeout=2 kubernetes.default 10.244.0.99; echo code $?
         kubectl exec a -- nslookup kubernetes.default nowhere.invalid; echo code $?",
        &[
            "Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\techo.default.svc.cluster.local\nAddress: 10.",
            "Name:\techo.default.svc.cluster.local\nAddress: 10.",
            "** server can't find echo.svc.cluster.local: NXDOMAIN\n",
            "** server can't find echo.cluster.local: NXDOMAIN\n",
            "code 1",
            "service = 0 100 443 kubernetes.default.svc.cluster.local\n",
            "Server:\t\tkube-dns.kube-system\nAddress:\t10.96.0.10:53\n\n10.0.96.10.in-addr.arpa\tname = \
             kube-dns.kube-system.svc.cluster.local\n",
            "code 0",
            "** server can't find kubernetes.default: NXDOMAIN\n\n** server can't find kubernetes.default: NXDOMAIN\n",
            "code 1",
            ";; connection timed out; no servers could be reached\n",
            "code 1",
            "nslookup: bad address 'nowhere.invalid'",
            "code 1",
        ],
    );
}
