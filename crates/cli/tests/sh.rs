//! The whole of it, natively: scripts on the learner's machine against a cluster that really runs.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

use std::process::{Command, Output};

const START: &str = "2026-11-21T09:00:00Z";

fn sh(seed: &str, profile: &[&str], script: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kubonsai"))
        .args(["sh", "--start", START, "--seed", seed])
        .args(profile)
        .args(["-c", script])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const MINIKUBE: &[&str] = &["--profile", "minikube"];

/// The two lessons, as one script.
const LESSONS: &str = r#"
minikube start
kubectl get nodes
kubectl create deployment kubernetes-bootcamp --image=gcr.io/google-samples/kubernetes-bootcamp:v1
kubectl rollout status deployment/kubernetes-bootcamp
kubectl get deployments
kubectl proxy > /dev/null &
sleep 1
curl -s http://localhost:8001/version | grep gitVersion
export POD_NAME=$(kubectl get pods -o go-template --template '{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}')
echo Name of the Pod: $POD_NAME
curl -s http://localhost:8001/api/v1/namespaces/default/pods/$POD_NAME:8080/proxy/
"#;

#[test]
fn a_first_deployment_answers() {
    let output = sh("1", &[], LESSONS);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}{}", stderr(&output));
    let pod = text.lines().find_map(|l| l.strip_prefix("Name of the Pod: ")).expect("a pod").to_owned();
    assert!(pod.starts_with("kubernetes-bootcamp-"), "{text}");
    for line in [
        "* Done! kubectl is now configured to use \"minikube\" cluster and \"default\" namespace by default",
        "deployment.apps/kubernetes-bootcamp created",
        "kubernetes-bootcamp   1/1     1            1           ",
        "  \"gitVersion\": \"v1.36.3\",",
        &format!("Hello Kubernetes bootcamp! | Running on: {pod} | v=1"),
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
}

#[test]
fn same_seed_same_bytes_and_another_seed_other_names() {
    let script = format!("{LESSONS}\nkubectl get pods,rs,events -A -o yaml");
    let (one, again, other) = (sh("7", &[], &script), sh("7", &[], &script), sh("8", &[], &script));
    assert_eq!(stdout(&one), stdout(&again));
    assert_eq!(stderr(&one), stderr(&again));
    assert_ne!(stdout(&one), stdout(&other));
}

#[test]
fn without_a_cluster_kubectl_says_what_the_real_one_says() {
    let output = sh("1", &[], "kubectl get pods");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    );
}

/// Runs one command on a fresh cluster; gives exit code and what was said on which stream.
#[track_caller]
fn check(script: &str, code: i32, out: &str, err: &str) {
    let output = sh("1", MINIKUBE, script);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (out, err), "{script}");
    assert_eq!(output.status.code(), Some(code), "{script}");
}

#[test]
fn mistakes_get_the_words_of_the_real_tools() {
    check("nosuch", 127, "", "bash: line 1: nosuch: command not found\n");
    check("kubectl get foo", 1, "", "error: the server doesn't have a resource type \"foo\"\n");
    check("kubectl get pods nope", 1, "", "Error from server (NotFound): pods \"nope\" not found\n");
    check("kubectl get pods -n nope", 0, "", "No resources found in nope namespace.\n");
    check("kubectl get pods --nope", 1, "", "error: unknown flag: --nope\nSee 'kubectl get --help' for usage.\n");
    check("curl -s http://192.168.49.2:30000/; echo $?", 0, "7\n", "");
}

#[test]
fn malformed_manifests_change_nothing() {
    let script = "printf 'apiVersion: v1\\nkind: Pod\\n metadata: x\\n' > p.yaml; kubectl apply -f p.yaml; echo $?; kubectl get pods";
    let output = sh("1", MINIKUBE, script);
    assert_eq!(stdout(&output), "1\n");
    assert!(
        stderr(&output).contains("error parsing p.yaml: error converting YAML to JSON: yaml: line"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).ends_with("No resources found in default namespace.\n"));
}

