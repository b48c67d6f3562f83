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

#[test]
fn a_bad_network_is_slow_and_loses_the_same_with_the_same_seed() {
    let script = "
        kubectl run web --image=nginx --expose --port=80 --overrides='{\"spec\":{\"type\":\"NodePort\"}}' > /dev/null
        kubectl wait --for=condition=Ready pod/web --timeout=300s
        ip=$(kubectl get pod web -o jsonpath={.status.podIP})
        kubectl run a --image=busybox --restart=Never --attach -- sh -c \"for i in 1 2 3 4 5 6 7 8; do wget -qO- $ip | grep title; done\"";
    let play = |options: &[&str]| {
        let all = [&["--profile", "minikube", "--trace-requests"], options].concat();
        common::sh(&all, script)
    };
    let (good, bad) = (play(&[]), play(&["--latency", "50ms", "--loss", "20%"]));
    for text in [&good, &bad] {
        assert_eq!(text.matches("<title>Welcome to nginx!</title>").count(), 8, "{text}");
    }
    assert!(!good.contains("lost on the wire"), "{good}");
    for line in [" 50.000 ms  wire        stays on minikube\n", "lost        lost on the wire, sent again after 1 s\n"]
    {
        assert!(bad.contains(line), "{bad}");
    }
    assert_eq!(bad, play(&["--latency", "50ms", "--loss", "20%"]));
    assert_ne!(bad, play(&["--latency", "50ms", "--loss", "20%", "--seed", "2"]));
    let refused = common::sh(&["--loss", "120%"], "true");
    assert!(refused.contains("\"120%\": a share such as 1% or 0.5% is due"), "{refused}");
}

/// nginx before a backend that speaks another protocol after its answer, and asks what it was asked.
const CHAT: &str = r#"
cat > chat.yaml <<'END'
apiVersion: v1
kind: ConfigMap
metadata: {name: site}
data:
  default.conf: |
    server {
      listen 80;
      location /room {
        proxy_pass http://chat;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
      }
      location / { root /usr/share/nginx/html; }
    }
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: web
    image: nginx
    volumeMounts: [{name: site, mountPath: /etc/nginx/conf.d}]
  volumes: [{name: site, configMap: {name: site}}]
---
apiVersion: v1
kind: Pod
metadata: {name: chat, labels: {app: chat}}
spec:
  containers:
  - name: chat
    image: busybox
    command: [sh, -c, "while true; do (printf 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: chat\\r\\nConnection: Upgrade\\r\\n\\r\\nwelcome\\n'; sleep 100) | nc -l -p 80; done"]
END
kubectl apply -f chat.yaml > /dev/null
kubectl expose pod chat --port=80 > /dev/null
kubectl expose pod web --port=80 --type=NodePort > /dev/null
kubectl run client --image=busybox --command -- sleep 100000 > /dev/null
kubectl wait --for=condition=Ready pod/web pod/chat pod/client > /dev/null
sleep 3
"#;

#[test]
fn nginx_passes_upgraded_connections_on() {
    let script = r#"
        kubectl exec client -- sh -c "(printf 'GET /room HTTP/1.1\r\nHost: site:80\r\nConnection: Upgrade\r\nUpgrade: chat\r\nX-Mine: 1\r\n\r\n'
          sleep 4; wget -qO- web | grep '<title>' >&2; echo hello from the client; sleep 2) | nc web 80" > heard
        sed 's/^Date.*/Date/' heard | tr -d '\r'
        kubectl logs chat | tr -d '\r'
        kubectl logs web | grep room"#;
    let text = common::sh(&["--profile", "minikube"], &format!("exec 2>&1\n{CHAT}{script}"));
    in_order(
        &text,
        &[
            // It answers others meanwhile.
            "<title>Welcome to nginx!</title>\n",
            "HTTP/1.1 101 Switching Protocols\nServer: nginx/1.",
            "\nDate\nConnection: upgrade\nUpgrade: chat\n\nwelcome\n",
            "GET /room HTTP/1.1\nUpgrade: chat\nConnection: upgrade\nHost: site\nX-Real-IP: 10.244.0.",
            "\nX-Mine: 1\n\nhello from the client\n",
            "\"GET /room HTTP/1.1\" 101 ",
        ],
    );
}
