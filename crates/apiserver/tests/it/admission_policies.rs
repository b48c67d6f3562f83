//! ValidatingAdmissionPolicies: what is refused, warned of and let through, for all ways of writing. The policies are those of
//! the documentation of Kubernetes in behaviour; messages are those of k8s.io/apiserver/pkg/admission/plugin/policy.

use api::Object;
use api::http::Body;
use expect_test::{Expect, expect};
use json::{Value, json};

use crate::harness::{Harness, deployment, pod, value};

pub const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
pub const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";
pub const MERGE: [(&str, &str); 1] = [("content-type", "application/merge-patch+json")];

/// Which requests: `group/version` and a resource, for these operations.
pub fn about(version: &str, resource: &str, operations: &[&str]) -> Value {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    json!({"resourceRules": [{"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": [resource]}]})
}

pub fn deployments() -> Value {
    about("apps/v1", "deployments", &["CREATE", "UPDATE"])
}

/// A policy, with more of its spec.
pub fn policy(name: &str, constraints: Value, more: Value) -> Value {
    let mut policy = json!({"metadata": {"name": name}, "spec": {"matchConstraints": constraints}});
    for (field, value) in more.as_object().unwrap() {
        policy["spec"][field] = value.clone();
    }
    policy
}

pub fn binding(name: &str, policy: &str, more: Value) -> Value {
    let mut binding =
        json!({"metadata": {"name": name}, "spec": {"policyName": policy, "validationActions": ["Deny"]}});
    for (field, value) in more.as_object().unwrap() {
        binding["spec"][field] = value.clone();
    }
    binding
}

/// A server with a policy, `demo`, that is bound by `everywhere`.
fn with(constraints: Value, spec: Value, bound: Value) -> Harness {
    let h = Harness::new();
    h.ok("POST", POLICIES, policy("demo", constraints, spec));
    h.ok("POST", BINDINGS, binding("everywhere", "demo", bound));
    h
}

fn replicas(name: &str, count: i64) -> Value {
    let mut object = deployment(name);
    object["spec"]["replicas"] = count.into();
    object
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"metadata": {"name": name}, "data": data})
}

#[track_caller]
fn refused(h: &Harness, (method, path): (&str, &str), body: Value, expected: Expect) {
    let headers: &[(&str, &str)] = if method == "PATCH" { &MERGE } else { &[] };
    let (code, answer) = h.call_with(method, path, body, headers);
    let text = |field: &str| answer[field].as_str().unwrap_or("-").to_owned();
    expected.assert_eq(&format!("{code} {}: {}", text("reason"), text("message")));
}

/// The code of the answer and its warnings.
fn warned(h: &Harness, method: &str, path: &str, body: Value) -> (u16, Vec<String>) {
    let response = h.send(Harness::request(method, path, Body::Object(Object::new(body)), &[]));
    let warnings = response.headers().get_all("warning").iter().map(|w| w.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), warnings)
}

#[test]
fn too_many_replicas_are_refused() {
    let h = with(deployments(), json!({"validations": [{"expression": "object.spec.replicas <= 5"}]}), json!({}));
    h.ok("POST", DEPLOYMENTS, replicas("few", 5));
    let (code, status) = h.call("POST", DEPLOYMENTS, replicas("many", 6));
    assert_eq!(code, 422);
    let message = "deployments.apps \"many\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: object.spec.replicas <= 5";
    let cause = "ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: object.spec.replicas <= 5";
    assert_eq!(
        status,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": "Invalid", "code": 422,
            "details": {"name": "many", "group": "apps", "kind": "deployments", "causes": [{"message": cause}]}})
    );
    let few = format!("{DEPLOYMENTS}/few");
    for path in [few.clone(), format!("{few}?dryRun=All")] {
        let (code, _) = h.call_with("PATCH", &path, json!({"spec": {"replicas": 9}}), &MERGE);
        assert_eq!(code, 422, "{path}");
    }
    // The scale is another resource, and the policy is not about it.
    let (code, _) = h.call_with("PATCH", &format!("{few}/scale"), json!({"spec": {"replicas": 9}}), &MERGE);
    assert_eq!(code, 200);
    let path = format!("{DEPLOYMENTS}/applied?fieldManager=me");
    let mut applied = replicas("applied", 7);
    applied["apiVersion"] = "apps/v1".into();
    applied["kind"] = "Deployment".into();
    applied["metadata"]["namespace"] = "default".into();
    let apply = [("content-type", "application/apply-patch+yaml")];
    assert_eq!(h.call_with("PATCH", &path, applied, &apply).0, 422);
    // Without its binding, or without the policy, nothing is asked.
    h.ok("DELETE", &format!("{BINDINGS}/everywhere"), Value::Null);
    h.ok("POST", DEPLOYMENTS, replicas("many", 6));
}

