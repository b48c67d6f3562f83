//! Claims of StatefulSets on a whole cluster: who takes them along, and who leaves them.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let text = common::sh(&["--seed", "6", "--profile", "minikube"], &format!("exec 2>&1\n{script}"));
    common::in_order(&text, expected);
}

/// Makes a set of pods that each have a claim, with a policy for these, and waits for it.
fn set(when_deleted: &str, when_scaled: &str, replicas: u32) -> String {
    format!(
        "kubectl apply -f - <<'END'
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: {replicas}
  selector: {{matchLabels: {{app: db}}}}
  persistentVolumeClaimRetentionPolicy: {{whenDeleted: {when_deleted}, whenScaled: {when_scaled}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{{name: c, image: busybox, args: [sleep, '100000'], volumeMounts: [{{name: data, mountPath: /data}}]}}]
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
END
kubectl rollout status sts/db --timeout=120s
"
    )
}

/// Each claim with its owners.
const OWNERS: &str = r#"kubectl get pvc -o jsonpath='{range .items[*]}{.metadata.name}{range .metadata.ownerReferences[*]} {.kind}/{.name} {.controller}{end}{"\n"}{end}'"#;

#[test]
fn claims_stay_unless_told_otherwise() {
    let set = set("Retain", "Retain", 2);
    check(
        &format!(
            "{set}{OWNERS}
             kubectl scale sts/db --replicas=1; sleep 20; {OWNERS}
             kubectl delete sts db; sleep 20; {OWNERS}"
        ),
        &[
            "data-db-0\ndata-db-1\nstatefulset.apps/db scaled\n",
            "data-db-0\ndata-db-1\nstatefulset.apps \"db\" deleted",
            "data-db-0\ndata-db-1\n",
        ],
    );
}

#[test]
fn claims_go_with_the_pods_that_are_too_many() {
    let set = set("Retain", "Delete", 3);
    check(
        &format!(
            "{set}{OWNERS}
             kubectl exec db-0 -- sh -c 'echo first > /data/f'; kubectl exec db-2 -- sh -c 'echo first > /data/f'
             kubectl scale sts/db --replicas=1; sleep 1; {OWNERS}
             sleep 40; echo later; {OWNERS}; kubectl get pv --no-headers | wc -l
             kubectl scale sts/db --replicas=3; kubectl rollout status sts/db --timeout=120s; {OWNERS}
             kubectl exec db-0 -- cat /data/f; kubectl exec db-2 -- cat /data/f
             kubectl delete pod db-0; kubectl rollout status sts/db --timeout=60s; kubectl exec db-0 -- cat /data/f
             kubectl delete sts db; sleep 20; {OWNERS}"
        ),
        &[
            "data-db-0\ndata-db-1\ndata-db-2\nstatefulset.apps/db scaled\n",
            "data-db-0\ndata-db-1 Pod/db-1 true\ndata-db-2 Pod/db-2 true\n",
            "later\ndata-db-0\n1\n",
            "data-db-0\ndata-db-1\ndata-db-2\nfirst\ncat: can't open '/data/f': No such file or directory\n",
            "pod \"db-0\" deleted",
            "first\n",
            "statefulset.apps \"db\" deleted",
            "data-db-0\ndata-db-1\ndata-db-2\n",
        ],
    );
}

#[test]
fn claims_go_with_the_set() {
    let set = set("Delete", "Delete", 2);
    check(
        &format!(
            "{set}{OWNERS}
             kubectl get pvc data-db-0 -o jsonpath='{{.metadata.ownerReferences[0].blockOwnerDeletion}}{{\"\\n\"}}'
             kubectl delete sts db; sleep 30; kubectl get pvc; kubectl get pv"
        ),
        &[
            "data-db-0 StatefulSet/db true\ndata-db-1 StatefulSet/db true\ntrue\n",
            "statefulset.apps \"db\" deleted",
            "No resources found in default namespace.\nNo resources found\n",
        ],
    );
}

#[test]
fn a_policy_can_change_and_orphans_keep_their_claims() {
    let set = set("Retain", "Retain", 1);
    check(
        &format!(
            "{set}{OWNERS}
             kubectl patch sts db --type=merge -p '{{\"spec\":{{\"persistentVolumeClaimRetentionPolicy\":{{\"whenDeleted\":\"Delete\"}}}}}}'
             sleep 2; {OWNERS}; kubectl events --for sts/db
             kubectl delete sts db --cascade=orphan; sleep 5; {OWNERS}; kubectl get pods --no-headers | awk '{{print $1, $3}}'"
        ),
        &[
            "data-db-0\nstatefulset.apps/db patched\ndata-db-0 StatefulSet/db true\n",
            "SuccessfulUpdate   StatefulSet/db   Update Pod db-0 in StatefulSet db successful\n",
            "statefulset.apps \"db\" deleted",
            "data-db-0\ndb-0 Running\n",
        ],
    );
}

#[test]
fn a_set_that_grows_again_waits_for_claims_that_go() {
    let set = set("Retain", "Delete", 3);
    check(
        &format!(
            "{set}kubectl get pvc data-db-2 -o jsonpath='{{.metadata.uid}}' > before
             kubectl scale sts/db --replicas=2; sleep 1; kubectl scale sts/db --replicas=3; sleep 60
             kubectl get pods --no-headers | awk '{{print $1, $2, $3}}'; {OWNERS}
             test \"$(cat before)\" = \"$(kubectl get pvc data-db-2 -o jsonpath='{{.metadata.uid}}')\" || echo another claim"
        ),
        &["db-0 1/1 Running\ndb-1 1/1 Running\ndb-2 1/1 Running\ndata-db-0\ndata-db-1\ndata-db-2\nanother claim\n"],
    );
}
