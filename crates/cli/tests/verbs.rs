//! Verbs and flags that the recordings leave out, with what the real kubectl 1.36.3 answered on `kubonsai serve`.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

/// What a script prints on a cluster: standard output, then standard error.
fn sh(script: &str) -> String {
    common::sh(&["--seed", "1", "--profile", "minikube"], script)
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    common::in_order(&sh(script), expected);
}

#[test]
fn what_was_applied_last_can_be_edited() {
    check(
        "kubectl create configmap c --from-literal=a=one --dry-run=client -o yaml | kubectl apply -f -
         EDITOR='sed -i s/one/two/' kubectl apply edit-last-applied configmap/c
         kubectl apply view-last-applied configmap/c
         kubectl get cm c -o jsonpath='{.data}'; echo
         EDITOR=true kubectl apply edit-last-applied configmap/c
         kubectl create configmap n --from-literal=a=1
         EDITOR=true kubectl apply edit-last-applied configmap/n",
        &[
            "configmap/c created",
            "configmap/c edited",
            "  a: two\n",
            "{\"a\":\"one\"}",
            "configmap/n created",
            "Edit cancelled, no changes made.",
            "error: no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`",
        ],
    );
}

#[test]
fn labels_without_a_server() {
    check(
        "kubectl create configmap c --from-literal=a=1 --dry-run=client -o yaml > c.yaml; minikube stop > /dev/null
         kubectl label --local -f c.yaml x=y -o yaml
         kubectl label --local -f c.yaml x=y
         kubectl annotate --local -f c.yaml x=y -o name
         kubectl label --local c x=y",
        &[
            "apiVersion: v1\ndata:\n  a: \"1\"\nkind: ConfigMap\nmetadata:\n  labels:\n    x: \"y\"\n  name: c\n",
            "configmap/c labeled\n",
            "configmap/c\n",
            "error: can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set",
        ],
    );
}

#[test]
fn waiting_for_what_is_not_there_yet() {
    check(
        "(sleep 2; kubectl create configmap late > /dev/null; kubectl label cm late app=l > /dev/null) &
         kubectl wait --for=create configmap/late --timeout=20s
         sleep 1
         kubectl wait --for=create configmap -l app=l --timeout=20s
         kubectl wait --for=create configmap -l app=nothing --timeout=2s; echo $?
         kubectl wait --for=create configmap/nothing --timeout=1s",
        &[
            "configmap/late condition met",
            "configmap/late condition met",
            "1",
            "error: timed out waiting for the condition",
            "error: timed out waiting for the condition",
        ],
    );
}

#[test]
fn resources_of_the_api_as_objects() {
    check(
        "kubectl api-resources --api-group=apps -o json
         kubectl api-resources --api-group=apps -o yaml
         kubectl api-resources --api-group=nosuch -o json",
        &[
            "{
    \"kind\": \"APIResourceList\",
    \"apiVersion\": \"v1\",
    \"groupVersion\": \"\",
    \"resources\": [
        {
            \"name\": \"controllerrevisions\",
            \"singularName\": \"controllerrevision\",
            \"namespaced\": true,
            \"group\": \"apps\",
            \"version\": \"v1\",
            \"kind\": \"ControllerRevision\",
            \"verbs\": [
                \"create\",",
            "
            ]
        },
        {
            \"name\": \"daemonsets\",",
            "apiVersion: v1
groupVersion: \"\"
kind: APIResourceList
resources:
- group: apps
  kind: ControllerRevision
  name: controllerrevisions
  namespaced: true
  singularName: controllerrevision
  verbs:
  - create
",
            "    \"groupVersion\": \"\",\n    \"resources\": null\n}",
        ],
    );
}

#[test]
fn deleting_asks_first_when_told_to() {
    check(
        "kubectl create configmap d1; kubectl create configmap d2
         echo n | kubectl delete -i configmap d1 d2
         echo y | kubectl delete --interactive configmap d1 d2",
        &[
            "You are about to delete the following 2 resource(s):\nconfigmap/d1\nconfigmap/d2\nDo you want to continue? (y/N): deletion is cancelled",
            "Do you want to continue? (y/N): configmap \"d1\" deleted from default namespace\nconfigmap \"d2\" deleted",
        ],
    );
}

