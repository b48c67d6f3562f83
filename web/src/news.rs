//! What of the trace the page is told: what it can show. A cluster that rests is never quite still; its heartbeats and
//! the reading of its parts would wake the page, and be of no use to it.

use simulation::TraceKind;

/// Where nodes renew their leases.
const HEARTBEATS: &str = "/kube-node-lease/";

/// User agents of the cluster's own parts.
const PARTS: [&str; 10] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kube-network-policies",
    "coredns",
    "kubeadm",
    "storage-provisioner",
    "kubonsai-page",
];

/// Whether the page shows what happened, in the map or in a chain.
pub fn is_news(kind: &TraceKind) -> bool {
    match kind {
        // Components read all the time; what they change is the story. Everything the learner asks is shown.
        TraceKind::Call { from, method, path, .. } => {
            let routine = path.contains(HEARTBEATS) || (method == "GET" && is_part(from));
            !routine
        }
        TraceKind::Write { kind, .. } => kind != "Lease",
        // Probes, if somebody gives the system pods some.
        TraceKind::Flow { to, .. } => !to.starts_with("pod/kube-"),
        _ => true,
    }
}

/// Whether a user agent is one of the cluster's own parts.
fn is_part(agent: &str) -> bool {
    PARTS.contains(&agent.split('/').next().unwrap_or(agent))
}