#[test]
fn images_that_do_not_exist_end_in_back_off() {
    let script = "kubectl create deployment x --image=nginx:nope; sleep 25; kubectl get pods --no-headers; kubectl describe pods";
    let text = stdout(&sh("1", MINIKUBE, script));
    assert!(text.contains("ImagePullBackOff") || text.contains("ErrImagePull"), "{text}");
    assert!(text.contains("Failed to pull image \"nginx:nope\": Error response from daemon: manifest for nginx:nope not found: manifest unknown: manifest unknown"), "{text}");
}

#[test]
fn a_pod_that_dies_is_replaced_and_a_killed_container_restarts() {
    let script =
        "kubectl create deployment web --image=nginx --replicas=2; kubectl rollout status deploy/web > /dev/null
        kubectl delete $(kubectl get pods -o name | head -1) > /dev/null; kubectl rollout status deploy/web > /dev/null
        kubectl get deploy web -o jsonpath='{.status.readyReplicas}'";
    assert_eq!(stdout(&sh("1", MINIKUBE, script)).lines().last(), Some("2"));
}

#[test]
fn node_ports_reach_pods_from_the_learners_machine() {
    let script =
        "kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1 --replicas=3 > /dev/null
        kubectl rollout status deploy/web > /dev/null
        kubectl expose deployment/web --type=NodePort --port 8080 > /dev/null
        port=$(kubectl get services/web -o go-template='{{(index .spec.ports 0).nodePort}}')
        sleep 2 # kube-proxy writes its rules once a second
        for i in $(seq 30); do curl -s $(minikube ip):$port; done | sort -u | wc -l";
    assert_eq!(stdout(&sh("3", MINIKUBE, script)).trim(), "3", "each of three pods answered at least once");
}

#[test]
fn a_cluster_survives_a_stop() {
    let script = "minikube start > /dev/null; kubectl create configmap kept --from-literal=a=b > /dev/null
        minikube stop; minikube status; echo $?; minikube start > /dev/null; kubectl get configmap kept -o jsonpath='{.data.a}'";
    let text = stdout(&sh("1", &[], script));
    assert!(text.contains("* Stopping node \"minikube\"  ...\n* 1 node stopped.\n"), "{text}");
    assert!(text.contains("host: Stopped\nkubelet: Stopped\napiserver: Stopped\nkubeconfig: Stopped\n\n7\n"), "{text}");
    assert!(text.ends_with('b'), "{text}");
}

const RECORDED: &str = "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n";
const NO_TTY: &str = "Unable to use a TTY - input is not a terminal or the right kind of file\n";

#[test]
fn run_with_a_terminal_ends_where_there_is_none() {
    // The input has ended at once: docker leaves the container, whose shell goes on.
    let script =
        "kubectl run x -it --image=busybox -- sh; echo $?; kubectl get pods -o jsonpath={.items[0].status.phase}";
    let (out, err) = ("/ # 0\nRunning", format!("{NO_TTY}{RECORDED}"));
    let output = sh("1", MINIKUBE, script);
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (out, err.as_str()));
    // With --restart=Never kubectl waits for the end of the pod, for a minute.
    let script = "kubectl run x -it --rm --restart=Never --image=busybox -- sh; echo $?";
    let output = sh("1", MINIKUBE, script);
    assert!(stdout(&output).ends_with("pod \"x\" deleted from default namespace\n1\n"), "{}", stdout(&output));
    assert!(stderr(&output).contains("error: timed out waiting for the condition\n"), "{}", stderr(&output));
}

#[test]
fn run_passes_input_output_and_exit_code() {
    check(
        "echo 'echo hello; exit 4' | kubectl run y -i --rm --restart=Never --image=busybox -- sh; echo $?",
        0,
        "hello\npod \"y\" deleted from default namespace\n4\n",
        &format!("{RECORDED}pod default/y terminated (Error)\n"),
    );
    check("kubectl run z -i --rm -q --restart=Never --image=busybox -- cat < /etc/hostname", 0, "kubonsai\n", "");
    // One that ends at once may be gone before kubectl is attached; what it printed comes all the same, and once.
    let script = "kubectl run w --rm -it -q --restart=Never --image=busybox -- sh -c 'echo out; exit 3'; echo $?";
    let output = sh("1", MINIKUBE, script);
    assert_eq!(stdout(&output), "out\r\n3\n", "{}", stderr(&output));
    assert!(stderr(&output).ends_with("pod default/w terminated (Error)\n"), "{}", stderr(&output));
}

