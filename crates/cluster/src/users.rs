//! As whom the parts of a cluster come to its API server, as kubeadm sets them up: the scheduler and the kubelets with
//! certificates of their own, each controller with its service account (`--use-service-account-credentials`), and what runs
//! in pods with the pod's (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).

use std::sync::Arc;

use api::http::Component;

/// The service account of a controller, where it is not called as the controller (cmd/kube-controller-manager/app).
const ACCOUNTS: &[(&str, &str)] = &[
    ("daemonset-controller", "daemon-set-controller"),
    ("endpoints-controller", "endpoint-controller"),
    ("endpointslice-mirroring-controller", "endpointslicemirroring-controller"),
    ("garbage-collector-controller", "generic-garbage-collector"),
    ("horizontal-pod-autoscaler-controller", "horizontal-pod-autoscaler"),
    ("node-ipam-controller", "node-controller"),
    ("node-lifecycle-controller", "node-controller"),
    ("persistentvolume-binder-controller", "persistent-volume-binder"),
    ("persistentvolume-protection-controller", "pv-protection-controller"),
    ("persistentvolumeclaim-protection-controller", "pvc-protection-controller"),
    ("pod-garbage-collector-controller", "pod-garbage-collector"),
    ("replicationcontroller-controller", "replication-controller"),
    ("root-ca-certificate-publisher-controller", "root-ca-cert-publisher"),
    ("service-lb-controller", "service-controller"),
    ("serviceaccount-controller", "service-account-controller"),
    ("taint-eviction-controller", "node-controller"),
    // Of no controller manager: minikube runs it in a pod.
    ("minikube-hostpath", "storage-provisioner"),
];

/// The user of a part, named by its user agent, or by `node/` and a machine's name. None for those who come as the
/// administrator: kubeadm does, and what stands for something outside.
pub(crate) fn of(part: &str) -> Option<Component> {
    let account = |name: &str| format!("system:serviceaccount:kube-system:{name}");
    let user = match part.split_once('/') {
        Some(("node", machine)) => format!("system:node:{machine}"),
        // It makes the tokens of the others, so it has none.
        Some(("kube-controller-manager", "serviceaccount-token-controller")) => {
            "system:kube-controller-manager".to_owned()
        }
        Some(("kube-controller-manager", controller)) => {
            let known = ACCOUNTS.iter().find(|(name, _)| *name == controller);
            account(known.map_or(controller, |(_, account)| account))
        }
        Some(_) => return None,
        None => match part {
            "kube-controller-manager" | "kube-scheduler" => format!("system:{part}"),
            "kube-proxy" | "coredns" | "storage-provisioner" => account(part),
            _ => return None,
        },
    };
    Some(Component(Arc::from(user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_who() {
        for (part, user) in [
            ("kube-controller-manager", "system:kube-controller-manager"),
            (
                "kube-controller-manager/deployment-controller",
                "system:serviceaccount:kube-system:deployment-controller",
            ),
            ("kube-controller-manager/daemonset-controller", "system:serviceaccount:kube-system:daemon-set-controller"),
            ("kube-scheduler", "system:kube-scheduler"),
            ("node/minikube-m02", "system:node:minikube-m02"),
            ("coredns", "system:serviceaccount:kube-system:coredns"),
        ] {
            assert_eq!(of(part).as_ref().map(|component| &*component.0), Some(user));
        }
        assert_eq!(of("kubeadm"), None);
    }

    #[test]
    fn the_accounts_are_there() {
        let is_there = |account: &str| crate::system::ACCOUNTS.split(' ').any(|name| name == account);
        // That of the cloud's own manager is not made by kubeadm.
        let missing: Vec<&str> = ACCOUNTS.iter().map(|(_, account)| *account).filter(|name| !is_there(name)).collect();
        assert_eq!(missing, ["service-controller"]);
    }
}