#[test]
fn scaling_waits_as_long_as_it_is_told_to() {
    check(
        "kubectl create deployment w --image=nginx
         kubectl scale deploy/w --replicas=2 --timeout=30s; kubectl get deploy w -o jsonpath='{.status.replicas}{\"\\n\"}'
         kubectl scale deploy/w --replicas=1 --current-replicas=7 --timeout=3s
         kubectl scale deploy/w --replicas=3 --timeout=1ms
         sleep 2; kubectl scale ds kube-proxy -n kube-system --replicas=1
         kubectl create role r --verb=get --resource=nosuch",
        &[
            "deployment.apps/w scaled\n2\n",
            "error: Expected replicas to be 7, was 2",
            "error: timed out waiting for \"w\" to be synced",
            "Error from server (NotFound): the server could not find the requested resource\n",
            "the server doesn't have a resource type \"nosuch\"\n",
        ],
    );
}

#[test]
fn a_service_with_overrides() {
    check(
        "kubectl create deployment w --image=nginx > /dev/null
         kubectl expose deploy w --port=80 --overrides='{\"spec\":{\"sessionAffinity\":\"ClientIP\"}}' --dry-run=client -o yaml
         kubectl expose deploy w --port=80 --overrides='[{\"op\":\"add\",\"path\":\"/metadata/labels/x\",\"value\":\"y\"}]' \\
             --override-type=json --name=e2 -o jsonpath='{.metadata.labels}'
         kubectl expose deploy w --port=80 --overrides='{\"spec\":' --dry-run=client -o yaml",
        &["  selector:\n    app: w\n  sessionAffinity: ClientIP\n", "{\"app\":\"w\",\"x\":\"y\"}", "error: Invalid JSON Patch"],
    );
}

#[test]
fn exec_in_the_pod_of_a_file_and_its_events_as_they_come() {
    check(
        "kubectl run p --image=busybox --command -- sleep 10000; kubectl wait --for=condition=Ready pod/p
         kubectl get pod p -o yaml > p.yaml
         kubectl exec -f p.yaml -- echo hello
         (sleep 2; kubectl delete pod p --grace-period=1 > /dev/null) &
         timeout 6 kubectl events --for pod/p --watch | awk '{print $2, $3, $4}'
         kubectl exec --filename=nosuch.yaml -- echo hello
         kubectl exec -f p.yaml p -- echo hello",
        &[
            "pod/p condition met\nhello\nSEEN TYPE REASON\n",
            "Normal Started Pod/p\n",
            "Normal Killing Pod/p\n",
            "error: the path \"nosuch.yaml\" does not exist",
            "error: resource/name arguments cannot be provided when a path is specified",
        ],
    );
}

#[test]
fn the_dump_of_a_cluster_is_a_folder_of_files() {
    check(
        "sleep 20; kubectl cluster-info dump --output-directory=dump
         find dump -type f | sed 's/coredns-[a-z0-9]*-[a-z0-9]*/coredns/; s/proxy-[a-z0-9]*/proxy/' | sort
         cat dump/kube-system/etcd-minikube/logs.txt
         kubectl cluster-info dump | grep -c '\"kind\": \"PodList\"'",
        &[
            "Cluster info dumped to dump\n",
            "dump/default/daemonsets.json
dump/default/deployments.json
dump/default/events.json
dump/default/pods.json
dump/default/replicasets.json
dump/default/replication-controllers.json
dump/default/services.json
dump/kube-system/coredns/logs.txt
dump/kube-system/daemonsets.json
dump/kube-system/deployments.json
dump/kube-system/etcd-minikube/logs.txt
dump/kube-system/events.json
dump/kube-system/kube-apiserver-minikube/logs.txt
dump/kube-system/kube-controller-manager-minikube/logs.txt
dump/kube-system/kube-proxy/logs.txt
dump/kube-system/kube-scheduler-minikube/logs.txt
dump/kube-system/pods.json
dump/kube-system/replicasets.json
dump/kube-system/replication-controllers.json
dump/kube-system/services.json
dump/kube-system/storage-provisioner/logs.txt
dump/nodes.json
",
            "2\n",
        ],
    );
}

