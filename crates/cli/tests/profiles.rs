//! Clusters of the profiles `eks` and `ha`, as a learner meets them.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(profile: &str, script: &str, expected: &[&str]) -> String {
    let text = common::sh(&["--seed", "5", "--profile", profile], script);
    common::in_order(&text, expected);
    text
}

#[test]
fn nodes_of_eks_are_instances() {
    let text = check(
        "eks",
        "kubectl config current-context
         kubectl get nodes -o wide --no-headers
         kubectl get nodes -o custom-columns=ID:.spec.providerID,CIDR:.spec.podCIDR --no-headers
         kubectl get nodes -L topology.kubernetes.io/zone,eks.amazonaws.com/nodegroup,node.kubernetes.io/instance-type --no-headers
         sleep 30
         kubectl get pods -n kube-system --no-headers | awk '{print $1, $2, $3}'
         kubectl get sc --no-headers; kubectl get svc kubernetes --no-headers
         kubectl version | grep Server
         minikube status",
        &[
            "arn:aws:eks:us-west-2:111122223333:cluster/kubonsai",
            "ip-192-168-3-6.us-west-2.compute.internal",
            "Ready   <none>",
            "v1.36.3-eks-",
            "192.168.3.6",
            "54.",
            "Amazon Linux 2023",
            "containerd://",
            "aws:///us-west-2a/i-0",
            "<none>",
            "us-west-2a   ng-1   m5.large",
            "aws-node-",
            "2/2 Running",
            "coredns-",
            "1/1 Running",
            "kube-proxy-",
            "1/1 Running",
            "gp2   kubernetes.io/aws-ebs   Delete   WaitForFirstConsumer",
            "10.100.0.1",
            "Server Version: v1.36.3-eks-",
            "Profile \"minikube\" not found",
        ],
    );
    for part in ["etcd-", "kube-apiserver-", "kube-scheduler-", "storage-provisioner"] {
        assert!(!text.contains(part), "somebody else runs the control plane:\n{text}");
    }
}

#[test]
fn a_load_balancer_of_eks_has_a_name_that_leads_to_the_service() {
    let host = "H=$(kubectl get svc web -o jsonpath='{.status.loadBalancer.ingress[0].hostname}')";
    check(
        "eks",
        &format!(
            "sleep 10
             kubectl create deployment web --image=nginx; kubectl rollout status deploy/web > /dev/null
             kubectl expose deployment web --port 80 --target-port 80 --type LoadBalancer
             kubectl get svc web --no-headers
             sleep 5; {host}; echo $H
             curl -sS http://$H 2>&1
             sleep 15; curl -sS http://$H | grep title
             kubectl run c -q --image=curlimages/curl --restart=Never --rm -i -- -sS http://$H | grep title
             kubectl get svc web -o jsonpath='{{.metadata.finalizers}}'; echo
             kubectl scale deploy web --replicas=0; sleep 5; curl -sS http://$H 2>&1
             kubectl delete svc web; kubectl get svc web 2>&1
             curl -sS http://$H 2>&1; sleep 1
             kubectl get events --field-selector involvedObject.kind=Service,involvedObject.name=web --no-headers"
        ),
        &[
            "service/web exposed",
            "<pending>",
            ".us-west-2.elb.amazonaws.com\n",
            "curl: (6) Could not resolve host: a",
            "<title>Welcome to nginx!</title>",
            "<title>Welcome to nginx!</title>",
            "[\"service.kubernetes.io/load-balancer-cleanup\"]",
            "curl: (52) Empty reply from server",
            "services \"web\" not found",
            "curl: (6) Could not resolve host: a",
            "EnsuringLoadBalancer",
            "EnsuredLoadBalancer",
            "DeletingLoadBalancer",
            "DeletedLoadBalancer",
        ],
    );
}