#[test]
fn exec_and_attach_carry_input_and_output() {
    let pod = "kubectl run z --image=busybox -- sh -c 'while sleep 1; do echo tick; done' > /dev/null
        kubectl wait --for=condition=Ready pod/z > /dev/null";
    check(&format!("{pod}; kubectl exec -i z -- cat < /etc/hostname"), 0, "kubonsai\n", "");
    check(
        &format!("{pod}; kubectl exec -it z -- sh -c 'exit 3'"),
        3,
        "",
        &format!("{NO_TTY}command terminated with exit code 3\n"),
    );
    check(&format!("{pod}; timeout 4 kubectl attach z -q | head -2"), 0, "tick\ntick\n", "");
    check(&format!("{pod}; timeout 4 kubectl attach pod z -q -t | head -1"), 0, "tick\n", "");
}

/// Asks a Service ten times a second while it is updated and rolled back; old pods are gone at the end.
const UPDATED_UNDER_REQUESTS: &str = "
    kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1 --replicas=4 > /dev/null
    kubectl rollout status deploy/web > /dev/null
    kubectl expose deployment/web --type=NodePort --port 8080 > /dev/null
    port=$(kubectl get services/web -o go-template='{{(index .spec.ports 0).nodePort}}')
    sleep 1
    (while [ ! -e stop ]; do curl -sS --max-time 5 $(minikube ip):$port >> answers 2>&1 || echo LOST >> answers; sleep 0.1; done) &
    kubectl set image deployments/web kubernetes-bootcamp=docker.io/jocatalin/kubernetes-bootcamp:v2 > /dev/null
    kubectl rollout status deploy/web > /dev/null; sleep 45; echo UPDATED >> answers; sleep 1
    kubectl rollout undo deployments/web > /dev/null
    kubectl rollout status deploy/web > /dev/null; sleep 45; echo UNDONE >> answers; sleep 1
    touch stop; wait; cat answers";

#[test]
fn an_update_and_its_undo_lose_no_request() {
    for (seed, profile) in [("1", MINIKUBE), ("2", &["--profile", "three-node"][..])] {
        let output = sh(seed, profile, UPDATED_UNDER_REQUESTS);
        let text = stdout(&output);
        let odd = |line: &&str| !line.starts_with("Hello Kubernetes bootcamp!");
        assert_eq!(text.lines().filter(odd).collect::<Vec<_>>(), ["UPDATED", "UNDONE"], "seed {seed}");
        assert!(text.lines().count() > 800, "seed {seed}: {} answers", text.lines().count());
        let after = |mark: &str| text.split(mark).nth(1).and_then(|rest| rest.trim().lines().next()).unwrap_or("");
        assert!(after("UPDATED").ends_with("v=2"), "seed {seed}: {}", after("UPDATED"));
        assert!(after("UNDONE").ends_with("v=1"), "seed {seed}: {}", after("UNDONE"));
    }
}

/// A node is stopped; prints the seconds until it is NotReady, until its pods are told to go, and until all run again.
const NODE_STOPPED: &str = "
    kubectl create deployment web --image=gcr.io/google-samples/kubernetes-bootcamp:v1 --replicas=6 > /dev/null
    kubectl rollout status deploy/web > /dev/null
    minikube node stop m02 > /dev/null
    begin=$(date +%s); since() { echo $1 $(( $(date +%s) - begin )); }
    kubectl wait --for=condition=Ready=Unknown node/minikube-m02 --timeout=120s > /dev/null; since notready
    while ! kubectl get pods | grep -q Terminating; do sleep 1; done; since evicted
    kubectl rollout status deploy/web > /dev/null; since moved
    kubectl get pods -o wide --no-headers | grep -v Terminating | grep -c minikube-m02
    minikube node start m02 > /dev/null; sleep 30; kubectl get pods --no-headers | grep -c Running";

