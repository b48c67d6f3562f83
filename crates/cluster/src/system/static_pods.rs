//! The files in /etc/kubernetes/manifests of a control-plane node, as kubeadm writes them.
//!
//! Differences: no probes and no certificates, because these containers serve nothing; the folders that upstream mounts are
//! not there.

use api::yaml;
use serde_json::{Value, json};

use crate::profile::{Machine, Profile};

/// A part of the control plane: its name, its image, what it asks for, and its arguments.
struct Part {
    name: &'static str,
    image: &'static str,
    requests: &'static [(&'static str, &'static str)],
    annotation: Option<(&'static str, &'static str)>,
    arguments: &'static [&'static str],
}

/// `{IP}` and `{PORT}` stand for the API server's, `{NODE}` for the node, and `{ELECT}` for whether
/// there are others to elect a leader among.
const PARTS: [Part; 4] = [
    Part {
        name: "etcd",
        image: "registry.k8s.io/etcd:3.6.8-0",
        requests: &[("cpu", "100m"), ("memory", "100Mi")],
        annotation: Some(("kubeadm.kubernetes.io/etcd.advertise-client-urls", "https://{IP}:2379")),
        arguments: &[
            "--advertise-client-urls=https://{IP}:2379",
            "--cert-file=/var/lib/minikube/certs/etcd/server.crt",
            "--client-cert-auth=true",
            "--data-dir=/var/lib/minikube/etcd",
            "--key-file=/var/lib/minikube/certs/etcd/server.key",
            "--listen-client-urls=https://127.0.0.1:2379,https://{IP}:2379",
            "--listen-peer-urls=https://{IP}:2380",
            "--name={NODE}",
            "--trusted-ca-file=/var/lib/minikube/certs/etcd/ca.crt",
        ],
    },
    Part {
        name: "kube-apiserver",
        image: "registry.k8s.io/kube-apiserver:v1.36.3",
        requests: &[("cpu", "250m")],
        annotation: Some(("kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint", "{IP}:{PORT}")),
        arguments: &[
            "--advertise-address={IP}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            "--client-ca-file=/var/lib/minikube/certs/ca.crt",
            "--enable-bootstrap-token-auth=true",
            "--etcd-servers=https://127.0.0.1:2379",
            "--secure-port={PORT}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            "--service-cluster-ip-range=10.96.0.0/12",
        ],
    },
    Part {
        name: "kube-controller-manager",
        image: "registry.k8s.io/kube-controller-manager:v1.36.3",
        requests: &[("cpu", "200m")],
        annotation: None,
        arguments: &[
            "--allocate-node-cidrs=true",
            "--bind-address=127.0.0.1",
            "--cluster-cidr=10.244.0.0/16",
            "--cluster-name=mk",
            "--controllers=*,bootstrapsigner,tokencleaner",
            "--kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--leader-elect={ELECT}",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--use-service-account-credentials=true",
        ],
    },
    Part {
        name: "kube-scheduler",
        image: "registry.k8s.io/kube-scheduler:v1.36.3",
        requests: &[("cpu", "100m")],
        annotation: None,
        arguments: &[
            "--bind-address=127.0.0.1",
            "--kubeconfig=/etc/kubernetes/scheduler.conf",
            "--leader-elect={ELECT}",
        ],
    },
];

/// Name and text of each file.
pub(crate) fn files(profile: &Profile, machine: &Machine) -> Vec<(String, String)> {
    let here = |text: &str| {
        text.replace("{IP}", &machine.address.to_string())
            .replace("{PORT}", &profile.api_port.to_string())
            .replace("{NODE}", &machine.name)
            .replace("{ELECT}", if profile.is_highly_available() { "true" } else { "false" })
    };
    PARTS.iter().map(|part| (format!("{}.yaml", part.name), yaml::emit(&manifest(part, here)))).collect()
}

fn manifest(part: &Part, here: impl Fn(&str) -> String) -> Value {
    let command: Vec<String> = std::iter::once(part.name).chain(part.arguments.iter().copied()).map(&here).collect();
    let requests: serde_json::Map<String, Value> =
        part.requests.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).into())).collect();
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "labels": {"component": part.name, "tier": "control-plane"},
            "name": part.name,
            "namespace": super::NAMESPACE,
        },
        "spec": {
            "containers": [{
                "command": command,
                "image": part.image,
                "imagePullPolicy": "IfNotPresent",
                "name": part.name,
                "resources": {"requests": requests},
            }],
            "hostNetwork": true,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        },
    });
    if let Some((key, value)) = part.annotation {
        pod["metadata"]["annotations"] = json!({key: here(value)});
    }
    pod
}
