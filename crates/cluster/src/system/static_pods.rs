//! The files in /etc/kubernetes/manifests of a control-plane node, as kubeadm writes them.
//!
//! Differences: no probes and no certificates, because these containers serve nothing; the folders that upstream mounts are
//! not there.

use api::yaml;
use json::{Value, json};

use crate::profile::{Machine, Profile};

/// A part of the control plane: its name, its image, what it asks for, and its arguments.
struct Part {
    name: &'static str,
    image: &'static str,
    requests: &'static [(&'static str, &'static str)],
    annotation: Option<(&'static str, &'static str)>,
    /// Whether there may be others of it that it has to know.
    has_peers: bool,
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
        has_peers: true,
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
        has_peers: false,
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
        has_peers: false,
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
        has_peers: false,
        arguments: &[
            "--bind-address=127.0.0.1",
            "--kubeconfig=/etc/kubernetes/scheduler.conf",
            "--leader-elect={ELECT}",
        ],
    },
];

/// Name and text of each file.
pub(crate) fn files(profile: &Profile, cluster: &str, index: u32) -> Vec<(String, String)> {
    let machine = (profile.machine)(cluster, index);
    let more = if profile.is_highly_available() { peers(profile, cluster, index) } else { Vec::new() };
    let here = |text: &str| {
        text.replace("{IP}", &machine.address.to_string())
            .replace("{PORT}", &profile.api_port.to_string())
            .replace("{NODE}", &machine.name)
            .replace("{ELECT}", if profile.is_highly_available() { "true" } else { "false" })
    };
    PARTS.iter().map(|part| (format!("{}.yaml", part.name), yaml::emit(&manifest(part, &more, here)))).collect()
}

/// What etcd is told of its peers: those that were there when it joined.
fn peers(profile: &Profile, cluster: &str, index: u32) -> Vec<String> {
    let peer = |index: u32| {
        let Machine { name, address, .. } = (profile.machine)(cluster, index);
        format!("{name}=https://{address}:2380")
    };
    let peers: Vec<String> = (0..=index).map(peer).collect();
    let state = if index == 0 { "new" } else { "existing" };
    vec![
        "--initial-advertise-peer-urls=https://{IP}:2380".to_owned(),
        format!("--initial-cluster={}", peers.join(",")),
        format!("--initial-cluster-state={state}"),
    ]
}

fn manifest(part: &Part, more: &[String], here: impl Fn(&str) -> String) -> Value {
    let own = part.arguments.iter().copied();
    let peers = more.iter().filter(|_| part.has_peers).map(String::as_str);
    let mut command: Vec<String> = own.chain(peers).map(&here).collect();
    // By name, as kubeadm has them: before the sign that would come after a dash.
    command.sort_by(|a, b| a.split_once('=').cmp(&b.split_once('=')));
    command.insert(0, part.name.to_owned());
    let requests: json::Map =
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

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(profile: &str, index: u32, part: &str) -> String {
        let profile = Profile::find(profile).expect("a profile");
        let files = files(profile, "c", index);
        files.into_iter().find(|(name, _)| *name == format!("{part}.yaml")).expect("a file").1
    }

    #[test]
    fn members_know_those_that_were_there_before_them() {
        let third = arguments("ha", 2, "etcd");
        let peers = "--initial-cluster=c=https://192.168.49.2:2380,c-m02=https://192.168.49.3:2380,c-m03=https://192.168.49.4:2380";
        assert!(third.contains(peers) && third.contains("--initial-cluster-state=existing"), "{third}");
        assert!(arguments("ha", 0, "etcd").contains("--initial-cluster=c=https://192.168.49.2:2380\n"));
        assert!(arguments("ha", 1, "kube-scheduler").contains("--leader-elect=true"));
        assert!(arguments("minikube", 0, "kube-scheduler").contains("--leader-elect=false"));
        assert!(!arguments("minikube", 0, "etcd").contains("initial-cluster"), "alone");
    }
}