#[test]
fn a_stopped_node_loses_its_pods_when_upstream_takes_them() {
    for seed in ["1", "2", "3"] {
        let output = sh(seed, &["--profile", "three-node"], NODE_STOPPED);
        let text = stdout(&output);
        let words: Vec<&str> = text.split_whitespace().collect();
        let [_, notready, _, evicted, _, moved, left, running] = words.as_slice() else { panic!("{text}") };
        let seconds = |word: &str| word.parse::<u64>().unwrap_or(0);
        // The grace period is 50 s since the last heartbeat, which is at most 10 s old, and nodes are looked at every 5 s.
        assert!((40..=55).contains(&seconds(notready)), "seed {seed}: NotReady after {notready} s");
        // The tolerations that every pod gets hold for 300 s.
        let tolerated = seconds(evicted) - seconds(notready);
        assert!((299..=302).contains(&tolerated), "seed {seed}: evicted {tolerated} s later");
        assert!(seconds(moved) - seconds(evicted) <= 10, "seed {seed}: moved after {moved} s");
        assert_eq!((*left, *running), ("0", "6"), "seed {seed}");
    }
}

#[test]
fn jq_and_awk_run_as_guests_of_the_machine() {
    check("kubectl get ns -o json | jq -r '.items[].metadata.name' | head -2", 0, "default\nkube-node-lease\n", "");
    check("echo '{\"a\":[1,2]}' > f; jq -c .a f; jq '.a[1]' < f; jq -e .b f; echo $?", 0, "[1,2]\n2\nnull\n1\n", "");
    check("kubectl get ns --no-headers | awk '{print $1}' | head -1", 0, "default\n", "");
    check(
        "cd /etc; jq -R . hostname; jq . nope; echo $?",
        0,
        "\"kubonsai\"\n2\n",
        "jq: error: Could not open nope: No such file or directory\n",
    );
    let output = sh("1", &[], "jq .a[ < /dev/null; echo $?");
    assert_eq!(stdout(&output), "3\n");
    assert!(stderr(&output).starts_with("jq: error: syntax error, unexpected end of file"), "{}", stderr(&output));
    // Filters without end are ended: by the one who waits, by a closed pipe, by the stack.
    check("timeout 2 jq -n 'def f: f; f'; echo $?", 0, "124\n", "");
    check("jq -n 'repeat(1)' | head -2", 0, "1\n1\n", "");
    let output = sh("1", &[], "jq -n 'def f: 1+f; f'; echo $?");
    assert_eq!(stdout(&output), "139\n");
    assert!(stderr(&output).starts_with("jq: "), "a trap says why: {}", stderr(&output));
}

const DEBUG: &str = r#"
minikube start > /dev/null
kubectl run web --image=nginx > /dev/null
kubectl wait --for=condition=Ready pod/web > /dev/null
kubectl debug web --quiet --image=busybox -c dbg -- wget -qO- localhost
sleep 3
kubectl logs web -c dbg | head -4
kubectl get pod web -o jsonpath='{.spec.ephemeralContainers[0].securityContext}{"\n"}'
kubectl describe pod web | grep -A1 'Ephemeral Containers:'
kubectl debug web --image=busybox --copy-to=web-2 -c extra -- sleep 1000
kubectl wait --for=condition=Ready pod/web-2
kubectl get pod web-2 -o jsonpath='{.spec.containers[*].name} {.spec.shareProcessNamespace}{"\n"}'
kubectl debug node/minikube --image=busybox -- ls /host/etc
sleep 5
kubectl logs -l app.kubernetes.io/managed-by=kubectl-debug
kubectl debug web --image=nginx -c dbg
"#;