#[test]
fn messages_reasons_and_codes() {
    let validations = json!([
        {"expression": "object.data.a != 'plain'", "message": " it is plain "},
        {"expression": "object.data.a != 'made'", "message": "unused", "reason": "Forbidden",
            "messageExpression": "'a of ' + object.metadata.name + ' is ' + object.data.a"},
        {"expression": "object.data.a != 'large'", "reason": "RequestEntityTooLarge"},
        {"expression": "object.data.a != 'broken'", "message": "what is computed is broken",
            "messageExpression": "object.data.nothing"},
        {"expression": "object.data.a != 'lines'", "messageExpression": "'a\\nb'"},
    ]);
    let constraints = about("v1", "configmaps", &["*"]);
    let validations = validations.as_array().unwrap().clone();
    // Upstream's compiler wants a string, and a field of an object is anything.
    let mut texts = validations;
    texts[3]["messageExpression"] = "string(object.data.nothing)".into();
    let h = with(constraints, json!({"validations": texts}), json!({}));
    let try_one = |a: &str, expected: Expect| {
        refused(&h, ("POST", CONFIG_MAPS), config_map("x", json!({"a": a})), expected);
    };
    try_one(
        "plain",
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: it is plain"#
        ]],
    );
    try_one(
        "made",
        expect![[
            r#"403 Forbidden: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: a of x is made"#
        ]],
    );
    try_one(
        "large",
        expect![[
            r#"413 RequestEntityTooLarge: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: object.data.a != 'large'"#
        ]],
    );
    try_one(
        "broken",
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: what is computed is broken"#
        ]],
    );
    try_one(
        "lines",
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: object.data.a != 'lines'"#
        ]],
    );
    h.ok("POST", CONFIG_MAPS, config_map("x", json!({"a": "good"})));
}

#[test]
fn a_mistake_refuses_or_is_ignored() {
    for (failure_policy, code) in [("Fail", 422), ("Ignore", 201)] {
        let validations = json!([{"expression": "object.data.missing == 'x'"}]);
        let spec = json!({"failurePolicy": failure_policy, "validations": validations});
        let h = with(about("v1", "configmaps", &["CREATE"]), spec, json!({}));
        let (found, answer) = h.call("POST", CONFIG_MAPS, config_map("x", json!({"a": "b"})));
        assert_eq!(found, code, "{answer}");
        if code == 422 {
            assert_eq!(
                answer["message"],
                "configmaps \"x\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: expression 'object.data.missing == 'x'' resulted in error: no such key: missing"
            );
        }
    }
}

