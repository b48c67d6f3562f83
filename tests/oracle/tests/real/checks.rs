//! What the recordings cannot show, because the recorded containers were stand-ins: kubectl's streams into containers, and
//! helm. Each check is a line for bash and what it must print; those of a group share a cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Failed;
use oracle::real::{Place, Programs, Serving};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

/// Checks that share a cluster, one after the other.
pub struct Group {
    /// Its name.
    pub name: &'static str,
    checks: &'static [(&'static str, &'static str)],
}

/// Begins to forward a port of a pod or Service (`$1`) and sets `port`, the local one; `stop` ends it.
const FORWARD: &str = r#"
forward() {
  : > forward.txt; kubectl port-forward "$1" ":$2" >> forward.txt 2>&1 & job=$!
  until grep -q Forwarding forward.txt; do kill -0 $job || return 1; sleep 0.05; done
  port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' forward.txt)
}
get() { exec 3<>/dev/tcp/127.0.0.1/$port; printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3; cat <&3; exec 3>&-; }
stop() { kill $job; wait $job 2>/dev/null; }
"#;

/// All of them.
pub const GROUPS: &[Group] = &[
    Group {
        name: "kubectl reaches containers",
        checks: &[
            (
                "kubectl run web --image=nginx --expose --port=80
                 kubectl run bb --image=busybox -- sleep 3600
                 kubectl wait --for=condition=Ready pod/web pod/bb --timeout=60s",
                "service/web created\npod/web created\npod/bb created\npod/web condition met\npod/bb condition met\n",
            ),
            ("kubectl exec bb -- echo hello", "hello\n"),
            ("echo from here | kubectl exec -i bb -- cat", "from here\n"),
            ("kubectl exec bb -- sh -c 'echo out; echo err >&2; exit 3' 2>/dev/null; echo $?", "out\n3\n"),
            (
                "head -c 300000 /dev/urandom > there; kubectl cp there bb:/tmp/there
                 kubectl cp bb:/tmp/there back > /dev/null; cmp there back && echo same",
                "same\n",
            ),
            ("forward pod/web 80; for i in 1 2 3; do get / | grep '<title>'; done; stop", TITLES),
            ("forward service/web 80; get /nope | head -n 1 | tr -d '\\r'; stop", "HTTP/1.1 404 Not Found\n"),
            (
                "forward pod/web 81; get /; stop; grep -o 'dial tcp4 127.0.0.1:81: connect: connection refused' forward.txt",
                "dial tcp4 127.0.0.1:81: connect: connection refused\n",
            ),
            (
                // More than there is room for on the way, in both directions at once.
                "head -c 8000000 /dev/zero | kubectl exec -i bb -- cat | wc -c",
                "8000000\n",
            ),
            (
                "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false kubectl exec bb -- true 2>&1 | grep -o 'kubonsai does not support.*SPDY'",
                "kubonsai does not support connections upgraded to SPDY\n",
            ),
            ("kubectl port-forward pod/none :80 2>&1", "Error from server (NotFound): pods \"none\" not found\n"),
            (
                "kubectl proxy --port=0 > proxy.txt & job=$!; until grep -q Starting proxy.txt; do sleep 0.05; done
                 port=$(sed 's/.*://' proxy.txt); get /api/v1/namespaces/default/pods/web/proxy/ | grep '<title>'; stop",
                "<title>Welcome to nginx!</title>\n",
            ),
            (
                "echo 'echo from the pod; exit 4' | kubectl run it -i --rm --image=busybox --restart=Never -- sh 2>/dev/null
                 echo $?",
                "from the pod\npod \"it\" deleted from default namespace\n4\n",
            ),
            (
                "kubectl run count --image=busybox --restart=Never -- sh -c 'for i in 1 2 3; do echo $i; sleep 1; done'
                 kubectl wait --for=condition=Ready pod/count --timeout=60s; kubectl logs -f count",
                "pod/count created\npod/count condition met\n1\n2\n3\n",
            ),
            (
                "kubectl debug bb --image=busybox --profile=general -c helper -- sleep 60 2>/dev/null
                 until kubectl exec bb -c helper -- true 2>/dev/null; do sleep 0.2; done
                 kubectl exec bb -c helper -- hostname",
                "bb\n",
            ),
        ],
    },
    Group {
        name: "kubectl holds streams open",
        checks: &[
            (
                "kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80
                 kubectl run bb --image=busybox -- sleep 3600 && kubectl rollout status deploy/web > /dev/null
                 kubectl wait --for=condition=Ready pod/bb --timeout=60s",
                "deployment.apps/web created\nservice/web exposed\npod/bb created\npod/bb condition met\n",
            ),
            ("forward deploy/web 80; get / | grep '<title>'; stop", "<title>Welcome to nginx!</title>\n"),
            (
                // Two connections at once: who came later is answered first.
                "forward deploy/web 80; exec 4<>/dev/tcp/127.0.0.1/$port 5<>/dev/tcp/127.0.0.1/$port
                 printf 'GET /later HTTP/1.0\\r\\n\\r\\n' >&5; head -n 1 <&5 | tr -d '\\r'
                 printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&4; head -n 1 <&4 | tr -d '\\r'; exec 4>&- 5>&-; stop",
                "HTTP/1.1 404 Not Found\nHTTP/1.1 200 OK\n",
            ),
            (
                "kubectl port-forward service/web :81 2>&1; kubectl port-forward service/web :nope 2>&1",
                "error: Service web does not have a service port 81\nerror: Service 'web' does not have a named port 'nope'\n",
            ),
            (
                "kubectl run reader --image=busybox --restart=Never --stdin --attach=false -- sh -c 'cat; echo end; exit 7'
                 kubectl wait --for=condition=Ready pod/reader --timeout=60s
                 echo hello | kubectl attach -i reader 2>/dev/null
                 kubectl wait --for=jsonpath={.status.phase}=Failed pod/reader; kubectl logs reader
                 kubectl get pod reader -o jsonpath='{.status.containerStatuses[0].state.terminated.exitCode}'",
                "pod/reader created\npod/reader condition met\nhello\nend\npod/reader condition met\nhello\nend\n7",
            ),
            (
                "kubectl run count --image=busybox --restart=Never -- sh -c 'for i in 1 2 3 4 5; do echo $i; sleep 1; done'
                 kubectl wait --for=condition=Ready pod/count --timeout=60s
                 kubectl attach count 2>/dev/null | tail -n 1; kubectl attach bb -c none 2>&1",
                "pod/count created\npod/count condition met\n5\n\
                 error: cannot attach to the container: container none is not valid for pod bb out of: bb\n",
            ),
            (
                // A folder there and back.
                "mkdir -p d/e; echo 1 > d/a; echo 2 > 'd/e/b c'; kubectl cp d bb:/tmp/; kubectl exec bb -- cat '/tmp/d/e/b c'
                 kubectl cp bb:/tmp/d back > /dev/null; diff -r d back && echo same
                 kubectl cp none bb:/tmp 2>&1",
                "2\nsame\nerror: none doesn't exist in local filesystem\n",
            ),
            (
                "printf 'a\\nb\\n' | kubectl exec -i bb -- wc -l; kubectl exec bb -- sh -c 'kill -9 $$' 2>&1; echo $?",
                "2\ncommand terminated with exit code 137\n137\n",
            ),
            (
                // With a terminal: it shows what is typed, and ends lines its own way.
                "printf 'echo $((6*7))\\nexit 5\\n' | script -qec 'kubectl exec -it bb -- sh' /dev/null | tr -d '\\r' | grep -x 42
                 script -qec 'kubectl exec -it bb -- sh -c \"tty; exit 6\"' /dev/null < /dev/null | grep -aoE '/dev/pts.0|command .* 6'
                 script -qec 'kubectl exec -it bb -- sh -c \"exit 6\"' /dev/null < /dev/null > /dev/null; echo $?",
                "42\n/dev/pts/0\ncommand terminated with exit code 6\n6\n",
            ),
            (
                "timeout 3 kubectl logs -f bb; echo $?; kubectl logs none 2>&1",
                "124\nerror: error from server (NotFound): pods \"none\" not found in namespace \"default\"\n",
            ),
            (
                "kubectl get --raw /api/v1/namespaces/default/services/web/proxy/ | grep '<title>'
                 kubectl get --raw /api/v1/namespaces/default/services/web:81/proxy/ 2>&1
                 kubectl get --raw /api/v1/namespaces/default/pods/bb/proxy/ 2>&1 | sed 's/tcp [0-9.]*:/tcp IP:/'",
                "<title>Welcome to nginx!</title>\n\
                 Error from server (ServiceUnavailable): no service port 81 found for service \"web\"\n\
                 Error from server (ServiceUnavailable): error trying to reach service: dial tcp IP:80: connect: connection \
                 refused\n",
            ),
            (
                // A watch, and a change by somebody without kubectl.
                "kubectl proxy --port=0 > proxy.txt & job=$!; until grep -q Starting proxy.txt; do sleep 0.05; done
                 port=$(sed 's/.*://' proxy.txt)
                 exec 4<>/dev/tcp/127.0.0.1/$port
                 printf 'GET /api/v1/namespaces/default/configmaps?watch=1 HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' >&4
                 kubectl create configmap seen; timeout 10 grep -om1 '\"name\":\"seen\"' <&4; exec 4>&-; stop",
                "configmap/seen created\n\"name\":\"seen\"\n",
            ),
        ],
    },
    Group {
        name: "kubectl says who it is",
        checks: &[
            ("kubectl auth whoami -o jsonpath='{.status.userInfo.username}'", "minikube-user"),
            (
                "kubectl create sa bot; kubectl create clusterrolebinding bots --clusterrole=view --serviceaccount=default:bot
                 kubectl config set-credentials bot --token=$(kubectl create token bot) > /dev/null
                 kubectl config set-context bot --cluster=minikube --user=bot > /dev/null
                 kubectl --context=bot auth whoami -o jsonpath='{.status.userInfo.username}'",
                "serviceaccount/bot created\nclusterrolebinding.rbac.authorization.k8s.io/bots created\n\
                 system:serviceaccount:default:bot",
            ),
            ("kubectl --context=bot get pods 2>&1", "No resources found in default namespace.\n"),
            ("kubectl --context=bot create ns mine 2>&1", FORBIDDEN),
            (
                "kubectl --context=bot --token=bad get pods 2>&1",
                "error: You must be logged in to the server (Unauthorized)\n",
            ),
            (
                "kubectl create secret generic bot --type=kubernetes.io/service-account-token --dry-run=client -o json |
                   kubectl annotate -f - --local -o json kubernetes.io/service-account.name=bot | kubectl apply -f -
                 kubectl wait --for=jsonpath={.data.token} secret/bot > /dev/null
                 kubectl config set-credentials old --token=$(kubectl get secret bot -o jsonpath={.data.token} | base64 -d) > /dev/null
                 kubectl config set-context old --cluster=minikube --user=old > /dev/null
                 kubectl --context=old auth whoami -o jsonpath={.status.userInfo.username}",
                "secret/bot created\nsystem:serviceaccount:default:bot",
            ),
        ],
    },
    Group {
        name: "certificates are signed",
        checks: &[
            (
                "cat > csr.yaml <<EOF
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: jane
spec:
  request: $JANE_REQUEST
  signerName: kubernetes.io/kube-apiserver-client
  expirationSeconds: 86400
  usages:
  - client auth
EOF
                 kubectl apply -f csr.yaml
                 kubectl get csr jane --no-headers | awk '{ print $1, $3, $4, $5, $6 }'",
                "certificatesigningrequest.certificates.k8s.io/jane created\n\
                 jane kubernetes.io/kube-apiserver-client minikube-user 24h Pending\n",
            ),
            (
                "kubectl certificate approve jane
                 kubectl wait --for=jsonpath={.status.certificate} csr/jane
                 kubectl get csr jane --no-headers | awk '{ print $6 }'",
                "certificatesigningrequest.certificates.k8s.io/jane approved\n\
                 certificatesigningrequest.certificates.k8s.io/jane condition met\nApproved,Issued\n",
            ),
            (
                "kubectl get csr jane -o jsonpath={.status.certificate} | base64 -d > jane.crt; echo $JANE_KEY | base64 -d > jane.key
                 kubectl config set-credentials jane --client-key=jane.key --client-certificate=jane.crt --embed-certs=true
                 kubectl config set-context jane --cluster=minikube --user=jane
                 kubectl --context=jane auth whoami -o jsonpath='{.status.userInfo.username} {.status.userInfo.groups}'",
                "User \"jane\" set.\nContext \"jane\" created.\njane [\"devs\",\"system:authenticated\"]",
            ),
            (
                "kubectl --context=jane get pods 2>&1
                 kubectl create rolebinding devs --clusterrole=view --group=devs; kubectl --context=jane get pods 2>&1
                 kubectl --context=jane --as=system:admin get pods 2>&1",
                "Error from server (Forbidden): pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" \
                 in the namespace \"default\"\n\
                 rolebinding.rbac.authorization.k8s.io/devs created\nNo resources found in default namespace.\n\
                 Error from server (Forbidden): users \"system:admin\" is forbidden: User \"jane\" cannot impersonate resource \
                 \"users\" in API group \"\" at the cluster scope\n",
            ),
        ],
    },
    Group {
        name: "helm keeps releases",
        checks: &[
            ("helm install demo $CHART --wait --timeout 60s | tail -n 1", "demo says hello.\n"),
            ("kubectl get secret -o custom-columns=NAME:.metadata.name,TYPE:.type --no-headers", SECRET),
            ("kubectl get cm demo-greeter -o jsonpath='{.metadata.managedFields[0].operation}' --show-managed-fields", "Apply"),
            ("helm list -q; helm status demo | grep ^STATUS", "demo\nSTATUS: deployed\n"),
            (
                "helm upgrade demo $CHART --set replicas=2 --set greeting=moin --wait --timeout 60s | tail -n 1
                 kubectl get deploy demo-greeter -o jsonpath='{.status.readyReplicas} {.spec.replicas}'",
                "demo says moin.\n2 2",
            ),
            ("helm get values demo", "USER-SUPPLIED VALUES:\ngreeting: moin\nreplicas: 2\n"),
            ("helm rollback demo 1 --wait --timeout 60s", "Rollback was a success! Happy Helming!\n"),
            ("kubectl get cm demo-greeter -o jsonpath='{.data.greeting}'", "hello"),
            ("helm history demo -o json | tr ',' '\\n' | grep -E 'revision|status'", HISTORY),
            (
                // Server-side apply: what others set stays.
                "kubectl label cm demo-greeter by=hand > /dev/null; helm upgrade demo $CHART | tail -n 1
                 kubectl get cm demo-greeter -o jsonpath='{.metadata.labels.by}'",
                "demo says hello.\nhand",
            ),
            ("helm uninstall demo --wait; helm list -q; kubectl get deploy,cm -l app=greeter 2>&1", UNINSTALLED),
        ],
    },
];

