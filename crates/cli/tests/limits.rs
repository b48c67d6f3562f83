//! Limits of containers, as somebody at the terminal meets them.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// A pod with limits that runs a script.
const LIMITED: &str = r#"exec 2>&1
    limited() { name=$1 limits=$2; shift 2; kubectl run $name --image=busybox --restart=Never --overrides='{"spec":{"containers":[{"name":"'$name'","image":"busybox","args":["sh","-c","'"$*"'"],"resources":{"requests":{"cpu":"10m"},"limits":{'$limits'}}}]}}' > /dev/null; }
"#;

fn sh(options: &[&str], script: &str) -> String {
    common::sh(&[&["--profile", "minikube", "--seed", "5"], options].concat(), &format!("{LIMITED}{script}"))
}

/// The number behind a word of a text.
fn number(text: &str, word: &str) -> f64 {
    let rest = text.split_once(word).unwrap_or_else(|| panic!("{word:?} is missing in:\n{text}")).1;
    let digits: String = rest.trim_start().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().unwrap_or_else(|_| panic!("no number behind {word:?} in:\n{text}"))
}

/// A tenth of a CPU: the same work takes ten times as long, and the metrics say a tenth.
#[test]
fn a_cpu_limit_shows_in_run_time_and_in_metrics() {
    for engine in ["wasmi", "wasmtime"] {
        let text = sh(
            &["--engine", engine],
            r#"minikube addons enable metrics-server > /dev/null
               work='b=$(date +%s%N); i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo took $((($(date +%s%N) - b) / 1000000)) ms'
               limited whole '"cpu":"1"' "$work"
               limited tenth '"cpu":"100m"' "$work"
               limited idle '"cpu":"100m"' 'sleep 1000'
               limited busy '"cpu":"250m"' 'while :; do :; done'
               sleep 60
               kubectl top pods --no-headers
               kubectl wait pod/whole pod/tenth --for=jsonpath='{.status.phase}'=Succeeded --timeout=600s > /dev/null
               echo whole $(kubectl logs whole); echo tenth $(kubectl logs tenth)"#,
        );
        let busy = number(&text, "busy ");
        assert!((248.0..=252.0).contains(&busy), "{busy}m on {engine}:\n{text}");
        assert!(number(&text, "idle ") <= 1.0, "{text}");
        let (whole, tenth) = (number(&text, "whole took"), number(&text, "tenth took"));
        assert!(whole > 500.0, "enough to be measured on {engine}:\n{text}");
        assert!((9.0..=11.0).contains(&(tenth / whole)), "{whole} and {tenth} ms on {engine}:\n{text}");
    }
}

/// What a container may have at once, and what says that it has all of it.
#[test]
fn processes_files_and_memory_have_limits_with_linux_words() {
    let text = sh(
        &[],
        r#"limited forks '"cpu":"1"' 'i=0; while sleep 100 & do i=$((i+1)); done; echo $i processes; while :; do :; done'
           limited memory '"memory":"32Mi"' 'tail /dev/zero'
           sleep 30
           kubectl logs forks
           kubectl exec forks -- true
           kubectl get pod memory --no-headers
           kubectl delete pod forks --now > /dev/null
           limited after '"cpu":"1"' 'sleep 1 & echo it goes on'
           sleep 5; kubectl logs after"#,
    );
    common::in_order(
        &text,
        &[
            "sh: sleep: Resource temporarily unavailable\n",
            "255 processes\n",
            "resource temporarily unavailable",
            "memory   0/1   OOMKilled   0",
            "it goes on\n",
        ],
    );
}

/// A Deployment whose pods write more than they may: each is evicted and replaced, and the evicted ones stay to be looked at.
#[test]
fn who_writes_too_much_is_evicted_and_replaced() {
    let text = sh(
        &[],
        r#"kubectl create deployment writer --image=busybox -- sh -c 'echo a line > /tmp/file; yes > /tmp/big' > /dev/null
           kubectl patch deployment writer -p '{"spec":{"template":{"spec":{"containers":[{"name":"busybox","resources":{"limits":{"ephemeral-storage":"2Mi"}}}]}}}}' > /dev/null
           sleep 80
           kubectl get pods --field-selector status.phase=Failed -o jsonpath='{range .items[*]}{.status.reason}: {.status.message}{"\n"}{end}'
           kubectl get deployment writer --no-headers
           kubectl get events --field-selector reason=Evicted --no-headers | head -1"#,
    );
    let message = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ";
    let line = format!("Evicted: {message}\n");
    common::in_order(&text, &[&line, &line, "writer   ", "Warning   Evicted   pod/writer-", message.trim_end()]);
}

