//! ValidatingAdmissionPolicies, as a learner meets them: what kubectl prints, and what controllers say of it.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let script = format!("({POLICY}{script}) 2>&1");
    common::in_order(&common::sh(&["--seed", "1", "--profile", "minikube"], &script), expected);
}

/// `policy NAME RESOURCE OPERATION EXPRESSION ACTION`: a policy about one resource, and its binding.
const POLICY: &str = r#"
policy() { cat > policy.yaml <<END
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: $1}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: ["", apps], apiVersions: [v1], operations: [$3], resources: [$2]}
  validations:
  - expression: "$4"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: $1-everywhere}
spec:
  policyName: $1
  validationActions: [$5]
END
kubectl apply -f policy.yaml
}
"#;

#[test]
fn replicas_are_limited() {
    check(
        r#"
policy demo deployments '"*"' 'object.spec.replicas <= 5' Deny
kubectl create deployment web --image=nginx --replicas=6
echo exit code $?
kubectl create deployment web --image=nginx --replicas=6 --dry-run=client -o yaml | kubectl apply -f -
kubectl create deployment web --image=nginx --replicas=6 --dry-run=client -o yaml | kubectl apply --server-side -f -
kubectl create deployment web --image=nginx --replicas=2 --dry-run=server
kubectl create deployment web --image=nginx --replicas=2
kubectl patch deployment web -p '{"spec":{"replicas":7}}'
kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings
kubectl delete validatingadmissionpolicybinding demo-everywhere
kubectl patch deployment web -p '{"spec":{"replicas":7}}'
"#,
        &[
            "validatingadmissionpolicy.admissionregistration.k8s.io/demo created\nvalidatingadmissionpolicybinding.admissionregistration.k8s.io/demo-everywhere created\n",
            "error: failed to create deployment: deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'demo-everywhere' denied request: failed expression: object.spec.replicas <= 5\nexit code 1\n",
            "The deployments \"web\" is invalid: : ValidatingAdmissionPolicy 'demo' with binding 'demo-everywhere' denied request: failed expression: object.spec.replicas <= 5\n",
            "The deployments \"web\" is invalid: : ValidatingAdmissionPolicy 'demo' with binding 'demo-everywhere' denied request: failed expression: object.spec.replicas <= 5\n",
            "deployment.apps/web created (server dry run)\ndeployment.apps/web created\n",
            "The deployments \"web\" is invalid: : ValidatingAdmissionPolicy 'demo'",
            "validatingadmissionpolicybinding.admissionregistration.k8s.io \"demo-everywhere\" deleted",
            "deployment.apps/web patched\n",
        ],
    );
}

#[test]
fn controllers_are_asked_too() {
    check(
        r#"
policy none pods CREATE "!object.metadata.name.startsWith('web')" Deny
kubectl create deployment web --image=nginx
sleep 5
kubectl get events --field-selector reason=FailedCreate -o custom-columns=MESSAGE:.message | cut -d' ' -f 1-3,5-
"#,
        &[
            "Error creating: pods is forbidden: ValidatingAdmissionPolicy 'none' with binding 'none-everywhere' denied request: failed expression: !object.metadata.name.startsWith('web')\n",
        ],
    );
}

#[test]
fn warnings_and_shells() {
    check(
        r#"
policy latest pods CREATE "object.spec.containers.all(c, c.image.contains(':'))" Warn
policy quiet pods/exec CONNECT "object.command != ['sh']" Deny
kubectl run web --image=nginx
kubectl wait --for=condition=Ready pod/web > /dev/null
kubectl exec web -- sh
echo exit code $?
kubectl exec web -- echo it runs
"#,
        &[
            "Warning: Validation failed for ValidatingAdmissionPolicy 'latest' with binding 'latest-everywhere': failed expression: object.spec.containers.all(c, c.image.contains(':'))\npod/web created\n",
            "denied request: failed expression: object.command != ['sh']\nexit code 1\n",
            "it runs\n",
        ],
    );
}

#[test]
fn policies_are_type_checked() {
    check(
        r#"
policy demo deployments CREATE 'object.spec.replica <= 5' Deny
sleep 1
kubectl get validatingadmissionpolicy demo -o jsonpath='{.status}'
echo
kubectl describe validatingadmissionpolicy demo
"#,
        &[
            "\"fieldRef\":\"spec.validations[0].expression\",\"warning\":\"apps/v1, Kind=Deployment: ERROR: \\u003cinput\\u003e:1:12: undefined field 'replica'\\n | object.spec.replica \\u003c= 5\\n | ...........^\\n\"",
            "Name:         demo\n",
            "Failure Policy:  Fail\n",
            "Observed Generation:  1\n",
        ],
    );
}