#[test]
fn debug_looks_into_pods_and_nodes() {
    let output = sh("1", &[], DEBUG);
    let text = format!("{}{}", stdout(&output), stderr(&output));
    for line in [
        "<title>Welcome to nginx!</title>",
        "{\"capabilities\":{\"add\":[\"SYS_PTRACE\"]}}",
        "Ephemeral Containers:\n  dbg:",
        "pod/web-2 condition met",
        "web extra true",
        "Creating debugging pod node-debugger-minikube-",
        "hostname\nkubernetes\nos-release\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
    assert!(text.contains("spec.ephemeralContainers"), "an ephemeral container is not changed:\n{text}");
}

const PAUSE: &str = r#"
minikube start > /dev/null
kubectl run web --image=nginx > /dev/null
kubectl wait --for=condition=Ready pod/web > /dev/null
minikube pause
minikube status
kubectl get pods; echo $?
minikube unpause
kubectl get pods --no-headers
minikube ssh -- 'hostname; cat /etc/hostname; which kubectl || echo none'
kubectl run touch --image=busybox --restart=Never --overrides='{"spec":{"volumes":[{"name":"v","hostPath":{"path":"/data"}}],"containers":[{"name":"touch","image":"busybox","command":["touch","/v/from-a-pod"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}' > /dev/null
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/touch > /dev/null
minikube ssh ls /data
minikube logs | grep '==>'
"#;

#[test]
fn a_cluster_is_paused_and_its_machine_looked_into() {
    let output = sh("1", &[], PAUSE);
    let text = format!("{}{}", stdout(&output), stderr(&output));
    for line in [
        "* Pausing node minikube ... ",
        "kubelet: Stopped\napiserver: Paused\n",
        "Unable to connect to the server",
        "* Unpausing node minikube ... ",
        "web   1/1   Running",
        "none\n",
        "from-a-pod\n",
        "==> describe nodes <==",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
}

const COPY: &str = r#"
minikube start > /dev/null
kubectl run web --image=nginx > /dev/null
kubectl wait --for=condition=Ready pod/web > /dev/null
mkdir -p site/sub && echo one > site/a.txt && echo two > site/sub/b.txt
kubectl cp site web:/tmp/site && kubectl exec web -- cat /tmp/site/a.txt /tmp/site/sub/b.txt
kubectl cp site/a.txt web:/tmp && kubectl exec web -- ls /tmp
kubectl cp web:/tmp/site back && cat back/sub/b.txt
kubectl cp web:/etc/nginx/nginx.conf ./nginx.conf && grep -c worker_processes nginx.conf
head -c 200000 /dev/zero | tr '\\0' x > big && kubectl cp big web:/tmp/big && kubectl cp web:/tmp/big big2 && diff -q big big2 && echo same
kubectl cp web:/nope x; echo "exit $?"
kubectl cp nope web:/x; echo "exit $?"
"#;

#[test]
fn files_are_copied_to_and_from_containers() {
    let output = sh("1", &[], COPY);
    let text = format!("{}{}", stdout(&output), stderr(&output));
    for line in [
        "one\ntwo\n",
        "a.txt\n",
        "same\n",
        "removing leading '/'",
        "No such file or directory",
        "nope doesn't exist in local filesystem",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
    assert!(text.matches("exit 1").count() == 2, "{text}");
}

/// What the real kubectl 1.36.3 makes of the folders in `tests/kustomize`.
#[test]
fn kustomizations_come_out_as_those_of_the_real_kubectl() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kustomize");
    let mut script = String::new();
    for folder in ["base", "over"] {
        script += &format!("mkdir -p k/{folder}\n");
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder").filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            script += &format!("cat > k/{folder}/{name} <<'END'\n{text}END\n");
        }
    }
    for folder in ["base", "over"] {
        let expected = std::fs::read_to_string(root.join(format!("{folder}.expected.yaml"))).expect("a file");
        let output = sh("1", &[], &format!("{script}kubectl kustomize k/{folder}\n"));
        assert_eq!(stdout(&output), expected, "{folder}: {}", stderr(&output));
    }
}
