//! Who asks (k8s.io/apiserver/pkg/authentication, .../filters/impersonation.go).
//!
//! A bearer token is one that this server made for a service account. There is no TLS between a client and the server, so
//! a request without one is that of the client certificate in the kubeconfig: minikube's user. Natively TLS ends before the
//! server; who shows no certificate there comes as that user acting as nobody.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::http::{HeaderMap, header};
use api::status::Status;
use api::{Object, jwt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json::{Map, Value, json};

use crate::authorization::{self, Attributes};
use crate::registry::Context;
use crate::request::{Head, decode};
use crate::token;

/// The group of everyone who said who they are.
const AUTHENTICATED: &str = "system:authenticated";
/// The group of those who may do everything, whatever the roles say.
const MASTERS: &str = "system:masters";
/// Where a user's credential is told.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The uid; empty if there is none.
    pub uid: String,
    /// Groups, in order.
    pub groups: Vec<String>,
    /// What else is known.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Whose certificate the kubeconfig holds.
    pub fn administrator() -> User {
        let digest = "X509SHA256=3fcfe9d4f642fb5df7f6aa70a3685ad21465be67cef859d0ef5e706ccbf8ce3f";
        User {
            name: "minikube-user".into(),
            uid: String::new(),
            groups: vec![MASTERS.into(), AUTHENTICATED.into()],
            extra: BTreeMap::from([(CREDENTIAL.to_owned(), vec![digest.to_owned()])]),
        }
    }

    /// A service account.
    pub fn service_account(namespace: &str, name: &str) -> User {
        User {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            uid: String::new(),
            groups: vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}"),
                AUTHENTICATED.into(),
            ],
            extra: BTreeMap::new(),
        }
    }

    /// Whether it may do everything.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|g| g == MASTERS)
    }

    /// `authentication.k8s.io/v1 UserInfo`.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("username".into(), self.name.clone().into());
        if !self.uid.is_empty() {
            map.insert("uid".into(), self.uid.clone().into());
        }
        if !self.groups.is_empty() {
            map.insert("groups".into(), json!(self.groups));
        }
        if !self.extra.is_empty() {
            map.insert("extra".into(), json!(self.extra));
        }
        Value::Object(map)
    }
}

/// 401.
fn unauthorized() -> Status {
    Status::failure(401, "Unauthorized", "Unauthorized")
}

/// Who a request is from, after impersonation.
pub fn user(cx: &Context<'_>, head: &Head) -> Result<User, Status> {
    let own = match head.header(header::AUTHORIZATION).split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => of_token(cx, credential.trim())?,
        Some(_) => return Err(unauthorized()),
        None => User::administrator(),
    };
    impersonated(cx, own, &head.headers)
}

/// The service account that a token was made for; it, and the pod it was made for, must still be there.
pub fn of_token(cx: &Context<'_>, token: &str) -> Result<User, Status> {
    let claims = token::verified(cx, token).ok_or_else(unauthorized)?;
    if claims["iss"] == jwt::LEGACY_ISSUER {
        return of_secret(cx, token, &claims);
    }
    let about = &claims["kubernetes.io"];
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or("").to_owned();
    let (namespace, account) = (text(about, "namespace"), &about["serviceaccount"]);
    let same = |kind: &'static api::Kind, about: &Value| {
        let found = cx.find(kind, &namespace, about["name"].as_str().unwrap_or(""));
        found.is_some_and(|kv: std::rc::Rc<etcd::KeyValue>| kv.value.uid() == text(about, "uid"))
    };
    if !same(&api::kinds::SERVICE_ACCOUNTS, account) {
        return Err(unauthorized());
    }
    let mut user = User::service_account(&namespace, &text(account, "name"));
    user.uid = text(account, "uid");
    user.extra.insert(CREDENTIAL.into(), vec![format!("JTI={}", text(&claims, "jti"))]);
    if about["secret"].is_object() && !same(&api::kinds::SECRETS, &about["secret"]) {
        return Err(unauthorized());
    }
    if about["pod"].is_object() {
        if !same(&api::kinds::PODS, &about["pod"]) {
            return Err(unauthorized());
        }
        for (what, of) in [("pod-name", "name"), ("pod-uid", "uid")] {
            user.extra.insert(format!("authentication.kubernetes.io/{what}"), vec![text(&about["pod"], of)]);
        }
        if about["node"].is_object() {
            user.extra.insert("authentication.kubernetes.io/node-name".into(), vec![text(&about["node"], "name")]);
        }
    }
    Ok(user)
}