#[test]
fn types_that_kubectl_knows_are_written_as_go_declares_them() {
    check(
        "kubectl run p --image=busybox --port=80 --dry-run=client -o json
         kubectl create configmap c --from-literal=b=1 -o json | head -8
         kubectl get cm c -o json | head -6
         kubectl cluster-info dump --namespaces=default | head -10
         kubectl get --raw /api/v1/namespaces/default/configmaps/c | cut -c1-60
         kubectl get --raw /api/v1/namespaces/default/configmaps | sed 's/\"resourceVersion.*items/ITEMS/' | cut -c1-90",
        &[
            "{
    \"kind\": \"Pod\",
    \"apiVersion\": \"v1\",
    \"metadata\": {
        \"name\": \"p\",
        \"labels\": {
            \"run\": \"p\"
        }
    },
    \"spec\": {
        \"containers\": [
            {
                \"name\": \"p\",
                \"image\": \"busybox\",
                \"ports\": [
                    {
                        \"containerPort\": 80
                    }
                ],
                \"resources\": {}
            }
        ],
",
            "{\n    \"kind\": \"ConfigMap\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {\n        \"name\": \"c\",\n        \"namespace\": \"default\",\n        \"uid\": ",
            "{\n    \"apiVersion\": \"v1\",\n    \"data\": {\n        \"b\": \"1\"\n    },\n    \"kind\": \"ConfigMap\",\n",
            "{\n    \"kind\": \"NodeList\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {\n",
            "    \"items\": [\n        {\n            \"metadata\": {\n",
            "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"c\"",
            "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{ITEMS\":[{\"metadata\":{\"name\":",
        ],
    );
}

/// A role and a binding of it.
const ROLES: &str = r#"
roles() { cat <<EOF
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: team}
rules:
- {apiGroups: [""], resources: [$1], verbs: [$2]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb, namespace: team}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: $3}
subjects:
- {kind: ServiceAccount, name: $4, namespace: team}
EOF
}
"#;

#[test]
fn roles_and_bindings_grant_what_files_say() {
    let script = "
        roles pods 'get, list' r a | kubectl auth reconcile -f - 2>&1
        roles pods 'get, list' r a | kubectl auth reconcile -f - 2>&1
        roles 'pods, pods/log' 'get' r b | kubectl auth reconcile -f - 2>&1
        kubectl get role r -n team -o jsonpath='{.rules}'; kubectl get rolebinding rb -n team -o jsonpath='{.subjects[*].name}'; echo
        roles 'pods, pods/log' 'get' r b | kubectl auth reconcile -f - --remove-extra-permissions --remove-extra-subjects 2>&1
        kubectl get role r -n team -o jsonpath='{.rules}'; kubectl get rolebinding rb -n team -o jsonpath='{.subjects[*].name}'; echo
        roles 'pods, pods/log' 'get' other b | kubectl auth reconcile -f - 2>&1 | tail -n 2
        kubectl get rolebinding rb -n team -o jsonpath='{.roleRef.name}'; echo
        kubectl annotate role r -n team rbac.authorization.kubernetes.io/autoupdate=false
        roles pods '\"*\"' other b | kubectl auth reconcile -f - 2>&1 | head -n 2
        kubectl auth reconcile; roles pods get r a | kubectl auth reconcile -f - --dry-run=server";
    check(
        &format!("{ROLES}{script}"),
        &[
            "role.rbac.authorization.k8s.io/r reconciled\n\treconciliation required create\n\tmissing rules added:\n\
             \t\t{Verbs:[get list] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n\
             rolebinding.rbac.authorization.k8s.io/rb reconciled\n\treconciliation required create\n\tmissing subjects added:\n\
             \t\t{Kind:ServiceAccount APIGroup: Name:a Namespace:team}\n",
            "role.rbac.authorization.k8s.io/r reconciled\nrolebinding.rbac.authorization.k8s.io/rb reconciled\n\
             role.rbac.authorization.k8s.io/r reconciled\n\treconciliation required update\n\tmissing rules added:\n\
             \t\t{Verbs:[get] APIGroups:[] Resources:[pods/log] ResourceNames:[] NonResourceURLs:[]}\n",
            "[{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\",\"list\"]},{\"apiGroups\":[\"\"],\"resources\":[\"pods/log\"],\"verbs\":[\"get\"]}]a b\n",
            "\textra rules removed:\n\t\t{Verbs:[list] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n",
            "\textra subjects removed:\n\t\t{Kind:ServiceAccount APIGroup: Name:a Namespace:team}\n",
            "[{\"apiGroups\":[\"\"],\"resources\":[\"pods\",\"pods/log\"],\"verbs\":[\"get\"]}]b\n",
            "rolebinding.rbac.authorization.k8s.io/rb reconciled\n\treconciliation required recreate\nother\n",
            "\treconciliation required update, but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)\n",
            "error: must specify one of -f and -k\nerror: --dry-run=server for command reconcile is not supported yet\n",
        ],
    );
}