#[test]
fn parameters_from_a_config_map() {
    let spec = json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "object.spec.replicas <= int(params.data.max)",
            "messageExpression": "'at most ' + string(params.data.max)", "reason": "Forbidden"}],
    });
    let reference = json!({"paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"}});
    let h = with(deployments(), spec, reference);
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("web", 3),
        expect![[
            r#"422 Invalid: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"#
        ]],
    );
    h.ok("POST", CONFIG_MAPS, config_map("limits", json!({"max": "2"})));
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("web", 3),
        expect![[
            r#"403 Forbidden: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: at most 2"#
        ]],
    );
    // Each namespace has its own.
    h.ok("POST", "/api/v1/namespaces", json!({"metadata": {"name": "big"}}));
    h.ok("POST", "/api/v1/namespaces/big/configmaps", config_map("limits", json!({"max": "20"})));
    h.ok("POST", "/apis/apps/v1/namespaces/big/deployments", replicas("web", 3));
    // All that are selected must agree; without any, `Allow` lets everything through.
    let selector =
        json!({"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Allow", "namespace": "big"});
    let mut changed = h.get(&format!("{BINDINGS}/everywhere"));
    changed["spec"]["paramRef"] = selector;
    h.ok("PUT", &format!("{BINDINGS}/everywhere"), changed);
    h.ok("POST", DEPLOYMENTS, replicas("web", 3));
    for (name, max) in [("one", "9"), ("two", "4")] {
        let mut one = config_map(name, json!({"max": max}));
        one["metadata"]["labels"] = json!({"limits": "yes"});
        h.ok("POST", "/api/v1/namespaces/big/configmaps", one);
    }
    h.ok("POST", DEPLOYMENTS, replicas("four", 4));
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("five", 5),
        expect![[
            r#"403 Forbidden: deployments.apps "five" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: at most 4"#
        ]],
    );
}

#[test]
fn parameters_of_a_custom_kind() {
    let spec = json!({
        "paramKind": {"apiVersion": "rules.example.com/v1", "kind": "ReplicaLimit"},
        "validations": [{"expression": "object.spec.replicas <= params.maxReplicas"}],
    });
    let reference = json!({"paramRef": {"name": "limit", "parameterNotFoundAction": "Deny"}});
    let h = with(deployments(), spec, reference);
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("web", 4),
        expect![[
            r#"422 Invalid: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'demo' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=ReplicaLimit'"#
        ]],
    );
    let schema = json!({"type": "object", "properties": {"maxReplicas": {"type": "integer"}}});
    let definition = json!({
        "metadata": {"name": "replicalimits.rules.example.com"},
        "spec": {"group": "rules.example.com", "scope": "Cluster",
            "names": {"plural": "replicalimits", "kind": "ReplicaLimit"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    });
    h.ok("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    h.ok("POST", "/apis/rules.example.com/v1/replicalimits", json!({"metadata": {"name": "limit"}, "maxReplicas": 3}));
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("web", 4),
        expect![[
            r#"422 Invalid: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: object.spec.replicas <= params.maxReplicas"#
        ]],
    );
    h.ok("POST", DEPLOYMENTS, replicas("web", 3));
    let mut changed = h.get(&format!("{BINDINGS}/everywhere"));
    changed["spec"]["paramRef"]["namespace"] = "default".into();
    h.ok("PUT", &format!("{BINDINGS}/everywhere"), changed);
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        replicas("other", 3),
        expect![[
            r#"422 Invalid: deployments.apps "other" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`"#
        ]],
    );
}

#[test]
fn conditions_say_who_is_meant() {
    let spec = json!({
        "matchConditions": [
            {"name": "not-the-system", "expression": "!('system:masters' in request.userInfo.groups) || object.metadata.name != 'free'"},
            {"name": "has-data", "expression": "has(object.data)"},
            {"name": "marked", "expression": "object.data.marked == 'yes'"},
        ],
        "validations": [{"expression": "false", "message": "never"}],
    });
    let h = with(about("v1", "configmaps", &["CREATE"]), spec, json!({}));
    h.ok("POST", CONFIG_MAPS, config_map("free", json!({"marked": "yes"})));
    h.ok("POST", CONFIG_MAPS, json!({"metadata": {"name": "empty"}}));
    h.ok("POST", CONFIG_MAPS, config_map("other", json!({"marked": "no"})));
    let try_one = |data: Value, expected: Expect| {
        refused(&h, ("POST", CONFIG_MAPS), config_map("x", data), expected);
    };
    try_one(
        json!({"marked": "yes"}),
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: never"#
        ]],
    );
    try_one(
        json!({"a": "b"}),
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: expression 'object.data.marked == 'yes'' resulted in error: no such key: marked"#
        ]],
    );
}

