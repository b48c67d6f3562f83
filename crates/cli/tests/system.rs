//! The system pods of a cluster: they run, they come back, and DNS is theirs.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// What a script prints on a cluster that has come up; standard error follows in the same text.
fn sh(script: &str) -> String {
    let script = format!("minikube start > /dev/null; sleep 15\n{script}");
    common::sh(&["--seed", "3"], &script)
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    common::in_order(&sh(script), expected);
}

/// Readiness, status, restarts and name of each pod.
const PODS: &str = "kubectl get pods -n kube-system --no-headers | awk '{print $2, $3, $4, $1}'";

#[test]
fn minikube_has_the_usual_system_pods() {
    check(
        "kubectl get pods -n kube-system --no-headers | cut -c1-57
         kubectl get ds,deploy,svc -n kube-system --no-headers | cut -c1-60
         kubectl cluster-info
         kubectl logs -n kube-system kube-scheduler-minikube",
        &[
            "coredns-",
            "1/1   Running   0",
            "etcd-minikube                      1/1   Running   0",
            "kube-apiserver-minikube            1/1   Running   0",
            "kube-controller-manager-minikube   1/1   Running   0",
            "kube-proxy-",
            "1/1   Running   0",
            "kube-scheduler-minikube            1/1   Running   0",
            "storage-provisioner                1/1   Running   0",
            "daemonset.apps/kube-proxy   1     1     1",
            "deployment.apps/coredns   1/1   1     1",
            "service/kube-dns   ClusterIP   10.96.0.10",
            "CoreDNS is running at https://192.168.49.2:8443/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy",
            "this container stands in for kube-scheduler",
        ],
    );
}

#[test]
fn names_are_answered_by_coredns_and_by_nobody_without_it() {
    let ask = "kubectl exec b -- nslookup -type=a kubernetes.default.svc.cluster.local";
    check(
        &format!(
            "kubectl run b --image=busybox --command -- sleep 100000; kubectl wait --for=condition=Ready pod/b
             {ask}
             kubectl get cm coredns -n kube-system -o yaml | sed 's/errors/log/' | kubectl apply -f - 2> /dev/null
             kubectl rollout restart -n kube-system deploy/coredns; kubectl rollout status -n kube-system deploy/coredns
             sleep 5
             {ask} > /dev/null
             kubectl logs -n kube-system -l k8s-app=kube-dns --tail=1
             kubectl scale -n kube-system deploy/coredns --replicas=0; sleep 40
             {ask} || echo no answer
             kubectl scale -n kube-system deploy/coredns --replicas=2; sleep 20
             {ask}"
        ),
        &[
            "Address: 10.96.0.1",
            "successfully rolled out",
            "\"A IN kubernetes.default.svc.cluster.local. udp\" NOERROR",
            "deployment.apps/coredns scaled",
            "no answer",
            "deployment.apps/coredns scaled",
            "Address: 10.96.0.1",
        ],
    );
}

#[test]
fn system_pods_come_back() {
    check(
        &format!(
            "kubectl delete pod -n kube-system -l k8s-app=kube-dns | cut -c1-20
             kubectl delete pod -n kube-system kube-scheduler-minikube
             sleep 20; {PODS}"
        ),
        &[
            "pod \"coredns-",
            "pod \"kube-scheduler-minikube\" deleted from kube-system namespace",
            "1/1 Running 0 coredns-",
            "1/1 Running 0 kube-scheduler-minikube\n",
        ],
    );
}

#[test]
fn each_node_has_its_kube_proxy_which_drain_leaves_alone() {
    check(
        "minikube node add > /dev/null; sleep 15
         kubectl get ds kube-proxy -n kube-system --no-headers | awk '{print $2, $4}'
         kubectl drain minikube-m02 2>&1
         kubectl drain minikube-m02 --ignore-daemonsets",
        &[
            "2 2",
            "error: unable to drain node \"minikube-m02\" due to error: cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): kube-system/kube-proxy-",
            "node/minikube-m02 drained",
            "Warning: ignoring DaemonSet-managed Pods: kube-system/kube-proxy-",
        ],
    );
}

#[test]
fn a_manifest_on_the_node_is_a_static_pod() {
    check(
        "minikube ssh -- 'cd /etc/kubernetes/manifests && sed \"s/name: kube-scheduler/name: mine/\" kube-scheduler.yaml > mine.yaml'
         sleep 20; kubectl get pods -n kube-system mine-minikube --no-headers | cut -c1-30
         minikube ssh -- rm /etc/kubernetes/manifests/mine.yaml
         sleep 45; kubectl get pods -n kube-system mine-minikube",
        &["mine-minikube   1/1   Running", "Error from server (NotFound): pods \"mine-minikube\" not found"],
    );
}

#[test]
fn a_cluster_that_was_stopped_has_them_again() {
    check(
        &format!("minikube stop > /dev/null; minikube start > /dev/null; sleep 20; {PODS} | wc -l; {PODS}"),
        &["7\n", "1/1 Running 1 coredns-", "1/1 Running 1 etcd-minikube\n", "1/1 Running 1 storage-provisioner\n"],
    );
}

#[test]
fn the_folder_of_a_provisioned_volume_goes_with_it() {
    check(
        "kubectl apply -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: c}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: p, image: busybox, args: [sh, -c, 'echo kept > /d/f; sleep 100000'], volumeMounts: [{name: d, mountPath: /d}]}]
  volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]
END
         kubectl wait --for=condition=Ready pod/p
         minikube ssh -- cat /tmp/hostpath-provisioner/default/c/f
         kubectl delete pod p --grace-period=1 --wait; kubectl delete pvc c; sleep 5; kubectl get pv
         minikube ssh -- cat /tmp/hostpath-provisioner/default/c/f",
        &["kept", "persistentvolumeclaim \"c\" deleted", "No resources found", "No such file or directory"],
    );
}