/// A node that is short of memory: who takes more than was asked for goes, the others stay, and what comes waits.
#[test]
fn a_node_short_of_memory_evicts_and_recovers() {
    let script = r#"exec 2>&1
        minikube start --extra-config=kubelet.eviction-hard='memory.available<3800Mi' | grep eviction
        hog() { kubectl run $1 --image=polinux/stress --restart=Never --overrides='{"spec":{"containers":[{"name":"hog","image":"polinux/stress","args":["stress","--vm","1","--vm-bytes","'$2'M","--vm-hang","0"],"resources":{"requests":{"memory":"'$3'Mi"}}}]}}' > /dev/null; }
        hog modest 100 70
        hog greedy 230 50
        sleep 40
        kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name} {.status.phase} {.status.reason} {.status.message}{"\n"}{end}'
        kubectl get pod greedy -o jsonpath='{.status.conditions[?(@.type=="DisruptionTarget")].reason}'; echo
        pressure() { kubectl get node minikube -o jsonpath='{.status.conditions[?(@.type=="MemoryPressure")].status} {.spec.taints[0].key}'; echo; }
        pressure
        kubectl run late --image=nginx > /dev/null; sleep 5
        kubectl get pod late --no-headers
        sleep 330
        pressure
        kubectl get pod late --no-headers
        minikube start --extra-config=kubelet.max-pods=5
        minikube start --extra-config=kubelet.eviction-hard='memory.available<3700Mi'"#;
    let text = common::sh(&["--seed", "5"], script);
    common::in_order(
        &text,
        &[
            "  - kubelet.eviction-hard=memory.available<3800Mi\n",
            "greedy Failed Evicted The node was low on resource: memory. Threshold quantity: 3800Mi, available: ",
            " Container hog was using ",
            ", request is 50Mi, has larger consumption of memory. \nmodest Running",
            "TerminationByKubelet\n",
            "True node.kubernetes.io/memory-pressure\n",
            "late   0/1   Pending   0",
            "False \n",
            "late   1/1   Running   0",
            "kubonsai does not support --extra-config other than kubelet.eviction-hard (minikube start) yet\n",
            "kubonsai does not support --extra-config that changes kubelets that run (minikube start) yet: stop \"minikube\" first\n",
        ],
    );
}

/// A program that prints without end: the log begins anew, who follows it goes on, and `kubectl logs` has the newest file.
#[test]
fn a_log_without_end_is_rotated() {
    let text = sh(
        &[],
        r#"kubectl run lines --image=busybox --restart=Never -- sh -c 'i=0; while :; do i=$((i+1)); echo $i; done' > /dev/null
           kubectl run noise --image=busybox --restart=Never -- sh -c 'big=$(seq 1 3000); i=0; while :; do i=$((i+1)); echo round $i; echo "$big"; done' > /dev/null
           sleep 57
           echo first $(kubectl logs lines | head -1)
           kubectl logs noise > noise; echo newest $(wc -l < noise), from round $(grep round noise | head -1)
           (kubectl logs -f --tail=1 noise & sleep 20; kill $!) > followed
           echo followed $(wc -l < followed), rounds $(grep -c round followed)"#,
    );
    assert!((number(&text, "first ") - 1.0).abs() < f64::EPSILON, "little is not rotated:\n{text}");
    // 10 MiB are about 150,000 short lines.
    let newest = number(&text, "newest ");
    assert!(newest < 200_000.0, "{text}");
    assert!(number(&text, "from round round") > 10.0, "the first rounds are in a rotated file:\n{text}");
    let (lines, rounds) = (number(&text, "followed "), number(&text, "rounds "));
    assert!(rounds > 1.0 && (lines / rounds - 3_001.0).abs() < 3_001.0 / (rounds - 1.0), "nothing is missing:\n{text}");
}