const FORBIDDEN: &str = "Error from server (Forbidden): namespaces is forbidden: User \"system:serviceaccount:default:bot\" \
    cannot create resource \"namespaces\" in API group \"\" at the cluster scope\n";
const TITLES: &str =
    "<title>Welcome to nginx!</title>\n<title>Welcome to nginx!</title>\n<title>Welcome to nginx!</title>\n";
const SECRET: &str = "sh.helm.release.v1.demo.v1   helm.sh/release.v1\n";
const HISTORY: &str = "[{\"revision\":1\n\"status\":\"superseded\"\n{\"revision\":2\n\"status\":\"superseded\"\n\
    {\"revision\":3\n\"status\":\"deployed\"\n";
const UNINSTALLED: &str = "release \"demo\" uninstalled\nNo resources found in default namespace.\n";

/// A key, and a request for a certificate of the user jane in the group devs; both PEM in base64.
fn jane() -> anyhow::Result<(String, String)> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "jane");
    params.distinguished_name.push(DnType::OrganizationName, "devs");
    let key = KeyPair::generate()?;
    let request = params.serialize_request(&key)?;
    let pem = |label: &str, der: &[u8]| {
        STANDARD.encode(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)))
    };
    Ok((pem("PRIVATE KEY", &key.serialize_der()), pem("CERTIFICATE REQUEST", request.der())))
}

impl Group {
    /// Runs the checks on a fresh cluster; the first that prints something else ends the group.
    pub fn run(&self, programs: &Programs) -> Result<(), Failed> {
        let name = self.name.replace(' ', "-");
        let place = Place::new(programs, &name, Serving::default()).map_err(|e| format!("{e:#}"))?;
        let chart = oracle::root().join("chart");
        let (key, request) = jane().map_err(|e| format!("{e:#}"))?;
        let before = format!("CHART='{}'; JANE_KEY={key}; JANE_REQUEST={request}{FORWARD}", chart.display());
        for (script, wanted) in self.checks {
            let answer = place.run(&format!("{before}{script}"), "").map_err(|e| format!("{e:#}"))?;
            if answer.stdout != *wanted {
                let (stdout, stderr) = (answer.stdout, answer.stderr);
                return Err(format!("$ {script}\n{stdout}--- stderr\n{stderr}--- wanted\n{wanted}").into());
            }
        }
        Ok(())
    }
}
