//! NetworkPolicies on real containers: the usual recipes, and what their clients then say.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// Two servers and two clients in `default`, a client in `other`; `get` tries for two seconds.
const SETTING: &str = "
exec 2>&1
kubectl run web --image=nginx --labels=app=web --expose --port=80 > /dev/null
kubectl run db --image=nginx --labels=app=db --expose --port=80 > /dev/null
kubectl create namespace other > /dev/null
kubectl label namespace other team=b > /dev/null
kubectl run friend --image=busybox --labels=access=true -- sleep 100000 > /dev/null
kubectl run stranger --image=busybox -- sleep 100000 > /dev/null
kubectl run guest --image=busybox --labels=access=true -n other -- sleep 100000 > /dev/null
kubectl wait --for=condition=Ready pod --all -A --timeout=120s > /dev/null
sleep 3
get() { echo \"$1 gets $2:\" $(kubectl exec ${3:--n default} $1 -- wget -qO- -T 2 $2 2>&1 | grep -o 'Welcome to nginx!\\|wget: .*' | head -1); }
policy() { (echo 'apiVersion: networking.k8s.io/v1'; echo 'kind: NetworkPolicy'; echo \"metadata: {name: $1}\"; echo \"spec: $2\") | kubectl apply -f - > /dev/null; sleep 1; }
";

const PASSES: &str = "Welcome to nginx!";
const DROPPED: &str = "wget: download timed out";

/// What a script prints after the setting.
#[track_caller]
fn check(script: &str, expected: &[(&str, &str)]) {
    let text = common::sh(&["--seed", "1", "--profile", "minikube"], &format!("{SETTING}{script}"));
    let lines: Vec<String> = expected.iter().map(|(who, what)| format!("{who}: {what}\n")).collect();
    common::in_order(&text, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn deny_all_then_allow_by_label_and_by_namespace() {
    check(
        "get stranger web
         policy deny '{podSelector: {matchLabels: {app: web}}}'
         get stranger web; get friend web; get stranger db
         policy friends '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {access: \"true\"}}}]}]}'
         get friend web; get stranger web; get guest web.default '-n other'
         kubectl label pod stranger access=true > /dev/null; sleep 1
         get stranger web
         policy team '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}]}]}'
         get guest web.default '-n other'
         kubectl label namespace other team=c --overwrite > /dev/null; sleep 1
         get guest web.default '-n other'
         kubectl delete netpol --all > /dev/null; sleep 1
         get guest web.default '-n other'",
        &[
            ("stranger gets web", PASSES),
            ("stranger gets web", DROPPED),
            ("friend gets web", DROPPED),
            ("stranger gets db", PASSES),
            ("friend gets web", PASSES),
            ("stranger gets web", DROPPED),
            ("guest gets web.default", DROPPED),
            ("stranger gets web", PASSES),
            ("guest gets web.default", PASSES),
            ("guest gets web.default", DROPPED),
            ("guest gets web.default", PASSES),
        ],
    );
}

#[test]
fn ports_by_number_and_by_name() {
    check(
        "policy port '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}'
         get stranger web
         policy port '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8000, endPort: 9000}]}]}'
         get stranger web
         policy port '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80, protocol: UDP}]}]}'
         get stranger web
         kubectl run named --image=nginx --port=80 --dry-run=client -o json | sed 's/\"containerPort\": 80/\"containerPort\": 80, \"name\": \"http\"/' | kubectl apply -f - > /dev/null
         kubectl wait --for=condition=Ready pod/named > /dev/null; kubectl expose pod named --port=80 > /dev/null
         policy port '{podSelector: {}, ingress: [{ports: [{port: http}]}]}'
         get stranger named; get stranger web",
        &[
            ("stranger gets web", PASSES),
            ("stranger gets web", DROPPED),
            ("stranger gets web", DROPPED),
            ("stranger gets named", PASSES),
            ("stranger gets web", DROPPED),
        ],
    );
}

#[test]
fn deny_egress_breaks_names_too_and_dns_can_be_let_out() {
    check(
        "ip=$(kubectl get pod web -o jsonpath='{.status.podIP}'); db=$(kubectl get pod db -o jsonpath='{.status.podIP}')
         policy out '{podSelector: {matchLabels: {run: stranger}}, policyTypes: [Egress]}'
         get stranger web; get stranger $ip | sed s/$ip/IP/; get friend web
         policy dns '{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}, {port: 53}]}]}'
         get stranger web
         policy cidr \"{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: $ip/32}}]}]}\"
         get stranger web; get stranger db
         kubectl delete netpol --all > /dev/null
         policy except \"{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.244.0.0/16, except: [$db/32]}}]}]}\"
         get stranger web; get stranger db",
        &[
            ("stranger gets web", "wget: bad address 'web'"),
            ("stranger gets IP", DROPPED),
            ("friend gets web", PASSES),
            ("stranger gets web", DROPPED),
            ("stranger gets web", PASSES),
            ("stranger gets db", DROPPED),
            ("stranger gets web", PASSES),
            ("stranger gets db", DROPPED),
        ],
    );
}

#[test]
fn what_goes_through_the_kubelet_is_not_subject() {
    let text = common::sh(
        &["--seed", "1", "--profile", "minikube"],
        &format!(
            "{SETTING}
policy deny '{{podSelector: {{}}, policyTypes: [Ingress, Egress]}}'
kubectl apply -f - > /dev/null <<EOF
apiVersion: v1
kind: Pod
metadata: {{name: probed}}
spec:
  containers:
  - {{name: c, image: nginx, readinessProbe: {{httpGet: {{port: 80}}}}}}
EOF
kubectl wait --for=condition=Ready pod/probed --timeout=60s
kubectl port-forward pod/web 8080:80 > /dev/null &
sleep 2
curl -s localhost:8080 | grep title
kubectl exec web -- curl -s localhost | grep title
kubectl exec friend -- wget -T 2 --spider $(kubectl get pod web -o jsonpath='{{.status.podIP}}')
kubectl run curl --image=curlimages/curl -- sleep 10000 > /dev/null; kubectl wait --for=condition=Ready pod/curl > /dev/null
kubectl exec curl -- curl -sS --connect-timeout 2 $(kubectl get pod web -o jsonpath='{{.status.podIP}}')
kubectl exec friend -- nc -w 2 $(kubectl get pod web -o jsonpath='{{.status.podIP}}') 80
kubectl get --raw /api/v1/namespaces/default/pods/web/proxy/ | grep title
kill %1"
        ),
    );
    common::in_order(
        &text,
        &[
            "pod/probed condition met",
            "<title>Welcome to nginx!</title>",
            "<title>Welcome to nginx!</title>",
            "Connecting to 10.244.0.",
            "wget: download timed out\ncommand terminated with exit code 1\n",
            "curl: (28) Connection timed out after 2",
            "command terminated with exit code 28\n",
            "nc: timed out\n",
            "<title>Welcome to nginx!</title>",
        ],
    );
}
