//! Who asks, and what they may.

use api::http::StatusCode;
use json::{Value, json};

use crate::harness::Harness;

const SELF: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn who(h: &Harness, headers: &[(&str, &str)]) -> (u16, Value) {
    let (code, review) = h.call_with("POST", SELF, json!({}), headers);
    (code, review.pointer("/status/userInfo").unwrap_or(&review).clone())
}

#[test]
fn users_and_whom_they_act_as() {
    let h = Harness::new();
    let (code, me) = who(&h, &[]);
    assert_eq!((code, &me["username"]), (201, &json!("minikube-user")));
    assert_eq!(me["groups"], json!(["system:masters", "system:authenticated"]));
    let (_, jane) = who(&h, &[("impersonate-user", "jane"), ("impersonate-group", "devs"), ("impersonate-uid", "7")]);
    assert_eq!(jane, json!({"username": "jane", "uid": "7", "groups": ["devs", "system:authenticated"]}));
    let (_, account) = who(&h, &[("impersonate-user", "system:serviceaccount:default:x")]);
    assert_eq!(
        account["groups"],
        json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
    );
    assert_eq!(who(&h, &[("impersonate-group", "devs")]).0, 500, "a group needs a user");
}

#[test]
fn tokens_of_service_accounts() {
    let h = Harness::new();
    let path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    let made = h.ok("POST", path, json!({"spec": {"expirationSeconds": 600}}));
    let token = format!("Bearer {}", made["status"]["token"].as_str().unwrap());
    let (code, user) = who(&h, &[("authorization", &token)]);
    assert_eq!((code, &user["username"]), (201, &json!("system:serviceaccount:default:default")));
    assert!(user["extra"]["authentication.kubernetes.io/credential-id"][0].as_str().unwrap().starts_with("JTI="));
    let review = json!({"spec": {"token": token.trim_start_matches("Bearer ")}});
    let told = h.ok("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review.clone());
    assert_eq!(told["status"]["user"]["username"], "system:serviceaccount:default:default");
    assert_eq!(who(&h, &[("authorization", "Bearer bad")]).0, StatusCode::UNAUTHORIZED.as_u16());
    h.ok("POST", "/api/v1/namespaces/default/secrets", json!({"metadata": {"name": "s"}}));
    let bound = json!({"spec": {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "s"}}});
    let made = h.ok("POST", path, bound);
    let of_secret = format!("Bearer {}", made["status"]["token"].as_str().unwrap());
    assert_eq!(who(&h, &[("authorization", &of_secret)]).0, 201);
    h.ok("DELETE", "/api/v1/namespaces/default/secrets/s", Value::Null);
    assert_eq!(who(&h, &[("authorization", &of_secret)]).0, 401, "the token ended with the secret");
    let unknown = json!({"spec": {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "s"}}});
    assert_eq!(
        h.refusal("POST", path, unknown),
        "400 BadRequest: cannot bind token for object of type /v1, Kind=ConfigMap"
    );
    let forged = format!("{token}x");
    assert_eq!(who(&h, &[("authorization", &forged)]).0, 401);
    h.sleep(601);
    assert_eq!(who(&h, &[("authorization", &token)]).0, 401, "it has expired");
    let told = h.ok("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review);
    assert!(told["status"].get("authenticated").is_none(), "{told}");
}

