//! Rules in CEL of custom resources, as a learner meets them: what kubectl prints.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

mod common;

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    common::in_order(&common::sh(&["--seed", "1", "--profile", "minikube"], script), expected);
}

/// A definition with a rule about two fields and one about a change.
const DEFINITION: &str = r#"
cat > definition.yaml <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations:
            - rule: "self.minReplicas <= self.replicas"
              messageExpression: "'replicas must be at least %d'.format([self.minReplicas])"
              fieldPath: .replicas
            properties:
              minReplicas: {type: integer, default: 1}
              replicas:
                type: integer
                x-kubernetes-validations:
                - rule: "self <= 10"
              image:
                type: string
                x-kubernetes-validations:
                - rule: "self == oldSelf"
                  message: image is immutable
END
"#;

#[test]
fn objects_keep_rules() {
    let script = r#"
kubectl apply -f definition.yaml
kubectl wait --for=condition=Established crd/crontabs.stable.example.com > /dev/null
tab() { printf 'apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: x}\nspec: {replicas: %s, minReplicas: %s, image: %s}\n' $1 $2 $3; }
tab 2 3 a | kubectl apply -f -
echo exit code $?
tab 20 30 a | kubectl apply -f - 2>&1
tab 5 1 a | kubectl apply -f -
tab 5 1 b | kubectl apply -f - 2>&1
kubectl patch ct x --type=merge -p '{"spec":{"replicas":11}}' 2>&1
kubectl patch ct x --type=merge -p '{"spec":{"replicas":7}}'
"#;
    check(
        &format!("({DEFINITION}{script}) 2>&1"),
        &[
            "customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created\n",
            "The CronTab \"x\" is invalid: spec.replicas: Invalid value: replicas must be at least 3\nexit code 1\n",
            "The CronTab \"x\" is invalid: \n* spec.replicas: Invalid value: replicas must be at least 30\n* spec.replicas: Invalid value: 20: failed rule: self <= 10\n",
            "crontab.stable.example.com/x created\n",
            "The CronTab \"x\" is invalid: spec.image: Invalid value: \"b\": image is immutable\n",
            "The CronTab \"x\" is invalid: spec.replicas: Invalid value: 11: failed rule: self <= 10\n",
            "crontab.stable.example.com/x patched\n",
        ],
    );
}

#[test]
fn definitions_are_compiled() {
    let script = r#"
sed -i 's/self.minReplicas <= self.replicas/self.minReplica <= self.replicas/' definition.yaml
kubectl apply -f definition.yaml
echo exit code $?
"#;
    check(
        &format!("({DEFINITION}{script}) 2>&1"),
        &[
            "The CustomResourceDefinition \"crontabs.stable.example.com\" is invalid: spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {\"Rule\":\"self.minReplica \\u003c= self.replicas\",\"Message\":\"\",\"MessageExpression\":\"'replicas must be at least %d'.format([self.minReplicas])\",\"Reason\":null,\"FieldPath\":\".replicas\",\"OptionalOldSelf\":null}: compilation failed: ERROR: <input>:1:5: undefined field 'minReplica'\n | self.minReplica <= self.replicas\n | ....^\nexit code 1\n",
        ],
    );
}