#[test]
fn a_claim_on_eks_waits_for_a_driver() {
    let manifest = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
        spec: {storageClassName: gp2, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n\
        apiVersion: v1\nkind: Pod\nmetadata: {name: user}\nspec:\n  containers: [{name: c, image: nginx}]\n  \
        volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]\n";
    check(
        "eks",
        &format!(
            "printf '%s' '{manifest}' | kubectl apply -f -; sleep 5; kubectl get pvc --no-headers; kubectl describe pvc data"
        ),
        &[
            "data   Pending",
            "gp2",
            "waiting for first consumer to be created before binding",
            "external provisioner 'ebs.csi.aws.com'",
        ],
    );
}

#[test]
fn another_leader_takes_over_when_the_lease_has_run_out() {
    check(
        "ha",
        "sleep 10; kubectl get nodes --no-headers | awk '{print $1, $3}'
         kubectl get nodes -o custom-columns=T:.spec.taints[*].key --no-headers
         kubectl get pods -n kube-system --no-headers -o name | grep -c -e etcd -e kube-apiserver -e kube-scheduler -e manager
         kubectl get lease -n kube-system -o custom-columns=N:.metadata.name,S:.spec.leaseDurationSeconds,T:.spec.leaseTransitions --no-headers
         kubectl create deployment web --image=nginx --replicas=2; kubectl rollout status deploy/web > /dev/null
         L=$(kubectl get lease -n kube-system kube-controller-manager -o jsonpath='{.spec.holderIdentity}'); echo leader ${L%%_*}
         minikube node stop ${L%%_*} > /dev/null
         kubectl scale deploy web --replicas=3; sleep 8; kubectl get deploy web --no-headers
         sleep 25; kubectl get deploy web --no-headers
         kubectl get lease -n kube-system kube-controller-manager -o jsonpath='{.spec.leaseTransitions}'; echo
         kubectl get events -n kube-system --no-headers | grep 'lease/kube-controller-manager'
         kubectl get endpointslice kubernetes --no-headers",
        &[
            "minikube control-plane\nminikube-m02 control-plane\nminikube-m03 control-plane\nminikube-m04 <none>",
            "node-role.kubernetes.io/control-plane\nnode-role.kubernetes.io/control-plane\nnode-role.kubernetes.io/control-plane\n<none>",
            "\n12\n",
            "kube-controller-manager   15    0",
            "kube-scheduler            15    0",
            "leader minikube\n",
            "web   2/3   2     ",
            "web   3/3   3     ",
            "\n1\n",
            "became leader",
            "became leader",
            "192.168.49.3,192.168.49.4",
        ],
    );
}

#[test]
fn without_a_quorum_nothing_is_answered_and_nothing_is_lost() {
    check(
        "ha",
        "sleep 10; kubectl create configmap before
         minikube node stop m02 > /dev/null; kubectl create configmap with-two
         minikube node stop m03 > /dev/null
         kubectl get configmaps 2>&1
         kubectl create configmap never 2>&1
         kubectl get --raw '/readyz?verbose' 2>&1
         sleep 100
         minikube node start m03 > /dev/null; kubectl create configmap after 2>&1
         kubectl get configmaps -o name
         kubectl create deployment web --image=nginx; sleep 40; kubectl get deploy web --no-headers
         minikube node stop minikube > /dev/null; minikube node stop m03 > /dev/null; kubectl get nodes 2>&1
         minikube node start m02 > /dev/null; minikube node start m03 > /dev/null; sleep 10; kubectl get configmaps -o name",
        &[
            "configmap/before created",
            "configmap/with-two created",
            "Error from server: etcdserver: request timed out",
            "etcdserver: request timed out",
            "[-]etcd failed: reason withheld",
            "readyz check failed",
            "configmap/after created",
            "configmap/after\nconfigmap/before\nconfigmap/kube-root-ca.crt\nconfigmap/with-two\n",
            "web   1/1",
            "no route to host",
            "configmap/after\nconfigmap/before\nconfigmap/kube-root-ca.crt\nconfigmap/with-two\n",
        ],
    );
}