#[test]
fn warnings_let_through() {
    let validations = json!([{"expression": "object.data.a == 'b'", "message": "a should be \"b\""}]);
    let bound = json!({"validationActions": ["Warn", "Audit"]});
    let h = with(about("v1", "configmaps", &["CREATE"]), json!({"validations": validations}), bound);
    assert_eq!(
        warned(&h, "POST", CONFIG_MAPS, config_map("x", json!({"a": "c"}))),
        (201, vec![r#"299 - "Validation failed for ValidatingAdmissionPolicy 'demo' with binding 'everywhere': a should be \"b\"""#.to_owned()])
    );
    assert_eq!(warned(&h, "POST", CONFIG_MAPS, config_map("y", json!({"a": "b"}))), (201, Vec::new()));
}

#[test]
fn changes_and_deletions_know_what_was() {
    let spec = json!({"validations": [
        {"expression": "request.operation != 'UPDATE' || object.data.fixed == oldObject.data.fixed", "message": "fixed"},
        {"expression": "request.operation != 'DELETE' || oldObject.data.fixed != 'kept'", "message": "kept"},
        {"expression": "request.operation == 'DELETE' ? object == null : (request.operation == 'CREATE') == (oldObject == null)"},
    ]});
    let h = with(about("v1", "configmaps", &["*"]), spec, json!({}));
    h.ok("POST", CONFIG_MAPS, config_map("x", json!({"fixed": "kept"})));
    let path = format!("{CONFIG_MAPS}/x");
    refused(
        &h,
        ("PATCH", &path),
        json!({"data": {"fixed": "2"}}),
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: fixed"#
        ]],
    );
    assert_eq!(h.call_with("PATCH", &path, json!({"data": {"more": "1"}}), &MERGE).0, 200);
    refused(
        &h,
        ("DELETE", &path),
        Value::Null,
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: kept"#
        ]],
    );
    // Of a collection none has a name, and the object that goes is not there to give it one.
    refused(
        &h,
        ("DELETE", CONFIG_MAPS),
        Value::Null,
        expect![[
            r#"422 Invalid: configmaps "Unknown" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: kept"#
        ]],
    );
    h.ok("POST", CONFIG_MAPS, config_map("y", json!({"fixed": "1"})));
    h.ok("DELETE", &format!("{CONFIG_MAPS}/y"), Value::Null);
}

#[test]
fn selectors_of_namespaces_and_objects() {
    let h = Harness::new();
    let mut constraints = about("v1", "configmaps", &["CREATE"]);
    constraints["objectSelector"] = json!({"matchExpressions": [{"key": "free", "operator": "DoesNotExist"}]});
    let spec = json!({"validations": [{"expression": "namespaceObject.metadata.labels.environment != 'prod'"}]});
    h.ok("POST", POLICIES, policy("demo", constraints, spec));
    let selector = json!({"namespaceSelector": {"matchLabels": {"environment": "prod"}}});
    h.ok("POST", BINDINGS, binding("prod", "demo", json!({"matchResources": selector})));
    for (name, environment) in [("shop", "prod"), ("try", "test")] {
        let labels = json!({"environment": environment});
        h.ok("POST", "/api/v1/namespaces", json!({"metadata": {"name": name, "labels": labels}}));
    }
    let path = |namespace: &str| format!("/api/v1/namespaces/{namespace}/configmaps");
    h.ok("POST", &path("try"), config_map("x", json!({})));
    h.ok("POST", &path("default"), config_map("x", json!({})));
    refused(
        &h,
        ("POST", &path("shop")),
        config_map("x", json!({})),
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'prod' denied request: failed expression: namespaceObject.metadata.labels.environment != 'prod'"#
        ]],
    );
    let mut free = config_map("y", json!({}));
    free["metadata"]["labels"] = json!({"free": "yes"});
    h.ok("POST", &path("shop"), free);
}