#[test]
fn tokens_that_secrets_hold() {
    let h = Harness::new();
    let uid = |path: &str| h.get(path)["metadata"]["uid"].as_str().unwrap().to_owned();
    let account = uid("/api/v1/namespaces/default/serviceaccounts/default");
    let claims = api::jwt::legacy_claims("default", "s", "default", &account);
    let token = api::jwt::sign(&api::jwt::key(&uid("/api/v1/namespaces/kube-system")), &claims);
    let header = format!("Bearer {token}");
    let ask = || who(&h, &[("authorization", &header)]);
    assert_eq!(ask().0, 401, "no Secret holds it yet");
    let secret = json!({"metadata": {"name": "s", "annotations": {"kubernetes.io/service-account.name": "default"}},
        "type": "kubernetes.io/service-account-token", "stringData": {"token": token}});
    h.ok("POST", "/api/v1/namespaces/default/secrets", secret);
    let (code, user) = ask();
    assert_eq!((code, &user["username"]), (201, &json!("system:serviceaccount:default:default")));
    assert_eq!(user["uid"], account);
    h.sleep(1_000_000);
    assert_eq!(ask().0, 201, "it has no end");
    let path = "/api/v1/namespaces/default/secrets/s";
    let mark = json!({"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}}});
    let merge = [("content-type", "application/merge-patch+json")];
    assert_eq!(h.call_with("PATCH", path, mark, &merge).0, 200);
    assert_eq!(ask().0, 401, "marked invalid");
    h.ok("DELETE", path, Value::Null);
    assert_eq!(ask().0, 401, "it ended with the Secret");
}

#[test]
fn secrets_hold_what_their_type_needs() {
    let h = Harness::new();
    let refused = |kind: &str, data: Value| {
        let secret = json!({"metadata": {"name": "s"}, "type": format!("kubernetes.io/{kind}"), "stringData": data});
        let refusal = h.refusal("POST", "/api/v1/namespaces/default/secrets", secret);
        refusal.split_once("is invalid: ").unwrap_or(("", &refusal)).1.to_owned()
    };
    assert_eq!(
        refused("service-account-token", json!({})),
        "metadata.annotations[kubernetes.io/service-account.name]: Required value"
    );
    assert_eq!(refused("basic-auth", json!({})), "[data[username]: Required value, data[password]: Required value]");
    assert_eq!(refused("ssh-auth", json!({"ssh-privatekey": ""})), "data[ssh-privatekey]: Required value");
    assert_eq!(refused("tls", json!({"tls.crt": "x"})), "data[tls.key]: Required value");
    assert_eq!(refused("dockerconfigjson", json!({})), "data[.dockerconfigjson]: Required value");
    assert_eq!(
        refused("dockerconfigjson", json!({".dockerconfigjson": "nonsense"})),
        "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'o' in literal null (expecting 'u')"
    );
    assert_eq!(
        refused("dockercfg", json!({".dockercfg": "{"})),
        "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": unexpected end of JSON input"
    );
}

#[test]
fn refusals_name_verb_resource_and_place() {
    let h = Harness::new();
    let said = |method: &str, path: &str| {
        let (code, status) = h.call_with(method, path, json!({}), &[("impersonate-user", "jane")]);
        format!("{code} {}", status["message"].as_str().unwrap_or("-"))
    };
    let because = |what: &str| format!("User \"jane\" cannot {what}");
    assert_eq!(
        said("GET", "/api/v1/namespaces/default/pods"),
        format!(
            "403 pods is forbidden: {}",
            because("list resource \"pods\" in API group \"\" in the namespace \"default\"")
        )
    );
    assert_eq!(
        said("GET", "/api/v1/nodes"),
        format!(
            "403 nodes is forbidden: {}",
            because("list resource \"nodes\" in API group \"\" at the cluster scope")
        )
    );
    assert_eq!(
        said("DELETE", "/api/v1/namespaces/default"),
        format!(
            "403 namespaces \"default\" is forbidden: {}",
            because("delete resource \"namespaces\" in API group \"\" in the namespace \"default\"")
        )
    );
    assert_eq!(
        said("GET", "/api/v1/namespaces/default/pods/x/log"),
        format!(
            "403 pods \"x\" is forbidden: {}",
            because("get resource \"pods/log\" in API group \"\" in the namespace \"default\"")
        )
    );
    assert!(said("GET", "/metrics").ends_with(&because("get path \"/metrics\"")), "{}", said("GET", "/metrics"));
}

#[test]
fn reviews_of_access() {
    let h = Harness::new();
    let pods = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}});
    assert_eq!(h.ok("POST", ACCESS, pods.clone())["status"], json!({"allowed": true}));
    let mut jane = pods.clone();
    jane["spec"]["user"] = "jane".into();
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    assert_eq!(h.ok("POST", path, jane)["status"], json!({"allowed": false}));
    assert_eq!(
        h.refusal("POST", path, pods),
        "422 Invalid: SubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.user: Invalid value: \"\": at least one of user or group must be specified"
    );
    let rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let mine = h.ok("POST", rules, json!({"spec": {"namespace": "default"}}));
    assert_eq!(mine["status"]["resourceRules"][0]["verbs"], json!(["*"]));
    assert_eq!(h.refusal("POST", rules, json!({"spec": {}})), "400 BadRequest: no namespace on request");
    assert_eq!(mine["status"]["nonResourceRules"][0]["nonResourceURLs"], json!(["*"]));
    let listed = h.get("/apis/authorization.k8s.io/v1");
    assert_eq!(listed["resources"].as_array().unwrap().len(), 4);
}

/// As somebody, a request.
fn as_user(h: &Harness, user: &str, method: &str, path: &str, body: Value) -> (u16, String) {
    let (code, answer) = h.call_with(method, path, body, &[("impersonate-user", user)]);
    (code, answer["message"].as_str().unwrap_or("-").to_owned())
}

#[test]
fn roles_decide_and_nobody_hands_out_more_than_he_has() {
    let h = Harness::new();
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let pods = "/api/v1/namespaces/default/pods";
    let jane = |method: &str, path: &str, body: Value| as_user(&h, "jane", method, path, body);
    assert_eq!(jane("GET", pods, Value::Null).0, 403);
    let rules = json!([{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["create", "update"]}]);
    let roles = format!("{RBAC}/namespaces/default/roles");
    h.ok("POST", &roles, json!({"metadata": {"name": "reader"}, "rules": rules}));
    let bindings = format!("{RBAC}/namespaces/default/rolebindings");
    let binding = |name: &str, kind: &str, role: &str, user: &str| {
        json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"kind": "User", "name": user}],
        })
    };
    h.ok("POST", &bindings, binding("jane", "Role", "reader", "jane"));
    assert_eq!(jane("GET", pods, Value::Null).0, 200);
    assert_eq!(jane("GET", "/api/v1/pods", Value::Null).0, 403, "only there");
    assert_eq!(jane("POST", pods, json!({})).0, 403, "only these verbs");
    let review = json!({"spec": {"user": "jane", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}});
    let told = h.ok("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review);
    assert_eq!(
        told["status"]["reason"],
        "RBAC: allowed by RoleBinding \"jane/default\" of Role \"reader\" to User \"jane\""
    );
    let more = json!({"metadata": {"name": "more"}, "rules": [
        {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get"]}]});
    assert_eq!(
        jane("POST", &roles, more),
        (403, "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"jane\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}".to_owned())
    );
    assert_eq!(jane("POST", &bindings, binding("bob", "ClusterRole", "cluster-admin", "bob")).0, 403);
    assert_eq!(jane("POST", &bindings, binding("bob", "Role", "reader", "bob")).0, 201);
    assert_eq!(as_user(&h, "bob", "GET", pods, Value::Null).0, 200);
    h.ok("POST", &bindings, binding("edit", "ClusterRole", "cluster-admin", "jane"));
    assert_eq!(jane("POST", &bindings, binding("eve", "ClusterRole", "cluster-admin", "eve")).0, 201);
}
