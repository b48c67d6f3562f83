//! Three nodes with a control plane each, and three for the work: the machines are minikube's (`minikube node stop m02` pulls a
//! plug), the control plane is as kubeadm makes it with etcd stacked on its nodes.
//!
//! Difference: minikube lets pods onto its nodes of the control plane (`minikube start --ha`), kubeadm does not; this is kubeadm's.

use super::{Profile, minikube};

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "ha",
    nodes: 6,
    control_planes: 3,
    is_control_plane_tainted: true,
    // Where minikube puts kube-vip.
    host: "192.168.49.254",
    dns_replicas: 2,
    ..minikube::BASE
};