#[test]
fn namespaces_are_selected_by_their_own_labels() {
    let mut constraints = about("v1", "namespaces", &["CREATE", "UPDATE"]);
    constraints["namespaceSelector"] = json!({"matchLabels": {"team": "a"}});
    let spec = json!({"validations": [{"expression": "request.namespace == 'none' && namespaceObject == null"}]});
    let h = with(constraints, spec, json!({}));
    h.ok("POST", "/api/v1/namespaces", json!({"metadata": {"name": "b", "labels": {"team": "b"}}}));
    refused(
        &h,
        ("POST", "/api/v1/namespaces"),
        json!({"metadata": {"name": "a", "labels": {"team": "a"}}}),
        expect![[
            r#"422 Invalid: namespaces "a" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: failed expression: request.namespace == 'none' && namespaceObject == null"#
        ]],
    );
}

#[test]
fn rules_name_and_exclude() {
    let mut constraints = about("v1", "configmaps", &["CREATE"]);
    constraints["resourceRules"][0]["resourceNames"] = json!(["a", "b"]);
    constraints["excludeResourceRules"] = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"],
        "resources": ["*"], "resourceNames": ["b"]}]);
    let h = with(constraints, json!({"validations": [{"expression": "false"}]}), json!({}));
    let code = |name: &str| h.call("POST", CONFIG_MAPS, config_map(name, json!({}))).0;
    assert_eq!((code("a"), code("b"), code("c")), (422, 201, 201));
    let mut constraints = about("v1", "*", &["CREATE"]);
    constraints["resourceRules"][0]["scope"] = "Cluster".into();
    let h = with(constraints, json!({"validations": [{"expression": "false"}]}), json!({}));
    assert_eq!(h.call("POST", CONFIG_MAPS, config_map("x", json!({}))).0, 201);
    assert_eq!(h.call("POST", "/api/v1/namespaces", json!({"metadata": {"name": "x"}})).0, 422);
}

#[test]
fn variables_are_shared_and_lazy() {
    let spec = json!({
        "variables": [
            {"name": "environment", "expression": "'environment' in namespaceObject.metadata.labels ? namespaceObject.metadata.labels['environment'] : 'prod'"},
            {"name": "exempt", "expression": "has(object.metadata.labels) && 'exempt' in object.metadata.labels"},
            {"name": "containers", "expression": "object.spec.template.spec.containers"},
            {"name": "wrong", "expression": "variables.containers[7].image"},
            {"name": "foreign", "expression": "variables.containers.filter(c, !c.image.startsWith(variables.environment + '.example.com/'))"},
        ],
        "validations": [
            {"expression": "variables.exempt || variables.foreign.size() == 0",
                "messageExpression": "'only images of ' + variables.environment + ', not ' + variables.foreign.map(c, c.image).join(', ')"},
            {"expression": "object.metadata.name != 'bad' || variables.wrong == ''"},
        ],
    });
    let h = with(deployments(), spec, json!({}));
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        deployment("web"),
        expect![[
            r#"422 Invalid: deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: only images of prod, not nginx:1.25"#
        ]],
    );
    let mut exempt = deployment("web");
    exempt["metadata"]["labels"]["exempt"] = "yes".into();
    h.ok("POST", DEPLOYMENTS, exempt);
    let mut bad = deployment("bad");
    bad["spec"]["template"]["spec"]["containers"][0]["image"] = "prod.example.com/nginx".into();
    refused(
        &h,
        ("POST", DEPLOYMENTS),
        bad,
        expect![[
            r#"422 Invalid: deployments.apps "bad" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: expression 'object.metadata.name != 'bad' || variables.wrong == ''' resulted in error: composited variable "wrong" fails to evaluate: index out of bounds: 7"#
        ]],
    );
}

