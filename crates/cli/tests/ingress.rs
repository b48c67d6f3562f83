//! Ingress: the tutorial "Set up Ingress on Minikube with the NGINX Ingress Controller", and what else people do with it.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// The manifest of the tutorial (k8s.io/examples/service/networking/example-ingress.yaml).
const INGRESS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: example-ingress
spec:
  ingressClassName: nginx
  rules:
    - host: hello-world.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port:
                  number: 8080
";

const SETTING: &str = "
exec 2>&1
minikube addons enable ingress > enabled
kubectl wait -n ingress-nginx --for=condition=ready pod -l app.kubernetes.io/component=controller --timeout=120s > /dev/null
kubectl create deployment web --image=gcr.io/google-samples/hello-app:1.0 > /dev/null
kubectl expose deployment web --type=NodePort --port=8080
kubectl create deployment web2 --image=gcr.io/google-samples/hello-app:2.0 > /dev/null
kubectl expose deployment web2 --port=8080 --type=NodePort > /dev/null
kubectl wait --for=condition=available deployment --all > /dev/null
get() { curl -s -H \"Host: $1\" \"$(minikube ip)$2\" | head -${3:-1}; }
";

fn play(script: &str, expected: &[&str]) {
    let file = format!("cat > example-ingress.yaml <<'END'\n{INGRESS}END\n");
    let text = common::sh(&["--seed", "1", "--profile", "minikube"], &format!("{file}{SETTING}{script}"));
    common::in_order(&text, expected);
}

#[test]
fn the_tutorial() {
    play(
        "cat enabled
         kubectl get pods -n ingress-nginx
         sleep 1 # kube-proxy looks once a second
         curl -s $(minikube service web --url) | head -2
         kubectl apply -f example-ingress.yaml
         kubectl get ingress
         sleep 62
         kubectl get ingress
         curl --resolve \"hello-world.example:80:$( minikube ip )\" -i http://hello-world.example
         sed 's/path: .*/path: \\/v2/; s/name: web$/name: web2/' example-ingress.yaml | sed -n '/- path/,$p' >> example-ingress.yaml
         kubectl apply -f example-ingress.yaml
         sleep 4
         curl -s --resolve \"hello-world.example:80:$( minikube ip )\" http://hello-world.example
         curl -s --resolve \"hello-world.example:80:$( minikube ip )\" http://hello-world.example/v2
         curl -si $(minikube ip)
         kubectl describe ingress example-ingress
         kubectl logs -n ingress-nginx deploy/ingress-nginx-controller | tail -3
         kubectl delete -f example-ingress.yaml
         sleep 4
         get hello-world.example / 10",
        &[
            "* ingress is an addon maintained by Kubernetes. For any concerns contact minikube on GitHub.\n",
            "  - Using image registry.k8s.io/ingress-nginx/controller:v1.15.1\n",
            "  - Using image registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.9\n",
            "* Verifying ingress addon...\n* The 'ingress' addon is enabled\n",
            "ingress-nginx-admission-create-",
            "0/1     Completed",
            "ingress-nginx-admission-patch-",
            "0/1     Completed",
            "ingress-nginx-controller-",
            "1/1     Running",
            "Hello, world!\nVersion: 1.0.0\n",
            "ingress.networking.k8s.io/example-ingress created\n",
            "NAME              CLASS   HOSTS                 ADDRESS   PORTS   AGE\n",
            "example-ingress   nginx   hello-world.example             80      0s\n",
            "example-ingress   nginx   hello-world.example   192.168.49.2   80      6",
            "HTTP/1.1 200 OK\r\n",
            "Date: ",
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ",
            "Connection: keep-alive\r\n\r\nHello, world!\nVersion: 1.0.0\nHostname: web-",
            "ingress.networking.k8s.io/example-ingress configured\n",
            "Version: 1.0.0\n",
            "Version: 2.0.0\n",
            "HTTP/1.1 404 Not Found\r\n",
            "Content-Type: text/html\r\nContent-Length: 146\r\nConnection: keep-alive\r\n\r\n",
            "<hr><center>nginx</center>\r\n",
            "Address:          192.168.49.2\n",
            "  hello-world.example  \n",
            "/     web:8080 (10.244.0.",
            "/v2   web2:8080 (10.244.0.",
            "  Normal  Sync    ",
            "nginx-ingress-controller  Scheduled for sync\n",
            "192.168.49.1 - - [21/Nov/2026:",
            "\"GET /v2 HTTP/1.1\" 200 61 \"-\" \"curl/",
            "[default-web2-8080] [] 10.244.0.",
            "<center><h1>404 Not Found</h1></center>",
        ],
    );
}

#[test]
fn paths_rewrites_redirects_and_failures() {
    play(
        "annotate() { kubectl annotate ingress $1 --overwrite nginx.ingress.kubernetes.io/$2 > /dev/null; sleep 4; }
         kubectl create ingress paths --rule='a.example/exact=web:8080' --rule='a.example/pre*=web2:8080' > /dev/null
         kubectl create ingress star --rule='*.b.example/*=web:8080' > /dev/null
         kubectl create ingress tls --rule='t.example/*=web:8080,tls=secret' > /dev/null
         kubectl create ingress rewrite --class=nginx --rule='r.example/api*=web:8080' --annotation=nginx.ingress.kubernetes.io/rewrite-target=/ > /dev/null
         kubectl create ingress gone --rule='gone.example/*=nothing:80' > /dev/null
         kubectl create ingress other --class=other --rule='other.example/*=web:8080' > /dev/null
         sleep 4
         echo exact: $(get a.example /exact); echo below: $(get a.example /exact/x 2 | tail -1)
         echo prefix: $(get a.example /pre 2 | tail -1) $(get a.example /pre/x 2 | tail -1) $(get a.example /prefix 2 | tail -1)
         echo star: $(get x.b.example / 2 | tail -1) $(get x.y.b.example / 2 | tail -1)
         echo other: $(get other.example / 2 | tail -1)
         echo tls: $(curl -sI -H 'Host: t.example' $(minikube ip)/a/ | grep -i 'HTTP\\|location')
         echo rewrite: $(get r.example /api/deep 2 | tail -1)
         echo gone: $(get gone.example / 2 | tail -1)
         annotate star auth-url=http://x/
         echo refused: $(get x.b.example / 2 | tail -1)
         kubectl get events --field-selector type=Warning,involvedObject.kind=Ingress -o custom-columns=M:.message --no-headers
         kubectl scale deployment web --replicas=0 > /dev/null; sleep 5
         echo scaled: $(get r.example /api 2 | tail -1)
         kubectl scale deployment web --replicas=3 > /dev/null; kubectl rollout status deployment web > /dev/null; sleep 4
         for i in 1 2 3 4 5 6; do get r.example /api 3 | tail -1; done | sort | uniq -c
         echo https: $(curl -s $(minikube ip):443 | grep -o 'The plain HTTP.*port')",
        &[
            "exact: Hello, world!\n",
            "below: <head><title>404 Not Found</title></head>",
            "prefix: Version: 2.0.0 Version: 2.0.0 <head><title>404 Not Found</title></head>",
            "star: Version: 1.0.0 <head><title>404 Not Found</title></head>",
            "other: <head><title>404 Not Found</title></head>",
            "tls: HTTP/1.1 308 Permanent Redirect",
            "https://t.example/a",
            "rewrite: Version: 1.0.0",
            "gone: <head><title>503 Service Temporarily Unavailable</title></head>",
            "refused: <head><title>503 Service Temporarily Unavailable</title></head>",
            "kubonsai does not support this annotation (ingress-nginx) yet: nginx.ingress.kubernetes.io/auth-url",
            "scaled: <head><title>503 Service Temporarily Unavailable</title></head>",
            "2 Hostname: web-",
            "2 Hostname: web-",
            "2 Hostname: web-",
            "https: The plain HTTP request was sent to HTTPS port",
        ],
    );
}

#[test]
fn switching_it_off_and_taking_its_rights() {
    play(
        "kubectl apply -f example-ingress.yaml > /dev/null; sleep 64
         echo before: $(kubectl get ingress example-ingress -o jsonpath='{.status.loadBalancer.ingress[0].ip}')
         kubectl delete clusterrolebinding ingress-nginx > /dev/null
         kubectl rollout restart -n ingress-nginx deploy/ingress-nginx-controller > /dev/null; sleep 30
         kubectl get pods -n ingress-nginx -l app.kubernetes.io/component=controller --no-headers
         minikube addons disable ingress
         kubectl get ns ingress-nginx
         minikube addons list | grep ' ingress '
         curl -sS -m 5 $(minikube ip)",
        &[
            "before: 192.168.49.2\n",
            "0/1   Running",
            "The 'ingress' addon is disabled\n",
            "Error from server (NotFound): namespaces \"ingress-nginx\" not found\n",
            "disabled",
            "curl: (7) Failed to connect to 192.168.49.2 port 80",
        ],
    );
}

#[test]
fn traffic_policies_of_services() {
    let text = common::sh(
        &["--seed", "1", "--profile", "three-node"],
        "exec 2>&1
         kubectl create deployment web --image=nginx > /dev/null; kubectl rollout status deploy/web > /dev/null
         kubectl expose deployment web --type=LoadBalancer --port=80 > /dev/null
         kubectl patch svc web -p '{\"spec\": {\"externalTrafficPolicy\": \"Local\"}}'
         sleep 3
         port=$(kubectl get svc web -o jsonpath='{.spec.ports[0].nodePort}')
         check=$(kubectl get svc web -o jsonpath='{.spec.healthCheckNodePort}')
         here=$(kubectl get pods -l app=web -o jsonpath='{.items[0].status.hostIP}')
         for ip in $(kubectl get nodes -o jsonpath='{.items[*].status.addresses[0].address}'); do
           [ $ip = $here ] && where=here || where=elsewhere
           echo $where: $(curl -s -o /dev/null -m 3 -w '%{http_code}' $ip:$port) health $(curl -s -m 3 -o /dev/null -w '%{http_code}' $ip:$check)
         done | sort
         echo seen: $(kubectl logs deploy/web | grep 'GET / ' | cut -d' ' -f1)
         kubectl patch svc web -p '{\"spec\": {\"externalTrafficPolicy\": \"Cluster\"}}' > /dev/null
         echo check: $(kubectl get svc web -o jsonpath='{.spec.healthCheckNodePort}').
         kubectl patch svc web -p '{\"spec\": {\"healthCheckNodePort\": 31000}}'
         kubectl create service clusterip inner --tcp=80 --dry-run=client -o json | sed 's/\"type\"/\"externalTrafficPolicy\": \"Local\", \"type\"/' | kubectl apply -f -",
    );
    common::in_order(
        &text,
        &[
            "service/web patched\n",
            "elsewhere: 000 health 503\n",
            "elsewhere: 000 health 503\n",
            "here: 200 health 200\n",
            "seen: 192.168.49.1\n",
            "check: .\n",
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
            "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services",
        ],
    );
}

#[test]
fn what_is_sent_does_not_end_the_controller() {
    play(
        "kubectl create ingress rewrite --class=nginx --rule='r.example/something(/|$)(.*)*=web:8080' --annotation='nginx.ingress.kubernetes.io/rewrite-target=/$2' > /dev/null
         kubectl create ingress timeouts --class=nginx --rule='t.example/*=web:8080' --annotation=nginx.ingress.kubernetes.io/proxy-read-timeout=18446744073709551615 > /dev/null
         kubectl create service externalname inner --external-name=web.default.svc.cluster.local > /dev/null
         kubectl create service externalname own --external-name=localhost > /dev/null
         kubectl create ingress names --class=nginx --rule='inner.example/*=inner:8080' --rule='own.example/*=own:10254' > /dev/null
         sleep 10
         path=$(printf 'a/b%.0s' $(seq 1 2000))
         echo long: $(get r.example /something/$path 2 | tail -1)
         echo time: $(get t.example / 2 | tail -1)
         echo inner: $(get inner.example / 2 | tail -1)
         echo own: $(get own.example /healthz 2 | tail -1)
         echo quote: $(curl -s -o /dev/null -w '%{http_code}' -A 'x\"y' -H 'Host: t.example' $(minikube ip)/)
         kubectl logs -n ingress-nginx deploy/ingress-nginx-controller | tail -1
         kubectl get events --field-selector type=Warning,involvedObject.kind=Ingress -o custom-columns=M:.message --no-headers
         kubectl get pods -n ingress-nginx -l app.kubernetes.io/component=controller --no-headers",
        &[
            "long: Version: 1.0.0",
            "time: Version: 1.0.0",
            "inner: Version: 1.0.0",
            "own: <head><title>503 Service Temporarily Unavailable</title></head>",
            "quote: 200\n",
            "\"x\\x22y\"",
            "Error parsing annotations: annotation nginx.ingress.kubernetes.io/proxy-read-timeout contains invalid value",
            "1/1   Running   0 ",
        ],
    );
}

#[test]
fn a_connection_that_is_upgraded_carries_bytes_both_ways() {
    // The backend speaks first, as a server may; and each end hears the other.
    play(
        r#"cat > backend.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: chat, labels: {app: chat}}
spec:
  containers:
  - name: chat
    image: busybox
    command: [sh, -c, "while true; do (printf 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: chat\\r\\nConnection: Upgrade\\r\\n\\r\\nwelcome\\n'; sleep 100) | nc -l -p 80; done"]
END
         kubectl apply -f backend.yaml > /dev/null
         kubectl expose pod chat --port=80 > /dev/null
         sed 's/name: web$/name: chat/; s/8080/80/; s/hello-world/chat/' example-ingress.yaml | kubectl apply -f -
         kubectl run client --image=busybox --command -- sleep 100000 > /dev/null
         kubectl wait --for=condition=Ready pod/chat pod/client > /dev/null
         sleep 5
         kubectl exec client -- sh -c "(printf 'GET /room HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n'
           sleep 4; echo hello from the client; sleep 5) | nc $(minikube ip) 80" > heard
         sed 's/^Date.*/Date/' heard | tr -d '\r'
         kubectl logs chat | tr -d '\r'
         kubectl logs -n ingress-nginx deploy/ingress-nginx-controller | grep room"#,
        &[
            "HTTP/1.1 101 Switching Protocols\nDate\nConnection: upgrade\nUpgrade: chat\n\nwelcome\n",
            "GET /room HTTP/1.1\nHost: chat.example\nUpgrade: chat\nConnection: upgrade\nX-Request-ID: ",
            "\n\nhello from the client\n",
            "\"GET /room HTTP/1.1\" 101 8 ",
        ],
    );
}
