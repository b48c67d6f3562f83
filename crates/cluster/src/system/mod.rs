//! What a fresh cluster runs in kube-system, as kubeadm and minikube set it up: static pods for the parts of the control
//! plane, CoreDNS behind the Service kube-dns, kube-proxy on every node, the storage provisioner.
//!
//! These pods run and can be looked at, deleted and scaled. Except for CoreDNS their programs stand in: the simulated
//! machine does the work (docs/decisions/0012-system-pods.md).

mod static_pods;
mod volumes;

use api::kinds::{self, KINDS};
use api::{Kind, Object};
use client::Client;
use json::json;
use simulation::{Duration, Sim, Task};

use crate::profile::Profile;

pub(crate) use static_pods::files;
pub(crate) use volumes::follow;

const NAMESPACE: &str = "kube-system";
/// Between two tries to create an object.
const RETRY: Duration = Duration::from_secs(1);

/// A line each: where the object is wanted (words of [`Profile::system`]), the plural, the object without its kind.
const OBJECTS: &str = include_str!("objects.txt");

/// Service accounts of the controllers and others; the API server knows the controllers by them.
pub(crate) const ACCOUNTS: &str = "attachdetach-controller bootstrap-signer certificate-controller \
clusterrole-aggregation-controller coredns cronjob-controller daemon-set-controller deployment-controller \
device-taint-eviction-controller disruption-controller endpoint-controller endpointslice-controller \
endpointslicemirroring-controller ephemeral-volume-controller expand-controller generic-garbage-collector \
horizontal-pod-autoscaler job-controller kube-proxy legacy-service-account-token-cleaner namespace-controller \
node-controller persistent-volume-binder pod-garbage-collector pv-protection-controller pvc-protection-controller \
replicaset-controller replication-controller resource-claim-controller resourcequota-controller \
root-ca-cert-publisher service-account-controller service-cidrs-controller statefulset-controller \
storage-provisioner token-cleaner ttl-after-finished-controller ttl-controller \
validatingadmissionpolicy-status-controller volumeattributesclass-protection-controller";

/// Creates what is not there, in order. What is there stays as it is.
pub(crate) fn start(sim: &Sim, client: Client, profile: &'static Profile) -> Task<()> {
    let sim_too = sim.clone();
    let objects = objects(profile);
    sim.spawn(async move {
        for (kind, object) in objects {
            let namespace = object.namespace().to_owned();
            while let Err(error) = client.create(kind, &namespace, object.clone()).await {
                if error.is_already_exists() {
                    break;
                }
                sim_too.sleep(RETRY).await;
            }
        }
    })
}

/// The objects, in the order in which they need each other.
fn objects(profile: &Profile) -> Vec<(&'static Kind, Object)> {
    let accounts = ACCOUNTS
        .split(' ')
        .map(|name| (&kinds::SERVICE_ACCOUNTS as &'static Kind, json!({"metadata": {"name": name}})));
    let lines = OBJECTS.lines().filter_map(|line| {
        let (wanted, rest) = line.split_once(' ').expect("a line says where it is wanted");
        let (plural, object) = rest.split_once(' ').expect("a line has a plural and an object");
        let kind =
            KINDS.iter().copied().find(|kind| kind.plural == plural).expect("the kinds of the file are in the table");
        let object = object
            .replace("{DNS}", &profile.dns.to_string())
            .replace("{REPLICAS}", &profile.dns_replicas.to_string())
            .replace("{PODS}", if profile.has_pod_ranges { "10.244.0.0/16" } else { "\\\"\\\"" })
            .replace("{COREDNS}", profile.coredns_image)
            .replace("{KUBE_PROXY}", profile.kube_proxy_image);
        let object = json::from_str(&object).expect("the objects of the file are JSON");
        wanted.split(',').any(|word| profile.system.contains(&word)).then_some((kind, object))
    });
    let complete = |(kind, object): (&'static Kind, json::Value)| {
        let mut object = Object::new(object);
        object.set("apiVersion", kind.api_version());
        object.set("kind", kind.kind);
        if kind.namespaced {
            object.set("metadata.namespace", NAMESPACE);
        }
        (kind, object)
    };
    accounts.chain(lines).map(complete).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_has_its_objects() {
        let names = |profile| -> Vec<String> {
            let all = objects(Profile::find(profile).expect("a profile"));
            all.iter().skip(ACCOUNTS.split(' ').count()).map(|(k, o)| format!("{}/{}", k.plural, o.name())).collect()
        };
        let expected = "configmaps/extension-apiserver-authentication \
            configmaps/kube-apiserver-legacy-service-account-token-tracking configmaps/coredns configmaps/kube-proxy \
            services/kube-dns deployments/coredns daemonsets/kube-proxy pods/storage-provisioner";
        assert_eq!(names("recorded").join(" "), expected);
        let minikube = names("minikube");
        assert!(minikube.contains(&"clusterroles/system:coredns".to_owned()), "{minikube:?}");
        let eks = names("eks").join(" ");
        assert!(eks.contains("daemonsets/aws-node") && !eks.contains("storage-provisioner"), "{eks}");
    }
}
