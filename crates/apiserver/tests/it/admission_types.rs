//! The status of ValidatingAdmissionPolicies: what the check of their types warns of (pkg/controller/validatingadmissionpolicystatus).

use expect_test::expect;
use json::{Value, json};

use crate::admission_policies::{MERGE, POLICIES, about, deployments, policy};
use crate::harness::Harness;

/// The status that a policy gets.
fn status(constraints: Value, spec: Value) -> Value {
    let h = Harness::new();
    h.ok("POST", POLICIES, policy("demo", constraints, spec));
    h.get(&format!("{POLICIES}/demo"))["status"].clone()
}

#[test]
fn types_are_checked() {
    let right = json!({
        "variables": [{"name": "containers", "expression": "object.spec.template.spec.containers"}],
        "validations": [
            {"expression": "object.spec.replicas <= 5 && variables.containers.all(c, c.image != '' && has(c.ports))",
                "messageExpression": "'created ' + string(object.metadata.creationTimestamp.getFullYear())"},
            {"expression": "object.spec.strategy.rollingUpdate.maxSurge == '25%' && authorizer.path('/').check('get').allowed()"},
        ],
    });
    assert_eq!(status(deployments(), right), json!({"observedGeneration": 1, "typeChecking": {}}));
    let wrong = json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "variables": [{"name": "first", "expression": "object.spec.template.spec.containers[0]"}],
        "validations": [
            {"expression": "object.replicas > 1"},
            {"expression": "object.spec.replicas == 'many' || params.dat.x == ''", "messageExpression": "object.spec.replicas + 'x'"},
            {"expression": "object.spec.template.spec.containers.all(c, c.img == '')"},
        ],
    });
    let mut both = about("apps/v1", "deployments", &["CREATE"]);
    both["resourceRules"][0]["resources"] = json!(["deployments", "deployments/scale", "daemonsets", "nothing"]);
    let found = status(both, wrong);
    let shown: String = found["typeChecking"]["expressionWarnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| format!("{}\n{}---\n", w["fieldRef"].as_str().unwrap(), w["warning"].as_str().unwrap()))
        .collect();
    expect![[r#"
        spec.validations[0].expression
        apps/v1, Kind=DaemonSet: ERROR: <input>:1:7: undefined field 'replicas'
         | object.replicas > 1
         | ......^

        apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'
         | object.replicas > 1
         | ......^
        ---
        spec.validations[1].expression
        apps/v1, Kind=DaemonSet: ERROR: <input>:1:12: undefined field 'replicas'
         | object.spec.replicas == 'many' || params.dat.x == ''
         | ...........^
        ERROR: <input>:1:41: undefined field 'dat'
         | object.spec.replicas == 'many' || params.dat.x == ''
         | ........................................^

        apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(int, string)'
         | object.spec.replicas == 'many' || params.dat.x == ''
         | .....................^
        ERROR: <input>:1:41: undefined field 'dat'
         | object.spec.replicas == 'many' || params.dat.x == ''
         | ........................................^
        ---
        spec.validations[1].messageExpression
        apps/v1, Kind=DaemonSet: ERROR: <input>:1:12: undefined field 'replicas'
         | object.spec.replicas + 'x'
         | ...........^

        apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_+_' applied to '(int, string)'
         | object.spec.replicas + 'x'
         | .....................^
        ---
        spec.validations[2].expression
        apps/v1, Kind=DaemonSet: ERROR: <input>:1:46: undefined field 'img'
         | object.spec.template.spec.containers.all(c, c.img == '')
         | .............................................^

        apps/v1, Kind=Deployment: ERROR: <input>:1:46: undefined field 'img'
         | object.spec.template.spec.containers.all(c, c.img == '')
         | .............................................^
        ---
    "#]]
    .assert_eq(&shown);
    // Kinds that were added are known by their own schemas.
    let h = Harness::new();
    let tab = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"replicas": {"type": "integer"}}}}});
    let definition = json!({
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {"group": "stable.example.com", "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": tab}}]},
    });
    h.ok("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    let spec = json!({"validations": [{"expression": "object.spec.replicas > 1 && object.metadata.labels.size() > 0"},
        {"expression": "object.spec.replicas > '1'"}]});
    h.ok("POST", POLICIES, policy("tabs", about("stable.example.com/v1", "crontabs", &["CREATE"]), spec));
    expect![[r#"{"expressionWarnings":[{"fieldRef":"spec.validations[1].expression","warning":"stable.example.com/v1, Kind=CronTab: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n"}]}"#]].assert_eq(&h.get(&format!("{POLICIES}/tabs"))["status"]["typeChecking"].to_string());
    // Who names everything names nothing.
    let spec = || json!({"validations": [{"expression": "object.no.such == 'thing'"}]});
    assert_eq!(status(about("*/*", "*", &["*"]), spec()), json!({"observedGeneration": 1, "typeChecking": {}}));
}

#[test]
fn a_status_follows_its_policy() {
    let h = Harness::new();
    let made = h.ok(
        "POST",
        POLICIES,
        policy("demo", deployments(), json!({"validations": [{"expression": "object.x == 1"}]})),
    );
    let path = format!("{POLICIES}/demo");
    let warned = h.get(&path);
    assert_eq!(warned["status"]["typeChecking"]["expressionWarnings"].as_array().unwrap().len(), 1);
    let entry = warned["metadata"]["managedFields"].as_array().unwrap().iter().find(|e| e["subresource"] == "status");
    assert_eq!(
        entry.map(|e| (e["manager"].clone(), e["operation"].clone())),
        Some((json!("validatingadmissionpolicy-status-controller"), json!("Apply")))
    );
    assert_ne!(warned["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
    let better = json!({"spec": {"validations": [{"expression": "object.spec.replicas == 1"}]}});
    h.call_with("PATCH", &path, better, &MERGE);
    let found = &h.get(&path)["status"];
    assert_eq!((&found["observedGeneration"], &found["typeChecking"]["expressionWarnings"]), (&json!(2), &Value::Null));
}
