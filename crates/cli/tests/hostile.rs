//! Pods that mean harm, on a whole cluster and on both engines: each comes to the end that upstream shows, or goes on in vain, while
//! a neighbour answers every request, the clock goes right and the API is there.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// `(module (memory (export "memory") 1) (func (export "_start") unreachable))`
const TRAP: &str = "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKBQEDAAAL";
/// Sleeps for 3600 s with `poll_oneoff`, then `unreachable`.
const LATE: &str = "AGFzbQEAAAABDAJgBH9/f38Bf2AAAAImARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxC3BvbGxfb25lb2ZmAAADAgEBBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAEKKQEnAEH4B0EBNgIAQYAIQoDA4oXj6AA3AwBB6AdBzAhBAUGwCRAAGgALAA4EbmFtZQEHAQAEcG9sbA==";
/// Calls `sock_open` until it fails, and exits with the errno.
const SOCKETS: &str = "AGFzbQEAAAABFwRgA39/fwF/YAR/f39/AX9gAX8AYAAAAmwDFndhc2lfc25hcHNob3RfcHJldmlldzEJc29ja19vcGVuAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQtwb2xsX29uZW9mZgABFndhc2lfc25hcHNob3RfcHJldmlldzEJcHJvY19leGl0AAIDAgEDBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAMKHQEbAQF/A0BBAUECQcgBEAAhACAARQ0ACyAAEAILADMEbmFtZQEYAwAJc29ja19vcGVuAQRwb2xsAgRleGl0AgoBAwEABWVycm5vAwYBAwEAAWw=";

/// The neighbour, who asks it once a second, and a way to run a program that no image has.
const NEIGHBOUR: &str = r#"exec 2>&1
    kubectl create deployment web --image=nginx > /dev/null
    kubectl expose deployment web --port=80 > /dev/null
    kubectl rollout status deployment/web | tail -1
    kubectl run asker --image=busybox -- sh -c 'while :; do wget -q -O /dev/null -T 1 http://web && echo ok || echo failed; sleep 1; done' > /dev/null
    kubectl wait --for=condition=Ready pod/asker
    box() { name=$1; shift; kubectl run $name --image=busybox --restart=Never -- "$@" > /dev/null; }
    program() { box $1 sh -c "echo $2 | base64 -d > /tmp/$1; chmod +x /tmp/$1; exec /tmp/$1"; }
    end() { kubectl get pod $1 -o jsonpath="{.metadata.name} {.status.phase} {.status.reason} {.status.containerStatuses[0].state.terminated.exitCode} {.status.containerStatuses[0].state.terminated.reason}"; echo; }
"#;

fn on_both_engines(script: &str, expected: &[&str]) {
    let script = format!("{NEIGHBOUR}{script}");
    for engine in ["wasmi", "wasmtime"] {
        let text = common::sh(&["--profile", "minikube", "--seed", "7", "--engine", engine], &script);
        println!("{engine}:\n{text}");
        common::in_order(&text, expected);
    }
}

#[test]
fn hostile_pods_disturb_nobody() {
    let script = r#"
        box loop sh -c 'while :; do :; done'
        box fork sh -c 'while :; do sleep 1000 & done'
        box logs yes
        box deaf sleep 1000
        kubectl run memory --image=busybox --restart=Never --overrides='{"spec":{"containers":[{"name":"memory","image":"busybox","args":["tail","/dev/zero"],"resources":{"limits":{"memory":"64Mi"}}}]}}' > /dev/null
        kubectl run disk --image=busybox --restart=Never --overrides='{"spec":{"containers":[{"name":"disk","image":"busybox","args":["sh","-c","yes > /tmp/big"],"resources":{"limits":{"ephemeral-storage":"1Mi"}}}]}}' > /dev/null
        box escape sh -c 'cat ../../../../../etc/kubernetes/admin.conf || cat /proc/1/root/../../etc/kubernetes/admin.conf || echo nothing there'
        program trap TRAP
        program sockets SOCKETS
        sleep 10
        begun=$(date +%s); sleep 30; echo "30 seconds take $(($(date +%s) - begun))"
        for pod in loop fork logs deaf memory disk escape trap sockets; do end $pod; done
        kubectl logs --tail=1 fork
        kubectl logs --tail=1 escape
        kubectl logs trap
        kubectl get --raw /api/v1/namespaces/default/services/web/proxy/ | grep -c 'Welcome to nginx'
        echo "failed: $(kubectl logs asker | grep -c failed), enough: $(($(kubectl logs asker | grep -c ok) >= 38))"
        kubectl get nodes --no-headers
    "#;
    let script = script.replace("trap TRAP", &format!("trap {TRAP}")).replace("SOCKETS", SOCKETS);
    on_both_engines(
        &script,
        &[
            "successfully rolled out",
            "pod/asker condition met",
            "\n30 seconds take 30\n",
            "loop Running   \n",
            "fork Running   \n",
            "logs Running   \n",
            "deaf Running   \n",
            "memory Failed  137 OOMKilled\n",
            "disk Failed Evicted 1",
            "escape Succeeded  0 Completed\n",
            "trap Failed  134 Error\n",
            "sockets Failed  33 Error\n",
            "sh: sleep: Resource temporarily unavailable\n",
            "nothing there\n",
            "2\n",
            "failed: 0, enough: 1\n",
            "minikube   Ready",
        ],
    );
}

#[test]
fn what_goes_wrong_after_an_hour_ends_then() {
    let script = format!(
        "kubectl delete pod asker --now > /dev/null
         program late {LATE}
         sleep 3590; end late
         sleep 20; end late
         kubectl get --raw /api/v1/namespaces/default/services/web/proxy/ | grep -c 'Welcome to nginx'"
    );
    on_both_engines(&script, &["late Running   \n", "late Failed  134 Error\n", "2\n"]);
}