#[test]
fn the_first_of_several_is_told() {
    let h = Harness::new();
    let constraints = || about("v1", "configmaps", &["CREATE"]);
    for name in ["second", "first"] {
        let validations = json!([{"expression": "false", "message": name}, {"expression": "false", "message": "more"}]);
        h.ok("POST", POLICIES, policy(name, constraints(), json!({"validations": validations})));
        h.ok("POST", BINDINGS, binding(&format!("{name}-b"), name, json!({})));
        h.ok("POST", BINDINGS, binding(&format!("{name}-a"), name, json!({"validationActions": ["Warn"]})));
    }
    let (code, warnings) = warned(&h, "POST", CONFIG_MAPS, config_map("x", json!({})));
    assert_eq!((code, warnings.len()), (422, 4));
    refused(
        &h,
        ("POST", CONFIG_MAPS),
        config_map("x", json!({})),
        expect![[
            r#"422 Invalid: configmaps "x" is forbidden: ValidatingAdmissionPolicy 'first' with binding 'first-b' denied request: first"#
        ]],
    );
}

#[test]
fn policies_are_not_asked_about_policies() {
    let everything = json!({"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}]});
    let h = with(everything, json!({"validations": [{"expression": "false"}]}), json!({}));
    assert_eq!(h.call("POST", CONFIG_MAPS, config_map("x", json!({}))).0, 422);
    let review = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    h.ok("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
    h.get(CONFIG_MAPS);
    h.ok("POST", POLICIES, policy("more", deployments(), json!({"validations": [{"expression": "true"}]})));
    h.ok("DELETE", &format!("{BINDINGS}/everywhere"), Value::Null);
    h.ok("DELETE", &format!("{POLICIES}/demo"), Value::Null);
    h.ok("POST", CONFIG_MAPS, config_map("x", json!({})));
}

#[test]
fn subresources_and_connections() {
    let scale = json!({"validations": [{"expression": "object.kind == 'Scale' && request.kind.kind == 'Scale' && object.spec.replicas <= oldObject.spec.replicas + 1",
        "message": "one at a time"}]});
    let h = with(about("apps/v1", "deployments/scale", &["UPDATE"]), scale, json!({}));
    h.ok("POST", DEPLOYMENTS, replicas("web", 3));
    let path = format!("{DEPLOYMENTS}/web/scale");
    let to = |count: i64| h.call_with("PATCH", &path, json!({"spec": {"replicas": count}}), &MERGE).0;
    assert_eq!((to(5), to(4), to(5)), (422, 200, 200));

    let spec = json!({"validations": [{"expression": "object.command[0] != 'sh' && !has(object.tty)", "message": "no shells"}]});
    let h = with(about("v1", "pods/exec", &["CONNECT"]), spec, json!({}));
    h.ok("POST", PODS, pod("web"));
    let exec = |query: &str| h.refusal("POST", &format!("{PODS}/web/exec?{query}"), Value::Null);
    assert_eq!(
        exec("command=sh&command=-c"),
        "422 Invalid: pods \"web\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: no shells"
    );
    assert!(exec("command=ls&tty=true").starts_with("422"));
    assert!(exec("command=ls").contains("does not have a host assigned"));

    let spec = json!({"validations": [{"expression": "object.target.name != 'forbidden' && request.name == 'web'", "message": "not there"}]});
    let h = with(about("v1", "pods/binding", &["CREATE"]), spec, json!({}));
    h.ok("POST", PODS, pod("web"));
    let to = |node: &str| {
        let object = json!({"metadata": {"name": "web"}, "target": {"kind": "Node", "name": node}});
        h.call("POST", &format!("{PODS}/web/binding"), object).0
    };
    assert_eq!((to("forbidden"), to("free")), (422, 201));

    let spec = json!({"validations": [{"expression": "object.metadata.name != 'web'", "message": "it stays"}]});
    let h = with(about("v1", "pods/eviction", &["CREATE"]), spec, json!({}));
    h.ok("POST", PODS, pod("web"));
    assert_eq!(h.call("POST", &format!("{PODS}/web/eviction"), json!({"metadata": {"name": "web"}})).0, 422);
    h.ok("DELETE", &format!("{PODS}/web"), Value::Null);
}

#[test]
fn other_versions_are_the_same() {
    let constraints = about("autoscaling/v1", "horizontalpodautoscalers", &["CREATE"]);
    let spec = json!({"validations": [{"expression": "object.spec.targetCPUUtilizationPercentage < 90 && request.resource.version == 'v1' && request.requestResource.version == 'v2' && object.apiVersion == 'autoscaling/v1'"}]});
    let h = with(constraints.clone(), spec.clone(), json!({}));
    let scaler = |name: &str, percent: i64| {
        let metric = json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": percent}}});
        json!({"metadata": {"name": name}, "spec": {"maxReplicas": 3, "metrics": [metric],
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
    };
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    h.ok("POST", path, scaler("calm", 50));
    let (code, answer) = h.call("POST", path, scaler("busy", 95));
    assert_eq!(code, 422, "{answer}");
    let mut exact = constraints;
    exact["matchPolicy"] = "Exact".into();
    let h = with(exact, spec, json!({}));
    h.ok("POST", path, scaler("busy", 95));
}

#[test]
fn the_request_is_there() {
    let expression = "request.userInfo.username == 'minikube-user' && request.operation == 'CREATE' && !request.dryRun \
        && request.kind == request.requestKind && request.resource.resource == 'configmaps' && request.name == 'x' \
        && request.namespace == 'default' && !has(request.subResource) && request.options.kind == 'CreateOptions' \
        && request.options.fieldManager == 'me' && namespaceObject.metadata.name == 'default' && object.kind == 'ConfigMap' \
        && namespaceObject.status.phase == 'Active'";
    let spec = json!({"validations": [{"expression": expression}]});
    let h = with(about("v1", "configmaps", &["CREATE"]), spec, json!({}));
    h.ok("POST", &format!("{CONFIG_MAPS}?fieldManager=me"), config_map("x", json!({})));
    assert_eq!(h.call("POST", &format!("{CONFIG_MAPS}?fieldManager=me&dryRun=All"), config_map("x", json!({}))).0, 422);
}

#[test]
fn the_authorizer_is_asked() {
    let spec = json!({"validations": [
        {"expression": "authorizer.group('').resource('secrets').namespace('default').check('delete').allowed()"},
        {"expression": "authorizer.requestResource.check('create').allowed() && authorizer.path('/healthz').check('get').allowed()"},
        {"expression": "!authorizer.serviceAccount('default', 'default').group('').resource('secrets').check('get').allowed()"},
    ]});
    let h = with(about("v1", "configmaps", &["CREATE"]), spec, json!({}));
    h.ok("POST", CONFIG_MAPS, config_map("x", json!({})));
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]);
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    h.ok("POST", &format!("{roles}/roles"), json!({"metadata": {"name": "maker"}, "rules": rules}));
    let subjects = json!([{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"});
    h.ok(
        "POST",
        &format!("{roles}/rolebindings"),
        json!({"metadata": {"name": "b"}, "subjects": subjects, "roleRef": role}),
    );
    let (code, answer) = h.call_with("POST", CONFIG_MAPS, config_map("y", json!({})), &[("impersonate-user", "jane")]);
    assert_eq!(code, 422);
    assert!(answer["message"].as_str().unwrap().ends_with("check('delete').allowed()"), "{answer}");
}

#[test]
fn annotations_are_computed() {
    let annotations = json!([{"key": "size", "valueExpression": "'size ' + string(object.data.size)"}]);
    let h = with(
        about("v1", "configmaps", &["CREATE"]),
        json!({"auditAnnotations": annotations}),
        json!({"validationActions": ["Warn"]}),
    );
    h.ok("POST", CONFIG_MAPS, config_map("x", json!({"size": "3"})));
    refused(
        &h,
        ("POST", CONFIG_MAPS),
        config_map("y", json!({})),
        expect![[
            r#"422 Invalid: configmaps "y" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'everywhere' denied request: expression ''size ' + string(object.data.size)' resulted in error: no such key: data"#
        ]],
    );
}

#[test]
fn costs_have_a_limit() {
    let all = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let expression = format!(
        "{all}.all(a, {all}.all(b, {all}.all(c, {all}.all(d, {all}.all(e, {all}.all(f, a + b + c + d + e + f > 0))))))"
    );
    let h =
        with(about("v1", "configmaps", &["CREATE"]), json!({"validations": [{"expression": expression}]}), json!({}));
    let (code, answer) = h.call("POST", CONFIG_MAPS, config_map("x", json!({})));
    assert_eq!(code, 422);
    let message = answer["message"].as_str().unwrap();
    assert!(message.ends_with("resulted in error: operation cancelled: actual cost limit exceeded"), "{message}");
}

#[test]
fn what_is_stored() {
    let h = Harness::new();
    let validations = json!([{"expression": "true"}]);
    let made = h.ok("POST", POLICIES, policy("demo", deployments(), json!({"validations": validations})));
    expect![[r#"{"failurePolicy":"Fail","matchConstraints":{"matchPolicy":"Equivalent","namespaceSelector":{},"objectSelector":{},"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],"resources":["deployments"],"scope":"*"}]},"validations":[{"expression":"true"}]}"#]]
        .assert_eq(&made["spec"].to_string());
    assert_eq!((&made["metadata"]["generation"], &made["status"]), (&json!(1), &json!({})));
    let bound = h.ok("POST", BINDINGS, binding("b", "demo", json!({"matchResources": {}})));
    assert_eq!(
        bound["spec"]["matchResources"],
        json!({"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}})
    );
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let row = |path: &str| {
        let table = value(h.send(Harness::request("GET", path, Body::Empty, &accept)));
        table["rows"][0]["cells"].to_string()
    };
    assert_eq!(row(POLICIES), r#"["demo",1,"<unset>","0s"]"#);
    assert_eq!(row(BINDINGS), r#"["b","demo","<unset>","0s"]"#);
}

#[test]
fn readers_of_parameters_may_read_them() {
    let h = Harness::new();
    let rules = json!([{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}]);
    let roles = "/apis/rbac.authorization.k8s.io/v1";
    h.ok("POST", &format!("{roles}/clusterroles"), json!({"metadata": {"name": "r"}, "rules": rules}));
    let subjects = json!([{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}]);
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"});
    h.ok(
        "POST",
        &format!("{roles}/clusterrolebindings"),
        json!({"metadata": {"name": "b"}, "subjects": subjects, "roleRef": role}),
    );
    let spec = json!({"paramKind": {"apiVersion": "v1", "kind": "Secret"}, "validations": [{"expression": "true"}]});
    let policy = policy("demo", deployments(), spec);
    let jane = [("impersonate-user", "jane")];
    let (code, answer) = h.call_with("POST", POLICIES, policy.clone(), &jane);
    assert_eq!(code, 422);
    expect![[r#"ValidatingAdmissionPolicy.admissionregistration.k8s.io "demo" is invalid: spec.paramKind: Forbidden: user &{jane  [system:authenticated] map[]} must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)"#]]
        .assert_eq(answer["message"].as_str().unwrap());
    h.ok("POST", POLICIES, policy);
    let bound = binding("b", "demo", json!({"paramRef": {"name": "s", "parameterNotFoundAction": "Allow"}}));
    let (_, answer) = h.call_with("POST", BINDINGS, bound, &jane);
    expect![[r#"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "b" is invalid: spec.paramRef: Forbidden: user &{jane  [system:authenticated] map[]} does not have "get" permission on the object referenced by paramRef"#]]
        .assert_eq(answer["message"].as_str().unwrap());
}
