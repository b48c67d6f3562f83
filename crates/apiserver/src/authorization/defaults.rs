//! What everyone may do where roles are not in the table of kinds: the bootstrap roles `system:basic-user`,
//! `system:discovery` and `system:public-info-viewer` (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).

use serde_json::{Value, json};

use crate::authentication::User;

/// The rules of a user.
pub(super) fn rules(user: &User) -> Vec<Value> {
    let is_in = |group: &str| user.groups.iter().any(|g| g == group);
    let get = |paths: &[&str]| json!({"verbs": ["get"], "nonResourceURLs": paths});
    let create =
        |group: &str, resources: &[&str]| json!({"verbs": ["create"], "apiGroups": [group], "resources": resources});
    let mut rules = Vec::new();
    if is_in("system:authenticated") {
        rules.push(create("authorization.k8s.io", &["selfsubjectaccessreviews", "selfsubjectrulesreviews"]));
        rules.push(create("authentication.k8s.io", &["selfsubjectreviews"]));
        rules.push(get(&[
            "/api",
            "/api/*",
            "/apis",
            "/apis/*",
            "/healthz",
            "/livez",
            "/openapi",
            "/openapi/*",
            "/readyz",
            "/version",
            "/version/",
        ]));
    }
    if is_in("system:authenticated") || is_in("system:unauthenticated") {
        rules.push(get(&["/healthz", "/livez", "/readyz", "/version", "/version/"]));
    }
    rules
}
