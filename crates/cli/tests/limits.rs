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