/// The service account whose Secret holds this very token (`pkg/serviceaccount/legacy.go`).
fn of_secret(cx: &Context<'_>, token: &str, claims: &Value) -> Result<User, Status> {
    let said = |claim: &str| claims[claim].as_str().unwrap_or("");
    let (namespace, account, uid) =
        (said(jwt::LEGACY_NAMESPACE), said(jwt::LEGACY_ACCOUNT), said(jwt::LEGACY_ACCOUNT_UID));
    let secret = cx.find(&api::kinds::SECRETS, namespace, said(jwt::LEGACY_SECRET)).ok_or_else(unauthorized)?;
    let held = STANDARD.decode(secret.value.at("data").get("token").and_then(Value::as_str).unwrap_or(""));
    let marked_invalid = secret.value.label("kubernetes.io/legacy-token-invalid-since").is_some_and(|l| !l.is_empty());
    let found = cx.find(&api::kinds::SERVICE_ACCOUNTS, namespace, account);
    let is_its = found.is_some_and(|kv| kv.value.uid() == uid && !kv.value.is_deleting());
    if secret.value.is_deleting() || held.ok().as_deref() != Some(token.as_bytes()) || marked_invalid || !is_its {
        return Err(unauthorized());
    }
    Ok(User { uid: uid.to_owned(), ..User::service_account(namespace, account) })
}

/// Who the headers `Impersonate-*` say to be, if the user may.
fn impersonated(cx: &Context<'_>, own: User, headers: &HeaderMap) -> Result<User, Status> {
    let all = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect()
    };
    let name = all("impersonate-user").pop().unwrap_or_default();
    let (groups, uid) = (all("impersonate-group"), all("impersonate-uid").pop().unwrap_or_default());
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in headers.keys() {
        if let Some(field) = key.as_str().strip_prefix("impersonate-extra-") {
            extra.insert(decode(field, false), all(key.as_str()));
        }
    }
    if name.is_empty() {
        if groups.is_empty() && uid.is_empty() && extra.is_empty() {
            return Ok(own);
        }
        let what = format!("requested {groups:?} without impersonating a user");
        return Err(Status::internal(&what));
    }
    let may = |group: &str, resource: &str, subresource: &str, namespace: &str, name: &str| {
        authorization::authorize(
            cx,
            &own,
            &Attributes { verb: "impersonate", group, resource, subresource, namespace, name, path: "" },
        )
    };
    let mut user = User { name, uid, groups, extra };
    let account = user.name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, name)) => may("", "serviceaccounts", "", namespace, name)?,
        None => may("", "users", "", "", &user.name)?,
    }
    for group in &user.groups {
        may("", "groups", "", "", group)?;
    }
    for (key, values) in &user.extra {
        for value in values {
            may("authentication.k8s.io", "userextras", key, "", value)?;
        }
    }
    if !user.uid.is_empty() {
        may("authentication.k8s.io", "uids", "", "", &user.uid)?;
    }
    if let (Some((namespace, name)), true) = (account, user.groups.is_empty()) {
        user.groups = User::service_account(namespace, name).groups;
    }
    let known = |group: &str| user.groups.iter().any(|g| g == group);
    if user.name == "system:anonymous" {
        if !known("system:unauthenticated") {
            user.groups.push("system:unauthenticated".into());
        }
    } else if !known(AUTHENTICATED) && !known("system:unauthenticated") {
        user.groups.push(AUTHENTICATED.into());
    }
    Ok(user)
}

/// Answers `selfsubjectreviews`: who am I.
pub fn self_review(cx: &Context<'_>, user: &User) -> Object {
    Object::new(json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": cx.now()}, "status": {"userInfo": user.to_value()},
    }))
}

/// Answers `tokenreviews`.
pub fn token_review(cx: &Context<'_>, mut review: Value) -> Object {
    let token: Cow<'_, str> = review["spec"]["token"].as_str().unwrap_or("").to_owned().into();
    review["kind"] = "TokenReview".into();
    review["apiVersion"] = "authentication.k8s.io/v1".into();
    review["metadata"] = json!({});
    review["status"] = match of_token(cx, &token) {
        Ok(user) => json!({
            "authenticated": true, "user": user.to_value(), "audiences": [token::ISSUER],
        }),
        Err(_) => json!({"user": {}, "error": "invalid bearer token"}),
    };
    Object::new(review)
}