#[test]
fn what_cannot_be_changed_is_replaced_by_force() {
    let script = "
        deploy() { kubectl create deployment d --image=nginx --dry-run=client -o json | jq \".spec.selector.matchLabels=$1 | .spec.template.metadata.labels=$2\"; }
        deploy '{\"a\":\"1\"}' '{\"a\":\"1\",\"b\":\"2\"}' | kubectl apply -f -
        deploy '{\"b\":\"2\"}' '{\"a\":\"1\",\"b\":\"2\"}' | kubectl apply -f - 2>&1 | grep -c 'field is immutable'
        deploy '{\"b\":\"2\"}' '{\"a\":\"1\",\"b\":\"2\"}' | kubectl apply -f - --force
        kubectl get deploy d -o jsonpath='{.spec.selector.matchLabels}'; echo
        deploy '{\"b\":\"2\"}' '{\"a\":\"1\"}' | kubectl apply -f - --force 2>&1 | grep -o 'does not match template'
        kubectl get deploy d -o name
        deploy '{\"b\":\"2\"}' '{\"b\":\"2\"}' | kubectl apply -f - --force --server-side
        deploy '{\"b\":\"2\"}' '{\"b\":\"2\"}' | kubectl apply -f - --force --dry-run=server";
    check(
        script,
        &[
            "deployment.apps/d created\n1\ndeployment.apps/d configured\n{\"b\":\"2\"}\n",
            "does not match template\ndeployment.apps/d\n",
            "error: --force cannot be used with --server-side\nerror: --dry-run=server cannot be used with --force\n",
        ],
    );
}

#[test]
fn several_objects_are_one_list_or_have_a_line_between_them() {
    check(
        "kubectl create configmap a --dry-run=client -o yaml > two.yaml; echo --- >> two.yaml
         kubectl create configmap b --dry-run=client -o yaml >> two.yaml
         kubectl create -f two.yaml --dry-run=client -o yaml
         kubectl apply -f two.yaml -o json | head -n 6
         kubectl apply -f two.yaml -o jsonpath='{.items[*].metadata.name}'; echo
         kubectl apply -f two.yaml -o name
         kubectl label cm a b x=y -o yaml | grep -c -e '^---'; kubectl annotate cm a b x=y -o yaml | grep -c -e '^---'",
        &[
            "metadata:\n  name: a\n  namespace: default\n---\napiVersion: v1\nkind: ConfigMap\n",
            "{\n    \"kind\": \"List\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {},\n    \"items\": [\n        {\n",
            "a b\n",
            "configmap/a\nconfigmap/b\n",
            "0\n1\n",
        ],
    );
}

#[test]
fn patches_that_say_something_twice_are_warned_of() {
    check(
        "kubectl create configmap c --from-literal=a=1
         kubectl patch cm c -p '{\"data\":{\"a\":\"2\",\"a\":\"3\"}}' 2>&1
         kubectl patch cm c --type=json -p '[{\"op\":\"add\",\"path\":\"/data/z\",\"value\":\"1\",\"foo\":1}]' 2>&1
         kubectl get cm c -o jsonpath='{.data}'",
        &[
            "Warning: duplicate field \"data.a\"\nconfigmap/c patched\n",
            "Warning: json patch unknown field \"[0].foo\"\nconfigmap/c patched\n",
            "{\"a\":\"3\",\"z\":\"1\"}",
        ],
    );
}
