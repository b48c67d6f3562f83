//! What is said of ValidatingAdmissionPolicies and bindings that are wrong (pkg/apis/admissionregistration/validation).

use expect_test::{Expect, expect};
use json::{Value, json};

use crate::admission_policies::{BINDINGS, POLICIES, binding, policy};
use crate::harness::Harness;

/// The causes of a refusal, a line each.
#[track_caller]
fn causes(path: &str, body: Value, expected: Expect) {
    let (code, status) = Harness::new().call("POST", path, body);
    assert_eq!(code, 422, "{status}");
    let line = |c: &Value| {
        let text = |name: &str| c[name].as_str().unwrap_or_default().to_owned();
        format!("{} | {}\n", text("field"), text("message"))
    };
    expected.assert_eq(&status["details"]["causes"].as_array().unwrap().iter().map(line).collect::<String>());
}

fn rules() -> Value {
    json!({"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]})
}

#[test]
fn nothing_is_said() {
    causes(
        POLICIES,
        json!({"metadata": {"name": "demo"}, "spec": {}}),
        expect![[r#"
        spec.matchConstraints | Required value
        spec.validations | Required value: validations or auditAnnotations must contain at least one item
        spec.auditAnnotations | Required value: validations or auditAnnotations must contain at least one item
    "#]],
    );
    causes(
        BINDINGS,
        json!({"metadata": {"name": "demo"}, "spec": {}}),
        expect![[r#"
        spec.policyName | Required value
        spec.validationActions | Required value: at least one validation action is required
    "#]],
    );
}

#[test]
fn expressions_are_compiled() {
    let spec = json!({
        "variables": [{"name": "a", "expression": "1"}, {"name": "while", "expression": "variables.b"},
            {"name": "", "expression": " "}],
        "matchConditions": [{"name": "x", "expression": " params.x == 1"}, {"name": "x", "expression": "1"},
            {"name": "", "expression": ""}, {"name": "y z", "expression": "variables.a == 1"}],
        "validations": [
            {"expression": "object.spec.replicas"},
            {"expression": "object.spec.replicas <=;"},
            {"expression": "request.kin == 'x' || variables.a + 'x' == ''"},
            {"expression": " ", "message": " ", "messageExpression": " ", "reason": "Unauthorized"},
            {"expression": "true", "message": "a\nb", "messageExpression": "1 + 1"},
            {"expression": "nothing.x == 1", "messageExpression": "authorizer.path('/').check('get').reason()"},
            {"expression": "namespaceObject.metadata.managedFields == 1"},
        ],
        "auditAnnotations": [{"key": "a b", "valueExpression": "1"}, {"key": "k", "valueExpression": ""},
            {"key": "k", "valueExpression": "object.x"}],
    });
    causes(
        POLICIES,
        policy("demo", rules(), spec),
        expect![[r#"
            spec.matchConditions[0].expression | Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')
             | params.x == 1
             | ^
            spec.matchConditions[1].expression | Invalid value: "1": must evaluate to bool but got int
            spec.matchConditions[1].name | Duplicate value: "x"
            spec.matchConditions[2].expression | Required value
            spec.matchConditions[2].name | Required value
            spec.matchConditions[3].expression | Invalid value: "variables.a == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')
             | variables.a == 1
             | ^
            spec.matchConditions[3].name | Invalid value: "y z": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.variables[1].name | Invalid value: "while": must be a valid CEL identifier
            spec.variables[1].expression | Invalid value: "variables.b": compilation failed: ERROR: <input>:1:10: undefined field 'b'
             | variables.b
             | .........^
            spec.variables[2].name | Required value: name is not specified
            spec.variables[2].expression | Required value: expression is not specified
            spec.validations[0].expression | Invalid value: "object.spec.replicas": must evaluate to bool but got dyn
            spec.validations[1].expression | Invalid value: "object.spec.replicas <=;": compilation failed: ERROR: <input>:1:24: Syntax error: token recognition error at: ';'
             | object.spec.replicas <=;
             | .......................^
            ERROR: <input>:1:25: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
             | object.spec.replicas <=;
             | ........................^
            spec.validations[2].expression | Invalid value: "request.kin == 'x' || variables.a + 'x' == ''": compilation failed: ERROR: <input>:1:8: undefined field 'kin'
             | request.kin == 'x' || variables.a + 'x' == ''
             | .......^
            ERROR: <input>:1:35: found no matching overload for '_+_' applied to '(int, string)'
             | request.kin == 'x' || variables.a + 'x' == ''
             | ..................................^
            spec.validations[3].expression | Required value: expression is not specified
            spec.validations[3].messageExpression | Invalid value: " ": must be non-empty if specified
            spec.validations[3].message | Invalid value: " ": must be non-empty if specified
            spec.validations[3].reason | Unsupported value: "Unauthorized": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"
            spec.validations[4].messageExpression | Invalid value: "1 + 1": must evaluate to string but got int
            spec.validations[4].message | Invalid value: "a\nb": must not contain line breaks
            spec.validations[5].expression | Invalid value: "nothing.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nothing' (in container '')
             | nothing.x == 1
             | ^
            spec.validations[5].messageExpression | Invalid value: "authorizer.path('/').check('get').reason()": compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')
             | authorizer.path('/').check('get').reason()
             | ^
            spec.validations[6].expression | Invalid value: "namespaceObject.metadata.managedFields == 1": compilation failed: ERROR: <input>:1:25: undefined field 'managedFields'
             | namespaceObject.metadata.managedFields == 1
             | ........................^
            spec.auditAnnotations[0].key | Invalid value: "demo/a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.auditAnnotations[0].valueExpression | Invalid value: "1": must evaluate to one of [string null_type] but got int
            spec.auditAnnotations[1].valueExpression | Required value: valueExpression is not specified
            spec.auditAnnotations[2].valueExpression | Invalid value: "object.x": must evaluate to one of [string null_type] but got dyn
            spec.auditAnnotations[2].key | Duplicate value: "k"
        "#]],
    );
}

#[test]
fn without_variables_there_are_none() {
    let spec = json!({"validations": [{"expression": "variables.a == 1"}]});
    causes(
        POLICIES,
        policy("demo", rules(), spec),
        expect![[r#"
        spec.validations[0].expression | Invalid value: "variables.a == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')
         | variables.a == 1
         | ^
    "#]],
    );
}

#[test]
fn rules_are_checked() {
    let constraints = json!({
        "matchPolicy": "Fuzzy", "namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]},
        "objectSelector": {"matchLabels": {"a b": "c"}},
        "resourceRules": [
            {"apiGroups": [], "apiVersions": [""], "operations": ["WATCH"], "resources": []},
            {"apiGroups": ["*", "apps"], "apiVersions": ["*", "v1"], "operations": ["*", "CREATE"], "scope": "All",
                "resources": ["*", "pods"], "resourceNames": ["a/b", "c", "c"]},
        ],
        "excludeResourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods/*", "pods/exec", "*/log", "nodes/log", "*/*", ""]},
        ],
    });
    let spec = json!({"failurePolicy": "Sometimes", "validations": [{"expression": "true"}],
        "paramKind": {"apiVersion": "A/V/1", "kind": "-x"}});
    causes(
        POLICIES,
        policy("demo", constraints, spec),
        expect![[r#"
        spec.failurePolicy | Unsupported value: "Sometimes": supported values: "Fail", "Ignore"
        spec.paramKind.apiVersion | Invalid value: "A/V/1": unexpected GroupVersion string: A/V/1
        spec.paramKind.kind | Invalid value: "-x": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
        spec.matchConstraints.matchPolicy | Unsupported value: "Fuzzy": supported values: "Equivalent", "Exact"
        spec.matchConstraints.namespaceSelector.matchExpressions[0].values | Required value: must be specified when `operator` is 'In' or 'NotIn'
        spec.matchConstraints.objectSelector.matchLabels | Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
        spec.matchConstraints.resourceRules[0].operations[0] | Unsupported value: "WATCH": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"
        spec.matchConstraints.resourceRules[0].apiGroups | Required value
        spec.matchConstraints.resourceRules[0].apiVersions[0] | Required value
        spec.matchConstraints.resourceRules[0].resources | Required value
        spec.matchConstraints.resourceRules[1].resourceNames[0] | Invalid value: "a/b": may not contain '/'
        spec.matchConstraints.resourceRules[1].resourceNames[2] | Duplicate value: "c"
        spec.matchConstraints.resourceRules[1].operations | Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations
        spec.matchConstraints.resourceRules[1].apiGroups | Invalid value: ["*","apps"]: if '*' is present, must not specify other API groups
        spec.matchConstraints.resourceRules[1].apiVersions | Invalid value: ["*","v1"]: if '*' is present, must not specify other API versions
        spec.matchConstraints.resourceRules[1].resources | Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources
        spec.matchConstraints.resourceRules[1].scope | Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"
        spec.matchConstraints.excludeResourceRules[0].resources[1] | Invalid value: "pods/exec": if 'pods/*' is present, must not specify pods/exec
        spec.matchConstraints.excludeResourceRules[0].resources[3] | Invalid value: "nodes/log": if '*/log' is present, must not specify nodes/log
        spec.matchConstraints.excludeResourceRules[0].resources[5] | Required value
        spec.matchConstraints.excludeResourceRules[0].resources | Invalid value: ["pods/*","pods/exec","*/log","nodes/log","*/*",""]: if '*/*' is present, must not specify other resources
    "#]],
    );
    let spec = json!({"validations": [{"expression": "true"}], "paramKind": {"apiVersion": "A/V", "kind": ""}});
    causes(
        POLICIES,
        policy("demo", json!({}), spec),
        expect![[r#"
        spec.paramKind.apiVersion | Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        spec.paramKind.apiVersion | Invalid value: "V": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
        spec.paramKind.kind | Required value
        spec.matchConstraints.resourceRules | Required value
    "#]],
    );
}

#[test]
fn bindings_are_checked() {
    let selector = json!({"matchLabels": {"a": "b"}});
    let wrong = json!({"policyName": "A B", "validationActions": ["Deny", "Warn", "Warn", "Say"],
        "paramRef": {"name": "x", "selector": selector, "parameterNotFoundAction": "Ask"},
        "matchResources": {"matchPolicy": "x"}});
    causes(
        BINDINGS,
        binding("demo", "demo", wrong),
        expect![[r#"
        spec.policyName | Invalid value: "A B": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
        spec.paramRef.name | Forbidden: name and selector are mutually exclusive
        spec.paramRef.selector | Forbidden: name and selector are mutually exclusive
        spec.paramRef.parameterNotFoundAction | Unsupported value: "Ask": supported values: "Deny", "Allow"
        spec.matchResources.matchPolicy | Unsupported value: "x": supported values: "Equivalent", "Exact"
        spec.validationActions[2] | Duplicate value: "Warn"
        spec.validationActions[3] | Unsupported value: "Say": supported values: "Audit", "Deny", "Warn"
        spec.validationActions | Invalid value: ["Deny","Warn","Warn","Say"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)
    "#]],
    );
    causes(
        BINDINGS,
        binding("demo", "demo", json!({"paramRef": {}})),
        expect![[r#"
        spec.paramRef | Required value: one of name or selector must be specified
        spec.paramRef.parameterNotFoundAction | Required value
    "#]],
    );
}

#[test]
fn changes_are_checked_too() {
    let h = Harness::new();
    h.ok("POST", POLICIES, policy("demo", rules(), json!({"validations": [{"expression": "true"}]})));
    let path = format!("{POLICIES}/demo");
    let made = h.get(&path);
    let mut changed = made.clone();
    changed["spec"]["validations"][0]["expression"] = "1".into();
    let (code, _) = h.call("PUT", &path, changed);
    assert_eq!(code, 422);
    let mut changed = made;
    changed["spec"]["validations"][0]["message"] = "new".into();
    let changed = h.ok("PUT", &path, changed);
    assert_eq!(changed["metadata"]["generation"], 2);
}
